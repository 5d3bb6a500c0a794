"""What holds no image is passed to the engine and back as it comes."""

from __future__ import annotations

import httpx
import openai
import pytest
from api_server import ApiServer, Reply, error, whole

from eyeline.gateway.options import Bounds
from gateway.engines import one_connection
from gateway.running import Running, gateway

FILE = {
    "id": "file-1", "object": "file", "bytes": 3, "created_at": 1790000000,
    "filename": "a.jsonl", "purpose": "batch", "status": "processed",
}  # fmt: skip
BATCH = {
    "id": "batch_1", "object": "batch", "endpoint": "/v1/responses", "input_file_id": "file-1",
    "completion_window": "24h", "status": "validating", "created_at": 1790000000,
}  # fmt: skip
HAVING = whole({"object": "list", "data": []})
GONE = whole({"id": "file-1", "object": "file", "deleted": True})
MODEL = {"id": "llava:7b", "object": "model", "created": 1, "owned_by": "me", "x": [1]}


def test_the_official_client_reaches_files_and_batches(running: Running) -> None:
    """A file goes up as it is, and comes down as it is; batches are made, listed and cancelled."""
    listed = {"object": "list", "data": [BATCH], "has_more": False}
    content = Reply(200, b"\x00\xff", {"Content-Type": "application/octet-stream"})
    running.engine.script += [
        whole(FILE),
        content,
        GONE,
        whole(BATCH),
        whole(listed),
        whole(BATCH),
    ]
    with running.client() as client:
        assert client.files.create(file=("a.jsonl", b"{}\n"), purpose="batch").id == "file-1"
        assert client.files.content("file-1").content == b"\x00\xff"
        assert client.files.delete("file-1").deleted
        made = client.batches.create(
            input_file_id="file-1", endpoint="/v1/responses", completion_window="24h"
        )
        assert made.status == "validating"
        assert [batch.id for batch in client.batches.list(limit=3)] == ["batch_1"]
        assert client.batches.cancel("batch_1").id == "batch_1"
    requests = running.engine.requests
    assert [(each.method, each.path) for each in requests] == [
        ("POST", "/v1/files"), ("GET", "/v1/files/file-1/content"), ("DELETE", "/v1/files/file-1"),
        ("POST", "/v1/batches"), ("GET", "/v1/batches?limit=3"),
        ("POST", "/v1/batches/batch_1/cancel"),
    ]  # fmt: skip
    assert b'filename="a.jsonl"' in requests[0].body
    assert requests[0].headers["content-type"].startswith("multipart/form-data")


def test_stored_responses_are_the_engines(running: Running) -> None:
    """What the engine keeps is read, listed and deleted there; its refusals come back whole."""
    words = "Response with id 'resp_9' not found."
    missing = error(404, words, "not_found", **{"x-request-id": "r"})
    running.engine.script += [missing, whole({"object": "list", "data": [], "has_more": False})]
    with running.client() as client:
        with pytest.raises(openai.NotFoundError, match="resp_9") as caught:
            client.responses.retrieve("resp_9")
        assert caught.value.request_id == "r"
        assert not list(client.responses.input_items.list("resp_9"))


def test_models_are_the_engines_own(running: Running) -> None:
    """The list is what the engine says, fields nobody knows included."""
    running.engine.script += [whole({"object": "list", "data": [MODEL]}), whole(MODEL)]
    assert httpx.get(f"{running.url}/models").json()["data"] == [MODEL]
    with running.client() as client:
        assert client.models.retrieve("llava:7b").id == "llava:7b"


@pytest.mark.parametrize("path", [
    "/files/..", "/models/../../admin", "/files/%2e%2e", "/models/a%2f..%2f..%2fadmin",
    "/organization/admin_api_keys", "/fine_tuning/jobs",
])  # fmt: skip
def test_nothing_else_is_passed(running: Running, path: str) -> None:
    """A client reaches what is named here, and by no spelling anything else of the engine's."""
    url = httpx.URL(running.origin).copy_with(raw_path=f"/v1{path}".encode())
    assert httpx.get(url).status_code == 404
    assert not running.engine.requests


def test_files_over_the_limit_are_cut_off() -> None:
    """An upload that is too long ends early, whether it says so itself or not."""
    kind = {"content-type": "multipart/form-data; boundary=x"}
    has_files = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
    bounds = Bounds(upload_bytes_max=100_000)
    with (
        one_connection(has_files) as (url, closed),
        gateway(client={"base_url": url}, bounds=bounds) as small,
    ):
        answer = httpx.post(f"{small.url}/files", content=b"x" * 100_001, headers=kind)
        assert answer.status_code == 413
        pieces = (b"x" * 60_000 for _ in range(2))
        assert httpx.post(f"{small.url}/files", content=pieces, headers=kind).status_code == 502
        assert closed.wait(10)


def test_a_budget_has_no_batches(engine: ApiServer) -> None:
    """What an engine's batch costs nobody can hold, so with a budget there is none."""
    engine.script += [HAVING]
    with gateway(engine, client={"budget_usd": 1}) as running:
        answer = httpx.post(f"{running.url}/batches", json={})
        assert answer.status_code == 403
        assert "no batch" in answer.json()["error"]["message"]


BEGUN = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    b'data: {"choices":[{"index":0,"delta":{"content":"One"}}]}\n\n'
)
HELLO = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def test_a_client_that_leaves_stops_the_engine() -> None:
    """The engine's connection is closed once nobody reads along, in the middle of a stream."""
    with one_connection(BEGUN) as (url, closed), gateway(client={"base_url": url}) as running:
        body = {**HELLO, "stream": True}
        with httpx.stream("POST", f"{running.url}/chat/completions", json=body) as answer:
            assert "One" in next(answer.iter_text())
        assert closed.wait(10)


def test_a_client_that_leaves_before_the_answer_stops_the_engine() -> None:
    """Who does not wait for an answer is not billed for the rest of it."""
    with one_connection(b"") as (url, closed), gateway(client={"base_url": url}) as running:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{running.url}/chat/completions", json=HELLO, timeout=0.3)
        assert closed.wait(10)
