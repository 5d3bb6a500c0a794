"""
Spans by OpenTelemetry's GenAI conventions, where its package is installed; else nothing.

Source: semantic conventions for generative AI client spans, 1.37 (read November 2026). Contents are
not recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from eyeline.core.engine import Engine
from eyeline.relay import APIS
from eyeline.version import VERSION

if TYPE_CHECKING:
    from eyeline.gateway.journal import Entry


class Tracing:
    """Makes a span for each question; `engine` is where it goes."""

    def __init__(self, engine: Engine) -> None:
        address = urlsplit(engine.base_url)
        self.fixed: dict[str, Any] = {"gen_ai.provider.name": provider(engine)}
        if address.hostname:
            self.fixed["server.address"] = address.hostname
            self.fixed["server.port"] = address.port or (443 if address.scheme == "https" else 80)
        try:
            from opentelemetry import propagate, trace
        except ModuleNotFoundError:
            self.trace = None
        else:
            self.trace, self.extract = trace, propagate.extract
            self.tracer = trace.get_tracer("eyeline", VERSION)

    def span(self, entry: Entry, scope: Scope) -> AbstractContextManager[object]:
        """Give a context in which a request is one span; of other requests there is none."""
        is_question = scope["path"].removeprefix("/v1") in APIS
        if self.trace is None or not is_question:
            return nullcontext()
        return self.one(entry, Headers(scope=scope))

    @contextmanager
    def one(self, entry: Entry, headers: Mapping[str, str]) -> Iterator[None]:
        assert self.trace is not None
        with self.tracer.start_as_current_span(
            "chat",
            context=self.extract(headers),
            kind=self.trace.SpanKind.CLIENT,
            attributes={"gen_ai.operation.name": "chat", **self.fixed},
        ) as span:
            yield
            if span.is_recording():
                span.set_attributes(answer_attributes(entry))
                if entry.passed:
                    span.update_name(f"chat {entry.passed.model}")
                if entry.status >= 400:
                    span.set_status(self.trace.StatusCode.ERROR)


def provider(engine: Engine) -> str:
    if engine.is_local:
        return "eyeline"
    return "openai" if engine.needs_key else "openai_compatible"


def answer_attributes(entry: Entry) -> dict[str, Any]:
    """Give what is known once a request is over; what is not known is left out."""
    found: dict[str, Any] = {"http.response.status_code": entry.status}
    if entry.status >= 400:
        found["error.type"] = str(entry.status)
    if passed := entry.passed:
        found |= {
            "gen_ai.request.model": passed.model,
            "gen_ai.response.model": passed.answered_by or None,
            "gen_ai.usage.input_tokens": passed.usage.input_tokens,
            "gen_ai.usage.output_tokens": passed.usage.output_tokens,
            "eyeline.cached": passed.cached,
            "eyeline.image_tokens": passed.image_tokens,
            "eyeline.cost_usd": None if passed.cost_usd is None else float(passed.cost_usd),
        }
    return {name: value for name, value in found.items() if value is not None}
