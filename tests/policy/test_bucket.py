"""Permits that come evenly, and the line before them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.policy.bucket import BURST_S, Bucket


def waits_s(rate_per_s: float, *calls: tuple[float, float]) -> list[float]:
    """Give the wait of each call, of so much at such a time."""
    bucket = Bucket(rate_per_s)
    return [bucket.wait_s(bucket.take(amount, now_s), now_s) for amount, now_s in calls]


@pytest.mark.parametrize(
    ("rate_per_s", "calls", "expected"),
    [
        (1, [(1, 0.0), (1, 0.0), (1, 0.0)], [0, 1, 2]),
        (1, [(1, 0.0), (1, 5.0), (1, 5.0)], [0, 0, 0.99]),
        (10, [(30, 0.0), (1, 0.0), (1, 1.0)], [0, 3, 2.1]),
        (1000, [(1, 0.0), *[(1, 9.0)] * 12], [0] * 12 + [0.001]),
        (1, [(0, 0.0), (0, 0.0)], [0, 0]),
        (1, [(1, 100.0), (1, 90.0), (1, 101.0)], [0, 11, 1]),
    ],
)
def test_examples(
    rate_per_s: float, calls: list[tuple[float, float]], expected: list[float]
) -> None:
    """Permits come evenly, few at once after a pause; an older clock reading gains nothing."""
    assert waits_s(rate_per_s, *calls) == pytest.approx(expected)


CALLS = st.lists(st.tuples(st.integers(0, 50), st.floats(0, 5), st.floats(0, 1)), max_size=30)


@given(st.integers(1, 100), CALLS)
def test_no_more_than_the_rate_goes_through(
    rate_per_s: int, calls: list[tuple[int, float, float]]
) -> None:
    """
    In any stretch of time, from any release to any other, no more goes through than burst and rate
    allow, also when threads come with readings that are a little old.
    """
    bucket, clock_s = Bucket(rate_per_s), 0.0
    released: list[tuple[float, int]] = []
    for amount, passed_s, late_s in calls:
        clock_s += passed_s
        now_s = max(0.0, clock_s - late_s)
        place = bucket.take(amount, now_s)
        released.append((now_s + bucket.wait_s(place, now_s), amount))
    released = [each for each in released if each[1]]
    for start, (from_s, _) in enumerate(released):
        through = 0
        for until_s, amount in released[start:]:
            # What begins within its time may end after it: the next one waits for that.
            assert through <= rate_per_s * (until_s - from_s + BURST_S) + 1e-6
            through += amount


@given(st.integers(1, 100), CALLS, st.data())
def test_first_come_first_served(
    rate_per_s: int, calls: list[tuple[int, float, float]], data: st.DataObject
) -> None:
    """Whatever the rate does, and whoever leaves, nobody waits less than who came before."""
    bucket, now_s = Bucket(rate_per_s), 0.0
    line: list[tuple[float, int]] = []
    for amount, passed_s, _ in calls:
        now_s += passed_s
        line.append((bucket.take(amount, now_s), amount))
        match data.draw(st.sampled_from(["stay", "leave", "rate", "pause"])):
            case "leave":
                bucket.give_back(*line.pop(data.draw(st.integers(0, len(line) - 1))))
            case "rate":
                bucket.set_rate(data.draw(st.integers(1, 100)), now_s)
            case "pause":
                bucket.pause(now_s + 1, now_s)
        waits = [bucket.wait_s(place, now_s) for place, _ in line]
        assert waits == sorted(waits)


def test_who_leaves_lets_others_up() -> None:
    """Behind a place that was given back all move up by one, before it nobody does."""
    bucket = Bucket(1)
    places = [bucket.take(1, 0.0) for _ in range(6)]
    bucket.give_back(places[3], 1)
    bucket.give_back(places[1], 1)
    left = [places[0], places[2], places[4], places[5]]
    assert [bucket.wait_s(place, 0.0) for place in left] == pytest.approx([0, 1, 2, 3])
    assert [bucket.wait_s(place, 1.5) for place in left] == pytest.approx([0, 0, 0.5, 1.5])
    assert bucket.wait_s(bucket.take(1, 2.0), 2.0) == pytest.approx(2)
    bucket.give_back(places[5], 1)
    assert bucket.wait_s(bucket.take(1, 3.0), 3.0) == pytest.approx(1)


def test_a_new_rate_holds_for_all_who_wait() -> None:
    """Who waits already waits at the new rate, from now on."""
    bucket = Bucket(1)
    places = [bucket.take(1, 0.0) for _ in range(5)]
    bucket.set_rate(10, 1.5)
    assert [bucket.wait_s(place, 1.5) for place in places[1:]] == pytest.approx(
        [0, 0.05, 0.15, 0.25]
    )


def test_a_pause_holds_for_all() -> None:
    """Before the end of a pause nothing comes; after it things go on evenly, with no burst."""
    bucket = Bucket(10)
    places = [bucket.take(1, 0.0) for _ in range(3)]
    bucket.pause(5.0, 0.0)
    bucket.pause(4.0, 0.0)
    assert [bucket.wait_s(place, 1.0) for place in places] == pytest.approx([4, 4.1, 4.2])
    assert [bucket.wait_s(place, 5.1) for place in places] == pytest.approx([0, 0, 0.1])


def test_what_was_taken_is_corrected() -> None:
    """Who took more than was held makes the next wait, who took less lets them go earlier."""
    bucket = Bucket(10)
    bucket.take(10, 0.0)
    place = bucket.take(1, 0.0)
    assert bucket.wait_s(place, 0.0) == pytest.approx(1)
    bucket.correct(5)
    assert bucket.wait_s(place, 0.0) == pytest.approx(1.5)
    bucket.correct(-8)
    assert bucket.wait_s(place, 0.0) == pytest.approx(0.7)
