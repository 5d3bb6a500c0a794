"""PDFium: pages of a PDF, drawn in a child process. Any number of threads may call."""

from __future__ import annotations

import json
import math
from importlib.util import find_spec

from PIL import Image

from eyeline.adapters.apart import drawing_bounds, run_apart
from eyeline.core.size import Size
from eyeline.errors import ImageTooLarge, ImageTruncated, MissingExtra

# What scanners and OCR use for print; A4 becomes 1654×2339.
DPI = 200
POINTS_PER_INCH = 72  # ISO 32000-1, 8.3.2.3
PIXELS_MAX = 25_000_000
PAGES_MAX = 10_000
CHILD = "eyeline.adapters.pdf_child"


def page_sizes(data: bytes, source: str) -> tuple[Size, ...]:
    """
    Give the size of each page in pixels at 200 dpi, cropped and turned as it is shown.

    A page of more than 25 megapixels gets fewer dpi. Raises MissingExtra without pypdfium2,
    ImageTruncated for a PDF that is damaged or has no pages, UnsupportedFormat for one with a
    password, ImageTooLarge for more than 10,000 pages or one that takes too much to open.
    """
    require(source)
    sizes = json.loads(run_apart(CHILD, data, ("sizes",), drawing_bounds(data), source))
    if len(sizes) > PAGES_MAX:
        raise ImageTooLarge(source, "more pages than is safe", f"{PAGES_MAX:,} pages")
    return tuple(in_pixels(width_pt, height_pt, source) for width_pt, height_pt in sizes)


def in_pixels(width_pt: float, height_pt: float, source: str) -> Size:
    """Give the size at DPI, or what keeps it within PIXELS_MAX."""
    if not (0 < width_pt < math.inf and 0 < height_pt < math.inf):
        raise ImageTruncated(source, f"a page of {width_pt:g}×{height_pt:g} points")
    per_point = DPI / POINTS_PER_INCH
    per_point_max = math.sqrt(PIXELS_MAX) / math.sqrt(width_pt) / math.sqrt(height_pt)
    scale = min(per_point, per_point_max)
    width_px = min(max(1, round(width_pt * scale)), PIXELS_MAX)
    # Rounding up, or up to 1, may pass the limit by a row.
    height_px = min(max(1, round(height_pt * scale)), PIXELS_MAX // width_px)
    return Size(width_px, height_px)


def render(data: bytes, page: int, size: Size, source: str = "PDF") -> Image.Image:
    """
    Draw a page, counted from 0, with annotations and form fields: RGB on white, of exactly `size`.

    Raises as `page_sizes` does, and ImageTooLarge for a page that takes too much to draw.
    """
    require(source)
    if size.pixels > PIXELS_MAX:
        raise ImageTooLarge(source, f"{size} px", f"{PIXELS_MAX // 10**6} megapixels")
    rows = run_apart(CHILD, data, ("render", page, *size), drawing_bounds(data), source)
    stride_bytes = len(rows) // size.height_px
    return Image.frombuffer("RGB", size, rows, "raw", "RGB", stride_bytes, 1)


def require(source: str) -> None:
    """Raise MissingExtra without pypdfium2."""
    if find_spec("pypdfium2") is None:
        raise MissingExtra(source, "pdf", "pypdfium2")
