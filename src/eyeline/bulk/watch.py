"""How far a run is at one moment, and who wants to know."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from eyeline.bulk.shard import Context

# The rate is that of the last seconds: what was before the last 429 says little.
RATE_WINDOW_S = 20.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    A run at one moment. `rows_total` is None as long as nobody knows, and else may be an estimate.
    `bottleneck` is what rows wait for most: reading, preparing, pace or server.
    """

    elapsed_s: float
    done: int
    failed: int
    cached: int
    rows_total: int | None
    rows_per_s: float
    left_s: float | None
    spent_usd: Decimal
    projected_usd: Decimal | None
    budget_usd: Decimal | None
    in_flight: int
    in_flight_max: int
    bottleneck: str
    trouble: str
    is_stopping: bool


class Watch(Protocol):
    """Shows snapshots, each after `every_s` seconds, until the end."""

    every_s: float

    def show(self, snapshot: Snapshot) -> None: ...
    def end(self) -> None: ...


class Watcher:
    """Takes snapshots of a run."""

    def __init__(self, context: Context, now: Callable[[], float]) -> None:
        self.context, self.now = context, now
        budget = context.asker.outside.limits.budget
        self.budget_usd = None if budget is None else budget.limit_usd
        self.begun_s = now()
        self.marks: deque[tuple[float, int]] = deque()

    def snapshot(self) -> Snapshot:
        tally, gate, crew = self.context.tally, self.context.gate, self.context.crew
        now_s, rate = self.now(), self.rate()
        total = tally.rows_total
        left = None if total is None else max(0, total - tally.rows)
        ended = tally.now_done + tally.now_failed
        each_usd = tally.now_spent_usd / ended if ended else None
        return Snapshot(
            elapsed_s=now_s - self.begun_s,
            done=tally.done,
            failed=tally.failed,
            cached=tally.cached,
            rows_total=total,
            rows_per_s=rate,
            left_s=None if left is None or not rate else left / rate,
            spent_usd=tally.spent_usd,
            projected_usd=None if left is None or each_usd is None
            else tally.spent_usd + left * each_usd,
            budget_usd=self.budget_usd,
            in_flight=crew.sending,
            in_flight_max=gate.rows_max,
            bottleneck=self.bottleneck(),
            trouble=crew.trouble,
            is_stopping=gate.stopped_by is not None,
        )  # fmt: skip

    def rate(self) -> float:
        """Give the rows a second of the last while."""
        tally, now_s = self.context.tally, self.now()
        self.marks.append((now_s, tally.now_done + tally.now_failed))
        while now_s - self.marks[0][0] > RATE_WINDOW_S and len(self.marks) > 2:
            self.marks.popleft()
        (first_s, first), (last_s, last) = self.marks[0], self.marks[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0

    def bottleneck(self) -> str:
        crew, gate = self.context.crew, self.context.gate
        if gate.open < gate.rows_max // 2 and not gate.is_full(0):
            return "reading"
        counts = {"preparing": gate.preparing, "pace": crew.waiting, "server": crew.sending}
        return max(counts, key=lambda name: counts[name])
