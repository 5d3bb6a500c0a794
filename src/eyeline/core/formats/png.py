"""PNG and APNG: header, metadata, checksums. Source: PNG, third edition."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from eyeline.core.formats.header import Header, Unsafe, depth_kind, unpack
from eyeline.core.formats.tiff import exif_orientation
from eyeline.core.size import Size

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Chunks that say how the pixels look. All else (text, time, EXIF, unknown) may tell of the user.
KEPT = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP",
    b"mDCV", b"cLLI", b"sBIT", b"bKGD", b"hIST", b"pHYs",
}  # fmt: skip
# Of 8 KB each, as libpng writes them, they would fill 800 MB.
CHUNKS_MAX = 100_000


def header(data: bytes) -> Header:
    width, height, depth, colour = unpack(">IIBB", data, 16)
    if data[12:16] != b"IHDR":
        raise ValueError("the first chunk is not IHDR")
    has_alpha, frames, exif = colour in (4, 6), 1, b""
    for kind, at, end in chunks(data):
        if kind == b"IHDR" and at > 8:
            raise ValueError("two headers")
        if kind == b"tRNS":
            has_alpha = True
        elif kind == b"acTL":
            frames = unpack(">I", data, at + 8)[0]
        elif kind == b"eXIf":
            exif = data[at + 8 : end - 4]
    orientation = exif_orientation(exif)
    return Header(Size(width, height), orientation, has_alpha, frames, depth_kind(depth), True)


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """
    Give each chunk's kind, where it starts and where it says it ends, up to IEND or as far as the
    bytes go.
    """
    end = 8
    for _ in range(CHUNKS_MAX):
        if end + 8 > len(data):
            return
        at, kind = end, data[end + 4 : end + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4])
        yield kind, at, end
        if kind == b"IEND":
            return
    raise Unsafe(f"more than {CHUNKS_MAX:,} chunks")


def pieces(data: bytes) -> Iterator[memoryview]:
    view = memoryview(data)
    yield view[:8]
    yield from (view[at:end] for kind, at, end in chunks(data) if kind in KEPT)


def fault(data: bytes) -> str:
    view, kind = memoryview(data), b""
    for kind, at, end in chunks(data):
        if end > len(data):
            return "no IEND chunk"
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end]):
            return f"the chunk {kind!r} fails its checksum"
    return "" if kind == b"IEND" else "no IEND chunk"
