"""`eyeline models` and `eyeline doctor`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from api_server import ApiServer, Reply

from cli.conftest import Cli
from eyeline.adapters.probe import probe
from eyeline.testing import tiny_png


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


def test_models_that_go(cli: Cli) -> None:
    """The table says when a model goes, or went, and what follows it; --json does too."""
    table = cli("models", "--all").out
    assert "shut down 2026-10-23, then gpt-5.6-terra" in table
    lines = [json.loads(line) for line in cli("models", "--all", "--json").out.splitlines()]
    gone = next(line for line in lines if line["model"] == "o4-mini")
    assert (gone["shutdown_date"], gone["successor"]) == ("2026-10-23", "gpt-5.6-terra")
    assert gone["batch_input_usd_per_million"] == 0.55
    nameless = next(line for line in lines if line["model"] == "gpt-6.2-astra-law")
    assert nameless["input_usd_per_million"] is None


def test_models_of_ones_own(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Entries from the user's own catalogue are marked, and the file is named."""
    tiles = {"kind": "tile", "base": 1, "per_tile": 2}
    late = {"name": "late", "rule": tiles, "shutdown_date": "2999-01-01"}
    gone = {"name": "gone", "rule": tiles, "status": "shut_down"}
    price = {"name": "gpt-4o", "prices": {"standard": {"input": 3, "output": 12}}}
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"models": [late, gone, price]}))
    monkeypatch.setenv("EYELINE_CATALOGUE", str(file))
    lines = cli("models").out.splitlines()
    assert " ".join(lines[1].split()) == "late * ? ? tiles low high until 2999-01-01"
    assert any(line.startswith("gpt-4o * ") and " 3 " in line for line in lines)
    assert not any(line.startswith(("gone", "gpt-6-luna *")) for line in lines)
    assert lines[-1] == f"* from {file}"
    found = [json.loads(line) for line in cli("models", "--json").out.splitlines()]
    assert [line["model"] for line in found if line["overridden"]] == ["late", "gpt-4o"]


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


def test_doctor_shows_what_was_learned(cli: Cli, api: ApiServer, tmp_path: Path) -> None:
    """What a server refused once is shown, and what it takes; it is asked for its models alone."""
    png = tmp_path / "street.png"
    png.write_bytes(tiny_png())
    refusal = {"error": {"message": "Unknown parameter: 'detail'"}}
    api.script.append(Reply(400, json.dumps(refusal).encode()))
    cli("ask", "What?", png, "--engine", api.url)
    asked = len(api.requests)
    report = json.loads(cli("doctor", "--engine", api.url, "--json").out)
    assert report["learned"] == ["no detail"]
    assert report["server"] == {
        "models": ["gpt-6-luna", "gpt-4o"],
        "is_asked": True,
        "image_types": ["JPEG", "PNG"],
        "image_urls": "fetched here, sent inline",
        "token_limit": "max_tokens",
    }
    assert [each.path for each in api.requests[asked:]] == ["/v1/models"]
    lines = [line.split() for line in cli("doctor", "--engine", api.url).out.splitlines()]
    assert ["server", "answers:", "gpt-6-luna,", "gpt-4o"] in lines
    assert ["learned", "no", "detail", "from", "its", "refusals"] in lines
    hidden = cli("doctor", "--engine", api.url.replace("//", "//ada:pw@"))
    assert "pw" not in hidden.out


def test_doctor_of_openai(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenAI is asked nothing; image URLs are passed to it unless the settings say otherwise."""
    monkeypatch.setenv("EYELINE_NO_PROBE", "1")
    report = json.loads(cli("doctor", "--engine", "openai", "--json").out)["server"]
    assert (report["is_asked"], report["image_urls"]) == (False, "passed on")
    assert report["image_types"] == ["GIF", "JPEG", "PNG", "WebP"]
    monkeypatch.setenv("EYELINE_URLS", "fetch")
    report = json.loads(cli("doctor", "--engine", "openai", "--json").out)["server"]
    assert report["image_urls"] == "fetched here, sent inline"


def test_probe_finds_a_server(vlm_server: str) -> None:
    """A running server is found with its models; a port where nothing listens is None."""
    found = probe({"llamacpp": vlm_server, "nothing": "http://127.0.0.1:9/v1"})
    assert found["llamacpp"]
    assert found["nothing"] is None
