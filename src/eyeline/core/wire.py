"""What crosses the wire: a request ready to send, and the response as it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """
    One POST, whole: the transport adds the base URL and the key, and changes nothing.

    `path` is relative to the base URL (`/chat/completions`, `/responses`); `body` is JSON in
    UTF-8, made once and replayed on every retry. `headers` are further ones, if any.
    """

    path: str
    body: bytes = field(repr=False)
    stream: bool
    timeout_s: float
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """One whole HTTP response; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def lower_names(headers: Mapping[str, str]) -> dict[str, str]:
    """Give headers under lower-case names, as every reader of a response expects them."""
    return {name.lower(): value for name, value in headers.items()}
