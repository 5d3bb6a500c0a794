"""What the reader measured in one picture, as plain values; computes nothing from pixels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the upright picture."""


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


@dataclass(frozen=True, slots=True)
class Row:
    """The pieces of text that stand side by side, from left to right."""

    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        return " ".join(line.text for line in self.lines)


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
    """Everything measured in one picture; `labels` are the likeliest first, `rows` as one reads."""

    header: Header
    measures: Measures
    kind: Kind
    rows: tuple[Row, ...] = ()
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
        return any(note.split(":")[0] == part for note in self.not_looked_at)
