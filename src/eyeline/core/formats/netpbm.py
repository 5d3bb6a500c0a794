"""
Netpbm: PBM, PGM, PPM, plain and raw, and grey float (Pf); what Pillow reads of it.

Sources: netpbm.sourceforge.net/doc/ppm.html and its neighbours; Pillow 13.0, PpmImagePlugin.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from eyeline.core.formats.header import Header
from eyeline.core.size import Size

SIGNATURE = re.compile(rb"P[1-6f]\s+[#\d]")
# Colour floats and PAM, which Pillow does not read.
UNREAD = re.compile(rb"PF\s+[#\d]|P7\s+(#|WIDTH|HEIGHT|DEPTH|MAXVAL|TUPLTYPE)")
SPACE = rb"(?:\s|#[^\r\n]*+)*+"
NUMBER = rb"(\d{1,10})\s"
DIMENSIONS = re.compile(rb"P." + SPACE + NUMBER + SPACE + NUMBER)
MAXIMUM = re.compile(SPACE + NUMBER)
SCALE = re.compile(SPACE + rb"([-+.eE\d]{1,10})\s")


# Pillow reads comments byte by byte: 20 MB of them take four seconds.
HEADER_BYTES_MAX = 65_536


def header(data: bytes) -> Header:
    data = data[:HEADER_BYTES_MAX]
    found = DIMENSIONS.match(data)
    if found is None:
        raise ValueError("no width and height")
    size = Size(int(found[1]), int(found[2]))
    return Header(size, pixel_kind=pixel_kind(data, found.end()), is_lossless=True)


class Raw(NamedTuple):
    """A raw PGM or PPM: its size, its largest value, and its samples."""

    size: Size
    maximum: int
    is_colour: bool
    pixels: memoryview


def raw(data: bytes) -> Raw:
    """Take a raw PGM or PPM apart; its header was read before."""
    head = data[:HEADER_BYTES_MAX]
    found = DIMENSIONS.match(head)
    most = MAXIMUM.match(head, found.end()) if found else None
    if found is None or most is None:
        raise ValueError("no width, height and largest value")
    size = Size(int(found[1]), int(found[2]))
    return Raw(size, int(most[1]), data.startswith(b"P6"), memoryview(data)[most.end() :])


def pixel_kind(data: bytes, at: int) -> str:
    if data.startswith((b"P1", b"P4")):
        return ""
    found = (SCALE if data.startswith(b"Pf") else MAXIMUM).match(data, at)
    if found is None:
        raise ValueError("no largest value")
    if data.startswith(b"Pf"):
        if not math.isfinite(float(found[1])) or not float(found[1]):
            raise ValueError(f"a scale of {found[1].decode()}")
        return "float"
    if not 0 < int(found[1]) < 65_536:
        raise ValueError(f"a largest value of {int(found[1]):,}")
    return "16-bit" if int(found[1]) > 255 else ""
