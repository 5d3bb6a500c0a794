"""Worker threads, and the driver that does in them at one go what a row needs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from eyeline.bulk.book import Book
from eyeline.bulk.gate import Gate
from eyeline.bulk.unheld import Once
from eyeline.drivers import IN_TIME, LATER, AsyncDriver, Done, Outside
from eyeline.effects import (
    Chance,
    Claim,
    Effect,
    Emit,
    Fingerprint,
    Flow,
    Known,
    Load,
    Now,
    Open,
    Pages,
    Prepare,
    Recognise,
    Record,
    Release,
    Reserve,
    Send,
    Settle,
    Sleep,
    Store,
)
from eyeline.errors import BudgetExceeded, EngineError
from eyeline.ports import AsyncTransport

T = TypeVar("T")
# What keeps a core busy, each thread one.
HEAVY = {Prepare, Pages, Fingerprint}
# Done in whichever thread the flow is in; all else is the event loop's.
LEAPT = {*IN_TIME, Now, Chance, Claim, Release, Recognise}
# Threads that wait for disks and other hosts.
READERS = 32
# What is usual is told from the last answers.
SENDING_AT_FIRST, TYPICAL_OF = 64, 50


@dataclass(frozen=True, slots=True)
class Threads:
    """
    Threads, and how much they may have begun before the event loop takes up what they did: they go
    on while it is busy, and what they loaded would pile up.
    """

    pool: ThreadPoolExecutor
    begun: asyncio.Semaphore

    @classmethod
    def of(cls, threads: int, begun_max: int, name: str) -> Threads:
        return cls(ThreadPoolExecutor(threads, name), asyncio.Semaphore(begun_max))


@dataclass(slots=True)
class Crew:
    """
    The threads that read, those that prepare, and what all rows are doing right now: how many wait
    for the pace, or are on their way, and how many usually are; `holding` counts those with dollars
    held.
    """

    readers: Threads
    pixels: Threads
    waiting: int = 0
    sending: int = 0
    holding: int = 0
    typical: float = 0.0
    begun_s: float = 0.0
    answered_s: float | None = None
    trouble: str = ""
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, now_s: float) -> Crew:
        cores = os.cpu_count() or 2
        readers = Threads.of(READERS, READERS, "eyeline-read")
        return cls(readers, Threads.of(cores, 2 * cores, "eyeline-pixels"), begun_s=now_s)

    def end(self) -> None:
        """Count a request as no longer on its way."""
        self.typical += (self.sending - self.typical) / TYPICAL_OF
        self.sending -= 1

    @property
    def worth_having(self) -> int:
        """
        Say how many requests could be put on their way at once: twice as many as usual. More come
        in bursts alone, each over a connection that then stays.
        """
        return SENDING_AT_FIRST + 2 * round(self.typical)

    def close(self) -> None:
        self.readers.pool.shutdown()
        self.pixels.pool.shutdown()

    def threads_for(self, effect: Effect) -> Threads:
        return self.pixels if type(effect) in HEAVY else self.readers

    def settle(self) -> None:
        """Wake all who wait for dollars that others hold."""
        self.holding -= 1
        self.settled.set()
        self.settled = asyncio.Event()


@dataclass(frozen=True, slots=True)
class Given:
    """In place of a Claim that has to wait: what it waits for."""

    record: Future[Record | None]
    wait_s: float


class RowDriver(AsyncDriver):
    """Runs the flow of one row."""

    def __init__(
        self, outside: Outside, transport: AsyncTransport | None, crew: Crew, gate: Gate, book: Book
    ) -> None:
        super().__init__(outside, transport)
        self.crew, self.gate, self.book = crew, gate, book
        self.holds = False
        self.stored: dict[str, Record] = {}
        self.loaded_bytes = self.held_bytes = 0
        self.once: Once | None = None

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end and give its value; what it loads counts as held until then."""
        try:
            return await self.run_on(flow)
        finally:
            self.gate.hold(-self.held_bytes)

    async def run_on(self, flow: Flow[T]) -> T:
        effect: Any = next_of(flow.send, None)
        while not isinstance(effect, Done):
            try:
                value = self.at_once(effect)
                if value is LATER and type(effect) in IN_TIME:
                    effect = await self.in_thread(flow, effect)
                    continue
                if value is LATER:
                    value = await self.perform(effect)
                resume: Callable[[Any], Effect] = flow.send
            except BaseException as error:
                value, resume = error, flow.throw
            effect = next_of(resume, value)
            if self.loaded_bytes > self.held_bytes:
                self.gate.hold(self.loaded_bytes - self.held_bytes)
                self.held_bytes = self.loaded_bytes
        return effect.value  # type: ignore[no-any-return]

    def at_once(self, effect: Effect) -> Any:
        match effect:
            case Reserve() | Given():
                return LATER
            case Emit():
                return None
            case Store(key, record):
                self.stored[key] = record
            case Settle():
                self.outside.at_once(effect)
                self.holds = False
                return self.crew.settle()
        return self.seen(effect, super().at_once(effect))

    def seen(self, effect: Effect, value: Any) -> Any:
        """Give what was loaded of a file to its reader, and count what has none."""
        if value is LATER:
            return value
        if type(effect) is Known and isinstance(value.read, Once):
            self.once = value.read
        elif type(effect) is Load and self.once is not None:
            self.once.keep(value.data)
            self.once = None
        elif type(effect) is Load:
            self.loaded_bytes += len(value.data)
        return value

    async def in_thread(self, flow: Flow[T], effect: Effect) -> Effect | Given | Done[T]:
        """Go on with a flow in a thread, as far as that goes; cancelled, wait until it has."""
        threads = self.crew.threads_for(effect)
        with self.gate.prepared():
            async with threads.begun:
                return await self.finished(threads.pool.submit(self.leap, flow, effect))

    async def finished(self, work: Future[Effect | Given | Done[T]]) -> Effect | Given | Done[T]:
        try:
            return await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            if work.cancelled():
                raise
            while not work.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([asyncio.wrap_future(work)])
            found = work.result()
            if isinstance(found, Done):
                return found
            raise

    def leap(self, flow: Flow[T], effect: Any) -> Effect | Given | Done[T]:
        """Do an effect and those that follow it, until one that is done elsewhere, or awaited."""
        is_heavy = type(effect) in HEAVY
        while True:
            try:
                value = self.here(effect)
                if isinstance(value, Given):
                    return value
                resume: Callable[[Any], Effect] = flow.send
            except BaseException as error:
                value, resume = error, flow.throw
            effect = next_of(resume, value)
            if type(effect) not in LEAPT or (type(effect) in HEAVY and not is_heavy):
                return effect  # type: ignore[no-any-return]

    def here(self, effect: Any) -> Any:
        if isinstance(effect, Store):
            self.stored[effect.key] = effect.record
        if type(effect) in IN_TIME:
            return self.seen(effect, self.outside.in_time(effect))
        if isinstance(effect, Claim):
            given = self.outside.flights.claim(effect.ticket, self)
            return None if given is None else Given(given, effect.wait_s)
        return self.outside.at_once(effect)

    async def perform(self, effect: Any) -> Any:
        match effect:
            case Send() | Open():
                return await self.on_the_way(effect)
            case Reserve():
                return await self.reserve(effect)
            case Sleep(seconds):
                return await self.wait(partial(self.sleep, seconds))
            case Claim(ticket, wait_s):
                given = self.outside.flights.claim(ticket, self)
                return None if given is None else await self.perform(Given(given, wait_s))
            case Given(record, wait_s):
                answered = partial(asyncio.wait_for, asyncio.wrap_future(record), wait_s)
                with suppress(TimeoutError):
                    return await self.wait(answered)
                return None
        return await super().perform(effect)

    async def wait(self, waiting: Callable[[], Awaitable[Any]]) -> Any:
        """Await what may take long, with nothing on its way that could be lost."""
        self.crew.waiting += 1
        try:
            self.gate.wait_begins()
            return await waiting()
        finally:
            self.crew.waiting -= 1

    async def reserve(self, effect: Reserve) -> Any:
        """Hold dollars; where others hold what is left of the budget, wait until they settle."""
        while True:
            self.gate.wait_begins()
            try:
                found = self.outside.at_once(effect)
            except BudgetExceeded:
                # With a turn it was wanted of somebody who knows what all others hold.
                if effect.turn is not None or not self.crew.holding:
                    raise
                await self.wait(self.crew.settled.wait)
                continue
            self.crew.holding += not self.holds
            self.holds = True
            return found

    async def on_the_way(self, effect: Effect) -> Any:
        """Send, and note what comes of it; from here on the row is not let go of."""
        self.crew.sending += 1
        try:
            response = await super().perform(effect)
        except EngineError as error:
            self.book.conclude()
            self.crew.trouble = str(error)
            raise
        finally:
            self.crew.end()
        self.book.conclude()
        self.note(response.status)
        return response

    def note(self, status: int) -> None:
        if status < 400:
            self.crew.answered_s, self.crew.trouble = self.outside.now(), ""
        else:
            self.crew.trouble = f"status {status}"


def next_of(resume: Callable[[Any], Effect], value: Any) -> Effect | Done[Any]:
    try:
        return resume(value)
    except StopIteration as stop:
        return Done(stop.value)
