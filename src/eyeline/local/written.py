"""Answers from the text in the picture. An empty answer means that the facts hold none."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from eyeline.local import find, summary
from eyeline.local.facts import Facts, Line, Row
from eyeline.local.questions import Question
from eyeline.local.words import (
    WEEKDAY,
    content_words,
    listed,
    quoted,
    squeezed,
    stem,
    words,
)

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

TO_PAY = re.compile(r"\b(?:due|owed?|owing|pay|payable|outstanding|balance)\b", re.IGNORECASE)
"""Asks for what is left to pay rather than for the total."""

ALMOST = 0.85
"""Likeness from which a misread letter, not another word, is the better explanation."""


def texts(facts: Facts) -> tuple[str, ...]:
    return tuple(row.text for row in facts.rows)


def no_text(facts: Facts, sought: str = "") -> str:
    """Say why there is no text to answer from."""
    if facts.lacks("text") or facts.unread:
        return summary.readable(facts)
    return summary.NO_TEXT.removesuffix(".") + (f", so no {sought} either." if sought else ".")


def none(facts: Facts, message: str) -> str:
    """Say that nothing was found, and how much could not be read."""
    return f"{message} {summary.unread(facts)}".strip()


# --- the text itself ----------------------------------------------------------------------------


def text(facts: Facts, question: Question) -> str:
    """Give the text, short or whole, as that of the thing the question names."""
    if not facts.rows:
        return no_text(facts)
    if row := ordinal(facts, question.text):
        return row
    yes = yes_no(question.text)
    if summary.is_short(facts):
        told = f"{yes}{carrier(question.text, CARRIERS | PAGES)} reads {summary.inline(facts)}."
        return none(facts, told)
    told = f"{yes}{carrier(question.text, PAGES)} reads:\n{summary.whole(facts)}"
    return f"{told}\n{summary.unread(facts)}".strip()


def yes_no(question: str) -> str:
    return "Yes. " if re.match(r"(?:is|are) there |does ", question, re.IGNORECASE) else ""


def ordinal(facts: Facts, question: str) -> str:
    """Give the one line that "the second line" and the like ask for, or nothing."""
    match = re.search(rf"\b({'|'.join(ORDINALS)}) (?:line|row)\b", question, re.IGNORECASE)
    if not match:
        return ""
    index = ORDINALS[match[1].lower()]
    if index >= len(facts.rows):
        return f"Only {len(facts.rows)} lines of text were found."
    return f"The {match[1].lower()} line reads {summary.quote(facts.rows[index])}."


def carrier(question: str, carriers: frozenset[str]) -> str:
    """Name what carries the text, if the question does so with a single plain noun."""
    match = re.search(
        r"\b(?:the|this|that|my) ([a-z]+)\b(?:\s+(?:says?|reads?))?\W*$", question, re.IGNORECASE
    )
    noun = match[1].lower() if match else ""
    return f"The {noun}" if noun in carriers else "The text"


def title(facts: Facts, _: Question) -> str:
    """Give the line with the largest print; that it is the title is for the user to say."""
    line = largest(facts)
    if not line:
        return no_text(facts)
    return f"The largest text reads {summary.quote(Row((line,)))}."


def largest(facts: Facts) -> Line | None:
    return max(facts.lines, key=letter_area, default=None)


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
        return f"Yes: {quoted(row)}{doubt_in(facts, row)}."
    if alike := likest(facts, question.object):
        read = quoted(alike) + doubt_in(facts, alike)
        return f"Not exactly {phrase}; the text reads {read}."
    # A word of it that is there may be all that was meant, as in "Does it say EXIT in red".
    if (told := lookup(facts, replace(question, text=question.object))) and " mentions " in told:
        return f"Not as a whole. {told}"
    return none(facts, f"No: {phrase} is not in the text that was read.")


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
    lines = [summary.quote(facts.rows[i]) for i in rows[:4]]
    return f"The text that mentions {quoted(' '.join(shared))} reads {listed(lines)}."


def dated(facts: Facts, question: str) -> str:
    """Give the dates of the text to a "when" that no line answers, or nothing."""
    found = [item for _, item in find.each(find.dates, texts(facts))]
    if not found or not re.match(r"when\b", question, re.IGNORECASE):
        return ""
    return f"The text gives the {'date' if len(found) == 1 else 'dates'} {listed(found)}."


def numbers(facts: Facts, question: str) -> str:
    """Give the lines with digits to a "what number" that no line answers, or nothing."""
    found = [summary.quote(row) for row in facts.rows if re.search(r"\d", row.text)]
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
    """Give the total under the name it has in the text; with other words only if they are there."""
    if not facts.rows:
        return no_text(facts, "total")
    found = find.total(texts(facts), to_pay=bool(TO_PAY.search(question.text)))
    if not found:
        return lookup(facts, question) or none(facts, "No total was found in the text.")
    rows = [row for row in facts.rows if found.name in row.text and found.text in row.text]
    if question.extra and not any(holds_extra(row.text, question) for row in rows):
        return ""
    return f"{found.name.capitalize()}: {found}{doubt_in(facts, found.text)}"


def holds_extra(row: str, question: Question) -> bool:
    """Say whether `row` holds all that the question adds, such as the "due" of "due date"."""
    there = {stem(word) for word in words(row)}
    return all(stem(word.casefold()) in there for word in question.extra)


def doubt_in(facts: Facts, part: str) -> str:
    """Mark `part`, some or all of a row or several, if every row it stands in is doubtful."""
    rows = [row for row in facts.rows if part in row.text or row.text in part]
    return summary.doubt(rows[0]) if rows and all(row.is_doubtful for row in rows) else ""


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
    if coded and not question.extra:
        return f"{'Link' if len(coded) == 1 else 'Links'} in a code: {listed(coded)}"
    return field(facts, question, find.links, ("link", "links"))


def error(facts: Facts, question: Question) -> str:
    """Quote what the text says went wrong, with the line that continues it."""
    if not facts.rows:
        return no_text(facts, "error message")
    found = [(facts.rows[index], row) for index, row in find.errors(texts(facts))]
    if not found:
        return none(facts, "No error message was found in the text.")
    if question.extra and not (found := [each for each in found if holds_extra(each[1], question)]):
        return ""
    lead = "Yes" if yes_no(question.text) else "Error"
    return f"{lead}: {listed([quoted(text) + summary.doubt(row) for row, text in found[:4]])}."


def hours(facts: Facts, question: Question) -> str:
    """Quote the lines with times or days; only those of the day asked for, if there are any."""
    rows = [row for row in facts.rows if find.hours(row.text)]
    if not rows:
        return lookup(facts, question) or none(facts, "No opening hours were found in the text.")
    days = {stem(word) for word in words(question.text) if WEEKDAY.fullmatch(word)}
    of_day = [row for row in rows if days & {stem(word) for word in words(row.text)}]
    return f"The text with hours reads {listed([summary.quote(row) for row in of_day or rows])}."


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
        return none(facts, f"No {one} was found in the text.")
    if question.extra:
        found = [item for item in found if holds_extra(facts.rows[item[0]].text, question)]
        if not found:
            return ""
    rows, _ = matching(facts, without(question.text, many))
    if chosen := [item for item in found if item[0] in rows]:
        found = chosen
    name = one if len(found) == 1 else many
    told = [item + summary.doubt(facts.rows[index]) for index, item in found]
    return f"{name[0].upper()}{name[1:]}: {listed(told)}"


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
    found_amounts = find.each(find.amounts, texts(facts))
    listed_amounts = [item + summary.doubt(facts.rows[index]) for index, item in found_amounts]
    if not listed_amounts:
        return none(facts, "No price was found in the text.")
    return f"{'Amount' if len(listed_amounts) == 1 else 'Amounts'}: {listed(listed_amounts)}"


def currency(facts: Facts, _: Question) -> str:
    if not facts.rows:
        return no_text(facts, "currency")
    code = find.currency_of(texts(facts))
    return f"Currency: {code}" if code else "The text names no currency, or several."
