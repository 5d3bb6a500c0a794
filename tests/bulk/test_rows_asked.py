"""Rows of tables: prompts that name columns, columns that are kept, more shards than one."""

from __future__ import annotations

import json
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer

import eyeline
from eyeline.bulk.crew import Crew
from eyeline.bulk.plan import Plan, differences
from eyeline.bulk.prompt import Prompt
from eyeline.bulk.rows import Shard
from eyeline.bulk.run_errors import ColumnMissing, RunDamaged, ValueMissing
from eyeline.bulk.shard import ShardSpec
from eyeline.bulk.unheld import Once, Unheld
from eyeline.core.picture import ImageChanged
from eyeline.testing import tiny_png

KNOWN = ("product", "the colour")


@pytest.mark.parametrize(
    ("prompt", "asked"),
    [
        ("Is this {product}?", "Is this a chair?"),
        ("A {the colour} {product}, {product}?", "A red a chair, a chair?"),
        ('Answer as {"a": 1} or {}', 'Answer as {"a": 1} or {}'),
        ("Say {{product}}.", "Say {product}."),
        ("What?", "What?"),
    ],
)
def test_prompts_name_columns(prompt: str, asked: str) -> None:
    """A column's name in braces stands for its value; other braces stand for themselves."""
    values = {"product": "a chair", "the colour": "red"}
    assert Prompt.read(prompt, KNOWN).of(values, "row 1") == asked


def test_a_column_that_is_not_there() -> None:
    """A name that the source has not is told before anything is sent, with those it has."""
    with pytest.raises(ColumnMissing, match="no column 'prodct', expected one of product, the"):
        Prompt.read("Is this {prodct}?", KNOWN)
    assert Prompt.read("Is this {prodct}?", ()).of({}, "a.png") == "Is this {prodct}?"


@pytest.mark.parametrize("value", [None, ""])
def test_a_row_without_a_value(value: object) -> None:
    """A row with nothing in that column would be asked something else, and is not asked."""
    with pytest.raises(ValueMissing, match="row 1: nothing in column 'product'"):
        Prompt.read("Is this {product}?", KNOWN).of({"product": value}, "row 1")


def test_what_differs_is_shown_by_its_path() -> None:
    """Each value that is not the same stands on a line of its own, short enough to read."""
    old = {"prompt": "a", "rows": {"limit": 1, "where": ""}, "schema": None}
    new = {"prompt": "a", "rows": {"limit": 2, "where": ""}, "schema": {"title": "x" * 200}}
    first, second = differences(old, new)
    assert first == "  rows.limit: 1 → 2"
    assert second.startswith('  schema: none → {"title": "xxx')
    assert len(second) < 130


def test_a_plan_that_is_none(tmp_path: Path) -> None:
    """A plan that was overwritten by something else is told, not taken for none."""
    (tmp_path / "plan.json").write_text("[]")
    with pytest.raises(RunDamaged, match="no plan of a run"):
        Plan.read(tmp_path / "plan.json")


def test_a_spec_is_plain_json() -> None:
    """What is sent to another machine comes back from JSON as it was."""
    spec = ShardSpec(Shard(3, "a.csv", 10, 20), "000003.parquet", 1, retry_failed=True)
    assert ShardSpec.from_record(json.loads(json.dumps(spec.to_record()))) == spec


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_table_of_more_shards_than_one(api: ApiServer, tmp_path: Path) -> None:
    """Rows come out in input order, with what was kept of them; each prompt names its row."""
    count = 1100
    (tmp_path / "a.png").write_bytes(tiny_png())
    table = tmp_path / "t.jsonl"
    lines = [{"image": "a.png", "product": f"thing {at}", "at": at} for at in range(count)]
    table.write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = tmp_path / "out.jsonl"
    options: dict[str, Any] = {"base_url": api.url, "sight_check": False, "keep": ["at"]}
    result = eyeline.run("Is this {product}?", table, out, **options)
    assert (result.done, len(result.parts)) == (count, 2)
    assert [row["at"] for row in rows_of(out)] == [*range(count)]
    asked = {request.json["messages"][0]["content"][0]["text"] for request in api.requests}
    assert asked == {f"Is this thing {at}?" for at in range(count)}


def test_images_that_come_with_their_rows(api: ApiServer, tmp_path: Path) -> None:
    """An archive's members are asked about, each under its name."""
    archive = tmp_path / "shard.tar"
    with tarfile.open(archive, "w") as tar:
        for at in range(3):
            path = tmp_path / f"{at}.png"
            path.write_bytes(tiny_png(2 + at))
            tar.add(path, f"{at}.png")
    out = tmp_path / "out.jsonl"
    result = eyeline.run("What?", archive, out, base_url=api.url, sight_check=False)
    assert result.done == 3
    assert len(api.requests) == 3


def test_as_many_at_once_as_twice_the_usual() -> None:
    """How many may be sent at once doubles as they come back, and falls with what is usual."""
    crew = Crew.of(0.0)
    before = crew.worth_having
    for sending, expected in ((before, 3 * before), (10, before + 20)):
        for _ in range(400):
            crew.sending = sending
            crew.end()
        assert abs(crew.worth_having - expected) <= 1
    crew.close()


def test_files_are_not_held(tmp_path: Path) -> None:
    """What was loaded of a file is given once; then it is read, and refused once it is another."""
    photo = tmp_path / "photo.png"
    photo.write_bytes(tiny_png())
    files = Unheld(now_ns=lambda: time.time_ns() + 10**10)
    assert files.glance(tmp_path / "gone.png").read is None
    assert Unheld().known(photo).read is None  # written this moment
    read = files.glance(photo).read
    assert isinstance(read, Once)
    read.keep(b"as loaded")
    assert read() == b"as loaded"
    assert read() == photo.read_bytes()
    read.keep(b"large" * 100_000)
    assert read() == photo.read_bytes()
    photo.write_bytes(b"another")
    with pytest.raises(ImageChanged):
        read()
