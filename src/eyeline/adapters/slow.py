"""
Pillow's slow readers in a child process: AVIF, JPEG 2000, and what it decodes in Python.

A file of a few hundred bytes can keep each of them busy for seconds, and none can be interrupted.
"""

from __future__ import annotations

from PIL import Image

from eyeline.adapters.apart import decoding_bounds, run_apart
from eyeline.adapters.colours import Fit, Notes
from eyeline.adapters.rows import unpacked

CHILD = "eyeline.adapters.slow_child"


def open_slow(
    data: bytes, kind: str, frame: int, fit: Fit, source: str
) -> tuple[Image.Image, Notes]:
    """
    Decode a frame of a type as Pillow names it, as `fitted` gives it; and notes.

    Raises ImageTruncated for damage, BadReference for a frame that is not there, and ImageTooLarge
    where decoding takes more than the size of the file can explain.
    """
    arguments = (kind, frame, fit.width_px, fit.orientation, *fit.background)
    return unpacked(run_apart(CHILD, data, arguments, decoding_bounds(data), source))
