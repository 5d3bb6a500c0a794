"""TIFF pages of deep samples that Pillow does not read: its libtiff unpacks the bytes alone."""

from __future__ import annotations

import sys
from array import array
from itertools import accumulate

from PIL import Image, ImageChops

from eyeline.adapters.bands import Box, spans
from eyeline.adapters.deep import NUMBERS, Channels, Deep, interleaved
from eyeline.adapters.opening import open_image
from eyeline.core.formats.tiff_samples import (
    FLOAT,
    SIGNED,
    UNSIGNED,
    WHITE_IS_ZERO,
    Samples,
    as_bytes,
)
from eyeline.core.media import PIXELS_MAX
from eyeline.errors import ImageTooLarge, UnsupportedFormat

# How Pillow takes a sample for a float: what stands before and after the order of its bytes.
RAW = {
    (16, UNSIGNED): ("F;16", ""), (16, SIGNED): ("F;16", "S"), (32, UNSIGNED): ("F;32", ""),
    (32, SIGNED): ("F;32", "S"), (16, FLOAT): ("F;16", "F"), (32, FLOAT): ("F;32", "F"),
    (64, FLOAT): ("F;64", "F"),
}  # fmt: skip
NO_PREDICTOR, DIFFERENCES, FLOAT_DIFFERENCES = 1, 2, 3
# By the colours and what the next sample means.
MODES = {(1, 0): "L", (1, 1): "La", (1, 2): "LA", (3, 0): "RGB", (3, 1): "RGBa", (3, 2): "RGBA"}


def deep_tiff(data: bytes, frame: int, found: Samples, source: str) -> Deep:
    """Read a page. Raises UnsupportedFormat, or one of UNDECODABLE for damage."""
    refuse_unread(found, source)
    refuse_too_large(found, source)
    planes = [unpacked(data, frame, found, plane) for plane in range(found.planes)]
    order = "B" if found.order == ">" or found.predictor == FLOAT_DIFFERENCES else ""
    before, after = RAW[found.bits, found.kind]
    raw = before + order + after
    colours = 1 if found.photometric <= 1 else 3
    mode = MODES[colours, found.extra if found.extra in (1, 2) else 0]
    wanted = len(mode)

    count = 1 if found.is_planar else found.per_pixel

    def channels(box: Box) -> Channels:
        each = [interleaved(plane, box, count, found.bits, raw) for plane in planes]
        return [channel for channels in each for channel in channels][:wanted]

    return Deep(
        found.size,
        mode,
        1.0 if found.kind == FLOAT else float(2 ** (found.bits - (found.kind == SIGNED)) - 1),
        channels,
        planes[0].info.get("icc_profile"),
        found.photometric == WHITE_IS_ZERO,
    )


def refuse_unread(found: Samples, source: str) -> None:
    kind = {UNSIGNED: "numbers", SIGNED: "signed numbers", FLOAT: "floats"}.get(found.kind)
    predictors = {NO_PREDICTOR, DIFFERENCES} | ({FLOAT_DIFFERENCES} & {found.kind})
    if (found.bits, found.kind) not in RAW or found.predictor not in predictors:
        told = f"TIFF of {found.bits}-bit {kind or 'samples'}, predictor {found.predictor}"
        raise UnsupportedFormat(source, told)


def refuse_too_large(found: Samples, source: str) -> None:
    """Refuse what Pillow would take for a bomb, since each byte of a plane is a pixel to it."""
    plane_bytes = found.total_bytes // found.planes
    if plane_bytes > 2 * PIXELS_MAX:
        limit = f"{2 * PIXELS_MAX // 10**6} MB of deep samples a plane"
        raise ImageTooLarge(source, f"{plane_bytes // 10**6:,} MB", limit)


def unpacked(data: bytes, frame: int, found: Samples, plane: int) -> Image.Image:
    """Give the bytes of a plane's rows as grey, as they were before they were predicted."""
    file = open_image(as_bytes(data, frame, found, plane), ["TIFF"])
    file.load()
    image = file._new(file.im)  # without the bytes it was made of
    if found.predictor == NO_PREDICTOR:
        return image
    undo = summed if found.predictor == DIFFERENCES else summed_floats
    width, run = image.width, found.run_px * found.pixel_bytes
    for top, end in spans(image.size):
        for left in range(0, width, run):
            part = image.crop((left, top, left + run, end))
            image.paste(undo(part, found), (left, top))
    return image


def summed(part: Image.Image, found: Samples) -> Image.Image:
    """Undo differences between the samples of neighbours, row by row."""
    rows, step = part.tobytes(), 1 if found.is_planar else found.per_pixel
    numbers = array(NUMBERS[found.bits], rows)
    is_swapped = (found.order == ">") == (sys.byteorder == "little")
    if is_swapped:
        numbers.byteswap()
    most, of_row = 2**found.bits - 1, len(numbers) // part.height
    for row in range(0, len(numbers), of_row):
        for first in range(row, row + step):
            chosen = slice(first, row + of_row, step)
            sums = accumulate(numbers[chosen])
            numbers[chosen] = array(NUMBERS[found.bits], [each & most for each in sums])
    if is_swapped:
        numbers.byteswap()
    return Image.frombytes("L", part.size, numbers.tobytes())


def summed_floats(part: Image.Image, found: Samples) -> Image.Image:
    """
    Undo differences between bytes, and put together the bytes of each float, which stand apart:
    all first ones of a row, all second ones, and so on.
    """
    width, height = part.size
    shift = 1 if found.is_planar else found.per_pixel
    while shift < width:  # sums of two, of four, of eight…
        shifted = Image.new("L", part.size)
        shifted.paste(part.crop((0, 0, width - shift, height)), (shift, 0))
        part, shift = ImageChops.add_modulo(part, shifted), 2 * shift
    count = found.bits // 8
    each, together = width // count, bytearray(width * height)
    for at in range(count):
        together[at::count] = part.crop((at * each, 0, (at + 1) * each, height)).tobytes()
    return Image.frombytes("L", part.size, together)
