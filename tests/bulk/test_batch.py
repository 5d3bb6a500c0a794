"""Runs through the Batch API: the same answers as live, half the price, nothing created twice."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from batch_server import BatchServer, Killer, Line, answered, batch_server, expired, response_line
from conftest import EXAMPLES

from eyeline import Client
from eyeline.adapters.batch_http import BatchHttp
from eyeline.bulk.batch import desk, post
from eyeline.bulk.batch.api import BatchApi
from eyeline.bulk.batch.errors import BatchPending
from eyeline.bulk.forecast import forecast
from eyeline.bulk.result import RunResult, status_of
from eyeline.bulk.run_errors import RunUnwritable
from eyeline.core.secret import Secret
from eyeline.errors import BudgetExceeded, ServerFailed, SettingsError

COUNT = 12
Run = Callable[..., RunResult]


@pytest.fixture(autouse=True)
def _in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "POLL_S", 0.01)
    monkeypatch.setattr(post, "ROOM_S", 0.01)
    monkeypatch.setattr("eyeline.bulk.batch.api.WAIT_S", 0.01)
    monkeypatch.setattr("eyeline.bulk.sources.lines.SHARD_ROWS", 5)


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with batch_server() as made:
        yield made


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Twelve rows about one picture; the prompt makes each question another."""
    rows = "".join(f"{EXAMPLES / 'cat.jpg'},thing {number}\n" for number in range(COUNT))
    (tmp_path / "t.csv").write_text(f"image,name\n{rows}")
    return str(tmp_path / "t.csv")


@pytest.fixture
def run(tmp_path: Path, server: BatchServer, table: str) -> Run:
    def made(out: str = "out.jsonl", source: str = table, **options: Any) -> RunResult:
        given: dict[str, Any] = {"batch": True, "max_output_tokens": 100, **options}
        with Client(base_url=server.url, api_key="sk-x", model="gpt-6-luna", cache=False) as client:
            return client.run("Is this {name}?", source, str(tmp_path / out), **given)

    return made


def rows_of(result: RunResult) -> list[dict[str, Any]]:
    lines = Path(result.out).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_batch_gives_what_a_live_run_gives_at_half_the_price(
    run: Run, server: BatchServer, tmp_path: Path
) -> None:
    """Bodies are the same, rows stand in input order, and each costs half."""
    by_batch, live = run(), run("live.jsonl", batch=False)
    assert (by_batch.done, len(server.batches), len(server.lines)) == (COUNT, 1, COUNT)
    batched, lived = rows_of(by_batch), rows_of(live)
    assert [row["text"] for row in batched] == [row["text"] for row in lived]
    assert [row["key"] for row in batched] == [str(number) for number in range(COUNT)]
    assert by_batch.spent_usd == live.spent_usd / 2 > 0
    assert batched[0]["latency_s"] is None
    assert batched[0]["cost_usd"] * 2 == pytest.approx(lived[0]["cost_usd"])
    assert server.asked.total() == COUNT
    assert by_batch.doubts == {}
    left = sorted(path.name for path in (tmp_path / "out.jsonl.run" / "batch").iterdir())
    assert left == ["batches.sqlite3"]
    before = [*server.calls]
    assert run().done == COUNT
    assert server.calls == before


def test_a_forecast_of_a_batch_is_at_its_price(table: str, server: BatchServer) -> None:
    """With --batch the dollars that are shown and asked about are half."""
    with Client(base_url=server.url, api_key="sk-x", model="gpt-6-luna") as client:
        live = forecast(client.wiring, "Is this {name}?", table, None, {})
        batched = forecast(client.wiring, "Is this {name}?", table, None, {"batch": True})
    assert live.usd.high == batched.usd.high * 2 == live.batch_usd.high * 2 > 0  # type: ignore[operator]


def test_files_are_cut_by_bytes_and_requests(
    run: Run, server: BatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither more requests nor more encoded bytes than a file may hold; one that is alone too
    large is a failed row."""
    monkeypatch.setattr(desk, "REQUESTS_MAX", 5)
    assert run("a.jsonl").done == COUNT
    assert [batch["request_counts"]["total"] for batch in server.batches.values()] == [5, 5, 2]
    one = len(json.dumps(server.lines[0])) + 200
    monkeypatch.setattr(desk, "FILE_BYTES_MAX", 3 * one)
    assert run("b.jsonl").done == COUNT
    inputs = [server.files[batch["input_file_id"]] for batch in server.batches.values()][3:]
    assert max(map(len, inputs)) <= 3 * one
    assert len(inputs) == 4
    monkeypatch.setattr(desk, "FILE_BYTES_MAX", 100)
    assert run("c.jsonl").kinds == {"line_too_large": COUNT}


def test_the_same_question_is_one_line(run: Run, server: BatchServer, tmp_path: Path) -> None:
    """It fills all its rows, the first at its price, the others at none."""
    rows = f"{EXAMPLES / 'cat.jpg'},thing\n" * COUNT
    (tmp_path / "same.csv").write_text(f"image,name\n{rows}")
    result = run(source=str(tmp_path / "same.csv"))
    assert (result.done, result.cached, len(server.lines)) == (COUNT, COUNT - 1, 1)
    assert Counter(row["cost_usd"] for row in rows_of(result))[0.0] == COUNT - 1


def test_nobody_has_to_wait(run: Run, server: BatchServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call ends when all is on its way; later ones look once, and the last has the answers."""
    server.polls = 3
    first = run(no_wait=True)
    assert isinstance(first.stopped_by, BatchPending)
    assert (first.done, first.exit_code, str(first.stopped_by)) == (
        0, 0, f"1 batch with {COUNT} requests on the way, done within 24 hours",
    )  # fmt: skip
    assert run(no_wait=True).done == 0
    (batch,) = status_of(first.out).to_json()["batches"]
    assert (batch["batch_id"], batch["status"], batch["requests"]) == (
        "batch_0",
        "in_progress",
        COUNT,
    )
    last = run(no_wait=True)
    assert (last.done, last.stopped_by, len(server.batches)) == (COUNT, None, 1)


def test_what_expires_goes_again(run: Run, server: BatchServer) -> None:
    """The answered half is kept and paid; the rest goes with another batch; in the end it fails."""
    server.fate = lambda number: "expired" if number == 0 else "completed"
    assert run("a.jsonl").done == COUNT
    assert len(server.lines) == COUNT + COUNT // 2
    server.answer = lambda line: expired(line) if "thing 3?" in json.dumps(line) else answered(line)
    result = run("b.jsonl")
    assert (result.done, result.kinds) == (COUNT - 1, {"batch_expired": 1})
    assert sum("thing 3?" in json.dumps(line) for line in server.lines) == 1 + 3


def test_refusals_are_those_of_a_live_run(run: Run, server: BatchServer) -> None:
    """A bad request fails its row; what passes is asked again; a bad answer is corrected."""
    seen: Counter[str] = Counter()

    def answer(line: Line) -> Line:
        text = json.dumps(line)
        seen[line["custom_id"]] += 1
        if "thing 1?" in text:
            error = {"error": {"message": "no", "code": "invalid_image", "type": "x"}}
            return response_line(line, 400, error)
        if "thing 2?" in text and seen[line["custom_id"]] < 3:
            return response_line(line, 500, {"error": {"message": "oops"}})
        made = answered(line)
        content = '{"n": 1}' if "does not fit" in text or "thing 3?" not in text else '{"n": "x"}'
        made["response"]["body"]["choices"][0]["message"]["content"] = content
        return made

    server.answer = answer
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    result = run(schema=schema)
    rows = rows_of(result)
    assert (result.done, rows[1]["error_kind"]) == (COUNT - 1, "image_rejected")
    assert [row["n"] for row in rows] == [None if number == 1 else 1 for number in range(COUNT)]
    assert rows[3]["cost_usd"] == pytest.approx(2 * rows[0]["cost_usd"])
    server.answer = answered
    again = run(schema=None, out="again.jsonl")
    assert again.done == COUNT


def test_failed_rows_are_asked_again_when_told_to(run: Run, server: BatchServer) -> None:
    """--retry-failed takes no old answer for a new one."""
    error = {"error": {"message": "no", "code": "invalid_image", "type": "x"}}
    server.answer = lambda line: response_line(line, 400, error)
    assert run().failed == COUNT
    server.answer = answered
    assert run().failed == COUNT
    assert run(retry_failed=True).done == COUNT
    assert len(server.batches) == 2


def test_a_full_account_is_waited_for_and_a_bad_file_is_told(run: Run, server: BatchServer) -> None:
    """A batch that finds no room is submitted again, its file as it is; another refusal ends it."""
    server.fate = lambda number: "token_limit" if number < 2 else "completed"
    assert run("a.jsonl").done == COUNT
    assert (len(server.batches), sum(call == "POST /files" for call in server.calls)) == (3, 1)
    server.fate = lambda number: "failed"
    with pytest.raises(Exception, match=r"batch_3: the batch failed \(invalid_json_line: line 1\)"):
        run("b.jsonl")


def test_a_budget_holds_what_is_on_its_way_at_its_worst(run: Run, server: BatchServer) -> None:
    """Rows past it wait for what the others really cost; what is left at last is told."""
    server.answer = lambda line: paid(answered(line), 180, 20)
    limit_usd = Decimal("0.00013")
    first = run("a.jsonl", budget_usd=limit_usd)
    assert isinstance(first.stopped_by, BudgetExceeded)
    assert (first.exit_code, len(server.lines)) == (1, first.done)
    assert limit_usd / 2 < first.spent_usd <= limit_usd
    assert len(server.batches) > 1
    assert run("a.jsonl", budget_usd=1).done == COUNT
    assert len(server.lines) == COUNT


def paid(line: Line, tokens_in: int, tokens_out: int) -> Line:
    usage = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out}
    line["response"]["body"]["usage"] |= usage
    return line


def test_live_and_batch_end_each_others_runs(run: Run, server: BatchServer) -> None:
    """What is on its way is called back, what it answered by then is kept, the rest asked live."""
    server.polls = 1000
    assert run(no_wait=True).done == 0
    live = run(batch=False)
    assert (live.done, server.asked.total()) == (COUNT, COUNT // 2)
    assert [batch["status"] for batch in server.batches.values()] == ["cancelled"]
    assert live.doubts == {}
    server.polls = 1
    half = run("b.jsonl", batch=False, max_failures=0, budget_usd=Decimal("0.0004"))
    assert isinstance(half.stopped_by, BudgetExceeded)
    assert 0 < half.done < COUNT
    before = len(server.lines)
    assert run("b.jsonl").done == COUNT
    assert len(server.lines) - before == COUNT - half.done


def test_a_lost_answer_creates_no_second_batch(run: Run, server: BatchServer) -> None:
    """Where the connection breaks after a batch was created, it is found by its metadata."""
    cut: Counter[str] = Counter()

    def once(call: str) -> bool:
        cut[call] += 1
        return cut[call] == 1

    server.after = once
    assert run("a.jsonl").done == COUNT
    assert len(server.batches) == 1
    assert run("b.jsonl").done == COUNT
    assert len(server.batches) == 2


def test_a_batch_is_found_among_many(server: BatchServer) -> None:
    """Pages are turned until it comes, or until all that follow are older than the run."""

    def found(number: int, since_s: float = 0.0) -> str:
        key = Secret("sk-x")
        api = BatchApi(BatchHttp("here", server.url, key, "tests"), "here", "gpt-6-luna", since_s)
        try:
            return asyncio.run(api.find({"n": str(number)}))
        finally:
            api.http.close()

    line = {"custom_id": "a", "url": "/v1/chat/completions", "body": {"model": "m"}}
    server.files["file-1"] = json.dumps(line).encode()
    for number in range(5):
        asked = {"input_file_id": "file-1", "endpoint": line["url"], "completion_window": "24h"}
        server.create({**asked, "metadata": {"n": str(number)}})
    assert [found(number) for number in (4, 2, 0, 7)] == ["batch_4", "batch_2", "batch_0", ""]
    later_s = server.batches["batch_0"]["created_at"] + 60
    before = len(server.calls)
    assert (found(4, later_s), found(0, later_s)) == ("batch_4", "")
    assert len(server.calls) == before + 2


def test_a_network_that_comes_back_loses_nothing(run: Run, server: BatchServer) -> None:
    """Each kind of call is cut twice before it goes through; nothing is created twice."""
    cut: Counter[str] = Counter()

    def twice(call: str) -> bool:
        kind = call.partition("?")[0]
        cut[kind] += 1
        return cut[kind] <= 2

    server.before = twice
    assert run().done == COUNT
    assert len(server.batches) == 1
    assert min(cut.values()) >= 3


def test_what_is_not_submitted_is_taken_back_too(run: Run, server: BatchServer) -> None:
    """A live run forgets files that never went out, and asks their rows itself."""
    working = server.do
    server.do = lambda *call: (503, {"error": {"message": "down"}})  # type: ignore[method-assign]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("eyeline.bulk.batch.api.TRIES", 1)
        with pytest.raises(ServerFailed):
            run()
    server.do = working  # type: ignore[method-assign]
    live = run(batch=False)
    assert (live.done, server.asked.total(), len(server.batches)) == (COUNT, COUNT, 0)


def test_a_full_disk_ends_the_run_and_fails_no_row(
    run: Run, server: BatchServer, tmp_path: Path
) -> None:
    """Where a file for a batch cannot be written, the run ends, and goes on once it can."""
    server.fate = lambda number: "expired" if number == 0 else "completed"
    server.polls = 2
    assert run(no_wait=True).done == 0
    blocked = tmp_path / "out.jsonl.run" / "batch" / "000001.jsonl"
    blocked.mkdir()
    with pytest.raises(RunUnwritable, match="batch: cannot be written"):
        run()
    blocked.rmdir()
    assert run().done == COUNT


def test_an_engine_without_batches_is_refused(tmp_path: Path, table: str) -> None:
    """A model in this process, or a client of one's own, has no Batch API."""
    with Client(engine="local") as client, pytest.raises(SettingsError, match="--batch: 'local'"):
        client.run("Is this {name}?", table, str(tmp_path / "o.csv"), batch=True)
    for options, said in (
        ({"no_wait": True}, "without batch"),
        ({"batch": True, "on": "ray"}, "on="),
    ):
        given: Any = options
        with Client(engine="local") as client, pytest.raises(SettingsError, match=said):
            client.run("Is this {name}?", table, str(tmp_path / "o.csv"), **given)


# Imports once, and forks a run for each line; it begins when its number is known.
PROGRAM = """
import os, sys
from eyeline import Client
import eyeline.bulk.batch.carry, eyeline.bulk.sources.texts, eyeline.adapters.http_async, PIL.Image
from eyeline.bulk.batch import api, desk, post

post.POLL_S, api.WAIT_S, desk.REQUESTS_MAX = 0.01, 0.01, 7
url, table, out = sys.argv[1:]
for _ in sys.stdin:
    held, go = os.pipe()
    pid = os.fork()
    if not pid:
        os.read(held, 1)
        with Client(base_url=url, api_key="sk-x", model="gpt-6-luna", cache=False) as client:
            client.run("Is this {name}?", table, out, batch=True, max_output_tokens=100)
        os._exit(0)
    print(pid, flush=True)
    sys.stdin.readline()
    os.write(go, b".")
    print(os.waitpid(pid, 0)[1], flush=True)
"""


def test_a_kill_between_any_two_steps_costs_nothing(
    server: BatchServer, table: str, tmp_path: Path
) -> None:
    """Killed before and after each call, the run ends with every row once and no batch twice."""
    killer, out = Killer(), tmp_path / "out.jsonl"
    server.before = lambda call: killer.at("before", call)
    server.after = lambda call: killer.at("after", call)
    command = [sys.executable, "-c", PROGRAM, server.url, table, str(out)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, bufsize=1, **pipes) as process:  # type: ignore[call-overload]
        status = "begun"
        while status != "0":
            print("fork", file=process.stdin, flush=True)
            killer.pid = int(process.stdout.readline())
            print("go", file=process.stdin, flush=True)
            status = process.stdout.readline().strip()
            assert status in ("0", str(int(signal.SIGKILL)))
        killer.pid = 0
        process.stdin.close()
    assert {"before POST /batches", "after POST /batches", "after GET /files/ID/content"} <= {
        *killer.killed
    }
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["status"] for row in rows] == ["done"] * COUNT
    assert len(server.lines) == len({json.dumps(line["body"]) for line in server.lines}) == COUNT
