"""Looking at images, as flows: known or loaded, measured, planned for, and at last prepared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple, TypeGuard, cast

from eyeline.core.dataurl import declared_type, decode_data_url
from eyeline.core.draft import PlannedImage, digest
from eyeline.core.guard import HostUnreachable
from eyeline.core.media import PDF, ImageInfo, read_pages, sniff
from eyeline.core.metadata import cut_metadata, walked
from eyeline.core.pages import Page, choose_pages, misnamed, pdf_pages, refuse_too_many
from eyeline.core.parts import Encoded, ImagePart, PreparedImage, Stored
from eyeline.core.picture import Picture, Sighting
from eyeline.core.plan import PreparePlan, plan
from eyeline.core.reference import (
    BytesRef,
    DataUrlRef,
    FileId,
    FileRef,
    Loaded,
    PageRef,
    Reference,
    UrlRef,
)
from eyeline.core.tokens import Detail
from eyeline.core.urls import is_passed
from eyeline.core.whole import check_pixels, check_whole, is_unpacked_here
from eyeline.effects import Flow, Known, Load, Pages, Prepare, Recognise, Remember
from eyeline.exchange import Asking


@dataclass(frozen=True, slots=True)
class LookedAt:
    """
    An image, what its header says, and the plan for it.

    `content` is prepared or sent; of a file that is remembered it is read only then. `digest` names
    the picture: its bytes without metadata.
    """

    source: str
    content: Encoded = field(repr=False)
    info: ImageInfo
    plan: PreparePlan
    digest: str


# To read a smaller file again takes longer than to hold it is worth.
HELD_BYTES_MAX = 2**18
# What is not looked up among files: nothing is remembered of it.
UNSEEN = Sighting("", None)
# What is sent by its name: no byte of it comes here.
Named = FileId | UrlRef
Seen = LookedAt | Named


def is_named(reference: Reference, asking: Asking) -> TypeGuard[Named]:
    """Say whether an image is sent by its name; with a limit on its tokens it must be prepared."""
    question = asking.question
    if isinstance(reference, UrlRef) and question.look.max_tokens is None:
        return is_passed(reference.url, question.urls, asking.engine, asking.dialect)
    return isinstance(reference, FileId)


def look_at_all(asking: Asking) -> Flow[list[Seen]]:
    """Plan for every image; a bad one raises before anything is sent."""
    images: list[Seen] = []
    for reference in asking.question.references:
        if is_named(reference, asking):
            images.append(reference)
            continue
        try:
            images += yield from look_at(reference, asking)
        except HostUnreachable:
            # Behind a proxy, say, the engine may reach what is not reached from here.
            if asking.question.urls != "auto" or not is_named(reference, passing(asking)):
                raise
            images.append(reference)
    refuse_too_many(len(images))
    return images


def passing(asking: Asking) -> Asking:
    """Give a question with its URLs passed on, as far as that may help at all."""
    return replace(asking, question=replace(asking.question, urls="pass"))


def look_at(reference: Reference, asking: Asking) -> Flow[list[LookedAt]]:
    """Plan for an image, or each page of a document; a file that is known is not read for it."""
    file = file_of(reference)
    # Before it is loaded: what is written meanwhile must not pass for what was read.
    is_file = isinstance(file, FileRef) and asking.question.cache
    sighting: Sighting = (yield Known(cast(FileRef, file))) if is_file else UNSEEN
    if sighting.picture is not None:
        chosen = planned_pages(sighting.picture, reference, "", asking)
        if sighting.picture.is_whole or all(image.plan.encode for image in chosen):
            return stored(chosen, sighting, sighting.picture, asking)
    loaded = yield from load(reference)
    looked = yield from look_into(loaded, reference, asking)
    if asking.question.cache:
        yield Remember(sighting, looked.picture)
    if sighting.read is None or len(loaded.data) <= HELD_BYTES_MAX:
        return [filled(image, loaded.data, looked.bare, asking) for image in looked.images]
    return stored(looked.images, sighting, looked.picture, asking)


class LookedInto(NamedTuple):
    """What bytes show: they without their metadata, what to remember of them, and the plans."""

    bare: bytes
    picture: Picture
    images: list[LookedAt]


def look_into(loaded: Loaded, reference: Reference, asking: Asking) -> Flow[LookedInto]:
    """Read what bytes show, unless the same were looked into before."""
    name = digest(loaded.data)
    picture: Picture | None = (yield Recognise(name)) if asking.question.cache else None
    if picture is not None:
        chosen = planned_pages(picture, reference, loaded.declared, asking)
        return LookedInto(loaded.data, picture, chosen)
    data, pages = loaded.data, (yield from all_pages(loaded, file_of(reference)))
    walk = walked(data, pages[0].media_type)
    bare = cut_metadata(data, pages[0].media_type, walk)
    # An animation's other frames stand in what counts as metadata of a still picture.
    is_named = bare is data or pages[0].frames > 1
    picture = Picture(pages, name if is_named else digest(bare), bare is not data, len(bare))
    chosen = planned_pages(picture, reference, loaded.declared, asking)
    for image in chosen:
        if not image.plan.encode:
            check_whole(data, pages[0].media_type, image.source, walk)
            picture = replace(picture, is_whole=True)
    return LookedInto(bare, picture, chosen)


def stored(
    images: Iterable[LookedAt], sighting: Sighting, picture: Picture, asking: Asking
) -> list[LookedAt]:
    """Give images of a file, to be read from there when they are prepared or sent."""
    assert sighting.read is not None
    assert sighting.state is not None
    data = bare = Stored(sighting.read, sighting.state.size_bytes)
    if picture.has_metadata:
        read_bare = partial(read_without_metadata, sighting.read, picture.pages[0].media_type)
        bare = Stored(read_bare, picture.bare_bytes)
    return [filled(image, data, bare, asking) for image in images]


def read_without_metadata(read: Callable[[], bytes], media_type: str) -> bytes:
    return cut_metadata(read(), media_type)


def planned_pages(
    picture: Picture, reference: Reference, declared: str, asking: Asking
) -> list[LookedAt]:
    """Plan for each page of a picture that is meant, without its bytes."""
    noted = misnamed(reference, declared, picture.pages[0].media_type)
    pages = chosen_pages(picture.pages, reference)
    return [planned(page, picture, noted, asking) for page in pages]


def planned(page: Page, picture: Picture, noted: tuple[str, ...], asking: Asking) -> LookedAt:
    """Plan for one page, without its bytes; `noted` is what there is to say of the whole file."""
    source, info = page
    question = asking.question
    made = plan(info, question.model, question.look, asking.engine.media_types, source)
    if not made.encode and picture.has_metadata and not keeps_metadata(asking):
        noted = (*noted, *made.notes, "metadata cut out")
    elif noted:
        noted = (*noted, *made.notes)
    return LookedAt(
        source, b"", info, replace(made, notes=noted) if noted else made, picture.digest
    )


def keeps_metadata(asking: Asking) -> bool:
    """Say whether what goes as it is goes whole; what stays in this process may keep it."""
    return asking.question.look.keep_metadata or asking.engine.is_local


def filled(image: LookedAt, data: Encoded, bare: Encoded, asking: Asking) -> LookedAt:
    """Give an image with what is to be prepared or sent of it."""
    is_bare = image.info.frames == 1 if image.plan.encode else not keeps_metadata(asking)
    return replace(image, content=bare if is_bare else data)


def load(reference: Reference, bytes_max: int | None = None, start: int = 0) -> Flow[Loaded]:
    """Give the bytes of a reference; those it carries itself need no effect."""
    match reference:
        case BytesRef(data):
            return Loaded(data)
        case DataUrlRef(url):
            return Loaded(decode_data_url(url, str(reference)), declared_type(url))
        case PageRef(file):
            return (yield from load(file, bytes_max, start))
        case _:
            loaded: Loaded = yield Load(reference, bytes_max, start)
            return loaded


def measured(loaded: Loaded, reference: Reference) -> Flow[tuple[Page, ...]]:
    """Read what the bytes are, and give the pages that are meant."""
    return chosen_pages((yield from all_pages(loaded, file_of(reference))), reference)


def all_pages(loaded: Loaded, file: Reference) -> Flow[tuple[ImageInfo, ...]]:
    """Read what the bytes are, page by page; a PDF is measured by whoever can read it."""
    if sniff(loaded.data) == PDF:
        return pdf_pages((yield Pages(loaded.data, str(file))))
    return read_pages(loaded.data, str(file))


def chosen_pages(pages: tuple[ImageInfo, ...], reference: Reference) -> tuple[Page, ...]:
    number = reference.number if isinstance(reference, PageRef) else None
    return choose_pages(pages, number, str(file_of(reference)))


def file_of(reference: Reference) -> Reference:
    return reference.file if isinstance(reference, PageRef) else reference


def prepare_all(images: Iterable[Seen], detail: Detail) -> Flow[tuple[ImagePart, ...]]:
    parts = []
    for image in images:
        match image:
            case FileId(id):
                parts.append(ImagePart(detail, file_id=id))
            case UrlRef(url):
                parts.append(ImagePart(detail, url=url))
            case _:
                parts.append(ImagePart(detail, (yield from prepare(image))))
    return tuple(parts)


def prepare(image: LookedAt) -> Flow[PreparedImage]:
    """
    Give an image ready to send; what is already right goes byte for byte. What came without loss is
    seen to unpack first, since half of it would be no picture; what came with loss always unpacks.
    """
    as_it_is = PreparedImage(image.content, image.plan.media_type, image.plan.size)
    is_here = isinstance(image.content, bytes) and is_unpacked_here(image.info)
    if image.plan.encode or (image.info.is_lossless and not is_here):
        prepared: PreparedImage = yield Prepare(image.content, image.plan, image.source)
        return prepared if image.plan.encode else as_it_is
    if is_here:
        check_pixels(as_it_is.data, image.source)
    return as_it_is


def planned_image(image: Seen, detail: Detail) -> PlannedImage:
    if isinstance(image, LookedAt):
        return PlannedImage(image.digest, image.plan)
    name = image.url if isinstance(image, UrlRef) else image.id
    return PlannedImage(f"{name} {detail}", None)
