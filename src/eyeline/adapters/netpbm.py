"""
Netpbm pictures of an unusual largest value, which Pillow reads sample by sample in Python.

Nine megapixels take it ten seconds; taken as bytes and scaled at once, a tenth of one.
"""

from __future__ import annotations

from PIL import Image

from eyeline.adapters.deep import Deep, interleaved
from eyeline.core.formats.netpbm import Raw, raw


def netpbm(data: bytes) -> Image.Image | Deep:
    """
    Give a PGM or PPM as grey, RGB, 16-bit grey that is not scaled, or deep colour.

    Raises ValueError where pixels are missing. Source: netpbm.sourceforge.net/doc/ppm.html.
    """
    found = raw(data)
    if found.maximum < 256:
        mode = "RGB" if found.is_colour else "L"
        return scaled(Image.frombytes(mode, found.size, found.pixels), found)
    if not found.is_colour:
        return Image.frombytes("I;16", found.size, found.pixels, "raw", "I;16B")
    width_px, height_px = found.size
    rows = Image.frombytes("L", (6 * width_px, height_px), found.pixels)
    return Deep(
        found.size, "RGB", found.maximum, lambda box: interleaved(rows, box, 3, 16, "F;16B")
    )


def scaled(image: Image.Image, found: Raw) -> Image.Image:
    table = [min(255, round(value * 255 / found.maximum)) for value in range(256)]
    return image.point(table * len(image.getbands()))
