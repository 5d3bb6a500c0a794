"""Replies of both APIs, whole and streamed, right and wrong."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from api_server import chat_completion, chat_events, response_events, response_object
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.shared import ErrorObject
from pydantic import TypeAdapter

from eyeline.core.cost import Usage
from eyeline.core.parts import Api
from eyeline.core.reply import InStreamError, Malformed, Reply, decode, reply_stream
from eyeline.core.sse import SseParser

SAMPLES = Path(__file__).parent.parent / "samples" / "replies"
BODIES = {path.stem: path.read_bytes() for path in SAMPLES.glob("*.json")}
STREAMS = {path.stem: path.read_bytes() for path in SAMPLES.glob("*.sse")}
APIS: tuple[Api, ...] = ("chat", "responses")

SIGN = "The sign reads “EXIT 24” 🙂."
REFUSAL = "I’m sorry, I can’t help with identifying this person."
USAGE = Usage(1000, 20, 0, 8)
DETAILS = Usage(2975, 412, 1024, 384)
LUNA = "gpt-6-luna"
EXPECTED = {
    "chat_stop": Reply(SIGN, "stop", LUNA, USAGE),
    "chat_usage_details": Reply("EXIT 24", "stop", LUNA, DETAILS),
    "chat_length": Reply("The sign reads", "length", LUNA, USAGE),
    "chat_content_filter": Reply("", "content_filter", LUNA, USAGE),
    "chat_refusal": Reply(REFUSAL, "refusal", LUNA, USAGE),
    "chat_no_usage": Reply("EXIT 24", "stop", LUNA, Usage()),
    "chat_two_choices": Reply("EXIT 24", "stop", LUNA, USAGE),
    "responses_completed": Reply(SIGN, "stop", LUNA, USAGE),
    "responses_usage_details": Reply("EXIT 24", "stop", LUNA, DETAILS),
    "responses_refusal": Reply(REFUSAL, "refusal", LUNA, USAGE),
    "responses_incomplete_length": Reply("The sign reads", "length", LUNA, USAGE),
    "responses_incomplete_filter": Reply("", "content_filter", LUNA, USAGE),
    "responses_no_usage": Reply("EXIT 24", "stop", LUNA, Usage()),
    "responses_two_messages": Reply("EXIT 24", "stop", LUNA, USAGE),
    "other_list_content": Reply("EXIT 24", "stop", LUNA, USAGE),
    "other_llamacpp": Reply("EXIT 24", "stop", "tiny.gguf", Usage(71, 3)),
    "other_unknown_events": Reply("EXIT 24", "stop", LUNA, USAGE),
}


def api_of(name: str) -> Api:
    is_responses = name.startswith("responses") or name == "other_unknown_events"
    return "responses" if is_responses else "chat"


def read_stream(stream: bytes, api: Api, cuts: list[int] | None = None) -> tuple[str, Reply | None]:
    """Give the text handed on piece by piece, and the reply at the end."""
    parser, replies, text = SseParser(), reply_stream(api), ""
    ends = [0, *(cuts or ()), len(stream)]
    for start, end in pairwise(ends):
        text += "".join(map(replies.feed, parser.feed(stream[start:end])))
    text += "".join(map(replies.feed, parser.end()))
    return text, replies.reply()


# --- samples ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(EXPECTED.keys() & BODIES.keys()))
def test_whole_samples(name: str) -> None:
    """Each sample body says what it was made to say."""
    assert decode(BODIES[name], api_of(name)) == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(EXPECTED.keys() & STREAMS.keys()))
def test_streamed_samples(name: str) -> None:
    """Each sample stream says the same as its body; a refusal is not handed on as an answer."""
    text, reply = read_stream(STREAMS[name], api_of(name))
    assert reply == EXPECTED[name]
    assert text == ("" if reply.ending == "refusal" else reply.text)


def test_every_sample_is_used() -> None:
    """No sample lies about without a test that reads it."""
    failing = {"error_chat", "error_responses_event", "error_responses_failed", "other_azure_error"}
    assert BODIES.keys() - EXPECTED.keys() == {"responses_failed", "other_detail", "error_llamacpp"}
    assert STREAMS.keys() - EXPECTED.keys() == failing
    assert EXPECTED.keys() <= BODIES.keys() | STREAMS.keys()


@pytest.mark.parametrize("name", sorted(name for name in BODIES if not name.startswith("other")))
def test_sample_bodies_have_the_shape_of_the_api(name: str) -> None:
    """The models of the openai package accept every body that claims to be the API's."""
    value = json.loads(BODIES[name])
    if name.startswith("error"):
        ErrorObject.model_validate({"param": None} | value["error"] | {"code": None})
    elif name.startswith("chat"):
        ChatCompletion.model_validate(value)
    else:
        Response.model_validate(value)


@pytest.mark.parametrize("name", sorted(name for name in STREAMS if not name.startswith("other")))
def test_sample_streams_have_the_shape_of_the_api(name: str) -> None:
    """The models of the openai package accept every event of every stream."""
    events = SseParser().feed(STREAMS[name])
    assert len(events) >= 3
    for event in events:
        if event == "[DONE]":
            continue
        value = json.loads(event)
        if "error" in value:
            ErrorObject.model_validate(value["error"])
        elif "chat" in name:
            ChatCompletionChunk.model_validate(value)
        else:
            TypeAdapter(ResponseStreamEvent).validate_python(value)


# --- errors inside ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("responses_failed", "server_error", "had an error"),
        ("error_llamacpp", 400, "Failed to load image"),
    ],
)
def test_an_error_inside_a_body(name: str, code: object, said: str) -> None:
    """A body with an error object is that error, whatever its status was."""
    with pytest.raises(InStreamError) as raised:
        decode(BODIES[name], api_of(name))
    assert raised.value.error["code"] == code
    assert said in raised.value.error["message"]


@pytest.mark.parametrize(
    ("name", "api", "code", "said"),
    [
        ("error_chat", "chat", None, "had an error"),
        ("error_responses_failed", "responses", "server_error", "had an error"),
        ("error_responses_event", "responses", "server_error", "had an error"),
        ("other_azure_error", "responses", "rate_limit_exceeded", "token rate limit"),
        ("other_azure_error", "chat", "rate_limit_exceeded", "token rate limit"),
    ],
)
def test_an_error_inside_a_stream(name: str, api: Api, code: object, said: str) -> None:
    """An error that comes after status 200 is raised with the object as it came."""
    with pytest.raises(InStreamError) as raised:
        read_stream(STREAMS[name], api)
    assert raised.value.error.get("code") == code
    assert said in raised.value.error["message"]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ('{"error": "overloaded"}', "overloaded"),
        ('{"error": ["a", 1]}', "['a', 1]"),
        ('{"type": "response.failed", "response": {"error": "broken"}}', "broken"),
    ],
)
def test_an_error_that_is_no_object(event: str, message: str) -> None:
    """An error that is bare text becomes an object with that message."""
    with pytest.raises(InStreamError) as raised:
        reply_stream("responses").feed(event)
    assert raised.value.error == {"message": message}


@pytest.mark.parametrize(
    ("body", "api", "said"),
    [
        (b"", "chat", "not JSON"),
        (b"Internal Server Error", "chat", "not JSON"),
        (b"<!DOCTYPE html>", "chat", "not JSON"),
        (b"\xff\xfe", "chat", "not JSON"),
        (b"[" * 100_000, "chat", "not JSON"),
        (b"[1, 2]", "chat", "JSON, but a list"),
        (b"null", "responses", "JSON, but a NoneType"),
        (b'{"detail": "pinned"}', "chat", "no choices"),
        (b'{"choices": []}', "chat", "no choices"),
        (b'{"choices": {"0": 1}}', "chat", "no choices"),
        (b'{"choices": [null]}', "chat", "no message in the first choice"),
        (b'{"choices": [{"text": "old"}]}', "chat", "no message in the first choice"),
        (b'{"choices": [{"message": {}}]}', "responses", "no output"),
        (b'{"output": "text"}', "responses", "no output"),
        (b'{"output": [], "status": "failed"}', "responses", "status 'failed'"),
        (b'{"output": [], "status": "in_progress"}', "responses", "status 'in_progress'"),
    ],
)
def test_what_is_no_reply(body: bytes, api: Api, said: str) -> None:
    """A body of another shape says what is missing, and is never an empty answer."""
    with pytest.raises(Malformed, match=f"^{said}"):
        decode(body, api)


@pytest.mark.parametrize(
    ("event", "api"),
    [
        ('{"choices', "chat"),
        ("", "chat"),
        ("[]", "responses"),
        ('{"type": "response.completed"}', "responses"),
        ('{"type": "response.completed", "response": {}}', "responses"),
        (
            '{"type": "response.failed", "response": {"output": [], "status": "failed"}}',
            "responses",
        ),
    ],
)
def test_events_that_are_none(event: str, api: Api) -> None:
    """An event cut short or of another shape is malformed, not skipped."""
    with pytest.raises(Malformed):
        reply_stream(api).feed(event)


def test_other_servers_bodies_are_no_replies() -> None:
    """FastAPI's detail, plain text and a gateway's page are recognised as no reply."""
    for name in ("other_detail.json", "other_plain.txt", "other_page.html"):
        for api in APIS:
            with pytest.raises(Malformed):
                decode((SAMPLES / name).read_bytes(), api)


# --- what compatible servers leave out ----------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"usage": None}, Usage()),
        ({"usage": []}, Usage()),
        ({"usage": {"prompt_tokens": 5}}, Usage(5)),
        ({"usage": {"prompt_tokens": "5", "completion_tokens": True}}, Usage()),
        ({"usage": {"prompt_tokens": -1, "completion_tokens": 2.5}}, Usage()),
        ({"usage": {"prompt_tokens": 5, "prompt_tokens_details": [1]}}, Usage(5)),
        ({"usage": {"completion_tokens": 5, "completion_tokens_details": None}}, Usage(None, 5)),
    ],
)
def test_usage_that_is_absent_or_odd(change: dict[str, Any], expected: Usage) -> None:
    """Counts that are missing or no counts are unknown, never zero."""
    body = json.dumps(chat_completion("x") | change).encode()
    assert decode(body, "chat").usage == expected


@pytest.mark.parametrize(
    ("choice", "text", "ending"),
    [
        ({"message": {}}, "", "stop"),
        ({"message": {"content": None}, "finish_reason": "length"}, "", "length"),
        ({"message": {"content": 7}, "finish_reason": None}, "", "stop"),
        ({"message": {"content": "x"}, "finish_reason": ["stop"]}, "x", "stop"),
        ({"message": {"content": "x"}, "finish_reason": "tool_calls"}, "x", "stop"),
        ({"message": {"content": [{"text": "x"}, {"text": None}, "y"]}}, "x", "stop"),
        ({"message": {"content": "x", "refusal": {}}}, "x", "stop"),
        ({"message": {"content": "x\ud83d"}}, "x\ufffd", "stop"),
    ],
)
def test_chat_fields_that_are_absent_or_odd(choice: dict[str, Any], text: str, ending: str) -> None:
    """Fields a server leaves out or writes otherwise are taken as absent."""
    reply = decode(json.dumps({"choices": [choice], "model": 3}).encode(), "chat")
    assert (reply.text, reply.ending, reply.model) == (text, ending, "")


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ([], ""),
        ([{"type": "message"}], ""),
        ([{"type": "message", "content": "x"}], ""),
        ([{"type": "message", "content": [None, {"type": "output_text"}]}], ""),
        ([None, {"type": "reasoning", "content": [{"type": "output_text", "text": "no"}]}], ""),
        ([{"type": "message", "content": [{"type": "output_text", "text": "x"}]}], "x"),
    ],
)
def test_responses_fields_that_are_absent_or_odd(output: list[Any], text: str) -> None:
    """Only the text of messages is the answer; a status left out means completed."""
    body = {"output": output, "status": None, "usage": 3, "incomplete_details": "x"}
    assert decode(json.dumps(body).encode(), "responses") == Reply(text, "stop", "", Usage())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = (
    "choices", "message", "content", "refusal", "finish_reason", "model", "usage", "output", "type",
    "status", "incomplete_details", "reason", "response", "delta", "index", "prompt_tokens_details",
)  # fmt: skip
NESTED = st.recursive(
    JSON | st.sampled_from(["message", "response.completed", "output_text", "incomplete"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from((*NAMES, "error")), NESTED), st.sampled_from(APIS))
def test_any_object_is_a_reply_or_says_why_not(value: dict[str, Any], api: Api) -> None:
    """Whatever an engine says, it is a reply, malformed, or an error object; nothing else."""
    text = json.dumps(value)
    for read in (lambda: decode(text.encode(), api), lambda: reply_stream(api).feed(text)):
        try:
            read()
        except (Malformed, InStreamError):
            continue


# --- streams ------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)


@given(TEXTS, st.data())
def test_a_stream_is_its_answer(text: str, data: st.DataObject) -> None:
    """In both APIs a stream, however cut, decodes to what the whole body does."""
    whole = {"chat": chat_completion(text), "responses": response_object(text)}
    events = {"chat": chat_events(text), "responses": response_events(text)}
    for api in APIS:
        stream = "".join(events[api]).encode()
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
        emitted, reply = read_stream(stream, api, cuts)
        assert reply == decode(json.dumps(whole[api]).encode(), api)
        assert emitted == reply.text == text


@pytest.mark.parametrize("api", APIS)
def test_a_cut_stream_has_no_reply(api: Api) -> None:
    """A stream that stops before its end gives no reply, however much text had come."""
    events = chat_events(SIGN) if api == "chat" else response_events(SIGN)
    last = 3 if api == "chat" else 1
    replies = reply_stream(api)
    for event in events[:-last]:
        replies.feed(event.partition("data: ")[2].strip())
        assert replies.reply() is None
        assert not replies.is_done


def test_a_chat_stream_without_its_done_mark() -> None:
    """A finish reason is an end too, for some servers send no [DONE]."""
    replies = reply_stream("chat")
    for event in chat_events("EXIT 24")[:-1]:
        replies.feed(event.removeprefix("data: "))
    assert replies.reply() == Reply("EXIT 24", "stop", LUNA, USAGE)
    assert not replies.is_done


def test_a_chat_stream_with_nothing_but_its_done_mark() -> None:
    """[DONE] without a finish reason ends an answer as it stands."""
    replies = reply_stream("chat")
    assert replies.feed('{"choices": [{"delta": {"content": "x"}}]}') == "x"
    assert replies.feed(" [DONE] ") == ""
    assert (replies.reply(), replies.is_done) == (Reply("x", "stop", "", Usage()), True)
