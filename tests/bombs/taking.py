"""What each file takes, in a process of its own, the whole way from the path to content parts."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bombs.large import LARGE
from bombs.register import BOMBS, Bomb
from bombs.scraps import small


class Taken(NamedTuple):
    """
    What one file took: how it ended, seconds, and the peak of memory of this process and of any
    it started.
    """

    name: str
    ending: str
    wall_s: float
    cpu_s: float
    here_mb: float
    apart_mb: float


def run(path: str, task: str) -> Taken:
    """Take one file the whole way, in this process."""
    before_kb, spent_s, begin_s = children_kb(), cpu_s(), time.monotonic()
    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
    ending = outcome(path, task)
    wall_s, taken_s = time.monotonic() - begin_s, cpu_s() - spent_s
    here_kb = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    # Of all children together the system tells the peak; what is below an earlier one is not told.
    apart_kb = children_kb() if children_kb() > before_kb else 0
    return Taken(Path(path).name, ending, wall_s, taken_s, here_kb / 1024, apart_kb / 1024)


def outcome(path: str, task: str) -> str:
    import eyeline

    try:
        if task == "estimate":
            return f"{eyeline.estimate(path, model='gpt-4o').tokens:,} tokens"
        parts = eyeline.content_parts("?", path, model="gpt-4o")
        return f"{len(parts) - 1} images"
    except eyeline.EyelineError as error:
        return f"{type(error).__name__}: {error} [{error.exit_code}]".replace(path, "it")
    except BaseException as error:  # what this is for: no other may come out
        return f"!! {type(error).__name__}: {error}"


def cpu_s() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


def children_kb() -> int:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


def serve() -> None:
    """Be the process that takes them: a task and a path a line in, a line of JSON out."""
    import eyeline

    # So that imports are counted for none.
    eyeline.content_parts("?", small()[".png"], model="gpt-4o")
    for line in sys.stdin:
        task, _, path = line.rstrip("\n").partition(" ")
        print(json.dumps(run(path, task)), flush=True)


def take(paths: Sequence[str], task: str = "parts") -> list[Taken]:
    """Take files in one new process; what it did not live to tell is told as a crash."""
    lines = "".join(f"{task} {path}\n" for path in paths).encode()
    command = [sys.executable, "-m", "bombs", "--serve"]
    # Pillow and the model's notices say what nobody asked for.
    done = subprocess.run(
        command,
        input=lines,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=300,
        cwd=Path(__file__).parents[1],
    )
    taken = [Taken(*json.loads(line)) for line in done.stdout.splitlines()]
    lost = paths[len(taken) :]
    crash = f"!! the process ended with {done.returncode}"
    return [*taken, *(Taken(path, crash, 0, 0, 0, 0) for path in lost)]


def written(folder: Path, name: str, bomb: Bomb) -> str:
    """Write one file; give its path, with the frame that is asked for."""
    suffix, mark, number = bomb.ending.partition("#")
    path = folder / f"{name}{suffix}"
    path.write_bytes(bomb.make())
    return f"{path}{mark}{number}"


def main(chosen: Sequence[str]) -> None:
    """Print what each file takes, and what its estimate does."""
    titles = ("", "bytes", "wall s", "CPU s", "MB", "apart", "estimate s", "MB")
    print("{:24}{:>12}{:>8}{:>7}{:>6}{:>7}{:>12}{:>5}".format(*titles))
    for name, each in {**BOMBS, **LARGE}.items():
        if not chosen or any(word in name for word in chosen):
            with tempfile.TemporaryDirectory() as folder:
                print(line(name, written(Path(folder), name, each)), flush=True)


def line(name: str, path: str) -> str:
    """Give what one file takes, each task in a process of its own."""
    size_bytes = Path(path.partition("#")[0]).stat().st_size
    (parts,), (estimate,) = take([path]), take([path], "estimate")
    figures = f"{parts.wall_s:8.2f}{parts.cpu_s:7.2f}{parts.here_mb:6.0f}{parts.apart_mb:7.0f}"
    estimated = f"{estimate.wall_s:12.2f}{estimate.here_mb:5.0f}"
    return f"{name:24}{size_bytes:12,}{figures}{estimated}  {parts.ending}"
