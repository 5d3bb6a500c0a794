"""What the reader can say of a picture in a few sentences."""

from __future__ import annotations

from collections.abc import Iterator

from eyeline.local.facts import Facts, Kind, Row
from eyeline.local.labels import PERHAPS, SURE, Subject, subjects_of
from eyeline.local.words import listed, percent, quoted

QUOTED_ROWS, QUOTED_CHARS = 3, 120
"""Up to this much text is quoted within a sentence; more stands below it, row by row."""

NO_TEXT = "No readable text was found."

COLOURS_NAMED, OTHERS_NAMED = 4, 3


def describe(facts: Facts) -> str:
    """Say everything measured that helps to picture it; of photos, also what is left out."""
    return " ".join((*sentences(facts), unseen(facts))).strip() + text_below(facts)


def digest(facts: Facts) -> str:
    """Say the same in brief, on one line."""
    return " ".join((*sentences(facts), text_begins(facts))).strip()


def sentences(facts: Facts) -> Iterator[str]:
    yield opening(facts)
    if is_photo(facts):
        yield subject(facts)
    if facts.measures.colours and facts.kind is not Kind.DOCUMENT:
        yield f"Main colours: {colours(facts)}."
    if facts.codes:
        yield " ".join(f"{code.kind}: {code.text}." for code in facts.codes)
    if note := readable(facts):
        yield note


def is_photo(facts: Facts) -> bool:
    return facts.kind in (Kind.PHOTO, Kind.PHOTO_WITH_TEXT)


def opening(facts: Facts) -> str:
    header = facts.header
    grey = "black-and-white " if facts.measures.is_grey and is_photo(facts) else ""
    frames = f", {header.frames} frames" if header.frames > 1 else ""
    return f"A {grey}{facts.kind}, {size(facts)} px ({header.format}{frames})."


def size(facts: Facts) -> str:
    return f"{facts.header.width_px:,} × {facts.header.height_px:,}"


def colours(facts: Facts) -> str:
    named = facts.measures.colours[:COLOURS_NAMED]
    return listed([f"{colour.name} {percent(colour.share)}" for colour in named])


def subject(facts: Facts) -> str:
    """Name the main subject as surely as the network does, and no surer."""
    if facts.lacks("labels"):
        return f"The main subject could not be looked at ({facts.reason('labels')})."
    found = subjects_of(facts.labels)
    likely = [candidate for candidate in found if candidate.probability >= PERHAPS]
    if not likely:
        return "The main subject could not be named with any confidence."
    first = likely[0]
    if first.probability >= SURE:
        sure = f"{percent(first.probability)} sure{finer(first)}"
        return f"The main subject looks like {first.name} ({sure})."
    rest = [
        f"{c.name} ({percent(c.probability)})" for c in found[1:OTHERS_NAMED] if c.probability > 0.1
    ]
    names = listed([f"{first.name} ({percent(first.probability)})", *rest], "or")
    return f"The main subject is perhaps {names}."


def finer(candidate: Subject) -> str:
    """Name the likeliest class within a group, if the network leans to one."""
    best = candidate.labels[0]
    leans = best.probability > 0.6 * candidate.probability and best.name not in candidate.name
    return f"; most like: {best.name}" if leans else ""


def readable(facts: Facts) -> str:
    """Say that there is no text or that some was not read, or that none was looked for."""
    if facts.lacks("text"):
        return f"Text could not be looked at ({facts.reason('text')})."
    return "" if facts.rows and not facts.unread else unread(facts) or NO_TEXT


def unread(facts: Facts) -> str:
    """Say how much of what looks like print could not be read, or nothing."""
    if not facts.unread:
        return ""
    more = "more " if facts.rows else ""
    lines, look = ("line", "looks") if facts.unread == 1 else ("lines", "look")
    return f"{facts.unread} {more}{lines} that {look} like print could not be read."


def unseen(facts: Facts) -> str:
    return "People, actions and places are not looked at." if is_photo(facts) else ""


def text_below(facts: Facts) -> str:
    if not facts.rows:
        return ""
    return f" It reads {inline(facts)}." if is_short(facts) else f"\nIt reads:\n{whole(facts)}"


def text_begins(facts: Facts) -> str:
    if not facts.rows:
        return ""
    if is_short(facts):
        return f"It reads {inline(facts)}."
    first = listed([quote(row) for row in facts.rows[:QUOTED_ROWS]])
    rest = len(facts.rows) - QUOTED_ROWS
    more = f", and {rest} more line{'s' if rest > 1 else ''}" if rest > 0 else ""
    return f"It reads {first}{more}."


def is_short(facts: Facts) -> bool:
    return len(facts.rows) <= QUOTED_ROWS and len(facts.text) <= QUOTED_CHARS


def inline(facts: Facts) -> str:
    return listed([quote(row) for row in facts.rows])


def whole(facts: Facts) -> str:
    """Give all text, row by row."""
    return "\n".join(row.text + doubt(row) for row in facts.rows)


def quote(row: Row) -> str:
    return quoted(row.text) + doubt(row)


def doubt(row: Row) -> str:
    """Mark what may be misread."""
    return " (read with doubt)" if row.is_doubtful else ""
