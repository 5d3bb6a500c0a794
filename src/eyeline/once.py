"""Ask once, pay once: from the cache, from whoever is asking the same right now, else by paying."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from eyeline.core.answer import Answer
from eyeline.core.question import Question
from eyeline.effects import Claim, Flow, Lookup, Record, Release, Store, Ticket


class Recorded(Protocol):
    """What came of a question, and the record by which it can be given again, if it should be."""

    @property
    def record(self) -> Record | None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, and the record by which it can be given again; None where it should not be."""

    answer: Answer
    record: Record | None


Kept = TypeVar("Kept", bound=Recorded)


def once(
    key: str, question: Question, tell: Callable[[Record], Flow[Kept | None]], pay: Flow[Kept]
) -> Flow[Kept]:
    """
    Give what was answered under `key`, or is being answered right now, or else do what is to `pay`
    and keep its record.

    `tell` makes of a record what came of the question; None where the record does not serve. While
    one pays, all others with that key wait; who fails leaves the turn to the next. To refresh
    is to look neither up nor to those who do.
    """
    ticket = Ticket(f"refresh {key}" if question.refresh else key)
    record: Record | None = None
    try:
        given = yield Claim(ticket, question.timeout_s)
        if given is None and not question.refresh:
            given = yield Lookup(key)
        outcome = None if given is None else (yield from tell(given))
        if outcome is None:
            outcome = yield from pay
            if outcome.record is not None:
                yield Store(key, outcome.record)
        record = outcome.record
        return outcome
    finally:
        yield Release(ticket, record)
