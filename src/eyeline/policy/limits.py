"""Pace and budget together: what stands between a request and its sending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from eyeline.core.cost import FREE, Usage
from eyeline.core.ratelimits import Allowances
from eyeline.errors import (
    ApiError,
    ConnectionFailed,
    PriceUnknown,
    QuotaExceeded,
    RateLimited,
    ServerFailed,
)
from eyeline.policy.budget import Budget
from eyeline.policy.pace import Pace, Turn


@dataclass(frozen=True, slots=True)
class Hold:
    """
    What one request may use: tokens of input, and dollars at most; None for an unknown price.
    """

    model: str
    tokens: int
    usd_max: Decimal | None


@dataclass(frozen=True, slots=True)
class Ended:
    """
    How a held request ended: never sent, answered, refused for coming too fast, or failed.

    `spent_usd` and `tokens` (in and out) are None where nobody knows. `advised_s` is how long a
    server that refused asks to wait.
    """

    how: Literal["unsent", "answered", "refused", "failed"]
    spent_usd: Decimal | None = FREE
    tokens: int | None = None
    advised_s: float | None = None


UNSENT = Ended("unsent")
IN_DOUBT = Ended("failed", None)
# What a server says that is too busy, whatever status it says it with.
BUSY_CODES = {"slow_down", "server_is_overloaded"}
BUSY_STATUS = 503


def answered(usage: Usage, spent_usd: Decimal | None) -> Ended:
    into, out = usage.input_tokens, usage.output_tokens
    return Ended("answered", spent_usd, None if into is None or out is None else into + out)


def refused(error: ApiError | ConnectionFailed) -> Ended:
    """
    Say how a request ended that was not carried out, so cost nothing.

    A refusal for another reason than its pace was let through by the limit, and counts as answered.
    """
    if isinstance(error, ConnectionFailed):
        return Ended("failed")
    is_busy = error.status == BUSY_STATUS or error.code in BUSY_CODES
    if isinstance(error, RateLimited) or (isinstance(error, ServerFailed) and is_busy):
        return Ended("refused", advised_s=error.retry_after_s)
    return Ended("failed" if isinstance(error, QuotaExceeded) else "answered")


class Limits:
    """
    The state machine that `Reserve`, `Heed` and `Settle` reach, in this process or elsewhere: a
    pace for each model under one key, and one budget. Safe to share between threads.
    """

    def __init__(self, pace: Callable[[], Pace] = Pace, budget: Budget | None = None) -> None:
        self.new_pace, self.budget = pace, budget
        self.paces: dict[str, Pace] = {}
        self.lock = threading.Lock()
        self.kin: Limits | None = None

    def share_pace(self, kin: Limits) -> None:
        """Have one pace with others under the same key; each keeps its own budget."""
        # Held on to, so that it can be found as long as anybody has a pace with it.
        self.kin, self.paces, self.lock = kin.kin or kin, kin.paces, kin.lock

    def pace(self, model: str) -> Pace:
        if model not in self.paces:
            self.paces[model] = self.new_pace()
        return self.paces[model]

    def in_flight(self, model: str) -> int:
        """Say how many requests are worth having in flight now."""
        with self.lock:
            return self.pace(model).in_flight

    def reserve(
        self, hold: Hold, turn: Turn | None, now_s: float, *, patient: bool = False
    ) -> Turn:
        """
        Hold the dollars and give a place in line; with a turn, look again how long its wait is.

        Raises BudgetExceeded, or PriceUnknown if there is a budget and no price to hold it with.
        """
        with self.lock:
            if self.budget is not None and turn is None:
                if hold.usd_max is None:
                    raise PriceUnknown(hold.model)
                self.budget.hold(hold.usd_max)
            return self.pace(hold.model).reserve(hold.tokens, turn, now_s, patient=patient)

    def heed(self, model: str, allowances: Allowances, now_s: float) -> None:
        """Take the limits that a server names for a model."""
        with self.lock:
            self.pace(model).heed(allowances, now_s)

    def settle(self, hold: Hold, turn: Turn, ended: Ended, now_s: float) -> None:
        """
        Settle at what was spent; what nobody knows is settled at the most it can be. A turn not
        taken is given back, and the pace learns from how the request ended.
        """
        with self.lock:
            if self.budget is not None:
                held_usd = hold.usd_max or FREE
                spent_usd = held_usd if ended.spent_usd is None else ended.spent_usd
                self.budget.settle(held_usd, spent_usd)
            pace = self.pace(hold.model)
            if ended.tokens is not None:
                pace.correct(ended.tokens - hold.tokens)
            match ended.how:
                case "unsent":
                    pace.give_back(hold.tokens, turn)
                case "answered":
                    pace.answer(turn, now_s)
                case "refused":
                    pace.refuse(turn, ended.advised_s, now_s)
