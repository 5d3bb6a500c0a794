"""The cache on a real disk: shared, private, broken, and in folders where nothing can be kept."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
import threading
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from eyeline.adapters.sqlite import AnswerCache

RECORD = {"text": "A sign – «EXIT»", "usage": {"input_tokens": 7, "output_tokens": None}}


def test_gives_back_what_it_was_given(tmp_path: Path) -> None:
    """A record comes back as it was put, also to another that opens the file later."""
    with closing(AnswerCache(tmp_path / "eyeline" / "answers.sqlite3")) as cache:
        assert cache.get("key") is None
        cache.put("key", RECORD)
        assert cache.get("key") == RECORD
    with closing(AnswerCache(cache.path)) as again:
        assert again.get("key") == RECORD
        assert again.get("other") is None


def test_the_latest_stands(tmp_path: Path) -> None:
    """Putting a key again replaces its record."""
    with closing(AnswerCache(tmp_path / "answers.sqlite3")) as cache:
        cache.put("key", RECORD)
        cache.put("key", {"text": "new"})
        assert cache.get("key") == {"text": "new"}


def test_opens_again_after_it_was_closed(tmp_path: Path) -> None:
    """Closing twice does no harm, and neither does use after it."""
    cache = AnswerCache(tmp_path / "answers.sqlite3")
    cache.put("key", RECORD)
    cache.close()
    cache.close()
    assert cache.get("key") == RECORD
    cache.close()


def test_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """The folder, the file and its log are closed to everybody else, whatever the umask."""
    old = os.umask(0)
    try:
        with closing(AnswerCache(tmp_path / "eyeline" / "answers.sqlite3")) as cache:
            cache.put("key", RECORD)
            files = list(cache.path.parent.iterdir())
            assert len(files) == 3, "the database, its log and the index of that"
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
            assert stat.S_IMODE(cache.path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(old)


def test_writes_ahead(tmp_path: Path) -> None:
    """The file is in WAL mode, so readers never wait for a writer."""
    with closing(AnswerCache(tmp_path / "answers.sqlite3")) as cache:
        cache.put("key", RECORD)
        with closing(sqlite3.connect(cache.path)) as plain:
            assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)


WRITER = """
import sys
from pathlib import Path
from eyeline.adapters.sqlite import AnswerCache
cache = AnswerCache(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(100):
    cache.put(f"{sys.argv[2]}-{number}", {"text": sys.argv[2]})
    assert cache.get(f"{sys.argv[2]}-{number}") == {"text": sys.argv[2]}
cache.close()
"""


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    """Processes that write at the same time lose nothing."""
    path = tmp_path / "answers.sqlite3"
    names = ["a", "b", "c"]
    writers = [
        Popen([sys.executable, "-c", WRITER, str(path), name], stdin=PIPE, stdout=PIPE, text=True)
        for name in names
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.communicate("go\n")
        assert writer.returncode == 0
    with closing(AnswerCache(path)) as cache:
        for name in names:
            assert all(cache.get(f"{name}-{number}") == {"text": name} for number in range(100))


def test_several_threads_share_one(tmp_path: Path) -> None:
    """Threads that share a cache lose nothing."""
    with closing(AnswerCache(tmp_path / "answers.sqlite3")) as cache:

        def write(name: str) -> None:
            for number in range(50):
                cache.put(f"{name}-{number}", {"text": name})

        threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(cache.get(f"{name}-{number}") for name in "abcd" for number in range(50))


@pytest.mark.parametrize("found", [b"GARBAGE " * 4096, b"SQLite format 3\0" + b"\xff" * 4080])
def test_a_broken_file_is_set_aside(
    tmp_path: Path, found: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that is no database is kept under another name, and a new one takes its place."""
    path = tmp_path / "answers.sqlite3"
    path.write_bytes(found)
    with closing(AnswerCache(path)) as cache:
        assert cache.get("key") is None
        cache.put("key", RECORD)
        assert cache.get("key") == RECORD
    (aside,) = tmp_path.glob("answers.broken-*")
    assert aside.read_bytes() == found
    assert "set aside" in caplog.text


def test_the_log_of_a_broken_file_does_not_spoil_the_new_one(tmp_path: Path) -> None:
    """What lay in the log of a broken file is not played into the file that takes its place."""
    path = tmp_path / "answers.sqlite3"
    log = path.with_name(path.name + "-wal")
    with closing(AnswerCache(path)) as cache:
        cache.put("key", RECORD)
        with closing(sqlite3.connect(path)) as plain:
            plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cache.put("other", RECORD)  # so the log holds the table's page and no header
        logged = log.read_bytes()
    path.write_bytes(b"GARBAGE " * 4096)
    log.write_bytes(logged)
    with closing(AnswerCache(path)) as cache:
        cache.put("new", RECORD)
        assert [cache.get(key) for key in ("key", "other", "new")] == [None, None, RECORD]


@pytest.mark.parametrize("record", ["not JSON", "[1, 2]", "null"])
def test_a_record_that_is_none_is_a_miss(tmp_path: Path, record: str) -> None:
    """A row that holds no object is taken as if it were not there."""
    with closing(AnswerCache(tmp_path / "answers.sqlite3")) as cache:
        cache.put("key", RECORD)
        with closing(sqlite3.connect(cache.path)) as plain, plain:
            plain.execute("UPDATE answers SET record = ?", (record,))
        assert cache.get("key") is None


@pytest.mark.parametrize("place", ["under a file", "a folder", "in /proc"])
def test_where_nothing_can_be_kept_everything_misses(
    tmp_path: Path, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In a place that takes no files every look is a miss, told in the log and never raised."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    path = {
        "under a file": tmp_path / "file" / "answers.sqlite3",
        "a folder": tmp_path / "folder",
        "in /proc": Path("/proc/eyeline/answers.sqlite3"),
    }[place]
    with closing(AnswerCache(path)) as cache:
        cache.put("key", RECORD)
        assert cache.get("key") is None
    assert "not written" in caplog.text
    assert "not read" in caplog.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_misses(tmp_path: Path) -> None:
    """In a folder that is not ours to write every look is a miss."""
    tmp_path.chmod(0o500)
    with closing(AnswerCache(tmp_path / "answers.sqlite3")) as cache:
        cache.put("key", RECORD)
        assert cache.get("key") is None


def test_waits_for_who_holds_the_file(tmp_path: Path) -> None:
    """A file that another connection has locked is waited for, and never set aside."""
    with closing(AnswerCache(tmp_path / "answers.sqlite3")) as cache:
        cache.put("key", RECORD)
        with closing(sqlite3.connect(cache.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writer = threading.Thread(target=cache.put, args=("key", {"text": "new"}))
            writer.start()
            other.execute("COMMIT")
            writer.join()
        assert cache.get("key") == {"text": "new"}
        assert not list(tmp_path.glob("*.broken-*"))
