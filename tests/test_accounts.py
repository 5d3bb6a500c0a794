"""The limits of clients, and which of them are shared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eyeline import Client
from eyeline.errors import SettingsError
from eyeline.testing import FakeTransport

HERE: dict[str, Any] = {"base_url": "http://127.0.0.1:9/v1", "cache": False}


def paces(*options: dict[str, Any]) -> list[int]:
    """Make clients that live at the same time, and name the paces they have."""
    made = [Client(**HERE | each) for each in options]
    return [id(client.wiring.outside.limits.paces) for client in made]


@pytest.mark.parametrize(
    ("options", "is_shared"),
    [
        ({}, True),
        ({"model": "gpt-4o", "budget_usd": 1}, True),
        ({"api_key": "sk-other"}, False),
        ({"base_url": "http://127.0.0.1:8/v1"}, False),
        ({"requests_per_min": 60}, False),
        ({"tokens_per_min": 60_000}, False),
        ({"transport": FakeTransport(), "base_url": None}, False),
    ],
)
def test_clients_of_one_account_share_its_pace(options: dict[str, Any], is_shared: bool) -> None:
    """One key at one address is one account, but for limits that were set by hand."""
    one, other = paces({}, options)
    assert (one == other) == is_shared


def test_a_pace_ends_with_its_last_client() -> None:
    """What was learned is kept as long as anybody uses it, whoever came first."""
    first = Client(**HERE)
    second = Client(**HERE)
    known = second.wiring.outside.limits.paces
    del first
    assert Client(**HERE).wiring.outside.limits.paces is known


@pytest.mark.parametrize("key", ["requests_per_min", "tokens_per_min"])
def test_limits_in_the_config_file(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The config file sets limits as options do, and a limit of nothing is refused."""
    config = tmp_path / "config.toml"
    monkeypatch.setenv("EYELINE_CONFIG", str(config))
    config.write_text(f"{key} = 600")
    one, other = paces({}, {})
    assert one != other
    config.write_text(f"{key} = 0")
    with pytest.raises(SettingsError, match=key):
        Client(**HERE)
