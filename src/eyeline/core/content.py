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
# Shares of all steps: of dense text 0.3 are sharp, of photos at most 0.03.
TEXT_SHARE_MIN, EDGES_SHARE_MIN = 0.1, 0.05
# Text is worth this many times the bytes; without it PNG must be the smaller one.
TEXT_WORTH = 4.0


def bytes_worth(steps: Sequence[int]) -> float:
    """
    Say how many times the bytes of a JPEG a lossless encoding is worth; 0 for a photo.

    `steps` is the histogram of absolute differences between neighbouring pixels, 0 to 255.
    """
    count, sharp = sum(steps), sum(steps[SHARP_STEP:])
    if not count:
        return 0.0
    if sharp >= TEXT_SHARE_MIN * count:
        return TEXT_WORTH
    flat = steps[0]
    if flat < FLAT_SHARE_MIN * count:
        return 0.0
    return TEXT_WORTH if sharp >= SHARP_SHARE_MIN * (count - flat) else 1.0


def has_edges(steps: Sequence[int]) -> bool:
    """Say whether there are so many sharp edges that scaling while decoding would show."""
    return sum(steps[SHARP_STEP:]) >= EDGES_SHARE_MIN * max(1, sum(steps))
