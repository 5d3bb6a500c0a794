"""Pixels in memory: PIL images and arrays."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adapters.pictures import (
    BLUE,
    GREEN,
    RED,
    corners,
    near,
    palette,
    quarters,
    sent,
    with_orientation,
)
from eyeline.adapters.arrays import encode, from_array
from eyeline.core.media import read_info
from eyeline.errors import BadReference

# --- in memory ----------------------------------------------------------------------------------


def test_a_photo_in_memory_keeps_its_turn() -> None:
    """A PIL image opened from a phone's file is sent upright, as the file itself would be."""
    photo = Image.open(BytesIO(with_orientation(quarters(), 6, "JPEG")))
    assert photo.size == (32, 64)
    image = sent(encode(photo, "sign"))
    assert image.size == (64, 32)
    assert all(map(near, corners(image), [RED, GREEN, BLUE]))


def test_encoding_leaves_the_image_alone() -> None:
    """The user's image is the same afterwards."""
    image = palette(transparent=1)
    before = image.copy()
    encode(image, "sign")
    assert (image.mode, image.info, image.tobytes()) == (before.mode, before.info, before.tobytes())


GREY, COLOUR = np.arange(12, dtype=np.uint8).reshape(3, 4), np.zeros((3, 4, 3), np.uint8)


@pytest.mark.parametrize(
    ("array", "mode"),
    [
        (GREY, "L"),
        (GREY[:, :, None], "L"),
        (GREY.astype(np.uint16) * 257, "I;16"),
        (COLOUR, "RGB"),
        (np.zeros((3, 4, 4), np.uint8), "RGBA"),
        (GREY / 12, "L"),
        (COLOUR.astype(np.float32), "RGB"),
        (np.ones((3, 4, 3), np.float16), "RGB"),
        (GREY > 5, "L"),
        (GREY[::-1, ::-1], "L"),
        (np.zeros((6, 8, 3), np.uint8)[::2, ::2], "RGB"),
        (COLOUR[:, :, ::-1], "RGB"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.dtype}{value.shape}",
)
def test_takes_arrays(array: Any, mode: str) -> None:
    """Arrays of height × width, alone or with 1, 3 or 4 channels, are images; views of them too."""
    image = from_array(array, "array")
    assert (image.mode, image.size) == (mode, (4, 3))
    assert read_info(encode(array, "array"), "array").size == (4, 3)


def test_an_array_keeps_its_values() -> None:
    """Bytes stay as they are; floats from 0 to 1 and truths go from black to white."""
    assert np.array_equal(np.asarray(from_array(GREY[::-1], "array")), GREY[::-1])
    assert [*from_array(np.array([[0, 0.5, 1.0]]), "array").tobytes()] == [0, 128, 255]
    assert [*from_array(np.array([[False, True]]), "array").tobytes()] == [0, 255]


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros(4, np.uint8), "shape (4,), expected H×W, H×W×3 or H×W×4"),
        (np.float32(1), "shape ()"),
        (np.zeros((3, 8, 8), np.uint8), "shape (3, 8, 8)"),
        (np.zeros((2, 4, 4, 3), np.uint8), "shape (2, 4, 4, 3)"),
        (np.zeros((4, 4, 2), np.uint8), "shape (4, 4, 2)"),
        (np.zeros((0, 4), np.uint8), "shape (0, 4)"),
        (np.zeros((4, 4, 3), np.uint16), "an array of uint16, expected uint8 or floats in 0..1"),
        (np.zeros((4, 4), np.int64), "an array of int64"),
        (np.zeros((4, 4), np.complex64), "an array of complex64"),
        (np.zeros((4, 4), object), "an array of object"),
        (np.array([["a", "b"]]), "an array of <U1"),
        (np.full((4, 4), 255.0), "floats from 255 to 255, expected 0 to 1"),
        (np.full((4, 4), -0.1), "floats from -0.1"),
        (np.full((4, 4), np.nan), "floats from nan"),
    ],
)
def test_refuses_other_arrays(array: Any, found: str) -> None:
    """An array that could mean several pictures is refused, with what was found and expected."""
    with pytest.raises(BadReference) as raised:
        encode(array, "ndarray in memory")
    assert found in str(raised.value)
