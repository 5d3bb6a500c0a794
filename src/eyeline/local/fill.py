"""Fill a JSON Schema with what was measured; what cannot be known is null, never a guess."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from eyeline.local import find, written
from eyeline.local.facts import Facts
from eyeline.local.labels import SURE, subjects_of
from eyeline.local.pictured import BLURRY

Schema = Mapping[str, Any]
Value = Any  # a JSON value; the type of a recursive one says no more to a reader
Finder = Callable[[Facts], Value]

DEPTH_MAX = 16
"""A schema may contain itself; no measured fact is nested as deep as this."""

PLACES_MAX = 5000
"""One that holds itself twice has two to the power of its depth. The API takes as many places."""


def texts(facts: Facts) -> tuple[str, ...]:
    """Give what was read without doubt; of other rows only the place."""
    return tuple("" if row.is_doubtful else row.text for row in facts.rows)


def each(finder: Callable[[str], Sequence[object]]) -> Finder:
    """Make a finder of all that `finder` finds in the rows, as text."""
    return lambda facts: looked(facts, [text for _, text in find.each(finder, texts(facts))])


def looked(facts: Facts, found: list[str]) -> list[str] | None:
    """Give `found`; None if it is empty because some text was not read for certain."""
    is_whole = not facts.lacks("text") and not facts.unread and all(texts(facts))
    return found or ([] if is_whole else None)


def has_text(facts: Facts) -> bool | None:
    return True if facts.rows else None if facts.unread or facts.lacks("text") else False


def codes(facts: Facts) -> list[str] | None:
    return None if facts.lacks("codes") else [code.text for code in facts.codes]


def title(facts: Facts) -> str | None:
    line = written.largest(facts)
    return line.text if line and not line.is_doubtful else None


def total(facts: Facts) -> Decimal | None:
    found = find.total(texts(facts))
    return found.value if found else None


def to_pay(facts: Facts) -> Decimal | None:
    found = find.total(texts(facts), to_pay=True)
    return found.value if found else None


def currency(facts: Facts) -> str | None:
    found = find.total(texts(facts))
    return (found.currency if found else "") or find.currency_of(texts(facts)) or None


def iso_dates(facts: Facts) -> list[str]:
    days = (date.day for row in texts(facts) for date in find.dates(row))
    return list(dict.fromkeys(day.isoformat() for day in days if day))


def subject(facts: Facts) -> str | None:
    likely = [each for each in subjects_of(facts.labels) if each.probability >= SURE]
    return re.sub(r"^an? ", "", likely[0].name) if likely else None


FINDERS: tuple[tuple[str, Finder], ...] = (
    (r"has text|contains text|text present", has_text),
    (r"is blurr(?:y|ed)|blurry", lambda facts: facts.measures.sharpness < BLURRY),
    (r"is gr[ea]y(?:scale)?|gr[ea]yscale|black and white", lambda facts: facts.measures.is_grey),
    (r"(?:has )?(?:alpha|transparency)", lambda facts: facts.header.has_alpha),
    (
        r"(?:lines|rows)(?: of text)?|text lines",
        lambda facts: looked(facts, [row.text for row in facts.rows]),
    ),
    (
        r"sub total|subtotal|tax|vat|discount|tip|change|due date|sender|recipient",
        lambda facts: None,
    ),
    (r"(?:amount|total|balance) (?:due|to pay|payable)", to_pay),
    (r"total|grand total|total (?:amount|price|sum|cost|paid)|amount(?: paid)?|sum", total),
    (r"currency(?: code| symbol)?", currency),
    (r"(?:date )?taken(?: at| on)?|capture(?:d at| date)", lambda facts: facts.header.taken),
    (r"camera(?: model)?", lambda facts: facts.header.camera),
    (r"(?:\w+ )?dates?", each(find.dates)),
    (r"(?:\w+ )?times?", each(find.times)),
    (r"(?:tele)?phone(?: numbers?)?|tel|phone no", each(find.phones)),
    (r"e ?mails?(?: address(?:es)?)?", each(find.emails)),
    (r"urls?|links?|web ?sites?|web address", each(find.links)),
    (r"prices|amounts", each(find.amounts)),
    (
        r"(?:error|error message)s?|warning",
        lambda facts: looked(facts, [e for _, e in find.errors(texts(facts))]),
    ),
    (r"title|heading|headline", title),
    (
        r"(?:full |raw |all |visible |extracted |ocr |sign )?text"
        r"|content|transcript(?:ion)?|ocr|words",
        lambda facts: facts.text or None,
    ),
    (
        r"(?:bar|qr) ?codes?|codes?|code (?:text|value|content)|ean|upc|isbn",
        codes,
    ),
    (r"(?:\w+ )?colou?rs?|palette", lambda facts: [c.name for c in facts.measures.colours]),
    (r"(?:image )?width(?: px)?", lambda facts: facts.header.width_px),
    (r"(?:image )?height(?: px)?", lambda facts: facts.header.height_px),
    (r"(?:file |image )?format", lambda facts: facts.header.format),
    (r"(?:image |picture )?(?:kind|type)", lambda facts: str(facts.kind)),
    (r"frames|frame count|number of frames", lambda facts: facts.header.frames),
    (r"brightness", lambda facts: facts.measures.brightness),
    (r"sharpness", lambda facts: facts.measures.sharpness),
    (r"(?:main )?(?:subject|object)", subject),
    (
        r"labels|tags|objects|subjects|keywords",
        lambda facts: [s] if (s := subject(facts)) else None,
    ),
)
"""Names of properties, spelled as words, and what they are filled with; the first that fits."""

NAMES = tuple((re.compile(pattern), finder) for pattern, finder in FINDERS)


def fill(facts: Sequence[Facts], schema: Schema) -> dict[str, Value]:
    """
    Fill the properties of `schema` by their names, descriptions and types.

    Of several pictures the first that knows a value gives it. What cannot be known is null, even
    where the schema does not allow that; an empty array says that none was found. Places past
    PLACES_MAX are null.
    """
    filled = Filling(facts, schema).value_of(schema, "", 0)
    return filled if isinstance(filled, dict) else {}


class Filling:
    """Fills the places of one schema, `root`, as long as there are not too many."""

    def __init__(self, facts: Sequence[Facts], root: Schema) -> None:
        self.facts, self.root = facts, root
        self.left: Iterator[int] = iter(range(PLACES_MAX))

    def value_of(self, schema: Schema, name: str, depth: int) -> Value:
        """Fill one place: an object property by property, anything else by its name."""
        if next(self.left, None) is None:
            return None
        plain = resolve(schema, self.root)
        properties = plain.get("properties")
        if isinstance(properties, Mapping):
            if depth >= DEPTH_MAX:
                return None
            return {
                key: self.value_of(part if isinstance(part, Mapping) else {}, key, depth + 1)
                for key, part in properties.items()
            }
        return self.found(plain, name)

    def found(self, schema: Schema, name: str) -> Value:
        found = [find_value(each, schema, name) for each in self.facts]
        known = next((value for value in found if value not in (None, [])), None)
        return [] if known is None and found and all(value == [] for value in found) else known


def resolve(schema: Schema, root: Schema) -> Schema:
    """Follow references and take the first alternative that is more than null."""
    for _ in range(DEPTH_MAX):
        reference = schema.get("$ref")
        choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if isinstance(reference, str):
            schema = {**target(reference, root), **{k: v for k, v in schema.items() if k != "$ref"}}
        elif isinstance(choices, Sequence):
            rest = {k: v for k, v in schema.items() if k not in ("anyOf", "oneOf", "allOf")}
            schema = {**first_choice(choices), **rest}
        else:
            break
    return schema


def first_choice(choices: Iterable[Any]) -> Schema:
    return next(
        (c for c in choices if isinstance(c, Mapping) and c.get("type") != "null"), {"type": "null"}
    )


def target(reference: str, root: Schema) -> Schema:
    """Find what a local reference (`#/$defs/Item`) points to; nothing if it points elsewhere."""
    found: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step:
            found = found.get(step, {}) if isinstance(found, Mapping) else {}
    return found if isinstance(found, Mapping) else {}


def types_of(schema: Schema) -> frozenset[str]:
    """Give the names of the types that a schema declares; what is no name declares nothing."""
    declared = schema.get("type")
    named = declared if isinstance(declared, list) else [declared]
    return frozenset(name for name in named if isinstance(name, str))


def find_value(facts: Facts, schema: Schema, name: str) -> Value:
    """Find the value that a property's name, or else its description, asks for, and make it fit."""
    is_date = schema.get("format") == "date" or types_of(schema) & {"date"}
    for label in (spell(name), *spelled_titles(schema)):
        for pattern, finder in NAMES:
            if pattern.fullmatch(label):
                found = iso_dates(facts) if is_date else finder(facts)
                return fit(found, schema)
    return fit(iso_dates(facts), schema) if is_date and not name else None


def spelled_titles(schema: Schema) -> Iterable[str]:
    """Give the title, and the description up to its first stop, without an article before it."""
    for key in ("title", "description"):
        text = schema.get(key)
        if isinstance(text, str):
            yield re.sub(r"^(?:the|an?) ", "", spell(re.split(r"[.,;:(]", text)[0]))


def spell(name: str) -> str:
    """Write `totalAmount`, `total_amount` and `Total amount` alike."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return " ".join(re.findall(r"[^\W_]+", spaced)).lower()


def fit(found: Value, schema: Schema) -> Value:
    """Make `found` a value of the schema's type, or null if it cannot be one."""
    types = types_of(schema)
    if "array" in types:
        return fit_array(found, schema)
    if isinstance(found, list):
        found = found[0] if found else None
    fitted = fit_scalar(found, types)
    allowed = schema.get("enum")
    if isinstance(allowed, list) and fitted is not None:
        return next((each for each in allowed if spell(str(each)) == spell(str(fitted))), None)
    return fitted


def fit_array(found: Value, schema: Schema) -> list[Value] | None:
    """Make a list, or null if nothing was looked for; items that are objects never are."""
    items = schema.get("items")
    plain = items if isinstance(items, Mapping) else {}
    if found is None or plain.get("properties") or "$ref" in plain:
        return None
    many = found if isinstance(found, list) else [found]
    fitted = [value for each in many if (value := fit(each, plain)) is not None]
    return fitted if fitted or not many else None


def fit_scalar(found: Value, types: frozenset[str]) -> Value:
    """Turn text into numbers and numbers into text where the schema asks for the other."""
    if found is None or isinstance(found, bool):
        return found if not types or "boolean" in types else None
    if types & {"number", "integer"}:
        return fit_number(found, types)
    if types and "string" not in types:
        return None
    return found if isinstance(found, str) else number_text(found)


def fit_number(found: Value, types: frozenset[str]) -> int | float | str | None:
    if isinstance(found, str):
        digits = re.search(find.NUMBER, found)
        if "string" in types or not digits:
            return found if "string" in types else None
        found = find.parse_amount(digits[0])
    if found == int(found):
        return int(found)
    return float(found) if "number" in types else None


def number_text(found: Decimal | float) -> str:
    return str(found)
