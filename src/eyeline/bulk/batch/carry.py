"""A run through the Batch API, from its first file to its last answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from eyeline.adapters.batch_http import BatchHttp
from eyeline.bulk.asker import Asker
from eyeline.bulk.batch.api import BatchApi
from eyeline.bulk.batch.desk import Desk, RowWay
from eyeline.bulk.batch.errors import BatchPending, Parked
from eyeline.bulk.batch.post import Post
from eyeline.bulk.batch.state import Batches, Place
from eyeline.bulk.book import Book
from eyeline.bulk.job import Job
from eyeline.bulk.options import RunOptions
from eyeline.bulk.records import Record
from eyeline.bulk.rows import Row
from eyeline.bulk.runner import at_work, context_of, do_shards, interruptible
from eyeline.bulk.shard import Context, ShardSpec
from eyeline.bulk.watch import Watch
from eyeline.core.cost import Price
from eyeline.core.question import Question
from eyeline.errors import EngineError, EyelineError, SettingsError
from eyeline.exchange import Asking
from eyeline.policy.limits import Hold, Limits
from eyeline.policy.pace import Pace
from eyeline.policy.retry import Retry
from eyeline.ports import AsyncTransport
from eyeline.version import USER_AGENT
from eyeline.wiring import Wiring

LOOK_FOR_STOP_S = 0.2
# Enough to keep every thread busy; none of them waits for an answer.
ROWS_AT_DESK = 64
# How far the provider's clock and ours may be apart.
CLOCKS_DIFFER_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Rounds(Retry):
    """
    A line that was refused for a reason that passes goes with the next batch; what is parked waits.
    """

    def delay_s(
        self, number: int, error: EngineError, elapsed_s: float, chance: float
    ) -> float | None:
        if isinstance(error, Parked) or Retry.delay_s(self, number, error, 0.0, chance) is None:
            return None
        return 0.0


@dataclass(frozen=True, slots=True)
class BatchAsker(Asker):
    """Asks the same as a live run, at the price of a batch, by way of a desk."""

    desk: Desk | None = None

    def way(self, spec: ShardSpec, row: Row, book: Book) -> AsyncTransport:
        """Give the way over the desk. Raises Parked for a row that waits for its answer."""
        assert self.desk is not None
        place = Place(spec.shard.number, spec.generation, row.key)
        if self.desk.is_waiting(place):
            raise Parked(self.desk.engine)
        return RowWay(
            self.desk,
            self.transport,
            place,
            row.source,
            self.desk.post.api.model,
            book.usd_max,
            is_anew=spec.retry_failed,
        )

    def journal(self, book: Book) -> Callable[[Hold], None]:
        # The slip is what is written down.
        return book.remember

    def told(self, record: Record) -> Record:
        # How long the answer took nobody knows; reading it is no latency.
        return {**record, "latency_s": None}

    def asking(self, row: Row, *, has_answered: bool) -> Asking:
        asking = Asker.asking(self, row, has_answered=has_answered)
        return replace(asking, question=at_batch(asking.question), retry=Rounds())


def at_batch(question: Question) -> Question:
    """Give the question with a model that costs what a batch does."""
    price = question.model.price
    batch = None if price is None or price.batch is None else Price(price.batch, batch=price.batch)
    return replace(question, model=replace(question.model, price=batch, overridden=True))


def batches_of(job: Job) -> Batches | None:
    """Give the batches of a run; None where it never made one."""
    folder = job.folder.batch
    return Batches(folder) if (folder / "batches.sqlite3").exists() else None


@dataclass(frozen=True, slots=True)
class Office:
    """All that a run needs for batches."""

    job: Job
    context: Context
    desk: Desk
    post: Post
    generation: Mapping[int, int]

    def todo(self) -> Iterator[ShardSpec]:
        """Give the shards that were not finished in this session."""
        finished = self.job.commits.generation
        return (
            spec for spec in self.job.todo()
            if finished[spec.shard.number] == self.generation.get(spec.shard.number, 0)
        )  # fmt: skip

    async def do(self, shards: set[int] | None) -> None:
        """Take rows to the desk: those of the shards named, or of all that are not finished."""
        self.desk.turned_away.clear()
        self.desk.exhausted = None
        # What a batch answered was answered just now; no silence is meant.
        self.context.crew.answered_s = self.job.wiring.outside.now()
        specs = (spec for spec in self.todo() if shards is None or spec.shard.number in shards)
        await do_shards(self.job, self.context, specs)

    async def out(self) -> None:
        """Let out all that is filed, and wait until it is."""
        await self.desk.seal_all()
        await self.until_stopped(self.post.submitted())

    async def until_stopped(self, waiting: Any) -> Any:
        """Await something, for as long as nobody stops the run; None where somebody did."""
        task = asyncio.ensure_future(waiting)
        try:
            while not task.done() and self.context.gate.stopped_by is None:
                self.context.crew.trouble = self.words()
                await asyncio.wait([task], timeout=LOOK_FOR_STOP_S)
            return task.result() if task.done() else None
        finally:
            task.cancel()

    def words(self) -> str:
        """Say what is on its way."""
        waiting = self.post.batches.open()
        requests, answered = (sum(each) for each in zip(
            *((batch.requests, batch.answered) for batch in waiting), strict=True
        )) if waiting else (0, 0)  # fmt: skip
        batches = "1 batch" if len(waiting) == 1 else f"{len(waiting):,} batches"
        return f"{batches}, {answered:,} of {requests:,} answered" if waiting else ""


@asynccontextmanager
async def office(
    job: Job, batches: Batches, watch: Watch, *, is_filing: bool
) -> AsyncIterator[Office]:
    """Open what a run needs for batches; an error in it stops the run."""
    wiring = job.wiring
    check_engine(wiring)
    # Nothing is sent now, so no pace; and what comes back is paid, so the desk holds the budget.
    limits = Limits(lambda: Pace(is_here=True))
    unheld = replace(wiring, outside=replace(wiring.outside, limits=limits))
    http = BatchHttp(wiring.engine.name, wiring.engine.base_url, wiring.key, USER_AGENT)
    begun_s = datetime.fromisoformat(job.plan.noted["begun"]).timestamp()
    model = str(job.plan.fixed["model"])
    post = Post(batches, BatchApi(http, wiring.engine.name, model, begun_s - CLOCKS_DIFFER_S))
    budget = wiring.outside.limits.budget
    desk = Desk(
        batches,
        post,
        job.tally,
        wiring.engine.name,
        limit_usd=None if budget is None else budget.limit_usd,
        is_filing=is_filing,
        pending_usd=batches.pending_usd(),
    )
    transport = wiring.async_transport()
    asker = BatchAsker(job.prompt, unheld, job.asked, transport, patient=False, desk=desk)
    many: RunOptions = {"rows_in_flight": ROWS_AT_DESK, **job.options}
    context = context_of(replace(job, options=many), asker)
    try:
        async with at_work(context, watch):
            with interruptible(context.gate):
                try:
                    yield Office(job, context, desk, post, {**job.commits.generation})
                except EyelineError as error:
                    context.gate.stop(error)
    finally:
        await post.close()
        await transport.close()
        http.close()
        batches.commit()
        batches.close()


def check_engine(wiring: Wiring) -> None:
    if wiring.engine.is_local or any(wiring.options.get(name) for name in ("sdk", "transport")):
        found = wiring.engine.name if wiring.engine.is_local else "a client of your own"
        raise SettingsError("--batch", found, "an engine with a Batch API, by its base URL")
    wiring.check_key()


async def carry_by_batch(job: Job, watch: Watch, *, wait: bool) -> BaseException | None:
    """
    Do all shards that are not finished through batches, and make the output; give the reason where
    it ended early. Without `wait` it ends once all is submitted.
    """
    async with office(job, Batches(job.folder.batch), watch, is_filing=True) as at:
        at.post.go_on()
        shards: set[int] | None = None
        gate = at.context.gate
        while gate.stopped_by is None:
            await at.do(shards)
            if gate.stopped_by is None:
                await at.out()
            if gate.stopped_by is None:
                shards = await next_shards(at, wait=wait)
            if shards is not None and not shards:
                break
        if gate.stopped_by is None:
            await asyncio.to_thread(job.assemble)
            clear(at.post.batches)
    return gate.stopped_by


async def next_shards(at: Office, *, wait: bool) -> set[int]:
    """
    Wait for answers, and give the shards that have rows to be done now; none where the run is at
    its end. Stops the run where there is nothing to wait for, or nobody who waits.
    """
    batches, gate = at.post.batches, at.context.gate
    if next(at.todo(), None) is None:
        return set()
    if not wait:
        await at.post.look_around()
    waiting = batches.open()
    if not waiting and not at.post.fresh:
        # Only what found no room in the budget is left.
        gate.stop(at.desk.exhausted or BatchPending(0, 0))
    elif not wait and not at.post.fresh:
        gate.stop(BatchPending(len(waiting), sum(batch.requests for batch in waiting)))
    else:
        fresh = await at.until_stopped(at.post.next_ones())
        return batches.shards_of(fresh or ()) | at.desk.turned_away
    return set()


def clear(batches: Batches) -> None:
    """Let go of the answers of a run that is at its end; what was asked in which batch stays."""
    for batch in batches.all():
        batches.answers(batch.number).unlink(missing_ok=True)


async def take_back(job: Job, watch: Watch) -> BaseException | None:
    """
    Before a run goes on live: end the batches on their way, and give rows what they answered.
    """
    batches = batches_of(job)
    if batches is None:
        return None
    if not batches.has_unused():
        batches.close()
        return None
    async with office(job, batches, watch, is_filing=False) as at:
        await at.until_stopped(at.post.call_back())
        if at.context.gate.stopped_by is None:
            await at.do(batches.shards_of(batch.number for batch in batches.all()))
    return at.context.gate.stopped_by
