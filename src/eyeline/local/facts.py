"""What the reader measured in one picture, as plain values; computes nothing from pixels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the upright picture."""


CONFIDENCE_SURE = 0.9
"""Print in a script the recogniser reads comes at 0.95 and above; Greek read as Latin, and print
that stands on its head, mostly below this."""

LETTER_WIDTH_MAX = 1.8
"""In heights of the line; a wide letter takes 1, so where more is spent some were not read."""

FOREIGN = re.compile("[\u0370-\u1dff]")
"""Letters of the scripts between Latin and its additions; read one by one, they are a guess."""


class Kind(StrEnum):
    """What sort of picture it is; the value is how a sentence names it."""

    PHOTO = "photo"
    PHOTO_WITH_TEXT = "photo with text"
    DOCUMENT = "document"
    DRAWN = "screenshot, chart or drawing"


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of text that stands together; `confidence` is the recogniser's own, from 0 to 1."""

    text: str
    confidence: float
    box: Box

    @property
    def height_px(self) -> int:
        return self.box[3] - self.box[1]

    @property
    def is_doubtful(self) -> bool:
        """Say whether it may be misread: unsure, of another script, or with gaps in it."""
        is_sparse = self.box[2] - self.box[0] > LETTER_WIDTH_MAX * self.height_px * len(self.text)
        return self.confidence < CONFIDENCE_SURE or is_sparse or bool(FOREIGN.search(self.text))


@dataclass(frozen=True, slots=True)
class Row:
    """The pieces of text that stand side by side, from left to right."""

    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        return " ".join(line.text for line in self.lines)

    @property
    def is_doubtful(self) -> bool:
        return any(line.is_doubtful for line in self.lines)


@dataclass(frozen=True, slots=True)
class Code:
    """A bar code or matrix code; `kind` is its symbology, as in `QR Code` or `EAN-13`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Label:
    """One of the 1,000 ImageNet classes, by its index, and how probable the network finds it."""

    index: int
    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour by its everyday name, and the share of the picture it covers, from 0 to 1."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Header:
    """What the file says of itself; the size is that of the upright picture."""

    format: str
    width_px: int
    height_px: int
    frames: int = 1
    has_alpha: bool = False
    camera: str | None = None
    taken: str | None = None


@dataclass(frozen=True, slots=True)
class Measures:
    """
    What is counted over the pixels.

    `brightness` is mean luma from 0 to 1, `sharpness` the variance of the Laplacian of the
    8-bit luma, `flat_share` the share of neighbours that differ by at most one of 256
    levels, `same_share` that of pixels exactly like the next to the right and the next below.
    """

    is_grey: bool
    brightness: float
    sharpness: float
    flat_share: float
    same_share: float
    colours: tuple[Colour, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """
    Everything measured in one picture.

    `labels` are the likeliest first, `rows` as one reads; `unread` lines of print stay unread.
    """

    header: Header
    measures: Measures
    kind: Kind
    rows: tuple[Row, ...] = ()
    unread: int = 0
    codes: tuple[Code, ...] = ()
    labels: tuple[Label, ...] = ()
    not_looked_at: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "\n".join(row.text for row in self.rows)

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for row in self.rows for line in row.lines)

    def lacks(self, part: str) -> bool:
        """Say whether `part` (`text`, `codes`, `labels`) could not be looked at."""
        return bool(self.reason(part))

    def reason(self, part: str) -> str:
        """Say why `part` could not be looked at; nothing if it was."""
        notes = (note.partition(": ") for note in self.not_looked_at)
        return next((reason for name, _, reason in notes if name == part), "")
