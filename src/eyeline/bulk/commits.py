"""Which shards are finished, with their figures: what a run knows when it goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from eyeline.bulk.folder import PART_PREFIX, RunFolder
from eyeline.bulk.journal import Journal, Reading
from eyeline.bulk.ledger import Doubt, amount, joined
from eyeline.core.cost import FREE


@dataclass(frozen=True, slots=True)
class Commit:
    """
    One shard, finished: its rows, and what this time was spent on it.

    `doubts` are the rows that were sent and whose answer was never recorded.
    """

    shard: int
    rows: int = 0
    done: int = 0
    failed: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    spent_usd: Decimal = FREE
    doubts: Mapping[str, Doubt] = field(default_factory=dict)

    def to_record(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Commit:
        doubts = {key: Doubt(times, amount(usd)) for key, (times, usd) in record["doubts"].items()}
        given = {**record, "spent_usd": Decimal(record["spent_usd"]), "doubts": doubts}
        return cls(**given)


def commit_of(
    shard: int,
    records: Iterable[Mapping[str, Any]],
    spent_usd: Decimal,
    doubts: Mapping[str, Doubt],
) -> Commit:
    """Count the records of a shard."""
    counted: Counter[str] = Counter()
    for record in records:
        counted["rows"] += 1
        counted[record["status"]] += 1
        counted["cached"] += bool(record["cached"])
        for name in ("input_tokens", "output_tokens"):
            counted[name] += record[name] or 0
    return Commit(shard, spent_usd=spent_usd, doubts=doubts, **counted)


class Commits:
    """
    The last commit of each shard, how many each had, and what all of them took.

    A shard is finished if its last commit and its part are there.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.last: dict[int, Commit] = {}
        self.generation: Counter[int] = Counter()
        self.spent_usd = FREE
        self.doubts: dict[str, Doubt] = {}
        self.assembled = 0
        reading = Reading(folder.commits)
        for record in reading:
            if "assembled" in record:
                self.assembled = record["assembled"]
            else:
                self.take(Commit.from_record(record))
        self.damaged, self.size_bytes = reading.damaged, reading.size_bytes
        self.parts = {path.name for path in folder.parts.glob("*.parquet")}
        self.begun = {shard_of(path) for path in folder.ledgers.glob("*.jsonl")}

    def take(self, commit: Commit) -> None:
        self.last[commit.shard] = commit
        self.generation[commit.shard] += 1
        self.spent_usd += commit.spent_usd
        self.doubts = joined(self.doubts, commit.doubts)

    @property
    def count(self) -> int:
        return self.generation.total()

    def append(self, commit: Commit) -> None:
        self.write(commit.to_record())
        self.take(commit)
        self.parts.add(self.part_name(commit.shard))

    def note_assembled(self) -> None:
        """Write down that OUT was made of all that is finished by now."""
        self.write({"assembled": self.count})
        self.assembled = self.count

    def write(self, record: Mapping[str, Any]) -> None:
        journal = Journal(self.folder.commits, self.size_bytes, self.folder.make_room)
        try:
            journal.append(record)
            journal.sync()
            self.size_bytes = journal.size_bytes
        finally:
            journal.close()

    def part_name(self, number: int) -> str:
        return f"{PART_PREFIX * self.folder.is_folder}{number:06d}.parquet"

    def live(self) -> list[list[Path]]:
        """Give the ledgers of each shard that is not finished, without those left over."""
        return [
            self.folder.tries(number, generation)
            for number, generation in sorted(self.begun)
            if generation == self.generation[number]
        ]

    def is_finished(self, number: int, *, retry_failed: bool = False) -> bool:
        """Say whether nothing is to be done in a shard; a ledger that was begun is to be ended."""
        commit = self.last.get(number)
        if commit is None or self.part_name(number) not in self.parts:
            return False
        if (number, self.generation[number]) in self.begun:
            return False
        return not (retry_failed and commit.failed)


def shard_of(ledger: Path) -> tuple[int, int]:
    """Give the shard and the generation of a ledger, by its name."""
    number, generation, *_ = ledger.name.split(".")
    return int(number), int(generation)
