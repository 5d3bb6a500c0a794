"""Tables of answers: typed columns, parts, and one file made of them in any format."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eyeline.bulk import tables
from eyeline.bulk.columns import columns_of
from eyeline.bulk.tables import assemble, check_format, read_metadata, read_rows, write_part
from eyeline.core.schema import read_schema
from eyeline.errors import SettingsError

SCHEMA = read_schema({
    "title": "Damage",
    "type": "object",
    "properties": {
        "part": {"type": "string"},
        "kind": {"enum": ["dent", "scratch", None]},
        "count": {"type": "integer"},
        "size_cm": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "is_safe": {"type": ["boolean", "null"]},
        "boxes": {"type": "array", "items": {"$ref": "#/$defs/box"}},
        "span": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "number"}]},
        "tree": {"$ref": "#/$defs/tree"},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "anything": True,
        "text": {"type": "string"},
    },
    "$defs": {
        "box": {"properties": {"x": {"type": "integer"}, "label": {"const": "b"}}},
        "tree": {"type": "object", "properties": {"inner": {"$ref": "#/$defs/tree"}}},
    },
})  # fmt: skip


def result(number: int, **more: Any) -> dict[str, Any]:
    return {
        "key": str(number), "source": f"{number}.jpg", "status": "done", "text": "{}",
        "cost_usd": Decimal("0.000294205"), "cached": False, "latency_s": 0.25, "attempts": 1,
        "model": "gpt-6-luna", "input_tokens": 2942, **more,
    }  # fmt: skip


def test_a_schema_becomes_typed_columns() -> None:
    """Each field has the Arrow type of its values; what has none stands as JSON text."""
    columns = columns_of(SCHEMA)
    assert columns.schema.names == [
        "key", "source", "status", "text", "part", "kind", "count", "size_cm", "is_safe", "boxes",
        "span", "tree", "tags", "either", "anything", "answer_text", "error", "error_kind", "model",
        "input_tokens", "output_tokens", "image_tokens", "cost_usd", "cached", "latency_s",
        "attempts",
    ]  # fmt: skip
    kinds = {field.name: field.type for field in columns.schema}
    assert kinds["part"] == kinds["kind"] == pa.string()
    assert (kinds["count"], kinds["size_cm"]) == (pa.int64(), pa.float64())
    assert kinds["is_safe"] == pa.bool_()
    assert kinds["boxes"] == pa.list_(pa.struct([("x", pa.int64()), ("label", pa.string())]))
    assert kinds["span"] == pa.list_(pa.float64())
    assert columns.as_json == {"tree", "tags", "either", "anything"}
    assert all(field.nullable for field in columns.schema)


def test_parts_become_one_parquet_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows stand in input order with their types; the file says how it was made."""
    monkeypatch.setattr(tables, "GROUP_ROWS", 2)
    source = pa.schema([("seen", pa.timestamp("ns")), ("price", pa.decimal128(9, 2))])
    columns = columns_of(SCHEMA, source, ["price", "seen"])
    values = {"price": Decimal("12.50"), "seen": "2026-11-29 10:00:00.123456789"}
    parsed = {
        "part": "door", "count": 10**30, "boxes": [{"x": 3, "label": "b"}], "either": 3,
        "text": "said", "size_cm": 2**60,
    }  # fmt: skip
    parts = []
    for shard, numbers in enumerate([[0, 1], [], [2, 3, 4]]):
        parts.append(tmp_path / f"part-{shard}.parquet")
        rows = [result(number, parsed=parsed, values=values) for number in numbers]
        assert write_part(parts[-1], rows, columns) == len(numbers)
    out = tmp_path / "new" / "out.parquet"
    assert assemble(parts, str(out), {"model": "gpt-6-luna"}) == 5
    table = pq.read_table(out)
    assert table.schema.remove_metadata() == columns.schema
    assert table["key"].to_pylist() == ["0", "1", "2", "3", "4"]
    assert table["cost_usd"][0].as_py() == Decimal("0.000294205")
    assert table["answer_text"][0].as_py() == "said"
    assert (table["count"][0].as_py(), table["size_cm"][0].as_py()) == (None, float(2**60))
    assert table["seen"].cast(pa.string())[0].as_py() == "2026-11-29 10:00:00.123456789"
    assert pq.ParquetFile(out).num_row_groups == 2
    assert read_metadata(out) == {"model": "gpt-6-luna"}
    assert [row["key"] for row in read_rows(out, ["key"])] == ["0", "1", "2", "3", "4"]
    assert [path.name for path in out.parent.iterdir()] == ["out.parquet"]


def test_text_formats_say_the_same(tmp_path: Path) -> None:
    """JSONL keeps objects and numbers, CSV has them as JSON; dollars keep every digit."""
    source = pa.schema([("raw", pa.binary()), ("day", pa.date32())])
    columns = columns_of(SCHEMA, source, ["raw", "day"])
    values = {"raw": b"\0\xff", "day": "2026-11-29"}
    parsed = {"part": 'a "b",\nc', "count": 3, "boxes": [{"x": 1, "label": "b"}], "is_safe": True}
    write_part(tmp_path / "p", [result(0, parsed=parsed, values=values), result(1)], columns)
    assemble([tmp_path / "p"], str(tmp_path / "out.jsonl"), {})
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text("utf-8").splitlines())
    assert (first["part"], first["boxes"]) == ('a "b",\nc', [{"x": 1, "label": "b"}])
    assert (first["raw"], first["day"], second["part"]) == ("AP8=", "2026-11-29", None)
    assert '"cost_usd": 0.000294205,' in (tmp_path / "out.jsonl").read_text("utf-8")
    assemble([tmp_path / "p"], str(tmp_path / "out.csv"), {})
    text = (tmp_path / "out.csv").read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert (rows[0]["part"], rows[0]["boxes"]) == ('a "b",\nc', '[{"x": 1, "label": "b"}]')
    assert (rows[0]["cost_usd"], rows[0]["is_safe"], rows[1]["part"]) == ("0.000294205", "true", "")


def test_a_table_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    """Where writing stops half way, nothing new is there, and what was there stays."""
    part = tmp_path / "run" / "part.parquet"
    part.parent.mkdir()
    part.write_bytes(b"old")

    def breaking() -> Any:
        yield result(0)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_part(part, breaking(), columns_of())
    assert part.read_bytes() == b"old"
    assert list(part.parent.iterdir()) == [part]


def test_results_go_to_storage(tmp_path: Path) -> None:
    """Parts and the result may lie under any fsspec URL, also one that has to be renamed into."""
    storage = fsspec.filesystem("memory")
    try:
        write_part("memory://run/part-0.parquet", [result(0)], columns_of())
        assemble(["memory://run/part-0.parquet"], "memory://run/out.csv", {})
        assert storage.cat("/run/out.csv").startswith(b"key,source,status,text,error,")
        for _ in range(2):
            assemble(["memory://run/part-0.parquet"], f"local://{tmp_path}/deep/out.parquet", {})
        assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out.parquet"]
    finally:
        storage.rm("/run", recursive=True)


def test_what_cannot_be_written_is_refused_at_once() -> None:
    """A format that is not written here, or a column the input lacks, is named before the run."""
    assert check_format("s3://b/OUT.Parquet") == ".parquet"
    with pytest.raises(SettingsError, match=r"out.xlsx.*expected a name in .parquet"):
        check_format("out.xlsx")
    with pytest.raises(
        SettingsError, match=r"'prize', expected one of price, b; did you mean pric"
    ):
        columns_of(None, pa.schema([("price", pa.string()), ("b", pa.string())]), ["prize"])
    with pytest.raises(SettingsError, match="has no columns"):
        columns_of(None, pa.schema([]), ["price"])


def test_names_never_clash() -> None:
    """A field called like a fixed column, and an input column like either, get longer names."""
    schema = read_schema({"type": "object", "properties": {"model": {"type": "string"}}})
    source = pa.schema([("model", pa.int8()), ("answer_model", pa.int8())])
    columns = columns_of(schema, source, ["model", "answer_model"])
    assert columns.answers == {"model": "answer_model"}
    assert columns.kept == {"model": "input_model", "answer_model": "input_answer_model"}
