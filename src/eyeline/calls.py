"""The calls that need no client: `ask`, `stream`, `estimate` and `content_parts`."""

from __future__ import annotations

from typing import Any, Unpack

from eyeline.client import Client, Stream
from eyeline.core.answer import Answer
from eyeline.core.catalogue import find
from eyeline.core.estimate import Estimate
from eyeline.core.parts import Api
from eyeline.core.question import choose_detail
from eyeline.drivers import Driver
from eyeline.flow import content_parts as content_parts_flow
from eyeline.flow import estimate as estimate_flow
from eyeline.settings import Settings, read_settings
from eyeline.wiring import (
    DEFAULT_MODEL,
    AskOptions,
    parse_references,
    wire,
)

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


def estimate(*images: object, model: str | None = None, detail: str | None = None) -> Estimate:
    """
    Say what images will cost in tokens and dollars of input, from their headers; nothing is sent.

    `model` is by default the one `ask` would use. Raises an ImageError for what is no image.
    """
    settings = read_settings()
    chosen = find(model or settings.model or DEFAULT_MODEL)
    level = choose_detail(detail or settings.detail, chosen)
    wiring = wire({"engine": "openai", "cache": False})
    driver = Driver(wiring.outside, None)
    return Estimate(
        tuple(
            driver.run(estimate_flow(reference, [(chosen, level)], wiring.engine.media_types))[0]
            for reference in parse_references(images)
        )
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
    asking = wiring.asking(prompt, images, {"detail": detail})
    return Driver(wiring.outside, None).run(content_parts_flow(asking))
