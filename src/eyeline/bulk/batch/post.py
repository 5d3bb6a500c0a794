"""Batches on their way: uploaded, submitted, looked at, collected; each step written down first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eyeline.bulk.batch.api import BatchApi
from eyeline.bulk.batch.errors import BatchFailed
from eyeline.bulk.batch.state import Batch, Batches, lines_with_places

# Looked at every few seconds at first, every two minutes at last: a batch takes minutes to a day.
POLL_S, POLL_MAX_S = 5.0, 120.0
# How long a batch that found no room is left alone.
ROOM_S = 300.0
# Files on the disk that are not uploaded: more wait.
UNSENT_MAX = 3
ENDED = {"completed", "expired", "cancelled"}
# The account has so much on its way that no more is taken for now.
FULL_CODES = {"token_limit_exceeded", "enqueued_token_limit_exceeded", "batch_limit_exceeded"}


@dataclass(slots=True)
class Post:
    """Carries batches; the tasks that do are its own."""

    batches: Batches
    api: BatchApi
    sending: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    collected: set[int] = field(init=False)
    fresh: set[int] = field(default_factory=set)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(UNSENT_MAX))
    full_until_s: float = 0.0

    def __post_init__(self) -> None:
        done = (batch.number for batch in self.batches.all() if batch.step == "collected")
        self.collected = set(done)

    def is_collected(self, number: int) -> bool:
        return number in self.collected

    def go_on(self) -> None:
        """Go on with what was begun when the run ended last."""
        for batch in self.batches.open():
            self.begin(batch)

    async def submit_soon(self, batch: Batch) -> None:
        """Let a batch go out; waits while others do."""
        await self.room.acquire()
        self.begin(batch)
        self.sending[batch.number].add_done_callback(lambda _: self.room.release())

    def begin(self, batch: Batch) -> None:
        self.sending[batch.number] = asyncio.create_task(self.submit(batch))

    async def submitted(self) -> None:
        """Wait until all that is to go out is out. Raises what went wrong with one."""
        for task in [*self.sending.values()]:
            await task

    async def submit(self, batch: Batch) -> None:
        """Bring a batch from the step where it is to the one where it is on its way."""
        if batch.step == "filled":
            path = self.batches.requests(batch.number)
            name = f"eyeline-{self.batches.run_id}-{batch.number}.jsonl"
            file_id = await self.api.upload(path, name)
            batch = self.batches.keep(batch, step="uploaded", file_id=file_id)
        metadata = self.metadata(batch)
        batch_id = ""
        if batch.step == "submitting":
            batch_id = await self.api.find(metadata)
        if batch.step in ("uploaded", "submitting"):
            batch = self.batches.keep(batch, step="submitting")
            batch_id = batch_id or await self.api.create(batch.file_id, batch.endpoint, metadata)
            batch = self.batches.keep(batch, step="submitted", batch_id=batch_id)
        self.batches.requests(batch.number).unlink(missing_ok=True)

    def metadata(self, batch: Batch) -> Mapping[str, str]:
        """Give what this submission is found by among all of the account."""
        number = f"{batch.number}.{batch.attempt}"
        return {"eyeline_run": self.batches.run_id, "eyeline_batch": number}

    # --- coming back -----------------------------------------------------------------------------

    async def look_around(self) -> None:
        """Look once at each batch that is on its way, and collect those that have ended."""
        for batch in self.batches.open():
            if batch.step == "submitted":
                await self.look_at(batch)

    async def look_at(self, batch: Batch) -> None:
        found = await self.api.look(batch.batch_id)
        status = str(found.get("status") or "")
        counts = found.get("request_counts") or {}
        answered = int(counts.get("completed") or 0) + int(counts.get("failed") or 0)
        batch = self.batches.keep(batch, status=status, answered=answered)
        if status == "failed":
            self.refused(batch, found)
        elif status in ENDED:
            files = [found.get("output_file_id"), found.get("error_file_id")]
            await self.collect(batch, [str(each) for each in files if each])

    async def collect(self, batch: Batch, file_ids: list[str]) -> None:
        path = self.batches.answers(batch.number)
        await self.api.download(file_ids, path)
        self.batches.put_answers(batch, await asyncio.to_thread(lambda: [*answers_in(path)]))
        self.collected.add(batch.number)
        self.fresh.add(batch.number)

    def refused(self, batch: Batch, found: Mapping[str, Any]) -> None:
        """
        Submit a batch anew, in a while, where the account is full. Raises BatchFailed for all else.
        """
        errors = (found.get("errors") or {}).get("data") or [{}]
        code, message = str(errors[0].get("code") or ""), str(errors[0].get("message") or "")
        if code not in FULL_CODES:
            raise BatchFailed(batch.name, f"{code}: {message}".strip(": ") or "no reason given")
        again = self.batches.keep(
            batch, step="uploaded", attempt=batch.attempt + 1, batch_id="", status=""
        )
        self.sending[batch.number] = asyncio.create_task(self.submit_later(again))

    async def submit_later(self, batch: Batch) -> None:
        await asyncio.sleep(ROOM_S)
        await self.submit(batch)

    async def next_ones(self) -> set[int]:
        """Wait until a batch is collected, and give those that were since the last call."""
        wait_s = POLL_S
        while not self.fresh:
            self.raise_if_broken()
            await self.look_around()
            if not self.fresh:
                await asyncio.sleep(wait_s)
                wait_s = min(POLL_MAX_S, wait_s * 1.5)
        fresh, self.fresh = self.fresh, set()
        return fresh

    def raise_if_broken(self) -> None:
        """Raise what went wrong with a batch that was to go out."""
        for task in self.sending.values():
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def call_back(self) -> None:
        """
        End all that is on its way: what is not submitted never was, what is gets cancelled, and
        what was answered by then is collected.
        """
        for batch in self.batches.open():
            if batch.step == "submitting" and (there := await self.api.find(self.metadata(batch))):
                batch = self.batches.keep(batch, step="submitted", batch_id=there)
            if batch.step == "submitted":
                await self.api.cancel(batch.batch_id)
            else:
                self.batches.forget(batch)
        while self.batches.open():
            await self.look_around()
            if self.batches.open():
                await asyncio.sleep(POLL_S)

    async def close(self) -> None:
        for task in self.sending.values():
            task.cancel()
        await asyncio.gather(*self.sending.values(), return_exceptions=True)


def answers_in(path: Path) -> Iterator[tuple[str, int, int]]:
    """Give the id of each answer in a file, where it stands and how long it is."""
    for line, at, size in lines_with_places(path):
        try:
            line_id = json.loads(line).get("custom_id")
        except (ValueError, AttributeError):
            continue
        if isinstance(line_id, str):
            yield line_id, at, size
