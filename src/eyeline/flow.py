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
from eyeline.core.dataurl import declared_type, decode_data_url
from eyeline.core.draft import PlannedImage, digest, draft
from eyeline.core.estimate import ImageEstimate, image_estimate
from eyeline.core.media import PDF, ImageInfo, read_pages, sniff
from eyeline.core.metadata import cut_metadata
from eyeline.core.outcome import conclude, recall, record_of, remembered
from eyeline.core.pages import (
    DOCUMENTS,
    Page,
    choose_pages,
    misnamed,
    pdf_pages,
    refuse_too_many,
)
from eyeline.core.parts import ImagePart, PreparedImage, content
from eyeline.core.plan import Look, PreparePlan, plan
from eyeline.core.question import Question
from eyeline.core.reference import BytesRef, DataUrlRef, FileId, Loaded, PageRef, Reference
from eyeline.core.request import build
from eyeline.core.tokens import Detail
from eyeline.core.whole import check_whole
from eyeline.effects import Emit, Flow, Load, Lookup, Now, Pages, Prepare, Store
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
    detail = question.look.detail
    record = (yield Lookup(key)) if question.cache else None
    if record is not None:
        sent = sent_images(images, remembered(record), detail)
        # A record that no longer fits its schema, since a validator changed, is a miss.
        with suppress(SchemaMismatch):
            answer = recall(record, question, engine.name, sent, (yield Now()) - started_s)
            yield Emit(answer.text)
            return answer
    parts = yield from prepare_all(images, detail)
    request = build(drafted, parts, stream=asking.stream, timeout_s=question.timeout_s)
    reply = yield from attempt(request, asking, hold_for(question, images, drafted.parameters))
    sent = sent_images(images, (part.prepared for part in parts), detail)
    latency_s = (yield Now()) - started_s
    answer = conclude(reply, question, engine.name, sent, latency_s)
    if question.cache and answer.ending == "stop":
        yield Store(key, record_of(answer, parts))
    return answer


# --- images -------------------------------------------------------------------------------------


def look_at_all(asking: Asking) -> Flow[list[LookedAt | FileId]]:
    """Load every image and plan for it; a bad one raises before anything is sent."""
    images: list[LookedAt | FileId] = []
    for reference in asking.question.references:
        if isinstance(reference, FileId):
            images.append(reference)
        else:
            images += yield from look_at(reference, asking)
    refuse_too_many(len(images))
    return images


def look_at(reference: Reference, asking: Asking) -> Flow[list[LookedAt]]:
    """Load an image, or each page of a document, and plan for it."""
    loaded = yield from load(reference)
    pages = yield from measured(loaded, reference)
    noted = misnamed(reference, loaded.declared, pages[0][1].media_type)
    bare = cut_metadata(loaded.data, pages[0][1].media_type)
    return [planned(page, Encoded(loaded.data, bare, noted), asking) for page in pages]


@dataclass(frozen=True, slots=True)
class Encoded:
    """The bytes of one file, whole and without metadata, and what there is to note of them."""

    data: bytes = field(repr=False)
    bare: bytes = field(repr=False)
    notes: tuple[str, ...] = ()


def planned(page: Page, encoded: Encoded, asking: Asking) -> LookedAt:
    """Plan for one page; what goes as it is must be all there, and goes without its metadata."""
    source, info = page
    question = asking.question
    # An animation's other frames stand in what counts as metadata of a still picture.
    data = encoded.bare if info.frames == 1 else encoded.data
    made = plan(info, question.model, question.look, asking.engine.media_types, source)
    notes = [*encoded.notes, *made.notes]
    if not made.encode:
        check_whole(encoded.data, info.media_type, source)
        # What stays in this process may keep it.
        if question.look.keep_metadata or asking.engine.is_local:
            data = encoded.data
        elif len(data) < len(encoded.data):
            notes.append("metadata cut out")
    return LookedAt(source, data, info, replace(made, notes=tuple(notes)), digest(encoded.bare))


def load(reference: Reference, bytes_max: int | None = None) -> Flow[Loaded]:
    """Give the bytes of a reference; those it carries itself need no effect."""
    match reference:
        case BytesRef(data):
            return Loaded(data)
        case DataUrlRef(url):
            return Loaded(decode_data_url(url, str(reference)), declared_type(url))
        case PageRef(file):
            return (yield from load(file, bytes_max))
        case _:
            loaded: Loaded = yield Load(reference, bytes_max)
            return loaded


def measured(loaded: Loaded, reference: Reference) -> Flow[tuple[Page, ...]]:
    """Read what the bytes are, page by page; a PDF is measured by whoever can read it."""
    data, file = loaded.data, reference.file if isinstance(reference, PageRef) else reference
    if sniff(data) == PDF:
        pages = pdf_pages((yield Pages(data, str(file))))
    else:
        pages = read_pages(data, str(file))
    number = reference.number if isinstance(reference, PageRef) else None
    return choose_pages(pages, number, str(file))


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


def views(asking: Asking) -> Flow[list[tuple[LookedAt, PreparedImage]]]:
    """Give each image as it would be sent, and send nothing."""
    seen = []
    for image in (yield from look_at_all(asking)):
        if isinstance(image, FileId):
            raise BadReference(image.id, "a file id, expected an image that can be shown here")
        seen.append((image, (yield from prepare(image))))
    return seen


def content_parts(asking: Asking) -> Flow[list[dict[str, Any]]]:
    """Give the content parts of one message, for a client of the user's own."""
    images = yield from look_at_all(asking)
    parts = yield from prepare_all(images, asking.question.look.detail)
    return content(asking.question.prompt, parts, asking.question.api)


def sent_images(
    images: Iterable[LookedAt | FileId], prepared: Iterable[PreparedImage | None], detail: Detail
) -> tuple[SentImage, ...]:
    """Say what was sent for each image; bytes are 0 where nothing was, this time."""
    return tuple(
        sent_image(image, each) if each and isinstance(image, LookedAt)
        else SentImage(str(image), detail=detail)
        for image, each in zip(images, prepared, strict=True)
    )  # fmt: skip


def sent_image(image: LookedAt, prepared: PreparedImage) -> SentImage:
    return SentImage(
        source=image.source,
        detail=image.plan.detail,
        media_type=image.info.media_type,
        width_px=image.info.size.width_px,
        height_px=image.info.size.height_px,
        sent_media_type=prepared.media_type,
        sent_width_px=image.plan.size.width_px,
        sent_height_px=image.plan.size.height_px,
        sent_bytes=len(prepared.data),
        tokens=image.plan.tokens,
        notes=(*image.plan.notes, *prepared.notes),
        orientation=image.plan.orientation,
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


def measure(reference: Reference) -> Flow[tuple[Page, ...]]:
    """
    Read what an image is from its first bytes, or from all of them where its header is longer.
    """
    if isinstance(reference, FileId):
        found = "a file id, expected an image that can be measured here"
        raise BadReference(str(reference), found)
    head = yield from load(reference, HEAD_BYTES)
    if len(head.data) < HEAD_BYTES or sniff(head.data) not in DOCUMENTS:
        try:
            return (yield from measured(head, reference))
        except ImageTruncated:
            if len(head.data) < HEAD_BYTES:
                raise
    return (yield from measured((yield from load(reference)), reference))


def estimate(
    reference: Reference, models: Iterable[tuple[Model, Look]], media_types: frozenset[str]
) -> Flow[tuple[tuple[ImageEstimate, ...], ...]]:
    """Estimate each page of an image under each model; no pixel is decoded, nothing is sent."""
    models, pages = tuple(models), (yield from measure(reference))
    return tuple(
        tuple(
            image_estimate(info, plan(info, model, look, media_types, source), model, source)
            for model, look in models
        )
        for source, info in pages
    )
