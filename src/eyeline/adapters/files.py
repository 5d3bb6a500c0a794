"""Files on disk, read whole; the errors name what is wrong with the path."""

from __future__ import annotations

import errno
import os
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from eyeline.errors import (
    BadReference,
    ImageIsDirectory,
    ImageNotFound,
    ImageTooLarge,
    ImageUnreadable,
)

# The API takes 512 MB a request; base64 and everything else come on top.
BYTES_MAX = 512 * 10**6
NAMES_LOOKED_AT_MAX = 10_000
ABSENT = {errno.ENOENT, errno.ENOTDIR}
# How PNG, JPEG, GIF, WebP and TIFF begin in base64; no path does.
BASE64_BEGINNINGS = ("iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR", "SUkqA", "TU0AK")


def read_file(path: Path, source: str, bytes_max: int | None = None, start: int = 0) -> bytes:
    """Read a file, or `bytes_max` bytes of it from `start`. Raises the ImageError that fits."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # a Path asks it in a roundabout way
            if start:
                file.seek(start)
            return read_stream(file, source, bytes_max or room_for(file))
    except IsADirectoryError:
        raise ImageIsDirectory(source) from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG or source.startswith(BASE64_BEGINNINGS):
            raise no_path(source) from None
        if error.errno in ABSENT:
            raise ImageNotFound(source, nearest(path)) from None
        raise ImageUnreadable(source, error.strerror or str(error)) from None
    except ValueError as error:  # a NUL byte in the name
        raise ImageUnreadable(source, str(error)) from None


def room_for(file: BinaryIO) -> int | None:
    """
    Say how much to read of a file: room for the most that is allowed would be mapped anew for each.

    None for what has no size: a pipe, and some files that are made as they are read.
    """
    size_bytes = os.fstat(file.fileno()).st_size
    return size_bytes + 1 if 0 < size_bytes <= BYTES_MAX else None


def no_path(source: str) -> BadReference:
    """Say that a string is no path, without showing it: most often it is an image in base64."""
    found = "too long for a path"
    if source.startswith(BASE64_BEGINNINGS):
        found = "base64, expected a path, or data:image/…;base64, before it"
    return BadReference(f"{source[:12]}… ({len(source):,} characters)", found)


def read_again(
    stream: BinaryIO, source: str, bytes_max: int | None = None, start: int = 0
) -> bytes:
    """Read a file object; where it can be set back it is, so that it may be asked about again."""
    try:
        if not stream.seekable():
            return read_stream(stream, source)
        before = stream.tell()
        try:
            if start:
                stream.seek(before + start)
            return read_stream(stream, source, bytes_max)
        finally:
            stream.seek(before)
    except (OSError, ValueError) as error:  # closed, or open for writing alone
        raise ImageUnreadable(source, str(error)) from None


def left_bytes(stream: BinaryIO) -> int | None:
    """Say how much there is to read of a file object; None of one that only goes forward."""
    if not stream.seekable():
        return None
    before = stream.tell()
    end = stream.seek(0, 2)
    stream.seek(before)
    return end - before


def read_stream(stream: BinaryIO, source: str, bytes_max: int | None = None) -> bytes:
    """Read a binary file object from where it stands, to its end or for `bytes_max`."""
    data = stream.read(BYTES_MAX + 1 if bytes_max is None else bytes_max)
    if not isinstance(data, bytes):
        raise ImageUnreadable(source, "text, expected a file opened in binary mode")
    if len(data) > BYTES_MAX:
        raise ImageTooLarge(source, f"over {BYTES_MAX // 10**6} MB", f"{BYTES_MAX // 10**6} MB")
    return data


def nearest(path: Path) -> str:
    """Give the path of the most alike name in the same folder, or "" if none is alike."""
    try:
        names = [entry.name for entry in islice(path.parent.iterdir(), NAMES_LOOKED_AT_MAX)]
    except OSError:
        return ""
    by_lower = {name.lower(): name for name in names}
    for near in get_close_matches(path.name.lower(), by_lower, n=1, cutoff=0.6):
        return str(path.with_name(by_lower[near]))
    return ""
