"""
Request bodies made right: every image in them found, prepared and put where the API looks for it.

The other entrance to the road that `ask` takes: the same load → plan → prepare, with a body that
somebody else wrote. Its lists and dicts are never changed; what is right comes back as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import is_
from typing import Any

from eyeline.core.bodies import (
    IMAGE_TYPES,
    SCREENSHOT,
    TEXT_TYPES,
    RawImage,
    Takes,
    is_list,
    place_of,
    read_image,
    shown_urls,
    text_type,
    write_image,
)
from eyeline.core.media import READERS
from eyeline.core.misplaced import (
    PASSED_TYPES,
    Blob,
    Finding,
    blobs,
    cut,
    finding,
    image_urls,
    is_blind,
    is_image_url,
    text_tokens,
)
from eyeline.core.pages import IMAGES_MAX
from eyeline.core.parts import image_part, text_part
from eyeline.core.reference import BytesRef, parse_reference
from eyeline.core.spelt import read_spelling
from eyeline.core.tokens import DETAILS, Detail
from eyeline.effects import Flow
from eyeline.errors import ImageError
from eyeline.mend_image import ImageMender, Mending

# The field that each mistake of shape is made in.
FAULTY = {
    "part_type": "type",
    "image_url_string": "image_url",
    "image_url_object": "image_url",
    "detail_place": "detail",
}


@dataclass(frozen=True, slots=True)
class Mended:
    """
    A body made right, and what was wrong with it.

    `errors` say why what only eyeline could have sent, a path or an object, could not be. `passed`
    are the URLs that the engine is to download.
    """

    body: Any = field(repr=False)
    findings: tuple[Finding, ...]
    errors: tuple[ImageError, ...]
    passed: tuple[str, ...] = field(default=(), repr=False)


def mend(body: Any, mending: Mending) -> Flow[Mended]:
    """Mend a body, or a list of messages or items. Yields Load, Pages and Prepare."""
    mender = Mender(mending, shown_urls(body))
    made = yield from mender.body(body)
    findings = (*mender.findings, *mender.closing())
    return Mended(made, findings, tuple(mender.errors), tuple(mender.passed))


class Mender(ImageMender):
    """The mending of one body, from its messages down to its texts and image parts."""

    def __init__(self, mending: Mending, shown: frozenset[str]) -> None:
        super().__init__(mending)
        self.api, self.shown = mending.api, set(shown)

    def closing(self) -> Iterable[Finding]:
        """Give what can be said only when all images are counted."""
        model = self.mending.model.name
        if self.images and is_blind(model):
            yield finding("model", "no_vision", model, mended=False)
        if self.images > IMAGES_MAX:
            where = "messages" if self.api == "chat" else "input"
            yield finding(where, "too_many_images", f"{self.images:,}", mended=False)

    # --- from the body down to its texts and image parts ----------------------------------------

    def body(self, body: Any) -> Flow[Any]:
        where = "messages" if self.api == "chat" else "input"
        if not isinstance(body, Mapping):
            return (yield from self.items(body, where))
        # Nothing can stand beside instructions, so nothing is moved out of them.
        if isinstance(body.get("instructions"), str):
            yield from self.in_text(body["instructions"], "instructions", "none")
        return with_field(body, where, (yield from self.items(body.get(where), where)))

    def items(self, items: Any, where: str) -> Flow[Any]:
        if isinstance(items, str):
            parts = yield from self.content(items, where, "all")
            return items if parts is items else [{"role": "user", "content": parts}]
        return (yield from each(items, where, self.item)) if is_list(items) else items

    def item(self, item: Any, where: str) -> Flow[Sequence[Any]]:
        if not isinstance(item, Mapping):
            return [item]
        name, takes = place_of(item, self.api)
        made = yield from self.content(item.get(name), f"{where}.{name}", takes)
        return [with_field(item, name, made)]

    def content(self, content: Any, where: str, takes: Takes) -> Flow[Any]:
        if isinstance(content, str):
            rest, parts = yield from self.in_text(content, where, takes)
            texts = [text_part(rest, self.api)] if rest else []
            return [*texts, *parts] if parts else content
        if is_list(content):
            return (yield from each(content, where, partial(self.part, takes=takes)))
        if isinstance(content, Mapping) and content.get("type") == SCREENSHOT:
            return (yield from self.screenshot(content, f"{where}.image_url"))
        return content

    def part(self, part: Any, where: str, takes: Takes) -> Flow[Sequence[Any]]:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if not isinstance(kind, str):
            return [part]
        if kind in IMAGE_TYPES:
            return (yield from self.image(part, where, takes))
        if kind in TEXT_TYPES and isinstance(part.get("text"), str):
            return (yield from self.text(part, where, takes))
        return [part]

    def screenshot(self, screen: Mapping[str, Any], where: str) -> Flow[Mapping[str, Any]]:
        """Mend a screenshot in its own size, which the model's clicks are measured in."""
        raw = read_image({**screen, "type": "input_image"}, self.api)
        if raw.value is None:
            return screen
        unsized = replace(self.mending.model, rule=None)
        urls, _ = yield from self.named(raw, where, "high", unsized)
        return with_field(screen, "image_url", urls[0])

    # --- texts ----------------------------------------------------------------------------------

    def text(self, part: Mapping[str, Any], where: str, takes: Takes) -> Flow[Sequence[Any]]:
        """Mend a text part; images that stood in it follow it."""
        if TEXT_TYPES[part["type"]] != self.api:
            self.find(f"{where}.type", "part_type", part["type"])
            part = {**part, "type": text_type(self.api, takes)}
        rest, parts = yield from self.in_text(part["text"], f"{where}.text", takes)
        return [with_field(part, "text", rest), *parts] if rest or not parts else parts

    def in_text(self, text: str, where: str, takes: Takes) -> Flow[tuple[str, list[Any]]]:
        """Give a text without the images that stand in it, and those as parts."""
        parts: list[Any] = []
        gone: list[Blob] = []
        for blob in blobs(text):
            moved = (yield from self.blob(blob, where)) if takes in ("all", "data") else []
            if moved:
                parts += moved
                gone.append(blob)
            else:
                self.find(where, blob.kind, str(blob), mended=False, tokens_wasted=blob.tokens)
        rest = cut(text, gone)
        if takes == "all":
            parts += yield from self.urls(rest, where)
        return rest, parts

    def blob(self, blob: Blob, where: str) -> Flow[list[Any]]:
        """Give the parts of an image that stands in a text; none where it cannot be read."""
        spelt = read_spelling(blob.url)
        if spelt is None or spelt.data is None:
            return []
        try:
            images = yield from self.look(BytesRef(spelt.data), "high", self.mending.model)
            urls = yield from self.prepared(images)
        except ImageError:
            return []
        tokens = sum(image.plan.tokens for image in images)
        wasted = max(0, blob.tokens - tokens)
        self.find(where, blob.kind, str(blob), tokens_wasted=wasted)
        return [image_part(url, "high", self.api) for url in urls]

    def urls(self, text: str, where: str) -> Flow[list[Any]]:
        """Give parts for the images whose URLs stand in a text; the text keeps the words."""
        is_passed = self.mending.finds_only or self.mending.urls == "pass"
        parts = []
        for url in image_urls(text, PASSED_TYPES if is_passed else READERS):
            if url in self.shown:
                continue
            self.shown.add(url)
            made = yield from self.text_url(url)
            self.find(
                where,
                "url_in_text",
                str(parse_reference(url)),
                mended=bool(made),
                tokens_wasted=text_tokens(url),
            )
            parts += [image_part(each, "high", self.api) for each in made]
        return parts

    def text_url(self, url: str) -> Flow[list[str]]:
        """Give the image that a URL in a text is; none where nobody could show it."""
        if not self.mending.passes(url):
            try:
                return (yield from self.fetched(url, "high"))
            except ImageError:
                if self.mending.urls == "fetch":
                    return []
        is_shown = not self.is_out_of_reach(url) and is_image_url(url, PASSED_TYPES)
        return self.pass_on(url) if is_shown else []

    # --- image parts ----------------------------------------------------------------------------

    def image(self, part: Mapping[str, Any], where: str, takes: Takes) -> Flow[Sequence[Any]]:
        raw = read_image(part, self.api)
        if takes == "none":
            self.find(where, "wrong_role", mended=False)
        for fault in raw.faults:
            self.find(f"{where}.{FAULTY[fault]}", fault)
        detail = self.detail(raw, where)
        if raw.value is None:
            return [self.without_image(part, raw, detail, where)]
        named = "image_url.url" if self.api == "chat" else "image_url"
        place, model = f"{where}.{named}", self.mending.model
        urls, detail = yield from self.named(raw, place, detail, model)
        made = [write_image(raw, url, detail, self.api) for url in urls]
        return [part] if isinstance(raw.value, str) and made == [part] else made

    def without_image(
        self, part: Mapping[str, Any], raw: RawImage, detail: Detail, where: str
    ) -> Mapping[str, Any]:
        """Mend a part that names a file id, or nothing."""
        if self.api == "chat":
            self.find(where, "file_id" if raw.file_id else "unreadable", mended=False)
            return part
        made = write_image(raw, None, detail, self.api)
        self.images += 1
        return part if made == part else made

    def detail(self, raw: RawImage, where: str) -> Detail:
        """Give the detail to send: the user's own where the model has it, else high."""
        model, given = self.mending.model, raw.detail
        if given in (None, "auto"):
            return "high"
        if given in DETAILS and (given in model.details or not model.known):
            detail: Detail = given
            return detail
        inside = "image_url.detail" if self.api == "chat" else "detail"
        self.find(f"{where}.{inside}", "detail", f"{str(given)[:40]!r} on {model.name}")
        return "high"


def each(
    items: Sequence[Any], where: str, one: Callable[[Any, str], Flow[Sequence[Any]]]
) -> Flow[Sequence[Any]]:
    """Mend each item, which may become several or none; the same list where all are right."""
    made: list[Any] = []
    for at, item in enumerate(items):
        made += yield from one(item, f"{where}[{at}]")
    is_same = len(made) == len(items) and all(map(is_, made, items))
    return items if is_same else made


def with_field(item: Mapping[str, Any], name: str, value: Any) -> Mapping[str, Any]:
    """Give an item with a field changed, or the item itself where it already is so."""
    return item if value is item.get(name) else {**item, name: value}
