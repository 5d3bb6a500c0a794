"""Every flow through both drivers: the same effects, results and errors, and nothing left held."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from eyeline.adapters.images import Images
from eyeline.adapters.threaded import ThreadedTransport
from eyeline.core.answer import Answer
from eyeline.core.catalogue import find
from eyeline.core.engine import openai
from eyeline.core.plan import Look
from eyeline.core.question import Question
from eyeline.core.reference import BytesRef, FileRef
from eyeline.core.wire import Request, Response
from eyeline.drivers import AsyncDriver, Done, Driver, Outside
from eyeline.effects import Close, Effect, Emit, Flow, Read
from eyeline.errors import BudgetExceeded, ConnectionFailed, EyelineError, TimedOut
from eyeline.exchange import Asking
from eyeline.flow import ask, content_parts, estimate
from eyeline.policy.budget import Budget
from eyeline.policy.limits import Limits
from eyeline.policy.pace import Pace
from eyeline.policy.retry import Retry
from eyeline.ports import Cache
from eyeline.testing import FakeStream, FakeTransport, ManualClock, streamed, tiny_png, whole

PNG = tiny_png(8, 6)
LUNA, GPT_4O = find("gpt-6-luna"), find("gpt-4o")
# The most a question with ten tokens of output is held for is under this.
SMALL_USD = Decimal("0.0001")


def asking(*images: Any, stream: bool = False, **options: Any) -> Asking:
    given: dict[str, Any] = {"model": LUNA, "api": "chat", "max_output_tokens": 9}
    references = images or (BytesRef(PNG),)
    question = Question("What is it?", references, **(given | options))
    return Asking(question, openai(), Retry(), stream)


class MemoryCache:
    def __init__(self, records: Mapping[str, Any] | None = None) -> None:
        self.records: dict[str, Any] = dict(records or {})

    def get(self, key: str) -> Mapping[str, Any] | None:
        return self.records.get(key)

    def glance(self, key: str) -> Mapping[str, Any] | None:
        return self.records.get(key)

    def put(self, key: str, record: Mapping[str, Any]) -> None:
        self.records[key] = record

    put_soon = put

    def close(self) -> None:
        pass


@dataclass
class Course:
    """What one run of a flow did and gave."""

    effects: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    value: Any = None
    error: str = ""
    slept_s: list[float] = field(default_factory=list)
    left_usd: tuple[Decimal, Decimal] | None = None


def spied(flow: Flow[Any], effects: list[str]) -> Flow[Any]:
    """Give the same flow, its effects noted by name, and by content where two runs can share it."""
    resume: Callable[[Any], Effect] = flow.send
    sent: Any = None
    while True:
        try:
            effect = resume(sent)
        except StopIteration as stop:
            return stop.value
        effects.append(type(effect).__name__ if isinstance(effect, Read | Close) else repr(effect))
        try:
            sent, resume = (yield effect), flow.send
        except BaseException as error:
            sent, resume = error, flow.throw


def outside(
    clock: ManualClock | None = None, budget: Budget | None = None, cache: Cache | None = None
) -> Outside:
    """Give surroundings in which time stands still and chance is always a half."""
    images, clock = Images(), clock or ManualClock()
    limits = Limits(budget=budget)
    return Outside(images, images, limits, cache, now=clock.now, chance=lambda: 0.5)


Run = Callable[[Flow[Any], FakeTransport, Outside, ManualClock], Course]


def run_blocking(
    flow: Flow[Any], transport: FakeTransport, around: Outside, clock: ManualClock
) -> Course:
    course = Course()
    driver = Driver(around, transport, clock.sleep)
    try:
        for step in driver.steps(spied(flow, course.effects)):
            note(course, step)
    except EyelineError as error:
        course.error = repr(error)
    return course


def run_awaiting(
    flow: Flow[Any], transport: FakeTransport, around: Outside, clock: ManualClock
) -> Course:
    course = Course()

    async def run() -> None:
        driver = AsyncDriver(around, ThreadedTransport(transport), clock.async_sleep)
        async for step in driver.steps(spied(flow, course.effects)):
            note(course, step)

    try:
        asyncio.run(run())
    except EyelineError as error:
        course.error = repr(error)
    return course


def note(course: Course, step: Emit | Done[Any]) -> None:
    if isinstance(step, Emit):
        course.pieces.append(step.text)
    else:
        course.value = step.value


RUNS = {"blocking": run_blocking, "awaiting": run_awaiting}


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest) -> Run:
    return RUNS[request.param]


# --- the same through both ----------------------------------------------------------------------

FAILED = Response(500, {"retry-after": "3"}, b'{"error": {"message": "oops"}}')
LIMITED = Response(429, {"retry-after": "3"}, b'{"error": {"message": "slow down"}}')
REFUSED = Response(400, {}, b'{"error": {"message": "no"}}')
CUT = Response(200, {"content-type": "text/event-stream"}, b'data: {"choices": []}\n\n')
JSON = Response(200, {}, json.dumps({"choices": [{"message": {"content": "Yes."}}]}).encode())

Case = tuple[Callable[[Path], Flow[Any]], tuple[Any, ...]]
CASES: dict[str, Case] = {
    "asks": (lambda _: ask(asking()), ("A sign.",)),
    "streams": (lambda _: ask(asking(stream=True)), ("It is a sign.",)),
    "streams nothing": (lambda _: ask(asking(stream=True)), (JSON,)),
    "loads": (lambda folder: ask(asking(FileRef(folder / "sign.png"))), ("A sign.",)),
    "prepares": (lambda _: ask(asking(BytesRef(tiny_png(4000, 20)), model=GPT_4O)), ("A line.",)),
    "repeats": (lambda _: ask(asking()), (LIMITED, ConnectionFailed("openai", "reset"), "Yes.")),
    "gives up": (lambda _: ask(asking()), (FAILED, FAILED, FAILED)),
    "is refused": (lambda _: ask(asking()), (REFUSED,)),
    "times out": (lambda _: ask(asking()), (TimedOut("openai", 9),)),
    "is cut": (lambda _: ask(asking(stream=True)), (CUT,)),
    "misses a file": (lambda folder: ask(asking(FileRef(folder / "sing.png"))), ()),
    "takes no text": (lambda folder: ask(asking(FileRef(folder / "notes.txt"))), ()),
    "estimates": (
        lambda folder: estimate(FileRef(folder / "sign.png"), [(LUNA, Look())], frozenset()),
        (),
    ),
    "gives parts": (lambda _: content_parts(asking()), ()),
}


@pytest.mark.parametrize("name", CASES)
def test_both_do_the_same(name: str, tmp_path: Path) -> None:
    """Blocking or awaiting, a flow has the same effects, pieces, waits, value and errors."""
    (tmp_path / "sign.png").write_bytes(PNG)
    (tmp_path / "notes.txt").write_text("nothing to see")
    flow, script = CASES[name]
    courses = []
    for run in RUNS.values():
        clock, budget = ManualClock(), Budget(Decimal(1))
        around = outside(clock, budget, MemoryCache())
        course = run(flow(tmp_path), FakeTransport(*script), around, clock)
        course.slept_s, course.left_usd = clock.slept_s, (budget.spent_usd, budget.held_usd)
        courses.append(course)
        assert budget.held_usd == 0
        assert course.effects or name == "gives parts"
        assert (course.value is None) == bool(course.error)
    assert courses[0] == courses[1]


def test_streams_what_it_returns(run: Run) -> None:
    """The pieces of a streamed answer are those of its text, in order."""
    clock = ManualClock()
    flow = ask(asking(stream=True))
    course = run(flow, FakeTransport("It is a sign."), outside(clock), clock)
    assert course.pieces == ["It ", "is ", "a ", "sign."]
    assert course.value.text == "It is a sign."


def test_asks_once_and_then_the_cache(run: Run) -> None:
    """The second time the same question is answered without the transport."""
    clock, transport, cache = ManualClock(), FakeTransport("A sign."), MemoryCache()
    around = outside(clock, cache=cache)
    first = run(ask(asking()), transport, around, clock).value
    again = run(ask(asking(stream=True)), transport, around, clock)
    assert (first.cached, again.value.cached, again.pieces) == (False, True, ["A sign."])
    assert len(transport.requests) == 1


def test_waits_as_long_as_the_engine_asks(run: Run) -> None:
    """Retry-After is slept, then the same bytes go out again."""
    clock, transport = ManualClock(), FakeTransport(LIMITED, "Yes.")
    course = run(ask(asking()), transport, outside(clock), clock)
    assert clock.slept_s == [3.0]
    assert transport.requests[0] == transport.requests[1]
    assert course.value.latency_s == 3.0


def test_a_flow_without_a_cache_misses(run: Run) -> None:
    """Without a cache a lookup finds nothing and a store keeps nothing."""
    clock = ManualClock()
    course = run(ask(asking()), FakeTransport("Yes."), outside(clock), clock)
    assert course.value.text == "Yes."


def test_writes_down_what_it_sends(run: Run) -> None:
    """Every sending, repeated ones too, is in the journal before it goes out."""
    transport = FakeTransport(Response(500, {}, b""), "Yes.")
    written: list[tuple[str, int]] = []
    around = replace(
        outside(), journal=lambda hold: written.append((hold.model, len(transport.requests)))
    )
    run(ask(asking()), transport, around, ManualClock())
    assert written == [("gpt-6-luna", 0), ("gpt-6-luna", 1)]


def test_run_gives_the_value_alone() -> None:
    """`run` gives what the flow returns, whatever it emitted on the way."""

    def flow() -> Flow[int]:
        yield Emit("a piece")
        return 7

    assert Driver(outside(), None).run(flow()) == 7
    assert asyncio.run(AsyncDriver(outside(), None).run(flow())) == 7


def test_an_unknown_effect_is_our_own_mistake() -> None:
    """What no driver knows is an AssertionError inside the flow that yielded it."""

    def flow() -> Flow[str]:
        try:
            yield object()  # type: ignore[misc]
        except AssertionError:
            return "told"
        return ""

    assert Driver(outside(), None).run(flow()) == "told"
    assert asyncio.run(AsyncDriver(outside(), None).run(flow())) == "told"


def test_chance_is_drawn_below_one() -> None:
    """Left alone, chance is drawn from [0, 1) and the clock only moves on."""
    images = Images()
    around = Outside(images, images, Limits())
    assert all(0 <= around.chance() < 1 for _ in range(100))
    assert around.now() <= around.now()


# --- left in the middle -------------------------------------------------------------------------


class OneStream:
    """Opens one stream, over which the test keeps watch, and sends nothing."""

    def __init__(self, stop: type[BaseException] | None = None) -> None:
        self.stop = stop
        self.stream: FakeStream | None = None

    def send(self, request: Request) -> Response:
        assert self.stop is not None
        raise self.stop

    def open(self, request: Request) -> FakeStream:
        self.stream = FakeStream(streamed(request, "It is a sign."), piece_bytes=200)
        return self.stream

    def close(self) -> None:
        pass


class AwaitedStream:
    """The awaiting form of FakeStream; after `reads` reads it waits for ever."""

    def __init__(self, stream: FakeStream, reads: int) -> None:
        self.stream, self.reads = stream, reads
        self.status, self.headers = stream.status, stream.headers

    async def read(self) -> bytes:
        if self.reads == 0:
            await asyncio.Event().wait()
        self.reads -= 1
        return self.stream.read()

    async def close(self) -> None:
        await asyncio.sleep(0)  # letting go may take a turn of the loop, cancelled or not
        self.stream.close()


class AwaitedTransport:
    """Waits for ever in `send`, and in what it opens after some reads."""

    def __init__(self, reads: int = 0) -> None:
        self.reads = reads
        self.is_sending = asyncio.Event()
        self.stream: FakeStream | None = None

    async def send(self, request: Request) -> Response:
        self.is_sending.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def open(self, request: Request) -> AwaitedStream:
        self.stream = FakeStream(streamed(request, "It is a sign."), piece_bytes=400)
        return AwaitedStream(self.stream, self.reads)

    async def close(self) -> None:
        pass


def assert_settled_in_full(budget: Budget) -> None:
    assert budget.held_usd == 0
    assert 0 < budget.spent_usd <= SMALL_USD


def test_leaving_a_stream_settles_and_closes() -> None:
    """Whoever stops iterating leaves a closed stream, and a hold settled at its most."""
    budget, transport = Budget(Decimal(1)), OneStream()
    driver = Driver(outside(budget=budget), transport)
    with closing(driver.steps(ask(asking(stream=True)))) as steps:
        assert isinstance(next(steps), Emit)
        assert budget.held_usd > 0
    assert transport.stream.is_closed
    assert_settled_in_full(budget)


def test_forgetting_a_stream_settles_and_closes() -> None:
    """A stream that is dropped without a word is let go as one that was closed."""
    budget, transport = Budget(Decimal(1)), OneStream()
    steps = Driver(outside(budget=budget), transport).steps(ask(asking(stream=True)))
    next(steps)
    del steps
    assert transport.stream.is_closed
    assert_settled_in_full(budget)


def test_leaving_an_awaited_stream_settles_and_closes() -> None:
    """Closing an awaited stream lets go of it too."""
    budget = Budget(Decimal(1))

    async def leave() -> FakeStream:
        transport = AwaitedTransport(reads=9)
        driver = AsyncDriver(outside(budget=budget), transport)
        async with aclosing(driver.steps(ask(asking(stream=True)))) as steps:
            assert isinstance(await anext(steps), Emit)
        return transport.stream

    assert asyncio.run(leave()).is_closed
    assert_settled_in_full(budget)


def test_an_error_of_the_reader_closes_the_stream() -> None:
    """An error thrown in where a piece was handed out ends the flow with that error."""
    budget, transport = Budget(Decimal(1)), OneStream()
    steps = Driver(outside(budget=budget), transport).steps(ask(asking(stream=True)))
    next(steps)
    with pytest.raises(ZeroDivisionError):
        steps.throw(ZeroDivisionError())
    assert transport.stream.is_closed
    assert_settled_in_full(budget)


def test_cancelling_a_question_settles_it() -> None:
    """A task cancelled while its request is out has its hold settled at the most, and stays so."""
    budget = Budget(Decimal(1))

    async def cancel() -> None:
        transport = AwaitedTransport()
        task = asyncio.create_task(
            AsyncDriver(outside(budget=budget), transport).run(ask(asking()))
        )
        await transport.is_sending.wait()
        assert budget.held_usd > 0
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(cancel())
    assert_settled_in_full(budget)


def test_cancelling_a_stream_closes_it() -> None:
    """A task cancelled between two pieces lets go of its stream."""
    budget = Budget(Decimal(1))

    async def cancel() -> FakeStream:
        transport, has_piece = AwaitedTransport(reads=1), asyncio.Event()

        async def read() -> None:
            driver = AsyncDriver(outside(budget=budget), transport)
            async for _ in driver.steps(ask(asking(stream=True))):
                has_piece.set()

        task = asyncio.create_task(read())
        await has_piece.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return transport.stream

    assert asyncio.run(cancel()).is_closed
    assert_settled_in_full(budget)


def test_a_time_limit_around_it_settles() -> None:
    """`asyncio.timeout` around a question ends it and settles its hold."""
    budget = Budget(Decimal(1))

    async def limited() -> None:
        async with asyncio.timeout(0.01):
            await AsyncDriver(outside(budget=budget), AwaitedTransport()).run(
                ask(asking(cache=False))
            )

    with pytest.raises(TimeoutError):
        asyncio.run(limited())
    assert_settled_in_full(budget)


def test_ctrl_c_settles() -> None:
    """An interruption while the request is out settles the hold and goes on up."""
    budget = Budget(Decimal(1))
    driver = Driver(outside(budget=budget), OneStream(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        driver.run(ask(asking()))
    assert_settled_in_full(budget)


def test_ctrl_c_between_pieces_closes() -> None:
    """An interruption while the reader has a piece in hand closes the stream."""
    budget, transport = Budget(Decimal(1)), OneStream()

    def interrupted() -> None:
        for _ in Driver(outside(budget=budget), transport).steps(ask(asking(stream=True))):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert transport.stream.is_closed
    assert_settled_in_full(budget)


def test_ctrl_c_while_waiting_costs_nothing() -> None:
    """An interruption while waiting for the pace has sent nothing and costs nothing."""
    budget = Budget(Decimal(1))
    images = Images()
    limits = Limits(partial(Pace, 1), budget)
    limits.pace("gpt-6-luna").reserve(1, None, 0.0, patient=False)

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    around = Outside(images, images, limits, now=lambda: 0.0)
    with pytest.raises(KeyboardInterrupt):
        Driver(around, FakeTransport(), interrupted).run(ask(asking()))
    assert (budget.held_usd, budget.spent_usd) == (0, 0)


# --- many at once -------------------------------------------------------------------------------

ASKS = 200
# Of the answer, so that no request costs more than is held for it.
TOKENS_MAX = 30


class Watching:
    """Answers everything and keeps the most that was ever spent and held."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.most_usd = Decimal(0)

    def send(self, request: Request) -> Response:
        budget = cast(Budget, self.limits.budget)
        with self.limits.lock:  # both numbers of one moment
            self.most_usd = max(self.most_usd, budget.spent_usd + budget.held_usd)
        return whole(request, "A sign.")

    def open(self, request: Request) -> FakeStream:
        raise AssertionError

    def close(self) -> None:
        pass


def outcome(act: Callable[[], Answer]) -> str:
    try:
        return act().text
    except BudgetExceeded:
        return "refused"


async def awaited_outcome(answer: Awaitable[Answer]) -> str:
    try:
        return (await answer).text
    except BudgetExceeded:
        return "refused"


def check_many(budget: Budget, watching: Watching, outcomes: Counter[str]) -> None:
    answered = outcomes["A sign."]
    assert outcomes.total() == ASKS
    assert 0 < answered < ASKS
    assert watching.most_usd <= budget.limit_usd
    assert budget.held_usd == 0
    assert budget.spent_usd == answered * Decimal("0.000015")


def test_many_threads_never_pass_the_budget() -> None:
    """Two hundred questions from many threads never spend and hold more than the budget."""
    budget = Budget(Decimal("0.0012"))
    around = outside(budget=budget)
    watching = Watching(around.limits)
    driver = Driver(around, watching)
    with ThreadPoolExecutor(16) as pool:
        asks = [
            pool.submit(
                outcome, lambda: driver.run(ask(asking(max_output_tokens=TOKENS_MAX, cache=False)))
            )
            for _ in range(ASKS)
        ]
        outcomes = Counter(future.result() for future in asks)
    check_many(budget, watching, outcomes)


def test_many_tasks_never_pass_the_budget() -> None:
    """Two hundred questions in one event loop spend and hold no more than the budget."""
    budget = Budget(Decimal("0.0012"))
    around = outside(budget=budget)
    watching = Watching(around.limits)

    async def ask_all() -> list[str]:
        driver = AsyncDriver(around, ThreadedTransport(watching))
        return await asyncio.gather(
            *(
                awaited_outcome(driver.run(ask(asking(max_output_tokens=TOKENS_MAX, cache=False))))
                for _ in range(ASKS)
            )
        )

    check_many(budget, watching, Counter(asyncio.run(ask_all())))
