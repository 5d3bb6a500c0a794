"""Tables as text: a JSON object a line, or CSV."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import pyarrow as pa

Write = Callable[["pa.Table"], None]


@contextmanager
def jsonl_writer(file: BinaryIO) -> Iterator[Write]:
    """Write each row as one JSON object, columns in order, what is absent as null."""

    def write(table: pa.Table) -> None:
        for batch in table.to_batches(max_chunksize=1000):
            lines = (dumps(row) + "\n" for row in batch.to_pylist())
            file.write("".join(lines).encode())

    yield write


@contextmanager
def csv_writer(file: BinaryIO, names: Sequence[str]) -> Iterator[Write]:
    """Write CSV in UTF-8 with a header; lists and objects stand as JSON, null as nothing."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(names)

    def write(table: pa.Table) -> None:
        for batch in table.to_batches(max_chunksize=1000):
            writer.writerows(map(cell, row.values()) for row in batch.to_pylist())

    yield write
    text.detach()


def cell(value: Any) -> Any:
    match value:
        case None | str() | int() if not isinstance(value, bool):
            return value
        case Decimal():
            return f"{value.normalize():f}"
        case dict() | list() | bool() | float():
            return dumps(value)
    return plain(value)


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=plain)


def plain(value: Any) -> Any:
    """
    Put what JSON has no form for into one: bytes as base64, times as ISO 8601, dollars as a number.

    Up to fifteen digits a float is written with those of the decimal it was made of.
    """
    match value:
        case Decimal():
            return float(value) if len(value.normalize().as_tuple().digits) <= 15 else str(value)
        case bytes():
            return base64.b64encode(value).decode()
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
    return str(value)
