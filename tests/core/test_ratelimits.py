"""What a server says of its rate limits."""

from __future__ import annotations

import pytest

from eyeline.core.ratelimits import Allowance, Allowances, read_allowances, reset_s


def headers(**values: str) -> dict[str, str]:
    return {f"x-ratelimit-{name.replace('_', '-')}": value for name, value in values.items()}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"content-type": "application/json"}, None),
        (headers(limit_requests="many"), None),
        (headers(limit_requests="0"), None),
        (headers(limit_input_images="50"), None),
        (headers(limit_requests="500"), Allowances(Allowance(500, 500))),
        (
            headers(limit_requests="500", remaining_requests="499", reset_requests="120ms"),
            Allowances(Allowance(500, 499)),
        ),
        (
            headers(limit_tokens="200000", remaining_tokens="150000", reset_tokens="15s"),
            Allowances(tokens=Allowance(200_000, 150_000)),
        ),
        (
            headers(limit_requests="60", remaining_requests="-3", reset_requests="7"),
            Allowances(Allowance(60, -3)),
        ),
        (
            headers(limit_requests="14400", remaining_requests="14370", reset_requests="2m59.56s"),
            None,
        ),
        (
            headers(limit_tokens="1000", limit_project_tokens="400", remaining_project_tokens="9"),
            Allowances(tokens=Allowance(400, 9)),
        ),
        (
            headers(limit_tokens="1000", limit_project_tokens="4000"),
            Allowances(tokens=Allowance(1000, 1000)),
        ),
        (headers(limit_requests="5", remaining_requests="?"), Allowances(Allowance(5, 5))),
    ],
)
def test_examples(given: dict[str, str], expected: Allowances | None) -> None:
    """
    Limits of a minute are read, of tokens the stricter; a day's limit is no pace, and nonsense is
    nothing.
    """
    assert read_allowances(given) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h2m3.5s", 3723.5),
        ("6ms", 0.006),
        ("6m0s", 360),
        ("2m52.8s", 172.8),
        ("17", 17),
        ("0.5", 0.5),
        ("", 0),
        ("soon", 0),
    ],
)
def test_when_a_limit_is_whole_again(text: str, seconds: float) -> None:
    """Go's durations and Azure's plain seconds are read alike."""
    assert reset_s(text) == pytest.approx(seconds)
