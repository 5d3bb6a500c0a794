"""The limiter of a cluster and the messengers of its tenants, with no cluster between them."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from eyeline.cluster import lease as leases
from eyeline.cluster.errors import RunStopped, RunUnknown
from eyeline.cluster.lease import Lease, Messenger, kept
from eyeline.cluster.limiter import Limiter, Opening, read_mark
from eyeline.cluster.node import NodeLimiter
from eyeline.errors import BudgetExceeded, EyelineError
from eyeline.policy.leases import Grant, LeaseLost, Report
from eyeline.policy.limits import Ended, Hold
from eyeline.policy.pace import Pace, Turn

CENT = Decimal("0.01")
HOLD = Hold("gpt-6-luna", 1000, CENT)


@dataclass
class Road:
    """The way to a limiter, which may be gone for a while, or come back without memory."""

    limiter: Limiter = field(default_factory=Limiter)
    is_up: bool = True
    reports: int = 0
    was_missed: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, opening: Opening) -> None:
        await self.limiter.open(opening)

    async def report(self, run: str, lot: str, epoch: int, said: Report) -> Grant:
        self.reports += 1
        if not self.is_up:
            self.was_missed.set()
            raise ConnectionError("the limiter is gone")
        return await self.limiter.report(run, lot, epoch, said)


@pytest.fixture
def opening(tmp_path: Path) -> Opening:
    return Opening("run", CENT * 3, Decimal(0), tmp_path / "mark")


def messenger(road: Road, opening: Opening, epoch: int = 1, lost: list[EyelineError] | None = None):  # type: ignore[no-untyped-def]
    found: list[EyelineError] = [] if lost is None else lost
    return Messenger(Lease(), road, opening, "lot", epoch, found.append)


async def turn_of(lease: Lease) -> Turn:
    """Wait for a permit as the flow does."""
    turn = lease.reserve(HOLD, None, time.monotonic())
    while turn.wait_s:
        await asyncio.sleep(turn.wait_s)
        turn = lease.reserve(HOLD, turn, time.monotonic())
    return turn


def settle(lease: Lease, turn: Turn, usd: Decimal = CENT) -> None:
    lease.settle(HOLD, turn, Ended("answered", usd), time.monotonic())


def test_a_permit_is_fetched_and_settled(opening: Opening) -> None:
    """Who waits gets its permit; at the end of the block the limiter knows what it cost."""

    async def run() -> None:
        road = Road()
        courier = messenger(road, opening)
        async with kept(courier):
            settle(courier.lease, await turn_of(courier.lease))
        budget = road.limiter.lessor.marks["run"].budget
        assert (budget.spent_usd, budget.held_usd) == (CENT, 0)
        assert read_mark(opening.mark) >= CENT

    asyncio.run(run())


def test_who_waits_for_the_pace_is_told_in_time(opening: Opening) -> None:
    """Where the pace lets one go every so often, permits come so, and in few messages."""

    async def run() -> None:
        road = Road(Limiter(partial(Pace, 60 * 50)))
        courier = messenger(road, Opening("run", None, Decimal(0), opening.mark))
        async with kept(courier):
            begun_s = time.monotonic()
            turns = await asyncio.gather(*(turn_of(courier.lease) for _ in range(30)))
            took_s = time.monotonic() - begun_s
            for turn in turns:
                settle(courier.lease, turn)
        assert took_s >= 0.4
        assert road.reports < 40

    asyncio.run(run())


def test_a_limiter_that_is_gone_is_asked_again(
    opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is gone nobody hangs or goes; back without memory it is told what it must know."""
    monkeypatch.setattr(leases, "AGAIN_S", 0.01)

    async def run() -> None:
        road = Road(is_up=False)
        courier = messenger(road, opening)
        async with kept(courier):
            waiting = asyncio.create_task(turn_of(courier.lease))
            await road.was_missed.wait()
            assert not waiting.done()
            road.is_up, road.limiter = True, Limiter()
            settle(courier.lease, await waiting)

    asyncio.run(run())


def test_a_new_limiter_goes_on_from_the_mark(opening: Opening) -> None:
    """What was lent before it died counts as spent: the budget is never passed."""

    async def run() -> None:
        first, second = Limiter(), Limiter()
        wanted = Report(wanted=((1, HOLD), (2, HOLD), (3, HOLD)))
        await first.open(opening)
        await first.report("run", "lot", 1, wanted)
        await second.open(opening)
        grant = await second.report("run", "other", 1, Report(wanted=((1, HOLD),)))
        assert [type(error) for _, error in grant.refused] == [BudgetExceeded]

    asyncio.run(run())


def test_a_run_that_is_stopped_gets_nothing_more(opening: Opening) -> None:
    """Stopping reaches those who wait, and those who come later; then the run can be forgotten."""

    async def run() -> None:
        limiter = Limiter(partial(Pace, 1))
        with pytest.raises(RunUnknown):
            await limiter.report("run", "lot", 1, Report())
        await limiter.open(opening)
        await limiter.open(opening)
        await limiter.report("run", "lot", 1, Report(wanted=((1, HOLD),)))
        waiting = asyncio.create_task(limiter.report("run", "lot", 1, Report(wanted=((2, HOLD),))))
        await asyncio.sleep(0)
        await limiter.stop("run")
        with pytest.raises(RunStopped):
            await waiting
        with pytest.raises(RunStopped):
            await limiter.report("run", "lot", 1, Report())
        assert await limiter.close("run") == 0

    asyncio.run(run())


@pytest.mark.parametrize("stop", [False, True])
def test_a_lost_lease_ends_the_work(opening: Opening, stop: bool) -> None:
    """Overtaken or stopped, a tenant hears of it, and whoever waits is told why."""

    async def run() -> None:
        road, lost = Road(Limiter(partial(Pace, 1))), list[EyelineError]()
        courier = messenger(road, opening, 1, lost)
        async with kept(courier):
            await turn_of(courier.lease)
            waiting = asyncio.create_task(turn_of(courier.lease))
            await asyncio.sleep(0.05)
            if stop:
                await road.limiter.stop("run")
            else:
                await road.limiter.report("run", "lot", 2, Report())
            with pytest.raises(RunStopped if stop else LeaseLost):
                await waiting
        assert len(lost) == 1

    asyncio.run(run())


def test_silent_tenants_are_settled(opening: Opening) -> None:
    """What a tenant had that says nothing any more is settled as sent, when another one speaks."""

    async def run() -> None:
        clock = [0.0]
        limiter = Limiter(now=lambda: clock[0])
        await limiter.open(opening)
        await limiter.report("run", "lot", 1, Report(wanted=((1, HOLD),)))
        clock[0] = 100.0
        await limiter.report("run", "other", 1, Report())
        assert limiter.lessor.marks["run"].budget.spent_usd == CENT

    asyncio.run(run())


def test_a_node_lends_what_it_has_from_the_cluster(opening: Opening) -> None:
    """Slots of one machine get their permits, and settle them, through its one tenant."""

    async def run() -> None:
        road = Road()
        node = NodeLimiter("node", road)
        slots = [messenger(Road(node), opening, epoch) for epoch in (1, 1)]
        for number, slot in enumerate(slots):
            slots[number] = replace(slot, lot=f"lot {number}")
        async with kept(slots[0]), kept(slots[1]):
            for slot in slots:
                settle(slot.lease, await turn_of(slot.lease))
        while road.limiter.lessor.marks["run"].budget.spent_usd < 2 * CENT:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert len(road.limiter.lessor.tenancies) == 1
        await road.limiter.stop("run")
        # The node is told when it says something, and tells whoever says something then.
        settled = Report(wanted=((9, HOLD),))
        with suppress(RunStopped):
            await node.report("run", "lot 0", 1, settled)
        await node.messengers["run"]
        with pytest.raises(RunStopped):
            await node.report("run", "lot 0", 1, settled)

    asyncio.run(run())
