"""What the user pointed at."""

from __future__ import annotations

import io
import os
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from eyeline.core.reference import (
    BytesRef,
    DataUrlRef,
    FileId,
    FileRef,
    PageRef,
    PixelsRef,
    Reference,
    StreamRef,
    UrlRef,
    parse_reference,
)  # fmt: skip
from eyeline.errors import BadReference

ARRAY = np.zeros((2, 3), np.uint8)
PICTURE = Image.new("RGB", (3, 2))
STREAM = io.BytesIO(b"x")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("street.jpg", FileRef(Path("street.jpg"))),
        ("a folder/street.jpg", FileRef(Path("a folder/street.jpg"))),
        ("C:\\photo.jpg", FileRef(Path("C:\\photo.jpg"))),
        ("./scan:30.png", FileRef(Path("scan:30.png"))),
        ("2026-11-22T10:30.png", FileRef(Path("2026-11-22T10:30.png"))),
        ("iVBORw0KGgo=", FileRef(Path("iVBORw0KGgo="))),
        (Path("street.jpg"), FileRef(Path("street.jpg"))),
        (PurePosixPath("street.jpg"), FileRef(Path("street.jpg"))),
        ("file:///tmp/a%20b.png", FileRef(Path("/tmp/a b.png"))),
        ("file://localhost/tmp/a.png", FileRef(Path("/tmp/a.png"))),
        ("FILE:a.png", FileRef(Path("a.png"))),
        ("https://example.org/a.png", UrlRef("https://example.org/a.png")),
        ("HTTP://example.org", UrlRef("HTTP://example.org")),
        ("scan.pdf#2", PageRef(FileRef(Path("scan.pdf")), 2)),
        ("a#b/clip.gif#0", PageRef(FileRef(Path("a#b/clip.gif")), 0)),
        ("file:///tmp/a.tiff#12", PageRef(FileRef(Path("/tmp/a.tiff")), 12)),
        ("https://x.org/a.pdf#3", PageRef(UrlRef("https://x.org/a.pdf"), 3)),
        ("notes#3", FileRef(Path("notes#3"))),
        ("scan.pdf#two", FileRef(Path("scan.pdf#two"))),
        (Path("scan.pdf#2"), FileRef(Path("scan.pdf#2"))),
        ("data:image/gif;x=a.b#1,aGk=", DataUrlRef("data:image/gif;x=a.b#1,aGk=")),
        ("data:image/gif;x=a.b#1", DataUrlRef("data:image/gif;x=a.b#1")),
        ("data:image/png;base64,aGk=", DataUrlRef("data:image/png;base64,aGk=")),
        (b"\x89PNG", BytesRef(b"\x89PNG")),
        (bytearray(b"\x89PNG"), BytesRef(b"\x89PNG")),
        (memoryview(b"\x89PNG"), BytesRef(b"\x89PNG")),
        (STREAM, StreamRef(STREAM)),
        (PICTURE, PixelsRef(PICTURE)),
        (FileId("file-1"), FileId("file-1")),
        (UrlRef("https://x"), UrlRef("https://x")),
    ],
)
def test_examples(value: object, expected: Reference) -> None:
    """A bare string is a path unless it has a scheme; base64 is never guessed."""
    assert parse_reference(value) == expected


def test_an_array() -> None:
    """An array is told by its interface, and kept as it is."""
    found = parse_reference(ARRAY)
    assert isinstance(found, PixelsRef)
    assert found.pixels is ARRAY


def test_an_entry_of_a_folder(tmp_path: Path) -> None:
    """What `os.scandir` gives is a path too."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.png").touch()
    with os.scandir(folder) as entries:
        assert [parse_reference(entry) for entry in entries] == [FileRef(folder / "a.png")]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "'': an empty string, expected a path or URL"),
        ("s3://bucket/a.png", "s3://bucket/a.png: the scheme s3: is not one of file, http"),
        ("ftp://me:pw@host/a?sig=1", "ftp://host/a?: the scheme ftp: is not one of"),
        ("file://server/a.png", "file://server/a.png: a file URL on the host server"),
        ("http://[::1/a.png", "http://[::1/a.png: not a URL"),
        ("file://[x/a.png", "not a URL"),
        ("x2:" + "y" * 99, "x2:" + "y" * 57 + "…: the scheme"),
        (7, "int: not a thing that can name an image"),
        (None, "NoneType: not a thing that can name an image"),
        (["a.png"], "list: not a thing that can name an image"),
    ],
)
def test_what_names_no_image(value: object, said: str) -> None:
    """Other schemes and types are refused at once, without showing a password or a signature."""
    with pytest.raises(BadReference) as raised:
        parse_reference(value)
    assert said in str(raised.value)
    assert "pw" not in str(raised.value)
    assert "sig" not in str(raised.value)


class Named(io.BytesIO):
    def __init__(self, name: object) -> None:
        super().__init__(b"x")
        self.name = name


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        (FileRef(Path("a.png")), "a.png"),
        (UrlRef("https://me:pw@example.org/a.png?sig=1"), "https://example.org/a.png?…"),
        (UrlRef("http://example.org:81/a.png#top"), "http://example.org:81/a.png"),
        (DataUrlRef("data:image/png;base64,aGk="), "data:image/png;base64,… (26 characters)"),
        (DataUrlRef("data:" + "x" * 99), "data:" + "x" * 35 + ",… (104 characters)"),
        (BytesRef(b"x" * 1234), "bytes (1,234)"),
        (StreamRef(Named("a.png")), "a.png"),
        (StreamRef(Named(3)), "file object"),
        (StreamRef(STREAM), "file object"),
        (PixelsRef(PICTURE), "Image in memory"),
        (PixelsRef(ARRAY), "ndarray in memory"),
        (FileId("file-1"), "file-1"),
    ],
)
def test_how_each_is_named(reference: Reference, shown: str) -> None:
    """A reference is named as the user knows it, without secrets and without bytes."""
    assert str(reference) == shown


@pytest.mark.parametrize(
    "reference",
    [UrlRef("https://me:pw@x/?sig=1"), DataUrlRef("data:,sig"), BytesRef(b"sig"), PixelsRef("sig")],
)
def test_a_repr_shows_no_content(reference: Reference) -> None:
    """Neither bytes nor the secrets of an address stand in a repr."""
    assert "sig" not in repr(reference)
    assert "pw" not in repr(reference)


@given(st.text() | st.text().map("http://{}".format) | st.text().map("file://{}".format))
def test_any_string_is_a_reference_or_a_bad_one(value: str) -> None:
    """Whatever the string, it is read and can be named, or is a BadReference."""
    try:
        reference = parse_reference(value)
    except BadReference:
        return
    assert str(reference)
