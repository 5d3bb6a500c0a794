"""
JPEG: frame header, orientation, scans; metadata and wholeness.

Sources: ITU T.81 annex B, JFIF 1.02, EXIF 2.32.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eyeline.core.formats.header import Header, Unsafe, depth_kind, unpack
from eyeline.core.formats.parts import Missing, search
from eyeline.core.formats.tiff import exif_orientation
from eyeline.core.size import Size

EXIF_MARK = b"Exif\0\0"
# A marker that heads a segment: neither a stuffed FF, nor a restart mark, nor padding. So one
# search passes over padding as well as over a whole scan.
MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
# What may stand behind a scan: tables, another scan, the end, application data, a comment.
BEHIND_SCAN = {0xC4, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)}
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
# Each marker, and where the length after it stands. Whoever asks twice keeps it: to find the end
# of the pixels takes as long as all else that is done to a picture which goes as it is.
Walk = Sequence[tuple[int, int]]


class Frame(NamedTuple):
    """A frame header: its marker, and where its length stands; where its first scan does, or 0."""

    marker: int
    at: int
    scan_at: int

    def has_scans(self, data: bytes) -> bool:
        """Say whether the picture comes in several scans, so that all of it is held."""
        (components,) = unpack("B", data, self.at + 7)
        in_scan = int.from_bytes(data[self.scan_at + 2 : self.scan_at + 3])
        return self.marker not in SEQUENTIAL or (self.scan_at > 0 and in_scan < components)

    def samples(self, data: bytes) -> int:
        """Count the samples of all components, or a few less."""
        height, width, components = unpack(">HHB", data, self.at + 3)
        table = unpack(f"{3 * components}B", data, self.at + 8)
        factors = [(both >> 4, both & 15) for both in table[1::3]]
        widest = max([1, *(across for across, _ in factors)])
        highest = max([1, *(down for _, down in factors)])
        sampled = sum(across * down for across, down in factors)
        return width * height * sampled // (widest * highest)


def header(data: bytes) -> Header:
    walk = segments(data)
    frame, exif = first_frame(data, walk)
    precision, height, width, components = unpack(">BHHB", data, frame.at + 2)
    has_scans = frame.has_scans(data)
    return Header(
        Size(width, height),
        exif_orientation(exif),
        pixel_kind=pixel_kind(frame.marker, precision, components),
        scans=1 + scans_of(walk) if has_scans else 1,
        is_scalable=not has_scans,
    )


def scans_of(walk: Iterator[tuple[int, int]]) -> int:
    """Count the scans, of a file in parts those that are here."""
    found = 0
    try:
        for marker, _ in walk:
            found += marker == SCAN
    except Missing:
        return found
    return found


def first_frame(data: bytes, walk: Iterator[tuple[int, int]]) -> tuple[Frame, bytes]:
    """Give the frame header, and the EXIF before it; `walk` is then behind the first scan."""
    frame, frame_at, exif, scan_at = 0, 0, b"", 0
    for marker, at in walk:
        if marker in (SCAN, END):
            scan_at = at
            break
        if marker in FRAMES and frame:
            raise ValueError("two frame headers")
        if marker in FRAMES:
            frame, frame_at = marker, at
        elif marker == APP1 and not exif and data.startswith(EXIF_MARK, at + 2):
            exif = data[at + 8 : at + int.from_bytes(data[at : at + 2])]
    if not frame:
        raise ValueError(
            "no frame header before the image data" if scan_at else "the header ends early"
        )
    return Frame(frame, frame_at, scan_at), exif


def coefficient_bytes(data: bytes) -> int:
    """
    Give what a decoder holds of a picture in several scans: two bytes a sample, until the last.

    0 for one that is decoded row by row. Source: libjpeg-turbo 3.2, jdcoefct.c.
    """
    frame, _ = first_frame(data, segments(data))
    return 2 * frame.samples(data) if frame.has_scans(data) else 0


def shortage(data: bytes) -> str:
    """
    Say so where there are fewer bytes than the fewest that a picture of this size can have, which
    decoders fill up with grey; "" where there are enough.

    Each block of 64 samples takes a bit at least, and two where it comes in one scan.
    """
    frame, _ = first_frame(data, segments(data))
    if frame.marker not in {*SEQUENTIAL, PROGRESSIVE}:
        return ""
    bits = frame.samples(data) // 64 * (2 if frame.marker in SEQUENTIAL else 1)
    left = len(data) - frame.scan_at
    return f"{left:,} bytes of pixels, at least {bits // 8:,} expected" if 8 * left < bits else ""


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
        at = search(MARKER, data, at)
        if at < 0:
            return
        marker = data[at - 1]
        yield marker, at
        if marker == END:
            return
        at += int.from_bytes(data[at : at + 2])
    raise Unsafe(f"more than {SEGMENTS_MAX:,} segments")


def pieces(data: bytes, walk: Walk | None = None) -> Iterator[memoryview]:
    """Give everything up to the end mark but comments and what applications wrote."""
    view, start = memoryview(data), 0
    for marker, at in walk or segments(data):
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


def fault(data: bytes, walk: Walk | None = None) -> str:
    before, markers = 0, set[int]()
    for marker, _ in walk or segments(data):
        if before == SCAN and marker not in BEHIND_SCAN:
            return f"a mark FF {marker:02X} inside the picture"
        markers.add(marker)
        before = marker
    return shortage(data) if {SCAN, END} <= markers else "no end-of-image mark"
