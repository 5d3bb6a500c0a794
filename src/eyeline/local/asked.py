"""What a request body asks: its pictures, its question, the schema and the way to answer."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

EXAMPLE = "(e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=')"


class Refused(Exception):
    """The request cannot be answered; the fields are those of the API's error object."""

    def __init__(
        self, status: int, message: str, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(status, message, param, code)
        self.status, self.message, self.param, self.code = status, message, param, code


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of one image, where in the body they stood, and how closely to look, if said."""

    data: bytes
    param: str
    detail: object = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, understood."""

    pictures: tuple[Picture, ...]
    question: str
    schema: Mapping[str, Any] | None
    stream: bool
    include_usage: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A content part: an image URL, or text; and its place in the body."""

    is_image: bool
    value: object
    param: str
    detail: object = None


def parse_chat(body: bytes) -> Asked:
    """Read a body for `/chat/completions`. Raises Refused."""
    return read_chat(parse_object(body))


def read_chat(fields: Mapping[str, Any]) -> Asked:
    schema = mapping(mapping(fields.get("response_format")).get("json_schema")).get("schema")
    options = mapping(fields.get("stream_options"))
    messages = fields.get("messages")
    if not isinstance(messages, list):
        raise missing("messages")
    parts = list(user_parts(messages, "messages"))
    return Asked(
        pictures=tuple(decode(part) for part in parts if part.is_image),
        question=last_question(parts),
        schema=schema if isinstance(schema, Mapping) else None,
        stream=fields.get("stream") is True,
        include_usage=options.get("include_usage") is True,
    )


def parse_responses(body: bytes) -> Asked:
    """Read a body for `/responses`. Raises Refused."""
    return read_responses(parse_object(body))


def read_responses(fields: Mapping[str, Any]) -> Asked:
    form = mapping(mapping(fields.get("text")).get("format"))
    given = fields.get("input")
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    if not isinstance(given, list):
        raise missing("input")
    parts = list(user_parts(given, "input"))
    schema = form.get("schema") if form.get("type") == "json_schema" else None
    return Asked(
        pictures=tuple(decode(part) for part in parts if part.is_image),
        question=last_question(parts),
        schema=schema if isinstance(schema, Mapping) else None,
        stream=fields.get("stream") is True,
        include_usage=True,
    )


def parse_object(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as e:
        raise Refused(400, "We could not parse the JSON body of your request.") from e
    if not isinstance(fields, dict):
        raise Refused(400, "The JSON body of your request is not an object.")
    return fields


def missing(name: str) -> Refused:
    return Refused(
        400, f"Missing required parameter: '{name}'.", name, "missing_required_parameter"
    )


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def user_parts(messages: list[Any], root: str) -> Iterator[Part]:
    """Give the content parts of every user message, in order."""
    for number, message in enumerate(messages):
        fields = mapping(message)
        if fields.get("role") != "user":
            continue
        content, place = fields.get("content"), f"{root}[{number}].content"
        if isinstance(content, str):
            yield Part(False, content, place)
        for index, part in enumerate(content if isinstance(content, list) else ()):
            yield read_part(mapping(part), f"{place}[{index}]")


def read_part(part: Mapping[str, Any], place: str) -> Part:
    """Read one content part of either API. Raises Refused for a kind the reader cannot take."""
    match part.get("type"):
        case "text" | "input_text":
            return Part(False, part.get("text"), f"{place}.text")
        case "image_url":
            given = mapping(part.get("image_url"))
            return Part(True, given.get("url"), f"{place}.image_url.url", given.get("detail"))
        case "input_image" if part.get("file_id"):
            message = "The local engine has no uploaded files; send the image as a data URL."
            raise Refused(400, message, f"{place}.file_id", "invalid_value")
        case "input_image":
            return Part(True, part.get("image_url"), f"{place}.image_url", part.get("detail"))
        case kind:
            message = (
                f"Invalid value: '{kind}'. Supported values are: 'text', 'image_url', "
                "'input_text' and 'input_image'."
            )
            raise Refused(400, message, f"{place}.type", "invalid_value")


def last_question(parts: list[Part]) -> str:
    """Join the text of the last user message that has any."""
    spoken = [part for part in parts if not part.is_image and isinstance(part.value, str)]
    if not spoken:
        return ""
    message = spoken[-1].param.split(".")[0]
    return "\n".join(str(part.value) for part in spoken if part.param.split(".")[0] == message)


def decode(part: Part) -> Picture:
    """Take the bytes out of a data URL. Raises Refused with the API's own words."""
    url = part.value if isinstance(part.value, str) else ""
    if re.match(r"https?:", url, re.IGNORECASE):
        message = "The local engine takes images as data URLs only; it does not download any."
        raise Refused(400, message, part.param, "invalid_image_url")
    match = re.match(r"data:image/[\w.+-]+(?:;[\w=.-]+)*;base64,", url[:200], re.IGNORECASE)
    if not match:
        message = (
            f"Invalid image URL: '{part.param}'. Expected a base64-encoded data URL with an image "
            f"MIME type {EXAMPLE}, but got a value without the 'data:' prefix."
        )
        raise Refused(400, message, part.param, "invalid_value")
    data = decode_base64(url[match.end() :], part.param)
    return Picture(data, part.param, part.detail)


def decode_base64(text: str, param: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data, found = b"", "an invalid base64-encoded value"
    else:
        found = "empty base64-encoded bytes"
    if not data:
        message = (
            f"Invalid '{param}'. Expected a base64-encoded data URL with an image MIME type "
            f"{EXAMPLE}, but got {found}."
        )
        raise Refused(400, message, param, "invalid_value")
    return data
