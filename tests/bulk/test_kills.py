"""A run is killed, again and again, and goes on each time as if nothing had been."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from api_server import ApiServer, Recorded, Reply, chat_completion, whole

from eyeline.bulk.result import status_of
from eyeline.testing import tiny_png

COUNT, IN_FLIGHT = 120, 8


def image_of(request: Recorded) -> str:
    url: str = request.json["messages"][0]["content"][1]["image_url"]["url"]
    return url


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for at in range(COUNT):
        (folder / f"{at:03d}.png").write_bytes(tiny_png(1 + at, 3))
    return folder


def start(api: ApiServer, photos: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    line = [
        sys.executable, "-m", "eyeline", "run", "What?", str(photos), "-o", str(out), "--engine",
        api.url, "--no-sight-check", "--rows-in-flight", str(IN_FLIGHT), *options,
    ]  # fmt: skip
    return subprocess.Popen(line, env=os.environ, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("options", [["--no-cache"]])
def test_killed_and_resumed(
    api: ApiServer, photos: Path, tmp_path: Path, options: list[str]
) -> None:
    """No row is missing or there twice, and what was sent twice was told to be in doubt."""
    out = tmp_path / "out.jsonl"
    process = start(api, photos, out, *options)
    for kill_after in (20, 45, 70):
        reached = threading.Event()

        def answer(request: Recorded, reached: threading.Event = reached) -> Reply:
            reached.set()
            return whole(chat_completion("A sign."))

        plain = [whole(chat_completion("A sign."))] * (kill_after // 2)
        api.script.extend([*plain, answer])
        assert reached.wait(60)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        process = start(api, photos, out, *options)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["key"] for row in rows] == [f"{at:03d}.png" for at in range(COUNT)]
    assert {row["status"] for row in rows} == {"done"}
    sent = Counter(map(image_of, api.requests))
    twice = sum(sent.values()) - COUNT
    doubts = status_of(str(out)).doubts
    assert len(sent) == COUNT
    assert twice <= 3 * IN_FLIGHT
    assert twice <= sum(doubt.times for doubt in doubts.values()) <= 3 * IN_FLIGHT
    assert "may have been paid twice" in told


def test_interrupted_once_drains(api: ApiServer, photos: Path, tmp_path: Path) -> None:
    """Ctrl-C waits for what is on its way, leaves nothing in doubt, and says how it goes on."""
    out, reached = tmp_path / "out.jsonl", threading.Event()

    def interrupt(request: Recorded) -> Reply:
        process.send_signal(signal.SIGINT)
        reached.wait(1)  # so that the signal comes before the answer
        return whole(chat_completion("A sign."))

    api.script.extend([whole(chat_completion("A sign."))] * 20 + [interrupt])
    process = start(api, photos, out)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on with: eyeline run 'What?'" in told
    found = status_of(str(out))
    assert 21 <= found.done < COUNT
    assert found.done == len(api.requests)
    assert not found.doubts


def test_interrupted_twice_stops(api: ApiServer, photos: Path, tmp_path: Path) -> None:
    """A second Ctrl-C does not wait; what was on its way is in doubt."""
    out = tmp_path / "out.jsonl"

    def interrupt(request: Recorded) -> Reply:
        process.send_signal(signal.SIGINT)
        api.closing.wait(0.3)
        process.send_signal(signal.SIGINT)
        return Reply(stall=True, body=b"{", cut=True)

    api.script.append(interrupt)
    process = start(api, photos, out, "--rows-in-flight", "1")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "stopped at once" in told
    assert len(status_of(str(out)).doubts) == 1


def test_rows_in_doubt_can_be_skipped(api: ApiServer, photos: Path, tmp_path: Path) -> None:
    """With `--in-doubt skip` what was sent and never answered is a failed row, and not sent."""
    out = tmp_path / "out.jsonl"

    def kill(request: Recorded) -> Reply:
        process.send_signal(signal.SIGKILL)
        return whole(chat_completion("A sign."))

    api.script.append(kill)
    process = start(api, photos, out, "--rows-in-flight", "1", "--limit", "3")
    process.communicate(timeout=60)
    options = ("--rows-in-flight", "1", "--limit", "3")
    process = start(api, photos, out, *options, "--in-doubt", "skip")
    process.communicate(timeout=60)
    assert process.returncode == 1
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["error_kind"] for row in rows] == ["in_doubt", None, None]
    assert len(api.requests) == 3
    process = start(api, photos, out, *options, "--retry-failed")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(api.requests) == 4


NOTEBOOK = """
import asyncio, sys
import eyeline

async def cell():
    try:
        eyeline.run("What?", *sys.argv[1:3], base_url=sys.argv[3], sight_check=False)
    except KeyboardInterrupt:
        print("interrupted")

asyncio.new_event_loop().run_until_complete(cell())  # as a kernel does: no handler of signals
"""


def test_a_notebook_is_interrupted(api: ApiServer, photos: Path, tmp_path: Path) -> None:
    """Where a run works beside a loop, an interruption drains it just the same."""
    out, reached = tmp_path / "out.jsonl", threading.Event()

    def interrupt(request: Recorded) -> Reply:
        process.send_signal(signal.SIGINT)
        reached.wait(0.5)  # so that the signal comes before the answer
        return whole(chat_completion("A sign."))

    def slow(request: Recorded) -> Reply:
        reached.wait(0.2)
        return whole(chat_completion("A sign."))

    api.script.extend([whole(chat_completion("A sign."))] * 5 + [interrupt] + [slow] * COUNT)
    line = [sys.executable, "-c", NOTEBOOK, str(photos), str(out), api.url]
    process = subprocess.Popen(line, env=os.environ, stdout=subprocess.PIPE, text=True)
    told, _ = process.communicate(timeout=60)
    assert told == "interrupted\n"
    found = status_of(str(out))
    assert 6 <= found.done == len(api.requests) < COUNT
    assert not found.doubts
