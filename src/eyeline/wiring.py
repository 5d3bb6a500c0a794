"""
Defaults and choices made once for a client: which engine, with which key, model, cache and limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from eyeline.accounts import limits
from eyeline.adapters.images import Images
from eyeline.core.catalogue import READER, Catalogue, Model, local_model
from eyeline.core.colour import parse_colour
from eyeline.core.dialect import STANDARD
from eyeline.core.draft import digest
from eyeline.core.engine import Chosen, Engine, choose_engine, is_gguf
from eyeline.core.plan import Look
from eyeline.core.question import (
    ApiChoice,
    Question,
    Urls,
    check_extra,
    check_positive,
    check_references,
    check_temperature,
    choose_api,
    choose_detail,
    choose_urls,
    readable_text,
)
from eyeline.core.reference import Reference, parse_reference
from eyeline.core.schema import read_schema
from eyeline.core.secret import Secret
from eyeline.drivers import Outside
from eyeline.errors import KeyMissing, SettingsError
from eyeline.exchange import Asking
from eyeline.notices import Announcing, announce_shutdown
from eyeline.policy.retry import Retry
from eyeline.ports import AsyncTransport, Cache, Files, Transport
from eyeline.settings import Settings, catalogue, read_settings
from eyeline.version import USER_AGENT

if TYPE_CHECKING:
    from eyeline.adapters.sqlite import AnswerCache

DEFAULT_MODEL = "gpt-6-luna"
TIMEOUT_S = 600.0
# Entries that a client read once; to read one again takes as long as a whole answer of the cache.
MODELS_MAX = 64


class ClientOptions(TypedDict, total=False):
    """What `Client` and `AsyncClient` take, each by name."""

    model: str | None
    engine: str | None
    base_url: str | None
    api_key: str | None
    api: ApiChoice
    detail: str
    cache: bool
    budget_usd: float | Decimal | None
    allow_hosts: Iterable[str]
    timeout_s: float
    urls: Urls
    upload: bool
    mmproj: str | Path | None
    requests_per_min: float | None
    tokens_per_min: float | None
    transport: Transport | None
    sdk: Any


class AskOptions(TypedDict, total=False):
    """
    What `ask` and `stream` take, each by name; a client's own value stands where one is left out.
    """

    model: str | None
    detail: str | None
    schema: Any
    system: str | None
    max_output_tokens: int | None
    temperature: float | None
    cache: bool
    refresh: bool
    timeout_s: float | None
    max_tokens_per_image: int | None
    background: str | Sequence[int] | None
    keep_metadata: bool
    sight_check: bool
    urls: Urls | None
    upload: bool
    extra: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wiring:
    """All that a client decided when it was made."""

    settings: Settings
    chosen: Chosen
    key: Secret
    options: ClientOptions
    outside: Outside
    catalogue: Catalogue
    models: dict[str, Model] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        return self.chosen.engine

    @property
    def allow_hosts(self) -> frozenset[str]:
        """The private hosts from which images may be fetched."""
        return self.settings.allow_hosts | hosts(self.options.get("allow_hosts"))

    def in_flight(self, model: str | None = None) -> int:
        """Say how many requests are worth having in flight now."""
        return self.outside.limits.in_flight(self.model(model).name)

    def asking(
        self, prompt: str, images: tuple[object, ...], options: AskOptions, *, stream: bool = False
    ) -> Asking:
        question = self.question(prompt, images, options)
        dialect = STANDARD if self.engine.is_local else self.outside.recall(self.engine.base_url)
        account = self.account if question.upload else ""
        return Asking(question, self.engine, Retry(), stream, dialect, account)

    @property
    def account(self) -> str:
        """Name whose files there are at the engine."""
        return account_of(self.engine, self.key, self.options)

    def question(self, prompt: str, images: tuple[object, ...], options: AskOptions) -> Question:
        """Check one call's arguments and put the defaults where it gave none."""
        check_names(options, AskOptions)
        for name in ("timeout_s", "max_output_tokens"):
            check_positive(name, options.get(name))
        references = check_references(tuple(parse_references(images)))
        model = self.model(options.get("model"))
        announce_shutdown(model)
        schema, system = options.get("schema"), options.get("system")
        upload, api = (
            options.get("upload", self.options.get("upload", False)),
            self.options.get("api"),
        )
        return Question(
            prompt=readable_text(prompt),
            references=references,
            model=model,
            api=choose_api(api or "auto", model, references, upload=upload),
            look=self.look(model, options),
            schema=None if schema is None else read_schema(schema),
            system=None if system is None else readable_text(system),
            max_output_tokens=options.get("max_output_tokens"),
            temperature=check_temperature(options.get("temperature")),
            cache=options.get("cache", True) and self.outside.cache is not None,
            refresh=self.refresh(options),
            sight_check=options.get("sight_check", True),
            urls=self.urls(options),
            upload=upload,
            timeout_s=options.get("timeout_s") or self.options.get("timeout_s") or TIMEOUT_S,
            extra=check_extra(extra) if (extra := options.get("extra")) else {},
        )

    def urls(self, options: AskOptions) -> Urls:
        """Say who fetches image URLs. Raises SettingsError for a policy that is none."""
        named = options.get("urls") or self.options.get("urls")
        return choose_urls(named or self.settings.urls)

    def refresh(self, options: AskOptions) -> bool:
        """Say whether to ask anew and keep that. Raises SettingsError where nothing may be kept."""
        if options.get("refresh") and not (
            options.get("cache", True) and self.options.get("cache", True)
        ):
            raise SettingsError("refresh", "with the cache off", "either refresh or no cache")
        return options.get("refresh", False)

    def look(self, model: Model, options: AskOptions) -> Look:
        """Say how images are to be looked at under `model`."""
        check_positive("max_tokens_per_image", options.get("max_tokens_per_image"))
        detail = options.get("detail") or self.options.get("detail") or self.settings.detail
        return Look(
            detail=choose_detail(detail, model),
            max_tokens=options.get("max_tokens_per_image"),
            background=parse_colour("--background", options.get("background") or "white"),
            keep_metadata=options.get("keep_metadata", False),
        )

    def model(self, name: str | None) -> Model:
        """
        Give the model of one call: the named one, the client's, the settings', or the default.
        """
        asked = name or self.options.get("model")
        if self.engine.is_local:
            return self.local_model(asked)
        named = asked or self.settings.model or DEFAULT_MODEL
        if named not in self.models:
            if len(self.models) == MODELS_MAX:
                self.models.clear()
            self.models[named] = self.catalogue.find(named)
        return self.models[named]

    def local_model(self, asked: str | None) -> Model:
        """Give the model that is loaded here. Raises SettingsError if another one was asked for."""
        here = self.gguf or READER
        # For want of any engine the reader answers whatever was asked, and says so.
        if asked and asked != here and not self.chosen.is_fallback:
            raise SettingsError("--model", asked, f"{here}, or a .gguf file, on the engine local")
        return local_model(here)

    @property
    def gguf(self) -> str | None:
        """The .gguf file that the options or the settings name."""
        model = self.options.get("model") or self.settings.model
        return model if self.engine.is_local and is_gguf(model) else None

    def transport(self) -> Transport:
        """Make the blocking way to the engine. Raises KeyMissing if it needs a key and has none."""
        given = self.options.get("transport")
        if given is not None:
            return given
        if (client := self.options.get("sdk")) is not None:
            from eyeline.adapters.sdk import transport_over

            return transport_over(client, self.engine.name)
        if self.engine.is_local:
            return self.local_transport()
        self.check_key()
        from eyeline.adapters.http import HttpTransport

        return HttpTransport(self.engine.name, self.engine.base_url, self.key, USER_AGENT)

    def async_transport(self) -> AsyncTransport:
        """Make the awaiting way to the engine. Raises KeyMissing if it needs a key and has none."""
        if (client := self.options.get("sdk")) is not None:
            from eyeline.adapters.sdk import async_transport_over

            return async_transport_over(client, self.engine.name)
        if self.engine.is_local or self.options.get("transport") is not None:
            from eyeline.adapters.threaded import ThreadedTransport

            return ThreadedTransport(self.transport())
        self.check_key()
        from eyeline.adapters.http_async import AiohttpTransport

        return AiohttpTransport(self.engine.name, self.engine.base_url, self.key, USER_AGENT)

    def local_transport(self) -> Transport:
        if self.gguf:
            from eyeline.local.gguf import GgufEngine

            mmproj = self.options.get("mmproj")
            return GgufEngine(Path(self.gguf), Path(mmproj) if mmproj else None)
        from eyeline.local.reader import Reader

        is_chosen = not self.chosen.is_fallback
        return Reader() if is_chosen else Announcing(Reader(), self.options.get("model"))

    def check_key(self) -> None:
        if self.engine.needs_key and not self.key:
            raise KeyMissing(self.engine.name, "OPENAI_API_KEY")


def wire(options: ClientOptions) -> Wiring:
    """
    Decide all that a client needs, from its options and the settings; nothing is connected yet.
    """
    # Taken out first: the options are kept, shown by `repr`, and printed with tracebacks.
    own_key = Secret((options.pop("api_key", None) or "").strip())
    check_options(options)
    settings = read_settings()
    chosen = choose(options, settings, own_key)
    key = own_key or key_for(chosen.engine, settings)
    if not key.is_sendable:
        raise SettingsError("API key", "characters no key has", "printable ASCII, on one line")
    return Wiring(
        settings=settings,
        chosen=chosen,
        key=key,
        options=options,
        outside=Outside(
            loader=(images := Images(settings.allow_hosts | hosts(options.get("allow_hosts")))),
            pixels=images,
            limits=limits(
                options, settings, chosen.engine, account_of(chosen.engine, key, options)
            ),
            cache=(cache := open_cache(options, chosen, settings)),
            files=remember_files(cache),
        ),
        catalogue=catalogue(settings.catalogue),
    )


def account_of(engine: Engine, key: Secret, options: ClientOptions) -> str:
    """Name who asks an engine, by a digest of its address and the key."""
    who = key.reveal()
    if (client := options.get("sdk")) is not None:
        from eyeline.adapters.sdk import identity_of

        who = identity_of(client)
    return digest(f"{engine.base_url}\n{who}".encode())


def check_options(options: ClientOptions) -> None:
    """Refuse options that are misspelt, contradict each other, or are no number above zero."""
    check_names(options, ClientOptions)
    if options.get("engine") and options.get("base_url"):
        raise SettingsError("base_url", str(options["base_url"]), "either engine or base_url")
    if options.get("sdk") is not None:
        for name in ("engine", "base_url", "transport"):
            if options.get(name) is not None:
                raise SettingsError(name, "beside sdk", "nothing, the client has its own")
    for name in ("budget_usd", "timeout_s", "requests_per_min", "tokens_per_min"):
        check_positive(name, options.get(name))


def choose(options: ClientOptions, settings: Settings, own_key: Secret) -> Chosen:
    """Choose the engine: what the options or settings name, else what model and key say."""
    if (client := options.get("sdk")) is not None:
        from eyeline.adapters.sdk import engine_of

        return Chosen(engine_of(client), "the address of the client that was given")
    named = options.get("base_url") or options.get("engine") or settings.engine
    if options.get("transport") is not None:
        named = named or "openai"
    model = options.get("model") or settings.model
    has_key = bool(own_key or settings.openai_key)
    return choose_engine(named, model, settings.openai_base_url, has_key=has_key)


def hosts(given: str | Iterable[str] | None) -> frozenset[str]:
    return frozenset(given.replace(",", " ").split() if isinstance(given, str) else given or ())


def check_names(options: Mapping[str, object], known: type) -> None:
    """Refuse an option that is not in a TypedDict; a misspelt one would be ignored in silence."""
    for name in sorted(options.keys() - known.__annotations__.keys()):
        near = get_close_matches(name, known.__annotations__, n=1)
        ask = f"; did you mean {near[0]!r}?" if near else ""
        raise TypeError(f"unknown option {name!r}{ask}")


def key_for(engine: Engine, settings: Settings) -> Secret:
    """
    Give the key an engine may have: OPENAI_API_KEY never leaves for a host it was not set for.
    """
    return settings.openai_key or settings.key if engine.name == "openai" else settings.key


def open_cache(options: ClientOptions, chosen: Chosen, settings: Settings) -> Cache | None:
    """Give the cache, but for the reader: it is as quick, and costs nothing."""
    is_reader = chosen.engine.is_local and not is_gguf(options.get("model") or settings.model)
    if is_reader or not options.get("cache", True):
        return None
    return answer_cache(settings)


def answer_cache(settings: Settings) -> AnswerCache:
    """Give the cache on disk. Raises SettingsError for a size that is no number above zero."""
    from eyeline.adapters.sqlite import AnswerCache

    check_positive("cache_max_mb", settings.cache_max_mb)
    return AnswerCache(settings.cache_dir / "answers.sqlite3", int(settings.cache_max_mb * 10**6))


def remember_files(cache: Cache | None) -> Files | None:
    if cache is None:
        return None
    from eyeline.adapters.sightings import Sightings

    return Sightings(cache)


def parse_references(images: Iterable[object]) -> Iterator[Reference]:
    """Read each image, and each of a list of images."""
    for image in images:
        if isinstance(image, list | tuple):
            yield from parse_references(image)
        else:
            yield parse_short(image) if type(image) is str else parse_reference(image)


def parse_short(text: str) -> Reference:
    """Read a path or URL, remembering the last ones; no data URL is held on to."""
    return parse_again(text) if len(text) <= SHORT_CHARS else parse_reference(text)


SHORT_CHARS = 300
parse_again = lru_cache(maxsize=4096)(parse_reference)
