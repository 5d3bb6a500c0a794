"""
Clients that ask the same of the same server, each in a process of its own; rounds are paired.

    python -m benchmarks.contestants NAME URL     takes one round a line of JSON, gives what it took

Each gets an image as the bytes of a file that needs no change, or as its path, and a prompt that
was not asked before.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from benchmarks.local_server import MODEL

# Read at /proc/self/status, where there is one.
PEAK, RESIDENT = "VmHWM:", "VmRSS:"


@dataclass(frozen=True)
class Round:
    """So many requests, so many of them in flight, of these files in turn."""

    requests: int
    in_flight: int
    photos: Sequence[str]
    as_path: bool = False
    stream: bool = False


@dataclass(frozen=True)
class Taken:
    """What a round took: CPU of all threads, time on the clock, and the most memory so far."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    idle_mb: float


class Contestant(Protocol):
    async def ask(self, prompt: str, photo: Path | bytes) -> str: ...
    async def stream(self, prompt: str, photo: Path | bytes) -> str: ...
    async def close(self) -> None: ...


class Eyeline:
    """AsyncClient with all it does: cache, single-flight, pace, budget, retries, sight check."""

    def __init__(self, url: str) -> None:
        from eyeline import AsyncClient

        self.client = AsyncClient(base_url=url, model=MODEL, budget_usd=10**6)

    async def ask(self, prompt: str, photo: Path | bytes) -> str:
        return (await self.client.ask(prompt, photo)).text

    async def stream(self, prompt: str, photo: Path | bytes) -> str:
        return "".join([piece async for piece in self.client.stream(prompt, photo)])

    async def close(self) -> None:
        await self.client.close()


class Sdk:
    """AsyncOpenAI, as its guide has it: the file in base64 in a data URL."""

    def __init__(self, url: str, **options: Any) -> None:
        from openai import AsyncOpenAI

        self.client: Any = AsyncOpenAI(base_url=url, api_key="unused", **options)

    async def ask(self, prompt: str, photo: Path | bytes) -> str:
        made = await self.client.chat.completions.create(**body(prompt, self.url_of(photo)))
        return str(made.choices[0].message.content)

    async def stream(self, prompt: str, photo: Path | bytes) -> str:
        asked = body(prompt, self.url_of(photo))
        chunks = await self.client.chat.completions.create(**asked, stream=True)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices]
        return "".join(pieces)

    def url_of(self, photo: Path | bytes) -> str:
        return data_url(photo)

    async def close(self) -> None:
        await self.client.close()


class SdkUrlReady(Sdk):
    """The same, its data URLs made before and kept, so that the base64 is not counted."""

    urls: dict[Path | bytes, str]

    def url_of(self, photo: Path | bytes) -> str:
        if not hasattr(self, "urls"):
            self.urls = {}
        if photo not in self.urls:
            self.urls[photo] = data_url(photo)
        return self.urls[photo]


class SdkAiohttp(Sdk):
    """AsyncOpenAI over aiohttp, its own option for more speed."""

    def __init__(self, url: str) -> None:
        from openai import DefaultAioHttpClient

        super().__init__(url, http_client=DefaultAioHttpClient())


class Aiohttp:
    """The floor: aiohttp and a body that is ready, nothing around it but reading the answer."""

    def __init__(self, url: str) -> None:
        import aiohttp

        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self.url = f"{url}/chat/completions"
        self.headers = {"Content-Type": "application/json", "Authorization": "Bearer unused"}
        self.bodies: dict[Path | bytes, bytes] = {}

    def body(self, photo: Path | bytes) -> bytes:
        if photo not in self.bodies:
            self.bodies[photo] = json.dumps(body("What does it say?", data_url(photo))).encode()
        return self.bodies[photo]

    async def ask(self, prompt: str, photo: Path | bytes) -> str:
        async with self.session.post(
            self.url, data=self.body(photo), headers=self.headers
        ) as response:
            answer = await response.json()
        return str(answer["choices"][0]["message"]["content"])

    async def stream(self, prompt: str, photo: Path | bytes) -> str:
        pieces: list[str] = []
        async with self.session.post(
            self.url, data=self.body(photo), headers=self.headers
        ) as response:
            async for line in response.content:
                if line.startswith(b"data: {"):
                    choices = json.loads(line[6:])["choices"]
                    pieces += [choice["delta"].get("content", "") for choice in choices]
        return "".join(pieces)

    async def close(self) -> None:
        await self.session.close()


CONTESTANTS: dict[str, Any] = {
    "eyeline AsyncClient": Eyeline,
    "AsyncOpenAI": Sdk,
    "AsyncOpenAI, data URL ready": SdkUrlReady,
    "AsyncOpenAI on aiohttp": SdkAiohttp,
    "aiohttp, body ready": Aiohttp,
}


def data_url(photo: Path | bytes) -> str:
    data = photo if isinstance(photo, bytes) else photo.read_bytes()
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def body(prompt: str, url: str) -> dict[str, Any]:
    image = {"type": "image_url", "image_url": {"url": url, "detail": "high"}}
    parts = [{"type": "text", "text": prompt}, image]
    return {"model": MODEL, "messages": [{"role": "user", "content": parts}]}


# --- in the contestant's process ------------------------------------------------------------------


async def compete(name: str, url: str) -> None:
    contestant, numbers = CONTESTANTS[name](url), count()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        taken = await run_round(contestant, Round(**json.loads(line)), numbers)
        print(json.dumps(asdict(taken)), flush=True)
    await contestant.close()


async def run_round(contestant: Contestant, asked: Round, numbers: Iterator[int]) -> Taken:
    paths = [Path(photo) for photo in asked.photos]
    photos = paths if asked.as_path else [path.read_bytes() for path in paths]
    ask = contestant.stream if asked.stream else contestant.ask
    left = iter(range(asked.requests))

    async def slot() -> None:
        for number in left:
            answer = await ask(f"What does it say? {next(numbers)}", photos[number % len(photos)])
            assert answer, "no answer"

    idle_mb, start_s, start_cpu_s = memory_mb(RESIDENT), time.perf_counter(), time.process_time()
    await asyncio.gather(*(slot() for _ in range(asked.in_flight)))
    cpu_s, wall_s = time.process_time() - start_cpu_s, time.perf_counter() - start_s
    return Taken(cpu_s, wall_s, memory_mb(PEAK), idle_mb)


def memory_mb(which: str) -> float:
    """Read one of Linux's figures of this process; 0 where there is none."""
    status = Path("/proc/self/status")
    text = status.read_text() if status.exists() else ""
    lines = [line for line in text.splitlines() if line.startswith(which)]
    return int(lines[0].split()[1]) / 1000 if lines else 0.0


# --- in the benchmark's process -------------------------------------------------------------------


@dataclass
class Entrant:
    """A contestant at work in its process, and what its rounds took."""

    name: str
    process: subprocess.Popen[str]
    taken: list[Taken] = field(default_factory=list)

    def run(self, asked: Round) -> Taken:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asdict(asked)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} failed")
        return Taken(**json.loads(line))


@contextmanager
def entrants(names: Sequence[str], url: str, folder: Path) -> Iterator[list[Entrant]]:
    """Start a process for each; eyeline's cache is a new one in `folder`."""
    environment = os.environ | {"EYELINE_CACHE_DIR": str(folder / "cache")}
    environment.pop("EYELINE_CONFIG", None)
    command = [sys.executable, "-m", "benchmarks.contestants"]
    with ExitStack() as stack:
        started = []
        for name in names:
            process = stack.enter_context(
                subprocess.Popen(
                    [*command, name, url], env=environment, text=True,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                )
            )  # fmt: skip
            started.append(Entrant(name, process))
        yield started


def compete_in_turn(entered: Sequence[Entrant], asked: Round, rounds: int) -> None:
    """Run paired rounds; the first warms everything up and is not kept."""
    for number in range(rounds + 1):
        for entrant in entered:
            taken = entrant.run(asked)
            if number:
                entrant.taken.append(taken)


def setting() -> str:
    """Say on what this was measured, and how busy it was."""
    load = Path("/proc/loadavg")
    busy = f", load {load.read_text().split()[0]}" if load.exists() else ""
    found = []
    for name in ("eyeline", "openai", "httpx2", "aiohttp", "pybase64"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return f"Python {platform.python_version()}, {os.cpu_count()} cores{busy}; {', '.join(found)}"


def ratio(figures: Sequence[float], others: Sequence[float]) -> float:
    """Give the median of the pairs' ratios."""
    return statistics.median(one / other for one, other in zip(figures, others, strict=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=CONTESTANTS)
    parser.add_argument("url")
    given = parser.parse_args()
    asyncio.run(compete(given.name, given.url))
