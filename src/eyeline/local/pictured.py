"""Answers from the picture itself: codes, colours, size, light, kind, labels."""

from __future__ import annotations

import re

from eyeline.local import summary
from eyeline.local.colours import NAMES
from eyeline.local.facts import Facts, Kind
from eyeline.local.labels import PERHAPS, SURE, called, chance_of, subjects_of, with_article
from eyeline.local.patterns import CODE_KINDS, DRAWN, ONE_THING, PAPER, YES_NO
from eyeline.local.questions import Question
from eyeline.local.words import listed, percent, singular

PEOPLE_WORDS = """
person man woman child boy girl human face baby people somebody someone guy lady kid crowd
"""
PEOPLE = frozenset(PEOPLE_WORDS.split())

BLURRY, SHARP = 30.0, 120.0
"""Variances of the Laplacian. 18 of 20 known photos lie above 60, and all below 6 once blurred by
3 px; the other two, of a retina and of a cell, are soft by nature."""

DARK, BRIGHT = 0.25, 0.75
"""Mean luma; a grey card of the right exposure has about 0.46."""


def is_yes_no(question: str) -> bool:
    """Say whether yes or no may answer; not where the question offers a choice."""
    return bool(YES_NO.match(question.strip())) and not re.search(r"\bor\b", question)


def verdict(holds: bool, question: Question) -> str:
    """Open with yes or no if that is what was asked."""
    return ("Yes. " if holds else "No. ") if is_yes_no(question.text) else ""


def codes(facts: Facts, question: Question) -> str:
    if facts.lacks("codes"):
        return f"Codes could not be looked at ({facts.reason('codes')})."
    if not facts.codes:
        # "What does the code say" may mean a program or a key: that is for the text to answer.
        if not re.search(CODE_KINDS, question.text, re.IGNORECASE):
            return ""
        return f"{verdict(False, question)}No QR code or bar code was found."
    found = [code for code in facts.codes if is_asked_for(code.kind, question.text)]
    told = "\n".join(f"{code.kind}: {code.text}" for code in found or facts.codes)
    return f"{verdict(bool(found), question)}{told}"


def is_asked_for(kind: str, question: str) -> bool:
    """Say whether a question that names a symbology means `kind`; most name none."""
    asked = re.search(r"\b(qr|ean|upc|data ?matrix|aztec|pdf417)\b", question, re.IGNORECASE)
    return not asked or asked[1].lower().replace(" ", "") in kind.lower().replace(" ", "")


def grey(facts: Facts, question: Question) -> str:
    is_grey = facts.measures.is_grey
    holds = is_grey != bool(re.search(r"\bin colou?r\b", question.text, re.IGNORECASE))
    shown = "The picture has no colours, only greys." if is_grey else "The picture is in colour."
    return verdict(holds, question) + shown


def colours(facts: Facts, question: Question) -> str:
    """Name the colours of the whole picture; say so if those of one thing were asked for."""
    if not facts.measures.colours:
        return "No colour covers more than 5 % of the picture."
    is_whole = not re.search(ONE_THING, question.text, re.IGNORECASE)
    caveat = "" if is_whole else "The colour of a single thing is not measured. "
    return f"{caveat}Main colours of the picture: {summary.colours(facts)}."


def size(facts: Facts, _: Question) -> str:
    header = facts.header
    ratio = header.width_px / header.height_px
    shape = "square" if ratio == 1 else "landscape" if ratio > 1 else "portrait"
    megapixels = header.width_px * header.height_px / 1e6
    return f"{summary.size(facts)} px ({megapixels:.1f} megapixels, {shape}), as received."


def file_format(facts: Facts, question: Question) -> str:
    asked = re.search(r"\b(png|jpe?g|gif|webp|bmp|tiff?)\b", question.text, re.IGNORECASE)
    same = (
        bool(asked) and facts.header.format.startswith(asked[1].upper().replace("JPG", "JPEG"))
        if asked
        else True
    )
    return f"{verdict(same, question)}The format is {facts.header.format}, as received."


def frames(facts: Facts, question: Question) -> str:
    count = facts.header.frames
    if count == 1:
        return f"{verdict(False, question)}It has one frame."
    return f"{verdict(True, question)}It has {count} frames; only the first was looked at."


def alpha(facts: Facts, question: Question) -> str:
    has = facts.header.has_alpha
    shown = "The file holds transparency." if has else "The file holds no transparency."
    return verdict(has, question) + shown


def quality(facts: Facts, question: Question) -> str:
    """Judge sharpness and light by their measures, and give these."""
    told = f"{sharpness(facts)} {light(facts)}"
    asked = question.text.lower()
    if not is_yes_no(question.text):
        return told
    for pattern, holds in (
        (r"blur|out of focus", facts.measures.sharpness < BLURRY),
        (r"sharp|focus", facts.measures.sharpness >= SHARP),
        (r"dark|under-?exposed", facts.measures.brightness < DARK),
        (r"bright|light|over-?exposed", facts.measures.brightness > BRIGHT),
    ):
        if re.search(pattern, asked):
            return ("Yes. " if holds else "No. ") + told
    return told


def sharpness(facts: Facts) -> str:
    value = facts.measures.sharpness
    word = "blurry" if value < BLURRY else "sharp" if value >= SHARP else "fairly sharp"
    return f"It is {word} (variance of the Laplacian {value:,.0f}; below {BLURRY:.0f} is blurry)."


def light(facts: Facts) -> str:
    value = facts.measures.brightness
    word = "dark" if value < DARK else "bright" if value > BRIGHT else "of medium brightness"
    return f"It is {word} (mean {percent(value)} of white)."


def kind(facts: Facts, question: Question) -> str:
    """Say what kind it looks like, and yes or no only where the kinds measured allow it."""
    shown = f"It looks like a {facts.kind}."
    asked = question.text.lower()
    if not is_yes_no(question.text):
        return shown
    if re.search(PAPER, asked) and facts.kind is Kind.DOCUMENT:
        return f"Perhaps. {shown} Which sort of document is not measured."
    if re.search(DRAWN, asked) and facts.kind is Kind.DRAWN:
        return f"Perhaps. {shown} These are not told apart."
    if "photo" in asked and facts.kind is Kind.DOCUMENT:
        return f"Perhaps. {shown} Whether it was photographed or scanned is not measured."
    if re.search(DRAWN, asked) or re.search(PAPER, asked):
        return f"Probably not. {shown}"
    is_asked = ("document" in asked or "page" in asked or "scan" in asked) == (
        facts.kind is Kind.DOCUMENT
    )
    return ("Probably. " if is_asked and facts.kind is not Kind.DRAWN else "Probably not. ") + shown


def camera(facts: Facts, _: Question) -> str:
    """Give what EXIF says; pictures sent through web pages and messengers have lost it."""
    header = facts.header
    if not header.camera and not header.taken:
        return "The file does not say when or with what camera it was taken (no EXIF data)."
    told = [f"Camera: {header.camera}."] if header.camera else []
    if header.taken:
        told.append(f"Taken: {exif_time(header.taken)}.")
    return " ".join(told)


def exif_time(taken: str) -> str:
    """Write `2026:11:21 17:42:05` as people do; anything else stays."""
    return re.sub(r"^(\d{4}):(\d{2}):(\d{2}) ", r"\1-\2-\3 ", taken)


def subject(facts: Facts, _: Question) -> str:
    """Name the main subject, and the network's own classes behind that name."""
    told = summary.subject(facts)
    found = subjects_of(facts.labels)
    if not found or found[0].probability < PERHAPS:
        return told
    finest = [
        f"{label.name} {percent(label.probability)}"
        for label in found[0].labels[:3]
        if label.probability > 0.05
    ]
    return f"{told} In detail: {listed(finest)}." if len(finest) > 1 else told


def describe(facts: Facts, _: Question) -> str:
    return summary.describe(facts)


def presence(facts: Facts, question: Question) -> str:
    """Say whether the labels speak for a noun; they know the main subject and nothing beside it."""
    noun = singular(question.object)
    if noun in NAMES:
        return colour_presence(facts, noun)
    if noun in PEOPLE or noun.split()[-1] in PEOPLE:
        return f"People are not looked for. {subject_of_photo(facts)}".strip()
    if facts.lacks("labels"):
        reason = facts.reason("labels")
        return f"Whether it shows {with_article(noun)} could not be looked at ({reason})."
    chance = chance_of(noun, facts.labels)
    if chance is None:
        return ""
    if chance >= SURE:
        return f"Yes, it looks like {called(noun)} ({percent(chance)} sure)."
    if chance >= PERHAPS:
        return f"Perhaps: {called(noun)} ({percent(chance)}). {summary.subject(facts)}"
    low = f" ({percent(chance)})" if chance >= 0.01 else ""
    told = summary.subject(facts)
    return (
        f"Not as the main subject{low}: {told[0].lower()}{told[1:]} "
        "Smaller things are not looked for."
    )


def subject_of_photo(facts: Facts) -> str:
    """Name the subject of a photo; to pages and screens the labels mean nothing."""
    return summary.subject(facts) if summary.is_photo(facts) else ""


def colour_presence(facts: Facts, name: str) -> str:
    share = sum(colour.share for colour in facts.measures.colours if colour.name == name)
    if share:
        return f"Yes: {name} covers {percent(share)} of the picture."
    return (
        f"No: {name} covers less than 5 % of the picture. Main colours: {summary.colours(facts)}."
    )
