"""GIF: screen, frames, transparency."""

from __future__ import annotations

import struct

import pytest

from core.support import SIZE, gifs
from eyeline.core.formats import gif
from eyeline.core.formats.header import Header
from eyeline.core.size import Size


def test_gif_marks_inside_other_blocks_do_not_count() -> None:
    """The bytes of a comment are never taken for a transparency mark or a trailer."""
    assert gif.header(gifs()["comment"]) == Header(SIZE, is_lossless=True)


def test_gif_whose_picture_passes_the_edge_of_its_screen() -> None:
    """The screen grows with its first picture, as decoders grow it."""
    data = bytearray(gifs()["static"])
    data[6:10] = struct.pack("<HH", 1, 1)
    assert gif.header(bytes(data)) == Header(SIZE, is_lossless=True)


def test_gif_with_stray_bytes_between_blocks() -> None:
    """Zero bytes between blocks are passed over, as decoders do."""
    data = gifs()["animated"]
    at = data.index(b"\x21\xf9\x04")
    assert gif.header(data[:at] + b"\0\0" + data[at:]).frames == 2


def test_gif_of_a_screen_alone() -> None:
    """A GIF without any picture still has the size of its screen."""
    assert gif.header(b"GIF89a\x05\0\x06\0\0\0\0;") == Header(Size(5, 6), is_lossless=True)


def test_gif_with_a_second_picture_without_control() -> None:
    """Two pictures make an animation, also without loop or timing."""
    bare = b"GIF89a\x01\0\x01\0\x80\0\0" + bytes(6)
    one = b"," + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\x02\x02\x44\x01\0"
    assert gif.header(bare + one + b";").frames == 1
    assert gif.header(bare + one + one + b";").frames == 2


SCREEN = b"GIF89a\x05\0\x06\0\0\0\0"


def test_millions_of_sub_blocks_are_refused() -> None:
    """A comment in pieces of one byte is not walked to its end."""
    with pytest.raises(ValueError, match="more than 2,000,000 sub-blocks"):
        gif.header(SCREEN + b"!\xfe" + b"\1x" * 2_000_000)


def test_millions_of_stray_bytes_are_refused() -> None:
    """A file of nothing between blocks is not walked to its end."""
    with pytest.raises(ValueError, match="more than 100,000 blocks"):
        gif.header(SCREEN + bytes(200_000))
