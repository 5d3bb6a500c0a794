"""
From a draft to its answer: asked as the server takes it, asked again where the answer does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, cast

from eyeline.core.answer import Answer, SentImage
from eyeline.core.cost import Usage
from eyeline.core.dialect import Dialect, learn, schema_in
from eyeline.core.draft import Draft
from eyeline.core.outcome import conclude
from eyeline.core.parts import ImagePart
from eyeline.core.reference import is_file_id
from eyeline.core.request import Manner, build
from eyeline.core.upload import is_gone
from eyeline.core.urls import is_to_be_fetched
from eyeline.effects import Flow, Learn, Now
from eyeline.errors import ApiError, SchemaMismatch
from eyeline.exchange import Asking, attempt, exchange
from eyeline.policy.limits import Hold
from eyeline.uploading import forget

# How often an answer that does not fit its schema is sent back to the model.
CORRECTIONS_MAX = 1


class PlanAnew(Exception):
    """What a server refused changes what images it gets, so the question starts over, as given."""

    def __init__(self, asking: Asking) -> None:
        super().__init__(asking)
        self.asking = asking


@dataclass(frozen=True, slots=True)
class Ready:
    """A question with its images prepared: all that is left is to ask."""

    draft: Draft
    parts: tuple[ImagePart, ...]
    sent: tuple[SentImage, ...]
    started_s: float
    hold: Callable[[str], Hold]


def answer(ready: Ready, asking: Asking) -> Flow[Answer]:
    """
    Ask, and learn from refusals how this server wants to be asked.

    Raises PlanAnew where that needs other images; all else is an EyelineError.
    """
    while True:
        try:
            return (yield from corrected(ready, asking))
        except ApiError as error:
            if is_gone(error, ready.parts):
                yield from forget(ready.parts)
                raise PlanAnew(changed(asking, upload=False)) from error
            sent, engine = sent_fields(ready, asking), asking.engine
            learned = learn(asking.dialect, error, sent, by_openai=engine.needs_key)
            if learned is not None:
                yield Learn(engine.base_url, learned)
            taught = replace(asking, dialect=learned or asking.dialect)
            if is_to_be_fetched(sent["urls"], error, taught.dialect):
                raise PlanAnew(changed(taught, urls="fetch")) from error
            if learned is None:
                raise
            if of_images(learned) != of_images(asking.dialect):
                raise PlanAnew(taught) from error
            asking = taught


def changed(asking: Asking, **changes: Any) -> Asking:
    return replace(asking, question=replace(asking.question, **changes))


def of_images(dialect: Dialect) -> tuple[Any, ...]:
    """Give what decides which images a body has, and in which shape."""
    return dialect.refused_types, dialect.takes_responses


def corrected(ready: Ready, asking: Asking) -> Flow[Answer]:
    """Ask, and once more with what was wrong, if the answer does not fit its schema."""
    corrections: list[tuple[str, str]] = []
    paid: list[Answer] = []
    while True:
        try:
            made = yield from asked(ready, asking, corrections)
            return with_earlier(made, paid)
        except SchemaMismatch as error:
            # Pieces of a streamed answer are out already and cannot be taken back.
            answer = cast(Answer, error.answer)
            if asking.stream or len(corrections) == CORRECTIONS_MAX:
                raise SchemaMismatch(with_earlier(answer, paid), error.found) from None
            corrections.append((answer.text, error.found))
            paid.append(answer)


def asked(ready: Ready, asking: Asking, corrections: Iterable[tuple[str, str]]) -> Flow[Answer]:
    """Send one request, in the server's own dialect, and conclude."""
    question, dialect, given = asking.question, asking.dialect, tuple(corrections)
    manner = Manner(asking.stream, question.timeout_s, dialect.stream_options, given)
    parts = tuple(in_dialect(part, dialect) for part in ready.parts)
    request = build(dialect.adapt(ready.draft), parts, manner)
    hold = ready.hold("".join(text for turn in given for text in turn))
    reply = yield from attempt(request, asking, hold, exchange)
    latency_s = (yield Now()) - ready.started_s
    return conclude(reply, question, asking.engine.name, ready.sent, latency_s)


def in_dialect(part: ImagePart, dialect: Dialect) -> ImagePart:
    detail = part.detail and dialect.detail(part.detail)
    return part if detail == part.detail else replace(part, detail=detail)


def with_earlier(made: Answer, earlier: Iterable[Answer]) -> Answer:
    """Give the answer with what was paid on the way to it."""
    for each in earlier:
        cost = None if None in (made.cost_usd, each.cost_usd) else made.cost_usd + each.cost_usd  # type: ignore[operator]
        made = replace(made, cost_usd=cost, usage=summed(made.usage, each.usage))
    return made


def summed(one: Usage, other: Usage) -> Usage:
    return replace(
        one,
        input_tokens=plus(one.input_tokens, other.input_tokens),
        output_tokens=plus(one.output_tokens, other.output_tokens),
        cached_tokens=plus(one.cached_tokens, other.cached_tokens),
        reasoning_tokens=plus(one.reasoning_tokens, other.reasoning_tokens),
    )


def plus(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)


def sent_fields(ready: Ready, asking: Asking) -> dict[str, Any]:
    """Say what a refused request held, as far as a server may refuse it."""
    dialect = asking.dialect
    draft = dialect.adapt(ready.draft)
    has_schema = schema_in(ready.draft.parameters, draft.api) is not None
    sent: dict[str, Any] = dict(draft.parameters)
    sent["detail"] = dialect.detail(asking.question.look.detail)
    sent["media_types"] = [part.prepared.media_type for part in ready.parts if part.prepared]
    sent["urls"] = [part.url for part in ready.parts if part.url]
    if has_schema and dialect.json != "words":
        sent["schema"] = True
    if draft.api == "responses" and not any(map(is_file_id, asking.question.references)):
        sent["responses"] = True
    if asking.stream and dialect.stream_options and draft.api == "chat":
        sent["stream_options"] = True
    return sent
