"""Folders and globs as sources: listed once, in order, in shards."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from eyeline.bulk.errors import DriverMissing, SourceError
from eyeline.bulk.rows import Row, Shard, Source, open_source
from eyeline.bulk.sources import lines, listing
from eyeline.core.reference import parse_reference

PNG = b"\x89PNG\r\n\x1a\n and more"


def every(source: Source) -> list[Row]:
    return [row for shard in source.shards() for row in source.rows(shard)]


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PNG)


def test_a_folder_gives_its_images_sorted_by_path(tmp_path: Path) -> None:
    """Images lie at any depth; hidden ones, other files and links in a circle are left out."""
    photos = tmp_path / "photos"
    put(photos, "b.jpg", "a/z.PNG", "a/.hidden.png", ".git/x.png", "scan", "c d.webp")
    (photos / "notes.txt").write_text("no image")
    (photos / "README").write_text("no image")
    (photos / "a" / "circle").symlink_to(photos)
    rows = every(open_source(str(photos), spool=tmp_path / "run"))
    assert [row.key for row in rows] == ["a/z.PNG", "b.jpg", "c d.webp", "scan"]
    assert [row.at for row in rows] == [0, 1, 2, 3]
    assert rows[0].source == f"{photos}/a/z.PNG"
    assert str(parse_reference(rows[0].images[0])) == rows[0].source


def test_a_listing_is_made_once(tmp_path: Path) -> None:
    """A run that resumes meets the rows it began with, whatever came into the folder since."""
    photos = tmp_path / "photos"
    put(photos, "b.jpg")
    assert len(every(open_source(str(photos), spool=tmp_path / "run"))) == 1
    put(photos, "a.jpg")
    assert [row.key for row in every(open_source(str(photos), spool=tmp_path / "run"))] == ["b.jpg"]
    assert len(every(open_source(str(photos), spool=tmp_path / "other"))) == 2


def test_shards_cut_the_listing_and_read_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row lies in one shard, a shard survives its record, and small pieces sort the same."""
    monkeypatch.setattr(lines, "SHARD_ROWS", 3)
    monkeypatch.setattr(listing, "PIECE_NAMES", 2)
    put(tmp_path / "photos", *(f"{number * 7 % 10}.jpg" for number in range(10)))
    source = open_source(str(tmp_path / "photos"), spool=tmp_path / "run")
    shards = list(source.shards())
    assert [shard.number for shard in shards] == [0, 1, 2, 3]
    assert [shard.first for shard in shards] == [0, 3, 6, 9]
    again = [Shard.from_record(shard.to_record()) for shard in shards]
    keys = [[row.key for row in source.rows(shard)] for shard in again]
    assert keys == [["0.jpg", "1.jpg", "2.jpg"], ["3.jpg", "4.jpg", "5.jpg"],
                    ["6.jpg", "7.jpg", "8.jpg"], ["9.jpg"]]  # fmt: skip


def test_a_glob_gives_the_images_that_match(tmp_path: Path) -> None:
    """`**` goes into folders; a name with brackets that exists is no glob."""
    put(tmp_path / "photos [2026]", "a.jpg", "b/c.jpg", "b/d.png")
    found = every(open_source(f"{tmp_path}/photos*/**/*.jpg", spool=tmp_path / "run"))
    assert [row.key.removeprefix(str(tmp_path)) for row in found] == [
        "/photos [2026]/a.jpg",
        "/photos [2026]/b/c.jpg",
    ]
    assert len(every(open_source(f"{tmp_path}/photos [2026]", spool=tmp_path / "two"))) == 3


def test_names_that_are_no_text_survive(tmp_path: Path) -> None:
    """A file name of bytes that are no UTF-8 is listed and found again."""
    put(tmp_path / "photos", "a\udcff.jpg", "a#1.jpg", "http:x.jpg")
    rows = every(open_source(str(tmp_path / "photos"), spool=tmp_path / "run"))
    paths = [parse_reference(row.images[0]).path for row in rows]  # type: ignore[union-attr]
    assert all(path.exists() for path in paths)
    assert len(paths) == 3


def test_storage_is_listed_and_read_when_needed(tmp_path: Path) -> None:
    """Below a URL images are found by name; each is a file object that reads on demand."""
    storage = fsspec.filesystem("memory")
    storage.pipe(
        {"/shop/b.jpg": PNG, "/shop/a/c.png": b"12345", "/shop/.x.png": b"", "/shop/n": b""}
    )
    try:
        rows = every(open_source("memory://shop/", spool=tmp_path / "run"))
        assert [row.key for row in rows] == ["a/c.png", "b.jpg"]
        file = parse_reference(rows[0].images[0]).stream  # type: ignore[union-attr]
        assert file.name == "memory://shop/a/c.png"
        assert (file.read(2), file.read(), file.tell()) == (b"12", b"345", 5)
        one = every(open_source("memory://shop/b.jpg", spool=tmp_path / "one"))
        assert [row.key for row in one] == ["memory://shop/b.jpg"]
        globbed = every(open_source("memory://shop/*.jpg", spool=tmp_path / "two"))
        assert [row.key for row in globbed] == ["memory:///shop/b.jpg"]
    finally:
        storage.rm("/shop", recursive=True)


def test_a_driver_that_is_not_installed_is_named(tmp_path: Path) -> None:
    """The hint is the line that installs it."""
    with pytest.raises(DriverMissing) as caught:
        open_source("abfs://box/photos/", spool=tmp_path / "run")
    assert caught.value.hint == "pip install adlfs"


def test_one_image_is_a_run_of_one_row(tmp_path: Path) -> None:
    """A file here, with brackets in its name too, or an address on the web."""
    put(tmp_path, "a[1].jpg")
    rows = every(open_source(f"{tmp_path}/a[1].jpg", spool=tmp_path / "run"))
    assert [row.key for row in rows] == [f"{tmp_path}/a[1].jpg"]
    rows = every(open_source("https://h/b.jpg?key=1", spool=tmp_path / "two"))
    assert [row.images for row in rows] == [("https://h/b.jpg?key=1",)]


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    """A path that is not there, and a folder without images, stop the run before it begins."""
    with pytest.raises(SourceError, match="no such file or folder"):
        open_source(str(tmp_path / "absent"), spool=tmp_path / "run")
    with pytest.raises(SourceError, match="no images"):
        open_source(str(tmp_path), spool=tmp_path / "run")
    with pytest.raises(SourceError, match="expected a URL that fsspec knows"):
        open_source("nosuch://x/", spool=tmp_path / "run")
