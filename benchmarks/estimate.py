"""
Seconds to estimate a folder of 10,000 JPEGs, as a command and in Python.

    python -m benchmarks.estimate [--images 10000] [--real 300] [--runs 3]

The folder is made first: so many real pictures of several sizes with EXIF heads and thumbnails of
2 to 40 KB, as cameras write them, and hard links to them. The files are in the page cache.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image

import eyeline

SIZES = ((4032, 3024), (3024, 4032), (6000, 4000), (1920, 1080), (1280, 960))
THUMBNAIL_TAG, ORIENTATION_TAG = 0xC4A5, 0x0112


def encoded(size: tuple[int, int]) -> bytes:
    made = BytesIO()
    Image.new("RGB", size, (90, 120, 150)).save(made, "JPEG", quality=85)
    return made.getvalue()


def with_exif(data: bytes, thumbnail_bytes: int, orientation: int) -> bytes:
    """Put an EXIF segment with an orientation and ballast as large as a thumbnail in front."""
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    exif[THUMBNAIL_TAG] = random.randbytes(thumbnail_bytes)
    block = exif.tobytes()
    return data[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + data[2:]


def fill(folder: Path, images: int, real: int) -> None:
    plain = [encoded(size) for size in SIZES]
    for number in range(real):
        exif_bytes, orientation = random.randint(2_000, 40_000), random.choice((1, 1, 6, 8))
        data = with_exif(plain[number % len(plain)], exif_bytes, orientation)
        (folder / f"{number:05}.jpg").write_bytes(data)
    for number in range(real, images):
        os.link(folder / f"{number % real:05}.jpg", folder / f"{number:05}.jpg")


def seconds(call: Callable[[], object], runs: int) -> str:
    found = []
    for _ in range(runs):
        start_s = time.perf_counter()
        call()
        found.append(time.perf_counter() - start_s)
    return f"{min(found):.2f} s best, {max(found):.2f} s worst of {runs}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--real", type=int, default=300)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    random.seed(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, asked.images, min(asked.real, asked.images))
        command = [sys.executable, "-m", "eyeline", "estimate", name]

        def process(*more: str) -> None:
            subprocess.run([*command, *more], check=True, capture_output=True)

        print(f"{asked.images:,} JPEGs, Python {platform.python_version()}")
        ways: dict[str, Callable[[], object]] = {
            "eyeline.estimate, one model": lambda: eyeline.estimate(folder, model="gpt-6-luna"),
            "eyeline estimate, one model": lambda: process("-m", "gpt-6-luna"),
            "eyeline estimate, three models": process,
            "eyeline estimate --json, three models": lambda: process("--json"),
        }
        for way, call in ways.items():
            print(f"{way:40} {seconds(call, asked.runs)}")


if __name__ == "__main__":
    main()
