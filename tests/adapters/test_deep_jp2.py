"""JPEG 2000 of deep colours: white stays white, black black."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adapters.pictures import saved, sent
from eyeline.adapters.deep_jp2 import load_jp2, whitened

SAMPLES = Path(__file__).parents[1] / "samples" / "jpeg2000"
RAMP = np.linspace(0, 255, 32)


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data), formats=["JPEG2000"])


def test_eight_bits_and_grey_are_opened_once() -> None:
    """Only deep colours need more than that."""
    asked: list[bytes] = []

    def counted(data: bytes) -> Image.Image:
        asked.append(data)
        return opened(data)

    for image in (Image.new("RGB", (8, 8), (9, 99, 200)), Image.new("I;16", (8, 8), 5_000)):
        data = saved(image, "JPEG2000")
        assert load_jp2(data, counted).tobytes() == opened(data).tobytes()
        assert asked.pop() == data
        assert not asked


@pytest.mark.parametrize("name", ["rgb", "rgb-lossy", "rgba", "la"])
def test_white_stays_white(name: str) -> None:
    """What Pillow makes black comes white, what is black stays so, and all between is right."""
    data = (SAMPLES / f"{name}-12-bit.j2k").read_bytes()
    made = load_jp2(data, opened)
    for channel in made.split():
        assert abs(np.asarray(channel) - RAMP).max() <= 1.5
    assert made.mode == {"rgb-lossy": "RGB"}.get(name, name.upper())
    if name == "rgb":
        theirs = np.asarray(opened(data))
        assert theirs[0, -1, 0] == 0, "Pillow does it right now: deep_jp2 may go"


def test_it_is_sent_so() -> None:
    """The whole way, decoded in the other process; what came without loss goes without."""
    image = sent((SAMPLES / "rgb-12-bit.j2k").read_bytes())
    assert image.format == "PNG"
    assert abs(np.asarray(image)[0, :, 1] - RAMP).max() <= 1.5


def test_nothing_black() -> None:
    """Where nothing is black, nothing needs a second look."""
    grey = Image.new("RGB", (8, 8), (1, 99, 200))

    def never() -> Image.Image:
        raise AssertionError("looked again")

    assert whitened(grey, never) is grey
