"""A first hour in surroundings that were not thought of: each says what is there, or what to do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
SOURCES = Path(__file__).parent.parent / "src"
FOLDER = "Meine Bilder, мои фото"
NARROW = 24
COLOUR = re.compile(r"\x1b\[")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home, and beside it a picture whose path has spaces and no Latin letters."""
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "знак 1 ✓.jpg").write_bytes((EXAMPLES / "street-sign.jpg").read_bytes())
    (tmp_path / "newcomer").mkdir()
    return tmp_path / "newcomer"


def run(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run eyeline beside the picture as a user would who has set nothing else."""
    surroundings = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES), "HOME": str(home), **environ,
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "eyeline", *arguments], cwd=home.parent / FOLDER, env=surroundings,
        stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip


def test_a_path_is_told_as_it_is_written(home: Path) -> None:
    """Spaces and letters of any script are read and printed, whatever the locale says."""
    done = run(home, "estimate", "-m", "gpt-6-luna", "знак 1 ✓.jpg", LC_ALL="C")
    assert (done.returncode, done.stderr) == (0, "")
    assert "знак 1 ✓.jpg" in done.stdout


def test_a_name_that_is_nearly_right_is_found(home: Path) -> None:
    """Who misspells such a name is told the right one."""
    done = run(home, "estimate", "знак 1.jpg")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: знак 1.jpg: no such file", "hint: did you mean знак 1 ✓.jpg?",
    ]  # fmt: skip


def test_where_nobody_looks_there_are_no_colours(home: Path) -> None:
    """Through a pipe, narrow and with NO_COLOR nothing but text comes out."""
    for surroundings in ({}, {"NO_COLOR": "1"}, {"COLUMNS": str(NARROW)}):
        done = run(home, "estimate", "знак 1 ✓.jpg", **surroundings)
        assert done.returncode == 0
        assert not COLOUR.search(done.stdout + done.stderr)


def test_a_home_that_takes_nothing_is_no_hindrance(home: Path) -> None:
    """Where the cache cannot be kept, everything is done as without one."""
    picture = "знак 1 ✓.jpg"
    blocked = home / "a file"
    blocked.write_text("no folder")
    for surroundings in ({"HOME": str(blocked)}, {"EYELINE_CACHE_DIR": str(blocked / "cache")}):
        assert run(home, "estimate", picture, **surroundings).returncode == 0
        done = run(home, "show", picture, "-o", "seen.png", **surroundings)
        assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("proxy", "status", "said"),
    [
        ("127.0.0.1:9", 1, "no connection (Connection refused, through the proxy 127.0.0.1:9)"),
        ("http://me:secret@127.0.0.1:9", 1, "through the proxy 127.0.0.1:9"),
        ("socks5://127.0.0.1:9", 2, "https_proxy: 'socks5://127.0.0.1:9', expected a proxy as"),
        ("http://:x", 2, "https_proxy: 'http://', expected a proxy as http://HOST:PORT"),
    ],
)
def test_a_proxy_that_fails_is_named(home: Path, proxy: str, status: int, said: str) -> None:
    """What stood between is told with the failure, without its password."""
    surroundings = {"https_proxy": proxy, "OPENAI_API_KEY": "sk-unused"}
    done = run(home, "ask", "--no-cache", "What?", "знак 1 ✓.jpg", **surroundings)
    assert done.returncode == status
    assert said in done.stderr
    assert "secret" not in done.stderr
