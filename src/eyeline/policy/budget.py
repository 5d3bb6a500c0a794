"""Dollars: held before a request is sent, settled when its cost is known."""

from __future__ import annotations

from decimal import Decimal

from eyeline.core.cost import FREE
from eyeline.errors import BudgetExceeded


class Budget:
    """A limit that spent and held dollars together never pass."""

    def __init__(self, limit_usd: Decimal) -> None:
        self.limit_usd = limit_usd
        self.spent_usd = FREE
        self.held_usd = FREE

    def hold(self, usd: Decimal) -> None:
        """Set `usd` aside for one request. Raises BudgetExceeded if that could pass the limit."""
        left_usd = self.limit_usd - self.spent_usd - self.held_usd
        if usd > left_usd:
            raise BudgetExceeded(dollars(usd), dollars(left_usd), dollars(self.limit_usd))
        self.held_usd += usd

    def settle(self, held_usd: Decimal, spent_usd: Decimal) -> None:
        """Replace what was held for one request by what it cost."""
        self.held_usd -= held_usd
        self.spent_usd += spent_usd


def dollars(usd: Decimal) -> str:
    """Write an amount with cents at least and millionths at most, as in 5.00, 10.50, 0.000123."""
    whole, _, cents = f"{usd:.6f}".partition(".")
    return f"{whole}.{cents.rstrip('0'):0<2}"
