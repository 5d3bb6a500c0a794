"""Streams on the road of the gateway: handed on event by event, and read when they are over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_server import chat_events, response_events

from eyeline.core.catalogue import find
from eyeline.core.engine import openai
from eyeline.core.question import Question
from eyeline.core.sse import EVENT_BYTES_MAX
from eyeline.core.wire import Request, Response
from eyeline.effects import Close, Head, Heed, Open, Read, Relay, Send
from eyeline.errors import BadRequest, StreamCut, TimedOut, UnexpectedResponse
from eyeline.exchange import Asking
from eyeline.policy.retry import Retry
from eyeline.relay_exchange import TAPE_BYTES_MAX, Exchanging, Relayed, Tape, broken_event

STREAM = Request("/chat/completions", b"{}", stream=True, timeout_s=60)
EVENTS = {"content-type": "text/event-stream"}
ASKING = Asking(Question("", (), find("gpt-6-luna"), "chat"), openai(), Retry())


class Opened:
    """What a driver would open: a status and headers."""

    def __init__(self, status: int = 200, headers: dict[str, str] = EVENTS) -> None:
        self.status, self.headers = status, headers


def play(chunks: list[bytes | Exception], opened: Opened | None = None) -> tuple[list[Any], Any]:
    """Step an exchange through these chunks; gives what it handed on, and how it ended."""
    exchanging = Exchanging("chat", {"cached": "false"})
    flow, handed, given = exchanging.exchange(STREAM, ASKING), [], list(chunks)
    effect = next(flow)
    try:
        while True:
            answer: Any = None
            match effect:
                case Open():
                    answer = opened or Opened()
                case Relay(piece):
                    handed.append(piece)
                case Read() if given and isinstance(given[0], Exception):
                    effect = flow.throw(given.pop(0))
                    continue
                case Read():
                    answer = given.pop(0) if given else b""
                case _:
                    assert isinstance(effect, Close | Heed)
            effect = flow.send(answer)
    except StopIteration as stop:
        return handed, stop.value
    except Exception as error:
        return handed, error


def whole(events: list[str]) -> bytes:
    return "".join(events).encode()


def test_events_are_handed_on_whole() -> None:
    """However its bytes come, a stream goes on in whole events, then says that it is over."""
    stream = whole(chat_events("One two"))
    cut = [stream[at : at + 50] for at in range(0, len(stream), 50)]
    (head, *pieces, last), made = play(cut)
    assert (head, last) == (Head(200, EVENTS, {"cached": "false"}), None)
    assert b"".join(pieces) == stream
    assert all(piece.endswith(b"\n\n") for piece in pieces)
    assert (made.text, made.ending, made.usage.output_tokens) == ("One two", "stop", 20)
    assert made.record == {"headers": EVENTS, "body": stream.decode()}


def test_a_break_after_the_end_is_none() -> None:
    """Once the last event is out it does not matter how the connection ends."""
    _, made = play([whole(chat_events("One")), StreamCut("openai", 0)])
    assert made.text == "One"


@pytest.mark.parametrize("error", [StreamCut("openai", 0), TimedOut("openai", 60)])
def test_a_break_before_the_end_is_an_error(error: Exception) -> None:
    """What came is handed on, half an event is not, and the flow fails as the transport did."""
    events = chat_events("One two")
    handed, ended = play([whole(events[:2]) + b'data: {"half', error])
    assert b"".join(handed[1:]) == whole(events[:2])
    assert ended is error


def test_an_end_without_the_last_event_is_a_cut_stream() -> None:
    """A stream that just stops was cut, and so was one that is none of the API's."""
    _, ended = play([whole(chat_events("One two")[:3])])
    assert isinstance(ended, StreamCut)
    assert ended.received_chars == 7
    handed, ended = play([b"data: what?"])
    assert handed[1:] == [b"data: what?"]
    assert isinstance(ended, StreamCut)


def test_an_error_in_the_stream_is_handed_on_alone() -> None:
    """What the engine says went wrong needs no second event of ours, and is not remembered."""
    handed, made = play([b'data: {"error": {"message": "overloaded"}}\n\n'])
    assert len(handed) == 2
    assert (made.record, made.usage.input_tokens) == (None, None)


def test_of_a_very_long_stream_nothing_is_kept() -> None:
    """It goes on as it comes; what it cost nobody can say, and memory does not grow with it."""
    event = b"data: " + b"x" * 2**20 + b"\n\n"
    count = TAPE_BYTES_MAX // len(event) + 3
    handed, made = play([event] * count)
    assert b"".join(handed[1:]) == event * count
    assert (made.record, made.text) == (None, "")
    tape = Tape()
    for _ in range(count):
        tape.feed(event)
    assert len(tape.kept) < TAPE_BYTES_MAX


def test_a_long_stream_that_breaks_is_an_error_too() -> None:
    """What is not kept may be cut as well."""
    event = b"data: " + b"x" * 2**20 + b"\n\n"
    broken = StreamCut("openai", 0)
    assert play([*[event] * (TAPE_BYTES_MAX // len(event) + 1), broken])[1] is broken


def test_an_event_without_end_is_handed_on_in_pieces() -> None:
    """No memory is filled by waiting for the end of an event."""
    tape, piece = Tape(), b"x" * (EVENT_BYTES_MAX // 2 + 1)
    assert (tape.feed(piece), tape.feed(piece)) == (b"", piece * 2)


def test_what_is_no_text_is_not_remembered() -> None:
    """Bytes that no record can hold are handed on all the same."""
    events = chat_events("One")
    _, made = play([whole(events[:-1]) + b": \xff\n\n" + events[-1].encode()])
    assert (made.text, made.record) == ("One", None)


def test_other_statuses_are_refusals_or_redirects() -> None:
    """A refusal is kept as it came; where a stream was asked for, a whole answer is one too."""
    _, ended = play([b'{"error": {"message": "no"}}'], Opened(400, {}))
    assert isinstance(ended, BadRequest)
    _, ended = play([b""], Opened(302, {}))
    assert isinstance(ended, UnexpectedResponse)
    _, made = play([b"{}"], Opened(200, {}))
    assert made.response == Response(200, {}, b"{}")


def test_a_whole_response_is_read_for_what_it_cost() -> None:
    """Without a stream the response comes whole; what cannot be read goes on all the same."""
    exchanging = Exchanging("chat", {})
    flow = exchanging.exchange(Request("/x", b"", stream=False, timeout_s=1), ASKING)
    assert isinstance(next(flow), Send)
    with pytest.raises(StopIteration) as stopped:
        flow.send(Response(200, {}, b"no JSON"))
    made: Relayed = stopped.value.value
    assert (made.record, made.response) == (None, Response(200, {}, b"no JSON"))


def test_the_last_event_is_numbered_on() -> None:
    """In Responses every event has its number; an error after none begins at 0."""
    tape = Tape()
    first = json.loads(broken_event(StreamCut("e", 0), "responses", tape).partition(b"data: ")[2])
    assert (first["type"], first["sequence_number"]) == ("error", 0)
    tape.feed(whole([*response_events("One")[:3], "data: [1]\n\n"]))
    later = json.loads(broken_event(StreamCut("e", 0), "responses", tape).partition(b"data: ")[2])
    assert later["sequence_number"] == 3
