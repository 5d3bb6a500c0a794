"""The calls that start a run: `eyeline.run`, and what `Client.run` and `AsyncClient.run` do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from threading import get_ident
from typing import Any, NamedTuple, TypeVar, cast

from eyeline.bulk.batch.errors import BatchPending
from eyeline.bulk.executors import Executor, executor_on
from eyeline.bulk.job import Job, opened
from eyeline.bulk.options import RunOptions, check_run
from eyeline.bulk.result import RunResult, result_of_run
from eyeline.bulk.run_errors import Interrupted, TooManyFailures
from eyeline.bulk.runner import carry_out, interrupts
from eyeline.bulk.watch import Watch
from eyeline.bulk.watches import usual_watch
from eyeline.errors import BudgetExceeded
from eyeline.wiring import ClientOptions, Wiring, check_names, wire

T = TypeVar("T")
# Ends that leave a result worth having; all others are raised.
GOOD_ENDS = (BudgetExceeded, TooManyFailures, BatchPending)


class What(NamedTuple):
    """What a run is about."""

    prompt: str
    source: str
    out: str


class EitherOptions:
    """All that `run` takes by name."""

    __annotations__ = {**ClientOptions.__annotations__, **RunOptions.__annotations__}


def run(prompt: str, source: str | Path, out: str | Path, **options: Any) -> RunResult:
    """
    Ask the same of every image of a folder or table, and write a table of answers.

    The same call goes on where it stopped. Takes, by name, the options of `Client` and of
    `Client.run`. Raises an EyelineError where nothing, or nothing more, could be done.
    """
    wiring, of_run = wired(options)
    try:
        return run_with(wiring, prompt, str(source), str(out), of_run)
    finally:
        if wiring.outside.cache:
            wiring.outside.cache.close()


def wired(options: dict[str, Any]) -> tuple[Wiring, RunOptions]:
    """Tell the options of a run from those of a client, and wire the latter."""
    check_names(options, EitherOptions)
    of_run = {name: value for name, value in options.items() if name in RunOptions.__annotations__}
    of_client = {name: value for name, value in options.items() if name not in of_run}
    of_client |= {name: of_run[name] for name in ("model", "cache") if name in of_run}
    return wire(cast(ClientOptions, of_client)), cast(RunOptions, of_run)


def run_with(
    wiring: Wiring, prompt: str, source: str, out: str, options: RunOptions,
    watch: Watch | None = None,
) -> RunResult:  # fmt: skip
    """Run, blocking, with what a client is wired to."""
    result = blocking(whole_run(wiring, What(prompt, source, out), options, watch))
    return raised(result)


async def run_async(
    wiring: Wiring, prompt: str, source: str, out: str, options: RunOptions
) -> RunResult:
    return raised(await whole_run(wiring, What(prompt, source, out), options))


def raised(result: RunResult) -> RunResult:
    """Give a result, or raise why there is none."""
    if isinstance(result.stopped_by, Interrupted):
        raise KeyboardInterrupt from result.stopped_by
    if result.stopped_by is not None and not isinstance(result.stopped_by, GOOD_ENDS):
        raise result.stopped_by
    return result


async def whole_run(
    wiring: Wiring,
    what: What,
    options: RunOptions,
    watch: Watch | None = None,
    agree: Callable[[Job], None] | None = None,
) -> RunResult:
    """
    Run, and give what became of it, however it ended. `agree` is shown the run before anything is
    sent, and raises where it is not to be.
    """
    check_run(options)
    executor = executor_on(on) if (on := options.get("on")) else None
    begun_s = time.monotonic()
    with opened(*what, wiring, options) as job:
        if agree is not None:
            await asyncio.to_thread(agree, job)
        stopped_by = await carried(job, watch or usual_watch(what.out), executor)
        result = result_of_run(job, stopped_by, time.monotonic() - begun_s)
        if report := options.get("report"):
            from eyeline.bulk.report.make import report_run

            await asyncio.to_thread(report_run, job, result, str(report))
        return result


async def carried(job: Job, watch: Watch, executor: Executor | None) -> BaseException | None:
    """
    Do what is to be done of a run: live, here or elsewhere, or in batches; what went the other way
    comes back.
    """
    if job.options.get("batch") or job.folder.batch.exists():
        from eyeline.bulk.batch.carry import carry_by_batch, take_back

        if job.options.get("batch"):
            return await carry_by_batch(job, watch, wait=not job.options.get("no_wait"))
        if (stopped_by := await take_back(job, watch)) is not None:
            return stopped_by
    return await carry_out(job, watch, executor)


def blocking(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; beside an event loop that runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        try:
            return asyncio.run(main)
        except asyncio.CancelledError:  # by the second Ctrl-C
            raise KeyboardInterrupt from None
    return beside(main)


def beside(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own; an interruption of this one is passed on."""
    from concurrent.futures import CancelledError, ThreadPoolExecutor

    with ThreadPoolExecutor(1, "eyeline-run") as pool:
        thread = pool.submit(get_ident).result()
        done = pool.submit(asyncio.run, main)
        while True:
            try:
                return done.result()
            except CancelledError:
                raise KeyboardInterrupt from None
            except KeyboardInterrupt:
                if thread not in interrupts:
                    raise
                interrupts[thread]()
