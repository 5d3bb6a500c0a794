"""Bar codes and matrix codes, read by zxing-cpp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eyeline.local.facts import Code

if TYPE_CHECKING:
    from eyeline.local.picture import Picture

UNSURE = ("ITF", "Codabar", "Code 39", "Code 93", "Telepen", "DX")
"""Symbologies without a check digit that must hold: stripes in a photo look like short ones."""

UNSURE_CHARS_MIN = 6


def read_codes(picture: Picture) -> tuple[Code, ...]:
    """Read every code in `picture`, each content once. Raises ImportError without zxing-cpp."""
    import numpy as np
    import zxingcpp

    found = zxingcpp.read_barcodes(np.asarray(picture.large.convert("L")))
    codes = (Code(str(code.format), code.text) for code in found if code.valid)
    return tuple(dict.fromkeys(code for code in codes if is_sure(code)))


def is_sure(code: Code) -> bool:
    """Say whether `code` is more than a chance pattern."""
    return not code.kind.startswith(UNSURE) or len(code.text) >= UNSURE_CHARS_MIN
