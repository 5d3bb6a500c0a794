"""Pace and budget together."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import pytest

from eyeline.core.cost import Usage
from eyeline.core.ratelimits import Allowance, Allowances
from eyeline.errors import (
    ApiError,
    BadRequest,
    BudgetExceeded,
    ConnectionFailed,
    PriceUnknown,
    QuotaExceeded,
    RateLimited,
    ServerFailed,
)
from eyeline.policy.budget import Budget
from eyeline.policy.limits import UNSENT, Ended, Hold, Limits, answered, refused
from eyeline.policy.pace import SHARE, Pace, Turn

HOLD = Hold("gpt-6-luna", 1000, Decimal("0.40"))
FREE_HOLD = Hold("m.gguf", 1000, None)
GO = Turn(0.0, 0.0)


def test_dollars_are_held_and_the_wait_is_given() -> None:
    """A reservation holds the most a request can cost, once, and says how long to wait."""
    limits = Limits(partial(Pace, 60), Budget(Decimal(1)))
    first, second = limits.reserve(HOLD, None, 0.0), limits.reserve(HOLD, None, 0.0)
    assert (first.wait_s, second.wait_s) == pytest.approx((0, 1))
    assert limits.reserve(HOLD, second, 1.0).wait_s == 0
    assert limits.budget is not None
    assert limits.budget.held_usd == Decimal("0.80")


def test_a_refused_request_takes_no_place() -> None:
    """What the budget refuses does not use up the pace."""
    limits = Limits(partial(Pace, 60), Budget(Decimal("0.10")))
    with pytest.raises(BudgetExceeded):
        limits.reserve(HOLD, None, 0.0)
    assert limits.reserve(Hold("gpt-6-luna", 1, Decimal(0)), None, 0.0).wait_s == 0


@pytest.mark.parametrize(
    ("ended", "left"),
    [
        (Ended("answered", Decimal("0.1")), Decimal("0.1")),
        (Ended("answered", None), Decimal("0.40")),
        (Ended("failed", None), Decimal("0.40")),
        (Ended("refused"), Decimal(0)),
        (UNSENT, Decimal(0)),
    ],
)
def test_settling(ended: Ended, left: Decimal) -> None:
    """A known cost replaces the hold; an unknown outcome is settled at the most it can be."""
    limits = Limits(budget=Budget(Decimal(1)))
    limits.settle(HOLD, limits.reserve(HOLD, None, 0.0), ended, 1.0)
    assert limits.budget is not None
    assert (limits.budget.held_usd, limits.budget.spent_usd) == (0, left)


def test_a_budget_needs_a_price() -> None:
    """With a budget and no price nothing is sent; settling such a hold takes nothing."""
    limits = Limits(budget=Budget(Decimal(1)))
    with pytest.raises(PriceUnknown, match=r"m\.gguf: no known price"):
        limits.reserve(FREE_HOLD, None, 0.0)
    limits.settle(FREE_HOLD, GO, Ended("failed", None), 1.0)
    assert limits.budget is not None
    assert (limits.budget.held_usd, limits.budget.spent_usd) == (0, 0)


def test_without_a_budget_anything_goes() -> None:
    """No budget asks for no price and keeps no account."""
    limits = Limits()
    turn = limits.reserve(FREE_HOLD, None, 0.0)
    assert turn.wait_s == 0
    limits.settle(FREE_HOLD, turn, Ended("answered", Decimal(7)), 1.0)
    assert limits.budget is None


def test_each_model_has_its_own_pace() -> None:
    """A limit named for one model does not slow another."""
    limits, other = Limits(), Hold("gpt-4o", 10, None)
    limits.heed("gpt-6-luna", Allowances(Allowance(60, 60)), 0.0)
    assert limits.reserve(HOLD, None, 0.0).wait_s == 0
    assert limits.reserve(HOLD, None, 0.0).wait_s == 1
    assert [limits.reserve(other, None, 0.0).wait_s for _ in range(3)] == [0, 0, 0]


def test_a_pace_may_be_shared() -> None:
    """Limits of one account have one pace, whoever came first, and each its own budget."""
    first, second, third = Limits(), Limits(budget=Budget(Decimal(1))), Limits()
    second.share_pace(first)
    third.share_pace(second)
    first.heed("gpt-6-luna", Allowances(Allowance(600, 600)), 0.0)
    waits = [limits.reserve(HOLD, None, 0.0).wait_s for limits in (first, second, third)]
    assert waits == pytest.approx([0, 0.1 / SHARE, 0.2 / SHARE])
    assert second.budget is not None
    assert second.budget.held_usd == Decimal("0.40")
    assert third.kin is first


def test_what_was_not_used_goes_to_the_next() -> None:
    """An unsent request gives its place back; an answer's tokens correct what was held."""
    limits = Limits(partial(Pace, 600, 600_000))
    limits.reserve(HOLD, None, 0.0)
    limits.settle(HOLD, limits.reserve(HOLD, None, 0.0), UNSENT, 0.0)
    turn = limits.reserve(HOLD, None, 0.0)
    assert turn.wait_s == pytest.approx(0.1)
    limits.settle(HOLD, turn, Ended("answered", None, 4000), 0.0)
    assert limits.reserve(HOLD, None, 0.0).wait_s == pytest.approx(0.5)


def test_a_refusal_slows_all() -> None:
    """What is refused slows who waits, also where nothing was known before."""
    limits = Limits()
    turns = [limits.reserve(HOLD, None, 0.0) for _ in range(3)]
    assert [turn.wait_s for turn in turns] == [0, 0, 0]
    limits.settle(HOLD, turns[0], Ended("refused"), 0.1)
    waits = [limits.reserve(HOLD, None, 0.1).wait_s for _ in range(3)]
    assert 0 == waits[0] < waits[1] < waits[2]


def test_how_many_in_flight() -> None:
    """Each model has its own window, which grows as answers come."""
    limits = Limits()
    for at_s in range(8):
        limits.settle(HOLD, limits.reserve(HOLD, None, at_s), Ended("answered"), at_s + 0.5)
    assert (limits.in_flight("gpt-6-luna"), limits.in_flight("gpt-4o")) == (16, 8)


SAID = ("openai", 429, "rate_limit_exceeded", "slow down", "")


@pytest.mark.parametrize(
    ("error", "ended"),
    [
        (ConnectionFailed("openai", "reset"), Ended("failed")),
        (RateLimited(*SAID), Ended("refused")),
        (RateLimited(*SAID, 1.5), Ended("refused", advised_s=1.5)),
        (ServerFailed("openai", 503, "", "busy", "", 2.0), Ended("refused", advised_s=2.0)),
        (ServerFailed("openai", 500, "slow_down", "busy"), Ended("refused")),
        (ServerFailed("openai", 500, "", "oops"), Ended("answered")),
        (BadRequest("openai", 400, "", "no"), Ended("answered")),
        (QuotaExceeded("openai", 429, "insufficient_quota", "no"), Ended("failed")),
    ],
    ids=str,
)
def test_what_a_refusal_says_of_the_pace(error: ApiError | ConnectionFailed, ended: Ended) -> None:
    """A limit and a busy server refuse for the pace; other errors passed the limit."""
    assert refused(error) == ended


def test_what_an_answer_took() -> None:
    """Tokens in and out count together, where both are known."""
    assert answered(Usage(1000, 20), Decimal(1)) == Ended("answered", Decimal(1), 1020)
    assert answered(Usage(1000), None) == Ended("answered", None)
