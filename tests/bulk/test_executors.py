"""Where the shards of a run are done."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from eyeline.bulk.executors import executor_on
from eyeline.errors import MissingExtra, SettingsError


def test_an_unknown_engine_is_refused() -> None:
    """A misspelt name is told, with what there is."""
    with pytest.raises(SettingsError, match="did you mean ray"):
        executor_on("rai")


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed here")
def test_an_engine_that_is_not_installed() -> None:
    """Without Ray, `--on ray` says how to install it."""
    with pytest.raises(MissingExtra) as raised:
        executor_on("ray")
    assert raised.value.hint == "pip install 'eyeline[ray]'"
