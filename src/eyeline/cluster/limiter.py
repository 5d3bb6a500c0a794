"""
One limiter for a whole cluster: a lessor that answers messages, and writes ahead what it lends.

It runs wherever its engine puts it, one for each base URL and key. It may die and come back without
memory: runs are then opened again by whoever first misses them, and a budget goes on from its mark.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from eyeline.bulk.whole import whole_file
from eyeline.cluster.errors import RunStopped, RunUnknown
from eyeline.policy.leases import Grant, Lessor, Report, budget_from
from eyeline.policy.pace import Pace

# A report waits so long for permits, and one that got some so long for more of them: each message
# costs a millisecond on both sides.
POLL_S, GATHER_S = 0.25, 0.02
EXPIRE_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Opening:
    """
    A run as the limiter is to know it: its budget in dollars, what it had spent when this driver
    began, and the file for the mark, which is written ahead of what is lent.
    """

    run: str
    limit_usd: Decimal | None
    spent_usd: Decimal
    mark: Path


class Landlord(Protocol):
    """The limiter, as a worker reaches it."""

    async def open(self, opening: Opening) -> None: ...
    async def report(self, run: str, lot: str, epoch: int, said: Report) -> Grant: ...


class Limiter:
    """Answers reports; belongs to one event loop."""

    def __init__(
        self, pace: Callable[[], Pace] = Pace, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.lessor, self.now = Lessor(pace), now
        self.marks: dict[str, Path] = {}
        self.stopped: set[str] = set()
        self.expired_s = now()

    async def open(self, opening: Opening) -> None:
        """Take a run; one that is known stays as it is, also stopped."""
        if opening.run in self.lessor.runs:
            return
        spent_usd = max(opening.spent_usd, read_mark(opening.mark))
        self.lessor.open(opening.run, budget_from(opening.limit_usd, spent_usd))
        self.marks[opening.run] = opening.mark

    async def stop(self, run: str) -> None:
        """Lend no more to a run."""
        self.stopped.add(run)

    async def close(self, run: str) -> int:
        """Forget a run that has ended; give how many are left."""
        await self.stop(run)
        self.lessor.runs.pop(run, None)
        self.lessor.marks.pop(run, None)
        return len(self.lessor.runs)

    async def report(self, run: str, lot: str, epoch: int, said: Report) -> Grant:
        """
        Take a report, and give the permits that come within a moment. Raises LeaseLost, RunUnknown
        and RunStopped.
        """
        if run not in self.lessor.runs:
            raise RunUnknown(run)
        self.expire()
        begun_s = self.now()
        grant = self.lessor.report(run, lot, epoch, said, begun_s)
        while grant.wait_s is not None:
            if run in self.stopped:
                raise RunStopped(run)
            has_some = bool(grant.given or grant.refused)
            ends_s = begun_s + (GATHER_S if has_some else POLL_S)
            wait_s = min(grant.wait_s, ends_s - self.now())
            if wait_s <= 0:
                break
            await asyncio.sleep(wait_s)
            grant = grant.and_then(self.lessor.look(run, lot, epoch, self.now()))
        if run in self.stopped:
            raise RunStopped(run)
        if grant.mark_usd is not None:
            await asyncio.to_thread(write_mark, self.marks[run], grant.mark_usd)
        return grant

    def expire(self) -> None:
        if self.now() - self.expired_s > EXPIRE_EVERY_S:
            self.expired_s = self.now()
            self.lessor.expire(self.expired_s)


def read_mark(path: Path) -> Decimal:
    """Give the mark of a run that was lent to before; 0 where there is none."""
    with suppress(FileNotFoundError):
        return Decimal(path.read_text("ascii"))
    return Decimal(0)


def write_mark(path: Path, mark_usd: Decimal) -> None:
    with whole_file(str(path)) as file:
        file.write(str(mark_usd).encode())
