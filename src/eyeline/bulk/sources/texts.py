"""Rows from text: lists of references, CSV, TSV and JSONL."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Protocol

from eyeline.bulk.arrow import pa
from eyeline.bulk.errors import SourceError
from eyeline.bulk.rows import Row, Shard
from eyeline.bulk.sources.cells import (
    SAMPLE_ROWS,
    Table,
    image_columns,
    looks_like_image,
    plain_columns,
)
from eyeline.bulk.sources.kinds import Kinds
from eyeline.bulk.sources.lines import LINES, SHARD_BYTES, Format, Record, contents, cut_file
from eyeline.bulk.sources.storage import open_binary, stamp
from eyeline.core.reference import shown

BOM = b"\xef\xbb\xbf"
WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
REFERENCE = "reference"
Cells = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that cannot be read, and why."""

    found: str


class TextForm(Format, Protocol):
    """Reads records, and the cells of each."""

    def cells(self, content: Any) -> Cells | Broken: ...


class References:
    """A line is a path or URL."""

    def records(self, file: BinaryIO) -> Iterator[Record]:
        return LINES.records(file)

    def cells(self, content: bytes) -> Cells | Broken:
        try:
            return {REFERENCE: content.decode().strip()}
        except UnicodeDecodeError:
            return Broken("not UTF-8")


class Jsonl:
    """A line is a JSON object."""

    def records(self, file: BinaryIO) -> Iterator[Record]:
        return LINES.records(file)

    def cells(self, content: bytes) -> Cells | Broken:
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            return Broken(f"no JSON: {error}")
        return value if isinstance(value, dict) else Broken(f"a {type(value).__name__}, no object")


@dataclass(frozen=True, slots=True)
class Csv:
    """A record of RFC 4180, which may go over several lines."""

    delimiter: str
    names: tuple[str, ...] = ()

    def records(self, file: BinaryIO) -> Iterator[Record]:
        # Of the whole process; cells may be images in base64.
        csv.field_size_limit(max(csv.field_size_limit(), SHARD_BYTES))
        lines = Decoded(file)
        reader = csv.reader(lines, delimiter=self.delimiter)
        while True:
            lines.record_bytes = 0
            try:
                fields: list[str] | Broken = next(reader)
            except StopIteration:
                return
            except UnicodeDecodeError as error:
                fields = Broken(f"not UTF-8: {error.reason}")
            except csv.Error as error:
                fields = Broken(str(error))
            yield Record(lines.record_bytes, fields or None)

    def cells(self, content: list[str] | Broken) -> Cells | Broken:
        if isinstance(content, Broken):
            return content
        if len(content) != len(self.names):
            return Broken(f"{len(content)} fields, the header has {len(self.names)}")
        return dict(zip(self.names, content, strict=True))


class Decoded:
    """The lines of a file as text, counted in bytes; a record has an end."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.record_bytes = file, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.file.readline()
        if not line:
            raise StopIteration
        self.record_bytes += len(line)
        if self.record_bytes > SHARD_BYTES:
            raise csv.Error("a quote is opened and never closed")
        return line.decode()


@dataclass(frozen=True, slots=True)
class TextSource:
    """Rows of a text file; `start` is the byte where they begin, after a header."""

    table: Table
    form: TextForm
    start: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        return self.table.columns

    @property
    def identity(self) -> Mapping[str, Any]:
        images = [*self.table.image_columns]
        place = shown(self.table.origin, 500)
        return {"kind": "text", "location": place, "images": images, **stamp(self.table.location)}

    def shards(self) -> Iterator[Shard]:
        return cut_file(self.table.location, self.form, self.start)

    def cells(self, shard: Shard) -> Iterator[Cells | Broken]:
        return map(self.form.cells, contents(shard, self.form))

    def rows(self, shard: Shard) -> Iterator[Row]:
        for at, cells in enumerate(self.cells(shard)):
            if isinstance(cells, Broken):
                yield self.table.failed(at, shard.first, cells.found)
            else:
                yield self.table.row(at, shard.first, cells)

    def peek(self, shard: Shard) -> Iterator[Row]:
        for at, cells in enumerate(self.cells(shard)):
            yield self.table.peeked(at, shard.first, {} if isinstance(cells, Broken) else cells)

    def schema(self) -> pa.Schema:
        """Text is text; what JSON holds is read through once, for it may change its mind late."""
        if not isinstance(self.form, Jsonl):
            return pa.schema([(name, pa.string()) for name in self.columns])
        kinds = Kinds(self.columns)
        for shard in self.shards():
            for cells in self.cells(shard):
                if not isinstance(cells, Broken):
                    kinds.take(cells)
        return kinds.schema()


def open_references(location: str, origin: str) -> TextSource:
    """Open a list of references, one a line."""
    with open_binary(location) as file:
        start = beginning(location, file)
    table = Table(location, origin, (REFERENCE,), ())
    return TextSource(table, References(), start)


def open_jsonl(location: str, origin: str, given: Sequence[str] = ()) -> TextSource:
    """Open a file of JSON objects; its columns are the keys of the first hundred."""
    form = Jsonl()
    with open_binary(location) as file:
        start = beginning(location, file)
        sample = first_rows(location, file, form)
    names = [*dict.fromkeys(name for row in sample for name in row)]
    images, columns = columns_of(origin or location, given, names, sample)
    return TextSource(Table(location, origin, images, columns), form, start)


def open_csv(location: str, origin: str, given: Sequence[str] = ()) -> TextSource:
    """Open a CSV or TSV file with a header; of a CSV the header tells the delimiter."""
    with open_binary(location) as file:
        bom_bytes = beginning(location, file)
        header = file.readline()
        file.seek(bom_bytes)
        delimiter = delimiter_of(location, header)
        record = next(Csv(delimiter).records(file), None)
        names = read_header(location, record)
        form = Csv(delimiter, tuple(names))
        sample = first_rows(location, file, form)
    assert record is not None
    images, columns = columns_of(origin, given, names, sample)
    table = Table(location, origin, images, columns)
    return TextSource(table, form, bom_bytes + record.size_bytes)


def beginning(location: str, file: BinaryIO) -> int:
    """Give where text begins, and set the file there. Raises SourceError for UTF-16."""
    head = file.read(len(BOM))
    if head.startswith(WIDE_BOMS):
        raise SourceError(shown(location), "UTF-16", "UTF-8", "save it as UTF-8")
    start = len(BOM) if head == BOM else 0
    file.seek(start)
    return start


def delimiter_of(location: str, header: bytes) -> str:
    if location.lower().endswith((".tsv", ".tab")):
        return "\t"
    return max(",;\t|", key=lambda each: header.count(each.encode()))


def read_header(location: str, record: Record | None) -> list[str]:
    """Give the names of the columns. Raises SourceError where the first line holds none."""
    names = record.content if record is not None else None
    expected = "a header that names the columns"
    if isinstance(names, Broken):
        raise SourceError(shown(location), names.found, expected)
    if not names:
        raise SourceError(shown(location), "empty", expected)
    names = [str(name).strip() for name in names]
    if any(map(looks_like_image, names)):
        raise SourceError(shown(location), f"{shown(names[0])} in the first line", expected)
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(shown(location), f"several columns {repeated[0]!r}", "different names")
    return names


def first_rows(location: str, file: BinaryIO, form: TextForm) -> list[Cells]:
    """Give the first rows that can be read. Raises SourceError where there is none."""
    records = (record.content for record in form.records(file) if record.content is not None)
    cells = [form.cells(content) for content in islice(records, SAMPLE_ROWS)]
    sample = [row for row in cells if not isinstance(row, Broken)]
    if not sample:
        found = cells[0].found if cells and isinstance(cells[0], Broken) else "no rows"
        raise SourceError(shown(location), found, "at least one row that can be read")
    return sample


def columns_of(
    origin: str, given: Sequence[str], names: Sequence[str], sample: Sequence[Cells]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the columns that hold images, and those whose values are told."""
    images = image_columns(origin, given, names, sample)
    return images, plain_columns(names, images, sample)
