"""BMP: sizes in headers old and new."""

from __future__ import annotations

import struct

import pytest

from core.support import SIZE, bmps
from eyeline.core.formats import bmp
from eyeline.core.size import Size


def test_bmp_of_the_oldest_kind() -> None:
    """The 12-byte header of OS/2 holds its size in two bytes each."""
    assert bmp.header(b"BM" + bytes(12) + struct.pack("<IHH", 12, 640, 480)).size == Size(640, 480)


def test_bmp_stored_from_top_to_bottom() -> None:
    """A negative height is the order of the rows, not a size."""
    data = bytearray(bmps()["RGB"])
    data[22:26] = struct.pack("<i", -SIZE.height_px)
    assert bmp.header(bytes(data)).size == SIZE


def test_bmp_that_is_a_text() -> None:
    """A text that happens to begin with BM is not measured."""
    with pytest.raises(ValueError, match="BMP header"):
        bmp.header(b"BMW is a maker of cars, and this is a text.")
