"""What goes wrong around a run: servers that fail or vanish, disks that fill, files that go."""

from __future__ import annotations

import json
import resource
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_server import ApiServer, Handler, Http, Recorded, Reply, chat_completion, error, whole

import eyeline
from eyeline.bulk.result import status_of
from eyeline.bulk.run_errors import RunUnwritable
from eyeline.testing import tiny_png

COUNT = 40


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for at in range(COUNT):
        (folder / f"{at:02d}.png").write_bytes(tiny_png(1 + at, 3))
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_storm(api: ApiServer, photos: Path, out: Path) -> None:
    """Where every third request is refused, fails or is dropped, every row is done in the end."""
    storm = [
        error(429, "slow down", **{"retry-after-ms": "5"}), error(500, "oops"), Reply(drop=True),
        error(503, "busy", **{"retry-after-ms": "5"}),
    ]  # fmt: skip
    good = whole(chat_completion("A sign."))
    for bad in storm * 3:
        api.script.extend([good, good, bad])
    result = eyeline.run("What?", photos, out, base_url=api.url, sight_check=False)
    assert (result.done, result.failed) == (COUNT, 0)
    assert len(api.requests) == COUNT + 12
    assert not result.doubts


def test_a_server_that_goes_and_comes_back(api: ApiServer, photos: Path, out: Path) -> None:
    """While nobody listens rows wait; none fails."""
    port = api.http.server_address[1]
    back = threading.Event()

    def listen_again() -> None:
        api.http = Http(("127.0.0.1", port), type("", (Handler,), {"api": api}))
        back.set()
        api.http.serve_forever(0.02)

    def leave(request: Recorded) -> Reply:
        api.http.shutdown()
        api.http.socket.close()
        threading.Timer(0.5, listen_again).start()
        return Reply(drop=True)

    def gone(request: Recorded) -> Reply:
        """Drop what still comes over connections that were open before."""
        return whole(chat_completion("A sign.")) if back.is_set() else Reply(drop=True)

    api.script.extend([whole(chat_completion("A sign."))] * 10 + [leave] + [gone] * 100)
    result = eyeline.run(
        "What?", photos, out, base_url=api.url, sight_check=False, rows_in_flight=4
    )
    assert back.is_set()
    assert (result.done, result.failed) == (COUNT, 0)


@pytest.fixture
def _small_files() -> Iterator[None]:
    """Let no file of this process grow beyond eight kilobytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("_small_files")
def test_no_room_ends_the_run(api: ApiServer, photos: Path, out: Path) -> None:
    """Where the disk is full the run ends with what it has, and goes on where there is room."""
    options = {"base_url": api.url, "sight_check": False, "rows_in_flight": 4}
    with pytest.raises(RunUnwritable, match=r"ledger.*cannot be written"):
        eyeline.run("What?", photos, out, **options)
    found = status_of(str(out))
    assert 0 < found.done < COUNT
    assert found.done + len(found.doubts) == len(api.requests)
    assert not out.exists()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    assert eyeline.run("What?", photos, out, **options).done == COUNT
    assert len(rows(out)) == COUNT


def test_files_that_vanish(api: ApiServer, photos: Path, out: Path) -> None:
    """A file that is gone when its turn comes is a failed row."""

    def remove(request: Recorded) -> Reply:
        (photos / "39.png").unlink()
        return whole(chat_completion("A sign."))

    api.script.append(remove)
    result = eyeline.run(
        "What?", photos, out, base_url=api.url, sight_check=False, rows_in_flight=1
    )
    assert (result.done, result.failed) == (COUNT - 1, 1)
    assert rows(out)[39]["error_kind"] == "image_not_found"


def test_an_answer_that_times_out_may_have_cost(api: ApiServer, photos: Path, out: Path) -> None:
    """Silence is a failed row that counts as spent, at the most it can have cost."""
    api.script.append(Reply(stall=True, cut=True))
    options = {"base_url": api.url, "sight_check": False, "max_output_tokens": 100}
    result = eyeline.run("What?", photos, out, timeout_s=0.3, limit=1, **options)
    assert (result.failed, result.kinds) == (1, {"timed_out": 1})
    assert result.spent_usd > 0
