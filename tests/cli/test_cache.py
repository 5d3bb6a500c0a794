"""`eyeline cache`, and the options that use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from api_server import ApiServer

from cli.conftest import Cli
from eyeline.testing import tiny_png


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "sign.png"
    path.write_bytes(tiny_png(8, 6))
    return path


def test_path(cli: Cli, tmp_path: Path) -> None:
    """The path is printed alone, whether or not anything is there."""
    assert cli("cache", "path").out == f"{tmp_path / 'cache' / 'answers.sqlite3'}\n"
    assert not (tmp_path / "cache").exists()


def test_stats_and_clear(cli: Cli, api: ApiServer, picture: Path, tmp_path: Path) -> None:
    """Answers are counted, in words and as JSON, and gone after clearing."""
    assert json.loads(cli("cache", "stats", "--json").out)["answers"] == 0
    for prompt in ("One?", "Two?", "One?"):
        assert cli("ask", prompt, picture, "--engine", api.url).status == 0
    assert len(api.requests) == 2
    report = json.loads(cli("cache", "stats", "--json").out)
    assert (report["answers"], report["max_bytes"]) == (2, 500_000_000)
    assert report["entries"] >= 2
    assert report["size_bytes"] > 0
    assert report["path"] == str(tmp_path / "cache" / "answers.sqlite3")
    lines = cli("cache", "stats").out.splitlines()
    assert [line.split()[0] for line in lines] == ["answers", "size", "path"]
    assert lines[0].split()[1] == "2"
    assert lines[1].endswith("of 500.0 MB")
    assert cli("cache", "clear").out.startswith("cleared 2 answers, ")
    assert json.loads(cli("cache", "stats", "--json").out)["answers"] == 0
    cli("ask", "One?", picture, "--engine", api.url)
    assert len(api.requests) == 3


def test_the_size_is_a_setting(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`cache_max_mb` in the config file says how large it may be; it is a number above zero."""
    config = tmp_path / "config.toml"
    monkeypatch.setenv("EYELINE_CONFIG", str(config))
    config.write_text("cache_max_mb = 1.5")
    assert json.loads(cli("cache", "stats", "--json").out)["max_bytes"] == 1_500_000
    config.write_text("cache_max_mb = 0")
    result = cli("cache", "stats")
    assert (result.status, result.out) == (2, "")
    assert "cache_max_mb" in result.err


def test_a_place_that_holds_none(cli: Cli, tmp_path: Path) -> None:
    """What cannot be read or cleared is an error that names the file."""
    (tmp_path / "cache" / "answers.sqlite3").mkdir(parents=True)
    for word in ("stats", "clear"):
        result = cli("cache", word)
        assert (result.status, result.out) == (2, "")
        assert "answers.sqlite3" in result.err


def test_refresh(cli: Cli, api: ApiServer, picture: Path) -> None:
    """`--refresh` asks anew and keeps what came; with `--no-cache` it makes no sense."""
    for number, options in enumerate([(), ("--refresh",), (), ("--no-cache",), ()]):
        api.text = str(number)
        result = cli("ask", "What?", picture, "--engine", api.url, *options)
        assert result.out == f"{(0, 1, 1, 3, 1)[number]}\n"
    result = cli("ask", "What?", picture, "--engine", api.url, "--no-cache", "--refresh")
    assert (result.status, result.out) == (2, "")
    assert "refresh" in result.err
