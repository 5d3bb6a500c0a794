"""
A run on Ray: a task for each shard, one named actor for the limits. Only this module imports Ray.

Nothing of value is ever only in Ray: a task gives back a few figures, and what was paid for is in
the run's folder. So any worker or node may die, and the driver too; a shard that was cut off is
done again from its ledger.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from eyeline.bulk.commits import Commits
from eyeline.bulk.job import Job, standing
from eyeline.bulk.run_errors import Interrupted, TooManyFailures
from eyeline.bulk.shard import Context, ShardSpec
from eyeline.cluster.errors import ClusterUnreachable, RunStopped
from eyeline.cluster.limiter import Limiter, Opening
from eyeline.cluster.node import NodeLimiter
from eyeline.cluster.work import Summary, Work, do
from eyeline.errors import MissingExtra
from eyeline.policy.leases import Grant, LeaseLost, Report
from eyeline.wiring import Wiring

try:
    import ray
    from ray.exceptions import RayError, RayTaskError
    from ray.util import list_named_actors
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
except ImportError:
    raise MissingExtra("--on ray", "ray", "ray") from None

NAMESPACE = "eyeline"
# Two tasks share a processor: while one waits for its last answers, the other goes on.
TASK_CPUS = 0.5
# From so many tasks on a machine, they share one tenant of the cluster's limiter.
SLOTS_MANY = 8
# How many tasks are handed out for each that can run: so many shards' figures the driver holds.
PENDING_FACTOR = 2
# How long one look at the tasks takes, how long a cluster may be without any processor, and how
# long a message to the limiter may take.
LOOK_S, LOST_S, STOP_S = 1.0, 120.0, 10.0
# Of the head node, so that the limiter dies with the cluster and not before.
HEAD = {"node:__internal_head__": 0.001}


def executor(on: str) -> OnRay:
    """Give the executor for `ray`, `ray://host:port` (Ray's client), or `ray:host:port`."""
    _, _, address = on.partition(":")
    return OnRay(on if address.startswith("//") else address)


@dataclass(frozen=True, slots=True)
class OnRay:
    """Does the shards of a job on the cluster at `address`; "" is that of this machine."""

    address: str

    async def __call__(self, job: Job, context: Context, specs: Iterable[ShardSpec]) -> None:
        work = Work.of(job)
        work.opening.mark.unlink(missing_ok=True)
        is_ours = self.connect()
        limiter = limiter_of(job.wiring)
        try:
            await reply(limiter.open.remote(work.opening))
            await Driver(work, job, context, limiter).run(iter(specs))
        finally:
            recount(job)
            with suppress(RayError, TimeoutError):
                if not await reply(limiter.close.remote(work.run)):
                    end_limiters(limiter_name(job.wiring))
            if is_ours:
                ray.shutdown()

    def connect(self) -> bool:
        """Join the cluster, or start one on this machine; say whether it is ours to end."""
        if ray.is_initialized():
            return False
        quiet: dict[str, Any] = {"namespace": NAMESPACE, "log_to_driver": False}
        quiet["logging_level"] = "warning"
        try:
            ray.init(address=self.address or "auto", **quiet)
        except ConnectionError as error:
            if self.address:
                raise ClusterUnreachable(self.address, str(error)) from None
            ray.init(include_dashboard=False, **quiet)
        except (RayError, RuntimeError, ValueError) as error:
            raise ClusterUnreachable(self.address or "ray", str(error)) from None
        return True


@dataclass(slots=True)
class Driver:
    """Hands out the shards of one job, a bounded number at a time, and commits those that end."""

    work: Work
    job: Job
    context: Context
    limiter: Any
    pending: dict[Any, ShardSpec] = field(default_factory=dict)
    seen_s: float = field(default_factory=time.monotonic)
    is_stopped: bool = False

    async def run(self, todo: Iterator[ShardSpec]) -> None:
        try:
            self.hand_out(todo)
            while self.pending:
                ended, _ = await asyncio.to_thread(ray.wait, [*self.pending], timeout=LOOK_S)
                for task in ended:
                    self.end(task)
                if self.context.gate.stopped_by is not None:
                    await self.stop()
                self.hand_out(todo)
        except asyncio.CancelledError:
            self.context.gate.stop(Interrupted())
            await self.stop()
            for task in self.pending:
                ray.cancel(task, force=True)
            raise

    def hand_out(self, todo: Iterator[ShardSpec]) -> None:
        """Begin as many more shards as the cluster can take soon."""
        if self.context.gate.stopped_by is not None:
            return
        slots = self.slots()
        while len(self.pending) < max(1, PENDING_FACTOR * slots):
            spec = next(todo, None)
            if spec is None:
                return
            task = shard_task(self.job.wiring).remote(
                self.work, spec, limiter_name(self.job.wiring)
            )
            self.pending[task] = spec

    def slots(self) -> int:
        """
        Give how many tasks the cluster can run at once. Raises ClusterUnreachable where it has had
        no processor for long.
        """
        slots = int(ray.cluster_resources().get("CPU", 0) / TASK_CPUS)
        if slots:
            self.seen_s = time.monotonic()
        elif time.monotonic() - self.seen_s > LOST_S:
            raise ClusterUnreachable("ray", f"no processor for {LOST_S:g} s")
        return slots

    def end(self, task: Any) -> None:
        """Take what came of a task."""
        spec = self.pending.pop(task)
        try:
            summary: Summary = ray.get(task)
        except RayTaskError as error:
            self.context.gate.stop(error.cause or error)
            return
        except RayError as error:
            if not self.is_stopped:
                self.context.gate.stop(ClusterUnreachable(f"shard {spec.shard.number}", str(error)))
            return
        self.count(summary)
        stop = summary.stopped_by
        if stop is not None and not isinstance(stop, LeaseLost | RunStopped):
            self.context.gate.stop(stop)

    def count(self, summary: Summary) -> None:
        tally, limit = self.context.tally, self.context.failures_max
        tally.now_done += summary.done
        tally.now_failed += summary.failed
        tally.now_cached += summary.cached
        tally.now_spent_usd += summary.spent_usd
        tally.spent_usd += summary.spent_usd
        if summary.commit is not None:
            self.job.commit(summary.commit)
            tally.take_finished(summary.commit)
        if limit is not None and tally.now_failed > limit:
            self.context.gate.stop(TooManyFailures(tally.now_failed, "see the failed rows"))

    async def stop(self) -> None:
        """Let no more requests go out; what is on its way is still answered and written down."""
        if self.is_stopped:
            return
        self.is_stopped = True
        with suppress(RayError, TimeoutError):
            await reply(self.limiter.stop.remote(self.work.run))
        for task in self.pending:
            # One that has not begun never will; one that has ends by itself.
            ray.cancel(task, force=False, recursive=False)


def recount(job: Job) -> None:
    """Take from the ledgers what was spent and is in doubt: tries that were lost told nobody."""
    now = standing(job.folder, Commits(job.folder))
    job.tally.spent_usd, job.tally.doubts = now.spent_usd, now.doubts


async def reply(call: Any) -> Any:
    """Wait for an actor's answer, not for ever."""
    async with asyncio.timeout(STOP_S):
        return await asyncio.wrap_future(call.future())


# --- where the work is done -----------------------------------------------------------------------


def shard_task(wiring: Wiring) -> Any:
    """
    Give the remote function that does one shard; it is run again wherever its worker was lost.

    The key goes through the environment of its workers: no argument, log or plan holds it.
    """
    return ray.remote(do_shard).options(
        num_cpus=TASK_CPUS,
        max_retries=-1,
        scheduling_strategy="SPREAD",
        runtime_env={"env_vars": environment(wiring)},
    )


def environment(wiring: Wiring) -> dict[str, str]:
    engine = wiring.engine
    name = "OPENAI_API_KEY" if engine.needs_key else "EYELINE_API_KEY"
    found = {name: wiring.key.reveal()} if wiring.key else {}
    return found | ({"OPENAI_BASE_URL": engine.base_url} if engine.name == "openai" else {})


def do_shard(work: Work, spec: ShardSpec, limiter: str) -> Summary:
    return asyncio.run(do(work, spec, landlord_here(RayLandlord(limiter))))


def landlord_here(head: RayLandlord) -> RayLandlord:
    """Give the limiter to ask on this machine: where it has many slots, one of its own."""
    here = ray.get_runtime_context().get_node_id()
    cpus = sum(each["Resources"].get("CPU", 0) for each in ray.nodes() if each["NodeID"] == here)
    if cpus / TASK_CPUS < SLOTS_MANY:
        return head
    node = RayLandlord(f"{head.name}-{here}")
    ray.remote(NodeLimiter).options(
        name=node.name,
        namespace=NAMESPACE,
        get_if_exists=True,
        num_cpus=0,
        scheduling_strategy=NodeAffinitySchedulingStrategy(here, soft=False),
        lifetime="detached",
        max_restarts=-1,
        max_concurrency=1000,
    ).remote(here, head)
    return node


@dataclass(frozen=True, slots=True)
class RayLandlord:
    """The limiter, found anew for each message by its name: it may have been started again."""

    name: str

    async def open(self, opening: Opening) -> None:
        await self.call("open", opening)

    async def report(self, run: str, lot: str, epoch: int, said: Report) -> Grant:
        grant: Grant = await self.call("report", run, lot, epoch, said)
        return grant

    async def call(self, method: str, *arguments: Any) -> Any:
        actor = await asyncio.to_thread(ray.get_actor, self.name, NAMESPACE)
        try:
            return await getattr(actor, method).remote(*arguments)
        except RayTaskError as error:
            raise error.cause from None


# --- the limiter ----------------------------------------------------------------------------------


def limiter_name(wiring: Wiring) -> str:
    """Name the limiter of one address and key; the name tells neither."""
    whole = f"{wiring.engine.base_url} {wiring.key.reveal()}"
    return f"limits-{hashlib.sha256(whole.encode()).hexdigest()[:16]}"


def end_limiters(name: str) -> None:
    """End the limiter of that name, and those of single nodes that have their permits from it."""
    for actor in list_named_actors(all_namespaces=True):
        if actor["namespace"] == NAMESPACE and actor["name"].startswith(name):
            ray.kill(ray.get_actor(actor["name"], NAMESPACE))


def limiter_of(wiring: Wiring) -> Any:
    """Give the limiter, started if need be; it comes back by itself, and then without memory."""
    return ray.remote(Limiter).options(
        name=limiter_name(wiring),
        namespace=NAMESPACE,
        get_if_exists=True,
        lifetime="detached",
        num_cpus=0,
        resources=HEAD,
        max_restarts=-1,
        max_task_retries=0,
        max_concurrency=1000,
    ).remote(wiring.outside.limits.new_pace)  # fmt: skip
