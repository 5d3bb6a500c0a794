"""How many requests are worth having in flight."""

from __future__ import annotations

import heapq
import random

import pytest

from eyeline.policy.window import IN_FLIGHT_AT_FIRST, IN_FLIGHT_MAX, Window


def keep_busy(window: Window, slots: int, seconds: float, latency_s: float = 1.0) -> list[int]:
    """
    Ask as many at once as the window has, of a server that works on so many at a time and has the
    others wait; give the sizes on the way.
    """
    sizes, free_s, due, now_s = [], [0.0] * slots, list[float](), 0.0
    chance = random.Random(1)
    while now_s < seconds:
        while len(due) < window.size:
            begin_s = max(now_s, heapq.heappop(free_s))
            end_s = begin_s + latency_s * chance.uniform(0.5, 1.5)
            heapq.heappush(free_s, end_s)
            heapq.heappush(due, end_s)
        now_s = heapq.heappop(due)
        window.answer(now_s, has_waited=False)
        sizes.append(window.size)
    return sizes


def test_it_grows_while_that_brings_more() -> None:
    """Against a server that takes any number it doubles with each round trip, up to its most."""
    window = Window()
    sizes = keep_busy(window, 4 * IN_FLIGHT_MAX, 9.0)
    assert sizes[0] == IN_FLIGHT_AT_FIRST + 1
    assert window.size == IN_FLIGHT_MAX


@pytest.mark.parametrize("slots", [4, 20, 50])
def test_it_stops_where_others_only_wait(slots: int) -> None:
    """A server with so many slots is kept busy, and not flooded."""
    sizes = keep_busy(Window(), slots, 200.0)
    assert max(sizes) <= 8 * max(slots, IN_FLIGHT_AT_FIRST)
    assert sum(size >= slots for size in sizes[len(sizes) // 4 :]) >= 0.9 * len(sizes) * 3 / 4


def test_it_stays_while_the_pace_decides() -> None:
    """Where requests wait for the pace, more in flight would only wait with them."""
    window = Window()
    for at_s in range(100):
        window.answer(at_s, has_waited=True)
    assert window.size == IN_FLIGHT_AT_FIRST


def test_answers_of_one_moment_are_no_measure() -> None:
    """A clock that stood still measures nothing."""
    window = Window()
    for _ in range(100):
        window.answer(1.0, has_waited=False)
    assert window.before is None
