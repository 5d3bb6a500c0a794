"""
What the gateway adds: CPU and time to a request of 200 KB, a steady rate, many connections, a large
body.

    python -m benchmarks.gateway [--requests 1500] [--rounds 5] [--litellm PYTHON]

Client, gateway and engine have a process each. Every prompt is new, so that nothing comes from the
cache; the image is right as it is. CPU is that of the gateway's process, user and system: what a
request takes beyond what client and engine take anyway. `--litellm` names a Python that has
`litellm[proxy]`, whose proxy then does the same job in the same rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pybase64

from benchmarks.cold_start import photo
from benchmarks.contestants import setting
from benchmarks.local_server import MODEL, serve

TICKS = os.sysconf("SC_CLK_TCK")
MB = 2**20
RATE = 200
IDLE, STREAMS = 1000, 200
LARGE_BYTES = 50 * MB


@dataclass(frozen=True)
class Way:
    """One way to the engine, and the process that is on it, if any."""

    name: str
    url: str
    pid: int | None = None

    def cpu_s(self) -> float:
        if self.pid is None:
            return 0.0
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self, line: str = "VmRSS") -> float:
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(rf"{line}:\s+(\d+)", text)[0]) / 1024


# --- a client that takes little itself ------------------------------------------------------------


class Connection:
    """One kept-alive connection, which sends ready bytes and reads one response."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.path = parts.hostname, parts.port, parts.path
        self.head = (
            f"POST {self.path}/chat/completions HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            "Authorization: Bearer sk-bench\r\nContent-Type: application/json\r\n"
        )

    async def open(self) -> Connection:
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=MB)
        return self

    async def ask(self, body: bytes) -> tuple[float, float]:
        """Post a body; gives the seconds to the first byte, and to the last."""
        started_s = time.perf_counter()
        self.writer.write(f"{self.head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await self.writer.drain()
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        first_s = time.perf_counter() - started_s
        if b"chunked" in head.lower():
            while (await self.reader.readuntil(b"\r\n")) != b"0\r\n":
                pass
            await self.reader.readuntil(b"\r\n")
        else:
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            assert length, head
            await self.reader.readexactly(int(length[1]))
        return first_s, time.perf_counter() - started_s

    def close(self) -> None:
        self.writer.close()


class Bodies:
    """Bodies of one image, each with a prompt that was not asked before."""

    def __init__(self, data: bytes, *, stream: bool = False) -> None:
        url = f"data:image/jpeg;base64,{pybase64.b64encode(data).decode()}"
        image = {"type": "image_url", "image_url": {"url": url, "detail": "high"}}
        content = [{"type": "text", "text": "QUESTION"}, image]
        body = {"model": MODEL, "messages": [{"role": "user", "content": content}]}
        text = json.dumps({**body, "stream": stream}).encode()
        self.before, _, self.after = text.partition(b"QUESTION")

    def __iter__(self) -> Iterator[bytes]:
        while True:
            question = f"What is {time.monotonic_ns()}?".encode()
            yield self.before + question + self.after


async def ask_all(url: str, bodies: Bodies, requests: int, in_flight: int) -> list[float]:
    """Ask so many, so many at once; gives the seconds of each."""
    left, fresh, taken = iter(range(requests)), iter(bodies), []

    async def work() -> None:
        connection = await Connection(url).open()
        taken.extend([(await connection.ask(next(fresh)))[1] for _ in left])
        connection.close()

    await asyncio.gather(*(work() for _ in range(in_flight)))
    return taken


async def ask_at_rate(url: str, bodies: Bodies, seconds: float) -> list[float]:
    """Ask at a steady rate, whether answers come or not; gives the seconds of each."""
    idle = [await Connection(url).open() for _ in range(64)]
    fresh, taken = iter(bodies), []

    async def one() -> None:
        connection = idle.pop() if idle else await Connection(url).open()
        taken.append((await connection.ask(next(fresh)))[1])
        idle.append(connection)

    started_s, tasks = time.perf_counter(), []
    for number in range(int(RATE * seconds)):
        await asyncio.sleep(started_s + number / RATE - time.perf_counter())
        tasks.append(asyncio.create_task(one()))
    await asyncio.gather(*tasks)
    for connection in idle:
        connection.close()
    return taken


# --- what is measured -----------------------------------------------------------------------------


def added_cpu(ways: list[Way], bodies: Bodies, asked: argparse.Namespace) -> None:
    print(f"\n{'CPU ms a request, added':32}{'median':>8}{'least':>8}{'most':>8}{'p50 ms':>9}")
    for way in ways:
        asyncio.run(ask_all(way.url, bodies, 200, 16))
    found: dict[str, list[float]] = {way.name: [] for way in ways}
    waits: dict[str, list[float]] = {way.name: [] for way in ways}
    for _ in range(asked.rounds):
        for way in ways:
            before_s = way.cpu_s()
            waits[way.name] += asyncio.run(ask_all(way.url, bodies, asked.requests, 16))
            found[way.name].append((way.cpu_s() - before_s) / asked.requests * 1000)
    for name, each in found.items():
        middle_ms = statistics.median(waits[name]) * 1000
        figures = (statistics.median(each), min(each), max(each))
        print(f"{name:32}" + "".join(f"{ms:8.2f}" for ms in figures) + f"{middle_ms:9.1f}")


def first_bytes(ways: list[Way], data: bytes, requests: int) -> None:
    """Time to the first byte of a stream, one at a time, in turn."""
    bodies = iter(Bodies(data, stream=True))

    async def measure() -> dict[str, list[float]]:
        connections = {way.name: await Connection(way.url).open() for way in ways}
        found: dict[str, list[float]] = {way.name: [] for way in ways}
        for _ in range(requests):
            for name, connection in connections.items():
                found[name].append((await connection.ask(next(bodies)))[0] * 1000)
        return found

    print(f"\n{'first byte of a stream, ms':32}{'median':>8}{'p90':>8}")
    for name, each in asyncio.run(measure()).items():
        print(f"{name:32}{statistics.median(each):8.2f}{statistics.quantiles(each, n=10)[8]:8.2f}")


def held_rate(way: Way, bodies: Bodies) -> None:
    taken = asyncio.run(ask_at_rate(way.url, bodies, 10))
    ordered = sorted(taken)
    middle_ms, late_ms = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99))
    print(f"\n{RATE} requests a second for 10 s: p50 {middle_ms:.1f} ms, p99 {late_ms:.1f} ms")


def many_connections(way: Way, data: bytes) -> None:
    async def measure() -> list[float]:
        resident = [way.memory_mb()]
        idle = [await Connection(way.url).open() for _ in range(IDLE)]
        bodies = Bodies(data, stream=True)
        for _ in range(5):
            await ask_all(way.url, bodies, STREAMS, STREAMS)
            resident.append(way.memory_mb())
        for connection in idle:
            connection.close()
        return resident

    figures = ", ".join(f"{mb:.0f}" for mb in asyncio.run(measure()))
    print(f"\nMB resident, before, and with {IDLE} idle connections after each of five times")
    print(f"{STREAMS} streams at once: {figures}")


def large_body(way: Way, folder: Path) -> None:
    photo(folder / "small.jpg", 200_000)
    small = (folder / "small.jpg").read_bytes()
    # Bytes behind the image's end would be cut; a long comment before its pixels is metadata.
    data = small[:2] + b"".join(segment() for _ in range(LARGE_BYTES * 3 // 4 // 65_535))
    bodies = iter(Bodies(data + small[2:]))

    async def measure() -> None:
        await (await Connection(way.url).open()).ask(next(bodies))

    Path(f"/proc/{way.pid}/clear_refs").write_text("5")
    before = way.memory_mb()
    asyncio.run(measure())
    peak, size = way.memory_mb("VmHWM"), len(next(bodies)) / MB
    print(
        f"\na body of {size:.0f} MB: {peak - before:.0f} MB above {before:.0f} at the most, ",
        end="",
    )
    print(f"{(peak - before) / size:.2f} times its size")


def segment() -> bytes:
    return b"\xff\xe2\xff\xff" + b"ICC_PROFILE\0" + bytes(65_533 - 12)


# --- the ways -------------------------------------------------------------------------------------


@contextmanager
def eyeline_serve(engine: str) -> Iterator[Way]:
    command = [sys.executable, "-m", "eyeline", "serve", "--port", "0", "--engine", engine]
    with tempfile.TemporaryDirectory() as folder:
        surroundings = {**os.environ, "EYELINE_CACHE_DIR": folder}
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=surroundings) as run:
            assert run.stderr
            said = run.stderr.readline()
            url = re.search(r"http://\S+/v1", said)
            assert url, said
            try:
                wait_for(url[0].removesuffix("/v1") + "/healthz")
                yield Way("eyeline serve", url[0], run.pid)
            finally:
                run.send_signal(signal.SIGTERM)


@contextmanager
def litellm_proxy(python: str, engine: str, port: int = 4011) -> Iterator[Way]:
    listed = {"model": f"openai/{MODEL}", "api_base": engine, "api_key": "sk-bench"}
    settings = {"model_list": [{"model_name": MODEL, "litellm_params": listed}]}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(json.dumps(settings))
        program = str(Path(python).with_name("litellm"))
        command = [program, "--config", str(path), "--port", str(port), "--host", "127.0.0.1"]
        quiet = subprocess.DEVNULL
        # As ours on loopback, it takes any key.
        surroundings = {**os.environ, "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
        with subprocess.Popen(
            command, stdout=quiet, stderr=quiet, cwd=folder, env=surroundings
        ) as run:
            try:
                wait_for(f"http://127.0.0.1:{port}/health/liveliness")
                yield Way("litellm proxy", f"http://127.0.0.1:{port}/v1", run.pid)
            finally:
                run.send_signal(signal.SIGTERM)


def wait_for(url: str, seconds: float = 120) -> None:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--litellm", metavar="PYTHON")
    asked = parser.parse_args()
    print(setting())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        photo(folder / "photo.jpg", 200_000)
        data = (folder / "photo.jpg").read_bytes()
        engine = stack.enter_context(serve())
        ours = stack.enter_context(eyeline_serve(engine))
        ways = [Way("direct", engine), ours]
        if asked.litellm:
            ways.append(stack.enter_context(litellm_proxy(asked.litellm, engine)))
        added_cpu(ways, Bodies(data), asked)
        held_rate(ours, Bodies(data))
        large_body(ours, folder)
        streaming = stack.enter_context(serve(events=20, paced=True))
        relayed = stack.enter_context(eyeline_serve(streaming))
        first_bytes([Way("direct", streaming), relayed], data, 200)
        many_connections(relayed, data)


if __name__ == "__main__":
    main()
