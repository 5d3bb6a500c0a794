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
# How wide and high each of the seven passes of an interlaced picture begins and steps.
ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
    (0, 1, 1, 2),
)  # fmt: skip
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
FILTERS_MAX = 4
PIECE_BYTES, BLOCK_BYTES = 16_384, 65_536
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


# --- pixels -------------------------------------------------------------------------------------


def pixel_fault(data: bytes) -> str:
    """
    Say what is wrong with the pixels: too few, a row that no filter made, or a stream that is
    broken. They are unpacked for it, a block at a time, and not kept.
    """
    blocks, block = inflated(data), b""
    try:
        for row_bytes, rows in passes(data):
            at, end = 0, row_bytes * rows
            while at < end:
                block = block or next(blocks, b"")
                if not block:
                    return "fewer pixels than its size says"
                part, block = block[: end - at], block[end - at :]
                if max(part[-at % row_bytes :: row_bytes], default=0) > FILTERS_MAX:
                    return "a row of pixels that no filter made"
                at += len(part)
        next(blocks, b"")  # to the checksum behind the last of them
    except zlib.error as error:
        return str(error)
    return ""


def passes(data: bytes) -> Iterator[tuple[int, int]]:
    """Give the bytes of a row, its filter's first, and the rows, of each pass over the picture."""
    width, height, depth, colour, interlace = unpack(">IIBB2xB", data, 16)
    for left, top, across, down in ADAM7 if interlace else [(0, 0, 1, 1)]:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            yield 1 + -(-columns * depth * SAMPLES.get(colour, 1) // 8), rows


def inflated(data: bytes) -> Iterator[bytes]:
    """Give the unpacked pixels in blocks; it is bounded what a small file can make of itself."""
    inflate, view = zlib.decompressobj(), memoryview(data)
    for kind, at, end in chunks(data):
        if kind != b"IDAT":
            continue
        for start in range(at + 8, end - 4, PIECE_BYTES):
            packed: bytes | memoryview = view[start : min(start + PIECE_BYTES, end - 4)]
            while packed and not inflate.eof:
                if block := inflate.decompress(packed, BLOCK_BYTES):
                    yield block
                packed = inflate.unconsumed_tail
