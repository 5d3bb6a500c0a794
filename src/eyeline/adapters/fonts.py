"""
Which fonts a drawing's text gets: resvg knows the generic families only by the names of Windows.

Where Times New Roman is not installed, as on most Linux machines, resvg alone draws no text at
all; and the last resort for every other missing family is the serif one.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

# Where fontconfig looks without being told.
FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
FONT_SUFFIXES = {".ttf", ".otf", ".ttc", ".otc"}
# File names and the families in them, best first.
SANS = {
    "arial.ttf": "Arial",
    "liberationsans-regular.ttf": "Liberation Sans",
    "dejavusans.ttf": "DejaVu Sans",
    "notosans-regular.ttf": "Noto Sans",
    "freesans.ttf": "FreeSans",
}
SERIF = {
    "times.ttf": "Times New Roman",
    "liberationserif-regular.ttf": "Liberation Serif",
    "dejavuserif.ttf": "DejaVu Serif",
    "notoserif-regular.ttf": "Noto Serif",
    "freeserif.ttf": "FreeSerif",
}
MONO = {
    "cour.ttf": "Courier New",
    "liberationmono-regular.ttf": "Liberation Mono",
    "dejavusansmono.ttf": "DejaVu Sans Mono",
    "notosansmono-regular.ttf": "Noto Sans Mono",
    "freemono.ttf": "FreeMono",
}
# Pillow carries it for its own default text: ASCII and some punctuation, no accents.
BUILT_IN = "Aileron"


class Fonts(NamedTuple):
    """Options for resvg, and whether any font but the built-in one was found."""

    options: Mapping[str, str | list[str]]
    are_installed: bool


@contextmanager
def fonts() -> Iterator[Fonts]:
    """Give the fonts for one drawing; the built-in font is a file for as long."""
    if sys.platform in ("win32", "darwin"):  # whose own names resvg knows
        yield Fonts({}, are_installed=True)
        return
    names = installed()
    with tempfile.NamedTemporaryFile(suffix=".ttf") as file:
        file.write(built_in())
        file.flush()
        yield Fonts({**families(names), "font_files": [file.name]}, are_installed=bool(names))


def families(names: frozenset[str]) -> dict[str, str]:
    """Give a family that exists for each generic one, from the names of the font files."""
    sans = first(SANS, names, BUILT_IN)
    serif = first(SERIF, names, sans)
    return {
        "font_family": serif,
        "serif_family": serif,
        "sans_serif_family": sans,
        "monospace_family": first(MONO, names, sans),
        "cursive_family": sans,
        "fantasy_family": sans,
    }


def first(choices: Mapping[str, str], names: frozenset[str], otherwise: str) -> str:
    return next((family for name, family in choices.items() if name in names), otherwise)


@cache
def installed() -> frozenset[str]:
    """Give the names of all font files, in lower case. Who installs one starts us again."""
    return font_names(tuple(Path(folder).expanduser() for folder in FOLDERS))


def font_names(folders: tuple[Path, ...]) -> frozenset[str]:
    found = (name for folder in folders for _, _, names in os.walk(folder) for name in names)
    return frozenset(name.lower() for name in found if Path(name).suffix.lower() in FONT_SUFFIXES)


@cache
def built_in() -> bytes:
    from PIL import ImageFont

    return ImageFont.load_default(16).font_bytes  # type: ignore[union-attr]
