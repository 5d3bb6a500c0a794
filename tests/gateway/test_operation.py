"""What an operator sees and does: the log, the numbers, traces, and stopping without loss."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from api_server import ApiServer, Recorded, Reply, chat_completion, error, whole
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from eyeline.core.engine import LOCAL, choose_engine
from eyeline.errors import SettingsError
from eyeline.gateway.journal import Journal
from eyeline.gateway.metrics import Metrics, endpoint_of, forget
from eyeline.gateway.options import Options
from eyeline.gateway.serve import about, for_each_worker, listen, serve
from eyeline.gateway.tracing import Tracing
from gateway.running import Running, gateway

HELLO: dict[str, Any] = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Secret"}]}


@pytest.fixture
def entries(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    """Collect the lines of the access log."""
    found: list[dict[str, Any]] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(record.getMessage()))

    logger, handler = logging.getLogger("eyeline.gateway.access"), Keeping()
    logger.addHandler(handler)
    caplog.set_level(logging.INFO, logger.name)
    yield found
    logger.removeHandler(handler)


def said(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Wait for the one line of a request whose response may be read before it is written."""
    while not found:
        pass
    return found[0]


def test_a_request_is_a_line_without_contents(
    running: Running, entries: list[dict[str, Any]]
) -> None:
    """The log says what was asked for, how long it took and what it cost, and not what was said."""
    httpx.post(f"{running.url}/chat/completions?key=x", json=HELLO, headers={"authorization": "k"})
    line = said(entries)
    assert (line["method"], line["path"], line["status"]) == ("POST", "/v1/chat/completions", 200)
    assert (line["model"], line["cached"], line["cost_usd"]) == ("gpt-6-luna", False, 0.00011)
    assert (line["input_tokens"], line["output_tokens"], line["image_tokens"]) == (1000, 20, 0)
    assert line["request_id"] == "req_test_1"
    assert line["ms"] >= line["first_ms"] >= 0
    assert "Secret" not in json.dumps(line)


def test_a_client_that_leaves_is_told_apart(
    engine: ApiServer, running: Running, entries: list[dict[str, Any]]
) -> None:
    """Who did not wait is no error of the engine's."""
    waited = threading.Event()

    def late(request: Recorded) -> Reply:
        waited.wait(10)
        return whole(chat_completion("Late."))

    engine.script.append(late)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{running.url}/chat/completions", json=HELLO, timeout=0.3)
    assert said(entries)["status"] == 499
    waited.set()


def test_numbers_are_counted(engine: ApiServer) -> None:
    """Requests, times, tokens and dollars are there for Prometheus."""
    with gateway(engine) as running:
        engine.script += [whole(chat_completion("A.")), error(400, "no")]
        for _ in range(2):
            httpx.post(f"{running.url}/chat/completions", json=HELLO)
        httpx.get(f"{running.origin}/made/up")
        text = httpx.get(f"{running.origin}/metrics").text
    numbers = dict(re.findall(r"^(eyeline_\S+) (\S+)$", text, re.MULTILINE))
    chat = 'endpoint="chat/completions"'
    assert numbers[f'eyeline_requests_total{{{chat},status="2xx"}}'] == "1"
    assert numbers[f'eyeline_requests_total{{{chat},status="4xx"}}'] == "1"
    assert numbers['eyeline_requests_total{endpoint="other",status="4xx"}'] == "1"
    assert numbers[f'eyeline_request_seconds_bucket{{{chat},le="+Inf"}}'] == "2"
    assert numbers[f"eyeline_request_seconds_count{{{chat}}}"] == "2"
    assert numbers["eyeline_input_tokens_total"] == "1000"
    assert numbers["eyeline_cost_usd_total"] == "0.00011"
    assert numbers["eyeline_in_flight"] == "1"


def test_prometheus_reads_them(tmp_path: Path) -> None:
    """The text is the format's, and sums what all workers counted."""
    from prometheus_client.parser import text_string_to_metric_families

    folder = tmp_path / "numbers"
    folder.mkdir()
    one = Metrics(folder)
    one.add(("cache_hits",), 2)
    (folder / "other").write_bytes(one.numbers[:])
    one.begin()
    (folder / "7").write_bytes(one.numbers[:])
    forget(folder, 7)
    forget(folder, 8)
    families = {family.name: family for family in text_string_to_metric_families(one.text())}
    assert families["eyeline_cache_hits"].samples[0].value == 6
    assert families["eyeline_in_flight"].samples[0].value == 1
    assert families["eyeline_request_seconds"].type == "histogram"


def test_paths_of_clients_make_no_labels() -> None:
    """However many paths clients make up, the numbers stay as many."""
    assert endpoint_of("/v1/files/file-1/content") == "files"
    assert endpoint_of("/chat/completions") == "chat/completions"
    assert endpoint_of("/responses/resp_1") == "responses"
    assert endpoint_of("/page.css") == endpoint_of("/") == endpoint_of("/v1/x") == "other"


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    made, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(made))
    trace.set_tracer_provider(provider)
    return made


def test_questions_are_spans(exporter: InMemorySpanExporter, engine: ApiServer) -> None:
    """A span has the names of the GenAI conventions, its caller's trace, and no contents."""
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with gateway(engine) as running:
        engine.script += [whole(chat_completion("A.")), error(400, "no")]
        for _ in range(2):
            headers = {"traceparent": parent}
            httpx.post(f"{running.url}/chat/completions", json=HELLO, headers=headers)
        httpx.get(f"{running.origin}/healthz")
    good, bad = exporter.get_finished_spans()
    found = dict(good.attributes or {})
    assert good.name == "chat gpt-6-luna"
    assert good.kind is trace.SpanKind.CLIENT
    assert good.context.trace_id == 0x0AF7651916CD43DD8448EB211C80319C
    assert found["gen_ai.operation.name"] == "chat"
    assert found["gen_ai.request.model"] == found["gen_ai.response.model"] == "gpt-6-luna"
    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (1000, 20)
    assert found["server.address"] == "127.0.0.1"
    assert "Secret" not in str(found)
    assert bad.status.status_code is trace.StatusCode.ERROR
    assert (bad.attributes or {})["error.type"] == "400"


def test_a_fault_of_ours_is_an_error_of_the_apis(caplog: pytest.LogCaptureFixture) -> None:
    """What we did not foresee is a 500 that says nothing of the request; the log says where."""

    async def faulty(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("Secret")

    async def ask() -> httpx.Response:
        app = Journal(faulty, Metrics(), Tracing(LOCAL))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.get("http://here/v1/models")

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "server_error")
    assert "Secret" not in answer.text
    assert "GET /v1/models: KeyError at test_operation.py:" in caplog.text


# --- processes ------------------------------------------------------------------------------------


@contextmanager
def served(url: str, folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `eyeline serve` before an engine, and give it with its address once it listens."""
    command = [sys.executable, "-m", "eyeline", "serve", "--port", "0", "--engine", url, *more]
    surroundings = {**os.environ, "EYELINE_CACHE_DIR": str(folder)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=surroundings) as run:
        assert run.stderr
        said = re.search(r"http://\S+(?=/v1)", run.stderr.readline())
        assert said
        try:
            # The socket listens already; who connects waits until it is served.
            httpx.get(f"{said[0]}/healthz", timeout=30)
            yield run, said[0]
        finally:
            run.kill()


@pytest.mark.parametrize("more", [(), ("--workers", "2")])
def test_it_stops_without_loss(api: ApiServer, tmp_path: Path, more: tuple[str, ...]) -> None:
    """Told to stop, it gives the answers that are on their way, takes no more, and ends with 0."""
    arrived, told = threading.Event(), threading.Event()

    def slow(request: Recorded) -> Reply:
        arrived.set()
        told.wait(20)
        return whole(chat_completion("Still here."))

    api.script.append(slow)
    with served(api.url, tmp_path, "--access-log", *more) as (run, origin):
        answers: list[Any] = []
        asking = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{origin}/v1/chat/completions", json=HELLO))
        )
        asking.start()
        assert arrived.wait(20)
        run.send_signal(signal.SIGTERM)
        while True:
            try:
                httpx.get(f"{origin}/healthz")
            except httpx.HTTPError:
                break
        told.set()
        asking.join(20)
        assert "Still here." in answers[0].text
        assert run.wait(20) == 0
        assert run.stderr
        lines = [json.loads(line) for line in run.stderr if line.startswith("{")]
    assert [line["status"] for line in lines if line["method"] == "POST"] == [200]


def test_workers_are_replaced_and_counted_together(api: ApiServer, tmp_path: Path) -> None:
    """One worker that dies is replaced, and whichever is asked gives the numbers of all."""
    with served(api.url, tmp_path, "--workers", "2") as (run, origin):
        pids = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        assert len(pids) == 2
        os.kill(int(pids[0]), signal.SIGKILL)
        assert run.stderr
        assert f"worker {pids[0]} died\n" in [run.stderr.readline(), run.stderr.readline()]
        for _ in range(4):
            with openai.OpenAI(api_key="k", base_url=f"{origin}/v1") as client:
                assert client.chat.completions.create(**HELLO).choices
        assert "eyeline_input_tokens_total 4000" in httpx.get(f"{origin}/metrics").text
        run.kill()
        # The one that was not replaced ends too: nobody would stop it any more.
        while Path(f"/proc/{pids[1]}").exists():
            pass


def test_it_says_who_answers() -> None:
    """Without a key it says that the reader answers, else which engine, and why."""
    reader = choose_engine(None, None, None, has_key=False)
    assert list(about(reader)) == [
        "No OPENAI_API_KEY: answered by the built-in reader (not a language model)."
    ]
    named = choose_engine("ollama", None, None, has_key=False)
    assert list(about(named)) == ["Answered by ollama: named."]


def test_a_budget_is_shared_out(tmp_path: Path) -> None:
    """Several workers together spend no more than one might."""
    made = for_each_worker(Options({"budget_usd": 1}, workers=4), tmp_path)
    assert made.client["budget_usd"] * 4 == 1  # type: ignore[operator]
    assert made.metrics_folder == tmp_path
    assert "budget_usd" not in for_each_worker(Options(), tmp_path).client


def test_an_address_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody can listen the message names the address."""
    with listen(Options(port=0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"127.0.0.1 port {port}"):
            serve(Options({"engine": "local"}, port=port), print)
