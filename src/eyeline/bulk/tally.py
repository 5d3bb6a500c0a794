"""How far a run is: counted as rows end, read by whoever shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from eyeline.bulk.commits import Commit
from eyeline.bulk.ledger import Doubt
from eyeline.core.cost import FREE


@dataclass(slots=True)
class Tally:
    """
    Rows by what became of them, now and before, and dollars in all.

    `shards` and `finished` count pieces of the source; `spans` are the rows of those that are not
    finished, None where nobody knows yet. `now_done` and `now_failed` are rows of this process
    alone. `doubts` are rows that were sent and whose answer was never recorded.
    """

    shards: int = 0
    finished: int = 0
    finished_rows: int = 0
    spans: dict[int, int | None] = field(default_factory=dict)
    done: int = 0
    failed: int = 0
    cached: int = 0
    now_done: int = 0
    now_failed: int = 0
    now_cached: int = 0
    spent_usd: Decimal = FREE
    now_spent_usd: Decimal = FREE
    doubts: dict[str, Doubt] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    damaged: int = 0
    recovered: set[int] = field(default_factory=set)

    def take(self, record: Mapping[str, Any], spent_usd: Decimal) -> None:
        """Count a row that ended now."""
        self.count(record)
        self.now_spent_usd += spent_usd
        self.spent_usd += spent_usd
        if record["status"] == "failed":
            self.now_failed += 1
        else:
            self.now_done += 1
            self.now_cached += bool(record["cached"])

    def recover(self, shard: int, records: Iterable[Mapping[str, Any]]) -> None:
        """Count rows of a shard that ended before, when it is first looked at."""
        if shard in self.recovered:
            return
        self.recovered.add(shard)
        for record in records:
            self.count(record)

    def count(self, record: Mapping[str, Any]) -> None:
        if record["status"] == "failed":
            self.failed += 1
            self.kinds[str(record["error_kind"])] += 1
        else:
            self.done += 1
            self.cached += bool(record["cached"])

    def take_finished(self, commit: Commit) -> None:
        """Count a shard that was finished before, and is left alone."""
        self.finish(commit)
        self.done += commit.done
        self.failed += commit.failed
        self.cached += commit.cached

    def finish(self, commit: Commit) -> None:
        self.finished += 1
        self.finished_rows += commit.rows
        self.spans.pop(commit.shard, None)

    @property
    def rows(self) -> int:
        return self.done + self.failed

    @property
    def rows_total(self) -> int | None:
        """Say how many rows there are, an unknown shard taken for an average one; else None."""
        known = [span for span in self.spans.values() if span is not None]
        counted, unknown = self.finished + len(known), len(self.spans) - len(known)
        if unknown and not counted:
            return None
        rows = self.finished_rows + sum(known)
        return max(self.rows, rows + round(unknown * rows / max(1, counted)))
