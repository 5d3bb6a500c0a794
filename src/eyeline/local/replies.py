"""Answers in the API's own shapes: chat completions and responses, whole or as events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

MODEL = "reader"

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an answer took, of input in images and in text, and of output."""

    image: int = 0
    text: int = 0
    output: int = 0

    @property
    def input(self) -> int:
        return self.image + self.text

    def chat(self) -> Fields:
        return {
            "prompt_tokens": self.input,
            "completion_tokens": self.output,
            "total_tokens": self.input + self.output,
            "prompt_tokens_details": {
                "cached_tokens": 0,
                "audio_tokens": 0,
                "image_tokens": self.image,
                "text_tokens": self.text,
            },
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    def responses(self) -> Fields:
        return {
            "input_tokens": self.input,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": self.output,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": self.input + self.output,
        }


@dataclass(frozen=True, slots=True)
class Reply:
    """
    An answer's text, and what names it; `id` is unique to the request, without a prefix.

    `echo` are fields of the request that a response repeats, `choices` how often Chat gives it.
    """

    text: str
    id: str
    created_s: int
    model: str = MODEL
    tokens: Tokens = Tokens()
    finish: Literal["stop", "length"] = "stop"
    echo: Mapping[str, Any] = field(default_factory=dict)
    choices: int = 1


def to_json(value: Fields) -> bytes:
    """Give it in UTF-8; half a character, which a client's JSON may hold, has no bytes there."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def pieces(text: str) -> list[str]:
    """Cut `text` into words, each with the space behind it; joined they are `text` again."""
    return re.findall(r"\s*\S+\s*|\s+", text)


def error(message: str, param: str | None, code: str | None) -> bytes:
    fields = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return to_json({"error": fields})


# --- chat completions ---------------------------------------------------------------------------


def chat(reply: Reply) -> bytes:
    """Give the answer as a whole chat completion."""
    choices = [chat_choice(reply, at) for at in range(reply.choices)]
    return to_json(chat_frame(reply, "chat.completion", choices) | {"usage": reply.tokens.chat()})


def chat_choice(reply: Reply, at: int) -> Fields:
    message: Fields = {
        "role": "assistant",
        "content": reply.text,
        "refusal": None,
        "annotations": [],
    }
    return {"index": at, "message": message, "logprobs": None, "finish_reason": reply.finish}


def chat_frame(reply: Reply, kind: str, choices: list[Fields]) -> Fields:
    return {
        "id": f"chatcmpl-{reply.id}",
        "object": kind,
        "created": reply.created_s,
        "model": reply.model,
        "choices": choices,
        "service_tier": "default",
        "system_fingerprint": None,
    }


def chat_events(reply: Reply, *, include_usage: bool) -> Iterator[bytes]:
    """Give the answer as chunks, a word each; the last holds the usage if that was asked for."""
    for at in range(reply.choices):
        for delta, finish in chat_deltas(reply):
            choice = {"index": at, "delta": delta, "logprobs": None, "finish_reason": finish}
            frame = chat_frame(reply, "chat.completion.chunk", [choice])
            yield data_event(frame | {"usage": None} if include_usage else frame)
    if include_usage:
        usage = {"usage": reply.tokens.chat()}
        yield data_event(chat_frame(reply, "chat.completion.chunk", []) | usage)
    yield b"data: [DONE]\n\n"


def chat_deltas(reply: Reply) -> Iterator[tuple[Fields, str | None]]:
    yield {"role": "assistant", "content": "", "refusal": None}, None
    for piece in pieces(reply.text):
        yield {"content": piece}, None
    yield {}, reply.finish


def data_event(fields: Fields) -> bytes:
    return b"data: " + to_json(fields) + b"\n\n"


# --- responses ----------------------------------------------------------------------------------


def responses(reply: Reply) -> bytes:
    """Give the answer as a whole response."""
    return to_json(response_object(reply, ended(reply)))


def ended(reply: Reply) -> str:
    return "completed" if reply.finish == "stop" else "incomplete"


def response_object(reply: Reply, status: str) -> Fields:
    is_over = status != "in_progress"
    is_cut = status == "incomplete"
    return {
        "id": f"resp_{reply.id}",
        "object": "response",
        "created_at": reply.created_s,
        "completed_at": reply.created_s if is_over else None,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": reply.model,
        "output": [message_item(reply, status)] if is_over else [],
        "parallel_tool_calls": False,
        "previous_response_id": None,
        "reasoning": None,
        "store": False,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "none",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": reply.tokens.responses() if is_over else None,
        "user": None,
        **reply.echo,
    }


def message_item(reply: Reply, status: str) -> Fields:
    content = [] if status == "in_progress" else [text_part(reply.text)]
    return {
        "id": f"msg_{reply.id}",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": content,
    }


def text_part(text: str) -> Fields:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def response_events(reply: Reply) -> Iterator[bytes]:
    """Give the answer as the event sequence of a response, numbered from 0."""
    for number, (kind, fields) in enumerate(response_steps(reply)):
        event = {"type": kind, "sequence_number": number, **fields}
        yield b"event: " + kind.encode() + b"\n" + data_event(event)


def response_steps(reply: Reply) -> Iterator[tuple[str, Fields]]:
    """Give type and fields of each event: the response, its item, its part, and the text."""
    item = {"output_index": 0}
    part = {"item_id": f"msg_{reply.id}", "output_index": 0, "content_index": 0}
    status = ended(reply)
    yield "response.created", {"response": response_object(reply, "in_progress")}
    yield "response.in_progress", {"response": response_object(reply, "in_progress")}
    yield "response.output_item.added", {**item, "item": message_item(reply, "in_progress")}
    yield "response.content_part.added", {**part, "part": text_part("")}
    for piece in pieces(reply.text):
        yield "response.output_text.delta", {**part, "delta": piece, "logprobs": []}
    yield "response.output_text.done", {**part, "text": reply.text, "logprobs": []}
    yield "response.content_part.done", {**part, "part": text_part(reply.text)}
    yield "response.output_item.done", {**item, "item": message_item(reply, status)}
    yield f"response.{status}", {"response": response_object(reply, status)}
