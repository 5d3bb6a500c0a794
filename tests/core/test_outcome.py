"""From a reply to an answer, or to the error that says why there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from core.support import question
from eyeline.core.answer import SentImage
from eyeline.core.cost import Usage
from eyeline.core.outcome import (
    conclude,
    one_line,
    price_of,
    recall,
    record_of,
    remembered,
    reply_cost_usd,
)
from eyeline.core.parts import ImagePart, PreparedImage
from eyeline.core.question import Question
from eyeline.core.reply import Reply
from eyeline.core.schema import read_schema
from eyeline.core.size import Size
from eyeline.errors import AnswerCut, AnswerError, ContentFiltered, ModelRefused, SchemaMismatch

REPLY = Reply("EXIT 24", "stop", "gpt-6-luna-2026-09-01", Usage(1000, 20, 0, 8), "req_1")
IMAGES = (SentImage("a.jpg", "high", tokens=500), SentImage("file-1", "high"))
PARTS = (
    ImagePart("high", PreparedImage(b"abc", "image/png", Size(8, 6), ("PNG (graphics)",))),
    ImagePart("high", file_id="file-1"),
)
SCHEMA = read_schema({"type": "object", "properties": {"a": {"type": "integer"}}})
WITH_SCHEMA = question(schema=SCHEMA)


def test_an_answer() -> None:
    """The answer keeps the model that answered, the usage and our own count of image tokens."""
    answer = conclude(REPLY, question(), "openai", IMAGES, 1.5)
    assert (answer.text, answer.model, answer.engine) == ("EXIT 24", REPLY.model, "openai")
    assert answer.usage == Usage(1000, 20, 0, 8, 500)
    assert answer.cost_usd == Decimal("0.00011")
    assert (answer.images, answer.latency_s, answer.request_id) == (IMAGES, 1.5, "req_1")
    assert (answer.cached, answer.ending, answer.parsed) == (False, "stop", None)


def test_a_server_that_names_no_model() -> None:
    """Where the reply names no model, it is the one that was asked."""
    assert conclude(replace(REPLY, model=""), question(), "x", (), 0).model == "gpt-6-luna"


@pytest.mark.parametrize(
    ("answered", "asked", "has_price"),
    [
        ("gpt-4o-2024-08-06", "gpt-6-luna", True),
        ("alias-of-a-proxy", "gpt-6-luna", True),
        ("", "gpt-6-luna", True),
        ("alias-of-a-proxy", "another-alias", False),
    ],
)
def test_whose_price_counts(answered: str, asked: str, has_price: bool) -> None:
    """The price is that of the model that answered, else that of the one asked, else unknown."""
    reply = replace(REPLY, model=answered)
    assert (price_of(reply, question(asked)) is not None) is has_price
    assert (reply_cost_usd(reply, question(asked)) is not None) is has_price
    if answered.startswith("gpt-4o"):
        assert reply_cost_usd(reply, question(asked)) == Decimal("0.0027")


def test_a_cut_answer_that_is_still_of_use() -> None:
    """Text that ends at the limit is an answer that says so."""
    answer = conclude(replace(REPLY, ending="length"), question(), "openai", (), 0)
    assert (answer.text, answer.ending) == ("EXIT 24", "length")


@pytest.mark.parametrize(
    ("reply", "asked", "kind", "said"),
    [
        (replace(REPLY, ending="refusal", text="No."), question(), ModelRefused, "refused: No."),
        (replace(REPLY, ending="content_filter"), question(), ContentFiltered, "content filter"),
        (replace(REPLY, ending="length", text=""), question(), AnswerCut, "token limit"),
        (replace(REPLY, ending="length", text='{"a": 1'), WITH_SCHEMA, AnswerCut, "token limit"),
        (REPLY, WITH_SCHEMA, SchemaMismatch, "does not fit the schema (Expecting value"),
        (replace(REPLY, text='{"a": "x"}'), WITH_SCHEMA, SchemaMismatch, "$.a: 'x'"),
        (replace(REPLY, text='{"a": "x"}', ending="refusal"), WITH_SCHEMA, ModelRefused, "refused"),
    ],
)
def test_what_is_no_answer(
    reply: Reply, asked: Question, kind: type[AnswerError], said: str
) -> None:
    """An answer that cannot be used is an error that keeps it, with what was paid."""
    with pytest.raises(kind) as raised:
        conclude(reply, asked, "openai", IMAGES, 0)
    assert said in str(raised.value)
    assert raised.value.answer.text == reply.text
    assert raised.value.answer.cost_usd == Decimal("0.00011")


def test_a_parsed_answer() -> None:
    """With a schema the value is in `parsed`, nulls of the strict form taken out."""
    reply = replace(REPLY, text='{"a": null}')
    assert conclude(reply, WITH_SCHEMA, "openai", (), 0).parsed == {}


def test_what_the_reader_could_not_find_is_null() -> None:
    """The reader's own nulls stay in a plain value, also where the schema has no room for them."""
    reply = Reply('{"a": null}', "stop", "reader", Usage())
    assert conclude(reply, WITH_SCHEMA, "local", (), 0).parsed == {"a": None}
    with pytest.raises(SchemaMismatch):
        conclude(replace(reply, text="?"), WITH_SCHEMA, "local", (), 0)


def test_a_long_reason_is_cut() -> None:
    """A reason is one line, and not a page."""
    assert one_line("a\n  b\tc") == "a b c"
    assert len(one_line("x" * 999)) == 300


@pytest.mark.parametrize("asked", [question(), WITH_SCHEMA], ids=["text", "schema"])
def test_a_recalled_answer_is_the_one_that_was_kept(asked: Question) -> None:
    """What comes out of the cache is the answer as it was, cost nothing, and says it was cached."""
    first = conclude(replace(REPLY, text='{"a": 7}'), asked, "openai", IMAGES, 1.5)
    kept = json.loads(json.dumps(record_of(first, PARTS)))
    again = recall(kept, asked, "openai", IMAGES, 0.01)
    assert again == replace(first, cost_usd=Decimal(0), cached=True, latency_s=0.01)


def test_a_record_remembers_what_pixels_decided() -> None:
    """Type and notes of what was sent come back from the cache; its bytes do not."""
    kept = json.loads(json.dumps(record_of(conclude(REPLY, question(), "openai", (), 0), PARTS)))
    assert remembered(kept) == (replace(PARTS[0].prepared, content=b""), None)  # type: ignore[type-var]


def test_a_recalled_answer_must_fit_too() -> None:
    """A kept text that does not fit the schema is not passed off as one that does."""
    kept = record_of(conclude(REPLY, question(), "openai", (), 0), ())
    with pytest.raises(SchemaMismatch):
        recall(kept, WITH_SCHEMA, "openai", (), 0)
