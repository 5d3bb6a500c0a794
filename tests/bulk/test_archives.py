"""Rows of Parquet files and WebDataset archives, also damaged ones, and of several together."""

from __future__ import annotations

import io
import json
import tarfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eyeline.bulk.errors import SourceError
from eyeline.bulk.rows import Row, Shard, Source, open_source
from eyeline.bulk.sources import lines, parquet, tars

PNG = b"\x89PNG\r\n\x1a\n and more"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "run"


def every(source: Source) -> list[Row]:
    return [row for shard in source.shards() for row in source.rows(shard)]


# --- Parquet -------------------------------------------------------------------------------------


def test_parquet_gives_embedded_images_and_typed_columns(tmp_path: Path, spool: Path) -> None:
    """The struct of image datasets is found by content; what stands beside keeps its type."""
    table = pa.table({
        "image": [{"bytes": PNG, "path": "a.png"}, {"bytes": None, "path": "b.png"}, None],
        "price": [Decimal("1.50"), None, Decimal("2.00")],
        "seen": pa.array([1, 10**9, None], pa.timestamp("ns")),
        "day": [datetime(2026, 11, 29), None, None],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "t.parquet")
    source = open_source(str(tmp_path / "t.parquet"), spool=spool)
    rows = every(source)
    assert [row.images for row in rows] == [(PNG,), (f"{tmp_path}/b.png",), ()]
    assert [row.source for row in rows] == ["a.png", "b.png", "t.parquet row 2"]
    assert str(rows[2].problem) == "t.parquet row 2, image: not readable (no image)"
    assert source.columns == ("price", "seen", "day")
    assert source.schema() == table.schema.remove(0)
    assert rows[0].values["price"] == Decimal("1.50")
    assert rows[0].values["seen"] == "1970-01-01 00:00:00.000000001"
    peeked = [row for shard in source.shards() for row in source.peek(shard)]  # type: ignore[attr-defined]
    assert [(row.key, row.images, row.values) for row in peeked] == [
        (row.key, (), row.values) for row in rows
    ]


@pytest.mark.parametrize("group", [1, 3, 7, 40])
def test_parquet_is_cut_at_row_groups(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch, group: int
) -> None:
    """Small groups go together, large ones apart; each row is read once, in its place."""
    monkeypatch.setattr(parquet, "SHARD_ROWS", 5)
    monkeypatch.setattr(parquet, "GROUP_ROWS_MAX", 9)
    monkeypatch.setattr(parquet, "BATCH_ROWS_MAX", 4)
    pq.write_table(
        pa.table({"image": [f"{n}.jpg" for n in range(40)]}),
        tmp_path / "t.pq",
        row_group_size=group,
    )
    source = open_source(str(tmp_path / "t.pq"), spool=spool)
    shards = [Shard.from_record(shard.to_record()) for shard in source.shards()]
    assert max(shard.stop - shard.start for shard in shards if shard.stop) <= 9
    assert len(shards) == {1: 8, 3: 13, 7: 6, 40: 5}[group]
    rows = [row for shard in shards for row in source.rows(shard)]
    assert [row.source for row in rows] == [f"{n}.jpg" for n in range(40)]
    assert [row.key for row in rows] == [str(n) for n in range(40)]


# --- WebDataset ----------------------------------------------------------------------------------


def tar_of(members: list[tuple[str, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


MEMBERS: list[tuple[str, bytes]] = [
    member
    for number in range(7)
    for member in [
        (f"d/s{number}.jpg", PNG + bytes([number])),
        (f"d/s{number}.json", json.dumps({"n": number, "é": "x" * 90}).encode()),
        (f"d/s{number}.txt", f"caption {number}".encode()),
    ]
]


def test_a_sample_is_the_members_with_one_name(tmp_path: Path, spool: Path) -> None:
    """Images are its images, JSON and text its columns; long names and hidden files do no harm."""
    long = "n" * 200
    members = [*MEMBERS, ("._s.jpg", b"x"), (f"{long}.PNG", PNG), (f"{long}.seg.png", PNG + b"2")]
    (tmp_path / "t.tar").write_bytes(tar_of(members))
    source = open_source(str(tmp_path / "t.tar"), spool=spool)
    rows = every(source)
    assert [row.key for row in rows] == [*(f"d/s{number}" for number in range(7)), long]
    assert rows[3].images == (PNG + b"\3",)
    assert rows[3].values == {"n": 3, "é": "x" * 90, "txt": "caption 3"}
    assert rows[3].source == "t.tar/d/s3"
    assert rows[7].images == (PNG, PNG + b"2")
    assert source.schema().field("n").type == pa.int64()
    chosen = open_source(str(tmp_path / "t.tar"), spool=spool, image_columns=["seg.png"])
    assert every(chosen)[7].images == (PNG + b"2",)
    assert "no image in this sample" in str(every(chosen)[0].problem)
    with pytest.raises(SourceError, match="one called webp"):
        open_source(str(tmp_path / "t.tar"), spool=spool, image_columns=["webp"])


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_an_archive_is_cut_between_samples(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch, form: int
) -> None:
    """Shards read alone give what one pass gives, long names too, whose headers come in pieces."""
    members = [(f"{'x' * 150}{name}", data) for name, data in MEMBERS]
    (tmp_path / "t.tar").write_bytes(tar_of(members, form))
    source = open_source(str(tmp_path / "t.tar"), spool=spool)
    whole = every(source)
    monkeypatch.setattr(lines, "SHARD_ROWS", 2)
    shards = list(source.shards())
    assert len(shards) == 4
    cut = [row for shard in reversed(shards) for row in source.rows(shard)]
    assert sorted(row.key for row in cut) == sorted(row.key for row in whole)
    assert {row.key: row.images for row in cut} == {row.key: row.images for row in whole}


def test_an_archive_cut_short_gives_what_is_whole(tmp_path: Path) -> None:
    """Cut at every block: whole samples are rows, one row says that more is lost, none invents."""
    data = tar_of(MEMBERS[:9], tarfile.GNU_FORMAT)
    ends = len(data.rstrip(b"\0")) // 512 * 512 + 512
    whole = {f"d/s{number}": PNG + bytes([number]) for number in range(3)}
    for size in (*range(512, ends + 512, 512), *range(ends - 1100, ends, 97)):
        (tmp_path / "t.tar").write_bytes(data[:size])
        rows = every(tars.TarSource(str(tmp_path / "t.tar"), (), ("n",)))
        failed = [row for row in rows if row.problem]
        assert len(failed) == (size < ends + 512)
        assert not any(row.problem for row in rows[:-1])
        assert all(row.images == (whole[row.key],) for row in rows if not row.problem)
        assert len(rows) >= size // (512 * 6)


def test_damage_ends_an_archive_aloud(tmp_path: Path, spool: Path) -> None:
    """A header that makes no sense is no end of an archive; a name that comes twice is two rows."""
    data = bytearray(tar_of([*MEMBERS[:6], *MEMBERS[:3]], tarfile.GNU_FORMAT))
    (tmp_path / "t.tar").write_bytes(data)
    assert [row.key for row in every(open_source(str(tmp_path / "t.tar"), spool=spool))] == [
        "d/s0", "d/s1", "d/s0#2",
    ]  # fmt: skip
    data[512 * 6 + 100] ^= 0xFF
    (tmp_path / "t.tar").write_bytes(data)
    rows = every(open_source(str(tmp_path / "t.tar"), spool=spool))
    assert [row.key for row in rows] == ["d/s0", "(end)"]
    assert "damaged" in str(rows[1].problem)
    (tmp_path / "t.tar").write_bytes(b"no archive")
    with pytest.raises(SourceError):
        every(open_source(str(tmp_path / "t.tar"), spool=spool))


def test_a_bad_member_fails_its_own_sample(tmp_path: Path, spool: Path) -> None:
    """JSON that is none is told; a list stands under its member's name."""
    members = [("a.png", PNG), ("a.json", b"[1]"), ("b.png", PNG), ("b.json", b"{"), ("c", PNG)]
    (tmp_path / "t.tar").write_bytes(tar_of(members))
    rows = every(open_source(str(tmp_path / "t.tar"), spool=spool))
    assert (rows[0].values, rows[0].problem) == ({"json": [1]}, None)
    assert "json is no JSON" in str(rows[1].problem)
    assert rows[2].images == (PNG,)


# --- several, and from elsewhere -----------------------------------------------------------------


def test_tables_of_a_folder_are_one_source(tmp_path: Path, spool: Path) -> None:
    """A folder or glob of tables goes by name; keys tell which table a row is of."""
    data = tmp_path / "data"
    data.mkdir()
    for number in (2, 1):
        pq.write_table(pa.table({"image": ["a.jpg", "b.jpg"]}), data / f"{number}.parquet")
    (data / "notes.txt").write_text("no list")
    source = open_source(str(data), spool=spool)
    assert [row.key for row in every(source)] == [
        "1.parquet:0", "1.parquet:1", "2.parquet:0", "2.parquet:1",
    ]  # fmt: skip
    assert [shard.number for shard in source.shards()] == [0, 1]
    assert source.columns == ("image",)
    assert source.schema() == pa.schema([("image", pa.string())])
    globbed = open_source(f"{data}/*.parquet", spool=tmp_path / "two")
    assert every(globbed)[0].key == "1.parquet:0"


def test_storage_holds_tables_of_all_kinds(tmp_path: Path) -> None:
    """Behind fsspec a table's relative names are of its own folder, and read when they are used."""
    storage = fsspec.filesystem("memory")
    packed = io.BytesIO()
    pq.write_table(pa.table({"image": ["img/a.png"]}), packed)
    files: dict[str, Any] = {
        "/d/t.parquet": packed.getvalue(), "/d/t.tar": tar_of(MEMBERS),
        "/d/t.csv": b"image\nimg/a.png\n", "/d/img/a.png": PNG,
    }  # fmt: skip
    storage.pipe(files)
    try:
        for name in ("t.parquet", "t.csv"):
            source = open_source(f"memory://d/{name}", spool=tmp_path / name)
            assert source.identity["bytes"] == len(files[f"/d/{name}"])
            rows = every(source)
            assert rows[0].images[0].read() == PNG  # type: ignore[attr-defined]
        rows = every(open_source("memory://d/t.tar", spool=tmp_path / "tar"))
        assert len(rows) == 7
        assert rows[6].images == (PNG + b"\6",)
    finally:
        storage.rm("/d", recursive=True)
