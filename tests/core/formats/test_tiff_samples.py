"""Deep TIFF pages: how they hold their samples, and the same page as one of bytes."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pytest
from adapters.deep_files import Layout, tiff
from PIL import Image

from core.support import encoded, picture
from eyeline.core.formats.header import Unsafe
from eyeline.core.formats.tiff_samples import Samples, as_bytes, deep_samples
from eyeline.core.size import Size

RAMP = np.arange(20 * 18 * 3, dtype="u2").reshape(18, 20, 3)


def big(data: bytes) -> bytes:
    """Give a little-endian TIFF of one directory as a BigTIFF."""
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    entries = b""
    for start in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, number, place = struct.unpack_from("<HHII", data, start)
        width = 4 * number if kind == 4 else number
        value = data[place : place + width] if width > 4 else data[start + 8 : start + 8 + width]
        # What fits in eight bytes must stand in the entry; all else stays where it is.
        field = value.ljust(8, b"\0") if width <= 8 else struct.pack("<Q", place)
        entries += struct.pack("<HHQ", tag, kind, number) + field
    body = data[8:at] + struct.pack("<Q", count) + entries + bytes(8)
    return b"II+\0\x08\0\0\0" + struct.pack("<Q", at) + body[8:]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "I;16", "I", "F"])
def test_what_is_read_elsewhere(mode: str) -> None:
    """Eight bits and less, and one deep sample a pixel, are read as ever."""
    assert deep_samples(encoded(picture(mode), "TIFF"), 0) is None


def test_what_is_compressed_as_jpeg() -> None:
    """JPEG has samples of its own."""
    assert deep_samples(encoded(picture(), "TIFF", compression="jpeg"), 0) is None


def test_colours_of_16_bits() -> None:
    """Side by side they are read by their halves, in planes they are not."""
    assert deep_samples(tiff(RAMP), 0) is None
    found = deep_samples(tiff(RAMP, Layout(is_planar=True, tile_px=16, predictor=2)), 0)
    assert found == Samples(Size(20, 18), 3, 16, 1, "<", 2, 0, True, 2, 16)
    assert (found.planes, found.width_px, found.total_bytes) == (3, 32, 3 * 18 * 64)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("tile_px", [0, 16])
def test_a_page_of_bytes(order: str, tile_px: int) -> None:
    """Any reader of TIFF unpacks the bytes of each plane, and the profile is still there."""
    layout = Layout(order, is_planar=True, tile_px=tile_px, profile=b"colours")
    data = tiff(RAMP, layout)
    found = deep_samples(data, 0)
    assert found
    for plane in range(3):
        image = Image.open(BytesIO(as_bytes(data, 0, found, plane)))
        rows = np.asarray(image)[:, :40].copy().view(order + "u2")
        assert (rows == RAMP[:, :, plane]).all()
        assert image.info["icc_profile"] == b"colours"


@pytest.mark.parametrize("order", "<>")
def test_strips_without_a_profile(order: str) -> None:
    """Floats side by side are one plane; a file of odd length is filled up."""
    floats = RAMP.astype("f4")
    data = tiff(floats, Layout(order))
    found = deep_samples(data, 0)
    assert found
    assert (found.planes, found.pixel_bytes, found.total_bytes) == (1, 12, floats.nbytes)
    for made in (data, data + b"!"):
        image = Image.open(BytesIO(as_bytes(made, 0, found, 0)))
        assert image.tobytes() == floats.astype(order + "f4").tobytes()
        assert "icc_profile" not in image.info


def test_a_wide_page() -> None:
    """A row of more than 65,535 bytes is named in four."""
    row = np.ones((1, 6_000, 3), "f4")
    data = tiff(row)
    found = deep_samples(data, 0)
    assert found
    assert Image.open(BytesIO(as_bytes(data, 0, found, 0))).size == (72_000, 1)


def test_a_page_of_big_tiff() -> None:
    """Wide offsets come out narrow: no file here is as long as that."""
    floats = RAMP.astype("f4")
    data = tiff(floats, Layout(is_packed=False, profile=b"all the colours"))
    wide = big(data)
    found = deep_samples(wide, 0)
    assert found
    image = Image.open(BytesIO(as_bytes(wide, 0, found, 0)))
    assert image.tobytes() == floats.tobytes()
    assert image.info["icc_profile"] == b"all the colours"


def test_missing_strips() -> None:
    """Without their lengths, or with some missing, strips cannot be dealt out."""
    planar = tiff(RAMP, Layout(is_planar=True))
    found = deep_samples(planar, 0)
    assert found
    count = struct.pack("<HHI", 273, 4, 12)
    assert count in planar
    with pytest.raises(ValueError, match="not as many strips"):
        as_bytes(planar.replace(count, struct.pack("<HHI", 273, 4, 11)), 0, found, 0)
    with pytest.raises(ValueError, match="not as many strips"):
        as_bytes(
            planar.replace(struct.pack("<HH", 279, 4), struct.pack("<HH", 280, 4)), 0, found, 0
        )


def test_too_many_strips() -> None:
    """More strips than any writer makes are refused."""
    data = tiff(RAMP.astype("f4"))
    found = deep_samples(data, 0)
    assert found
    for tag in (273, 279):
        said = struct.pack("<HHI", tag, 4, 4)
        assert said in data
        data = data.replace(said, struct.pack("<HHI", tag, 4, 600_000))
    with pytest.raises(Unsafe, match="more than 500,000 strips"):
        as_bytes(data + bytes(2_400_000), 0, found, 0)
