"""
Pictures of several deep samples a pixel, scaled to 8 bits by their real range.

Pillow keeps no more than 8 bits of a colour, but gives the upper and the lower byte of 16, if asked
for one after the other. What it does not read at all comes from `deep_tiff`.
"""

from __future__ import annotations

import math
import re
import struct
import sys
from array import array
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Literal, NamedTuple

from PIL import Image, ImageChops

from eyeline.adapters.bands import Box, boxes, upright, upright_size
from eyeline.adapters.colours import Fit, Notes, fitted_rows, scaled
from eyeline.adapters.opening import rawmode

# How Pillow names colours of 16 bits of which it takes the upper byte.
HALVED = re.compile("(RGB[AaX]?);16([LBN])")
# The order of bytes in which it takes the lower one for the upper.
OTHER = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}
MODES = {"RGB": "RGB", "RGBX": "RGB", "RGBA": "RGBA", "RGBa": "RGBa"}
# Grey of a PNG, in a mode that takes its bytes for samples.
AS_BYTES = {"I;16B": "LA", "LA;16B": "RGBA"}
# By the mode that its channels make: how many of them are colours.
COLOURS = {"L": 1, "LA": 1, "La": 1, "RGB": 3, "RGBA": 3, "RGBa": 3}
# By bits: numbers without a sign of that length, to `array` and `memoryview`.
NUMBERS: dict[int, Literal["H", "I", "Q"]] = {16: "H", 32: "I", 64: "Q"}
# Floats of 16 bits, by the order of their bytes as `struct` names it.
HALF_FLOATS = {"F;16F": "<", "F;16BF": ">"}
MOST_OF_16_BIT = 65_535.0
Channels = Sequence[Image.Image]


class Deep(NamedTuple):
    """
    A deep picture: its size in pixels and mode, the most that a sample can be, what gives the
    channels of a part of it as floats, and its colour profile; whether its least number is white;
    and what gives the alpha of a part, where one colour is transparent.
    """

    size: tuple[int, int]
    mode: str
    most: float
    channels: Callable[[Box], Channels]
    profile: bytes | None = None
    is_inverted: bool = False
    alpha: Callable[[Box], Image.Image] | None = None


def fitted_deep(deep: Deep, fit: Fit) -> tuple[Image.Image, Notes]:
    """Give what `fitted` gives of any other picture. Raises ValueError for numbers without end."""
    low, high = real_range(deep)
    parts = boxes(deep.size, fit.orientation)
    rows = (upright(eight_bit(deep, box, low, high), fit.orientation) for box in parts)
    like = eight_bit(deep, (0, 0, 1, 1), low, high)
    like.info["icc_profile"] = deep.profile
    height_px = upright_size(deep.size, fit.orientation)[1]
    image, notes = fitted_rows(rows, like, height_px, fit)
    return image, (f"{low:g} to {high:g} scaled to 0 to 255", *notes)


def real_range(deep: Deep) -> tuple[float, float]:
    """
    Give the numbers that are to be black and white: of grey the least and the largest there are.

    Colours that reach the upper half of what a sample can be mean all of it: so their hue stays.
    """
    colours = COLOURS[deep.mode]
    parts = (deep.channels(box)[:colours] for box in boxes(deep.size))
    # Of one channel it is a pair, whatever Pillow's stub says of all modes together.
    found: list[Any] = [channel.getextrema() for channels in parts for channel in channels]
    low, high = min(each[0] for each in found), max(each[1] for each in found)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("samples that are no finite numbers")
    if colours == 3 and low >= 0 and deep.most / 2 < high <= deep.most:
        return 0.0, deep.most
    return low, high


def eight_bit(deep: Deep, box: Box, low: float, high: float) -> Image.Image:
    """Give a part in 8 bits: colours by their range, alpha by what it can be."""
    channels, colours = deep.channels(box), COLOURS[deep.mode]
    made = [scaled(channel, low, high) for channel in channels[:colours]]
    if deep.is_inverted:
        made = [ImageChops.invert(channel) for channel in made]
    made += [scaled(channel, 0.0, deep.most) for channel in channels[colours:]]
    if deep.alpha:
        return Image.merge(deep.mode + "A", [*made, deep.alpha(box)])
    image = Image.merge(deep.mode, made)
    return image.convert({"La": "LA", "RGBa": "RGBA"}.get(deep.mode, deep.mode))


# --- from rows of bytes -------------------------------------------------------------------------


def interleaved(rows: Image.Image, box: Box, count: int, bits: int, raw: str) -> Channels:
    """
    Give the channels of a part of a picture whose `rows` are the bytes of it, taken for grey:
    `count` samples a pixel, which Pillow takes for floats by the name `raw`.
    """
    left, top, right, bottom = box
    each_bytes, size = count * bits // 8, (right - left, bottom - top)
    part = rows.crop((left * each_bytes, top, right * each_bytes, bottom)).tobytes()
    numbers = memoryview(part).cast(NUMBERS[bits])
    apart = (numbers[first::count].tobytes() for first in range(count))
    return [floats(each, size, raw) for each in apart]


def floats(numbers: bytes, size: tuple[int, int], raw: str) -> Image.Image:
    """Give numbers as floats; of halves Pillow knows nothing."""
    if raw in HALF_FLOATS:
        halves = struct.unpack(f"{HALF_FLOATS[raw]}{len(numbers) // 2}e", numbers)
        numbers, raw = array("f", halves).tobytes(), "F;32NF"
    return Image.frombytes("F", size, numbers, "raw", raw)


# --- by upper and lower bytes -------------------------------------------------------------------

Halves = Sequence[tuple[Image.Image, Image.Image]]


def is_halved(image: Image.Image) -> bool:
    """Say whether of an opened image Pillow would leave half of each sample."""
    raw = rawmode(image)
    is_keyed = raw == "I;16B" and "transparency" in image.info
    return is_keyed or raw == "LA;16B" or bool(HALVED.fullmatch(raw))


def from_halves(image: Image.Image, again: Callable[[], Image.Image]) -> Deep:
    """Read an opened image that is halved; `again` opens the same once more."""
    raw = rawmode(image)
    found = HALVED.fullmatch(raw)
    if found is None:
        both = loaded(image, AS_BYTES[raw], AS_BYTES[raw])

        def halves(box: Box) -> Halves:
            channels = both.crop(box).split()
            return [*zip(channels[::2], channels[1::2], strict=True)]

        mode = {"RGBA": "LA", "LA": "L"}[both.mode]
    else:
        kind, order = found.groups()
        straight = kind.replace("a", "A")  # else Pillow divides each half by alpha
        upper = loaded(image, image.mode, f"{straight};16{order}")
        lower = loaded(again(), image.mode, f"{straight};16{OTHER[order]}")

        def halves(box: Box) -> Halves:
            return [*zip(upper.crop(box).split(), lower.crop(box).split(), strict=True)]

        mode = MODES[kind]
    return Deep(
        image.size,
        mode,
        MOST_OF_16_BIT,
        lambda box: [joined(*each) for each in halves(box)],
        image.info.get("icc_profile"),
        alpha=keyed(halves, image.info["transparency"]) if "transparency" in image.info else None,
    )


def loaded(image: Any, mode: str, raw: str) -> Image.Image:
    """Decode an opened image as `mode`, its samples taken as `raw` says."""
    image._mode = mode
    image.tile = [
        each._replace(args=raw if isinstance(each.args, str) else (raw, *each.args[1:]))
        for each in image.tile
    ]
    image.load()
    made: Image.Image = image
    return made


def joined(upper: Image.Image, lower: Image.Image) -> Image.Image:
    both = Image.merge("LA", (lower, upper)).tobytes()
    return Image.frombytes("F", upper.size, both, "raw", "F;16")


def keyed(
    halves: Callable[[Box], Halves], key: int | Sequence[int]
) -> Callable[[Box], Image.Image]:
    """Give what gives alpha: none where a pixel is of the colour `key`."""
    numbers = (key,) if isinstance(key, int) else key

    def alpha(box: Box) -> Image.Image:
        same = [
            half.point([255 * (value == wanted) for value in range(256)])
            for pair, number in zip(halves(box), numbers, strict=True)
            for half, wanted in zip(pair, divmod(number, 256), strict=True)
        ]
        return ImageChops.invert(reduce(ImageChops.darker, same))

    return alpha
