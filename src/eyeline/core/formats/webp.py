"""WebP: header, metadata, wholeness. Source: RFC 9649."""

from __future__ import annotations

from collections.abc import Iterator

from eyeline.core.formats.header import Header, Unsafe, unpack
from eyeline.core.formats.tiff import exif_orientation
from eyeline.core.size import Size

EXIF_MARK = b"Exif\0\0"  # of JPEG; some writers leave it there
KEPT = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"}
ANIMATION, EXIF, ALPHA, EXIF_AND_XMP = 0x02, 0x08, 0x10, 0x0C
# More than any animation has frames.
CHUNKS_MAX = 100_000


def header(data: bytes) -> Header:
    kind = data[12:16]
    if kind == b"VP8X":
        return extended(data)
    if kind == b"VP8L":
        bits = unpack("<I", data, 21)[0]
        size = Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        return Header(size, has_alpha=bool(bits >> 28 & 1), is_lossless=True)
    if kind == b"VP8 ":
        width, height = unpack("<HH", data, 26)
        return Header(Size(width & 0x3FFF, height & 0x3FFF))
    raise ValueError(f"a WebP chunk {kind!r}")


def extended(data: bytes) -> Header:
    flags, *sides = unpack("<B3xHBHB", data, 20)
    size = Size(sides[0] + (sides[1] << 16) + 1, sides[2] + (sides[3] << 16) + 1)
    picture, exif = b"", b""
    for kind, at, end in chunks(data):
        if kind in (b"VP8 ", b"VP8L"):
            picture = picture or kind
        elif kind == b"ANMF":
            picture = picture or data[at + 24 : at + 28]
        elif kind == b"EXIF" and flags & EXIF:
            exif = data[at + 8 : end].removeprefix(EXIF_MARK)
    if flags & EXIF and not exif and fault(data):
        raise ValueError("it ends before its EXIF")
    return Header(
        size,
        exif_orientation(exif),
        has_alpha=bool(flags & ALPHA),
        frames=2 if flags & ANIMATION else 1,
        is_lossless=picture == b"VP8L",
    )


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """
    Give each chunk's kind, where it starts and where it says it ends, as far as the bytes go: the
    size that the file says may be four gigabytes.
    """
    at, file_end = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    for _ in range(CHUNKS_MAX):
        if at + 8 > file_end:
            return
        head = data[at : at + 8]
        length = int.from_bytes(head[4:], "little")
        end = at + 8 + length + (length & 1)
        yield head[:4], at, end
        at = end
    raise Unsafe(f"more than {CHUNKS_MAX:,} chunks")


def pieces(data: bytes) -> Iterator[bytes | memoryview]:
    """Rebuild the container: its size and the flags of what was cut change with it."""
    kept = list(kept_chunks(data))
    size = 4 + sum(len(piece) for piece in kept)
    yield b"RIFF" + size.to_bytes(4, "little") + b"WEBP"
    yield from kept


def kept_chunks(data: bytes) -> Iterator[bytes | memoryview]:
    view = memoryview(data)
    for kind, at, end in chunks(data):
        if kind == b"VP8X":
            if end == at + 8:
                raise ValueError("an extended header of no bytes")
            yield data[at : at + 8] + bytes([data[at + 8] & ~EXIF_AND_XMP])
            yield view[at + 9 : end]
        elif kind in KEPT:
            yield view[at:end]


def fault(data: bytes) -> str:
    said = int.from_bytes(data[4:8], "little") + 8
    if said > len(data):
        return f"{len(data):,} of {said:,} bytes"
    kinds = set[bytes]()
    for kind, at, end in chunks(data):
        if end > said + (said & 1):
            return f"the chunk {kind!r} ends behind the file"
        if kind == b"VP8 " and (found := frame_fault(data[at + 8 : at + 18], end - at - 8)):
            return found
        kinds.add(kind)
    return "" if kinds & {b"VP8 ", b"VP8L", b"ANMF"} else "no picture"


def frame_fault(head: bytes, size_bytes: int) -> str:
    """Say what is wrong with a lossy picture from its first ten bytes. Source: RFC 6386, 9.1."""
    first_bytes = int.from_bytes(head[:3], "little") >> 5
    if head[3:6] != b"\x9d\x01\x2a":
        return "no start of a picture"
    is_whole = 10 + first_bytes <= size_bytes
    return "" if is_whole else f"{size_bytes:,} bytes of pixels, {10 + first_bytes:,} expected"
