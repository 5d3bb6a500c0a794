"""Pace and budget together: what stands between a request and its sending."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from eyeline.core.cost import FREE
from eyeline.errors import PriceUnknown
from eyeline.policy.budget import Budget
from eyeline.policy.pace import Pace


@dataclass(frozen=True, slots=True)
class Hold:
    """
    What one request may use: tokens in and out, and dollars at most; None for an unknown price.
    """

    model: str
    tokens: int
    usd_max: Decimal | None


class Limits:
    """The state machine that `Reserve` and `Settle` reach, in this process or elsewhere."""

    def __init__(self, pace: Pace, budget: Budget | None = None) -> None:
        self.pace, self.budget = pace, budget

    def reserve(self, hold: Hold, now_s: float) -> float:
        """
        Hold the dollars and give the seconds to wait before sending.

        Raises BudgetExceeded, or PriceUnknown if there is a budget and no price to hold it with.
        """
        if self.budget is not None:
            if hold.usd_max is None:
                raise PriceUnknown(hold.model)
            self.budget.hold(hold.usd_max)
        return self.pace.reserve(hold.tokens, now_s)

    def settle(self, hold: Hold, spent_usd: Decimal | None) -> None:
        """
        Settle at `spent_usd`; None, for an outcome nobody knows, settles at the most it can be.
        """
        if self.budget is not None:
            held_usd = hold.usd_max or FREE
            self.budget.settle(held_usd, held_usd if spent_usd is None else spent_usd)
