"""What a worker is told of a run, and what it makes of it: a shard done as on one machine."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from eyeline.adapters.sqlite import AnswerCache
from eyeline.bulk.asker import Asker
from eyeline.bulk.columns import columns_of
from eyeline.bulk.commits import Commit
from eyeline.bulk.crew import Crew
from eyeline.bulk.folder import RunFolder, try_of
from eyeline.bulk.gate import Gate
from eyeline.bulk.job import ANSWERS_BYTES_MAX, Job
from eyeline.bulk.options import RunOptions, failures_max, of_ask, selection_of
from eyeline.bulk.prompt import Prompt
from eyeline.bulk.rows import open_source
from eyeline.bulk.shard import Context, ShardSpec, run_shard
from eyeline.bulk.tally import Tally
from eyeline.cluster.lease import Lease, Messenger, kept
from eyeline.cluster.limiter import Landlord, Opening
from eyeline.core.cost import FREE
from eyeline.errors import SettingsError
from eyeline.wiring import ClientOptions, Wiring, wire

# Rows open at once in one task, of which two share a processor: while one waits for its last
# answers, the other goes on.
ROWS_IN_FLIGHT = 128
# What a client may have been given that means the same on another machine.
PORTABLE = (
    "api", "detail", "cache", "allow_hosts", "timeout_s", "requests_per_min", "tokens_per_min",
    "urls", "upload", "mmproj",
)  # fmt: skip
# What a client may have been given that is of this process alone.
HERE_ONLY = ("sdk", "transport")
# What of a run is the driver's business.
DRIVERS_OWN = {"report", "new", "budget_usd", "schema"}


@dataclass(frozen=True, slots=True)
class Work:
    """
    All that workers are told, plain JSON and no key: `folder` is where the driver stood, since
    relative paths begin there; `limit_usd` its budget, and `spent_usd` what was spent before.
    """

    run: str
    folder: str
    prompt: str
    source: str
    out: str
    client: Mapping[str, Any]
    options: Mapping[str, Any]
    limit_usd: str | None = None
    spent_usd: str = "0"

    @classmethod
    def of(cls, job: Job) -> Work:
        """Say what a job is. Raises SettingsError for what no other process could use."""
        for name in HERE_ONLY:
            if job.wiring.options.get(name) is not None:
                raise SettingsError(name, "with a cluster", "none, workers make their own client")
        given: Mapping[str, Any] = {**job.wiring.options}
        fixed, engine = job.plan.fixed, job.wiring.engine
        client = {name: given[name] for name in PORTABLE if given.get(name) is not None}
        if client.get("allow_hosts"):
            client["allow_hosts"] = [*client["allow_hosts"]]
        is_known = engine.is_local or engine.name == "openai"
        client |= {"model": fixed["model"], "engine": engine.name if is_known else engine.base_url}
        budget = job.wiring.outside.limits.budget
        return cls(
            run=f"{job.folder.path.absolute()} {job.plan.noted['begun']}",
            folder=str(Path.cwd()),
            prompt=job.prompt.text,
            source=fixed["source"]["name"],
            out=job.folder.target + "/" * job.folder.is_folder,
            client=client,
            options={
                **{name: value for name, value in job.options.items() if name not in DRIVERS_OWN},
                "schema": fixed["schema"],
            },
            limit_usd=None if budget is None else str(budget.limit_usd),
            spent_usd=str(job.tally.spent_usd),
        )

    @property
    def of_run(self) -> RunOptions:
        return cast(RunOptions, {**self.options})

    @property
    def opening(self) -> Opening:
        limit_usd = None if self.limit_usd is None else Decimal(self.limit_usd)
        mark = Path(self.folder, RunFolder.of(self.out).path) / "mark"
        return Opening(self.run, limit_usd, Decimal(self.spent_usd), mark)

    def to_record(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Summary:
    """
    What came of a shard: its commit, None where it was not finished, and why not; and the rows and
    dollars of this try alone.
    """

    commit: Commit | None
    stopped_by: BaseException | None = None
    done: int = 0
    failed: int = 0
    cached: int = 0
    spent_usd: Decimal = FREE


async def do(work: Work, spec: ShardSpec, landlord: Landlord) -> Summary:
    """Do one shard, with permits of the cluster's limiter."""
    # Where the driver stood; what came on its standard input is in the run's folder.
    os.chdir(work.folder)
    sys.stdin = None
    with ExitStack() as stack:
        lease = Lease()
        wiring = stack.enter_context(wired(work, lease))
        transport = wiring.async_transport()
        try:
            context = await asyncio.to_thread(context_of, work, spec, wiring, stack, transport)
            assert context.ledger is not None
            messenger = Messenger(
                lease, landlord, work.opening, f"{work.run} {spec.shard.number}",
                try_of(context.ledger), context.gate.stop,
            )  # fmt: skip
            async with kept(messenger):
                commit = await run_shard(spec, context)
        finally:
            await transport.close()
    tally = context.tally
    return Summary(
        commit, context.gate.stopped_by, tally.now_done, tally.now_failed, tally.now_cached,
        tally.now_spent_usd,
    )  # fmt: skip


@contextmanager
def wired(work: Work, lease: Lease) -> Iterator[Wiring]:
    """Wire a client of this machine's own, whose limits are the cluster's."""
    wiring = wire(cast(ClientOptions, {**work.client}))
    outside = replace(wiring.outside, limits=cast(Any, lease), files=None)
    with ExitStack() as stack:
        if outside.cache is None and not wiring.engine.is_local:
            # One question in many rows of a shard is still sent once.
            here = stack.enter_context(tempfile.TemporaryDirectory(prefix="eyeline-"))
            outside = replace(outside, cache=AnswerCache(Path(here, "a.db"), ANSWERS_BYTES_MAX))
        if outside.cache is not None:
            stack.callback(outside.cache.close)
        yield replace(wiring, outside=outside)


def context_of(
    work: Work, spec: ShardSpec, wiring: Wiring, stack: ExitStack, transport: Any
) -> Context:
    """Make what a shard is done with; the run's folder and its source are there already."""
    folder, options = RunFolder.of(work.out), work.of_run
    source = open_source(
        work.source,
        spool=folder.source,
        image_columns=tuple(options.get("image", ())),
        selection=selection_of(options),
    )
    asked = of_ask(options)
    question = wiring.question(work.prompt, ("a.png",), asked)
    keep = tuple(options.get("keep", ()))
    rows_in_flight = options.get("rows_in_flight") or ROWS_IN_FLIGHT
    crew = Crew.of(wiring.outside.now())
    reader = ThreadPoolExecutor(1, "eyeline-source")
    stack.callback(crew.close)
    stack.callback(reader.shutdown)
    return Context(
        folder=folder,
        source=source,
        columns=columns_of(question.schema, source.schema() if keep else None, keep),
        asker=Asker(Prompt.read(work.prompt, source.columns), wiring, asked, transport),
        crew=crew,
        gate=Gate(lambda: rows_in_flight),
        tally=Tally(),
        reader=reader,
        failures_max=failures_max(options),
        ledger=folder.new_ledger(spec.shard.number, spec.generation),
    )
