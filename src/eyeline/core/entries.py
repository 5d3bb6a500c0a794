"""
What one entry of a catalogue file may hold: checked key by key, laid over another, completed.

An entry here is plain JSON; `catalogue` makes models of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from eyeline.core.spelling import did_you_mean
from eyeline.core.tokens import DETAILS
from eyeline.errors import SettingsError

Entry = Mapping[str, Any]

# Far beyond any model, and small enough that no arithmetic on them overflows.
USD_MAX = 1_000_000
TOKENS_MAX = 1_000_000_000
SIDE_MAX_PX = 65_535


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value without keys: what is allowed, and how that is said."""

    allows: Callable[[Any], bool]
    expected: str


@dataclass(frozen=True, slots=True)
class Keys:
    """An object with these keys, none of them required here; or null, where that is allowed."""

    shapes: Mapping[str, Leaf | Keys]
    or_null: bool = False


def is_text(value: object) -> bool:
    return isinstance(value, str) and value.strip() != ""


def is_list_of(value: object, allowed: Callable[[Any], bool]) -> bool:
    return isinstance(value, list | tuple) and all(map(allowed, value))


def is_number(value: object, low: float, high: float) -> bool:
    is_one = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return is_one and low <= value <= high  # type: ignore[operator]  # NaN lies nowhere between


def is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and is_number(value, low, high)


def whole(low: int, high: int) -> Leaf:
    return Leaf(lambda value: is_whole(value, low, high), f"a whole number, {low:,} to {high:,}")


def or_null(leaf: Leaf) -> Leaf:
    return Leaf(lambda value: value is None or leaf.allows(value), f"{leaf.expected}, or null")


def one_of(*words: str) -> Leaf:
    return Leaf(lambda value: value in words, f"one of {', '.join(words)}")


# What is kept beside the facts for whoever reads the file: sources, dates, doubts.
REMARK = Leaf(lambda value: True, "anything")
TEXT = Leaf(is_text, "text")
TEXTS = Leaf(lambda value: is_list_of(value, is_text), "a list of texts")
DATE = Leaf(
    lambda value: is_text(value) and bool(re.fullmatch(r"\d{4}-[01]\d-[0-3]\d", value)),
    "a date as 2026-12-31",
)
TOKENS = whole(1, TOKENS_MAX)
USD = or_null(
    Leaf(lambda value: is_number(value, 0, USD_MAX), f"dollars a million tokens, 0 to {USD_MAX:,}")
)
BOX = Keys({"max_dim": whole(1, SIDE_MAX_PX), "max_patches": or_null(TOKENS)})
RATE_KEYS = {"input": USD, "cached_input": USD, "cache_write_30m": USD, "output": USD}
RATE = Keys(RATE_KEYS, or_null=True)
REMARKS = dict.fromkeys(("confidence", "source", "as_of", "notes"), REMARK)

RULE = Keys(
    {
        "kind": one_of("patch", "tile"),
        "auto_is": one_of("low", "high", "original"),
        "base": whole(0, TOKENS_MAX),
        "per_tile": whole(0, TOKENS_MAX),
        "multiplier": Leaf(lambda value: is_number(value, 0.001, 1000), "a number, 0.001 to 1,000"),
        "refuse_over_patches": or_null(TOKENS),
        "details": Keys({"low": BOX, "high": BOX, "original": BOX}),
        **dict.fromkeys(
            ("alternative_high", "assumptions", "disagreement", "inferred_from", "superseded"),
            REMARK,
        ),
        **REMARKS,
    }
)
PRICES = Keys(
    {
        "standard": RATE,
        "batch": RATE,
        "flex": RATE,
        "long_context": Keys({"over_input_tokens": TOKENS, **RATE_KEYS}, or_null=True),
        "batch_source": REMARK,
        **REMARKS,
    }
)
ENTRY = Keys(
    {
        "name": TEXT,
        "aliases": TEXTS,
        "snapshots": TEXTS,
        "status": one_of("active", "deprecated", "shut_down"),
        "shutdown_date": or_null(DATE),
        "successor": Keys({"model": TEXT, **REMARKS}, or_null=True),
        "apis": TEXTS,
        "details": Leaf(
            lambda value: is_list_of(value, lambda each: each in DETAILS) and "high" in value,
            f"a list of {', '.join(DETAILS)}, with high",
        ),
        "rule": RULE,
        "prices": PRICES,
        "max_output_tokens": or_null(TOKENS),
        **dict.fromkeys(("released", "gated_access", "context_window", "max_input_tokens"), REMARK),
        **REMARKS,
    }
)

# What an entry of its own is where it says nothing.
DEFAULTS: Entry = {
    "aliases": (),
    "snapshots": (),
    "status": "active",
    "shutdown_date": None,
    "successor": None,
    "apis": ("chat/completions",),
    "max_output_tokens": None,
    "prices": {"standard": None, "batch": None, "flex": None, "long_context": None},
}


def merge(under: Entry, over: Entry) -> dict[str, Any]:
    """Lay one entry over another: objects key by key; lists, texts and numbers whole."""
    merged = dict(under)
    for key, value in over.items():
        below = under.get(key)
        is_both = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[key] = merge(below, value) if is_both else value  # type: ignore[arg-type]
    return merged


def read_entries(document: object, file: str) -> list[Entry]:
    """Give the checked entries of a catalogue file. Raises SettingsError naming the entry."""
    entries = document.get("models") if isinstance(document, Mapping) else None
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        found = "no list of models" if isinstance(document, Mapping) else "no object"
        raise SettingsError(file, found, 'an object as {"models": [{"name": …, …}]}')
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, Mapping) or not is_text(entry.get("name")):
            raise SettingsError(f"{file}: entry {number}", shown(entry), "an object with a name")
        check(entry, ENTRY, f"{file}: {entry['name']}")
    return list(entries)


def check(value: Any, shape: Leaf | Keys, where: str) -> None:
    """Raise SettingsError at the first key or value that the shape does not have."""
    if isinstance(shape, Leaf):
        if not shape.allows(value):
            raise SettingsError(where, shown(value), shape.expected)
        return
    if value is None and shape.or_null:
        return
    if not isinstance(value, Mapping):
        expected = f"an object with {', '.join(shape.shapes)}"
        raise SettingsError(where, shown(value), expected)
    for key, inner in value.items():
        if key not in shape.shapes:
            near = did_you_mean(str(key), shape.shapes)
            raise SettingsError(where, str(key), f"one of {', '.join(shape.shapes)}{near}")
        check(inner, shape.shapes[key], f"{where}: {key}" if shape is ENTRY else f"{where}.{key}")


def complete(entry: Entry, file: str) -> Entry:
    """
    Give a checked and merged entry with its details; raises SettingsError where a needed key is
    missing or two contradict each other.
    """
    where = f"{file}: {entry['name']}"
    if "rule" not in entry:
        raise SettingsError(where, "no rule", "a rule, since no model of that name is built in")
    levels = check_rule(entry["rule"], f"{where}: rule")
    check_prices(entry["prices"], f"{where}: prices")
    if entry["successor"] is not None:
        require(entry["successor"], "model", f"{where}: successor")
    details = entry.get("details", (*levels, "auto"))
    for detail in details:
        if detail not in (*levels, "auto"):
            raise SettingsError(f"{where}: details", detail, f"one of {', '.join(levels)}, auto")
    return {**entry, "details": details}


def check_rule(rule: Entry, where: str) -> tuple[str, ...]:
    """Raise SettingsError for a rule that is not whole; give its levels of detail."""
    needed = ("base", "per_tile") if rule.get("kind") == "tile" else ("multiplier", "details")
    for key in ("kind", *needed):
        require(rule, key, where)
    if rule["kind"] == "tile":
        levels: tuple[str, ...] = ("low", "high")
    else:
        levels = tuple(rule["details"])
        require(rule["details"], "high", f"{where}.details")
        for level, box in rule["details"].items():
            require(box, "max_dim", f"{where}.details.{level}")
    if rule.get("auto_is", "high") not in levels:
        raise SettingsError(f"{where}.auto_is", rule["auto_is"], f"one of {', '.join(levels)}")
    return levels


def check_prices(prices: Entry, where: str) -> None:
    """Raise SettingsError for a rate with half a price, or with a discount that is none."""
    for tier in ("standard", "batch", "flex", "long_context"):
        rate = {key: value for key, value in (prices[tier] or {}).items() if value is not None}
        known = [key for key in ("input", "output") if key in rate]
        if len(known) == 1:
            expected = "a price for input and for output"
            raise SettingsError(f"{where}.{tier}", f"only {known[0]}", expected)
        if known and tier == "long_context":
            require(rate, "over_input_tokens", f"{where}.{tier}")
        # Left from the entry below, where only the input became cheaper.
        if known and rate.get("cached_input", 0) > rate["input"]:
            found, expected = shown(rate["cached_input"]), f"at most input, {rate['input']}"
            raise SettingsError(f"{where}.{tier}.cached_input", found, expected)


def require(given: Entry, key: str, where: str) -> None:
    if key not in given:
        raise SettingsError(where, f"no {key}", f"{key} among {', '.join(given) or 'its keys'}")


def shown(value: object) -> str:
    """Show what was found, cut where it is long."""
    text = "null" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
