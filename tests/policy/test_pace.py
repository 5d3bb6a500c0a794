"""Requests and tokens a minute, set by hand or named by the server."""

from __future__ import annotations

import pytest

from eyeline.core.ratelimits import Allowance, Allowances
from eyeline.policy.pace import SHARE, WAIT_S_MAX, Pace, Turn


def reserve(pace: Pace, tokens: int = 100, now_s: float = 0.0) -> Turn:
    return pace.reserve(tokens, None, now_s)


def waits_s(pace: Pace, count: int, tokens: int = 100) -> list[float]:
    return [reserve(pace, tokens).wait_s for _ in range(count)]


def named(per_min: float, remaining: float = 1000) -> Allowances:
    return Allowances(Allowance(per_min, remaining))


@pytest.mark.parametrize(
    ("requests", "tokens", "second_wait_s"),
    [(None, None, 0), (600, None, 0.1), (None, 600_000, 0.1), (600, 300_000, 0.2),
     (300, 600_000, 0.2)],
)  # fmt: skip
def test_the_stricter_limit_holds(
    requests: float | None, tokens: float | None, second_wait_s: float
) -> None:
    """The longer of the two waits counts; no limit is no wait."""
    assert waits_s(Pace(requests, tokens), 2, 1000) == pytest.approx([0, second_wait_s])


def test_who_waits_looks_again() -> None:
    """A long wait is waited for in pieces, its place kept, and ends when it is due."""
    pace = Pace(requests_per_min=6)
    reserve(pace)
    turn = reserve(pace)
    assert turn.wait_s == WAIT_S_MAX
    for now_s, wait_s in [(9.5, 0.5), (9.9, 0.1), (9.9997, 0.0), (12.0, 0.0)]:
        turn = pace.reserve(100, turn, now_s)
        assert (turn.wait_s, turn.at_s) == pytest.approx((wait_s, now_s))
    assert pace.reserve(100, None, 12.0).wait_s == WAIT_S_MAX


def test_a_named_limit_is_kept_to() -> None:
    """What a server names is paced by, a little below; who waits follows when it changes."""
    pace = Pace()
    assert reserve(pace).wait_s == 0
    pace.heed(named(600), 0.0)
    assert waits_s(pace, 2) == pytest.approx([0, 0.1 / SHARE])
    turn = reserve(pace)
    pace.heed(named(6000), 0.0)
    assert pace.reserve(100, turn, 0.0).wait_s == pytest.approx(0.02 / SHARE)
    pace.heed(named(6000), 0.0)
    assert pace.reserve(100, turn, 0.0).wait_s == pytest.approx(0.02 / SHARE)


def test_tokens_are_named_too() -> None:
    """The limit of tokens is followed beside that of requests."""
    pace = Pace()
    pace.heed(Allowances(tokens=Allowance(60_000, 60_000)), 0.0)
    assert waits_s(pace, 2, tokens=485) == pytest.approx([0, 0.5])


def test_what_is_set_by_hand_stands() -> None:
    """A server's own word does not change what the user has set."""
    pace = Pace(requests_per_min=600)
    pace.heed(named(6000), 0.0)
    assert waits_s(pace, 2) == pytest.approx([0, 0.1])


@pytest.mark.parametrize(("remaining", "wait_s"), [(5, 0), (1, 0), (0, 0.1), (-4, 0.5)])
def test_what_is_used_up_is_waited_for(remaining: float, wait_s: float) -> None:
    """Where others use the limit too, nothing goes before one is left; what is left is no hurry."""
    pace = Pace(requests_per_min=600)
    pace.heed(named(600, remaining), 0.0)
    assert reserve(pace).wait_s == pytest.approx(wait_s)


def test_who_leaves_gives_back() -> None:
    """A place and tokens that are given back go to who comes next."""
    pace = Pace(600, 60_000)
    reserve(pace)
    turn = reserve(pace, 5000)
    assert reserve(pace).wait_s == WAIT_S_MAX
    pace.give_back(5000, turn)
    assert reserve(pace).wait_s == pytest.approx(0.2)
    Pace().give_back(100, Turn(0.0, 0.0))


def test_actual_usage_counts() -> None:
    """An answer longer than was held makes the next wait; without a limit nothing counts."""
    pace = Pace(tokens_per_min=60_000)
    reserve(pace, 100)
    pace.correct(400)
    assert reserve(pace).wait_s == pytest.approx(0.5)
    Pace().correct(400)
