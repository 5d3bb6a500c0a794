"""
Pictures taken a few rows at a time, so that no second whole one is ever held.

A resize is two passes. The one along the rows is done band by band, each band changed to the pixels
that are wanted just before; the other follows on what is left. Bit for bit it gives what a resize
gives at once, but for tall pictures, where Pillow takes the two the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from PIL import Image

# 4 MB of colour, and half a dozen copies of it: measured, fewer rows take longer, more no less.
BAND_PIXELS = 1_000_000
# Gives the rows from one, and up to another.
Cut = Callable[[int, int], Image.Image]


def bands(image: Image.Image) -> Iterator[Image.Image]:
    """Give all rows of an image, some at a time."""
    return cut_bands(lambda top, end: image.crop((0, top, image.width, end)), image.size)


def cut_bands(cut: Cut, size: tuple[int, int]) -> Iterator[Image.Image]:
    width_px, height_px = size
    rows = max(1, BAND_PIXELS // width_px)
    for top in range(0, height_px, rows):
        yield cut(top, min(height_px, top + rows))


def narrowed(rows: Iterable[Image.Image], width_px: int, height_px: int) -> Image.Image:
    """Stack bands that are `height_px` high together, each made `width_px` wide."""
    made, top = None, 0
    for band in rows:
        if band.width != width_px:
            band = band.resize((width_px, band.height), Image.Resampling.LANCZOS)
        if made is None:
            made = Image.new(band.mode, (width_px, height_px))
        made.paste(band, (0, top))
        top += band.height
    assert made is not None
    return made
