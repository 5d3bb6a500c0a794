from __future__ import annotations

import numpy as np
import pytest

from eyeline.local.colours import name_colours, to_lab


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 255, 255), "white"),
        ((0, 0, 0), "black"),
        ((255, 0, 0), "red"),
        ((0, 128, 0), "green"),
        ((0, 0, 255), "blue"),
        ((255, 255, 0), "yellow"),
        ((255, 165, 0), "orange"),
        ((128, 0, 128), "purple"),
        ((135, 206, 235), "light blue"),
        ((0, 0, 128), "navy"),
        ((128, 128, 128), "grey"),
    ],
)
def test_plain_colours_have_their_everyday_name(rgb: tuple[int, int, int], name: str) -> None:
    """The colours of CSS are called what CSS calls them."""
    (colour,) = name_colours(np.full((4, 4, 3), rgb, dtype=np.uint8))
    assert (colour.name, colour.share) == (name, 1.0)


def test_small_shares_are_left_out() -> None:
    """A colour under one in twenty is not named; the others come largest first."""
    pixels = np.zeros((10, 10, 3), dtype=np.uint8)
    pixels[:3] = 255
    pixels[9, :4] = (255, 0, 0)
    assert [(c.name, c.share) for c in name_colours(pixels)] == [("black", 0.66), ("white", 0.3)]


def test_lab_is_that_of_the_standard() -> None:
    """White, and red as published for sRGB under D65."""
    lab = to_lab(np.array([(255, 255, 255), (255, 0, 0)], dtype=np.float32))
    assert lab[0] == pytest.approx([100, 0, 0], abs=0.1)
    assert lab[1] == pytest.approx([53.24, 80.09, 67.2], abs=0.2)
