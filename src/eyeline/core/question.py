"""A question: prompt, images and options, checked and whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from eyeline.core.catalogue import Model
from eyeline.core.parts import Api
from eyeline.core.plan import Look
from eyeline.core.reference import Reference, is_file_id
from eyeline.core.schema import AnswerSchema
from eyeline.core.spelling import did_you_mean
from eyeline.core.tokens import DETAILS, Detail
from eyeline.errors import BadReference, SettingsError

ApiChoice = Literal["auto", "chat", "responses"]
# Who fetches image URLs: the engine, to which they are passed, or eyeline.
Urls = Literal["auto", "pass", "fetch"]
URLS: tuple[Urls, ...] = ("auto", "pass", "fetch")
API_CHOICES: tuple[ApiChoice, ...] = ("auto", "chat", "responses")
# Filled in by the request itself; overwriting them would lose the images, or the answer.
OURS = {"stream", "stream_options", "messages", "input"}


@dataclass(frozen=True, slots=True)
class Question:
    """
    One question about one or more images.

    With `refresh` an answer is kept in the cache, but none taken from there.
    `look` says how its images are prepared, `sight_check` whether the usage must show that they
    were seen, `urls` who fetches image URLs, `upload` that images go by file id. `extra` goes into
    the body as it is, last.
    """

    prompt: str
    references: tuple[Reference, ...]
    model: Model
    api: Api
    look: Look = field(default_factory=Look)
    schema: AnswerSchema | None = None
    system: str | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    cache: bool = True
    refresh: bool = False
    sight_check: bool = True
    urls: Urls = "auto"
    upload: bool = False
    timeout_s: float = 600.0
    extra: Mapping[str, Any] = field(default_factory=dict)


def check_references(references: tuple[Reference, ...]) -> tuple[Reference, ...]:
    """Refuse a question without an image: it would go out as text alone."""
    if not references:
        raise BadReference("no image", "nothing to look at, expected at least one")
    return references


def check_extra(extra: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse fields that are ours to fill, and values that are no JSON, before anything is sent."""
    for name in extra.keys() & OURS:
        raise SettingsError("extra", name, "fields of the body beside the images and the stream")
    try:
        json.dumps(extra, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SettingsError("extra", str(error), "values that JSON can hold") from None
    return extra


def check_positive(name: str, value: object) -> None:
    """Refuse what is given and is no number above zero."""
    if value is None:
        return
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if not is_number or not value > 0:  # type: ignore[operator]  # NaN too is not above zero
        raise SettingsError(name, str(value), "a number above 0")


def check_temperature(temperature: float | None) -> float | None:
    if temperature is not None and not 0 <= temperature <= 2:
        raise SettingsError("--temperature", str(temperature), "a number from 0 to 2")
    return temperature


def readable_text(text: str) -> str:
    """Give text that UTF-8 can hold: bytes of a shell argument that are no text become `?`."""
    if not isinstance(text, str):
        raise SettingsError("prompt", type(text).__name__, "text; the prompt comes first")
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def choose_detail(detail: str, model: Model) -> Detail:
    """
    Give the detail to send; our `auto` is `high`, never the provider's `original`.

    Raises SettingsError for a word that is no detail, or one the model does not have.
    """
    known = {name: name for name in DETAILS}
    if detail not in known:
        expected = f"one of {', '.join(DETAILS)}{did_you_mean(detail, DETAILS)}"
        raise SettingsError("--detail", detail, expected)
    if detail not in model.details:
        allowed = ", ".join(model.details)
        raise SettingsError("--detail", detail, f"one of {allowed} for {model.name}")
    return "high" if detail == "auto" else known[detail]


def choose_urls(urls: str) -> Urls:
    """Read who fetches image URLs. Raises SettingsError for a word that is no policy."""
    known = {each: each for each in URLS}
    if urls not in known:
        expected = f"one of {', '.join(URLS)}{did_you_mean(str(urls), URLS)}"
        raise SettingsError("urls", str(urls), expected)
    return known[urls]


def choose_api(
    choice: str, model: Model, references: tuple[Reference, ...], *, upload: bool = False
) -> Api:
    """
    Give Chat Completions unless the model, or an image named by file id, needs Responses, or one to
    `upload` can have it.
    """
    has_file_id = any(map(is_file_id, references))
    match choice:
        case "auto":
            takes_files = has_file_id or (upload and "responses" in model.apis)
            chat_serves = "chat/completions" in model.apis and not takes_files
            return "chat" if chat_serves else "responses"
        case "chat" if has_file_id:
            raise SettingsError("api", choice, "responses: Chat Completions takes no file ids")
        case "chat":
            return "chat"
        case "responses":
            return "responses"
    raise SettingsError("api", choice, f"one of {', '.join(API_CHOICES)}")
