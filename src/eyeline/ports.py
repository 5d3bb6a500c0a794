"""
What the outside must offer, as Protocols; adapters and local engines satisfy them without inheriting.

A transport raises `ConnectionFailed` or `TimedOut` and nothing else: every HTTP status, 500 too,
is a response, and what it means is decided in the flow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from eyeline.core.wire import Request, Response


class ResponseStream(Protocol):
    """A response whose body is read piece by piece."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]:
        """Header names are in lower case."""
    def read(self) -> bytes:
        """Give the next bytes as soon as any are there; `b""` only at the end."""
    def close(self) -> None:
        """Let go of the connection, also before the end; calling it twice is harmless."""


class Transport(Protocol):
    """Carries requests to one engine, blocking; safe to share between threads."""

    def send(self, request: Request) -> Response: ...
    def open(self, request: Request) -> ResponseStream: ...
    def close(self) -> None: ...
