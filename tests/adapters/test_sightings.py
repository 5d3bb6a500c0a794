"""Files seen before: recognised while they stay as they were, and never when they did not."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eyeline.adapters import sightings
from eyeline.adapters.sightings import Sightings
from eyeline.core.media import ImageInfo
from eyeline.core.picture import GRAIN_NS, ImageChanged, Picture, Sighting
from eyeline.core.size import Size
from eyeline.errors import ImageNotFound

PICTURE = Picture((ImageInfo("image/png", Size(8, 6), orientation=6, frame=1),), "digest", True)


class Shelf:
    """A cache in memory."""

    def __init__(self) -> None:
        self.records: dict[str, Any] = {}

    def get(self, key: str) -> Mapping[str, Any] | None:
        return self.records.get(key)

    def glance(self, key: str) -> Mapping[str, Any] | None:
        return self.get(key)

    def put(self, key: str, record: Mapping[str, Any]) -> None:
        import json

        self.records[key] = json.loads(json.dumps(record))

    put_soon = put

    def close(self) -> None:
        pass


class Clock:
    """Gives a time so long after each file was written."""

    def __init__(self, file: Path, after_ns: int = GRAIN_NS + 1) -> None:
        self.file, self.after_ns = file, after_ns

    def now_ns(self) -> int:
        state = self.file.stat()
        return max(state.st_mtime_ns, state.st_ctime_ns) + self.after_ns


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sign.png"
    path.write_bytes(b"first")
    return path


def seen(file: Path, shelf: Shelf) -> Sightings:
    """Give sightings that remember PICTURE of `file`."""
    made = Sightings(shelf, Clock(file).now_ns)
    made.remember(made.known(file), PICTURE)
    return made


def test_recognises_what_it_saw(file: Path) -> None:
    """What was remembered of a file comes back, also in another process."""
    shelf = Shelf()
    here = seen(file, shelf)
    assert here.known(file).picture == PICTURE
    assert here.glance(file) == here.known(file)
    for look in (Sightings.known, Sightings.glance):
        there = Sightings(shelf, Clock(file).now_ns)
        assert look(there, file).picture == PICTURE


def rewritten(file: Path) -> None:
    """Write other bytes of the same length, and set the time back."""
    state = file.stat()
    file.write_bytes(b"other")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


def replaced(file: Path) -> None:
    """Put another file of the same length and time in its place."""
    state = file.stat()
    other = file.with_name("other")
    other.write_bytes(b"other")
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    other.replace(file)


def grown(file: Path) -> None:
    with file.open("ab") as stream:
        stream.write(b"more")


def touched(file: Path) -> None:
    os.utime(file, ns=(0, 0))


@pytest.mark.parametrize("change", [rewritten, replaced, grown, touched, Path.unlink])
def test_a_changed_file_is_not_recognised(change: Any, file: Path) -> None:
    """Written again, replaced, grown, touched or gone, it is not what was seen."""
    shelf = Shelf()
    here = seen(file, shelf)
    state = file.stat()
    change(file)
    if file.exists() and file.stat().st_ctime_ns == state.st_ctime_ns:
        pytest.skip("the clock of this file system has not ticked, as is_settled foresees")
    assert here.glance(file).picture is None
    assert here.known(file).picture is None
    assert Sightings(shelf, lambda: 2**62).known(file).picture is None


@pytest.mark.parametrize("after_ns", [-(10**9), 0, GRAIN_NS])
def test_what_was_just_written_is_not_trusted(file: Path, after_ns: int) -> None:
    """A file that may be written again within its clock's grain is remembered by nobody."""
    shelf = Shelf()
    here = Sightings(shelf, Clock(file, after_ns).now_ns)
    sighting = here.known(file)
    assert sighting.state is None
    here.remember(sighting, PICTURE)
    assert (here.known(file).picture, shelf.records) == (None, {})


def test_what_is_no_file_is_not_known(tmp_path: Path) -> None:
    """A folder, a pipe, a name that is none and what is not there are not recognised."""
    here = Sightings(Shelf(), lambda: 2**62)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "absent", Path("a\0b")):
        assert here.known(path).state is None


def test_a_name_is_taken_from_where_it_is_said(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path names the file of the folder one is in; links are followed as they stand."""
    shelf = Shelf()
    seen(file, shelf)
    here = Sightings(shelf, Clock(file).now_ns)
    monkeypatch.chdir(tmp_path)
    assert here.known(Path("sign.png")).picture == PICTURE
    (tmp_path / "below" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "below" / "deep")
    assert here.known(Path("link/../sign.png")).picture is None
    monkeypatch.chdir(tmp_path / "below")
    assert here.known(Path("sign.png")).picture is None


def test_remembers_a_bounded_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not asked for longest is forgotten here first, and found in the cache."""
    monkeypatch.setattr(sightings, "IN_MEMORY_MAX", 2)
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.touch()
    here = Sightings(Shelf(), lambda: 2**62)
    for path in paths[:2]:
        here.remember(here.known(path), PICTURE)
    here.glance(paths[0])
    here.remember(here.known(paths[2]), PICTURE)
    assert list(here.seen) == [str(paths[0]), str(paths[2])]
    assert here.known(paths[1]).picture == PICTURE


def test_a_file_of_many_pages_is_read_each_time(file: Path) -> None:
    """What would fill the cache by itself is not remembered."""
    shelf = Shelf()
    here = Sightings(shelf, Clock(file).now_ns)
    here.remember(here.known(file), Picture(PICTURE.pages * 101, "digest"))
    assert shelf.records == {}


@pytest.mark.parametrize(
    "damage", [{"pages": [[1]]}, {"pages": 7}, {"pages": [["a", [1, 2]] + [0] * 9]}, None]
)
def test_a_record_of_another_shape_is_a_miss(file: Path, damage: Any) -> None:
    """What another version kept in another way is taken as if it were not there."""
    shelf = Shelf()
    seen(file, shelf)
    for record in shelf.records.values():
        if damage:
            record.update(damage)
        else:
            del record["digest"]
    assert Sightings(shelf, Clock(file).now_ns).known(file).picture is None


def test_nothing_is_remembered_of_what_was_not_sighted(file: Path) -> None:
    """A sighting without a state is of a file that cannot be recognised."""
    shelf = Shelf()
    Sightings(shelf).remember(Sighting(str(file), None), PICTURE)
    assert shelf.records == {}


def test_reads_a_file_as_it_was_seen(file: Path) -> None:
    """What was seen is read while it is that, and refused once it was written or is gone."""
    sighting = seen(file, Shelf()).known(file)
    assert sighting.read is not None
    assert (sighting.read(), sighting.state and sighting.state.size_bytes) == (b"first", 5)
    grown(file)
    with pytest.raises(ImageChanged, match="changed between"):
        sighting.read()
    file.unlink()
    with pytest.raises(ImageNotFound):
        sighting.read()


def test_that_a_file_changed_survives_pickling() -> None:
    """The error that says so crosses from one process to another."""
    error = pickle.loads(pickle.dumps(ImageChanged("a.png")))
    assert (str(error), error.source) == (str(ImageChanged("a.png")), "a.png")


def test_recognises_bytes_without_metadata_by_their_digest(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that are whole and bare are known again, as many as fit, whatever file they lie in."""
    monkeypatch.setattr(sightings, "IN_MEMORY_MAX", 2)
    shelf = Shelf()
    here, unseen = Sightings(shelf), Sighting("", None)
    bare = [replace(PICTURE, digest=name, has_metadata=False, is_whole=True) for name in "abc"]
    for picture in (PICTURE, replace(bare[0], digest="d", is_whole=False), *bare):
        here.remember(unseen, picture)
    found = [here.recognise(name) for name in ("digest", "d", "a", "b", "c")]
    assert found == [None, None, None, *bare[1:]]
    assert not shelf.records
