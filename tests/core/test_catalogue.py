"""The models that see."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from eyeline.core.catalogue import (
    READER,
    SAFE_RULE,
    Catalogue,
    Model,
    built_in,
    find,
    known_models,
    local_model,
    nearest,
    parse_price,
    parse_rate,
    shutdown_warning,
)
from eyeline.core.cost import Price, Rate
from eyeline.core.entries import ENTRY, check, complete
from eyeline.core.tokens import DETAILS, PatchBox, PatchRule, TileRule
from eyeline.errors import SettingsError

ENTRIES = built_in().entries
NAMES = [entry["name"] for entry in ENTRIES]
NO_PRICE = {"input": None, "output": None, "cached_input": None}
PATCHES = {"kind": "patch", "multiplier": 1.5, "details": {"high": {"max_dim": 1024}}}
TODAY, SOON = "2026-11-22", "2027-05-21"


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("gpt-6-luna", "gpt-6-luna"),
        ("GPT-6-Luna", "gpt-6-luna"),
        ("openai/gpt-4o", "gpt-4o"),
        ("gpt-4o-2030-01-01", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("openai/GPT-4o-2024-11-20", "gpt-4o"),
        ("gpt-5.6", "gpt-5.6-sol"),
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
    check(entry, ENTRY, model.name)
    assert complete(entry, "catalogue.json") == entry
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
    """A model nobody told us about keeps its name, gets a safe size, no price and no warning."""
    for name in ("Somebody/Vision-7B", "gpt-5.6-luna-preview", "gpt-4o-2024"):
        model = find(name)
        assert (model.name, model.known, model.price) == (name, False, None)
        assert model.rule is SAFE_RULE
        assert shutdown_warning(model, TODAY, SOON) == ""


def test_what_runs_here_costs_nothing() -> None:
    """The reader has no rule; a model file has the safe one; both are free."""
    reader, gguf = find(READER), local_model("m.gguf")
    assert (reader.rule, gguf.rule) == (None, SAFE_RULE)
    nothing = Rate(Decimal(0), Decimal(0), Decimal(0))
    for model in (reader, gguf):
        assert model.price == Price(nothing, batch=nothing, flex=nothing)
        assert shutdown_warning(model, TODAY, SOON) == ""


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
    assert price.batch == Rate(Decimal("0.05"), Decimal("0.25"), Decimal("0.005"))
    assert price.flex == Rate(Decimal("0.05"), Decimal("0.25"))
    others = {"long_context": None, "batch": None, "flex": None}
    assert parse_price({"standard": NO_PRICE, **others}) is None
    assert parse_rate(None) is None
    assert parse_rate(NO_PRICE | {"input": 1}) is None
    assert parse_rate({"input": 0.1, "output": 2}) == Rate(Decimal("0.1"), Decimal(2))
    standard = {"input": 1, "output": 2, "cached_input": 0}
    assert parse_price({"standard": standard, **others}) == Price(Rate(*map(Decimal, (1, 2, 0))))


def test_a_snapshot_with_a_price_of_its_own() -> None:
    """The first GPT-4o costs twice what the later ones do, and went before them."""
    first, later = find("gpt-4o-2024-05-13"), find("gpt-4o-2024-11-20")
    assert first.price == Price(Rate(Decimal(5), Decimal(15)))
    assert (first.rule, first.shutdown_date) == (later.rule, "2026-10-23")
    assert later.shutdown_date == "2027-01-14"


def test_the_families_of_rules() -> None:
    """Old models count tiles, new ones patches."""
    tile, patch = find("gpt-4o").rule, find("gpt-6-astra").rule
    assert tile == TileRule(85, 170)
    assert isinstance(patch, PatchRule)
    assert (patch.multiplier, patch.refuse_over_patches, patch.auto_is) == (1.2, 30_000, "original")


def test_every_fact_has_its_source() -> None:
    """Each entry says where it was found and when; and every model that goes, what follows it."""
    for entry in ENTRIES:
        assert entry["rule"]["source"]
        assert date.fromisoformat(entry["as_of"])
        successor = entry["successor"]
        assert (successor is None) == (entry["status"] == "active")
        if successor:
            assert find(successor["model"]).status == "active"
            assert successor["source"]
            assert successor["confidence"].split(",")[0] in ("low", "medium", "high")
    assert built_in() is built_in()


# --- what is shut down --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "today", "said"),
    [
        ("gpt-5", TODAY, "gpt-5 shuts down on 2026-12-11; its successor is gpt-6.1-sol"),
        ("gpt-5", "2026-12-11", "gpt-5 shuts down on 2026-12-11; its successor is gpt-6.1-sol"),
        ("gpt-5", "2026-12-12", "gpt-5 was shut down on 2026-12-11; its successor is gpt-6.1-sol"),
        (
            "openai/gpt-4o-2024-11-20",
            TODAY,
            "openai/gpt-4o-2024-11-20 shuts down on 2027-01-14; its successor is gpt-6-luna",
        ),
        (
            "o4-mini",
            "2026-01-01",
            "o4-mini was shut down on 2026-10-23; its successor is gpt-5.6-terra",
        ),
        ("gpt-6-luna", TODAY, ""),
    ],
)
def test_says_what_is_shut_down(model: str, today: str, said: str) -> None:
    """A model that is gone, or soon will be, is named with its date and successor."""
    assert shutdown_warning(find(model), today, SOON) == said


@pytest.mark.parametrize(
    ("status", "day", "said"),
    [
        ("deprecated", SOON, f"m shuts down on {SOON}"),
        ("deprecated", "2027-05-22", ""),
        ("shut_down", None, "m was shut down"),
        ("deprecated", None, ""),
    ],
)
def test_says_it_in_time(status: str, day: str | None, said: str) -> None:
    """There is no warning of what is far off, and none that makes up a date or a successor."""
    model = Model("m", SAFE_RULE, None, status=status, shutdown_date=day)
    assert shutdown_warning(model, TODAY, SOON) == said


# --- a file of the user's own -------------------------------------------------------------------


def own(*entries: dict[str, Any]) -> Catalogue:
    return built_in().merged({"models": list(entries)}, "mine.json")


def test_an_override_changes_what_it_says() -> None:
    """An entry for a known name is laid over it, key by key, for its snapshots too."""
    changed = own({"name": "gpt-4o", "prices": {"standard": {"input": 2, "output": 8}}})
    for name in ("gpt-4o", "gpt-4o-2024-11-20", "openai/gpt-4o", "gpt-4o-2031-01-01"):
        model, before = changed.find(name), find(name)
        assert model.price is not None
        assert model.price.standard == Rate(Decimal(2), Decimal(8), Decimal("1.25"))
        assert (model.rule, model.shutdown_date) == (before.rule, before.shutdown_date)
        assert (model.overridden, before.overridden) == (True, False)
    assert changed.names == built_in().names
    assert changed.find("gpt-4o-mini") == find("gpt-4o-mini")
    assert built_in().find("gpt-4o") == find("gpt-4o")


def test_prices_are_exact() -> None:
    """A float is taken as it was written."""
    changed = own({"name": "gpt-4o", "prices": {"batch": {"input": 0.1, "output": 0.3}}})
    price = changed.find("gpt-4o").price
    assert price is not None
    assert price.batch == Rate(Decimal("0.1"), Decimal("0.3"))


def test_a_model_of_ones_own() -> None:
    """A new name needs a rule and no more; it is listed first, its names are found in any case."""
    changed = own(
        {"name": "Mine/VL-7B", "rule": PATCHES, "aliases": ["OpenAI/vl"]},
        {"name": "tiles", "rule": {"kind": "tile", "base": 1, "per_tile": 2}},
    )
    model = changed.find("mine/vl-7b")
    assert model.rule == PatchRule({"high": PatchBox(1024, None)}, 1.5, "high", None)
    assert (model.details, model.apis) == (("high", "auto"), ("chat/completions",))
    assert (model.price, model.shutdown_date, model.max_output_tokens) == (None, None, None)
    assert changed.find("VL").rule == model.rule
    assert changed.find("tiles").rule == TileRule(1, 2)
    assert changed.find("tiles").details == ("low", "high", "auto")
    assert [model.name for model in changed.models][:3] == ["Mine/VL-7B", "tiles", NAMES[0]]
    assert changed.nearest("mine/vl-7") == "mine/vl-7b"


def test_an_entry_for_one_snapshot() -> None:
    """An entry for an alias or snapshot starts from what it named, and stands for itself alone."""
    entry = {"name": "gpt-4o-2024-08-06", "prices": {"standard": {"input": 3, "output": 9}}}
    changed = own(entry, {"name": "gpt-4o", "shutdown_date": None, "status": "active"})
    model = changed.find("gpt-4o-2024-08-06")
    assert model.price is not None
    assert (model.price.standard.input, model.shutdown_date) == (3, "2027-01-14")
    assert changed.find("gpt-4o-2024-11-20").price == find("gpt-4o").price
    assert changed.find("gpt-4o").shutdown_date is None


def test_names_of_ones_own_come_first() -> None:
    """An alias in the user's file beats a built-in name, and a name an alias."""
    mine = {"name": "mine", "rule": PATCHES, "aliases": ["gpt-4o", "other"]}
    changed = own(mine, {"name": "other", "rule": {"kind": "tile", "base": 1, "per_tile": 2}})
    assert changed.find("gpt-4o").rule == changed.find("mine").rule
    assert changed.find("other").rule == TileRule(1, 2)


def test_the_last_word_counts() -> None:
    """Entries for one name are laid over each other; merging twice keeps both files."""
    changed = own(
        {"name": "gpt-4o", "status": "active"}, {"name": "gpt-4o", "max_output_tokens": 7}
    )
    again = changed.merged({"models": [{"name": "gpt-5", "apis": ["responses"]}]}, "b.json")
    model = again.find("gpt-4o")
    assert (model.status, model.max_output_tokens, model.overridden) == ("active", 7, True)
    assert again.find("gpt-5").apis == ("responses",)
    assert len(again.models) == len(NAMES)


def test_an_override_that_does_not_fit() -> None:
    """The error names file and entry."""
    with pytest.raises(
        SettingsError, match=r"mine\.json: gpt-4o: prices: 'standart', .*did you mean"
    ):
        own({"name": "gpt-4o", "prices": {"standart": {}}})
