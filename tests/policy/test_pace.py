"""Requests and tokens a minute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.policy.pace import Pace, TokenBucket


@pytest.mark.parametrize(
    ("per_minute", "calls", "waits_s"),
    [
        (60, [(1, 0.0), (1, 0.0), (1, 0.0)], [0, 1, 2]),
        (60, [(1, 0.0), (1, 5.0), (1, 5.0)], [0, 0, 1]),
        (600, [(10, 0.0), (10, 0.0)], [0, 1]),
        (600, [(30, 0.0), (1, 0.0)], [2, 2.1]),
        (3, [(1, 0.0), (1, 0.0), (1, 40.0)], [0, 20, 0]),
        (60, [(0, 0.0), (0, 0.0)], [0, 0]),
        (60, [(1, 100.0), (1, 90.0), (1, 101.0)], [0, 11, 1]),
    ],
)
def test_examples(
    per_minute: float, calls: list[tuple[float, float]], waits_s: list[float]
) -> None:
    """A second's worth goes at once, the rest in order; an older clock reading gains nothing."""
    bucket = TokenBucket(per_minute)
    assert [bucket.reserve(*call) for call in calls] == pytest.approx(waits_s)


CALLS = st.lists(st.tuples(st.integers(0, 50), st.floats(0, 5), st.floats(0, 1)), max_size=30)


@given(st.integers(1, 6000), CALLS)
def test_no_more_than_burst_and_rate_go_through(
    per_minute: int, calls: list[tuple[int, float, float]]
) -> None:
    """
    In any stretch of time, from any release to any other, no more goes through than the burst and
    the rate allow, also when threads come with readings that are a little old.
    """
    bucket, clock_s = TokenBucket(per_minute), 0.0
    released: list[tuple[float, int]] = []
    for amount, passed_s, late_s in calls:
        clock_s += passed_s
        now_s = max(0.0, clock_s - late_s)
        released.append((now_s + bucket.reserve(amount, now_s), amount))
    released = [each for each in released if each[1]]
    for start, (from_s, _) in enumerate(released):
        through = 0
        for until_s, amount in released[start:]:
            through += amount
            # What came first may be larger than the burst: it has waited for that before.
            allowed = max(bucket.burst, released[start][1]) + bucket.rate_per_s * (until_s - from_s)
            assert through <= allowed + 1e-6


@given(st.integers(1, 6000), CALLS)
def test_first_come_first_served(per_minute: int, calls: list[tuple[int, float, float]]) -> None:
    """Who reserves later is never released earlier than somebody still waiting."""
    bucket, clock_s, last_s = TokenBucket(per_minute), 0.0, 0.0
    for amount, passed_s, _ in calls:
        clock_s += passed_s
        wait_s = bucket.reserve(amount, clock_s)
        assert wait_s >= 0
        if wait_s:
            assert clock_s + wait_s >= last_s - 1e-6
            last_s = clock_s + wait_s


@pytest.mark.parametrize(
    ("requests", "tokens", "second_wait_s"),
    [(None, None, 0), (60, None, 1), (None, 60_000, 1), (60, 30_000, 3), (30, 60_000, 2)],
)
def test_the_stricter_limit_holds(
    requests: float | None, tokens: float | None, second_wait_s: float
) -> None:
    """The longer of the two waits counts; no limit is no wait."""
    pace = Pace(requests, tokens)
    pace.reserve(1000, 0.0)
    assert pace.reserve(1000, 0.0) == pytest.approx(second_wait_s)
