"""Runs on a real cluster, while its parts are killed; judged by what the server says it billed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")

import eyeline  # noqa: E402
from cluster.nodes import (  # noqa: E402
    SRC,
    STORE_BYTES,
    Biller,
    biller,
    cluster,
    kill_workers,
    lines_of,
    table,
    workers,
)
from eyeline.bulk.result import RunResult  # noqa: E402
from eyeline.cluster.on_ray import NAMESPACE  # noqa: E402
from eyeline.errors import BudgetExceeded  # noqa: E402
from eyeline.policy.leases import PERMIT_S, SILENT_S  # noqa: E402

__all__ = ["biller", "cluster", "table"]  # fixtures
pytestmark = [
    pytest.mark.cluster,
    # Ray leaves sockets and files to the end of the process.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
ROWS = 200
GIVEN: dict[str, Any] = {
    "image": ["image"], "sight_check": False, "max_output_tokens": 20, "rows_in_flight": 8,
}  # fmt: skip
# What the server bills for a row: 20 tokens in, 20 out.
ROW_USD = Decimal("0.000012")


def run(table: Path, biller: Biller, on: str | None, **options: Any) -> RunResult:
    """Run over the table, within the time that a test has."""
    found: list[Any] = []

    def act() -> None:
        given = {**GIVEN, **options}
        try:
            found.append(eyeline.run("{name}", table, out_of(table), on=on, **given))
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    biller.wait_for(lambda: not thread.is_alive())
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]  # type: ignore[no-any-return]


def out_of(table: Path) -> Path:
    return table.parent.with_name("out.jsonl")


def on(cluster: Any) -> str:
    return f"ray:{cluster.address}"


def assert_whole(table: Path, biller: Biller, result: RunResult) -> None:
    """Every row has its own answer, once and in order; what was billed twice was reported."""
    lines = lines_of(out_of(table))
    names = sorted(biller.billed)
    assert len(names) == ROWS
    assert [line["text"] for line in lines] == [f"answer to {name}" for name in names]
    assert {line["status"] for line in lines} == {"done"}
    assert result.done == ROWS
    assert biller.twice <= len(result.doubts)


def test_the_same_as_on_one_machine(cluster: Any, table: Path, biller: Biller) -> None:
    """The rows are those of a run without a cluster, in the order of the input, billed once."""
    result = run(table, biller, on(cluster))
    assert_whole(table, biller, result)
    assert (biller.billed.total(), result.doubts) == (ROWS, {})
    there = lines_of(out_of(table))
    run(table, biller, None, new=True, cache=False)
    here = lines_of(out_of(table))
    for line in (*there, *here):
        assert line.pop("latency_s") is not None
    assert there == here


def test_workers_are_killed(cluster: Any, table: Path, biller: Biller) -> None:
    """Their shards are done again from their ledgers: only what was on the way is sent twice."""
    biller.latency_s = 0.2
    biller.at(60, kill_workers)
    result = run(table, biller, on(cluster))
    assert_whole(table, biller, result)
    assert not biller.due
    assert result.doubts


def test_a_node_is_killed_and_another_joins(cluster: Any, table: Path, biller: Biller) -> None:
    """Its shards go to the other node, and to one that was not there at the beginning."""
    lost = next(iter(cluster.worker_nodes))
    biller.at(40, lambda: cluster.remove_node(lost, allow_graceful=False))
    biller.at(80, lambda: cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES))
    assert_whole(table, biller, run(table, biller, on(cluster)))
    assert not biller.due


def test_the_limiter_is_killed(cluster: Any, table: Path, biller: Biller) -> None:
    """Nobody hangs, nothing is sent twice: whoever waits asks again, and is told by its name."""

    def kill() -> None:
        (name,) = names_of_limiters()
        ray.kill(ray.get_actor(name, NAMESPACE), no_restart=False)

    biller.at(50, kill)
    result = run(table, biller, on(cluster), budget_usd=1)
    assert_whole(table, biller, result)
    assert (biller.twice, result.doubts) == (0, {})


def test_the_driver_is_killed_and_a_laptop_goes_on(
    cluster: Any, table: Path, biller: Biller
) -> None:
    """A run begun on a cluster is finished without one, and pays for nothing that was recorded."""
    command = [
        sys.executable, "-m", "eyeline", "run", "{name}", str(table), "-o", str(out_of(table)),
        "--image", "image", "--no-sight-check", "--max-output-tokens", "20", "--on", on(cluster),
    ]  # fmt: skip
    driver = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(SRC)}, stderr=subprocess.DEVNULL
    )
    biller.at(90, driver.kill)
    biller.wait_for(lambda: driver.poll() is not None)
    biller.wait_for(lambda: not workers())
    assert_whole(table, biller, run(table, biller, None))


def test_the_budget_holds(cluster: Any, table: Path, biller: Biller) -> None:
    """However many nodes spend it, a budget is not passed; what it paid for is kept."""
    limit_usd = ROW_USD * 60
    result = run(table, biller, on(cluster), budget_usd=limit_usd)
    assert isinstance(result.stopped_by, BudgetExceeded)
    assert 20 <= biller.billed.total() <= 60
    assert result.spent_usd <= limit_usd
    again = run(table, biller, on(cluster), budget_usd=1)
    assert_whole(table, biller, again)
    assert biller.billed.total() == ROWS


def test_a_worker_that_slept_sends_nothing_more(cluster: Any, table: Path, biller: Biller) -> None:
    """Stopped past its permits and woken, it asks for new ones: no row is lost or doubled."""
    stopped: list[int] = []

    def stop() -> None:
        stopped.append(workers()[0])
        os.kill(stopped[0], signal.SIGSTOP)
        threading.Timer(PERMIT_S + 1, os.kill, (stopped[0], signal.SIGCONT)).start()

    biller.at(60, stop)
    assert_whole(table, biller, run(table, biller, on(cluster)))
    assert stopped
    assert SILENT_S > PERMIT_S


def test_many_slots_share_a_tenant(cluster: Any, table: Path, biller: Biller) -> None:
    """On a machine with many slots one limiter has the permits for all; it goes with the run."""
    large = cluster.add_node(num_cpus=4, object_store_memory=STORE_BYTES)
    found: list[str] = []
    biller.at(100, lambda: found.extend(names_of_limiters()))
    try:
        assert_whole(table, biller, run(table, biller, on(cluster), budget_usd=1))
    finally:
        cluster.remove_node(large)
    # That of a driver that was killed may be there as well.
    (node,) = (name for name in found if name.count("-") == 2)
    head = node.rpartition("-")[0]
    assert head in found
    assert not {node, head} & {*names_of_limiters()}


def names_of_limiters() -> list[str]:
    named = ray.util.list_named_actors(all_namespaces=True)
    return [each["name"] for each in named if each["namespace"] == NAMESPACE]
