"""A question's options, checked before anything is read."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from eyeline.core.catalogue import Model, find
from eyeline.core.question import (
    check_extra,
    check_positive,
    check_references,
    check_temperature,
    choose_api,
    choose_detail,
    readable_text,
)
from eyeline.core.reference import FileId, FileRef, Reference
from eyeline.errors import BadReference, SettingsError

LUNA, TILE = find("gpt-6-luna"), find("gpt-4o")
ONLY_RESPONSES = Model("x", rule=LUNA.rule, price=None, apis=("responses",))
FILE: tuple[Reference, ...] = (FileRef(Path("a.png")),)
UPLOADED: tuple[Reference, ...] = (*FILE, FileId("file-1"))


@pytest.mark.parametrize(
    ("detail", "model", "sent"),
    [
        ("low", LUNA, "low"),
        ("high", LUNA, "high"),
        ("original", LUNA, "original"),
        ("auto", LUNA, "high"),
        ("auto", TILE, "high"),
    ],
)
def test_the_detail_that_is_sent(detail: str, model: Model, sent: str) -> None:
    """Our `auto` is `high`, never the provider's `original`."""
    assert choose_detail(detail, model) == sent


@pytest.mark.parametrize(
    ("detail", "model", "said"),
    [
        ("hihg", LUNA, "--detail: 'hihg', expected one of low, high, original, auto; did you mean"),
        ("", LUNA, "one of low, high, original, auto"),
        ("original", TILE, "for gpt-4o"),
    ],
)
def test_a_detail_that_is_none(detail: str, model: Model, said: str) -> None:
    """A word that is no detail names the nearest; one the model lacks names those it has."""
    with pytest.raises(SettingsError) as raised:
        choose_detail(detail, model)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("choice", "model", "references", "api"),
    [
        ("auto", LUNA, FILE, "chat"),
        ("auto", LUNA, UPLOADED, "responses"),
        ("auto", ONLY_RESPONSES, FILE, "responses"),
        ("chat", LUNA, FILE, "chat"),
        ("chat", ONLY_RESPONSES, FILE, "chat"),
        ("responses", LUNA, FILE, "responses"),
    ],
)
def test_the_api(choice: str, model: Model, references: tuple[Reference, ...], api: str) -> None:
    """Chat, unless the model or a file id needs Responses, or the user says otherwise."""
    assert choose_api(choice, model, references) == api


@pytest.mark.parametrize(
    ("choice", "references", "said"),
    [
        ("chat", UPLOADED, "Chat Completions takes no file ids"),
        ("completions", FILE, "one of auto, chat, responses"),
        ("completions", UPLOADED, "one of auto, chat, responses"),
    ],
)
def test_an_api_that_cannot_be(choice: str, references: tuple[Reference, ...], said: str) -> None:
    """An API that cannot take the question is refused before it is sent."""
    with pytest.raises(SettingsError, match=said):
        choose_api(choice, LUNA, references)


def test_no_image_is_no_question() -> None:
    """Without an image nothing is asked, for it would go out as text alone."""
    assert check_references(FILE) is FILE
    with pytest.raises(BadReference, match="nothing to look at"):
        check_references(())


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"stream": True}, "stream"),
        ({"messages": []}, "messages"),
        ({"metadata": {1, 2}}, "values that JSON can hold"),
        ({"seed": float("nan")}, "values that JSON can hold"),
    ],
)
def test_extra_fields_that_cannot_be(extra: dict[str, Any], said: str) -> None:
    """Extra fields that would lose the images or the answer, or are no JSON, are refused."""
    with pytest.raises(SettingsError, match=said):
        check_extra(extra)


def test_extra_fields_go_as_they_are() -> None:
    """Any other field of the API passes."""
    assert check_extra({"seed": 7, "metadata": {"a": "b"}}) == {"seed": 7, "metadata": {"a": "b"}}


@pytest.mark.parametrize("temperature", [-0.1, 2.1, float("nan")])
def test_a_temperature_that_cannot_be(temperature: float) -> None:
    """A temperature outside 0 to 2 is refused."""
    with pytest.raises(SettingsError, match="from 0 to 2"):
        check_temperature(temperature)


def test_a_temperature_that_can_be() -> None:
    """None leaves it to the model."""
    assert [check_temperature(each) for each in (None, 0, 2.0)] == [None, 0, 2.0]


def test_text_that_is_no_text() -> None:
    """Bytes of a shell argument that are no UTF-8 become question marks."""
    assert readable_text("What?\udcff é") == "What?? é"


@pytest.mark.parametrize("value", [None, 1, 0.5, Decimal("0.01")])
def test_a_number_that_can_be(value: object) -> None:
    """Nothing given is nothing wrong, and any number above zero passes."""
    check_positive("timeout_s", value)


@pytest.mark.parametrize("value", [0, -1, "5", True, float("nan")])
def test_a_number_above_zero(value: object) -> None:
    """What is given and is no number above zero is refused."""
    with pytest.raises(SettingsError, match="a number above 0"):
        check_positive("timeout_s", value)


def test_a_prompt_that_is_no_text() -> None:
    """A picture in the prompt's place is an error that says what comes first."""
    with pytest.raises(SettingsError, match="the prompt comes first"):
        readable_text(b"not text")  # type: ignore[arg-type]
