"""Bands of rows: nothing changes by taking a picture in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from adapters.pictures import STORED
from eyeline.adapters import bands


def noise(width: int, height: int, mode: str) -> Image.Image:
    grey = Image.effect_noise((width, height), 90)
    return Image.merge(mode, [grey.rotate(90 * at).resize(grey.size) for at in range(len(mode))])


@settings(max_examples=30, deadline=None)
@given(
    st.integers(40, 90), st.integers(1, 40), st.floats(0.05, 1), st.integers(1, 500),
    st.sampled_from(["L", "RGB", "CMYK"]),
)  # fmt: skip
def test_a_resize_in_two_passes_is_the_same(
    width: int, height: int, scale: float, band_pixels: int, mode: str
) -> None:
    """Narrowed band by band, then lowered: what one resize gives, of what is not tall."""
    image = noise(width, height, mode)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BAND_PIXELS", band_pixels)
        made = bands.narrowed(bands.bands(image), size[0], height)
    lanczos = Image.Resampling.LANCZOS
    assert made.resize(size, lanczos).tobytes() == image.resize(size, lanczos).tobytes()


def test_every_row_comes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last band may be lower than the others."""
    monkeypatch.setattr(bands, "BAND_PIXELS", 20)
    assert [band.size for band in bands.bands(Image.new("L", (5, 10)))] == [(5, 4), (5, 4), (5, 2)]


@pytest.mark.parametrize("orientation", STORED)
def test_bands_come_upright(orientation: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a picture is stored, its bands are those of the upright one, in order."""
    monkeypatch.setattr(bands, "BAND_PIXELS", 20)
    image = noise(7, 11, "RGB")
    stored = STORED[orientation](image)
    assert bands.upright(stored, orientation).tobytes() == image.tobytes()
    made = [band.tobytes() for band in bands.bands(stored, orientation)]
    assert made == [band.tobytes() for band in bands.bands(image)]
