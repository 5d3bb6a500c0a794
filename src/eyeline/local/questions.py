"""Take a prompt apart into questions, and say what each is after."""

from __future__ import annotations

import re
from dataclasses import dataclass

from eyeline.local import patterns
from eyeline.local.colours import NAMES
from eyeline.local.patterns import Topic
from eyeline.local.words import PLAIN, PLAIN_OF_TEXT, content_words

SENTENCES_MAX, SENTENCE_CHARS_MAX = 40, 400
"""What is longer is pasted text, not a question, and matching it would take its length squared."""

NAME_WORDS_MAX = 4
"""A prompt of so few words may be the mere name of a line: "invoice number"."""

NOUN_WORDS_MAX = 2
"""More words than this say more of a thing than the labels can confirm."""

DESCRIBED = frozenset({Topic.DESCRIBE, Topic.TEXT, Topic.SUBJECT, Topic.KIND})
"""What a description holds already."""


@dataclass(frozen=True, slots=True)
class Question:
    """
    One sentence of a prompt.

    `object` is what SAYS and PRESENCE ask for, `extra` are words that a line must hold to answer,
    and `near` the topics that the sentence touches but asks more of.
    """

    text: str
    topics: tuple[Topic, ...]
    object: str = ""
    extra: tuple[str, ...] = ()
    near: tuple[Topic, ...] = ()


def parse(prompt: str) -> tuple[Question, ...]:
    """
    Take a prompt apart into the questions it asks, at least one.

    An empty prompt asks to describe. A sentence that asks nothing ("Answer in one word.") is
    dropped where another one does.
    """
    # Runs of blanks would cost their length squared below.
    single_spaced = re.sub(r"\s+", lambda run: "\n" if "\n" in run[0] else " ", prompt)
    parts = (part.strip() for part in patterns.SENTENCE_END.split(single_spaced))
    sentences = [part[:SENTENCE_CHARS_MAX] for part in parts if re.search(r"\w", part)]
    questions = [parse_sentence(sentence) for sentence in sentences[-SENTENCES_MAX:]]
    if not questions:
        return (Question(prompt.strip(), (Topic.DESCRIBE,)),)
    if not any(is_known(question) for question in questions):
        # Usually the question stands last, after who is to answer and how.
        return (next((q for q in questions if asks(q)), questions[-1]),)
    return without_repeats(tuple(q for q in questions if is_known(q) or asks(q)))


def without_repeats(questions: tuple[Question, ...]) -> tuple[Question, ...]:
    """Drop what a description tells anyway, as in "Describe it: what it shows, and any text"."""
    described = next((q for q in questions if q.topics == (Topic.DESCRIBE,)), None)
    if described is None:
        return questions
    return tuple(q for q in questions if q is described or not DESCRIBED.issuperset(q.topics))


def is_known(question: Question) -> bool:
    return question.topics[0] not in (Topic.BEYOND, Topic.LOOKUP)


def asks(question: Question) -> bool:
    return bool(patterns.ASKS.search(question.text))


def parse_sentence(sentence: str) -> Question:
    """Say what one sentence is after."""
    bare = " ".join(re.sub(r"[?!.;:]+$", "", sentence.strip()).replace("’", "'").split())
    if phrase := phrase_of(bare):
        return Question(sentence, (Topic.SAYS,), phrase)
    if noun := noun_of(bare):
        return Question(sentence, (Topic.PRESENCE,), noun)
    if patterns.DESCRIBE.match(bare):
        return Question(sentence, (Topic.DESCRIBE,))
    if patterns.BEYOND.search(bare) and not patterns.MEASURED_NUMBERS.search(bare):
        return Question(sentence, (Topic.BEYOND,), near=fields_of(bare))
    if found := fields_of(bare):
        return field_question(sentence, bare, found)
    if (thing := patterns.IS_THIS.match(bare)) and thing[1].lower() in NAMES:
        return Question(sentence, (Topic.BEYOND,), near=(Topic.COLOURS,))
    if thing:
        return Question(sentence, (Topic.PRESENCE,), thing[1].lower())
    return Question(sentence, (open_topic(bare),))


def field_question(sentence: str, bare: str, found: tuple[Topic, ...]) -> Question:
    """Ask for `found` if the sentence adds nothing to them, or what a line of text may settle."""
    extra = complement(bare, found)
    is_yes_no = patterns.YES_NO.match(re.sub(patterns.POLITE, "", bare, flags=re.IGNORECASE))
    if Topic.TEXT in found and is_yes_no:
        is_plain = bool(patterns.EXISTS.match(bare))
    else:
        is_plain = not extra or patterns.QUOTING.issuperset(found)
    if is_plain:
        return Question(sentence, found)
    if (patterns.ON_LINES | patterns.QUOTING).issuperset(found):
        return Question(sentence, found, extra=extra, near=found)
    topic = open_topic(bare) if Topic.TEXT in found else Topic.BEYOND
    return Question(sentence, (topic,), near=found)


def complement(bare: str, found: tuple[Topic, ...]) -> tuple[str, ...]:
    """Give the words that say more than what `found` are asked with."""
    rest = re.sub(patterns.POLITE, "", bare, flags=re.IGNORECASE)
    for topic, pattern in patterns.FIELDS:
        if topic in found:
            rest = pattern.sub(" ", rest)
    is_of_text = patterns.OF_TEXT.issuperset(found)
    return content_words(rest, PLAIN_OF_TEXT if is_of_text else PLAIN)


def fields_of(bare: str) -> tuple[Topic, ...]:
    """Give all topics whose pattern is found, without those that yield to another."""
    found = {topic for topic, pattern in patterns.FIELDS if pattern.search(bare)}
    return tuple(
        topic
        for topic, _ in patterns.FIELDS
        if topic in found and not found & patterns.YIELDS.get(topic, frozenset())
    )


def open_topic(bare: str) -> Topic:
    """Say whether a line of text may answer: not for yes or no, which takes understanding."""
    if patterns.ASKS_FOR_LINE.match(bare):
        return Topic.LOOKUP
    is_name = len(bare.split()) <= NAME_WORDS_MAX and not patterns.YES_NO.match(bare)
    return Topic.LOOKUP if is_name else Topic.BEYOND


def phrase_of(bare: str) -> str:
    """Give the phrase that a "does it say …" asks for, or nothing."""
    match = patterns.SAYS.match(bare)
    if not match or patterns.ASKS.match(bare):
        return ""
    if quote := patterns.QUOTE.search(bare):
        return (quote[1] or quote[2]).strip()
    if not patterns.NAMES_PHRASE.search(match[0]) or patterns.IS_WORD.match(bare):
        return ""
    rest = re.sub(rf"{patterns.IN_PICTURE}$", "", bare[match.end() :], flags=re.IGNORECASE)
    rest = re.sub(r"^(?:the\s+)?(?:words?|phrase|text)\s+", "", rest, flags=re.IGNORECASE)
    is_phrase = not patterns.VAGUE.fullmatch(rest) and not patterns.CLAUSE.match(rest)
    return rest.strip() if is_phrase else ""


def noun_of(bare: str) -> str:
    """Give the thing that an "is there a …" asks for, in lower case, or nothing."""
    match = patterns.PRESENCE.match(bare)
    if not match or patterns.FIELD_NOUN.search(match["noun"]):
        return ""
    return match["noun"].lower() if len(match["noun"].split()) <= NOUN_WORDS_MAX else ""
