"""From a point in the image that was sent back to the picture it was made of."""

from __future__ import annotations

from collections.abc import Callable

from eyeline.core.size import Size

Point = tuple[float, float]

# How each EXIF orientation undoes itself: a point of the upright picture, as parts of its width
# and height, to the same point as stored. Source: EXIF 2.32, section 4.6.4, tag 0x0112.
TURNED_BACK: dict[int, Callable[[float, float], Point]] = {
    1: lambda x, y: (x, y),
    2: lambda x, y: (1 - x, y),
    3: lambda x, y: (1 - x, 1 - y),
    4: lambda x, y: (x, 1 - y),
    5: lambda x, y: (y, x),
    6: lambda x, y: (y, 1 - x),
    7: lambda x, y: (1 - y, 1 - x),
    8: lambda x, y: (1 - y, x),
}


def to_stored(x: float, y: float, sent: Size, stored: Size, orientation: int) -> Point:
    """
    Map a point of the sent image to the picture as stored, before its turn.

    All in pixels from the top left corner of the top left pixel, so that (0, 0) and the sent size
    are corners.
    """
    across, down = TURNED_BACK[orientation](x / sent.width_px, y / sent.height_px)
    return across * stored.width_px, down * stored.height_px
