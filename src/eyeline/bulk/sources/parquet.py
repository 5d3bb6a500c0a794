"""Rows of Parquet files, cut at row groups and read a few at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any

from eyeline.bulk.arrow import pa, pq
from eyeline.bulk.errors import SourceError
from eyeline.bulk.rows import Row, Shard
from eyeline.bulk.sources.cells import Table, image_columns, plain_columns
from eyeline.bulk.sources.lines import SHARD_ROWS
from eyeline.bulk.sources.storage import open_binary, stamp
from eyeline.core.reference import shown

# Of a larger row group several shards are made; each reads over what comes before it.
GROUP_ROWS_MAX = 10_000
BATCH_BYTES, BATCH_ROWS_MAX = 16 * 2**20, 1000
# Pages are read as they are needed, not a row group at once.
BUFFER_BYTES = 2**20
# What pyarrow raises for damage.
UNREADABLE = (pa.ArrowException, OSError, UnicodeDecodeError)
# Enough to see what a column holds, without reading a hundred photos for it.
SAMPLE_ROWS = 10


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """Rows of one file; `start` and `stop` of a shard are rows of it."""

    table: Table

    @property
    def columns(self) -> tuple[str, ...]:
        return self.table.columns

    @property
    def identity(self) -> Mapping[str, Any]:
        images = [*self.table.image_columns]
        place, location = shown(self.table.origin, 500), self.table.location
        return {"kind": "parquet", "location": place, "images": images, **stamp(location)}

    def shards(self) -> Iterator[Shard]:
        with opened(self.table.location) as file:
            counts = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
        for number, (start, stop) in enumerate(ranges(counts)):
            yield Shard(number, self.table.location, start, stop, start)

    def rows(self, shard: Shard) -> Iterator[Row]:
        """Give the rows; where a page is damaged, all from there on are rows with a problem."""
        names = [*dict.fromkeys((*self.table.image_columns, *self.columns))]
        at = 0
        try:
            for at, cells in enumerate(read(shard, names), 1):
                yield self.table.row(at - 1, shard.first, cells)
        except UNREADABLE as error:
            found = f"the file is damaged: {str(error).partition(chr(10))[0]}"
            for left in range(at, rows_of(shard)):
                yield self.table.failed(left, shard.first, found)

    def peek(self, shard: Shard) -> Iterator[Row]:
        """Give the rows without their images, which are not read."""
        at = 0
        try:
            for at, cells in enumerate(read(shard, [*self.columns]), 1):
                yield self.table.peeked(at - 1, shard.first, cells)
        except UNREADABLE:
            for left in range(at, rows_of(shard)):
                yield self.table.peeked(left, shard.first, {})

    def schema(self) -> pa.Schema:
        with opened(self.table.location) as file:
            known = file.schema_arrow
        return pa.schema([known.field(name) for name in self.columns])


def rows_of(shard: Shard) -> int:
    assert shard.stop is not None
    return shard.stop - shard.start


def open_parquet(location: str, origin: str, given: Sequence[str] = ()) -> ParquetSource:
    """Open a Parquet file. Raises SourceError where it is none, or holds no images."""
    with opened(location) as file:
        names = file.schema_arrow.names
        sample = first_rows(location, file)
    images = image_columns(origin, given, names, sample)
    return ParquetSource(Table(location, origin, images, plain_columns(names, images, sample)))


def first_rows(location: str, file: pq.ParquetFile) -> list[dict[str, Any]]:
    """Give the first rows. Raises SourceError where they cannot be read."""
    try:
        batches = file.iter_batches(SAMPLE_ROWS, row_groups=first_group(file))
        sample = [row for batch in islice(batches, 1) for row in readable(batch).to_pylist()]
    except UNREADABLE as error:
        found = str(error).partition("\n")[0]
        raise SourceError(shown(location), found, "rows that can be read") from None
    if not sample:
        raise SourceError(shown(location), "no rows", "at least one")
    return sample


def first_group(file: pq.ParquetFile) -> list[int]:
    """Give the first row group that holds rows, if one does."""
    groups = range(file.num_row_groups)
    return [at for at in groups if file.metadata.row_group(at).num_rows][:1]


@contextmanager
def opened(location: str) -> Iterator[pq.ParquetFile]:
    with open_binary(location) as file:
        try:
            parquet = pq.ParquetFile(file, buffer_size=BUFFER_BYTES, pre_buffer=False)
        except UNREADABLE as error:
            found = str(error).partition("\n")[0]
            raise SourceError(shown(location), found, "a Parquet file") from None
        with parquet:
            yield parquet


def ranges(counts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Cut rows into ranges: small groups together, large ones apart, never across a large one."""
    start = stop = 0
    for end in accumulate(counts):
        if end - start > SHARD_ROWS and stop > start:
            yield start, stop
            start = stop
        stop = end
        while stop - start > GROUP_ROWS_MAX:
            yield start, start + GROUP_ROWS_MAX
            start += GROUP_ROWS_MAX
    if stop > start:
        yield start, stop


def read(shard: Shard, names: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Give the cells of each row of a shard; no more is held than a batch."""
    assert shard.stop is not None
    if not names:
        yield from ({} for _ in range(shard.start, shard.stop))
        return
    with opened(shard.location) as file:
        before, groups = groups_of(file, shard)
        skip, left = shard.start - before, shard.stop - shard.start
        size = batch_rows(file, groups)
        for batch in file.iter_batches(size, row_groups=groups, columns=[*names]):
            wanted = batch.slice(min(skip, batch.num_rows), left)
            skip -= batch.num_rows - wanted.num_rows if skip else 0
            left -= wanted.num_rows
            yield from readable(wanted).to_pylist()
            if left <= 0:
                return


def groups_of(file: pq.ParquetFile, shard: Shard) -> tuple[int, list[int]]:
    """Give the row groups that a shard touches, and the number of rows before them."""
    assert shard.stop is not None
    before, groups, end = 0, [], 0
    for at in range(file.num_row_groups):
        start, end = end, end + file.metadata.row_group(at).num_rows
        if end <= shard.start:
            before = end
        elif start < shard.stop:
            groups.append(at)
    return before, groups


def batch_rows(file: pq.ParquetFile, groups: Sequence[int]) -> int:
    """Give how many rows are read at once, so that images in bytes do not fill the memory."""
    facts = [file.metadata.row_group(at) for at in groups]
    size_bytes: int = sum(group.total_byte_size for group in facts)
    rows: int = sum(group.num_rows for group in facts)
    return max(1, min(BATCH_ROWS_MAX, BATCH_BYTES * rows // max(1, size_bytes)))


def readable(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Put times of nanoseconds as text: Python has none, and would refuse them."""
    for at, field in enumerate(batch.schema):
        kind = field.type
        if pa.types.is_temporal(kind) and getattr(kind, "unit", "") == "ns":
            text = batch.column(at).cast(pa.string())
            batch = batch.set_column(at, field.name, text)
    return batch
