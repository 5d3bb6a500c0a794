"""The name of what an image shows: one for every lossless file of it, and for no other picture."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageCms

from eyeline.adapters.fingerprint import digest_pixels
from eyeline.core.media import BMP, GIF, JPEG, PNG, TIFF, WEBP

TYPES = {"PNG": PNG, "BMP": BMP, "TIFF": TIFF, "WEBP": WEBP, "GIF": GIF, "JPEG": JPEG}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# Red and green are swapped.
OTHER = SRGB.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def name(image: Image.Image, kind: str = "PNG", **options: Any) -> str:
    return digest_pixels(saved(image, kind, **options), TYPES[kind])


def with_chunk(png: bytes, kind: bytes, data: bytes) -> bytes:
    """Put a chunk behind the header of a PNG."""
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return png[:33] + struct.pack(">I", len(data)) + kind + data + checksum + png[33:]


def gamma_png(gamma: float, image: Image.Image) -> bytes:
    return with_chunk(saved(image), b"gAMA", struct.pack(">I", round(gamma * 100_000)))


STRIPES = Image.linear_gradient("L").resize((24, 18)).convert("RGB")
pixels = arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3)))


@settings(max_examples=40, deadline=None)
@given(pixels, pixels)
def test_is_that_of_the_pixels(one: Any, other: Any) -> None:
    """Two pictures have one name if, and only if, size and every pixel are the same."""
    same = one.shape == other.shape and bool((one == other).all())
    images = Image.fromarray(one), Image.fromarray(other)
    names = {name(image, kind) for image in images for kind in ("PNG", "BMP", "TIFF")}
    names |= {name(image, "WEBP", lossless=True, exact=True) for image in images}
    assert len(names) == (1 if same else 2)


def test_grey_and_palettes_mean_colours() -> None:
    """Grey, a palette or one bit a pixel have the name of the colours they stand for."""
    bits = STRIPES.convert("1")
    assert len({name(bits), name(bits.convert("L")), name(bits.convert("RGB"))}) == 1
    few = STRIPES.quantize(8)
    assert name(few) == name(few, "GIF") == name(few.convert("RGB")) != name(STRIPES)


def test_srgb_said_aloud_is_srgb() -> None:
    """A profile or a gamma that only says what is so anyway changes nothing."""
    plain = name(STRIPES)
    assert name(STRIPES, icc_profile=SRGB) == plain
    assert digest_pixels(gamma_png(0.45455, STRIPES), PNG) == plain
    srgb = with_chunk(gamma_png(0.9, STRIPES), b"sRGB", b"\0")
    assert digest_pixels(srgb, PNG) == plain


def test_other_colours_are_another_picture() -> None:
    """Numbers that mean other colours, by profile, gamma or coding points, have another name."""
    coded = with_chunk(saved(STRIPES), b"cICP", bytes((9, 16, 0, 1)))
    names = [
        name(STRIPES),
        name(STRIPES, icc_profile=OTHER),
        name(STRIPES.convert("L"), icc_profile=b"damaged"),
        name(STRIPES, icc_profile=b"damaged"),
        digest_pixels(gamma_png(0.9, STRIPES), PNG),
        digest_pixels(gamma_png(1.0, STRIPES), PNG),
        digest_pixels(coded, PNG),
    ]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("damage", ["cut", "crushed", "none at all"])
def test_what_cannot_be_decoded_has_no_name(damage: str) -> None:
    """Where the decoder gives up there is no name, and no error."""
    data = saved(STRIPES)
    damaged = {"cut": data[:60], "crushed": data[:45] + bytes(40) + data[85:], "none at all": b""}
    assert digest_pixels(damaged[damage], PNG) == ""
