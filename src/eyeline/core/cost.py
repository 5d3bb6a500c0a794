"""What an answer cost, in dollars; a price is never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

MILLION = Decimal(1_000_000)
FREE = Decimal(0)

Tier = Literal["standard", "batch", "flex"]


@dataclass(frozen=True, slots=True)
class Usage:
    """
    Tokens of one answer as the engine reported them; None where it reported none.

    `cached_tokens` are part of `input_tokens`, `reasoning_tokens` part of `output_tokens`.
    `image_tokens` is our own estimate, known before sending.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    image_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """Dollars for a million tokens; `cached` is None where no discount is known."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """
    A model's standard rate, and the one for the whole request beyond `long_over_tokens` of input.

    `batch` and `flex` are the rates of the Batch API and of flex processing, None where unknown.
    """

    standard: Rate
    long: Rate | None = None
    long_over_tokens: int = 0
    batch: Rate | None = None
    flex: Rate | None = None

    def rate(self, input_tokens: int, tier: Tier = "standard") -> Rate | None:
        """Give the rate of a request with so much input; None where it is unknown."""
        if self.long is not None and input_tokens > self.long_over_tokens:
            # No source gives a long request's rate in a batch.
            return self.long if tier == "standard" else None
        match tier:
            case "batch":
                return self.batch
            case "flex":
                return self.flex
        return self.standard


FREE_RATE = Rate(FREE, FREE, FREE)
NOTHING_TO_PAY = Price(FREE_RATE, batch=FREE_RATE, flex=FREE_RATE)


def cost_usd(usage: Usage, price: Price | None, tier: Tier = "standard") -> Decimal | None:
    """Price an answer, cached input at its own rate; None if the price or the usage is unknown."""
    if price is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    rate = price.rate(usage.input_tokens, tier)
    if rate is None:
        return None
    cached = min(usage.cached_tokens or 0, usage.input_tokens)
    cached_rate = rate.input if rate.cached is None else rate.cached
    return (
        (usage.input_tokens - cached) * rate.input
        + cached * cached_rate
        + usage.output_tokens * rate.output
    ) / MILLION


def input_cost_usd(tokens: int, price: Price | None, tier: Tier = "standard") -> Decimal | None:
    """Price `tokens` of uncached input alone; None if the price is unknown."""
    rate = price.rate(tokens, tier) if price else None
    return None if rate is None else tokens * rate.input / MILLION


def cached_cost_usd(tokens: int, price: Price | None) -> Decimal | None:
    """Price `tokens` of input that the provider's own cache holds; None if that is unknown."""
    rate = price.rate(tokens) if price else None
    return None if rate is None or rate.cached is None else tokens * rate.cached / MILLION


def worst_cost_usd(
    input_tokens: int, output_tokens: int | None, price: Price | None
) -> Decimal | None:
    """
    Price the most a request can cost; None if the price or the limit of its output is unknown.
    """
    rate = price.rate(input_tokens) if price else None
    if rate is None:
        return None
    if output_tokens is None:
        return None if rate.output else FREE
    return (input_tokens * rate.input + output_tokens * rate.output) / MILLION
