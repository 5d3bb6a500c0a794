"""Who watches a run: plain lines, or JSON, on a stream."""

from __future__ import annotations

import json
from dataclasses import asdict
from decimal import Decimal
from typing import TextIO

from eyeline.bulk.watch import Snapshot


class Lines:
    """A plain line every ten seconds."""

    every_s = 10.0

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.last = stream, ""

    def show(self, snapshot: Snapshot) -> None:
        line = " · ".join(figures(snapshot))
        if line != self.last and snapshot.elapsed_s >= 1:
            print(line, file=self.stream, flush=True)
        self.last = line


class Events:
    """A JSON object a line, every second."""

    every_s = 1.0

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def show(self, snapshot: Snapshot) -> None:
        self.tell("progress", {**asdict(snapshot)})

    def tell(self, event: str, facts: dict[str, object]) -> None:
        line = json.dumps({"event": event, **facts}, default=plain, ensure_ascii=False)
        print(line, file=self.stream, flush=True)


def plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)


def figures(snapshot: Snapshot) -> list[str]:
    """Say how far a run is, what it takes, and what holds it up."""
    of = "" if snapshot.rows_total is None else f" of {snapshot.rows_total:,}"
    said = [f"done {snapshot.done:,}{of}"]
    said += [f"failed {snapshot.failed:,}"] if snapshot.failed else []
    said += [f"cached {snapshot.cached:,}"] if snapshot.cached else []
    said += [f"{snapshot.rows_per_s:.1f} rows/s", f"${usd(snapshot.spent_usd)}"]
    if snapshot.projected_usd is not None and snapshot.projected_usd > snapshot.spent_usd:
        said.append(f"about ${usd(snapshot.projected_usd)} in all")
    if snapshot.left_s is not None and snapshot.left_s >= 1:
        said.append(f"{duration(snapshot.left_s)} left")
    if snapshot.is_stopping:
        said.append(f"stopping, {snapshot.in_flight} on their way")
    elif snapshot.trouble:
        said.append(f"waiting: {snapshot.trouble}")
    else:
        said.append(f"{snapshot.bottleneck}, {snapshot.in_flight} in flight")
    return said


def usd(amount: Decimal) -> str:
    """Write dollars with cents, and below one with as many places as say something."""
    if amount >= 1 or not amount:
        return f"{amount:,.2f}"
    return f"{amount:.5f}".rstrip("0").ljust(4, "0")


def duration(seconds: float) -> str:
    """Write 42 s, 6m12s, 3h05m, 2d04h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"
