"""
CPU a request: AsyncClient with all it does, AsyncOpenAI, and the floor; images of 200 KB.

    python -m benchmarks.requests [--rounds 7] [--requests 400] [--in-flight 32] [--kb 200]

Every contestant has a process of its own, the server too; rounds are paired. Every prompt is new,
so that nothing comes from eyeline's cache. Images are given as bytes, which are hashed each time,
and as files, of which eyeline remembers what it read.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cold_start import photo
from benchmarks.contestants import (
    CONTESTANTS,
    Entrant,
    Round,
    compete_in_turn,
    entrants,
    ratio,
    setting,
)
from benchmarks.local_server import seen_at, serve

# What is written so lately is not remembered; see docs/cache.md.
SETTLE_S = 2.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--kb", type=int, default=200)
    parser.add_argument("--photos", type=int, default=32)
    asked = parser.parse_args()
    print(f"{setting()}; {asked.rounds} rounds of {asked.requests}, {asked.in_flight} in flight")
    with serve() as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = [str(folder / f"{number}.jpg") for number in range(asked.photos)]
        for path in photos:
            photo(Path(path), asked.kb * 1000)
        time.sleep(SETTLE_S)
        for as_path in (False, True):
            plan = Round(asked.requests, asked.in_flight, photos, as_path)
            with entrants(list(CONTESTANTS), url, folder / str(as_path)) as entered:
                before = seen_at(url)
                compete_in_turn(entered, plan, asked.rounds)
                after = seen_at(url)
            report("files" if as_path else "bytes", entered, asked.requests)
            took = {key: after[key] - before[key] for key in after}
            print(
                f"the server: {took['cpu_s'] / took['requests'] * 1000:.2f} ms CPU a request, "
                f"{took['bytes'] / took['requests'] / 1000:,.0f} KB each\n"
            )


def report(how: str, entered: Sequence[Entrant], requests: int) -> None:
    ours = [taken.cpu_s for taken in entered[0].taken]
    print(
        f"{'images as ' + how:30}{'CPU ms':>8}{'least':>8}{'most':>8}   it / eyeline, of the pairs"
    )
    for entrant in entered:
        cpu_s = [taken.cpu_s for taken in entrant.taken]
        figures_ms = [each / requests * 1000 for each in cpu_s]
        print(
            f"{entrant.name:30}{statistics.median(figures_ms):8.3f}{min(figures_ms):8.3f}"
            f"{max(figures_ms):8.3f}   {ratio(cpu_s, ours):.2f}"
        )


if __name__ == "__main__":
    main()
