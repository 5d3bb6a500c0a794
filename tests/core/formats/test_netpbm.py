"""Netpbm: plain and raw, with comments, deep and float."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from core.support import SIZE, encoded, picture
from eyeline.core.formats import netpbm
from eyeline.core.formats.header import Header
from eyeline.core.size import Size


def pillow_size(data: bytes) -> Size:
    with Image.open(BytesIO(data), formats=["PPM"]) as image:
        return Size(*image.size)


@pytest.mark.parametrize(
    ("mode", "kind"), [("1", ""), ("L", ""), ("RGB", ""), ("I;16", "16-bit"), ("F", "float")]
)
def test_what_pillow_wrote(mode: str, kind: str) -> None:
    """Each kind that Pillow writes is measured."""
    data = encoded(picture("L").convert(mode) if mode == "F" else picture(mode), "PPM")
    assert netpbm.header(data) == Header(SIZE, pixel_kind=kind, is_lossless=True)


@pytest.mark.parametrize(
    ("data", "size", "kind"),
    [
        (b"P1\n3 2\n1 0 1 0 1 0\n", Size(3, 2), ""),
        (b"P2 3\t2\r\n255\n", Size(3, 2), ""),
        (b"P3\n# by hand\n  3 #wide\n#high\n 2\n65535\n", Size(3, 2), "16-bit"),
        (b"P4\n3 2\n\0\0", Size(3, 2), ""),
        (b"P5\n3 2 256 ", Size(3, 2), "16-bit"),
        (b"P6\n3 2 255 ", Size(3, 2), ""),
        (b"Pf\n3 2\n-1.0\n", Size(3, 2), "float"),
    ],
)
def test_by_hand(data: bytes, size: Size, kind: str) -> None:
    """White space of any kind and comments stand between the numbers, as Pillow reads them."""
    found = netpbm.header(data)
    assert (found.size, found.pixel_kind) == (size, kind)
    assert pillow_size(data) == size


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"P6\n3", "no width and height"),
        (b"P6\n3 x ", "no width and height"),
        (b"P6\n12345678901 1 255 ", "no width and height"),
        (b"P6\n3 2\n", "no largest value"),
        (b"P6\n3 2\n0\n", "a largest value of 0"),
        (b"P6\n3 2\n65536\n", "a largest value of 65,536"),
        (b"Pf\n3 2\n0.0\n", "a scale of 0.0"),
        (b"Pf\n3 2\n1e999\n", "a scale of 1e999"),
        (b"Pf\n3 2\n+-\n", "float"),
        (b"P5\n#" + b"#\n" * 100_000, "no width and height"),
    ],
)
def test_headers_that_make_no_sense(data: bytes, said: str) -> None:
    """Numbers that are missing or out of range are no header."""
    with pytest.raises(ValueError, match=said):
        netpbm.header(data)


@pytest.mark.parametrize(
    ("data", "maximum", "is_colour", "pixels"),
    [
        (b"P5 1 2\n#\n9 \1\2", 9, False, b"\1\2"),
        (b"P6 1 1 300\n\0\1\0\2\0\3", 300, True, b"\0\1\0\2\0\3"),
    ],
)
def test_taken_apart(data: bytes, maximum: int, is_colour: bool, pixels: bytes) -> None:
    """Behind the largest value stands one white space, then the samples."""
    found = netpbm.raw(data)
    assert (found.maximum, found.is_colour, bytes(found.pixels)) == (maximum, is_colour, pixels)


@pytest.mark.parametrize("data", [b"P5 1", b"P5 1 2\n"])
def test_what_cannot_be_taken_apart(data: bytes) -> None:
    """Without its three numbers there are no samples."""
    with pytest.raises(ValueError, match="no width, height and largest value"):
        netpbm.raw(data)


def test_a_comment_without_end() -> None:
    """A header longer than any writer makes is none: Pillow would read it byte by byte."""
    with pytest.raises(ValueError, match="no width and height"):
        netpbm.header(b"P5 #" + b"x" * 70_000 + b"\n3 2 255\n")
