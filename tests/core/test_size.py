"""Sizes, and fitting one into a limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.size import Size, fit_within

SIZES = st.builds(Size, st.integers(1, 70_000), st.integers(1, 70_000))


@pytest.mark.parametrize(
    ("size", "side_px", "expected"),
    [
        (Size(100, 50), 200, Size(100, 50)),
        (Size(200, 100), 200, Size(200, 100)),
        (Size(4032, 3024), 2048, Size(2048, 1536)),
        (Size(3024, 4032), 2048, Size(1536, 2048)),
        (Size(70_000, 1), 512, Size(512, 1)),
        (Size(1, 70_000), 512, Size(1, 512)),
    ],
)
def test_examples(size: Size, side_px: int, expected: Size) -> None:
    """The longer side becomes the limit, the other follows, and neither falls below one."""
    assert fit_within(size, side_px) == expected


@given(SIZES, st.integers(1, 70_000))
def test_fits_and_never_grows(size: Size, side_px: int) -> None:
    """What was fitted has no side beyond the limit, is not enlarged, and fits as it is."""
    fitted = fit_within(size, side_px)
    assert 1 <= fitted.width_px <= min(size.width_px, max(1, side_px))
    assert 1 <= fitted.height_px <= min(size.height_px, max(1, side_px))
    assert fit_within(fitted, side_px) == fitted


@given(SIZES, st.integers(1, 70_000))
def test_keeps_the_aspect(size: Size, side_px: int) -> None:
    """Each side is the exact one rounded to a whole pixel."""
    fitted, scale = fit_within(size, side_px), min(1.0, side_px / max(size))
    assert abs(fitted.width_px - max(1, size.width_px * scale)) <= 0.5001
    assert abs(fitted.height_px - max(1, size.height_px * scale)) <= 0.5001


def test_reads_as_people_write_it() -> None:
    """A size prints with a multiplication sign, turns, and counts its pixels."""
    assert str(Size(4032, 3024)) == "4032×3024"
    assert Size(4032, 3024).turned == Size(3024, 4032)
    assert Size(4032, 3024).pixels == 12_192_768
