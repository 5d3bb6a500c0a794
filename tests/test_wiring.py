"""Which engine, model and key a client takes, of what its options and surroundings say."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api_server import ApiServer

from eyeline import Answer, AsyncClient, Client
from eyeline.errors import KeyMissing, SettingsError
from eyeline.testing import tiny_png
from eyeline.wiring import wire

PNG = tiny_png(8, 6)
OPENAI_KEY, OWN_KEY, GIVEN_KEY = "sk-openai-111111", "k-eyeline-222222", "k-given-333333"

# The environment and the options; then engine, model and key as they arrive. {api} is the server.
CHOICES: dict[str, tuple[dict[str, str], dict[str, Any], tuple[str, str, str | None]]] = {
    "OPENAI_BASE_URL, no key": (
        {"OPENAI_BASE_URL": "{api}"},
        {},
        ("openai", "gpt-6-luna", None),
    ),
    "OPENAI_BASE_URL with its key": (
        {"OPENAI_BASE_URL": "{api}", "OPENAI_API_KEY": OPENAI_KEY, "EYELINE_API_KEY": OWN_KEY},
        {},
        ("openai", "gpt-6-luna", OPENAI_KEY),
    ),
    "OPENAI_BASE_URL with our key": (
        {"OPENAI_BASE_URL": "{api}", "EYELINE_API_KEY": OWN_KEY},
        {"engine": "openai"},
        ("openai", "gpt-6-luna", OWN_KEY),
    ),
    "a base URL never gets OpenAI's key": (
        {"OPENAI_API_KEY": OPENAI_KEY},
        {"base_url": "{api}"},
        ("{api}", "gpt-6-luna", None),
    ),
    "a base URL as engine never gets OpenAI's key": (
        {"OPENAI_API_KEY": OPENAI_KEY, "EYELINE_ENGINE": "{api}"},
        {},
        ("{api}", "gpt-6-luna", None),
    ),
    "a base URL gets our key": (
        {"OPENAI_API_KEY": OPENAI_KEY, "EYELINE_API_KEY": OWN_KEY},
        {"engine": "{api}"},
        ("{api}", "gpt-6-luna", OWN_KEY),
    ),
    "the given key wins": (
        {"OPENAI_API_KEY": OPENAI_KEY, "EYELINE_API_KEY": OWN_KEY},
        {"base_url": "{api}", "api_key": GIVEN_KEY},
        ("{api}", "gpt-6-luna", GIVEN_KEY),
    ),
    "an option beats the environment": (
        {"EYELINE_ENGINE": "http://127.0.0.1:9/v1", "EYELINE_MODEL": "gpt-4o"},
        {"engine": "{api}", "model": "gpt-4.1"},
        ("{api}", "gpt-4.1", None),
    ),
    "the model of the environment": (
        {"EYELINE_MODEL": "qwen3-vl"},
        {"base_url": "{api}"},
        ("{api}", "qwen3-vl", None),
    ),
    "a base URL without a path": (
        {},
        {"base_url": "{origin}/"},
        ("{api}", "gpt-6-luna", None),
    ),
}


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("is_async", [False, True], ids=["Client", "AsyncClient"])
def test_chooses_engine_model_and_key(
    name: str, is_async: bool, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flags beat the environment, and a key leaves only for the engine it was set for."""

    def filled(text: str) -> str:
        return text.format(api=api.url, origin=api.origin)

    environment, options, (engine, model, key) = CHOICES[name]
    for variable, value in environment.items():
        monkeypatch.setenv(variable, filled(value))
    given = {option: filled(value) for option, value in options.items()}
    if is_async:
        answer = asyncio.run(ask_once(given))
    else:
        with Client(**given) as asked:
            answer = asked.ask("What is it?", PNG)
    assert (answer.engine, answer.model) == (filled(engine), model)
    (sent,) = api.requests
    assert sent.path == "/v1/chat/completions"
    assert sent.headers.get("authorization") == (f"Bearer {key}" if key else None)


async def ask_once(options: dict[str, Any]) -> Answer:
    async with AsyncClient(**options) as asked:
        return await asked.ask("What is it?", PNG)


@pytest.mark.parametrize(
    ("environment", "options", "engine", "model"),
    [
        ({}, {}, "local", "reader"),
        ({"EYELINE_API_KEY": OWN_KEY}, {}, "local", "reader"),
        ({"OPENAI_API_KEY": OPENAI_KEY}, {}, "openai", "gpt-6-luna"),
        ({}, {"api_key": GIVEN_KEY}, "openai", "gpt-6-luna"),
        ({"OPENAI_API_KEY": OPENAI_KEY}, {"engine": "local"}, "local", "reader"),
        ({"OPENAI_API_KEY": OPENAI_KEY}, {"engine": "local", "model": "gpt-4o"}, "local", "reader"),
        ({"OPENAI_API_KEY": OPENAI_KEY}, {"engine": "ollama"}, "ollama", "gpt-6-luna"),
        ({"OPENAI_API_KEY": OPENAI_KEY}, {"model": "m.gguf"}, "local", "m.gguf"),
        ({"OPENAI_API_KEY": OPENAI_KEY}, {"engine": " OpenAI "}, "openai", "gpt-6-luna"),
    ],
)
def test_chooses_without_asking(
    environment: dict[str, str], options: dict[str, Any], engine: str, model: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Without a key or base URL it is this process that answers; else what is named or set."""
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    wiring = wire(options)
    assert (wiring.engine.name, wiring.model(None).name) == (engine, model)


def test_openai_needs_a_key() -> None:
    """OpenAI itself is not asked without a key, by either client."""
    for kind in (Client, AsyncClient):
        with pytest.raises(KeyMissing, match="OPENAI_API_KEY"):
            kind(engine="openai")


def test_names_the_nearest_engine() -> None:
    """A misspelt engine is told with the nearest name."""
    with pytest.raises(SettingsError, match="did you mean ollama"):
        Client(engine="olama")
