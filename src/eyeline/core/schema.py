"""
Structured answers: a type or JSON Schema in, a strict schema for the API out, and the value read
back.
"""

from __future__ import annotations

import dataclasses
import json
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Union, get_type_hints, is_typeddict

from eyeline.core.parts import Api
from eyeline.core.strict import (
    DEFS,
    JsonSchema,
    choice_key,
    choices,
    is_closed,
    strict,
    takes_more,
)
from eyeline.errors import SchemaError

TWINNED = ("__module__", "__qualname__", "__doc__", "__required_keys__", "__pydantic_config__")


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
        """
        Give the field of the request body that asks for this schema.

        A schema that leaves open which properties or values there are (`dict[str, int]`, `Any`, a
        list of anything) has no strict form: it is sent as it was given, with `strict` false. The
        model then mostly keeps to it, and `parse` checks the answer as ever.
        """
        closed = is_closed(self.given)
        schema = strict(self.given) if closed else self.given
        form = {"name": self.name, "schema": schema, "strict": closed}
        if api == "chat":
            return {"response_format": {"type": "json_schema", "json_schema": form}}
        return {"text": {"format": {"type": "json_schema", **form}}}

    def parse(self, text: str) -> Any:
        """
        Read the value out of an answer's text, which may stand in a Markdown fence. Raises
        ValueError that says where it does not fit.
        """
        try:
            value = drop_absent(json.loads(unfenced(text)), self.given, definitions(self.given))
        except RecursionError:
            raise ValueError("nested too deeply") from None
        if self.kind is not None:
            return build(self.kind, value)
        validate(value, self.given)
        return value


def read_schema(value: object) -> AnswerSchema:
    """Read a pydantic model, dataclass, TypedDict or JSON Schema. Raises SchemaError."""
    if isinstance(value, AnswerSchema):
        return value
    if isinstance(value, Mapping):
        check_schema(given := dict(value))
        return AnswerSchema(schema_name(value.get("title")), rooted(given))
    if isinstance(value, type) and is_record(value):
        return AnswerSchema(schema_name(value.__name__), rooted(schema_of(value)), value)
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


def rooted(schema: JsonSchema) -> JsonSchema:
    """
    Give the schema with an object at its root, as the API asks, in place of a reference to one.

    Raises SchemaError if the root is a list, a plain value or a choice.
    """
    target = schema.get("$ref", "").rpartition("/")[2]
    root = {**definitions(schema).get(target, {}), **schema}
    root.pop("$ref", None)
    if "properties" in root:
        root.setdefault("type", "object")
    choice = choice_key(root)
    if choice in ("anyOf", "oneOf") or root.get("type") != "object":
        found = choice or f"type {root.get('type')!r}"
        raise SchemaError(f"{found} at the root", "an object, with a property that holds it")
    return root


def schema_of(kind: type) -> JsonSchema:
    from pydantic import PydanticUserError
    from pydantic.errors import PydanticSchemaGenerationError

    try:
        schema: JsonSchema = adapter(kind).json_schema()
    except (PydanticUserError, PydanticSchemaGenerationError, NameError) as error:
        found = f"{kind.__name__}: {str(error).splitlines()[0]}"
        raise SchemaError(found, "fields that have a JSON Schema") from None
    return schema


def adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(modern(kind, {}))


def as_json(value: object) -> Any:
    """
    Put a model, a dataclass or what contains one into plain JSON: a Decimal or a date as text, an
    enum as its value, what is no number as null.
    """
    return json.loads(adapter(type(value)).dump_json(value))


def modern(kind: Any, twins: dict[type, Any]) -> Any:
    """
    Give the type with a twin from typing_extensions for each `typing.TypedDict` in it.

    Before Python 3.12 pydantic takes no other (its error `typed-dict-version`). Those inside a
    dataclass stay as they are, for the dataclass is what the user wants back.
    """
    if is_typeddict(kind):
        return twins[kind] if kind in twins else twin(kind, twins)
    old = () if isinstance(kind, type) else getattr(kind, "__args__", ())
    new = tuple(modern(part, twins) for part in old)
    if all(made is part for made, part in zip(new, old, strict=True)):
        return kind
    if isinstance(kind, types.UnionType):
        return Union[new]  # noqa: UP007 - `|` takes no tuple
    return kind.copy_with(new) if hasattr(kind, "copy_with") else kind.__origin__[new]


def twin(kind: Any, twins: dict[type, Any]) -> Any:
    import typing_extensions

    make: Any = typing_extensions.TypedDict
    # Known before its fields are read, for they may name it again.
    made = twins[kind] = make(kind.__name__, {})
    hints = get_type_hints(kind, include_extras=True)
    made.__annotations__ = {name: modern(hint, twins) for name, hint in hints.items()}
    for name in TWINNED:
        if hasattr(kind, name):
            setattr(made, name, getattr(kind, name))
    return made


def is_record(kind: type) -> bool:
    return (
        dataclasses.is_dataclass(kind)
        or hasattr(kind, "model_json_schema")
        or hasattr(kind, "__total__")
    )


def schema_name(title: object) -> str:
    """Give a name the API takes: at most 64 of letters, digits, - and _."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", str(title or "answer"))[:64]


# --- the strict form ----------------------------------------------------------------------------


def unfenced(text: str) -> str:
    """Take off the Markdown fence that local servers like to put around JSON."""
    body = text.strip()
    if body.startswith("```") and body.endswith("```"):
        return body[3:-3].removeprefix("json")
    return text


def drop_absent(value: Any, schema: Any, defs: Mapping[str, Any]) -> Any:
    """Undo `strict`: take out the nulls that stand for properties left away."""
    schema = resolve(value, schema, defs)
    if isinstance(value, dict):
        properties, more = schema.get("properties", {}), schema.get("additionalProperties", {})
        return {
            name: drop_absent(item, properties.get(name, more), defs)
            for name, item in value.items()
            if item is not None or not is_absent(name, schema)
        }
    if isinstance(value, list):
        kinds = chain(schema.get("prefixItems", ()), repeat(schema.get("items", {})))
        return [drop_absent(item, kind, defs) for item, kind in zip(value, kinds, strict=False)]
    return value


def is_absent(name: str, schema: JsonSchema) -> bool:
    """Say whether a null property stands for none."""
    if name in schema.get("required", ()) or "properties" not in schema:
        return False
    return name in schema["properties"] or not takes_more(schema)


def resolve(value: Any, schema: Any, defs: Mapping[str, Any]) -> JsonSchema:
    """
    Follow a reference, and of several branches the first that can hold this value: for an object,
    the one whose properties it has, for in the strict form it has them all.
    """
    if not isinstance(schema, Mapping):
        return {}
    target = schema.get("$ref")
    if target is not None:
        return resolve(value, defs.get(target.rpartition("/")[2], {}), defs)
    branches = [resolve(value, branch, defs) for branch in choices(schema)]
    is_object = isinstance(value, dict)
    marks = {"properties", "additionalProperties"} if is_object else {"items", "prefixItems"}
    able = [branch for branch in branches if marks & branch.keys()]
    exact = (b for b in able if is_object and fits(value, b.get("properties", {})))
    return next(exact, able[0] if able else schema)


def fits(value: Mapping[str, Any], properties: Mapping[str, Any]) -> bool:
    """Say whether an object has these properties and no others, and the constants they ask for."""
    return value.keys() == properties.keys() and all(
        value[name] == field["const"]
        for name, field in properties.items()
        if isinstance(field, Mapping) and "const" in field
    )


def validate(value: Any, schema: JsonSchema) -> None:
    """Check a value against a JSON Schema. Raises ValueError naming the first place that fails."""
    from jsonschema import Draft202012Validator

    error = next(Draft202012Validator(schema).iter_errors(value), None)
    if error is not None:
        raise ValueError(f"{error.json_path}: {error.message}")


def build(kind: Any, value: Any) -> Any:
    """Make the user's type of a value. Raises ValueError, without the links to pydantic's pages."""
    try:
        # As JSON, so that strict models take a date or an enum from its text.
        return adapter(kind).validate_json(json.dumps(value))
    except ValueError as error:
        raise ValueError(re.sub(r"\n *For further information visit .*", "", str(error))) from None
