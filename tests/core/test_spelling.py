"""The nearest known word."""

from __future__ import annotations

import pytest

from eyeline.core.spelling import did_you_mean


@pytest.mark.parametrize(
    ("word", "said"), [("olama", "; did you mean ollama?"), ("zzz", ""), ("", "")]
)
def test_the_nearest_word(word: str, said: str) -> None:
    """A word that is alike is offered; where none is, nothing is said."""
    assert did_you_mean(word, ["openai", "ollama", "local"]) == said
