"""Tokens of an image, against published and measured counts and the rules' own promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.support import rule
from eyeline.core import catalogue
from eyeline.core.size import Size
from eyeline.core.tokens import (
    DETAILS,
    Detail,
    PatchBox,
    PatchRule,
    TileRule,
    VisionRule,
    cells,
    fit_patches,
    patches,
)  # fmt: skip

SAMPLES = Path(__file__).parent.parent / "samples" / "tokens"
VECTORS = json.loads((SAMPLES / "vectors.json").read_text(encoding="utf-8"))
SIZES = st.builds(Size, st.integers(1, 70_000), st.integers(1, 70_000))
RULES: list[tuple[VisionRule, Detail]] = [
    (model.rule, detail)
    for model in (*catalogue.known_models(), catalogue.find("nobody-knows-it"))
    if model.rule is not None
    for detail in model.details
]


def named(vector: dict[str, Any]) -> str:
    size = f"{vector['width_px']}x{vector['height_px']}"
    return f"{vector['model']} {size} {vector['detail']} ({vector['kind']})"


@given(st.sampled_from(RULES), SIZES)
def test_no_image_takes_more_than_the_most(named: tuple[VisionRule, Detail], size: Size) -> None:
    """What is held for an image that nobody has seen is enough for any that is not refused."""
    found, detail = named
    if not found.is_refused(size, detail):
        assert found.tokens(size, detail) <= found.tokens_max(detail)


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_every_vector(vector: dict[str, Any]) -> None:
    """What the guides, others' tables and real answers count is what we count, refusals too."""
    found, size = rule(vector["model"]), Size(vector["width_px"], vector["height_px"])
    refused = vector.get("refused", False)
    assert found.is_refused(size, vector["detail"]) is refused
    if not refused:
        assert abs(found.tokens(size, vector["detail"]) - vector["tokens"]) <= vector["tolerance"]
    if vector["patches"] is not None:
        assert patches(found.size(size, vector["detail"])) == vector["patches"]


@pytest.mark.parametrize(
    ("model", "size", "detail", "sent"),
    [
        ("gpt-6-astra", Size(4032, 3024), "low", Size(512, 384)),
        ("gpt-6-astra", Size(4032, 3024), "original", Size(4032, 3024)),
        ("gpt-5.5", Size(4032, 3024), "original", Size(3669, 2752)),
        ("gpt-6-astra", Size(4032, 3024), "high", Size(1824, 1368)),
        ("gpt-4o", Size(4032, 3024), "high", Size(1024, 768)),
        ("gpt-4o", Size(3024, 4032), "auto", Size(768, 1024)),
        ("gpt-4o", Size(4032, 3024), "low", Size(512, 384)),
        ("gpt-4o", Size(300, 200), "high", Size(300, 200)),
        ("gpt-4o", Size(2048, 800), "high", Size(1966, 768)),
    ],
)
def test_the_size_the_model_shrinks_to(model: str, size: Size, detail: Detail, sent: Size) -> None:
    """The size an image is sent in is where the model's own resizing would end."""
    assert rule(model).size(size, detail) == sent


@given(st.sampled_from(RULES), SIZES)
def test_shrinking_ends_at_once(case: tuple[VisionRule, Detail], size: Size) -> None:
    """A shrunk image is never larger, is not shrunk again, and bills what the first would."""
    found, detail = case
    sent = found.size(size, detail)
    assert 1 <= sent.width_px <= size.width_px
    assert 1 <= sent.height_px <= size.height_px
    assert found.size(sent, detail) == sent
    assert found.tokens(sent, detail) == found.tokens(size, detail) >= 1
    assert found.is_refused(sent, detail) == found.is_refused(size, detail)


@given(st.sampled_from(RULES), SIZES)
def test_a_shrunk_image_is_within_its_box(case: tuple[VisionRule, Detail], size: Size) -> None:
    """No side and no count of patches or tiles passes what the detail allows."""
    found, detail = case
    sent = found.size(size, detail)
    if isinstance(found, PatchRule):
        box = found.box(detail)
        assert max(sent) <= box.side_px
        assert box.patches_max is None or patches(sent) <= box.patches_max
    else:
        assert max(sent) <= 2048
        assert min(sent) <= 768


@given(st.sampled_from(RULES), SIZES, st.integers(0, 500), st.integers(0, 500))
def test_tokens_never_fall_as_an_image_grows(
    case: tuple[VisionRule, Detail], size: Size, wider: int, higher: int
) -> None:
    """
    Tokens never fall while an image grows up to where it is shrunk.

    Beyond, the API's own count is not monotone: 2048×1024 is 1,105 tokens to gpt-4o, 2048×2048 765.
    """
    found, detail = case
    grown = Size(size.width_px + wider, size.height_px + higher)
    if found.size(grown, detail) == grown:
        assert found.tokens(size, detail) <= found.tokens(grown, detail)


@given(st.sampled_from(RULES), SIZES)
def test_a_quarter_turn_changes_no_price(case: tuple[VisionRule, Detail], size: Size) -> None:
    """Wide or high, an image bills the same, but for a patch row lost to rounding."""
    found, detail = case
    one, other = found.tokens(size, detail), found.tokens(size.turned, detail)
    assert one == other


@given(SIZES, st.integers(1, 40_000))
def test_cells_cover_the_image(size: Size, cell_px: int) -> None:
    """Cells cover every pixel, and one row or column fewer would not."""
    count = cells(size, cell_px)
    assert count * cell_px**2 >= size.pixels
    assert count <= (size.width_px // cell_px + 1) * (size.height_px // cell_px + 1)


def test_auto_is_what_the_model_makes_of_it() -> None:
    """`auto` counts as the provider's own default: original on new models, high on tile models."""
    size = Size(4032, 3024)
    astra, tile = rule("gpt-6-astra"), rule("gpt-4o")
    assert astra.tokens(size, "auto") == astra.tokens(size, "original") == 14_364
    assert tile.tokens(size, "auto") == tile.tokens(size, "high") == 765


def test_a_tile_rule_whose_auto_is_low() -> None:
    """A rule may take `auto` as low."""
    cheap = TileRule(85, 170, auto_is="low")
    assert cheap.tokens(Size(2000, 2000), "auto") == 85
    assert cheap.size(Size(2000, 1000), "auto") == Size(512, 256)


def test_tile_models_refuse_no_size() -> None:
    """A tile model takes any size, for it shrinks them all."""
    assert not any(rule("gpt-4o").is_refused(Size(60_000, 60_000), detail) for detail in DETAILS)


def test_a_rule_without_a_limit_refuses_nothing() -> None:
    """A rule that names no limit of patches refuses none."""
    free = PatchRule({"high": PatchBox(65_535, None)}, 1.0, "high", None)
    assert not free.is_refused(Size(65_535, 65_535), "high")


@pytest.mark.parametrize(
    ("multiplier", "expected"), [(1.2, 6), (1.62, 9), (1.5, 8), (2.46, 13), (1.0, 5)]
)
def test_a_multiplier_rounds_up_as_on_paper(multiplier: float, expected: int) -> None:
    """A part of a token counts whole, and five times 1.2 is six."""
    made = PatchRule({"high": PatchBox(65_535, None)}, multiplier, "high", None)
    assert made.tokens(Size(5 * 32, 32), "high") == expected


def test_no_multiple_is_lost_to_binary_fractions() -> None:
    """Every hundred patches at 1.2 are exactly 120 tokens, up to the limit."""
    made = PatchRule({"high": PatchBox(10**9, None)}, 1.2, "high", None)
    for hundreds in range(1, 301):
        assert made.tokens(Size(3200 * hundreds, 32), "high") == 120 * hundreds


@given(st.integers(1, 31), st.integers(33, 70_000))
def test_a_strip_keeps_a_pixel(width_px: int, height_px: int) -> None:
    """A strip thinner than a patch never shrinks to nothing."""
    assert min(fit_patches(Size(width_px, height_px), 16)) >= 1
