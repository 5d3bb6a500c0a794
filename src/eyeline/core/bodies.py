"""
The shapes of request bodies of both APIs: where images may stand, read and written.

Source: the request types of openai-python 3.54.0 (2026-11-17).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeGuard

from eyeline.core.parts import Api
from eyeline.core.tokens import Detail

# What a role takes: "all" is images, as parts or moved out of text; "data" the same, but addresses
# stay, for tools list many that nobody asked to look at; "parts" leaves text alone.
Takes = Literal["all", "data", "parts", "none"]

IMAGE_TYPES: dict[Any, Api] = {"image_url": "chat", "input_image": "responses"}
TEXT_TYPES: dict[Any, Api] = {"text": "chat", "input_text": "responses"}
TOOL_OUTPUTS = ("function_call_output", "custom_tool_call_output", "computer_call_output")
SCREENSHOT = "computer_screenshot"
# Words of one API that the other does not have.
RESPONSES_WORDS = {"input_text", "input_image", "input_file", "output_text", *TOOL_OUTPUTS}
RESPONSES_WORDS |= {"message", "function_call", "reasoning", "item_reference"}
CHAT_WORDS = {"text", "image_url"}


def api_of(body: Any) -> Api | None:
    """
    Tell which API a body, or a list of messages, is for; Chat where nothing tells.

    None for what is neither.
    """
    if isinstance(body, Mapping):
        if "messages" in body:
            return "chat"
        return "responses" if "input" in body or "instructions" in body else None
    if not is_list(body):
        return None
    words = [word for item in body for word in words_of(item) if isinstance(word, str)]
    theirs = sum(word in RESPONSES_WORDS for word in words)
    return "responses" if theirs > sum(word in CHAT_WORDS for word in words) else "chat"


def words_of(item: Any) -> Iterator[Any]:
    """Give the types of an item and of its parts."""
    if isinstance(item, Mapping):
        yield item.get("type")
        parts = item.get("content")
        for part in parts if is_list(parts) else ():
            yield part.get("type") if isinstance(part, Mapping) else None


def is_list(value: Any) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    return isinstance(value, list | tuple)


def place_of(item: Mapping[str, Any], api: Api) -> tuple[str, Takes]:
    """Give the field of a message or item in which images may stand, and what it takes."""
    if api == "responses" and item.get("type") in TOOL_OUTPUTS:
        return "output", "data"
    match item.get("role"), api:
        case (("user" | None), _):
            return "content", "all"
        case (("system" | "developer"), "responses"):
            return "content", "parts"
    return "content", "none"


def items_of(body: Any) -> Sequence[Any]:
    """Give the messages or items of a body, or the list itself."""
    if isinstance(body, Mapping):
        body = body.get("messages", body.get("input"))
    return body if is_list(body) else ()


def shown_urls(body: Any) -> frozenset[str]:
    """Give the URLs that stand in the image parts of a body."""
    found = set()
    for item in items_of(body):
        for field_name in ("content", "output"):
            parts = item.get(field_name) if isinstance(item, Mapping) else None
            found |= {url_in(part) for part in (parts if is_list(parts) else ())}
    return frozenset(found)


def url_in(part: Any) -> str:
    """Give the text that names the image of an image part, "" where there is none."""
    given = part.get("image_url") if isinstance(part, Mapping) else None
    value = given.get("url") if isinstance(given, Mapping) else given
    return value if isinstance(value, str) else ""


# --- parts --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RawImage:
    """
    An image part as it stands in a body.

    `value` is whatever names the image, None where `file_id` does. `inner` are the further fields
    of Chat's object, `outer` those of the part. `faults` are mistakes of its shape.
    """

    value: Any = field(repr=False)
    detail: Any
    file_id: Any
    inner: Mapping[str, Any]
    outer: Mapping[str, Any]
    faults: tuple[str, ...]


def read_image(part: Mapping[str, Any], api: Api) -> RawImage:
    """Read an image part, in the shape of either API, that is sent to `api`."""
    given = part.get("image_url")
    is_object = isinstance(given, Mapping)
    inner: Mapping[str, Any] = given if isinstance(given, Mapping) else {"url": given}
    is_ours = IMAGE_TYPES[part["type"]] == api
    shape = {
        "part_type": not is_ours,
        "image_url_string": is_ours and api == "chat" and not (is_object or given is None),
        "image_url_object": is_ours and api == "responses" and is_object,
        "detail_place": is_ours and api == "chat" and is_object and "detail" in part,
    }
    return RawImage(
        value=inner.get("url"),
        detail=inner.get("detail") or part.get("detail"),
        file_id=part.get("file_id"),
        inner=without(inner, "url", "detail"),
        outer=without(part, "type", "image_url", "detail"),
        faults=tuple(fault for fault, applies in shape.items() if applies),
    )


def write_image(raw: RawImage, url: str | None, detail: Detail, api: Api) -> dict[str, Any]:
    """Give an image part as `api` wants it; fields that are not known here stay."""
    if api == "chat":
        inner = {"url": url, "detail": detail, **raw.inner}
        return {"type": "image_url", "image_url": inner, **raw.outer}
    named = {} if url is None else {"image_url": url}
    return {"type": "input_image", **named, "detail": detail, **raw.inner, **raw.outer}


def without(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def text_type(api: Api, takes: Takes) -> str:
    """Give the type of a text part; in Responses the model's own text has another."""
    if api == "chat":
        return "text"
    return "output_text" if takes == "none" else "input_text"
