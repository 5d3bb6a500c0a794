"""GgufEngine over the real llama.cpp and the tiny model; nothing is faked."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from urllib.error import HTTPError

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response as ResponseObject
from PIL import Image
from tiny_vlm import TinyVlm

import eyeline
from eyeline.core.wire import Request
from eyeline.errors import ConnectionFailed, SettingsError, TimedOut
from eyeline.local.gguf import GgufEngine, find_mmproj
from eyeline.ports import ResponseStream

CHAT = "/chat/completions"

# llama.cpp, in this process too, closes its end of a connection a moment after we close ours.
SLACK = 8


@pytest.fixture(scope="module")
def engine(tiny_vlm: TinyVlm) -> Iterator[GgufEngine]:
    engine = GgufEngine(tiny_vlm.model, tiny_vlm.mmproj, context_tokens=2048, threads=1)
    yield engine
    engine.close()


def data_url(colour: str = "red", size: tuple[int, int] = (60, 40), kind: str = "png") -> str:
    file = BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def chat(
    url: str | None = None, *, max_tokens: int = 8, timeout_s: float = 30.0, **more: object
) -> Request:
    """Ask what is seen, at temperature 0, with the image `url` if there is one."""
    parts: list[object] = [{"type": "text", "text": "What is this?"}]
    if url is not None:
        parts.append({"type": "image_url", "image_url": {"url": url}})
    body = {
        "model": "tiny",
        "messages": [{"role": "user", "content": parts}],
        "max_tokens": max_tokens,
        "temperature": 0,
        **more,
    }
    return Request(CHAT, json.dumps(body).encode(), bool(more.get("stream")), timeout_s)


def endless(*, stream: bool = True) -> Request:
    """Ask for an answer that takes 0.3 s or more, until the context is full."""
    return chat(max_tokens=1900, stream=stream, ignore_eos=True)


def events(body: bytes) -> list[str]:
    return [line.removeprefix("data: ") for line in body.decode().split("\n\n") if line]


def read_on(stream: ResponseStream) -> bytes:
    """Read to the end."""
    return b"".join(iter(stream.read, b""))


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_an_image_is_answered_with_a_chat_completion(engine: GgufEngine) -> None:
    """A question about an image gives a chat completion that the official library takes whole."""
    response = engine.send(chat(data_url()))
    assert response.status == 200
    assert response.headers["content-type"].startswith("application/json")
    answer = ChatCompletion.model_validate_json(response.body)
    assert answer.choices[0].message.role == "assistant"
    assert isinstance(answer.choices[0].message.content, str)
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 8


def test_an_image_costs_tokens(engine: GgufEngine) -> None:
    """The model is really shown the image: the prompt grows by its tokens."""

    def prompt_tokens(url: str | None) -> int:
        return json.loads(engine.send(chat(url)).body)["usage"]["prompt_tokens"]

    assert prompt_tokens(data_url()) >= prompt_tokens(None) + 4


def test_different_images_give_different_answers(engine: GgufEngine) -> None:
    """At temperature 0 the same image is answered the same, and another one otherwise."""

    def text(colour: str) -> str:
        request = chat(data_url(colour), max_tokens=40, cache_prompt=False)
        return json.loads(engine.send(request).body)["choices"][0]["message"]["content"]

    assert text("red") == text("red")
    assert text("red") != text("white")


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif"])
def test_formats(engine: GgufEngine, kind: str) -> None:
    """PNG, JPEG and GIF are decoded."""
    assert engine.send(chat(data_url(kind=kind))).status == 200


def test_a_stream_comes_in_pieces_and_ends_with_done(engine: GgufEngine) -> None:
    """Chunks arrive before the answer is whole, each of the API's shape, the last is [DONE]."""
    request = chat(
        data_url(), max_tokens=200, ignore_eos=True, stream=True,
        stream_options={"include_usage": True},
    )  # fmt: skip
    stream = engine.open(request)
    assert stream.status == 200
    assert stream.headers["content-type"] == "text/event-stream"
    pieces = list(iter(stream.read, b""))
    assert stream.read() == b""
    stream.close()
    assert len(pieces) > 10
    *chunks, last = events(b"".join(pieces))
    assert last == "[DONE]"
    parsed = [ChatCompletionChunk.model_validate_json(chunk) for chunk in chunks]
    assert parsed[-1].usage is not None
    assert parsed[-1].usage.completion_tokens == 200
    assert any(chunk.choices and chunk.choices[0].delta.content for chunk in parsed)


def test_responses_are_spoken_too(engine: GgufEngine) -> None:
    """The Responses API answers a question about an image."""
    content = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": data_url(), "detail": "auto"},
    ]
    body = {"input": [{"role": "user", "content": content}], "max_output_tokens": 5}
    response = engine.send(Request("/responses", json.dumps(body).encode(), False, 30.0))
    assert response.status == 200
    answer = json.loads(response.body)
    assert 1 <= answer["usage"]["output_tokens"] <= 5
    assert ResponseObject.model_construct(**answer).status == "completed"


def test_json_object_is_held_by_the_grammar(engine: GgufEngine) -> None:
    """With `response_format` json_object even a random model writes JSON."""
    request = chat(data_url(), max_tokens=1000, response_format={"type": "json_object"})
    answer = json.loads(engine.send(request).body)
    assert isinstance(json.loads(answer["choices"][0]["message"]["content"]), dict)


def test_json_schema_is_held_by_the_grammar(engine: GgufEngine) -> None:
    """With a JSON schema even a random model fills it."""
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "blue"]}, "people": {"type": "boolean"}},
        "required": ["colour", "people"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "seen", "schema": schema}}
    answer = json.loads(engine.send(chat(max_tokens=300, response_format=wanted)).body)
    seen = json.loads(answer["choices"][0]["message"]["content"])
    assert seen["colour"] in {"red", "blue"}
    assert isinstance(seen["people"], bool)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64,AAAA",
        "data:image/png;base64,***",
        data_url(kind="webp"),
        data_url()[:100],
        "file:///etc/hostname",
    ],
)
def test_a_bad_image_is_refused(engine: GgufEngine, url: str, *, stream: bool) -> None:
    """What is no image to llama.cpp is answered 400 in the API's shape, streamed or not."""
    response = engine.send(chat(url, stream=stream))
    assert response.status == 400
    assert json.loads(response.body)["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (CHAT, b"{nope", 400),
        (CHAT, b"{}", 400),
        (CHAT, b'{"messages": [{"role": "user", "content": [{"type": "smell"}]}]}', 400),
        ("/embroideries", b"{}", 404),
    ],
)
def test_a_bad_request_is_a_response(
    engine: GgufEngine, path: str, body: bytes, status: int
) -> None:
    """Whatever is wrong with a request comes back as a response with the API's error in it."""
    response = engine.send(Request(path, body, False, 30.0))
    assert response.status == status
    assert json.loads(response.body)["error"]["message"]


def test_a_prompt_past_the_context_is_refused(engine: GgufEngine) -> None:
    """A prompt longer than the context is answered 400, and nothing is cut from it."""
    body = {"messages": [{"role": "user", "content": "word " * 2000}]}
    response = engine.send(Request(CHAT, json.dumps(body).encode(), False, 30.0))
    assert response.status == 400
    assert json.loads(response.body)["error"]["type"] == "exceed_context_size_error"


def test_many_threads_share_one_engine(tiny_vlm: TinyVlm) -> None:
    """Sixteen threads that start at once load the model once and are all answered."""
    engine = GgufEngine(tiny_vlm.model, threads=1)
    with ThreadPoolExecutor(16) as threads:
        responses = list(threads.map(engine.send, [chat(data_url())] * 16))
    engine.close()
    assert [response.status for response in responses] == [200] * 16


def test_an_abandoned_stream_stops(engine: GgufEngine) -> None:
    """Closed early, an answer stops: fifty of them take less than two read to the end would."""
    engine.send(chat())
    descriptors_before, threads_before = descriptors(), threading.active_count()
    for _ in range(50):
        stream = engine.open(endless())
        assert stream.read()
        stream.close()
        stream.close()
    assert engine.send(chat(timeout_s=5.0)).status == 200
    assert descriptors() < descriptors_before + SLACK
    assert threading.active_count() == threads_before
    with pytest.raises(ConnectionFailed, match="closed"):
        stream.read()


def test_a_forgotten_stream_stops(engine: GgufEngine) -> None:
    """A stream dropped without `close` gives its connection back."""
    engine.send(chat())
    before = descriptors()
    for _ in range(20):
        with pytest.warns(ResourceWarning):
            assert engine.open(endless()).read()
    assert engine.send(chat(timeout_s=5.0)).status == 200
    assert descriptors() < before + SLACK


def test_close_wakes_a_reader(engine: GgufEngine) -> None:
    """Closing a stream ends a `read` that another thread waits in."""
    stream = engine.open(endless())
    with ThreadPoolExecutor(1) as thread:
        reader = thread.submit(read_on, stream)
        stream.close()
        assert isinstance(reader.exception(timeout=5.0), ConnectionFailed)


def test_waiting_ends_at_the_timeout(engine: GgufEngine) -> None:
    """A request that is not answered in time gives up, and its answer is not computed on."""
    with pytest.raises(TimedOut) as caught:
        engine.send(chat(max_tokens=1900, ignore_eos=True, timeout_s=0.05))
    assert caught.value.timeout_s == 0.05
    assert engine.send(chat(timeout_s=5.0)).status == 200


def test_closing_the_engine_ends_its_answers(tiny_vlm: TinyVlm) -> None:
    """`close` cuts the answers under way, frees the model, and leaves no descriptor behind."""
    before = descriptors()
    engine = GgufEngine(tiny_vlm.model, threads=1)
    stream = engine.open(endless())
    stream.read()
    with ThreadPoolExecutor(3) as threads:
        waiting = [threads.submit(engine.send, endless(stream=False)) for _ in range(3)]
        engine.close()
        errors = [future.exception(timeout=5.0) for future in waiting]
    assert {type(error) for error in errors} == {ConnectionFailed}
    with pytest.raises(ConnectionFailed):
        read_on(stream)
    stream.close()
    engine.close()
    with pytest.raises(ConnectionFailed, match="the engine is closed"):
        engine.send(chat())
    assert descriptors() <= before


def test_engines_come_and_go(tiny_vlm: TinyVlm) -> None:
    """Engines can be loaded and closed at once, and beside each other."""
    engines = [GgufEngine(tiny_vlm.model, threads=1) for _ in range(5)]
    for engine in engines:
        engine.load()
    for engine in engines[:4]:
        engine.close()
    assert engines[4].send(chat(data_url())).status == 200
    engines[4].close()


def test_the_port_is_closed_to_others(engine: GgufEngine) -> None:
    """Another program of this machine is answered 401."""
    url = f"http://127.0.0.1:{engine.load().port}/v1{CHAT}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(HTTPError) as caught:
        opener.open(url, data=chat().body, timeout=5.0)
    assert caught.value.code == 401
    caught.value.close()


def test_the_answer_is_llama_cpps(engine: GgufEngine, vlm_server: str) -> None:
    """The engine gives what llama.cpp's server in another process gives."""
    request = chat(data_url(), max_tokens=40, cache_prompt=False)
    headers = {"Content-Type": "application/json"}
    there = urllib.request.Request(f"{vlm_server}{CHAT}", request.body, headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(there, timeout=30.0) as response:
        theirs = json.load(response)
    assert json.loads(engine.send(request).body)["choices"] == theirs["choices"]


def test_options_reach_llama_cpp(tiny_vlm: TinyVlm) -> None:
    """`context_tokens` bounds the prompt; `threads` is taken."""
    engine = GgufEngine(tiny_vlm.model, context_tokens=256, threads=1)
    answer = json.loads(engine.send(chat(data_url(), max_tokens=1000, ignore_eos=True)).body)
    engine.close()
    assert answer["usage"]["total_tokens"] <= 256


SCRIPT = """
import sys
from pathlib import Path
from eyeline.core.wire import Request
from eyeline.errors import SettingsError
from eyeline.local.gguf import GgufEngine

assert not {"xllamacpp", "http.client", "numpy"} & set(sys.modules)
model, body, ending = sys.argv[1:]
engine = GgufEngine(Path(model), threads=1)
try:
    stream = engine.open(Request("/chat/completions", body.encode(), True, 30.0))
except SettingsError:
    sys.exit(3)
assert stream.status == 200, stream.status
assert stream.read()
if ending == "close":
    stream.close()
    engine.close()
"""


def run(model: Path, body: bytes, ending: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", SCRIPT, str(model), body, ending]
    return subprocess.run(command, capture_output=True, timeout=30, check=False)


@pytest.mark.parametrize("ending", ["close", "exit"])
def test_nothing_is_printed(tiny_vlm: TinyVlm, ending: str) -> None:
    """llama.cpp writes nothing to stdout or stderr, and a process may end amid an answer."""
    body = json.loads(endless().body) | json.loads(chat(data_url(), stream=True).body)
    done = run(tiny_vlm.model, json.dumps(body | {"max_tokens": 1900}).encode(), ending)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_nothing_is_printed_when_loading_fails(tiny_vlm: TinyVlm, tmp_path: Path) -> None:
    """A damaged model is an error of ours, without a word of llama.cpp's."""
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(tiny_vlm.model.read_bytes()[:-1])
    (tmp_path / "mmproj.gguf").write_bytes(tiny_vlm.mmproj.read_bytes())
    done = run(damaged, chat().body, "close")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"", b"")


def test_a_pair_that_does_not_load(tiny_vlm: TinyVlm, tmp_path: Path) -> None:
    """Files cut short pass the check of their beginning and fail when loaded, with both names."""
    short = tmp_path / "short.gguf"
    for size in (200, 3_000, 100_000):
        short.write_bytes(tiny_vlm.model.read_bytes()[:size])
        engine = GgufEngine(short, tiny_vlm.mmproj)
        with pytest.raises(SettingsError, match=r"--model: .*short\.gguf with .*mmproj-tiny"):
            engine.load()
        engine.close()


def test_files_swapped(tiny_vlm: TinyVlm) -> None:
    """An mmproj given as the model, and a model given as the mmproj, are called what they are."""
    with pytest.raises(SettingsError, match=r"--model: .*\(an mmproj\)"):
        GgufEngine(tiny_vlm.mmproj, tiny_vlm.model)
    with pytest.raises(SettingsError, match=r"--mmproj: .*\(a llama model\)"):
        GgufEngine(tiny_vlm.model, tiny_vlm.model)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "no such file"),
        (b"", "empty"),
        (b"PK\3\4 and so on", "begins 50 4b 03 04 20 61 6e 64"),
        (b"version https://git-lfs.github.com/spec/v1", "begins 76 65 72 73 69 6f 6e 20"),
    ],
)
def test_a_file_that_is_not_gguf(tmp_path: Path, content: bytes | None, found: str) -> None:
    """A missing, empty or foreign file is refused before llama.cpp sees it."""
    model = tmp_path / "model.gguf"
    if content is not None:
        model.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        GgufEngine(model)
    assert (caught.value.name, caught.value.expected) == ("--model", "a .gguf file")
    assert found in caught.value.found


def test_a_missing_mmproj(tiny_vlm: TinyVlm, tmp_path: Path) -> None:
    """An mmproj that was named and is not there is refused under its own option."""
    with pytest.raises(SettingsError, match=r"^--mmproj: .*no such file"):
        GgufEngine(tiny_vlm.model, tmp_path / "mmproj.gguf")


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    """A folder is refused as one."""
    with pytest.raises(SettingsError, match="is a directory"):
        GgufEngine(tmp_path)


def test_gguf_that_does_not_begin_with_its_architecture(tiny_vlm: TinyVlm, tmp_path: Path) -> None:
    """Such a file is left to llama.cpp to judge."""
    odd = tmp_path / "odd.gguf"
    odd.write_bytes(b"GGUF" + bytes(100))
    engine = GgufEngine(odd, tiny_vlm.mmproj)
    with pytest.raises(SettingsError):
        engine.load()


@pytest.mark.parametrize(
    ("names", "model", "expected"),
    [
        (["mmproj.gguf"], "any.gguf", "mmproj.gguf"),
        (["mmproj-model-f16.gguf"], "ggml-model-Q4_K.gguf", "mmproj-model-f16.gguf"),
        (["SmolVLM.mmproj.GGUF.gguf"], "SmolVLM.gguf", "SmolVLM.mmproj.GGUF.gguf"),
        (
            ["mmproj-SmolVLM-256M-f16.gguf", "mmproj-SmolVLM-500M-f16.gguf"],
            "SmolVLM-500M-Q8_0.gguf",
            "mmproj-SmolVLM-500M-f16.gguf",
        ),
        (
            ["mmproj-Qwen3-VL-2B-F16.gguf", "mmproj-Qwen3-VL-2B-Q8_0.gguf"],
            "Qwen3-VL-2B-Q8_0.gguf",
            "mmproj-Qwen3-VL-2B-Q8_0.gguf",
        ),
        (["a-mmproj.gguf", "a-mini-mmproj.gguf"], "a-Q4.gguf", "a-mmproj.gguf"),
        (["a-mmproj.gguf", "a-mini-mmproj.gguf"], "a.gguf", "a-mmproj.gguf"),
        (["a-mmproj.gguf", "a-mini-mmproj.gguf"], "a-mini-Q4.gguf", "a-mini-mmproj.gguf"),
        (["b-mmproj.gguf", "c-mmproj.gguf"], "a.gguf", None),
        (["mmproj-f16.gguf", "mmproj-f32.gguf"], "model.gguf", None),
        ([], "model.gguf", None),
    ],
)
def test_find_mmproj(tmp_path: Path, names: list[str], model: str, expected: str | None) -> None:
    """The only mmproj is taken, else the one whose name agrees best, else none is guessed."""
    for name in [*names, model, "unrelated.gguf"]:
        (tmp_path / name).touch()
    if expected is not None:
        assert find_mmproj(tmp_path / model) == tmp_path / expected
        return
    with pytest.raises(SettingsError) as caught:
        find_mmproj(tmp_path / model)
    assert caught.value.name == "--mmproj"
    assert all(name in caught.value.found for name in names)
    assert model in caught.value.found


def test_a_model_without_its_mmproj(tiny_vlm: TinyVlm, tmp_path: Path) -> None:
    """A model with no mmproj given or beside it is refused when the engine is made."""
    model = tmp_path / "tiny.gguf"
    model.write_bytes(tiny_vlm.model.read_bytes())
    with pytest.raises(SettingsError) as caught:
        GgufEngine(model)
    assert caught.value.found == f"none found beside {model}"


def test_without_xllamacpp(tiny_vlm: TinyVlm) -> None:
    """Where xllamacpp is not installed, the first use names the extra that brings it."""
    script = (
        "import sys; sys.modules['xllamacpp'] = None; sys.path.insert(0, sys.argv[2]); "
        "from pathlib import Path; import eyeline.errors as e; "
        "from eyeline.local.gguf import GgufEngine\n"
        "try: GgufEngine(Path(sys.argv[1])).load()\n"
        "except e.MissingExtra as error: print(error, '/', error.hint)"
    )
    source = str(Path(eyeline.__file__).parents[1])
    command = [sys.executable, "-c", script, str(tiny_vlm.model), source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert "needs the package xllamacpp" in done.stdout, done.stderr
    assert "eyeline[vlm]" in done.stdout
