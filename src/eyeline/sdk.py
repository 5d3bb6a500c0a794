"""
The official clients with images made right on the way out: `from eyeline import OpenAI`.

Each is a subclass of the installed `openai` package's own. Bodies are mended in its request hook,
`_prepare_options`, through which every way of asking passes: `create`, `parse`, `stream`,
`with_raw_response`, `with_streaming_response`, Chat and Responses.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import FrameType
from typing import Any, Literal, Self

import openai

from eyeline.adapters.sdk import engine_of
from eyeline.calls import mended, mending_wiring
from eyeline.core.dialect import learn
from eyeline.core.failure import api_error
from eyeline.core.misplaced import Finding
from eyeline.core.parts import Api
from eyeline.core.question import Urls, choose_urls
from eyeline.core.urls import is_to_be_fetched
from eyeline.core.wire import Response, lower_names
from eyeline.drivers import Outside
from eyeline.effects import Learn
from eyeline.errors import MisplacedImage, SettingsError
from eyeline.mend import Mended
from eyeline.settings import read_settings

Repair = Literal["fix", "warn", "off"]
REPAIRS: tuple[Repair, ...] = ("fix", "warn", "off")
# The endpoints whose bodies hold messages or input items.
ENDPOINTS: dict[str, Api] = {
    "/chat/completions": "chat",
    "/responses": "responses",
    "/responses/input_tokens": "responses",
}


@dataclass(slots=True)
class Work:
    """
    What was done for one request, so that its retries, which have the same body, do it not; `urls`
    is "fetch" once the API could not take them.
    """

    body: Any = None
    mended: Mended | None = None
    urls: Urls | None = None


under_way: ContextVar[Work | None] = ContextVar("under_way", default=None)


@contextmanager
def one_request() -> Iterator[Work]:
    """Remember what is mended until the request is done."""
    token = under_way.set(work := Work())
    try:
        yield work
    finally:
        under_way.reset(token)


@contextmanager
def memory() -> Iterator[Outside]:
    """Give what remembers servers; its file is open no longer than it is used."""
    outside = mending_wiring(read_settings()).outside
    try:
        yield outside
    finally:
        if outside.cache:
            outside.cache.close()


class Repairing:
    """What blocking and awaiting clients share: the option, and what becomes of findings."""

    repair: Repair
    urls: Urls

    def __init__(self, *, repair: Repair = "fix", urls: Urls | None = None, **options: Any) -> None:
        if repair not in REPAIRS:
            raise SettingsError("repair", str(repair), f"one of {', '.join(REPAIRS)}")
        self.repair = repair
        self.urls = choose_urls(urls or read_settings().urls)
        super().__init__(**options)

    def copy(
        self,
        *,
        repair: Repair | None = None,
        urls: Urls | None = None,
        _extra_kwargs: Mapping[str, Any] = {},  # as the SDK has it; never changed
        **options: Any,
    ) -> Self:
        """Give a client with some options changed; takes what the SDK's own `copy` takes."""
        extra = {"repair": repair or self.repair, "urls": urls or self.urls, **_extra_kwargs}
        made: Self = super().copy(_extra_kwargs=extra, **options)  # type: ignore[misc]  # the SDK's
        return made

    with_options = copy

    def in_hand(self, options: Any) -> tuple[Any, Api] | None:
        """Give the body of a request and its API, None where there is nothing to mend in it."""
        api, body = ENDPOINTS.get(options.url), options.json_data
        is_ours = self.repair != "off" and isinstance(body, Mapping)
        return (body, api) if is_ours and api else None

    def mended(self, body: Any, api: Api) -> Mended:
        """Mend a body, or for "warn" find only."""
        work = under_way.get() or Work()
        if work.mended is not None and work.body is body:
            return work.mended
        engine = engine_of(self)
        with memory() as outside:
            dialect = outside.recall(engine.base_url)
        return mended(
            body,
            api=api,
            engine=engine,
            urls=work.urls or self.urls,
            dialect=dialect,
            finds_only=self.repair == "warn",
        )

    def turns_to_fetching(self, error: openai.APIStatusError, work: Work) -> bool:
        """Say whether images that the API refused as URLs are to go inline, and remember why."""
        urls = work.mended.passed if work.mended and self.repair == "fix" else ()
        if not urls or self.urls == "fetch":
            return False
        engine, response = engine_of(self), error.response
        answer = Response(response.status_code, lower_names(response.headers), response.content)
        refusal = api_error(engine.name, answer, "")
        with memory() as outside:
            known = outside.recall(engine.base_url)
            sent = {"urls": urls, "media_types": ()}
            learned = learn(known, refusal, sent, by_openai=engine.needs_key)
            if learned is not None:
                outside.in_time(Learn(engine.base_url, learned))
        if not is_to_be_fetched(urls, refusal, learned or known):
            return False
        work.urls, work.mended = "fetch", None
        return True

    def take(self, options: Any, found: Mended) -> Any:
        """Put a mended body into the options of a request, and say once what was done."""
        work, body = under_way.get() or Work(), options.json_data
        if self.repair == "fix":
            for error in found.errors:
                raise error
            options.json_data = found.body
        if work.mended is not found:
            work.body, work.mended = body, found
            # What was said of the body when it went out first needs no saying twice.
            warn(
                ()
                if work.urls
                else found.findings
                if self.repair == "warn"
                else worth_saying(found.findings)
            )
        return options


def worth_saying(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Give what was moved, and what is wrong still; an image part made right is what was asked."""
    for each in findings:
        if each.what.endswith("_in_text") or (not each.mend and each.level == "error"):
            yield each


def warn(findings: Iterable[Finding]) -> None:
    """Warn of each, at the line of the user's code that asked."""
    depth = outside_depth()
    for each in findings:
        warning = MisplacedImage(each.where, each.found, each.mend)
        warnings.warn(warning, stacklevel=depth)


def outside_depth() -> int:
    """Count how many frames up the code stands that is neither ours nor the SDK's."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and is_inside(frame):
        depth, frame = depth + 1, frame.f_back
    return depth


def is_inside(frame: FrameType) -> bool:
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return package in ("eyeline", "openai")


class BlockingRepair(Repairing):
    """Mends in the hook of the blocking clients."""

    def request(self, *arguments: Any, **options: Any) -> Any:
        with one_request() as work:
            try:
                return super().request(*arguments, **options)  # type: ignore[misc]  # the SDK's
            except openai.APIStatusError as error:
                if not self.turns_to_fetching(error, work):
                    raise
            return super().request(*arguments, **options)  # type: ignore[misc]  # the SDK's

    def _prepare_options(self, options: Any) -> Any:
        options = super()._prepare_options(options)  # type: ignore[misc]  # the SDK's
        in_hand = self.in_hand(options)
        return self.take(options, self.mended(*in_hand)) if in_hand else options


class AwaitingRepair(Repairing):
    """Mends in the hook of the awaiting clients, in a thread."""

    async def request(self, *arguments: Any, **options: Any) -> Any:
        from anyio import to_thread  # the SDK's own, for any event loop

        with one_request() as work:
            try:
                return await super().request(*arguments, **options)  # type: ignore[misc]  # the SDK's
            except openai.APIStatusError as error:
                if not await to_thread.run_sync(self.turns_to_fetching, error, work):
                    raise
            return await super().request(*arguments, **options)  # type: ignore[misc]  # the SDK's

    async def _prepare_options(self, options: Any) -> Any:
        from anyio import to_thread  # the SDK's own, for any event loop

        options = await super()._prepare_options(options)  # type: ignore[misc]  # the SDK's
        in_hand = self.in_hand(options)
        if in_hand is None:
            return options
        return self.take(options, await to_thread.run_sync(self.mended, *in_hand))


class OpenAI(BlockingRepair, openai.OpenAI):
    """
    `openai.OpenAI` with images made right; takes what that takes.

    `repair` is "fix", "warn" to say what is wrong and change nothing, or "off". `urls` says who
    fetches image URLs: "pass", "fetch", or "auto".
    """


class AsyncOpenAI(AwaitingRepair, openai.AsyncOpenAI):
    """`openai.AsyncOpenAI` with images made right; see `OpenAI`."""


class AzureOpenAI(BlockingRepair, openai.AzureOpenAI):
    """`openai.AzureOpenAI` with images made right; see `OpenAI`."""


class AsyncAzureOpenAI(AwaitingRepair, openai.AsyncAzureOpenAI):
    """`openai.AsyncAzureOpenAI` with images made right; see `OpenAI`."""
