"""A real Ray cluster: a head without processors, and two nodes with one each; kept for a module."""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import ray
from api_server import ApiServer, Recorded, Reply, chat_completion, error, whole
from pyarrow import parquet
from ray.cluster_utils import Cluster

from eyeline.testing import tiny_png

SRC = Path(__file__).parent.parent.parent / "src"
STORE_BYTES = 80 * 2**20
# However it goes, nothing here waits longer.
WAIT_S = 90.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("nodes")
    with pytest.MonkeyPatch.context() as patch:
        # What workers see comes from the nodes, not from the test.
        for name, value in {
            "PYTHONPATH": str(SRC), "HOME": str(home), "EYELINE_CACHE_DIR": str(home / "cache"),
            "OPENAI_API_KEY": "", "RAY_DEDUP_LOGS": "0", "RAY_usage_stats_enabled": "0",
        }.items():  # fmt: skip
            patch.setenv(name, value)
        head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": STORE_BYTES}
        made = Cluster(initialize_head=True, head_node_args=head)
        for _ in range(2):
            made.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
        made.wait_for_nodes()
    yield made
    ray.shutdown()
    made.shutdown()


# Less than the question is held for, as a server bills it.
USAGE = {"prompt_tokens": 20, "completion_tokens": 20, "total_tokens": 40}


@dataclass
class Biller:
    """A server that knows which row each request was for, and whom to tell at which count."""

    latency_s: float = 0.05
    billed: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    due: dict[int, Callable[[], object]] = field(default_factory=dict)
    acts: queue.Queue[Callable[[], object]] = field(default_factory=queue.Queue)
    allows: Callable[[], bool] = lambda: True
    refused: int = 0

    def answer(self, asked: Recorded) -> Reply:
        with self.lock:
            if not self.allows():
                self.refused += 1
                return error(429, "Rate limit reached.", "rate_limit_exceeded", "requests")
            self.billed[row_of(asked)] += 1
            act = self.due.pop(self.billed.total(), None)
        if act is not None:
            self.acts.put(act)
        time.sleep(self.latency_s)
        answer = chat_completion(f"answer to {row_of(asked)}", asked.json["model"])
        return whole(answer | {"usage": USAGE})

    @property
    def twice(self) -> int:
        """Give how many rows were billed more often than once."""
        return sum(1 for count in self.billed.values() if count > 1)

    def at(self, count: int, act: Callable[[], object]) -> None:
        """Have something done, by who waits, as soon as so many requests were billed."""
        self.due[count] = act

    def wait_for(self, is_over: Callable[[], bool]) -> None:
        """Wait, doing what is due meanwhile; where it takes too long, something hangs."""
        ends_s = time.monotonic() + WAIT_S
        while not is_over():
            assert time.monotonic() < ends_s, "it hangs"
            with suppress(queue.Empty):
                self.acts.get(timeout=0.02)()


def row_of(asked: Recorded) -> str:
    (text,) = (part["text"] for part in asked.json["messages"][-1]["content"] if "text" in part)
    return str(text)


@pytest.fixture
def biller(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Biller:
    made = Biller()
    api.next_reply = made.answer  # type: ignore[method-assign]
    monkeypatch.setenv("OPENAI_BASE_URL", api.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-cluster")
    return made


@pytest.fixture
def table(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Give 200 rows in shards of 25, a file each; every row is a question no other test asks."""
    (tmp_path / "tables").mkdir()
    for at in range(0, 200, 25):
        names = [f"{request.node.name} {number:03d}" for number in range(at, at + 25)]
        columns = {"name": names, "image": [tiny_png(8, 8)] * len(names)}
        parquet.write_table(pa.table(columns), tmp_path / "tables" / f"{at:03d}.parquet")
    return tmp_path / "tables" / "*.parquet"


def workers() -> list[int]:
    """Give the processes that do a shard right now."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                title = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if title.startswith(b"ray::do_shard"):
                found.append(int(entry.name))
    return found


def kill_workers() -> None:
    for worker in workers():
        os.kill(worker, signal.SIGKILL)


def lines_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]
