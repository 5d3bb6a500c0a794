"""
TIFF pages whose samples decoders do not give whole: deep ones, several a pixel or plane by plane.

Such a page is rewritten as one of bytes, the same strips or tiles said to hold 8-bit grey. So any
decoder unpacks them, and what the bytes mean stands in Samples. Sources: TIFF 6.0; Adobe Photoshop
TIFF Technical Note 3 (predictor 3).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from eyeline.core.formats.header import Unsafe
from eyeline.core.formats.tiff import (
    BITS,
    COMPRESSION,
    ENTRIES_MAX,
    EXTRA_SAMPLES,
    GREY,
    HEIGHT,
    JPEG_COMPRESSIONS,
    PHOTOMETRIC,
    RGB,
    SAMPLE_FORMAT,
    SAMPLES,
    WIDTH,
    Layout,
    Tags,
    entries,
    layout_of,
    places,
    tags_at,
)
from eyeline.core.size import Size

FILL_ORDER, STRIPS, STRIP_ROWS, STRIP_COUNTS, PLANAR, PREDICTOR = 266, 273, 278, 279, 284, 317
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_COUNTS, PROFILE = 322, 323, 324, 325, 34675
LISTS = {STRIPS, STRIP_COUNTS, TILES, TILE_COUNTS}
SHAPE = {
    WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, EXTRA_SAMPLES, SAMPLE_FORMAT,
    FILL_ORDER, PLANAR, PREDICTOR, STRIP_ROWS, TILE_WIDTH, TILE_HEIGHT,
}  # fmt: skip
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
DEPTHS = (16, 32, 64)
# What stands in one sample a pixel and is black at 0, Pillow reads itself.
READ_WHOLE = {(16, UNSIGNED), (16, SIGNED), (32, SIGNED), (32, FLOAT)}
WHITE_IS_ZERO, BLACK_IS_ZERO, BY_PLANE, SHORT, LONG = 0, 1, 2, 3, 4


class Samples(NamedTuple):
    """
    How a page holds its samples: how many a pixel, their bits and kind, the order of their bytes as
    `struct` names it, what the first mean, what the next does (0 nothing, 1 and 2 are alpha, 1
    already multiplied), how they were predicted from their neighbours, and over how many pixels.
    """

    size: Size
    per_pixel: int
    bits: int
    kind: int
    order: str
    photometric: int
    extra: int
    is_planar: bool
    predictor: int
    run_px: int

    @property
    def pixel_bytes(self) -> int:
        """Of one plane."""
        return (1 if self.is_planar else self.per_pixel) * self.bits // 8

    @property
    def planes(self) -> int:
        return self.per_pixel if self.is_planar else 1

    @property
    def width_px(self) -> int:
        """With what the last tile has beyond the edge."""
        return -(-self.size.width_px // self.run_px) * self.run_px

    @property
    def total_bytes(self) -> int:
        return self.width_px * self.size.height_px * self.pixel_bytes * self.planes


def deep_samples(data: bytes, frame: int) -> Samples | None:
    """
    Say how the page with the directory number `frame` holds its samples; None for those that
    Pillow reads whole, or by their upper and lower bytes, and for what is not deep at all.
    """
    layout = layout_of(data)
    found = samples_of(tags_at(data, place(data, layout, frame), layout, SHAPE), layout.order)
    if found is None or is_read_elsewhere(found):
        return None
    return found


def place(data: bytes, layout: Layout, frame: int) -> int:
    return next(islice(places(data, layout), frame, None))


def samples_of(tags: Tags, order: str) -> Samples | None:
    bits, photometric = set(tags.get(BITS, (1,))), tags.get(PHOTOMETRIC, (RGB,))[0]
    is_known = photometric in (*GREY, RGB) and len(bits) == 1 and bits <= set(DEPTHS)
    if not is_known or tags.get(COMPRESSION, (1,))[0] in JPEG_COMPRESSIONS:
        return None
    count, width_px = tags.get(SAMPLES, (1,))[0], tags[WIDTH][0]
    colours = 3 if photometric == RGB else 1
    return Samples(
        size=Size(width_px, tags[HEIGHT][0]),
        per_pixel=count,
        bits=bits.pop(),
        kind=tags.get(SAMPLE_FORMAT, (UNSIGNED,))[0],
        order=order,
        photometric=photometric,
        extra=tags.get(EXTRA_SAMPLES, (2,))[0] if count > colours else 0,
        is_planar=count > 1 and tags.get(PLANAR, (1,))[0] == BY_PLANE,
        predictor=tags.get(PREDICTOR, (1,))[0],
        run_px=max(1, tags.get(TILE_WIDTH, (width_px,))[0]),
    )


def is_read_elsewhere(found: Samples) -> bool:
    kind = (found.bits, found.kind)
    if found.per_pixel == 1:
        return found.photometric == BLACK_IS_ZERO and kind in READ_WHOLE
    is_colour = found.photometric == RGB and found.per_pixel in (3, 4)
    return is_colour and kind == (16, UNSIGNED) and not found.is_planar


# --- rewriting ----------------------------------------------------------------------------------


def as_bytes(data: bytes, frame: int, found: Samples, plane: int) -> bytes:
    """
    Give a TIFF of one page of 8-bit grey, whose rows are the bytes of one plane of that page.

    The profile stays. Raises ValueError where strips or tiles are missing.
    """
    layout = layout_of(data)
    at = place(data, layout, frame)
    tags = tags_at(data, at, layout, SHAPE | LISTS, ENTRIES_MAX + 1)
    said: dict[int, Sequence[int]] = {
        WIDTH: [found.width_px * found.pixel_bytes], HEIGHT: [found.size.height_px], BITS: [8],
        COMPRESSION: tags.get(COMPRESSION, (1,)), PHOTOMETRIC: [BLACK_IS_ZERO], SAMPLES: [1],
        FILL_ORDER: tags.get(FILL_ORDER, (1,)), **pieces_of(tags, found, plane),
    }  # fmt: skip
    profile = next((each for each in entries(data, at, layout) if each[0] == PROFILE), None)
    return written(data, layout, said, profile)


def pieces_of(tags: Tags, found: Samples, plane: int) -> dict[int, Sequence[int]]:
    """Give the tags of the strips or tiles of one plane."""
    if TILES in tags:
        lists = (TILES, TILE_COUNTS)
        shape = {
            TILE_WIDTH: [tags[TILE_WIDTH][0] * found.pixel_bytes],
            TILE_HEIGHT: tags.get(TILE_HEIGHT, (1,)),
        }
    else:
        lists = (STRIPS, STRIP_COUNTS)
        shape = {STRIP_ROWS: tags.get(STRIP_ROWS, (found.size.height_px,))}
    if any(len(tags.get(each, ())) % found.planes or each not in tags for each in lists):
        raise ValueError("not as many strips or tiles as planes")
    if len(tags[lists[0]]) > ENTRIES_MAX:
        raise Unsafe(f"more than {ENTRIES_MAX:,} strips or tiles")
    each_has = len(tags[lists[0]]) // found.planes
    part = slice(plane * each_has, (plane + 1) * each_has)
    return shape | {each: tags[each][part] for each in lists}


def written(
    data: bytes,
    layout: Layout,
    said: dict[int, Sequence[int]],
    profile: tuple[int, int, int, int] | None,
) -> bytes:
    """Give the file with a directory at its end that says what is said, and only that."""
    order, start = layout.order, len(data) + len(data) % 2
    lists, directory = bytearray(), bytearray()
    for tag, numbers in sorted(said.items()):
        if len(numbers) > 1:
            entry = struct.pack(order + "HHII", tag, LONG, len(numbers), start + len(lists))
            lists += struct.pack(f"{order}{len(numbers)}I", *numbers)
        elif numbers[0] < 2**16:
            entry = struct.pack(order + "HHIHxx", tag, SHORT, 1, numbers[0])
        else:
            entry = struct.pack(order + "HHII", tag, LONG, 1, numbers[0])
        directory += entry
    if profile:
        tag, kind, number, at = profile
        (at,) = struct.unpack_from(layout.order + layout.offsets, data, at)
        directory += struct.pack(order + "HHII", tag, kind, number, at)
    count = len(said) + (profile is not None)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    head = mark + struct.pack(order + "I", start + len(lists))
    end = struct.pack(order + "H", count) + bytes(directory) + bytes(4)
    return b"".join([head, data[8:], bytes(len(data) % 2), bytes(lists), end])
