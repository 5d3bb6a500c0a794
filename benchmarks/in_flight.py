"""
Requests a second with 500 in flight at a server that takes a second for each: 500 is ideal.

    python -m benchmarks.in_flight [--requests 5000] [--in-flight 500] [--latency-s 1] [--kb 200]

Connecting, and the end when slots run empty, are in the figures. Contestants run one after the
other, each in its process, each for as long as it needs.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.cold_start import photo
from benchmarks.contestants import Round, entrants, setting
from benchmarks.local_server import seen_at, serve

NAMES = ("eyeline AsyncClient", "AsyncOpenAI", "AsyncOpenAI on aiohttp", "aiohttp, body ready")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--in-flight", type=int, default=500)
    parser.add_argument("--latency-s", type=float, default=1.0)
    parser.add_argument("--kb", type=int, default=200)
    parser.add_argument("--only", choices=NAMES)
    asked = parser.parse_args()
    ideal = asked.in_flight / asked.latency_s
    print(f"{setting()}; {asked.requests} requests, {asked.in_flight} in flight, {ideal:g} ideal")
    names = (asked.only,) if asked.only else NAMES
    with serve(asked.latency_s) as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = [str(folder / f"{number}.jpg") for number in range(8)]
        for path in photos:
            photo(Path(path), asked.kb * 1000)
        plan = Round(asked.requests, asked.in_flight, photos)
        print(f"{'':30}{'a second':>9}{'of ideal':>9}{'CPU ms':>8}")
        with entrants(names, url, folder) as entered:
            for entrant in entered:
                taken = entrant.run(plan)
                rate = asked.requests / taken.wall_s
                cpu_ms = taken.cpu_s / asked.requests * 1000
                print(f"{entrant.name:30}{rate:9.0f}{rate / ideal:9.0%}{cpu_ms:8.2f}")
            seen = seen_at(url)
        cpu_ms = seen["cpu_s"] / seen["requests"] * 1000
        print(f"the server: {cpu_ms:.2f} ms CPU a request")


if __name__ == "__main__":
    main()
