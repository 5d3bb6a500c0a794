"""
Netpbm: PBM, PGM, PPM, plain and raw, and grey float (Pf); what Pillow reads of it.

Sources: netpbm.sourceforge.net/doc/ppm.html and its neighbours; Pillow 13.0, PpmImagePlugin.
"""

from __future__ import annotations

import math
import re

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


def header(data: bytes) -> Header:
    found = DIMENSIONS.match(data)
    if found is None:
        raise ValueError("no width and height")
    size = Size(int(found[1]), int(found[2]))
    return Header(size, pixel_kind=pixel_kind(data, found.end()), is_lossless=True)


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
