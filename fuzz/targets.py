"""
What is fuzzed: each function takes any bytes, and raises only where eyeline is wrong.

A target states what must hold of every input: which errors may be raised, that cutting twice cuts
nothing more, that chunks may be cut anywhere. `fuzz/corpus/NAME/` holds inputs worth keeping.
"""

from __future__ import annotations

import atexit
import copy
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

from eyeline.adapters.images import Images
from eyeline.bulk.errors import SourceError
from eyeline.bulk.journal import entry_of
from eyeline.bulk.ledger import Ledger, recover
from eyeline.bulk.rows import Row, open_source
from eyeline.bulk.sources import lines
from eyeline.core.catalogue import find
from eyeline.core.dataurl import declared_type, decode_data_url
from eyeline.core.dialect import STANDARD
from eyeline.core.engine import openai
from eyeline.core.failure import api_error
from eyeline.core.media import read_pages, sniff
from eyeline.core.metadata import cut_metadata
from eyeline.core.reference import parse_reference
from eyeline.core.reply import InStreamError, Malformed, decode, reply_stream
from eyeline.core.spelt import read_spelling
from eyeline.core.sse import SseParser
from eyeline.core.waits import retry_after_s
from eyeline.core.whole import FAULTS, check_whole
from eyeline.core.wire import Response
from eyeline.drivers import Driver, Outside
from eyeline.effects import Head, Relay
from eyeline.errors import BadDataUrl, EyelineError, ImageError
from eyeline.gateway.refusals import refusal
from eyeline.gateway.relaying import headers
from eyeline.local.facts import Code, Colour, Facts, Header, Kind, Line, Measures
from eyeline.local.facts import Row as LineRow
from eyeline.local.reader import Reader
from eyeline.local.service import Service
from eyeline.mend import mend
from eyeline.mend_image import Mending
from eyeline.policy.limits import Limits
from eyeline.ports import Transport
from eyeline.relay import APIS, Posted, Road
from eyeline.relay import relay as relayed
from eyeline.relay_body import Way
from eyeline.testing import FakeStream, tiny_png


def media(data: bytes) -> None:
    """A header is read or refused; a picture whose metadata is cut is still that picture."""
    kind = sniff(data)
    bare = cut_metadata(data, kind)
    assert len(bare) <= len(data)
    with suppress(ImageError):
        if kind in FAULTS:
            check_whole(data, kind, "fuzz")
        pages = read_pages(data, "fuzz")
        assert all(page.size.width_px > 0 and page.size.height_px > 0 for page in pages)
        assert cut_metadata(bare, kind) == bare
        assert read_pages(bare, "fuzz")[0].size == pages[0].size


def data_url(data: bytes) -> None:
    """Any text is read as a data URL, as base64, or as a reference, or refused in our words."""
    text = data.decode("utf-8", "surrogateescape")
    for url in (text, f"data:{text}", f"data:image/png;base64,{text}"):
        declared_type(url)
        with suppress(BadDataUrl):
            decode_data_url(url, "fuzz")
        read_spelling(url)
        with suppress(ImageError):
            str(parse_reference(url))


def sse(data: bytes) -> None:
    """Events are the same however the stream is cut; the first bytes say where."""
    cuts, stream = sorted(data[:4]), data[4:]
    whole, pieces = SseParser(), SseParser()
    events = [*whole.feed(stream), *whole.end()]
    begun, found = 0, []
    for cut in [*cuts, len(stream)]:
        if stream[begun:cut]:
            found += pieces.feed(stream[begun:cut])
            begun = cut
    assert [*found, *pieces.end()] == events
    for api in ("chat", "responses"):
        replies = reply_stream(api)
        with suppress(InStreamError, Malformed, ValueError):
            for event in events:
                replies.feed(event)
        replies.reply()


def reply(data: bytes) -> None:
    """Any body is an answer, an error in the stream, or malformed; any refusal is one of ours."""
    for api in ("chat", "responses"):
        with suppress(InStreamError, Malformed):
            decode(data, api)
    for status in (400, 404, 429, 500):
        error = api_error("openai", Response(status, {}, data), "gpt-4o")
        assert len(str(error)) < 2_000
    text = data.decode("latin-1")
    headers = {"retry-after": text, "retry-after-ms": text, "date": text}
    wait_s = retry_after_s(headers, text)
    assert wait_s is None or wait_s >= 0


def check(data: bytes) -> None:
    """Any body is checked without being changed, and a mended one has nothing left to mend."""
    for body in bodies(data):
        before = copy.deepcopy(body)
        mending = Mending(find("gpt-4o"), api_of(body), openai(), reads_files=False)
        mended = driver().run(mend(body, mending))
        assert body == before
        again = driver().run(mend(mended.body, mending))
        # What cannot be read stays as it is, whatever else is wrong with it.
        if "unreadable" not in {each.what for each in mended.findings}:
            assert not [each for each in again.findings if each.mend], again.findings
        assert again.body == mended.body


def api_of(body: Any) -> Any:
    return "responses" if "input" in body else "chat"


def bodies(data: bytes) -> list[dict[str, Any]]:
    """Give a body that is the input itself, and bodies whose text and image the input is."""
    text = data.decode("utf-8", "replace")
    found: list[dict[str, Any]] = []
    with suppress(ValueError, RecursionError):
        given = json.loads(data)
        if isinstance(given, dict):
            found.append(given)
    chat = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": text}}]
    items = [{"type": "input_image", "image_url": text}]
    found.append({"messages": [{"role": "user", "content": chat}]})
    found.append({"messages": [{"role": "user", "content": text}]})
    found.append({"input": [{"role": "user", "content": items}]})
    return found


# --- the gateway ---------------------------------------------------------------------------------

PICTURE = f"data:image/png;base64,{b64encode(tiny_png()).decode()}"


def relay(data: bytes) -> None:
    """Any body sent to the gateway is answered or refused in the API's shape."""
    way = Way(openai(), find, STANDARD)
    for posted in posts(data):
        answered(posted, Road(way), Agreeing())


def reader(data: bytes) -> None:
    """The same where the reader is the engine, which reads schemas too."""
    way = Way(openai(), find, STANDARD, whole=True)
    for posted in (*posts(data), *schemas(data)):
        answered(posted, Road(way), Service(Reader(glance), find, Shelf()))


def posts(data: bytes) -> Iterator[Posted]:
    """Give requests whose body is the input itself, or holds it as text and as image."""
    for path in APIS:
        yield Posted(path, data, cache=False)
    for body in bodies(data):
        path = "/responses" if "input" in body else "/chat/completions"
        yield Posted(path, json.dumps({"model": "gpt-4o", **body}).encode(), cache=False)


def schemas(data: bytes) -> Iterator[Posted]:
    """Give a request with a picture and the input as its schema, where it is JSON."""
    with suppress(ValueError, RecursionError):
        form = {"type": "json_schema", "json_schema": {"schema": json.loads(data)}}
        image = {"type": "image_url", "image_url": {"url": PICTURE}}
        user = {"role": "user", "content": [image]}
        body = {"model": "gpt-4o", "messages": [user], "response_format": form}
        yield Posted("/chat/completions", json.dumps(body).encode(), cache=False)


def answered(posted: Posted, road: Road, transport: Transport) -> None:
    status, body = 0, b""
    try:
        for step in Driver(outside(), transport).steps(relayed(posted, road)):
            match step:
                case Relay(Head() as head):
                    status = head.status
                    list(headers(head))
                case Relay(bytes() as piece):
                    body += piece
    except EyelineError as error:
        said = refusal(error)
        status, body = said.status_code, bytes(said.body)
    assert status not in (0, 500), body
    if status != 200:
        assert json.loads(body)["error"]["message"]


class Agreeing:
    """An engine that has the same answer for everything."""

    def send(self, request: Any) -> Response:
        return Response(200, {"content-type": "application/json"}, b"{}")

    def open(self, request: Any) -> FakeStream:
        kind = {"content-type": "text/event-stream"}
        return FakeStream(Response(200, kind, b"data: {}\n\ndata: [DONE]\n\n"))

    def close(self) -> None: ...


class Shelf:
    """A shelf that is always empty."""

    def put(self, *_: Any) -> None: ...

    def get(self, *_: Any) -> None: ...

    def data(self, *_: Any) -> None: ...


def glance(data: bytes) -> Facts:
    """Give the facts of one receipt for any picture: here it matters what is asked about it."""
    read_pages(data, "fuzz")
    return RECEIPT


LINES = ("CORNER MARKET", "2026-11-21 17:42", "Olive oil 8.49", "TOTAL EUR 11.59", "a@b.example")
RECEIPT = Facts(
    header=Header("PNG", 640, 480),
    measures=Measures(False, 0.5, 300.0, 0.4, 0.1, (Colour("white", 0.9),)),
    kind=Kind.DOCUMENT,
    rows=tuple(
        LineRow((Line(text, 0.99, (0, 30 * at, 300, 30 * at + 20)),))
        for at, text in enumerate(LINES)
    ),
    codes=(Code("QR Code", "https://h/"),),
)


# --- files of a run ------------------------------------------------------------------------------


def ledger(data: bytes) -> None:
    """
    Any bytes are recovered from; what is cut off at the end costs no line that is whole before it.
    The first byte says where the tries and the cut are, and lines get the checksum they lack.
    """
    at, text = data[:1], data[1:]
    signed = b"\n".join(b"%08x %s" % (crc32(line), line) for line in text.split(b"\n")) + b"\n"
    for content in (text, signed):
        cut = len(content) * (at or b"\0")[0] // 256
        first, second = folder() / "0.jsonl", folder() / "0.1.jsonl"
        first.write_bytes(content[:cut])
        second.write_bytes(content[cut:])
        both, one = recover(first, second), recover(first)
        assert one.records.keys() <= both.records.keys()
        whole = content[: content.rfind(b"\n", 0, cut) + 1]
        second.write_bytes(whole)
        assert recover(second) == one
        if one.size_bytes:
            assert entry_of(whole[: one.size_bytes].split(b"\n")[-2]) is not None
        going_on = Ledger(first, one.size_bytes)
        going_on.left("fuzz", one.spent_usd * 0)
        going_on.close()
        again = recover(first)
        assert (again.damaged, again.records) == (one.damaged, one.records)


def table(data: bytes) -> None:
    """Any file of text is rows, or refused in our words; and the same rows however it is cut."""
    for name in ("t.csv", "t.tsv", "t.jsonl", "t.txt"):
        path = folder() / name
        path.write_bytes(data)
        with suppress(SourceError):
            whole = rows(path, 1000)
            assert [row.key for row in whole] == [str(at) for at in range(len(whole))]
            assert list(map(told, rows(path, 2))) == list(map(told, whole))


def rows(path: Path, each: int) -> list[Row]:
    lines.SHARD_ROWS = each
    source = open_source(str(path), spool=folder() / "spool")
    source.schema()
    return [row for shard in source.shards() for row in source.rows(shard)]


def told(row: Row) -> Any:
    images = [getattr(each, "location", each) for each in row.images]
    return row.key, row.source, images, repr(row.values), str(row.problem)


# --- what they share -----------------------------------------------------------------------------


@cache
def folder() -> Path:
    made = TemporaryDirectory(prefix="fuzz-")
    atexit.register(made.cleanup)
    return Path(made.name)


def driver() -> Driver:
    return Driver(outside(), None)


@cache
def outside() -> Outside:
    images = Images()
    return Outside(images, images, Limits())


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each
    for each in (media, data_url, sse, reply, check, relay, reader, ledger, table)
}
