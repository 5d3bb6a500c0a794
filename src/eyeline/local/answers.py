"""Answer a question from what was measured, in short sentences; say plainly what was not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from eyeline.local import pictured, summary, written
from eyeline.local.facts import Facts
from eyeline.local.questions import Question, Topic, parse
from eyeline.local.words import quoted

HELP = (
    "For such questions use a vision-language model: set OPENAI_API_KEY, or choose "
    "--engine ollama, lmstudio, llamacpp, vllm or a URL, or --engine local -m MODEL.gguf."
)

Teller = Callable[[Facts, Question], str]
"""Gives the answer, or nothing if it turns out that the facts hold none."""

TELLERS: dict[Topic, Teller] = {
    Topic.SAYS: written.says,
    Topic.PRESENCE: pictured.presence,
    Topic.TOTAL: written.total,
    Topic.DATE: written.date,
    Topic.TIME: written.time,
    Topic.PHONE: written.phone,
    Topic.EMAIL: written.email,
    Topic.LINK: written.link,
    Topic.ERROR: written.error,
    Topic.PRICE: written.price,
    Topic.TITLE: written.title,
    Topic.TEXT: written.text,
    Topic.LOOKUP: written.lookup,
    Topic.CODES: pictured.codes,
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
    if len(facts) == 1:
        return answer_one(facts[0], questions)
    told = (answer_one(each, questions, with_help=False) for each in facts)
    numbered = [f"Image {number}: {text}" for number, text in enumerate(told, start=1)]
    needs_help = not all(tells(each, q) for each in facts for q in questions)
    return "\n".join((*numbered, HELP) if needs_help else numbered)


def answer_one(facts: Facts, questions: Sequence[Question], *, with_help: bool = True) -> str:
    """Answer all `questions` about one picture; what cannot be answered comes last."""
    told = dict.fromkeys(text for question in questions for text in tells(facts, question))
    beyond = [question for question in questions if not tells(facts, question)]
    if not beyond:
        return "\n".join(told)
    if told:
        asked = " ".join(quoted(question.text) for question in beyond)
        refusal = f"The built-in reader is not a language model and cannot answer {asked}."
    else:
        refusal = refuse(facts, beyond[0])
    return "\n".join((*told, refusal, HELP) if with_help else (*told, refusal))


def tells(facts: Facts, question: Question) -> tuple[str, ...]:
    """Give one text for each thing the question is after, or nothing if it is beyond the reader."""
    tellers = (TELLERS[topic] for topic in question.topics if topic in TELLERS)
    return tuple(text for teller in tellers if (text := teller(facts, question)))


def refuse(facts: Facts, question: Question) -> str:
    """Say that the question cannot be answered, then what can be told."""
    near = written.lookup(facts, question)
    parts = (
        "The built-in reader is not a language model and cannot answer this question.",
        f"What it can tell: {near or summary.digest(facts)}",
    )
    return "\n".join(parts)
