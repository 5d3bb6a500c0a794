"""
`eyeline run` and `eyeline serve` for a long time, against a server that has a bad day.

    python -m benchmarks.soak [--minutes 30] [--rows-a-s 50] [--clients 16]

Beside its moods (`benchmarks.moody_server`) the server is killed once a minute, and comes back two
seconds later. Meanwhile a run goes through a table, and clients ask a gateway, whole and streamed;
one in twenty leaves in the middle. Memory, file descriptors, threads and disk of both are looked
at every few seconds. At the end every row must have its one outcome and every question an answer
or a refusal that is said aloud. Exits 1 where something was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import linear_regression

import aiohttp
from PIL import Image

from benchmarks.contestants import body, setting
from benchmarks.gateway import Way, eyeline_serve

MB = 2**20
RESTART_EVERY_S, DOWN_S = 60.0, 2.0
LOOK_EVERY_S = 5.0
LEAVING, REPEATED, STREAMED = 0.05, 0.1, 0.3
PICTURES = 50
# What has no outcome yet when time is up may take so long.
END_S = 300.0
FIGURES = ("MB resident", "file descriptors", "threads", "MB on disk")


class Engine:
    """The moody server, killed now and then; always at the same port."""

    def __init__(self) -> None:
        self.port, self.kills = 0, 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "benchmarks.moody_server", "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.kills += 1

    async def suffer(self) -> None:
        while True:
            await asyncio.sleep(RESTART_EVERY_S)
            self.kill()
            await asyncio.sleep(DOWN_S)
            self.start()


@dataclass
class Watched:
    """A process and the folder that it fills, looked at again and again."""

    name: str
    pid: int
    folder: Path
    looks: list[tuple[float, ...]] = field(default_factory=list)

    def look(self) -> None:
        """Note seconds and FIGURES; nothing where the process is gone."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
            held = len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
        except OSError:
            return
        lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        if "VmRSS" in lines:
            resident_mb = int(lines["VmRSS"].split()[0]) / 1024
            disk = size_mb(self.folder)
            threads = int(lines["Threads"])
            self.looks.append((time.monotonic(), resident_mb, held, threads, disk))

    def report(self) -> None:
        """Say each figure once warm, in the middle, at the end, and how it grew in a minute."""
        warm = self.looks[len(self.looks) // 10 :]
        minutes = [look[0] / 60 for look in warm]
        for number, figure in enumerate(FIGURES, 1):
            values = [look[number] for look in warm]
            slope = linear_regression(minutes, values).slope if len(values) > 1 else 0.0
            three = (values[0], values[len(values) // 2], values[-1])
            print(
                f"{self.name if number == 1 else '':8}{figure:18}"
                + "".join(f"{value:9.1f}" for value in three)
                + f"{max(values):9.1f}{slope:+10.2f}"
            )


def size_mb(folder: Path) -> float:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total / MB


# --- who asks the gateway -------------------------------------------------------------------------


async def ask(session: aiohttp.ClientSession, url: str, pictures: list[str], number: int) -> str:
    """Ask once; give what became of it in a word or two."""
    asked = body(f"What is {number}?", pictures[number % len(pictures)])
    is_streamed = random.random() < STREAMED
    try:
        async with session.post(url, json=asked | {"stream": is_streamed}) as response:
            said = await response.read()
    except aiohttp.ClientError as error:
        return f"lost: {type(error).__name__}"
    if response.status != 200:
        return f"refused {response.status}" if b'"error"' in said else f"lost: {response.status}"
    if not is_streamed:
        return "answered" if json.loads(said)["choices"] else "lost: empty"
    if b"[DONE]" in said:
        return "streamed"
    return "streamed up to an error" if b'"error"' in said else "lost: half a stream"


async def load(way: Way, pictures: list[str], clients: int, until_s: float) -> Counter[str]:
    """Let so many ask one question after another until then; give what became of how many."""
    url, numbers, outcomes = f"{way.url}/chat/completions", count(), Counter[str]()
    connector, total = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=END_S)

    async def client(session: aiohttp.ClientSession) -> None:
        while time.monotonic() < until_s:
            fresh = next(numbers)
            known = random.randrange(fresh + 1) if random.random() < REPEATED else fresh
            patience_s = random.random() if random.random() < LEAVING else END_S
            try:
                async with asyncio.timeout(patience_s):
                    outcomes[await ask(session, url, pictures, known)] += 1
            except TimeoutError:
                outcomes["left" if patience_s < END_S else "lost: nothing in time"] += 1

    async with aiohttp.ClientSession(connector=connector, timeout=total) as session:
        await asyncio.gather(*(client(session) for _ in range(clients)))
    return outcomes


# --- the run --------------------------------------------------------------------------------------


@contextmanager
def running(
    engine: Engine, folder: Path, photos: list[Path], rows: int
) -> Iterator[subprocess.Popen[str]]:
    folder.mkdir()
    lines = [f"{photos[number % len(photos)]},{number}\n" for number in range(rows)]
    (folder / "table.csv").write_text("image,n\n" + "".join(lines))
    command = [
        sys.executable, "-m", "eyeline", "run", "What is {n}?", str(folder / "table.csv"), "-o",
        str(folder / "out.jsonl"), "--engine", engine.url, "--rows-in-flight", "32",
        "--yes",
    ]  # fmt: skip
    surroundings = os.environ | {"EYELINE_CACHE_DIR": str(folder / "cache")}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=surroundings) as process:
        try:
            yield process
        finally:
            process.kill()


def lost_rows(folder: Path, rows: int) -> list[str]:
    """Say which rows have no outcome, or more than one."""
    written = map(json.loads, (folder / "out.jsonl").read_text("utf-8").splitlines())
    found = Counter(row["key"] for row in written)
    missing = rows - len(found)
    twice = sum(count > 1 for count in found.values())
    return [f"{missing} rows without an outcome"] * bool(missing) + [f"{twice} twice"] * bool(twice)


# --- all of it ------------------------------------------------------------------------------------


async def repeat(act: Callable[[], None], every_s: float) -> None:
    while True:
        act()
        await asyncio.sleep(every_s)


def soak(asked: argparse.Namespace, folder: Path, stack: ExitStack) -> list[str]:
    """Give what was lost."""
    photos = make_pictures(folder / "photos")
    engine = Engine()
    stack.callback(engine.kill)
    way = stack.enter_context(eyeline_serve(engine.url))
    assert way.pid is not None
    rows = int(asked.minutes * 60 * asked.rows_a_s)
    run = stack.enter_context(running(engine, folder / "run", photos, rows))
    watched = [
        Watched("run", run.pid, folder / "run"),
        Watched("serve", way.pid, cache_of(way.pid)),
    ]
    outcomes, said = asyncio.run(go_on(asked, engine, way, run, watched, photos))
    print(f"{engine.kills} kills of the server")
    print(f"{'':26}{'warm':>9}{'middle':>9}{'end':>9}{'most':>9}{'a minute':>10}")
    for each in watched:
        each.report()
    print(f"run: exit {run.returncode} · {' · '.join(said.strip().splitlines()[-1:])}")
    print("serve: " + " · ".join(f"{said} {count:,}" for said, count in outcomes.most_common()))
    lost = [f"{count} questions {said}" for said, count in outcomes.items() if "lost" in said]
    return lost + lost_rows(folder / "run", rows)


async def go_on(
    asked: argparse.Namespace, engine: Engine, way: Way, run: subprocess.Popen[str],
    watched: list[Watched], photos: list[Path],
) -> tuple[Counter[str], str]:  # fmt: skip
    """Ask the gateway until time is up, and wait for the run."""
    urls = [f"data:image/png;base64,{b64encode(path.read_bytes()).decode()}" for path in photos]
    beside = [asyncio.create_task(repeat(each.look, LOOK_EVERY_S)) for each in watched]
    beside.append(asyncio.create_task(engine.suffer()))
    reading = asyncio.create_task(asyncio.to_thread(run.communicate))
    outcomes = await load(way, urls, asked.clients, time.monotonic() + asked.minutes * 60)
    try:
        said = (await asyncio.wait_for(asyncio.shield(reading), END_S))[1]
    except TimeoutError:
        run.terminate()
        said = (await reading)[1]
    for task in beside:
        task.cancel()
    return outcomes, said


def cache_of(pid: int) -> Path:
    """Give the cache folder that a process was started with."""
    surroundings = Path(f"/proc/{pid}/environ").read_bytes()
    named = surroundings.partition(b"EYELINE_CACHE_DIR=")[2].partition(b"\0")[0]
    return Path(os.fsdecode(named))


def make_pictures(folder: Path) -> list[Path]:
    folder.mkdir()
    for number in range(PICTURES):
        noise = Image.frombytes("RGB", (64, 48), random.randbytes(64 * 48 * 3))
        noise.save(folder / f"{number:03d}.png")
    return sorted(folder.iterdir())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rows-a-s", type=float, default=50)
    parser.add_argument("--clients", type=int, default=16)
    asked = parser.parse_args()
    print(setting(), f"load {os.getloadavg()[0]:.1f}", flush=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        lost = soak(asked, folder, stack)
    print(f"load {os.getloadavg()[0]:.1f}")
    for each in lost:
        print(f"lost: {each}")
    return bool(lost)


if __name__ == "__main__":
    sys.exit(main())
