"""resvg: an SVG drawn in a child process. Any number of threads may call."""

from __future__ import annotations

import json
import re
from io import BytesIO

from PIL import Image, ImageOps

from eyeline.adapters.apart import drawing_bounds, run_apart
from eyeline.core.formats.svg import clean
from eyeline.core.size import Size
from eyeline.errors import ImageTooLarge

CHILD = "eyeline.adapters.svg_child"
# resvg holds several copies of what it draws, one a layer.
PIXELS_MAX = 25_000_000
TEXT = re.compile(rb"<(?:[\w.-]+:)?text\b")
NO_FONTS = "no fonts installed: only unaccented Latin text is drawn"


def draw(data: bytes, size: Size, source: str = "SVG") -> tuple[Image.Image, tuple[str, ...]]:
    """
    Clean an SVG and draw it: RGBA of exactly `size`, and notes of what is not as it was.

    Raises ValueError for XML that is damaged or too much, ImageTruncated for what resvg cannot
    read, and ImageTooLarge for what takes too much to draw.
    """
    safe, notes = clean(data)
    image, drawing_notes = render(safe, size, source)
    return image, notes + drawing_notes


def render(svg: bytes, size: Size, source: str = "SVG") -> tuple[Image.Image, tuple[str, ...]]:
    """
    Draw an SVG in UTF-8 as `draw` does. resvg reads the files it names: `svg` must be clean.
    """
    if size.pixels > PIXELS_MAX:
        raise ImageTooLarge(source, f"{size} px", f"{PIXELS_MAX // 10**6} megapixels")
    if not TEXT.search(svg):
        return exactly(png(svg, size, None, source), size), ()
    from eyeline.adapters.fonts import fonts

    with fonts() as chosen:
        image = png(svg, size, chosen.options, source)
    return exactly(image, size), () if chosen.are_installed else (NO_FONTS,)


def png(svg: bytes, size: Size, fonts: object, source: str) -> Image.Image:
    """Draw within `size`, the aspect kept."""
    drawn = run_apart(CHILD, svg, (*size, json.dumps(fonts)), drawing_bounds(svg), source)
    return Image.open(BytesIO(drawn), formats=["PNG"])


def exactly(image: Image.Image, size: Size) -> Image.Image:
    """Give the image `size`; more than what rounding takes is filled up, never distorted."""
    image = image.convert("RGBA")
    if image.size == size:
        return image
    if all(abs(side - wanted) <= 1 for side, wanted in zip(image.size, size, strict=True)):
        return image.resize(size, Image.Resampling.BICUBIC)
    return ImageOps.pad(image, size, color=(0, 0, 0, 0))
