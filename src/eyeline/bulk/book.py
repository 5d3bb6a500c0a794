"""What was spent on one row, as its requests go out."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from eyeline.bulk.ledger import Ledger, total
from eyeline.core.answer import Answer
from eyeline.core.cost import FREE
from eyeline.errors import AnswerError, ApiError, ConnectionFailed, EngineError
from eyeline.policy.limits import Hold


class Book:
    """The requests of one row, each written into its shard's ledger before it goes out."""

    def __init__(self, ledger: Ledger, key: str, on_intent: Callable[[], None]) -> None:
        self.ledger, self.key, self.on_intent = ledger, key, on_intent
        self.usd_max: list[Decimal | None] = []
        self.is_open = False

    def intend(self, hold: Hold) -> None:
        self.ledger.intent(self.key, hold.usd_max)
        self.remember(hold)
        self.is_open = True
        self.on_intent()

    def remember(self, hold: Hold) -> None:
        """Know what a request costs at most that does not go out by itself."""
        self.usd_max.append(hold.usd_max)

    def conclude(self) -> None:
        """Say that the last request is no longer on its way."""
        self.is_open = False

    def spent_on(self, answer: Answer) -> Decimal:
        """Give what an answer took; where no one knows, the most it can have been."""
        return self.most() if answer.cost_usd is None else answer.cost_usd

    def spent_in_vain(self, error: BaseException) -> Decimal:
        """Give what a row without an answer took at most: a refusal is free, silence may not be."""
        if isinstance(error, AnswerError) and isinstance(error.answer, Answer):
            return self.spent_on(error.answer)
        if isinstance(error, EngineError) and not isinstance(error, ApiError | ConnectionFailed):
            return self.most()
        return self.most(but=self.usd_max[-1:])

    def most(self, but: list[Decimal | None] | None = None) -> Decimal:
        """Add up different amounts: a retry costs what it repeats, a correction more."""
        return total([usd for usd in {*self.usd_max} - {*(but or ())} if usd is not None]) or FREE
