from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from local_samples import CAT, RECEIPT, coded, facts

from eyeline.local.facts import Facts, Kind
from eyeline.local.fill import PLACES_MAX, fill

BILL = facts(*RECEIPT, kind=Kind.DOCUMENT)


def filled(picture: Any, **properties: Any) -> dict[str, Any]:
    return fill([picture], {"type": "object", "properties": properties})


@pytest.mark.parametrize(
    ("name", "schema", "value"),
    [
        ("total", {"type": "number"}, 11.59),
        ("totalAmount", {"type": "string"}, "11.59"),
        ("grand_total", {"type": ["number", "null"]}, 11.59),
        ("currency", {"type": "string"}, "EUR"),
        ("currency", {"enum": ["USD", "EUR"]}, "EUR"),
        ("currency", {"enum": ["USD"]}, None),
        ("date", {"type": "string", "format": "date"}, "2026-11-21"),
        ("purchase_date", {"type": "string"}, "2026-11-21"),
        ("time", {"type": "string"}, "17:42"),
        ("phone_number", {"type": "string"}, "+44 1632 960018"),
        ("email", {"anyOf": [{"type": "string"}, {"type": "null"}]}, "shop@corner.example"),
        ("emails", {"type": "array", "items": {"type": "string"}}, ["shop@corner.example"]),
        ("text", {"type": "string"}, "\n".join(RECEIPT)),
        ("lines", {"type": "array", "items": {"type": "string"}}, list(RECEIPT)),
        ("width", {"type": "integer"}, 640),
        ("image_height", {"type": "number"}, 480),
        ("kind", {"type": "string"}, "document"),
        ("has_text", {"type": "boolean"}, True),
        ("colours", {"type": "array", "items": {"type": "string"}}, ["brown", "white"]),
        ("main_color", {"type": "string"}, "brown"),
        ("x", {"type": "number", "description": "The total, with tax"}, 11.59),
        ("subtotal", {"type": "number"}, None),
        ("tax", {"type": "number"}, None),
        ("merchant", {"type": "string"}, None),
        ("language", {"type": "string"}, None),
        ("people_count", {"type": "integer"}, None),
        ("total", {"type": "boolean"}, None),
        ("items", {"type": "array", "items": {"type": "object", "properties": {"a": {}}}}, None),
        ("line_items", {"type": ["array", "null"]}, None),
    ],
)
def test_properties_are_filled_by_name_and_type(
    name: str, schema: dict[str, Any], value: Any
) -> None:
    """What is measured is given in the type asked for; what is not is null."""
    assert filled(BILL, **{name: schema}) == {name: value}


@pytest.mark.parametrize(
    ("picture", "name", "value"),
    [
        (BILL, "codes", []),
        (BILL, "links", []),
        (BILL, "ingredients", None),
        (BILL, "tags", None),
        (facts(unread=2), "emails", None),
        (facts("Tιμ 250 ευρ"), "emails", None),
        (facts(not_looked_at=("text: x", "codes: x")), "emails", None),
        (facts(not_looked_at=("text: x", "codes: x")), "codes", None),
    ],
)
def test_an_array_is_empty_only_where_it_was_looked_for(
    picture: Facts, name: str, value: list[str] | None
) -> None:
    """None found is an empty array; not looked for, or not all of it legible, is null."""
    assert filled(picture, **{name: {"type": "array", "items": {"type": "string"}}}) == {
        name: value
    }


def test_the_total_is_not_what_is_left_to_pay() -> None:
    """An invoice that was paid has its total, and nothing due."""
    number = {"type": "number"}
    paid = facts("Grand total £240.00", "Amount due £0.00")
    assert filled(paid, total=number, amount_due=number) == {"total": 240, "amount_due": 0}


@pytest.mark.parametrize(
    ("picture", "value"),
    [
        (BILL, True),
        (facts(), False),
        (facts(unread=1), None),
        (facts(not_looked_at=("text: x",)), None),
    ],
)
def test_whether_there_is_text_is_known_only_if_it_was_read(
    picture: Facts, value: bool | None
) -> None:
    """Print that could not be read may be text or not."""
    assert filled(picture, has_text={"type": "boolean"}) == {"has_text": value}


def test_values_read_with_doubt_are_null() -> None:
    """A number from a line that may be misread is not filled in; the text is given as read."""
    doubtful = facts("Total 12.00 ευρ")
    assert filled(doubtful, total={}, title={}, text={}) == {
        "total": None,
        "title": None,
        "text": "Total 12.00 ευρ",
    }


def test_references_and_nested_objects_are_followed() -> None:
    """A schema as pydantic makes it, with $defs, is filled to its depth."""
    schema = {
        "type": "object",
        "$defs": {"Sum": {"type": "object", "properties": {"total": {"type": "number"}}}},
        "properties": {"payment": {"anyOf": [{"$ref": "#/$defs/Sum"}, {"type": "null"}]}},
    }
    assert fill([BILL], schema) == {"payment": {"total": 11.59}}


def test_a_schema_that_holds_itself_ends() -> None:
    """Recursion in a schema is cut, not followed for ever."""
    schema = {"properties": {"text": {"type": "string"}, "next": {"$ref": "#"}}}
    assert fill([BILL], schema)["next"]["next"]["text"] == "\n".join(RECEIPT)


def test_a_schema_that_grows_without_end_is_filled_to_a_bound() -> None:
    """One that holds itself ten times over is cut where the API would cut it too."""
    schema = {"properties": {f"text{at}": {"$ref": "#"} for at in range(10)}}

    def places(value: Any) -> int:
        return 1 + sum(map(places, value.values())) if isinstance(value, dict) else 1

    assert PLACES_MAX <= places(fill([BILL], schema)) < 2 * PLACES_MAX


@pytest.mark.parametrize("kind", [7, None, [3, ["string"]], {}])
def test_a_type_that_is_none_says_nothing(kind: Any) -> None:
    """What is no name of a type is passed over."""
    assert filled(BILL, currency={"type": kind}) == {"currency": "EUR"}


def test_the_first_picture_that_knows_gives_the_value() -> None:
    """Of several pictures each may fill what the others do not show."""
    schema = {"properties": {"total": {"type": "number"}, "barcode": {"type": "string"}}}
    assert fill([coded("EAN-13", "5901234123457"), BILL], schema) == {
        "total": 11.59,
        "barcode": "5901234123457",
    }


def test_the_subject_is_named_only_if_sure() -> None:
    """A label below the line of certainty is null."""
    assert filled(facts(labels=CAT), subject={"type": "string"}) == {"subject": "cat"}
    assert filled(facts(labels=CAT[:1]), subject={"type": "string"}) == {"subject": None}


def test_ambiguous_days_are_null() -> None:
    """A date that could be two days is no ISO date."""
    day = {"type": "string", "format": "date"}
    assert filled(facts("03/04/2026"), date=day) == {"date": None}


schemas = st.recursive(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "number", "integer", "array", "null"])}
    ),
    lambda inner: st.builds(
        lambda props: {"type": "object", "properties": props},
        st.dictionaries(
            st.sampled_from(["total", "date", "text", "x", "colours"]), inner, max_size=4
        ),
    ),
    max_leaves=12,
)


@given(schemas)
def test_any_schema_is_filled_in_its_shape(schema: dict[str, Any]) -> None:
    """Every property of the schema is in the answer, and no other."""
    assert set(fill([BILL], schema)) == set(schema.get("properties", {}))
