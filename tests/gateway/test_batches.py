"""Batches where the engine has none: carried out here, in the shapes of the API."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import openai
import pytest
from api_server import ApiServer, Recorded, Reply, chat_completion, error, whole
from openai.types import Batch

from eyeline.adapters.shelf import SqliteShelf
from eyeline.gateway.batch_lines import LINES_MAX, read_lines
from eyeline.gateway.batches import new_batch
from eyeline.testing import tiny_png
from gateway.running import Running, gateway

CHAT = "/v1/chat/completions"
OVER = ("completed", "failed", "cancelled")


def line(name: str, url: str, endpoint: str = CHAT) -> dict[str, Any]:
    image = {"type": "image_url", "image_url": {"url": url}}
    content = [{"type": "text", "text": "How large is it?"}, image]
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": content}]}
    return {"custom_id": name, "method": "POST", "url": endpoint, "body": body}


def picture(width_px: int) -> str:
    return f"data:image/png;base64,{base64.b64encode(tiny_png(width_px, 32)).decode()}"


def jsonl(*lines: Any) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


def begin(client: openai.OpenAI, data: bytes, **more: Any) -> Batch:
    file = client.files.create(file=("in.jsonl", data), purpose="batch")
    return client.batches.create(
        input_file_id=file.id, endpoint=CHAT, completion_window="24h", **more
    )


def over(client: openai.OpenAI, id: str) -> Batch:
    """Ask until a batch is over."""
    while (batch := client.batches.retrieve(id)).status not in OVER:
        pass
    return batch


def read(client: openai.OpenAI, file_id: str | None) -> list[Any]:
    assert file_id
    return [json.loads(each) for each in client.files.content(file_id).text.splitlines()]


def test_a_batch_is_carried_out(offline: Running) -> None:
    """Each line's response stands in the output file, each refusal in the error file."""
    data = jsonl(line("one", picture(64)), line("two", "nowhere.png"), line("three", picture(48)))
    with offline.client() as client:
        made = begin(client, data, metadata={"a": "b"})
        assert (made.status, made.metadata) == ("validating", {"a": "b"})
        batch = over(client, made.id)
        assert batch.status == "completed"
        assert batch.request_counts
        assert batch.request_counts.to_dict() == {"total": 3, "completed": 2, "failed": 1}
        answers = read(client, batch.output_file_id)
        [refused] = read(client, batch.error_file_id)
        assert made.id in [each.id for each in client.batches.list()]
        with pytest.raises(openai.ConflictError, match="completed"):
            client.batches.cancel(made.id)
    assert {each["custom_id"] for each in answers} == {"one", "three"}
    said = {
        each["custom_id"]: each["response"]["body"]["choices"][0]["message"]["content"]
        for each in answers
    }
    assert "64" in said["one"]
    assert "48" in said["three"]
    assert (refused["custom_id"], refused["response"]["status_code"]) == ("two", 400)
    assert refused["response"]["body"]["error"]["code"] == "invalid_value"
    assert refused["error"] is None


def test_faults_of_the_input_are_told(offline: Running) -> None:
    """A batch whose file is at fault fails, and says on which line."""
    with offline.client() as client:
        batch = over(client, begin(client, jsonl(line("a", "x"), line("a", "x"))).id)
        assert batch.status == "failed"
        assert batch.errors
        assert batch.errors.data
        [fault] = batch.errors.data
        assert (fault.code, fault.line, fault.param) == ("duplicate_custom_id", 2, "custom_id")


def test_what_is_no_batch_is_refused(offline: Running) -> None:
    """Endpoint, window and file are checked at once."""
    with offline.client() as client:
        file = client.files.create(file=b"{}", purpose="batch")
        right: dict[str, Any] = {
            "endpoint": CHAT, "completion_window": "24h", "input_file_id": file.id,
        }  # fmt: skip
        for wrong in (
            {"endpoint": "/v1/embeddings"}, {"completion_window": "1h"}, {"input_file_id": "x"},
        ):  # fmt: skip
            with pytest.raises(openai.BadRequestError) as caught:
                client.batches.create(**{**right, **wrong})
            assert caught.value.param == next(iter(wrong))
        with pytest.raises(openai.NotFoundError, match="batch_9"):
            client.batches.retrieve("batch_9")
        with pytest.raises(openai.BadRequestError, match="parse the JSON"):
            client.post("/batches", content=b"{", cast_to=object)


@pytest.mark.parametrize(("data", "code"), [
    (b"", "empty_file"), (b"\n \n", "empty_file"), (b"{", "invalid_json_line"),
    (b"[]", "invalid_request"), (jsonl({}), "missing_required_parameter"),
    (jsonl({**line("a", "x"), "method": "GET"}), "invalid_method"),
    (jsonl({**line("a", "x"), "url": "/v1/responses"}), "mismatched_endpoint"),
    (jsonl({**line("a", "x"), "body": None}), "missing_required_parameter"),
    (jsonl({**line("a", "x"), "body": {"stream": True}}), "invalid_request"),
    (b"".join(jsonl(line(str(at), "")) for at in range(LINES_MAX + 1)), "too_many_tasks"),
])  # fmt: skip
def test_lines_are_checked(data: bytes, code: str) -> None:
    """Each kind of fault has the code that clients of the API know."""
    assert read_lines(data, CHAT)[1][0]["code"] == code


def test_a_server_without_batches_gets_them_here(engine: ApiServer) -> None:
    """Where the engine has no files, they are kept here, and its batches are asked line by line."""
    engine.script.append(error(404, "Not Found"))
    with gateway(engine) as running, running.client() as client:
        data = jsonl(*(line(str(width), picture(width)) for width in (40, 41, 42)))
        batch = over(client, begin(client, data).id)
        assert len(read(client, batch.output_file_id)) == 3
    asked = [each.path for each in engine.requests]
    assert asked == ["/v1/files?limit=1", *[CHAT] * 3]


def test_a_batch_can_be_cancelled(engine: ApiServer) -> None:
    """A cancelled batch asks no further line, and gives what it had."""
    with gateway(engine) as running, running.client() as client:
        batches: list[str] = []

        def cancelling(request: Recorded) -> Reply:
            client.batches.cancel(batches[0])
            return whole(chat_completion("Late."))

        engine.script += [error(404, "Not Found"), cancelling]
        lines = [line(str(at), picture(40 + at)) for at in range(40)]
        file = client.files.create(file=("in.jsonl", jsonl(*lines)), purpose="batch")
        engine.script.clear()
        engine.script += [cancelling] * 40
        made = client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
        batches.append(made.id)
        batch = over(client, made.id)
    assert batch.status == "cancelled"
    assert len(engine.requests) < 40


def test_what_a_dead_process_left_is_taken_over(tmp_path: Path) -> None:
    """A batch that was not over when its gateway was killed is carried out by the next one."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    shelf = SqliteShelf(tmp_path / "gateway.sqlite3")
    shelf.put("file", "file-1", {"id": "file-1", "purpose": "batch"}, jsonl(line("a", picture(64))))
    batch = new_batch({"endpoint": CHAT, "input_file_id": "file-1"}) | {"status": "in_progress"}
    shelf.put("batch", batch["id"], {"batch": batch, "owner": gone.pid})
    shelf.close()
    with (
        gateway(
            client={"engine": "local"}, environ={"EYELINE_CACHE_DIR": str(tmp_path)}
        ) as running,
        running.client() as client,
    ):
        assert len(read(client, over(client, batch["id"]).output_file_id)) == 1
