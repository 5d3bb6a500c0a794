"""
The most memory held with 256 images of 2 MB in flight, at a server that takes its time.

    python -m benchmarks.memory [--in-flight 256] [--mb 2] [--latency-s 5]

Each contestant reads its images from files, in a process of its own; of Linux's figures.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.cold_start import photo
from benchmarks.contestants import Round, entrants, setting
from benchmarks.local_server import serve
from benchmarks.requests import SETTLE_S

NAMES = ("eyeline AsyncClient", "AsyncOpenAI", "AsyncOpenAI on aiohttp", "aiohttp, body ready")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--mb", type=float, default=2)
    parser.add_argument("--latency-s", type=float, default=5.0)
    asked = parser.parse_args()
    print(f"{setting()}; {asked.in_flight} in flight of {asked.mb:g} MB")
    with serve(asked.latency_s) as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = [str(folder / f"{number}.jpg") for number in range(asked.in_flight)]
        photo(Path(photos[0]), int(asked.mb * 10**6), (1600, 1200))
        data = Path(photos[0]).read_bytes()
        for path in photos[1:]:
            Path(path).write_bytes(data)
        small = folder / "small.jpg"
        photo(small, 10_000, (128, 128))
        time.sleep(SETTLE_S)
        print(f"{'':30}{'peak MB':>8}{'idle':>8}{'/ eyeline':>10}")
        with entrants(NAMES, url, folder) as entered:
            for entrant in entered:
                entrant.run(Round(1, 1, [str(small)], as_path=True))  # imports what it needs
                taken = entrant.run(Round(asked.in_flight, asked.in_flight, photos, as_path=True))
                entrant.taken.append(taken)
                times = taken.peak_mb / entered[0].taken[0].peak_mb
                print(f"{entrant.name:30}{taken.peak_mb:8.0f}{taken.idle_mb:8.0f}{times:10.2f}")


if __name__ == "__main__":
    main()
