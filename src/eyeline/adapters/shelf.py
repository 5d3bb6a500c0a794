"""SQLite: what clients of the gateway leave with it: files, batches, stored responses."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eyeline.adapters.sqlite import BUSY_TIMEOUT_S, make_private

SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS objects (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL,
    data BLOB
);
CREATE INDEX IF NOT EXISTS objects_kind ON objects (kind, number);
PRAGMA user_version = 1;
"""
PUT = """
INSERT INTO objects (kind, id, value, data) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET value = excluded.value, data = coalesce(excluded.data, data)
"""
# Of what nobody deletes, the oldest goes.
KEPT_MAX = {"response": 1000}
FORGET = """
DELETE FROM objects WHERE kind = ? AND number <= (
    SELECT number FROM objects WHERE kind = ? ORDER BY number DESC LIMIT 1 OFFSET ?
)
"""


def plain(id: str) -> str:
    """Give an id as SQLite can hold it; what a client made up may be no text at all."""
    return id if id.isascii() else ""


class SqliteShelf:
    """The Shelf in one file, readable by the user alone; threads and processes may share it."""

    def __init__(self, path: Path) -> None:
        self.path, self.lock = path, threading.Lock()
        self.connection: sqlite3.Connection | None = None

    def put(self, kind: str, id: str, value: Mapping[str, Any], data: bytes | None = None) -> None:
        with self.open() as connection:
            connection.execute(PUT, (kind, id, json.dumps(value), data))
            if kind in KEPT_MAX:
                connection.execute(FORGET, (kind, kind, KEPT_MAX[kind]))

    def get(self, kind: str, id: str) -> dict[str, Any] | None:
        query = "SELECT value FROM objects WHERE kind = ? AND id = ?"
        with self.open() as connection:
            row = connection.execute(query, (kind, plain(id))).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def data(self, id: str) -> bytes | None:
        with self.open() as connection:
            row = connection.execute(
                "SELECT data FROM objects WHERE id = ?", (plain(id),)
            ).fetchone()
        data: bytes | None = None if row is None else row[0]
        return data

    def delete(self, kind: str, id: str) -> bool:
        with self.open() as connection:
            query = "DELETE FROM objects WHERE kind = ? AND id = ?"
            return connection.execute(query, (kind, plain(id))).rowcount > 0

    def swap(self, kind: str, id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        query = "UPDATE objects SET value = ? WHERE kind = ? AND id = ? AND value = ?"
        with self.open() as connection:
            changed = connection.execute(query, (json.dumps(new), kind, id, json.dumps(old)))
            return changed.rowcount > 0

    def all(self, kind: str) -> list[dict[str, Any]]:
        query = "SELECT value FROM objects WHERE kind = ? ORDER BY number DESC"
        with self.open() as connection:
            return [json.loads(value) for (value,) in connection.execute(query, (kind,))]

    def close(self) -> None:
        with self.lock:
            if self.connection is not None:
                self.connection.close()
            self.connection = None

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """Give the connection, for one thread at a time."""
        with self.lock:
            if self.connection is None:
                make_private(self.path)
                self.connection = sqlite3.connect(
                    self.path, timeout=BUSY_TIMEOUT_S, check_same_thread=False, isolation_level=None
                )
                self.connection.executescript(SCHEMA)
            yield self.connection
