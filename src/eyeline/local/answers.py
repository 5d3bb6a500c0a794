"""Answer a question from what was measured, in short sentences; say plainly what was not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from eyeline.local import pictured, summary, written
from eyeline.local.facts import Facts
from eyeline.local.patterns import YES_NO, Topic
from eyeline.local.questions import Question, parse
from eyeline.local.words import content_words, listed, quoted

REFUSAL = "The built-in reader is not a language model and cannot answer this question."

HELP = (
    "For such questions use a vision-language model: set OPENAI_API_KEY, or choose "
    "--engine ollama, lmstudio, llamacpp, vllm or a URL, or --engine local -m MODEL.gguf."
)

WORDS_NAMED_MAX = 3
"""More words than this are a sentence, and naming them all says nothing."""

Teller = Callable[[Facts, Question], str]
"""Gives the answer, or nothing if it turns out that the facts hold none."""

TELLERS: dict[Topic, Teller] = {
    Topic.SAYS: written.says,
    Topic.PRESENCE: pictured.presence,
    Topic.TOTAL: written.total,
    Topic.DATE: written.date,
    Topic.HOURS: written.hours,
    Topic.TIME: written.time,
    Topic.PHONE: written.phone,
    Topic.EMAIL: written.email,
    Topic.LINK: written.link,
    Topic.ERROR: written.error,
    Topic.PRICE: written.price,
    Topic.CURRENCY: written.currency,
    Topic.TITLE: written.title,
    Topic.TEXT: written.text,
    Topic.LOOKUP: written.lookup,
    Topic.CODES: lambda facts, question: (
        pictured.codes(facts, question) or written.lookup(facts, question)
    ),
    Topic.GREY: pictured.grey,
    Topic.COLOURS: pictured.colours,
    Topic.SIZE: pictured.size,
    Topic.FORMAT: pictured.file_format,
    Topic.FRAMES: pictured.frames,
    Topic.ALPHA: pictured.alpha,
    Topic.QUALITY: pictured.quality,
    Topic.KIND: pictured.kind,
    Topic.CAMERA: pictured.camera,
    Topic.SUBJECT: pictured.subject,
    Topic.DESCRIBE: pictured.describe,
}


def answer(facts: Sequence[Facts], question: str) -> str:
    """
    Answer `question` about the pictures `facts` were measured in, at least one.

    Every sentence of the answer is a measured fact, a quote, or says what was not measured.
    """
    questions = parse(question)
    told = [dict.fromkeys(text for q in questions for text in tells(each, q)) for each in facts]
    if not any(told):
        told = [{can_tell(each, questions[0]): None} for each in facts]
        lead = "What it can tell: " if len(told) == 1 else "What it can tell:\n"
        return f"{REFUSAL}\n{lead}{numbered(told)}\n{HELP}"
    beyond = [quoted(q.text) for q in questions if not all(tells(each, q) for each in facts)]
    if not beyond:
        return numbered(told)
    refusal = REFUSAL.replace("this question", " ".join(beyond))
    return f"{numbered(told)}\n{refusal}\n{HELP}"


def tells(facts: Facts, question: Question) -> tuple[str, ...]:
    """Give a text for each thing the question is after; nothing if it is beyond the reader."""
    tellers = (TELLERS[topic] for topic in question.topics if topic in TELLERS)
    told = tuple(teller(facts, question) for teller in tellers)
    # Words that some topic cannot account for may belong to any: "the due date and the total".
    return () if question.extra and not all(told) else tuple(filter(None, told))


def numbered(told: Sequence[Mapping[str, object]]) -> str:
    """Join the texts of each picture; with several pictures, each under its number."""
    joined = ["\n".join(texts) or "Nothing that answers was found." for texts in told]
    if len(joined) == 1:
        return joined[0]
    return "\n".join(f"Image {number}: {text}" for number, text in enumerate(joined, start=1))


def can_tell(facts: Facts, question: Question) -> str:
    """Give what comes nearest to an answer: what it touches, lines with its words, or all facts."""
    # Without its "is" the sentence gets no yes or no, which only the plain question has.
    plain = Question(YES_NO.sub("", question.text).strip(), question.near)
    if near := [told for told in tells(facts, plain) if not told.startswith("No ")]:
        return "\n".join(near)
    if near_lines := written.lookup(facts, question):
        return near_lines
    words = content_words(question.text)
    is_open = bool(facts.rows) and question.topics == (Topic.LOOKUP,)
    if is_open and 0 < len(words) <= WORDS_NAMED_MAX:
        sought = listed([quoted(word) for word in words], "or")
        return f"The text does not mention {sought}. {summary.digest(facts)}"
    return summary.digest(facts)
