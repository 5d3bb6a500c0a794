"""A colour as the user names it: `white`, `#fff`, `#ffffff`, or three numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from eyeline.core.spelling import did_you_mean
from eyeline.errors import SettingsError


class Colour(NamedTuple):
    """Red, green and blue in sRGB, each 0 to 255."""

    red: int
    green: int
    blue: int

    def __str__(self) -> str:
        names = [name for name, colour in NAMED.items() if colour == self]
        return names[0] if names else "#{:02x}{:02x}{:02x}".format(*self)


# The sixteen colours of HTML 4.
NAMED = {
    "white": Colour(255, 255, 255),
    "silver": Colour(192, 192, 192),
    "gray": Colour(128, 128, 128),
    "black": Colour(0, 0, 0),
    "red": Colour(255, 0, 0),
    "maroon": Colour(128, 0, 0),
    "yellow": Colour(255, 255, 0),
    "olive": Colour(128, 128, 0),
    "lime": Colour(0, 255, 0),
    "green": Colour(0, 128, 0),
    "aqua": Colour(0, 255, 255),
    "teal": Colour(0, 128, 128),
    "blue": Colour(0, 0, 255),
    "navy": Colour(0, 0, 128),
    "fuchsia": Colour(255, 0, 255),
    "purple": Colour(128, 0, 128),
}
WHITE = NAMED["white"]
HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.ASCII)


def parse_colour(name: str, value: str | Sequence[int]) -> Colour:
    """Read the colour given for the option `name`. Raises SettingsError."""
    if isinstance(value, str):
        return parse_text(name, value.strip().lower())
    is_rgb = len(value) == 3 and all(isinstance(part, int) and 0 <= part <= 255 for part in value)
    if not is_rgb:
        raise SettingsError(name, str(value), "three numbers from 0 to 255")
    return Colour(*value)


def parse_text(name: str, text: str) -> Colour:
    if text in NAMED:
        return NAMED[text]
    if HEX.fullmatch(text) is None:
        expected = f"#rrggbb or one of {', '.join(NAMED)}{did_you_mean(text, NAMED)}"
        raise SettingsError(name, text, expected)
    digits = text[1:] if len(text) == 7 else "".join(digit * 2 for digit in text[1:])
    return Colour(*bytes.fromhex(digits))
