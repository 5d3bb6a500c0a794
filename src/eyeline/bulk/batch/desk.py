"""Where the requests of rows become lines of batches, and answers of batches those of rows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any, BinaryIO

from eyeline.bulk.batch.errors import BatchExpired, LineTooLarge, Parked
from eyeline.bulk.batch.post import Post
from eyeline.bulk.batch.state import Batch, Batches, Place, Slip, told
from eyeline.bulk.ledger import total
from eyeline.bulk.tally import Tally
from eyeline.core.cost import FREE
from eyeline.core.request import PATHS
from eyeline.core.wire import Request, Response
from eyeline.errors import BudgetExceeded, PriceUnknown
from eyeline.policy.budget import dollars
from eyeline.ports import AsyncTransport

# Source: batch guide of OpenAI, May 2026: 50,000 requests and 200 MB a file.
REQUESTS_MAX, FILE_BYTES_MAX = 50_000, 200_000_000
# How often a request that expires is tried.
TRIES_MAX = 3


@dataclass(slots=True)
class Filling:
    """A file that is being written."""

    number: int
    endpoint: str
    file: BinaryIO
    ids: set[str] = field(default_factory=set)
    size_bytes: int = 0


@dataclass(slots=True)
class Desk:
    """
    Files requests and gives their answers. With `is_filing` False it gives answers only.

    `limit_usd` is what the whole run may spend; what is on its way counts at its worst.
    `exhausted` says why requests of the shards `turned_away` were not filed.
    """

    batches: Batches
    post: Post
    tally: Tally
    engine: str
    limit_usd: Decimal | None = None
    is_filing: bool = True
    pending_usd: Decimal = FREE
    filling: dict[str, Filling] = field(default_factory=dict)
    exhausted: BudgetExceeded | None = None
    turned_away: set[int] = field(default_factory=set)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def is_waiting(self, row: Place) -> bool:
        """Say whether a row's last request is on its way, so that there is nothing to do for it."""
        slip = self.batches.last_slip(row)
        return slip is not None and not self.post.is_collected(slip.batch)

    async def exchange(self, way: RowWay, request: Request) -> Response:
        """Give the answer to a request, or file it. Raises Parked until the answer is there."""
        place = way.place
        slip = self.batches.slip(place)
        if slip is None or (way.is_anew and 0 < slip.used < self.batches.session):
            await self.file(way, request, 1)
            raise Parked(self.engine)
        if not self.post.is_collected(slip.batch):
            raise Parked(self.engine)
        found, reason = read_answer(self.batches.answer(slip))
        self.pending_usd -= FREE if slip.used else slip.usd or FREE
        self.batches.begin()
        self.batches.use(place)
        if found is not None:
            return found
        if slip.tries >= TRIES_MAX:
            raise BatchExpired(way.source, reason)
        await self.file(way, request, slip.tries + 1)
        raise Parked(self.engine)

    async def file(self, way: RowWay, request: Request, tries: int) -> None:
        """Make a request a line of the file that is being written, unless it is asked already."""
        line_id, endpoint = id_of(request), f"/v1{request.path}"
        line = line_of(line_id, endpoint, request.body)
        if len(line) > FILE_BYTES_MAX:
            raise LineTooLarge(way.source, len(line), FILE_BYTES_MAX)
        async with self.lock:
            asked = self.batches.asked_in(line_id)
            if asked is not None:
                self.batches.put(way.place, Slip(line_id, asked, FREE, tries))
            elif self.is_filing and self.affords(way):
                filling = await self.room_for(endpoint, len(line))
                with told(self.batches.folder):
                    filling.file.write(line)
                filling.size_bytes += len(line)
                filling.ids.add(line_id)
                self.batches.begin()
                self.batches.put(way.place, Slip(line_id, filling.number, way.usd, tries))
                self.pending_usd += way.usd or FREE

    def affords(self, way: RowWay) -> bool:
        """Say whether the budget holds one more request at its worst, beside all on their way."""
        if self.limit_usd is None:
            return True
        if way.usd is None:
            raise PriceUnknown(way.model)
        left_usd = self.limit_usd - self.tally.spent_usd - self.pending_usd
        if way.usd <= left_usd:
            return True
        self.turned_away.add(way.row.shard)
        figures = way.usd, max(FREE, left_usd), self.limit_usd
        self.exhausted = BudgetExceeded(*map(dollars, figures))
        return False

    async def room_for(self, endpoint: str, size_bytes: int) -> Filling:
        """Give the file for a line, a new one where the last is full."""
        filling = self.filling.get(endpoint)
        if filling is not None and (
            len(filling.ids) >= REQUESTS_MAX or filling.size_bytes + size_bytes > FILE_BYTES_MAX
        ):
            await self.seal(endpoint)
            filling = None
        if filling is None:
            number = max([self.batches.next_number(), *(
                each.number + 1 for each in self.filling.values()
            )])  # fmt: skip
            with told(self.batches.folder):
                file = self.batches.requests(number).open("wb")
            filling = self.filling[endpoint] = Filling(number, endpoint, file)
        return filling

    async def seal(self, endpoint: str) -> None:
        """End a file: from here on its batch is one that is to be submitted, whatever happens."""
        filling = self.filling.pop(endpoint)
        with told(self.batches.folder):
            await asyncio.to_thread(sync, filling.file)
        batch = Batch(filling.number, endpoint, len(filling.ids), filling.size_bytes)
        await self.post.submit_soon(self.batches.keep(batch))

    async def seal_all(self) -> None:
        """End all files that are being written, and let them go out."""
        async with self.lock:
            for endpoint in [*self.filling]:
                await self.seal(endpoint)
            self.batches.commit()


def sync(file: BinaryIO) -> None:
    import os

    file.flush()
    os.fsync(file.fileno())
    file.close()


def id_of(request: Request) -> str:
    """Name a request by what it asks: the same one twice is one line."""
    return sha256(request.path.encode() + b"\n" + request.body).hexdigest()[:40]


def line_of(line_id: str, endpoint: str, body: bytes) -> bytes:
    """Give one line of a batch's file, around a body that is JSON already."""
    head = f'{{"custom_id":"{line_id}","method":"POST","url":"{endpoint}","body":'.encode()
    return b"".join((head, body, b"}\n"))


def read_answer(line: bytes | None) -> tuple[Response | None, str]:
    """Read a line of answers: the response in it, or why there is none."""
    if line is None:
        return None, "no answer in the batch"
    value = json.loads(line)
    response, error = value.get("response"), value.get("error") or {}
    if not isinstance(response, Mapping):
        return None, str(error.get("code") or error.get("message") or "no response")
    headers = {"x-request-id": str(response.get("request_id") or "")}
    body = json.dumps(response.get("body")).encode()
    return Response(int(response.get("status_code") or 500), headers, body), ""


@dataclass(slots=True)
class RowWay:
    """
    The way of one row's requests: they are counted, for each has a slip of its own. With `is_anew`
    answers that the row got in an earlier session are not wanted again. `live` takes what is no
    question, as an upload.
    """

    desk: Desk
    live: AsyncTransport
    row: Place
    source: str
    model: str
    usd_max: list[Decimal | None]
    is_anew: bool = False
    sent: int = -1

    @property
    def place(self) -> Place:
        return replace(self.row, n=self.sent)

    @property
    def usd(self) -> Decimal | None:
        """The most that all requests of the row cost so far; what is corrected was paid too."""
        return total(self.usd_max)

    async def send(self, request: Request) -> Response:
        if request.path not in PATHS.values():
            return await self.live.send(request)
        self.sent += 1
        return await self.desk.exchange(self, request)

    async def open(self, request: Request) -> Any:
        raise AssertionError("a batch streams nothing")

    async def close(self) -> None:
        pass
