"""A hundred hostile clients at once, of every kind we know, and honest ones among them."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest
from api_server import ApiServer

from eyeline.gateway.options import Bounds
from gateway.running import Running, gateway

EACH = 8
HONEST = 20
LET_GO_S = 15
BODY_BYTES_MAX = 256 * 1024
HELLO = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
POST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
WHOLE = POST + b"content-length: %d\r\n\r\n%b" % (len(HELLO), HELLO)
DEEP = b'{"model":"m","messages":' + b"[" * 100_000
# What a client hears of it in the end, if anything: never a fault of ours. At what it cannot parse
# the engine of these tests hangs up, which is 502.
HEARD = {b"", b"200", b"400", b"408", b"413", b"421", b"502"}

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def length(body: bytes, declared: int | None = None) -> bytes:
    size = len(body) if declared is None else declared
    return POST + b"content-length: %d\r\n\r\n" % size + body


def once(data: bytes) -> Talk:
    """Say this, and wait."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return talk


def drip(begun: bytes, drop: bytes, wait_s: float = 0.1) -> Talk:
    """Say the beginning, then one drop after another without end."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        while not reader.at_eof():
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(wait_s)

    return talk


async def half_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Promise a body, and close before it."""
    writer.write(length(b"{", 1000))
    writer.write_eof()


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Promise a body, and vanish by a reset."""
    writer.write(length(b"{", 1000))
    await writer.drain()
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


KINDS: dict[str, Talk] = {
    "headers that drip": drip(POST, b"x"),
    "a body that drips": drip(length(b"", 10**5), b"x"),
    "chunks without end": drip(CHUNKED, b"8000\r\n" + b"x" * 0x8000 + b"\r\n", 0),
    "a chunk as long as memory": once(CHUNKED + b"ffffffffffffffff\r\nx"),
    "a chunk of no size": once(CHUNKED + b"zz\r\nx\r\n"),
    "a negative length": once(length(b"", -1)),
    "two lengths": once(POST + b"content-length: 1\r\ncontent-length: 2\r\n\r\n{}"),
    "length and chunks": once(POST + b"content-length: 4\r\n" + CHUNKED.removeprefix(POST) + b"0"),
    "a length beyond all bounds": once(length(b"{", 10**18)),
    "less than was promised": half_closed,
    "more than was promised": once(length(HELLO, 10)),
    "junk behind a request": once(WHOLE + b"\0\xff junk\r\n\r\n"),
    "many requests in one": once(WHOLE * 30),
    "headers by the thousand": once(POST + b"a: b\r\n" * 20_000 + b"\r\n"),
    "lines without end": drip(b"", b"\r\n", 0.01),
    "a folded header": once(POST + b"a: b\r\n c\r\n\r\n"),
    "a name of another": once(WHOLE.replace(b"127.0.0.1", b"evil.example")),
    "another protocol": once(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "JSON without a bottom": once(length(DEEP)),
    "a reset": cut,
}


@pytest.fixture(scope="module")
def small(engine: ApiServer) -> Iterator[Running]:
    limits = Bounds(headers_s=0.4, piece_s=0.4, body_s=0.8, idle_s=1, body_bytes_max=BODY_BYTES_MAX)
    with gateway(engine, bounds=limits) as made:
        yield made


async def attack(port: int, talk: Talk) -> bytes:
    """Give the status of the last that the gateway says before it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    talking = asyncio.ensure_future(talk(reader, writer))
    heard = b""
    try:
        async with asyncio.timeout(LET_GO_S):
            while piece := await reader.read(65536):
                heard += piece
    except ConnectionError:
        pass
    except TimeoutError:
        return b"held"
    finally:
        talking.cancel()
        with suppress(ConnectionError, asyncio.CancelledError):
            await talking
        writer.transport.abort()
    return heard.rpartition(b"HTTP/1.1 ")[2][:3]


async def crowd(running: Running) -> tuple[dict[str, set[bytes]], list[int]]:
    """Let all attack at once, honest clients in between; give what each heard."""
    port = urlsplit(running.origin).port
    assert port is not None
    attacks = {
        name: [asyncio.ensure_future(attack(port, talk)) for _ in range(EACH)]
        for name, talk in KINDS.items()
    }
    async with httpx.AsyncClient(timeout=20) as client:
        honest = []
        for _ in range(HONEST):
            answer = await client.post(f"{running.url}/chat/completions", content=HELLO)
            honest.append(answer.status_code)
    async with asyncio.timeout(30):
        return {name: {*await asyncio.gather(*all)} for name, all in attacks.items()}, honest


def test_honest_clients_are_served_among_hostile_ones(small: Running) -> None:
    """Whatever a hundred clients send at once, each is let go, and others have their answers."""
    heard, honest = asyncio.run(crowd(small))
    assert honest == [200] * HONEST
    assert not {name: odd for name, said in heard.items() if (odd := said - HEARD)}
