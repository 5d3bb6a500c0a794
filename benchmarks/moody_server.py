"""
An API server that has a bad day, in a process of its own.

    python -m benchmarks.moody_server [--port N]

Latency swings between 50 ms and 1.5 s; of a hundred answers five are errors and one is a reset. One
error in twenty is a 429: they ask for a lower rate, and get it, so more would measure the pace. It
prints its port, and serves until its standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import re
import sys
import time

from benchmarks.local_server import BODY, EVENT, STREAM_END, STREAM_HEAD, reply

ERRORS, RESETS = 0.05, 0.01
LATENCY_S = (0.05, 1.5)
SWING_S = 45.0
WORDS, WORD_S = 20, 0.02
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
STREAMED = re.compile(rb'"stream": *true')
LIMITED = 0.05
REFUSALS = {
    429: b"Too Many Requests\r\nRetry-After: 1",
    500: b"Internal Server Error",
    502: b"Bad Gateway",
}
SAID = json.dumps({"error": {"message": "A bad day.", "type": "server_error"}}).encode()


def latency_s() -> float:
    """Give a delay that is mostly short and swings to a long one and back."""
    swing = (1 + math.sin(time.monotonic() / SWING_S * math.tau)) / 2
    least_s, most_s = LATENCY_S
    return random.uniform(0.5, 1.5) * (least_s + (most_s - least_s) * swing**3)


def refusal() -> bytes:
    status = 429 if random.random() < LIMITED else random.choice((500, 502))
    head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\n" % (status, REFUSALS[status])
    return head + b"Content-Length: %d\r\n\r\n%b" % (len(SAID), SAID)


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = LENGTH.search(head)
            body = await reader.readexactly(int(length[1]) if length else 0)
            await asyncio.sleep(latency_s())
            fate = random.random()
            if fate < RESETS:
                writer.transport.abort()
                return
            if fate < RESETS + ERRORS:
                writer.write(refusal())
            elif STREAMED.search(body):
                await stream(writer)
            else:
                writer.write(reply(BODY))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def stream(writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM_HEAD)
    for _ in range(WORDS):
        writer.write(EVENT)
        await writer.drain()
        await asyncio.sleep(WORD_S)
    writer.write(STREAM_END)


async def main(port: int) -> None:
    server = await asyncio.start_server(talk, "127.0.0.1", port, backlog=512, limit=2**24)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(main(parser.parse_args().port))
