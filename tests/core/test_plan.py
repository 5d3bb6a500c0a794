"""What is done to an image before it is sent, decided from its header."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.support import rule
from eyeline.core import catalogue
from eyeline.core.colour import Colour
from eyeline.core.media import BMP, GIF, HEIC, JPEG, PNG, TIFF, WEBP, ImageInfo
from eyeline.core.plan import Look, PreparePlan, plan
from eyeline.core.size import Size, fit_within
from eyeline.core.tokens import Detail
from eyeline.errors import ImageTooLarge, ImageTooThin, SettingsError

ALL = frozenset({JPEG, PNG, GIF, WEBP})
BASIC = frozenset({JPEG, PNG})
SMALL = Size(640, 480)
PHOTO = Size(4032, 3024)


def planned(
    info: ImageInfo,
    model: str = "gpt-4o",
    detail: Detail = "high",
    allowed: frozenset[str] = ALL,
    **look: Any,
) -> PreparePlan:
    return plan(info, catalogue.find(model), Look(detail, **look), allowed, "x")


def said(made: PreparePlan) -> tuple[str, ...]:
    """Give all that is noted before a pixel is decoded."""
    return (*made.notes, *made.conversion)


@pytest.mark.parametrize(
    ("info", "media_type", "size", "encode", "notes"),
    [
        (ImageInfo(JPEG, SMALL), JPEG, SMALL, False, ()),
        (ImageInfo(WEBP, SMALL), WEBP, SMALL, False, ()),
        (ImageInfo(GIF, SMALL), GIF, SMALL, False, ()),
        (ImageInfo(JPEG, SMALL, 6), JPEG, SMALL.turned, True, ("turned upright",)),
        (ImageInfo(JPEG, SMALL, 3), JPEG, SMALL, True, ("turned upright",)),
        (ImageInfo(JPEG, PHOTO), JPEG, Size(1024, 768), True, ("4032×3024 → 1024×768",)),
        (
            ImageInfo(JPEG, PHOTO, 6), JPEG, Size(768, 1024), True,
            ("turned upright", "3024×4032 → 768×1024"),
        ),
        (ImageInfo(PNG, SMALL, 1, True), PNG, SMALL, True, ("transparency on white",)),
        (
            ImageInfo(GIF, SMALL, 1, False, 2, is_lossless=True), PNG, SMALL, True,
            ("first of several frames", "GIF → PNG"),
        ),
        (
            ImageInfo(GIF, SMALL, 1, False, 2, frame=7, is_lossless=True), PNG, SMALL, True,
            ("frame 7 of several", "GIF → PNG"),
        ),
        (ImageInfo(BMP, SMALL, is_lossless=True), PNG, SMALL, True, ("BMP → PNG",)),
        (ImageInfo(BMP, PHOTO, is_lossless=True), JPEG, Size(1024, 768), True,
         ("4032×3024 → 1024×768",)),
        (ImageInfo(HEIC, SMALL), JPEG, SMALL, True, ("HEIC → JPEG",)),
        (ImageInfo(JPEG, SMALL, pixel_kind="CMYK"), JPEG, SMALL, True, ("CMYK → 8-bit sRGB",)),
        (
            ImageInfo(TIFF, SMALL, 8, is_lossless=True), PNG, SMALL.turned, True,
            ("turned upright", "TIFF → PNG"),
        ),
        (
            ImageInfo(WEBP, SMALL, 1, True), JPEG, SMALL, True,
            ("transparency on white", "WebP → JPEG"),
        ),
    ],
)  # fmt: skip
def test_examples(
    info: ImageInfo, media_type: str, size: Size, encode: bool, notes: tuple[str, ...]
) -> None:
    """Each change has its reason in the header, and its note."""
    made = planned(info)
    found = (made.media_type, made.size, made.encode, said(made))
    assert found == (media_type, size, encode, notes)
    assert (made.orientation, made.stored) == (info.orientation, info.media_type)
    assert (made.background is not None) is info.has_alpha
    assert made.lossless is (info.is_lossless and encode and size == info.upright_size)


def test_the_background_is_noted() -> None:
    """What goes behind alpha is the caller's choice, and is said."""
    made = planned(ImageInfo(PNG, SMALL, has_alpha=True), background=Colour(255, 0, 0))
    assert (made.background, made.notes) == ((255, 0, 0), ("transparency on red",))


@pytest.mark.parametrize("size", [Size(1, 100_000), Size(100_000, 1), Size(70_000, 1)])
def test_less_than_a_pixel_is_refused(size: Size) -> None:
    """A picture of which the model's first step would leave nothing is refused, whatever asks."""
    with pytest.raises(ImageTooThin, match="less than a pixel") as raised:
        planned(ImageInfo(PNG, size))
    assert str(size) in str(raised.value)
    assert planned(ImageInfo(PNG, Size(70_000, 500))).size == Size(2048, 15)


@pytest.mark.parametrize(
    ("model", "limit", "expected"),
    [
        ("gpt-4o", 765, Size(1024, 768)),
        ("gpt-4o", 764, Size(683, 512)),
        ("gpt-4o", 255, Size(512, 384)),
        ("gpt-6-luna", 100_000, Size(1824, 1368)),
        ("gpt-6-luna", 1000, Size(1056, 792)),
        ("gpt-6-luna", 2, Size(32, 24)),
    ],
)
def test_the_largest_size_under_a_limit(model: str, limit: int, expected: Size) -> None:
    """With a limit on tokens the image is as large as it may be, and no larger."""
    made = planned(ImageInfo(JPEG, PHOTO), model, max_tokens=limit)
    assert made.size == expected
    assert made.tokens <= limit


def test_a_limit_no_size_meets() -> None:
    """A limit below what the smallest image takes is refused with what it would take."""
    with pytest.raises(SettingsError, match="at least 255 for gpt-4o at --detail high"):
        planned(ImageInfo(JPEG, PHOTO), max_tokens=100)
    assert planned(ImageInfo(JPEG, PHOTO), catalogue.READER, max_tokens=1).size == PHOTO


@given(
    st.builds(Size, st.integers(1, 9000), st.integers(1, 9000)),
    st.sampled_from(["gpt-4o", "gpt-6-luna", "gpt-5.4", "gpt-4.1-mini"]),
    st.integers(300, 4000),
)
def test_a_limit_is_used_up(size: Size, model: str, limit: int) -> None:
    """One pixel more on the long side would pass the limit, or the model's own size."""
    free = planned(ImageInfo(JPEG, size), model)
    made = planned(ImageInfo(JPEG, size), model, max_tokens=limit)
    assert made.tokens <= limit
    if made.size != free.size:
        longer = fit_within(free.size, max(made.size) + 1)
        assert rule(model).tokens(longer, "high") > limit


def test_a_server_that_takes_no_webp_gets_jpeg() -> None:
    """A type the engine does not take is encoded anew, and said."""
    made = planned(ImageInfo(WEBP, SMALL), allowed=BASIC)
    assert (made.encode, made.media_type, said(made)) == (True, JPEG, ("WebP → JPEG",))


def test_too_many_patches_are_refused_before_sending() -> None:
    """What the API would refuse for its patches is refused here, with the way out."""
    with pytest.raises(ImageTooLarge) as raised:
        planned(ImageInfo(JPEG, Size(7952, 5304)), "gpt-5.6-sol", "original")
    assert str(raised.value) == (
        "x: 7952×5304 px make 41,334 patches at --detail original, the limit is 30,000 patches"
    )
    assert raised.value.hint
    assert planned(ImageInfo(JPEG, Size(7952, 5304)), "gpt-5.6-sol").tokens <= 3000


def test_the_reader_gets_the_picture_whole() -> None:
    """The engine in this process has no rule: nothing is shrunk and nothing billed."""
    made = planned(ImageInfo(JPEG, PHOTO), catalogue.READER, allowed=BASIC)
    assert (made.size, made.tokens, made.encode) == (PHOTO, 0, False)


def test_an_unknown_model_is_said_to_be_a_guess() -> None:
    """A model outside the catalogue gets a safe size and a note that says so."""
    made = planned(ImageInfo(JPEG, SMALL), "somebody/s-model")
    assert made.notes == (
        "somebody/s-model is not in the catalogue: a safe size, tokens are a guess",
    )
    assert not made.encode


INFOS = st.builds(
    ImageInfo,
    st.sampled_from([JPEG, PNG, GIF, WEBP, BMP, TIFF]),
    st.builds(Size, st.integers(1, 70_000), st.integers(1, 70_000)),
    st.integers(1, 8),
    st.booleans(),
    st.integers(1, 2),
)
CASES = [
    (model.name, detail)
    for model in catalogue.known_models()
    if model.rule is not None
    for detail in model.details
]


@given(INFOS, st.sampled_from(CASES), st.sampled_from([ALL, BASIC]))
def test_a_plan_always_fits_its_rule(
    info: ImageInfo, case: tuple[str, Detail], allowed: frozenset[str]
) -> None:
    """A plan is refused where the API refuses, and else fits the rule and is never enlarged."""
    name, detail = case
    limits = rule(name)
    if is_too_thin(info.size):
        with pytest.raises(ImageTooThin):
            planned(info, name, detail, allowed)
        return
    if limits.is_refused(info.upright_size, detail):
        with pytest.raises(ImageTooLarge):
            planned(info, name, detail, allowed)
        return
    made = planned(info, name, detail, allowed)
    assert made.size.width_px <= info.upright_size.width_px
    assert made.size.height_px <= info.upright_size.height_px
    assert limits.size(made.size, detail) == made.size
    assert limits.tokens(made.size, detail) == made.tokens
    assert made.media_type in allowed


@given(INFOS, st.sampled_from(CASES), st.sampled_from([ALL, BASIC]))
def test_nothing_is_done_in_silence(
    info: ImageInfo, case: tuple[str, Detail], allowed: frozenset[str]
) -> None:
    """What goes as it is needs no change and gets no note; whatever is encoded anew has a note."""
    name, detail = case
    if is_too_thin(info.size) or rule(name).is_refused(info.upright_size, detail):
        return
    made = planned(info, name, detail, allowed)
    if made.encode:
        # What is only converted may leave the type to its pixels, and the note with it.
        assert said(made) or info.media_type not in allowed
        return
    assert said(made) == ()
    as_stored = (info.media_type, info.size, 1, False, 1)
    found = (made.media_type, made.size, info.orientation, info.has_alpha, info.frames)
    assert found == as_stored


def is_too_thin(size: Size) -> bool:
    return max(size) > 65_535 * min(size)


@given(
    st.sampled_from(CASES), st.integers(1, 6000), st.integers(1, 6000), st.integers(1, 500),
    st.booleans(),
)  # fmt: skip
def test_tokens_never_fall_as_an_image_grows(
    case: tuple[str, Detail], width_px: int, height_px: int, more_px: int, taller: bool
) -> None:
    """As long as the model shrinks nothing, a larger image never takes fewer tokens."""
    name, detail = case
    grown = Size(width_px + more_px * (not taller), height_px + more_px * taller)
    if rule(name).is_refused(grown, detail) or rule(name).size(grown, detail) != grown:
        return
    before = planned(ImageInfo(JPEG, Size(width_px, height_px)), name, detail)
    assert before.tokens <= planned(ImageInfo(JPEG, grown), name, detail).tokens
