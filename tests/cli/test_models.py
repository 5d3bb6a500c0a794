"""`eyeline models` and `eyeline doctor`."""

from __future__ import annotations

import json

import pytest

from cli.conftest import Cli
from eyeline.adapters.probe import probe


def test_models(cli: Cli) -> None:
    """The table names each living model with its prices; --all adds those shut down."""
    living = cli("models").out
    assert "gpt-6-luna" in living
    assert "o4-mini" not in living
    assert "o4-mini" in cli("models", "--all").out


def test_models_json(cli: Cli) -> None:
    """`--json` gives one object for each model."""
    lines = [json.loads(line) for line in cli("models", "--json").out.splitlines()]
    luna = next(line for line in lines if line["model"] == "gpt-6-luna")
    assert (luna["input_usd_per_million"], luna["output_usd_per_million"]) == (0.1, 0.5)


def test_doctor_without_key(cli: Cli) -> None:
    """Without a key the engine is the one in this process, and doctor says why."""
    report = json.loads(cli("doctor", "--json").out)
    assert (report["engine"], report["openai_api_key"]) == ("local", "not set")
    assert "OPENAI_API_KEY" in report["why"]
    assert report["parts"]["pillow"]


def test_doctor_with_key(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a key the engine is OpenAI, and the key itself is shown nowhere."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-12345678")
    result = cli("doctor")
    assert "https://api.openai.com/v1" in result.out
    assert "secret" not in result.out + result.err


def test_doctor_engine(cli: Cli) -> None:
    """`--engine` judges the named engine."""
    assert json.loads(cli("doctor", "--engine", "ollama", "--json").out)["engine"] == "ollama"


def test_probe_finds_a_server(vlm_server: str) -> None:
    """A running server is found with its models; a port where nothing listens is None."""
    found = probe({"llamacpp": vlm_server, "nothing": "http://127.0.0.1:9/v1"})
    assert found["llamacpp"]
    assert found["nothing"] is None
