"""
An API server in a process of its own: takes a request whole, keeps nothing of it, and gives a ready
answer. What it takes itself can be asked of it, to show that it was not what was waited for.

    python -m benchmarks.local_server [--latency-s S] [--events N] [--paced]

It prints its port, and serves until its standard input closes. `GET /seen` gives its CPU seconds,
and the requests and bytes it was sent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

MODEL = "gpt-6-luna"
HEAD = {"id": "chatcmpl-1", "created": 1790000000, "model": MODEL}
# More tokens than any image here takes, or eyeline would say that it was not seen.
USAGE = {"prompt_tokens": 10_000, "completion_tokens": 2, "total_tokens": 10_002}
CHOICE = {
    "index": 0,
    "message": {"role": "assistant", "content": "A sign.", "refusal": None},
    "logprobs": None,
    "finish_reason": "stop",
}
BODY = json.dumps(
    {**HEAD, "object": "chat.completion", "choices": [CHOICE], "usage": USAGE}
).encode()
BUFFER = memoryview(bytearray(2**18))  # one for all: what was read is looked at before the next
PACE_S = 0.002


def reply(body: bytes) -> bytes:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return (head % len(body)).encode() + body


def event(delta: dict[str, str], **more: object) -> bytes:
    """Give one server-sent event, as a chunk of HTTP."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    data = {**HEAD, "object": "chat.completion.chunk", "choices": [choice], "usage": None, **more}
    return chunk(f"data: {json.dumps(data)}\n\n".encode())


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
END = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
STREAM_END = (
    event({}, choices=[END])
    + event({}, choices=[], usage=USAGE)
    + chunk(b"data: [DONE]\n\n")
    + chunk(b"")
)
EVENT = event({"content": " word"})


@dataclass
class Seen:
    """What came in, over all connections."""

    requests: int = 0
    bytes: int = 0

    def reply(self) -> bytes:
        found = {"cpu_s": time.process_time(), "requests": self.requests, "bytes": self.bytes}
        return reply(json.dumps(found).encode())


class Server(asyncio.BufferedProtocol):
    """One connection."""

    def __init__(self, manner: argparse.Namespace, seen: Seen) -> None:
        self.manner, self.seen = manner, seen
        self.head = bytearray()
        self.left_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def get_buffer(self, size_hint: int) -> memoryview:
        return BUFFER

    def buffer_updated(self, count: int) -> None:
        self.seen.bytes += count
        if self.left_bytes:
            self.left_bytes -= count
        else:
            self.head += BUFFER[:count]
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return
            if self.head.startswith(b"GET "):
                self.transport.write(self.seen.reply())
                self.head.clear()
                return
            self.left_bytes = end + 4 + content_length(self.head[:end]) - len(self.head)
        if self.left_bytes == 0:
            self.head.clear()
            self.seen.requests += 1
            self.answer()

    def answer(self) -> None:
        manner = self.manner
        if manner.events and manner.paced:
            self.transport.write(STREAM_HEAD)
            self.drip(manner.events)
        elif manner.events:
            self.transport.write(STREAM_HEAD + EVENT * manner.events + STREAM_END)
        elif manner.latency_s:
            loop = asyncio.get_running_loop()
            loop.call_later(manner.latency_s, self.transport.write, reply(BODY))
        else:
            self.transport.write(reply(BODY))

    def drip(self, left: int) -> None:
        """Write one event, and the next a while later, as a model does."""
        self.transport.write(EVENT if left else STREAM_END)
        if left:
            asyncio.get_running_loop().call_later(PACE_S, self.drip, left - 1)


def content_length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0] or 0)


async def main(manner: argparse.Namespace) -> None:
    seen, loop = Seen(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(manner, seen), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


@contextmanager
def started(command: list[str]) -> Iterator[str]:
    """Start a server that prints its port, and give its base URL; it ends with the block."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.stdin.close()
            process.wait(10)


@contextmanager
def serve(latency_s: float = 0.0, events: int = 0, *, paced: bool = False) -> Iterator[str]:
    """Start the server in another process and give its base URL."""
    command = [sys.executable, "-m", "benchmarks.local_server"]
    command += ["--latency-s", str(latency_s), "--events", str(events), *["--paced"] * paced]
    with started(command) as url:
        yield url


def seen_at(url: str) -> dict[str, float]:
    """Ask a server what it took and got so far."""
    with urllib.request.urlopen(f"{url}/seen") as response:
        found: dict[str, float] = json.load(response)
    return found


def read_manner() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency-s", type=float, default=0.0)
    parser.add_argument("--events", type=int, default=0, help="stream so many, instead of one body")
    parser.add_argument("--paced", action="store_true", help="each by itself, 2 ms apart")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        from uvloop import run
    except ImportError:
        from asyncio import run
    run(main(read_manner()))
