"""What is remembered of requests that came too fast: when they went, and what passed between."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass

REFUSALS_MAX = 300


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was sent: its number among all, when, and at what rate they went then."""

    number: int
    at_s: float
    per_s: float


def number_of(sent: Sent) -> int:
    return sent.number


class Refusals:
    """The latest refusals, in the order in which they were sent; they are heard of in any order."""

    def __init__(self) -> None:
        self.all: list[Sent] = []

    def add(self, sent: Sent) -> None:
        insort(self.all, sent, key=number_of)
        del self.all[:-REFUSALS_MAX]

    def passed_before(self, sent: Sent) -> int:
        """Count what was let through between the refusal before this one and this one."""
        at = self.index(sent)
        return sent.number - (self.all[at - 1].number if at else 0) - 1

    def since(self, sent: Sent) -> float:
        """Say how many seconds before this refusal the one before it went."""
        at = self.index(sent)
        return sent.at_s - self.all[at - 1].at_s if at else 0.0

    def between(self, first: Sent, last: Sent) -> tuple[int, int]:
        """Count what was let through, and what was not, after one refusal and up to another."""
        refused = self.index(last) - self.index(first)
        return last.number - first.number - refused, refused

    def index(self, sent: Sent) -> int:
        return bisect_left(self.all, sent.number, key=number_of)
