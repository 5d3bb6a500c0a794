"""
How a model resizes an image, and how many tokens it then bills.

Source: OpenAI images-vision guide, August and September 2026 revisions; the same formulas stand in
litellm 1.109.1. Checked in tests/core/test_tokens.py against the vectors in tests/samples/tokens.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from eyeline.core.size import Size, fit_within

Detail = Literal["low", "high", "original", "auto"]
DETAILS: tuple[Detail, ...] = ("low", "high", "original", "auto")

PATCH_PX = 32
TILE_PX = 512
TILE_BOX_PX = 2048
TILE_SHORT_SIDE_PX = 768


@dataclass(frozen=True, slots=True)
class PatchBox:
    """
    What one detail level of a patch model allows: the longest side, and the patches if capped.
    """

    side_px: int
    patches_max: int | None


@dataclass(frozen=True, slots=True)
class PatchRule:
    """Tokens are patches of 32×32 pixels times a multiplier."""

    boxes: Mapping[str, PatchBox]
    multiplier: float
    auto_is: Detail
    refuse_over_patches: int | None

    def size(self, size: Size, detail: Detail) -> Size:
        """Give the size the model itself would shrink `size` (upright, in pixels) to."""
        box = self.box(detail)
        size = fit_within(size, box.side_px)
        if box.patches_max is not None and patches(size) > box.patches_max:
            size = fit_patches(size, box.patches_max)
        return size

    def tokens(self, size: Size, detail: Detail) -> int:
        """
        Count the tokens of one image of `size` before the model's resizing; a partial patch counts
        whole.
        """
        # Rounding to nine places first: 1.2 and 1.62 are not exact in binary.
        return math.ceil(round(patches(self.size(size, detail)) * self.multiplier, 9))

    def tokens_max(self, detail: Detail) -> int:
        """Give the most that one image may take, whatever its size."""
        box = self.box(detail)
        limits = (
            box.patches_max,
            self.refuse_over_patches,
            patches(Size(box.side_px, box.side_px)),
        )
        most = min(limit for limit in limits if limit is not None)
        return math.ceil(round(most * self.multiplier, 9))

    def is_refused(self, size: Size, detail: Detail) -> bool:
        """Say whether the API refuses `size` for having too many patches after its own resizing."""
        limit = self.refuse_over_patches
        return limit is not None and patches(self.size(size, detail)) > limit

    def box(self, detail: Detail) -> PatchBox:
        return self.boxes[self.auto_is if detail == "auto" else detail]


@dataclass(frozen=True, slots=True)
class TileRule:
    """Tokens are a base, plus so many for each tile of 512×512 pixels."""

    base: int
    per_tile: int
    auto_is: Detail = "high"

    def size(self, size: Size, detail: Detail) -> Size:
        """Give the size the model itself would shrink `size` (upright, in pixels) to."""
        if self.named(detail) == "low":
            return fit_within(size, TILE_PX)
        size = fit_within(size, TILE_BOX_PX)
        short_px = min(size)
        if short_px <= TILE_SHORT_SIDE_PX:
            return size
        long_px = max(size) * TILE_SHORT_SIDE_PX // short_px
        wide = size.width_px >= size.height_px
        return Size(long_px, TILE_SHORT_SIDE_PX) if wide else Size(TILE_SHORT_SIDE_PX, long_px)

    def tokens(self, size: Size, detail: Detail) -> int:
        """
        Count the tokens of one image of `size` before the model's resizing; a partial tile counts
        whole.
        """
        if self.named(detail) == "low":
            return self.base
        return self.base + self.per_tile * cells(self.size(size, detail), TILE_PX)

    def tokens_max(self, detail: Detail) -> int:
        """Give the most that one image may take, whatever its size."""
        return self.tokens(Size(TILE_BOX_PX, TILE_SHORT_SIDE_PX), detail)

    def is_refused(self, size: Size, detail: Detail) -> bool:
        """Tile models shrink any image; none is refused for its pixels."""
        return False

    def named(self, detail: Detail) -> Detail:
        return self.auto_is if detail == "auto" else detail


VisionRule = PatchRule | TileRule


def cells(size: Size, cell_px: int) -> int:
    """Count the square cells that cover `size`, partly covered ones whole."""
    return -(-size.width_px // cell_px) * -(-size.height_px // cell_px)


def patches(size: Size) -> int:
    return cells(size, PATCH_PX)


def fit_patches(size: Size, patches_max: int) -> Size:
    """Shrink `size` until it takes at most `patches_max` patches, as the API does it."""
    scale = math.sqrt(PATCH_PX**2 * patches_max / size.pixels)
    across = size.width_px * scale / PATCH_PX
    down = size.height_px * scale / PATCH_PX
    # A strip thinner than one patch would floor to zero; the API's own result there is unknown.
    scale *= min(max(1, math.floor(across)) / across, max(1, math.floor(down)) / down, 1.0)
    return Size(
        max(1, math.floor(size.width_px * scale)), max(1, math.floor(size.height_px * scale))
    )
