"""
What an engine said, read from either API's objects, whole or as a stream.

Source of the shapes: the response types of openai-python 3.54.0 (2026-11-17). Fields that
compatible servers leave out are taken as absent, never as an error, except the answer itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from eyeline.core.cost import Usage
from eyeline.core.parts import Api

ReplyEnding = Literal["stop", "length", "content_filter", "refusal"]


@dataclass(frozen=True, slots=True)
class Reply:
    """The content of one response; with ending "refusal", `text` is what the model said instead."""

    text: str
    ending: ReplyEnding
    model: str
    usage: Usage
    request_id: str = ""


class Malformed(ValueError):
    """An object that is not of the API's shape; the argument says what is missing."""


class InStreamError(Exception):
    """An error object inside a body or stream that began with status 200."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(error)
        self.error = error


class ReplyStream(Protocol):
    """Takes the events of one stream in order."""

    is_done: bool

    def feed(self, event: str) -> str:
        """Take the data of one event, give the text it adds. Raises Malformed or InStreamError."""

    def reply(self) -> Reply | None:
        """Give the whole reply, or None if the stream is not at its end."""


def read_object(text: str | bytes) -> dict[str, Any]:
    """Parse one JSON object. Raises Malformed, or InStreamError if it carries an error."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(value, dict):
        raise Malformed(f"JSON, but a {type(value).__name__}")
    refuse_error(value)
    return value


def refuse_error(value: Mapping[str, Any]) -> None:
    """Raise InStreamError if an object carries an error, in whatever form."""
    error = value.get("error")
    if error:
        raise InStreamError(error if isinstance(error, dict) else {"message": str(error)})


def mapping(value: object) -> Mapping[str, Any]:
    """Give `value` if it is an object; anything else is taken as absent."""
    return value if isinstance(value, dict) else {}


def text_of(value: object) -> str:
    """Give `value` if it is text; half a surrogate pair, which no output takes, becomes U+FFFD."""
    if not isinstance(value, str):
        return ""
    if value.isascii():
        return value
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def count_of(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None


def decode(body: bytes, api: Api) -> Reply:
    """Read a whole response body. Raises Malformed or InStreamError."""
    value = read_object(body)
    return decode_chat(value) if api == "chat" else decode_responses(value)


# --- Chat Completions ---------------------------------------------------------------------------

CHAT_ENDINGS: dict[str, ReplyEnding] = {"length": "length", "content_filter": "content_filter"}


def decode_chat(value: Mapping[str, Any]) -> Reply:
    choices = value.get("choices")
    if not isinstance(choices, list) or not choices:
        raise Malformed("no choices")
    choice = mapping(choices[0])
    message = choice.get("message")
    if not isinstance(message, dict):
        raise Malformed("no message in the first choice")
    return chat_reply(
        text=plain_text(message.get("content")),
        refusal=text_of(message.get("refusal")),
        finish_reason=text_of(choice.get("finish_reason")),
        model=text_of(value.get("model")),
        usage=chat_usage(value.get("usage")),
    )


def chat_reply(text: str, refusal: str, finish_reason: str, model: str, usage: Usage) -> Reply:
    if refusal:
        return Reply(refusal, "refusal", model, usage)
    return Reply(text, CHAT_ENDINGS.get(finish_reason, "stop"), model, usage)


def plain_text(content: object) -> str:
    """Read a content field: a string, None, or on some servers a list of text parts."""
    if isinstance(content, list):
        return "".join(text_of(mapping(part).get("text")) for part in content)
    return text_of(content)


def chat_usage(usage: object) -> Usage:
    usage = mapping(usage)
    return Usage(
        input_tokens=count_of(usage.get("prompt_tokens")),
        output_tokens=count_of(usage.get("completion_tokens")),
        cached_tokens=detail(usage, "prompt_tokens_details", "cached_tokens"),
        reasoning_tokens=detail(usage, "completion_tokens_details", "reasoning_tokens"),
    )


def detail(usage: Mapping[str, Any], group: str, name: str) -> int | None:
    return count_of(mapping(usage.get(group)).get(name))


class ChatStream:
    """Collects chat.completion.chunk events, up to `[DONE]`."""

    def __init__(self) -> None:
        self.is_done = False
        self.texts: list[str] = []
        self.refusals: list[str] = []
        self.finish_reason = ""
        self.model = ""
        self.usage = Usage()

    def feed(self, event: str) -> str:
        if event.strip() == "[DONE]":
            self.is_done = True
            return ""
        chunk = read_object(event)
        self.model = text_of(chunk.get("model")) or self.model
        if chunk.get("usage"):
            self.usage = chat_usage(chunk["usage"])
        choices = chunk.get("choices")
        return "".join(map(self.choice, choices if isinstance(choices, list) else []))

    def choice(self, choice: object) -> str:
        """Take what one choice adds. Of several answers (`n`) the first is ours, as in `decode`."""
        choice = mapping(choice)
        if choice.get("index"):
            return ""
        delta = mapping(choice.get("delta"))
        self.finish_reason = text_of(choice.get("finish_reason")) or self.finish_reason
        self.refusals.append(text_of(delta.get("refusal")))
        text = plain_text(delta.get("content"))
        self.texts.append(text)
        return text

    def reply(self) -> Reply | None:
        if not (self.finish_reason or self.is_done):
            return None
        text, refusal = "".join(self.texts), "".join(self.refusals)
        return chat_reply(text, refusal, self.finish_reason, self.model, self.usage)


# --- Responses ----------------------------------------------------------------------------------


def decode_responses(value: Mapping[str, Any]) -> Reply:
    output = value.get("output")
    if not isinstance(output, list):
        raise Malformed("no output")
    model, usage = text_of(value.get("model")), responses_usage(value.get("usage"))
    parts = list(output_parts(output))
    refusal = "".join(text_of(part.get("refusal")) for part in parts)
    if refusal:
        return Reply(refusal, "refusal", model, usage)
    said = (part.get("text") for part in parts if part.get("type") == "output_text")
    text = "".join(map(text_of, said))
    return Reply(text, responses_ending(value), model, usage)


def output_parts(output: list[Any]) -> Iterator[Mapping[str, Any]]:
    for item in output:
        content = mapping(item).get("content")
        if mapping(item).get("type") == "message" and isinstance(content, list):
            yield from map(mapping, content)


def responses_ending(value: Mapping[str, Any]) -> ReplyEnding:
    status = value.get("status") or "completed"
    if status == "completed":
        return "stop"
    if mapping(value.get("incomplete_details")).get("reason") == "content_filter":
        return "content_filter"
    if status == "incomplete":
        return "length"
    raise Malformed(f"status {status!r}")


def responses_usage(usage: object) -> Usage:
    usage = mapping(usage)
    return Usage(
        input_tokens=count_of(usage.get("input_tokens")),
        output_tokens=count_of(usage.get("output_tokens")),
        cached_tokens=detail(usage, "input_tokens_details", "cached_tokens"),
        reasoning_tokens=detail(usage, "output_tokens_details", "reasoning_tokens"),
    )


class ResponsesStream:
    """Collects the events of a response, up to response.completed, .incomplete or .failed."""

    def __init__(self) -> None:
        self.is_done = False
        self.final: Reply | None = None

    def feed(self, event: str) -> str:
        if event.strip() == "[DONE]":
            return ""
        value = read_object(event)
        match value.get("type"):
            case "response.output_text.delta":
                return text_of(value.get("delta"))
            case "response.completed" | "response.incomplete" | "response.failed":
                self.final = decode_responses(read_final(value.get("response")))
                self.is_done = True
            case "error":
                raise InStreamError(value)
        return ""

    def reply(self) -> Reply | None:
        return self.final


def read_final(response: object) -> Mapping[str, Any]:
    if not isinstance(response, dict):
        raise Malformed("a last event without its response")
    refuse_error(response)
    return response


def reply_stream(api: Api) -> ReplyStream:
    return ChatStream() if api == "chat" else ResponsesStream()
