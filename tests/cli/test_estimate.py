"""`eyeline estimate`: tokens and dollars from headers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from cli.conftest import Cli

FIELDS = [
    "source", "model", "detail", "width_px", "height_px", "sent_width_px", "sent_height_px",
    "tokens", "cost_usd",
]  # fmt: skip


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "street.jpg"
    Image.new("RGB", (4032, 3024)).save(path)
    return path


def test_json_lines(cli: Cli, photo: Path) -> None:
    """
    `--json` gives one line for each image and model, with the fields of the contract in order.
    """
    result = cli("estimate", photo, "-m", "gpt-6-luna", "-m", "gpt-4o", "--json")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [list(line) for line in lines] == [FIELDS, FIELDS]
    assert [(line["model"], line["tokens"]) for line in lines] == [
        ("gpt-6-luna", 2942),
        ("gpt-4o", 765),
    ]
    assert lines[0]["cost_usd"] == pytest.approx(0.0002942)
    assert (lines[1]["sent_width_px"], lines[1]["sent_height_px"]) == (1024, 768)


def test_table(cli: Cli, photo: Path) -> None:
    """The table shows each model's tokens and dollars, a total, and the provider's dear default."""
    result = cli("estimate", photo, photo, "-m", "gpt-6-luna", "-m", "gpt-4o")
    assert result.status == 0
    for words in ("gpt-6-luna", "2,942 tok", "$0.00029", "765 tok", "$0.00191", "total", "5,884"):
        assert words in result.out
    assert "detail original) gpt-6-luna would bill 14,364 tokens" in result.out


def test_unknown_model(cli: Cli, photo: Path) -> None:
    """
    A model outside the catalogue is measured by a safe rule, said to be a guess, with no price.
    """
    result = cli("estimate", photo, "-m", "my-vlm")
    assert "price unknown" in result.out
    assert "not in the catalogue" in result.out


def test_some_bad(cli: Cli, photo: Path, tmp_path: Path) -> None:
    """
    A bad image is named; the others are estimated, and the status is 1; with none left it is 2.
    """
    missing = tmp_path / "streat.jpg"
    result = cli("estimate", photo, missing)
    assert result.status == 1
    assert "765 tok" in result.out
    assert f"error: {missing}: no such file" in result.err
    assert cli("estimate", missing).status == 2


def test_detail_the_model_lacks(cli: Cli, photo: Path) -> None:
    """A detail that a model does not have is refused with those it has."""
    result = cli("estimate", photo, "-m", "gpt-4o", "--detail", "original")
    assert result.status == 2
    assert "one of low, high, auto for gpt-4o" in result.err
