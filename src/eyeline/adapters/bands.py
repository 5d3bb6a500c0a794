"""
Pictures taken a few rows at a time, so that no second whole one is ever held.

A resize is two passes. The one along the rows is done band by band, each band changed to the pixels
that are wanted just before; the other follows on what is left. Bit for bit it gives what a resize
gives at once, but for tall pictures, where Pillow takes the two the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from PIL import Image

# 4 MB of colour, and half a dozen copies of it: measured, fewer rows take longer, more no less.
BAND_PIXELS = 1_000_000
# EXIF orientation → how Pillow turns the stored picture upright. Source: EXIF 2.32, section 4.6.4.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Those under which the first row of the upright picture is stored last, as a row or a column.
FROM_THE_END = {3, 4, 7, 8}
# Left, top, right and bottom of a part, in pixels.
Box = tuple[int, int, int, int]


def bands(image: Image.Image, orientation: int = 1) -> Iterator[Image.Image]:
    """Give all rows of an image as they stand upright, some at a time."""
    return (upright(image.crop(box), orientation) for box in boxes(image.size, orientation))


def boxes(size: tuple[int, int], orientation: int = 1) -> Iterator[Box]:
    """Give the part of a stored picture that is each band of the upright one."""
    width_px, height_px = upright_size(size, orientation)
    for top, end in spans((width_px, height_px)):
        if orientation in FROM_THE_END:
            top, end = height_px - end, height_px - top
        yield (top, 0, end, width_px) if orientation >= 5 else (0, top, width_px, end)


def spans(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Give the first row of each band, and the row behind its last."""
    width_px, height_px = size
    rows = max(1, BAND_PIXELS // width_px)
    for top in range(0, height_px, rows):
        yield top, min(height_px, top + rows)


def upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    return size[::-1] if orientation >= 5 else size


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
