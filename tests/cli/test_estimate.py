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


def test_prices_of_a_batch(cli: Cli, photo: Path) -> None:
    """`--batch` gives the Batch API's dollars, and none for a model without such a price."""
    models = ("-m", "gpt-6-luna", "-m", "gpt-5.3-codex")
    lines = cli("estimate", photo, *models, "--batch", "--json").out.splitlines()
    first, second = map(json.loads, lines)
    assert list(first) == FIELDS
    assert first["cost_usd"] == pytest.approx(0.0001471)
    assert second["cost_usd"] is None
    table = cli("estimate", photo, *models, "--batch").out
    assert "$0.00015" in table
    assert "price unknown" in table


def test_a_folder(cli: Cli, photo: Path) -> None:
    """A folder stands for the images in it, in order; a bad one among them is named."""
    (photo.parent / "more").mkdir()
    photo.rename(photo.parent / "more" / "b.jpg")
    Image.new("RGB", (64, 64)).save(photo.parent / "a.png")
    result = cli("estimate", photo.parent, "-m", "gpt-6-luna", "--json")
    sources = [json.loads(line)["source"] for line in result.out.splitlines()]
    assert sources == [f"{photo.parent}/a.png", f"{photo.parent}/more/b.jpg"]
    (photo.parent / "bad.jpg").write_bytes(b"no image")
    result = cli("estimate", photo.parent, "-m", "gpt-6-luna")
    assert result.status == 1
    assert f"error: {photo.parent}/bad.jpg" in result.err
    assert "total" in result.out


def test_an_empty_folder(cli: Cli, tmp_path: Path) -> None:
    """A folder without images cannot be estimated, and says so."""
    (tmp_path / "empty").mkdir()
    result = cli("estimate", tmp_path / "empty")
    assert result.status == 2
    assert "empty: a folder without images" in result.err


def test_many_images_have_one_line(cli: Cli, photo: Path, tmp_path: Path) -> None:
    """Of more than five images, `original` is summed up for each model where it differs much."""
    small = tmp_path / "small.png"
    Image.new("RGB", (64, 64)).save(small)
    models = ("-m", "gpt-6-luna", "-m", "gpt-4o", "-m", "gpt-5.4")
    out = cli("estimate", *[photo] * 6, *models).out
    assert (
        "At the provider's own default (detail original) gpt-6-luna would bill 86,184 tokens, "
        "not 17,652, for them all." in out
    )
    assert "At original gpt-5.4 would bill 71,208 tokens, not 17,652, for them all." in out
    assert out.count("would bill") == 2
    assert "for 5 of the 6" in cli("estimate", *[photo] * 5, small, "-m", "gpt-6-luna").out
    assert cli("estimate", *[photo] * 5, "-m", "gpt-6-luna").out.count("would bill 14,364") == 5
    assert "would bill" not in cli("estimate", *[small] * 6, "-m", "gpt-6-luna").out


def test_a_long_question(cli: Cli, photo: Path) -> None:
    """Where all in one question are billed at the long rate, what they cost apart is told."""
    out = cli("estimate", *[photo] * 93, "-m", "gpt-5.4", "-m", "gpt-4o").out
    assert "$1.37" in out
    assert (
        "The total is that of one question, at the long-context rate of gpt-5.4; "
        "one by one the images cost $0.68402." in out
    )
    assert out.count("one by one") == 1


def test_what_costs_next_to_nothing(cli: Cli, tmp_path: Path) -> None:
    """Dollars that five places do not show are told as less than what they do, never as none."""
    Image.new("RGB", (64, 64)).save(tmp_path / "dot.png")
    out = cli("estimate", tmp_path / "dot.png", "-m", "gpt-6-luna").out
    assert "<$0.00001" in out


def test_a_model_that_goes(cli: Cli, photo: Path) -> None:
    """A model that is shut down is named on stderr with its date and successor, and no other is."""
    for more in ((), ("--json",)):
        result = cli("estimate", photo, "-m", "o4-mini", "-m", "gpt-6-luna", *more)
        said = "warning: o4-mini was shut down on 2026-10-23; its successor is gpt-5.6-terra\n"
        assert (result.status, result.err) == (0, said)


def test_prices_of_ones_own(
    cli: Cli, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A catalogue of the user's own gives the prices, and a bad one is an error."""
    own = tmp_path / "mine.json"
    own.write_text(
        '{"models": [{"name": "gpt-6-luna", "prices": {"standard": {"input": 10, "output": 20}}}]}'
    )
    monkeypatch.setenv("EYELINE_CATALOGUE", str(own))
    line = json.loads(cli("estimate", photo, "-m", "gpt-6-luna", "--json").out)
    assert line["cost_usd"] == pytest.approx(0.02942)
    own.write_text('{"models": [{"name": "gpt-6-luna", "status": 1}]}')
    result = cli("estimate", photo)
    assert result.status == 2
    assert f"error: {own}: gpt-6-luna: status: '1', expected one of active" in result.err
