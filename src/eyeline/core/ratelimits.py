"""
What a server says of its rate limits, in the `x-ratelimit-*` headers of each response.

Source: OpenAI rate limit guide (August 2026): limits are a minute's, `reset` is the time until
all of it is there again, as a Go duration. Azure sends whole seconds, and may send a negative
`remaining`; Groq sends a day's requests under the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eyeline.core.waits import duration_s, number

PREFIX = "x-ratelimit-limit-"
# A minute's limit is whole again within a minute; what takes longer is a day's, and no pace.
RESET_S_MAX = 90.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """A minute's limit, and what is left of it now; below 0 where more was taken."""

    per_min: float
    remaining: float


@dataclass(frozen=True, slots=True)
class Allowances:
    """The limits of one model under one key; None where the server names none."""

    requests: Allowance | None = None
    tokens: Allowance | None = None


def read_allowances(headers: Mapping[str, str]) -> Allowances | None:
    """Read the limits a response names; None where it names none. Names are in lower case."""
    if not any(name.startswith(PREFIX) for name in headers):
        return None
    requests = read_allowance(headers, "requests")
    tokens = [
        each
        for each in (read_allowance(headers, "tokens"), read_allowance(headers, "project-tokens"))
        if each
    ]
    if not requests and not tokens:
        return None
    return Allowances(requests, min(tokens, key=lambda each: each.per_min, default=None))


def read_allowance(headers: Mapping[str, str], kind: str) -> Allowance | None:
    """Read one limit; what is no number, or not of a minute, is as if it were not there."""
    limit = number(headers.get(PREFIX + kind, ""))
    if not limit or reset_s(headers.get(f"x-ratelimit-reset-{kind}", "")) > RESET_S_MAX:
        return None
    given = headers.get(f"x-ratelimit-remaining-{kind}", "").strip()
    left = number(given.removeprefix("-"))
    if left is None:
        return Allowance(limit, limit)
    return Allowance(limit, -left if given.startswith("-") else left)


def reset_s(text: str) -> float:
    """Read a Go duration (`1h2m3.5s`, `6ms`), or seconds as Azure writes them; else 0."""
    seconds = number(text)
    return duration_s(text) if seconds is None else seconds
