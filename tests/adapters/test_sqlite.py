"""The cache on a real disk: shared, private, broken, and in folders where nothing can be kept."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from eyeline.adapters import sqlite
from eyeline.adapters.sqlite import AnswerCache, CacheStats

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
    assert cache.aside.read_bytes() == found
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
            plain.execute("UPDATE entries SET record = ?", (record,))
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
        assert not cache.aside.exists()


# --- damage -------------------------------------------------------------------------------------


def filled(path: Path, count: int = 400) -> None:
    with closing(AnswerCache(path)) as cache:
        for number in range(count):
            cache.put(f"key-{number}", {"text": f"{number} " * 100})


def test_damage_found_while_reading_sets_the_file_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that opens and turns out damaged in a page is set aside then, and the run goes on."""
    path = tmp_path / "answers.sqlite3"
    filled(path)
    data = bytearray(path.read_bytes())
    data[3 * 4096 :] = b"\xa5" * (len(data) - 3 * 4096)
    path.write_bytes(data)
    with closing(AnswerCache(path)) as cache:
        for number in range(400):
            cache.get(f"key-{number}")
        assert cache.aside.exists()
        cache.put("key", RECORD)
        assert cache.get("key") == RECORD
    assert caplog.text.count("set aside") == 1


def test_damage_found_while_writing_sets_the_file_aside(tmp_path: Path) -> None:
    """What was to be written when the damage was found is written to the new file."""
    path = tmp_path / "answers.sqlite3"
    filled(path)
    data = bytearray(path.read_bytes())
    data[2 * 4096 :] = b"\xa5" * (len(data) - 2 * 4096)
    path.write_bytes(data)
    with closing(AnswerCache(path)) as cache:
        for number in range(50):
            cache.put(f"new-{number}", RECORD)
        assert all(cache.get(f"new-{number}") == RECORD for number in range(50))
        assert cache.aside.exists()


def test_what_another_process_has_set_aside_already_stays(tmp_path: Path) -> None:
    """Who finds the damage second takes the file that stands there now."""
    path = tmp_path / "answers.sqlite3"
    with closing(AnswerCache(path)) as first, closing(AnswerCache(path)) as second:
        first.put("key", RECORD)
        second.get("key")
        first.set_aside("damaged")
        first.put("new", RECORD)
        second.set_aside("damaged")
        assert second.get("new") == RECORD
        assert first.get("new") == RECORD


def test_a_cut_file_is_no_end(tmp_path: Path) -> None:
    """A file cut in the middle, as after a full disk, is set aside or read as far as it goes."""
    path = tmp_path / "answers.sqlite3"
    filled(path)
    os.truncate(path, path.stat().st_size // 2)
    with closing(AnswerCache(path)) as cache:
        for number in range(400):
            cache.get(f"key-{number}")
        cache.put("key", RECORD)
        assert cache.get("key") == RECORD


ENDLESS = """
import sys
from pathlib import Path
from eyeline.adapters.sqlite import AnswerCache
cache = AnswerCache(Path(sys.argv[1]), 10**6)
number = 0
while True:
    cache.put(f"key-{number}", {"text": str(number) * 50})
    print(number, flush=True)
    number += 1
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_in_the_middle_nothing_earlier_is_lost(tmp_path: Path) -> None:
    """What was put before a process was killed is there, every single one."""
    path = tmp_path / "answers.sqlite3"
    for stop_after in (1, 20, 55):
        command = [sys.executable, "-c", ENDLESS, str(path)]
        with Popen(command, stdout=PIPE, text=True) as writer:
            assert writer.stdout is not None
            told = [int(writer.stdout.readline()) for _ in range(stop_after)]
            writer.send_signal(signal.SIGKILL)
        with closing(AnswerCache(path)) as cache:
            for number in told:
                assert cache.get(f"key-{number}") == {"text": str(number) * 50}
            assert cache.open().execute("PRAGMA integrity_check").fetchone() == ("ok",)


# --- bounds -------------------------------------------------------------------------------------

SMALL_BYTES = 2_000_000


def on_disk(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("answers*"))


def test_never_takes_more_than_it_may(tmp_path: Path) -> None:
    """However much is put, file and log together stay within the limit."""
    with closing(AnswerCache(tmp_path / "answers.sqlite3", SMALL_BYTES)) as cache:
        for number in range(600):
            cache.put(f"key-{number}", {"text": "a" * (number % 20 * 1000)})
            if number % 50 == 0:
                assert on_disk(tmp_path) <= SMALL_BYTES
        assert cache.get("key-599") is not None
        assert cache.get("key-0") is None
        assert cache.stats().size_bytes > SMALL_BYTES / 2


def test_what_is_used_stays(tmp_path: Path) -> None:
    """What was asked for lately outlives what was put later and never asked for."""
    with closing(AnswerCache(tmp_path / "answers.sqlite3", SMALL_BYTES)) as cache:
        for number in range(300):
            cache.put(f"key-{number}", {"text": "a" * 10_000})
            assert cache.get("key-7") or number < 7
        assert cache.get("key-8") is None


def test_a_hit_writes_nothing(tmp_path: Path) -> None:
    """Reading what was written within the hour leaves the file as it is, also when it is closed."""
    path = tmp_path / "answers.sqlite3"
    filled(path, 10)
    before = path.read_bytes()
    with closing(AnswerCache(path)) as cache:
        for number in range(10):
            assert cache.get(f"key-{number}")
    assert path.read_bytes() == before


def test_an_old_use_is_noted_when_it_is_closed(tmp_path: Path) -> None:
    """What was last used long ago, and now again, is noted as used."""
    with closing(AnswerCache(tmp_path / "answers.sqlite3")) as cache:
        cache.put("key", RECORD)
        cache.open().execute("UPDATE entries SET used_ms = 1")
        assert cache.get("key") == RECORD
    with closing(sqlite3.connect(cache.path)) as plain:
        assert plain.execute("SELECT used_ms FROM entries").fetchone()[0] > 10**12


def test_many_uses_are_noted_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is noted in memory of uses stays small."""
    monkeypatch.setattr(sqlite, "TOUCHES_MAX", 3)
    with closing(AnswerCache(tmp_path / "answers.sqlite3")) as cache:
        for number in range(4):
            cache.put(f"key-{number}", RECORD)
        for number in range(4):
            cache.get(f"key-{number}")
        assert len(cache.touched) == 1


def test_a_record_that_would_fill_it_is_not_kept(tmp_path: Path) -> None:
    """One answer that is longer than a sixteenth of the cache does not push out all others."""
    with closing(AnswerCache(tmp_path / "answers.sqlite3", SMALL_BYTES)) as cache:
        cache.put("key", {"text": "a" * SMALL_BYTES})
        assert cache.get("key") is None


def test_a_smaller_limit_makes_the_file_smaller(tmp_path: Path) -> None:
    """A cache that may take less than it has lets go of the rest, and gives the room back."""
    path = tmp_path / "answers.sqlite3"
    filled(path, 2000)
    limit_bytes = path.stat().st_size // 2
    with closing(AnswerCache(path, limit_bytes)) as cache:
        cache.put("key", RECORD)
    assert on_disk(tmp_path) <= limit_bytes


# --- at a glance --------------------------------------------------------------------------------


def test_a_glance_waits_for_nobody(tmp_path: Path) -> None:
    """What would need the file to be opened, or another thread to finish, is not looked for."""
    with closing(AnswerCache(tmp_path / "answers.sqlite3")) as cache:
        with pytest.raises(BlockingIOError):
            cache.glance("key")
        cache.put("key", RECORD)
        assert cache.glance("key") == RECORD
        assert cache.glance("other") is None
        with cache.lock, pytest.raises(BlockingIOError):
            cache.glance("key")


# --- written in one go --------------------------------------------------------------------------


def test_what_is_to_be_written_soon_is_found_at_once(tmp_path: Path) -> None:
    """A record that was put with others is there at once, and for others in a moment."""
    with closing(AnswerCache(tmp_path / "answers.sqlite3")) as cache:
        cache.put_soon("one", RECORD)
        cache.put_soon("two", {"text": "new"})
        timer = cache.timer
        assert timer is not None
        assert cache.get("one") == RECORD
        timer.join()
        assert cache.timer is None
        with closing(AnswerCache(cache.path)) as other:
            assert (other.get("one"), other.get("two")) == (RECORD, {"text": "new"})


def test_closing_writes_what_was_gathered(tmp_path: Path) -> None:
    """Neither closing nor counting leaves anything behind."""
    cache = AnswerCache(tmp_path / "answers.sqlite3")
    cache.put_soon("one", RECORD)
    assert cache.stats().entries == 1
    cache.put_soon("two", RECORD)
    cache.close()
    with closing(AnswerCache(cache.path)) as other:
        assert other.stats().entries == 2


def test_gathers_no_more_than_so_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many records, and a long one, are written without waiting for more."""
    monkeypatch.setattr(sqlite, "GATHERED_MAX", 700)
    with closing(AnswerCache(tmp_path / "answers.sqlite3")) as cache:
        for number in range(700):
            cache.put_soon(f"key-{number}", RECORD)
        assert not cache.gathered
        cache.put_soon("long", {"text": "a" * sqlite.GATHERED_CHARS_MAX})
        assert not cache.gathered
        with closing(AnswerCache(cache.path)) as other:
            assert other.stats().entries == 701


PUTTER = """
import sys
from pathlib import Path
from eyeline.adapters.sqlite import AnswerCache
AnswerCache(Path(sys.argv[1])).put_soon("key", {"text": "late"})
"""


def test_a_process_that_ends_writes_what_it_gathered(tmp_path: Path) -> None:
    """Nothing is lost where nobody closed the cache."""
    path = tmp_path / "answers.sqlite3"
    subprocess.run([sys.executable, "-c", PUTTER, str(path)], check=True)
    with closing(AnswerCache(path)) as cache:
        assert cache.get("key") == {"text": "late"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_opens_its_own(tmp_path: Path) -> None:
    """A forked process, even of one in the middle of a query, reads and writes the same cache."""
    with closing(AnswerCache(tmp_path / "answers.sqlite3")) as cache:
        cache.put("key", RECORD)

        def use() -> None:
            with pytest.raises(BlockingIOError):
                cache.glance("key")
            found = cache.get("key") == RECORD and not cache.gathered
            cache.put("child", {"found": found})
            cache.close()

        with cache.lock:  # as another thread may hold it
            child = multiprocessing.get_context("fork").Process(target=use)
            child.start()
            child.join()
        assert cache.get("child") == {"found": True}


# --- by hand ------------------------------------------------------------------------------------


def test_says_what_it_holds(tmp_path: Path) -> None:
    """Answers are counted apart from what serves to find them; an absent file is not made."""
    with closing(AnswerCache(tmp_path / "answers.sqlite3")) as cache:
        assert cache.stats() == CacheStats(0, 0, 0)
        assert not cache.path.exists()
        cache.put("key", RECORD)
        cache.put("pixels abc", {"pixels": "def"})
        found = cache.stats()
        assert (found.answers, found.entries) == (1, 2)
        assert found.size_bytes >= on_disk(tmp_path)


def test_clears_for_all_who_have_it_open(tmp_path: Path) -> None:
    """What is cleared is gone for everybody, and the cache goes on to be used."""
    path = tmp_path / "answers.sqlite3"
    with closing(AnswerCache(path)) as one, closing(AnswerCache(path)) as other:
        for number in range(1000):
            one.put(f"key-{number}", RECORD)
        size_bytes = path.stat().st_size
        assert other.get("key-7") == RECORD
        assert one.clear().answers == 1000
        assert other.get("key-7") is None
        assert path.stat().st_size < size_bytes / 4
        other.put("key", RECORD)
        assert one.get("key") == RECORD
        assert one.clear().answers == 1


def test_clearing_takes_what_is_broken_too(tmp_path: Path) -> None:
    """A damaged file, and one that was set aside before, are gone after clearing."""
    path = tmp_path / "answers.sqlite3"
    path.write_bytes(b"GARBAGE " * 4096)
    with closing(AnswerCache(path)) as cache:
        cache.aside.write_bytes(b"older")
        assert cache.clear().answers == 0
        assert not list(tmp_path.glob("answers*"))
        assert cache.clear() == CacheStats(0, 0, 0)


def test_what_cannot_be_cleared_is_told(tmp_path: Path) -> None:
    """To clear or count what is no file is an error, unlike to use it."""
    (tmp_path / "folder").mkdir()
    with closing(AnswerCache(tmp_path / "folder")) as cache:
        with pytest.raises(OSError, match="directory"):
            cache.stats()
        with pytest.raises(OSError, match="directory"):
            cache.clear()


def test_a_failure_is_told_once_a_kind(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A cache that cannot be used says so once, not with every answer."""
    (tmp_path / "folder").mkdir()
    with closing(AnswerCache(tmp_path / "folder")) as cache:
        for _ in range(9):
            cache.get("key")
            cache.put("key", RECORD)
    assert caplog.text.count("not read") == caplog.text.count("not written") == 1


def test_a_file_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    """A cache file whose mode was opened up is made private again."""
    path = tmp_path / "answers.sqlite3"
    path.touch(0o644)
    with closing(AnswerCache(path)) as cache:
        cache.put("key", RECORD)
        assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.glob("answers*")} == {0o600}
