"""The order of everything, stepped by hand: each effect in turn, each failure thrown in."""

from __future__ import annotations

import json
import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from api_server import chat_completion, response_object
from PIL import Image

from eyeline.core.catalogue import find, local_model
from eyeline.core.cost import FREE
from eyeline.core.draft import digest
from eyeline.core.engine import LOCAL, compatible, openai
from eyeline.core.media import PDF, ImageInfo
from eyeline.core.parts import PreparedImage, size_of
from eyeline.core.picture import FileState, ImageChanged, Picture, Sighting
from eyeline.core.plan import Look
from eyeline.core.question import Question
from eyeline.core.reference import BytesRef, DataUrlRef, FileId, FileRef, Loaded, PageRef
from eyeline.core.schema import read_schema
from eyeline.core.size import Size
from eyeline.core.wire import Response
from eyeline.effects import (
    Claim,
    Emit,
    Fingerprint,
    Intend,
    Known,
    Load,
    Lookup,
    Now,
    Prepare,
    Recognise,
    Release,
    Remember,
    Reserve,
    Send,
    Settle,
    Store,
)
from eyeline.errors import (
    AnswerCut,
    BadDataUrl,
    BadReference,
    ContentFiltered,
    EyelineError,
    ImageNotFound,
    ImageTruncated,
    ModelRefused,
    NotAnImage,
    SchemaMismatch,
)
from eyeline.exchange import Asking
from eyeline.flow import HEAD_BYTES, LookedAt, content_parts, estimate, hold_for, look_at
from eyeline.flow import ask as ask_flow
from eyeline.looking import HELD_BYTES_MAX
from eyeline.policy.limits import UNSENT, Ended
from eyeline.policy.pace import Turn
from eyeline.policy.retry import Retry
from eyeline.testing import tiny_png

PNG = tiny_png(8, 6)
LARGE_PNG = tiny_png(4000, 20)  # gpt-4o takes it as 2048×10
LUNA, GPT_4O = find("gpt-6-luna"), find("gpt-4o")
ROOF = FileRef(Path("roof.png"))
SIGN = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
RECORD = {
    "text": "A sign.",
    "model": "gpt-6-luna",
    "usage": {"input_tokens": 1000, "output_tokens": 20},
    "request_id": "req_0",
    "sent": [["image/png", [2048, 10], ["PNG (graphics)"]]],
}
# What a flow is told where a test is not about it.
UNSEEN = Sighting("", None)
GO = Turn(0.0, 0.0)
ROUTINE: dict[type, Any] = {Now: 0.0, Reserve: GO, Known: UNSEEN, Fingerprint: ""}
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


def ask(asking: Asking) -> Any:
    BEGUN.append(flow := ask_flow(asking))
    return flow


def asking(*references: Any, stream: bool = False, **options: Any) -> Asking:
    given = {"model": LUNA, "api": "chat"} | options
    question = Question("What is it?", references or (BytesRef(PNG),), **given)
    return Asking(question, openai(), Retry(), stream)


def until(flow: Any, kind: type, effect: Any = None) -> Any:
    """Step on, from `effect` or the start, to the first effect of a kind."""
    effect = effect or next(flow)
    while not isinstance(effect, kind):
        effect = flow.send(ROUTINE.get(type(effect)))
    return effect


def value_of(flow: Any, effect: Any) -> Any:
    """Step on from `effect` to the end and give what the flow returns."""
    with pytest.raises(StopIteration) as stop:
        until(flow, type(None), effect)
    return stop.value.value


def value_at_end(flow: Any, sent: Any = None) -> Any:
    """Send the last result in and give what the flow returns."""
    with pytest.raises(StopIteration) as stop:
        flow.send(sent)
    return stop.value.value


def error_of(flow: Any, effect: Any, kind: type[Exception]) -> Any:
    """Step on from `effect` to the end and give the error it ends with."""
    with pytest.raises(kind) as raised:
        until(flow, type(None), effect)
    return raised.value


def answered(text: str | None = "A sign.", **changes: Any) -> Response:
    return Response(200, {}, json.dumps(chat_completion(text, **changes)).encode())


def chunk(kind: bytes, data: bytes) -> bytes:
    """Frame a PNG chunk."""
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


def with_text_chunk(png: bytes) -> bytes:
    """Give a PNG with a text chunk behind its header."""
    return png[:33] + chunk(b"tEXt", b"Author\0Ada") + png[33:]


def animated_png(second: bytes) -> bytes:
    """Give an APNG of two frames, of which only the first is drawn by what knows no animation."""
    return PNG[:33] + chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"fdAT", second) + PNG[33:]


def tiny_bmp(width: int, height: int) -> bytes:
    """Give a black BMP."""
    size = -(-width * 3 // 4) * 4 * height
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, size, 0, 0, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 54 + size, 0, 0, 54) + head + bytes(size)


def tiny_jpeg(width: int, height: int) -> bytes:
    """Give a JPEG of one colour."""
    buffer = BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "JPEG")
    return buffer.getvalue()


def sent_images(send: Send) -> list[bytes]:
    """Give the bytes of each image in a chat request."""
    (message,) = json.loads(send.request.body)["messages"]
    urls = [part["image_url"]["url"] for part in message["content"][1:]]
    return [b64decode(url.partition(",")[2]) for url in urls]


# --- the cache ----------------------------------------------------------------------------------


def test_answers_from_the_cache() -> None:
    """A question asked before is answered from the cache: nothing prepared, sent or paid."""
    flow = ask(asking(BytesRef(LARGE_PNG), model=GPT_4O))
    assert next(flow) == Now()
    assert flow.send(10.0) == Recognise(digest(LARGE_PNG))
    assert isinstance(flow.send(None), Remember)
    claim = flow.send(None)
    assert isinstance(claim, Claim)
    assert flow.send(None) == Lookup(claim.ticket.key)
    assert flow.send(RECORD) == Now()
    assert flow.send(10.5) == Emit("A sign.")
    assert flow.send(None) == Release(claim.ticket, RECORD)
    answer = value_at_end(flow)
    assert (answer.text, answer.cached, answer.cost_usd) == ("A sign.", True, FREE)
    assert (answer.latency_s, answer.usage.input_tokens, answer.request_id) == (0.5, 1000, "req_0")
    (image,) = answer.images
    assert (image.sent_bytes, image.sent_width_px, image.sent_media_type) == (0, 2048, "image/png")
    assert image.notes == ("4000×20 → 2048×10", "PNG (graphics)")


def test_a_record_that_no_longer_fits_is_a_miss() -> None:
    """A cached answer that does not fit the schema any more is asked again, not raised for ever."""
    schema = read_schema({"type": "object", "properties": {"says": {"type": "string"}}})
    flow = ask(asking(schema=schema))
    until(flow, Lookup)
    assert isinstance(until(flow, Reserve, flow.send(RECORD)), Reserve)


def test_asks_and_stores_what_is_not_in_the_cache() -> None:
    """A new question is claimed, held, sent, settled and stored, and what it got is handed on."""
    flow = ask(asking())
    claim = until(flow, Claim)
    lookup = flow.send(None)
    reserve = until(flow, Reserve, lookup)
    assert isinstance(flow.send(GO), Intend)
    assert isinstance(flow.send(None), Send)
    paid = Ended("answered", Decimal("0.00011"), 1020)
    assert flow.send(answered()) == Settle(reserve.hold, GO, paid)
    assert flow.send(None) == Now()
    store = flow.send(3.25)
    assert isinstance(store, Store)
    assert (store.key, store.record["text"]) == (lookup.key, "A sign.")
    assert flow.send(None) == Release(claim.ticket, store.record)
    answer = value_at_end(flow)
    assert (answer.cached, answer.engine, answer.latency_s) == (False, "openai", 3.25)
    assert answer.usage.image_tokens == answer.images[0].tokens > 0


def test_a_stored_record_is_recalled_as_it_was() -> None:
    """What is stored for a question answers it the next time, parsed value and all."""
    schema = read_schema(SIGN)
    flow = ask(asking(schema=schema))
    until(flow, Send)
    store = until(flow, Store, flow.send(answered('{"text": "EXIT"}')))
    again = ask(asking(schema=schema))
    assert until(again, Lookup).key == store.key
    answer = value_of(again, again.send(json.loads(json.dumps(store.record))))
    assert answer.parsed == {"text": "EXIT"}


def effects_until(flow: Any, kind: type) -> list[Any]:
    """Step from the start to the first effect of a kind, and give all on the way."""
    effects = [next(flow)]
    while not isinstance(effects[-1], kind):
        effects.append(flow.send(ROUTINE.get(type(effects[-1]))))
    return effects


def test_no_cache_is_neither_read_nor_written() -> None:
    """With the cache off nothing is recognised, claimed, looked up or stored."""
    flow = ask(asking(ROOF, cache=False))
    assert next(flow) == Now()
    assert flow.send(0.0) == Load(ROOF)
    effects = [flow.send(Loaded(PNG))]
    while not isinstance(effects[-1], Send):
        effects.append(flow.send(ROUTINE.get(type(effects[-1]))))
    assert {type(each) for each in effects} <= {Now, Reserve, Intend, Send}
    assert isinstance(flow.send(answered()), Settle)
    assert flow.send(None) == Now()
    assert value_at_end(flow, 0.0).text == "A sign."


def test_to_refresh_is_to_write_and_not_to_read() -> None:
    """A refreshed question is asked whatever the cache holds, and what comes is kept."""
    key = until(ask(asking()), Lookup).key
    flow = ask(asking(refresh=True))
    effects = effects_until(flow, Send)
    assert [each.key for each in effects if isinstance(each, Lookup)] == [PIXELS_OF_PNG]
    (claim,) = (each for each in effects if isinstance(each, Claim))
    assert claim.ticket.key == f"refresh {key}"
    assert until(flow, Store, flow.send(answered())).key == key


def test_an_answer_cut_at_the_limit_is_given_and_not_stored() -> None:
    """Text that the token limit cut is an answer that says so; asking again asks the engine."""
    flow = ask(asking())
    until(flow, Send)
    release = until(flow, Release, flow.send(answered("A si", finish="length")))
    assert release.record is None
    answer = value_at_end(flow)
    assert (answer.text, answer.ending) == ("A si", "length")


def test_the_key_is_that_of_the_meaning() -> None:
    """The same picture by path, bytes or data URL is the same question; streamed or not."""
    url = DataUrlRef("data:image/png;base64," + b64encode(PNG).decode())
    by_path = ask(asking(ROOF))
    until(by_path, Load)
    keys = {
        until(ask(asking()), Lookup).key,
        until(ask(asking(url, stream=True, timeout_s=5)), Lookup).key,
        until(by_path, Lookup, by_path.send(Loaded(PNG))).key,
    }
    assert len(keys) == 1
    assert until(ask(asking(BytesRef(tiny_png(8, 7)))), Lookup).key not in keys


# --- one question at a time ---------------------------------------------------------------------


def test_takes_what_somebody_else_got_meanwhile() -> None:
    """Who waited for the same question gets its answer as one from the cache, in one piece."""
    flow = ask(asking(stream=True))
    claim = until(flow, Claim)
    assert claim.wait_s == 600
    assert flow.send(RECORD) == Now()
    assert flow.send(0.0) == Emit("A sign.")
    assert isinstance(flow.send(None), Release)
    answer = value_at_end(flow)
    assert (answer.cached, answer.cost_usd) == (True, FREE)


def test_who_fails_hands_on_nothing() -> None:
    """A question that fails lets go of its claim without a record, so that the next may try."""
    flow = ask(asking())
    claim = until(flow, Claim)
    until(flow, Send, flow.send(None))
    release = until(flow, Release, flow.throw(KeyboardInterrupt()))
    assert release == Release(claim.ticket, None)
    with pytest.raises(KeyboardInterrupt):
        flow.send(None)


def test_a_claim_that_was_interrupted_is_let_go() -> None:
    """Interrupted while it waits, a question does not stay in the line."""
    flow = ask(asking())
    claim = until(flow, Claim)
    assert flow.throw(KeyboardInterrupt()) == Release(claim.ticket, None)
    with pytest.raises(KeyboardInterrupt):
        flow.send(None)


def png_of_noise(bytes_min: int) -> bytes:
    """Give a PNG of so many bytes at least."""
    side_px = int((bytes_min / 3) ** 0.5) + 1
    buffer = BytesIO()
    Image.frombytes("RGB", (side_px, side_px), Random(1).randbytes(3 * side_px**2)).save(
        buffer, "PNG"
    )
    return buffer.getvalue()


# --- files that are known -----------------------------------------------------------------------

STATE = FileState(len(PNG), 2, 3, 4, 5)


def read_roof() -> bytes:
    return PNG


SIGHTING = Sighting("/roof.png", STATE, read=read_roof)


def remembered_roof(data: bytes = PNG, **options: Any) -> Any:
    """Give what a first question remembers of a file."""
    flow = ask(asking(ROOF, **options))
    assert until(flow, Known) == Known(ROOF)
    assert flow.send(SIGHTING) == Load(ROOF)
    return until(flow, Remember, flow.send(Loaded(data)))


def asked_of_known(picture: Any, **options: Any) -> tuple[Any, Any]:
    """Give the flow of a question about a file that is known, and its first effect after that."""
    flow = ask(asking(ROOF, **options))
    assert until(flow, Known) == Known(ROOF)
    return flow, flow.send(SIGHTING._replace(picture=picture))


def test_remembers_a_file_as_it_was_before_it_was_read() -> None:
    """What is remembered goes with the state that was seen before the first byte was loaded."""
    remember = remembered_roof()
    assert remember.sighting == SIGHTING
    (info,) = remember.picture.pages
    assert (info.media_type, info.size) == ("image/png", Size(8, 6))


def test_a_known_file_is_not_read() -> None:
    """A file in a state that is known is answered from the cache without a byte of it."""
    flow, claim = asked_of_known(remembered_roof().picture)
    lookup = until(flow, Lookup, claim)
    assert lookup == until(ask(asking()), Lookup)
    assert flow.send(RECORD | {"sent": [["image/png", [8, 6], []]]}) == Now()
    assert flow.send(0.25) == Emit("A sign.")
    answer = value_of(flow, flow.send(None))
    assert (answer.cached, answer.images[0].source) == (True, "roof.png")
    assert (answer.images[0].width_px, answer.images[0].sent_bytes) == (8, 0)


def test_a_known_file_with_a_new_question_is_read_when_it_is_sent() -> None:
    """What is not in the cache is asked without loading it; the request reads it."""
    picture = remembered_roof().picture
    flow, claim = asked_of_known(picture)
    send = until(flow, Send, claim)
    assert send.request.body == until(ask(asking()), Send).request.body
    assert send.request.size_bytes == len(send.request.body)
    answer = value_of(flow, flow.send(answered()))
    assert answer.images[0].sent_bytes == len(PNG)


def test_what_is_cut_out_of_a_known_file_is_cut_each_time() -> None:
    """Read again when it is sent, a file goes without its metadata, unless that is to be kept."""
    data = with_text_chunk(PNG)
    picture = remembered_roof(data).picture
    assert (picture.has_metadata, picture.bare_bytes) == (True, len(PNG))
    for keep, sent in ((False, PNG), (True, data)):
        flow = ask(asking(ROOF, look=Look(keep_metadata=keep)))
        until(flow, Known)
        sighting = Sighting(
            "/roof.png", STATE._replace(size_bytes=len(data)), picture, lambda: data
        )
        send = until(flow, Send, flow.send(sighting))
        assert b64encode(sent) in send.request.body
        assert send.request.size_bytes == len(send.request.body)


def test_a_known_file_is_prepared_without_being_loaded() -> None:
    """Where a known file must be encoded, its bytes are read by who does that."""
    picture = remembered_roof(LARGE_PNG, model=GPT_4O).picture
    flow, claim = asked_of_known(picture, model=GPT_4O)
    prepare = until(flow, Prepare, claim)
    assert (prepare.content.read, size_of(prepare.content)) == (read_roof, len(PNG))


def test_what_was_not_found_whole_is_read_before_it_goes_as_it_is() -> None:
    """Known from a question that encoded it, a file is looked at again for one that does not."""
    picture = remembered_roof(LARGE_PNG[:-8], model=GPT_4O).picture
    assert not picture.is_whole
    flow, effect = asked_of_known(picture, look=Look(detail="original"))
    assert effect == Load(ROOF)
    with pytest.raises(ImageTruncated):
        until(flow, Claim, flow.send(Loaded(LARGE_PNG[:-8])))


def test_bytes_that_were_looked_into_before_are_not_again() -> None:
    """The same bytes, met once more in this process, are planned for from what is remembered."""
    remember = until(ask(asking()), Remember)
    assert (remember.sighting, remember.picture.is_whole) == (UNSEEN, True)
    flow = ask(asking())
    assert until(flow, Recognise) == Recognise(remember.picture.digest)
    again = flow.send(remember.picture)
    assert again == remember
    claim = flow.send(None)
    assert claim.ticket.key == until(ask(asking()), Claim).ticket.key
    assert until(flow, Send, claim).request.body == until(ask(asking()), Send).request.body


def test_a_large_file_is_not_held_from_the_first_look_on() -> None:
    """What takes long to read again, and memory to hold, is let go once it was looked into."""
    data = png_of_noise(HELD_BYTES_MAX + 1)
    flow = ask(asking(ROOF))
    until(flow, Known)
    sighting = Sighting("/roof.png", STATE._replace(size_bytes=len(data)), None, lambda: data)
    assert flow.send(sighting) == Load(ROOF)
    effect = until(flow, Prepare, flow.send(Loaded(data)))
    assert effect.content.read() == data


def test_a_file_that_changed_is_asked_about_once_more() -> None:
    """Written between being looked at and being sent, a file is read anew, and nothing was paid."""
    flow, claim = asked_of_known(remembered_roof().picture)
    until(flow, Send, claim)
    settle = flow.throw(ImageChanged("roof.png"))
    assert isinstance(settle, Settle)
    assert settle.ended == UNSENT
    assert until(flow, Known, flow.send(None)) == Known(ROOF)
    assert flow.send(UNSEEN) == Load(ROOF)
    until(flow, Send, flow.send(Loaded(PNG)))
    assert value_of(flow, flow.send(answered())).text


def test_a_known_page_is_chosen_from_those_remembered() -> None:
    """A page of a file that is known is planned for without opening it; file ids need nothing."""
    pages = tuple(ImageInfo(PDF, Size(10, 10 + at), frame=at) for at in range(3))
    picture = Picture(pages, "digest")
    scan = FileRef(Path("scan.pdf"))
    flow = ask(asking(FileId("file-1"), PageRef(scan, 2), api="responses"))
    assert until(flow, Known) == Known(scan)
    until(flow, Lookup, flow.send(SIGHTING._replace(picture=picture)))
    sent = [None, ["image/png", [10, 11], []]]
    answer = value_of(flow, flow.send(RECORD | {"sent": sent}))
    assert [image.source for image in answer.images] == ["file-1", "scan.pdf#2"]
    assert answer.images[1].height_px == 11


def test_only_what_is_not_known_is_read() -> None:
    """Of several files those are loaded that are not known."""
    wall = FileRef(Path("wall.png"))
    picture = remembered_roof().picture
    flow = ask(asking(ROOF, wall))
    until(flow, Known)
    assert flow.send(SIGHTING._replace(picture=picture)) == Known(wall)
    assert flow.send(UNSEEN) == Load(wall)
    assert isinstance(flow.send(Loaded(PNG)), Recognise)


def test_a_known_file_without_its_metadata_says_so() -> None:
    """A file whose metadata was cut out when it was sent is noted so from memory too."""
    again, claim = asked_of_known(remembered_roof(with_text_chunk(PNG)).picture)
    until(again, Lookup, claim)
    record = RECORD | {"sent": [["image/png", [8, 6], []]]}
    assert value_of(again, again.send(record)).images[0].notes == ("metadata cut out",)


# --- the same picture, otherwise written --------------------------------------------------------

PIXELS_OF_PNG = f"pixels {digest(PNG)}"
BMP_FILE = tiny_bmp(8, 6)


def test_a_lossless_picture_is_named_by_its_pixels_too() -> None:
    """Not found by its bytes, it is looked for by its pixels, whose name is remembered."""
    flow = ask(asking())
    first = until(flow, Lookup)
    assert flow.send(None) == Lookup(PIXELS_OF_PNG)
    fingerprint = flow.send(None)
    assert fingerprint == Fingerprint(PreparedImage(PNG, "image/png", Size(8, 6)))
    assert flow.send("abc") == Store(PIXELS_OF_PNG, {"pixels": "abc"})
    claim = flow.send(None)
    assert claim.ticket.key.startswith("shown ")
    assert flow.send(None) == Lookup(claim.ticket.key)
    until(flow, Send, flow.send(None))
    effect = until(flow, Store, flow.send(answered()))
    assert effect.key == claim.ticket.key
    assert isinstance(flow.send(None), Release)
    assert flow.send(None) == Store(first.key, effect.record)


def shown_claim(reference: Any, fingerprint: str, **options: Any) -> tuple[Any, Any]:
    """Give a flow, and its claim on what is shown, where pixels have that fingerprint."""
    flow = ask(asking(reference, **options))
    effect = until(flow, Claim)
    while not (isinstance(effect, Claim) and effect.ticket.key.startswith("shown ")):
        sent = ROUTINE.get(type(effect))
        if isinstance(effect, Fingerprint):
            sent = fingerprint
        elif isinstance(effect, Prepare):
            sent = PreparedImage(b"made", "image/png", effect.plan.size, ("BMP → PNG",))
        effect = flow.send(sent)
    return flow, effect


def test_the_same_pixels_in_another_file_hit() -> None:
    """A PNG that goes as it is and a BMP that is converted are one question; so is a known name."""
    _, by_png = shown_claim(BytesRef(PNG), "abc")
    flow, by_bmp = shown_claim(BytesRef(BMP_FILE), "abc")
    assert by_png.ticket.key == by_bmp.ticket.key
    assert isinstance(flow.send(None), Lookup)
    store = until(flow, Store, flow.send(RECORD | {"sent": [["image/png", [8, 6], []]]}))
    assert store.record["sent"] == [["image/png", Size(8, 6), ("BMP → PNG",)]]
    answer = value_of(flow, store)
    assert (answer.cached, answer.images[0].notes) == (True, ("BMP → PNG",))
    known = ask(asking())
    until(known, Lookup)
    known.send(None)
    assert known.send({"pixels": "abc"}).ticket.key == by_png.ticket.key


def test_what_is_shown_is_part_of_the_question() -> None:
    """Other pixels, another detail or another prompt are another question."""
    _, one = shown_claim(BytesRef(PNG), "abc")
    _, other_pixels = shown_claim(BytesRef(PNG), "abd")
    _, other_detail = shown_claim(BytesRef(PNG), "abc", look=Look("low"))
    assert len({each.ticket.key for each in (one, other_pixels, other_detail)}) == 3


def test_what_is_encoded_with_loss_is_named_by_its_bytes() -> None:
    """A large JPEG is named by what was made of it; one that goes as it is is not decoded."""
    _, large = shown_claim(BytesRef(tiny_jpeg(4000, 3000)), "")
    assert large.ticket.key.startswith("shown ")
    flow = ask(asking(BytesRef(tiny_jpeg(8, 6)), FileId("file-1"), api="responses"))
    effects = effects_until(flow, Send)
    assert not any(isinstance(each, Fingerprint | Prepare) for each in effects)
    assert sum(isinstance(each, Lookup) for each in effects) == 1


def test_pixels_that_cannot_be_decoded_have_no_name() -> None:
    """A picture that perhaps the engine can decode is sent, and known by its bytes alone."""
    flow = ask(asking())
    effects = effects_until(flow, Send)
    assert Store(PIXELS_OF_PNG, {"pixels": ""}) in effects
    assert sum(isinstance(each, Claim) for each in effects) == 1


def test_frames_of_two_animations_are_two_questions() -> None:
    """Animations that begin alike are told apart, though a still picture ends where they go on."""
    one, other = animated_png(b"1"), animated_png(b"2")
    keys = {until(ask(asking(BytesRef(data))), Lookup).key for data in (one, other)}
    assert len(keys) == 2


# --- images -------------------------------------------------------------------------------------


def test_sends_byte_for_byte() -> None:
    """An image that is right as it is goes out as it is."""
    assert sent_images(until(ask(asking()), Send)) == [PNG]


def test_prepares_only_where_planned() -> None:
    """Of several images only the one that is too large is prepared; all keep their order."""
    flow = ask(
        asking(BytesRef(PNG), BytesRef(LARGE_PNG), BytesRef(PNG), model=GPT_4O, sight_check=False)
    )
    prepare = until(flow, Prepare)
    assert (prepare.content, prepare.plan.size) == (LARGE_PNG, Size(2048, 10))
    made = PreparedImage(b"small", "image/png", prepare.plan.size, ("PNG (graphics)",))
    send = until(flow, Send, flow.send(made))
    assert sent_images(send) == [PNG, b"small", PNG]
    answer = value_of(flow, flow.send(answered()))
    assert [image.sent_bytes for image in answer.images] == [len(PNG), 5, len(PNG)]
    assert answer.images[1].notes == ("4000×20 → 2048×10", "PNG (graphics)")


def test_a_miss_is_known_before_anything_is_prepared() -> None:
    """The cache is asked before a pixel is touched."""
    flow = ask(asking(BytesRef(LARGE_PNG), model=GPT_4O))
    assert isinstance(until(flow, Lookup), Lookup)
    assert isinstance(flow.send(None), Prepare)


def test_loads_what_a_reference_names() -> None:
    """A path is loaded whole, by its own reference."""
    flow = ask(asking(ROOF))
    assert until(flow, Load) == Load(ROOF)
    assert isinstance(until(flow, Lookup, flow.send(Loaded(PNG))), Lookup)


def test_a_data_url_is_decoded_here() -> None:
    """What a data URL carries needs no loading, and what it does not carry is an error."""
    url = DataUrlRef("data:image/png;base64," + b64encode(PNG).decode())
    assert sent_images(until(ask(asking(url)), Send)) == [PNG]
    with pytest.raises(BadDataUrl):
        until(ask(asking(DataUrlRef("data:image/png;base64,####"))), Lookup)


def test_a_file_id_is_sent_by_name() -> None:
    """An uploaded image is neither loaded nor measured; its id goes out and stands in the key."""
    flow = ask(asking(FileId("file-1"), BytesRef(PNG), api="responses"))
    send = until(flow, Send)
    text, by_id, inline = json.loads(send.request.body)["input"][0]["content"]
    assert text["type"] == "input_text"
    assert by_id == {"type": "input_image", "file_id": "file-1", "detail": "high"}
    assert inline["image_url"].startswith("data:image/png;base64,")
    reply = Response(200, {}, json.dumps(response_object("A sign.")).encode())
    answer = value_of(flow, flow.send(reply))
    assert (answer.images[0].source, answer.images[0].tokens) == ("file-1", None)
    other = asking(FileId("file-2"), BytesRef(PNG), api="responses")
    again = asking(FileId("file-1"), BytesRef(PNG), api="responses")
    key = until(ask(again), Lookup).key
    assert key != until(ask(other), Lookup).key


def test_a_file_id_is_recalled_without_its_size() -> None:
    """A cached answer about an uploaded image says of it what is known."""
    flow = ask(asking(FileId("file-1"), api="responses"))
    until(flow, Lookup)
    answer = value_of(flow, flow.send(RECORD | {"sent": [None]}))
    assert (answer.images[0].source, answer.images[0].width_px) == ("file-1", None)


def test_a_missing_image_ends_it() -> None:
    """An image that does not load is an error, never a question without it."""
    flow = ask(asking(BytesRef(PNG), ROOF))
    until(flow, Load)
    with pytest.raises(ImageNotFound):
        flow.throw(ImageNotFound("roof.png"))


def test_several_references_load_in_order() -> None:
    """Images are loaded one after another, in the order they were given."""
    second = FileRef(Path("wall.png"))
    flow = ask(asking(ROOF, second))
    until(flow, Load)
    assert until(flow, Load, flow.send(Loaded(PNG))) == Load(second)


@pytest.mark.parametrize(("data", "error"), [(PNG[:-12], ImageTruncated), (b"GARBAGE", NotAnImage)])
def test_a_bad_image_is_found_before_anything_is_asked(
    data: bytes, error: type[EyelineError]
) -> None:
    """Half an image, or none, is refused before the cache, the budget or the engine hear of it."""
    flow = ask(asking(BytesRef(data)))
    with pytest.raises(error):
        until(flow, Claim)


def test_an_image_to_be_encoded_is_judged_by_its_decoder() -> None:
    """Where pixels are decoded anyway the frame of the file is not checked before."""
    shortened = LARGE_PNG[:-12]
    assert isinstance(until(ask(asking(BytesRef(shortened), model=GPT_4O)), Prepare), Prepare)


def test_what_the_server_does_not_take_is_converted() -> None:
    """A GIF is right for OpenAI, and converted for a server known to take JPEG and PNG."""
    gif = b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==")
    check = until(ask(asking(BytesRef(gif))), Prepare)
    assert (check.content, check.plan.encode) == (gif, False)
    elsewhere = replace(asking(BytesRef(gif)), engine=compatible("x", "http://127.0.0.1:1/v1"))
    prepare = until(ask(elsewhere), Prepare)
    assert (prepare.plan.media_type, prepare.plan.conversion) == ("image/png", ("GIF → PNG",))


# --- what came back -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answered(None, refusal="I cannot."), ModelRefused),
        (answered("", finish="length"), AnswerCut),
        (answered('{"text": "E', finish="length"), AnswerCut),
        (answered("", finish="content_filter"), ContentFiltered),
        (answered('{"text": 7}'), SchemaMismatch),
        (answered("EXIT"), SchemaMismatch),
    ],
    ids=["refusal", "nothing", "half", "filter", "type", "not JSON"],
)
def test_tells_unusable_answers_apart(reply: Response, error: type[Exception]) -> None:
    """A refusal, the filter, the limit and a misfit are four errors, paid for, and never stored."""
    flow = ask(asking(schema=read_schema(SIGN)))
    until(flow, Send)
    settle = flow.send(reply)
    assert settle.ended.spent_usd == Decimal("0.00011")
    effect, count = settle, 1
    while not isinstance(effect, Release):
        count += isinstance(effect, Send)
        effect = flow.send(reply if isinstance(effect, Send) else ROUTINE.get(type(effect)))
    assert effect.record is None
    assert error_of(flow, effect, error).answer.cost_usd == count * Decimal("0.00011")


def test_gives_content_parts() -> None:
    """The parts of a message come with the images inline, and nothing is asked or sent."""
    flow = content_parts(asking(BytesRef(PNG), BytesRef(LARGE_PNG), model=GPT_4O, cache=False))
    prepare = next(flow)
    assert isinstance(prepare, Prepare)
    parts = value_at_end(flow, PreparedImage(b"small", "image/png", prepare.plan.size))
    assert parts[0] == {"type": "text", "text": "What is it?"}
    assert [part["image_url"]["detail"] for part in parts[1:]] == ["high", "high"]
    assert parts[2]["image_url"]["url"].endswith(b64encode(b"small").decode())


# --- what is held -------------------------------------------------------------------------------


def held(**options: Any) -> Any:
    return until(ask(asking(**options)), Reserve).hold


def test_holds_the_most_a_request_can_cost() -> None:
    """The hold covers text, image and the whole of what the model may write."""
    hold = held()
    assert hold.model == "gpt-6-luna"
    assert hold.tokens >= len("What is it?") + 1
    most = Decimal(128_000) * Decimal("0.5") / 10**6
    assert most < hold.usd_max < most + Decimal("0.0001")


def test_holds_no_more_than_the_asked_limit() -> None:
    """A limit on the answer is a limit on the hold."""
    assert held(max_output_tokens=10).usd_max < Decimal("0.0001")


def test_holds_for_all_the_text() -> None:
    """The system text and the schema are read by the model too, so they are held for."""
    bare = held()
    assert held(system="s" * 500).tokens == bare.tokens + 500
    long = {"type": "object", "properties": {"a": {"type": "string", "description": "d" * 900}}}
    assert held(schema=read_schema(long)).tokens > bare.tokens + 900


def test_a_hold_without_a_price_has_no_amount() -> None:
    """For a model without a price there is nothing to hold in dollars."""
    assert held(model=find("some-model")).usd_max is None


def test_a_file_id_adds_the_most_to_the_hold() -> None:
    """An uploaded image has no size here: the most an image may take is held, if that is known."""
    question = asking(FileId("file-1"), api="responses").question
    assert hold_for(question, [FileId("file-1")], {}).tokens == len("What is it?") + 2 + 3000
    free = replace(question, model=local_model("reader"))
    assert hold_for(free, [FileId("file-1")], {}).tokens == len("What is it?") + 2


# --- estimates ----------------------------------------------------------------------------------


def estimating(reference: Any, *names: str) -> Any:
    models = [(find(name), Look()) for name in names or ("gpt-6-luna",)]
    return estimate(reference, models, openai().media_types)


def test_estimates_from_the_head() -> None:
    """An estimate reads the first bytes alone, once for all models."""
    flow = estimating(ROOF, "gpt-6-luna", "gpt-4o")
    assert next(flow) == Load(ROOF, HEAD_BYTES)
    ((luna, gpt_4o),) = value_at_end(flow, Loaded(LARGE_PNG[:1000]))
    assert (luna.width_px, luna.sent_width_px, luna.model) == (4000, 4000, "gpt-6-luna")
    assert (gpt_4o.sent_width_px, gpt_4o.model) == (2048, "gpt-4o")
    assert luna.cost_usd > 0


def long_jpeg() -> bytes:
    """Give a JPEG header whose frame stands behind 70 KB of metadata."""
    padding = b"\xff\xe2\xff\xff" + bytes(0xFFFD)
    frame = b"\xff\xc0\x00\x11\x08" + b"\x00\x30\x00\x40" + b"\x03" + bytes(9)
    return b"\xff\xd8" + padding + padding[:2] + b"\x20\x02" + bytes(0x2000) + frame


def test_reads_on_where_the_header_is_long() -> None:
    """A header longer than the first bytes is read from the whole."""
    flow, data = estimating(ROOF), long_jpeg()
    next(flow)
    assert flow.send(Loaded(data[:HEAD_BYTES])) == Load(ROOF)
    ((made,),) = value_at_end(flow, Loaded(data))
    assert (made.width_px, made.height_px) == (64, 48)


def test_a_short_file_is_not_read_again() -> None:
    """A header cut in a file that was read whole is an error at once."""
    flow = estimating(ROOF)
    next(flow)
    with pytest.raises(ImageTruncated):
        flow.send(Loaded(PNG[:20]))


def test_a_file_id_cannot_be_measured() -> None:
    """An uploaded file has no size here, and the error names it."""
    with pytest.raises(BadReference, match="file-1"):
        next(estimating(FileId("file-1")))


def test_looked_at_hides_its_bytes() -> None:
    """What a flow holds of an image does not show its bytes in a traceback."""
    with pytest.raises(StopIteration) as stop:
        next(look_at(BytesRef(PNG), asking(cache=False)))
    (image,) = stop.value.value
    assert isinstance(image, LookedAt)
    assert "PNG" not in repr(image)


# --- metadata -----------------------------------------------------------------------------------


def test_metadata_is_not_sent() -> None:
    """What a file says of its maker is cut out of what is sent, and the answer says so."""
    flow = ask(asking(BytesRef(with_text_chunk(PNG)), cache=False))
    sent = until(flow, Send)
    assert sent_images(sent) == [PNG]
    answer = value_of(flow, flow.send(answered()))
    assert answer.images[0].notes == ("metadata cut out",)


def test_metadata_is_kept_on_request() -> None:
    """Asked to keep it, or for an engine in this process, every byte goes."""
    marked = with_text_chunk(PNG)
    kept = ask(asking(BytesRef(marked), cache=False, look=Look(keep_metadata=True)))
    assert sent_images(until(kept, Send)) == [marked]
    given = asking(BytesRef(marked), cache=False)
    here = ask(replace(given, engine=LOCAL))
    assert sent_images(until(here, Send)) == [marked]


def test_metadata_does_not_change_the_key() -> None:
    """The same picture with other metadata is the same question to the cache."""
    keys = [until(ask(asking(BytesRef(data))), Lookup).key for data in (PNG, with_text_chunk(PNG))]
    assert keys[0] == keys[1]


def test_a_known_picture_without_loss_is_seen_to_unpack_in_time() -> None:
    """A small PNG in a file is unpacked where it is read, and goes from there as it is."""
    flow, claim = asked_of_known(remembered_roof().picture)
    prepare = until(flow, Prepare, claim)
    assert not prepare.plan.encode
    send = until(flow, Send, flow.send(PreparedImage(PNG, "image/png", Size(8, 6))))
    assert not isinstance(send.request.content.pieces[1].content, bytes)
