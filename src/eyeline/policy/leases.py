"""
One limit for many processes: a lessor holds pace and budget and lends permits, tenants use them.

Neither knows how messages travel: a tenant's `Report` says what it wants and what became of what it
had, the lessor's `Grant` what it gets; a message may be lost and said again. A tenant is one try at
one lot of work. A newer try has a higher epoch, and who is not the newest gets nothing: a process
that was thought dead and wakes up sends nothing more. The clock's reading is an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Protocol

from eyeline.core.cost import FREE
from eyeline.core.ratelimits import Allowances
from eyeline.errors import BudgetExceeded, EyelineError
from eyeline.policy.budget import Budget
from eyeline.policy.limits import IN_DOUBT, UNSENT, Ended, Hold, Limits
from eyeline.policy.pace import Pace, Turn

# An unused permit is void so soon: the process that has it may have been asleep.
PERMIT_S = 2.0
# A tenant that says nothing for so long is gone; what it had sent may have been billed.
SILENT_S = 30.0
# A tenant looks again for its permits so often, at least and at most.
LOOK_S_MIN, LOOK_S_MAX = 0.005, 0.25
# So much of a budget is written down ahead of its use.
CHUNKS = 100


class LeaseLost(EyelineError):
    """A newer try does this work; this one may send nothing more."""

    hint = "nothing is to be done: what this try had answered is kept"

    def __init__(self, lot: str, epoch: int) -> None:
        super().__init__(lot, epoch)
        self.lot, self.epoch = lot, epoch

    def __str__(self) -> str:
        return f"{self.lot}: try {self.epoch} was overtaken by a newer one"


class Lender(Protocol):
    """What grants turns: the limits themselves, or a tenant that has them from elsewhere."""

    def reserve(
        self, hold: Hold, turn: Turn | None, now_s: float, *, patient: bool = False
    ) -> Turn: ...
    def heed(self, model: str, allowances: Allowances, now_s: float) -> None: ...
    def settle(self, hold: Hold, turn: Turn, ended: Ended, now_s: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Report:
    """
    What one tenant has to say: which permits ended and how, what servers named, what it wants.

    Permits have numbers, given by the tenant.
    """

    ended: tuple[tuple[int, Ended], ...] = ()
    heard: tuple[tuple[str, Allowances], ...] = ()
    wanted: tuple[tuple[int, Hold], ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """
    What a tenant gets: permits, and errors in place of permits; `wait_s` until there may be more,
    None where it wants nothing more. `mark_usd` is to be written down before the permits are used.
    """

    given: tuple[int, ...] = ()
    refused: tuple[tuple[int, EyelineError], ...] = ()
    wait_s: float | None = None
    mark_usd: Decimal | None = None

    def and_then(self, later: Grant) -> Grant:
        """Give this grant with a later one of the same tenant."""
        marks = [mark for mark in (self.mark_usd, later.mark_usd) if mark is not None]
        return Grant(
            (*self.given, *later.given),
            (*self.refused, *later.refused),
            later.wait_s,
            max(marks, default=None),
        )


@dataclass(slots=True)
class Tenancy:
    """The newest try at one lot: what it waits for, what it has, and when it last spoke."""

    epoch: int
    lender: Lender
    heard_s: float
    waiting: dict[int, tuple[Hold, Turn | None]] = field(default_factory=dict)
    lent: dict[int, tuple[Hold, Turn]] = field(default_factory=dict)


class Lessor:
    """
    Lends permits of any number of runs under one key: they share its pace, each has its own budget.
    """

    def __init__(self, pace: Callable[[], Pace] = Pace) -> None:
        self.shared = Limits(pace)
        self.runs: dict[str, Lender] = {}
        self.marks: dict[str, HighWater] = {}
        self.tenancies: dict[str, Tenancy] = {}

    def open(self, run: str, budget: Budget | None = None) -> None:
        """Take a run with its budget; one that is known stays as it is."""
        if run not in self.runs:
            limits = Limits(self.shared.new_pace, budget)
            limits.paces = self.shared.paces
            self.runs[run] = limits
            if budget is not None:
                self.marks[run] = HighWater(budget)

    def report(self, run: str, lot: str, epoch: int, said: Report, now_s: float) -> Grant:
        """Take what a tenant says, and give what is due to it. Raises LeaseLost."""
        tenancy = self.tenancy(run, lot, epoch, now_s)
        for number, ended in said.ended:
            self.end(tenancy, number, ended, now_s)
        for model, allowances in said.heard:
            tenancy.lender.heed(model, allowances, now_s)
        wanted = dict(said.wanted)
        # Lent before, in a grant that did not arrive.
        again = tuple(number for number in wanted if number in tenancy.lent)
        for number in wanted.keys() - tenancy.lent.keys() - tenancy.waiting.keys():
            tenancy.waiting[number] = wanted[number], None
        return Grant(again).and_then(self.due(run, tenancy, now_s))

    def look(self, run: str, lot: str, epoch: int, now_s: float) -> Grant:
        """Give what has become due to a tenant that said all it had to say. Raises LeaseLost."""
        return self.due(run, self.tenancy(run, lot, epoch, now_s), now_s)

    def due(self, run: str, tenancy: Tenancy, now_s: float) -> Grant:
        """Lend what has become due, in the order in which it was wanted."""
        given, refused, waits_s = [], [], []
        for number, (hold, before) in sorted(tenancy.waiting.items()):
            try:
                turn = tenancy.lender.reserve(hold, before, now_s, patient=True)
            except EyelineError as error:
                if before is None and self.may_fit_later(run, hold, error):
                    waits_s.append(LOOK_S_MAX)
                    continue
                del tenancy.waiting[number]
                refused.append((number, error))
                continue
            if turn.wait_s:
                tenancy.waiting[number] = hold, turn
                waits_s.append(turn.wait_s)
                continue
            del tenancy.waiting[number]
            tenancy.lent[number] = hold, turn
            given.append(number)
        mark = self.marks[run].raised() if run in self.marks else None
        return Grant(tuple(given), tuple(refused), min(waits_s, default=None), mark)

    def may_fit_later(self, run: str, hold: Hold, error: EyelineError) -> bool:
        """Say whether a budget refuses only because of what others hold, which may settle."""
        if not isinstance(error, BudgetExceeded) or run not in self.marks:
            return False
        budget = self.marks[run].budget
        return budget.held_usd > 0 and budget.spent_usd + (hold.usd_max or FREE) <= budget.limit_usd

    def tenancy(self, run: str, lot: str, epoch: int, now_s: float) -> Tenancy:
        """Give the newest try at a lot; what an older one had is settled as if it was sent."""
        known = self.tenancies.get(lot)
        if known is not None and epoch < known.epoch:
            raise LeaseLost(lot, epoch)
        if known is None or epoch > known.epoch:
            self.leave(lot, now_s)
            known = self.tenancies[lot] = Tenancy(epoch, self.runs[run], now_s)
        known.heard_s = now_s
        return known

    def end(self, tenancy: Tenancy, number: int, ended: Ended, now_s: float) -> None:
        held = tenancy.lent.pop(number, None) or tenancy.waiting.pop(number, None)
        # One that is not known was settled when its tenant was silent, or before a loss of memory.
        if held is not None and held[1] is not None:
            tenancy.lender.settle(held[0], held[1], ended, now_s)

    def leave(self, lot: str, now_s: float) -> None:
        """Settle what a lot still has: what was lent may have been sent, and billed."""
        tenancy = self.tenancies.pop(lot, None)
        if tenancy is not None:
            for hold, turn in tenancy.waiting.values():
                if turn is not None:
                    tenancy.lender.settle(hold, turn, UNSENT, now_s)
            for hold, turn in tenancy.lent.values():
                tenancy.lender.settle(hold, turn, IN_DOUBT, now_s)

    def expire(self, now_s: float) -> None:
        """Settle what silent tenants had; their epoch stays, so that no older one comes back."""
        for lot, tenancy in [*self.tenancies.items()]:
            if now_s - tenancy.heard_s > SILENT_S and (tenancy.waiting or tenancy.lent):
                self.leave(lot, now_s)
                self.tenancies[lot] = Tenancy(tenancy.epoch, tenancy.lender, tenancy.heard_s)


class HighWater:
    """
    How much of a budget may have been used, written down ahead of its use.

    Who loses its memory goes on from the mark: it may spend a hundredth of the budget less, never
    more.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.chunk_usd = budget.limit_usd / CHUNKS
        self.mark_usd = budget.spent_usd

    def raised(self) -> Decimal | None:
        """Give the new mark, where what is spent and held has passed the last one."""
        used_usd = self.budget.spent_usd + self.budget.held_usd
        if used_usd <= self.mark_usd:
            return None
        self.mark_usd = min(used_usd + self.chunk_usd, self.budget.limit_usd)
        return self.mark_usd


class Tenant:
    """
    Stands where the limits stand, in a process that has its permits from a lessor.

    Belongs to one thread. `reserve` never waits: it gives a turn with a wait until the permit is
    there. `report` is what to say next, `take` what comes back, `unsaid` for what was lost.
    """

    def __init__(self) -> None:
        self.last = 0
        self.wanted: dict[int, Hold] = {}
        self.granted: dict[int, float] = {}
        self.refused: dict[int, EyelineError] = {}
        self.ended: list[tuple[int, Ended]] = []
        self.heard: dict[str, Allowances] = {}
        self.lost: EyelineError | None = None
        self.each_s = LOOK_S_MIN
        self.taken_s: float | None = None

    def reserve(
        self, hold: Hold, turn: Turn | None, now_s: float, *, patient: bool = False
    ) -> Turn:
        """Want a permit, or look whether it came. Raises LeaseLost, and what the lessor refuses."""
        if self.lost is not None:
            raise self.lost
        if turn is None:
            return self.want(hold, now_s)
        number = int(turn.request or 0)
        if number in self.refused:
            raise self.refused.pop(number)
        if number in self.wanted:
            return replace(turn, wait_s=self.wait_s(number), at_s=now_s)
        granted_s = self.granted.get(number)
        if granted_s is None:
            return self.want(hold, now_s)
        if now_s - granted_s > PERMIT_S:
            self.end(number, UNSENT)
            return self.want(hold, now_s)
        return replace(turn, wait_s=0.0, at_s=now_s)

    def want(self, hold: Hold, now_s: float) -> Turn:
        self.last += 1
        self.wanted[self.last] = hold
        return Turn(self.wait_s(self.last), now_s, request=self.last)

    def wait_s(self, number: int) -> float:
        """Say when to look again: by how many are before this one, and how fast permits come."""
        before = sum(1 for each in self.wanted if each < number) if self.each_s > LOOK_S_MIN else 0
        return min(max(LOOK_S_MIN, before * self.each_s), LOOK_S_MAX)

    def heed(self, model: str, allowances: Allowances, now_s: float) -> None:
        self.heard[model] = allowances

    def settle(self, hold: Hold, turn: Turn, ended: Ended, now_s: float) -> None:
        self.end(int(turn.request or 0), ended)

    def end(self, number: int, ended: Ended) -> None:
        self.wanted.pop(number, None)
        self.granted.pop(number, None)
        # What was refused is not with the lessor.
        if self.refused.pop(number, None) is None:
            self.ended.append((number, ended))

    @property
    def is_silent(self) -> bool:
        """Say whether there is nothing to report, and nothing to hear."""
        return not (self.wanted or self.ended or self.heard)

    def report(self) -> Report:
        """Say what there is to say; wishes are said again until they are granted."""
        said = Report(tuple(self.ended), tuple(self.heard.items()), tuple(self.wanted.items()))
        self.ended, self.heard = [], {}
        return said

    def unsaid(self, said: Report) -> None:
        """Take back a report that may not have arrived, to say it again."""
        self.ended = [*said.ended, *self.ended]
        self.heard = {**dict(said.heard), **self.heard}

    def take(self, grant: Grant, now_s: float) -> None:
        """Take what came back."""
        for number in grant.given:
            # One that was given up meanwhile is reported as ended already.
            if self.wanted.pop(number, None) is not None:
                self.granted[number] = now_s
        for number, error in grant.refused:
            if self.wanted.pop(number, None) is not None:
                self.refused[number] = error
        self.learn(len(grant.given), now_s)

    def learn(self, given: int, now_s: float) -> None:
        """Learn how long one permit takes to come, while there are wishes left."""
        if given and self.taken_s is not None and self.wanted:
            self.each_s = (self.each_s + (now_s - self.taken_s) / given) / 2
        elif not self.wanted:
            self.each_s = LOOK_S_MIN
        if given:
            self.taken_s = now_s


def budget_from(limit_usd: Decimal | None, spent_usd: Decimal = FREE) -> Budget | None:
    """Make the budget of a run that has spent so much before; None without a limit."""
    if limit_usd is None:
        return None
    budget = Budget(limit_usd)
    budget.spent_usd = spent_usd
    return budget
