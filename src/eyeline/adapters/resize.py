"""
Resizing with LANCZOS: by SIMD where the extra `fast` is installed, else by Pillow.

SIMD takes a fifth of the time. Any number of threads may call; none is started.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

import PIL
from PIL import Image

from eyeline.core.size import Size

# Left, top, right and bottom in pixels.
Box = tuple[float, float, float, float]

# cykooz_resizer reads and writes Pillow's own memory. Only of these it is known to know the layout.
PILLOWS = ("11", "12", "13")
MODES = ("L", "RGB", "CMYK")
# Pixels made at once, in whole rows. Each strip costs half a millisecond; with all at once, what
# lies between the two passes, along rows and along columns, would be another 10 MB.
STRIP_PIXELS = 2**17
# A strip may not end below the image by as little as the last bit of a float.
ROUNDING_PX = 1e-6


def resized(image: Image.Image, size: Size, box: Box) -> Image.Image:
    """Give what is in `box`, at `size`."""
    library = simd()
    if library is None or image.mode not in MODES:
        return image.resize(size, Image.Resampling.LANCZOS, box)
    left, top, right, bottom = box
    scale = (bottom - top) / size.height_px
    lanczos = library.ResizeAlg.convolution(library.FilterType.lanczos3)
    resizer = library.Resizer()  # one for all would make threads wait for each other
    made = Image.new(image.mode, size)
    rows = max(1, STRIP_PIXELS // size.width_px)
    for row in range(0, size.height_px, rows):
        strip = Image.new(image.mode, (size.width_px, min(rows, size.height_px - row)))
        height = strip.height * scale - ROUNDING_PX
        part = library.CropBox(left, top + row * scale, right - left, height)
        resizer.resize_pil(image, strip, library.ResizeOptions(lanczos, crop_box=part))
        made.paste(strip, (0, row))
    return made


@cache
def simd() -> ModuleType | None:
    """Give cykooz_resizer, None without. Loading takes 15 ms, so only who resizes asks."""
    if PIL.__version__.partition(".")[0] not in PILLOWS:
        return None
    try:
        import cykooz_resizer
    except ImportError:
        return None
    return cykooz_resizer  # type: ignore[no-any-return]
