"""
The seam between where images come from and what is done with them: a source is cut into shards, a
shard into rows.

A run asks a `Source` for its shards once, one after another, and for the rows of any shard as often
as it needs: the same shard gives the same rows under the same keys, today and on another machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from eyeline.errors import EyelineError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Shard:
    """
    One deterministic piece of a source, small enough to be done in one go.

    `start` and `stop` are rows, bytes or members, as the kind of source counts; `stop` is None for
    "to the end". `first` is the number of its first row in the whole source. `rows` is the most
    that is taken of it, None for all.
    """

    number: int
    location: str
    start: int = 0
    stop: int | None = None
    first: int = 0
    rows: int | None = None

    def to_record(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Shard:
        return cls(**record)


@dataclass(frozen=True, slots=True)
class Row:
    """
    One question of a run.

    `at` is its place in the shard, from 0, gaps where rows were not chosen; `key` its stable name
    in the run; `source` what a person calls it. `images` are what `parse_reference` takes. `values`
    are the input's other columns, for the prompt's `{column}` and for `--keep`. `problem` is why it
    could not be read: it becomes a failed row, and is never sent.
    """

    at: int
    key: str
    source: str
    images: tuple[object, ...] = field(default=(), repr=False)
    values: Mapping[str, Any] = field(default_factory=dict)
    problem: EyelineError | None = None


class Source(Protocol):
    """Rows from somewhere. It keeps no place of its own, so any number of readers may share it."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that `values` of every row may hold."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What was opened, in plain JSON; it differs where the source changed under a run."""

    def shards(self) -> Iterator[Shard]:
        """Cut the source, lazily; numbers count from 0."""

    def rows(self, shard: Shard) -> Iterator[Row]:
        """Read one shard, a row at a time. A row that cannot be read carries its `problem`."""

    def schema(self) -> pa.Schema:
        """Give the Arrow type of each of `columns`, in order."""


@dataclass(frozen=True, slots=True)
class Selection:
    """
    Which rows of a source are meant: those of which `where` holds, of these `sample` by chance (the
    same ones for the same `seed`), and of these the first `limit`.
    """

    where: str = ""
    sample: int | None = None
    limit: int | None = None
    seed: int = 0


EVERY = Selection()


def open_source(
    text: str,
    *,
    spool: Path,
    image_columns: Sequence[str] = (),
    selection: Selection = EVERY,
) -> Source:
    """
    Open a folder, a glob, a list (.txt), a table (CSV, TSV, JSONL, Parquet), a WebDataset (.tar),
    any of these under an fsspec URL, or `-`, JSONL on standard input.

    `spool` is a folder of the run's own, made if need be. What cannot be read twice alike is kept
    there at the first opening and read from there at every later one: standard input itself, the
    listing of a folder or glob, the threshold of a sample. So a resumed run, or a worker that sees
    the same folder, meets the same rows. `image_columns` name the columns of a table that hold
    images; without any it is found by name or content.

    Raises SourceError for what cannot be opened or understood, and MissingExtra where a driver is
    not installed.
    """
    from eyeline.bulk.sources.opening import opened

    return opened(text, spool, tuple(image_columns), selection)
