"""What every header reader gives, and how it reads integers and boxes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from eyeline.core.size import Size

# More than any writer makes; without a bound, megabytes of empty boxes take seconds to walk.
BOXES_MAX = 10_000


class Unsafe(ValueError):
    """More than any honest writer makes, or what is not read at all, lest it do harm."""


class Header(NamedTuple):
    """
    What the header of one frame or page says.

    `size` is as stored, `orientation` the EXIF value that turns it upright, `frames` 2 for "more
    than one", `frame` the one that is meant, counted as decoders count. `pixel_kind` names what is
    more than 8-bit grey, RGB or a palette. `scans` are the passes over all pixels; `is_scalable`
    says that a decoder can give it smaller, row by row, without ever holding the whole.
    """

    size: Size
    orientation: int = 1
    has_alpha: bool = False
    frames: int = 1
    pixel_kind: str = ""
    is_lossless: bool = False
    frame: int = 0
    scans: int = 1
    is_scalable: bool = False


def unpack(layout: str, data: bytes, offset: int) -> tuple[int, ...]:
    """Read integers; ValueError instead of struct's own error where the bytes end."""
    end = offset + struct.calcsize(layout)
    if offset < 0 or end > len(data):
        raise ValueError(f"the header needs more than its {len(data):,} bytes")
    return struct.unpack(layout, data[offset:end])


def depth_kind(bits: int) -> str:
    """Name a depth of more than 8 bits a sample; 8 and less need no name."""
    return f"{bits}-bit" if bits > 8 else ""


def boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """
    Give the kind of each box of an ISO base media file, and where its content begins and ends.

    The last may say that it ends behind `end`. Source: ISO/IEC 14496-12, 4.2.
    """
    for _ in range(BOXES_MAX):
        if at + 8 > end:
            return
        (length,) = unpack(">I", data, at)
        kind, content = data[at + 4 : at + 8], at + 8
        if length == 1:
            (length,) = unpack(">Q", data, content)
            content += 8
        box_end = at + length if length else end  # 0: up to the end
        if box_end < content:
            raise ValueError(f"a box {kind!r} of {length:,} bytes")
        yield kind, content, box_end
        at = box_end
    raise Unsafe(f"more than {BOXES_MAX:,} boxes")
