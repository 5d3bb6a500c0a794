"""
The calls that need no client: `ask`, `stream`, `estimate`, `show`, `content_parts`, `check` and
`repair`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from eyeline.client import Client, Stream
from eyeline.core.answer import Answer
from eyeline.core.catalogue import Model
from eyeline.core.estimate import Estimate, ImageEstimate, image_estimate
from eyeline.core.grid import caption, grid
from eyeline.core.parts import Api, PreparedImage
from eyeline.core.plan import Look
from eyeline.core.question import Urls, choose_urls
from eyeline.core.reference import Reference
from eyeline.drivers import Driver
from eyeline.errors import ImageError, SettingsError
from eyeline.exchange import Asking
from eyeline.flow import LookedAt, views
from eyeline.flow import content_parts as content_parts_flow
from eyeline.flow import estimate as estimate_flow
from eyeline.notices import announce_shutdown
from eyeline.settings import Settings, read_settings
from eyeline.wiring import AskOptions, Wiring, parse_references, wire

if TYPE_CHECKING:
    from eyeline.adapters.sheet import Cell, Sheet
    from eyeline.core.misplaced import Finding
    from eyeline.mend import Mended

# A body, or a list of messages or input items; what comes back is of the same kind.
Body = TypeVar("Body", bound=Mapping[str, Any] | Sequence[Any])

CLIENTS_MAX = 8
clients: dict[tuple[Settings, str | None], Client] = {}


def ask(prompt: str, *images: object, **options: Unpack[AskOptions]) -> Answer:
    """
    Ask one question about one or more images, with the engine the environment names.

    Takes the options of `Client.ask`. Raises an EyelineError.
    """
    return default_client(options).ask(prompt, *images, **options)


def stream(prompt: str, *images: object, **options: Unpack[AskOptions]) -> Stream:
    """Ask, and give the answer piece by piece; takes the options of `Client.ask`."""
    return default_client(options).stream(prompt, *images, **options)


def default_client(options: AskOptions) -> Client:
    """Give the client of the present environment; one is kept for each, with its connections."""
    # The model belongs to the client too: a .gguf file is an engine of its own.
    model = options.get("model")
    key = (read_settings(), model)
    if key not in clients:
        if len(clients) == CLIENTS_MAX:
            # Dropped, not closed: another thread may be in the middle of an answer.
            del clients[next(iter(clients))]
        clients[key] = Client(model=model)
    return clients[key]


def estimate(
    *images: object,
    model: str | None = None,
    detail: str | None = None,
    max_tokens_per_image: int | None = None,
    batch: bool = False,
) -> Estimate:
    """
    Say what images will cost in tokens and dollars of input, from their headers; nothing is sent.

    A folder stands for every image in it, a document for its pages. `model` is by default the one
    `ask` would use. With `batch`, `cost_usd` is what the Batch API takes. Raises an ImageError for
    what is no image.
    """
    options: AskOptions = {"detail": detail, "max_tokens_per_image": max_tokens_per_image}
    estimator = Estimator.under([model], options, batch=batch)
    announce_shutdown(estimator.models[0][0])
    found: list[ImageEstimate] = []
    for pages in estimator.each(images):
        if isinstance(pages, ImageError):
            raise pages
        found += [page[0] for page in pages]
    return Estimate(tuple(found))


# What one image is estimated at: for each of its pages, an estimate under each model.
Rows = tuple[tuple[ImageEstimate, ...], ...]


@dataclass(frozen=True, slots=True)
class Estimator:
    """Estimates images under some models; all is wired once, however many images there are."""

    models: tuple[tuple[Model, Look], ...]
    wiring: Wiring
    batch: bool = False

    @classmethod
    def under(
        cls, names: Iterable[str | None], options: AskOptions, *, batch: bool = False
    ) -> Estimator:
        """Make one for the models called `names`; None is the one that `ask` would use."""
        wiring = wire({"engine": "openai", "cache": False})
        models = [wiring.model(name) for name in names]
        return cls(tuple((model, wiring.look(model, options)) for model in models), wiring, batch)

    def each(self, images: Iterable[object]) -> Iterator[Rows | ImageError]:
        """Give the estimate of each image, or of each in a folder, or the error it makes."""
        driver = Driver(self.wiring.outside, None)
        for image in images:
            try:
                references = expand(image)
            except ImageError as error:
                yield error
                continue
            for reference in references:
                yield self.one(reference, driver)

    def one(self, reference: Reference, driver: Driver) -> Rows | ImageError:
        try:
            rows = driver.run(estimate_flow(reference, self.models, self.wiring.engine.media_types))
        except ImageError as error:
            return error
        return (
            tuple(tuple(map(ImageEstimate.at_batch, row)) for row in rows) if self.batch else rows
        )


def content_parts(
    prompt: str,
    *images: object,
    model: str | None = None,
    api: Api = "chat",
    detail: str | None = None,
) -> list[dict[str, Any]]:
    """
    Give the content parts of a user message, images prepared and inline, for a client of your own.

    `api` is "chat" or "responses"; the parts of one are no parts of the other.
    """
    wiring = wire({"engine": "openai", "model": model, "api": api, "cache": False})
    asking = wiring.asking(prompt, images, {"detail": detail, "urls": "fetch"})
    return Driver(wiring.outside, None).run(content_parts_flow(asking))


def show(
    *images: object,
    model: str | Iterable[str] | None = None,
    detail: str | None = None,
    max_tokens_per_image: int | None = None,
    background: str | Sequence[int] | None = None,
) -> Sheet:
    """
    Draw what models see: each image as it would be sent, with its patches or tiles, its size,
    tokens and price. Nothing is sent.

    `model` is one name or several, side by side; by default the one `ask` would use. A notebook
    shows the result; `.save(path)` writes it as PNG.
    """
    from eyeline.adapters.sheet import draw

    wiring = wire({"engine": "openai", "cache": False})
    driver = Driver(wiring.outside, None)
    columns = []
    for name in [model] if model is None or isinstance(model, str) else model:
        asking = wiring.asking("", images, {
            "model": name, "detail": detail, "background": background,
            "max_tokens_per_image": max_tokens_per_image, "urls": "fetch",
        })  # fmt: skip
        columns.append([cell(*each, asking) for each in driver.run(views(asking))])
    return draw([*zip(*columns, strict=True)])


def cell(image: LookedAt, prepared: PreparedImage, asking: Asking) -> Cell:
    """Give one image under one model, with the cells and words to draw."""
    from eyeline.adapters.sheet import Cell

    model, plan = asking.question.model, image.plan
    estimate = image_estimate(image.info, plan, model, image.source)
    return Cell(prepared, grid(model, plan), caption(model, plan, estimate))


def check(
    messages_or_body: Mapping[str, Any] | Sequence[Any],
    model: str | None = None,
    api: Api | None = None,
) -> list[Finding]:
    """
    Find what is wrong with the images of a request body, or of a list of messages or input items.

    `model` is by default the body's own, `api` what the body looks like. Local files that it names
    are read; nothing is fetched or sent. Raises SettingsError for what is no body.
    """
    return list(mended(messages_or_body, model, api, finds_only=True).findings)


def repair(
    messages_or_body: Body,
    model: str | None = None,
    api: Api | None = None,
    *,
    urls: Urls = "pass",
) -> Body:
    """
    Give a request body, or a list of messages or input items, with its images made right.

    The argument is never changed, and comes back itself if nothing was wrong. With `urls` "fetch",
    http(s) images are fetched and sent inline, with "auto" those that OpenAI would not get. What
    cannot be mended stays as it is; only a path or an object that cannot be read raises its
    ImageError.
    """
    found = mended(messages_or_body, model, api, urls=choose_urls(urls))
    for error in found.errors:
        raise error
    body: Body = found.body
    return body


def mended(body: Any, model: str | None = None, api: Api | None = None, **options: Any) -> Mended:
    """
    Mend a body for OpenAI, or as `options` say, which are fields of a Mending; `errors` are left to
    the caller.
    """
    from eyeline.core.bodies import api_of
    from eyeline.mend import mend
    from eyeline.mend_image import Mending

    looks_like = api_of(body)
    if looks_like is None:
        expected = "a list of messages, or a body with `messages` or `input`"
        raise SettingsError("body", type(body).__name__, expected)
    wiring = mending_wiring(read_settings())
    named = body.get("model") if isinstance(body, Mapping) else None
    mending = Mending(
        model=wiring.model(model or (named if isinstance(named, str) else None)),
        api=api or looks_like,
        engine=wiring.engine,
    )
    return Driver(wiring.outside, None).run(mend(body, replace(mending, **options)))


@lru_cache(maxsize=CLIENTS_MAX)
def mending_wiring(settings: Settings) -> Wiring:
    """Give what bodies are mended with under these settings, and what is known of their servers."""
    return wire({"engine": "openai"})


def expand(image: object) -> list[Reference]:
    """Read one image, each of a list of images, and each image file of a folder, sorted."""
    from eyeline.adapters.folders import files_of

    return [each for reference in parse_references([image]) for each in files_of(reference)]
