"""SQLite: the cache of answers, one file in the user's cache folder, readable by the user alone."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    record TEXT NOT NULL,
    stored_at_s INTEGER NOT NULL
) WITHOUT ROWID
"""
BUSY_TIMEOUT_S = 5.0


class AnswerCache:
    """
    Keeps answers by key, for any number of threads and processes.

    A file that is no database is set aside under another name. Whatever else goes wrong is logged
    and taken as a miss: the answer is worth more than its copy.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.connection: sqlite3.Connection | None = None
        self.inherited: sqlite3.Connection | None = None
        self.pid = os.getpid()

    def get(self, key: str) -> Mapping[str, Any] | None:
        try:
            with self.lock:
                found = self.open().execute("SELECT record FROM answers WHERE key = ?", (key,))
                row = found.fetchone()
            record = json.loads(row[0]) if row else None
            return record if isinstance(record, dict) else None
        except (OSError, sqlite3.Error, ValueError) as error:
            logger.warning("cache %s: not read (%s)", self.path, error)
            return None

    def put(self, key: str, record: Mapping[str, Any]) -> None:
        row = (key, json.dumps(record), int(time.time()))
        try:
            with self.lock, self.open() as connection:
                connection.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", row)
        except (OSError, sqlite3.Error) as error:
            logger.warning("cache %s: not written (%s)", self.path, error)

    def close(self) -> None:
        with self.lock:
            if self.connection is not None:
                self.connection.close()
                self.connection = None

    def open(self) -> sqlite3.Connection:
        if self.pid != os.getpid():
            # SQLite forbids using a connection, even closing it, in a child of who opened it.
            self.inherited, self.connection, self.pid = self.connection, None, os.getpid()
        if self.connection is None:
            try:
                self.connection = connect(self.path)
            except sqlite3.DatabaseError as error:
                # Busy and read-only are OperationalErrors: such a file is sound and stays.
                if isinstance(error, sqlite3.OperationalError):
                    raise
                aside = self.path.with_suffix(f".broken-{int(time.time())}")
                logger.warning("cache %s: not a database, set aside as %s", self.path, aside.name)
                self.path.replace(aside)
                self.connection = connect(self.path)
        return self.connection


def connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made before SQLite opens it, so that it is never readable by others, not even for a moment.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
