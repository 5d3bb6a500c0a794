"""
For tests, ours and yours: a transport that answers from a script, a clock that stands still, tiny
images.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from eyeline.core.catalogue import find
from eyeline.core.dataurl import decode_data_url
from eyeline.core.media import read_info
from eyeline.core.wire import Request, Response


class FakeTransport:
    """
    Answers each request with the next step of a script: text, a Response, or an exception to raise.

    Text becomes a whole or streamed answer in the shape of the API that was asked. What was sent is
    in `requests`. Running past the script is an AssertionError.
    """

    def __init__(self, *script: str | Response | Exception) -> None:
        self.script = deque(script)
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        step = self.take(request)
        return whole(request, step) if isinstance(step, str) else step

    def open(self, request: Request) -> FakeStream:
        step = self.take(request)
        return FakeStream(streamed(request, step) if isinstance(step, str) else step)

    def close(self) -> None:
        pass

    def take(self, request: Request) -> str | Response:
        self.requests.append(request)
        assert self.script, f"a request past the script: {request}"
        step = self.script.popleft()
        if isinstance(step, Exception):
            raise step
        return step


class FakeStream:
    """A response read in small pieces, so that events arrive cut."""

    def __init__(self, response: Response, piece_bytes: int = 7) -> None:
        self.status, self.headers = response.status, response.headers
        body = response.body
        self.pieces = iter([body[at : at + piece_bytes] for at in range(0, len(body), piece_bytes)])
        self.is_closed = False

    def read(self) -> bytes:
        return next(self.pieces, b"")

    def close(self) -> None:
        self.is_closed = True


def whole(request: Request, text: str) -> Response:
    """Give a whole answer in the shape of the API that `request` asks."""
    model, billed = model_of(request), input_tokens(request)
    make = chat_object if is_chat(request) else response_object
    body = json.dumps(make(model, text, billed)).encode()
    return Response(200, {"content-type": "application/json"}, body)


def streamed(request: Request, text: str) -> Response:
    """Give a streamed answer in the shape of the API that `request` asks."""
    make = chat_events if is_chat(request) else response_events
    events = make(model_of(request), text, input_tokens(request))
    body = b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events)
    return Response(200, {"content-type": "text/event-stream"}, body + b"data: [DONE]\n\n")


def model_of(request: Request) -> str:
    return str(json.loads(request.body).get("model", ""))


def input_tokens(request: Request) -> int:
    """Count what an engine bills that looks at the images: by the catalogue, 100 at least."""
    rule = find(model_of(request)).rule
    images = re.findall(rb'"(data:image/[^"]*)"', request.body)
    sizes = (read_info(decode_data_url(url.decode(), "image"), "image").size for url in images)
    return max(100, sum(rule.tokens(size, "high") for size in sizes) if rule else 0)


def is_chat(request: Request) -> bool:
    return request.path == "/chat/completions"


def chat_object(model: str, text: str, billed: int = 100) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": billed, "completion_tokens": 10, "total_tokens": billed + 10}
    return {"object": "chat.completion", "model": model, "choices": [choice], "usage": usage}


def chat_events(model: str, text: str, billed: int) -> Iterator[Mapping[str, Any]]:
    head = {"object": "chat.completion.chunk", "model": model}
    for piece in pieces_of(text):
        delta = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
        yield head | {"choices": [delta]}
    yield head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield head | {"choices": [], "usage": chat_object(model, text, billed)["usage"]}


def response_object(model: str, text: str, billed: int = 100) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {"type": "message", "role": "assistant", "content": [part]}
    usage = {"input_tokens": billed, "output_tokens": 10, "total_tokens": billed + 10}
    return {
        "object": "response",
        "status": "completed",
        "model": model,
        "output": [message],
        "usage": usage,
    }


def response_events(model: str, text: str, billed: int) -> Iterator[Mapping[str, Any]]:
    for piece in pieces_of(text):
        yield {"type": "response.output_text.delta", "delta": piece}
    yield {"type": "response.completed", "response": response_object(model, text, billed)}


def pieces_of(text: str) -> Iterable[str]:
    """Cut a text after each space."""
    return (piece for piece in text.replace(" ", " \0").split("\0") if piece)


class ManualClock:
    """A clock that moves only when somebody sleeps on it; its readings are seconds."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s
        self.slept_s: list[float] = []

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


def tiny_png(
    width_px: int = 2, height_px: int = 2, rgb: tuple[int, int, int] = (200, 30, 30)
) -> bytes:
    """Give a whole PNG of one colour, made without any image library."""
    row = b"\0" + bytes(rgb) * width_px
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(row * height_px)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
