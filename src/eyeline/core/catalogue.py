"""
The models that see: their token rules, prices, APIs and dates, read from catalogue.json.

Facts are data because they change monthly; each entry keeps its source, date and confidence.
"""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any

from eyeline.core.cost import FREE, Price, Rate
from eyeline.core.tokens import Detail, PatchBox, PatchRule, TileRule, VisionRule

READER = "reader"

# For a model nobody has told us about: the `high` of the patch family, which no known model
# exceeds.
SAFE_RULE = PatchRule(
    boxes={
        "low": PatchBox(512, None),
        "high": PatchBox(2048, 2500),
        "original": PatchBox(6000, 10_000),
    },
    multiplier=1.2,
    auto_is="high",
    refuse_over_patches=30_000,
)


@dataclass(frozen=True, slots=True)
class Model:
    """
    One model that sees.

    `rule` is None where images cost nothing and are sent whole; `price` is None where unknown.
    `known` is False for a model outside the catalogue, whose rule is then a safe guess.
    """

    name: str
    rule: VisionRule | None
    price: Price | None
    apis: tuple[str, ...] = ("chat/completions",)
    details: tuple[Detail, ...] = ("low", "high", "auto")
    status: str = "active"
    shutdown_date: str | None = None
    max_output_tokens: int | None = None
    known: bool = True


def find(name: str) -> Model:
    """
    Give the model called `name`: by name, alias, snapshot or dated form (`gpt-4o-2030-01-01`).

    Case and a provider prefix (`openai/`) do not matter. An unknown name gets a safe rule, no
    price, and `known` False.
    """
    if name == READER:
        return local_model(READER)
    plain = name.lower().removeprefix("openai/")
    entry = index().get(plain) or index().get(re.sub(r"-\d{4}-\d{2}-\d{2}$", "", plain))
    if entry is None:
        return Model(name, rule=SAFE_RULE, price=None, known=False)
    # The catalogue gives rule and price, never the name: a pinned snapshot stays pinned.
    return replace(parse(entry), name=name)


def local_model(name: str) -> Model:
    """Give a model that runs in this process: the reader, or a GGUF file. Both cost nothing."""
    rule = None if name == READER else SAFE_RULE
    return Model(name, rule=rule, price=Price(Rate(FREE, FREE)))


def nearest(name: str) -> str:
    """Give the known name most like `name`, or "" if none is alike."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name.lower(), index(), n=1, cutoff=0.6)), "")


def known_models() -> tuple[Model, ...]:
    """Give every model of the catalogue, newest first."""
    return tuple(parse(entry) for entry in document()["models"])


@cache
def document() -> Mapping[str, Any]:
    raw = pkgutil.get_data(__name__, "catalogue.json")
    assert raw is not None, "catalogue.json is part of the package"
    parsed: Mapping[str, Any] = json.loads(raw, parse_float=Decimal)
    return parsed


@cache
def index() -> Mapping[str, Mapping[str, Any]]:
    """Give each entry under its name, its aliases and its snapshots."""
    return {
        name: entry
        for entry in document()["models"]
        for name in (entry["name"], *entry["aliases"], *entry["snapshots"])
    }


def parse(entry: Mapping[str, Any]) -> Model:
    return Model(
        name=entry["name"],
        rule=parse_rule(entry["rule"]),
        price=parse_price(entry["prices"]),
        apis=tuple(entry["apis"]),
        details=tuple(entry["details"]),
        status=entry["status"],
        shutdown_date=entry["shutdown_date"],
        max_output_tokens=entry["max_output_tokens"],
    )


def parse_rule(rule: Mapping[str, Any]) -> VisionRule:
    if rule["kind"] == "tile":
        return TileRule(rule["base"], rule["per_tile"], rule["auto_is"])
    boxes = {
        detail: PatchBox(box["max_dim"], box["max_patches"])
        for detail, box in rule["details"].items()
    }
    refuse_over = rule["refuse_over_patches"]
    return PatchRule(boxes, float(rule["multiplier"]), rule["auto_is"], refuse_over)


def parse_price(prices: Mapping[str, Any]) -> Price | None:
    standard = parse_rate(prices["standard"])
    if standard is None:
        return None
    long = prices["long_context"]
    if long is None:
        return Price(standard)
    return Price(standard, parse_rate(long), long["over_input_tokens"])


def parse_rate(rate: Mapping[str, Any]) -> Rate | None:
    if rate["input"] is None or rate["output"] is None:
        return None
    cached = rate["cached_input"]
    return Rate(
        input=Decimal(rate["input"]),
        output=Decimal(rate["output"]),
        cached=None if cached is None else Decimal(cached),
    )
