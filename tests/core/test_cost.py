"""Dollars."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.cost import (
    Price,
    Rate,
    Tier,
    Usage,
    cached_cost_usd,
    cost_usd,
    input_cost_usd,
    worst_cost_usd,
)

STANDARD = Rate(Decimal("0.10"), Decimal("0.50"), Decimal("0.01"))
LONG = Rate(Decimal("0.20"), Decimal("0.75"), Decimal("0.02"))
BATCH = Rate(Decimal("0.05"), Decimal("0.25"), Decimal("0.005"))
FLEX = Rate(Decimal("0.06"), Decimal("0.30"))
PRICE = Price(STANDARD, LONG, 272_000, BATCH, FLEX)
FREE = Price(Rate(Decimal(0), Decimal(0)))


@pytest.mark.parametrize(
    ("usage", "price", "expected"),
    [
        (Usage(1_000_000, 0), PRICE, Decimal("0.20")),
        (Usage(272_000, 0), PRICE, Decimal("0.0272")),
        (Usage(1000, 20), PRICE, Decimal("0.00011")),
        (Usage(1000, 20, 400), PRICE, Decimal("0.000074")),
        (Usage(1000, 0, 5000), PRICE, Decimal("0.00001")),
        (Usage(1000, 0, 400), Price(Rate(Decimal(1), Decimal(2))), Decimal("0.001")),
        (Usage(1000, 20), FREE, Decimal(0)),
        (Usage(1000, 20), None, None),
        (Usage(None, 20), PRICE, None),
        (Usage(1000, None), PRICE, None),
    ],
)
def test_cost(usage: Usage, price: Price | None, expected: Decimal | None) -> None:
    """Cached input has its own rate, long input another for the whole; nothing is ever guessed."""
    assert cost_usd(usage, price) == expected


@pytest.mark.parametrize(
    ("tokens_in", "tokens_out", "price", "expected"),
    [
        (1000, 20, PRICE, Decimal("0.00011")),
        (300_000, 100, PRICE, Decimal("0.060075")),
        (1000, None, PRICE, None),
        (1000, None, FREE, Decimal(0)),
        (1000, 20, None, None),
    ],
)
def test_worst_cost(
    tokens_in: int, tokens_out: int | None, price: Price | None, expected: Decimal | None
) -> None:
    """Without a limit of its output a paid request has no worst cost; a free one costs nothing."""
    assert worst_cost_usd(tokens_in, tokens_out, price) == expected


def test_input_cost() -> None:
    """Input alone has a price where the model has one."""
    assert input_cost_usd(2942, PRICE) == Decimal("0.0002942")
    assert input_cost_usd(2942, None) is None


@pytest.mark.parametrize(
    ("usage", "price", "tier", "expected"),
    [
        (Usage(1000, 20), PRICE, "batch", Decimal("0.000055")),
        (Usage(1000, 20, 400), PRICE, "batch", Decimal("0.000037")),
        (Usage(1000, 20, 400), PRICE, "flex", Decimal("0.000066")),
        (Usage(1000, 20), Price(STANDARD), "batch", None),
        (Usage(1000, 20), Price(STANDARD), "flex", None),
        (Usage(272_001, 20), PRICE, "batch", None),
        (Usage(272_001, 20), PRICE, "flex", None),
        (Usage(1000, 20), None, "batch", None),
    ],
)
def test_tiers(usage: Usage, price: Price | None, tier: Tier, expected: Decimal | None) -> None:
    """Batch and flex have rates of their own; where none is known, no price is made of another."""
    assert cost_usd(usage, price, tier) == expected


def test_input_in_a_batch_and_in_a_cache() -> None:
    """Input alone has its price in a batch and in the provider's cache, where they are known."""
    assert input_cost_usd(2942, PRICE, "batch") == Decimal("0.0001471")
    assert input_cost_usd(2942, Price(STANDARD), "batch") is None
    assert cached_cost_usd(2942, PRICE) == Decimal("0.00002942")
    assert cached_cost_usd(300_000, PRICE) == Decimal("0.006")
    assert cached_cost_usd(2942, Price(FLEX)) is None
    assert cached_cost_usd(2942, None) is None


COUNTS = st.integers(0, 10**7)


@given(COUNTS, COUNTS, COUNTS)
def test_no_answer_costs_more_than_its_worst(tokens_in: int, tokens_out: int, cached: int) -> None:
    """What an answer costs is never above what was held for it."""
    cost = cost_usd(Usage(tokens_in, tokens_out, cached), PRICE)
    worst = worst_cost_usd(tokens_in, tokens_out, PRICE)
    assert cost is not None
    assert worst is not None
    assert 0 <= cost <= worst
