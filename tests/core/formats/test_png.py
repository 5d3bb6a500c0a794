"""PNG: chunks, orientation, depth, frames."""

from __future__ import annotations

import pytest

from core.support import SIZE, exif, pngs
from eyeline.core.formats import png
from eyeline.core.formats.header import Header


def test_png_orientation_after_the_pixels() -> None:
    """An eXIf chunk behind the image data, where some tools put it, turns the picture too."""
    plain = pngs()["RGB"]
    block = exif(6).tobytes().removeprefix(b"Exif\0\0")
    chunk = len(block).to_bytes(4) + b"eXIf" + block + b"\0\0\0\0"
    late = plain[:-12] + chunk + plain[-12:]
    assert png.header(late) == Header(SIZE, 6, is_lossless=True)


def test_png_that_does_not_begin_with_its_header() -> None:
    """A chunk before IHDR is not read as a size."""
    plain = pngs()["RGB"]
    with pytest.raises(ValueError, match="IHDR"):
        png.header(plain[:8] + b"\0\0\0\x04CgBI\0\0\0\0\0\0\0\0" + plain[8:])


def test_png_with_a_cut_frame_count() -> None:
    """A frame count that is not there is an error, not one frame."""
    with pytest.raises(ValueError, match="needs more"):
        png.header(pngs()["RGB"][:33] + b"\0\0\0\x08acTL")


def test_frames_are_counted() -> None:
    """An animated PNG says how many frames it has."""
    assert png.header(pngs()["animated"]).frames == 3


def test_millions_of_chunks_are_refused() -> None:
    """A file of empty chunks is not walked to its end."""
    empty = b"\0\0\0\0teSt\0\0\0\0" * 100_000
    with pytest.raises(ValueError, match="more than 100,000 chunks"):
        png.header(pngs()["RGB"][:33] + empty + pngs()["RGB"][33:])


def test_two_headers() -> None:
    """A second header, which some decoder might believe, is refused."""
    plain = pngs()["RGB"]
    with pytest.raises(ValueError, match="two headers"):
        png.header(plain[:33] + plain[8:])
