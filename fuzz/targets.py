"""
What is fuzzed: each function takes any bytes, and raises only where eyeline is wrong.

A target states what must hold of every input: which errors may be raised, that cutting twice cuts
nothing more, that chunks may be cut anywhere. `fuzz/corpus/NAME/` holds inputs worth keeping.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from eyeline.adapters.images import Images
from eyeline.core.catalogue import find
from eyeline.core.dataurl import declared_type, decode_data_url
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
from eyeline.errors import BadDataUrl, ImageError
from eyeline.mend import mend
from eyeline.mend_image import Mending
from eyeline.policy.limits import Limits


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


@cache
def driver() -> Driver:
    images = Images()
    return Driver(Outside(images, images, Limits()), None)


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (media, data_url, sse, reply, check)
}
