"""Rows made into questions, for one engine, with the options of the run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from eyeline.bulk.prompt import Prompt
from eyeline.bulk.rows import Row
from eyeline.drivers import Outside
from eyeline.exchange import Asking
from eyeline.policy.retry import Retry
from eyeline.ports import AsyncTransport
from eyeline.wiring import AskOptions, Wiring

# A run has time: a row is sent again until the network, the server or the limit is back. Before the
# first answer the address may simply be wrong.
PATIENT = Retry(attempts_max=10_000, cap_s=15.0, total_s=600.0)
AT_FIRST = replace(PATIENT, total_s=60.0)


@dataclass(frozen=True, slots=True)
class Asker:
    """What is asked of every row, and through what."""

    prompt: Prompt
    wiring: Wiring
    options: AskOptions
    transport: AsyncTransport

    @property
    def outside(self) -> Outside:
        return self.wiring.outside

    def asking(self, row: Row, *, has_answered: bool) -> Asking:
        """Make the question of a row. Raises an EyelineError where it cannot be asked."""
        prompt = self.prompt.of(row.values, row.source)
        asking = self.wiring.asking(prompt, row.images, self.options)
        return replace(asking, retry=PATIENT if has_answered else AT_FIRST)
