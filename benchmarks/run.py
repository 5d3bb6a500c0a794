"""
Rows a second of a whole run, against a server with 200 ms latency and no limit.

    python -m benchmarks.run [--set photos|pictures|small] [--rows N] [--rounds 3] [--folder KEPT]

Three sets: photos of 12 megapixels, pictures of 1600×1200, small ones that need no change; no two
alike. Contestants, each in a process of its own, in turn: the usual script (AsyncOpenAI, a
semaphore of 64, Pillow, no ledger), a bare loop (aiohttp, our own preparation in threads, no
ledger), and `eyeline.run` with a ledger, a table of answers, and no cache from before.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.contestants import PEAK, RESIDENT, Taken, body, memory_mb, setting
from benchmarks.local_server import MODEL, seen_at, serve

SETS = {"photos": 400, "pictures": 2000, "small": 10_000}
PROMPT = "What does it say?"
IN_FLIGHT = 256
Ask = Callable[[str, list[Path]], Coroutine[Any, Any, list[Any]]]
Contestant = Callable[[str, Path, Path], int]


# --- contestants --------------------------------------------------------------------------------


async def usual_script(url: str, photos: list[Path]) -> list[Any]:
    """Do as everybody does first."""
    from openai import AsyncOpenAI
    from PIL import Image, ImageOps

    def prepared(path: Path) -> str:
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        image.thumbnail((2048, 2048), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=85)
        return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()

    slots = asyncio.Semaphore(64)
    client = AsyncOpenAI(base_url=url, api_key="unused")

    async def ask(path: Path) -> dict[str, Any]:
        async with slots:
            made = await client.chat.completions.create(**body(PROMPT, prepared(path)))
        return {"path": str(path), "text": made.choices[0].message.content}

    answers = await asyncio.gather(*map(ask, photos))
    await client.close()
    return answers


async def bare_loop(url: str, photos: list[Path]) -> list[Any]:
    """Prepare as we do, in threads, and send with aiohttp; nothing else."""
    import aiohttp
    import pybase64

    from eyeline.adapters.images import Images
    from eyeline.core.catalogue import find
    from eyeline.core.engine import openai
    from eyeline.core.media import read_info
    from eyeline.core.metadata import cut_metadata
    from eyeline.core.plan import Look, plan

    images, model, look = Images(), find(MODEL), Look(detail="high")
    media_types = openai().media_types
    head, tail = json.dumps(body(PROMPT, "\0")).encode().split(b"\\u0000")

    def prepared(path: Path) -> bytes:
        data = path.read_bytes()
        info = read_info(data, str(path))
        made = plan(info, model, look, media_types, str(path))
        bare, media_type = cut_metadata(data, info.media_type), info.media_type
        if made.encode:
            image = images.prepare(bare, made, str(path))
            bare, media_type = image.data, image.media_type
        start = b"%bdata:%b;base64," % (head, media_type.encode())
        return b"".join((start, pybase64.b64encode(bare), tail))

    loop, slots = asyncio.get_running_loop(), asyncio.Semaphore(IN_FLIGHT)
    pool = ThreadPoolExecutor(os.cpu_count())
    headers = {"Content-Type": "application/json", "Authorization": "Bearer unused"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask(path: Path) -> dict[str, Any]:
            try:
                made = await loop.run_in_executor(pool, prepared, path)
                asked = session.post(f"{url}/chat/completions", data=made, headers=headers)
                async with asked as response:
                    answer = await response.json()
            finally:
                slots.release()
            return {"path": str(path), "text": answer["choices"][0]["message"]["content"]}

        tasks = []
        for path in photos:
            await slots.acquire()
            tasks.append(asyncio.create_task(ask(path)))
        return await asyncio.gather(*tasks)


def listed(ask: Ask) -> Contestant:
    """Let a contestant ask about every picture of a folder, and write its answers."""

    def run(url: str, folder: Path, out: Path) -> int:
        answers = asyncio.run(ask(url, sorted(folder.iterdir())))
        out.write_text("".join(json.dumps(answer) + "\n" for answer in answers))
        return len(answers)

    return run


def eyeline_run(url: str, folder: Path, out: Path) -> int:
    import eyeline

    return eyeline.run(PROMPT, folder, out, base_url=url, model=MODEL).done


CONTESTANTS: dict[str, Contestant] = {
    "script": listed(usual_script), "bare": listed(bare_loop), "eyeline": eyeline_run,
}  # fmt: skip


def compete(name: str, url: str, folder: Path, out: Path) -> Taken:
    """Do one whole run in this process."""
    idle_mb, begun_s, begun_cpu_s = memory_mb(RESIDENT), time.perf_counter(), time.process_time()
    done = CONTESTANTS[name](url, folder, out)
    assert done, "no answers"
    wall_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - begun_cpu_s
    return Taken(cpu_s, wall_s, memory_mb(PEAK), idle_mb)


# --- pictures -----------------------------------------------------------------------------------


def make(kind: str, count: int, folder: Path) -> None:
    """Make pictures, each with a mark of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    if len(list(folder.iterdir())) == count:
        return
    base = {
        "photos": camera,
        "pictures": partial(noisy, 1600, 1200),
        "small": partial(noisy, 640, 512),
    }
    image = base[kind]()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(partial(write, image, folder), range(count)))


def camera() -> Any:
    from benchmarks.photos import leaves, photographed

    return photographed(leaves(1), 1, seed=1)


def noisy(width_px: int, height_px: int) -> Any:
    from PIL import Image

    return camera().resize((width_px, height_px), Image.Resampling.BICUBIC)


def write(image: Any, folder: Path, number: int) -> None:
    from PIL import ImageDraw

    marked = image.copy()
    ImageDraw.Draw(marked).text((8, 8), str(number), fill="white")
    marked.save(folder / f"{number:05d}.jpg", quality=85 if image.width > 2000 else 88)


# --- in the benchmark's process -----------------------------------------------------------------


def taken_by(name: str, url: str, folder: Path, scratch: Path, number: int) -> Taken:
    environment = os.environ | {"EYELINE_CACHE_DIR": str(scratch / f"cache-{number}")}
    environment.pop("EYELINE_CONFIG", None)
    out = scratch / f"{name}-{number}.jsonl"
    command = [sys.executable, "-m", "benchmarks.run", "--contestant", name, url, folder, out]
    done = subprocess.run(
        [str(part) for part in command], env=environment, capture_output=True, text=True, check=True
    )
    return Taken(**json.loads(done.stdout))


def compare(kind: str, asked: argparse.Namespace, scratch: Path) -> None:
    count = asked.rows or SETS[kind]
    folder = (asked.folder or scratch) / f"{kind}-{count}"
    make(kind, count, folder)
    size_kb = sum(path.stat().st_size for path in folder.iterdir()) / count / 1000
    print(f"{kind}: {count:,} of {size_kb:,.0f} KB, {asked.rounds} rounds")
    found: dict[str, list[Taken]] = {name: [] for name in asked.only or CONTESTANTS}
    with serve(0.2) as url:
        for number in range(asked.rounds):
            for name, taken in found.items():
                taken.append(taken_by(name, url, folder, scratch, number))
        seen = seen_at(url)
    for name, taken in found.items():
        rates = [count / each.wall_s for each in taken]
        cpu_ms = statistics.median(each.cpu_s for each in taken) / count * 1000
        peak_mb = max(each.peak_mb for each in taken)
        words = [f"{name:8} {statistics.median(rates):7.0f} rows/s {cpu_ms:6.2f} CPU ms a row"]
        for other in ("script", "bare"):
            if other in found and name == "eyeline":
                pairs = zip(taken, found[other], strict=True)
                ratio = statistics.median(theirs.wall_s / ours.wall_s for ours, theirs in pairs)
                words.append(f"{ratio:5.2f} × {other}")
        print(" · ".join([*words, f"peak {peak_mb:.0f} MB"]))
    print(f"server: {seen['cpu_s'] / seen['requests'] * 1000:.2f} CPU ms a request")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=SETS, action="append", dest="kinds")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the pictures here for the next time")
    parser.add_argument("--only", choices=CONTESTANTS, action="append")
    parser.add_argument("--contestant", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.contestant:
        name, url, folder, out = asked.contestant
        print(json.dumps(asdict(compete(name, url, Path(folder), Path(out)))))
        return
    print(setting())
    for kind in asked.kinds or SETS:
        with tempfile.TemporaryDirectory() as scratch:
            compare(kind, asked, Path(scratch))


if __name__ == "__main__":
    main()
