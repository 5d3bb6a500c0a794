"""What a model sees of a picture and what it bills, for the page: the plan of `show`, as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from eyeline.core.catalogue import Model
from eyeline.core.engine import Engine
from eyeline.core.estimate import image_estimate
from eyeline.core.grid import grid
from eyeline.core.parts import PreparedImage, data_url
from eyeline.core.plan import Look, plan
from eyeline.core.question import Question, choose_api
from eyeline.core.reference import Reference
from eyeline.core.tokens import Detail
from eyeline.effects import Flow
from eyeline.errors import ImageTooLarge
from eyeline.exchange import Asking
from eyeline.looking import LookedAt, look_at, prepare
from eyeline.policy.retry import Retry

# Of a document, so many pages are drawn; each takes a decoder's time and a place on the screen.
PAGES_MAX = 20
FAMILY = re.compile(r"(?:openai/)?(gpt-\d|o\d)")


@dataclass(frozen=True, slots=True)
class Sight:
    """The pages of a picture as they would be sent; `left_out` more are in the file."""

    pages: tuple[tuple[LookedAt, PreparedImage], ...]
    left_out: int = 0


def see(reference: Reference, model: Model, detail: Detail, engine: Engine) -> Flow[Sight]:
    """Load a picture and make it as it would be sent; nothing is."""
    question = Question("", (), model, "chat", Look(detail), cache=False)
    images = yield from look_at(reference, Asking(question, engine, Retry()))
    pages = []
    for image in images[:PAGES_MAX]:
        prepared = yield from prepare(image)
        pages.append((image, prepared))
    return Sight(tuple(pages), len(images) - len(pages))


def sight_json(sight: Sight, models: Sequence[Model], engine: Engine) -> dict[str, Any]:
    """Give what the page shows of a picture: each page as sent, and under every model's choices."""
    pages = [page_json(*page, models, engine) for page in sight.pages]
    return {"pages": pages, "left_out": sight.left_out}


def page_json(
    image: LookedAt, prepared: PreparedImage, models: Iterable[Model], engine: Engine
) -> dict[str, Any]:
    info, planned = image.info, image.plan
    return {
        "source": image.source,
        "media_type": info.media_type,
        "width_px": info.upright_size.width_px,
        "height_px": info.upright_size.height_px,
        "sent_media_type": prepared.media_type,
        "sent_width_px": planned.size.width_px,
        "sent_height_px": planned.size.height_px,
        "sent_bytes": len(prepared.data),
        "url": data_url(prepared),
        "notes": [*planned.notes, *prepared.notes],
        "choices": {
            model.name: {detail: choice(image, model, detail, engine) for detail in details(model)}
            for model in models
        },
    }


def choice(image: LookedAt, model: Model, detail: Detail, engine: Engine) -> dict[str, Any]:
    """Give size, cells, tokens and dollars of one choice, or why the model would refuse it."""
    try:
        planned = plan(image.info, model, Look(detail), engine.media_types, image.source)
    except ImageTooLarge as error:
        return {"refused": str(error)}
    cells = grid(model, planned)
    estimate = image_estimate(image.info, planned, model, image.source)
    return {
        "width_px": planned.size.width_px,
        "height_px": planned.size.height_px,
        "cell_px": cells.cell_px if cells else None,
        "cells": str(cells) if cells else None,
        "tokens": planned.tokens,
        "cost_usd": dollars(estimate.cost_usd),
    }


def model_json(model: Model, today: str) -> dict[str, Any]:
    """Give what the page says of a model in its list."""
    rate = model.price.standard if model.price else None
    return {
        "name": model.name,
        "group": group(model.name),
        "api": choose_api("auto", model, ()),
        "details": details(model),
        "counts_tokens": model.rule is not None,
        "until": None if model.is_shut_down(today) else model.shutdown_date,
        "successor": model.successor,
        "input_usd_per_million": dollars(rate.input if rate else None),
        "output_usd_per_million": dollars(rate.output if rate else None),
    }


def details(model: Model) -> list[Detail]:
    """Give the details worth choosing from: `auto` is one of the others; without a rule all are."""
    if model.rule is None:
        return ["high"]
    return [detail for detail in model.details if detail != "auto"]


def group(name: str) -> str:
    family = FAMILY.match(name.lower())
    return family[1] if family else "others"


def dollars(usd: Decimal | None) -> float | None:
    return None if usd is None else float(usd)
