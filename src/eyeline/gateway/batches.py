"""`/v1/batches` where the engine has none: each line asked here, on the road of questions."""

from __future__ import annotations

import os
import time
from asyncio import Task, create_task, gather
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eyeline.gateway.batch_lines import ENDPOINTS
from eyeline.gateway.batch_run import BATCH, UNFINISHED, Ask, BatchRun, is_orphan
from eyeline.gateway.files import FILE, Files
from eyeline.gateway.listing import listing
from eyeline.gateway.options import Bounds
from eyeline.gateway.reading import read_body
from eyeline.gateway.refusals import Refused, missing
from eyeline.ports import Shelf

WINDOW, WINDOW_S = "24h", 86_400
TIMES = (
    "in_progress_at", "finalizing_at", "completed_at", "failed_at", "expired_at", "cancelling_at",
    "cancelled_at", "output_file_id", "error_file_id", "errors",
)  # fmt: skip


class Batches:
    """Takes batches, carries them out in the background, and says how far they are."""

    def __init__(self, shelf: Shelf, bounds: Bounds, ask: Ask, in_flight: int) -> None:
        self.shelf, self.bounds, self.ask, self.in_flight = shelf, bounds, ask, in_flight
        self.files = Files(shelf, bounds)
        self.tasks: set[Task[None]] = set()

    def routes(self) -> list[Route]:
        return [
            Route("/batches", self.all),
            Route("/batches", self.make, methods=["POST"]),
            Route("/batches/{id}", self.one),
            Route("/batches/{id}/cancel", self.cancel, methods=["POST"]),
        ]

    # --- what clients ask -------------------------------------------------------------------------

    def all(self, request: Request) -> Response:
        found = [record["batch"] for record in self.shelf.all(BATCH)]
        return JSONResponse(listing(found, request.query_params))

    async def make(self, request: Request) -> Response:
        try:
            fields = orjson.loads(await read_body(request, self.bounds))
        except ValueError:
            raise Refused(400, "We could not parse the JSON body of your request.") from None
        batch = new_batch(self.checked(fields))
        self.begin({"batch": batch, "owner": os.getpid()})
        return JSONResponse(batch)

    def one(self, request: Request) -> Response:
        return JSONResponse(self.kept(request)["batch"])

    def cancel(self, request: Request) -> Response:
        record = self.kept(request)
        batch = record["batch"]
        if batch["status"] not in UNFINISHED:
            message = f"Cannot cancel a batch with status '{batch['status']}'."
            raise Refused(409, message, "invalid_status")
        batch |= {"status": "cancelling", "cancelling_at": int(time.time())}
        self.shelf.put(BATCH, batch["id"], record)
        return JSONResponse(batch)

    def kept(self, request: Request) -> dict[str, Any]:
        id = request.path_params["id"]
        found = self.shelf.get(BATCH, id)
        if found is None:
            raise missing(f"No batch found with id '{id}'.")
        return found

    def checked(self, fields: Any) -> Mapping[str, Any]:
        """Give the fields of a request for a batch. Raises Refused."""
        given: Mapping[str, Any] = fields if isinstance(fields, dict) else {}
        expected = {"endpoint": ENDPOINTS, "completion_window": (WINDOW,)}
        for name, values in expected.items():
            if given.get(name) not in values:
                words = ", ".join(f"'{value}'" for value in values)
                message = f"Invalid value: '{given.get(name)}'. Supported values are: {words}."
                raise Refused(400, message, "invalid_value", name)
        file = self.shelf.get(FILE, str(given.get("input_file_id")))
        if file is None or file["purpose"] != "batch":
            message = f"No file of purpose 'batch' found with id '{given.get('input_file_id')}'."
            raise Refused(400, message, "invalid_value", "input_file_id")
        return given

    # --- what is done for them --------------------------------------------------------------------

    def begin(self, record: dict[str, Any]) -> None:
        """Carry a batch out in the background."""
        self.shelf.put(BATCH, record["batch"]["id"], record)
        run = BatchRun(record, self.shelf, self.files, self.ask, self.in_flight)
        task = create_task(run.run())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def resume(self) -> None:
        """Take over what a process that is gone left; what it had answered the cache knows."""
        for record in self.shelf.all(BATCH):
            owned = {**record, "owner": os.getpid()}
            if is_orphan(record) and self.shelf.swap(BATCH, record["batch"]["id"], record, owned):
                self.begin(owned)

    async def close(self) -> None:
        """Leave what is not over to whoever comes next."""
        for task in self.tasks:
            task.cancel()
        await gather(*self.tasks, return_exceptions=True)


def new_batch(fields: Mapping[str, Any]) -> dict[str, Any]:
    now_s = int(time.time())
    return {
        "id": f"batch_{token_hex(12)}",
        "object": "batch",
        "endpoint": fields["endpoint"],
        "input_file_id": fields["input_file_id"],
        "completion_window": WINDOW,
        "status": "validating",
        "created_at": now_s,
        "expires_at": now_s + WINDOW_S,
        **dict.fromkeys(TIMES),
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": fields.get("metadata"),
    }
