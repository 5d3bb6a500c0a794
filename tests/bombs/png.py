"""Hostile PNG and APNG."""

from __future__ import annotations

import struct
import zlib

from bombs.register import FAR_PX, SIDE_PX, bomb, zeros

PNG_MARK = b"\x89PNG\r\n\x1a\n"


GREY, RGB, PALETTE, RGBA = 0, 2, 3, 6


SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, RGBA: 4}


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content).to_bytes(4)
    return len(content).to_bytes(4) + kind + content + checksum


def ihdr(width: int, height: int, depth: int, colour: int, interlace: int = 0) -> bytes:
    fields = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return chunk(b"IHDR", fields)


def png(
    width: int, height: int, colour: int = RGB, depth: int = 8, *, interlace: int = 0,
    more: bytes = b"", packed: bytes | None = None,
) -> bytes:  # fmt: skip
    """Give a PNG of zeros, with more chunks before its pixels."""
    if packed is None:
        row_bytes = 1 + -(-width * SAMPLES[colour] * depth // 8)
        # An interlaced one has more rows, each with its filter.
        packed = zeros(row_bytes * height + (height * 2 if interlace else 0))
    head = ihdr(width, height, depth, colour, interlace)
    return PNG_MARK + head + more + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@bomb(".png")
def png_50000() -> bytes:
    """2.5 gigapixels of zeros."""
    return png(FAR_PX, FAR_PX, packed=zeros(50_000_000))


@bomb(".png")
def png_12000() -> bytes:
    """144 megapixels of zeros, all there."""
    return png(12_000, 12_000)


@bomb(".png")
def png_rgb() -> bytes:
    """100 megapixels of colour in 300 KB."""
    return png(SIDE_PX, SIDE_PX)


@bomb(".png")
def png_rgba() -> bytes:
    """100 transparent megapixels in 400 KB."""
    return png(SIDE_PX, SIDE_PX, RGBA)


@bomb(".png")
def png_rgba_7000() -> bytes:
    """49 transparent megapixels in 200 KB, below the limit of memory."""
    return png(7_000, 7_000, RGBA)


@bomb(".png")
def png_rgba_16_bit() -> bytes:
    """49 megapixels of eight bytes each."""
    return png(7_000, 7_000, RGBA, 16)


@bomb(".png")
def png_grey() -> bytes:
    """100 megapixels of grey, one byte each."""
    return png(SIDE_PX, SIDE_PX, GREY)


@bomb(".png")
def png_grey_16_bit() -> bytes:
    """100 megapixels of 16-bit grey, to be scaled by their range."""
    return png(SIDE_PX, SIDE_PX, GREY, 16)


@bomb(".png")
def png_1_bit() -> bytes:
    """100 megapixels in 12 KB."""
    return png(SIDE_PX, SIDE_PX, GREY, 1)


@bomb(".png")
def png_palette() -> bytes:
    """100 megapixels by a palette with a transparent colour."""
    more = chunk(b"PLTE", bytes(range(6))) + chunk(b"tRNS", b"\x80")
    return png(SIDE_PX, SIDE_PX, PALETTE, 1, more=more)


@bomb(".png")
def png_interlaced() -> bytes:
    """49 megapixels in seven passes."""
    return png(7_000, 7_000, RGB, interlace=1)


@bomb(".png")
def png_ztxt() -> bytes:
    """A compressed text of 1 GB beside one pixel that has to be encoded anew."""
    return png(4, 4, RGBA, more=chunk(b"zTXt", b"a\0\0" + zeros(10**9)))


@bomb(".png")
def png_itxt() -> bytes:
    """An international text of 1 GB."""
    return png(4, 4, RGBA, more=chunk(b"iTXt", b"a\0\1\0\0\0" + zeros(10**9)))


@bomb(".png")
def png_iccp() -> bytes:
    """A colour profile of 1 GB."""
    return png(4, 4, RGBA, more=chunk(b"iCCP", b"a\0\0" + zeros(10**9)))


@bomb(".png")
def png_many_texts() -> bytes:
    """A thousand texts of 1 MB each, every one below what a decoder refuses."""
    return png(4, 4, RGBA, more=chunk(b"zTXt", b"a\0\0" + zeros(1_000_000)) * 1_000)


@bomb(".png")
def png_many_chunks() -> bytes:
    """A million chunks of nothing."""
    return png(4, 4, RGBA, more=chunk(b"teXt", b"") * 1_000_000)


@bomb(".png")
def png_two_headers() -> bytes:
    """A small header, then a large one."""
    return png(4, 4, RGBA, more=ihdr(FAR_PX, FAR_PX, 8, RGBA), packed=zeros(10**8))


@bomb(".png")
def png_more_data() -> bytes:
    """A gigabyte of pixels behind a header of 64×64."""
    return png(64, 64, RGBA, packed=zeros(10**9))


@bomb(".png")
def png_less_data() -> bytes:
    """A header of 64 megapixels before sixteen pixels."""
    return png(8_000, 8_000, packed=zeros(52))


@bomb(".png")
def png_no_size() -> bytes:
    """Nothing by nothing."""
    return png(0, 0, packed=zeros(1))


@bomb(".png")
def png_line() -> bytes:
    """A line of one by 100,000."""
    return png(1, 100_000)


@bomb(".png")
def png_column() -> bytes:
    """A line of 100,000 by one."""
    return png(100_000, 1)


def frame(number: int, width: int, height: int, left: int = 0) -> bytes:
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, left, 0, 1, 1, 0, 0))


@bomb(".png#5000")
def apng_far_frame() -> bytes:
    """Four thousand million frames, as the header says; the 5,000th."""
    more = chunk(b"acTL", struct.pack(">II", 2**32 - 1, 0)) + frame(0, 64, 64)
    return png(64, 64, RGBA, more=more)


@bomb(".png#1")
def apng_lying_frame() -> bytes:
    """A second frame larger than the picture."""
    head = ihdr(64, 64, 8, RGBA) + chunk(b"acTL", struct.pack(">II", 2, 0)) + frame(0, 64, 64)
    first = chunk(b"IDAT", zeros(257 * 64))
    second = frame(1, FAR_PX, FAR_PX) + chunk(b"fdAT", b"\0\0\0\2" + zeros(10**8))
    return PNG_MARK + head + first + second + chunk(b"IEND", b"")


@bomb(".png#99")
def apng_large_frames() -> bytes:
    """A hundred frames of 4 megapixels, each drawn over the last."""
    head = ihdr(2_000, 2_000, 8, RGBA) + chunk(b"acTL", struct.pack(">II", 100, 0))
    packed = zeros(8_001 * 2_000)
    frames = [frame(0, 2_000, 2_000) + chunk(b"IDAT", packed)]
    for at in range(1, 100):
        data = chunk(b"fdAT", struct.pack(">I", 2 * at) + packed)
        frames.append(frame(2 * at - 1, 2_000, 2_000) + data)
    return PNG_MARK + head + b"".join(frames) + chunk(b"IEND", b"")
