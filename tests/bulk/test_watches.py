"""What is shown of a run on its way."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from api_server import ApiServer, Recorded, Reply, chat_completion, whole
from rich.console import Console

import eyeline
from eyeline.bulk import notebook
from eyeline.bulk.panel import Panel
from eyeline.bulk.watch import Snapshot
from eyeline.bulk.watches import Events, Lines, duration, figures, usd
from eyeline.testing import tiny_png

SNAPSHOT = Snapshot(
    elapsed_s=60.0, done=1177, failed=3, cached=12, rows_total=1204, rows_per_s=31.25, left_s=372.0,
    spent_usd=Decimal("3.38"), projected_usd=Decimal("3.451"), budget_usd=Decimal(5), in_flight=64,
    in_flight_max=256, bottleneck="server", trouble="", is_stopping=False,
)  # fmt: skip


def test_a_line_says_all() -> None:
    """Rows, pace, time left, dollars, the limit, and what holds it up."""
    assert " · ".join(figures(SNAPSHOT)) == (
        "1,180 of 1,204 · done 1,177 · failed 3 · cached 12 · 31.2 rows/s · 6m12s left · $3.38 · "
        "about $3.45 in all (limit $5.00) · server, 64 of 256 in flight"
    )


def test_trouble_and_an_end_are_said() -> None:
    """What the engine says while rows wait for it, and how many are still on their way."""
    assert figures(replace(SNAPSHOT, trouble="status 429"))[-1] == "waiting: status 429"
    assert figures(replace(SNAPSHOT, is_stopping=True))[-1] == "stopping, 64 still on their way"


def test_lines_come_seldom() -> None:
    """A line every ten seconds, none for what took less."""
    stream = io.StringIO()
    lines = Lines(stream)
    for elapsed_s in (0.0, 3.0, 10.0, 11.0, 20.0):
        lines.show(replace(SNAPSHOT, elapsed_s=elapsed_s))
    assert len(stream.getvalue().splitlines()) == 2


def test_events_are_json() -> None:
    """Each event is one JSON object, dollars as numbers."""
    stream = io.StringIO()
    Events(stream).show(SNAPSHOT)
    event = json.loads(stream.getvalue())
    assert (event["event"], event["spent_usd"], event["rows_total"]) == ("progress", 3.38, 1204)


def test_a_panel_is_drawn_and_goes() -> None:
    """On a terminal three lines stand, and are taken away at the end."""
    stream = io.StringIO()
    panel = Panel("damage.parquet", Console(file=stream, force_terminal=True, width=100))
    panel.show(SNAPSHOT)
    drawn = stream.getvalue()
    panel.end()
    for words in ("damage.parquet", "1,180 of 1,204", "98%", "6m12s left", "64 of 256 in flight"):
        assert words in drawn
    assert stream.getvalue().endswith("\x1b[2K")


def test_a_notebook_shows_it() -> None:
    """A notebook gets the same as HTML, with nothing in it taken for markup."""
    drawn = notebook.drawn("<b>.csv", replace(SNAPSHOT, trouble="<script>"))
    assert "&lt;b&gt;.csv" in drawn
    assert "<script>" not in drawn
    assert "width:98.0%" in drawn


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (42, "42 s"), (372, "6m12s"), (11_100, "3h05m"), (187_200, "2d04h")],
)
def test_durations(seconds: float, words: str) -> None:
    """Two units at most."""
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [("0", "0.00"), ("1234.5", "1,234.50"), ("0.3", "0.30"), ("0.00012", "0.00012")],
)
def test_dollars(amount: str, words: str) -> None:
    """Cents at least; below a dollar as many places as say something."""
    assert usd(Decimal(amount)) == words


def test_a_result_renders(api: ApiServer, tmp_path: Path) -> None:
    """In a notebook a result is a table of its first rows, under its figures."""
    (tmp_path / "a.png").write_bytes(tiny_png())
    api.text = "A <sign>."
    result = eyeline.run("What?", tmp_path, tmp_path / "o.csv", base_url=api.url, sight_check=False)
    shown = result._repr_html_()
    assert "done 1" in shown
    assert "A &lt;sign&gt;." in shown


def test_on_a_terminal(api: ApiServer, tmp_path: Path) -> None:
    """The command draws its panel while it runs, and ends with one line."""
    (tmp_path / "photos").mkdir()
    for at in range(3):
        (tmp_path / "photos" / f"{at}.png").write_bytes(tiny_png(2 + at))

    def late(request: Recorded) -> Reply:
        api.closing.wait(0.6)
        return whole(chat_completion("A sign."))

    api.script.append(late)
    ours, theirs = pty.openpty()
    line = [
        sys.executable, "-m", "eyeline", "run", "What?", str(tmp_path / "photos"), "-o",
        str(tmp_path / "o.csv"), "--engine", api.url, "--no-sight-check",
    ]  # fmt: skip
    process = subprocess.Popen(line, env=os.environ | {"TERM": "xterm"}, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # how a terminal ends on Linux
            break
        if not piece:
            break
        shown += piece
    assert process.wait(60) == 0
    assert b"in flight" in shown
    assert b"done 3 \xc2\xb7 " in shown.splitlines()[-1]
