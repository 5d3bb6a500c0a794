"""
Netpbm pictures of an unusual largest value, which Pillow reads sample by sample in Python.

Nine megapixels take it ten seconds; taken as bytes and scaled at once, a tenth of one.
"""

from __future__ import annotations

from PIL import Image

from eyeline.adapters.bands import cut_bands, narrowed
from eyeline.core.formats.netpbm import Raw, raw


def netpbm(data: bytes) -> Image.Image:
    """
    Give a PGM or PPM as grey, RGB, or 16-bit grey that is not scaled.

    Raises ValueError where pixels are missing. Source: netpbm.sourceforge.net/doc/ppm.html.
    """
    found = raw(data)
    if found.maximum < 256:
        mode = "RGB" if found.is_colour else "L"
        return scaled(Image.frombytes(mode, found.size, found.pixels), found)
    if not found.is_colour:
        return Image.frombytes("I;16", found.size, found.pixels, "raw", "I;16B")
    bands = cut_bands(lambda top, end: deep_colour(found, top, end), found.size)
    return narrowed(bands, *found.size)


def scaled(image: Image.Image, found: Raw) -> Image.Image:
    table = [min(255, round(value * 255 / found.maximum)) for value in range(256)]
    return image.point(table * len(image.getbands()))


def deep_colour(found: Raw, top: int, end: int) -> Image.Image:
    """Give rows of 16 bits a sample in eight, taken for grey three times as wide."""
    width_px = found.size.width_px
    row_bytes, wide = 6 * width_px, (3 * width_px, end - top)
    rows = found.pixels[row_bytes * top : row_bytes * end]
    scale = 255 / found.maximum
    grey = Image.frombytes("I;16", wide, rows, "raw", "I;16B").convert("F")
    eight = grey.point(lambda value: value * scale + 0.5).convert("L")
    return Image.frombytes("RGB", (width_px, end - top), eight.tobytes())
