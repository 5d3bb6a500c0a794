"""
The order of everything: reference → loaded → plan → draft → prepared → part → request → answer.

Each step stands here once, as a generator that yields what it wants done; drivers do it, blocking
or awaiting, and throw failures back in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from eyeline import answering
from eyeline.answering import PlanAnew, Ready
from eyeline.core.answer import Answer, SentImage
from eyeline.core.catalogue import Model
from eyeline.core.cost import worst_cost_usd
from eyeline.core.draft import Draft, PlannedImage, digest, draft
from eyeline.core.estimate import ImageEstimate, image_estimate
from eyeline.core.formats.parts import Missing, Parts
from eyeline.core.media import READ_IN_PARTS, ImageInfo, read_parts, sniff
from eyeline.core.outcome import recall, record_of, remembered, sent_record
from eyeline.core.pages import (
    DOCUMENTS,
    Page,
)
from eyeline.core.parts import ImagePart, PreparedImage, content, size_of
from eyeline.core.picture import ImageChanged
from eyeline.core.plan import Look, plan
from eyeline.core.question import Question
from eyeline.core.reference import (
    FileId,
    Reference,
    UrlRef,
    is_file_id,
)
from eyeline.core.tokens import Detail
from eyeline.effects import (
    Emit,
    Fingerprint,
    Flow,
    Lookup,
    Now,
    Record,
    Store,
)
from eyeline.errors import BadReference, FetchError, ImageNotSeen, ImageTruncated, SchemaMismatch
from eyeline.exchange import Asking
from eyeline.looking import (
    LookedAt,
    Seen,
    chosen_pages,
    file_of,
    load,
    look_at,
    look_at_all,
    measured,
    planned_image,
    prepare,
    prepare_all,
)
from eyeline.once import Outcome, once
from eyeline.policy.limits import Hold
from eyeline.uploading import upload_all

__all__ = [
    "LookedAt", "ask", "content_parts", "estimate", "file_of", "hold_for", "look_at", "look_at_all",
    "measure", "prepare", "prepare_all", "views",
]  # fmt: skip

# What is noted of a URL that goes as it is.
PASSED = ("passed as URL",)
# Enough for the headers of nearly every image; where it is not, the whole is read.
HEAD_BYTES = 64 * 1024
# As many parts of a file are asked for, before all of it is.
HEADER_PARTS_MAX = 16


@dataclass(frozen=True, slots=True)
class Posed:
    """A question with its images looked at and planned for; `started_s` is when it was asked."""

    asking: Asking
    images: Sequence[Seen]
    draft: Draft
    started_s: float


def ask(asking: Asking) -> Flow[Answer]:
    """Answer one question: from the cache if it was asked before, else by sending it."""
    started_s = yield Now()
    asking = in_dialect(asking)
    try:
        posed = yield from look_and_pose(asking, started_s)
        return (yield from answered(posed)).answer
    except ImageChanged:
        # Of a file just written nothing is remembered: this time its bytes are held.
        posed = yield from look_and_pose(asking, started_s)
        return (yield from answered(posed)).answer


def answered(posed: Posed, claimed: str = "") -> Flow[Outcome]:
    """Give what is known under the question's key, or pay; under a `claimed` key nothing is."""
    key, question = posed.draft.key(), posed.asking.question
    if not question.cache or key == claimed:
        return (yield from pay_in_dialect(posed))
    return (yield from once(key, question, partial(tell, posed), pay_in_dialect(posed)))


def in_dialect(asking: Asking) -> Asking:
    """Give a question as its server takes it: in media types, and in the API that it speaks."""
    dialect, question = asking.dialect, asking.question
    if dialect.takes_responses and not dialect.refused_types:
        return asking
    if not dialect.takes_responses and not any(map(is_file_id, question.references)):
        question = replace(question, api="chat")
    return replace(asking, question=question, engine=asking.engine.without(dialect.refused_types))


def look_and_pose(asking: Asking, started_s: float) -> Flow[Posed]:
    return pose(asking, (yield from look_at_all(asking)), started_s)


def pose(asking: Asking, images: Sequence[Seen], started_s: float) -> Posed:
    question = asking.question
    planned = tuple(planned_image(image, question.look.detail) for image in images)
    return Posed(asking, images, draft(question, asking.engine, planned), started_s)


def pay_in_dialect(posed: Posed) -> Flow[Outcome]:
    """
    Prepare and pay, and where a server's refusal shows that it wants other images, anew with those:
    images fetched in place of URLs may have been asked about before.
    """
    try:
        return (yield from prepare_and_pay(posed))
    except PlanAnew as anew:
        again = yield from look_and_pose(in_dialect(anew.asking), posed.started_s)
        return (yield from answered(again, posed.draft.key()))


def pay(posed: Posed, parts: tuple[ImagePart, ...]) -> Flow[Outcome]:
    """Ask the engine, whatever it costs."""
    asking, images = posed.asking, posed.images
    parts = yield from upload_all(posed.draft.images, parts, asking)
    detail = asking.question.look.detail
    sent = sent_images(images, (part.prepared for part in parts), detail)
    hold = partial(hold_for, asking.question, images, posed.draft.parameters)
    ready = Ready(posed.draft, parts, sent, posed.started_s, hold)
    answer = yield from answering.answer(ready, asking)
    return Outcome(answer, record_of(answer, parts) if answer.ending == "stop" else None)


# --- the cache ----------------------------------------------------------------------------------


def tell(posed: Posed, record: Record) -> Flow[Outcome | None]:
    """
    Give a recorded answer; None where it would be none today: a validator changed, or it was
    taken with the check of sight off.
    """
    question, engine = posed.asking.question, posed.asking.engine
    sent = sent_images(posed.images, remembered(record), question.look.detail)
    latency_s = (yield Now()) - posed.started_s
    try:
        answer = recall(record, question, engine.name, sent, latency_s)
    except (SchemaMismatch, ImageNotSeen):
        return None
    yield Emit(answer.text)
    return Outcome(answer, record)


def prepare_and_pay(posed: Posed) -> Flow[Outcome]:
    """
    Prepare the images, and pay, unless the same was sent before of images that came otherwise.
    """
    question = posed.asking.question
    parts = yield from prepare_all(posed.images, question.look.detail)
    shown = (yield from shown_images(posed.images, parts)) if question.cache else None
    if shown is None:
        return (yield from pay(posed, parts))

    def tell_of_these(record: Record) -> Flow[Outcome | None]:
        return tell(posed, {**record, "sent": sent_record(parts)})

    key = f"shown {replace(posed.draft, images=shown).key()}"
    return (yield from once(key, question, tell_of_these, pay(posed, parts)))


def shown_images(
    images: Iterable[Seen], parts: Iterable[ImagePart]
) -> Flow[tuple[PlannedImage, ...] | None]:
    """
    Name images by what is sent of them, where more can be told of it than how they came; None where
    it is the same for all.
    """
    named, is_new = [], False
    for image, part in zip(images, parts, strict=True):
        name = ""
        if isinstance(image, LookedAt) and part.prepared:
            name = yield from shown_name(image, part.prepared)
        shown = PlannedImage(f"{name} {part.detail}", None)
        named.append(shown if name else planned_image(image, part.detail or "auto"))
        is_new = is_new or bool(name)
    return tuple(named) if is_new else None


def shown_name(image: LookedAt, prepared: PreparedImage) -> Flow[str]:
    """
    Name what is sent of an image: by its pixels where it came without loss, by its bytes where it
    was encoded here. "" for what came with loss and goes as it is, which is not decoded for this.
    """
    if not image.info.is_lossless:
        return f"bytes {digest(prepared.data)}" if image.plan.encode else ""
    if image.plan.encode:
        return named_pixels((yield Fingerprint(prepared)))
    known = yield Lookup(key := f"pixels {image.digest}")
    if known is None:
        known = {"pixels": (yield Fingerprint(prepared))}
        yield Store(key, known)
    return named_pixels(known["pixels"])


def named_pixels(fingerprint: str) -> str:
    return f"pixels {fingerprint}" if fingerprint else ""


# --- without asking -------------------------------------------------------------------------------


def views(asking: Asking) -> Flow[list[tuple[LookedAt, PreparedImage]]]:
    """Give each image as it would be sent, and send nothing."""
    seen = []
    for image in (yield from look_at_all(asking)):
        if not isinstance(image, LookedAt):
            raise BadReference(str(image), "a file id, expected an image that can be shown here")
        seen.append((image, (yield from prepare(image))))
    return seen


def content_parts(asking: Asking) -> Flow[list[dict[str, Any]]]:
    """Give the content parts of one message, for a client of the user's own."""
    images = yield from look_at_all(asking)
    parts = yield from prepare_all(images, asking.question.look.detail)
    return content(asking.question.prompt, parts, asking.question.api)


def sent_images(
    images: Iterable[Seen], prepared: Iterable[PreparedImage | None], detail: Detail
) -> tuple[SentImage, ...]:
    """Say what was sent for each image; bytes are 0 where nothing was, this time."""
    return tuple(
        sent_image(image, each) if each and isinstance(image, LookedAt)
        else SentImage(str(image), detail=detail, notes=PASSED if isinstance(image, UrlRef) else ())
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
        sent_bytes=size_of(prepared.content),
        tokens=image.plan.tokens,
        notes=(*image.plan.notes, *prepared.notes),
        orientation=image.plan.orientation,
    )


def hold_for(
    question: Question,
    images: Iterable[Seen],
    parameters: Mapping[str, Any],
    more_text: str = "",
) -> Hold:
    """Say what a request may use at most: a token is never shorter than a byte of text."""
    # A schema is read by the model too, and may be longer than the prompt.
    text = (
        question.prompt + (question.system or "") + more_text + json.dumps(parameters, default=str)
    )
    image_tokens = sum(tokens_max(image, question) for image in images)
    input_tokens = image_tokens + len(text.encode())
    output_tokens = question.max_output_tokens or question.model.max_output_tokens
    usd_max = worst_cost_usd(input_tokens, output_tokens, question.model.price)
    return Hold(question.model.name, input_tokens, usd_max)


def tokens_max(image: Seen, question: Question) -> int:
    """Give the most an image may take; of one that is sent by its name the size is not known."""
    if isinstance(image, LookedAt):
        return image.plan.tokens
    rule = question.model.rule
    return rule.tokens_max(question.look.detail) if rule else 0


# --- estimates ----------------------------------------------------------------------------------


def measure(reference: Reference) -> Flow[tuple[Page, ...]]:
    """
    Read what an image is from its first bytes; where its header is longer, or stands elsewhere,
    from the parts that hold it, or from all of it.
    """
    if isinstance(reference, FileId):
        found = "a file id, expected an image that can be measured here"
        raise BadReference(str(reference), found)
    head = yield from load(reference, HEAD_BYTES)
    kind = sniff(head.data)
    if len(head.data) < HEAD_BYTES or kind not in DOCUMENTS:
        try:
            return (yield from measured(head, reference))
        except ImageTruncated:
            if len(head.data) < HEAD_BYTES:
                raise
    if head.size_bytes and kind in READ_IN_PARTS:
        pages = yield from measured_by_parts(head.data, head.size_bytes, reference)
        if pages:
            return chosen_pages(pages, reference)
    return (yield from measured((yield from load(reference)), reference))


def measured_by_parts(
    head: bytes, size_bytes: int, reference: Reference
) -> Flow[tuple[ImageInfo, ...]]:
    """Read a header wherever it stands; give nothing where that takes too many parts."""
    parts = Parts(size_bytes, {0: head})
    for _ in range(HEADER_PARTS_MAX):
        try:
            return read_parts(parts, head, str(file_of(reference)))
        except Missing as missing:
            if not parts.reads_left:
                return ()
            wanted = max(HEAD_BYTES, missing.size_bytes)
            try:
                part = yield from load(reference, wanted, missing.at)
            except FetchError:  # from a server that gives beginnings alone
                return ()
            parts.parts[missing.at] = part.data
    return ()


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
