"""
All benchmarks, one after another: `python -m benchmarks [NAME …] [--quick]`.

Each is run as by itself. What it prints, and the tables in that, are kept with date, load and
command in `build/benchmarks/NAME.json`; plots of the tables go to `docs/plots`, those of a quick
round, which prove that it works and no more, to `build/benchmarks`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.plots import draw
from benchmarks.tables import Table, tables

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "benchmarks"
PLOTS = ROOT / "docs" / "plots"

# Each benchmark, and how it is asked for little.
QUICK: dict[str, list[str]] = {
    "cold_start": ["--runs", "2"],
    "estimate": ["--images", "500", "--real", "20", "--runs", "1"],
    "cache": ["--records", "1000", "--rounds", "1"],
    "preparation": ["--rounds", "1"],
    "requests": ["--rounds", "1", "--requests", "40"],
    "streaming": ["--rounds", "1", "--events", "200"],
    "in_flight": ["--requests", "200", "--in-flight", "100"],
    "memory": ["--in-flight", "16"],
    "run": ["--set", "small", "--rows", "200", "--rounds", "1"],
    "growth": ["--rows", "500"],
    "pace": ["--only", "named"],
    "kills": ["--kills", "3", "--rows", "300"],
    "gateway": ["--requests", "100", "--rounds", "1"],
    "soak": ["--minutes", "0.5"],
}


@dataclass(frozen=True)
class Made:
    """One benchmark, done; `load` is the machine's before and after."""

    name: str
    command: str
    begun: str
    seconds: float
    load: tuple[float, float]
    exit_code: int
    tables: list[Table]
    text: str


def main() -> int:
    """Run those named, or all; 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(QUICK)}; all by default")
    parser.add_argument("--quick", action="store_true", help="a short round of each")
    asked = parser.parse_args()
    if unknown := set(asked.names) - QUICK.keys():
        parser.error(f"{', '.join(sorted(unknown))}: not one of {', '.join(QUICK)}")
    made = [keep(run(name, quick=asked.quick), asked.quick) for name in asked.names or QUICK]
    for each in made:
        print(f"{each.name:14}{'failed' if each.exit_code else 'done':8}{each.seconds:7.0f} s")
    return any(each.exit_code for each in made)


def run(name: str, *, quick: bool) -> Made:
    """Run one in a process of its own, its output shown as it comes."""
    arguments = ["-m", f"benchmarks.{name}", *(QUICK[name] if quick else [])]
    begun, begun_s, load = datetime.now(UTC), time.monotonic(), os.getloadavg()[0]
    print(f"--- python {' '.join(arguments)}", flush=True)
    lines = []
    with subprocess.Popen(
        [sys.executable, "-u", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    text = "".join(lines)
    return Made(
        name=name,
        command=" ".join(["python", *arguments]),
        begun=begun.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - begun_s, 1),
        load=(round(load, 1), round(os.getloadavg()[0], 1)),
        exit_code=process.returncode,
        tables=tables(text),
        text=text,
    )


def keep(made: Made, quick: bool) -> Made:
    BUILD.mkdir(parents=True, exist_ok=True)
    written = json.dumps(asdict(made), indent=1, ensure_ascii=False)
    (BUILD / f"{made.name}.json").write_text(written, "utf-8")
    if made.tables and not made.exit_code:
        folder = BUILD if quick else PLOTS
        folder.mkdir(exist_ok=True)
        said = f"{made.command} · {made.begun[:10]} · load {made.load[0]} to {made.load[1]}"
        draw(made.tables, said, folder / f"{made.name}.svg")
    return made


if __name__ == "__main__":
    sys.exit(main())
