"""
CPU a streamed chunk: AsyncClient.stream, AsyncOpenAI, and the floor.

    python -m benchmarks.streaming [--rounds 7] [--events 2000] [--streams 4]

Long streams, so that what the request itself takes does not count; first all events at once, then
each by itself, as a model writes them. A chunk is one event with one word.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks.cold_start import photo
from benchmarks.contestants import Round, compete_in_turn, entrants, ratio, setting
from benchmarks.local_server import seen_at, serve

NAMES = ("eyeline AsyncClient", "AsyncOpenAI", "AsyncOpenAI on aiohttp", "aiohttp, body ready")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--streams", type=int, default=4)
    asked = parser.parse_args()
    print(f"{setting()}; {asked.rounds} rounds of {asked.streams} streams, all at the same time")
    for paced in (False, True):
        with (
            tempfile.TemporaryDirectory() as name,
            serve(events=asked.events, paced=paced) as url,
            entrants(NAMES, url, Path(name)) as entered,
        ):
            small = Path(name) / "small.jpg"
            photo(small, 10_000, (128, 128))
            plan = Round(asked.streams, asked.streams, [str(small)], stream=True)
            compete_in_turn(entered, plan, 2 if paced else asked.rounds)
            server_cpu_s = seen_at(url)["cpu_s"]
        chunks = asked.streams * asked.events
        rounds = sum(len(entrant.taken) + 1 for entrant in entered)
        how = "each by itself, 2 ms apart" if paced else "all events at once"
        print(f"{how:30}{'µs CPU':>8}{'least':>8}{'most':>8}   it / eyeline, of the pairs")
        ours = [taken.cpu_s for taken in entered[0].taken]
        for entrant in entered:
            cpu_s = [taken.cpu_s for taken in entrant.taken]
            figures_us = [each / chunks * 1e6 for each in cpu_s]
            print(
                f"{entrant.name:30}{statistics.median(figures_us):8.1f}{min(figures_us):8.1f}"
                f"{max(figures_us):8.1f}   {ratio(cpu_s, ours):.1f}"
            )
        print(f"the server: {server_cpu_s / rounds / chunks * 1e6:.1f} µs CPU a chunk\n")


if __name__ == "__main__":
    main()
