"""Folders of images, listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from eyeline.adapters.folders import files_of
from eyeline.core.reference import BytesRef, FileRef, Reference
from eyeline.errors import BadReference, ImageUnreadable


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(folder: Path) -> list[str]:
    found = files_of(FileRef(folder))
    return [str(reference).removeprefix(f"{folder}/") for reference in found]


def test_images_by_their_names(tmp_path: Path) -> None:
    """Images of every known extension are found, in any case and any depth, sorted by path."""
    fill(tmp_path, "b.JPG", "a.png", "z/y/x.heic", "z/scan.pdf", "c.svg", "raw.jpeg")
    (tmp_path / "folder.jpg").mkdir()
    fill(tmp_path, "notes.txt", "jpg", "archive.zip", "list.csv", "a.png.part")
    assert names(tmp_path) == ["a.png", "b.JPG", "c.svg", "raw.jpeg", "z/scan.pdf", "z/y/x.heic"]


def test_hidden_ones_are_left_out(tmp_path: Path) -> None:
    """Files and folders whose name begins with a dot are not looked at."""
    fill(tmp_path, ".a.jpg", ".git/b.jpg", "c.jpg", "._c.jpg")
    assert names(tmp_path) == ["c.jpg"]
    assert names(tmp_path / ".git") == ["b.jpg"]


def test_links_in_a_circle(tmp_path: Path) -> None:
    """A folder that links lead back to is listed once; a link to a folder elsewhere is followed."""
    fill(tmp_path, "in/a.jpg", "out/b.jpg")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "self").symlink_to("self")
    (tmp_path / "in" / "there").symlink_to(tmp_path / "out")
    assert names(tmp_path / "in") == ["a.jpg", "there/b.jpg"]


@pytest.mark.parametrize("inside", [(), ("notes.txt",), (".a.jpg",)])
def test_a_folder_without_images(tmp_path: Path, inside: tuple[str, ...]) -> None:
    """A folder with no image in it is an error that says so."""
    fill(tmp_path, *inside)
    with pytest.raises(BadReference, match="a folder without images"):
        files_of(FileRef(tmp_path))


def test_what_is_no_folder(tmp_path: Path) -> None:
    """Any other reference comes back as it is, also one that names nothing."""
    fill(tmp_path, "a.jpg")
    references: list[Reference] = [
        FileRef(tmp_path / "a.jpg"),
        FileRef(tmp_path / "nowhere"),
        FileRef(Path("\0")),
        FileRef(Path("x" * 9999)),
        BytesRef(b""),
    ]
    for reference in references:
        assert files_of(reference) == [reference]


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder the system will not list is an error, not a folder with fewer images."""
    deep = tmp_path
    # A path too long for the system, as it comes about where folders are renamed while listing.
    monkeypatch.chdir(tmp_path)
    for _ in range(20):
        Path("d" * 250).mkdir()
        monkeypatch.chdir("d" * 250)
        deep = deep / ("d" * 250)
    with pytest.raises(ImageUnreadable, match="cannot be read"):
        files_of(FileRef(tmp_path))
