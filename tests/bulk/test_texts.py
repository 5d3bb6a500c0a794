"""Rows from text: lists, CSV, TSV and JSONL, whole and in shards, with all that is wrong."""

from __future__ import annotations

import base64
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from eyeline.bulk.errors import SourceError
from eyeline.bulk.rows import Row, Source, open_source
from eyeline.bulk.sources import lines
from eyeline.core.reference import parse_reference

PNG = b"\x89PNG\r\n\x1a\n and more"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "run"


def every(source: Source) -> list[Row]:
    return [row for shard in source.shards() for row in source.rows(shard)]


def table(tmp_path: Path, name: str, content: str | bytes) -> str:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_a_list_names_images_from_its_own_folder(tmp_path: Path, spool: Path) -> None:
    """A line is a path, from the list's folder, or a URL; empty lines are none."""
    text = "a.jpg\r\n\r\n/b/c d.png\nhttps://h/x?q=1\nscan.pdf#2\n"
    rows = every(open_source(table(tmp_path, "list.txt", text), spool=spool))
    assert [row.key for row in rows] == ["0", "1", "2", "3"]
    assert [str(parse_reference(row.images[0])) for row in rows] == [
        f"{tmp_path}/a.jpg", "/b/c d.png", "https://h/x?…", f"{tmp_path}/scan.pdf#2",
    ]  # fmt: skip
    assert rows[2].source == "https://h/x?"


@pytest.mark.parametrize("rows_each", [1, 2, 1000])
def test_csv_is_cut_only_between_records(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch, rows_each: int
) -> None:
    """Quoted line ends, quotes, a BOM and empty lines change no row, wherever shards end."""
    monkeypatch.setattr(lines, "SHARD_ROWS", rows_each)
    text = (
        '\ufeffimage,product,note\r\na.jpg,"two\nlines, ""q""",1\r\n'
        '\r\nb.jpg,x;y,\r\nc.jpg,"\n\n",3'
    )
    source = open_source(table(tmp_path, "t.csv", text), spool=spool)
    rows = every(source)
    assert [row.key for row in rows] == ["0", "1", "2"]
    assert [row.values["product"] for row in rows] == ['two\nlines, "q"', "x;y", "\n\n"]
    assert rows[0].values == {"image": "a.jpg", "product": 'two\nlines, "q"', "note": "1"}
    assert source.columns == ("image", "product", "note")
    assert source.schema().types == [pa.string()] * 3


def test_a_row_that_cannot_be_read_is_a_row(tmp_path: Path, spool: Path) -> None:
    """Too few fields, no UTF-8, no image: each is a row with its problem, the others are whole."""
    content = b"image;n\na.jpg;1\nb.jpg\n\xff\xfe.jpg;2\n ;3\nc.jpg;4\n"
    rows = every(open_source(table(tmp_path, "t.csv", content), spool=spool))
    assert [str(row.problem) if row.problem else row.source for row in rows] == [
        "a.jpg",
        "t.csv row 1: not readable (1 fields, the header has 2)",
        "t.csv row 2: not readable (not UTF-8: invalid start byte)",
        "t.csv row 3, image: not readable (no image)",
        "c.jpg",
    ]


def test_a_quote_that_never_closes_costs_no_memory(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows it is read up to a limit, and is one failed row; then rows go on."""
    monkeypatch.setattr("eyeline.bulk.sources.texts.SHARD_BYTES", 40)
    text = 'image,n\na.jpg,1\nb.jpg,"2\nc.jpg,3\nd.jpg,4\ne.jpg,5\nf.jpg,6\ng.jpg,7\n'
    rows = every(open_source(table(tmp_path, "t.csv", text), spool=spool))
    assert [row.key for row in rows if row.problem] == ["1"]
    assert "never closed" in str(rows[1].problem)
    assert rows[-1].source == "g.jpg"


def test_jsonl_holds_what_json_can(tmp_path: Path, spool: Path) -> None:
    """Bytes in base64, several images, a part of a chat message; a line that is no object fails."""
    data = base64.b64encode(PNG).decode()
    cells: list[Any] = [
        {"image": {"bytes": data, "path": "a.png"}, "n": 1},
        {"image": ["b.jpg", {"path": "c.jpg", "bytes": None}], "n": 2.5},
        {"image": {"image_url": {"url": "https://h/d.jpg"}}, "n": None, "late": [1]},
        {"image": {"bytes": "?", "path": "e.jpg"}},
        {"image": []},
        {"image": 7},
        [1],
    ]
    text = "".join(json.dumps(each) + "\n" for each in cells) + "{\n"
    source = open_source(table(tmp_path, "t.jsonl", text), spool=spool, image_columns=["image"])
    rows = every(source)
    assert rows[0].images == (PNG,)
    assert [row.source for row in rows[:3]] == ["a.png", "b.jpg + c.jpg", "https://h/d.jpg"]
    assert rows[1].images == (f"{tmp_path}/b.jpg", f"{tmp_path}/c.jpg")
    assert [str(row.problem).partition("(")[2][:9] for row in rows[3:]] == [
        "bytes tha", "no image)", "a int, ex", "a list, n", "no JSON: ",
    ]  # fmt: skip
    assert source.columns == ("n", "late")
    assert source.schema() == pa.schema([("n", pa.float64()), ("late", pa.list_(pa.int64()))])


def test_kinds_are_told_by_all_rows(tmp_path: Path, spool: Path) -> None:
    """A column is of the type that holds all its values, also those that come late; else text."""
    rows = [{"image": "a.jpg", "a": 1, "b": True, "c": [1], "d": None, "e": {"x": 1}, "f": 1}] * 200
    rows += [{"image": "a.jpg", "a": 2.5, "b": None, "c": [None, 2.5], "d": "x", "f": 2**70}]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    source = open_source(table(tmp_path, "t.jsonl", text), spool=spool)
    kinds = dict(zip(source.columns, source.schema().types, strict=True))
    assert kinds == {
        "image": pa.string(), "a": pa.float64(), "b": pa.bool_(), "c": pa.list_(pa.float64()),
        "d": pa.string(), "e": pa.string(), "f": pa.string(),
    }  # fmt: skip


class Stdin:
    def __init__(self, data: bytes, *, is_terminal: bool = False) -> None:
        self.buffer, self.is_terminal = io.BytesIO(data), is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


def test_standard_input_is_kept_for_the_run(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resume reads what came first; the same input or none is fine, another is refused."""
    first = b'{"image": "a.jpg"}\n{"image": "b.jpg"}\n'
    for given in (first, b"", first):
        monkeypatch.setattr("sys.stdin", Stdin(given))
        rows = every(open_source("-", spool=spool))
        assert [row.images for row in rows] == [("a.jpg",), ("b.jpg",)]
    for other in (first[:-1], first + b"{}", b'{"image": "x.jpg"}\n'):
        monkeypatch.setattr("sys.stdin", Stdin(other))
        with pytest.raises(SourceError, match="other rows than the run began with"):
            open_source("-", spool=spool)
    monkeypatch.setattr("sys.stdin", Stdin(b"", is_terminal=True))
    assert len(every(open_source("-", spool=spool))) == 2
    with pytest.raises(SourceError, match="a terminal, expected JSONL"):
        open_source("-", spool=tmp_path / "new")


def test_a_compressed_table_is_unpacked_into_the_run(tmp_path: Path, spool: Path) -> None:
    """It is read from the middle, which gzip cannot do; one that is cut short is refused."""
    packed = gzip.compress(b"image\na.jpg\nb.jpg\n")
    rows = every(open_source(table(tmp_path, "t.csv.gz", packed), spool=spool))
    assert [row.images for row in rows] == [(f"{tmp_path}/a.jpg",), (f"{tmp_path}/b.jpg",)]
    assert (spool / "t.csv").exists()
    with pytest.raises(SourceError, match="read whole"):
        open_source(table(tmp_path, "u.csv.gz", packed[:-9]), spool=spool)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", "", "empty, expected a header"),
        ("t.csv", "image,image\n", "several columns 'image'"),
        ("t.csv", "a.jpg,1\nb.jpg,2\n", "a.jpg in the first line, expected a header"),
        ("t.csv", "a,b\n1,2\n", "the columns a, b, expected one that holds images"),
        ("t.csv", "a,b\nx.jpg,y.jpg\n", "images in the columns a, b, expected one"),
        ("t.csv", b"\xff\xfei\0", "UTF-16, expected UTF-8"),
        ("t.csv", b"\xff,a\n", "not UTF-8: invalid start byte, expected a header"),
        ("t.csv", "image\n", "no rows, expected at least one row"),
        ("t.jsonl", "[]\n", "a list, no object, expected at least one"),
        ("t.json", "[]\n", "not a kind that is read here"),
        ("t.parquet", "PAR", "expected a Parquet file"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(
    tmp_path: Path, spool: Path, name: str, content: str | bytes, said: str
) -> None:
    """What was found and what was expected stand in one sentence."""
    with pytest.raises(SourceError, match=said):
        open_source(table(tmp_path, name, content), spool=spool)


def test_a_name_with_a_question_mark_is_a_name(tmp_path: Path, spool: Path) -> None:
    """On this machine no query begins there."""
    rows = every(open_source(table(tmp_path, "what?.csv", "image\na.jpg\n"), spool=spool))
    assert [row.images for row in rows] == [(f"{tmp_path}/a.jpg",)]


def test_columns_are_named_or_found(tmp_path: Path, spool: Path) -> None:
    """By content first, then by name; --image decides, and a misspelt one gets the nearest."""
    text = "id,url,front,back\n1,https://h/1,a.jpg,b.jpg\n"
    path = table(tmp_path, "t.csv", text)
    both = open_source(path, spool=spool, image_columns=["front", "back"])
    assert every(both)[0].source == "a.jpg + b.jpg"
    with pytest.raises(SourceError, match="no column 'frnt'") as caught:
        open_source(path, spool=spool, image_columns=["frnt"])
    assert caught.value.hint == "did you mean front?"
    by_name = open_source(table(tmp_path, "u.csv", "id,URL\n1,https://h/1\n"), spool=spool)
    assert every(by_name)[0].images == ("https://h/1",)
