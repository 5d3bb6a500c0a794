"""Some rows: conditions that never execute anything, samples that stay, and limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eyeline.bulk.errors import SourceError
from eyeline.bulk.rows import Row, Selection, Source, open_source
from eyeline.bulk.sources import lines
from eyeline.bulk.sources.where import condition

ROW = {"price": 12, "brand": "A", "note": None, "text": "12.5", "a b": "x", "empty": "", "ok": True}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("price > 10", True), ("price >= 12 and price < 12", False), ("price == 12.0", True),
        ("text > 2", True), ("text == 12.5", True), ("2 < text", True), ("brand > 3", False),
        ("brand == 'A'", True), ("brand != 'A' or not price <= 3", True),
        ("brand in ('A', 'B')", True), ("brand not in ['A']", False), ("'2.' in text", True),
        ("note is null", True), ("note is not null", False), ("empty == null", True),
        ("note > 3", False), ("note == 'x'", False), ("price == -12", False),
        ("`a b` == 'x'", True), ("ok", True), ("ok == true", True), ("not note", True),
    ],
)  # fmt: skip
def test_a_condition_compares_columns(text: str, holds: bool) -> None:
    """Numbers compare as numbers also where the table holds text; null equals only null."""
    assert condition(text, tuple(ROW))(ROW) is holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("price = 10", "expected a condition"), ("prise > 3", "no column 'prise'"),
        ("brand == A", "no column 'A'"), ("__import__('os')", "expected a condition"),
        ("price.real > 1", "expected a condition"), ("1 < price < 3", "expected a condition"),
        ("(lambda: 1)()", "expected a condition"), ("", "expected a condition"),
        ("price + 1 > 2", "expected a condition"), ("(" * 300, "expected a condition"),
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused(text: str, said: str) -> None:
    """Only comparisons of columns and values are read; the hint shows how they look."""
    with pytest.raises(SourceError, match=said) as caught:
        condition(text, tuple(ROW))
    assert caught.value.hint


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(lines, "SHARD_ROWS", 10)
    rows = "".join(f"{number}.jpg,{number}\n" for number in range(100))
    (tmp_path / "t.csv").write_text(f"image,n\n{rows}")
    return str(tmp_path / "t.csv")


def keys(source: Source) -> list[str]:
    return [row.key for row in every(source)]


def every(source: Source) -> list[Row]:
    return [row for shard in source.shards() for row in source.rows(shard)]


def opened(table: str, spool: Path, **chosen: Any) -> Source:
    return open_source(table, spool=spool, selection=Selection(**chosen))


def test_a_limit_takes_the_first_rows_that_match(table: str, tmp_path: Path) -> None:
    """Shards without such a row are left out, and rows keep their keys."""
    spool = tmp_path / "run"
    assert keys(opened(table, spool, limit=3)) == ["0", "1", "2"]
    source = opened(table, spool, where="n >= 25", limit=8)
    assert keys(source) == [str(number) for number in range(25, 33)]
    assert [(shard.number, shard.rows) for shard in source.shards()] == [(0, 5), (1, 3)]
    assert keys(opened(table, spool, where="n < 0")) == []
    assert keys(opened(table, spool, limit=0)) == []
    assert source.identity["selection"]["where"] == "n >= 25"


def test_a_sample_is_the_same_for_a_seed(table: str, tmp_path: Path) -> None:
    """It has as many rows as asked, spread over the table, and a worker draws the same."""
    first = keys(opened(table, tmp_path / "a", sample=20))
    assert len(first) == 20
    assert len({int(key) // 10 for key in first}) > 5
    assert keys(opened(table, tmp_path / "a", sample=20)) == first
    assert keys(opened(table, tmp_path / "b", sample=20)) == first
    assert keys(opened(table, tmp_path / "a", sample=20, seed=1)) != first
    assert keys(opened(table, tmp_path / "c", sample=20, limit=5)) == first[:5]
    assert len(keys(opened(table, tmp_path / "d", sample=500))) == 100
    even = keys(opened(table, tmp_path / "e", where="n < 50", sample=10))
    assert len(even) == 10
    assert max(map(int, even)) < 50
