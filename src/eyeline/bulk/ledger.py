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
        """Go on by one line."""
        match entry:
            case {"intent": key, "usd_max": usd}:
                self.open_usd.setdefault(key, set()).add(amount(usd))
            case {"doubt": key, "usd_max": usd}:
                self.doubts[key] = Doubt(1, amount(usd)).after(self.doubts.get(key))
                self.close(key, amount(usd) or FREE)
            case {"outcome": key, "spent_usd": usd, "record": record}:
                self.records[key] = record
                self.stored |= entry.get("stored", {})
                self.close(key, Decimal(usd))
            case {"left": key, "spent_usd": usd}:
                self.close(key, Decimal(usd))
            case _:
                self.damaged += 1

    def close(self, key: str, spent_usd: Decimal) -> None:
        self.open_usd.pop(key, None)
        self.spent_usd += spent_usd

    def in_doubt(self) -> dict[str, Doubt]:
        """
        Give the rows that were sent and have no outcome, each with the most it can have cost.

        A retry costs what it repeats, and that was refused without a bill; a correction costs more
        than what it corrects, and that was billed. So different amounts add up, equal ones do not.
        """
        return {key: Doubt(1, total(usd)) for key, usd in self.open_usd.items()}


def amount(usd: str | None) -> Decimal | None:
    return None if usd is None else Decimal(usd)


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
