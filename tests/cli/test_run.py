"""`eyeline run` against a server on loopback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from api_server import ApiServer

from cli.conftest import Cli
from eyeline.testing import tiny_png


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for at in range(3):
        (folder / f"{at}.png").write_bytes(tiny_png(8 + at, 8))
    return folder


def test_a_folder_becomes_a_table(cli: Cli, api: ApiServer, photos: Path, tmp_path: Path) -> None:
    """Stdout stays empty, stderr says what became of it, and the table is there."""
    out = tmp_path / "out.csv"
    arguments = ["run", "What?", photos, "-o", out, "--engine", api.url, "--no-sight-check"]
    result = cli(*arguments)
    assert (result.status, result.out) == (0, "")
    assert "done 3 · " in result.err
    assert str(out) in result.err
    assert out.read_text().splitlines()[0].startswith("key,source,status,text,error,")
    assert cli(*arguments).status == 0
    assert len(api.requests) == 3


def test_failed_rows_are_told(cli: Cli, api: ApiServer, photos: Path, tmp_path: Path) -> None:
    """Exit 1 where rows failed; they can be listed, and the status tells how many."""
    (photos / "1.png").write_bytes(b"no picture")
    out = tmp_path / "out.jsonl"
    result = cli("run", "What?", photos, "-o", out, "--engine", api.url, "--no-sight-check")
    assert result.status == 1
    assert "hint: 1 not_an_image; the same command with --retry-failed" in result.err
    failed = cli("run", "--show-failed", out)
    assert json.loads(failed.out)["key"] == "1.png"
    status = json.loads(cli("run", "--status", out, "--json").out)
    assert (status["done"], status["failed"], status["rows"]) == (2, 1, 3)
    assert "failed" in cli("run", "--status", out).out


def test_progress_as_json(cli: Cli, api: ApiServer, photos: Path, tmp_path: Path) -> None:
    """`--json` gives events on stderr, the last of them the result."""
    out = tmp_path / "out.jsonl"
    result = cli(
        "run", "What?", photos, "-o", out, "--engine", api.url, "--no-sight-check", "--json"
    )
    events = [json.loads(line) for line in result.err.splitlines()]
    assert {event["event"] for event in events} == {"progress", "end"}
    assert (events[-1]["done"], events[-1]["rows"]) == (3, 3)


def test_what_is_missing_is_told(cli: Cli, photos: Path) -> None:
    """Without an output nothing is begun."""
    result = cli("run", "What?", photos)
    assert result.status == 2
    assert "error: -o: 'nothing', expected" in result.err


def test_no_such_run(cli: Cli, tmp_path: Path) -> None:
    """The status of what was never run is an error."""
    result = cli("run", "--status", tmp_path / "out.csv")
    assert result.status == 2
    assert "no such run" in result.err
