"""
The order of everything: reference → loaded → plan → draft → prepared → part → request → answer.

Each step stands here once, as a generator that yields what it wants done; drivers do it, blocking
or awaiting, and throw failures back in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from eyeline.core.answer import Answer, SentImage
from eyeline.core.catalogue import Model
from eyeline.core.cost import worst_cost_usd
from eyeline.core.dataurl import decode_data_url
from eyeline.core.draft import PlannedImage, digest, draft
from eyeline.core.estimate import ImageEstimate, image_estimate
from eyeline.core.media import ImageInfo, read_info
from eyeline.core.metadata import cut_metadata
from eyeline.core.outcome import conclude, recall, record_of
from eyeline.core.parts import ImagePart, PreparedImage, content
from eyeline.core.plan import PreparePlan, plan
from eyeline.core.question import Question
from eyeline.core.reference import BytesRef, DataUrlRef, FileId, Reference
from eyeline.core.request import build
from eyeline.core.tokens import Detail
from eyeline.core.whole import check_whole
from eyeline.effects import Emit, Flow, Load, Lookup, Now, Prepare, Store
from eyeline.errors import BadReference, ImageTruncated, SchemaMismatch
from eyeline.exchange import Asking, attempt
from eyeline.policy.limits import Hold

# Enough for the headers of nearly every image; where it is not, the whole is read.
HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class LookedAt:
    """
    An image with its bytes, what its header says, and the plan for it.

    `digest` names the picture: its bytes without metadata.
    """

    source: str
    data: bytes = field(repr=False)
    info: ImageInfo
    plan: PreparePlan
    digest: str


def ask(asking: Asking) -> Flow[Answer]:
    """Answer one question: from the cache if it was asked before, else by sending it."""
    started_s = yield Now()
    question, engine = asking.question, asking.engine
    images = yield from look_at_all(asking)
    drafted = draft(question, engine, tuple(map(planned_image, images)))
    key = drafted.key()
    record = (yield Lookup(key)) if question.cache else None
    if record is not None:
        sent = tuple(sent_image(image, None, question.detail) for image in images)
        # A record that no longer fits its schema, since a validator changed, is a miss.
        with suppress(SchemaMismatch):
            answer = recall(record, question, engine.name, sent, (yield Now()) - started_s)
            yield Emit(answer.text)
            return answer
    parts = yield from prepare_all(images, question.detail)
    request = build(drafted, parts, stream=asking.stream, timeout_s=question.timeout_s)
    reply = yield from attempt(request, asking, hold_for(question, images, drafted.parameters))
    sent = tuple(
        sent_image(image, part.prepared, question.detail)
        for image, part in zip(images, parts, strict=True)
    )
    latency_s = (yield Now()) - started_s
    answer = conclude(reply, question, engine.name, sent, latency_s)
    if question.cache and answer.ending == "stop":
        yield Store(key, record_of(answer))
    return answer


# --- images -------------------------------------------------------------------------------------


def look_at_all(asking: Asking) -> Flow[list[LookedAt | FileId]]:
    """Load every image and plan for it; a bad one raises before anything is sent."""
    images: list[LookedAt | FileId] = []
    for reference in asking.question.references:
        if isinstance(reference, FileId):
            images.append(reference)
        else:
            images.append((yield from look_at(reference, asking)))
    return images


def look_at(reference: Reference, asking: Asking) -> Flow[LookedAt]:
    question, source = asking.question, str(reference)
    data = yield from load(reference)
    info = read_info(data, source)
    planned = plan(info, question.model, question.detail, asking.engine.media_types, source)
    bare = cut_metadata(data, info.media_type)
    if not planned.encode:
        check_whole(data, info.media_type, source)
        # What stays in this process may keep it.
        keeps = question.keep_metadata or asking.engine.is_local
        if len(bare) < len(data) and not keeps:
            data, planned = bare, replace(planned, notes=(*planned.notes, "metadata cut out"))
    return LookedAt(source, data, info, planned, digest(bare))


def load(reference: Reference, bytes_max: int | None = None) -> Flow[bytes]:
    """Give the bytes of a reference; those it carries itself need no effect."""
    match reference:
        case BytesRef(data):
            return data
        case DataUrlRef(url):
            return decode_data_url(url, str(reference))
        case _:
            loaded: bytes = yield Load(reference, bytes_max)
            return loaded


def prepare_all(images: Iterable[LookedAt | FileId], detail: Detail) -> Flow[tuple[ImagePart, ...]]:
    parts = []
    for image in images:
        if isinstance(image, FileId):
            parts.append(ImagePart(detail, file_id=image.id))
        else:
            parts.append(ImagePart(detail, (yield from prepare(image))))
    return tuple(parts)


def prepare(image: LookedAt) -> Flow[PreparedImage]:
    """Give an image ready to send; what is already right goes byte for byte."""
    if not image.plan.encode:
        return PreparedImage(image.data, image.plan.media_type, image.plan.size)
    prepared: PreparedImage = yield Prepare(image.data, image.plan, image.source)
    return prepared


def planned_image(image: LookedAt | FileId) -> PlannedImage:
    if isinstance(image, FileId):
        return PlannedImage(image.id, None)
    return PlannedImage(image.digest, replace(image.plan, notes=()))


def content_parts(asking: Asking) -> Flow[list[dict[str, Any]]]:
    """Give the content parts of one message, for a client of the user's own."""
    images = yield from look_at_all(asking)
    parts = yield from prepare_all(images, asking.question.detail)
    return content(asking.question.prompt, parts, asking.question.api)


def sent_image(
    image: LookedAt | FileId, prepared: PreparedImage | None, detail: Detail
) -> SentImage:
    """Say what was sent for one image; without `prepared` nothing was, this time."""
    if isinstance(image, FileId):
        return SentImage(image.id, detail=detail)
    return SentImage(
        source=image.source,
        detail=detail,
        media_type=image.info.media_type,
        width_px=image.info.size.width_px,
        height_px=image.info.size.height_px,
        sent_media_type=image.plan.media_type,
        sent_width_px=image.plan.size.width_px,
        sent_height_px=image.plan.size.height_px,
        sent_bytes=len(prepared.data) if prepared else 0,
        tokens=image.plan.tokens,
        notes=image.plan.notes,
    )


def hold_for(
    question: Question, images: Iterable[LookedAt | FileId], parameters: Mapping[str, Any]
) -> Hold:
    """Say what a request may use at most: a token is never shorter than a byte of text."""
    # A schema is read by the model too, and may be longer than the prompt.
    text = question.prompt + (question.system or "") + json.dumps(parameters, default=str)
    image_tokens = sum(image.plan.tokens for image in images if isinstance(image, LookedAt))
    input_tokens = image_tokens + len(text.encode())
    output_tokens = question.max_output_tokens or question.model.max_output_tokens
    usd_max = worst_cost_usd(input_tokens, output_tokens, question.model.price)
    return Hold(question.model.name, input_tokens, usd_max)


# --- estimates ----------------------------------------------------------------------------------


def measure(reference: Reference) -> Flow[ImageInfo]:
    """
    Read what an image is from its first bytes, or from all of them where its header is longer.
    """
    source = str(reference)
    if isinstance(reference, FileId):
        raise BadReference(source, "a file id, expected an image that can be measured here")
    head = yield from load(reference, HEAD_BYTES)
    try:
        return read_info(head, source)
    except ImageTruncated:
        if len(head) < HEAD_BYTES:
            raise
    return read_info((yield from load(reference)), source)


def estimate(
    reference: Reference, models: Iterable[tuple[Model, Detail]], media_types: frozenset[str]
) -> Flow[tuple[ImageEstimate, ...]]:
    """Estimate one image under each model; no pixel is decoded and nothing is sent."""
    info, source = (yield from measure(reference)), str(reference)
    return tuple(
        image_estimate(info, plan(info, model, detail, media_types, source), model, source)
        for model, detail in models
    )
