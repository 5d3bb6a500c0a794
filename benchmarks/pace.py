"""
How much of a server's limit is reached, and how many requests are refused on the way, by
`ask_many` with no number given: where the server names its limit, and where it does not.

    python -m benchmarks.pace [--only TEXT]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from benchmarks.limited_server import seen_at, serve
from eyeline import AsyncClient
from eyeline.testing import tiny_png

PICTURE = tiny_png(8, 8)


@dataclass(frozen=True)
class Case:
    """A server, for how long it is asked, and from when on the rate should be reached."""

    name: str
    per_s: float
    arguments: tuple[str, ...]
    seconds: int
    from_s: int


def named(per_s: float) -> Case:
    return Case(f"{per_s:g}/s, named", per_s, ("--named",), 10, 1)


def unnamed(per_s: float, counts: str, seconds: int, from_s: int) -> Case:
    return Case(f"{per_s:g}/s, not named, {counts}", per_s, ("--counts", counts), seconds, from_s)


def changed(before: float, after: float, *, is_named: bool, seconds: int = 40) -> Case:
    how = "named" if is_named else "not named"
    arguments = ("--then-per-s", f"{after:g}", "--after-s", "15", *["--named"] * is_named)
    from_s = 17 if is_named else seconds - 10
    return Case(f"{before:g}/s, then {after:g}/s, {how}", before, arguments, seconds, from_s)


CASES = [
    *map(named, (5, 50, 500)),
    changed(50, 200, is_named=True, seconds=25),
    changed(200, 50, is_named=True, seconds=25),
    unnamed(5, "bucket", 60, 20),
    unnamed(5, "window", 60, 20),
    unnamed(50, "bucket", 30, 10),
    unnamed(50, "window", 30, 10),
    unnamed(50, "clock", 30, 10),
    unnamed(500, "bucket", 30, 15),
    unnamed(500, "window", 30, 15),
    changed(50, 100, is_named=False),
    changed(100, 50, is_named=False),
]


async def ask(url: str, seconds: float) -> int:
    """Ask for so many seconds, and count the answers that were errors."""
    end_s = time.monotonic() + seconds

    async def pictures() -> AsyncIterator[bytes]:
        while time.monotonic() < end_s:
            yield PICTURE

    async with AsyncClient(base_url=url, cache=False) as client:
        answers = client.ask_many("?", pictures(), return_exceptions=True)
        return sum([isinstance(answer, Exception) async for answer in answers])


def measure(case: Case) -> None:
    with serve("--per-s", f"{case.per_s:g}", *case.arguments) as url:
        failed = asyncio.run(ask(url, case.seconds))
        served, refused = seen_at(url, case.seconds)
    later = "--then-per-s" in case.arguments
    per_s = float(case.arguments[1]) if later else case.per_s
    settled = served[case.from_s :]
    reached = sum(settled) / len(settled) / per_s
    refused_late = sum(refused[case.from_s :]) / (sum(settled) + sum(refused[case.from_s :]))
    refused_all = sum(refused) / (sum(served) + sum(refused))
    print(
        f"{case.name:34} reached {100 * reached:5.1f} % from second {case.from_s:2} on, "
        f"refused {100 * refused_late:4.2f} %; of all {100 * refused_all:4.2f} % "
        f"({sum(refused)} of {sum(refused) + sum(served)}), failed {failed}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases with this text in their name")
    only = parser.parse_args().only
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for case in CASES:
        if only in case.name:
            measure(case)


if __name__ == "__main__":
    main()
