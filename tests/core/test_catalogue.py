"""The models that see."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from eyeline.core import catalogue
from eyeline.core.catalogue import (
    READER,
    SAFE_RULE,
    document,
    find,
    known_models,
    local_model,
    nearest,
    parse_price,
    parse_rate,
)  # fmt: skip
from eyeline.core.cost import Price, Rate
from eyeline.core.tokens import DETAILS, PatchRule, TileRule

ENTRIES = document()["models"]
NAMES = [entry["name"] for entry in ENTRIES]
NO_PRICE = {"input": None, "output": None, "cached_input": None}


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("gpt-6-luna", "gpt-6-luna"),
        ("GPT-6-Luna", "gpt-6-luna"),
        ("openai/gpt-4o", "gpt-4o"),
        ("gpt-4o-2030-01-01", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
    ],
)
def test_a_model_by_any_of_its_names(asked: str, name: str) -> None:
    """
    Case, a provider prefix and a date do not change the rule; the name is sent as it was given.
    """
    model, plain = find(asked), find(name)
    assert (model.name, model.known) == (asked, True)
    assert (model.rule, model.price) == (plain.rule, plain.price)


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_every_entry_is_whole(entry: dict[str, object]) -> None:
    """Every entry reads into a model with a rule, its own `auto`, and usable dates and APIs."""
    model = find(str(entry["name"]))
    assert model.known
    assert model.rule is not None
    assert model.rule.auto_is in DETAILS
    assert model.rule.auto_is != "auto"
    assert {"low", "high", "auto"} <= set(model.details) <= set(DETAILS)
    if isinstance(model.rule, PatchRule):
        assert model.rule.boxes.keys() >= set(model.details) - {"auto"}
        assert model.rule.auto_is in model.rule.boxes
    assert model.shutdown_date is None or date.fromisoformat(model.shutdown_date)
    assert {"chat/completions", "responses"} & set(model.apis)
    if model.price is not None:
        assert 0 <= model.price.standard.input <= model.price.standard.output


def test_every_name_is_found_once() -> None:
    """No two entries share a name, alias or snapshot, and all are in lower case, as sought."""
    names = [
        name
        for entry in ENTRIES
        for name in (entry["name"], *entry["aliases"], *entry["snapshots"])
    ]
    assert len(names) == len(set(names))
    assert all(name == name.lower() for name in names)
    assert all(find(name).known for name in names)
    assert [model.name for model in known_models()] == NAMES


def test_an_unknown_model_gets_a_safe_rule() -> None:
    """A model nobody told us about keeps its name, gets a safe size and no price."""
    model = find("Somebody/Vision-7B")
    assert (model.name, model.known, model.price) == ("Somebody/Vision-7B", False, None)
    assert model.rule is SAFE_RULE


def test_what_runs_here_costs_nothing() -> None:
    """The reader has no rule; a model file has the safe one; both are free."""
    reader, gguf = find(READER), local_model("m.gguf")
    assert (reader.rule, gguf.rule) == (None, SAFE_RULE)
    for model in (reader, gguf):
        assert model.price == Price(Rate(Decimal(0), Decimal(0)))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("gpt-6-lunna", "gpt-6-luna"), ("GPT-4O", "gpt-4o"), ("qqqq", ""), ("", "")],
)
def test_the_nearest_name(typed: str, expected: str) -> None:
    """A mistyped name has a nearest one; a name like no other has none."""
    assert nearest(typed) == expected


def test_prices() -> None:
    """A price is read exactly, long input has its own, and none is made up."""
    price = find("gpt-6-luna").price
    assert price is not None
    assert price.standard.input == Decimal("0.1")
    assert price.rate(272_000) == price.standard
    assert price.rate(272_001) == price.long != price.standard
    assert parse_price({"standard": NO_PRICE, "long_context": None}) is None
    assert parse_rate(NO_PRICE | {"input": 1}) is None
    assert parse_rate({"input": 1, "output": 2, "cached_input": None}) == Rate(1, 2)  # type: ignore[arg-type]
    assert parse_price(
        {"standard": {"input": 1, "output": 2, "cached_input": 0}, "long_context": None}
    )


def test_the_families_of_rules() -> None:
    """Old models count tiles, new ones patches."""
    tile, patch = find("gpt-4o").rule, find("gpt-6-astra").rule
    assert tile == TileRule(85, 170)
    assert isinstance(patch, PatchRule)
    assert (patch.multiplier, patch.refuse_over_patches, patch.auto_is) == (1.2, 30_000, "original")


def test_every_fact_has_its_source() -> None:
    """Each entry says where it was found and when."""
    for entry in ENTRIES:
        assert entry["rule"]["source"]
        assert date.fromisoformat(entry["as_of"])
    assert catalogue.document() is document()
