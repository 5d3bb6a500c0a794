"""What every test shares: an empty environment, and servers on loopback."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer, serve

pytest_plugins = ["tiny_vlm", "browser"]

# What the keys of the tests look like, as the API's own do.
KEY = re.compile(rb"\bsk-[A-Za-z0-9_-]{4,}")
READ_BYTES_MAX = 2**20
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


@pytest.fixture(autouse=True)
def _no_names_but_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks a name server for anything: names but that of this machine are unknown."""
    look_up = socket.getaddrinfo

    def here(host: Any, *more: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if not name or name == "localhost" or re.fullmatch(r"[0-9.]+|.*:.*", name):
            return look_up(host, *more, **options)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", here)


@pytest.fixture(autouse=True)
def _no_key_left_behind(
    _empty_surroundings: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """No test leaves a key in a log, or in any file it wrote: cache, run, report, config."""
    yield
    assert not KEY.findall(caplog.text.encode())
    assert not [*files_with_keys(tmp_path)]


def files_with_keys(top: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(top):
        for file in map(Path(folder).joinpath, names):
            # Only files: to read a pipe or a socket may take for ever.
            is_file = file.is_file() and not file.is_symlink()
            if is_file and KEY.search(file.read_bytes()[:READ_BYTES_MAX]):
                yield file


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with serve() as server:
        yield server
