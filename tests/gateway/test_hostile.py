"""Clients that send slowly, never, or without end: each is let go, and nobody waits for them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from api_server import ApiServer

from eyeline.gateway.options import Bounds
from eyeline.gateway.protocol import HEADERS_BYTES_MAX
from gateway.engines import one_connection
from gateway.running import Running, gateway

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n"
HELLO = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
SLOW = 100


@pytest.fixture(scope="module")
def impatient(engine: ApiServer) -> Iterator[Running]:
    with gateway(engine, bounds=Bounds(headers_s=0.4, piece_s=0.4, body_s=0.8)) as made:
        yield made


def connect(running: Running, begun: bytes) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", urlsplit(running.origin).port), timeout=20)
    made.sendall(begun)
    return made


def rest(connection: socket.socket) -> bytes:
    """Read until the gateway closes."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


@pytest.mark.parametrize(
    "begun", [b"", b"POST /v1/cha", HEAD + b"x-a: b", HEAD + b"\r\n{", b"\x16\x03\x01\x02"]
)
def test_slow_clients_hold_up_nobody(impatient: Running, begun: bytes) -> None:
    """While a hundred connections wait for the rest of a request, others are answered at once."""
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(impatient, begun)) for _ in range(SLOW)]
        for _ in range(3):
            answer = httpx.post(f"{impatient.url}/chat/completions", json=HELLO)
            assert answer.status_code == 200
        said = {rest(connection).partition(b"\r\n")[0] for connection in slow}
    assert said <= {b"", b"HTTP/1.1 408 Request Timeout", b"HTTP/1.1 400 Bad Request"}


def test_headers_without_end_are_cut_off(running: Running) -> None:
    """More headers than any request has close the connection."""
    with connect(running, HEAD) as connection:
        line = b"x-a: " + b"b" * 1000 + b"\r\n"
        try:
            for _ in range(2 * HEADERS_BYTES_MAX // len(line)):
                connection.sendall(line)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert rest(connection) in (b"", b"HTTP/1.1 400 Bad Request")


def test_a_connection_may_wait_for_its_next_request(impatient: Running) -> None:
    """A client that keeps its connection is not slow: the limit begins with its next headers."""
    with httpx.Client(base_url=impatient.url) as client:
        for _ in range(2):
            assert client.post("/chat/completions", json=HELLO).status_code == 200


def test_a_reader_that_stops_is_let_go() -> None:
    """Who takes no more of a stream does not hold the engine's connection for ever."""
    first = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    more = b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % (b"x" * 2**16)
    body = b'{"model":"m","stream":true,"messages":[]}'
    head = HEAD.replace(b"1000", str(len(body)).encode())
    with (
        one_connection(first, more) as (url, closed),
        gateway(client={"base_url": url}, bounds=Bounds(piece_s=0.4)) as running,
        connect(running, head + b"\r\n" + body) as connection,
    ):
        assert connection.recv(12) == b"HTTP/1.1 200"
        assert closed.wait(10)
