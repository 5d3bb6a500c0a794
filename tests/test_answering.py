"""Asked as the server takes it, and asked again where the answer does not fit."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from eyeline import Client, FileId
from eyeline.core.dialect import Dialect
from eyeline.core.wire import Request, Response
from eyeline.errors import BadRequest, ImageNotSeen, SchemaMismatch
from eyeline.testing import FakeTransport, tiny_png

PNG = tiny_png(8, 6)
SIGN = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
URL = "http://127.0.0.1:1/v1"


def refusal(message: str, status: int = 400) -> Response:
    return Response(status, {}, json.dumps({"error": {"message": message}}).encode())


def client(transport: FakeTransport, **options: Any) -> Client:
    return Client(
        **({"base_url": URL, "cache": False, "model": "gpt-6-luna"} | options), transport=transport
    )


def body(request: Request) -> Any:
    return json.loads(request.body)


# --- corrected ----------------------------------------------------------------------------------


def test_an_answer_that_does_not_fit_is_asked_for_again() -> None:
    """The model is told once what is wrong, in the same conversation, and both are paid for."""
    transport = FakeTransport('{"text": 7}', '{"text": "EXIT"}')
    answer = client(transport).ask("What is it?", PNG, schema=SIGN)
    assert answer.parsed == {"text": "EXIT"}
    first, second = map(body, transport.requests)
    question, given, fault = second["messages"]
    assert question == first["messages"][0]
    assert given == {"role": "assistant", "content": '{"text": 7}'}
    assert "7 is not of type 'string'" in fault["content"]
    assert answer.cost_usd == 2 * Decimal("0.000015")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (200, 20)


def test_an_answer_that_never_fits_is_an_error() -> None:
    """After one correction it is an error that carries the last answer, and all it cost."""
    transport = FakeTransport('{"text": 7}', '{"text": 8}')
    with pytest.raises(SchemaMismatch, match="8 is not of type") as raised:
        client(transport).ask("What is it?", PNG, schema=SIGN)
    assert raised.value.answer.cost_usd == 2 * Decimal("0.000015")


def test_a_price_that_is_unknown_stays_unknown() -> None:
    """Two answers of a model without a price cost together what nobody knows."""
    transport = FakeTransport("no", '{"text": "EXIT"}')
    answer = client(transport, model="some-model").ask("?", PNG, schema=SIGN)
    assert answer.cost_usd is None


def test_a_streamed_answer_is_not_taken_back() -> None:
    """What is out piece by piece cannot be corrected: a misfit is an error at once."""
    transport = FakeTransport('{"text": 7}')
    with pytest.raises(SchemaMismatch):
        list(client(transport).stream("What is it?", PNG, schema=SIGN))
    assert len(transport.requests) == 1


def test_a_correction_is_held_for_in_the_budget() -> None:
    """The second request is longer, and its text is held for before it is sent."""
    transport = FakeTransport('{"text": 7}' + " " * 5000, '{"text": "EXIT"}')
    asked = client(transport, budget_usd=0.00055)
    with pytest.raises(Exception, match="budget"):
        asked.ask("?", PNG, schema=SIGN, max_output_tokens=1000)
    assert len(transport.requests) == 1


# --- learned ------------------------------------------------------------------------------------


def test_a_server_is_asked_as_it_wants(tmp_path: Path) -> None:
    """One refusal teaches, the question is answered, and the next is asked right at once."""
    transport = FakeTransport(
        refusal(
            "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens'"
        ),
        "A sign.",
        "A wall.",
    )
    asked = client(transport)
    assert asked.ask("?", PNG, max_output_tokens=5).text == "A sign."
    assert asked.ask("??", PNG, max_output_tokens=5).text == "A wall."
    fields = [
        {"max_tokens", "max_completion_tokens"} & body(each).keys() for each in transport.requests
    ]
    assert fields == [{"max_tokens"}, {"max_completion_tokens"}, {"max_completion_tokens"}]


def test_what_was_learned_is_kept() -> None:
    """Another client, another day: the cache remembers how the server wants to be asked."""
    first = FakeTransport(refusal("Unknown parameter: 'detail'"), "A sign.")
    with client(first, cache=True) as asked:
        asked.ask("?", PNG)
    second = FakeTransport("A wall.")
    with client(second, cache=True) as asked:
        asked.ask("??", PNG)
    (part,) = [
        part for part in body(second.requests[0])["messages"][0]["content"] if "image_url" in part
    ]
    assert "detail" not in part["image_url"]


def test_several_lessons_at_once() -> None:
    """A server that differs in many ways teaches one after the other, each once."""
    transport = FakeTransport(
        refusal("response_format json_schema is not supported"),
        refusal("extra fields not permitted: response_format", 422),
        refusal("unexpected keyword 'detail'", 500),
        '{"text": "EXIT"}',
    )
    assert client(transport).ask("?", PNG, schema=SIGN).parsed == {"text": "EXIT"}
    last = body(transport.requests[-1])
    assert "response_format" not in last
    assert '"required":["text"]' in last["messages"][0]["content"][0]["text"]


def test_a_stream_without_usage() -> None:
    """A server that knows no stream_options is streamed from without them."""
    transport = FakeTransport(
        refusal("Unrecognized request argument supplied: stream_options"), "A sign."
    )
    assert "".join(client(transport).stream("?", PNG)) == "A sign."
    assert "stream_options" not in body(transport.requests[1])


def test_an_image_type_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a server refuses WebP the image is prepared anew, and the server remembered."""
    from adapters.pictures import quarters, saved

    monkeypatch.setenv("OPENAI_BASE_URL", URL)
    webp = saved(quarters(), "WEBP", lossless=True)
    transport = FakeTransport(refusal("unsupported image"), "A sign.")
    answer = client(transport, base_url=None).ask("?", webp)
    assert [b"data:image/webp" in each.body for each in transport.requests] == [True, False]
    assert answer.images[0].sent_media_type == "image/png"


@pytest.mark.parametrize(
    "refused",
    [
        Response(404, {}, b'{"detail":"Not Found"}'),
        Response(405, {}, b"Method Not Allowed"),
        Response(200, {}, b'{"error":"Unexpected endpoint or method. (POST /v1/responses)"}'),
    ],
)
def test_a_server_without_responses(refused: Response) -> None:
    """It is asked in Chat Completions instead, and the next question goes there at once."""
    transport = FakeTransport(refused, "A sign.", "A wall.")
    asked = client(transport, api="responses", cache=True)
    assert asked.ask("?", PNG).text == "A sign."
    assert asked.ask("?", PNG).cached
    assert asked.ask("??", PNG).text == "A wall."
    chat = "/chat/completions"
    assert [each.path for each in transport.requests] == ["/responses", chat, chat]
    with pytest.raises(AssertionError, match="a request past the script"):
        asked.ask("?", FileId("file-1"))
    assert transport.requests[-1].path == "/responses"


def test_a_file_id_needs_responses() -> None:
    """Where an image is named by file id there is no other API to ask in."""
    transport = FakeTransport(Response(404, {}, b'{"detail":"Not Found"}'))
    with pytest.raises(BadRequest, match="Not Found"):
        client(transport).ask("?", FileId("file-1"))


def test_other_refusals_stay_errors() -> None:
    """A refusal that teaches nothing is an error after one request."""
    transport = FakeTransport(refusal("temperature must be lower"))
    with pytest.raises(BadRequest, match="temperature"):
        client(transport).ask("?", PNG, temperature=2)
    assert len(transport.requests) == 1


def test_a_dialect_of_the_reader_is_not_looked_for() -> None:
    """The engine in this process has no base URL and no dialect."""
    with Client(engine="local") as asked:
        assert asked.wiring.asking("?", (PNG,), {}).dialect == Dialect()


# --- seen ---------------------------------------------------------------------------------------


def blind(tokens: int | None, model: str = "gpt-4o") -> Response:
    usage = {} if tokens is None else {"usage": {"prompt_tokens": tokens, "completion_tokens": 3}}
    message = {"role": "assistant", "content": "A cat."}
    value = {"choices": [{"message": message, "finish_reason": "stop"}], "model": model, **usage}
    return Response(200, {}, json.dumps(value).encode())


def test_an_image_that_was_dropped() -> None:
    """Fewer tokens than the image must have cost: the answer is an invention, and an error."""
    transport = FakeTransport(blind(12))
    with pytest.raises(
        ImageNotSeen, match="billed 12 input tokens, where the images alone take 255"
    ) as raised:
        client(transport, model="gpt-4o").ask("?", PNG)
    assert raised.value.answer.text == "A cat."
    assert raised.value.answer.cost_usd == Decimal("0.00006")


def test_whose_tokens_are_counted() -> None:
    """A dated name is the same model; a model of the server's own counts as nobody knows."""
    dated = FakeTransport(blind(12, "gpt-4o-2024-08-06"))
    with pytest.raises(ImageNotSeen):
        client(dated, model="gpt-4o").ask("?", PNG)
    own = FakeTransport(blind(12, "/models/tiny.gguf"))
    assert client(own, model="gpt-4o").ask("?", PNG).text == "A cat."


@pytest.mark.parametrize(
    ("model", "tokens", "options"),
    [
        ("gpt-4o", 255, {}),
        ("gpt-4o", 254, {}),
        ("gpt-4o", None, {}),
        ("gpt-4o", 12, {"sight_check": False}),
        ("some-model", 1, {}),
        ("gpt-6.2-sol", 1, {}),
    ],
    ids=["seen", "a token less", "no usage", "switched off", "unknown model", "unsure rule"],
)
def test_what_cannot_be_told_is_let_pass(model: str, tokens: int | None, options: Any) -> None:
    """Without usage, without a sure rule, or with the check off, the answer is the answer."""
    assert (
        client(FakeTransport(blind(tokens)), model=model).ask("?", PNG, **options).text == "A cat."
    )
