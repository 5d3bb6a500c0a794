"""
Header readers, one a format: bytes in, a Header out.

Each raises ValueError or IndexError where the header is cut or makes no sense.
Sources: JPEG ITU T.81 annex B and EXIF 2.32; PNG 3rd edition; GIF89a; RFC 9649 (WebP); TIFF 6.0.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from eyeline.core.size import Size


class Header(NamedTuple):
    size: Size
    orientation: int = 1
    has_alpha: bool = False
    frames: int = 1


EXIF_MARK = b"Exif\0\0"
ORIENTATION_TAG, WIDTH_TAG, HEIGHT_TAG, SAMPLES_TAG = 0x0112, 0x0100, 0x0101, 0x0115
PHOTOMETRIC_TAG, CMYK = 0x0106, 5
JPEG_MARKER = re.compile(rb"\xff[^\xff]")
JPEG_STANDALONE = {0x01, *range(0xD0, 0xD8)}
JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
JPEG_END, JPEG_SCAN, JPEG_APP1 = 0xD9, 0xDA, 0xE1
GIF_EXTENSION, GIF_IMAGE, GIF_TRAILER, GIF_CONTROL = 0x21, 0x2C, 0x3B, 0xF9
BMP_HEADER_BYTES = {12, 40, 52, 56, 64, 108, 124}


def unpack(layout: str, data: bytes, offset: int) -> tuple[int, ...]:
    """Read integers; ValueError instead of struct's own error where the bytes end."""
    if offset < 0 or offset + struct.calcsize(layout) > len(data):
        raise ValueError(f"the header needs more than its {len(data):,} bytes")
    return struct.unpack_from(layout, data, offset)


def jpeg(data: bytes) -> Header:
    orientation = 1
    for marker, at in jpeg_segments(data):
        if marker in JPEG_FRAMES:
            height, width = unpack(">HH", data, at + 3)
            return Header(Size(width, height), orientation)
        if marker == JPEG_APP1 and data.startswith(EXIF_MARK, at + 2):
            (length,) = unpack(">H", data, at)
            orientation = exif_orientation(data[at + 8 : at + length])
    raise ValueError("no frame header before the image data")


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Give each marker, and where the length after it stands, up to the first scan or the end."""
    marker, at = 0, 2
    while marker not in (JPEG_END, JPEG_SCAN):
        # Padding between segments is tolerated by every decoder; a search skips any amount of it.
        found = JPEG_MARKER.search(data, at)
        if found is None:
            raise ValueError("the header ends early")
        marker, at = data[found.end() - 1], found.end()
        if marker not in JPEG_STANDALONE:
            yield marker, at
            at += unpack(">H", data, at)[0]


def exif_orientation(exif: bytes) -> int:
    """Give the orientation 1 to 8 that an EXIF block names; 1 where it names none or is damaged."""
    try:
        # One by one: what stands after the orientation may be cut or damaged, as it often is.
        value = next((value for tag, value in tiff_entries(exif) if tag == ORIENTATION_TAG), 1)
    except ValueError:
        return 1
    return value if 1 <= value <= 8 else 1


def png(data: bytes) -> Header:
    width, height, _depth, colour = unpack(">IIBB", data, 16)
    if data[12:16] != b"IHDR":
        raise ValueError("the first chunk is not IHDR")
    has_alpha, frames, orientation = colour in (4, 6), 1, 1
    for kind, at, end in png_chunks(data):
        if kind == b"tRNS":
            has_alpha = True
        elif kind == b"acTL":
            frames = unpack(">I", data, at + 8)[0]
        elif kind == b"eXIf":
            orientation = exif_orientation(data[at + 8 : end - 4])
    return Header(Size(width, height), orientation, has_alpha, frames)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """
    Give each chunk's kind, where it starts and where it says it ends, up to IEND or as far as the
    bytes go.
    """
    kind, end = b"", 8
    while kind != b"IEND" and end + 8 <= len(data):
        at, kind = end, data[end + 4 : end + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4])
        yield kind, at, end


def gif(data: bytes) -> Header:
    (width, height), frames, has_alpha = unpack("<HH", data, 6), 0, False
    for kind, at in gif_blocks(data):
        if kind == GIF_IMAGE:
            frames += 1
            if frames == 2:
                break
            # Decoders widen the screen where the first picture passes its edge.
            left, top, across, down = unpack("<HHHH", data, at + 1)
            width, height = max(width, left + across), max(height, top + down)
        elif kind == GIF_EXTENSION and data[at + 1] == GIF_CONTROL and not frames:
            has_alpha = bool(data[at + 3] & 1)
    return Header(Size(width, height), has_alpha=has_alpha, frames=max(1, frames))


def gif_blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Give each block's first byte and where it stands, up to the trailer or as far as it goes."""
    kind, at = 0, 13 + gif_table_bytes(data[10])
    while kind != GIF_TRAILER and at < len(data):
        kind = data[at]
        yield kind, at
        if kind == GIF_IMAGE:
            at = after_sub_blocks(data, at + 11 + gif_table_bytes(data[at + 9]))
        elif kind == GIF_EXTENSION:
            at = after_sub_blocks(data, at + 2)
        else:
            at += 1  # a stray byte between blocks, tolerated by every decoder


def gif_table_bytes(flags: int) -> int:
    """Give the length of the colour table that a screen or image descriptor announces."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def after_sub_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1


def webp(data: bytes) -> Header:
    kind = data[12:16]
    if kind == b"VP8X":
        return webp_extended(data)
    if kind == b"VP8L":
        bits = unpack("<I", data, 21)[0]
        size = Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        return Header(size, has_alpha=bool(bits >> 28 & 1))
    if kind == b"VP8 ":
        width, height = unpack("<HH", data, 26)
        return Header(Size(width & 0x3FFF, height & 0x3FFF))
    raise ValueError(f"a WebP chunk {kind!r}")


def webp_extended(data: bytes) -> Header:
    flags = data[20]
    width = int.from_bytes(data[24:27], "little") + 1
    height = int.from_bytes(data[27:30], "little") + 1
    if len(data) < 30:
        raise ValueError("the header ends early")
    orientation = webp_orientation(data) if flags & 0x08 else 1
    return Header(Size(width, height), orientation, bool(flags & 0x10), 2 if flags & 0x02 else 1)


def webp_orientation(data: bytes) -> int:
    at = 12
    while at + 8 <= len(data):
        (length,) = unpack("<I", data, at + 4)
        if data[at : at + 4] == b"EXIF":
            return exif_orientation(data[at + 8 : at + 8 + length].removeprefix(EXIF_MARK))
        at += 8 + length + (length & 1)
    return 1


def bmp(data: bytes) -> Header:
    (header_bytes,) = unpack("<I", data, 14)
    if header_bytes not in BMP_HEADER_BYTES:
        raise ValueError(f"a BMP header of {header_bytes:,} bytes")
    if header_bytes == 12:
        width, height = unpack("<HH", data, 18)
    else:
        width, height = unpack("<ii", data, 18)
    # A negative height means rows from top to bottom; an alpha channel is not promised by any
    # header.
    return Header(Size(abs(width), abs(height)))


def tiff(data: bytes) -> Header:
    tags = dict(tiff_entries(data))
    if WIDTH_TAG not in tags or HEIGHT_TAG not in tags:
        raise ValueError("the first directory names no size")
    return Header(
        Size(tags[WIDTH_TAG], tags[HEIGHT_TAG]),
        exif_orientation(data),  # an EXIF block is a TIFF file
        has_alpha=tags.get(SAMPLES_TAG, 1) in (2, 4) and tags.get(PHOTOMETRIC_TAG) != CMYK,
        frames=2 if tags[NEXT_DIRECTORY] else 1,
    )


NEXT_DIRECTORY = -1


def tiff_entries(data: bytes) -> Iterator[tuple[int, int]]:
    """Read the short and long values of the first directory, and where the next one stands."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        raise ValueError("no byte order mark")
    (at,) = unpack(order + "I", data, 4)
    (count,) = unpack(order + "H", data, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind = unpack(order + "HH", data, entry)
        if kind in (3, 4):
            yield tag, unpack(order + ("H" if kind == 3 else "I"), data, entry + 8)[0]
    yield NEXT_DIRECTORY, unpack(order + "I", data, at + 2 + 12 * count)[0]
