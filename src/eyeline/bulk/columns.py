"""
The columns of a result: fixed ones, a typed one for each field of the schema, kept ones of the
input.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from eyeline.bulk.arrow import pa
from eyeline.core.schema import AnswerSchema, definitions
from eyeline.core.strict import choices
from eyeline.errors import SettingsError

# In the order in which they stand in the table; those of the schema come after `text`.
HEAD = ("key", "source", "status", "text")
TAIL = (
    "error", "error_kind", "model", "input_tokens", "output_tokens", "image_tokens", "cost_usd",
    "cached", "latency_s", "attempts",
)  # fmt: skip
# A token of cached input in a batch may cost $5e-9; twelve places hold its tenth, and twelve more
# before the point any sum. A float would not add up to the bill.
COST_DIGITS, COST_PLACES = 24, 12


@dataclass(frozen=True, slots=True)
class Columns:
    """
    The table of one run. `answers` and `kept` give the column of each field of the schema and of
    each input column; `as_json` names the columns whose values have no one type and stand as JSON.
    """

    schema: pa.Schema
    answers: Mapping[str, str]
    kept: Mapping[str, str]
    as_json: frozenset[str] = frozenset()

    def record(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """
        Give one row of the table.

        `result` holds the fixed columns by name, `parsed` (plain JSON, or None) and `values` (the
        input's columns); what it leaves out is null.
        """
        made = {name: result.get(name) for name in (*HEAD, *TAIL)}
        parsed, values = result.get("parsed"), result.get("values") or {}
        fields = parsed if isinstance(parsed, Mapping) else {}
        made |= {column: fields.get(name) for name, column in self.answers.items()}
        made |= {column: values.get(name) for name, column in self.kept.items()}
        for name in self.as_json:
            if made[name] is not None:
                made[name] = json.dumps(made[name], ensure_ascii=False)
        return made


def columns_of(
    answer: AnswerSchema | None = None,
    source: pa.Schema | None = None,
    keep: Sequence[str] = (),
) -> Columns:
    """
    Give the columns of a run that asks for `answer` and keeps the input columns `keep`.

    A field that is called like a fixed column gets `answer_` before its name, an input column that
    is called like any other `input_`. Raises SettingsError for a column the input does not have.
    """
    fields = fixed(HEAD)
    taken = {*HEAD, *TAIL}
    answers, as_json = {}, set()
    for name, kind in field_types(answer).items():
        answers[name] = column = free(name, "answer_", taken)
        fields.append(pa.field(column, kind or pa.string()))
        if kind is None:
            as_json.add(column)
    fields += fixed(TAIL)
    kept = {}
    for name in keep:
        kept[name] = free(name, "input_", taken)
        fields.append(source_field(name, source).with_name(kept[name]).with_nullable(True))
    return Columns(pa.schema(fields), answers, kept, frozenset(as_json))


def free(name: str, prefix: str, taken: set[str]) -> str:
    while name in taken:
        name = prefix + name
    taken.add(name)
    return name


def source_field(name: str, source: pa.Schema | None) -> pa.Field[Any]:
    names = [] if source is None else source.names
    if name not in names:
        near = get_close_matches(name, names, n=1)
        known = f"one of {', '.join(names)}" if names else "none, the source has no columns"
        raise SettingsError("--keep", name, f"{known}; did you mean {near[0]}?" if near else known)
    assert source is not None
    return source.field(name)


def fixed(names: Iterable[str]) -> list[pa.Field[Any]]:
    """Give the fixed columns called `names`; all that are not text are named here."""
    kinds = {
        "input_tokens": pa.int64(), "output_tokens": pa.int64(), "image_tokens": pa.int64(),
        "cost_usd": pa.decimal128(COST_DIGITS, COST_PLACES), "cached": pa.bool_(),
        "latency_s": pa.float64(), "attempts": pa.int64(),
    }  # fmt: skip
    return [pa.field(name, kinds.get(name, pa.string())) for name in names]


# --- from JSON Schema to Arrow --------------------------------------------------------------------


def field_types(answer: AnswerSchema | None) -> dict[str, pa.DataType | None]:
    """Give the type of each field of the schema, None where values of several kinds may come."""
    if answer is None:
        return {}
    typing = Typing(definitions(answer.given))
    properties = answer.given.get("properties", {})
    return {name: typing.kind(schema, ()) for name, schema in properties.items()}


@dataclass(frozen=True, slots=True)
class Typing:
    """Gives Arrow types to JSON Schemas; `defs` is what their references name."""

    defs: Mapping[str, Any]

    def kind(self, schema: Any, inside: tuple[str, ...]) -> pa.DataType | None:
        """Give a schema's type; None where it has none. `inside` names references being read."""
        if not isinstance(schema, Mapping):
            return None
        if "$ref" in schema:
            return self.referred(schema["$ref"].rpartition("/")[2], inside)
        if "enum" in schema or "const" in schema:
            return self.of_values(schema.get("enum", [schema.get("const")]))
        if branches := [each for each in choices(schema) if each.get("type") != "null"]:
            return common([self.kind(branch, inside) for branch in branches])
        names = schema.get("type", "object" if "properties" in schema else None)
        names = [names] if isinstance(names, str) else names or []
        return common([self.plain(name, schema, inside) for name in names if name != "null"])

    def referred(self, name: str, inside: tuple[str, ...]) -> pa.DataType | None:
        # A type that holds itself has no end; its values stand as JSON.
        return None if name in inside else self.kind(self.defs.get(name), (*inside, name))

    def of_values(self, values: Iterable[Any]) -> pa.DataType | None:
        names = {bool: "boolean", int: "integer", float: "number", str: "string"}
        kinds = [names.get(type(value)) for value in values if value is not None]
        return common([self.plain(kind, {}, ()) if kind else None for kind in kinds])

    def plain(
        self, name: str, schema: Mapping[str, Any], inside: tuple[str, ...]
    ) -> pa.DataType | None:
        makers: dict[str, Callable[[], pa.DataType | None]] = {
            "string": pa.string, "integer": pa.int64, "number": pa.float64, "boolean": pa.bool_,
            "array": lambda: self.listed(schema, inside),
            "object": lambda: self.struct(schema, inside),
        }  # fmt: skip
        return makers[name]() if name in makers else None

    def listed(self, schema: Mapping[str, Any], inside: tuple[str, ...]) -> pa.DataType | None:
        items = [*schema.get("prefixItems", ())]
        if isinstance(schema.get("items"), Mapping):
            items.append(schema["items"])
        kind = common([self.kind(item, inside) for item in items])
        return None if kind is None else pa.list_(kind)

    def struct(self, schema: Mapping[str, Any], inside: tuple[str, ...]) -> pa.DataType | None:
        """Give a struct of the properties; what may hold others too has no one type."""
        properties = schema.get("properties", {})
        kinds = [(name, self.kind(each, inside)) for name, each in properties.items()]
        known = [(name, kind) for name, kind in kinds if kind is not None]
        is_open = isinstance(schema.get("additionalProperties"), Mapping)
        return None if is_open or not kinds or len(known) < len(kinds) else pa.struct(known)


def common(kinds: Sequence[pa.DataType | None]) -> pa.DataType | None:
    """Give the type that takes the values of all `kinds`, None where there is none."""
    first = kinds[0] if kinds else None
    if all(kind == first for kind in kinds):
        return first
    if {*kinds} == {pa.int64(), pa.float64()}:
        return pa.float64()
    return None
