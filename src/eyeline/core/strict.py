"""
A JSON Schema in the API's strict form: each property required, none beside them, absent ones null.

Source: OpenAI structured-outputs guide (2026) and the threads named beside the rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

JsonSchema = Mapping[str, Any]
NULL: JsonSchema = {"type": "null"}
DEFS = ("$defs", "definitions")

# What the strict form takes, by the structured-outputs guide of OpenAI (2026), "Supported schemas".
# It refuses `oneOf`, any keyword beside a `$ref`, lookaround in a pattern, and a value without
# `type`: pydantic/pydantic-ai#5519, openai/openai-agents-python#1884, openclaw/clawpatch#60.
KEPT = {
    "title", "description", "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minItems", "maxItems",
}  # fmt: skip
FORMATS = {
    "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid",
}  # fmt: skip
LOOKAROUND = re.compile(r"\(\?<?[=!]")

# Keywords that get a place of their own in the strict form, or that ask nothing of an answer.
UNTOLD = {
    "$ref", "$defs", "definitions", "properties", "required", "additionalProperties", "items",
    "default", "discriminator", "deprecated", "readOnly", "writeOnly", "$schema", "$id", "$comment",
}  # fmt: skip
JSON_TYPES = {
    str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null",
}  # fmt: skip


def strict(schema: JsonSchema) -> dict[str, Any]:
    """
    Put a closed schema in the API's strict form: each property required, none beside them, absent
    ones null.

    What the form has no keyword for (`maxLength`, `uniqueItems`, `not`, …) is told in the
    description, and checked when the answer is read. The items of a tuple may each be any of its
    kinds, and `oneOf` becomes `anyOf`.

    Source: OpenAI structured-outputs guide (2026), "Supported schemas".
    """
    made = kept(schema)
    if "$ref" in schema:
        target = {"$ref": schema["$ref"]}
        return {"anyOf": [target], **made} if made else target
    if "properties" in schema:
        made |= strict_object(schema)
    if kinds := item_kinds(schema):
        forms = [strict(kind) for kind in kinds]
        made["items"] = forms[0] if len(forms) == 1 else {"anyOf": forms}
    if branches := choices(schema):
        made["anyOf"] = [strict(branch) for branch in branches]
    return made


def strict_object(schema: JsonSchema) -> dict[str, Any]:
    """Give what the strict form of an object says of its properties, and its definitions."""
    properties, required = schema["properties"], schema.get("required", ())
    groups = {group: schema[group] for group in DEFS if group in schema}
    return {
        "properties": {
            name: strict(field) if name in required else nullable(strict(field))
            for name, field in properties.items()
        },
        "required": list(properties),
        "additionalProperties": False,
        **{
            group: {name: strict(made) for name, made in named.items()}
            for group, named in groups.items()
        },
    }


def kept(schema: JsonSchema) -> dict[str, Any]:
    """Give the keywords of a value itself that the strict form takes, and the others as words."""
    made = {key: value for key, value in schema.items() if is_kept(key, value)}
    if kinds := types_of(schema):
        made["type"] = kinds[0] if len(kinds) == 1 else kinds
    if words := told(schema):
        made["description"] = f"{schema.get('description', '')} ({words})".strip()
    return made


def is_kept(key: str, value: object) -> bool:
    if key == "pattern":
        return not LOOKAROUND.search(str(value))
    return value in FORMATS if key == "format" else key in KEPT


def told(schema: JsonSchema) -> str:
    """Say in words what a schema asks beyond the strict form."""
    placed = {*UNTOLD, choice_key(schema)}
    if len(item_kinds(schema)) < 2:
        placed.add("prefixItems")
    return "; ".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in schema.items()
        if key not in placed and not is_kept(key, value)
    )


def is_closed(schema: Any) -> bool:
    """Say whether the strict form can hold a schema: each value in it has a type and an end."""
    if is_open(schema):
        return False
    parts = (schema.get(group, {}).values() for group in (*DEFS, "properties"))
    inner = (*chain.from_iterable(parts), *item_kinds(schema), *choices(schema))
    return all(map(is_closed, inner))


def is_open(schema: Any) -> bool:
    """Say whether a schema leaves open, not counting what is inside, which values may come."""
    if not isinstance(schema, Mapping):
        return True
    if "$ref" in schema:
        return False
    kinds = types_of(schema)
    if "object" in kinds and ("properties" not in schema or takes_more(schema)):
        return True
    if "array" in kinds and not item_kinds(schema):
        return True
    return not kinds and choice_key(schema) is None


def takes_more(schema: JsonSchema) -> bool:
    """Say whether an object schema asks for properties beyond those it names."""
    return schema.get("additionalProperties", False) is not False or "patternProperties" in schema


def types_of(schema: JsonSchema) -> list[str]:
    """Give the types a schema names, or else those its properties, items or constants have."""
    if kinds := schema.get("type"):
        return [kinds] if isinstance(kinds, str) else list(kinds)
    if "properties" in schema:
        return ["object"]
    if item_kinds(schema):
        return ["array"]
    constants = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return sorted({JSON_TYPES.get(type(value), "object") for value in constants})


def item_kinds(schema: JsonSchema) -> list[Any]:
    """Give the schemas that items of an array have, each once."""
    kinds = [*schema.get("prefixItems", ())]
    if isinstance(schema.get("items"), Mapping):
        kinds.append(schema["items"])
    return [kind for number, kind in enumerate(kinds) if kind not in kinds[:number]]


def choice_key(schema: JsonSchema) -> str | None:
    """Name the keyword whose branches make up a schema; beside properties they only limit it."""
    if "properties" in schema or "$ref" in schema:
        return None
    keys = ("anyOf", "oneOf", "allOf") if len(schema.get("allOf", ())) == 1 else ("anyOf", "oneOf")
    return next((key for key in keys if key in schema), None)


def choices(schema: JsonSchema) -> Sequence[Any]:
    key = choice_key(schema)
    return () if key is None else schema[key]


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if kind == "null":
        return schema
    if isinstance(kind, str) and not {"enum", "const", "anyOf"} & schema.keys():
        return schema | {"type": [kind, "null"]}
    if kind is None and "anyOf" in schema:
        branches = schema["anyOf"]
        return schema if NULL in branches else schema | {"anyOf": [*branches, NULL]}
    return {"anyOf": [schema, NULL]}


# --- reading a value back -----------------------------------------------------------------------
