"""The command line with no key and no server: the engine in this process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from conftest import EXAMPLES
from tiny_vlm import TinyVlm

from cli.conftest import Cli


def test_the_readmes_first_command() -> None:
    """With no key, the reader answers, and one line on stderr says who did."""
    sign = EXAMPLES / "street-sign.jpg"
    command = [sys.executable, "-m", "eyeline", "ask", "What does the sign say?", str(sign)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, 'The sign reads "EXIT 24" and "Old Harbour".\n')
    note = "No OPENAI_API_KEY: answered by the built-in reader (not a language model).\n"
    assert done.stderr == note


def test_reader_names_itself(cli: Cli) -> None:
    """The reader's answers carry its name and cost nothing."""
    result = cli("ask", "What is the total?", EXAMPLES / "receipt.jpg", "--json")
    answer = json.loads(result.out)
    assert (answer["model"], answer["engine"], answer["cost_usd"]) == ("reader", "local", 0.0)


def test_reader_fills_a_schema(cli: Cli, tmp_path: Path) -> None:
    """With a schema the reader fills what it found and leaves the rest null."""
    schema = tmp_path / "receipt.json"
    properties = {"total": {"type": "number"}, "mood": {"type": "string"}}
    needed = {"type": "object", "properties": properties, "required": ["total", "mood"]}
    schema.write_text(json.dumps(needed))
    result = cli("ask", "Read it.", EXAMPLES / "receipt.jpg", "--schema", schema, "--json")
    parsed = json.loads(result.out)["parsed"]
    assert parsed == {"total": 18.04, "mood": None}


def test_gguf(cli: Cli, tiny_vlm: TinyVlm) -> None:
    """`--engine local -m MODEL.gguf` answers with a real model in this process."""
    arguments = ("--engine", "local", "-m", tiny_vlm.model, "--max-output-tokens", 4, "--no-cache")
    result = cli("ask", "What?", EXAMPLES / "street-sign.jpg", "--json", *arguments)
    assert result.status in (0, 1), result.err
    assert json.loads(result.out)["engine"] == "local"
