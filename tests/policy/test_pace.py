"""Requests and tokens a minute, set by hand, named by the server, or not known."""

from __future__ import annotations

import pytest

from eyeline.core.ratelimits import Allowance, Allowances
from eyeline.policy.pace import SHARE, WAIT_S_MAX, Pace, Turn
from eyeline.policy.rate import FIRST_PER_S


def reserve(pace: Pace, tokens: int = 100, now_s: float = 0.0, *, patient: bool = False) -> Turn:
    return pace.reserve(tokens, None, now_s, patient=patient)


def again(pace: Pace, turn: Turn, now_s: float) -> Turn:
    return pace.reserve(100, turn, now_s, patient=False)


def waits_s(pace: Pace, count: int, tokens: int = 100) -> list[float]:
    return [reserve(pace, tokens).wait_s for _ in range(count)]


def named(per_min: float, remaining: float = 1000) -> Allowances:
    return Allowances(Allowance(per_min, remaining))


@pytest.mark.parametrize(
    ("requests", "tokens", "second_wait_s"),
    [
        (600, None, 0.1),
        (None, 600_000, 0.1),
        (600, 300_000, 0.2),
        (300, 600_000, 0.2),
    ],
)
def test_the_stricter_limit_holds(
    requests: float | None, tokens: float | None, second_wait_s: float
) -> None:
    """The longer of the two waits counts."""
    assert waits_s(Pace(requests, tokens), 2, 1000) == pytest.approx([0, second_wait_s])


def test_who_waits_looks_again() -> None:
    """A long wait is waited for in pieces, its place kept, and ends when it is due."""
    pace = Pace(requests_per_min=6)
    reserve(pace)
    turn = reserve(pace)
    assert (turn.wait_s, turn.sent) == (WAIT_S_MAX, None)
    for now_s, wait_s in [(9.5, 0.5), (9.9, 0.1), (9.9997, 0.0)]:
        turn = again(pace, turn, now_s)
        assert (turn.wait_s, turn.at_s) == pytest.approx((wait_s, now_s))
    assert turn.has_waited
    assert reserve(pace, now_s=12.0).wait_s == WAIT_S_MAX


def test_where_nothing_is_known_only_the_patient_wait() -> None:
    """One question is sent at once; one of many waits, as long as the server has said nothing."""
    pace = Pace()
    assert waits_s(pace, 50) == [0] * 50
    assert reserve(pace, patient=True).wait_s == 0
    assert 0 < reserve(pace, patient=True).wait_s <= 1 / FIRST_PER_S
    pace.heed(named(600), 0.0)
    assert 0 < reserve(pace).wait_s < reserve(pace).wait_s


def test_an_engine_in_this_process_has_no_limit_but_in_flight() -> None:
    """It names and refuses nothing; only so many are in flight as it has use for."""
    pace = Pace(in_flight_max=2, is_here=True)
    turns = [reserve(pace, patient=True) for _ in range(50)]
    pace.refuse(turns[0], None, 0.0)
    assert [turn.wait_s for turn in [*turns, reserve(pace)]] == [0] * 51
    for at_s in range(9):
        pace.answer(turns[0], at_s)
    assert pace.in_flight == 2


def test_a_named_limit_is_kept_to() -> None:
    """What a server names is paced by, a little below; who waits follows when it changes."""
    pace = Pace()
    pace.heed(named(600), 0.0)
    assert waits_s(pace, 2) == pytest.approx([0, 0.1 / SHARE])
    turn = reserve(pace)
    pace.heed(named(6000), 0.0)
    assert again(pace, turn, 0.0).wait_s == pytest.approx(0.02 / SHARE)
    pace.heed(named(6000), 0.0)
    assert again(pace, turn, 0.0).wait_s == pytest.approx(0.02 / SHARE)


def test_a_named_limit_says_how_many_in_flight() -> None:
    """As many as its rate takes at the latency there is, within reason."""
    pace = Pace()
    pace.answer(Turn(0.0, 0.0), 0.5)
    assert pace.in_flight <= 9
    pace.heed(named(6000), 0.5)
    assert pace.in_flight == 8 + int(1.25 * 98 * 0.5)
    pace.answer(Turn(0.0, 1.0), 2.5)
    assert pace.in_flight == 8 + int(1.25 * 98 * 0.6)
    pace.heed(named(6_000_000), 2.5)
    assert pace.in_flight == 256


def test_tokens_are_named_too() -> None:
    """The limit of tokens is followed beside that of requests."""
    pace = Pace()
    for _ in range(2):
        pace.heed(Allowances(tokens=Allowance(60_000, 60_000)), 0.0)
    assert waits_s(pace, 2, tokens=490) == pytest.approx([0, 0.5])
    pace.heed(Allowances(tokens=Allowance(120_000, 60_000)), 0.0)
    assert reserve(pace).wait_s == pytest.approx(0.5)


def test_what_is_set_by_hand_stands() -> None:
    """A server's own word does not change what the user has set."""
    pace = Pace(600, 600_000)
    pace.heed(Allowances(Allowance(6000, 1), Allowance(6_000_000, 1)), 0.0)
    assert waits_s(pace, 3, tokens=2000) == pytest.approx([0, 0.2, 0.4])


@pytest.mark.parametrize(("remaining", "wait_s"), [(5, 0), (0, 0), (-4, 0.4)])
def test_what_was_overdrawn_is_waited_for(remaining: float, wait_s: float) -> None:
    """Where others use the limit too, nothing goes before it is there again; once, not for each."""
    pace = Pace(requests_per_min=600)
    pace.heed(named(600, remaining), 0.0)
    pace.heed(named(600, remaining), 0.1)
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


def test_a_refusal_without_a_turn_tells_nothing() -> None:
    """What was never sent cannot have come too fast."""
    pace = Pace()
    pace.refuse(Turn(0.0, 0.0), 30.0, 0.0)
    assert waits_s(pace, 2) == [0, 0]


@pytest.mark.parametrize(
    ("advised_s", "second_at_s", "wait_s"),
    [
        (30.0, 5.0, 25.0),  # it had asked to wait until 30, and was sent to at 5
        (30.0, 0.0, 0.0),  # this one had gone before it asked
        (1.0, 0.5, 0.0),  # a second is said by servers that need less
        (30.0, 31.0, 0.0),  # that time was over
        (None, 5.0, 0.0),
    ],
)
def test_long_advice_is_taken_where_it_is_meant(
    advised_s: float | None, second_at_s: float, wait_s: float
) -> None:
    """All wait as long as the server asks for, once it has refused a request sent meanwhile."""
    pace = Pace(requests_per_min=60_000)
    first, second = reserve(pace), reserve(pace, now_s=0.01)
    pace.refuse(first, advised_s, 0.0)
    if second_at_s:
        second = reserve(pace, now_s=second_at_s)
    pace.refuse(second, advised_s, second_at_s)
    turn = reserve(pace, now_s=second_at_s)
    while turn.wait_s:
        turn = again(pace, turn, turn.at_s + turn.wait_s)
    assert turn.at_s - second_at_s == pytest.approx(wait_s, abs=0.5)
