"""How many rows are open at once, and when no more are to begin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Of images that open rows hold: those that came with their rows, that were fetched, small files.
BYTES_MAX = 192 * 2**20
# Rows that read or prepare: enough to keep every thread busy. Only those on their way are many.
PREPARING_MAX = 64


class Gate:
    """
    Lets rows in, `rows_max` at once, until it is told to stop; belongs to one event loop.

    `turn` is held by the shard that reads rows; `stopped_by` is the first reason given for an end.
    """

    def __init__(self, rows_max: Callable[[], int], bytes_max: int = BYTES_MAX) -> None:
        self.most, self.bytes_max = rows_max, bytes_max
        self.open = self.open_bytes = self.preparing = 0
        self.turn = asyncio.Lock()
        self.changed = asyncio.Event()
        self.idle: set[asyncio.Task[None]] = set()
        self.stopped_by: BaseException | None = None

    @property
    def rows_max(self) -> int:
        """How many rows may be open now; the pace may change it at any time."""
        return self.most()

    async def enter(self, size_bytes: int) -> bool:
        """Wait for a place, in one's turn; False where no row is to begin any more."""
        while self.stopped_by is None and self.is_full(size_bytes):
            self.changed.clear()
            await self.changed.wait()
        if self.stopped_by is not None:
            return False
        self.open += 1
        self.open_bytes += size_bytes
        return True

    def is_full(self, size_bytes: int) -> bool:
        if self.open >= self.rows_max or self.preparing >= PREPARING_MAX:
            return True
        return self.open_bytes + size_bytes > self.bytes_max and self.open > 0

    def leave(self, size_bytes: int) -> None:
        self.open -= 1
        self.open_bytes -= size_bytes
        self.changed.set()

    def hold(self, size_bytes: int) -> None:
        """Count what an open row holds beyond what it came with; below zero where it lets go."""
        self.open_bytes += size_bytes
        if size_bytes < 0:
            self.changed.set()

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Count a row as one that is prepared, for as long as that takes."""
        self.preparing += 1
        try:
            yield
        finally:
            self.preparing -= 1
            self.changed.set()

    def stop(self, reason: BaseException) -> None:
        """Begin no more, and let go of each row of which nothing is on its way."""
        if self.stopped_by is None:
            self.stopped_by = reason
            self.changed.set()
            for task in self.idle:
                task.cancel()

    def wait_begins(self) -> None:
        """Say that the present row waits, with nothing on its way that could be lost."""
        if self.stopped_by is not None:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        assert task is not None
        self.idle.add(task)

    def wait_ends(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.idle.discard(task)
