"""
Kills a run at random moments, lets it go on, and compares with one that nobody disturbed.

    python -m benchmarks.kills [--kills 50] [--rows 3000] [--alike 1] [--latency-s 0.2] [--no-cache]

The server, in this process, keeps a log of its own: which picture it took how often. After the last
kill the run goes to its end. Then: the same rows as undisturbed, none missing, none twice; every
picture that the server took more than once was told to be in doubt; and per kill no more of them
than rows may be in flight. Exits 1 where that is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.local_server import BODY, reply
from eyeline.testing import tiny_png

IN_FLIGHT = 64
IMAGE = re.compile(rb"base64,([A-Za-z0-9+/=]+)")


@dataclass
class Server:
    """Answers after a while, and counts how often each picture was answered in full."""

    latency_s: float
    port: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    async def serve(self, ready: threading.Event) -> None:
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0, backlog=512, limit=2**24)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        async with server:
            await server.serve_forever()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = re.search(rb"(?i)content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                # Billed as soon as it is taken, whether or not anybody is there to hear the answer.
                found = IMAGE.search(body)
                assert found is not None
                self.answered[found[1].decode()] += 1
                await asyncio.sleep(self.latency_s * random.uniform(0.5, 1.5))
                writer.write(reply(BODY))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@contextmanager
def serving(latency_s: float) -> Iterator[Server]:
    server, ready = Server(latency_s), threading.Event()

    def work() -> None:
        asyncio.set_event_loop(server.loop)
        try:
            server.loop.run_until_complete(server.serve(ready))
        except (RuntimeError, asyncio.CancelledError):
            return

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    ready.wait()
    yield server
    server.loop.call_soon_threadsafe(server.loop.stop)
    thread.join()


def command(server: Server, photos: Path, out: Path, options: list[str]) -> list[str]:
    return [
        sys.executable, "-m", "eyeline", "run", "What is it?", str(photos), "-o", str(out),
        "--engine", f"http://127.0.0.1:{server.port}/v1", "--rows-in-flight", str(IN_FLIGHT),
        *options,
    ]  # fmt: skip


def keys(out: Path) -> list[tuple[str, str, str]]:
    rows = map(json.loads, out.read_text("utf-8").splitlines())
    return [(row["key"], row["status"], row["text"]) for row in rows]


def status(out: Path, environment: dict[str, str]) -> dict[str, object]:
    line = [sys.executable, "-m", "eyeline", "run", "--status", str(out), "--json"]
    done = subprocess.run(line, env=environment, capture_output=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def kill_often(line: list[str], kills: int, whole_s: float, environment: dict[str, str]) -> int:
    """Start, and kill after a random while, until done or killed so often; give how often."""
    for number in range(kills):
        process = subprocess.Popen(line, env=environment, stderr=subprocess.DEVNULL)
        try:
            process.wait(random.uniform(0.1, 2 * whole_s / kills) + START_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        else:
            return number
    return kills


START_S = 0.6


def compare(folder: Path, arguments: argparse.Namespace) -> list[str]:
    """Run both, and give what is wrong."""
    photos = folder / "photos"
    photos.mkdir()
    different = arguments.rows // arguments.alike
    for at in range(arguments.rows):
        picture = at % different
        photo = tiny_png(1 + picture % 200, 1 + picture // 200)
        (photos / f"{at:05d}.png").write_bytes(photo)
    options = ["--no-cache"] if arguments.no_cache else []
    with serving(arguments.latency_s) as server:
        calm = os.environ | {"EYELINE_CACHE_DIR": str(folder / "calm")}
        begun_s = time.monotonic()
        line = command(server, photos, folder / "calm.jsonl", options)
        subprocess.run(line, env=calm, check=True, stderr=subprocess.DEVNULL)
        whole_s = time.monotonic() - begun_s
        assert set(server.answered.values()) == {1}
        server.answered.clear()
        stormy = os.environ | {"EYELINE_CACHE_DIR": str(folder / "stormy")}
        out = folder / "stormy.jsonl"
        line = command(server, photos, out, options)
        killed = kill_often(line, arguments.kills, whole_s, stormy)
        end = subprocess.run(line, env=stormy, capture_output=True, text=True, check=False)
        return report(folder, out, server, killed, end, status(out, stormy))


def report(
    folder: Path, out: Path, server: Server, killed: int,
    end: subprocess.CompletedProcess[str], found: dict[str, object],
) -> list[str]:  # fmt: skip
    twice = {image for image, count in server.answered.items() if count > 1}
    more = sum(server.answered.values()) - len(server.answered)
    doubts = found["in_doubt"]
    assert isinstance(doubts, list)
    images = {image_of(folder / "photos" / key) for key in doubts}
    wrong = []
    if end.returncode:
        wrong.append(f"ended with {end.returncode}: {end.stderr}")
    elif keys(out) != keys(folder / "calm.jsonl"):
        wrong.append("other rows than undisturbed")
    if not twice <= images:
        wrong.append(f"{len(twice - images)} answered twice, and not told")
    if more > int(str(found["in_doubt_requests"])):
        wrong.append(f"{more} answered again, {found['in_doubt_requests']} told")
    if more > killed * IN_FLIGHT:
        wrong.append(f"{more} answered again by {killed} kills, {IN_FLIGHT} in flight")
    told = f"{len(doubts)} rows, {found['in_doubt_requests']} requests"
    print(
        f"{killed} kills · {len(server.answered):,} pictures · answered again {more} · "
        f"told in doubt {told} · ledger damage {found['damaged_lines']}"
    )
    return wrong


def image_of(path: Path) -> str:
    from base64 import b64encode

    return b64encode(path.read_bytes()).decode()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--latency-s", type=float, default=0.2)
    parser.add_argument("--no-cache", action="store_true")
    parser.add_argument("--alike", type=int, default=1, help="so many rows show each picture")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        wrong = compare(Path(folder), arguments)
    for line in wrong:
        print(f"wrong: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
