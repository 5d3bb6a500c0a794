"""A size in pixels, and fitting one into a limit."""

from __future__ import annotations

from typing import NamedTuple


class Size(NamedTuple):
    """Width and height in pixels, both >= 1."""

    width_px: int
    height_px: int

    def __str__(self) -> str:
        return f"{self.width_px}×{self.height_px}"

    @property
    def turned(self) -> Size:
        """The size after a quarter turn."""
        return Size(self.height_px, self.width_px)

    @property
    def pixels(self) -> int:
        return self.width_px * self.height_px


def fit_within(size: Size, side_px: int) -> Size:
    """Shrink until no side is longer than `side_px`; keep the aspect, never enlarge, round."""
    longest = max(size)
    if longest <= side_px:
        return size
    scale = side_px / longest
    return Size(max(1, round(size.width_px * scale)), max(1, round(size.height_px * scale)))
