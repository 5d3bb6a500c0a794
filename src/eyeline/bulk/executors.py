"""Where the shards of a run are done: in this process, or by an engine that spreads them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Protocol, cast

from eyeline.bulk.job import Job
from eyeline.bulk.shard import Context, ShardSpec
from eyeline.core.spelling import did_you_mean
from eyeline.errors import SettingsError

# By the first word of `--on`: the module whose `executor` makes it, loaded when it is asked for.
ELSEWHERE = {"ray": "eyeline.cluster.on_ray"}


class Executor(Protocol):
    """Does the shards of a job, and commits each; ends early where the gate is shut."""

    async def __call__(self, job: Job, context: Context, specs: Iterable[ShardSpec]) -> None: ...


def executor_on(on: str) -> Executor:
    """
    Give the executor that `on` names, as in `ray` or `ray://head:10001`. Raises SettingsError, and
    MissingExtra where its engine is not installed.
    """
    module = ELSEWHERE.get(on.partition(":")[0])
    if module is None:
        expected = f"{', '.join(ELSEWHERE)}, or one of these with an address"
        raise SettingsError("--on", on, f"{expected}{did_you_mean(on, ELSEWHERE)}")
    return cast(Executor, import_module(module).executor(on))
