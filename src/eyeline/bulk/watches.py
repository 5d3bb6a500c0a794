"""Who watches a run: plain lines or JSON on a stream, a panel on a terminal, a notebook."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import TextIO

from eyeline.bulk.watch import Snapshot, Watch


class Quiet:
    """Shows nothing."""

    every_s = 3600.0

    def show(self, snapshot: Snapshot) -> None:
        pass

    def end(self) -> None:
        pass


class Lines:
    """A plain line every ten seconds."""

    every_s = 10.0

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.shown_s = stream, 0.0

    def show(self, snapshot: Snapshot) -> None:
        if snapshot.elapsed_s - self.shown_s >= self.every_s / 2:
            self.shown_s = snapshot.elapsed_s
            print(" · ".join(figures(snapshot)), file=self.stream, flush=True)

    def end(self) -> None:
        pass


class Events:
    """A JSON object a line, every second."""

    every_s = 1.0

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def show(self, snapshot: Snapshot) -> None:
        self.tell("progress", asdict(snapshot))

    def tell(self, event: str, facts: Mapping[str, object]) -> None:
        line = json.dumps({"event": event, **facts}, default=plain, ensure_ascii=False)
        print(line, file=self.stream, flush=True)

    def end(self) -> None:
        pass


def usual_watch(out: str) -> Watch:
    """Give the watch of a call from Python: in a notebook, on a terminal, or none."""
    if "ipykernel" in sys.modules:
        from eyeline.bulk.notebook import Cell

        return Cell(out)
    return terminal_watch(out) if sys.stderr.isatty() else Quiet()


def terminal_watch(out: str) -> Watch:
    """Give the panel, or lines where rich is not installed."""
    try:
        from eyeline.bulk.panel import Panel
    except ImportError:
        return Lines(sys.stderr)
    return Panel(out)


def plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)


# --- what is said --------------------------------------------------------------------------------


def figures(snapshot: Snapshot) -> list[str]:
    """Say how far a run is, what it takes, and what holds it up."""
    return [rows(snapshot), *counts(snapshot), *pace(snapshot), *money(snapshot), doing(snapshot)]


def rows(snapshot: Snapshot) -> str:
    total = "" if snapshot.rows_total is None else f" of {snapshot.rows_total:,}"
    return f"{snapshot.done + snapshot.failed:,}{total}"


def counts(snapshot: Snapshot) -> list[str]:
    found = {"done": snapshot.done, "failed": snapshot.failed, "cached": snapshot.cached}
    return [f"{name} {count:,}" for name, count in found.items() if count or name == "done"]


def pace(snapshot: Snapshot) -> list[str]:
    said = [f"{snapshot.rows_per_s:.1f} rows/s"]
    if snapshot.left_s is not None and snapshot.left_s >= 1:
        said.append(f"{duration(snapshot.left_s)} left")
    return said


def money(snapshot: Snapshot) -> list[str]:
    said = [f"${usd(snapshot.spent_usd)}"]
    if snapshot.projected_usd is not None and snapshot.projected_usd > snapshot.spent_usd:
        said.append(f"about ${usd(snapshot.projected_usd)} in all")
    if snapshot.budget_usd is not None:
        said[-1] += f" (limit ${usd(snapshot.budget_usd)})"
    return said


def doing(snapshot: Snapshot) -> str:
    """Say what rows wait for most right now."""
    if snapshot.is_stopping:
        return f"stopping, {snapshot.in_flight:,} still on their way"
    if snapshot.trouble:
        return f"waiting: {snapshot.trouble}"
    return f"{snapshot.bottleneck}, {snapshot.in_flight:,} of {snapshot.in_flight_max:,} in flight"


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
