"""The cells a model counts an image in, and what is said of them."""

from __future__ import annotations

import pytest

from eyeline.core.catalogue import READER, find
from eyeline.core.estimate import image_estimate
from eyeline.core.grid import Grid, caption, grid
from eyeline.core.media import JPEG, ImageInfo
from eyeline.core.plan import Look, PreparePlan, plan
from eyeline.core.size import Size
from eyeline.core.tokens import Detail

PHOTO = ImageInfo(JPEG, Size(4032, 3024))


def planned(model: str, detail: Detail = "high", info: ImageInfo = PHOTO) -> PreparePlan:
    return plan(info, find(model), Look(detail), {JPEG}, "photo.jpg")


@pytest.mark.parametrize(
    ("model", "detail", "shown"),
    [
        ("gpt-6-luna", "high", "57×43 = 2,451 patches"),
        ("gpt-4o", "high", "2×2 = 4 tiles"),
        ("gpt-6-luna", "low", "16×12 = 192 patches"),
    ],
)
def test_cells(model: str, detail: Detail, shown: str) -> None:
    """Patch models count squares of 32 pixels, tile models squares of 512."""
    assert str(grid(find(model), planned(model, detail))) == shown


@pytest.mark.parametrize(("model", "detail"), [("gpt-4o", "low"), (READER, "high")])
def test_no_cells(model: str, detail: Detail) -> None:
    """A tile model at low, and the reader, look at the picture as a whole."""
    assert grid(find(model), planned(model, detail)) is None


def test_one_cell() -> None:
    """One of anything is said in the singular, and has no line within."""
    cell = Grid("tile", 512, Size(300, 200))
    assert str(cell) == "1 tile"
    assert cell.lines() == ()


def test_lines() -> None:
    """Lines stand between cells, from edge to edge, and grow with the scale."""
    cells = Grid("patch", 32, Size(70, 40))
    assert cells.lines() == ((32, 0, 32, 39), (64, 0, 64, 39), (0, 32, 69, 32))
    assert cells.lines(2)[-1] == (0, 64, 139, 64)


@pytest.mark.parametrize(
    ("model", "info", "lines"),
    [
        (
            "gpt-6-luna",
            PHOTO,
            (
                "gpt-6-luna",
                "photo.jpg  4032×3024 → 1824×1368 px",
                "detail high · 57×43 = 2,451 patches",
                "2,942 tokens · $0.0002942",
            ),
        ),
        (
            "some-model",
            ImageInfo(JPEG, Size(32, 32)),
            (
                "some-model",
                "photo.jpg  32×32 px",
                "detail high · 1 patch",
                "2 tokens · price unknown",
            ),
        ),
        (READER, PHOTO, ("reader", "photo.jpg  4032×3024 px", "detail high", "0 tokens · $0")),
    ],
)
def test_captions(model: str, info: ImageInfo, lines: tuple[str, ...]) -> None:
    """The strip names the model, the sizes, the cells, the tokens and the price."""
    made = planned(model, info=info)
    estimate = image_estimate(info, made, find(model), "photos/photo.jpg")
    assert caption(find(model), made, estimate) == lines
