"""Structured answers: the strict form that is sent, and the value read back."""

from __future__ import annotations

import json
import typing
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired, Required

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, RootModel
from typing_extensions import TypedDict

from eyeline.core.schema import (
    AnswerSchema,
    as_json,
    definitions,
    drop_absent,
    is_closed,
    read_schema,
    schema_name,
    strict,
    validate,
)  # fmt: skip
from eyeline.errors import SchemaError


class Currency(Enum):
    EUR = "EUR"
    USD = "USD"


class Item(BaseModel):
    name: str
    price: float | None = None


class Receipt(BaseModel):
    """A receipt."""

    model_config = ConfigDict(strict=True)

    total: float
    bought: date
    currency: Currency = Currency.EUR
    items: list[Item] = []
    note: str | None = None


@dataclass
class Sign:
    text: str
    lines: int = 1
    kind: Literal["road", "shop"] = "road"
    tags: list[str] = field(default_factory=list)


class Place(TypedDict, total=False):
    city: str


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int | None


class Dog(BaseModel):
    kind: Literal["dog"]
    lives: int = 1


class Pet(BaseModel):
    animal: Cat | Dog


class Node(BaseModel):
    name: str
    child: Node | None = None
    label: str = "none"


class Corner(typing.NamedTuple):
    x: float
    y: float


class Shelf(BaseModel):
    """Everything that pydantic writes and the strict form has no keyword for."""

    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    first: Item = Field(description="The first item.")
    second: Item = Field(Item(name="none"), description="The second item.")
    box: tuple[float, float, float, float]
    pair: tuple[int, Item]
    corner: Corner
    price: Decimal = Field(max_digits=6)
    tags: set[str] = set()
    code: str = Field("", max_length=3, description="The code.")
    mixed: Literal["a", 1] = "a"


class Part(typing.TypedDict, total=False):
    """A part."""

    name: Required[str]
    maker: str


class Machine(Part):
    parts: list[Part]
    spare: Part | None
    inside: Machine | None
    notes: NotRequired[Annotated[typing.List[str], Field(description="What is written.")]]  # noqa: UP006


KINDS = [Receipt, Sign, Place, Pet, Node, Shelf, Machine]
PLAIN = {
    "title": "Receipt of a shop!",
    "type": "object",
    "properties": {"total": {"type": "number"}, "note": {"type": "string"}},
    "required": ["total"],
}


# --- reading a schema ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (Receipt, "Receipt"),
        (Sign, "Sign"),
        (Place, "Place"),
        (PLAIN, "Receipt_of_a_shop_"),
        ({"type": "object"}, "answer"),
        ({"properties": {}}, "answer"),
        (Node, "Node"),
        (Machine, "Machine"),
        (RootModel[dict[str, int]], "RootModel_dict_str_int_"),
        ({"$ref": "#/$defs/A", "$defs": {"A": PLAIN}, "title": "Mine"}, "Mine"),
        (AnswerSchema("mine", PLAIN), "mine"),
    ],
)
def test_what_can_be_a_schema(given: object, name: str) -> None:
    """A pydantic model, dataclass, TypedDict or JSON Schema of an object each give one."""
    made = read_schema(given)
    assert made.name == name
    assert made.given["type"] == "object"
    assert read_schema(made) is made


class Odd:
    pass


@dataclass
class WithOdd:
    odd: Odd


@dataclass
class WithPart:
    part: Part


@dataclass
class WithUnknown:
    other: NotDefinedAnywhere  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (int, "schema: int, expected a pydantic model"),
        (Odd, "schema: Odd, expected"),
        (Sign("x"), "schema: Sign, expected"),
        ("Receipt", "schema: str, expected"),
        (None, "schema: NoneType, expected"),
        (list[Sign], "expected a pydantic model"),
        (
            {"type": "array"},
            "schema: type 'array' at the root, expected an object, with a property that holds it",
        ),
        ({}, "schema: type None at the root, expected an object"),
        ({"type": "object", "oneOf": [PLAIN]}, "schema: oneOf at the root, expected an object"),
        (RootModel[list[int]], "schema: type 'array' at the root, expected an object"),
        (RootModel[Cat | Dog], "schema: anyOf at the root, expected an object"),
        (
            {"type": "object", "properties": {"a": {"type": "strin"}}},
            "$.properties.a.type: 'strin'",
        ),
        ({"type": "object", "required": "a"}, "$.required: 'a'"),
        (PLAIN | {"items": {"$ref": "https://example.org/x.json"}}, "its own $defs"),
        (PLAIN | {"anyOf": [{"$ref": "#/$defs/Nobody"}]}, "$ref '#/$defs/Nobody'"),
        (WithOdd, "fields that have a JSON Schema"),
        (WithUnknown, "fields that have a JSON Schema"),
        (WithPart, "use `typing_extensions.TypedDict`"),
    ],
)
def test_what_cannot_be_a_schema(given: object, said: str) -> None:
    """A schema that cannot be used is refused before anything is sent, with the reason."""
    with pytest.raises(SchemaError) as raised:
        read_schema(given)
    assert said in str(raised.value)


def test_a_reference_inside_is_taken() -> None:
    """A `$ref` into the schema's own definitions, or to the whole of it, is fine."""
    given = {
        "type": "object",
        "properties": {"a": {"$ref": "#/definitions/A"}, "b": {"$ref": "#"}, "$ref": {}},
        "definitions": {"A": {"type": "string"}},
    }
    assert read_schema(given).given == given


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Receipt", "Receipt"),
        ("Reçu d’achat", "Re_u_d_achat"),
        ("", "answer"),
        (None, "answer"),
        ("x" * 99, "x" * 64),
    ],
)
def test_a_name_the_api_takes(title: object, name: str) -> None:
    """A name has at most 64 letters, digits, hyphens and underscores."""
    assert schema_name(title) == name


# --- the strict form ----------------------------------------------------------------------------


def test_the_fields_of_a_request() -> None:
    """The schema is nested in Chat and flat in Responses, strict in both."""
    made, form = read_schema(PLAIN), strict(PLAIN)
    assert made.parameters("chat") == {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": made.name, "schema": form, "strict": True},
        }
    }
    assert made.parameters("responses") == {
        "text": {
            "format": {"type": "json_schema", "name": made.name, "schema": form, "strict": True}
        }
    }


@pytest.mark.parametrize(
    ("field_schema", "expected"),
    [
        ({"type": "string"}, {"type": ["string", "null"]}),
        ({"type": "null"}, {"type": "null"}),
        ({"type": ["string", "null"]}, {"anyOf": [{"type": ["string", "null"]}, {"type": "null"}]}),
        (
            {"enum": ["a"]},
            {"anyOf": [{"enum": ["a"], "type": "string"}, {"type": "null"}]},
        ),
        (
            {"type": "string", "anyOf": [{"const": "a"}]},
            {"anyOf": [{"type": "string", "anyOf": [{"const": "a", "type": "string"}]},
                       {"type": "null"}]},
        ),
        (
            {"const": "a", "type": "string"},
            {"anyOf": [{"const": "a", "type": "string"}, {"type": "null"}]},
        ),
        ({"$ref": "#/$defs/A"}, {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}),
        (
            {"anyOf": [{"type": "string"}], "description": "d"},
            {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "d"},
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
        ),
    ],
)  # fmt: skip
def test_an_optional_property_becomes_nullable(
    field_schema: dict[str, Any], expected: dict[str, Any]
) -> None:
    """What may be left away may be null instead, whatever its form; its description stays."""
    made = strict({"type": "object", "properties": {"default": field_schema}})
    assert made == {
        "type": "object",
        "properties": {"default": expected},
        "required": ["default"],
        "additionalProperties": False,
    }


def objects(schema: Any) -> list[dict[str, Any]]:
    """Give every object schema inside a schema."""
    inner = schema.values() if isinstance(schema, dict) else schema
    found = (
        [schema] if isinstance(schema, dict) and isinstance(schema.get("properties"), dict) else []
    )
    nested = inner if isinstance(schema, dict | list) else ()
    return found + [each for item in nested for each in objects(item)]


STRICT_KEYWORDS = {
    "title", "description", "type", "properties", "required", "additionalProperties", "items",
    "anyOf", "$ref", "$defs", "enum", "const", "pattern", "format", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems",
}  # fmt: skip
"""OpenAI structured-outputs guide (2026), "Supported schemas"."""


def refusals(schema: dict[str, Any], place: str = "$") -> list[str]:
    """Say what the API would refuse in a strict schema, and where."""
    if "$ref" in schema:
        return [f"{place}: beside $ref {key}" for key in schema if key != "$ref"]
    found = [f"{place}: {key}" for key in schema if key not in STRICT_KEYWORDS]
    found += [f"{place}: no type"] * (not {"type", "anyOf"} & schema.keys())
    inner = {
        **schema.get("$defs", {}), **schema.get("properties", {}),
        **dict(enumerate(schema.get("anyOf", []))),
    } | ({"items": schema["items"]} if "items" in schema else {})  # fmt: skip
    return found + [each for name, s in inner.items() for each in refusals(s, f"{place}.{name}")]


@pytest.mark.parametrize("kind", KINDS)
def test_the_api_takes_what_is_sent(kind: type) -> None:
    """A strict schema has only keywords that the API takes, and a type everywhere."""
    form = read_schema(kind).parameters("responses")["text"]["format"]
    assert form["strict"]
    assert form["schema"]["type"] == "object"
    assert refusals(form["schema"]) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"type": "string", "maxLength": 3, "description": "A code.", "default": "x"},
            {"type": "string", "description": "A code. (maxLength: 3)"},
        ),
        ({"type": "string", "format": "uri"}, {"type": "string", "description": '(format: "uri")'}),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ({"type": "string", "pattern": "^a"}, {"type": "string", "pattern": "^a"}),
        (
            {"type": "string", "pattern": "^(?!a)"},
            {"type": "string", "description": '(pattern: "^(?!a)")'},
        ),
        (
            {"type": "array", "items": {"const": 1}, "uniqueItems": True, "maxItems": 2},
            {"type": "array", "items": {"const": 1, "type": "integer"}, "maxItems": 2,
             "description": "(uniqueItems: true)"},
        ),
        (
            {"prefixItems": [{"type": "number"}, {"type": "number"}], "items": False},
            {"type": "array", "items": {"type": "number"}},
        ),
        (
            {"prefixItems": [{"type": "number"}], "items": {"type": "string"}},
            {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "string"}]},
             "description": '(prefixItems: [{"type": "number"}])'},
        ),
        (
            {"oneOf": [{"type": "number"}, {"type": "string"}], "discriminator": {}},
            {"anyOf": [{"type": "number"}, {"type": "string"}]},
        ),
        ({"allOf": [{"$ref": "#"}], "title": "T"}, {"anyOf": [{"$ref": "#"}], "title": "T"}),
        ({"$ref": "#", "default": None}, {"$ref": "#"}),
        ({"$ref": "#", "description": "d"}, {"anyOf": [{"$ref": "#"}], "description": "d"}),
        ({"enum": ["a", 1, None]}, {"enum": ["a", 1, None], "type": ["integer", "null", "string"]}),
        (
            {"properties": {}, "anyOf": [{"required": ["a"]}]},
            {"type": "object", "properties": {}, "required": [], "additionalProperties": False,
             "description": '(anyOf: [{"required": ["a"]}])'},
        ),
    ],
)  # fmt: skip
def test_what_the_strict_form_has_no_keyword_for(
    given: dict[str, Any], expected: dict[str, Any]
) -> None:
    """What the API refuses is put in a form that it takes, or told in the description."""
    assert is_closed(given)
    assert strict(given) == expected


@pytest.mark.parametrize(
    "inner",
    [
        True,
        {},
        {"description": "anything"},
        {"type": "object"},
        {"type": ["object", "null"]},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True},
        {"type": "object", "properties": {}, "patternProperties": {"^x": {"type": "string"}}},
        {"type": "array"},
        {"type": "array", "items": {}},
        {"type": "array", "prefixItems": [{"type": "string"}, {}]},
        {"anyOf": [{"type": "string"}, {"type": "object"}]},
        {"allOf": [{"type": "string"}, {"minLength": 2}]},
        {"const": {"a": 1}},
    ],
)
def test_an_open_schema_is_sent_as_it_is(inner: Any) -> None:
    """What has no strict form goes out as it was given, and `strict` says so."""
    for place in ({"properties": {"a": inner}}, {"properties": {}, "$defs": {"a": inner}}):
        made = read_schema({"type": "object", **place})
        form = made.parameters("responses")["text"]["format"]
        assert (form["strict"], form["schema"]) == (False, made.given)


@pytest.mark.parametrize("kind", KINDS)
def test_every_object_inside_is_strict(kind: type) -> None:
    """At every depth all properties are required, none may be added, and no default is left."""
    form = strict(read_schema(kind).given)
    assert objects(form)
    for each in objects(form):
        assert each["required"] == list(each["properties"])
        assert each["additionalProperties"] is False
    assert '"default"' not in json.dumps(form)


# --- reading a value back -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (
            Receipt,
            '{"total": 7.5, "bought": "2026-11-22", "currency": null, "items": [{"name": "tea", '
            '"price": null}], "note": null}',
            Receipt(total=7.5, bought=date(2026, 11, 22), items=[Item(name="tea")]),
        ),
        (
            Sign,
            '{"text": "EXIT", "lines": null, "kind": null, "tags": null}',
            Sign("EXIT"),
        ),
        (Sign, '{"text": "EXIT", "lines": 2, "kind": "shop", "tags": ["a"]}',
         Sign("EXIT", 2, "shop", ["a"])),
        (Place, '{"city": null}', {}),
        (Pet, '{"animal": {"kind": "cat", "lives": null}}',
         Pet(animal=Cat(kind="cat", lives=None))),
        (Pet, '{"animal": {"kind": "dog", "lives": null}}', Pet(animal=Dog(kind="dog"))),
        (
            Machine,
            '{"name": "m", "maker": null, "spare": null, "notes": null, "parts": [{"name": "p", '
            '"maker": null}], "inside": {"name": "n", "parts": [], "spare": {"name": "q"}, '
            '"inside": null}}',
            {"name": "m", "spare": None, "parts": [{"name": "p"}],
             "inside": {"name": "n", "parts": [], "spare": {"name": "q"}, "inside": None}},
        ),
        (
            RootModel[dict[str, Item | None]],
            '{"a": {"name": "tea", "price": null}, "b": null}',
            RootModel[dict[str, Item | None]]({"a": Item(name="tea"), "b": None}),
        ),
        (
            Node,
            '{"name": "a", "child": {"name": "b", "child": null, "label": null}, "label": null}',
            Node(name="a", child=Node(name="b")),
        ),
    ],
)  # fmt: skip
def test_a_strict_answer_becomes_a_value(kind: type, text: str, expected: object) -> None:
    """Nulls that stand for absent properties fall away, and the defaults come back."""
    assert read_schema(kind).parse(text) == expected


def test_a_value_as_json() -> None:
    """A value goes back to JSON, dates and enums as they stood in the answer."""
    receipt = Receipt(total=float("nan"), bought=date(2026, 11, 22), items=[Item(name="tea")])
    assert as_json([receipt]) == [{
        "total": None, "bought": "2026-11-22", "currency": "EUR", "note": None,
        "items": [{"name": "tea", "price": None}],
    }]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "value", "expected"),
    [
        (PLAIN, {"total": 1, "note": None}, {"total": 1}),
        (PLAIN, {"total": 1, "note": "x"}, {"total": 1, "note": "x"}),
        (
            PLAIN | {"properties": PLAIN["properties"] | {"in": {"$ref": "#/definitions/In"}},
                     "definitions": {"In": {"type": "object", "properties": {"a": {}}}}},
            {"total": 1, "note": None, "in": {"a": None}},
            {"total": 1, "in": {}},
        ),
        (
            {"type": "object", "properties": {"a": {"oneOf": [
                {"type": "array", "items": PLAIN}, {"type": "string"}]}}},
            {"a": [{"total": 1, "note": None}]},
            {"a": [{"total": 1}]},
        ),
        (
            {"type": "object", "properties": {"up": {"$ref": "#"}, "x": {"type": "string"}}},
            {"up": {"up": None, "x": None}, "x": "y"},
            {"up": {}, "x": "y"},
        ),
        (
            {"type": "object", "properties": {"a": {"anyOf": [PLAIN, {"type": "null"}]}}},
            {"a": {"total": 1, "extra": None}},
            {"a": {"total": 1}},
        ),
        (
            {"type": "object", "additionalProperties": {"anyOf": [PLAIN, {"type": "null"}]}},
            {"a": {"total": 1, "note": None}, "b": None},
            {"a": {"total": 1}, "b": None},
        ),
        (
            PLAIN | {"additionalProperties": True},
            {"total": 1, "note": None, "more": None},
            {"total": 1, "more": None},
        ),
        (
            {"type": "object", "properties": {"a": {"prefixItems": [{"type": "string"}, PLAIN],
             "items": False}, "b": True}},
            {"a": ["x", {"total": 1, "note": None}], "b": {"c": None}},
            {"a": ["x", {"total": 1}], "b": {"c": None}},
        ),
        (
            {"type": "object", "properties": {"a": {"anyOf": [
                {"type": "object", "additionalProperties": PLAIN},
                {"type": "object", "properties": {"total": True, "x": {"const": 1}}}]}}},
            {"a": {"total": None, "x": 1}},
            {"a": {"x": 1}},
        ),
    ],
)  # fmt: skip
def test_a_json_schema_gives_plain_values(
    given: dict[str, Any], value: object, expected: object
) -> None:
    """With a JSON Schema the value is what `json` gives, without the nulls of the strict form."""
    assert read_schema(given).parse(json.dumps(value)) == expected


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"total": 1}\n```',
        '\n```\n{"total": 1}\n```\n',
        '```json {"total": 1}```',
        ' {"total": 1}\n',
    ],
)
def test_an_answer_in_a_fence(text: str) -> None:
    """The Markdown fence that local servers put around JSON is taken off."""
    assert read_schema(PLAIN).parse(text) == {"total": 1}


def test_an_error_of_pydantic_has_no_links() -> None:
    """What does not fit a type is said without the addresses of pydantic's pages."""
    with pytest.raises(ValueError, match="2 validation errors") as raised:
        read_schema(Receipt).parse('{"total": "much"}')
    said = str(raised.value)
    assert "total\n  Input should be a valid number" in said
    assert "bought\n  Field required" in said
    assert "http" not in said
    assert "further information" not in said


@pytest.mark.parametrize(
    ("schema", "text", "said"),
    [
        (PLAIN, "The total is 7.", "Expecting value"),
        (PLAIN, 'Here it is:\n```json\n{"total": 1}\n```', "Expecting value"),
        (PLAIN, '```json\n{"total": 1}\n```\nIs it right?', "Expecting value"),
        (PLAIN, "```", "Expecting value"),
        (PLAIN, "[1]", r"\$: \[1\] is not of type 'object'"),
        (PLAIN, '{"total": "7"}', r"\$\.total: '7' is not of type 'number'"),
        (PLAIN, "{}", r"\$: 'total' is a required property"),
        (PLAIN, "[" * 100_000, "nested too deeply"),
        (Receipt, '{"total": "much"}', "total"),
        (Sign, "{}", "text"),
    ],
)
def test_a_value_that_does_not_fit(schema: object, text: str, said: str) -> None:
    """What does not fit raises ValueError that says where."""
    with pytest.raises(ValueError, match=said):
        read_schema(schema).parse(text)


# --- the round trip, for any schema -------------------------------------------------------------

LEAVES = st.sampled_from(
    [
        ({"type": "string"}, "x"),
        ({"type": "integer"}, 3),
        ({"type": "boolean"}, True),
        ({"enum": ["a", "b"]}, "b"),
        ({"const": "c"}, "c"),
        ({"type": ["number", "null"]}, 0.5),
    ]
)
PROPERTY_NAMES = ["a", "b", "items", "default", "$defs", "required", "type"]


@st.composite
def cases(draw: st.DrawFn, depth: int = 2) -> tuple[dict[str, Any], Any]:
    """Draw an object schema, and a value of it with some optional properties left away."""
    properties, value, required = {}, {}, []
    for name in draw(st.lists(st.sampled_from(PROPERTY_NAMES), unique=True, max_size=4)):
        inner = st.one_of(LEAVES, cases(depth - 1), lists(depth - 1)) if depth else LEAVES
        properties[name], item = draw(inner)
        if draw(st.booleans()):
            required.append(name)
        if name in required or draw(st.booleans()):
            value[name] = item
    return {"type": "object", "properties": properties, "required": required}, value


@st.composite
def lists(draw: st.DrawFn, depth: int) -> tuple[dict[str, Any], Any]:
    schema, value = draw(cases(depth) if depth else LEAVES)
    return {"type": "array", "items": schema}, [value] * draw(st.integers(0, 2))


def filled(value: Any, schema: dict[str, Any]) -> Any:
    """Answer as a model must in strict form: every property is there, absent ones are null."""
    if schema.get("type") == "array":
        return [filled(item, schema["items"]) for item in value]
    if schema.get("type") != "object":
        return value
    fields = schema["properties"].items()
    return {name: filled(value[name], inner) if name in value else None for name, inner in fields}


@given(cases())
def test_strict_and_back(case: tuple[dict[str, Any], Any]) -> None:
    """Filled up for the strict form, a value fits it, and comes back as it was."""
    schema, value = case
    answer = filled(value, schema)
    validate(answer, strict(schema))
    assert drop_absent(answer, schema, definitions(schema)) == value
    assert read_schema(schema).parse(json.dumps(answer)) == value
    validate(value, schema)
