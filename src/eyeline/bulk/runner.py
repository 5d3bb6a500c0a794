"""All shards of a run, several at once, so that no row waits for the end of a shard."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial

from eyeline.adapters.allocator import share_memory
from eyeline.bulk.asker import Asker
from eyeline.bulk.commits import Commit
from eyeline.bulk.crew import Crew
from eyeline.bulk.executors import Executor
from eyeline.bulk.gate import Gate
from eyeline.bulk.job import Job
from eyeline.bulk.options import failures_max
from eyeline.bulk.run_errors import Interrupted
from eyeline.bulk.shard import Context, ShardSpec, run_shard
from eyeline.bulk.watch import Watch, Watcher

# How many shards may be open: one that reads, and those that wait for their last answers.
SHARDS_OPEN = 16
COLLECT_AFTER = 20_000
# Rows that are open beyond those in flight, so that some are prepared meanwhile.
ROWS_AHEAD = 2 * (os.cpu_count() or 2)


async def carry_out(
    job: Job, watch: Watch, executor: Executor | None = None
) -> BaseException | None:
    """
    Do all shards that are not finished, here or by another executor, and make the output; give the
    reason where it ended early.
    """
    share_memory()
    transport = job.wiring.async_transport()
    named = job.options.get("rows_in_flight")
    asker = Asker(job.prompt, job.wiring, job.asked, transport, patient=not named)
    context = context_of(job, asker)
    try:
        async with at_work(context, watch):
            with interruptible(context.gate):
                await (executor or do_shards)(job, context, job.todo())
            if context.gate.stopped_by is None:
                await asyncio.to_thread(job.assemble)
    finally:
        await transport.close()
    return context.gate.stopped_by


@asynccontextmanager
async def at_work(context: Context, watch: Watch) -> AsyncIterator[None]:
    """Show how far a run is while it works; its threads end with it."""
    watching = asyncio.create_task(keep_watching(context, watch))
    try:
        with seldom_collected():
            yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        context.crew.close()
        context.reader.shutdown()


def context_of(job: Job, asker: Asker) -> Context:
    named, model = job.options.get("rows_in_flight"), job.asked.get("model")
    crew = Crew.of(job.wiring.outside.now())

    def rows_max() -> int:
        return named or min(job.wiring.in_flight(model), crew.worth_having) + ROWS_AHEAD

    return Context(
        folder=job.folder,
        source=job.source,
        columns=job.columns,
        asker=asker,
        crew=crew,
        gate=Gate(rows_max),
        tally=job.tally,
        reader=ThreadPoolExecutor(1, "eyeline-source"),
        failures_max=failures_max(job.options),
    )


async def do_shards(job: Job, context: Context, specs: Iterable[ShardSpec]) -> None:
    """Do each shard in its turn. An error that is none of a row stops the run."""
    pending: set[asyncio.Task[Commit | None]] = set()
    try:
        for spec in specs:
            if context.gate.stopped_by is not None:
                break
            pending.add(asyncio.create_task(run_shard(spec, context)))
            if len(pending) == SHARDS_OPEN:
                pending = await collect(pending, job, context)
        while pending:
            pending = await collect(pending, job, context)
    except asyncio.CancelledError:
        context.gate.stop(Interrupted())
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        raise


async def collect(
    pending: set[asyncio.Task[Commit | None]], job: Job, context: Context
) -> set[asyncio.Task[Commit | None]]:
    """Wait for the next shard to end, and write down that it is finished."""
    ended, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    for task in ended:
        try:
            commit = task.result()
            if commit is not None:
                job.commit(commit)
                context.tally.finish(commit)
        except Exception as error:
            context.gate.stop(error)
    return pending


# By thread: what interrupts the run in it.
interrupts: dict[int, Callable[[], object]] = {}


@contextmanager
def interruptible(gate: Gate) -> Iterator[None]:
    """
    Let Ctrl-C, or a request to end, drain what is on its way; the second one stops at once. Signals
    reach the main thread alone: who waits there for a run in another one calls `interrupts`.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def interrupt() -> None:
        if gate.stopped_by is None:
            gate.stop(Interrupted())
        else:
            task.cancel()

    if threading.current_thread() is not threading.main_thread():
        interrupts[threading.get_ident()] = partial(loop.call_soon_threadsafe, interrupt)
        try:
            yield
        finally:
            del interrupts[threading.get_ident()]
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    for each in signals:
        loop.add_signal_handler(each, interrupt)
    try:
        yield
    finally:
        for each in signals:
            loop.remove_signal_handler(each)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """
    Look for garbage in circles more seldom: a run makes and drops the same few objects by the
    million, and looking at all others each time took a sixth of its CPU.
    """
    before = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


async def keep_watching(context: Context, watch: Watch) -> None:
    """Show how far the run is, as often as the watch wants to."""
    watcher = Watcher(context, time.monotonic)
    try:
        while True:
            watch.show(watcher.snapshot())
            await asyncio.sleep(watch.every_s)
    finally:
        watch.show(watcher.snapshot())
        watch.end()
