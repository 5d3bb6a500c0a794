from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Any

import pytest
from local_samples import CAT, EXAMPLES, RECEIPT, chat, data_url, facts, png, request, responses
from openai.types import responses as events
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from PIL import Image
from pydantic import TypeAdapter

from eyeline.core.wire import Request
from eyeline.errors import MissingExtra, NotAnImage
from eyeline.local.answers import REFUSAL
from eyeline.local.facts import Facts
from eyeline.local.reader import Reader
from eyeline.local.replies import pieces
from eyeline.ports import Transport

SIGN = png(Image.new("RGB", (20, 10), "green"))
SHOWN = {png(): facts(labels=CAT), SIGN: facts("EXIT 24")}
TOTAL = {"type": "object", "properties": {"total": {"type": "number"}, "shop": {"type": "string"}}}


def shown(data: bytes) -> Facts:
    """Give the facts that belong to `data`, as if it had been looked at."""
    if data not in SHOWN:
        raise NotAnImage("image", "cannot identify image file")
    return SHOWN[data]


def reader() -> Reader:
    return Reader(look=shown, now_s=lambda: 1_795_000_000.7)


def body(request: Request, status: int = 200) -> Any:
    """Send to a reader and give the JSON that comes back."""
    response = reader().send(request)
    assert response.status == status
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"].startswith("req_")
    return json.loads(response.body)


def streamed(request: Request) -> list[bytes]:
    """Read a stream to its end, piece by piece."""
    stream = reader().open(request)
    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    return list(iter(stream.read, b""))


def test_a_chat_completion_is_the_api_s() -> None:
    """The whole answer has every field the SDK's type requires, and says who answered."""
    given = body(chat("What does the sign say?", SIGN))
    answer = ChatCompletion.model_validate(given, strict=True)
    assert answer.choices[0].message.content == 'The sign reads "EXIT 24".'
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.model, answer.created) == ("reader", 1_795_000_000)
    assert answer.usage is not None
    assert answer.usage.total_tokens == 0


def test_a_response_is_the_api_s() -> None:
    """The Responses API gets its own shape, with the text where the SDK looks for it."""
    answer = Response.model_validate(body(responses("What does the sign say?", SIGN)))
    assert answer.output_text == 'The sign reads "EXIT 24".'
    assert (answer.status, answer.model) == ("completed", "reader")
    assert answer.usage is not None
    assert answer.usage.total_tokens == 0


@pytest.mark.parametrize("include_usage", [True, False])
def test_chunks_are_the_api_s(include_usage: bool) -> None:
    """A streamed completion comes in words, ends with a reason, usage if asked for, and DONE."""
    options = {"stream": True, "stream_options": {"include_usage": include_usage}}
    *told, done = streamed(chat("What does the sign say?", SIGN, **options))
    assert done == b"data: [DONE]\n\n"
    chunks = [
        ChatCompletionChunk.model_validate_json(chunk.removeprefix(b"data: "), strict=True)
        for chunk in told
    ]
    usage = [chunks.pop()] if include_usage else []
    assert [(c.choices, c.usage is not None) for c in usage] == [([], True)] * include_usage
    assert all(chunk.usage is None for chunk in chunks)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + [
        "stop"
    ]
    words = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(words) == 'The sign reads "EXIT 24".'
    assert len(words) > 5


def test_events_are_the_api_s() -> None:
    """A streamed response is the whole sequence of events, numbered, each of its own type."""
    adapter: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
    told = []
    for number, event in enumerate(
        streamed(responses("What does the sign say?", SIGN, stream=True))
    ):
        name, data = event.rstrip(b"\n").split(b"\n")
        fields = json.loads(data.removeprefix(b"data: "))
        assert name == b"event: " + fields["type"].encode()
        assert fields["sequence_number"] == number
        told.append(adapter.validate_python(fields))
    kinds = [event.type.removeprefix("response.") for event in told]
    deltas = [event.delta for event in told if isinstance(event, events.ResponseTextDeltaEvent)]
    assert kinds == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        *["output_text.delta"] * len(deltas),
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert "".join(deltas) == told[-1].response.output_text == 'The sign reads "EXIT 24".'


@pytest.mark.parametrize("text", ["", " ", "one", "two  words\n", "\n a\tb ", "「日本語」 ok"])
def test_pieces_are_the_text(text: str) -> None:
    """Cut into words and joined again, no character is lost."""
    assert "".join(pieces(text)) == text


def test_a_schema_is_filled() -> None:
    """Asked for JSON, both APIs answer with JSON, null where nothing is known."""
    bill = Reader(look=lambda _: facts(*RECEIPT))
    form = {"type": "json_schema", "name": "bill", "schema": TOTAL, "strict": True}
    asked = chat("Read it.", SIGN, response_format={"type": "json_schema", "json_schema": form})
    content = json.loads(bill.send(asked).body)["choices"][0]["message"]["content"]
    assert json.loads(content) == {"total": 11.59, "shop": None}
    asked = responses("Read it.", SIGN, text={"format": form})
    answer = Response.model_validate_json(bill.send(asked).body)
    assert json.loads(answer.output_text) == {"total": 11.59, "shop": None}


def test_a_follow_up_is_asked_about_the_same_picture() -> None:
    """The last user message asks; pictures of earlier ones are still there."""
    turns = json.loads(chat("What is this?", png()).body)["messages"]
    turns += [
        {"role": "assistant", "content": "A photo."},
        {"role": "user", "content": "Is there a cat?"},
    ]
    given = body(request("/chat/completions", {"messages": turns}))
    assert given["choices"][0]["message"]["content"] == "Yes, it looks like a cat (92 % sure)."


def test_a_picture_is_looked_at_once() -> None:
    """A second question is answered from memory, until the reader is closed."""
    seen: list[bytes] = []

    def look(data: bytes) -> Facts:
        seen.append(data)
        return facts()

    own = Reader(look=look)
    for question in ("How big is it?", "Is it sharp?"):
        own.send(chat(question, png()))
    own.close()
    own.send(chat("How big is it?", png()))
    assert len(seen) == 2


def test_memory_is_bounded() -> None:
    """However many pictures come, only the last are remembered."""
    own = Reader(look=lambda _: facts())
    for number in range(40):
        own.send(chat("What is this?", png() + bytes([number])))
    assert len(own.remembered) == 32


def test_system_words_are_not_the_question() -> None:
    """Instructions are for models; only the user is answered."""
    asked = json.loads(chat("Is there a cat?", png()).body)
    asked["messages"].insert(0, {"role": "system", "content": "What is the total?"})
    given = body(request("/chat/completions", asked))
    assert given["choices"][0]["message"]["content"].startswith("Yes, it looks like a cat")


BAD_URLS = [
    ("https://x.example/a.png", "data URLs only", "invalid_image_url"),
    ("/home/a.png", "without the 'data:' prefix", "invalid_value"),
    ("", "without the 'data:' prefix", "invalid_value"),
    (None, "without the 'data:' prefix", "invalid_value"),
    (7, "without the 'data:' prefix", "invalid_value"),
    ("data:text/plain;base64,aGk=", "without the 'data:' prefix", "invalid_value"),
    ("data:image/png;base64,", "got empty base64-encoded bytes", "invalid_value"),
    ("data:image/png;base64,a?b", "got an invalid base64-encoded value", "invalid_value"),
    (data_url(b"no picture"), "unsupported image", "invalid_image_format"),
]


@pytest.mark.parametrize(("url", "words", "code"), BAD_URLS)
def test_bad_pictures_are_refused_in_the_api_s_words(url: object, words: str, code: str) -> None:
    """Every error is a 400 of the API's shape that names the place in the body."""
    part = {"type": "image_url", "image_url": {"url": url}}
    asked = {"messages": [{"role": "user", "content": [part]}], "stream": True}
    error = body(request("/chat/completions", asked), 400)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert words in error["message"]
    assert (error["type"], error["code"]) == ("invalid_request_error", code)
    assert error["param"] in (None, "messages[0].content[0].image_url.url")


def test_undecodable_pictures_are_told_as_each_api_does() -> None:
    """The two endpoints have different words for bytes that are no image."""
    given = body(responses("What is this?", b"no picture"), 400)["error"]["message"]
    assert given.startswith("The image data you provided does not represent a valid image.")


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        (Request("/chat/completions", b"{", False, 1), 400, "could not parse the JSON"),
        (Request("/chat/completions", b"\xff", False, 1), 400, "could not parse the JSON"),
        (Request("/chat/completions", b"[" * 200_000, False, 1), 400, "could not parse the JSON"),
        (request("/chat/completions", []), 400, "not an object"),
        (request("/chat/completions", {}), 400, "Missing required parameter: 'messages'."),
        (request("/responses", {}), 400, "Missing required parameter: 'input'."),
        (request("/responses", {"input": "hello"}), 400, "No image in the request"),
        (chat("hello"), 400, "No image in the request"),
        (request("/chat/completions", {"messages": [None, 7, {"role": "user"}]}), 400, "No image"),
        (
            request(
                "/responses",
                {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            ),
            400,
            "no uploaded files",
        ),
        (
            request(
                "/chat/completions",
                {"messages": [{"role": "user", "content": [{"type": "image"}]}]},
            ),
            400,
            "Invalid value: 'image'",
        ),
        (request("/embeddings", {}), 404, "Invalid URL (POST /embeddings)"),
    ],
)
def test_bad_requests_are_refused(asked: Request, status: int, words: str) -> None:
    """What the reader cannot serve is an error of the API's shape, never an exception."""
    assert words in body(asked, status)["error"]["message"]


def test_the_same_request_has_the_same_id() -> None:
    """Request ids are a digest of the body, so that a repeat is seen as one."""
    ids = [reader().send(chat(q, SIGN)).headers["x-request-id"] for q in ("a", "a", "b")]
    assert ids[0] == ids[1] != ids[2]


def test_a_closed_stream_is_at_its_end() -> None:
    """What was not read is dropped, and closing twice is harmless."""
    stream = reader().open(chat("What is this?", SIGN, stream=True))
    assert stream.read()
    stream.close()
    stream.close()
    assert stream.read() == b""


def test_missing_packages_are_an_error_of_ours() -> None:
    """Without Pillow or numpy there is nothing to answer, and the extra to install is named."""

    def look(_: bytes) -> Facts:
        raise MissingExtra("the built-in reader", "local", "numpy")

    with pytest.raises(MissingExtra, match="numpy"):
        Reader(look=look).send(chat("What is this?", png()))


def test_a_reader_is_a_transport_for_many_threads() -> None:
    """Threads share one reader, with the real eyes."""
    own: Transport = Reader()
    data = (EXAMPLES / "code.png").read_bytes()
    told: list[str] = []

    def ask() -> None:
        given = json.loads(own.send(chat("What is in the QR code?", data)).body)
        told.append(given["choices"][0]["message"]["content"])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(told)) == 1
    assert told[0].startswith("QR Code: https://brightwater.example/t20?lot=7")


def test_refusals_are_answers() -> None:
    """What the reader cannot tell is said in the answer, with status 200."""
    given = body(chat("How many people?", png()))
    assert given["choices"][0]["message"]["content"].startswith(REFUSAL)


def test_importing_the_reader_imports_nothing_heavy() -> None:
    """Models, Pillow and numpy wait for the first picture."""
    code = (
        "import sys, eyeline.local.reader as r; r.Reader(); "
        "heavy = {'numpy', 'PIL', 'faster_paddle', 'zxingcpp', 'rapidocr'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
