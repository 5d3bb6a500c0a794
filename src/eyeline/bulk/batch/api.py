"""Files and batches of the API, each call repeated as long as waiting may help."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from eyeline.bulk.folder import writing
from eyeline.core.failure import api_error
from eyeline.core.wire import Response
from eyeline.errors import (
    ApiError,
    ConnectionFailed,
    EngineError,
    RateLimited,
    ServerFailed,
    StreamCut,
    TimedOut,
    UnexpectedResponse,
)

PASSING = (ConnectionFailed, TimedOut, StreamCut, RateLimited, ServerFailed)
# A run has a day; a network that is gone for longer than an hour is told.
WAIT_S, WAIT_MAX_S, TRIES = 1.0, 60.0, 70
PAGE = 100


class Http(Protocol):
    """What carries the calls, blocking."""

    def get(self, path: str) -> Response: ...
    def post(self, path: str, body: bytes) -> Response: ...
    def upload(self, file: Path, name: str) -> Response: ...
    def download(self, path: str, file: Any) -> Response: ...
    def close(self) -> None: ...


class BatchApi:
    """The calls of one account. Each raises an EngineError where it cannot be done."""

    def __init__(self, http: Http, engine: str, model: str, since_s: float = 0.0) -> None:
        self.http, self.engine, self.model, self.since_s = http, engine, model, since_s

    async def upload(self, file: Path, name: str) -> str:
        """Give the id of an uploaded file; a second upload of it does no harm."""
        found = await self.patiently(lambda: self.http.upload(file, name))
        return str(found["id"])

    async def create(self, file_id: str, endpoint: str, metadata: Mapping[str, str]) -> str:
        """
        Create a batch, unless one with this metadata is there, and give its id.

        Where nobody knows whether it was created, it is looked for before it is tried again.
        """
        body = {
            "input_file_id": file_id, "endpoint": endpoint, "completion_window": "24h",
            "metadata": metadata,
        }  # fmt: skip
        for number in range(TRIES):
            try:
                made = await self.once(lambda: self.http.post("/batches", dumps(body)))
            except PASSING as error:
                await pause(number, error)
                if there := await self.find(metadata):
                    return there
                continue
            return str(made["id"])
        raise ConnectionFailed(self.engine, "no batch could be created")

    async def find(self, metadata: Mapping[str, str]) -> str:
        """
        Give the id of the batch with this metadata, "" where there is none; batches come newest
        first, and none before `since_s`, in seconds of Unix time, can be it.
        """
        after = ""
        while True:
            query = f"/batches?limit={PAGE}{f'&after={after}' if after else ''}"
            page = await self.patiently(lambda query=query: self.http.get(query))  # type: ignore[misc]
            listed = page.get("data") or []
            for batch in listed:
                if (batch.get("metadata") or {}) == metadata:
                    return str(batch["id"])
            if not (listed and page.get("has_more")) or self.is_older(listed[-1]):
                return ""
            after = str(listed[-1]["id"])

    def is_older(self, batch: Mapping[str, Any]) -> bool:
        created_s = batch.get("created_at")
        return isinstance(created_s, int) and created_s < self.since_s

    async def look(self, batch_id: str) -> Mapping[str, Any]:
        """Give a batch as it stands."""
        return await self.patiently(lambda: self.http.get(f"/batches/{batch_id}"))

    async def cancel(self, batch_id: str) -> None:
        """Ask for a batch to be ended; one that has ended is left as it is."""
        try:
            await self.patiently(lambda: self.http.post(f"/batches/{batch_id}/cancel", b"{}"))
        except ApiError as error:
            if error.status not in (400, 404, 409):
                raise

    async def download(self, file_ids: list[str], to: Path) -> None:
        """Write several files, one after the other, into one that is whole or not there."""
        for number in range(TRIES):
            try:
                await asyncio.to_thread(self.fetch, file_ids, to)
            except PASSING as error:
                await pause(number, error)
                continue
            return
        raise ConnectionFailed(self.engine, "the answers could not be fetched")

    def fetch(self, file_ids: list[str], to: Path) -> None:
        with writing(to) as file:
            for file_id in file_ids:
                response = self.http.download(f"/files/{file_id}/content", file)
                if response.status >= 300:
                    raise api_error(self.engine, response, self.model)
                file.write(b"\n")

    async def patiently(self, call: Callable[[], Response]) -> dict[str, Any]:
        """Do a call that may be done twice, as often as waiting may help."""
        for number in range(TRIES):
            try:
                return await self.once(call)
            except PASSING as error:
                if number == TRIES - 1:
                    raise
                await pause(number, error)
        raise AssertionError

    async def once(self, call: Callable[[], Response]) -> dict[str, Any]:
        response = await asyncio.to_thread(call)
        if response.status >= 300:
            raise api_error(self.engine, response, self.model)
        try:
            value = json.loads(response.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise UnexpectedResponse(self.engine, "no JSON object, expected one of the Batch API")
        return value


async def pause(number: int, error: EngineError) -> None:
    """Wait before the next try; longer each time, or as long as the server says."""
    advised_s = error.retry_after_s if isinstance(error, RateLimited | ServerFailed) else None
    grown_s = min(WAIT_MAX_S, WAIT_S * 2 ** min(number, 10)) * (0.5 + random.random() / 2)
    await asyncio.sleep(grown_s if advised_s is None else advised_s)


def dumps(value: object) -> bytes:
    return json.dumps(value).encode()
