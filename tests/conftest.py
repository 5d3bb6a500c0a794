"""What every test shares: an empty environment, and servers on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from api_server import ApiServer, serve

pytest_plugins = ["tiny_vlm", "browser"]

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(autouse=True)
def _empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the key, settings or cache of whoever runs it."""
    for name in (
        "OPENAI_API_KEY", "OPENAI_BASE_URL", "EYELINE_API_KEY", "EYELINE_ENGINE", "EYELINE_MODEL",
        "EYELINE_CONFIG", "EYELINE_CATALOGUE", "EYELINE_ALLOW_HOSTS", "EYELINE_URLS",
        "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("EYELINE_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with serve() as server:
        yield server
