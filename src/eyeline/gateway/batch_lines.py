"""The lines of a batch's input, read and checked. Source: OpenAI's Batch guide, May 2026."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

ENDPOINTS = ("/v1/chat/completions", "/v1/responses")
LINES_MAX = 50_000
# So many faults are told; who made them will see the pattern.
FAULTS_MAX = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One request of a batch: its name, and the body to post."""

    custom_id: str
    body: bytes


class BadLine(Exception):
    """A line that is no request; the fields are those of the API's own list of errors."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(code, message, param)
        self.code, self.message, self.param = code, message, param


def read_lines(data: bytes, endpoint: str) -> tuple[list[Line], list[dict[str, Any]]]:
    """Give the requests of an input file, and what is wrong with its lines."""
    lines: list[Line] = []
    faults: list[dict[str, Any]] = []
    names: set[str] = set()
    for number, text in numbered(data):
        try:
            line = read_line(text, endpoint, names)
        except BadLine as bad:
            named = {"code": bad.code, "message": bad.message, "param": bad.param}
            faults.append({**named, "line": number})
            continue
        names.add(line.custom_id)
        lines.append(line)
    if not lines and not faults:
        faults.append(whole_file("empty_file", "The batch input file is empty."))
    if len(lines) > LINES_MAX:
        message = f"The batch has {len(lines):,} requests, more than {LINES_MAX:,}."
        faults.append(whole_file("too_many_tasks", message))
    return lines, faults[:FAULTS_MAX]


def numbered(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give each line that is not blank, and its number from 1."""
    for number, text in enumerate(data.split(b"\n"), start=1):
        if text.strip():
            yield number, text


def whole_file(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "param": None, "line": None}


def read_line(text: bytes, endpoint: str, names: set[str]) -> Line:
    """Read one line. Raises BadLine."""
    fields = read_object(text)
    name, body = fields.get("custom_id"), fields.get("body")
    if not isinstance(name, str) or not name:
        raise missing("custom_id")
    if name in names:
        raise BadLine("duplicate_custom_id", f"The custom_id {name!r} stands twice.", "custom_id")
    if fields.get("method") != "POST":
        raise BadLine("invalid_method", "The method of each request must be POST.", "method")
    if fields.get("url") != endpoint:
        message = f"The url of each request must be the batch's endpoint, {endpoint}."
        raise BadLine("mismatched_endpoint", message, "url")
    if not isinstance(body, dict):
        raise missing("body")
    if body.get("stream"):
        raise BadLine("invalid_request", "A batch cannot stream.", "body.stream")
    return Line(name, orjson.dumps(body))


def read_object(text: bytes) -> dict[str, Any]:
    try:
        fields = orjson.loads(text)
    except ValueError:
        raise BadLine("invalid_json_line", "This line is not parseable as valid JSON.") from None
    if not isinstance(fields, dict):
        raise BadLine("invalid_request", "This line is not a JSON object.")
    return fields


def missing(name: str) -> BadLine:
    message = f"Missing required parameter: '{name}'."
    return BadLine("missing_required_parameter", message, name)
