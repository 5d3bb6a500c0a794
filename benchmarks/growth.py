"""
What a run holds and takes as it grows: peak memory, CPU a row, and the time in which a finished one
finds that there is nothing to do.

    python -m benchmarks.growth [--rows 10000 --rows 100000]

Each row of a table asks something else about one picture of 115 KB. Each size is run in a process
of its own, twice: the second one finds all done.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.contestants import PEAK, RESIDENT, Taken, memory_mb, setting
from benchmarks.local_server import MODEL, serve

PHOTO = Path(__file__).parent.parent / "examples" / "street-sign.jpg"


def run(url: str, table: Path, out: Path) -> Taken:
    import eyeline

    idle_mb, begun_s, begun_cpu_s = memory_mb(RESIDENT), time.perf_counter(), time.process_time()
    result = eyeline.run("Is this {product}?", table, out, base_url=url, model=MODEL)
    assert not result.failed, result
    wall_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - begun_cpu_s
    return Taken(cpu_s, wall_s, memory_mb(PEAK), idle_mb)


def in_process(url: str, table: Path, out: Path, folder: Path) -> Taken:
    environment = os.environ | {"EYELINE_CACHE_DIR": str(folder / "cache")}
    command = [sys.executable, "-m", "benchmarks.growth", "--run", url, str(table), str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return Taken(**json.loads(done.stdout))


def measure(url: str, rows: int, folder: Path) -> None:
    table, out = folder / "rows.csv", folder / "answers.parquet"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "product"])
        writer.writerows([str(PHOTO), f"product {at}"] for at in range(rows))
    taken, again = in_process(url, table, out, folder), in_process(url, table, out, folder)
    cpu_ms = taken.cpu_s / rows * 1000
    print(
        f"{rows:9,} rows · peak {taken.peak_mb:4.0f} MB · {cpu_ms:.2f} CPU ms a row "
        f"· {rows / taken.wall_s:5.0f} rows/s · nothing to do after {again.wall_s:.2f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        url, table, out = asked.run
        print(json.dumps(asdict(run(url, Path(table), Path(out)))))
        return
    print(setting())
    with serve(0.2) as url:
        for rows in asked.rows or (10_000, 100_000):
            with tempfile.TemporaryDirectory() as folder:
                measure(url, rows, Path(folder))


if __name__ == "__main__":
    main()
