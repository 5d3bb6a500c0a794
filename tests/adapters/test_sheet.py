"""The sheet of `show`: the picture as sent, its cells, and figures below."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from eyeline.adapters.sheet import GAP_PX, GROUND, MARGIN_PX, Cell, Sheet, draw
from eyeline.core.grid import Grid
from eyeline.core.parts import PreparedImage
from eyeline.core.size import Size
from eyeline.errors import SettingsError
from eyeline.testing import tiny_png

PHOTO = Size(640, 480)
RED = (200, 30, 30)
CAPTION = ("gpt-6-luna", "roof.png  640×480 px", "2,942 tokens")


def cell(size: Size = PHOTO, cell_px: int = 32, caption: tuple[str, ...] = CAPTION) -> Cell:
    prepared = PreparedImage(tiny_png(*size, RED), "image/png", size)
    return Cell(prepared, Grid("patch", cell_px, size), caption)


def opened(sheet: Sheet) -> Image.Image:
    return Image.open(BytesIO(sheet.png)).convert("RGB")


def test_a_sheet_shows_the_pixels_that_are_sent() -> None:
    """The picture stands pixel for pixel in the margin, with a line at each patch."""
    sheet = opened(draw([[cell()]]))
    assert sheet.getpixel((2, 2)) == GROUND
    inside, line = (MARGIN_PX + 5, MARGIN_PX + 5), (MARGIN_PX + 32, MARGIN_PX + 5)
    assert sheet.getpixel(inside) == RED
    assert sheet.getpixel(line) != RED
    assert sheet.getpixel((MARGIN_PX + 639, MARGIN_PX + 479)) == RED


def test_the_strip_has_words() -> None:
    """Below the picture there is ink, and more of it the more there is to say."""

    def ink(caption: tuple[str, ...]) -> int:
        sheet = opened(draw([[cell(caption=caption)]]))
        strip = sheet.crop((0, MARGIN_PX + 480, sheet.width, sheet.height)).convert("L")
        return sum(strip.histogram()[:120])

    assert 0 < ink(("luna",)) < ink(CAPTION)


def test_models_stand_side_by_side_and_images_below_each_other() -> None:
    """Columns are as wide as their widest picture, rows as tall as their tallest."""
    one, other = cell(), cell(Size(512, 700))
    alone, both = opened(draw([[one]])), opened(draw([[one, other], [other, one]]))
    assert both.width == 2 * MARGIN_PX + GAP_PX + 640 + 640
    assert both.height > 2 * alone.height
    second = (MARGIN_PX + 640 + GAP_PX + 5, MARGIN_PX + 5)
    assert both.getpixel(second) == RED


def test_small_pictures_are_drawn_larger() -> None:
    """A picture of few patches is enlarged by a whole factor, its lines with it."""
    sheet = opened(draw([[cell(Size(64, 32), caption=("m",))]]))
    assert sheet.width == 2 * MARGIN_PX + 6 * 64
    assert sheet.getpixel((MARGIN_PX + 6 * 32, MARGIN_PX + 3)) != RED


def test_a_notebook_shows_it_and_a_file_keeps_it(tmp_path: Path) -> None:
    """What a notebook displays is what `save` writes; a place that cannot be written is named."""
    sheet = draw([[cell()]])
    sheet.save(tmp_path / "seen.png")
    assert (tmp_path / "seen.png").read_bytes() == sheet._repr_png_()
    with pytest.raises(SettingsError, match="a file that can be written"):
        sheet.save(tmp_path / "absent" / "seen.png")
    assert "PNG" not in repr(sheet)
