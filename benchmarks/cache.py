"""
Hits a second on one core, what a first look and a miss cost, and how both grow with the cache.

    python -m benchmarks.cache [--litellm PYTHON] [--records 100000] [--rounds 7]

The transport answers at once and in this process, so all that is counted is our own. Times are CPU
seconds of this process. `--litellm` names the Python of an environment with litellm and diskcache,
which is asked the same in a process of its own: a file read, put as base64 into a message, and
answered from its disk cache (its 1.109.1 needs the extra `proxy` for that).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from eyeline import Client
from eyeline.adapters.sqlite import AnswerCache
from eyeline.core.wire import Request, Response
from eyeline.testing import FakeStream, chat_object

MODEL, PROMPT = "gpt-6-luna", "What does the sign say?"
# As long as an average answer's record.
RECORD = {"text": "a" * 300, "model": MODEL, "usage": {"input_tokens": 900}, "sent": [None]}
# What is written so lately is not remembered; see docs/cache.md.
SETTLE_S = 2.2

LITELLM = """
import base64, json, sys, time
import litellm
from litellm.caching.caching import Cache

paths, rounds, folder = json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
litellm.cache = Cache(type="disk", disk_cache_dir=folder)
litellm.suppress_debug_info = True

def ask(path):
    url = "data:image/jpeg;base64," + base64.b64encode(open(path, "rb").read()).decode()
    image = {"type": "image_url", "image_url": {"url": url, "detail": "high"}}
    content = [{"type": "text", "text": "What does the sign say?"}, image]
    return litellm.completion(
        model="gpt-4o", messages=[{"role": "user", "content": content}], mock_response="A sign.",
        caching=True,
    )

for _ in range(2):
    for path in paths:
        ask(path)
found = []
for _ in range(rounds):
    start_s = time.process_time()
    for path in paths:
        assert ask(path).choices[0].message.content == "A sign."
    found.append((time.process_time() - start_s) / len(paths))
print(json.dumps(found))
"""


class AtOnce:
    """Answers every request in no time."""

    def send(self, request: Request) -> Response:
        billed = 10**6  # more than any image takes, so that none counts as unseen
        return Response(200, {}, json.dumps(chat_object(MODEL, "A sign.", billed)).encode())

    def open(self, request: Request) -> FakeStream:
        return FakeStream(self.send(request))

    def close(self) -> None:
        pass


def photo(seed: int, size: tuple[int, int] = (1024, 768)) -> Image.Image:
    """Give a photo-like picture, some 200 KB as a JPEG."""
    noise = np.random.default_rng(seed).integers(0, 255, (size[1] // 6, size[0] // 6, 3), np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def saved(image: Image.Image, path: Path) -> str:
    buffer = BytesIO()
    image.save(buffer, path.suffix[1:].replace("jpg", "jpeg"), quality=90)
    path.write_bytes(buffer.getvalue())
    return str(path)


def cpu_s(act: Callable[[str], object], paths: Sequence[str]) -> float:
    """Give the CPU seconds of one call, over all paths."""
    start_s = time.process_time()
    for path in paths:
        act(path)
    return (time.process_time() - start_s) / len(paths)


def told(name: str, seconds: Sequence[float], *, rate: bool = False) -> None:
    middle_s = statistics.median(seconds)
    figure = f"{1 / middle_s:>9,.0f} a second" if rate else f"{middle_s * 1e6:>9,.0f} µs"
    spread = f"{min(seconds) * 1e6:,.0f} to {max(seconds) * 1e6:,.0f} µs"
    print(f"{name:<58}{figure}   ({spread})")


def fill(path: Path, records: int) -> None:
    """Put so many other answers into the cache."""
    cache = AnswerCache(path)
    have = cache.stats().entries
    for number in range(have, records):
        cache.put(f"{number * 2_654_435_761 % 2**64:064x}", RECORD)
    cache.close()


def client(*, cache: bool = True) -> Client:
    return Client(model=MODEL, transport=AtOnce(), cache=cache)


def hits(paths: Sequence[str], rounds: int) -> list[float]:
    with client() as asked:
        for path in paths:
            assert asked.ask(PROMPT, path).cached
        return [cpu_s(lambda path: asked.ask(PROMPT, path), paths) for _ in range(rounds)]


def looks(folder: Path, suffix: str, count: int) -> None:
    """Tell what a miss costs beside one with the cache off, and the first look of a new process."""
    paths = [saved(photo(seed), folder / f"{suffix}{seed}.{suffix}") for seed in range(count)]
    time.sleep(SETTLE_S)
    with client(cache=False) as without, client() as kept:
        for path in paths[:2]:  # imports what is needed
            without.ask("First?", path)
            kept.ask("First?", path)
        plain = [cpu_s(lambda path: without.ask(PROMPT, path), [path]) for path in paths]
        missed = [cpu_s(lambda path: kept.ask(PROMPT, path), [path]) for path in paths]
    told(f"a miss, {suffix}, cache off", plain)
    told(f"a miss, {suffix}, cache on", missed)
    with client() as anew:
        told(f"first hit of a new client, {suffix}", [
            cpu_s(lambda path: anew.ask(PROMPT, path), [path]) for path in paths
        ])  # fmt: skip


def rival(python: str, paths: Sequence[str], rounds: int, folder: Path) -> list[float]:
    command = [python, "-c", LITELLM, json.dumps(list(paths)), str(rounds), str(folder)]
    offline = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=offline)
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--litellm", metavar="PYTHON")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; median of {asked.rounds}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["EYELINE_CACHE_DIR"] = str(folder / "cache")
        os.environ.pop("EYELINE_CONFIG", None)
        paths = [saved(photo(seed), folder / f"{seed}.jpg") for seed in range(50)]
        with client() as first:
            for path in paths:
                first.ask(PROMPT, path)
        told("first look at a fresh 200 KB JPEG, answered before", [
            cpu_s(lambda path: client().ask(PROMPT, path), [path]) for path in paths[:5]
        ])  # fmt: skip
        time.sleep(SETTLE_S)
        hits(paths, 1)
        ours = hits(paths * 20, asked.rounds)
        told("hits, 50 files of 200 KB, Client.ask, second look on", ours, rate=True)
        if asked.litellm:
            theirs = rival(asked.litellm, paths, asked.rounds, folder / "litellm")
            told("hits, litellm's disk cache, the same files", theirs, rate=True)
            print(f"{'':<58}{statistics.median(theirs) / statistics.median(ours):>9.1f} times")
        looks(folder, "jpg", 20)
        looks(folder, "png", 20)
        fill(folder / "cache" / "answers.sqlite3", asked.records)
        told(f"hits, with {asked.records:,} records", hits(paths * 20, asked.rounds), rate=True)
        size_mb = AnswerCache(folder / "cache" / "answers.sqlite3").stats().size_bytes / 10**6
        print(f"{'on disk':<58}{size_mb:>9,.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
