"""
The server of `local_server`, with a limit of requests a second, in one of the ways servers have.

    python -m benchmarks.limited_server --per-s R [--then-per-s R --after-s S] [--counts WAY]
                                        [--named] [--advised-s S] [--latency-s S]

`GET /seen` gives what was served and refused in each second since the first request.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
import urllib.request
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.local_server import BODY, Seen, Server, reply, started

REFUSAL = json.dumps(
    {"error": {"message": "Rate limit reached.", "type": "requests", "code": "rate_limit_exceeded"}}
).encode()


@dataclass
class Limit:
    """Says which requests come too fast."""

    manner: argparse.Namespace
    begun_s: float | None = None
    level: float = 0.0
    at_s: float = 0.0
    last: deque[float] = field(default_factory=deque)
    served: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)

    def per_s(self, now_s: float) -> float:
        manner, begun_s = self.manner, self.begun_s or now_s
        is_later = manner.then_per_s and now_s - begun_s >= manner.after_s
        return float(manner.then_per_s if is_later else manner.per_s)

    def allows(self, now_s: float) -> bool:
        if self.begun_s is None:
            self.begun_s = self.at_s = now_s
            self.level = self.per_s(now_s)
        found = self.fits(now_s, self.per_s(now_s))
        (self.served if found else self.refused)[int(now_s - self.begun_s)] += 1
        return found

    def fits(self, now_s: float, per_s: float) -> bool:
        if self.manner.counts == "bucket":
            self.level = min(per_s, self.level + (now_s - self.at_s) * per_s)
            self.at_s = now_s
            self.level -= (found := self.level >= 1)
            return found
        begin_s = now_s - 1 if self.manner.counts == "window" else int(now_s)
        while self.last and self.last[0] <= begin_s:
            self.last.popleft()
        found = len(self.last) < per_s
        if found:
            self.last.append(now_s)
        return found

    def head(self, now_s: float, status: str, size_bytes: int) -> bytes:
        lines = [f"HTTP/1.1 {status}", "Content-Type: application/json"]
        lines += [f"Content-Length: {size_bytes}"]
        if self.manner.named:
            limit = round(60 * self.per_s(now_s))
            lines += [f"x-ratelimit-limit-requests: {limit}", "x-ratelimit-reset-requests: 1s"]
            lines += [f"x-ratelimit-remaining-requests: {max(0, int(self.level))}"]
        if self.manner.advised_s and not status.startswith("200"):
            lines += [f"Retry-After: {self.manner.advised_s:g}"]
        return "\r\n".join([*lines, "", ""]).encode()


class LimitedServer(Server):
    """One connection."""

    def __init__(self, manner: argparse.Namespace, limit: Limit) -> None:
        super().__init__(manner, LimitSeen(limit))
        self.limit = limit

    def answer(self) -> None:
        now_s = time.monotonic()
        if self.limit.allows(now_s):
            whole = self.limit.head(now_s, "200 OK", len(BODY)) + BODY
            asyncio.get_running_loop().call_later(
                self.manner.latency_s, self.transport.write, whole
            )
        else:
            head = self.limit.head(now_s, "429 Too Many Requests", len(REFUSAL))
            self.transport.write(head + REFUSAL)


@dataclass
class LimitSeen(Seen):
    """What was served and refused."""

    def __init__(self, limit: Limit) -> None:
        super().__init__()
        self.limit = limit

    def reply(self) -> bytes:
        return reply(
            json.dumps({"served": self.limit.served, "refused": self.limit.refused}).encode()
        )


@contextmanager
def serve(*arguments: str) -> Iterator[str]:
    """Start the server in another process and give its base URL."""
    command = [sys.executable, "-m", "benchmarks.limited_server", *arguments]
    with started(command) as url:
        yield url


def seen_at(url: str, seconds: int) -> tuple[list[int], list[int]]:
    """Ask a server what it served and refused in each of the first seconds."""
    with urllib.request.urlopen(f"{url}/seen") as response:
        found = json.load(response)
    served, refused = (
        [found[name].get(str(second), 0) for second in range(seconds)]
        for name in ("served", "refused")
    )
    return served, refused


async def main(manner: argparse.Namespace) -> None:
    limit, loop = Limit(manner), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: LimitedServer(manner, limit), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


def read_manner() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-s", type=float, required=True)
    parser.add_argument("--then-per-s", type=float, default=0.0)
    parser.add_argument("--after-s", type=float, default=0.0)
    parser.add_argument("--counts", choices=["bucket", "window", "clock"], default="bucket")
    parser.add_argument("--named", action="store_true", help="say so in x-ratelimit headers")
    parser.add_argument("--advised-s", type=float, default=0.0, help="as Retry-After")
    parser.add_argument("--latency-s", type=float, default=0.2)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(read_manner()))
