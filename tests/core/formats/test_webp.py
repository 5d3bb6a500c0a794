"""WebP: the three kinds of it, orientation, loss."""

from __future__ import annotations

import pytest

from core.support import SIZE, encoded, exif, picture, webps
from eyeline.core.formats import webp


def test_webp_of_an_unknown_chunk() -> None:
    """A first chunk that is none of the three kinds makes no sense."""
    with pytest.raises(ValueError, match="VP8Z"):
        webp.header(b"RIFF\0\0\0\0WEBPVP8Z")


def test_webp_that_promises_exif_and_has_none() -> None:
    """A flag without its chunk turns nothing."""
    data = bytearray(webps()["lossy alpha"])
    data[20] |= 0x08
    assert webp.header(bytes(data)).orientation == 1


def test_webp_exif_with_a_jpeg_mark() -> None:
    """EXIF that begins as in JPEG, as some writers have it, is read all the same."""
    block = b"Exif\0\0" + exif(6).tobytes().removeprefix(b"Exif\0\0")
    data = bytearray(webps()["lossy alpha"])
    data[20] |= 0x08
    chunk = b"EXIF" + len(block).to_bytes(4, "little") + block
    data[4:8] = (len(data) + len(chunk) - 8).to_bytes(4, "little")
    assert webp.header(bytes(data) + chunk).orientation == 6


def test_webp_cut_before_its_exif() -> None:
    """Cut between picture and EXIF, the orientation is not guessed; the whole file says it."""
    data = webps()["exif 6"]
    assert webp.header(data).orientation == 6
    with pytest.raises(ValueError, match="before its EXIF"):
        webp.header(data[:60])


def test_an_animation_without_loss() -> None:
    """The first frame of an animation says whether it lost anything."""
    frames = [picture().rotate(90 * turn) for turn in range(3)]
    for lossless in (True, False):
        data = encoded(
            frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=lossless
        )
        found = webp.header(data)
        assert (found.size, found.frames, found.is_lossless) == (SIZE, 2, lossless)


def test_millions_of_chunks_are_refused() -> None:
    """A file of empty chunks is not walked to its end."""
    head = webps()["lossy alpha"][:30]
    data = b"RIFF\xff\xff\xff\xff" + head[8:] + b"ABCD\0\0\0\0" * 100_001
    with pytest.raises(ValueError, match="more than 100,000 chunks"):
        webp.header(data)
