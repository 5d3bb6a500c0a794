"""Netpbm of an unusual largest value: read at once as Pillow reads it sample by sample."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from adapters.pictures import sent
from eyeline.adapters.netpbm import netpbm


def raw(kind: bytes, maximum: int, shape: tuple[int, ...]) -> bytes:
    samples = np.random.default_rng(maximum).integers(0, maximum, shape, endpoint=True)
    depth = ">u2" if maximum > 255 else "u1"
    head = b"%b %d %d %d\n" % (kind, shape[1], shape[0], maximum)
    return head + samples.astype(depth).tobytes()


@pytest.mark.parametrize("maximum", [1, 100, 254])
def test_colour_is_what_pillow_reads(maximum: int) -> None:
    """Each sample is scaled by the largest value, rounded as Pillow does."""
    data = raw(b"P6", maximum, (40, 30, 3))
    theirs = np.asarray(Image.open(BytesIO(data))).astype(int)
    assert (np.asarray(netpbm(data)) == theirs).all()


@pytest.mark.parametrize("maximum", [256, 1_023, 65_534])
def test_deep_colour_is_what_pillow_reads(maximum: int) -> None:
    """So it is of more than eight bits, where its samples reach the largest value it names."""
    data = raw(b"P6", maximum, (40, 30, 3))
    theirs = np.asarray(Image.open(BytesIO(data))).astype(int)
    assert abs(np.asarray(sent(data)).astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("maximum", [1, 100, 254])
def test_grey_is_what_pillow_reads(maximum: int) -> None:
    """So is grey of up to eight bits."""
    data = raw(b"P5", maximum, (40, 30))
    assert netpbm(data).tobytes() == Image.open(BytesIO(data)).tobytes()


def test_deep_grey_keeps_its_numbers() -> None:
    """It is scaled later, by its real range."""
    image = netpbm(b"P5 2 1 4095\n\x0f\xff\0\1")
    assert (image.mode, image.getextrema()) == ("I;16", (1, 4095))
    assert sent(b"P5 2 1 4095\n\x0f\xff\0\1").getextrema() == (0, 255)


def test_pixels_that_are_missing() -> None:
    """Half a picture is none."""
    with pytest.raises(ValueError, match="not enough image data"):
        netpbm(b"P6 2 2 100\n\1\2\3")
