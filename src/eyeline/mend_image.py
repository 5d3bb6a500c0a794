"""
The image that one value of a body names, made ready to send; and what was wrong with the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eyeline.core.addresses import is_private
from eyeline.core.bodies import RawImage
from eyeline.core.catalogue import Model
from eyeline.core.dialect import STANDARD, Dialect
from eyeline.core.engine import Engine
from eyeline.core.misplaced import PASSED_TYPES, Finding, finding
from eyeline.core.parts import Api, PreparedImage, data_url
from eyeline.core.plan import Look
from eyeline.core.question import Question, Urls
from eyeline.core.reference import BytesRef, FileId, FileRef, Reference, parse_reference, shown
from eyeline.core.spelt import Spelt, read_spelling
from eyeline.core.tokens import Detail
from eyeline.core.urls import is_passed, named_type
from eyeline.effects import Flow
from eyeline.errors import BadReference, ImageError, ImageTooLarge, UnsupportedFormat
from eyeline.exchange import Asking
from eyeline.looking import LookedAt, file_of, look_at, prepare
from eyeline.policy.retry import Retry


@dataclass(frozen=True, slots=True)
class Mending:
    """
    How a body is mended: for which model, API and engine.

    `urls` says whether http(s) URLs are passed on, or fetched and sent inline; `dialect` what is
    known of the server that would download them. With `finds_only` nothing is fetched, no pixel
    touched, and the body that comes back is good for nothing. `reads_files` False is
    for bodies that strangers wrote: a path in them must not name a file of ours.
    """

    model: Model
    api: Api
    engine: Engine
    urls: Urls = "pass"
    finds_only: bool = False
    reads_files: bool = True
    dialect: Dialect = STANDARD

    def passes(self, url: str) -> bool:
        return self.finds_only or is_passed(url, self.urls, self.engine, self.dialect)


class ImageMender:
    """Reads the images of one body: what was found in it so far, and how many there are."""

    def __init__(self, mending: Mending) -> None:
        self.mending = mending
        self.findings: list[Finding] = []
        self.errors: list[ImageError] = []
        self.passed: list[str] = []
        self.images = 0

    def find(self, where: str, what: str, found: str = "", **more: Any) -> None:
        self.findings.append(finding(where, what, found, **more))

    def named(
        self, raw: RawImage, where: str, detail: Detail, model: Model
    ) -> Flow[tuple[list[Any], Detail]]:
        """
        Give the URLs for the value of an image part, one for each page, and the detail to send.

        What cannot be read stays as it is.
        """
        value = raw.value
        if is_web(value):
            return (yield from self.web(value, where, detail)), detail
        spelt = self.spelling(value) if isinstance(value, str) else None
        try:
            reference = BytesRef(spelt.data or b"") if spelt else parse_reference(value)
            images, sent = yield from self.look_closely(reference, detail, model)
            urls = yield from self.prepared(images, value, spelt)
        except ImageError as error:
            self.unreadable(value, spelt, where, error)
            return [value], detail
        self.readable(value, spelt, where, images)
        if sent != detail:
            self.find(where, "too_many_patches", f"{images[0].info.upright_size} px at {detail}")
        elif spelt and raw.detail in (None, "auto"):
            self.costs(images, where, model)
        return urls, sent

    def web(self, url: str, where: str, detail: Detail) -> Flow[list[Any]]:
        """Give what to send for an http(s) URL: itself, or where it is fetched, what is there."""
        found = None
        if not self.mending.passes(url):
            try:
                return (yield from self.fetched(url, detail))
            except ImageError as error:
                found = str(error)
        if self.is_out_of_reach(url):
            self.find(where, "private_url", shown(url), mended=False)
        elif found:
            self.find(where, "unreadable", found, mended=False)
        elif named_type(url) not in {"", *PASSED_TYPES}:
            self.find(where, "unsupported_format", f"{named_type(url)} by its name", mended=False)
        return self.pass_on(url)

    def pass_on(self, url: str) -> list[str]:
        self.passed.append(url)
        self.images += 1
        return [url]

    def fetched(self, url: str, detail: Detail) -> Flow[list[Any]]:
        images, _ = yield from self.look_closely(parse_reference(url), detail, self.mending.model)
        return (yield from self.prepared(images))

    # --- what is said of an image ---------------------------------------------------------------

    def unreadable(self, value: Any, spelt: Spelt | None, where: str, error: ImageError) -> None:
        """Say what is wrong with an image that cannot be read, and stays."""
        if spelt is None:
            self.find(where, origin(value), str(error), mended=False)
            self.errors.append(error)
            return
        for fault in spelt.faults:
            self.find(where, fault, mended=False)
        if spelt.data is not None:
            is_refused = isinstance(error, UnsupportedFormat)
            what = "unsupported_format" if is_refused else "unreadable"
            self.find(where, what, str(error), mended=False)

    def readable(self, value: Any, spelt: Spelt | None, where: str, images: list[LookedAt]) -> None:
        """Say what was wrong with an image that is mended now."""
        if spelt is None:
            self.find(where, origin(value), images[0].source)
            return
        info = images[0].info
        for fault in spelt.faults:
            self.find(where, fault)
        if spelt.declared not in ("", info.media_type):
            self.find(where, "wrong_type", f"{spelt.declared}, is {info.media_type}")
        if info.media_type not in self.mending.engine.media_types:
            self.find(where, "unsupported_format", info.media_type)
        elif info.frames > 1:
            self.find(where, "unsupported_format", f"animated {info.media_type}")
        if info.orientation != 1:
            self.find(where, "sideways", f"EXIF orientation {info.orientation}")

    def costs(self, images: list[LookedAt], where: str, model: Model) -> None:
        """Say what the provider's own detail would bill more than the one that is sent."""
        rule = model.rule
        if rule is None or not model.known:
            return
        for image in images:
            size = image.info.upright_size
            wasted = rule.tokens(size, "auto") - image.plan.tokens
            if rule.is_refused(size, "auto"):
                self.find(where, "too_many_patches", f"{size} px at {rule.auto_is}")
            elif wasted > 0:
                self.find(where, "costly_detail", f"{size} px", tokens_wasted=wasted)

    def is_out_of_reach(self, url: str) -> bool:
        return is_private(url) and not is_private(self.mending.engine.base_url)

    # --- load, plan, prepare --------------------------------------------------------------------

    def spelling(self, value: str) -> Spelt | None:
        return read_spelling(value)

    def look_closely(
        self, reference: Reference, detail: Detail, model: Model
    ) -> Flow[tuple[list[LookedAt], Detail]]:
        """Load and plan; where the model takes no `original` of that size, at high."""
        try:
            return (yield from self.look(reference, detail, model)), detail
        except ImageTooLarge:
            if detail != "original":
                raise
        return (yield from self.look(reference, "high", model)), "high"

    def look(self, reference: Reference, detail: Detail, model: Model) -> Flow[list[LookedAt]]:
        if isinstance(reference, FileId):
            raise BadReference(str(reference), "a file id, expected an image to send inline")
        if isinstance(file_of(reference), FileRef) and not self.mending.reads_files:
            raise BadReference(str(reference), "a path, expected an image or its URL")
        question = Question("", (), model, self.mending.api, Look(detail), cache=False)
        return (yield from look_at(reference, Asking(question, self.mending.engine, Retry())))

    def prepared(
        self, images: list[LookedAt], value: str = "", spelt: Spelt | None = None
    ) -> Flow[list[str]]:
        """Give the data URL of each image; `value` itself where it is right."""
        self.images += len(images)
        urls = []
        for image in () if self.mending.finds_only else images:
            ready = yield from prepare(image)
            is_right = spelt is not None and not spelt.faults and ready.data == spelt.data
            urls.append(self.written(image, ready, value if is_right else ""))
        return urls or [""] * len(images)

    def written(self, image: LookedAt, ready: PreparedImage, value: str) -> str:
        """Give the URL of a prepared image; `value` itself where that already names these bytes."""
        is_right = value.startswith(f"data:{ready.media_type};base64,")
        return value if is_right else data_url(ready)


def is_web(value: Any) -> bool:
    return isinstance(value, str) and value[:8].lower().startswith(("http://", "https://"))


def origin(value: Any) -> str:
    if isinstance(value, str):
        return "local_path" if value else "unreadable"
    return "object_in_part"
