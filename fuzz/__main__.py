"""
Coverage-guided fuzzing with atheris: `python -m fuzz [TARGET …] [--seconds 60]`.

Starts from the kept corpus and never writes to it. What a target crashed on, and what the fuzzer
said, is left in `build/fuzz`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
BUILD = Path(__file__).parent.parent / "build" / "fuzz"
INPUT_BYTES_MAX = 8192
INPUT_SECONDS_MAX = 5
MEMORY_MB_MAX = 2048


def main() -> int:
    """Fuzz one target after the other; 1 where one crashed."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}; all by default")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    given = parser.parse_args()
    crashed = [name for name in given.targets or TARGETS if not holds(name, given.seconds)]
    return bool(crashed)


def holds(name: str, seconds: int) -> bool:
    """Fuzz one target in a process of its own, since libFuzzer ends the one it runs in."""
    grown = BUILD / name
    grown.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}",
        f"-timeout={INPUT_SECONDS_MAX}", f"-rss_limit_mb={MEMORY_MB_MAX}",
        f"-artifact_prefix={BUILD}/{name}-", "-print_final_stats=1", "-verbosity=0",
        str(grown), str(CORPUS / name),
    ]  # fmt: skip
    command = [sys.executable, "-m", "fuzz.one", name, *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    (BUILD / f"{name}.log").write_text(done.stdout)
    print(f"fuzz {name}: {'crashed' if done.returncode else 'holds'}, {inputs(done.stdout)} inputs")
    if done.returncode:
        print(done.stdout)
    return not done.returncode


def inputs(log: str) -> str:
    """Give how many inputs were tried, as libFuzzer says at its end."""
    return log.partition("number_of_executed_units:")[2].partition("\n")[0].strip() or "no"


if __name__ == "__main__":
    sys.exit(main())
