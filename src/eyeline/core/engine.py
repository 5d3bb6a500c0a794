"""Where questions go: an engine's name, its address, and what its server is known to take."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from eyeline.core.media import GIF, JPEG, PNG, WEBP
from eyeline.core.spelling import did_you_mean
from eyeline.errors import SettingsError

OPENAI_URL = "https://api.openai.com/v1"
# The usual ports of local servers. Sources: each project's documentation, November 2026.
LOCAL_SERVERS = {
    "ollama": "http://127.0.0.1:11434/v1",
    "lmstudio": "http://127.0.0.1:1234/v1",
    "llamacpp": "http://127.0.0.1:8080/v1",
    "vllm": "http://127.0.0.1:8000/v1",
}
NAMES = ("openai", *LOCAL_SERVERS, "local")


@dataclass(frozen=True, slots=True)
class Engine:
    """
    One place that answers.

    `media_types` are the image types its server takes, `limit_field` is the name it gives the token
    limit in Chat. `base_url` is empty for the engine in this process.
    """

    name: str
    base_url: str
    media_types: frozenset[str]
    limit_field: Literal["max_completion_tokens", "max_tokens"] = "max_tokens"
    needs_key: bool = False

    @property
    def is_local(self) -> bool:
        return not self.base_url

    def without(self, media_types: Collection[str]) -> Engine:
        """Give the engine as it turned out: one that refuses these types."""
        return replace(self, media_types=self.media_types - {*media_types}) if media_types else self


LOCAL = Engine("local", "", frozenset({JPEG, PNG}))


def openai(base_url: str = OPENAI_URL) -> Engine:
    """The OpenAI API, or what stands in its place at OPENAI_BASE_URL."""
    url = clean_url("OPENAI_BASE_URL", base_url)
    return Engine(
        name="openai",
        base_url=url,
        media_types=frozenset({JPEG, PNG, GIF, WEBP}),
        limit_field="max_completion_tokens",
        needs_key=url == OPENAI_URL,
    )


def compatible(name: str, base_url: str) -> Engine:
    """
    A server that speaks the API. JPEG and PNG are what all of them take; llama.cpp refuses WebP.
    """
    return Engine(name, base_url, frozenset({JPEG, PNG}))


def parse_engine(text: str, openai_base_url: str = OPENAI_URL) -> Engine:
    """
    Read `--engine`: `openai`, a local server's name, a base URL, or `local`. Raises SettingsError.
    """
    name = text.strip().lower()
    if name == "openai":
        return openai(openai_base_url)
    if name == "local":
        return LOCAL
    if name in LOCAL_SERVERS:
        return compatible(name, LOCAL_SERVERS[name])
    if "://" in text:
        url = clean_url("--engine", text)
        return openai() if url == OPENAI_URL else compatible(shown(url), url)
    expected = f"a base URL or one of {', '.join(NAMES)}{did_you_mean(name, NAMES)}"
    raise SettingsError("--engine", text, expected)


def clean_url(name: str, text: str) -> str:
    """Check a base URL and put it in one form: no slash at the end, /v1 where it names no path."""
    url = text.strip().rstrip("/")
    expected = "an http or https base URL, as in http://127.0.0.1:8080/v1"
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        is_usable = is_http and not (parts.query or parts.fragment)
    except ValueError:  # a port or an IPv6 address that is none
        is_usable = False
    if not is_usable:
        raise SettingsError(name, shown(text), expected)
    return url if parts.path else f"{url}/v1"


def shown(url: str) -> str:
    """Give a URL without the user and password it may carry: it becomes a name in every message."""
    return re.sub(r"//[^/?#]*@", "//", url)


@dataclass(frozen=True, slots=True)
class Chosen:
    """An engine, why it was chosen, and whether that was for want of any other."""

    engine: Engine
    why: str
    is_fallback: bool = False


def choose_engine(
    named: str | None, model: str | None, openai_base_url: str | None, *, has_key: bool
) -> Chosen:
    """
    Choose where to send: what is named, else this process for a .gguf model, else OpenAI where a
    key or base URL is set, else the engine in this process.
    """
    openai_url = openai_base_url or OPENAI_URL
    if named:
        return Chosen(parse_engine(named, openai_url), "named")
    if is_gguf(model):
        return Chosen(LOCAL, "the model is a .gguf file")
    if openai_base_url:
        return Chosen(openai(openai_url), "OPENAI_BASE_URL is set")
    if has_key:
        return Chosen(openai(openai_url), "OPENAI_API_KEY is set")
    return Chosen(LOCAL, "no OPENAI_API_KEY and no OPENAI_BASE_URL", is_fallback=True)


def is_gguf(model: str | None) -> bool:
    return model is not None and model.lower().endswith(".gguf")
