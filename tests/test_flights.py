"""Single-flight: the same question in flight goes out once, whatever becomes of who sent it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from io import BytesIO
from threading import Event
from typing import Any

import pytest
from PIL import Image

from eyeline.adapters.images import Images
from eyeline.core.catalogue import find
from eyeline.core.engine import openai
from eyeline.core.question import Question
from eyeline.core.reference import BytesRef
from eyeline.core.wire import Request, Response
from eyeline.drivers import LATER, AsyncDriver, Driver, Outside
from eyeline.effects import Emit, Record, Ticket
from eyeline.errors import BadRequest
from eyeline.exchange import Asking
from eyeline.flights import Flights
from eyeline.flow import ask
from eyeline.policy.limits import Limits
from eyeline.policy.retry import Retry
from eyeline.testing import FakeStream, streamed, tiny_png, whole

PNG = tiny_png(8, 6)
REFUSED = Response(400, {}, b'{"error": {"message": "no"}}')
WAIT_S = 30.0
MANY = 200


class Watched(Flights):
    """Flights that call `on_full` when so many wait."""

    def __init__(self, full: int, on_full: Callable[[], None]) -> None:
        super().__init__()
        self.left, self.on_full = full, on_full

    def claim(self, ticket: Ticket, place: object) -> Future[Record | None] | None:
        given = super().claim(ticket, place)
        if given is not None:
            with self.lock:
                self.left -= 1
                is_full = self.left == 0
            if is_full:
                self.on_full()
        return given


class Shelf:
    """A cache in memory."""

    def __init__(self) -> None:
        self.records: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self.records.get(key)

    glance = get

    def put(self, key: str, record: Any) -> None:
        self.records[key] = record

    put_soon = put

    def close(self) -> None:
        pass


class Gated:
    """Answers once `gate` is open; the first requests with what `script` says."""

    def __init__(self, gate: Event, *script: Response | type[BaseException]) -> None:
        self.gate, self.script = gate, list(script)
        self.requests: list[Request] = []
        self.is_asked = Event()

    def send(self, request: Request) -> Response:
        self.wait_for(request)
        step = self.script.pop(0) if self.script else whole(request, "A sign.")
        if isinstance(step, Response):
            return step
        raise step

    def open(self, request: Request) -> FakeStream:
        self.wait_for(request)
        return FakeStream(streamed(request, "It is a sign."), piece_bytes=200)

    def wait_for(self, request: Request) -> None:
        self.requests.append(request)
        self.is_asked.set()
        assert self.gate.wait(WAIT_S)

    def close(self) -> None:
        pass


class AwaitedGate:
    """The same for one event loop."""

    def __init__(self, *script: Response | type[BaseException]) -> None:
        self.gate, self.script = asyncio.Event(), list(script)
        self.requests: list[Request] = []
        self.is_asked = asyncio.Event()

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        self.is_asked.set()
        await self.gate.wait()
        return self.script.pop(0) if self.script else whole(request, "A sign.")

    async def close(self) -> None:
        pass


def asking(data: bytes = PNG, *, stream: bool = False, **options: Any) -> Asking:
    given: dict[str, Any] = {"model": find("gpt-6-luna"), "api": "chat"}
    return Asking(
        Question("What is it?", (BytesRef(data),), **(given | options)), openai(), Retry(), stream
    )


def outside(flights: Flights) -> Outside:
    images = Images()
    return Outside(images, images, Limits(), Shelf(), flights=flights)


def told(act: Callable[[], Any]) -> str:
    """Say what a question came to: paid, cached, or failed."""
    try:
        answer = act()
    except BadRequest:
        return "failed"
    assert answer.text in ("A sign.", "It is a sign.")
    return "cached" if answer.cached else "paid"


# --- over threads -------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_many_threads_ask_once(stream: bool) -> None:
    """Of two hundred threads with one question one pays, and all get its answer, streamed too."""
    gate = Event()
    transport, flights = Gated(gate), Watched(MANY - 1, gate.set)
    driver = Driver(outside(flights), transport)
    with ThreadPoolExecutor(MANY) as pool:
        asks = [
            pool.submit(told, lambda: driver.run(ask(asking(stream=stream)))) for _ in range(MANY)
        ]
        found = Counter(future.result() for future in asks)
    assert found == {"paid": 1, "cached": MANY - 1}
    assert len(transport.requests) == 1
    assert not flights.flights


def test_who_fails_leaves_the_turn_to_the_next() -> None:
    """Each refusal is one thread's own; the first answer is everybody's who still waits."""
    gate = Event()
    transport = Gated(gate, REFUSED, REFUSED, REFUSED)
    flights = Watched(19, gate.set)
    driver = Driver(outside(flights), transport)
    with ThreadPoolExecutor(20) as pool:
        asks = [pool.submit(told, lambda: driver.run(ask(asking()))) for _ in range(20)]
        found = Counter(future.result() for future in asks)
    assert found == {"failed": 3, "paid": 1, "cached": 16}
    assert len(transport.requests) == 4
    assert not flights.flights


def test_interrupted_it_leaves_the_turn_to_the_next() -> None:
    """Ctrl-C in who sends does not stop those who wait."""
    gate = Event()
    transport, flights = Gated(gate, KeyboardInterrupt), Watched(1, gate.set)
    driver = Driver(outside(flights), transport)
    with ThreadPoolExecutor(1) as pool:

        def follow() -> str:
            assert transport.is_asked.wait(WAIT_S)
            return told(lambda: driver.run(ask(asking())))

        following = pool.submit(follow)
        with pytest.raises(KeyboardInterrupt):
            driver.run(ask(asking()))
        assert following.result() == "paid"
    assert not flights.flights


def test_a_reader_who_leaves_leaves_the_turn_to_the_next() -> None:
    """A stream closed in the middle hands its claim on."""
    gate = Event()
    gate.set()
    waiting = Event()
    flights = Watched(1, waiting.set)
    driver = Driver(outside(flights), Gated(gate))
    with ThreadPoolExecutor(1) as pool:
        with closing(driver.steps(ask(asking(stream=True)))) as steps:
            assert isinstance(next(steps), Emit)
            following = pool.submit(told, lambda: driver.run(ask(asking())))
            assert waiting.wait(WAIT_S)
        assert following.result() == "paid"
    assert not flights.flights


def test_a_reader_who_asks_the_same_does_not_wait_for_himself() -> None:
    """In the middle of a stream the same question in the same thread goes out by itself."""
    gate = Event()
    gate.set()
    transport, flights = Gated(gate), Flights()
    driver = Driver(outside(flights), transport)
    steps = driver.steps(ask(asking(stream=True)))
    next(steps)
    assert told(lambda: driver.run(ask(asking()))) == "paid"
    assert len(transport.requests) == 2
    for _ in steps:
        pass
    assert not flights.flights


def test_nobody_waits_longer_than_the_question_may_take() -> None:
    """Who has waited for the question's own time-out sends it, and answers by himself."""
    gate = Event()
    transport, flights = Gated(gate), Flights()
    driver = Driver(outside(flights), transport)
    with ThreadPoolExecutor(2) as pool:
        leading = pool.submit(told, lambda: driver.run(ask(asking())))
        assert transport.is_asked.wait(WAIT_S)
        transport.is_asked.clear()
        late = pool.submit(told, lambda: driver.run(ask(asking(timeout_s=0.01))))
        assert transport.is_asked.wait(WAIT_S)
        gate.set()
        assert {leading.result(), late.result()} == {"paid"}
    assert not flights.flights


def test_with_the_cache_off_each_is_sent() -> None:
    """Who wants no cache wants an answer of his own."""
    gate = Event()
    gate.set()
    transport = Gated(gate)
    driver = Driver(outside(Flights()), transport)
    with ThreadPoolExecutor(5) as pool:
        asks = [pool.submit(driver.run, ask(asking(cache=False))) for _ in range(5)]
        assert not any(future.result().cached for future in asks)
    assert len(transport.requests) == 5


def test_two_files_of_one_picture_are_one_question() -> None:
    """A BMP waits for the PNG of the same pixels that is on its way."""
    bmp = BytesIO()
    Image.open(BytesIO(PNG)).save(bmp, "BMP")
    gate = Event()
    transport, flights = Gated(gate), Watched(1, gate.set)
    driver = Driver(outside(flights), transport)
    with ThreadPoolExecutor(2) as pool:
        asks = [
            pool.submit(told, lambda data=data: driver.run(ask(asking(data))))
            for data in (PNG, bmp.getvalue())
        ]
        assert {future.result() for future in asks} == {"paid", "cached"}
    assert len(transport.requests) == 1


# --- over tasks ---------------------------------------------------------------------------------


async def told_awaiting(driver: AsyncDriver, question: Asking) -> str:
    try:
        answer = await driver.run(ask(question))
    except BadRequest:
        return "failed"
    return "cached" if answer.cached else "paid"


@pytest.mark.parametrize("script", [(), (REFUSED, REFUSED)], ids=["answered", "refused twice"])
def test_many_tasks_ask_once(script: tuple[Response, ...]) -> None:
    """Of two hundred tasks with one question one after another fails or pays; all else wait."""

    async def ask_all() -> tuple[Counter[str], int]:
        transport = AwaitedGate(*script)
        driver = AsyncDriver(outside(Watched(MANY - 1, transport.gate.set)), transport)
        found = await asyncio.gather(*(told_awaiting(driver, asking()) for _ in range(MANY)))
        assert not driver.outside.flights.flights
        return Counter(found), len(transport.requests)

    failed = len(script)
    found, sent = asyncio.run(ask_all())
    assert found == Counter({"failed": failed, "paid": 1, "cached": MANY - 1 - failed})
    assert sent == 1 + failed


@pytest.mark.parametrize("cancelled", [0, 1, 2])
def test_a_cancelled_task_stops_nobody(cancelled: int) -> None:
    """Cancelled while it leads, while it waits first, or last, a task leaves the others to it."""

    async def run() -> None:
        transport, waiting = AwaitedGate(), asyncio.Event()
        driver = AsyncDriver(outside(Watched(2, waiting.set)), transport)
        tasks = [asyncio.create_task(driver.run(ask(asking())))]
        await transport.is_asked.wait()
        tasks += [asyncio.create_task(driver.run(ask(asking()))) for _ in range(2)]
        await waiting.wait()
        tasks[cancelled].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[cancelled]
        transport.gate.set()
        rest = [task for task in tasks if task is not tasks[cancelled]]
        answers = await asyncio.gather(*rest)
        assert sorted(answer.cached for answer in answers) == [False, True]
        assert not driver.outside.flights.flights

    asyncio.run(run())


def test_all_cancelled_at_once_nothing_stays() -> None:
    """Where all who ask are cancelled, the next question is asked as the first."""

    async def run() -> str:
        transport, waiting = AwaitedGate(), asyncio.Event()
        driver = AsyncDriver(outside(Watched(4, waiting.set)), transport)
        tasks = [asyncio.create_task(driver.run(ask(asking()))) for _ in range(5)]
        await waiting.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not driver.outside.flights.flights
        transport.gate.set()
        return await told_awaiting(driver, asking())

    assert asyncio.run(run()) == "paid"


async def done(driver: AsyncDriver, effect: Any) -> Any:
    value = driver.at_once(effect)
    return await driver.perform(effect) if value is LATER else value


def test_no_task_waits_for_itself_nor_too_long() -> None:
    """In the middle of its own question a task sends it once more; so does who waited too long."""

    async def run() -> None:
        transport = AwaitedGate()
        driver = AsyncDriver(outside(Flights()), transport)
        flow = ask(asking())
        effect: Any = next(flow)
        while type(effect).__name__ != "Send":
            effect = flow.send(await done(driver, effect))
        late = asyncio.create_task(told_awaiting(driver, asking(timeout_s=0.01)))
        await transport.is_asked.wait()
        transport.gate.set()
        assert await told_awaiting(driver, asking(timeout_s=0.01)) in ("paid", "cached")
        assert await late == "paid"
        effect = flow.throw(KeyboardInterrupt())
        with suppress(KeyboardInterrupt):
            while True:
                effect = flow.send(await done(driver, effect))
        assert not driver.outside.flights.flights

    asyncio.run(run())


# --- by hand ------------------------------------------------------------------------------------


def test_the_first_in_line_is_the_first_served() -> None:
    """Without a record one goes ahead at a time, in the order they came; with one all do."""
    flights, tickets = Flights(), [Ticket("key") for _ in range(4)]
    assert flights.claim(tickets[0], 0) is None
    given = [flights.claim(ticket, at) for at, ticket in enumerate(tickets[1:], 1)]
    flights.release(tickets[0], None)
    assert [each.done() for each in given if each] == [True, False, False]
    flights.release(tickets[1], {"text": "Yes."})
    assert [each.result(0) for each in given if each] == [None, {"text": "Yes."}, {"text": "Yes."}]
    assert not flights.flights


def test_who_has_left_the_line_is_not_served() -> None:
    """A ticket released while it waits is passed over, and so is one whose task was cancelled."""
    flights, tickets = Flights(), [Ticket("key") for _ in range(4)]
    flights.claim(tickets[0], 0)
    given = [flights.claim(ticket, at) for at, ticket in enumerate(tickets[1:], 1)]
    flights.release(tickets[1], None)
    assert given[1] is not None
    given[1].cancel()
    flights.release(tickets[0], None)
    assert [each.done() for each in given if each] == [False, True, True]
    assert given[2] is not None
    assert given[2].result(0) is None
    flights.release(tickets[3], None)
    assert not flights.flights


def test_what_leads_no_more_may_be_released_again() -> None:
    """A release of what was let go before, or of nobody's key, changes nothing."""
    flights, one, other = Flights(), Ticket("key"), Ticket("key")
    flights.release(one, None)
    flights.claim(one, 0)
    flights.release(one, None)
    flights.claim(other, 0)
    flights.release(one, {"text": "late"})
    assert flights.flights["key"].ticket is other


def test_a_child_waits_for_nobody_of_its_parent() -> None:
    """After a fork the threads that led are gone, and with them what they claimed."""
    flights = Flights()
    flights.claim(Ticket("key"), 0)
    flights.pid = -1  # as in a child
    assert flights.claim(Ticket("key"), 1) is None
