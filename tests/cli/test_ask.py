"""`eyeline ask` and `describe` against a server on loopback."""

from __future__ import annotations

import base64
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from api_server import (
    ApiServer,
    Reply,
    chat_completion,
    chat_events,
    error,
    response_object,
    stream_reply,
    whole,
)
from PIL import Image

from cli.conftest import Cli
from eyeline.testing import tiny_png

JSON_FIELDS = {
    "text",
    "parsed",
    "model",
    "engine",
    "usage",
    "cost_usd",
    "cached",
    "latency_s",
    "images",
}
IMAGE_FIELDS = {
    "source", "media_type", "width_px", "height_px", "sent_media_type", "sent_width_px",
    "sent_height_px", "sent_bytes", "detail", "tokens", "notes",
}  # fmt: skip
USAGE_FIELDS = {
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "image_tokens",
}


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "street.png"
    path.write_bytes(tiny_png(64, 32))
    return path


def test_answer_alone_on_stdout(cli: Cli, api: ApiServer, png: Path) -> None:
    """Stdout holds the answer and nothing else, stderr stays empty in a pipe."""
    result = cli("ask", "What?", png, "--engine", api.url)
    assert (result.status, result.out, result.err) == (0, "A sign.\n", "")


def test_image_is_sent_as_image(cli: Cli, api: ApiServer, png: Path) -> None:
    """The picture goes out as an image part with its bytes, the prompt as text, detail explicit."""
    cli("ask", "What?", png, "--engine", api.url)
    text, image = api.requests[0].json["messages"][0]["content"]
    assert text == {"type": "text", "text": "What?"}
    assert image["image_url"]["detail"] == "high"
    head, payload = image["image_url"]["url"].split(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(payload) == png.read_bytes()


def test_stdin(cli: Cli, api: ApiServer) -> None:
    """`-` is the image on standard input."""
    result = cli("ask", "What?", "-", "--engine", api.url, stdin=tiny_png())
    assert result.status == 0
    assert "data:image/png;base64" in api.requests[0].body.decode()


def test_json(cli: Cli, api: ApiServer, png: Path) -> None:
    """`--json` prints one object on one line with the fields of the contract."""
    result = cli("ask", "What?", png, "--json", "--engine", api.url)
    answer = json.loads(result.out)
    assert result.out.count("\n") == 1
    assert answer.keys() == JSON_FIELDS
    assert answer["usage"].keys() == USAGE_FIELDS
    assert answer["images"][0].keys() == IMAGE_FIELDS
    assert answer["cost_usd"] == pytest.approx((1000 * 0.1 + 20 * 0.5) / 1e6)
    assert answer["images"][0]["sent_bytes"] == png.stat().st_size


def test_options_reach_the_body(cli: Cli, api: ApiServer, png: Path) -> None:
    """Model, detail, system, limit and temperature stand in the request."""
    cli(
        "ask", "What?", png, "--engine", api.url, "-m", "gpt-4o", "--detail", "low",
        "--system", "Be brief.", "--max-output-tokens", 9, "--temperature", 0.5,
    )  # fmt: skip
    body = api.requests[0].json
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("gpt-4o", 0.5, 9)
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert body["messages"][1]["content"][1]["image_url"]["detail"] == "low"


def test_schema(cli: Cli, api: ApiServer, png: Path, tmp_path: Path) -> None:
    """`--schema` asks for strict JSON and gives it parsed."""
    schema = tmp_path / "sign.json"
    schema.write_text(json.dumps({"type": "object", "properties": {"says": {"type": "string"}}}))
    api.text = '{"says": "EXIT 24"}'
    result = cli("ask", "What?", png, "--engine", api.url, "--schema", schema, "--json")
    assert json.loads(result.out)["parsed"] == {"says": "EXIT 24"}
    form = api.requests[0].json["response_format"]["json_schema"]
    assert form["strict"] is True
    assert form["schema"]["required"] == ["says"]


def test_second_time_from_the_cache(cli: Cli, api: ApiServer, png: Path) -> None:
    """The same question again costs nothing; `--no-cache` asks again."""
    arguments = ("ask", "What?", png, "--engine", api.url, "--json")
    cli(*arguments)
    again = json.loads(cli(*arguments).out)
    assert (again["cached"], again["cost_usd"], len(api.requests)) == (True, 0.0, 1)
    cli(*arguments, "--no-cache")
    assert len(api.requests) == 2


def test_describe(cli: Cli, api: ApiServer, png: Path) -> None:
    """`describe` asks with a prompt of its own, about one or several images."""
    assert cli("describe", png, png, "--engine", api.url).status == 0
    content = api.requests[0].json["messages"][0]["content"]
    assert "one by one" in content[0]["text"]
    assert len(content) == 3


def test_length(cli: Cli, api: ApiServer, png: Path) -> None:
    """An answer cut at the token limit is printed, named as cut, and exits 1."""
    api.script.append(whole(chat_completion("It is a", finish="length")))
    result = cli("ask", "What?", png, "--engine", api.url)
    assert (result.status, result.out) == (1, "It is a\n")
    assert "cut at the token limit" in result.err


IMAGES = {
    "missing": (None, "no such file"),
    "empty": (b"", "empty, expected an image"),
    "truncated": (tiny_png(64, 64)[:-20], "truncated"),
    "text": (b"Hello, this is a note.", "not an image eyeline knows (begins 48 65 6c 6c 6f"),
    "page": (b"<!DOCTYPE html><html></html>", "an HTML page, expected an image"),
    "pdf": (b"%PDF-1.7\n", "truncated or damaged"),
}


@pytest.mark.parametrize("name", IMAGES)
def test_bad_image(cli: Cli, api: ApiServer, tmp_path: Path, name: str) -> None:
    """A bad image is named with what is wrong, exits 2, and nothing is sent."""
    data, words = IMAGES[name]
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    result = cli("ask", "What?", path, "--engine", api.url)
    assert (result.status, result.out, api.requests) == (2, "", [])
    assert result.err.startswith(f"error: {path}: ")
    assert words in result.err
    assert "Traceback" not in result.err


def test_directory(cli: Cli, api: ApiServer, tmp_path: Path) -> None:
    """A folder is said to be one."""
    result = cli("ask", "What?", tmp_path, "--engine", api.url)
    assert result.status == 2
    assert "a folder, expected an image file" in result.err


def test_nearest_file(cli: Cli, api: ApiServer, png: Path) -> None:
    """A typo names the file that was meant."""
    result = cli("ask", "What?", png.with_name("strret.png"), "--engine", api.url)
    assert result.err.splitlines()[1] == f"hint: did you mean {png}?"


def test_html_behind_an_image_url(
    cli: Cli, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A web page behind an image URL is an error that says so."""
    monkeypatch.setenv("EYELINE_ALLOW_HOSTS", "127.0.0.1")
    api.script.append(Reply(200, b"<html><body>A gallery</body></html>"))
    result = cli("ask", "What?", f"{api.origin}/sign.jpg", "--engine", api.url)
    assert result.status == 2
    assert "an HTML page, expected an image" in result.err


QUICK = {"retry-after-ms": "1"}
REFUSALS = {
    "401": (error(401, "Incorrect API key provided: sk-abcd1234efgh", "invalid_api_key"), 2, "401"),
    "403": (error(403, "Project does not have access"), 2, "403"),
    "404": (
        error(404, "The model `gpt-6-lnua` does not exist", "model_not_found"),
        2,
        "gpt-6-luna?",
    ),
    "quota": (error(429, "You exceeded your quota", "insufficient_quota"), 2, "add credit"),
    "rate": (error(429, "Rate limit reached", "rate_limit_exceeded", **QUICK), 1, "429"),
    "overloaded": (error(503, "Overloaded", "server_is_overloaded", **QUICK), 1, "503"),
    "blind": (
        error(400, "Invalid content type. image_url is only supported by certain models."),
        2,
        "choose a model that sees",
    ),
    "image": (error(400, "You uploaded an unsupported image.", "invalid_image_format"), 1, "400"),
    "plain text": (Reply(502, b"<html><h1>Bad Gateway</h1></html>", QUICK), 1, "Bad Gateway"),
    "not the API": (Reply(200, b"<html>Welcome to nginx</html>"), 1, "not JSON"),
    "refused": (whole(chat_completion(None, refusal="I can't help with that.")), 1, "refused"),
    "filtered": (whole(chat_completion("", finish="content_filter")), 1, "content filter"),
    "cut": (whole(chat_completion("", finish="length")), 1, "token limit"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusal(cli: Cli, api: ApiServer, png: Path, name: str) -> None:
    """What the engine refuses is one clean message with its exit status, and never shows a key."""
    reply, status, words = REFUSALS[name]
    api.script.extend([reply] * 8)
    result = cli("ask", "What?", png, "--engine", api.url, "-m", "gpt-6-lnua")
    assert (result.status, result.out) == (status, "")
    assert result.err.startswith("error: ")
    assert words in result.err
    assert "Traceback" not in result.err
    assert "abcd1234" not in result.err


def test_server_down(cli: Cli, api: ApiServer, png: Path) -> None:
    """A server that is not there is named, with what to look at."""
    result = cli("ask", "What?", png, "--engine", "http://127.0.0.1:9/v1")
    assert result.status == 1
    assert "http://127.0.0.1:9/v1: no connection (Connection refused)" in result.err
    assert "eyeline doctor" in result.err


def test_time_out(cli: Cli, api: ApiServer, png: Path) -> None:
    """A server that says nothing is given up after --timeout, and not asked twice."""
    api.script.append(Reply(200, [b" "], stall=True))
    result = cli("ask", "What?", png, "--engine", api.url, "--timeout", 0.2)
    assert (result.status, len(api.requests)) == (1, 1)
    assert "no response within 0.2 s" in result.err


def test_no_key(cli: Cli, png: Path) -> None:
    """OpenAI without a key exits 2 and says which variable is missing."""
    result = cli("ask", "What?", png, "--engine", "openai")
    assert result.status == 2
    assert "no API key, expected one in OPENAI_API_KEY" in result.err


def test_unknown_engine(cli: Cli, png: Path) -> None:
    """A misspelt engine names the nearest."""
    result = cli("ask", "What?", png, "--engine", "olama")
    assert result.status == 2
    assert "did you mean ollama?" in result.err


def test_usage(cli: Cli) -> None:
    """Wrong usage exits 2 and names the nearest command or option."""
    assert cli("ask", "What?").status == 2
    assert "'estimate'" in cli("estimte", "x").err
    assert "--engine" in cli("ask", "What?", "x", "--engin", "x").err


def test_budget(cli: Cli, api: ApiServer, png: Path) -> None:
    """A budget that the worst case could pass refuses before sending."""
    result = cli("ask", "What?", png, "--engine", api.url, "--budget", 0.000001)
    assert (result.status, api.requests) == (2, [])
    assert result.err.startswith("error: budget: the next request may cost $")


def test_responses(cli: Cli, api: ApiServer, png: Path) -> None:
    """`--api responses` speaks the other API."""
    api.script.append(whole(response_object("A stop sign.")))
    result = cli("ask", "What?", png, "--engine", api.url, "--api", "responses")
    assert result.out == "A stop sign.\n"
    assert api.requests[0].path == "/v1/responses"


def on_a_terminal(*arguments: object) -> tuple[int, str, str]:
    """Run eyeline with stdout on a pseudo-terminal; give status, what the terminal got, stderr."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "eyeline", *map(str, arguments)]
    process = subprocess.Popen(
        command, stdout=slave, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    os.close(slave)
    shown = b""
    with open(master, "rb", buffering=0) as terminal:  # noqa: PTH123  # a descriptor, not a path
        try:
            while piece := terminal.read(1024):
                shown += piece
        except OSError:
            pass  # how Linux says that the other end is closed
    _, err = process.communicate(timeout=30)
    return process.returncode, shown.decode(), err.decode()


def test_streams_to_a_terminal(api: ApiServer, png: Path) -> None:
    """On a terminal the answer is streamed, with control characters made visible."""
    api.text = "EXIT \x1b[31m24"
    status, shown, _ = on_a_terminal("ask", "What?", png, "--engine", api.url)
    assert (status, shown) == (0, "EXIT \\x1b[31m24\r\n")
    assert api.requests[0].json["stream"] is True


def test_cut_stream_on_a_terminal(api: ApiServer, png: Path) -> None:
    """A stream cut short ends its line, names the cut, and exits 1."""
    api.script.append(stream_reply(chat_events("one two three")[:3], cut=True))
    status, shown, err = on_a_terminal("ask", "What?", png, "--engine", api.url)
    assert (status, shown) == (1, "one two\r\n")
    assert "the answer broke off after 7 characters" in err


def test_closed_pipe(api: ApiServer, png: Path) -> None:
    """A reader that leaves early is a quiet 0."""
    api.text = "word " * 100_000
    command = [sys.executable, "-m", "eyeline", "ask", "What?", str(png), "--engine", api.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


def test_big_photo_is_shrunk(cli: Cli, api: ApiServer, tmp_path: Path) -> None:
    """A photo larger than the model sees is sent at the size the model sees, upright."""
    photo = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (3000, 2000), "red").save(photo, exif=exif)
    result = cli(
        "ask", "What?", photo, "--engine", api.url, "-m", "gpt-4o", "--json", "--no-sight-check"
    )
    image = json.loads(result.out)["images"][0]
    assert (image["width_px"], image["height_px"]) == (3000, 2000)
    assert (image["sent_width_px"], image["sent_height_px"]) == (768, 1152)
    assert image["notes"] == ["turned upright", "2000×3000 → 768×1152", "JPEG → PNG (graphics)"]
    url = api.requests[0].json["messages"][0]["content"][1]["image_url"]["url"]
    sent = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
    assert sent.size == (768, 1152)


def test_a_pipe_that_closes_at_once(api: ApiServer, png: Path) -> None:
    """A reader that never reads is a quiet 0 too."""
    line = '"$0" -m eyeline ask What? "$1" --engine "$2" | true; echo ${PIPESTATUS[0]}'
    command = ["bash", "-c", line, sys.executable, str(png), api.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize(("output", "status"), [("/dev/full", 1), ("&-", 0)])
def test_stdout_that_takes_nothing(api: ApiServer, png: Path, output: str, status: int) -> None:
    """A full or closed standard output ends without a traceback."""
    line = f'"$0" -m eyeline ask What? "$1" --engine "$2" >{output}'
    command = ["bash", "-c", line, sys.executable, str(png), api.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert ("No space left on device" in done.stderr) == bool(status)


def test_a_bad_image_is_not_announced(png: Path) -> None:
    """Without a key, an error says nothing of an answer that was not given."""
    command = [sys.executable, "-m", "eyeline", "ask", "What?", f"{png}x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {png}x: no such file\nhint: did you mean {png}?\n"


def test_an_answer_that_does_not_fit(cli: Cli, api: ApiServer, png: Path, tmp_path: Path) -> None:
    """An answer that was paid for and does not fit the schema is shown on stderr, not stdout."""
    schema = tmp_path / "sign.json"
    schema.write_text(json.dumps({"type": "object", "properties": {"says": {"type": "string"}}}))
    api.text = "It says EXIT."
    result = cli("ask", "What?", png, "--engine", api.url, "--schema", schema)
    assert (result.status, result.out) == (1, "")
    assert "It says EXIT." in result.err
