"""When to send again, and after how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline import errors
from eyeline.errors import EngineError
from eyeline.policy.retry import Retry, is_passing

SAID = ("openai", 400, "code", "words")
LIMITED = errors.RateLimited(*SAID)
PASSING: list[EngineError] = [
    errors.ConnectionFailed("openai", "reset"),
    LIMITED,
    errors.ServerFailed(*SAID),
    errors.ApiError("openai", 408, "", "timeout"),
    errors.BadRequest("openai", 409, "", "conflict"),
]
LASTING: list[EngineError] = [
    errors.TimedOut("openai", 600),
    errors.StreamCut("openai", 7),
    errors.UnexpectedResponse("openai", "a page"),
    errors.BadRequest(*SAID),
    errors.ImageRejected(*SAID),
    errors.ModelLacksVision(*SAID),
    errors.AuthenticationFailed(*SAID),
    errors.PermissionDenied(*SAID),
    errors.ModelNotFound(*SAID),
    errors.QuotaExceeded(*SAID),
    EngineError("openai", "something"),
]


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_what_may_pass_is_sent_again(error: EngineError) -> None:
    """A lost connection, a limit that passes and a fault of the server are worth another try."""
    assert is_passing(error)
    assert Retry().delay_s(1, error, 0.0, 0.5) == 0.25


@pytest.mark.parametrize("error", LASTING, ids=lambda error: type(error).__name__)
def test_what_will_not_pass_is_not(error: EngineError) -> None:
    """What would fail the same way, or may have been carried out and billed, is not repeated."""
    assert not is_passing(error)
    assert Retry().delay_s(1, error, 0.0, 0.0) is None


def test_every_engine_error_is_decided_on() -> None:
    """No class of engine error is forgotten above."""
    tested = {type(error) for error in PASSING + LASTING}
    todo, found = [EngineError], set()
    while todo:
        kind = todo.pop()
        found.add(kind)
        todo += kind.__subclasses__()
    assert tested == {kind for kind in found if kind.__module__ == "eyeline.errors"}


@pytest.mark.parametrize(
    ("number", "elapsed_s", "chance", "advised_s", "expected"),
    [
        (1, 0.0, 0.0, None, 0.0),
        (1, 0.0, 0.5, None, 0.25),
        (2, 0.0, 0.5, None, 0.5),
        (3, 0.0, 0.5, None, None),
        (1, 0.0, 0.5, 7.0, 7.0),
        (1, 0.0, 0.5, 0.0, 0.0),
        (1, 0.0, 0.5, 61.0, None),
        (1, 55.0, 0.5, 5.0, 5.0),
        (1, 55.0, 0.5, 5.1, None),
        (1, 60.0, 0.5, None, None),
    ],
)
def test_the_wait(
    number: int, elapsed_s: float, chance: float, advised_s: float | None, expected: float | None
) -> None:
    """The engine's own advice is followed; attempts and total time have their ends."""
    error = errors.ServerFailed(*SAID, retry_after_s=advised_s)
    assert Retry().delay_s(number, error, elapsed_s, chance) == expected


@pytest.mark.parametrize(
    ("number", "expected"), [(1, 0.25), (2, 0.5), (3, 0.5), (7, 0.5), (8, None)]
)
def test_what_came_too_fast_is_sent_again_sooner(number: int, expected: float | None) -> None:
    """The pace slows it down already, so it waits no longer than a second, and tries more often."""
    assert Retry().delay_s(number, LIMITED, 0.0, 0.5) == expected
    assert Retry(attempts_max=9).delay_s(8, LIMITED, 0.0, 0.5) == 0.5


@given(
    st.integers(1, 20), st.integers(1, 20), st.floats(0, 100), st.floats(0, 1, exclude_max=True),
    st.none() | st.floats(0, 100),
)  # fmt: skip
def test_no_wait_passes_its_bounds(
    number: int, attempts: int, elapsed_s: float, chance: float, advised_s: float | None
) -> None:
    """A wait is never negative, never past the total, and never after the last attempt."""
    retry = Retry(attempts_max=attempts)
    error = errors.ServerFailed(*SAID, retry_after_s=advised_s)
    delay_s = retry.delay_s(number, error, elapsed_s, chance)
    if delay_s is None:
        return
    assert number < attempts
    assert delay_s >= 0
    assert elapsed_s + delay_s <= retry.total_s
    assert delay_s == advised_s if advised_s is not None else delay_s <= retry.cap_s
