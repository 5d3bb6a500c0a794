"""
One shard, from its rows to its part: the function that every engine runs, here or elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from eyeline.bulk.asker import Asker
from eyeline.bulk.batch.errors import Parked
from eyeline.bulk.book import Book
from eyeline.bulk.columns import Columns
from eyeline.bulk.commits import Commit, commit_of
from eyeline.bulk.crew import Crew, RowDriver
from eyeline.bulk.folder import RunFolder
from eyeline.bulk.gate import Gate
from eyeline.bulk.ledger import Ledger, Recovered, recover
from eyeline.bulk.records import Record, done, failed, record_of, result_of
from eyeline.bulk.rows import Row, Shard, Source
from eyeline.bulk.run_errors import EngineLost, InDoubt, RunUnwritable, TooManyFailures
from eyeline.bulk.stops import is_for_all, is_hung
from eyeline.bulk.tables import read_rows, write_part
from eyeline.bulk.tally import Tally
from eyeline.flow import ask

# What is read ahead: so many rows, or so many bytes of images that come with them.
AHEAD_ROWS, AHEAD_BYTES = 64, 16 * 2**20
SYNC_S = 1.0


@dataclass(frozen=True, slots=True)
class ShardSpec:
    """
    What is to be done of a run: one shard, for the `generation`-th time, counted from 0.

    `part` is where its answers go, relative to the run's parts; that of an earlier generation is
    there. With `retry_failed` failed rows are asked again, with `skip_doubts` rows that may have
    been answered are not. Plain JSON by `to_record`.
    """

    shard: Shard
    part: str
    generation: int = 0
    retry_failed: bool = False
    skip_doubts: bool = False

    def to_record(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> ShardSpec:
        return cls(**{**record, "shard": Shard.from_record(record["shard"])})


@dataclass(frozen=True, slots=True)
class Context:
    """What a process has to do shards with: made where they are done, never sent there."""

    folder: RunFolder
    source: Source
    columns: Columns
    asker: Asker
    crew: Crew
    gate: Gate
    tally: Tally
    reader: ThreadPoolExecutor
    failures_max: int | None = None
    # That of this try, where whoever does the shard has to know which try it is.
    ledger: Path | None = None


async def run_shard(spec: ShardSpec, context: Context) -> Commit | None:
    """
    Do one shard: ask what has no answer yet, write its part, and give its figures; None where the
    gate was closed before its end. What was answered is in its ledger then, for the next time.
    """
    async with AsyncExitStack() as stack:
        async with context.gate.turn:
            if context.gate.stopped_by is not None:
                return None
            work = await asyncio.to_thread(ShardWork.begin, spec, context)
            stack.callback(work.ledger.close)
            await stack.enter_async_context(synced(work.ledger))
            stack.push_async_callback(work.let_go)
            is_read = await work.send_rows()
        await work.drain()
        if not is_read or len(work.records) < len(work.places):
            return None
        return await asyncio.to_thread(work.commit)


@dataclass(slots=True)
class ShardWork:
    """One shard on its way: its ledger, what is known of its rows, and where each stands."""

    spec: ShardSpec
    context: Context
    ledger: Ledger
    found: Recovered
    records: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    places: list[tuple[int, str, Mapping[str, Any]]] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @classmethod
    def begin(cls, spec: ShardSpec, context: Context) -> ShardWork:
        """Recover what is known, and write down which rows are in doubt."""
        number, folder = spec.shard.number, context.folder
        path = context.ledger or folder.new_ledger(number, spec.generation)
        found = recover(*folder.tries(number, spec.generation))
        ledger = Ledger(path, make_room=folder.make_room)
        work = cls(spec, context, ledger, found)
        in_doubt = found.in_doubt()
        for key, doubt in in_doubt.items():
            found.take(ledger.doubt(key, doubt.usd_max))
        work.put_back(found.stored)
        work.records = {
            key: record for key, record in {**work.earlier(), **found.records}.items()
            if not (spec.retry_failed and record["status"] == "failed")
        }  # fmt: skip
        return work

    def put_back(self, stored: Mapping[str, Any]) -> None:
        """Put what was answered into the cache, which may have lost its last moment."""
        if (cache := self.context.asker.outside.cache) is not None:
            for key, record in stored.items():
                cache.put_soon(key, record)

    def earlier(self) -> dict[str, Mapping[str, Any]]:
        """Give the records of the last generation, from its part."""
        path = self.context.folder.parts / self.spec.part
        if not self.spec.generation or not path.exists():
            return {}
        rows = read_rows(path)
        return {row["key"]: record_of(row, self.context.columns) for row in rows}

    async def send_rows(self) -> bool:
        """Begin each row that has no outcome; False where the gate closed before the last."""
        gate = self.context.gate
        self.context.tally.recover(self.spec.shard.number, self.records.values())
        async with aclosing(read_ahead(self.rows(), self.context.reader)) as rows:
            async for row in rows:
                self.places.append((row.at, row.key, self.kept(row)))
                if row.key in self.records:
                    continue
                size_bytes = carried_bytes(row)
                if not await gate.enter(size_bytes):
                    return False
                task = asyncio.create_task(self.do(row))
                self.tasks.add(task)
                gate.idle.add(task)
                task.add_done_callback(partial(self.end, size_bytes))
        self.context.tally.spans[self.spec.shard.number] = len(self.places)
        return True

    def rows(self) -> Iterator[Row]:
        return self.context.source.rows(self.spec.shard)

    def kept(self, row: Row) -> Mapping[str, Any]:
        return {name: row.values.get(name) for name in self.context.columns.kept}

    def end(self, size_bytes: int, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self.context.gate.idle.discard(task)
        self.context.gate.leave(size_bytes)

    async def drain(self) -> None:
        """Wait for what was begun."""
        while self.tasks:
            await asyncio.wait(self.tasks)

    async def let_go(self) -> None:
        """Cancel what is still on its way; there is, only where this shard itself was cancelled."""
        for task in self.tasks:
            task.cancel()
        await self.drain()

    async def do(self, row: Row) -> None:
        """Ask one row, and write down what came of it; whatever goes wrong stays in its row."""
        gate = self.context.gate
        book = Book(self.ledger, row.key, gate.wait_ends)
        try:
            await self.ask(row, book)
        except asyncio.CancelledError:
            if book.usd_max and not book.is_open:
                self.ledger.left(row.key, book.most(but=book.usd_max[-1:]))
            raise
        except Parked:
            pass  # it goes with a batch, and comes back here with the answer
        except RunUnwritable as error:
            gate.stop(error)
        except Exception as error:
            self.fail(row, error, book)

    async def ask(self, row: Row, book: Book) -> None:
        if row.problem is not None:
            raise row.problem
        if self.spec.skip_doubts and row.key in self.found.doubts:
            raise InDoubt(row.source)
        context, asker = self.context, self.context.asker
        way = asker.way(self.spec, row, book)
        asking = asker.asking(row, has_answered=context.crew.answered_s is not None)
        outside = replace(asker.outside, journal=asker.journal(book))
        driver = RowDriver(outside, way, context.crew, context.gate, book)
        answer = await driver.run(ask(asking))
        spent_usd = book.spent_on(answer)
        self.note(row, done(row, answer, len(book.usd_max)), spent_usd, driver.stored)

    def fail(self, row: Row, error: Exception, book: Book) -> None:
        """Make a row of an error, or where it would be that of every row, an end of the run."""
        context = self.context
        spent_usd, now_s = book.spent_in_vain(error), context.asker.outside.now()
        answered_s = context.crew.answered_s
        stop = is_for_all(error, answered_s, now_s)
        try:
            if stop is not None:
                if book.usd_max:
                    self.ledger.left(row.key, spent_usd)
                context.gate.stop(stop)
                return
            self.note(row, failed(row, error, spent_usd, len(book.usd_max)), spent_usd)
            if is_hung(error, answered_s or context.crew.begun_s, now_s):
                context.gate.stop(EngineLost(context.asker.wiring.engine.name, str(error)))
        except RunUnwritable as unwritable:
            context.gate.stop(unwritable)

    def note(
        self, row: Row, record: Record, spent_usd: Decimal, stored: Mapping[str, Any] | None = None
    ) -> None:
        tally, limit = self.context.tally, self.context.failures_max
        record = self.context.asker.told(record)
        self.ledger.outcome(row.key, spent_usd, record, stored)
        self.records[row.key] = record
        tally.take(record, spent_usd)
        if limit is not None and tally.now_failed > limit:
            self.context.gate.stop(TooManyFailures(tally.now_failed, record["error"] or ""))

    def commit(self) -> Commit:
        """Write the part, in input order."""
        self.places.sort(key=lambda place: place[0])
        results = (result_of(self.records[key], kept) for _, key, kept in self.places)
        self.ledger.sync()
        if (cache := self.context.asker.outside.cache) is not None:
            cache.flush()  # before the ledger goes, which has it too
        folder, generation = self.context.folder, self.spec.generation
        path = folder.parts / self.spec.part
        try:
            # A first part that is there was written by another try, and is as good.
            write_part(path, results, self.context.columns, replaces=generation > 0)
        except OSError as error:
            raise RunUnwritable(str(path), error.strerror or str(error)) from None
        found = recover(*folder.tries(self.spec.shard.number, generation))
        return commit_of(
            self.spec.shard.number, self.records.values(), found.spent_usd, found.doubts
        )


@asynccontextmanager
async def synced(ledger: Ledger) -> AsyncIterator[None]:
    """Bring a ledger to the disk every second, for a power cut."""

    async def keep_on() -> None:
        while True:
            await asyncio.sleep(SYNC_S)
            await asyncio.shield(asyncio.to_thread(ledger.sync))

    task = asyncio.create_task(keep_on())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def read_ahead(rows: Iterator[Row], reader: ThreadPoolExecutor) -> AsyncGenerator[Row, None]:
    """Give rows one by one, read in a thread a bounded number ahead."""
    loop = asyncio.get_running_loop()
    ahead = loop.run_in_executor(reader, take, rows)
    try:
        while batch := await asyncio.shield(ahead):
            ahead = loop.run_in_executor(reader, take, rows)
            for row in batch:
                yield row
    finally:
        await asyncio.wait([ahead])
        if hasattr(rows, "close"):
            rows.close()


def carried_bytes(row: Row) -> int:
    """Give the size of the images that came with a row."""
    return sum(len(image) for image in row.images if isinstance(image, bytes))


def take(rows: Iterator[Row]) -> list[Row]:
    """Read the next rows, fewer where they carry their images with them."""
    taken, size_bytes = [], 0
    for row in islice(rows, AHEAD_ROWS):
        taken.append(row)
        size_bytes += carried_bytes(row)
        if size_bytes >= AHEAD_BYTES:
            break
    return taken
