"""What an entry of a catalogue file may hold."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.catalogue import built_in
from eyeline.core.entries import merge, read_entries
from eyeline.errors import SettingsError

BOXES = {"high": {"max_dim": 1024}}
RULE = {"kind": "patch", "multiplier": 1.5, "details": BOXES}
TILES = {"kind": "tile", "base": 85, "per_tile": 170}


def told(document: object) -> str:
    with pytest.raises(SettingsError) as raised:
        built_in().merged(document, "f.json")
    assert raised.value.exit_code == 2
    return str(raised.value)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "f.json: 'no object', expected an object as {\"models\""),
        ({}, "f.json: 'no list of models', expected"),
        ({"models": "gpt-4o"}, "f.json: 'no list of models', expected"),
        ({"models": {"gpt-4o": {}}}, "f.json: 'no list of models', expected"),
        (
            {"models": [{"name": "gpt-4o"}, 7]},
            "f.json: entry 2: '7', expected an object with a name",
        ),
        ({"models": [{"prices": {}}]}, "f.json: entry 1: "),
        ({"models": [{"name": " "}]}, "f.json: entry 1: "),
    ],
)
def test_a_file_of_another_shape(document: object, said: str) -> None:
    """What is no list of named entries is told with the number of the entry."""
    assert told(document).startswith(said)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "m: 'no rule', expected a rule, since no model of that name is built in"),
        ({"rule": None}, "m: rule: 'null', expected an object with kind, auto_is"),
        ({"rule": {}}, "m: rule: 'no kind', expected kind among its keys"),
        ({"rule": {"kind": "patch"}}, "m: rule: 'no multiplier', expected"),
        ({"rule": {"kind": "patch", "multiplier": 1}}, "m: rule: 'no details', expected"),
        ({"rule": RULE | {"details": {}}}, "m: rule.details: 'no high', expected high among"),
        (
            {"rule": RULE | {"details": BOXES | {"low": {}}}},
            "m: rule.details.low: 'no max_dim', expected",
        ),
        (
            {"rule": RULE | {"details": {"high": 5}}},
            "m: rule.details.high: '5', expected an object",
        ),
        (
            {"rule": RULE | {"kind": "square"}},
            "m: rule.kind: 'square', expected one of patch, tile",
        ),
        ({"rule": RULE | {"multiplier": 0}}, "m: rule.multiplier: '0', expected a number, 0.001"),
        ({"rule": RULE | {"multiplier": "1"}}, "m: rule.multiplier: '1', expected a number"),
        ({"rule": RULE | {"multiplier": True}}, "m: rule.multiplier: 'True', expected a number"),
        ({"rule": RULE | {"multiplier": float("nan")}}, "m: rule.multiplier: 'nan', expected"),
        ({"rule": RULE | {"auto_is": "low"}}, "m: rule.auto_is: 'low', expected one of high"),
        ({"rule": RULE | {"colour": 1}}, "m: rule: 'colour', expected one of kind"),
        ({"rule": TILES | {"base": 1.5}}, "m: rule.base: '1.5', expected a whole number, 0 to"),
        ({"rule": TILES | {"base": -1}}, "m: rule.base: '-1', expected a whole number"),
        ({"rule": {"kind": "tile", "base": 1}}, "m: rule: 'no per_tile', expected"),
        (
            {"rule": TILES, "details": ["high", "original"]},
            "m: details: 'original', expected one of low, high, auto",
        ),
        ({"rule": TILES, "details": ["low"]}, "m: details: \"['low']\", expected a list of low"),
        ({"rule": TILES, "details": "high"}, "m: details: 'high', expected a list"),
        ({"rule": TILES, "aliases": "n"}, "m: aliases: 'n', expected a list of texts"),
        ({"rule": TILES, "aliases": [1]}, "m: aliases: '[1]', expected a list of texts"),
        ({"rule": TILES, "status": "gone"}, "m: status: 'gone', expected one of active"),
        ({"rule": TILES, "shutdown_date": "soon"}, "m: shutdown_date: 'soon', expected a date"),
        ({"rule": TILES, "successor": {}}, "m: successor: 'no model', expected model among"),
        ({"rule": TILES, "successor": "n"}, "m: successor: 'n', expected an object with model"),
        ({"rule": TILES, "max_output_tokens": 0}, "m: max_output_tokens: '0', expected a whole"),
        ({"rule": TILES, "price": {}}, "m: 'price', expected one of name, "),
        ({"rule": TILES, "x" * 99: 1}, f"m: '{'x' * 99}', expected one of"),
        ({"rule": TILES, "name": "m", "apis": "y" * 99}, f"m: apis: '{'y' * 60}…', expected"),
    ],
)
def test_an_entry_that_is_not_whole(entry: dict[str, Any], said: str) -> None:
    """Each key that is missing, unknown, of a wrong type or out of range is told by its place."""
    message = told({"models": [{"name": "m"} | entry]})
    assert message.startswith(f"f.json: {said}")


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ({"standard": {"input": -1}}, "standard.input: '-1', expected dollars a million tokens"),
        ({"standard": {"input": "2"}}, "standard.input: '2', expected dollars"),
        ({"standard": {"input": Decimal("1e99")}}, "standard.input: '1E+99', expected dollars"),
        ({"standard": {"input": 2}}, "standard: 'only input', expected a price for input and"),
        ({"batch": {"output": 2}}, "batch: 'only output', expected a price for input and"),
        ({"standard": 2}, "standard: '2', expected an object with input"),
        (
            {"standard": {"input": 2, "output": 3, "cached_input": 2.5}},
            "standard.cached_input: '2.5', expected at most input, 2",
        ),
        (
            {"long_context": {"input": 2, "output": 3}},
            "long_context: 'no over_input_tokens', expected",
        ),
    ],
)
def test_prices_that_cannot_be(prices: dict[str, Any], said: str) -> None:
    """Half a price, a negative one and a discount that is none are told."""
    message = told({"models": [{"name": "m", "rule": TILES, "prices": prices}]})
    assert message.startswith(f"f.json: m: prices.{said}")


def test_remarks_are_free() -> None:
    """What is kept for readers, sources and notes, may be anything."""
    entry = {
        "name": "m", "rule": RULE | {"source": "a page", "confidence": 1}, "notes": [{"a": 1}],
        "as_of": None, "prices": {"batch_source": 7, "long_context": {"output": None}},
        "successor": {"model": "n", "source": "a page"},
    }  # fmt: skip
    model = built_in().merged({"models": [entry]}, "f.json").find("m")
    assert (model.successor, model.price) == ("n", None)


KEYS = st.sampled_from(
    ["name", "rule", "kind", "details", "high", "max_dim", "prices", "standard", "input", "models",
     "successor", "model", "x"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_read_or_told(value: Any) -> None:
    """Whatever the file holds, it is a catalogue afterwards, or a SettingsError."""
    for document in (value, {"models": [value]}, {"models": [{"name": "gpt-4o", "rule": value}]}):
        with suppress(SettingsError):
            found = built_in().merged(document, "f.json")
            assert all(model.rule for model in found.models)


ENTRIES = st.dictionaries(KEYS, st.integers() | st.dictionaries(KEYS, st.integers()))


@given(ENTRIES, ENTRIES)
def test_what_lies_over_counts(under: dict[str, Any], over: dict[str, Any]) -> None:
    """Laid over another, an entry keeps all it says, and of the other what it does not speak of."""
    merged = merge(under, over)
    assert merged.keys() == under.keys() | over.keys()
    assert merge(merged, over) == merged
    assert merge(under, {}) == under
    assert merge({}, over) == over


def test_reads_what_it_was_given() -> None:
    """Entries that fit come back as they are."""
    entries = [{"name": "gpt-4o", "apis": ["responses"]}]
    assert read_entries({"models": entries}, "f.json") == entries
