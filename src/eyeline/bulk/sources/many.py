"""Several tables or archives as one source, in the order of their names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyeline.bulk.rows import Row, Shard
from eyeline.bulk.sources.chosen import Peekable
from eyeline.bulk.sources.files import joined
from eyeline.bulk.sources.lines import LINES
from eyeline.bulk.sources.listing import Listed

if TYPE_CHECKING:
    import pyarrow as pa

Opening = Callable[[str], Peekable]


@dataclass(frozen=True, slots=True)
class ManySource:
    """
    The tables of a listing under `top`. All have the columns of the first; a row's key has its
    table's name before it.
    """

    top: str
    listing: Path
    opening: Opening

    @property
    def columns(self) -> tuple[str, ...]:
        return self.opening(next(self.places())[1]).columns

    @property
    def identity(self) -> Mapping[str, Any]:
        first = self.opening(next(self.places())[1]).identity
        return {"kind": "many", "count": sum(1 for _ in self.places()), "first": first}

    def places(self) -> Iterator[tuple[str, str]]:
        """Give the name and the place of each table."""
        with self.listing.open("rb") as file:
            for line in LINES.records(file):
                name = Listed(*json.loads(line.content)).name
                yield name, joined(self.top, name)

    def shards(self) -> Iterator[Shard]:
        number = 0
        for _, place in self.places():
            for shard in self.opening(place).shards():
                yield replace(shard, number=number)
                number += 1

    def rows(self, shard: Shard) -> Iterator[Row]:
        rows = self.opening(shard.location).rows(shard)
        return (self.named(row, shard.location) for row in rows)

    def peek(self, shard: Shard) -> Iterator[Row]:
        rows = self.opening(shard.location).peek(shard)
        return (self.named(row, shard.location) for row in rows)

    def named(self, row: Row, place: str) -> Row:
        name = place.removeprefix(joined(self.top, "")) if self.top else place.rpartition("/")[2]
        return replace(row, key=f"{name}:{row.key}")

    def schema(self) -> pa.Schema:
        return self.opening(next(self.places())[1]).schema()


def remembering(opening: Opening) -> Opening:
    """Open each table once for as long as it is read."""
    return lru_cache(maxsize=16)(opening)
