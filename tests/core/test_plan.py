"""What is done to an image before it is sent, decided from its header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.support import rule
from eyeline.core import catalogue
from eyeline.core.media import BMP, GIF, JPEG, PNG, TIFF, WEBP, ImageInfo
from eyeline.core.plan import PreparePlan, plan
from eyeline.core.size import Size
from eyeline.core.tokens import Detail
from eyeline.errors import ImageTooLarge

ALL = frozenset({JPEG, PNG, GIF, WEBP})
BASIC = frozenset({JPEG, PNG})
SMALL = Size(640, 480)
PHOTO = Size(4032, 3024)


def planned(
    info: ImageInfo, model: str = "gpt-4o", detail: Detail = "high", allowed: frozenset[str] = ALL
) -> PreparePlan:
    return plan(info, catalogue.find(model), detail, allowed, "x")


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
            ImageInfo(GIF, SMALL, 1, False, 2), PNG, SMALL, True,
            ("first of several frames", "GIF → PNG"),
        ),
        (ImageInfo(BMP, SMALL), PNG, SMALL, True, ("BMP → PNG",)),
        (
            ImageInfo(TIFF, SMALL, 8, False, 2), PNG, SMALL.turned, True,
            ("first of several frames", "turned upright", "TIFF → PNG"),
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
    assert (made.media_type, made.size, made.encode, made.notes) == (
        media_type,
        size,
        encode,
        notes,
    )
    assert (made.orientation, made.flatten) == (info.orientation, info.has_alpha)


def test_a_server_that_takes_no_webp_gets_jpeg() -> None:
    """A type the engine does not take is encoded anew, and said."""
    made = planned(ImageInfo(WEBP, SMALL), allowed=BASIC)
    assert (made.encode, made.media_type, made.notes) == (True, JPEG, ("WebP → JPEG",))


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
    if rule(name).is_refused(info.upright_size, detail):
        return
    made = planned(info, name, detail, allowed)
    assert bool(made.notes) is made.encode
    if not made.encode:
        as_stored = (info.media_type, info.size, 1, False, 1)
        found = (made.media_type, made.size, info.orientation, info.has_alpha, info.frames)
        assert found == as_stored
