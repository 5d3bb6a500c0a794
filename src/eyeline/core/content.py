"""
What pixels show, a photo or graphics, told from how neighbours differ; it decides the encoding.

JPEG smears text and lines and cannot hold a flat colour exactly; PNG takes ten times the bytes for
a photo. The limits were chosen on the pictures of examples/ and of benchmarks/preparation.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Content = Literal["photo", "graphics"]

# A step between neighbours that JPEG surrounds with ringing, of 255.
SHARP_STEP = 48
FLAT_SHARE_MIN = 0.55
SHARP_SHARE_MIN = 0.08
# Text is worth this many times the bytes; without it PNG must be the smaller one.
TEXT_WORTH = 4.0


def bytes_worth(steps: Sequence[int]) -> float:
    """
    Say how many times the bytes of a JPEG a lossless encoding is worth; 0 for a photo.

    `steps` is the histogram of absolute differences between neighbouring pixels, 0 to 255.
    """
    count = sum(steps)
    flat = steps[0]
    if not count or flat < FLAT_SHARE_MIN * count:
        return 0.0
    has_text = sum(steps[SHARP_STEP:]) >= SHARP_SHARE_MIN * (count - flat)
    return TEXT_WORTH if has_text else 1.0
