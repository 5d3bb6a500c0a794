"""
The models that see: their token rules, prices, APIs and dates, read from catalogue.json.

Facts are data because they change monthly; each entry keeps its source, date and confidence. A
file of the user's own, of the same shape, is laid over them.
"""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Literal

from eyeline.core.cost import NOTHING_TO_PAY, Price, Rate
from eyeline.core.entries import DEFAULTS, Entry, complete, merge, read_entries
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
    `shutdown_date` is as 2026-12-31, `successor` the model to take then; both None where the
    provider has named none. `overridden` says that a file of the user's own has an entry for it.
    `rule_is` says how sure the rule is.
    """

    name: str
    rule: VisionRule | None
    price: Price | None
    apis: tuple[str, ...] = ("chat/completions",)
    details: tuple[Detail, ...] = ("low", "high", "auto")
    status: str = "active"
    shutdown_date: str | None = None
    successor: str | None = None
    max_output_tokens: int | None = None
    known: bool = True
    overridden: bool = False
    rule_is: Literal["sure", "likely", "a guess"] = "a guess"

    def is_shut_down(self, today: str) -> bool:
        """Say whether it is gone on the day `today`, as 2026-12-31."""
        is_past = self.shutdown_date is not None and self.shutdown_date < today
        return self.status == "shut_down" or is_past


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """
    Every model there is a fact about, newest first; `as_of` is the day they were gathered.

    `entries` are whole; `index` has each under its name, aliases and snapshots, in lower case.
    """

    as_of: str
    entries: tuple[Entry, ...] = field(repr=False)
    index: Mapping[str, Entry] = field(repr=False)
    overridden: frozenset[str] = frozenset()

    def find(self, name: str) -> Model:
        """
        Give the model called `name`: by name, alias, snapshot or dated form (`gpt-4o-2030-01-01`).

        Case and a provider prefix (`openai/`) do not matter. An unknown name gets a safe rule, no
        price, and `known` False.
        """
        if name == READER:
            return local_model(READER)
        entry = self.entry(name)
        if entry is None:
            return Model(name, rule=SAFE_RULE, price=None, known=False)
        # The catalogue gives rule and price, never the name: a pinned snapshot stays pinned.
        return replace(self.model(entry), name=name)

    def entry(self, name: str) -> Entry | None:
        sought = plain(name)
        undated = re.sub(r"-\d{4}-\d{2}-\d{2}$", "", sought)
        return self.index.get(sought) or self.index.get(undated)

    def model(self, entry: Entry) -> Model:
        return replace(parse(entry), overridden=entry["name"] in self.overridden)

    def nearest(self, name: str) -> str:
        """Give the known name most like `name`, or "" if none is alike."""
        from difflib import get_close_matches

        return next(iter(get_close_matches(name.lower(), self.index, n=1, cutoff=0.6)), "")

    @property
    def models(self) -> tuple[Model, ...]:
        return tuple(map(self.model, self.entries))

    def merged(self, document: object, file: str) -> Catalogue:
        """
        Lay the entries of a user's own file over these.

        An entry for a name that is known here changes what it says and keeps the rest; one for an
        alias or snapshot stands for that name alone; a new name needs its `rule`. `document` is
        the file's JSON, `file` names it in errors. Raises SettingsError for what does not fit.
        """
        by_name = {entry["name"]: entry for entry in self.entries}
        written = []
        for over in read_entries(document, file):
            name = over["name"]
            under = by_name.get(name) or own_entry(self.entry(name))
            by_name[name] = complete(merge(under, over), file)
            written.append(name)
        # New ones first, in the order they were written, as the newest stand first here.
        new = [name for name in dict.fromkeys(written) if name not in self.names]
        entries = tuple(by_name[name] for name in (*new, *self.names))
        overridden = self.overridden.union(written)
        return Catalogue(self.as_of, entries, make_index(entries, overridden), overridden)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(entry["name"] for entry in self.entries)


def own_entry(entry: Entry | None) -> Entry:
    """Give what a name without an entry starts from: what it was another name for, or nothing."""
    if entry is None:
        return DEFAULTS
    return {**entry, "aliases": (), "snapshots": ()}


def make_index(entries: Iterable[Entry], overridden: frozenset[str]) -> dict[str, Entry]:
    """Give each entry under all its names; the user's own entries, and names, come before all."""
    found: dict[str, Entry] = {}
    # What is entered later wins.
    for own in (False, True):
        group = [entry for entry in entries if (entry["name"] in overridden) is own]
        for entry in group:
            names = (*entry["aliases"], *entry["snapshots"])
            found |= {plain(name): entry for name in names}
        found |= {plain(entry["name"]): entry for entry in group}
    return found


def plain(name: str) -> str:
    return name.lower().removeprefix("openai/")


@cache
def built_in() -> Catalogue:
    """Give the catalogue that comes with eyeline."""
    raw = pkgutil.get_data(__name__, "catalogue.json")
    assert raw is not None, "catalogue.json is part of the package"
    document = json.loads(raw, parse_float=Decimal)
    entries = tuple(document["models"])
    return Catalogue(document["as_of"], entries, make_index(entries, frozenset()))


@lru_cache(maxsize=64)
def find(name: str) -> Model:
    """Give the built-in catalogue's model called `name`."""
    return built_in().find(name)


def nearest(name: str) -> str:
    """Give the built-in catalogue's name most like `name`, or "" if none is alike."""
    return built_in().nearest(name)


def known_models() -> tuple[Model, ...]:
    """Give every model of the built-in catalogue, newest first."""
    return built_in().models


def local_model(name: str) -> Model:
    """Give a model that runs in this process: the reader, or a GGUF file. Both cost nothing."""
    rule = None if name == READER else SAFE_RULE
    return Model(name, rule=rule, price=NOTHING_TO_PAY)


def shutdown_warning(model: Model, today: str, soon: str) -> str:
    """
    Say that a model is shut down, or will be by the day `soon`, and what follows it; else "".

    Days are written as 2026-12-31, whose order is that of time.
    """
    date, after = model.shutdown_date, ""
    if model.successor is not None:
        after = f"; its successor is {model.successor}"
    if model.is_shut_down(today):
        return f"{model.name} was shut down{f' on {date}' if date else ''}{after}"
    if date is not None and date <= soon:
        return f"{model.name} shuts down on {date}{after}"
    return ""


# --- from entry to model ------------------------------------------------------------------------


def parse(entry: Entry) -> Model:
    successor = entry["successor"]
    return Model(
        name=entry["name"],
        rule=parse_rule(entry["rule"]),
        price=parse_price(entry["prices"]),
        apis=tuple(entry["apis"]),
        details=tuple(entry["details"]),
        status=entry["status"],
        shutdown_date=entry["shutdown_date"],
        successor=successor and successor["model"],
        max_output_tokens=entry["max_output_tokens"],
        rule_is="sure" if entry["rule"].get("confidence") in ("high", "medium") else "likely",
    )


def parse_rule(rule: Entry) -> VisionRule:
    auto_is = rule.get("auto_is", "high")
    if rule["kind"] == "tile":
        return TileRule(rule["base"], rule["per_tile"], auto_is)
    boxes = {
        detail: PatchBox(box["max_dim"], box.get("max_patches"))
        for detail, box in rule["details"].items()
    }
    refuse_over = rule.get("refuse_over_patches")
    return PatchRule(boxes, float(rule["multiplier"]), auto_is, refuse_over)


def parse_price(prices: Entry) -> Price | None:
    standard, long = parse_rate(prices["standard"]), prices["long_context"]
    if standard is None:
        return None
    return Price(
        standard,
        parse_rate(long),
        long["over_input_tokens"] if long else 0,
        parse_rate(prices["batch"]),
        parse_rate(prices["flex"]),
    )


def parse_rate(rate: Mapping[str, Any] | None) -> Rate | None:
    if rate is None or rate.get("input") is None or rate.get("output") is None:
        return None
    cached = rate.get("cached_input")
    return Rate(
        input=exact(rate["input"]),
        output=exact(rate["output"]),
        cached=None if cached is None else exact(cached),
    )


def exact(number: int | float | Decimal) -> Decimal:
    """Give a number as it was written: 0.1 is a tenth."""
    return Decimal(str(number))
