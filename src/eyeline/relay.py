"""
The road of a body that a client of the gateway wrote: mended, asked for once, held, sent, and its
response handed on as it comes.

The same order as `flow.ask`, of which it differs in what goes in and out: a body, and a response.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from eyeline.core.cost import FREE, Usage, worst_cost_usd
from eyeline.core.dialect import learn
from eyeline.core.outcome import reply_cost_usd
from eyeline.core.parts import Api
from eyeline.core.question import Question
from eyeline.core.size import Size
from eyeline.core.wire import Request, Response
from eyeline.effects import Flow, Head, Learn, Record, Relay
from eyeline.errors import ApiError, StreamCut, TimedOut
from eyeline.exchange import Asking, attempt
from eyeline.once import once
from eyeline.policy.limits import Hold
from eyeline.policy.retry import Retry
from eyeline.relay_body import Body, Way, mend_body
from eyeline.relay_exchange import NOTHING, Exchanging, Relayed, broken_event

COUNT = "/responses/input_tokens"
APIS: dict[str, Api] = {
    "/chat/completions": "chat",
    "/responses": "responses",
    COUNT: "responses",
}
PASSING_STATUS, SERVER_FAULT = {408, 409, 429}, 500
LIMIT_FIELDS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
# What an image may take at most that only its URL is known of: more patches are refused.
UNSEEN = Size(5504, 5504)


@dataclass(frozen=True, slots=True)
class Posted:
    """
    A request as a client sent it; `path` is one of APIS.

    `cache` and `refresh` are what it says of the cache, `headers` what is passed on of its own.
    """

    path: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    cache: bool = True
    refresh: bool = False

    @property
    def api(self) -> Api:
        return APIS[self.path]


@dataclass(frozen=True, slots=True)
class Road:
    """Where bodies go, how they are mended for that, and how long an answer may take."""

    way: Way
    retry: Retry = field(default_factory=Retry)
    timeout_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Passed:
    """
    What became of a request: the model that it named and the one that answered, what its images
    took, and what it cost; nothing of what stood in it.
    """

    model: str
    answered_by: str
    image_tokens: int
    cached: bool
    cost_usd: Decimal | None
    usage: Usage


@dataclass(frozen=True, slots=True)
class Going:
    """A mended body on its way, and how it is asked."""

    posted: Posted
    body: Body
    asking: Asking

    @property
    def request(self) -> Request:
        posted, question = self.posted, self.asking.question
        return Request(
            posted.path, self.body.content, self.asking.stream, question.timeout_s, posted.headers
        )

    @property
    def is_billed(self) -> bool:
        return self.posted.path != COUNT

    def cost_usd(self, relayed: Relayed) -> Decimal | None:
        if relayed.cached or not self.is_billed:
            return FREE
        return reply_cost_usd(relayed, self.asking.question)

    def passed(self, cost_usd: Decimal | None, relayed: Relayed = NOTHING) -> Passed:
        return Passed(
            model=self.asking.question.model.name,
            answered_by=relayed.model,
            image_tokens=self.body.image_tokens,
            cached=relayed.cached,
            cost_usd=cost_usd,
            usage=relayed.usage,
        )

    def facts(self, cost_usd: Decimal | None, *, cached: bool = False) -> Mapping[str, str]:
        """Say of a response what the engine does not: what its images took, and what was done."""
        found = {
            "cached": "true" if cached else "false",
            "image-tokens": str(self.body.image_tokens),
            "notes": "; ".join(self.body.notes),
            "cost-usd": "" if cost_usd is None else f"{cost_usd:f}",
        }
        return {name: value for name, value in found.items() if value}


def relay(posted: Posted, road: Road, body: Body | None = None) -> Flow[Passed]:
    """
    Mend a body and hand on the response to it: from the cache, or as the engine gives it. Gives
    what became of it. A `body` was mended before, elsewhere.

    A refusal of the engine's is handed on too, as it came, unless it teaches how to ask. Raises an
    EyelineError where there is no response: the engine is not there, or the budget is used up.
    """
    while True:
        body = body or (yield from mend_body(posted.body, posted.api, road.way))
        going = started(posted, body, road)
        if going.body.refusal:
            yield from hand_on(going.body.refusal.response(), going.facts(FREE))
            return going.passed(FREE)
        exchanging = Exchanging(posted.api, going.facts(None))
        try:
            relayed = yield from asked(going, exchanging)
            return going.passed(going.cost_usd(relayed), relayed)
        except ApiError as error:
            way = road.way
            by_openai = way.engine.needs_key
            learned = learn(way.dialect, error, sent_fields(going), by_openai=by_openai)
            if learned is None:
                yield from hand_on(final(exchanging.refused), going.facts(FREE))
                return going.passed(FREE)
            yield Learn(way.engine.base_url, learned)
            road, body = replace(road, way=replace(way, dialect=learned)), None


def final(response: Response | None) -> Response:
    """
    Give a refusal; one that we sent again for in vain says that the client need not do so too.
    """
    assert response is not None, "an engine's refusal has a response"
    if response.status not in PASSING_STATUS and response.status < SERVER_FAULT:
        return response
    return replace(response, headers={"x-should-retry": "false", **response.headers})


def hand_on(response: Response, facts: Mapping[str, str]) -> Flow[None]:
    yield Relay(Head(response.status, response.headers, facts, len(response.body)))
    yield Relay(response.body)
    yield Relay(None)


def started(posted: Posted, body: Body, road: Road) -> Going:
    question = Question(
        prompt="",
        references=(),
        model=body.model,
        api=posted.api,
        cache=posted.cache and body.is_cacheable and posted.path != COUNT,
        refresh=posted.refresh,
        timeout_s=road.timeout_s,
    )
    is_streamed = body.fields.get("stream") is True
    way = road.way
    return Going(posted, body, Asking(question, way.engine, road.retry, is_streamed, way.dialect))


def asked(going: Going, exchanging: Exchanging) -> Flow[Relayed]:
    """Hand on what is known already, or what others are asking for right now, or else pay."""
    question = going.asking.question
    if not question.cache:
        return (yield from paid(going, exchanging))

    def tell(record: Record) -> Flow[Relayed | None]:
        yield from hand_on(recorded(record), going.facts(FREE, cached=True))
        return replace(NOTHING, record=record, cached=True)

    key = going.body.key(going.asking.engine.base_url, going.posted.path)
    return (yield from once(key, question, tell, paid(going, exchanging)))


def paid(going: Going, exchanging: Exchanging) -> Flow[Relayed]:
    """Send, and hand on what comes; a stream that breaks ends in an event that says so."""
    asking = going.asking
    try:
        relayed = yield from attempt(going.request, asking, hold(going), exchanging.exchange)
    except (StreamCut, TimedOut) as error:
        if not exchanging.is_out:
            raise
        yield Relay(broken_event(error, going.posted.api, exchanging.tape))
        yield Relay(None)
        return NOTHING
    if not exchanging.is_out:
        assert relayed.response is not None, "what was not handed on came whole"
        yield from hand_on(relayed.response, going.facts(going.cost_usd(relayed)))
    return relayed


def recorded(record: Record) -> Response:
    return Response(200, record["headers"], record["body"].encode())


def hold(going: Going) -> Hold:
    """Say what a request may use at most: a token is never shorter than a byte of text."""
    body, model = going.body, going.asking.question.model
    unseen = model.rule.tokens(UNSEEN, "high") * body.unseen if model.rule else 0
    tokens = body.image_tokens + unseen + body.text_bytes
    if not going.is_billed:
        return Hold(model.name, tokens, FREE)
    given = (body.fields.get(name) for name in LIMIT_FIELDS)
    limit = next((each for each in given if type(each) is int), model.max_output_tokens)
    answers = body.fields.get("n")
    if limit is not None and type(answers) is int:
        limit *= max(1, answers)
    return Hold(model.name, tokens, worst_cost_usd(tokens, limit, model.price))


def sent_fields(going: Going) -> dict[str, Any]:
    """Say what a refused body held of images, as far as a server may refuse that."""
    body = going.body
    details = {image.plan.detail for image in body.images}
    return {
        "urls": body.urls,
        "media_types": body.media_types,
        "detail": "original" if "original" in details else next(iter(details), ""),
    }
