"""Client, AsyncClient and the calls without one, against a real server and a scripted transport."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import pickle
import subprocess
import sys
import threading
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from traceback import TracebackException
from typing import Any

import pydantic
import pytest
import typing_extensions
from api_server import ApiServer, Reply, chat_completion, chat_events, error, stream_reply, whole

import eyeline
from eyeline import AsyncClient, Client
from eyeline.core.wire import Request, Response
from eyeline.errors import (
    AuthenticationFailed,
    BadReference,
    BudgetExceeded,
    EyelineError,
    NotAnImage,
    PriceUnknown,
    SchemaError,
    SchemaMismatch,
    SettingsError,
    TimedOut,
)
from eyeline.policy.window import IN_FLIGHT_AT_FIRST
from eyeline.settings import read_settings
from eyeline.testing import FakeStream, FakeTransport, tiny_png
from eyeline.testing import whole as whole_answer

PNG = tiny_png(8, 6)
OTHERS = [tiny_png(8, 6, (shade, 0, 0)) for shade in range(30)]
OPENAI_KEY, OWN_KEY, GIVEN_KEY = "sk-openai-111111", "k-eyeline-222222", "k-given-333333"


class Echo:
    """Answers with a name for the image it was sent, so that each answer tells whose it is."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        return whole_answer(request, name_of(sent_image(request.body)))

    def open(self, request: Request) -> FakeStream:
        raise AssertionError

    def close(self) -> None:
        pass


def sent_image(body: bytes) -> bytes:
    part = json.loads(body)["messages"][-1]["content"][1]
    return b64decode(part["image_url"]["url"].partition(",")[2])


def name_of(data: bytes) -> str:
    return sha256(data).hexdigest()[:8]


MADE: list[Client] = []


@pytest.fixture(autouse=True)
def _close_clients() -> Iterator[None]:
    yield
    while MADE:
        MADE.pop().close()


# So many a minute that nothing waits for the pace.
AT_ONCE = 6_000_000


def client(transport: Any = None, **options: Any) -> Client:
    options = {"requests_per_min": AT_ONCE, **options}
    MADE.append(Client(transport=transport or Echo(), **options))
    return MADE[-1]


# --- one question -------------------------------------------------------------------------------


def test_asks(api: ApiServer) -> None:
    """An answer carries its text, model, usage, cost and what was sent."""
    with Client(base_url=api.url) as asked:
        answer = asked.ask("What does it say?", PNG, system="Be short.", max_output_tokens=50)
    assert str(answer) == answer.text == "A sign."
    assert (answer.usage.input_tokens, answer.usage.reasoning_tokens) == (1000, 8)
    assert answer.cost_usd == Decimal("0.00011")
    assert answer.request_id == "req_test_1"
    body = api.requests[0].json
    assert body["messages"][0] == {"role": "system", "content": "Be short."}
    assert body["max_tokens"] == 50
    assert body["stream"] is False


@pytest.mark.parametrize("model", ["gpt-4o", "openai/gpt-4o", "gpt-4o-2024-08-06"])
def test_a_model_of_one_call_beats_the_client_s(model: str) -> None:
    """Each question may name its own model; what is pinned or prefixed stays so."""
    asked = client(transport=FakeTransport("A.", "B."), model="gpt-4.1", cache=False)
    assert asked.ask("?", PNG, model=model).model == model
    assert asked.ask("?", PNG).model == "gpt-4.1"


@pytest.mark.parametrize(
    ("asked_for", "sent"), [(None, "high"), ("auto", "high"), ("low", "low"), ("high", "high")]
)
def test_detail_is_always_said(asked_for: str | None, sent: str) -> None:
    """Detail is always in the request, and our auto is high, never the provider's own."""
    transport = FakeTransport("A.")
    client(transport).ask("?", PNG, PNG, detail=asked_for)
    parts = json.loads(transport.requests[0].body)["messages"][0]["content"][1:]
    assert [part["image_url"]["detail"] for part in parts] == [sent, sent]


def test_original_is_sent_only_when_asked_for() -> None:
    """Detail original goes out where it was asked for, and is refused for models without it."""
    transport = FakeTransport("A.")
    asked = client(transport, detail="original")
    asked.ask("?", PNG)
    assert b'"detail":"original"' in transport.requests[0].body
    with pytest.raises(SettingsError, match="for gpt-4o"):
        asked.ask("?", PNG, model="gpt-4o")


def test_the_api_is_as_the_model_needs() -> None:
    """Chat Completions where the model has it, else Responses; and as it was chosen."""
    transport = FakeTransport("A.", "B.", "C.")
    client(transport).ask("?", PNG)
    client(transport).ask("?", PNG, model="gpt-5.5-pro")
    client(transport, api="responses").ask("?", PNG)
    paths = [request.path for request in transport.requests]
    assert paths == ["/chat/completions", "/responses", "/responses"]
    with pytest.raises(SettingsError, match="one of auto, chat, responses"):
        client(transport, api="completions").ask("?", PNG)  # type: ignore[arg-type]


def test_what_has_no_name_goes_in_extra() -> None:
    """Fields that have no name here go into the body as they are."""
    transport = FakeTransport("A.")
    client(transport).ask("?", PNG, temperature=0, extra={"seed": 7, "user": "me"})
    body = json.loads(transport.requests[0].body)
    assert (body["temperature"], body["seed"], body["user"]) == (0, 7, "me")


@pytest.mark.parametrize("option", ["temprature", "base_url", "stream"])
def test_an_unknown_option_is_named(option: str) -> None:
    """A misspelt option is a TypeError that names it, on every way to ask."""
    asked = client()
    ways = [
        lambda: asked.ask("?", PNG, **{option: 0}),
        lambda: asked.stream("?", PNG, **{option: 0}),
        lambda: next(asked.ask_many("?", [PNG], **{option: 0})),
        lambda: eyeline.ask("?", PNG, **{option: 0}),
    ]
    for ask in ways:
        with pytest.raises(TypeError, match=f"unknown option {option!r}"):
            ask()
    with pytest.raises(TypeError, match="unknown option 'modle'; did you mean 'model'"):
        Client(modle="gpt-4o")  # type: ignore[call-arg]


def test_no_image_is_an_error() -> None:
    """A question without an image is not sent as text alone."""
    transport = FakeTransport()
    with pytest.raises(BadReference, match="at least one"):
        client(transport).ask("What is it?")
    assert transport.requests == []


def test_a_time_limit_of_one_call(api: ApiServer) -> None:
    """`timeout_s` ends a question that the engine does not answer."""
    api.script.append(lambda _: Reply(drop=not api.closing.wait(10)))
    with Client(base_url=api.url) as asked, pytest.raises(TimedOut):
        asked.ask("?", PNG, timeout_s=0.1)
    api.closing.set()


# --- streams ------------------------------------------------------------------------------------


def test_streams(api: ApiServer) -> None:
    """A stream gives the pieces as they come, and then the answer whole."""
    api.text = "It is a sign."
    with Client(base_url=api.url) as asked:
        stream = asked.stream("?", PNG)
        assert stream.answer is None
        pieces = list(stream)
        assert stream.answer is not None
        assert "".join(pieces) == stream.answer.text == "It is a sign."
        assert list(stream) == []
        assert stream.answer.cost_usd == Decimal("0.00011")


def test_streams_awaiting(api: ApiServer) -> None:
    """An awaited stream gives the pieces, and then the same answer."""
    api.text = "It is a sign."

    async def read() -> tuple[list[str], Any]:
        async with AsyncClient(base_url=api.url) as asked:
            stream = asked.stream("?", PNG)
            pieces = [piece async for piece in stream]
            assert [piece async for piece in stream] == []
            return pieces, stream.answer

    pieces, answer = asyncio.run(read())
    assert "".join(pieces) == answer.text == "It is a sign."


def test_leaving_a_stream_early(api: ApiServer) -> None:
    """Whoever leaves a stream has no answer, and can ask the next question."""
    api.script.append(stream_reply(chat_events("one " * 200)))
    with Client(base_url=api.url, budget_usd=1) as asked:
        stream = asked.stream("?", PNG)
        assert next(stream).startswith("one")
        stream.close()
        assert stream.answer is None
        assert list(stream) == []
        assert asked.ask("?", PNG).text == "A sign."
        assert asked.wiring.outside.limits.budget.held_usd == 0


def test_leaving_an_awaited_stream_early(api: ApiServer) -> None:
    """Whoever leaves an awaited stream leaves nothing held."""
    api.script.append(stream_reply(chat_events("one " * 200)))

    async def leave() -> Any:
        async with AsyncClient(base_url=api.url, budget_usd=1) as asked:
            stream = asked.stream("?", PNG)
            assert (await anext(stream)).startswith("one")
            await stream.aclose()
            return asked.wiring.outside.limits.budget.held_usd

    assert asyncio.run(leave()) == 0


# --- many ---------------------------------------------------------------------------------------


async def collected(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


def test_many_answers_come_in_order() -> None:
    """Each answer is that of its image, in the order the images were given."""
    names = [name_of(image) for image in OTHERS]
    assert [answer.text for answer in client().ask_many("?", OTHERS)] == names
    awaited = collected(
        AsyncClient(transport=Echo(), cache=False, requests_per_min=AT_ONCE).ask_many("?", OTHERS)
    )
    assert [answer.text for answer in asyncio.run(awaited)] == names


def test_many_take_async_iterables() -> None:
    """Images may come from an async generator."""

    async def images() -> AsyncIterator[bytes]:
        for image in OTHERS[:3]:
            yield image

    answers = asyncio.run(
        collected(
            AsyncClient(transport=Echo(), cache=False, requests_per_min=AT_ONCE).ask_many(
                "?", images()
            )
        )
    )
    assert [answer.text for answer in answers] == [name_of(image) for image in OTHERS[:3]]


class First(Echo):
    """Answers what it is asked of the first image, and the others when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.others = threading.Event()

    def send(self, request: Request) -> Response:
        response = super().send(request)
        if sent_image(request.body) != OTHERS[0]:
            self.others.wait(10)
        return response


def test_many_are_read_only_as_far_as_taken() -> None:
    """Images are read as answers are taken, a window ahead; leaving early sends no more."""
    transport, read = First(), []

    def images() -> Iterator[bytes]:
        for image in OTHERS:
            read.append(image)
            yield image

    asked = client(transport)
    answers = asked.ask_many("?", images())
    assert read == []
    next(answers)
    assert len(read) <= IN_FLIGHT_AT_FIRST + 1
    transport.others.set()
    answers.close()
    assert len(transport.requests) <= len(read)


def test_leaving_many_awaited_cancels_the_rest() -> None:
    """Leaving the awaited answers early leaves no task behind."""

    async def leave() -> int:
        answers = AsyncClient(transport=Echo(), cache=False, requests_per_min=AT_ONCE).ask_many(
            "?", OTHERS
        )
        await anext(answers)
        await answers.aclose()
        return len(asyncio.all_tasks())

    assert asyncio.run(leave()) == 1


def test_an_error_comes_in_its_turn() -> None:
    """The answers before a bad image are given first; its error then ends it."""
    answers = client().ask_many("?", [OTHERS[0], b"GARBAGE", OTHERS[1]])
    assert next(answers).text == name_of(OTHERS[0])
    with pytest.raises(NotAnImage):
        next(answers)


def test_errors_may_take_the_place_of_answers() -> None:
    """With return_exceptions each error stands where its answer would."""
    images = [OTHERS[0], b"GARBAGE", OTHERS[1]]
    first, bad, last = client().ask_many("?", images, return_exceptions=True)
    assert (first.text, last.text) == (name_of(OTHERS[0]), name_of(OTHERS[1]))
    assert isinstance(bad, NotAnImage)
    awaited = AsyncClient(transport=Echo(), cache=False, requests_per_min=AT_ONCE).ask_many(
        "?", images, return_exceptions=True
    )
    assert isinstance(asyncio.run(collected(awaited))[1], NotAnImage)
    awaited = AsyncClient(transport=Echo(), cache=False, requests_per_min=AT_ONCE).ask_many(
        "?", images
    )
    with pytest.raises(NotAnImage):
        asyncio.run(collected(awaited))


def test_several_images_may_make_one_question() -> None:
    """A list among the images is one question about all of its images."""
    transport = FakeTransport("Two.")
    (answer,) = client(transport).ask_many("?", [[PNG, OTHERS[0]]])
    assert len(answer.images) == 2


# --- money --------------------------------------------------------------------------------------


def test_a_budget_is_held(api: ApiServer) -> None:
    """Questions are asked while the budget can hold them, and refused unsent when not."""
    with Client(base_url=api.url, model="gpt-4o", budget_usd=Decimal("0.01"), cache=False) as asked:
        first = asked.ask("?", PNG, max_output_tokens=20)
        assert first.cost_usd == Decimal("0.0027")
        asked.ask("?", PNG, max_output_tokens=20)
        asked.ask("?", PNG, max_output_tokens=20)
        with pytest.raises(BudgetExceeded):
            asked.ask("?", PNG, max_output_tokens=200)
    assert len(api.requests) == 3


def test_a_budget_needs_a_price() -> None:
    """A budget cannot be held for a model without a price, so nothing is sent."""
    with pytest.raises(PriceUnknown, match="some-model"):
        client(FakeTransport(), budget_usd=1).ask("?", PNG, model="some-model")


def test_a_budget_stands_over_many() -> None:
    """Of many questions those that pass the budget are refused, in their turn."""
    asked = client(budget_usd=Decimal("0.002"), model="gpt-4o", cache=False)
    answers = asked.ask_many("?", OTHERS, return_exceptions=True, max_output_tokens=20)
    refused = [answer for answer in answers if isinstance(answer, BudgetExceeded)]
    assert 0 < len(refused) < len(OTHERS)
    assert asked.wiring.outside.limits.budget.spent_usd <= Decimal("0.002")


# --- the cache ----------------------------------------------------------------------------------


def test_the_second_time_is_free(api: ApiServer) -> None:
    """The same question is answered from the cache, for nothing, and says so."""
    with Client(base_url=api.url) as asked:
        first, again = asked.ask("?", PNG), asked.ask("?", PNG)
    assert (first.cached, again.cached) == (False, True)
    assert (again.text, again.cost_usd, again.usage) == (first.text, 0, first.usage)
    assert len(api.requests) == 1


def test_the_cache_can_be_left_out(api: ApiServer) -> None:
    """Without the cache, of a client or of one call, each question is asked."""
    with Client(base_url=api.url, cache=False) as asked:
        asked.ask("?", PNG)
    with Client(base_url=api.url) as asked:
        asked.ask("?", PNG)
        asked.ask("?", PNG, cache=False)
    assert len(api.requests) == 3


IN_ANOTHER_PROCESS = """
import sys, eyeline
from pathlib import Path
with eyeline.Client(base_url=sys.argv[1]) as client:
    answer = client.ask("?", Path(sys.argv[2]))
    print(answer.text, answer.cached, answer.cost_usd)
"""


def test_another_process_is_answered_from_the_cache(api: ApiServer, tmp_path: Path) -> None:
    """What one process paid for another is given."""
    file = tmp_path / "sign.png"
    file.write_bytes(PNG)
    with Client(base_url=api.url) as asked:
        asked.ask("?", PNG)
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, api.url, str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    assert ran.stdout == "A sign. True 0\n"
    assert len(api.requests) == 1


# --- schemas ------------------------------------------------------------------------------------


class Sign(pydantic.BaseModel):
    text: str
    colour: str | None = None


@dataclasses.dataclass
class Plate:
    text: str


class Card(typing_extensions.TypedDict):  # pydantic takes typing's own from Python 3.12
    text: str


JSON_SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}


@pytest.mark.parametrize(
    ("schema", "parsed"),
    [
        (Sign, Sign(text="EXIT")),
        (Plate, Plate("EXIT")),
        (Card, {"text": "EXIT"}),
        (JSON_SCHEMA, {"text": "EXIT"}),
    ],
    ids=["pydantic", "dataclass", "TypedDict", "JSON Schema"],
)
@pytest.mark.parametrize("api_name", ["chat", "responses"])
def test_a_schema_gives_a_value(schema: Any, parsed: object, api_name: str) -> None:
    """The answer is read into the type that was given, new or from the cache; the text stays."""
    transport = FakeTransport('{"text": "EXIT"}')
    asked = client(transport, api=api_name)
    for _ in range(2):
        answer = asked.ask("Read it.", PNG, schema=schema)
        assert answer.parsed == parsed
        assert type(answer.parsed) is type(parsed)
        assert answer.text == '{"text": "EXIT"}'
    body = json.loads(transport.requests[0].body)
    given = body["response_format"]["json_schema"] if api_name == "chat" else body["text"]["format"]
    assert given["strict"] is True
    assert given["schema"]["additionalProperties"] is False


def test_an_answer_that_does_not_fit() -> None:
    """An answer that does not fit the schema is an error that keeps it."""
    with pytest.raises(SchemaMismatch) as raised:
        client(FakeTransport('{"words": 2}', '{"words": 3}')).ask("?", PNG, schema=Sign)
    assert raised.value.answer.text == '{"words": 3}'
    with pytest.raises(SchemaError):
        client(FakeTransport()).ask("?", PNG, schema=42)


# --- answers ------------------------------------------------------------------------------------

USAGE = ["input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "image_tokens"]
IMAGE = [
    "source", "media_type", "width_px", "height_px", "sent_media_type", "sent_width_px",
    "sent_height_px", "sent_bytes", "detail", "tokens", "notes",
]  # fmt: skip
ANSWER = [
    "text", "parsed", "model", "engine", "usage", "cost_usd", "cached", "latency_s", "images",
]  # fmt: skip


def test_an_answer_as_json(tmp_path: Path) -> None:
    """The JSON of an answer has the fields that are promised, and values that JSON knows."""
    file = tmp_path / "sign.png"
    file.write_bytes(PNG)
    made = client(FakeTransport("A sign.")).ask("?", file).to_json()
    assert made.keys() == {*ANSWER}
    assert made["usage"].keys() == {*USAGE}
    (image,) = json.loads(json.dumps(made))["images"]
    assert image.keys() == {*IMAGE}
    assert (image["source"], image["sent_bytes"]) == (str(file), len(PNG))
    assert made["cost_usd"] == 0.000015


def test_an_answer_in_a_notebook() -> None:
    """A notebook shows the text, and under it what it took."""
    asked = client(FakeTransport("A sign."))
    shown = asked.ask("?", PNG)._repr_markdown_()
    assert shown.startswith("A sign.\n\n")
    assert "gpt-6-luna · 100 tokens in · 10 tokens out · $0.000015" in shown
    assert asked.ask("?", PNG)._repr_markdown_().endswith("$0 · cached</sub>")


def test_answers_and_their_errors_survive_pickling() -> None:
    """An answer, and an error that carries one, crosses to another process as it was."""
    answer = client(FakeTransport("A sign.")).ask("?", PNG)
    assert pickle.loads(pickle.dumps(answer)) == answer
    with pytest.raises(SchemaMismatch) as raised:
        client(FakeTransport("A sign.", "A sign.")).ask("Other?", PNG, schema=Sign)
    again = pickle.loads(pickle.dumps(raised.value))
    assert (again.answer, str(again)) == (raised.value.answer, str(raised.value))


# --- what is never shown ------------------------------------------------------------------------


def shown_with_locals(raised: BaseException) -> str:
    """Give a traceback as error trackers do, with the local variables of every frame of ours."""
    trace = TracebackException.from_exception(raised, capture_locals=True)
    while trace.stack and "eyeline" not in Path(trace.stack[0].filename).parts[-2:]:
        trace.stack.pop(0)  # the test's own frame has the key, of course
    return "".join(trace.format())


@pytest.mark.parametrize("is_async", [False, True], ids=["Client", "AsyncClient"])
def test_a_key_and_an_image_are_shown_nowhere(
    is_async: bool, api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither key nor image is in a repr, an error or a traceback with its variables."""
    monkeypatch.setenv("EYELINE_API_KEY", OWN_KEY)
    image = tmp_path / "sign.png"
    image.write_bytes(tiny_png(60, 50))
    quoted = error(401, f"Incorrect API key: {GIVEN_KEY}")
    api.script.extend([quoted, error(400, "no"), lambda _: Reply(drop=not api.closing.wait(10))])
    options: dict[str, Any] = {"base_url": api.url, "cache": False, "timeout_s": 0.3}
    options |= {"api_key": GIVEN_KEY}

    async def ask(asked: AsyncClient) -> None:
        async with asked:
            await asked.ask("?", image)

    shown = [repr(read_settings())]
    for _ in range(3):
        asked = AsyncClient(**options) if is_async else Client(**options)
        driver = asked.driver
        shown += map(repr, (asked, vars(asked), asked.wiring, vars(driver), vars(driver.transport)))
        with pytest.raises(EyelineError) as raised:
            asyncio.run(ask(asked)) if is_async else asked.ask("?", image)
        shown += [repr(raised.value), str(raised.value), shown_with_locals(raised.value)]
        if not is_async:
            asked.close()
    everything = "\n".join(shown)
    api.closing.set()
    assert isinstance(raised.value, TimedOut)
    for secret in (GIVEN_KEY, OWN_KEY, "iVBORw0KGgo", "IHDR"):
        assert secret not in everything


def test_a_client_that_is_not_made_shows_no_key() -> None:
    """Options that cannot be used are told without the key among them."""
    with pytest.raises(SettingsError) as raised:
        Client(engine="olama", api_key=GIVEN_KEY)
    assert GIVEN_KEY not in shown_with_locals(raised.value)


def test_a_refused_key_says_where_keys_come_from(api: ApiServer) -> None:
    """A 401 is told with the variables that hold keys."""
    api.script.append(error(401, "no"))
    with Client(base_url=api.url) as asked, pytest.raises(AuthenticationFailed) as raised:
        asked.ask("?", PNG)
    assert "EYELINE_API_KEY" in raised.value.hint


def test_answers_of_another_model_are_priced_as_that(api: ApiServer) -> None:
    """A server that answers with another model's name is priced and shown under it."""
    api.script.append(whole(chat_completion("A sign.", "gpt-4o-2024-08-06")))
    with Client(base_url=api.url) as asked:
        answer = asked.ask("?", PNG)
    assert (answer.model, answer.cost_usd) == ("gpt-4o-2024-08-06", Decimal("0.0027"))
