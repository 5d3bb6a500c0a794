"""Every request body we can make, against the types of the installed openai package."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import (
    ChatCompletionContentPartImageParam,
    ChatCompletionContentPartTextParam,
    completion_create_params,
)
from openai.types.responses import (
    ResponseInputImageParam,
    ResponseInputTextParam,
    response_create_params,
)
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from core.support import question
from eyeline.core.draft import Draft, PlannedImage, draft
from eyeline.core.engine import compatible, openai
from eyeline.core.parts import Api, ImagePart, PreparedImage, Stored, content
from eyeline.core.request import STAND_IN, Manner, build, dumps, fields, splice
from eyeline.core.schema import read_schema
from eyeline.core.size import Size

BODIES = {
    ("chat", False): TypeAdapter(completion_create_params.CompletionCreateParamsNonStreaming),
    ("chat", True): TypeAdapter(completion_create_params.CompletionCreateParamsStreaming),
    ("responses", False): TypeAdapter(response_create_params.ResponseCreateParamsNonStreaming),
    ("responses", True): TypeAdapter(response_create_params.ResponseCreateParamsStreaming),
}
PARTS = {
    "text": TypeAdapter(ChatCompletionContentPartTextParam),
    "image_url": TypeAdapter(ChatCompletionContentPartImageParam),
    "input_text": TypeAdapter(ResponseInputTextParam),
    "input_image": TypeAdapter(ResponseInputImageParam),
}

PNG = PreparedImage(b"\x89PNG\r\n\x1a\n", "image/png", Size(1, 1))
JPEG = PreparedImage(b"\xff\xd8\xff\xe0" * 9, "image/jpeg", Size(2, 2))
RECEIPT = {
    "title": "Receipt",
    "type": "object",
    "properties": {"total": {"type": "number"}, "note": {"type": "string"}},
    "required": ["total"],
}


def walk(value: Any) -> Any:
    """Read a validated value to its end, for pydantic validates an Iterable only as it is read."""
    if isinstance(value, dict):
        return {key: walk(item) for key, item in value.items()}
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return value
    return [walk(item) for item in value]


def check_body(body: Any, api: Api, stream: bool) -> None:
    """Raise unless the API's own types take the body whole, with every key in it."""
    assert walk(BODIES[api, stream].validate_python(body)) == body, "a key the types do not know"
    for message in body["messages" if api == "chat" else "input"]:
        for part in message["content"] if isinstance(message["content"], list) else ():
            assert walk(PARTS[part["type"]].validate_python(part)) == part


def drafted(api: Api, **changes: Any) -> Draft:
    asked = question(api=api, **changes)
    return draft(asked, openai(), tuple(PlannedImage("0", None) for _ in range(2)))


IMAGES: dict[str, tuple[ImagePart, ...]] = {
    "one": (ImagePart("high", PNG),),
    "several": (ImagePart("low", PNG), ImagePart("low", JPEG), ImagePart("low", PNG)),
    "low": (ImagePart("low", PNG),),
    "original": (ImagePart("original", PNG),),
    "auto": (ImagePart("auto", PNG),),
    "file id": (ImagePart("high", file_id="file-1"), ImagePart("high", JPEG)),
}
OPTIONS = {
    "system": (None, "Answer in French."),
    "schema": (None, read_schema(RECEIPT)),
    "temperature": (None, 0.0),
    "max_output_tokens": (None, 300),
    "extra": ({}, {"top_p": 0.5, "service_tier": "flex", "metadata": {"run": "7"}}),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("api", "images"),
    [(api, name) for api, name in product(("chat", "responses"), IMAGES)
     if (api, name) != ("chat", "file id")],
)  # fmt: skip
def test_every_body_is_of_the_api(api: Api, images: str, stream: bool) -> None:
    """Whatever is asked and however, the API's own types take the body, and know every key."""
    for values in product(*OPTIONS.values()):
        made = drafted(api, **dict(zip(OPTIONS, values, strict=True)))
        request = build(made, IMAGES[images], Manner(stream, 9.0))
        check_body(json.loads(request.body), api, stream)
        assert (request.stream, request.timeout_s) == (stream, 9.0)


def test_a_compatible_server_gets_the_older_limit_field() -> None:
    """`max_tokens`, which compatible servers know, is of the API's types too."""
    asked = question(max_output_tokens=5)
    made = draft(asked, compatible("vllm", "http://127.0.0.1:8000/v1"), ())
    body = json.loads(build(made, IMAGES["one"], Manner(False, 9)).body)
    assert body["max_tokens"] == 5
    check_body(body, "chat", stream=False)


@pytest.mark.parametrize(
    ("api", "part"),
    [
        ("chat", {"type": "image_url", "image_url": "data:image/png;base64,aGk="}),
        ("chat", {"type": "image_url", "image_url": {"url": "data:,", "detail": "huge"}}),
        ("chat", {"type": "image_url", "image_url": {"url": "data:,", "size": 1}}),
        ("chat", {"type": "input_image", "image_url": "data:,", "detail": "low"}),
        ("chat", {"type": "text"}),
        ("responses", {"type": "input_image", "image_url": {"url": "data:,"}, "detail": "low"}),
        ("responses", {"type": "input_image", "image_url": "data:,", "detail": "huge"}),
        ("responses", {"type": "input_text", "value": "x"}),
    ],
)
def test_the_check_can_fail(api: Api, part: dict[str, Any]) -> None:
    """The check above refuses the mistakes people make, as an image URL that is a bare string."""
    message = {"role": "user", "content": [part]}
    body = {"model": "x", "messages" if api == "chat" else "input": [message], "stream": False}
    with pytest.raises((ValidationError, AssertionError, PydanticSerializationError, KeyError)):
        check_body(body, api, stream=False)


def test_the_check_knows_every_key() -> None:
    """A field the API does not have is found, also where pydantic would pass over it."""
    body = {"model": "x", "messages": [{"role": "user", "content": "x"}], "no_such_field": 1}
    with pytest.raises(AssertionError, match="do not know"):
        check_body(body, "chat", stream=False)


# --- what is in it ------------------------------------------------------------------------------


def test_a_chat_body() -> None:
    """System message first, then the question, then what was asked for; `extra` comes last."""
    made = drafted("chat", system="Be brief.", temperature=0.5, extra={"temperature": 1})
    body = json.loads(build(made, IMAGES["one"], Manner(True, 9)).body)
    assert body == {
        "model": "gpt-6-luna",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": content(made.prompt, IMAGES["one"], "chat")},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 1,
    }


def test_a_responses_body() -> None:
    """Instructions beside the input, and `stream` always said, for some servers stream unasked."""
    made = drafted("responses", system="Be brief.", max_output_tokens=5)
    request = build(made, IMAGES["one"], Manner(False, 9))
    assert request.path == "/responses"
    assert json.loads(request.body) == {
        "model": "gpt-6-luna",
        "input": [{"role": "user", "content": content(made.prompt, IMAGES["one"], "responses")}],
        "instructions": "Be brief.",
        "stream": False,
        "max_output_tokens": 5,
    }


def test_the_path_of_chat() -> None:
    """Chat goes to its own path."""
    assert build(drafted("chat"), (), Manner(False, 9)).path == "/chat/completions"


MARKS = [STAND_IN.format(number) for number in range(3)]
PROMPTS = st.one_of(
    st.text(),
    st.sampled_from(
        [*MARKS, f"a {MARKS[0]} b", MARKS[0] * 2, json.dumps(MARKS[0]), "\\u0000image 0"]
    ),
)
IMAGE_LISTS = st.lists(
    st.one_of(
        st.builds(ImagePart, st.just("low"), st.sampled_from([PNG, JPEG])),
        st.builds(ImagePart, st.just("low"), st.none(), PROMPTS),
    ),
    max_size=4,
)


@given(
    PROMPTS, st.none() | PROMPTS, IMAGE_LISTS, st.sampled_from(["chat", "responses"]), st.booleans()
)
def test_a_body_is_what_json_dumps_would_make(
    prompt: str, system: str | None, images: list[ImagePart], api: Api, stream: bool
) -> None:
    """
    The body put together around the base64 is the one `json.dumps` makes, for any prompt, also one
    that contains the stand-in of an image.
    """
    made = Draft("", api, "m", prompt, system, (), {"metadata": {"p": prompt}})
    request = build(made, tuple(images), Manner(stream, 9))
    parts = content(prompt, tuple(images), api)
    assert request.body == dumps(fields(made, parts, Manner(stream, 9)))


def test_a_prompt_that_is_a_stand_in() -> None:
    """Where the user's text could be mistaken for an image, nothing is spliced."""
    body = {"a": STAND_IN.format(0), "b": STAND_IN.format(0)}
    assert splice(body, [PNG]) is None
    spliced = splice({"a": STAND_IN.format(0)}, [PNG])
    assert spliced is not None
    assert b"".join(spliced.made()) == b'{"a":"data:image/png;base64,iVBORw0KGgo="}'


def test_an_image_in_a_file_is_read_for_each_sending() -> None:
    """The body of a request is put together when it is wanted; its length is known before."""
    reads: list[int] = []

    def read() -> bytes:
        reads.append(1)
        return PNG.data

    stored = replace(PNG, content=Stored(read, len(PNG.data)))
    request, held = (
        build(drafted("chat"), (ImagePart("low", image),), Manner(False, 9))
        for image in (stored, PNG)
    )
    assert (request.size_bytes, reads) == (len(held.body), [])
    assert request.body == request.body == held.body
    assert len(reads) == 2
    fallback = replace(request, content=held.body)
    assert (fallback.body, fallback.size_bytes) == (held.body, len(held.body))
