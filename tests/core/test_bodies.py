"""The shapes of both APIs' bodies."""

from __future__ import annotations

from typing import Any

import pytest

from eyeline.core.bodies import api_of, place_of, read_image, shown_urls, text_type, write_image
from eyeline.core.parts import Api


def said(content: Any) -> list[Any]:
    return [{"role": "user", "content": content}]


@pytest.mark.parametrize(
    ("body", "api"),
    [
        ({"messages": []}, "chat"),
        ({"input": "x"}, "responses"),
        ({"instructions": "x"}, "responses"),
        ({}, None),
        ("text", None),
        (None, None),
        ([], "chat"),
        (said("x"), "chat"),
        (said([{"type": "text"}, {"type": "image_url"}]), "chat"),
        (said([{"type": "text"}, {"type": "input_image"}]), "chat"),
        (said([{"type": "input_text"}, {"type": "image_url"}]), "chat"),
        (said([{"type": "input_text"}, {"type": "input_image"}]), "responses"),
        ([{"type": "function_call_output", "output": "x"}], "responses"),
        ((*said(("x",)), 7), "chat"),
        (said([{"type": {}}, {"type": ["input_text"]}]), "chat"),
    ],
)
def test_the_api_is_told_by_the_body(body: Any, api: str | None) -> None:
    """Fields tell the API of a body, types of parts that of a list; Chat where nothing does."""
    assert api_of(body) == api


@pytest.mark.parametrize(
    ("item", "api", "place"),
    [
        ({"role": "user"}, "chat", ("content", "all")),
        ({}, "chat", ("content", "all")),
        ({"role": "system"}, "chat", ("content", "none")),
        ({"role": "tool"}, "chat", ("content", "none")),
        ({"role": "user"}, "responses", ("content", "all")),
        ({"role": "developer"}, "responses", ("content", "parts")),
        ({"role": "assistant"}, "responses", ("content", "none")),
        ({"type": "function_call_output"}, "responses", ("output", "data")),
        ({"type": "function_call_output"}, "chat", ("content", "all")),
    ],
)
def test_where_images_may_stand(item: dict[str, Any], api: Api, place: tuple[str, str]) -> None:
    """In Chat users alone show images; in Responses also tools, and rules as parts."""
    assert place_of(item, api) == place


CHAT = {"type": "image_url", "image_url": {"url": "u", "detail": "low", "new": 1}, "more": 2}
RESPONSES = {"type": "input_image", "image_url": "u", "detail": "low", "more": 2}


@pytest.mark.parametrize(
    ("part", "api", "faults"),
    [
        (CHAT, "chat", ()),
        (RESPONSES, "responses", ()),
        (CHAT, "responses", ("part_type",)),
        (RESPONSES, "chat", ("part_type",)),
        ({"type": "image_url", "image_url": "u"}, "chat", ("image_url_string",)),
        ({"type": "input_image", "image_url": {"url": "u"}}, "responses", ("image_url_object",)),
        ({"type": "image_url", "image_url": {"url": "u"}, "detail": "low"}, "chat",
         ("detail_place",)),
    ],
)  # fmt: skip
def test_parts_are_read_in_either_shape(
    part: dict[str, Any], api: Api, faults: tuple[str, ...]
) -> None:
    """A part gives its value, detail and further fields, and what is wrong with its shape."""
    raw = read_image(part, api)
    assert (raw.value, raw.faults) == ("u", faults)
    assert raw.detail in ("low", None)


def test_a_right_part_is_written_as_it_was_read() -> None:
    """Reading and writing a right part changes nothing, unknown fields among it."""
    assert write_image(read_image(CHAT, "chat"), "u", "low", "chat") == CHAT
    assert write_image(read_image(RESPONSES, "responses"), "u", "low", "responses") == RESPONSES
    named = {"type": "input_image", "file_id": "file-1", "detail": "high"}
    assert write_image(read_image(named, "responses"), None, "high", "responses") == named


def test_urls_that_are_shown() -> None:
    """The URLs in image parts are found in messages and outputs, in either shape."""
    body = {
        "input": [
            *said([CHAT, {"type": "input_text", "text": "v"}, "w"]),
            {"type": "function_call_output", "output": [{"type": "input_image", "image_url": "o"}]},
            "x",
            {"role": "user", "content": "text"},
        ]
    }
    assert shown_urls(body) - {""} == {"u", "o"}
    assert shown_urls({"input": "text"}) == frozenset()
    assert shown_urls(said([CHAT])) == {"u"}


def test_types_of_text() -> None:
    """Chat has one type of text, Responses one for each side."""
    found = [
        text_type("chat", "none"),
        text_type("responses", "all"),
        text_type("responses", "none"),
    ]
    assert found == ["text", "input_text", "output_text"]
