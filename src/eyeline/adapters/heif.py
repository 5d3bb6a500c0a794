"""pillow-heif: HEIC decoded in a child process. Any number of threads may call."""

from __future__ import annotations

from PIL import Image

from eyeline.adapters.apart import decoding_bounds, run_apart
from eyeline.adapters.colours import Fit, Notes
from eyeline.adapters.rows import unpacked

CHILD = "eyeline.adapters.heif_child"


def open_heif(
    data: bytes, source: str = "HEIC", fit: Fit | None = None
) -> tuple[Image.Image, Notes]:
    """
    Decode the primary image, turned, mirrored and cropped as its properties say; and notes.

    It comes as 8-bit RGB or RGBA, or with `fit` as `fitted` gives it, so that never more than
    that comes from the other process. The EXIF orientation is left out, as libheif leaves it: it
    repeats the properties or is wrong. `info` has icc_profile, or nclx_profile as pillow-heif gives
    it. Raises ImageTruncated for damage, and ImageTooLarge where decoding takes more than the size
    of the file can explain.
    """
    arguments = (fit.width_px, *fit.background) if fit else ()
    return unpacked(run_apart(CHILD, data, arguments, decoding_bounds(data), source))
