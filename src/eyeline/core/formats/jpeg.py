"""
JPEG: frame header, orientation, scans; metadata and wholeness.

Sources: ITU T.81 annex B, JFIF 1.02, EXIF 2.32.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from eyeline.core.formats.header import Header, depth_kind, unpack
from eyeline.core.formats.tiff import exif_orientation
from eyeline.core.size import Size

EXIF_MARK = b"Exif\0\0"
# A marker that heads a segment: neither a stuffed FF, nor a restart mark, nor padding. So one
# search passes over padding as well as over a whole scan.
MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
END, SCAN, APP1, COMMENT, APPS = 0xD9, 0xDA, 0xE1, 0xFE, range(0xE0, 0xF0)
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
SEQUENTIAL, PROGRESSIVE = {0xC0, 0xC1}, 0xC2
# What few decoders read, and no model.
RARE = {
    0xC3: "lossless JPEG", 0xC9: "arithmetic-coded", 0xCA: "arithmetic-coded",
    0xCB: "arithmetic-coded",
}  # fmt: skip
# Application segments a decoder needs: JFIF, the colour profile, and Adobe's colour transform.
KEPT = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
# Of 64 KB each they would fill 655 MB.
SEGMENTS_MAX = 10_000


def header(data: bytes) -> Header:
    frame, frame_at, exif, scan_at = 0, 0, b"", 0
    walk = segments(data)
    for marker, at in walk:
        if marker in (SCAN, END):
            scan_at = at
            break
        if marker in FRAMES:
            frame, frame_at = marker, at
        elif marker == APP1 and not exif and data.startswith(EXIF_MARK, at + 2):
            exif = data[at + 8 : at + int.from_bytes(data[at : at + 2])]
    if not frame:
        raise ValueError(
            "no frame header before the image data" if scan_at else "the header ends early"
        )
    precision, height, width, components = unpack(">BHHB", data, frame_at + 2)
    in_scan = int.from_bytes(data[scan_at + 2 : scan_at + 3]) if scan_at else components
    has_scans = frame not in SEQUENTIAL or in_scan < components
    return Header(
        Size(width, height),
        exif_orientation(exif),
        pixel_kind=pixel_kind(frame, precision, components),
        scans=1 + sum(marker == SCAN for marker, _ in walk) if has_scans else 1,
        is_scalable=not has_scans,
    )


def pixel_kind(frame: int, precision: int, components: int) -> str:
    if frame not in SEQUENTIAL and frame != PROGRESSIVE:
        return RARE.get(frame, "hierarchical JPEG")
    return "CMYK" if components == 4 else depth_kind(precision)


def segments(data: bytes) -> Iterator[tuple[int, int]]:
    """
    Give each marker, and where the length after it stands, up to the end mark or as far as the
    bytes go.
    """
    at = 2
    for _ in range(SEGMENTS_MAX):
        found = MARKER.search(data, at)
        if found is None:
            return
        marker, at = data[found.end() - 1], found.end()
        yield marker, at
        if marker == END:
            return
        at += int.from_bytes(data[at : at + 2])
    raise ValueError(f"more than {SEGMENTS_MAX:,} segments")


def pieces(data: bytes) -> Iterator[memoryview]:
    """Give everything up to the end mark but comments and what applications wrote."""
    view, start = memoryview(data), 0
    for marker, at in segments(data):
        if marker == END:
            yield view[start:at]
            return
        end = at + int.from_bytes(data[at : at + 2])
        if not is_kept(marker, view[at + 2 : end]):
            yield view[start : at - 2]
            start = end
    yield view[start:]


def is_kept(marker: int, payload: memoryview) -> bool:
    if marker == COMMENT:
        return False
    mark = KEPT.get(marker)
    return marker not in APPS or (mark is not None and payload[: len(mark)] == mark)


def fault(data: bytes) -> str:
    markers = {marker for marker, _ in segments(data)}
    return "" if {SCAN, END} <= markers else "no end-of-image mark"
