"""What came without loss and goes as it is: it goes only if it unpacks."""

from __future__ import annotations

import zlib

import pytest
from PIL import Image

from adapters.pictures import saved
from eyeline.adapters.images import Images
from eyeline.core.catalogue import find
from eyeline.core.media import GIF, JPEG, PNG, WEBP, read_info
from eyeline.core.parts import PreparedImage
from eyeline.core.plan import Look, plan
from eyeline.errors import ImageTooLarge, ImageTruncated

NOISE = Image.effect_noise((1100, 1000), 80).convert("RGB")
FILES = {
    PNG: saved(NOISE, "PNG"),
    GIF: saved(NOISE.resize((300, 200)), "GIF"),
    WEBP: saved(NOISE.resize((300, 200)), "WEBP", lossless=True),
}


def passed(data: bytes) -> PreparedImage:
    """Take an image that goes as it is the way it goes."""
    planned = plan(read_info(data, "x"), find("gpt-4o"), Look("high"), (*FILES, JPEG), "x")
    assert not planned.encode
    return Images().prepare(data, planned, "x")


@pytest.mark.parametrize("media_type", [GIF, WEBP])
def test_what_unpacks_goes_as_it_is(media_type: str) -> None:
    """Byte for byte, and not decoded again."""
    data = FILES[media_type]
    assert passed(data) == PreparedImage(data, media_type, read_info(data, "x").size)


def test_damaged_pixels_do_not_go() -> None:
    """Noise in the place of pixels, or half of them, between marks that are right, is an error."""
    gif, webp = bytearray(FILES[GIF]), FILES[WEBP]
    middle = len(gif) // 2
    gif[middle : middle + 2_000] = bytes(at * 167 % 251 for at in range(2_000))
    assert webp[12:16] == b"VP8L"
    half = webp[20 : len(webp) // 2 * 2 // 2]
    cut = b"WEBPVP8L" + len(half).to_bytes(4, "little") + half + bytes(len(half) % 2)
    for data in (bytes(gif), b"RIFF" + len(cut).to_bytes(4, "little") + cut):
        with pytest.raises(ImageTruncated, match="x: truncated or damaged image"):
            passed(data)


def test_a_large_png_is_unpacked_too() -> None:
    """One whose rows are cut behind right checksums does not go."""
    small = saved(NOISE.resize((500, 400)), "PNG")
    assert passed(small).data == small
    data = saved(NOISE.resize((760, 1500)), "PNG")
    start, end = data.index(b"IDAT") - 4, data.rindex(b"IEND") - 4
    packed = b"IDAT" + zlib.compress(bytes(2281 * 1_000))
    cut = (len(packed) - 4).to_bytes(4) + packed + zlib.crc32(packed).to_bytes(4)
    with pytest.raises(ImageTruncated, match="fewer pixels than its size says"):
        passed(data[:start] + cut + data[end:])


def test_what_would_fill_the_memory() -> None:
    """A canvas far larger than its bytes explain is not decoded, not even to look."""
    small = saved(Image.new("L", (8, 8)), "GIF")
    data = bytearray(small)
    data[6:10] = b"\x00\x32\x00\x32"
    planned = plan(read_info(small, "x"), find("gpt-4o"), Look("high"), (GIF,), "x")
    with pytest.raises(ImageTooLarge, match="163 MB once decoded"):
        Images().prepare(bytes(data), planned, "x")
