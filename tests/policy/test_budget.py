"""Dollars, held and settled."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from eyeline.errors import BudgetExceeded
from eyeline.policy.budget import Budget, dollars


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        ("0", "0.00"),
        ("5", "5.00"),
        ("0.5", "0.50"),
        ("10.5", "10.50"),
        ("1234.56", "1234.56"),
        ("0.000123", "0.000123"),
        ("0.0000001", "0.00"),
        ("0.120000", "0.12"),
        ("-0.5", "-0.50"),
        ("100", "100.00"),
    ],
)
def test_how_amounts_are_written(usd: str, shown: str) -> None:
    """Cents at least, millionths at most."""
    assert dollars(Decimal(usd)) == shown


def test_what_does_not_fit_is_not_held() -> None:
    """A request that could pass the limit is refused, with the three amounts, and holds nothing."""
    budget = Budget(Decimal(5))
    budget.hold(Decimal("4.5"))
    with pytest.raises(BudgetExceeded) as raised:
        budget.hold(Decimal("0.500001"))
    assert str(raised.value) == (
        "budget: the next request may cost $0.500001, $0.50 of $5.00 is left; not sent"
    )
    budget.hold(Decimal("0.5"))
    assert budget.held_usd == 5


def test_what_was_not_spent_is_free_again() -> None:
    """Settling below the hold frees the rest."""
    budget = Budget(Decimal(1))
    budget.hold(Decimal(1))
    budget.settle(Decimal(1), Decimal("0.25"))
    assert (budget.held_usd, budget.spent_usd) == (0, Decimal("0.25"))
    budget.hold(Decimal("0.75"))


AMOUNTS = st.decimals(0, 3, places=6)


class Sequences(RuleBasedStateMachine):
    """Any sequence of holds and settlings, each settled at no more than was held."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(Decimal(5))
        self.open: list[Decimal] = []

    @rule(usd=AMOUNTS)
    def hold(self, usd: Decimal) -> None:
        try:
            self.budget.hold(usd)
        except BudgetExceeded:
            assert sum(self.open) + self.budget.spent_usd + usd > 5
        else:
            self.open.append(usd)

    @precondition(lambda self: self.open)
    @rule(part=st.decimals(0, 1, places=3))
    def settle(self, part: Decimal) -> None:
        held = self.open.pop()
        self.budget.settle(held, held * part)

    @invariant()
    def never_passes_its_limit(self) -> None:
        assert self.budget.held_usd == sum(self.open)
        assert 0 <= self.budget.spent_usd + self.budget.held_usd <= 5


TestSequences = Sequences.TestCase
TestSequences.__doc__ = "Spent and held together never pass the limit, whatever the sequence."
