"""
The ledger of one try at a shard: a line before each send and one after, appended as they happen.

One of the keys `intent`, `outcome`, `left` and `doubt` of a line holds the row's key, and says what
the line is:

    intent   about to be sent, for `usd_max` at most
    outcome  done or failed: `record`, and `spent_usd` in all; `stored` is what went to the cache
    left     let go without an outcome, by an interruption; nothing is on its way
    doubt    found at recovery: sent, and the answer never recorded; counts as spent
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from eyeline.bulk.journal import Journal, Reading, Record
from eyeline.core.cost import FREE


class Doubt(NamedTuple):
    """
    How often a row was sent without a recorded answer, and the most that can have cost; None where
    no price is known.
    """

    times: int
    usd_max: Decimal | None

    def after(self, earlier: Doubt | None) -> Doubt:
        if earlier is None:
            return self
        return Doubt(self.times + earlier.times, total([self.usd_max, earlier.usd_max]))


def joined(earlier: Mapping[str, Doubt], later: Mapping[str, Doubt]) -> dict[str, Doubt]:
    """Give the doubts of both, those of one row as one."""
    return {**earlier, **{key: doubt.after(earlier.get(key)) for key, doubt in later.items()}}


@dataclass(slots=True)
class Recovered:
    """
    What a ledger says, line after line.

    `records` are the outcomes by key; `open_usd` what each row without one was sent for; `doubts`
    those found at earlier recoveries; `stored` what went to the cache, by its key there; amounts
    are None where no price is known. `size_bytes` is the length of what is whole, `damaged` the
    number of lines before its end that are not.
    """

    records: dict[str, Record] = field(default_factory=dict)
    open_usd: dict[str, set[Decimal | None]] = field(default_factory=dict)
    doubts: dict[str, Doubt] = field(default_factory=dict)
    stored: dict[str, Record] = field(default_factory=dict)
    spent_usd: Decimal = FREE
    size_bytes: int = 0
    damaged: int = 0

    def take(self, entry: Record) -> None:
        """Go on by one line. What is whole, and yet no line of ours, is damage too."""
        try:
            self.read(entry)
        except ArithmeticError:
            self.damaged += 1

    def read(self, entry: Record) -> None:
        """Raises ArithmeticError, and changes nothing, where an amount is none."""
        match entry:
            case {"intent": str(key), "usd_max": str() | None as usd}:
                self.open_usd[key] = {*self.open_usd.get(key, ()), amount(usd)}
            case {"doubt": str(key), "usd_max": str() | None as usd}:
                doubt = Doubt(1, amount(usd)).after(self.doubts.get(key))
                self.close(key, amount(usd) or FREE)
                self.doubts[key] = doubt
            case {"outcome": str(key), "spent_usd": str(usd), "record": {"status": _} as record}:
                self.close(key, dollars(usd))
                self.records[key] = record
                if isinstance(stored := entry.get("stored"), dict):
                    self.stored |= stored
            case {"left": str(key), "spent_usd": str(usd)}:
                self.close(key, dollars(usd))
            case _:
                self.damaged += 1

    def close(self, key: str, spent_usd: Decimal) -> None:
        self.spent_usd += spent_usd
        self.open_usd.pop(key, None)

    def in_doubt(self) -> dict[str, Doubt]:
        """
        Give the rows that were sent and have no outcome, each with the most it can have cost.

        A retry costs what it repeats, and that was refused without a bill; a correction costs more
        than what it corrects, and that was billed. So different amounts add up, equal ones do not.
        """
        return {key: Doubt(1, total(usd)) for key, usd in self.open_usd.items()}


def amount(usd: str | None) -> Decimal | None:
    return None if usd is None else dollars(usd)


def dollars(text: str) -> Decimal:
    """Read an amount. Raises ArithmeticError for what is none."""
    found = Decimal(text)
    if not found.is_finite():
        raise ArithmeticError(text)
    return found


def total(parts: Collection[Decimal | None]) -> Decimal | None:
    """Add up; None where a part is not known."""
    known = [usd for usd in parts if usd is not None]
    return sum(known, FREE) if len(known) == len(parts) else None


def recover(*tries: Path) -> Recovered:
    """
    Read the ledgers of a shard, one for each try at it, whatever became of their ends; one that is
    not there is empty.
    """
    found = Recovered()
    for path in tries:
        reading = Reading(path)
        for entry in reading:
            found.take(entry)
        found.damaged += reading.damaged
        found.size_bytes = reading.size_bytes
    return found


class Ledger(Journal):
    """One shard's ledger, open to be written; amounts are None where no price is known."""

    def intent(self, key: str, usd_max: Decimal | None) -> None:
        usd = None if usd_max is None else str(usd_max)
        # Where this finds no room nothing is sent, so the room kept back is for what was.
        self.append({"intent": key, "usd_max": usd}, is_vital=False)

    def outcome(
        self, key: str, spent_usd: Decimal, record: Record, stored: Record | None = None
    ) -> None:
        entry = {"outcome": key, "spent_usd": str(spent_usd), "record": record}
        self.append({**entry, "stored": stored} if stored else entry)

    def left(self, key: str, spent_usd: Decimal) -> None:
        self.append({"left": key, "spent_usd": str(spent_usd)})

    def doubt(self, key: str, usd_max: Decimal | None) -> Record:
        entry = {"doubt": key, "usd_max": None if usd_max is None else str(usd_max)}
        self.append(entry)
        return entry
