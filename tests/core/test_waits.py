"""How long an engine asks us to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.waits import duration_s, retry_after_s

DATE = "Sun, 22 Nov 2026 14:00:00 GMT"
TPM = "Rate limit reached for gpt-4o-mini on tokens per min (TPM): Limit 200000, Used 195869."


@pytest.mark.parametrize(
    ("headers", "message", "expected"),
    [
        ({}, "", None),
        ({"retry-after-ms": "1500"}, "", 1.5),
        ({"retry-after-ms": "0"}, "", 0.0),
        ({"retry-after-ms": "84.5"}, "", 0.0845),
        ({"retry-after-ms": "20", "retry-after": "9"}, "try again in 3s", 0.02),
        ({"retry-after-ms": "soon", "retry-after": "9"}, "", 9.0),
        ({"retry-after": "7"}, "try again in 84ms", 7.0),
        ({"retry-after": " 7 "}, "", 7.0),
        ({"retry-after": "0.25"}, "", 0.25),
        ({"retry-after": "-1"}, "", None),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "5\x1f"}, "", 5.0),
        ({"retry-after": "soon"}, "Please try again in 2s.", 2.0),
        ({"retry-after": "Sun, 22 Nov 2026 14:00:30 GMT", "date": DATE}, "", 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 13:00:00 GMT", "date": DATE}, "", None),
        ({"retry-after": "Sun, 22 Nov 2026 15:00:30 +0100", "date": DATE}, "", 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 14:00:30 GMT"}, "", None),
        ({"retry-after": "Sun, 22 Nov 2026 14:00:30 GMT"}, "try again in 5s", 5.0),
        ({"retry-after": "Sun, 22 Nov 2026 14:00:30", "date": DATE}, "", None),
        ({"retry-after": "Sun, 22 Nov 2026 14:00:30 +99999999999999", "date": DATE}, "", None),
        ({}, f"{TPM} Please try again in 84ms. Visit https://…", 0.084),
        ({}, f"{TPM} Please try again in 1.5s.", 1.5),
        ({}, f"{TPM} Please try again in 6m0s.", 360.0),
        ({}, f"{TPM} Please try again in 2m52.8s.", 172.8),
        ({}, f"{TPM} Please try again in 1h0m0s.", 3600.0),
        ({}, "Try again in 3s", 3.0),
        ({}, "You have exceeded the token rate limit. Please retry after 7 seconds.", 7.0),
        ({}, "Please try again in 1 second.", 1.0),
        ({}, "Please retry after 0 seconds.", 0.0),
        ({}, "retry after lunch", None),
        ({}, "try again in a while", None),
        ({}, "try again in 5 minutes", None),
        ({}, "try again in ...s", None),
    ],
)
def test_every_form(headers: dict[str, str], message: str, expected: float | None) -> None:
    """Milliseconds come first, then seconds or a date, then the words of the message."""
    assert retry_after_s(headers, message) == (
        expected if expected is None else pytest.approx(expected)
    )


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59_999))
def test_a_go_duration_is_read_as_it_is_written(hours: int, minutes: int, ms: int) -> None:
    """Hours, minutes, seconds and fractions of them add up."""
    text = f"{hours}h{minutes}m{ms / 1000}s"
    assert duration_s(text) == pytest.approx(hours * 3600 + minutes * 60 + ms / 1000)


HEADER = st.one_of(
    st.text(max_size=40), st.from_regex(r"[A-Z][a-z]{2}, \d+ Nov \d+ \d+:\d+ [+-]\d+")
)


@given(HEADER, HEADER, HEADER, st.text(max_size=40).map("try again in {}".format))
def test_no_header_is_an_error(after_ms: str, after: str, date: str, message: str) -> None:
    """Whatever the headers say, the wait is a number of seconds or none."""
    headers = {"retry-after-ms": after_ms, "retry-after": after, "date": date}
    wait_s = retry_after_s(headers, message)
    assert wait_s is None or wait_s >= 0
