"""One batch carried out: validated, asked line by line, and its answers put into files."""

from __future__ import annotations

import logging
import os
import time
from asyncio import Semaphore, TaskGroup
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool

from eyeline.core.wire import Response
from eyeline.gateway.batch_lines import Line, read_lines
from eyeline.gateway.files import Files
from eyeline.ports import Shelf

logger = logging.getLogger(__name__)

BATCH = "batch"
# The states in which a batch still has somebody to carry it out.
UNFINISHED = ("validating", "in_progress", "finalizing", "cancelling")
# How many answers come in before the counts that a client sees are renewed.
COUNTED_EACH = 10

Ask = Callable[[str, bytes], Awaitable[Response]]


@dataclass
class BatchRun:
    """
    Carries out one batch; `ask` posts a body to an endpoint, `in_flight` at once.

    `record` is what the shelf has of it: the batch as clients see it, and which process runs it.
    """

    record: dict[str, Any]
    shelf: Shelf
    files: Files
    ask: Ask
    in_flight: int
    answers: list[bytes] = field(default_factory=list)
    failures: list[bytes] = field(default_factory=list)

    @property
    def batch(self) -> dict[str, Any]:
        found: dict[str, Any] = self.record["batch"]
        return found

    async def run(self) -> None:
        """Carry it out; whatever is wrong with us is a batch that failed, not one that hangs."""
        try:
            await self.carry_out()
        except Exception as error:
            logger.exception("batch %s broke off", self.batch["id"])
            self.note("failed", errors={"object": "list", "data": [fault(error)]})

    async def carry_out(self) -> None:
        lines = await run_in_threadpool(self.validate)
        if lines is None:
            return
        turns = Semaphore(self.in_flight)
        async with TaskGroup() as group:
            for line in lines:
                await turns.acquire()
                if await run_in_threadpool(self.is_cancelled):
                    turns.release()
                    break
                task = group.create_task(self.answer(line))
                task.add_done_callback(lambda _: turns.release())
        await run_in_threadpool(self.finish)

    def validate(self) -> list[Line] | None:
        """Read the input; None where it is at fault, which the batch then says."""
        batch = self.batch
        data = self.shelf.data(batch["input_file_id"]) or b""
        lines, faults = read_lines(data, batch["endpoint"])
        if faults:
            errors = {"object": "list", "data": faults}
            self.note("failed", errors=errors)
            return None
        counts = {"total": len(lines), "completed": 0, "failed": 0}
        self.note("in_progress", request_counts=counts)
        return lines

    async def answer(self, line: Line) -> None:
        """Ask one line, and keep what came of it."""
        response = await self.ask(self.batch["endpoint"], line.body)
        is_answer = response.status < 400
        made = {
            "id": f"batch_req_{token_hex(12)}",
            "custom_id": line.custom_id,
            "response": {
                "status_code": response.status,
                "request_id": response.headers.get("x-request-id", ""),
                "body": orjson.Fragment(response.body),
            },
            "error": None,
        }
        (self.answers if is_answer else self.failures).append(orjson.dumps(made) + b"\n")
        counts = self.batch["request_counts"]
        counts["completed" if is_answer else "failed"] += 1
        if (counts["completed"] + counts["failed"]) % COUNTED_EACH == 0:
            await run_in_threadpool(self.put)

    def finish(self) -> None:
        """Put the answers into files, and say that the batch is over."""
        was_cancelled = self.is_cancelled()
        if not was_cancelled:
            self.note("finalizing")
        name, found = self.batch["id"], {}
        for field_name, made in (("output", self.answers), ("error", self.failures)):
            if made:
                file = self.files.keep(b"".join(made), f"{name}_{field_name}.jsonl", "batch_output")
                found[f"{field_name}_file_id"] = file["id"]
        self.note("cancelled" if was_cancelled else "completed", **found)

    def is_cancelled(self) -> bool:
        kept = self.shelf.get(BATCH, self.batch["id"])
        return kept is None or bool(kept["batch"]["status"] == "cancelling")

    def note(self, status: str, **changes: Any) -> None:
        """Move on to a state, and say when."""
        self.batch.update(status=status, **changes)
        self.batch[f"{status}_at"] = int(time.time())
        self.put()

    def put(self) -> None:
        if self.batch["status"] == "in_progress" and self.is_cancelled():
            return
        self.shelf.put(BATCH, self.batch["id"], self.record)


def fault(error: Exception) -> dict[str, Any]:
    message = f"The gateway failed: {type(error).__name__}."
    return {"code": "internal_error", "message": message, "param": None, "line": None}


def is_orphan(record: dict[str, Any]) -> bool:
    """Say whether a batch is not over, and the process that ran it is gone."""
    if record["batch"]["status"] not in UNFINISHED or os.name == "nt":
        return False
    try:
        os.kill(record["owner"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return bool(record["owner"] == os.getpid())
