"""Files of records, one after another, cut into shards between records and read from there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, Protocol

from eyeline.bulk.rows import Shard
from eyeline.bulk.sources.storage import open_binary

# A shard's answers are committed together, and its rows are open at once: small enough for both.
SHARD_ROWS = 1000
# Lines may hold images in base64.
SHARD_BYTES = 64 * 2**20


class Record(NamedTuple):
    """One record with its size in the file; `content` is None for one that is no row, as a gap."""

    size_bytes: int
    content: Any


class Format(Protocol):
    """Reads records from where a file stands."""

    def records(self, file: BinaryIO) -> Iterator[Record]: ...


class Lines:
    """A line is a record; empty ones are none."""

    def records(self, file: BinaryIO) -> Iterator[Record]:
        for line in file:
            yield Record(len(line), line if not line.isspace() else None)


LINES = Lines()


@dataclass(slots=True)
class Cutter:
    """Cuts a run of records, told one after another, into shards."""

    location: str
    start: int = 0
    made: int = 0
    first: int = 0
    rows: int = 0
    size_bytes: int = 0

    def take(self, record: Record) -> Iterator[Shard]:
        """Take one more record; give the shard it fills."""
        self.rows += record.content is not None
        self.size_bytes += record.size_bytes
        if self.rows == SHARD_ROWS or self.size_bytes >= SHARD_BYTES:
            yield from self.end()

    def end(self) -> Iterator[Shard]:
        """Give the shard that is not full, if any row is in it."""
        if not self.rows:
            return
        stop = self.start + self.size_bytes
        yield Shard(self.made, self.location, self.start, stop, self.first)
        self.made += 1
        self.first += self.rows
        self.start, self.rows, self.size_bytes = stop, 0, 0


def cut(records: Iterable[Record], location: str, start: int = 0) -> Iterator[Shard]:
    """Cut records that begin at byte `start`."""
    cutter = Cutter(location, start)
    for record in records:
        yield from cutter.take(record)
    yield from cutter.end()


def cut_file(location: str, form: Format = LINES, start: int = 0) -> Iterator[Shard]:
    """Cut a file between its records."""
    with open_binary(location, start) as file:
        yield from cut(form.records(file), location, start)


def contents(shard: Shard, form: Format = LINES) -> Iterator[Any]:
    """Give what the rows of a shard hold."""
    assert shard.stop is not None
    left = shard.stop - shard.start
    with open_binary(shard.location, shard.start) as file:
        for record in form.records(file):
            if record.content is not None:
                yield record.content
            left -= record.size_bytes
            if left <= 0:
                return
