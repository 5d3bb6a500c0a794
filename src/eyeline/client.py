"""Client and AsyncClient: wiring and defaults over one flow; no rules of their own."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Unpack, cast

from eyeline.core.answer import Answer
from eyeline.drivers import AsyncDriver, Done, Driver
from eyeline.effects import Emit, Handed
from eyeline.flow import ask as ask_flow
from eyeline.wiring import AskOptions, ClientOptions, wire

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

    from eyeline.bulk.options import RunOptions
    from eyeline.bulk.result import RunResult


# More blocking threads than this cost more than they bring; AsyncClient needs none.
THREADS_MAX = 256
F = TypeVar("F", "asyncio.Task[Answer]", "Future[Answer]")


class Client:
    """
    Asks about images, blocking; any number of threads may share it.

    Takes, by name: `model`, `engine` or `base_url`, `api_key`, `api` ("auto", "chat", "responses"),
    `detail`, `cache`, `budget_usd`, `allow_hosts`, `urls` (who fetches image URLs: "auto", "pass",
    "fetch"), `upload`, `timeout_s`, `requests_per_min`, `tokens_per_min`, `mmproj`, and `sdk`, an
    official client to send through. Use it in a `with` block, or call `close()`.
    """

    def __init__(self, **options: Unpack[ClientOptions]) -> None:
        self.wiring = wire(options)
        self.driver = Driver(self.wiring.outside, self.wiring.transport())

    def ask(self, prompt: str, *images: object, **options: Unpack[AskOptions]) -> Answer:
        """
        Ask one question about one or more images.

        Options, by name: `model`, `detail`, `schema`, `system`, `max_output_tokens`, `temperature`,
        `cache`, `timeout_s`, `max_tokens_per_image`, `background`, `keep_metadata`,
        `sight_check`, `urls`, `upload`, and `extra` for fields of the body that have no name here.

        Raises an EyelineError; see eyeline.errors for the tree.
        """
        return self.driver.run(ask_flow(self.wiring.asking(prompt, images, options)))

    def stream(self, prompt: str, *images: object, **options: Unpack[AskOptions]) -> Stream:
        """Ask, and give the answer piece by piece; takes the options of `ask`."""
        asking = self.wiring.asking(prompt, images, options, stream=True)
        return Stream(self.driver.steps(ask_flow(asking)))

    def ask_many(
        self,
        prompt: str,
        images: Iterable[object],
        *,
        return_exceptions: bool = False,
        **options: Unpack[AskOptions],
    ) -> Iterator[Answer]:
        """
        Ask the same of each image (or list of images), several at once; answers come in order.

        `images` is read only as far as answers are taken. The first error raises in its turn; with
        `return_exceptions` it takes its answer's place instead.
        """
        from concurrent.futures import ThreadPoolExecutor
        from threading import Event

        model, ended = options.get("model"), Event()
        ahead: Ahead[Future[Answer]] = Ahead(lambda: min(THREADS_MAX, self.wiring.in_flight(model)))
        with ThreadPoolExecutor(THREADS_MAX) as pool:
            try:
                for image in images:
                    while ahead.is_done() or not ahead.has_room():
                        if ahead.is_done():
                            yield settle(ahead.pending.popleft(), return_exceptions)
                        else:
                            ended.wait()
                            ended.clear()
                    future = pool.submit(self.ask_patiently, prompt, image, options)
                    ahead.begin(future, ended.set)
                while ahead.pending:
                    yield settle(ahead.pending.popleft(), return_exceptions)
            finally:
                for future in ahead.pending:
                    future.cancel()

    def ask_patiently(self, prompt: str, image: object, options: AskOptions) -> Answer:
        """Ask one of many, and let the pace say when."""
        asking = self.wiring.asking(prompt, (image,), options)
        return self.driver.run(ask_flow(replace(asking, patient=True)))

    def run(
        self, prompt: str, source: str | Path, out: str | Path, **options: Unpack[RunOptions]
    ) -> RunResult:
        """
        Ask the same of every image of a folder or table, and write a table of answers.

        The same call goes on where it stopped, and pays for nothing twice that was answered. Takes,
        by name, the options of `ask`, and `budget_usd`, `image`, `keep`, `where`, `sample`, `seed`,
        `limit`, `new`, `retry_failed`, `in_doubt`, `fail_fast`, `max_failures`, `rows_in_flight`;
        see docs/run.md.
        """
        # The one arrow that points up, and only when it is called.
        from eyeline.bulk.calls import run_with

        return run_with(self.wiring, prompt, str(source), str(out), options)

    def close(self) -> None:
        """Let go of connections and the cache."""
        if self.driver.transport:
            self.driver.transport.close()
        if self.wiring.outside.cache:
            self.wiring.outside.cache.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Stream:
    """An answer on its way: iterate for its pieces; then `answer` holds it whole."""

    def __init__(self, steps: Generator[Handed | Done[Answer], None, None]) -> None:
        self.steps = steps
        self.answer: Answer | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        step = next(self.steps)
        if isinstance(step, Done):
            self.answer = step.value
            raise StopIteration
        return cast(Emit, step).text

    def close(self) -> None:
        """Stop reading; the connection is let go."""
        self.steps.close()


class AsyncClient:
    """
    Asks about images from an event loop; takes what `Client` takes. Use it in an `async with`
    block.
    """

    def __init__(self, **options: Unpack[ClientOptions]) -> None:
        self.wiring = wire(options)
        self.driver = AsyncDriver(self.wiring.outside, self.wiring.async_transport())

    async def ask(self, prompt: str, *images: object, **options: Unpack[AskOptions]) -> Answer:
        """Ask one question about one or more images; see `Client.ask`."""
        return await self.driver.run(ask_flow(self.wiring.asking(prompt, images, options)))

    def stream(self, prompt: str, *images: object, **options: Unpack[AskOptions]) -> AsyncStream:
        """Ask, and give the answer piece by piece; takes the options of `ask`."""
        asking = self.wiring.asking(prompt, images, options, stream=True)
        return AsyncStream(self.driver.steps(ask_flow(asking)))

    async def ask_many(
        self,
        prompt: str,
        images: Iterable[object] | AsyncIterable[object],
        *,
        return_exceptions: bool = False,
        **options: Unpack[AskOptions],
    ) -> AsyncIterator[Answer]:
        """
        Ask the same of each image, several at once; answers come in order; see `Client.ask_many`.
        """
        from asyncio import Event, create_task, gather

        model, ended = options.get("model"), Event()
        ahead: Ahead[asyncio.Task[Answer]] = Ahead(lambda: self.wiring.in_flight(model))
        try:
            async for image in each(images):
                while ahead.is_done() or not ahead.has_room():
                    if ahead.is_done():
                        yield await settle_async(ahead.pending.popleft(), return_exceptions)
                    else:
                        await ended.wait()
                        ended.clear()
                task = create_task(self.ask_patiently(prompt, image, options))
                ahead.begin(task, ended.set)
            while ahead.pending:
                yield await settle_async(ahead.pending.popleft(), return_exceptions)
        finally:
            for task in ahead.pending:
                task.cancel()
            await gather(*ahead.pending, return_exceptions=True)

    async def ask_patiently(self, prompt: str, image: object, options: AskOptions) -> Answer:
        """Ask one of many, and let the pace say when."""
        asking = self.wiring.asking(prompt, (image,), options)
        return await self.driver.run(ask_flow(replace(asking, patient=True)))

    async def run(
        self, prompt: str, source: str | Path, out: str | Path, **options: Unpack[RunOptions]
    ) -> RunResult:
        """Ask the same of every image of a folder or table; see `Client.run`."""
        from eyeline.bulk.calls import run_async

        return await run_async(self.wiring, prompt, str(source), str(out), options)

    async def close(self) -> None:
        """Let go of connections and the cache."""
        if self.driver.transport:
            await self.driver.transport.close()
        if self.wiring.outside.cache:
            self.wiring.outside.cache.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


class AsyncStream:
    """An answer on its way: iterate for its pieces; then `answer` holds it whole."""

    def __init__(self, steps: Any) -> None:
        self.steps = steps
        self.answer: Answer | None = None

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        step = await anext(self.steps)
        if isinstance(step, Done):
            self.answer = step.value
            raise StopAsyncIteration
        return step.text  # type: ignore[no-any-return]  # what a driver gives has one type

    async def aclose(self) -> None:
        """Stop reading; the connection is let go."""
        await self.steps.aclose()


class Ahead(Generic[F]):
    """
    The futures of answers on their way, in order: as many unfinished as are worth having in flight,
    and behind a slow one up to twice as many.
    """

    def __init__(self, in_flight: Callable[[], int]) -> None:
        self.in_flight = in_flight
        self.pending: deque[F] = deque()
        self.unfinished: set[Any] = set()

    def is_done(self) -> bool:
        """Say whether the next answer is there."""
        return bool(self.pending) and self.pending[0].done()

    def has_room(self) -> bool:
        most = self.in_flight()
        return len(self.unfinished) < most and len(self.pending) < 2 * most

    def begin(self, future: F, then: Callable[[], None]) -> None:
        """Take one more; `then` is called when it has ended."""

        def end(_: Any) -> None:
            self.unfinished.discard(future)
            then()

        self.unfinished.add(future)
        self.pending.append(future)
        future.add_done_callback(end)


def settle(future: Any, return_exceptions: bool) -> Any:
    """Give a future's answer, or its error in the answer's place."""
    try:
        return future.result()
    except Exception as error:
        if return_exceptions:
            return error
        raise


async def settle_async(task: asyncio.Task[Answer], return_exceptions: bool) -> Any:
    try:
        return await task
    except Exception as error:
        if return_exceptions:
            return error
        raise


async def each(images: Iterable[object] | AsyncIterable[object]) -> AsyncIterator[object]:
    if isinstance(images, AsyncIterable):
        async for image in images:
            yield image
    else:
        for image in images:
            yield image
