"""SQLite: the cache of answers, one file in the user's cache folder, readable by the user alone."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

# `used_ms` is when an entry was last read or written, in Unix time, as far as that was noted.
SCHEMA = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL,
    used_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_used ON entries (used_ms);
PRAGMA user_version = 1;
"""
FIND = "SELECT id, record, used_ms FROM entries WHERE key = ?"
PUT = """
INSERT INTO entries (key, record, used_ms) VALUES {}
ON CONFLICT (key) DO UPDATE SET record = excluded.record, used_ms = excluded.used_ms
"""
TOUCH = "UPDATE entries SET used_ms = ? WHERE id = ?"
EVICT = "DELETE FROM entries WHERE id IN (SELECT id FROM entries ORDER BY used_ms, id LIMIT ?)"
# Answers have keys without a space; all else serves to find them.
COUNT = "SELECT count(*), coalesce(sum(instr(key, ' ') = 0), 0) FROM entries"

BYTES_MAX = 500 * 10**6
BUSY_TIMEOUT_S = 5.0
PAGE_BYTES = 4096
EVICTED_AT_ONCE = 1000
# Records that come in one go are written in one: each transaction takes as long as ten of them.
GATHER_S = 0.25
GATHERED_MAX, GATHERED_CHARS_MAX = 2000, 2**16
# Older versions of SQLite take 999 values a statement.
ROWS_AT_ONCE = 300
# A use is written down only where the last one is so old, or something must go.
TOUCH_AFTER_MS = 3_600_000
TOUCHES_MAX = 4096
Row = tuple[str, str, int]
CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


# How often this process came from a fork; to ask the system for its number takes a call each time.
forks = 0


def count_fork() -> None:
    global forks
    forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=count_fork)


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What a cache holds: answers, entries in all, and bytes on disk."""

    answers: int
    entries: int
    size_bytes: int


class AnswerCache:
    """
    Keeps records by key, for any number of threads and processes, in at most `bytes_max` bytes.

    When it is full, what was not used for longest goes. A file that is no database, or turns out
    damaged, is set aside under another name, and a new one begun. Whatever else goes wrong is
    logged, once a kind, and taken as a miss: the answer is worth more than its copy.
    """

    def __init__(self, path: Path, bytes_max: int = BYTES_MAX) -> None:
        self.path, self.bytes_max = path, bytes_max
        self.lock = threading.Lock()
        self.connection: sqlite3.Connection | None = None
        self.inherited: sqlite3.Connection | None = None
        self.inode = 0
        self.forks = forks
        self.gathered: dict[str, str] = {}  # still to be written, soon, by the timer
        self.timer: threading.Timer | None = None
        self.touched: dict[int, tuple[int, int]] = {}  # id → used_ms as noted, and as it is
        self.unweighed_bytes = bytes_max  # written since the size was last looked at
        self.complaints: set[str] = set()

    def get(self, key: str) -> Mapping[str, Any] | None:
        self.notice_fork()
        with self.lock:
            return self.look(key)

    def glance(self, key: str) -> Mapping[str, Any] | None:
        """
        Give a record as `get` does. Raises BlockingIOError where that would wait for a thread, or
        for the file to be opened.

        For event loops: reading a page takes less time than handing the work to a thread.
        """
        if self.connection is None or self.forks != forks or not self.lock.acquire(blocking=False):
            raise BlockingIOError
        try:
            return self.look(key)
        finally:
            self.lock.release()

    def put(self, key: str, record: Mapping[str, Any]) -> None:
        self.notice_fork()
        self.gathered[key] = json.dumps(record)
        self.flush()

    def put_soon(self, key: str, record: Mapping[str, Any]) -> None:
        """
        Put a record together with those that come in the next moment; here it is found at once.

        A process that is killed loses what it gathered; one that ends writes it.
        """
        self.notice_fork()
        self.gathered[key] = text = json.dumps(record)
        if len(self.gathered) >= GATHERED_MAX or len(text) > GATHERED_CHARS_MAX:
            self.flush()
        elif self.timer is None:
            self.timer = threading.Timer(GATHER_S, self.flush)
            self.timer.start()

    def flush(self) -> None:
        """Write what was gathered."""
        # Before it is taken: what comes after this sets a timer of its own.
        self.timer = None
        with self.lock:
            rows = []
            while self.gathered:
                rows.append(self.gathered.popitem())
            self.guarded("written", lambda: self.write(rows))

    def close(self) -> None:
        self.notice_fork()
        if self.timer is not None:
            self.timer.cancel()
        if self.gathered:
            self.flush()
        with self.lock:
            if self.connection is not None:
                self.guarded("written", self.note_touches)
                self.disconnect()

    def look(self, key: str) -> Mapping[str, Any] | None:
        record: Mapping[str, Any] | None = self.guarded("read", lambda: self.read(key))
        return record

    def guarded(self, done: str, act: Callable[[], Any]) -> Any:
        """Do what may fail: where the file is damaged, set it aside and do it with a new one."""
        try:
            try:
                return act()
            except sqlite3.DatabaseError as error:
                if not is_corrupt(error):
                    raise
                self.set_aside(str(error))
                return act()
        except (OSError, sqlite3.Error, ValueError) as error:
            if done not in self.complaints:
                self.complaints.add(done)
                logger.warning("cache %s: not %s (%s)", self.path, done, error)
            return None

    # --- entries, with the lock held ------------------------------------------------------------

    def read(self, key: str) -> Mapping[str, Any] | None:
        text = self.gathered.get(key) or self.stored(key)
        record = text and json.loads(text)
        return record if isinstance(record, dict) else None

    def stored(self, key: str) -> str | None:
        row = self.open().execute(FIND, (key,)).fetchone()
        if row is None:
            return None
        number, text, used_ms = row
        self.touched[number] = (used_ms, int(time.time() * 1000))
        if len(self.touched) >= TOUCHES_MAX:
            self.note_touches()
        return str(text)

    def write(self, rows: Iterable[tuple[str, str]]) -> None:
        now_ms = int(time.time() * 1000)
        fitting = [(key, text, now_ms) for key, text in rows if len(text) <= self.bytes_max // 16]
        if not fitting:
            return
        with writing(self.open()) as connection:
            # Not `executemany`, which gives Python's lock away and waits for it with every row.
            for some in batched(fitting, ROWS_AT_ONCE):
                values = ", ".join(["(?, ?, ?)"] * len(some))
                connection.execute(PUT.format(values), [value for row in some for value in row])
        self.unweighed_bytes += sum(len(key) + len(text) for key, text, _ in fitting)
        if self.unweighed_bytes >= self.bytes_max // 64:
            self.evict()

    def evict(self) -> None:
        """
        Let go of what was not used for longest, until all fits, the log with it.

        Other processes may write between two rounds.
        """
        connection, limit_bytes = self.open(), self.bytes_max * 3 // 4
        self.unweighed_bytes = 0
        if used_bytes(connection) <= limit_bytes:
            return
        self.note_touches(after_ms=0)
        entries, _ = connection.execute(COUNT).fetchone()
        at_once = min(EVICTED_AT_ONCE, max(1, entries // 64))
        while used_bytes(connection) > limit_bytes - self.bytes_max // 64:
            with writing(connection):
                evicted = connection.execute(EVICT, (at_once,)).rowcount
            if not evicted:
                break
        # Not `execute`, which does the first step alone of a statement that gives no columns.
        connection.executescript("PRAGMA incremental_vacuum")

    def note_touches(self, after_ms: int = TOUCH_AFTER_MS) -> None:
        """Write down when entries were last used, where that was longer ago than `after_ms`."""
        rows = [(now, at) for at, (before, now) in self.touched.items() if now - before > after_ms]
        self.touched.clear()
        if rows:
            with writing(self.open()) as connection:
                connection.executemany(TOUCH, rows)

    # --- the file -------------------------------------------------------------------------------

    def stats(self) -> CacheStats:
        """Say what the file holds. Raises OSError or sqlite3.Error."""
        if self.gathered:
            self.flush()
        if not self.path.exists():
            return CacheStats(0, 0, 0)
        with self.lock:
            entries, answers = self.open().execute(COUNT).fetchone()
            return CacheStats(answers, entries, sum(map(size_of, self.files())))

    def clear(self) -> CacheStats:
        """Forget everything, and give what there was. Raises OSError or sqlite3.Error."""
        try:
            found = self.stats()
        except sqlite3.DatabaseError as error:
            if not is_corrupt(error):
                raise
            found = CacheStats(0, 0, sum(map(size_of, self.files())))
            self.set_aside(str(error))
        self.aside.unlink(missing_ok=True)
        if self.path.exists():
            with self.lock:
                # Not unlinked: other processes may have it open, and would go on with it.
                connection = self.open()
                with writing(connection):
                    connection.execute("DELETE FROM entries")
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                self.touched.clear()
        return found

    @property
    def aside(self) -> Path:
        return self.path.with_name(f"{self.path.name}.broken")

    def files(self) -> Iterator[Path]:
        for ending in ("", "-wal", "-shm", ".broken"):
            yield self.path.with_name(self.path.name + ending)

    def open(self) -> sqlite3.Connection:
        if self.connection is None:
            self.inode = make_private(self.path)
            self.connection = connect(self.path, self.bytes_max)
        return self.connection

    def disconnect(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None
        self.touched.clear()

    def set_aside(self, why: str) -> None:
        """Put a damaged file out of the way, unless another process has done so already."""
        self.disconnect()
        if self.path.stat().st_ino != self.inode:
            return
        logger.warning("cache %s: %s, set aside as %s", self.path, why, self.aside.name)
        # Its log would be played into the file that takes its place.
        for log in ("-wal", "-shm"):
            self.path.with_name(self.path.name + log).unlink(missing_ok=True)
        self.path.replace(self.aside)

    def notice_fork(self) -> None:
        """
        Begin anew in a child: SQLite forbids using a connection, even closing it, in a child of who
        opened it, and the lock may be held by a thread that is not there.
        """
        if self.forks != forks:
            self.inherited, self.connection, self.forks = self.connection, None, forks
            self.lock, self.touched = threading.Lock(), {}
            self.gathered, self.timer = {}, None  # the parent writes them


def make_private(path: Path) -> int:
    """
    Make the file before SQLite opens it, so that it is never readable by others, not even for a
    moment; its log and the index of that take their mode from it. Gives its inode.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        found = os.fstat(file)
        if found.st_mode & 0o077:
            path.chmod(0o600)
        return found.st_ino
    finally:
        os.close(file)


def connect(path: Path, bytes_max: int) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, check_same_thread=False, isolation_level=None
    )
    # The log is a part of what the cache may take.
    log_pages = min(1000, max(16, bytes_max // 16 // PAGE_BYTES))
    try:
        if connection.execute("PRAGMA user_version").fetchone() == (0,):
            connection.executescript(SCHEMA)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {log_pages}")
        connection.execute(f"PRAGMA journal_size_limit = {log_pages * PAGE_BYTES}")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Make one transaction; it takes the right to write at once, for later it may be refused."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def batched(rows: Sequence[Row], count: int) -> Iterator[Sequence[Row]]:
    """Give rows, `count` at a time."""
    return (rows[at : at + count] for at in range(0, len(rows), count))


def used_bytes(connection: sqlite3.Connection) -> int:
    with closing(connection.cursor()) as cursor:
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
        (free,) = cursor.execute("PRAGMA freelist_count").fetchone()
    return int(pages - free) * PAGE_BYTES


def is_corrupt(error: sqlite3.DatabaseError) -> bool:
    """Say whether the file itself is damaged; busy, full or read-only, it is sound and stays."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in CORRUPT


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
