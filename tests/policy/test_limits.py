"""Pace and budget together."""

from __future__ import annotations

from decimal import Decimal

import pytest

from eyeline.errors import BudgetExceeded, PriceUnknown
from eyeline.policy.budget import Budget
from eyeline.policy.limits import Hold, Limits
from eyeline.policy.pace import Pace

HOLD = Hold("gpt-6-luna", 1000, Decimal("0.40"))
FREE_HOLD = Hold("m.gguf", 1000, None)


def test_dollars_are_held_and_the_wait_is_given() -> None:
    """A reservation holds the most a request can cost, and says how long to wait."""
    limits = Limits(Pace(requests_per_min=60), Budget(Decimal(1)))
    assert [limits.reserve(HOLD, 0.0), limits.reserve(HOLD, 0.0)] == pytest.approx([0, 1])
    assert limits.budget is not None
    assert limits.budget.held_usd == Decimal("0.80")


def test_a_refused_request_takes_no_place() -> None:
    """What the budget refuses does not use up the pace."""
    limits = Limits(Pace(requests_per_min=60), Budget(Decimal("0.10")))
    with pytest.raises(BudgetExceeded):
        limits.reserve(HOLD, 0.0)
    assert limits.reserve(Hold("m", 1, Decimal(0)), 0.0) == 0


@pytest.mark.parametrize(
    ("spent", "left"),
    [(Decimal("0.1"), Decimal("0.1")), (Decimal(0), Decimal(0)), (None, Decimal("0.40"))],
)
def test_settling(spent: Decimal | None, left: Decimal) -> None:
    """A known cost replaces the hold; an unknown outcome is settled at the most it can be."""
    limits = Limits(Pace(), Budget(Decimal(1)))
    limits.reserve(HOLD, 0.0)
    limits.settle(HOLD, spent)
    assert limits.budget is not None
    assert (limits.budget.held_usd, limits.budget.spent_usd) == (0, left)


def test_a_budget_needs_a_price() -> None:
    """With a budget and no price nothing is sent; settling such a hold takes nothing."""
    limits = Limits(Pace(), Budget(Decimal(1)))
    with pytest.raises(PriceUnknown, match=r"m\.gguf: no known price"):
        limits.reserve(FREE_HOLD, 0.0)
    limits.settle(FREE_HOLD, None)
    assert limits.budget is not None
    assert (limits.budget.held_usd, limits.budget.spent_usd) == (0, 0)


def test_without_a_budget_anything_goes() -> None:
    """No budget asks for no price and keeps no account."""
    limits = Limits(Pace())
    assert limits.reserve(FREE_HOLD, 0.0) == 0
    limits.settle(FREE_HOLD, Decimal(7))
    assert limits.budget is None
