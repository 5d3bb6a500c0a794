"""Which engine, model and key a client takes, of what its options and surroundings say."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from traceback import TracebackException
from typing import Any

import pytest
from api_server import ApiServer

from eyeline import Answer, AsyncClient, Client
from eyeline.core.tokens import TileRule
from eyeline.errors import KeyMissing, SettingsError
from eyeline.testing import tiny_png
from eyeline.wiring import hosts, wire

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
        ({"EYELINE_MODEL": "gpt-4o"}, {"engine": "local"}, "local", "reader"),
        ({"EYELINE_MODEL": "m.gguf"}, {}, "local", "m.gguf"),
        ({"EYELINE_MODEL": "m.gguf"}, {"engine": "local"}, "local", "m.gguf"),
        ({}, {"model": "gpt-4o"}, "local", "reader"),
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


def test_the_local_engine_has_its_own_models() -> None:
    """A model that the named local engine does not have is refused, not answered by another."""
    with pytest.raises(SettingsError, match="expected reader, or a"):
        wire({"engine": "local", "model": "gpt-4o"}).model(None)


def shown(error: BaseException) -> str:
    """Give what a traceback that prints locals shows of our own frames, below the test's."""
    assert error.__traceback__ is not None
    below = error.__traceback__.tb_next
    report = TracebackException(type(error), error, below, capture_locals=True)
    return "".join(report.format())


@pytest.mark.parametrize("key", ["sk-кириллица", "sk-two\nlines", "sk-“quoted”"])
@pytest.mark.parametrize("is_option", [False, True])
def test_a_key_that_no_header_can_hold(
    key: str, is_option: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that cannot be sent is refused before any use, and is not shown."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-usable" if is_option else key)
    with pytest.raises(SettingsError) as refused:
        wire({"api_key": key} if is_option else {})
    assert "sk-" not in shown(refused.value)


def test_a_line_end_on_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line end that files leave on a key is not part of it; blanks alone are no key."""
    monkeypatch.setenv("OPENAI_API_KEY", " sk-1\r\n")
    assert wire({}).key.reveal() == "sk-1"
    monkeypatch.setenv("OPENAI_API_KEY", "  ")
    assert wire({}).engine.name == "local"


def test_a_misspelt_option_hides_the_key() -> None:
    """An option that is refused beside a key does not show the key in the traceback."""
    options: Any = {"api_key": "sk-abcdef", "modell": "x"}
    with pytest.raises(TypeError, match="did you mean 'model'") as refused:
        Client(**options)
    assert "sk-abcdef" not in shown(refused.value)


def test_a_missing_config_file_hides_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the config file does not show the environment's keys in the traceback."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-abcdef")
    monkeypatch.setenv("EYELINE_CONFIG", "nowhere.toml")
    with pytest.raises(SettingsError) as refused:
        wire({})
    assert "sk-abcdef" not in shown(refused.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"engine": "openai", "base_url": "http://a/v1"}, "either engine or base_url"),
        ({"budget_usd": "5"}, "budget_usd: '5', expected a number above 0"),
        ({"timeout_s": 0}, "timeout_s: '0', expected a number above 0"),
        ({"requests_per_min": -1}, "requests_per_min"),
        ({"base_url": "http://127.0.0.1:1/v1?api-version=1"}, "an http or https base URL"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], said: str) -> None:
    """Options that contradict each other or are no number are refused before anything is done."""
    with pytest.raises(SettingsError, match=re.escape(said)):
        wire(options)


def test_hosts_as_text() -> None:
    """Hosts may be given as one text, and with a port."""
    assert hosts("127.0.0.1:80, localhost") == {"127.0.0.1:80", "localhost"}
    assert hosts(["localhost"]) == {"localhost"}
    assert hosts(None) == frozenset()


# --- models that are shut down, and a catalogue of the user's own -------------------------------


def test_warns_once_of_a_model_that_goes(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that is shut down is named once a process, when it is first asked."""
    monkeypatch.setenv("OPENAI_API_KEY", OPENAI_KEY)
    wiring = wire({"model": "gpt-4-turbo"})
    assert caplog.messages == []
    for model in ("gpt-4-turbo", None, "gpt-6-luna"):
        wiring.question("?", (PNG,), {"model": model})
    said = "gpt-4-turbo was shut down on 2026-10-23; its successor is gpt-5.6-sol"
    assert caplog.messages == [said]


def test_no_warning_of_what_runs_here(caplog: pytest.LogCaptureFixture) -> None:
    """Where the reader answers in a model's stead, that model is not warned of."""
    wire({}).question("?", (PNG,), {"model": "gpt-4.5-preview"})
    assert caplog.messages == []


def test_a_catalogue_of_ones_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The rules, prices and dates of the user's own file are those that are used."""
    file = tmp_path / "mine.json"
    rule = '{"kind": "tile", "base": 7, "per_tile": 1}'
    file.write_text(
        f'{{"models": [{{"name": "mine", "rule": {rule}, "apis": ["responses"]}}, '
        '{"name": "o1", "status": "active", "shutdown_date": null}]}'
    )
    monkeypatch.setenv("OPENAI_API_KEY", OPENAI_KEY)
    monkeypatch.setenv("EYELINE_CATALOGUE", str(file))
    asked = wire({}).question("?", (PNG,), {"model": "mine"})
    assert (asked.model.rule, asked.api) == (TileRule(7, 1), "responses")
    wire({}).question("?", (PNG,), {"model": "o1"})
    assert caplog.messages == []
