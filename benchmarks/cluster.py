"""
A run on a Ray cluster of two nodes on this machine, beside the same run without one: CPU a row, how
much of a server's limit is reached and refused, and the driver's memory as rows grow.

    python -m benchmarks.cluster [--rows N] [--grown N] [--per-s R] [--only overhead|rate|memory]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from benchmarks import limited_server, local_server
from eyeline.testing import tiny_png

SHARD_ROWS = 250
STORE_BYTES = 80 * 2**20
PICTURE = tiny_png(8, 8)


@contextmanager
def cluster(home: Path) -> Iterator[str]:
    """Start a head without processors and two nodes with one each; give its address."""
    from ray.cluster_utils import Cluster

    os.environ |= {
        "EYELINE_CACHE_DIR": str(home / "cache"), "RAY_usage_stats_enabled": "0",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }  # fmt: skip
    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": STORE_BYTES}
    made: Any = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        made.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
    made.wait_for_nodes()
    try:
        yield made.address
    finally:
        made.shutdown()


def make_table(folder: Path, rows: int) -> str:
    """Write rows in files of one shard each; every row is a question of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for at in range(0, rows, SHARD_ROWS):
        names = [f"{folder.name} {number}" for number in range(at, min(rows, at + SHARD_ROWS))]
        table = pa.table({"name": names, "image": [PICTURE] * len(names)})
        parquet.write_table(table, folder / f"{at:07d}.parquet")
    return f"{folder}/*.parquet"


def drive(source: str, out: Path, url: str, on: str | None) -> dict[str, float]:
    """Do one run in a process of its own, and give its seconds, CPU seconds and peak memory."""
    command = [sys.executable, "-m", "benchmarks.cluster", "--drive", source, str(out), url]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun_s = time.monotonic()
    done = subprocess.run([*command, on or ""], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "wall_s": time.monotonic() - begun_s,
        "cpu_s": cpu_s,
        "peak_mb": float(done.stdout.split()[-1]),
    }


def driven(source: str, out: str, url: str, on: str) -> None:
    """Be the driver: run, and print the peak of this process's memory in megabytes."""
    import eyeline

    done = eyeline.run(
        "{name}", source, out, image=["image"], on=on or None, engine=url, sight_check=False,
        max_output_tokens=20, cache=False,
    )  # fmt: skip
    assert not done.failed, done
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def cpu_of_workers() -> float:
    """Give the CPU seconds that Ray's processes on this machine have used."""
    ticks, total = os.sysconf("SC_CLK_TCK"), 0
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().startswith(b"ray::"):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                total += int(fields[11]) + int(fields[12])
        except OSError:
            continue
    return total / ticks


def overhead(top: Path, on: str, rows: int) -> None:
    source = make_table(top / f"overhead-{rows}", rows)
    with local_server.serve(0.2) as url:
        here = drive(source, top / "here.jsonl", url, None)
        warm = make_table(top / "warm", 2 * SHARD_ROWS)
        drive(warm, top / "warm.jsonl", url, on)
        before_s = cpu_of_workers()
        there = drive(source, top / "there.jsonl", url, on)
        workers_s = cpu_of_workers() - before_s
    ms_here, ms_there = (1000 * cpu_s / rows for cpu_s in (here["cpu_s"], there["cpu_s"]))
    ms_workers = 1000 * workers_s / rows
    print(f"one machine   {ms_here:6.2f} ms CPU a row, {rows / here['wall_s']:6.0f} rows/s")
    more_ms = ms_there + ms_workers - ms_here
    print(
        f"cluster       {ms_there:6.2f} ms driver + {ms_workers:.2f} ms workers and limiter, "
        f"{rows / there['wall_s']:.0f} rows/s, more by {more_ms:.2f} ms a row"
    )


def rate(top: Path, on: str, per_s: float) -> None:
    rows = int(per_s * 30)
    source = make_table(top / f"rate-{per_s:g}", rows)
    for named in (["--named"], []):
        with limited_server.serve("--per-s", f"{per_s:g}", *named) as url:
            drive(source, top / f"rate{len(named)}.jsonl", url, on)
            served, refused = limited_server.seen_at(url, 60)
        how = "named" if named else "not named"
        print(f"{per_s:g}/s, {how}: {shown(served, refused, per_s)}")


def shown(served: list[int], refused: list[int], per_s: float) -> str:
    """Say what was reached from the fifth second to the last but two, and refused in all."""
    while served and not served[-1]:
        served.pop()
    middle = served[5:-2]
    reached = 100 * sum(middle) / max(1, len(middle)) / per_s
    share = 100 * sum(refused) / max(1, sum(served) + sum(refused))
    return f"{reached:.0f} % reached, {share:.1f} % refused"


def memory(top: Path, on: str, rows: int, grown: int) -> None:
    with local_server.serve(0.05) as url:
        peaks = [
            drive(make_table(top / f"memory-{count}", count), top / f"m{count}.jsonl", url, on)
            for count in (rows, grown)
        ]
    small, large = (peak["peak_mb"] for peak in peaks)
    print(f"driver: {small:.0f} MB for {rows:,} rows, {large:.0f} MB for {grown:,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--grown", type=int, default=10_000)
    parser.add_argument("--per-s", type=float, default=100)
    parser.add_argument("--only", choices=("overhead", "rate", "memory"))
    parser.add_argument("--drive", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.drive:
        driven(*asked.drive)
        return
    print(f"load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as address:
        top, on = Path(folder), f"ray:{address}"
        if asked.only in (None, "overhead"):
            overhead(top, on, asked.rows)
        if asked.only in (None, "rate"):
            rate(top, on, asked.per_s)
        if asked.only in (None, "memory"):
            memory(top, on, asked.rows, asked.grown)


if __name__ == "__main__":
    main()
