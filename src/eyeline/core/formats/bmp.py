"""BMP: the size of a bitmap with or without its file header. Source: Microsoft's BITMAPV5HEADER."""

from __future__ import annotations

from eyeline.core.formats.header import Header, unpack
from eyeline.core.size import Size

HEADER_BYTES = {12, 40, 52, 56, 64, 108, 124}


def header(data: bytes) -> Header:
    # An alpha channel is not promised by any header.
    return Header(bitmap_size(data, 14), is_lossless=True)


def bitmap_size(data: bytes, at: int) -> Size:
    """Give the size that the bitmap header at `at` names."""
    (header_bytes,) = unpack("<I", data, at)
    if header_bytes not in HEADER_BYTES:
        raise ValueError(f"a BMP header of {header_bytes:,} bytes")
    width, height = unpack("<HH" if header_bytes == 12 else "<ii", data, at + 4)
    # A negative height means rows from top to bottom.
    return Size(abs(width), abs(height))
