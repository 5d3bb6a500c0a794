"""How many rows are open at once, and when no more are to begin."""

from __future__ import annotations

import asyncio


class Gate:
    """
    Lets rows in, `rows_max` at once, until it is told to stop; belongs to one event loop.

    `turn` is held by the shard that reads rows; `stopped_by` is the first reason given for an end.
    """

    def __init__(self, rows_max: int) -> None:
        self.rows_max, self.open = rows_max, 0
        self.free = asyncio.Semaphore(rows_max)
        self.turn = asyncio.Lock()
        self.idle: set[asyncio.Task[None]] = set()
        self.stopped_by: BaseException | None = None

    async def enter(self) -> bool:
        """Wait for a place; False where no row is to begin any more."""
        if self.stopped_by is None:
            await self.free.acquire()
        if self.stopped_by is not None:
            return False
        self.open += 1
        return True

    def leave(self) -> None:
        self.open -= 1
        self.free.release()

    def stop(self, reason: BaseException) -> None:
        """Begin no more, and let go of each row of which nothing is on its way."""
        if self.stopped_by is None:
            self.stopped_by = reason
            self.free.release()  # for whoever waits to enter
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
