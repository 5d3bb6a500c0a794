"""
A Batch API on loopback: files, batches and their answers, each request it was paid for, and on
demand everything that goes wrong there.

Shapes are those of openai-python 3.54.0 and of the batch guide (May 2026). Run as a program it
serves until its standard input ends, for tests that kill its clients.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from api_server import CHAT_USAGE, RESPONSE_USAGE, chat_completion, response_object

Line = dict[str, Any]


def answered(line: Line) -> Line:
    """Answer one line as the API does, in words that tell which body it was."""
    body = line["body"]
    text = f"{body['model']} saw {len(json.dumps(body)):,} characters"
    made = (
        response_object(text, body["model"]) | {"usage": {**RESPONSE_USAGE}}
        if line["url"].endswith("/responses")
        else chat_completion(text, body["model"]) | {"usage": {**CHAT_USAGE}}
    )
    return response_line(line, 200, made)


def response_line(line: Line, status: int, body: Any) -> Line:
    response = {"status_code": status, "request_id": "req_1", "body": body}
    return {
        "id": "batch_req_1",
        "custom_id": line["custom_id"],
        "response": response,
        "error": None,
    }


def expired(line: Line) -> Line:
    message = "This request could not be executed before the completion window expired."
    error = {"code": "batch_expired", "message": message}
    return {"id": "batch_req_1", "custom_id": line["custom_id"], "response": None, "error": error}


@dataclass
class BatchServer:
    """
    Keeps files and batches. `answer` answers a line; `polls` is how often a batch is looked at
    before it ends; `fate` gives what a batch ends as, by its number; `script` acts before a call,
    and may break its connection by giving True.
    """

    answer: Callable[[Line], Line] = answered
    polls: int = 1
    fate: Callable[[int], str] = lambda number: "completed"
    before: Callable[[str], bool] = lambda call: False
    after: Callable[[str], bool] = lambda call: False
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    looked_at: Counter[str] = field(default_factory=Counter)
    calls: list[str] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        handler = type("", (Handler,), {"server_of": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    @property
    def lines(self) -> list[Line]:
        """Every line of every batch that was created."""
        return [line for batch in self.batches.values() for line in self.lines_of(batch)]

    def lines_of(self, batch: dict[str, Any]) -> list[Line]:
        return [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]

    def do(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        path, _, query = path.removeprefix("/v1").partition("?")
        match method, path.strip("/").split("/"):
            case "POST", ["files"]:
                return 200, self.upload(body)
            case "GET", ["files", file_id, "content"]:
                return 200, self.files[file_id]
            case "POST", ["batches"]:
                return 200, self.create(json.loads(body))
            case "GET", ["batches"]:
                return 200, self.listed(query)
            case "GET", ["batches", batch_id]:
                return 200, self.look(self.batches[batch_id])
            case "POST", ["batches", batch_id, "cancel"]:
                self.batches[batch_id]["status"] = "cancelling"
                return 200, self.batches[batch_id]
            case "POST", ["chat", "completions"] | ["responses"]:
                line = {"custom_id": "", "url": f"/v1{path}", "body": json.loads(body)}
                self.asked[path] += 1
                return 200, self.answer(line)["response"]["body"]
        return 404, {"error": {"message": f"no {path}", "code": "not_found"}}

    def upload(self, body: bytes) -> Line:
        head, _, rest = body.partition(b"application/jsonl\r\n\r\n")
        name = re.search(rb'filename="(.*?)"', head)
        assert b'name="purpose"\r\n\r\nbatch\r\n' in head
        assert name
        file_id = f"file-{len(self.files)}"
        self.files[file_id] = rest.rpartition(b"\r\n--")[0]
        return {"id": file_id, "object": "file", "purpose": "batch", "filename": name[1].decode()}

    def create(self, asked: dict[str, Any]) -> Line:
        batch_id = f"batch_{len(self.batches)}"
        batch = {**asked, "id": batch_id, "object": "batch", "status": "validating", "errors": None}
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        assert asked["completion_window"] == "24h"
        assert {line["url"] for line in lines} == {asked["endpoint"]}
        assert len({line["body"]["model"] for line in lines}) == 1
        assert len({line["custom_id"] for line in lines}) == len(lines)
        batch["created_at"] = int(time.time())
        counts = {"total": len(lines), "completed": 0, "failed": 0}
        self.batches[batch_id] = batch | {"request_counts": counts}
        return self.batches[batch_id]

    def listed(self, query: str) -> Line:
        newest = [*reversed(self.batches.values())]
        after = re.search(r"after=(\w+)", query)
        ids = [batch["id"] for batch in newest]
        start = ids.index(after[1]) + 1 if after else 0
        # Pages of two, so that a reconciliation has to turn them.
        return {"data": newest[start : start + 2], "has_more": start + 2 < len(newest)}

    def look(self, batch: dict[str, Any]) -> Line:
        self.looked_at[batch["id"]] += 1
        if batch["status"] in ("validating", "in_progress", "cancelling"):
            is_cancelled = batch["status"] == "cancelling"
            batch["status"] = "in_progress"
            if is_cancelled or self.looked_at[batch["id"]] >= self.polls:
                number = int(batch["id"].rpartition("_")[2])
                self.end(batch, "cancelled" if is_cancelled else self.fate(number))
        return batch

    def end(self, batch: dict[str, Any], status: str) -> None:
        batch["status"] = status
        if status == "token_limit":
            batch["status"] = "failed"
            batch["errors"] = {"data": [{"code": "token_limit_exceeded", "message": "full"}]}
        elif status == "failed":
            batch["errors"] = {"data": [{"code": "invalid_json_line", "message": "line 1"}]}
        elif status in ("completed", "expired", "cancelled"):
            lines = self.lines_of(batch)
            # Half of what was asked for is done where a batch ends early.
            done = lines if status == "completed" else lines[: len(lines) // 2]
            out = [self.answer(line) for line in reversed(done)]
            late = [expired(line) for line in lines[len(done) :]]
            good = [line for line in out if line["response"]]
            bad = [line for line in out if not line["response"]] + late
            batch["output_file_id"] = self.put(good) if good else None
            batch["error_file_id"] = self.put(bad) if bad else None
            batch["request_counts"] |= {"completed": len(good), "failed": len(bad)}

    def put(self, lines: list[Line]) -> str:
        file_id = f"file-out-{len(self.files)}"
        self.files[file_id] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        return file_id


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: BatchServer

    def do_GET(self) -> None:
        self.handle_call()

    def do_POST(self) -> None:
        self.handle_call()

    def handle_call(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        server, call = self.server_of, f"{self.command} {self.path.removeprefix('/v1')}"
        with server.lock:
            server.calls.append(call)
            is_cut = server.before(call)
            status, value = (0, None) if is_cut else server.do(self.command, self.path, body)
            is_cut = is_cut or server.after(call)
        if is_cut:
            self.close_connection = True
            return
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def batch_server(**options: Any) -> Iterator[BatchServer]:
    server = BatchServer(**options)
    thread = threading.Thread(target=server.http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()
        thread.join()


@dataclass
class Killer:
    """Kills a process right before or after a call of each kind, once for each."""

    pid: int = 0
    killed: list[str] = field(default_factory=list)

    def at(self, when: str, call: str) -> bool:
        kind = f"{when} {re.sub(r'(batch|file)[_-][-a-z0-9]+', 'ID', call)}"
        if not self.pid or kind in self.killed:
            return False
        self.killed.append(kind)
        pid, self.pid = self.pid, 0
        os.kill(pid, signal.SIGKILL)
        return True
