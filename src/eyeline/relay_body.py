"""A body on its way through the gateway: its images made right, counted and named for the cache."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from math import isinf
from typing import Any
from urllib.parse import urlsplit

from eyeline.core.addresses import is_private, read_host
from eyeline.core.bodies import Takes, shown_urls
from eyeline.core.catalogue import Model
from eyeline.core.dialect import Dialect
from eyeline.core.draft import ENCODER, KEY_VERSION, PlannedImage
from eyeline.core.engine import Engine
from eyeline.core.inline import Cut, Inline, put_back, stand_in, take_out
from eyeline.core.media import WHOLE_PIXELS_MAX
from eyeline.core.misplaced import Finding
from eyeline.core.pages import IMAGES_MAX
from eyeline.core.parts import Api, PreparedImage
from eyeline.core.reference import Reference, shown
from eyeline.core.request import dumps
from eyeline.core.spelt import Spelt
from eyeline.core.tokens import Detail
from eyeline.core.wire import Body as Pieces
from eyeline.core.wire import Response
from eyeline.effects import Flow
from eyeline.errors import ImageError, ImageTooLarge, TooManyImages
from eyeline.looking import LookedAt
from eyeline.mend import Mender
from eyeline.mend_image import Mending

EXAMPLE = "(e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=')"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is not sent at all, in the fields of the API's own error object."""

    message: str
    param: str | None
    code: str

    def response(self) -> Response:
        said = {"message": self.message, "type": "invalid_request_error"}
        error = {"error": {**said, "param": self.param, "code": self.code}}
        return Response(400, {"content-type": "application/json"}, dumps(error))


@dataclass(frozen=True, slots=True)
class Way:
    """
    How bodies are mended: `whole` leaves images in their size, for an engine that reads them.

    `model` is for bodies that name none. Of one body `images_max` images are taken, and no more
    than `pixels_max` pixels decoded.
    """

    engine: Engine
    find: Callable[[str], Model]
    dialect: Dialect
    allow_hosts: frozenset[str] = frozenset()
    whole: bool = False
    model: str = ""
    images_max: int = IMAGES_MAX
    pixels_max: int = WHOLE_PIXELS_MAX

    def mending(self, model: Model, api: Api) -> Mending:
        return Mending(
            model=replace(model, rule=None) if self.whole else model,
            api=api,
            engine=self.engine.without(self.dialect.refused_types),
            reads_files=False,
        )


@dataclass(frozen=True, slots=True)
class Body:
    """
    A body ready to send, and what is known of it.

    `fields` are those of the body with stand-ins for its images, {} where it is no JSON object;
    `images` are those that it carries, of `media_types` as sent. `urls` are those that the engine
    is to download. Of `unseen` images only a URL or file id is known.
    """

    content: bytes | Pieces = field(repr=False)
    model: Model
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    images: tuple[LookedAt, ...] = ()
    urls: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    unseen: int = 0
    text_bytes: int = 0
    notes: tuple[str, ...] = ()
    refusal: Refusal | None = None

    @property
    def image_tokens(self) -> int:
        rule = self.model.rule
        if rule is None:
            return 0
        return sum(rule.tokens(each.info.upright_size, each.plan.detail) for each in self.images)

    @property
    def is_cacheable(self) -> bool:
        """Say whether its images name it: what a URL shows may change, and text is not ours."""
        return bool(self.images) and not self.unseen

    def key(self, base_url: str, path: str) -> str:
        """Name the body by what it means, its images by what the model will see of them."""
        named = [PlannedImage(each.digest, each.plan).meaning for each in self.images]
        meaning = [KEY_VERSION, "relay", base_url, path, self.fields, named]
        return sha256(ENCODER.encode(meaning).encode()).hexdigest()


def mend_body(data: bytes, api: Api, way: Way) -> Flow[Body]:
    """Mend a body. Where nothing in it is wrong, its very bytes are what is sent."""
    skeleton, cuts = take_out(data)
    fields = read_object(skeleton)
    if fields is None:
        return Body(data, way.find(""), text_bytes=len(data))
    named = fields if "model" in fields or not way.model else {"model": way.model, **fields}
    name = named.get("model")
    model = way.find(name if isinstance(name, str) else "")
    mender = InlineMender(way, way.mending(model, api), shown_urls(fields), cuts)
    made = yield from mender.body(named)
    if mender.images > way.images_max:
        mender.refuse_whole(f"more than {way.images_max:,} images", "too_many_images")
    findings = (*mender.findings, *mender.closing())
    return Body(
        content=data if made is fields else mender.written_out(made),
        model=model,
        fields=made,
        images=tuple(mender.looked_at),
        urls=tuple(mender.passed),
        media_types=tuple(mender.media_types),
        unseen=mender.images - len(mender.looked_at),
        text_bytes=len(skeleton),
        notes=tuple(dict.fromkeys([*mender.notes, *map(note, filter(is_worth_noting, findings))])),
        refusal=mender.refusal,
    )


def read_object(skeleton: bytes) -> dict[str, Any] | None:
    """Read a body, None where the API will say what is wrong with it."""
    try:
        fields = json.loads(skeleton, parse_constant=refuse_constant, parse_float=finite)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def refuse_constant(name: str) -> float:
    raise ValueError(name)


def finite(number: str) -> float:
    """Read a number; one that no float holds could not be written again."""
    value = float(number)
    return refuse_constant(number) if isinf(value) else value


def is_worth_noting(found: Finding) -> bool:
    """Say whether no note of an image tells it: what was moved, and what is wrong still."""
    return found.what.endswith("_in_text") or not found.mend


def note(found: Finding) -> str:
    return f"{found.where}: {found.what}, {found.mend or 'not mended'}"


def host_of(url: str) -> str:
    """Give the host of a URL in its one spelling, "" where it has none."""
    try:
        return read_host(urlsplit(url).hostname or "")
    except ValueError:
        return ""


class InlineMender(Mender):
    """
    Mends a body whose images were taken out of it.

    `inline` are the images that stand-ins stand for, `looked_at` those that are known, in order.
    """

    def __init__(
        self, way: Way, mending: Mending, shown: frozenset[str], cuts: Sequence[Cut] | None
    ) -> None:
        super().__init__(mending, shown)
        self.way = way
        self.inline: list[Inline] = [*(cuts or ())]
        # Without stand-ins of their own: the text has some that look like them.
        self.is_plain = cuts is None
        self.by_name: dict[str, Cut] = {stand_in(at): cut for at, cut in enumerate(cuts or ())}
        self.looked_at: list[LookedAt] = []
        self.media_types: list[str] = []
        self.notes: list[str] = []
        self.refusal: Refusal | None = None
        self.decoded_px = 0

    def spelling(self, value: str) -> Spelt | None:
        cut = self.by_name.get(value)
        return super().spelling(value) if cut is None else cut.spelt()

    def written(self, image: LookedAt, ready: PreparedImage, value: str) -> str:
        self.looked_at.append(replace(image, content=b""))
        self.media_types.append(ready.media_type)
        self.notes += (*image.plan.notes, *ready.notes)
        cut = self.by_name.get(value)
        if cut is not None and cut.declared == ready.media_type:
            return value
        if self.is_plain:
            return super().written(image, ready, value)
        self.inline.append(ready)
        return stand_in(len(self.inline) - 1)

    def look(self, reference: Reference, detail: Detail, model: Model) -> Flow[list[LookedAt]]:
        """Look at an image, as long as there are not too many, nor too large ones to decode."""
        made = yield from super().look(reference, detail, model)
        self.decoded_px += sum(each.info.size.pixels for each in made if each.plan.encode)
        most = self.way.images_max
        if (count := self.images + len(made)) > most:
            self.refuse_whole(f"more than {most:,} images", "too_many_images")
            raise TooManyImages(f"{count:,} images", f"{most:,}")
        if self.decoded_px > (most := self.way.pixels_max):
            found = f"more than {most // 10**6:,} megapixels to convert"
            self.refuse_whole(found, "image_too_large")
            raise ImageTooLarge("the request", f"{self.decoded_px:,} pixels", f"{most:,}")
        return made

    def written_out(self, made: Mapping[str, Any]) -> bytes | Pieces:
        return dumps(made) if self.is_plain else put_back(dumps(made), self.inline)

    def image(self, part: Mapping[str, Any], where: str, takes: Takes) -> Flow[Sequence[Any]]:
        made = yield from super().image(part, where, takes)
        return made if self.way.dialect.details == "all" else [self.spoken(each) for each in made]

    def spoken(self, part: Any) -> Any:
        """Give an image part with the detail that this server takes, if it takes any."""
        inner = part.get("image_url")
        if self.api == "chat" and isinstance(inner, Mapping):
            return {**part, "image_url": self.in_dialect(inner)}
        return self.in_dialect(part)

    def in_dialect(self, holder: Mapping[str, Any]) -> dict[str, Any]:
        given: Detail | None = holder.get("detail")
        detail = self.way.dialect.detail(given) if given else None
        rest = {name: value for name, value in holder.items() if name != "detail"}
        return {**rest, "detail": detail} if detail else rest

    # --- what is not sent -------------------------------------------------------------------------

    def unreadable(self, value: Any, spelt: Spelt | None, where: str, error: ImageError) -> None:
        """Refuse what names no image but a path: a server behind us might read a file by it."""
        super().unreadable(value, spelt, where, error)
        if spelt is None:
            said = "Invalid image URL: '{}'." if self.api == "chat" else "Invalid '{}'."
            self.refuse(
                f"{said.format(where)} Expected a base64-encoded data URL with an image MIME type "
                f"{EXAMPLE}, but got a value without the 'data:' prefix.",
                where,
                "invalid_value",
            )

    def web(self, url: str, where: str, detail: Detail) -> Flow[list[Any]]:
        """Pass a public address on, or where the engine downloads nothing, fetch it."""
        host = host_of(url)
        if is_private(url) and host not in self.way.allow_hosts:
            self.refuse_download(url)
            return [url]
        is_able = not self.mending.engine.is_local and self.way.dialect.takes_urls
        if is_able and host not in self.way.dialect.fetch_hosts:
            return self.pass_on(url)
        try:
            return (yield from self.fetched(url, detail))
        except ImageError:
            self.refuse_download(url)
            return [url]

    def text_url(self, url: str) -> Flow[list[str]]:
        """Leave a URL in a text alone that the engine should not, or cannot, download."""
        is_closed = is_private(url) and host_of(url) not in self.way.allow_hosts
        if is_closed or self.mending.engine.is_local:
            return []
        return (yield from super().text_url(url))

    def refuse_whole(self, found: str, code: str) -> None:
        """Refuse a body for all that is in it."""
        message = f"The request has {found}, and this gateway takes no more."
        self.refuse(message, "messages" if self.api == "chat" else "input", code)

    def refuse_download(self, url: str) -> None:
        message = f"Error while downloading {shown(url)}."
        if self.api == "chat":
            self.refuse(message, None, "invalid_image_url")
        else:
            self.refuse(message, "url", "invalid_value")

    def refuse(self, message: str, param: str | None, code: str) -> None:
        self.refusal = self.refusal or Refusal(message, param, code)
