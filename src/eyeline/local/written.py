"""Answers from the text in the picture. An empty answer means that the facts hold none."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

from eyeline.local import find, summary
from eyeline.local.facts import Facts, Line
from eyeline.local.questions import Question
from eyeline.local.words import content_words, listed, quoted, squeezed, stem, words

NO_TEXT = "No readable text was found."

CARRIER_WORDS = """
sign label board plate note banner card cover package box bottle sticker plaque notice display tag
badge button headline message caption heading title whiteboard blackboard billboard signpost placard
"""
PAGE_WORDS = """
page screen receipt poster ticket letter document screenshot menu slide form invoice bill window
chart diagram newspaper article flyer book
"""
CARRIERS, PAGES = frozenset(CARRIER_WORDS.split()), frozenset(PAGE_WORDS.split())
"""Things that carry text: only of them is the text said to be theirs, if long only of pages."""

ORDINALS = {
    "first": 0,
    "top": 0,
    "second": 1,
    "third": 2,
    "fourth": 3,
    "fifth": 4,
    "last": -1,
    "bottom": -1,
}

ALMOST = 0.85
"""Likeness from which a misread letter, not another word, is the better explanation."""


def texts(facts: Facts) -> tuple[str, ...]:
    return tuple(row.text for row in facts.rows)


def no_text(facts: Facts, sought: str = "") -> str:
    """Say why there is no text to answer from."""
    if facts.lacks("text"):
        reason = next(note for note in facts.not_looked_at if note.startswith("text:"))
        return f"Text could not be looked at ({reason.removeprefix('text: ')})."
    return NO_TEXT.removesuffix(".") + (f", so no {sought} either." if sought else ".")


# --- the text itself ----------------------------------------------------------------------------


def text(facts: Facts, question: Question) -> str:
    """Give the text, short or whole, as that of the thing the question names."""
    if not facts.rows:
        return no_text(facts)
    if row := ordinal(facts, question.text):
        return row
    yes = "Yes. " if re.match(r"(?:is|are|does) ", question.text, re.IGNORECASE) else ""
    if summary.is_short(facts):
        return f"{yes}{carrier(question.text, CARRIERS | PAGES)} reads {summary.inline(facts)}."
    return f"{yes}{carrier(question.text, PAGES)} reads:\n{facts.text}"


def ordinal(facts: Facts, question: str) -> str:
    """Give the one line that "the second line" and the like ask for, or nothing."""
    match = re.search(rf"\b({'|'.join(ORDINALS)}) (?:line|row)\b", question, re.IGNORECASE)
    if not match:
        return ""
    index = ORDINALS[match[1].lower()]
    if index >= len(facts.rows):
        return f"Only {len(facts.rows)} lines of text were found."
    return f"The {match[1].lower()} line reads {quoted(facts.rows[index].text)}."


def carrier(question: str, carriers: frozenset[str]) -> str:
    """Name what carries the text, if the question does so with a single plain noun."""
    match = re.search(
        r"\b(?:the|this|that|my) ([a-z]+)\b(?:\s+(?:says?|reads?))?\W*$", question, re.IGNORECASE
    )
    noun = match[1].lower() if match else ""
    return f"The {noun}" if noun in carriers else "The text"


def title(facts: Facts, _: Question) -> str:
    """Give the line with the largest print; that it is the title is for the user to say."""
    row = largest(facts)
    return f"The largest text reads {quoted(row)}." if row else no_text(facts)


def largest(facts: Facts) -> str:
    line = max(facts.lines, key=letter_area, default=None)
    return line.text if line else ""


def letter_area(line: Line) -> float:
    """Give the pixels a letter takes; heights alone mislead, as boxes are loose."""
    left, top, right, bottom = line.box
    return (right - left) * (bottom - top) / max(1, len(line.text))


def says(facts: Facts, question: Question) -> str:
    """Say whether a phrase is in the text, whatever its case, spacing and punctuation."""
    if not facts.rows:
        return no_text(facts)
    phrase = quoted(question.object)
    if (row := holding(facts, question.object)) is not None:
        return f"Yes: {quoted(row)}."
    if alike := likest(facts, question.object):
        return f"Not exactly {phrase}; the text reads {quoted(alike)}."
    return f"No: {phrase} is not in the text that was read."


def holding(facts: Facts, phrase: str) -> str | None:
    """Give the row or rows that hold `phrase` in full words, or None."""
    sought = words(phrase)
    if not sought:
        return None
    for row in texts(facts):
        if holds(words(row), sought):
            return row
    if holds(words(facts.text), sought):
        return facts.text.replace("\n", " ")
    # Recognisers lose spaces: a long phrase may also stand run together.
    return next(
        (r for r in texts(facts) if len(squeezed(phrase)) > 5 and squeezed(phrase) in squeezed(r)),
        None,
    )


def holds(row: Sequence[str], sought: Sequence[str]) -> bool:
    span = len(sought)
    return any(list(row[i : i + span]) == list(sought) for i in range(len(row) - span + 1))


def likest(facts: Facts, phrase: str) -> str:
    """Give the row that holds something very like `phrase`, or nothing."""
    sought, span = squeezed(phrase), len(words(phrase))
    for row in texts(facts):
        parts = words(row)
        spans = ("".join(parts[i : i + span]) for i in range(max(1, len(parts) - span + 1)))
        if any(SequenceMatcher(None, sought, part).ratio() >= ALMOST for part in spans):
            return row
    return ""


def lookup(facts: Facts, question: Question) -> str:
    """Quote the lines that share the most words with the question."""
    rows, shared = matching(facts, question.text)
    if not rows:
        return dated(facts, question.text) or numbers(facts, question.text)
    lines = [quoted(facts.rows[i].text) for i in rows[:4]]
    return f"The text that mentions {quoted(' '.join(shared))} reads {listed(lines)}."


def dated(facts: Facts, question: str) -> str:
    """Give the dates of the text to a "when" that no line answers, or nothing."""
    found = [item for _, item in find.each(find.dates, texts(facts))]
    if not found or not re.match(r"when\b", question, re.IGNORECASE):
        return ""
    return f"The text gives the {'date' if len(found) == 1 else 'dates'} {listed(found)}."


def numbers(facts: Facts, question: str) -> str:
    """Give the lines with digits to a "what number" that no line answers, or nothing."""
    found = [quoted(row) for row in texts(facts) if re.search(r"\d", row)]
    if not found or not re.match(r"(?:what|which) numbers?\b", question, re.IGNORECASE):
        return ""
    return f"The text with numbers reads {listed(found)}."


def matching(facts: Facts, question: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Give the rows that share most words with `question`, and these words as it writes them."""
    wanted = {stem(word.casefold()): word for word in content_words(question)}
    scores = [len(wanted.keys() & {stem(word) for word in words(row)}) for row in texts(facts)]
    best = max(scores, default=0)
    if best == 0 or best * 3 < len(wanted):
        return (), ()
    rows = tuple(i for i, score in enumerate(scores) if score == best)
    there = {stem(word) for i in rows for word in words(facts.rows[i].text)}
    return rows, tuple(word for root, word in wanted.items() if root in there)


# --- parts of it --------------------------------------------------------------------------------


def total(facts: Facts, question: Question) -> str:
    if not facts.rows:
        return no_text(facts, "total")
    if found := find.total(texts(facts)):
        return f"Total: {found}"
    return lookup(facts, question) or "No total was found in the text."


def date(facts: Facts, question: Question) -> str:
    return field(facts, question, find.dates, ("date", "dates"))


def time(facts: Facts, question: Question) -> str:
    return field(facts, question, find.times, ("time", "times"))


def phone(facts: Facts, question: Question) -> str:
    return field(facts, question, find.phones, ("phone number", "phone numbers"))


def email(facts: Facts, question: Question) -> str:
    return field(facts, question, find.emails, ("e-mail address", "e-mail addresses"))


def link(facts: Facts, question: Question) -> str:
    """Give web addresses, also those in codes."""
    coded = [code.text for code in facts.codes if find.URL.match(code.text)]
    if coded:
        return f"{'Link' if len(coded) == 1 else 'Links'} in a code: {listed(coded)}"
    return field(facts, question, find.links, ("link", "links"))


def error(facts: Facts, question: Question) -> str:
    """Quote what the text says went wrong, with the line that continues it."""
    if not facts.rows:
        return no_text(facts, "error message")
    found = [row for _, row in find.each(find.errors, texts(facts))]
    if not found:
        return "No error message was found in the text."
    lead = (
        "Yes"
        if re.match(r"(?:is|are|was|were|does|do) ", question.text, re.IGNORECASE)
        else "Error"
    )
    return f"{lead}: {listed([quoted(row) for row in found[:4]])}."


def field(
    facts: Facts,
    question: Question,
    finder: Callable[[str], Sequence[object]],
    names: tuple[str, str],
) -> str:
    """Give what `finder` finds; only that on the line asked for, if the question names one."""
    one, many = names
    if not facts.rows:
        return no_text(facts, one)
    found = list(find.each(finder, texts(facts)))
    if not found:
        return f"No {one} was found in the text."
    rows, _ = matching(facts, without(question.text, many))
    if chosen := [item for item in found if item[0] in rows]:
        found = chosen
    name = one if len(found) == 1 else many
    return f"{name[0].upper()}{name[1:]}: {listed([item for _, item in found])}"


def without(question: str, names: str) -> str:
    """Take the field's own name out, so that it does not choose the line."""
    roots = {stem(word) for word in words(names)}
    return " ".join(word for word in words(question) if stem(word) not in roots)


def price(facts: Facts, question: Question) -> str:
    """Quote the line of the thing asked for, or else list the amounts if nothing is named."""
    if found := lookup(facts, question):
        return found
    if content_words(question.text):
        return ""
    if not facts.rows:
        return no_text(facts, "price")
    if re.match("how much", question.text, re.IGNORECASE) and find.total(texts(facts)):
        return total(facts, question)
    listed_amounts = [item for _, item in find.each(find.amounts, texts(facts))]
    if not listed_amounts:
        return "No price was found in the text."
    return f"{'Amount' if len(listed_amounts) == 1 else 'Amounts'}: {listed(listed_amounts)}"


def currency(facts: Facts, _: Question) -> str:
    if not facts.rows:
        return no_text(facts, "currency")
    code = find.currency_of(texts(facts))
    return f"Currency: {code}" if code else "The text names no currency, or several."
