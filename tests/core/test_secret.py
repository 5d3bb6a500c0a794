"""A key that does not show itself."""

from __future__ import annotations

import pickle
import traceback

import pytest

from eyeline.core.secret import Secret

KEY = "sk-test-0123456789abcdef"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r}".format, dir, lambda s: [s]])
def test_no_way_of_printing_shows_it(show) -> None:  # type: ignore[no-untyped-def]
    """Neither printing nor formatting nor listing a secret shows the key."""
    assert KEY not in str(show(Secret(KEY)))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_does_not_pickle(protocol: int) -> None:
    """A secret crosses no process boundary by accident."""
    with pytest.raises((pickle.PicklingError, TypeError, AttributeError)):
        pickle.dumps(Secret(KEY), protocol)


def test_a_traceback_with_its_locals_does_not_show_it() -> None:
    """A report that prints local variables shows that there is a key, not the key."""
    secret = Secret(KEY)
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert "Secret(set)" in "".join(report.format())
    assert repr(secret) == "Secret(set)"


def test_what_a_secret_is_for() -> None:
    """It makes the header, is false when empty, and equals its like."""
    assert Secret(KEY).header() == {"Authorization": f"Bearer {KEY}"}
    assert Secret("").header() == {}
    assert (bool(Secret(KEY)), bool(Secret("")), repr(Secret(""))) == (True, False, "Secret(empty)")
    assert Secret(KEY) == Secret(KEY) != Secret("other")
    assert Secret(KEY) != KEY
    assert len({Secret(KEY), Secret(KEY)}) == 1


def test_it_is_taken_out_of_a_body() -> None:
    """A server that echoes the key does not get it into a message."""
    assert Secret(KEY).hide(f"no such key: {KEY}!".encode()) == b"no such key: ***!"
    assert Secret("").hide(b"left as it is") == b"left as it is"


@pytest.mark.parametrize(
    ("key", "is_sendable"),
    [("sk-abc_DEF-123", True), ("", True), ("sk-two\nlines", False), ("sk-ключ", False)],
)
def test_what_a_header_can_hold(key: str, is_sendable: bool) -> None:
    """A key of printable ASCII can be sent; a line end or another alphabet cannot."""
    assert Secret(key).is_sendable is is_sendable
