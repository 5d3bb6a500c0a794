"""
JPEG 2000 of deep colours, whose white Pillow makes black.

To come from 16 bits to 8 it adds a half and drops eight: what is whiter than 255 becomes 0. It is
kept from that by depths that are not true. Coded with loss, numbers grow with the depth that is
said of them, so that of 8 bits is right at once. Coded without, they only move by half of it: said
to be one bit deeper, the darkest is 64, the lightest 192, and that tells white from black.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageChops

from eyeline.core.formats.jpeg2000 import components, with_depths

# Black of one bit more is 64 and white 192.
MIDDLE = 128


def load_jp2(data: bytes, opened: Callable[[bytes], Image.Image]) -> Image.Image:
    """Give the pixels of what `opened` opens, white where it is white."""
    found = components(data)
    if len(found.depths) == 1 or max(found.depths) <= 8:
        image = opened(data)
    elif not found.is_reversible:
        image = opened(with_depths(data, found, (min(8, depth) for depth in found.depths)))
    else:
        deeper = with_depths(data, found, (depth + 1 for depth in found.depths))
        return whitened(opened(data), lambda: opened(deeper))
    image.load()
    return image


def whitened(image: Image.Image, deeper: Callable[[], Image.Image]) -> Image.Image:
    """Make white what is black, and light where one bit more is said of it."""
    channels = image.split()
    if all(channel.getextrema()[0] for channel in channels):  # nothing is black
        return image
    made = []
    for channel, guide in zip(channels, deeper().split(), strict=True):
        is_black = channel.point([255, *[0] * 255])
        is_light = guide.point([255 * (value > MIDDLE) for value in range(256)])
        made.append(ImageChops.lighter(channel, ImageChops.darker(is_black, is_light)))
    white = Image.merge(image.mode, made)
    white.info = image.info
    return white
