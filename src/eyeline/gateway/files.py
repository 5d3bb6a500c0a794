"""`/v1/files` where the engine has none: uploads kept here, for batches and as pictures."""

from __future__ import annotations

import time
from secrets import token_hex
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eyeline.gateway.listing import LIMIT_MAX, listing
from eyeline.gateway.options import Bounds
from eyeline.gateway.reading import ClientGone, next_piece, refuse_length, too_long
from eyeline.gateway.refusals import Refused, missing
from eyeline.ports import Shelf

FILE = "file"
# The most that a batch's input may have; it is held whole.
HERE_BYTES_MAX = 200 * 2**20
PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")


class Files:
    """Takes files and gives them back."""

    def __init__(self, shelf: Shelf, bounds: Bounds) -> None:
        self.shelf, self.bounds = shelf, bounds

    def routes(self) -> list[Route]:
        return [
            Route("/files", self.all),
            Route("/files", self.take, methods=["POST"]),
            Route("/files/{id}", self.one),
            Route("/files/{id}", self.delete, methods=["DELETE"]),
            Route("/files/{id}/content", self.content),
        ]

    def all(self, request: Request) -> Response:
        purpose = request.query_params.get("purpose")
        found = [each for each in self.shelf.all(FILE) if purpose in (None, each["purpose"])]
        return JSONResponse(listing(found, request.query_params, LIMIT_MAX))

    async def take(self, request: Request) -> Response:
        refuse_length(request.headers, HERE_BYTES_MAX)
        counted = Request(request.scope, Counting(request, self.bounds).receive)
        try:
            async with counted.form(max_files=1, max_fields=10) as form:
                file, purpose = form.get("file"), form.get("purpose")
                if not isinstance(file, UploadFile):
                    raise Refused(400, "'file' is a required property", None, "file")
                if purpose not in PURPOSES:
                    expected = ", ".join(f"'{each}'" for each in PURPOSES)
                    raise Refused(400, f"'{purpose}' is not one of [{expected}]", None, "purpose")
                data = await file.read()
        except MultiPartException as error:
            raise Refused(400, f"Could not parse multipart form: {error.message}") from None
        made = await run_in_threadpool(self.keep, data, file.filename or "upload", str(purpose))
        return JSONResponse(made)

    def keep(self, data: bytes, name: str, purpose: str) -> dict[str, Any]:
        """Keep a file, and give its object."""
        made: dict[str, Any] = {
            "id": f"file-{token_hex(12)}",
            "object": "file",
            "bytes": len(data),
            "created_at": int(time.time()),
            "expires_at": None,
            "filename": name,
            "purpose": purpose,
            "status": "processed",
            "status_details": None,
        }
        self.shelf.put(FILE, made["id"], made, data)
        return made

    def one(self, request: Request) -> Response:
        return JSONResponse(self.kept(request.path_params["id"]))

    def delete(self, request: Request) -> Response:
        id = self.kept(request.path_params["id"])["id"]
        self.shelf.delete(FILE, id)
        return JSONResponse({"id": id, "object": "file", "deleted": True})

    def content(self, request: Request) -> Response:
        data = self.shelf.data(self.kept(request.path_params["id"])["id"])
        return Response(data, media_type="application/octet-stream")

    def kept(self, id: str) -> dict[str, Any]:
        found = self.shelf.get(FILE, id)
        if found is None:
            raise missing(f"No such File object: {id}", "id")
        return found


class Counting:
    """Receives a body within the limits of an upload."""

    def __init__(self, request: Request, bounds: Bounds) -> None:
        self.request, self.bounds, self.left = request, bounds, HERE_BYTES_MAX

    async def receive(self) -> dict[str, Any]:
        try:
            piece, more = await next_piece(self.request, self.bounds)
        except ClientGone:
            return {"type": "http.disconnect"}
        except TimeoutError:
            raise Refused(408, "The file took too long to arrive.", "timeout") from None
        self.left -= len(piece)
        if self.left < 0:
            raise too_long(HERE_BYTES_MAX)
        return {"type": "http.request", "body": piece, "more_body": more}
