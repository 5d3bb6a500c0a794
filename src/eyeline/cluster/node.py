"""
The limiter of one node: a tenant of the cluster's, and the lessor of all slots on its machine.

Where many slots share a machine, their messages stay there, and one carries for all of them.
"""

from __future__ import annotations

import asyncio
import time

from eyeline.cluster.lease import Lease, Messenger
from eyeline.cluster.limiter import Landlord, Limiter, Opening
from eyeline.errors import EyelineError
from eyeline.policy.leases import Grant, Report


class NodeLimiter(Limiter):
    """Answers reports with permits that it has from the limiter of the cluster."""

    def __init__(self, node: str, landlord: Landlord) -> None:
        super().__init__()
        self.node, self.landlord = node, landlord
        self.leases: dict[str, Lease] = {}
        self.messengers: dict[str, asyncio.Task[None]] = {}

    async def open(self, opening: Opening) -> None:
        """Take a run, and ask for it at the limiter of the cluster from now on."""
        if opening.run in self.leases:
            return
        lease = self.leases[opening.run] = Lease()
        # Started again, it is a newer try than the one that was lost.
        epoch = time.time_ns()
        messenger = Messenger(
            lease, self.landlord, opening, f"{opening.run} on {self.node}", epoch, self.lost
        )
        self.messengers[opening.run] = asyncio.create_task(messenger.keep())
        self.lessor.runs[opening.run] = lease

    def lost(self, error: EyelineError) -> None:
        """Whoever reports next is told; see `report`."""

    async def report(self, run: str, lot: str, epoch: int, said: Report) -> Grant:
        """Take a report of a slot. Raises what the limiter of the cluster raised for the run."""
        lease = self.leases.get(run)
        if lease is not None and lease.tenant.lost is not None:
            raise lease.tenant.lost
        grant = await super().report(run, lot, epoch, said)
        if lease is not None and lease.tenant.lost is not None:
            raise lease.tenant.lost
        return grant
