"""Client and AsyncClient: wiring and defaults over one flow; no rules of their own."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Unpack, cast

from eyeline.core.answer import Answer
from eyeline.drivers import AsyncDriver, Done, Driver
from eyeline.effects import Emit, Handed
from eyeline.flow import ask as ask_flow
from eyeline.wiring import AskOptions, ClientOptions, wire

if TYPE_CHECKING:
    import asyncio

    from eyeline.bulk.options import RunOptions
    from eyeline.bulk.result import RunResult


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
        from concurrent.futures import Future, ThreadPoolExecutor

        window = self.wiring.in_flight
        pending: deque[Future[Answer]] = deque()
        with ThreadPoolExecutor(window) as pool:
            try:
                for image in images:
                    pending.append(pool.submit(self.ask, prompt, image, **options))
                    if len(pending) == window:
                        yield settle(pending.popleft(), return_exceptions)
                while pending:
                    yield settle(pending.popleft(), return_exceptions)
            finally:
                for future in pending:
                    future.cancel()

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
        from asyncio import create_task, gather

        pending: deque[asyncio.Task[Answer]] = deque()
        try:
            async for image in each(images):
                pending.append(create_task(self.ask(prompt, image, **options)))
                if len(pending) == self.wiring.in_flight:
                    yield await settle_async(pending.popleft(), return_exceptions)
            while pending:
                yield await settle_async(pending.popleft(), return_exceptions)
        finally:
            for task in pending:
                task.cancel()
            await gather(*pending, return_exceptions=True)

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
