"""Words of questions and texts, made comparable; lists and quotes as sentences need them."""

from __future__ import annotations

import re
from collections.abc import Sequence

GRAMMAR_WORDS = """
a about all also am an and any anything appear are as at be been being but by can could did do
does done find for found from get give given gives had has have how i if in into is it its just
kind let like list many may me mean mentioned much must my name named no not of off on one only
or our out over part please said say says see seen shall should show shown shows so some such
tell than that the their them then there these they this those to type us use using value was
we were what when where which who whose why will with within would you your long exactly stated
here according
"""
PICTURE_WORDS = "image images picture pictures photo photos photograph screenshot scan file"
TEXT_WORDS = """
document page text line lines sign label screen receipt poster price prices cost costs amount
amounts word words written
"""
STOP = frozenset(f"{GRAMMAR_WORDS} {PICTURE_WORDS} {TEXT_WORDS}".split())
"""Words that say nothing about which line of a text is meant; the picture's own names are here."""

QUALIFYING_WORDS = "about exactly just like long mean not no off only out over part same such would"
PLAIN = frozenset(f"{GRAMMAR_WORDS} {PICTURE_WORDS} visible present".split()) - frozenset(
    QUALIFYING_WORDS.split()
)
"""Words that add nothing to a question for what was measured in the whole picture."""

PLAIN_OF_TEXT_WORDS = """
invoice invoices letter form menu ticket bill chart diagram graph detect extract copy output return
read write down transcribe recognise recognize print printed complete full entire whole aloud
verbatim paid spent bought purchased sold issued sent made call contact mentioned stamp
"""
PLAIN_OF_TEXT = PLAIN | frozenset(f"{TEXT_WORDS} {PLAIN_OF_TEXT_WORDS}".split())
"""Words that add nothing to a question for what is written."""

WEEKDAY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)(?:(?:s|nes|r|rs|ur)?day|s|r|rs)?s?")

ENDINGS = (
    (r"ies$", "y"),
    (r"(?:(?<=[sxz])|(?<=[cs]h))es$", ""),
    (r"(?<!s)s$", ""),
    (r"(?:ing|ed)$", ""),
)


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)?", text.casefold())


def stem(word: str) -> str:
    """Cut the commonest English endings, so that "invoices" meets "invoice"."""
    root = re.sub(r"['’]s$", "", word)
    if day := WEEKDAY.fullmatch(root):
        return day[1]
    for ending, rest in ENDINGS:
        cut = re.sub(ending, rest, root)
        if cut != root and len(cut) >= 3:
            root = cut
            break
    return root[:-1] if root.endswith("e") and len(root) > 3 else root


def content_words(question: str, stop: frozenset[str] = STOP) -> tuple[str, ...]:
    """Give the words of `question` that say what it is about, in order, each once."""
    spelled = re.findall(r"[^\W_]+(?:['’][^\W_]+)?", question)
    return tuple(dict.fromkeys(word for word in spelled if not is_stop(word, stop)))


def is_stop(word: str, stop: frozenset[str] = STOP) -> bool:
    """Say whether `word`, or what stands before its apostrophe, is a stop word."""
    return re.split(r"['’]", word.casefold())[0] in stop


def singular(noun: str) -> str:
    """Give the singular of an English noun, by its ending."""
    for plural, single in (
        ("people", "person"),
        ("men", "man"),
        ("women", "woman"),
        ("mice", "mouse"),
    ):
        if noun == plural:
            return single
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    if noun.endswith(("xes", "ches", "shes", "sses")):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith(("ss", "us")) else noun


def quoted(text: str) -> str:
    return f'"{text}"'


def listed(parts: Sequence[str], joint: str = "and") -> str:
    """Write a list as a sentence does: `a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {joint} {parts[-1]}"


def percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def squeezed(text: str) -> str:
    """Give letters and digits only, so that spacing and punctuation do not hide a phrase."""
    return "".join(words(text))
