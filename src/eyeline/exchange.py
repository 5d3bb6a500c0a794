"""
One exchange with an engine, as flows: held, sent, read whole or relayed, settled, and repeated if
worth it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from eyeline.core.dialect import STANDARD, Dialect
from eyeline.core.engine import Engine
from eyeline.core.failure import api_error, redact, stream_error
from eyeline.core.outcome import reply_cost_usd
from eyeline.core.question import Question
from eyeline.core.ratelimits import read_allowances
from eyeline.core.reply import InStreamError, Malformed, Reply, decode, reply_stream
from eyeline.core.sse import SseParser
from eyeline.core.wire import Request, Response
from eyeline.effects import (
    Chance,
    Close,
    Emit,
    Flow,
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
    ConnectionFailed,
    EngineError,
    ImageError,
    StreamCut,
    TimedOut,
    UnexpectedResponse,
)
from eyeline.policy.limits import IN_DOUBT, UNSENT, Hold, answered, refused
from eyeline.policy.pace import Turn
from eyeline.policy.retry import Retry

# No answer that is not a stream comes near this; an endless body must not fill the memory.
BODY_BYTES_MAX = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Asking:
    """
    One question on its way: what is asked, of which engine, in its dialect, and when to send again.
    One of many that are asked at once is `patient`: it leaves it to the pace when to begin.

    `account` names whose files are there, by a digest of the address and the key.
    """

    question: Question
    engine: Engine
    retry: Retry
    stream: bool = False
    dialect: Dialect = STANDARD
    account: str = ""
    patient: bool = False


R = TypeVar("R", bound=Reply)
# Sends a request once and reads its reply, as `exchange` does.
Exchanged = Callable[[Request, Asking], Flow[R]]


def attempt(request: Request, asking: Asking, hold: Hold, exchanged: Exchanged[R]) -> Flow[R]:
    """
    Send until a reply comes, or an error that waiting does not mend; `exchanged` sends it once.
    """
    started_s, number = None, 0
    while True:
        number += 1
        turn = yield from wait_for_turn(hold, patient=asking.patient)
        # Waiting in line is no attempt, and does not use up the time for them.
        started_s = turn.at_s if started_s is None else started_s
        try:
            return (yield from pay(request, asking, hold, turn, exchanged))
        except EngineError as error:
            elapsed_s = (yield Now()) - started_s
            delay_s = asking.retry.delay_s(number, error, elapsed_s, (yield Chance()))
            if delay_s is None:
                raise
        yield Sleep(delay_s)


def wait_for_turn(hold: Hold, *, patient: bool) -> Flow[Turn]:
    """Hold the cost, and wait until the request may go; who leaves the line gives both back."""
    turn: Turn = yield Reserve(hold, None, patient)
    try:
        while turn.wait_s:
            yield Sleep(turn.wait_s)
            turn = yield Reserve(hold, turn, patient)
    except BaseException:
        yield Settle(hold, turn, UNSENT)
        raise
    return turn


def pay(
    request: Request, asking: Asking, hold: Hold, turn: Turn, exchanged: Exchanged[R]
) -> Flow[R]:
    """Make one exchange, and settle what was held for it, whatever happens."""
    ended = UNSENT
    try:
        yield Intend(hold)
        # A cut stream, a time-out or an interruption may be billed, so from here the cost is
        # unknown until a reply or a refusal says what it was.
        ended = IN_DOUBT
        reply = yield from exchanged(request, asking)
        ended = answered(reply.usage, reply_cost_usd(reply, asking.question))
        return reply
    except (ApiError, ConnectionFailed) as error:
        ended = refused(error)
        raise
    except ImageError:  # its file could not be read again, so nothing was sent
        ended = UNSENT
        raise
    finally:
        yield Settle(hold, turn, ended)


def exchange(request: Request, asking: Asking) -> Flow[Reply]:
    """Send one request and read its reply, whole or as a stream."""
    if not request.stream:
        response = yield Send(request)
        yield from heed(response.headers, asking)
        return read_reply(response, asking)
    stream = yield Open(request)
    try:
        yield from heed(stream.headers, asking)
        if stream.status < 300 and is_event_stream(stream.headers):
            reply = yield from relay(stream, asking)
            return with_request_id(reply, stream.headers)
        body = yield from read_all(stream)
        reply = read_reply(Response(stream.status, stream.headers, body), asking)
        yield Emit(reply.text)
        return reply
    finally:
        yield Close(stream)


def heed(headers: Mapping[str, str], asking: Asking) -> Flow[None]:
    """Tell the pace of the limits that a response names."""
    allowances = read_allowances(headers)
    if allowances:
        yield Heed(asking.question.model.name, allowances)


def read_reply(response: Response, asking: Asking) -> Reply:
    """Read a whole response; raises what its status or body says went wrong."""
    engine, model = asking.engine.name, asking.question.model.name
    if response.status >= 400:
        raise api_error(engine, response, model)
    if response.status >= 300:
        raise UnexpectedResponse(engine, f"status {response.status}, a redirect")
    try:
        reply = decode(response.body, asking.question.api)
    except InStreamError as error:
        raise stream_error(engine, error.error, model) from None
    except Malformed as error:
        begins = redact(response.body[:60].decode("utf-8", "replace"))
        raise UnexpectedResponse(engine, f"{error}; it begins {begins!r}") from None
    return with_request_id(reply, response.headers)


def with_request_id(reply: Reply, headers: Mapping[str, str]) -> Reply:
    request_id = headers.get("x-request-id", "")
    return replace(reply, request_id=request_id) if request_id else reply


def is_event_stream(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").lower().startswith("text/event-stream")


def read_all(stream: Any) -> Flow[bytes]:
    """Read an open response to its end, or to the limit."""
    body = bytearray()
    while len(body) < BODY_BYTES_MAX and (chunk := (yield Read(stream))):
        body += chunk
    return bytes(body)


def relay(stream: Any, asking: Asking) -> Flow[Reply]:
    """
    Hand on a streamed answer piece by piece, and give it whole.

    Once a piece is out, whatever goes wrong is a StreamCut, which is never sent again.
    """
    engine, model = asking.engine.name, asking.question.model.name
    parser, replies, received_chars = SseParser(), reply_stream(asking.question.api), 0
    try:
        while not replies.is_done:
            chunk = yield Read(stream)
            # One event at a time, so that what came before a fault is out, however it was cut.
            for event in events(chunk, parser):
                received_chars += yield from hand_on(replies.feed(event))
            if not chunk:
                break
    except InStreamError as error:
        failure, cut = stream_error(engine, error.error, model), StreamCut(engine, received_chars)
        raise (cut if received_chars else failure) from (failure if received_chars else None)
    except (StreamCut, TimedOut, ValueError) as error:
        if replies.reply() is None:
            raise StreamCut(engine, received_chars) from error
    reply = replies.reply()
    if reply is None:
        raise StreamCut(engine, received_chars)
    return reply


def hand_on(text: str) -> Flow[int]:
    """Emit what an event adds to the answer, and give its length in characters."""
    if text:
        yield Emit(text)
    return len(text)


def events(chunk: bytes, parser: SseParser) -> list[str]:
    """Give the events that a chunk completes; an empty chunk is the end."""
    return parser.feed(chunk) if chunk else parser.end()
