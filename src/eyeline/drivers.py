"""The blocking and the awaiting driver: they do what a flow asks for, and decide nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from threading import get_ident
from typing import Any, Generic, TypeVar, cast

from eyeline.core.dialect import STANDARD, Dialect
from eyeline.core.parts import bytes_of
from eyeline.core.picture import Sighting
from eyeline.effects import (
    Chance,
    Claim,
    Close,
    Date,
    Effect,
    Fingerprint,
    Flow,
    Handed,
    Heed,
    Intend,
    KeepUploaded,
    Known,
    Learn,
    Load,
    Lookup,
    Now,
    Open,
    Pages,
    Prepare,
    Read,
    Recognise,
    Record,
    Release,
    Remember,
    Reserve,
    Send,
    Settle,
    Sleep,
    Store,
    Ticket,
    Uploaded,
)
from eyeline.flights import Flights
from eyeline.policy.limits import Hold, Limits
from eyeline.ports import AsyncTransport, Cache, Files, Loader, Pixels, Transport

T = TypeVar("T")
Way = TypeVar("Way")


def draw() -> float:
    from random import random

    return random()


class ReaderLeft(BaseException):
    """
    Thrown into a flow whose reader is gone, in place of GeneratorExit: that one would not run inner
    flows to their end but close them, and closing forbids the effects that settle and let go.
    """


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The value a flow ended with, after all it emitted."""

    value: T


@dataclass(frozen=True, slots=True)
class Outside:
    """All a driver acts through, but the transport and the waiting, which block or await."""

    loader: Loader
    pixels: Pixels
    limits: Limits
    cache: Cache | None = None
    now: Callable[[], float] = time.monotonic
    date: Callable[[], float] = time.time
    chance: Callable[[], float] = draw
    dialects: dict[str, Dialect] = field(default_factory=dict)
    files: Files | None = None
    uploads: dict[str, Record] = field(default_factory=dict)
    flights: Flights = field(default_factory=Flights)
    # Where a run writes down every request before it is sent; nobody's business outside of one.
    journal: Callable[[Hold], None] | None = None

    def at_once(self, effect: Effect) -> Any:
        """Do what takes no time worth awaiting."""
        match effect:
            case Now():
                return self.now()
            case Date():
                return self.date()
            case Chance():
                return self.chance()
            case Intend(hold):
                return self.journal(hold) if self.journal else None
            case Recognise(name):
                return self.files.recognise(name) if self.files else None
            case Release(ticket, record):
                return self.flights.release(ticket, record)
        return self.of_limits(effect)

    def of_limits(self, effect: Effect) -> Any:
        match effect:
            case Reserve(hold, turn, patient):
                return self.limits.reserve(hold, turn, self.now(), patient=patient)
            case Heed(model, allowances):
                return self.limits.heed(model, allowances, self.now())
            case Settle(hold, turn, ended):
                return self.limits.settle(hold, turn, ended, self.now())
        raise AssertionError(effect)

    def at_hand(self, effect: Effect) -> Any:
        """
        Do what is done in time at once, if nobody has to be waited for. Raises BlockingIOError
        where that is so, or in doubt.
        """
        match effect:
            case Known(file):
                return self.files.glance(file.path) if self.files else UNKNOWN
            case Lookup(key):
                return self.cache.glance(key) if self.cache else None
            case Load(reference, bytes_max, 0):
                return self.loader.glance(reference, bytes_max)
            case Remember(sighting, picture):
                return self.files.remember(sighting, picture) if self.files else None
            case Store(key, record):
                return self.cache.put_soon(key, record) if self.cache else None
        raise BlockingIOError

    def keep(self, key: str, record: Record) -> None:
        if self.cache:
            self.cache.put(key, record)

    def uploaded(self, key: str) -> Record | None:
        """Give the file that an image was uploaded as: in this client, or by others before."""
        record = self.uploads.get(key)
        return self.cache.get(key) if record is None and self.cache else record

    def keep_uploaded(self, key: str, record: Record) -> None:
        while len(self.uploads) >= UPLOADS_MAX:
            self.uploads.pop(next(iter(self.uploads)), None)
        self.uploads[key] = record
        self.keep(key, record)

    def recall(self, base_url: str) -> Dialect:
        """Give the dialect of a server, read from the cache once."""
        if base_url not in self.dialects:
            kept = self.cache.get(dialect_key(base_url)) if self.cache else None
            self.dialects[base_url] = Dialect.from_record(kept) if kept else STANDARD
        return self.dialects[base_url]

    def in_time(self, effect: Effect) -> Any:
        """
        Do what reads files, fetches, decodes or queries, and may take its time; the awaiting driver
        gives it a thread.
        """
        match effect:
            case Load(reference, bytes_max, start):
                return self.loader.load(reference, bytes_max, start)
            case Pages(data, source):
                return self.pixels.pages(data, source)
            case Prepare(content, plan, source):
                return self.pixels.prepare(bytes_of(content), plan, source)
            case Fingerprint(image):
                return self.pixels.fingerprint(image)
        return self.of_cache(effect)

    def of_cache(self, effect: Effect) -> Any:
        match effect:
            case Known(file):
                return self.files.known(file.path) if self.files else UNKNOWN
            case Remember(sighting, picture):
                return self.files.remember(sighting, picture) if self.files else None
            case Lookup(key):
                return self.cache.get(key) if self.cache else None
            case Store(key, record):
                return self.keep(key, record)
            case Uploaded(key):
                return self.uploaded(key)
            case KeepUploaded(key, record):
                return self.keep_uploaded(key, record)
            case Learn(base_url, dialect):
                self.dialects[base_url] = known = self.recall(base_url).joined(dialect)
                return self.keep(dialect_key(base_url), known.to_record())
        raise AssertionError(effect)


# A file of which nothing is remembered, and nothing is to be.
UNKNOWN = Sighting("", None)
AWAITED = {Read, Send, Open, Close, Sleep, Claim}
LATER = object()
IN_TIME = {
    Load, Pages, Prepare, Fingerprint, Known, Remember, Lookup, Store, Uploaded, KeepUploaded,
    Learn,
}  # fmt: skip
# Files whose ids one client holds in memory, beside those in the cache.
UPLOADS_MAX = 10_000
# The most threads that asyncio has for it.
THREADED_MAX = 32


def dialect_key(base_url: str) -> str:
    """
    Name a server's dialect in the cache, where no answer can be named so, and where a password in
    its address is not to be read.
    """
    return f"dialect {sha256(base_url.encode()).hexdigest()}"


def sending(transport: Way | None) -> Way:
    """
    Give the transport of a driver that has one; an estimate's driver sends nothing and has none.
    """
    assert transport is not None, "this flow was not expected to send"
    return transport


class Driver:
    """Runs flows in the calling thread."""

    def __init__(
        self,
        outside: Outside,
        transport: Transport | None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.outside, self.transport, self.sleep = outside, transport, sleep

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end and give its value."""
        last: Handed | Done[T] | None = None
        for last in self.steps(flow):  # noqa: B007  # the last step carries the value
            pass
        return cast("Done[T]", last).value

    def steps(self, flow: Flow[T]) -> Generator[Handed | Done[T], None, None]:
        """
        Run a flow, giving each piece it emits and at last its value.

        Every failure is thrown into the flow, also interruption and a reader who leaves, so that
        what it holds is settled and closed.
        """
        resume: Callable[[Any], Effect] = flow.send
        value: Any = None
        while True:
            try:
                effect = resume(value)
            except StopIteration as stop:
                yield Done(stop.value)
                return
            except ReaderLeft:
                return
            try:
                value = (yield effect) if isinstance(effect, Handed) else self.perform(effect)
                resume = flow.send
            except GeneratorExit:
                value, resume = ReaderLeft(), flow.throw
            except BaseException as error:
                value, resume = error, flow.throw

    def perform(self, effect: Effect) -> Any:
        if type(effect) in IN_TIME:
            return self.outside.in_time(effect)
        match effect:
            case Read(stream):
                return stream.read()
            case Send(request):
                return sending(self.transport).send(request)
            case Open(request):
                return sending(self.transport).open(request)
            case Close(stream):
                return stream.close()
            case Sleep(seconds):
                return self.sleep(seconds)
            case Claim(ticket, wait_s):
                return self.claim(ticket, wait_s)
        return self.outside.at_once(effect)

    def claim(self, ticket: Ticket, wait_s: float) -> Record | None:
        given = self.outside.flights.claim(ticket, get_ident())
        if given is None:
            return None
        with suppress(TimeoutError):
            return given.result(wait_s)
        return None


class AsyncDriver:
    """Runs flows in an event loop."""

    def __init__(
        self,
        outside: Outside,
        transport: AsyncTransport | None,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        # Imported here, because asyncio alone takes longer to load than a blocking `ask` needs in
        # all.
        import asyncio

        self.outside, self.transport, self.asyncio = outside, transport, asyncio
        self.sleep = sleep or asyncio.sleep
        self.threads = asyncio.Semaphore(THREADED_MAX)

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end and give its value."""
        last: Handed | Done[T] | None = None
        async for last in self.steps(flow):  # noqa: B007  # the last step carries the value
            pass
        return cast("Done[T]", last).value

    async def steps(self, flow: Flow[T]) -> AsyncGenerator[Handed | Done[T], None]:
        """The awaiting form of `Driver.steps`; cancellation too is thrown into the flow."""
        resume: Callable[[Any], Effect] = flow.send
        value: Any = None
        while True:
            try:
                effect = resume(value)
            except StopIteration as stop:
                yield Done(stop.value)
                return
            except ReaderLeft:
                return
            try:
                value = (yield effect) if isinstance(effect, Handed) else self.at_once(effect)
                if value is LATER:
                    value = await self.perform(effect)
                resume = flow.send
            except GeneratorExit:
                value, resume = ReaderLeft(), flow.throw
            except BaseException as error:
                value, resume = error, flow.throw

    def at_once(self, effect: Effect) -> Any:
        """Do what nobody waits for, else give LATER: a thread takes longer than most of it."""
        if type(effect) in AWAITED:
            return LATER
        if type(effect) not in IN_TIME:
            return self.outside.at_once(effect)
        try:
            return self.outside.at_hand(effect)
        except BlockingIOError:
            return LATER

    async def perform(self, effect: Effect) -> Any:
        match effect:
            case Read(stream):
                return await stream.read()
            case Send(request):
                return await sending(self.transport).send(request)
            case Open(request):
                return await sending(self.transport).open(request)
            case Close(stream):
                return await stream.close()
            case Sleep(seconds):
                return await self.sleep(seconds)
            case Claim(ticket, wait_s):
                return await self.claim(ticket, wait_s)
        # Threads go on while the loop is busy, and what they loaded would pile up.
        async with self.threads:
            return await self.asyncio.to_thread(self.outside.in_time, effect)

    async def claim(self, ticket: Ticket, wait_s: float) -> Record | None:
        given = self.outside.flights.claim(ticket, self.asyncio.current_task())
        if given is None:
            return None
        with suppress(TimeoutError):
            return await self.asyncio.wait_for(self.asyncio.wrap_future(given), wait_s)
        return None
