"""The rate of a server that does not name it, found in virtual time."""

from __future__ import annotations

import pytest

from eyeline.policy.pace import Pace
from policy.servers import SERVERS, run

STRICT = "a tenth of a second's burst"  # below ten a second: one at a time


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("latency_s", [0.05, 1.0])
@pytest.mark.parametrize("per_s", [20, 50])
def test_a_rate_is_found(per_s: int, latency_s: float, server: str) -> None:
    """Whatever way a server counts, its rate is found and kept to, hardly any refused."""
    count = run(server, lambda _: per_s, 45, latency_s)
    assert count.reached(per_s, 25) >= 0.95
    # A second of the clock that is used up refuses all that still come in it.
    assert count.share_refused(25) <= (0.02 if "clock" in server else 0.01)
    assert count.share_refused() <= 0.03


@pytest.mark.parametrize("server", [name for name in SERVERS if name != STRICT])
def test_a_low_rate_is_found(server: str) -> None:
    """Five a second too are found, where each refusal is a large share; few are made."""
    count = run(server, lambda _: 5, 80)
    assert count.reached(5, 20) >= 0.92
    assert count.share_refused(20) <= 0.012
    assert sum(count.refused[:20]) <= 10


@pytest.mark.parametrize("server", [STRICT, "the last second"])
def test_a_high_rate_is_found(server: str) -> None:
    """Five hundred a second are found within a few seconds."""
    count = run(server, lambda _: 500, 21, 0.1)
    assert count.reached(500, 16) >= 0.95
    assert count.share_refused() <= 0.015


@pytest.mark.parametrize(
    ("before", "after", "within_s"), [(50, 20, 12), (20, 50, 45), (200, 40, 20), (100, 200, 15)]
)
@pytest.mark.parametrize("server", ["a second's burst", "the last second"])
def test_another_rate_is_found(server: str, before: int, after: int, within_s: int) -> None:
    """A limit that is lowered is followed at once, one that is raised soon."""
    count = run(server, lambda now_s: before if now_s < 20 else after, 20 + within_s + 10)
    assert count.reached(after, 20 + within_s) >= 0.94
    assert count.share_refused(20 + within_s) <= 0.015


@pytest.mark.parametrize("server", ["a second's burst", "the last second"])
def test_a_named_limit_is_reached(server: str) -> None:
    """A limit set by hand is reached from the first second, and nothing is refused."""
    count = run(server, lambda _: 50, 20, pace=Pace(0.97 * 50 * 60))
    assert count.reached(50, 1) >= 0.95
    assert sum(count.refused) == 0


def test_a_limit_that_was_named_too_high_is_corrected() -> None:
    """A server that allows less than its limit, since others use it too, is not pressed."""
    count = run("a second's burst", lambda _: 30, 40, pace=Pace(50 * 60))
    assert count.reached(30, 15) >= 0.95
    assert count.share_refused(15) <= 0.01


def test_advice_is_followed_without_loss() -> None:
    """A server that asks each refused request to wait for a second slows no other by it."""
    count = run("a second's burst", lambda _: 40, 40, advised_s=1.0)
    assert count.reached(40, 15) >= 0.95
    assert count.share_refused(15) <= 0.01


@pytest.mark.parametrize("server", SERVERS)
def test_a_rush_is_counted(server: str) -> None:
    """Where many went at once, how many of them were let through is where it goes on from."""
    count = run(server, lambda _: 50, 40, at_once=64)
    assert sum(count.refused[:10]) <= 80
    assert count.reached(50, 20) >= 0.95
    assert count.share_refused(20) <= 0.01


def test_a_server_that_refused_all_is_found_again() -> None:
    """After half a minute in which nothing was let through the rate comes back by itself."""
    count = run("a second's burst", lambda now_s: 0 if 15 < now_s < 45 else 50, 100)
    assert sum(count.refused[15:45]) <= 200
    assert count.reached(50, 85) >= 0.95
