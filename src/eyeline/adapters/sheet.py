"""A picture of what models see: images as prepared, with their cells, over a strip of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import accumulate
from os import PathLike
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from eyeline.core.grid import Grid
from eyeline.core.parts import PreparedImage
from eyeline.errors import SettingsError

GROUND, INK, MUTED = (247, 246, 243), (28, 27, 25), (110, 108, 102)
# The one accent, over the picture as a hairline that lets it through.
ACCENT_ALPHA = (224, 78, 26, 120)
UNIT_PX = 8
MARGIN_PX, GAP_PX = 3 * UNIT_PX, 4 * UNIT_PX
NAME_PX, TEXT_PX, LINE_PX = 26, 19, 4 * UNIT_PX
# Characters that Pillow's own font does not have.
SPELLED = str.maketrans({"×": "x", "→": "to"})
# A picture smaller than this is drawn larger, by a whole factor, so that its cells can be seen.
SHOWN_SIDE_MIN_PX = 384


@dataclass(frozen=True, slots=True)
class Cell:
    """One image under one model: what is sent, the cells it is counted in, and lines to say."""

    prepared: PreparedImage
    grid: Grid | None
    caption: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A picture of what models see, as PNG; a notebook shows it by itself."""

    png: bytes = field(repr=False)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the PNG to a file. Raises SettingsError where that cannot be done."""
        try:
            Path(path).write_bytes(self.png)
        except OSError as error:
            expected = f"a file that can be written ({error.strerror})"
            raise SettingsError("--output", str(path), expected) from None

    def _repr_png_(self) -> bytes:
        return self.png


def draw(rows: Sequence[Sequence[Cell]]) -> Sheet:
    """Draw a row for each image, a column for each model."""
    drawn = [[draw_cell(cell) for cell in row] for row in rows]
    widths_px = [max(cell.width for cell in column) for column in zip(*drawn, strict=True)]
    heights_px = [max(cell.height for cell in row) for row in drawn]
    lefts, tops = edges(widths_px), edges(heights_px)
    sheet = Image.new("RGB", (lefts.pop(), tops.pop()), GROUND)
    for row, top in zip(drawn, tops, strict=True):
        for cell, left in zip(row, lefts, strict=True):
            sheet.paste(cell, (left, top))
    buffer = BytesIO()
    sheet.save(buffer, "PNG")
    return Sheet(buffer.getvalue())


def edges(sides_px: Sequence[int]) -> list[int]:
    """Give where each of several sides begins, gaps between them, and last where the sheet ends."""
    begins = [*accumulate((side + GAP_PX for side in sides_px), initial=MARGIN_PX)]
    return [*begins[:-1], begins[-1] - GAP_PX + MARGIN_PX]


def draw_cell(cell: Cell) -> Image.Image:
    picture = with_lines(cell.prepared, cell.grid)
    lines = [line.translate(SPELLED) for line in cell.caption]
    fonts = [ImageFont.load_default(NAME_PX if line is lines[0] else TEXT_PX) for line in lines]
    text_px = max(round(font.getlength(line)) for font, line in zip(fonts, lines, strict=True))
    strip_px = 3 * UNIT_PX + LINE_PX * len(lines)
    size = (max(picture.width, text_px), picture.height + strip_px)
    drawn = Image.new("RGB", size, GROUND)
    drawn.paste(picture)
    canvas = ImageDraw.Draw(drawn)
    for at, (font, line) in enumerate(zip(fonts, lines, strict=True)):
        # The name stands apart from what is said of it.
        top = picture.height + (3 if at else 2) * UNIT_PX + at * LINE_PX
        canvas.text((0, top), line, INK if at in (0, len(lines) - 1) else MUTED, font=font)
    return drawn


def with_lines(prepared: PreparedImage, grid: Grid | None) -> Image.Image:
    """Decode what is sent and lay the lines between its cells over it."""
    picture = Image.open(BytesIO(prepared.data)).convert("RGB")
    scale = max(1, SHOWN_SIDE_MIN_PX // max(picture.size))
    if scale > 1:
        size = (picture.width * scale, picture.height * scale)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    canvas = ImageDraw.Draw(picture, "RGBA")
    for line in grid.lines(scale) if grid else ():
        canvas.line(line, ACCENT_ALPHA)
    return picture
