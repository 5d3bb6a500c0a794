"""How long an engine asks us to wait, in seconds, from its headers or its words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

TRY_AGAIN = re.compile(
    r"(?:try again in|retry after) ((?:\d+(?:\.\d+)?(?:ms|h|m|s))+|\d+(?= seconds?\b))",
    re.IGNORECASE,
)
DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def retry_after_s(headers: Mapping[str, str], message: str) -> float | None:
    """
    Give the wait the engine asks for: `retry-after-ms`, then `Retry-After`, then "try again in
    84ms", or Azure's "retry after 7 seconds".

    A `Retry-After` date counts from the response's own `Date`, so no clock is needed. None if it
    asks for nothing.
    """
    milliseconds = number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    given = headers.get("retry-after", "")
    seconds = number(given)
    if seconds is not None:
        return seconds
    asked = TRY_AGAIN.search(message)
    return date_difference_s(headers.get("date", ""), given) or (
        (number(asked[1]) or duration_s(asked[1])) if asked else None
    )


def number(text: str) -> float | None:
    bare = text.strip()
    return float(bare) if re.fullmatch(r"\d+(\.\d+)?", bare) else None


def duration_s(text: str) -> float:
    """Read a Go duration, as in `2m52.8s` or `84ms`."""
    return sum(float(value) * SECONDS[unit] for value, unit in DURATION_PART.findall(text.lower()))


def date_difference_s(start: str, end: str) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None
