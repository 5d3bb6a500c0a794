"""`eyeline check`: findings on stdout, or the mended JSON."""

from __future__ import annotations

import base64
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from eyeline.cli import dispatch
from eyeline.testing import tiny_png

B64 = base64.b64encode(tiny_png(40, 30)).decode()
DATA_URL = f"data:image/png;base64,{B64}"
RIGHT = [{"role": "user", "content": [
    {"type": "text", "text": "What is this?"},
    {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "high"}},
]}]  # fmt: skip
LOST = [{"role": "user", "content": f"What is this? {DATA_URL}"}]


def write(path: Path, *values: Any) -> str:
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values))
    return str(path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "body.json"


def test_nothing_found(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A right body, or list of messages, is a quiet 0."""
    for value in (RIGHT, {"model": "gpt-4o", "messages": RIGHT}):
        assert dispatch(["check", write(file, value)]) == 0
    assert capsys.readouterr() == ("", "")


def test_findings_are_the_answer(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each stands on its line of stdout with place, cost and mend; the status is 1."""
    assert dispatch(["check", write(file, LOST)]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("error: messages[0].content: a data URL in the text")
    assert "tokens wasted); --fix: moved into an image part\n" in out


def test_findings_as_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json each is an object with the fields of a Finding."""
    assert dispatch(["check", write(file, LOST), "--json"]) == 1
    [found] = map(json.loads, capsys.readouterr().out.splitlines())
    assert set(found) == {"where", "what", "found", "mend", "level", "tokens_wasted"}
    assert (found["where"], found["what"]) == ("messages[0].content", "data_url_in_text")


def test_fix_gives_the_mended_body(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The mended JSON alone goes to stdout; when all is mended the status is 0."""
    assert (
        dispatch(["check", write(file, {"model": "gpt-4o", "messages": LOST, "n": 1}), "--fix"])
        == 0
    )
    out, err = capsys.readouterr()
    assert json.loads(out) == {"model": "gpt-4o", "messages": RIGHT, "n": 1}
    assert "moved into an image part" in err
    assert "--fix" not in err


def test_fix_into_a_file(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With -o the mended JSON goes there; a place that cannot be written is status 2."""
    out = tmp_path / "mended.json"
    assert dispatch(["check", write(file, LOST), "--fix", "-o", str(out)]) == 0
    assert json.loads(out.read_text()) == RIGHT
    assert capsys.readouterr().out == ""
    assert dispatch(["check", str(file), "--fix", "-o", str(tmp_path)]) == 2
    assert dispatch(["check", str(file), "-o", str(out)]) == 2
    assert "--fix beside it" in capsys.readouterr().err


def test_what_cannot_be_mended_stays(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path that is not there is named and left as it is; the status is 1."""
    body = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "no.jpg"}}]}]
    assert dispatch(["check", write(file, body), "--fix"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)[0]["content"][0]["image_url"]["url"] == "no.jpg"
    assert "no.jpg: no such file" in err


def test_batch_requests(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In JSON Lines each line is a request of its own, whose URL names the API."""

    def line(url: str, body: Any) -> Any:
        return {"custom_id": "1", "method": "POST", "url": url, "body": body}

    lines = [
        line("/v1/chat/completions", {"model": "gpt-4o", "messages": LOST}),
        line("/v1/responses", {"model": "gpt-4o", "input": RIGHT}),
        line("/v1/other", {"model": "gpt-4o", "messages": RIGHT}),
        {"model": "gpt-4o", "messages": RIGHT},
    ]
    assert dispatch(["check", write(file, *lines), "--json"]) == 1
    found = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert [(each["line"], each["what"]) for each in found] == [
        (1, "data_url_in_text"), (2, "part_type"), (2, "part_type"),
    ]  # fmt: skip
    assert dispatch(["check", str(file), "--fix"]) == 0
    out, err = capsys.readouterr()
    fixed = [json.loads(each) for each in out.splitlines()]
    assert [each.get("url") for each in fixed] == [each.get("url") for each in lines]
    assert fixed[0]["body"]["messages"] == RIGHT
    assert fixed[1]["body"]["input"][0]["content"][1]["type"] == "input_image"
    assert fixed[2:] == lines[2:]
    assert err.startswith("line 1: error: messages[0].content")
    assert dispatch(["check", write(file, lines[0])]) == 1


def test_the_model_and_the_api_can_be_said(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """-m stands where the body names no model, --api before what the body looks like."""
    assert dispatch(["check", write(file, RIGHT), "-m", "gpt-3.5-turbo"]) == 1
    assert "a model without vision" in capsys.readouterr().out
    body = {"model": "gpt-4o", "messages": RIGHT}
    assert dispatch(["check", write(file, body), "-m", "gpt-3.5-turbo"]) == 0
    assert dispatch(["check", write(file, RIGHT), "--api", "responses"]) == 1


def test_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """- reads the body from standard input."""
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(LOST).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert dispatch(["check", "-"]) == 1
    assert "data URL in the text" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "JSON"),
        (b"no json", "JSON"),
        (b"{}\nno json\n", "line 2"),
        (b"\xff\xfe", "UTF-8"),
        (b"7", "a list of messages"),
        (b'{"prompt": "x"}', "a list of messages"),
        (b"[" * 100_000, "JSON"),
    ],
)
def test_what_is_no_body(
    file: Path, capsys: pytest.CaptureFixture[str], data: bytes, said: str
) -> None:
    """What cannot be read as a body is status 2, with what was expected."""
    file.write_bytes(data)
    assert dispatch(["check", str(file)]) == 2
    assert said in capsys.readouterr().err


def test_no_such_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is status 2."""
    assert dispatch(["check", str(file)]) == 2
    assert "No such file" in capsys.readouterr().err
