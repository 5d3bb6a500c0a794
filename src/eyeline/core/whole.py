"""Whether an encoded image is all there, told from its structure, without decoding a pixel."""

from __future__ import annotations

import zlib

from eyeline.core.headers import (
    GIF_IMAGE,
    GIF_TRAILER,
    JPEG_SCAN,
    gif_blocks,
    jpeg_segments,
    png_chunks,
)
from eyeline.core.media import GIF, JPEG, PNG, WEBP
from eyeline.errors import ImageTruncated

JPEG_END_MARK = b"\xff\xd9"


def check_whole(data: bytes, media_type: str, source: str) -> None:
    """
    Raise ImageTruncated if `data`, about to be sent as it is, ends early or is damaged in its
    frame.
    """
    try:
        fault = CHECKS[media_type](data)
    except (IndexError, ValueError):
        fault = "the header ends early"
    if fault:
        raise ImageTruncated(source, fault)


def jpeg_fault(data: bytes) -> str:
    # Inside a scan every FF is followed by 00 or a restart mark, so an end mark there is the end.
    # The scan is found by its segment: a camera's EXIF holds a thumbnail with marks of its own.
    for marker, at in jpeg_segments(data):
        if marker == JPEG_SCAN and data.find(JPEG_END_MARK, at) >= 0:
            return ""
    return "no end-of-image mark"


def png_fault(data: bytes) -> str:
    view, kind = memoryview(data), b""
    for kind, at, end in png_chunks(data):
        if end > len(data):
            return "no IEND chunk"
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end]):
            return f"the chunk {kind!r} fails its checksum"
    return "" if kind == b"IEND" else "no IEND chunk"


def gif_fault(data: bytes) -> str:
    kinds = {kind for kind, _ in gif_blocks(data)}
    return "" if {GIF_IMAGE, GIF_TRAILER} <= kinds else "no image or no trailer"


def webp_fault(data: bytes) -> str:
    said = int.from_bytes(data[4:8], "little") + 8
    return "" if said <= len(data) else f"{len(data):,} of {said:,} bytes"


CHECKS = {JPEG: jpeg_fault, PNG: png_fault, GIF: gif_fault, WEBP: webp_fault}
