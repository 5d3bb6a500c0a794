"""
From what an engine said to what the user gets: an answer, or the error that says why there is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from eyeline.core import catalogue
from eyeline.core.answer import Answer, SentImage
from eyeline.core.catalogue import READER
from eyeline.core.cost import FREE, Price, Usage, cost_usd
from eyeline.core.parts import ImagePart, PreparedImage
from eyeline.core.question import Question
from eyeline.core.reply import Reply
from eyeline.core.size import Size
from eyeline.errors import (
    AnswerCut,
    ContentFiltered,
    ImageNotSeen,
    ModelRefused,
    SchemaMismatch,
)

USAGE = tuple(field.name for field in fields(Usage))


def price_of(reply: Reply, question: Question) -> Price | None:
    """
    Give the price of the model that answered, or where its name is unknown of the one asked; the
    user's own price for that one comes before both.
    """
    if question.model.overridden:
        return question.model.price
    return catalogue.find(reply.model).price or question.model.price


def reply_cost_usd(reply: Reply, question: Question) -> Decimal | None:
    return cost_usd(reply.usage, price_of(reply, question))


def conclude(
    reply: Reply, question: Question, engine: str, images: tuple[SentImage, ...], latency_s: float
) -> Answer:
    """
    Make the answer of a reply.

    Raises ImageNotSeen, ModelRefused, ContentFiltered, AnswerCut or SchemaMismatch, each with the
    answer inside.
    """
    answer = Answer(
        text=reply.text,
        model=reply.model or question.model.name,
        engine=engine,
        usage=with_image_tokens(reply.usage, estimated(images)),
        cost_usd=reply_cost_usd(reply, question),
        images=images,
        ending="length" if reply.ending == "length" else "stop",
        request_id=reply.request_id,
        latency_s=latency_s,
    )
    refuse_unseen(answer, question)
    match reply.ending:
        case "refusal":
            raise ModelRefused(answer, reply.text)
        case "content_filter":
            raise ContentFiltered(answer)
        case "length" if question.schema or not reply.text:
            raise AnswerCut(answer)
    return parsed(answer, question)


def estimated(images: Iterable[SentImage]) -> int | None:
    """Sum the tokens that are known of images; None where of all nothing is."""
    known = [image.tokens for image in images if image.tokens is not None]
    return sum(known) if known else None


def with_image_tokens(usage: Usage, image_tokens: int | None) -> Usage:
    """Give the usage with our estimate; written out, for `replace` takes three times as long."""
    return Usage(
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        usage.reasoning_tokens,
        image_tokens,
    )


def refuse_unseen(answer: Answer, question: Question) -> None:
    """
    Raise ImageNotSeen where the usage leaves no room for the images: then they were dropped.

    Billing may differ by a token an image; where the catalogue is not sure of a model's rule, half
    is enough, and where it only guesses nothing can be said. Nor where another model than the one
    asked says that it answered: llama.cpp takes any name, and counts images as its own model does.
    """
    model, billed = question.model, answer.usage.input_tokens
    is_other = answer.model != model.name and not catalogue.find(answer.model).known
    if not question.sight_check or model.rule_is == "a guess" or is_other or billed is None:
        return
    counted = [image.tokens for image in answer.images if image.tokens]
    least = sum(counted) - len(counted) if model.rule_is == "sure" else sum(counted) // 2
    if billed < least:
        raise ImageNotSeen(answer, billed, sum(counted))


def parsed(answer: Answer, question: Question) -> Answer:
    if question.schema is None:
        return answer
    try:
        if answer.model == READER and question.schema.kind is None:
            # What the reader could not find is null, also where the schema has no room for null.
            return replace(answer, parsed=json.loads(answer.text))
        return replace(answer, parsed=question.schema.parse(answer.text))
    except ValueError as error:
        raise SchemaMismatch(answer, one_line(str(error))) from None


def one_line(text: str, length_max: int = 300) -> str:
    return " ".join(text.split())[:length_max]


def record_of(answer: Answer, parts: Iterable[ImagePart]) -> dict[str, Any]:
    """Give what the cache keeps: the answer, and of its images only what their pixels decided."""
    return {
        "text": answer.text,
        "model": answer.model,
        "usage": {name: getattr(answer.usage, name) for name in USAGE},
        "request_id": answer.request_id,
        "sent": sent_record(parts),
    }


def sent_record(parts: Iterable[ImagePart]) -> list[Any]:
    """Give what a record keeps of the images: what their pixels decided."""
    return [
        part.prepared and [part.prepared.media_type, part.prepared.size, part.prepared.notes]
        for part in parts
    ]


def remembered(record: Mapping[str, Any]) -> tuple[PreparedImage | None, ...]:
    """Give the images that a recorded answer was given for, without their bytes."""
    return tuple(
        each and PreparedImage(b"", each[0], Size(*each[1]), tuple(each[2]))
        for each in record["sent"]
    )


def recall(
    record: Mapping[str, Any],
    question: Question,
    engine: str,
    images: tuple[SentImage, ...],
    latency_s: float,
) -> Answer:
    """
    Make the answer of a cached record; nothing was paid for it this time.

    Raises ImageNotSeen or SchemaMismatch where it would be none today.
    """
    answer = Answer(
        text=record["text"],
        model=record["model"],
        engine=engine,
        usage=Usage(**record["usage"]),
        cost_usd=FREE,
        images=images,
        cached=True,
        request_id=record["request_id"],
        latency_s=latency_s,
    )
    refuse_unseen(answer, question)
    return parsed(answer, question)
