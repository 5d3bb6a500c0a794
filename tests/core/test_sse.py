"""Server-sent events, however their bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.sse import EVENT_BYTES_MAX, SseParser


def events(*chunks: bytes) -> list[str]:
    parser = SseParser()
    found = [event for chunk in chunks for event in parser.feed(chunk)]
    return found + parser.end()


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"", []),
        (b"data: one\n\n", ["one"]),
        (b"data:one\n\ndata:  two\n\n", ["one", " two"]),
        (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", ["a", "b", "c"]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b"data\n\n", [""]),
        (b"data: a\ndata\n\n", ["a\n"]),
        (b": a comment\n\ndata: x\n: another\n\n", ["x"]),
        (b"event: response.created\nid: 7\nretry: 10\ndata: {}\n\n", ["{}"]),
        (b"event: ping\n\n", []),
        (b"databases: no\ndata : no\n\n", []),
        (b"\xef\xbb\xbfdata: x\n\n", ["x"]),
        (b"data: x\n\n\xef\xbb\xbfdata: not at the start\n\n", ["x"]),
        ("data: “é” 🙂\n\n".encode(), ["“é” 🙂"]),
        (b"data: \xff\n\n", ["\ufffd"]),
        (b"data: a\x0bb\x0cc\x1cd\xc2\x85e\n\n", ["a\x0bb\x0cc\x1cd\x85e"]),
        (b"\n\n\ndata: x\n\n\n\n", ["x"]),
        (b"data: no blank line", ["no blank line"]),
        (b"data: no blank line\n", ["no blank line"]),
        (b"data: no blank line\r", ["no blank line"]),
        (b"data: [DONE]\n\n", ["[DONE]"]),
    ],
)
def test_examples(stream: bytes, expected: list[str]) -> None:
    """Events are read as the standard has it, whole and byte by byte."""
    assert events(stream) == expected
    assert events(*(bytes([byte]) for byte in stream)) == expected


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_split_at_any_byte(line_end: bytes) -> None:
    """Cut in two at any byte, also inside CR LF, a character or the BOM, a stream is the same."""
    lines = ["\ufeffdata: “é”", "event: x", "data: 🙂", "", ": comment", "data: [DONE]", "", ""]
    stream = line_end.join(line.encode() for line in lines)
    for cut in range(len(stream) + 1):
        assert events(stream[:cut], stream[cut:]) == ["“é”\n🙂", "[DONE]"]


LINES = st.one_of(
    st.sampled_from(["", "", "data", "data: ", "data:{}", ": comment", "event: x", "id", "\ufeff"]),
    st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=12).map(
        "data: {}".format
    ),
)


@given(st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r"])), max_size=20), st.data())
def test_parsing_is_the_same_however_cut(lines: list[tuple[str, str]], data: st.DataObject) -> None:
    """Any cutting of any stream gives the same events as the whole of it."""
    stream = "".join(line + end for line, end in lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[start:end] for start, end in pairwise([0, *cuts, len(stream)])]
    assert events(*pieces) == events(stream)


@given(st.lists(st.text(st.characters(exclude_characters="\r", codec="utf-8")), max_size=6))
def test_what_was_written_is_read(texts: list[str]) -> None:
    """Text written as data lines, one for each line of it, comes back as it was."""
    stream = "".join(
        "".join(f"data: {line}\n" for line in text.split("\n")) + "\n" for text in texts
    )
    assert events(stream.encode()) == texts


def test_an_event_is_given_at_once() -> None:
    """An event comes with its blank line, not with the event behind it."""
    parser = SseParser()
    assert parser.feed(b"data: one\n") == []
    assert parser.feed(b"\n") == ["one"]
    assert parser.feed(b"data: two\r\n\r\n") == ["two"]


def test_a_stream_without_line_ends_does_not_fill_the_memory() -> None:
    """An event past the limit is an error, in one line or in many."""
    piece = b"x" * 2**20
    for chunk in (piece, b"data:" + piece + b"\n"):
        with pytest.raises(ValueError, match=r"\d+"):
            events(*[chunk] * (EVENT_BYTES_MAX // len(piece) + 1))
