"""One exchange with an engine, stepped by hand: held, sent, relayed, settled, repeated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
from api_server import chat_completion, chat_events, response_events, response_object

from eyeline import exchange as exchange_module
from eyeline.core.catalogue import find
from eyeline.core.engine import openai
from eyeline.core.question import Question
from eyeline.core.ratelimits import Allowance, Allowances
from eyeline.core.reference import BytesRef
from eyeline.core.reply import Reply
from eyeline.core.wire import Request, Response
from eyeline.drivers import ReaderLeft
from eyeline.effects import (
    Chance,
    Close,
    Emit,
    Heed,
    Intend,
    Now,
    Open,
    Read,
    Reserve,
    Send,
    Settle,
    Sleep,
)
from eyeline.errors import (
    ApiError,
    AuthenticationFailed,
    BadRequest,
    BudgetExceeded,
    ConnectionFailed,
    EngineError,
    RateLimited,
    ServerFailed,
    StreamCut,
    TimedOut,
    UnexpectedResponse,
)
from eyeline.exchange import BODY_BYTES_MAX, Asking
from eyeline.policy.limits import IN_DOUBT, UNSENT, Ended, Hold
from eyeline.policy.pace import Turn
from eyeline.policy.retry import Retry
from eyeline.testing import FakeStream, tiny_png

HOLD = Hold("gpt-6-luna", 500, Decimal("0.064"))
WHOLE = Request("/chat/completions", b"{}", stream=False, timeout_s=60)
STREAM = replace(WHOLE, stream=True)
JSON, EVENTS = {"content-type": "application/json"}, {"content-type": "text/event-stream"}
# 1,000 tokens in at $0.10 and 20 out at $0.50 a million: what CHAT_USAGE says gpt-6-luna took.
COST = Decimal("0.00011")
PAID = Ended("answered", COST, 1020)
GO = Turn(0.0, 0.0)
BEGUN: list[Any] = []


@pytest.fixture(autouse=True)
def _leave_no_flow() -> Iterator[None]:
    """Step every flow that a test left in the middle to its end, as a driver does."""
    yield
    while BEGUN:
        flow = BEGUN.pop()
        with suppress(KeyboardInterrupt, StopIteration):
            flow.throw(KeyboardInterrupt())
            while True:
                flow.send(None)


def pay(*arguments: Any) -> Any:
    BEGUN.append(flow := exchange_module.pay(*arguments, exchange_module.exchange))
    return flow


def sent(flow: Any) -> Any:
    """Step a flow of `pay` until its request is out."""
    assert [next(flow), flow.send(None)] == [Intend(HOLD), Send(WHOLE)]
    return flow


def attempt(*arguments: Any) -> Any:
    BEGUN.append(flow := exchange_module.attempt(*arguments, exchange_module.exchange))
    return flow


def exchange(*arguments: Any) -> Any:
    BEGUN.append(flow := exchange_module.exchange(*arguments))
    return flow


def asking(api: str = "chat", retry: Retry | None = None) -> Asking:
    question = Question("What?", (BytesRef(tiny_png()),), find("gpt-6-luna"), api, "high")
    return Asking(question, openai(), retry or Retry())


def answered(text: str = "A sign.", **changes: Any) -> Response:
    body = json.dumps(chat_completion(text, **changes)).encode()
    return Response(200, JSON | {"x-request-id": "req_1"}, body)


def refused(status: int, message: str = "no", **headers: str) -> Response:
    return Response(status, JSON | headers, json.dumps({"error": {"message": message}}).encode())


@dataclass(frozen=True)
class Opened:
    """What a driver gives for Open; the flow reads no more of it than this."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: dict(EVENTS))


def value_of(flow: Any, sent: Any = None) -> Any:
    """Send the last result in and give what the flow returns."""
    with pytest.raises(StopIteration) as stop:
        flow.send(sent)
    return stop.value.value


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events)


def chunk(text: str, finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return {"model": "gpt-6-luna", "choices": [choice]}


# --- held before, settled after -----------------------------------------------------------------


def test_settles_at_cost() -> None:
    """A request is written down, sent, and its hold settled at what the reply says it cost."""
    flow = pay(WHOLE, asking(), HOLD, GO)
    assert next(flow) == Intend(HOLD)
    assert flow.send(None) == Send(WHOLE)
    assert flow.send(answered()) == Settle(HOLD, GO, PAID)
    reply = value_of(flow)
    assert (reply.text, reply.ending, reply.request_id) == ("A sign.", "stop", "req_1")


def test_a_request_that_cannot_be_written_down_is_not_sent() -> None:
    """Where the journal fails nothing goes out, and what was held is given back."""
    flow = pay(WHOLE, asking(), HOLD, GO)
    next(flow)
    assert flow.throw(OSError("disk full")) == Settle(HOLD, GO, UNSENT)
    with pytest.raises(OSError, match="disk full"):
        next(flow)


def test_settles_unknown_usage_as_unknown() -> None:
    """A reply without usage has no known cost."""
    flow = sent(pay(WHOLE, asking(), HOLD, GO))
    body = json.dumps(chat_completion("A sign.") | {"usage": None}).encode()
    assert flow.send(Response(200, JSON, body)) == Settle(HOLD, GO, Ended("answered", None))


@pytest.mark.parametrize(
    ("refusal", "ended"),
    [
        ((400,), Ended("answered")),
        ((429,), Ended("refused")),
        ((429, "Rate limit reached. Please try again in 84ms."), Ended("refused", advised_s=0.084)),
        ((503,), Ended("refused")),
        ((500,), Ended("answered")),
    ],
)
def test_an_error_status_costs_nothing(refusal: tuple[Any, ...], ended: Ended) -> None:
    """What the engine refused settles at zero, and for being too fast it says so to the pace."""
    flow = sent(pay(WHOLE, asking(), HOLD, GO))
    assert flow.send(refused(*refusal)) == Settle(HOLD, GO, ended)
    with pytest.raises(ApiError):
        next(flow)


@pytest.mark.parametrize(
    ("error", "ended"),
    [
        (ConnectionFailed("openai", "refused"), Ended("failed")),
        (TimedOut("openai", 60), IN_DOUBT),
        (KeyboardInterrupt(), IN_DOUBT),
        (ReaderLeft(), IN_DOUBT),
    ],
    ids=lambda value: type(value).__name__,
)
def test_settles_what_failed(error: BaseException, ended: Ended) -> None:
    """No connection costs nothing; a time-out or an interruption may have been billed."""
    flow = sent(pay(WHOLE, asking(), HOLD, GO))
    assert flow.throw(error) == Settle(HOLD, GO, ended)
    with pytest.raises(type(error)):
        next(flow)


def test_what_is_no_response_of_the_api_may_have_cost() -> None:
    """A body that is not the API's settles as unknown."""
    flow = sent(pay(WHOLE, asking(), HOLD, GO))
    assert flow.send(Response(200, {}, b"<html>")) == Settle(HOLD, GO, IN_DOUBT)
    with pytest.raises(UnexpectedResponse, match="not JSON; it begins '<html>'"):
        next(flow)


# --- the pace -----------------------------------------------------------------------------------


def test_waits_for_its_turn() -> None:
    """A request waits in line, looking again how long, and goes right after its turn has come."""
    flow = attempt(WHOLE, asking(), HOLD)
    assert next(flow) == Reserve(HOLD)
    far, near = Turn(1.0, 100.0, 7.0), Turn(0.5, 101.0, 7.0)
    assert flow.send(far) == Sleep(1.0)
    assert flow.send(None) == Reserve(HOLD, far)
    assert flow.send(near) == Sleep(0.5)
    assert flow.send(None) == Reserve(HOLD, near)
    assert flow.send(GO) == Intend(HOLD)
    assert flow.send(None) == Send(WHOLE)


def test_a_refused_hold_is_not_settled() -> None:
    """What the budget refuses is neither sent nor settled."""
    flow = attempt(WHOLE, asking(), HOLD)
    next(flow)
    with pytest.raises(BudgetExceeded):
        flow.throw(BudgetExceeded("1", "0", "5"))


def test_who_leaves_the_line_gives_all_back() -> None:
    """Who leaves while waiting for the pace has sent nothing: place and dollars are given back."""
    flow = attempt(WHOLE, asking(), HOLD)
    next(flow)
    turn = Turn(1.0, 0.0, 7.0)
    flow.send(turn)
    assert flow.throw(KeyboardInterrupt()) == Settle(HOLD, turn, UNSENT)
    with pytest.raises(KeyboardInterrupt):
        next(flow)


@pytest.mark.parametrize("request_", [WHOLE, STREAM], ids=["whole", "stream"])
@pytest.mark.parametrize("status", [200, 429])
def test_limits_that_a_response_names_are_heeded(request_: Request, status: int) -> None:
    """The pace hears of limits as soon as a response's head is there, whatever its status."""
    flow = exchange(request_, asking())
    next(flow)
    headers = JSON | {"x-ratelimit-limit-requests": "500"}
    response = Response(status, headers, b"")
    given = FakeStream(response) if request_.stream else response
    heed = flow.send(given)
    assert heed == Heed("gpt-6-luna", Allowances(Allowance(500, 500)))


# --- repeated -----------------------------------------------------------------------------------


def test_a_first_reply_ends_it() -> None:
    """What is answered is not sent again."""
    flow = attempt(WHOLE, asking(), HOLD)
    assert next(flow) == Reserve(HOLD)
    assert flow.send(GO) == Intend(HOLD)
    assert flow.send(None) == Send(WHOLE)
    assert flow.send(answered("Yes.")) == Settle(HOLD, GO, PAID)
    assert value_of(flow).text == "Yes."


def test_repeats_after_the_wait_the_engine_names() -> None:
    """A 429 with Retry-After is sent again after that time, byte for byte, and held again."""
    flow = attempt(WHOLE, asking(), HOLD)
    next(flow)
    assert flow.send(GO) == Intend(HOLD)
    assert flow.send(None) == Send(WHOLE)
    limited = refused(429, "slow down", **{"retry-after": "7"})
    assert flow.send(limited) == Settle(HOLD, GO, Ended("refused", advised_s=7.0))
    assert flow.send(None) == Now()
    assert flow.send(1.0) == Chance()
    assert flow.send(0.9) == Sleep(7.0)
    assert flow.send(None) == Reserve(HOLD)
    assert flow.send(GO) == Intend(HOLD)
    assert flow.send(None) == Send(WHOLE)
    assert flow.send(answered("Yes.")) == Settle(HOLD, GO, PAID)
    assert value_of(flow).text == "Yes."


def test_backs_off_by_chance() -> None:
    """Without advice the wait is the drawn part of a limit that doubles."""
    flow = attempt(WHOLE, asking(retry=Retry(attempts_max=3, base_s=0.5)), HOLD)
    next(flow)
    waits = []
    for _ in range(2):
        flow.send(GO)
        assert flow.send(None) == Send(WHOLE)
        assert isinstance(flow.throw(ConnectionFailed("openai", "reset")), Settle)
        assert flow.send(None) == Now()
        assert flow.send(0.0) == Chance()
        waits.append(flow.send(0.5))
        assert flow.send(None) == Reserve(HOLD)
    assert waits == [Sleep(0.25), Sleep(0.5)]
    flow.send(GO)
    flow.send(None)
    flow.throw(ConnectionFailed("openai", "reset"))
    flow.send(None)
    flow.send(0.0)
    with pytest.raises(ConnectionFailed):
        flow.send(0.5)


@pytest.mark.parametrize(
    ("error", "is_repeated"),
    [
        (ConnectionFailed("openai", "reset"), True),
        (RateLimited("openai", 429, "", "slow", ""), True),
        (ServerFailed("openai", 500, "", "oops", ""), True),
        (BadRequest("openai", 409, "", "conflict"), True),
        (BadRequest("openai", 400, "", "no"), False),
        (AuthenticationFailed("openai", 401, "", "no"), False),
        (TimedOut("openai", 60), False),
        (StreamCut("openai", 12), False),
        (UnexpectedResponse("openai", "not JSON"), False),
    ],
    ids=str,
)
def test_repeats_only_what_passes(error: EngineError, is_repeated: bool) -> None:
    """What may pass is sent again; what was perhaps carried out, or never will be, is not."""
    flow = attempt(WHOLE, asking(), HOLD)
    next(flow)
    flow.send(GO)
    flow.send(None)
    assert isinstance(flow.throw(error), Settle)
    assert flow.send(None) == Now()
    assert flow.send(0.0) == Chance()
    if is_repeated:
        assert flow.send(0.0) == Sleep(0.0)
    else:
        with pytest.raises(type(error)) as raised:
            flow.send(0.0)
        assert raised.value is error


def test_gives_up_when_the_time_is_over() -> None:
    """A wait that would pass the total time is not begun; waiting in line does not count."""
    flow = attempt(WHOLE, asking(retry=Retry(total_s=60)), HOLD)
    next(flow)
    for at_s, now_s in [(100.0, 110.0), (141.0, 160.0)]:
        flow.send(Turn(0.0, at_s))
        flow.send(None)
        flow.throw(RateLimited("openai", 429, "", "slow", "", 30.0))
        flow.send(None)
        assert flow.send(now_s) == Chance()
        if now_s < 160:
            assert flow.send(0.0) == Sleep(30.0)
            assert flow.send(None) == Reserve(HOLD)
    with pytest.raises(RateLimited):
        flow.send(0.0)


def test_errors_that_are_no_engine_s_pass_through() -> None:
    """An interruption ends the attempts at once."""
    flow = attempt(WHOLE, asking(), HOLD)
    next(flow)
    flow.send(GO)
    flow.send(None)
    assert flow.throw(KeyboardInterrupt()) == Settle(HOLD, GO, IN_DOUBT)
    with pytest.raises(KeyboardInterrupt):
        flow.send(None)


# --- read whole ---------------------------------------------------------------------------------


def test_reads_either_api() -> None:
    """A whole response of the Responses API is read as one of Chat Completions is."""
    flow = exchange(WHOLE, asking("responses"))
    next(flow)
    body = json.dumps(response_object("A sign.")).encode()
    reply = value_of(flow, Response(200, JSON, body))
    assert (reply.text, reply.usage.input_tokens, reply.request_id) == ("A sign.", 1000, "")


def test_a_redirect_is_not_followed() -> None:
    """A redirect is no answer, and the request goes nowhere else."""
    flow = exchange(WHOLE, asking())
    next(flow)
    with pytest.raises(UnexpectedResponse, match="status 307, a redirect"):
        flow.send(Response(307, {"location": "http://elsewhere.example"}, b""))


def test_an_error_inside_a_good_status() -> None:
    """An error object that came with status 200 is raised as that error."""
    flow = exchange(WHOLE, asking())
    next(flow)
    body = b'{"error": {"message": "busy", "code": "rate_limit_exceeded"}}'
    with pytest.raises(RateLimited, match="busy"):
        flow.send(Response(200, JSON, body))


def test_shows_no_bytes_of_an_image_that_came_back() -> None:
    """A body that is not the API's is quoted without the data URL in it."""
    flow = exchange(WHOLE, asking())
    next(flow)
    with pytest.raises(UnexpectedResponse) as raised:
        flow.send(Response(200, {}, b"data:image/png;base64,iVBORw0KGgo="))
    assert "iVBOR" not in str(raised.value)


# --- relayed ------------------------------------------------------------------------------------


def test_relays_piece_by_piece() -> None:
    """Each piece goes out as it comes in, and the reply at the end holds them all."""
    stream = Opened(headers={"content-type": "Text/Event-Stream; charset=utf-8"})
    flow = exchange(STREAM, asking())
    assert next(flow) == Open(STREAM)
    assert flow.send(stream) == Read(stream)
    first, second, *rest = (event.encode() for event in chat_events("A sign"))
    assert flow.send(first) == Read(stream), "a chunk without text gives nothing to emit"
    assert flow.send(second[:9]) == Read(stream), "half an event is none"
    assert flow.send(second[9:]) == Emit("A")
    assert flow.send(None) == Read(stream)
    assert flow.send(b"".join(rest)) == Emit(" sign")
    assert flow.send(None) == Close(stream)
    reply = value_of(flow)
    assert (reply.text, reply.usage.output_tokens) == ("A sign", 20)


def test_relays_the_responses_api() -> None:
    """A streamed response is read to response.completed, its request id taken from the headers."""
    stream = Opened(headers=EVENTS | {"x-request-id": "req_9"})
    flow = exchange(STREAM, asking("responses"))
    next(flow)
    flow.send(stream)
    assert flow.send("".join(response_events("A sign")).encode()) == Emit("A")
    assert flow.send(None) == Emit(" sign")
    assert flow.send(None) == Close(stream)
    assert value_of(flow).request_id == "req_9"


@pytest.mark.parametrize("end", [b"", StreamCut("openai", 0), TimedOut("openai", 9)])
def test_a_finished_answer_needs_no_last_word(end: bytes | Exception) -> None:
    """Once the engine said why it stopped, a missing [DONE] does not spoil the answer."""
    stream = Opened()
    flow = exchange(STREAM, asking())
    next(flow)
    flow.send(stream)
    assert flow.send(sse(chunk("Yes", "stop"))) == Emit("Yes")
    assert flow.send(None) == Read(stream)
    closing = flow.send(end) if isinstance(end, bytes) else flow.throw(end)
    assert closing == Close(stream)
    assert value_of(flow).text == "Yes"


@pytest.mark.parametrize(
    "end",
    [b"", b"data: {not JSON\n\n", StreamCut("openai", 0), TimedOut("openai", 9)],
    ids=repr,
)
def test_a_cut_stream_is_no_answer(end: bytes | Exception) -> None:
    """A stream that ends, breaks or stalls before its end is a StreamCut, never a short answer."""
    stream = Opened()
    flow = exchange(STREAM, asking())
    next(flow)
    flow.send(stream)
    flow.send(sse(chunk("Yes, ")))
    assert flow.send(None) == Read(stream)
    closing = flow.send(end) if isinstance(end, bytes) else flow.throw(end)
    assert closing == Close(stream)
    with pytest.raises(StreamCut) as raised:
        next(flow)
    assert raised.value.received_chars == 5


def test_a_stream_may_end_without_its_blank_line() -> None:
    """The last event counts although the stream ended right behind it."""
    flow = exchange(STREAM, asking())
    next(flow)
    flow.send(Opened())
    assert isinstance(flow.send(sse(chunk("Yes", "stop"))[:-2]), Read)
    assert flow.send(b"") == Emit("Yes")
    assert isinstance(flow.send(None), Close)
    assert value_of(flow).text == "Yes"


def test_an_error_before_the_first_piece() -> None:
    """An error event before any text is that error itself, which may be worth repeating."""
    stream = Opened()
    flow = exchange(STREAM, asking())
    next(flow)
    flow.send(stream)
    error = {"error": {"message": "overloaded", "code": "server_is_overloaded"}}
    assert flow.send(sse(error)) == Close(stream)
    with pytest.raises(ServerFailed) as raised:
        next(flow)
    assert raised.value.status == 503
    assert raised.value.__cause__ is None


def test_an_error_after_the_first_piece() -> None:
    """An error event after some text is a StreamCut that names the error as its cause."""
    flow = exchange(STREAM, asking())
    next(flow)
    flow.send(Opened())
    flow.send(sse(chunk("Yes, ")))
    flow.send(None)
    assert isinstance(flow.send(sse({"error": {"message": "overloaded"}})), Close)
    with pytest.raises(StreamCut) as raised:
        next(flow)
    assert isinstance(raised.value.__cause__, BadRequest)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ReaderLeft()], ids=repr)
def test_closes_when_the_reader_leaves(error: BaseException) -> None:
    """Whoever leaves in the middle of a stream leaves it closed."""
    stream = Opened()
    flow = exchange(STREAM, asking())
    next(flow)
    flow.send(stream)
    assert isinstance(flow.send(sse(chunk("Yes, "))), Emit)
    assert flow.throw(error) == Close(stream)
    with pytest.raises(type(error)):
        next(flow)


def test_settles_a_cut_stream_as_unknown() -> None:
    """A cut stream is billed in full by some, so its cost is unknown."""
    flow = pay(STREAM, asking(), HOLD, GO)
    next(flow)
    flow.send(None)
    flow.send(Opened())
    assert isinstance(flow.send(b""), Close)
    assert flow.send(None) == Settle(HOLD, GO, IN_DOUBT)


# --- no stream, though one was asked for --------------------------------------------------------


def test_takes_json_for_a_stream() -> None:
    """A server that does not stream is read whole and its text handed on in one piece."""
    response = answered("A sign.")
    stream = Opened(headers=response.headers)
    flow = exchange(STREAM, asking())
    next(flow)
    assert flow.send(stream) == Read(stream)
    assert flow.send(response.body[:40]) == Read(stream)
    assert flow.send(response.body[40:]) == Read(stream)
    assert flow.send(b"") == Emit("A sign.")
    assert flow.send(None) == Close(stream)
    reply = value_of(flow)
    assert isinstance(reply, Reply)
    assert reply.request_id == "req_1"


def test_an_error_status_to_a_stream_request() -> None:
    """An error status is read whole, though its media type be that of a stream."""
    stream = Opened(401)
    flow = exchange(STREAM, asking())
    next(flow)
    assert flow.send(stream) == Read(stream)
    flow.send(refused(401).body)
    assert flow.send(b"") == Close(stream)
    with pytest.raises(AuthenticationFailed):
        next(flow)


def test_an_endless_body_is_not_read_to_its_end() -> None:
    """A body that is no stream is read no further than a limit."""
    stream = Opened(headers={})
    flow = exchange(STREAM, asking())
    next(flow)
    assert flow.send(stream) == Read(stream)
    assert flow.send(b"<" * BODY_BYTES_MAX) == Close(stream)
    with pytest.raises(UnexpectedResponse, match="not JSON"):
        next(flow)


def test_what_came_before_a_fault_is_out() -> None:
    """An error behind pieces of the answer cuts it, also where one read brought them together."""
    stream = Opened()
    flow = exchange(STREAM, asking())
    next(flow)
    flow.send(stream)
    failure = b'data: {"error": {"message": "overloaded", "code": "server_error"}}\n\n'
    assert flow.send(sse(chunk("Yes")) + failure) == Emit("Yes")
    assert flow.send(None) == Close(stream)
    with pytest.raises(StreamCut, match="after 3 characters"):
        flow.send(None)
