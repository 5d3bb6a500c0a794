"""The errors of runs: sentences, hints, and whole across a process boundary."""

from __future__ import annotations

import pickle

import pytest

from eyeline.bulk.errors import DriverMissing, RowUnreadable, RunDeclined, SourceError
from eyeline.errors import EyelineError

CASES = [
    (
        SourceError("t.csv", "no rows", "at least one", "look"),
        "t.csv: no rows, expected at least one",
        "look",
    ),
    (RowUnreadable("t.csv row 3", "not JSON"), "t.csv row 3: not readable (not JSON)", "mend"),
    (RunDeclined("$3.41"), "not begun: about $3.41", "--yes does not ask"),
    (DriverMissing("s3://b/t", "s3", "s3fs"), "s3://b/t: needs the package s3fs", "pip install s3"),
]


@pytest.mark.parametrize(("error", "sentence", "hint"), CASES)
def test_an_error_says_what_and_what_to_do(error: EyelineError, sentence: str, hint: str) -> None:
    """Each error is a sentence with a hint, and survives pickling with both."""
    again = pickle.loads(pickle.dumps(error))
    for each in (error, again):
        assert str(each).startswith(sentence)
        assert each.hint.startswith(hint)
