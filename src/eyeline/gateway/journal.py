"""
What is written down of each request: a line for the log, numbers for /metrics, a span for a trace.

Never what stood in it: no body, no header but ids, no query.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_tb
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eyeline.core.failure import redact
from eyeline.gateway.metrics import Metrics
from eyeline.gateway.refusals import Refused
from eyeline.gateway.tracing import Tracing
from eyeline.relay import Passed

logger = logging.getLogger("eyeline.gateway")
access = logging.getLogger("eyeline.gateway.access")

ENTRY = "eyeline.entry"
GONE = 499


@dataclass(slots=True)
class Entry:
    """One request, as far as it is known; times on a clock that only goes forward."""

    method: str
    path: str
    client: str
    started_s: float = field(default_factory=time.monotonic)
    first_s: float | None = None
    ended_s: float = 0.0
    status: int = GONE
    sent_bytes: int = 0
    request_id: str = ""
    api: str = ""
    passed: Passed | None = None

    def line(self) -> dict[str, Any]:
        """Give the fields of a line in the access log."""
        first_s = self.ended_s if self.first_s is None else self.first_s
        made: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "client": self.client,
            "method": self.method,
            "path": redact(self.path),
            "status": self.status,
            "first_ms": round((first_s - self.started_s) * 1000, 1),
            "ms": round((self.ended_s - self.started_s) * 1000, 1),
            "sent_bytes": self.sent_bytes,
        }
        if self.request_id:
            made["request_id"] = self.request_id
        return made | (answer_fields(self.passed) if self.passed else {})


def answer_fields(passed: Passed) -> dict[str, Any]:
    cost = passed.cost_usd
    return {
        "model": redact(passed.model),
        "cached": passed.cached,
        "image_tokens": passed.image_tokens,
        "input_tokens": passed.usage.input_tokens,
        "output_tokens": passed.usage.output_tokens,
        "cost_usd": None if cost is None else float(cost),
    }


def entry_of(scope: Scope) -> Entry:
    entry: Entry = scope[ENTRY]
    return entry


class Journal:
    """Writes down every request, and turns a fault of ours into a response that says so."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tracing: Tracing) -> None:
        self.app, self.metrics, self.tracing = app, metrics, tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        client = scope["client"][0] if scope.get("client") else ""
        entry = scope[ENTRY] = Entry(scope["method"], scope["path"], client)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                entry.request_id = request_id(message["headers"])
                entry.first_s = time.monotonic()
            else:
                entry.sent_bytes += len(message.get("body", b""))
            await send(message)

        self.metrics.begin()
        try:
            with self.tracing.span(entry, scope):
                await self.guarded(scope, receive, noting, entry)
        finally:
            entry.ended_s = time.monotonic()
            self.metrics.end(entry)
            if access.isEnabledFor(logging.INFO):
                access.info(orjson.dumps(entry.line()).decode())

    async def guarded(self, scope: Scope, receive: Receive, send: Send, entry: Entry) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            logger.exception("%s %s: %s", entry.method, redact(entry.path), named(error))
            if entry.first_s is None:
                said = Refused(500, "The gateway failed; its log says how.", "internal_error")
                await said.response()(scope, receive, send)


def named(error: Exception) -> str:
    """Say what went wrong and where, for a log that shows no more than a line."""
    frame = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"


def request_id(headers: Any) -> str:
    for name, value in headers:
        if name == b"x-request-id":
            return str(value, "latin-1")
    return ""
