"""A tenant kept in touch with its limiter, while a shard is done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from eyeline.cluster.errors import RunStopped, RunUnknown
from eyeline.cluster.limiter import Landlord, Opening
from eyeline.core.ratelimits import Allowances
from eyeline.errors import EyelineError
from eyeline.policy.leases import Grant, LeaseLost, Report, Tenant
from eyeline.policy.limits import Ended, Hold
from eyeline.policy.pace import Turn

# What was said within so long goes in one message.
GATHER_S = 0.01
# Said so often at least, so that it is not taken for dead.
ALIVE_EVERY_S = 5.0
# A limiter that does not answer within this is asked again, and one that failed after a pause.
REPLY_S_MAX, AGAIN_S = 10.0, 0.5


@dataclass(slots=True)
class Lease:
    """Stands where the limits stand; whatever is said to it wakes its messenger."""

    tenant: Tenant = field(default_factory=Tenant)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def reserve(
        self, hold: Hold, turn: Turn | None, now_s: float, *, patient: bool = False
    ) -> Turn:
        found = self.tenant.reserve(hold, turn, now_s, patient=patient)
        if not self.tenant.is_silent:
            self.news.set()
        return found

    def heed(self, model: str, allowances: Allowances, now_s: float) -> None:
        self.tenant.heed(model, allowances, now_s)

    def settle(self, hold: Hold, turn: Turn, ended: Ended, now_s: float) -> None:
        self.tenant.settle(hold, turn, ended, now_s)
        self.news.set()

    @property
    def budget(self) -> None:
        """None: what is left of the budget is the limiter's to know."""


@dataclass(frozen=True, slots=True)
class Messenger:
    """Carries one tenant's reports; `on_lost` hears why it may send nothing more."""

    lease: Lease
    landlord: Landlord
    opening: Opening
    lot: str
    epoch: int
    on_lost: Callable[[EyelineError], None]

    async def keep(self) -> None:
        """Carry reports until the lease is lost, or this is cancelled."""
        while await self.carry():
            # Not `wait_for`: that of Python 3.11 forgets a cancellation when news come as well.
            with suppress(TimeoutError):
                async with asyncio.timeout(ALIVE_EVERY_S):
                    await self.lease.news.wait()
                await asyncio.sleep(GATHER_S)

    async def carry(self) -> bool:
        """
        Carry one report there and its grant back; False where the lease is lost. Whatever fails on
        the way is tried again: the limiter may be on its way back.
        """
        tenant = self.lease.tenant
        self.lease.news.clear()
        said = tenant.report()
        try:
            async with asyncio.timeout(REPLY_S_MAX):
                grant = await self.say(said)
        except (LeaseLost, RunStopped) as error:
            tenant.lost = error
            self.on_lost(error)
            return False
        except asyncio.CancelledError:
            tenant.unsaid(said)
            raise
        except Exception:
            tenant.unsaid(said)
            self.lease.news.set()
            await asyncio.sleep(AGAIN_S)
            return True
        tenant.take(grant, time.monotonic())
        if tenant.wanted:
            self.lease.news.set()
        return True

    async def say(self, said: Report) -> Grant:
        try:
            return await self.landlord.report(self.opening.run, self.lot, self.epoch, said)
        except RunUnknown:
            await self.landlord.open(self.opening)
            return await self.landlord.report(self.opening.run, self.lot, self.epoch, said)


@asynccontextmanager
async def kept(messenger: Messenger) -> AsyncIterator[None]:
    """Keep a lease for the length of a block; at its end everything is settled with the limiter."""
    task = asyncio.create_task(messenger.keep())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if messenger.lease.tenant.lost is None and not messenger.lease.tenant.is_silent:
            await messenger.carry()
