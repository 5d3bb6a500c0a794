"""Files of lines, cut into shards at line ends and read from the middle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from eyeline.bulk.rows import Shard
from eyeline.bulk.sources.storage import open_binary

# A shard's answers are committed together, and its rows are open at once: small enough for both.
SHARD_ROWS = 1000
# Lines may hold images in base64.
SHARD_BYTES = 64 * 2**20


@dataclass(slots=True)
class Cutter:
    """Cuts a run of records, told one after another, into shards."""

    location: str
    start: int = 0
    made: int = 0
    first: int = 0
    rows: int = 0
    size_bytes: int = field(default=0)

    def take(self, size_bytes: int) -> Iterator[Shard]:
        """Take one more record; give the shard it fills."""
        self.rows += 1
        self.size_bytes += size_bytes
        if self.rows == SHARD_ROWS or self.size_bytes >= SHARD_BYTES:
            yield from self.end()

    def end(self) -> Iterator[Shard]:
        """Give the shard that is not full, if any record is in it."""
        if not self.rows:
            return
        stop = self.start + self.size_bytes
        yield Shard(self.made, self.location, self.start, stop, first=self.first)
        self.made += 1
        self.first += self.rows
        self.start, self.rows, self.size_bytes = stop, 0, 0


def cut(records: Iterable[int], location: str, start: int = 0) -> Iterator[Shard]:
    """Cut records, told by their sizes in bytes, from byte `start` on."""
    cutter = Cutter(location, start)
    for size_bytes in records:
        yield from cutter.take(size_bytes)
    yield from cutter.end()


def cut_lines(location: str, start: int = 0) -> Iterator[Shard]:
    """Cut a file at line ends."""
    with open_binary(location, start) as file:
        yield from cut(map(len, file), location, start)


def lines_of(location: str, shard: Shard) -> Iterator[bytes]:
    """Give the lines of a shard, with their ends."""
    left = None if shard.stop is None else shard.stop - shard.start
    with open_binary(location, shard.start) as file:
        for line in file:
            yield line
            if left is not None:
                left -= len(line)
                if left <= 0:
                    return
