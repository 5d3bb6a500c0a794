"""
Metadata cut out of an encoded image without touching its pixels.

Where, when, with what and by whom a picture was taken is nobody's business but the user's. Colour
profiles stay, since the pixels mean nothing without them.

Sources: ITU T.81 annex B and JFIF 1.02; PNG third edition, chapter 11; RFC 9649 (WebP); GIF89a.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from eyeline.core.headers import (
    GIF_EXTENSION,
    GIF_TRAILER,
    JPEG_END,
    JPEG_SCAN,
    gif_blocks,
    jpeg_segments,
    png_chunks,
)
from eyeline.core.media import GIF, JPEG, PNG, WEBP

# The end of a scan: a marker that is neither a stuffed FF, nor a restart mark, nor padding.
JPEG_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
JPEG_COMMENT, JPEG_APPS = 0xFE, range(0xE0, 0xF0)
# Application segments a decoder needs: JFIF, the colour profile, and Adobe's colour transform.
JPEG_KEPT = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}

# Chunks that say how the pixels look. All else (text, time, EXIF, unknown) may tell of the user.
PNG_KEPT = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP",
    b"mDCV", b"cLLI", b"sBIT", b"bKGD", b"hIST", b"pHYs",
}  # fmt: skip
WEBP_KEPT = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"}
WEBP_EXIF_AND_XMP = 0x0C
GIF_COMMENT, GIF_APPLICATION = 0xFE, 0xFF


def cut_metadata(data: bytes, media_type: str) -> bytes:
    """
    Give an image without its metadata, its pixels bit for bit the same.

    Also what stands behind the image's end goes: a phone puts a film or a second picture there.
    Other types than JPEG, PNG, WebP and GIF, and damaged ones, come back as they are.
    """
    try:
        return b"".join(PIECES[media_type](data))
    except (IndexError, KeyError, ValueError):
        return data


def jpeg_pieces(data: bytes) -> Iterator[memoryview]:
    view = memoryview(data)
    yield view[:2]
    for marker, at in jpeg_segments(data):
        length = int.from_bytes(view[at : at + 2])
        if marker == JPEG_SCAN:
            yield from jpeg_scans(view, at - 2)
        elif is_kept(marker, view[at + 2 : at + length]):
            yield view[at - 2 : at + length]


def is_kept(marker: int, payload: memoryview) -> bool:
    if marker == JPEG_COMMENT:
        return False
    mark = JPEG_KEPT.get(marker)
    return marker not in JPEG_APPS or (mark is not None and payload[: len(mark)] == mark)


def jpeg_scans(data: memoryview, start: int) -> Iterator[memoryview]:
    """Give everything from the first scan to the end mark; between scans stand only tables."""
    at = start
    while (found := JPEG_SCAN_END.search(data, at + 2)) is not None:
        marker, at = data[found.start() + 1], found.start()
        if marker == JPEG_END:
            yield data[start : at + 2]
            return
        at += int.from_bytes(data[at + 2 : at + 4])
    yield data[start:]


def png_pieces(data: bytes) -> Iterator[memoryview]:
    view = memoryview(data)
    yield view[:8]
    yield from (view[at:end] for kind, at, end in png_chunks(data) if kind in PNG_KEPT)


def webp_pieces(data: bytes) -> Iterator[bytes | memoryview]:
    """Rebuild the container: its size and the flags of what was cut change with it."""
    chunks = list(webp_chunks(memoryview(data)))
    size = 4 + sum(len(piece) for piece in chunks)
    yield b"RIFF" + size.to_bytes(4, "little") + b"WEBP"
    yield from chunks


def webp_chunks(data: memoryview) -> Iterator[bytes | memoryview]:
    # No further than the bytes go: the size that the file says may be four gigabytes.
    at, ends = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while at + 8 <= ends:
        kind, length = bytes(data[at : at + 4]), int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + length + (length & 1)
        if kind == b"VP8X":
            yield bytes(data[at : at + 8]) + bytes([data[at + 8] & ~WEBP_EXIF_AND_XMP])
            yield data[at + 9 : end]
        elif kind in WEBP_KEPT:
            yield data[at:end]
        at = end


def gif_pieces(data: bytes) -> Iterator[memoryview]:
    """Give the blocks but comments and application data; a still picture needs neither."""
    view, starts = memoryview(data), [at for _, at in gif_blocks(data)]
    yield view[: starts[0]]
    for at, end in zip(starts, [*starts[1:], len(data)], strict=True):
        is_extension = data[at] == GIF_EXTENSION
        if not (is_extension and data[at + 1] in (GIF_COMMENT, GIF_APPLICATION)):
            yield view[at : at + 1] if data[at] == GIF_TRAILER else view[at:end]


PIECES: dict[str, Callable[[bytes], Iterator[bytes | memoryview]]] = {
    JPEG: jpeg_pieces,
    PNG: png_pieces,
    GIF: gif_pieces,
    WEBP: webp_pieces,
}
