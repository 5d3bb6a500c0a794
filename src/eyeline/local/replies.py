"""Answers in the API's own shapes: chat completions and responses, whole or as events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MODEL = "reader"

Fields = dict[str, Any]

CHAT_USAGE = {
    "prompt_tokens": 0,
    "completion_tokens": 0,
    "total_tokens": 0,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}

RESPONSES_USAGE = {
    "input_tokens": 0,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 0,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer's text, and what names it; `id` is unique to the request, without a prefix."""

    text: str
    id: str
    created_s: int


def to_json(value: Fields) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def pieces(text: str) -> list[str]:
    """Cut `text` into words, each with the space behind it; joined they are `text` again."""
    return re.findall(r"\s*\S+\s*|\s+", text)


def error(message: str, param: str | None, code: str | None) -> bytes:
    fields = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return to_json({"error": fields})


# --- chat completions ---------------------------------------------------------------------------


def chat(reply: Reply) -> bytes:
    """Give the answer as a whole chat completion."""
    message: Fields = {
        "role": "assistant",
        "content": reply.text,
        "refusal": None,
        "annotations": [],
    }
    choice: Fields = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return to_json(chat_frame(reply, "chat.completion", [choice]) | {"usage": CHAT_USAGE})


def chat_frame(reply: Reply, kind: str, choices: list[Fields]) -> Fields:
    return {
        "id": f"chatcmpl-{reply.id}",
        "object": kind,
        "created": reply.created_s,
        "model": MODEL,
        "choices": choices,
        "service_tier": "default",
        "system_fingerprint": None,
    }


def chat_events(reply: Reply, *, include_usage: bool) -> Iterator[bytes]:
    """Give the answer as chunks, a word each; the last holds the usage if that was asked for."""
    yield chat_chunk(
        reply, {"role": "assistant", "content": "", "refusal": None}, None, include_usage
    )
    for piece in pieces(reply.text):
        yield chat_chunk(reply, {"content": piece}, None, include_usage)
    yield chat_chunk(reply, {}, "stop", include_usage)
    if include_usage:
        yield data_event(chat_frame(reply, "chat.completion.chunk", []) | {"usage": CHAT_USAGE})
    yield b"data: [DONE]\n\n"


def chat_chunk(reply: Reply, delta: Fields, finish: str | None, include_usage: bool) -> bytes:
    choice: Fields = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    frame = chat_frame(reply, "chat.completion.chunk", [choice])
    return data_event(frame | {"usage": None} if include_usage else frame)


def data_event(fields: Fields) -> bytes:
    return b"data: " + to_json(fields) + b"\n\n"


# --- responses ----------------------------------------------------------------------------------


def responses(reply: Reply) -> bytes:
    """Give the answer as a whole response."""
    return to_json(response_object(reply, "completed"))


def response_object(reply: Reply, status: str) -> Fields:
    is_done = status == "completed"
    return {
        "id": f"resp_{reply.id}",
        "object": "response",
        "created_at": reply.created_s,
        "completed_at": reply.created_s if is_done else None,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": MODEL,
        "output": [message_item(reply, "completed")] if is_done else [],
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
        "usage": RESPONSES_USAGE if is_done else None,
        "user": None,
    }


def message_item(reply: Reply, status: str) -> Fields:
    content = [text_part(reply.text)] if status == "completed" else []
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
    yield "response.created", {"response": response_object(reply, "in_progress")}
    yield "response.in_progress", {"response": response_object(reply, "in_progress")}
    yield "response.output_item.added", {**item, "item": message_item(reply, "in_progress")}
    yield "response.content_part.added", {**part, "part": text_part("")}
    for piece in pieces(reply.text):
        yield "response.output_text.delta", {**part, "delta": piece, "logprobs": []}
    yield "response.output_text.done", {**part, "text": reply.text, "logprobs": []}
    yield "response.content_part.done", {**part, "part": text_part(reply.text)}
    yield "response.output_item.done", {**item, "item": message_item(reply, "completed")}
    yield "response.completed", {"response": response_object(reply, "completed")}
