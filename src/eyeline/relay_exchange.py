"""One exchange whose response is handed on as it came, and read only for what it cost."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from eyeline.core.cost import Usage
from eyeline.core.failure import api_error
from eyeline.core.parts import Api
from eyeline.core.reply import InStreamError, Malformed, Reply, decode, reply_stream
from eyeline.core.sse import EVENT_BYTES_MAX, SseParser
from eyeline.core.wire import Request, Response
from eyeline.effects import Close, Flow, Head, Open, Read, Record, Relay, Send
from eyeline.errors import EngineError, StreamCut, TimedOut, UnexpectedResponse
from eyeline.exchange import Asking, heed, is_event_stream, read_all

# Of a longer stream only the end is kept: it is neither remembered nor priced.
TAPE_BYTES_MAX = 8 * 2**20
# After these a client may leave, and nothing is lost.
LAST_EVENT = {
    "chat": re.compile(rb"^data: ?\[DONE\]", re.MULTILINE),
    "responses": re.compile(rb"^event: ?response\.(?:completed|incomplete|failed)", re.MULTILINE),
}
# What a remembered response keeps of its headers; the others are of the moment.
KEPT_HEADERS = ("content-type", "x-request-id", "openai-version")


@dataclass(frozen=True, slots=True)
class Relayed(Reply):
    """A reply with the response that it came in, and the record to give it again by."""

    response: Response | None = None
    record: Record | None = None
    cached: bool = False


NOTHING = Relayed("", "stop", "", Usage())


class Tape:
    """What came of a stream so far; gives on whole events only, so that an error can follow."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.given = 0
        self.is_whole = True

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes, and give those of the events that are whole now."""
        self.kept += chunk
        if len(self.kept) - self.given > EVENT_BYTES_MAX:  # no event ends in so many
            return self.rest()
        end = max(ending(self.kept, mark, self.given) for mark in (b"\n\n", b"\r\n\r\n", b"\r\r"))
        piece = bytes(self.kept[self.given : end])
        self.given = end
        if len(self.kept) > TAPE_BYTES_MAX:
            del self.kept[: self.given]
            self.given, self.is_whole = 0, False
        return piece

    def rest(self) -> bytes:
        """Give what stands behind the last whole event."""
        piece, self.given = bytes(self.kept[self.given :]), len(self.kept)
        return piece

    def events(self) -> list[str]:
        """Give the data of all events that were handed on."""
        parser = SseParser()
        return [*parser.feed(bytes(self.kept[: self.given])), *parser.end()]


def ending(data: bytearray, mark: bytes, start: int) -> int:
    """Give where the last `mark` at or after `start` ends, `start` where there is none."""
    at = data.rfind(mark, start)
    return start if at < 0 else at + len(mark)


class Exchanging:
    """The exchanges of one request: whether something was handed on, and what was refused."""

    def __init__(self, api: Api, facts: Mapping[str, str]) -> None:
        self.api, self.facts = api, facts
        self.tape = Tape()
        self.is_out = False
        self.refused: Response | None = None

    def exchange(self, request: Request, asking: Asking) -> Flow[Relayed]:
        """Send once. A stream is handed on as it comes, all else is given whole."""
        if not request.stream:
            response = yield Send(request)
            yield from heed(response.headers, asking)
            return self.read(response, asking)
        stream = yield Open(request)
        try:
            yield from heed(stream.headers, asking)
            if stream.status < 300 and is_event_stream(stream.headers):
                return (yield from self.play(stream, asking))
            body = yield from read_all(stream)
            return self.read(Response(stream.status, stream.headers, body), asking)
        finally:
            yield Close(stream)

    def read(self, response: Response, asking: Asking) -> Relayed:
        """Read a whole response; raises what its status says went wrong."""
        engine = asking.engine.name
        if response.status >= 400:
            self.refused = response
            raise api_error(engine, response, asking.question.model.name)
        if response.status >= 300:
            raise UnexpectedResponse(engine, f"status {response.status}, a redirect")
        try:
            reply = decode(response.body, self.api)
        except (InStreamError, Malformed):  # not ours to judge: it goes on as it came
            return replace(NOTHING, response=response)
        return relayed(reply, response)

    def play(self, stream: Any, asking: Asking) -> Flow[Relayed]:
        """Hand on a stream event by event, and read it when it is over."""
        self.is_out = True
        yield Relay(Head(stream.status, stream.headers, self.facts))
        broken: EngineError | None = None
        try:
            while chunk := (yield Read(stream)):
                if piece := self.tape.feed(chunk):
                    yield Relay(piece)
                    if LAST_EVENT[self.api].search(piece):
                        yield Relay(None)
            if rest := self.tape.rest():
                yield Relay(rest)
        except (StreamCut, TimedOut) as error:
            broken = error
        reply, received_chars = read_stream(self.tape, self.api)
        if reply is None or (broken and not self.tape.is_whole):
            raise broken or StreamCut(asking.engine.name, received_chars)
        return relayed(reply, Response(200, stream.headers, bytes(self.tape.kept)))


def read_stream(tape: Tape, api: Api) -> tuple[Reply | None, int]:
    """Read a stream that is over, and count its characters; no reply where its end is missing."""
    replies, received_chars = reply_stream(api), 0
    try:
        for event in tape.events() if tape.is_whole else ():
            received_chars += len(replies.feed(event))
    except InStreamError:  # said already, to whoever reads along
        return NOTHING, received_chars
    except Malformed:
        return None, received_chars
    return replies.reply() if tape.is_whole else NOTHING, received_chars


def relayed(reply: Reply, response: Response) -> Relayed:
    is_whole = reply.ending == "stop" and bool(reply.text)
    record = record_of(response) if is_whole else None
    return Relayed(reply.text, reply.ending, reply.model, reply.usage, "", response, record)


def record_of(response: Response) -> Record | None:
    """Give what the cache keeps of a response, None of one that is no text."""
    try:
        text = response.body.decode()
    except UnicodeDecodeError:
        return None
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    return {"headers": headers, "body": text}


def broken_event(error: EngineError, api: Api, tape: Tape) -> bytes:
    """Give the event that says that a stream broke off, in the shape of its API."""
    said = {"message": str(error), "param": None, "code": "upstream_broke_off"}
    if api == "chat":
        return b"data: " + to_json({"error": {**said, "type": "server_error"}}) + b"\n\n"
    event = {"type": "error", **said, "sequence_number": next_number(tape)}
    return b"event: error\ndata: " + to_json(event) + b"\n\n"


def next_number(tape: Tape) -> int:
    """Give the number of the event that comes after those of a stream of Responses."""
    for event in reversed(tape.events()):
        try:
            return int(json.loads(event)["sequence_number"]) + 1
        except (KeyError, TypeError, ValueError):
            continue
    return 0


def to_json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
