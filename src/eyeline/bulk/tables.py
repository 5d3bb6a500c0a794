"""
Tables of answers: parts as shards finish, and one Parquet, JSONL or CSV file made of them.

A part is always Parquet. Every file is written under a temporary name, synced and renamed, so that
what has its name is whole; on object storage it appears when its upload is complete.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from eyeline.bulk.arrow import pa, pq
from eyeline.bulk.columns import Columns
from eyeline.bulk.sources.storage import bare, open_binary
from eyeline.bulk.texts import Write, csv_writer, dumps, jsonl_writer
from eyeline.bulk.whole import whole_file
from eyeline.errors import SettingsError

METADATA = b"eyeline"
FORMATS = (".parquet", ".jsonl", ".csv")
# Rows that are turned into Arrow at once, and those of a row group of the result: what is held.
ROWS_AT_ONCE = 1000
GROUP_ROWS, GROUP_BYTES = 20_000, 16 * 2**20


def check_format(out: str) -> str:
    """Give the suffix of a result's name. Raises SettingsError for one that is not written here."""
    suffix = Path(bare(out)).suffix.lower()
    if suffix not in FORMATS:
        raise SettingsError("-o", out, f"a name in {', '.join(FORMATS)}, or a folder/ for parts")
    return suffix


def write_part(
    path: str | Path,
    results: Iterable[Mapping[str, Any]],
    columns: Columns,
    *,
    replaces: bool = True,
) -> int:
    """
    Write the results of one shard, in the order given, as Parquet; give the number of rows. What is
    there already stays, unless it `replaces` that.

    `results` are what `Columns.record` takes; they are read as they are written.
    """
    count = 0
    with (
        whole_file(str(path), replaces=replaces) as file,
        pq.ParquetWriter(file, columns.schema) as writer,
    ):
        for results_at_once in chunks(results, ROWS_AT_ONCE):
            records = [columns.record(result) for result in results_at_once]
            writer.write_batch(batch_of(records, columns.schema))
            count += len(records)
    return count


def chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    held: list[Any] = []
    for item in items:
        held.append(item)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held


def batch_of(records: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    arrays = [array_of([record[field.name] for record in records], field.type) for field in schema]
    return pa.record_batch(arrays, schema=schema)


def array_of(values: list[Any], kind: pa.DataType) -> pa.Array[Any]:
    """
    Give a column. A value that its type cannot hold, as an integer of thirty digits, is null; what
    the model said stands whole in `text`.
    """
    try:
        return array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.concat_arrays([one(value, kind) for value in values])


def array(values: list[Any], kind: pa.DataType) -> pa.Array[Any]:
    # Times of nanoseconds come as text, for Python has none.
    if pa.types.is_temporal(kind) and any(isinstance(value, str) for value in values):
        return pa.array(values, pa.string()).cast(kind)
    if pa.types.is_string(kind):  # of an input column with values of several kinds
        values = [
            value if value is None or isinstance(value, str) else dumps(value) for value in values
        ]
    if pa.types.is_floating(kind):  # an integer past 2⁵³ is refused otherwise
        values = [float(value) if isinstance(value, int) else value for value in values]
    return pa.array(values, kind)


def one(value: Any, kind: pa.DataType) -> pa.Array[Any]:
    try:
        return array([value], kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None], kind)


# --- the result ----------------------------------------------------------------------------------


def assemble(parts: Iterable[str | Path], out: str, metadata: Mapping[str, Any]) -> int:
    """
    Make one file of the parts, in their order; give the number of rows. The file's suffix says
    which kind. Holds no more than a row group, however many rows there are.

    `metadata` is plain JSON about the run, kept in Parquet under the key "eyeline" and nowhere
    else.
    """
    suffix, tables = check_format(out), batches(parts)
    first = next(tables)
    noted = {METADATA: json.dumps(metadata, ensure_ascii=False).encode()}
    schema = first.schema.with_metadata(noted)
    count = 0
    with whole_file(out) as file, writing(suffix, file, schema) as write:
        for table in groups(first, tables):
            write(table)
            count += table.num_rows
    return count


def batches(parts: Iterable[str | Path]) -> Iterator[pa.Table]:
    """Give an empty table and then each row group of each part."""
    for part in parts:
        with open_binary(str(part)) as opened, pq.ParquetFile(opened) as file:
            yield file.schema_arrow.empty_table()
            for group in range(file.num_row_groups):
                yield file.read_row_group(group)


def groups(first: pa.Table, rest: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join tables until they make a row group worth its header."""
    held, rows, size_bytes = [first], first.num_rows, first.nbytes
    for table in rest:
        held.append(table)
        rows, size_bytes = rows + table.num_rows, size_bytes + table.nbytes
        if rows >= GROUP_ROWS or size_bytes >= GROUP_BYTES:
            yield pa.concat_tables(held)
            held, rows, size_bytes = [], 0, 0
    if held:
        yield pa.concat_tables(held)


def writing(suffix: str, file: BinaryIO, schema: pa.Schema) -> AbstractContextManager[Write]:
    """Give the writer of a kind of file."""
    if suffix == ".jsonl":
        return jsonl_writer(file)
    if suffix == ".csv":
        return csv_writer(file, schema.names)
    return parquet_writer(file, schema)


@contextmanager
def parquet_writer(file: BinaryIO, schema: pa.Schema) -> Iterator[Write]:
    with pq.ParquetWriter(file, schema) as writer:
        yield writer.write_table


def read_rows(path: str | Path, names: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Read a part or a Parquet result row by row, the columns `names` or all."""
    with open_binary(str(path)) as opened, pq.ParquetFile(opened) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=None if names is None else [*names]):
            yield from batch.to_pylist()


def read_metadata(path: str | Path) -> dict[str, Any]:
    """Give what `assemble` noted in a Parquet result; {} for a table of another program."""
    with open_binary(str(path)) as opened, pq.ParquetFile(opened) as file:
        noted = (file.schema_arrow.metadata or {}).get(METADATA, b"{}")
    found: dict[str, Any] = json.loads(noted)
    return found
