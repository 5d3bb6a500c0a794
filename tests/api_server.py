"""
A real HTTP server on loopback that answers as an OpenAI-compatible API, and misbehaves when told.

Shapes of the answers are those of the API (openai-python 3.54.0 types, November 2026).
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STALL_S_MAX = 30.0


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int = 0  # of the client, so the same for all of one connection

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """
    One scripted response.

    A list as `body` goes out in that many chunks. `cut` breaks the connection before the end;
    `stall` holds the rest back until the server closes; with `drop` nothing is sent at all.
    """

    status: int = 200
    body: bytes | list[bytes] = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    stall: bool = False
    drop: bool = False


Script = Reply | Callable[[Recorded], Reply]


class Http(ThreadingHTTPServer):
    """Takes as many connections at once as a server that is meant for it."""

    request_queue_size = 256
    daemon_threads = True


class ApiServer:
    """Answers from `script` in order, then with a whole and valid answer that says `text`."""

    def __init__(self) -> None:
        self.script: deque[Script] = deque()
        self.requests: list[Recorded] = []
        self.text = "A sign."
        self.closing = threading.Event()
        self.http = Http(("127.0.0.1", 0), type("", (Handler,), {"api": self}))

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.origin}/v1"

    def next_reply(self, request: Recorded) -> Reply:
        self.requests.append(request)
        step = self.script.popleft() if self.script else answer_to(request, self.text)
        return step(request) if callable(step) else step


class Handler(BaseHTTPRequestHandler):
    """Reads a request whole and sends what `api` has for it."""

    protocol_version = "HTTP/1.1"
    api: ApiServer

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body, port = self.rfile.read(length), self.client_address[1]
        if len(body) < length:  # from somebody who was killed as it went out
            self.close_connection = True
            return
        reply = self.api.next_reply(Recorded(self.command, self.path, headers, body, port))
        self.close_connection = reply.cut or reply.drop
        if not reply.drop:
            self.send_head(reply)
            self.send_body(reply)

    def do_GET(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self.do_POST()

    def send_head(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if isinstance(reply.body, list):
            self.send_header("Transfer-Encoding", "chunked")
        elif "Content-Length" not in reply.headers:
            self.send_header("Content-Length", str(len(reply.body) + reply.cut))
        self.end_headers()

    def send_body(self, reply: Reply) -> None:
        is_chunked = isinstance(reply.body, list)
        for piece in reply.body if isinstance(reply.body, list) else [reply.body]:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if is_chunked else piece)
            self.wfile.flush()
        if reply.stall:
            self.api.closing.wait(STALL_S_MAX)
        if is_chunked and not reply.cut:
            self.wfile.write(b"0\r\n\r\n")

    def handle(self) -> None:
        # A client that leaves early is part of the tests.
        with suppress(BrokenPipeError, ConnectionResetError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serve() -> Iterator[ApiServer]:
    server = ApiServer()
    thread = threading.Thread(target=server.http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.http.shutdown()
        server.http.server_close()
        thread.join()


# --- the API's own shapes -----------------------------------------------------------------------


def answer_to(request: Recorded, text: str) -> Reply:
    """Give a right answer to a right request, whole or streamed as it asks."""
    if request.path.endswith("/models"):
        return whole({"object": "list", "data": [{"id": "gpt-6-luna"}, {"id": "gpt-4o"}]})
    if request.path.endswith("/files"):
        return whole(file_object("file-1"))
    body = request.json
    is_stream = bool(body.get("stream"))
    if request.path.endswith("/responses"):
        return (
            stream_reply(response_events(text, body["model"]))
            if is_stream
            else whole(response_object(text, body["model"]))
        )
    if is_stream:
        return stream_reply(chat_events(text, body["model"]))
    return whole(chat_completion(text, body["model"]))


# High enough that no test waits for the pace. Without it a run would feel its way.
NO_LIMIT = {"x-ratelimit-limit-requests": "6000000"}


def whole(value: Any, status: int = 200, **headers: str) -> Reply:
    named = {
        "Content-Type": "application/json",
        "x-request-id": "req_test_1",
        **NO_LIMIT,
        **headers,
    }
    return Reply(status, json.dumps(value).encode(), named)


def error(
    status: int, message: str, code: str | None = None, kind: str = "", **headers: str
) -> Reply:
    inner = {
        "message": message,
        "type": kind or "invalid_request_error",
        "param": None,
        "code": code,
    }
    return whole({"error": inner}, status, **headers)


def stream_reply(events: list[str], *, cut: bool = False, stall: bool = False) -> Reply:
    named = {"Content-Type": "text/event-stream; charset=utf-8", "x-request-id": "req_test_1"}
    return Reply(200, [event.encode() for event in events], named, cut=cut, stall=stall)


def chat_completion(
    text: str | None, model: str = "gpt-6-luna", *, finish: str = "stop", refusal: str | None = None
) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1790000000,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": refusal},
                "logprobs": None,
                "finish_reason": finish,
            }
        ],
        "usage": CHAT_USAGE,
    }


CHAT_USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 20,
    "total_tokens": 1020,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 8},
}


def chat_events(text: str, model: str = "gpt-6-luna", *, finish: str = "stop") -> list[str]:
    base = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": model,
        "usage": None,
    }

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return base | {"choices": [choice]}

    words = text.split(" ")
    pieces = [word if at == 0 else f" {word}" for at, word in enumerate(words)]
    chunks = [
        chunk({"role": "assistant", "content": "", "refusal": None}),
        *(chunk({"content": piece}) for piece in pieces),
        chunk({}, finish),
        base | {"choices": [], "usage": CHAT_USAGE},
    ]
    return [f"data: {json.dumps(each)}\n\n" for each in chunks] + ["data: [DONE]\n\n"]


def file_object(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "object": "file",
        "bytes": 75,
        "created_at": 1790000000,
        "filename": "image.png",
        "purpose": "vision",
        "status": "processed",
    } | more


RESPONSE_USAGE = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 8},
    "total_tokens": 1020,
}


def response_object(
    text: str, model: str = "gpt-6-luna", *, status: str = "completed", refusal: str | None = None
) -> dict[str, Any]:
    part = (
        {"type": "refusal", "refusal": refusal}
        if refusal
        else {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    )
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": status}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1790000000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": [
            {"id": "rs_1", "type": "reasoning", "summary": []},
            message | {"content": [part]},
        ],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": RESPONSE_USAGE,
    }


def response_events(text: str, model: str = "gpt-6-luna") -> list[str]:
    place = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    begun = response_object("", model, status="in_progress") | {"output": [], "usage": None}
    pieces = [word if at == 0 else f" {word}" for at, word in enumerate(text.split(" "))]
    events = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        *(
            {"type": "response.output_text.delta", "delta": piece, "logprobs": [], **place}
            for piece in pieces
        ),
        {"type": "response.output_text.done", "text": text, "logprobs": [], **place},
        {"type": "response.completed", "response": response_object(text, model)},
    ]
    return [
        f"event: {event['type']}\ndata: {json.dumps(event | {'sequence_number': number})}\n\n"
        for number, event in enumerate(events)
    ]
