"""
ICO and CUR: the picture among several that Pillow takes, the largest.

Source: Microsoft's ICONDIR; Pillow 13.0, IcoImagePlugin and CurImagePlugin.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from eyeline.core.formats import bmp, png
from eyeline.core.formats.header import Header, unpack
from eyeline.core.size import Size

ICON, CURSOR = b"\0\0\1\0", b"\0\0\2\0"
SIGNATURES = (ICON, CURSOR)


class Entry(NamedTuple):
    """One entry of the directory; a side of 0 is 256 px."""

    width: int
    height: int
    colours: int
    bits: int
    offset: int

    @property
    def pixels(self) -> int:
        return (self.width or 256) * (self.height or 256)

    @property
    def depth(self) -> int:
        """The depth in bits a pixel that Pillow tells entries of one size apart by."""
        return self.bits or (self.colours - 1).bit_length() * bool(self.colours) or 256


def header(data: bytes) -> Header:
    (count,) = unpack("<H", data, 4)
    if not count:
        raise ValueError("a directory of no pictures")
    unpack(f"{16 * count}x", data, 6)  # the whole directory is there
    directory = data[6 : 6 + 16 * count]
    entries = [Entry(*fields) for fields in struct.iter_unpack("<BBBxxxH4xI", directory)]
    at = (largest_cursor(entries) if data.startswith(CURSOR) else largest_icon(entries)).offset
    if data.startswith(png.SIGNATURE, at):
        size = png.header(data[at:]).size
    else:
        # A bitmap is twice as high as its picture: the mask stands in it too.
        width, height = bmp.bitmap_size(data, at)
        size = Size(width, height // 2)
    return Header(size, has_alpha=True, is_lossless=True)


def largest_icon(entries: list[Entry]) -> Entry:
    return min(entries, key=lambda entry: (-entry.pixels, entry.depth))


def largest_cursor(entries: list[Entry]) -> Entry:
    largest = entries[0]
    for entry in entries[1:]:
        if entry.width > largest.width and entry.height > largest.height:
            largest = entry
    return largest
