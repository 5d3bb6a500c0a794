"""ICO and CUR: the picture that Pillow takes."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from PIL import Image

from core.support import encoded, picture, transparent
from eyeline.core.formats import ico
from eyeline.core.formats.header import Header
from eyeline.core.size import Size


def taken(data: bytes) -> Size:
    with Image.open(BytesIO(data), formats=["ICO", "CUR"]) as image:
        return Size(*image.size)


def bitmap(size: Size) -> bytes:
    """Give a bitmap of 32 bits a pixel as icons hold it, with room for its mask."""
    head = struct.pack(
        "<IiiHHIIiiII", 40, *size._replace(height_px=size.height_px * 2), 1, 32, *[0] * 6
    )
    return head + bytes(size.pixels * 4 + size.pixels)


def file(*entries: tuple[bytes, bytes], kind: int = 1) -> bytes:
    """Give an icon of these pictures, each with the first eight bytes of its entry."""
    directory, pictures = b"", b""
    at = 6 + 16 * len(entries)
    for head, data in entries:
        directory += head + struct.pack("<II", len(data), at + len(pictures))
        pictures += data
    return struct.pack("<HHH", 0, kind, len(entries)) + directory + pictures


def entry(width: int, height: int, colours: int = 0, bits: int = 32) -> bytes:
    return struct.pack("<BBBBHH", width, height, colours, 0, 1, bits)


@pytest.mark.parametrize("bitmaps", [False, True])
def test_the_largest_that_pillow_wrote(bitmaps: bool) -> None:
    """The largest of several sizes is the picture, whether stored as PNG or as bitmap."""
    source = transparent("RGBA").resize((256, 256))
    sizes = [(16, 16), (256, 256), (48, 48)]
    data = encoded(source, "ICO", sizes=sizes, bitmap_format="bmp" if bitmaps else "png")
    assert ico.header(data) == Header(Size(256, 256), has_alpha=True, is_lossless=True)
    assert taken(data) == Size(256, 256)


def test_a_png_larger_than_its_entry() -> None:
    """A PNG says itself how large it is, whatever the directory says of it."""
    data = file(
        (entry(16, 16), bitmap(Size(16, 16))),
        (entry(0, 0), encoded(picture(size=Size(300, 290)), "PNG")),
    )
    assert ico.header(data).size == Size(300, 290)


def test_of_one_size_the_one_of_fewest_colours() -> None:
    """Of entries of one size Pillow takes that of the least depth, and so do we."""
    pictures = [bitmap(Size(16, 16)), bitmap(Size(17, 17)), bitmap(Size(18, 18))]
    heads = [entry(16, 16, 0, 0), entry(16, 16, 0, 32), entry(16, 16, 16, 0)]
    data = file(*zip(heads, pictures, strict=True))
    assert ico.header(data).size == Size(18, 18)


def test_cursors() -> None:
    """Of cursors Pillow takes one that is larger in both directions than the last taken."""
    sizes = [(16, 16), (32, 8), (24, 24), (32, 32)]
    data = file(*((entry(*size, bits=3), bitmap(Size(*size))) for size in sizes), kind=2)
    assert ico.header(data).size == Size(32, 32) == taken(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\0\0\1\0\0\0", "no pictures"),
        (b"\0\0\1\0\2\0" + bytes(20), "needs more"),
        (file((entry(9, 9), b"")), "needs more"),
        (file((entry(9, 9), b"text")), "BMP header"),
    ],
)
def test_directories_that_lead_nowhere(data: bytes, said: str) -> None:
    """A directory that is empty, cut, or names what is no picture makes no sense."""
    with pytest.raises(ValueError, match=said):
        ico.header(data)
