"""
Structured answers: a type or JSON Schema in, a strict schema for the API out, and the value read
back.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eyeline.core.parts import Api
from eyeline.errors import SchemaError

JsonSchema = Mapping[str, Any]
NULL: JsonSchema = {"type": "null"}
DEFS = ("$defs", "definitions")
BRANCHES = ("anyOf", "oneOf")


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """
    What an answer must look like.

    `given` is the schema as the user means it, `kind` the type to build from it, or None for a
    plain JSON Schema.
    """

    name: str
    given: JsonSchema
    kind: Any = None

    def parameters(self, api: Api) -> dict[str, Any]:
        """Give the field of the request body that asks for this schema."""
        form = {"name": self.name, "schema": strict(self.given), "strict": True}
        if api == "chat":
            return {"response_format": {"type": "json_schema", "json_schema": form}}
        return {"text": {"format": {"type": "json_schema", **form}}}

    def parse(self, text: str) -> Any:
        """
        Read the value out of an answer's text. Raises ValueError that says where it does not fit.
        """
        try:
            value = drop_absent(json.loads(text), self.given, definitions(self.given))
        except RecursionError:
            raise ValueError("nested too deeply") from None
        if self.kind is not None:
            from pydantic import TypeAdapter

            # As JSON, so that strict models take a date or an enum from its text.
            return TypeAdapter(self.kind).validate_json(json.dumps(value))
        validate(value, self.given)
        return value


def read_schema(value: object) -> AnswerSchema:
    """Read a pydantic model, dataclass, TypedDict or JSON Schema. Raises SchemaError."""
    if isinstance(value, AnswerSchema):
        return value
    if isinstance(value, Mapping):
        if value.get("type") != "object" and "properties" not in value:
            raise SchemaError(f"type {value.get('type')!r}", "a JSON Schema of type object")
        given = dict(value) | {"type": "object"}
        check_schema(given)
        return AnswerSchema(schema_name(value.get("title")), given)
    if isinstance(value, type) and is_record(value):
        return AnswerSchema(schema_name(value.__name__), schema_of(value), value)
    found = value.__name__ if isinstance(value, type) else type(value).__name__
    raise SchemaError(found, "a pydantic model, dataclass, TypedDict or JSON Schema")


def check_schema(schema: JsonSchema) -> None:
    """Refuse a broken schema, or one that needs another document, before an answer is paid for."""
    from jsonschema import Draft202012Validator
    from jsonschema import SchemaError as Broken

    try:
        Draft202012Validator.check_schema(schema)
    except Broken as error:
        raise SchemaError(f"{error.json_path}: {error.message}", "a valid JSON Schema") from None
    known = {"#", *(f"#/{group}/{name}" for group in DEFS for name in schema.get(group, {}))}
    for target in references(schema):
        if target not in known:
            raise SchemaError(f"$ref {target!r}", "a $ref into its own $defs")


def references(schema: object) -> Iterator[object]:
    """Give the target of every `$ref` inside a schema."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        schema = list(schema.values())
    if isinstance(schema, list | tuple):
        for branch in schema:
            yield from references(branch)


def definitions(schema: JsonSchema) -> Mapping[str, Any]:
    """Give what a `$ref` of `schema` can name, by the last word of the reference."""
    named = {name: made for group in DEFS for name, made in schema.get(group, {}).items()}
    return named | {"#": schema}


def schema_of(kind: type) -> JsonSchema:
    from pydantic import PydanticUserError, TypeAdapter
    from pydantic.errors import PydanticSchemaGenerationError

    try:
        return TypeAdapter(kind).json_schema()
    except (PydanticUserError, PydanticSchemaGenerationError, NameError) as error:
        found = f"{kind.__name__}: {str(error).splitlines()[0]}"
        raise SchemaError(found, "fields that have a JSON Schema") from None


def is_record(kind: type) -> bool:
    return (
        dataclasses.is_dataclass(kind)
        or hasattr(kind, "model_json_schema")
        or hasattr(kind, "__total__")
    )


def schema_name(title: object) -> str:
    """Give a name the API takes: at most 64 of letters, digits, - and _."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", str(title or "answer"))[:64]


def strict(schema: JsonSchema) -> dict[str, Any]:
    """
    Put a schema in the API's strict form: each property required, none beside them, absent ones
    null.

    Source: OpenAI structured-outputs guide (2026): every property in `required`, and
    `additionalProperties` false.
    """
    made = {
        key: strict_value(key, value)
        for key, value in schema.items()
        if key not in ("default", "properties", "required")
    }
    properties = schema.get("properties")
    if properties is not None:
        required = schema.get("required", ())
        made["properties"] = {
            name: strict(field) if name in required else nullable(strict(field))
            for name, field in properties.items()
        }
        made["required"] = list(properties)
        made["additionalProperties"] = False
    return made


def strict_value(key: str, value: Any) -> Any:
    if key in DEFS:
        return {name: strict(field) for name, field in value.items()}
    if isinstance(value, Mapping) and key == "items":
        return strict(value)
    if key in ("anyOf", "oneOf", "allOf"):
        return [strict(branch) for branch in value]
    return value


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if isinstance(kind, str) and not {"enum", "const"} & schema.keys():
        return schema if kind == "null" else schema | {"type": [kind, "null"]}
    if "anyOf" not in schema:
        return {"anyOf": [schema, NULL]}
    branches = schema["anyOf"]
    return schema if NULL in branches else schema | {"anyOf": [*branches, NULL]}


def drop_absent(value: Any, schema: JsonSchema, defs: Mapping[str, Any]) -> Any:
    """Undo `strict`: take out the nulls that stand for properties left away."""
    schema = resolve(value, schema, defs)
    if isinstance(value, dict) and "properties" in schema:
        required = schema.get("required", ())
        return {
            name: drop_absent(item, schema["properties"].get(name, {}), defs)
            for name, item in value.items()
            if item is not None or name in required
        }
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [drop_absent(item, schema["items"], defs) for item in value]
    return value


def resolve(value: Any, schema: JsonSchema, defs: Mapping[str, Any]) -> JsonSchema:
    """
    Follow a reference, and of several branches the first that can hold this value: for an object,
    the one whose properties it has, for in the strict form it has them all.
    """
    target = schema.get("$ref")
    if target is not None:
        return resolve(value, defs.get(target.rpartition("/")[2], {}), defs)
    branches = [resolve(value, branch, defs) for key in BRANCHES for branch in schema.get(key, ())]
    mark = "properties" if isinstance(value, dict) else "items"
    able = [branch for branch in branches if mark in branch]
    exact = (b for b in able if isinstance(value, dict) and fits(value, b["properties"]))
    return next(exact, able[0] if able else schema)


def fits(value: Mapping[str, Any], properties: Mapping[str, Any]) -> bool:
    """Say whether an object has these properties and no others, and the constants they ask for."""
    return value.keys() == properties.keys() and all(
        value[name] == field["const"] for name, field in properties.items() if "const" in field
    )


def validate(value: Any, schema: JsonSchema) -> None:
    """Check a value against a JSON Schema. Raises ValueError naming the first place that fails."""
    from jsonschema import Draft202012Validator

    error = next(Draft202012Validator(schema).iter_errors(value), None)
    if error is not None:
        raise ValueError(f"{error.json_path}: {error.message}")
