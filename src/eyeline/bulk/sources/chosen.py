"""Some rows of a source: those where a condition holds, a sample of these, the first of these."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from eyeline.bulk.rows import Row, Selection, Shard, Source
from eyeline.bulk.sources.where import Condition, condition
from eyeline.bulk.whole import whole_file

if TYPE_CHECKING:
    import pyarrow as pa


class Peekable(Source, Protocol):
    """A source whose rows can be told without reading their images."""

    def peek(self, shard: Shard) -> Iterator[Row]:
        """Give the rows that `rows` gives, without images and problems."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows of `source` that are meant; `threshold` is the largest hash in the sample."""

    source: Peekable
    selection: Selection
    holds: Condition
    threshold: int | None

    @property
    def columns(self) -> tuple[str, ...]:
        return self.source.columns

    @property
    def identity(self) -> Mapping[str, Any]:
        return {**self.source.identity, "selection": asdict(self.selection)}

    def shards(self) -> Iterator[Shard]:
        """Give the shards; up to a limit, those that hold a row, and how many are taken of each."""
        limit = self.selection.limit
        if limit is None:
            yield from self.source.shards()
            return
        number, left = 0, limit
        shards = self.source.shards() if limit else iter(())
        for shard in shards:
            rows = sum(1 for _ in islice(self.matching(self.source.peek(shard)), left))
            if rows:
                yield replace(shard, number=number, rows=rows)
                number, left = number + 1, left - rows
            if not left:
                return

    def rows(self, shard: Shard) -> Iterator[Row]:
        return islice(self.matching(self.source.rows(shard)), shard.rows)

    def peek(self, shard: Shard) -> Iterator[Row]:
        return islice(self.matching(self.source.peek(shard)), shard.rows)

    def matching(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            if self.holds(row.values) and (
                self.threshold is None or hashed(row.key, self.selection.seed) <= self.threshold
            ):
                yield row

    def schema(self) -> pa.Schema:
        return self.source.schema()


def choose(source: Peekable, selection: Selection, spool: Path) -> Peekable:
    """Give the rows of a source that a selection means. Raises SourceError for a bad condition."""
    if selection == Selection(seed=selection.seed):
        return source
    holds = condition(selection.where, source.columns) if selection.where else always
    every = Chosen(source, selection, holds, None)
    return replace(every, threshold=threshold(every, spool))


def always(values: Mapping[str, Any]) -> bool:
    return True


def hashed(key: str, seed: int) -> int:
    """Give a number that looks like chance, the same on every machine."""
    text = f"{seed} {key}".encode("utf-8", "surrogateescape")
    return int.from_bytes(blake2b(text, digest_size=8).digest())


def threshold(every: Chosen, spool: Path) -> int | None:
    """
    Give the hash up to which rows are in the sample; None where all are.

    All keys are read once to find it, and it is kept in the run's folder.
    """
    selection = every.selection
    if selection.sample is None:
        return None
    kept, asked = spool / "sample.json", asdict(replace(selection, limit=None))
    if kept.exists():
        known = json.loads(kept.read_text("utf-8"))
        if known["asked"] == asked:
            return int(known["threshold"])
    found = nth_smallest(every, selection.sample)
    with whole_file(str(kept)) as file:
        file.write(json.dumps({"asked": asked, "threshold": found}).encode())
    return found


def nth_smallest(every: Chosen, sample: int) -> int:
    """Give the largest of the `sample` smallest hashes; -1 for a sample of none."""
    source, seed = every.source, every.selection.seed
    hashes = (
        hashed(row.key, seed)
        for shard in source.shards()
        for row in every.matching(source.peek(shard))
    )
    return max(heapq.nsmallest(sample, hashes), default=-1)
