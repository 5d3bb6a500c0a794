"""Uploading prepared images, as flows: each once for what it is; inline where that fails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from eyeline.core.cost import FREE, Usage
from eyeline.core.draft import PlannedImage
from eyeline.core.failure import api_error
from eyeline.core.parts import ImagePart, PreparedImage
from eyeline.core.reply import Reply
from eyeline.core.upload import File, file_key, read_file, upload_request
from eyeline.core.wire import Request
from eyeline.effects import (
    Claim,
    Date,
    Flow,
    KeepUploaded,
    Learn,
    Record,
    Release,
    Send,
    Ticket,
    Uploaded,
)
from eyeline.errors import ApiError, EngineError, UnexpectedResponse
from eyeline.exchange import Asking, attempt
from eyeline.policy.limits import Hold

# A file that ends sooner is not counted on any more.
MARGIN_S = 3600.0
# Statuses of servers that have no files at all.
NO_FILES = {404, 405, 501}


@dataclass(frozen=True, slots=True)
class Filed(Reply):
    """What came of an upload; it is no answer, and costs nothing."""

    body: bytes = b""


def upload_all(
    images: Iterable[PlannedImage], parts: tuple[ImagePart, ...], asking: Asking
) -> Flow[tuple[ImagePart, ...]]:
    """Give the parts with the ids of their images' files, where that is asked for and possible."""
    question = asking.question
    is_possible = question.api == "responses" and not asking.engine.is_local
    if not (question.upload and is_possible and asking.dialect.takes_files):
        return parts
    made: list[ImagePart] = []
    for image, part in zip(images, parts, strict=True):
        if part.prepared:
            key = file_key(asking.account, image, part.prepared)
            part = yield from uploaded(replace(part, file_key=key), part.prepared, asking)
        made.append(part)
    return tuple(made)


def uploaded(part: ImagePart, image: PreparedImage, asking: Asking) -> Flow[ImagePart]:
    """Give a part with its image's file: known, being uploaded right now, or uploaded here."""
    key = part.file_key
    ticket, record = Ticket(key), None
    try:
        given = (yield Claim(ticket, asking.question.timeout_s)) or (yield Uploaded(key))
        now_s: float = yield Date()
        if given and given["ends_s"] - MARGIN_S > now_s:
            record = given
        else:
            record = yield from upload(image, key, asking, now_s)
            yield KeepUploaded(key, record)
    except EngineError as error:
        if isinstance(error, ApiError) and error.status in NO_FILES:
            yield Learn(asking.engine.base_url, replace(asking.dialect, takes_files=False))
        why = f"status {error.status}" if isinstance(error, ApiError) else type(error).__name__
        return noted(replace(part, file_key=""), image, f"sent inline, not uploaded ({why})")
    finally:
        yield Release(ticket, record)
    return noted(replace(part, file_id=record["id"]), image, f"uploaded as {record['id']}")


def noted(part: ImagePart, image: PreparedImage, note: str) -> ImagePart:
    return replace(part, prepared=replace(image, notes=(*image.notes, note)))


def upload(image: PreparedImage, key: str, asking: Asking, now_s: float) -> Flow[Record]:
    """Upload an image, in a line of its own, for uploads have other limits than questions."""
    request = upload_request(image, key, asking.question.timeout_s)
    filed: Filed = yield from attempt(request, asking, Hold("files", 0, FREE), exchange_file)
    try:
        file: File = read_file(filed.body, now_s)
    except ValueError as error:
        raise UnexpectedResponse(asking.engine.name, str(error)) from None
    return {"id": file.id, "ends_s": file.ends_s}


def exchange_file(request: Request, asking: Asking) -> Flow[Filed]:
    response = yield Send(request)
    if response.status >= 300:
        raise api_error(asking.engine.name, response, asking.question.model.name)
    return Filed("", "stop", "", Usage(), body=response.body)


def forget(parts: Iterable[ImagePart]) -> Flow[None]:
    """Forget the files of images that turned out gone."""
    for part in parts:
        if part.file_key:
            yield KeepUploaded(part.file_key, {})
