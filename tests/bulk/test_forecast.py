"""What a run will take, told before anything is sent, and asked about where it is much."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer
from click.testing import CliRunner, Result
from conftest import EXAMPLES

from eyeline import Client
from eyeline.bulk.errors import RunDeclined
from eyeline.bulk.forecast import Dollars, Range, forecast
from eyeline.bulk.job import Job
from eyeline.cli import run as cli_run
from eyeline.cli.forecast import dollars, money, words_of
from eyeline.cli.group import commands

NAMES = ("cat.jpg", "receipt.jpg", "chart.png", "document.png")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_bytes((EXAMPLES / name).read_bytes())
    (folder / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    return folder


def test_a_forecast_counts_what_headers_say(photos: Path, tmp_path: Path, api: ApiServer) -> None:
    """Tokens are those of `estimate`; a batch is half; nothing is sent and no run begun."""
    with Client(base_url=api.url, api_key="sk-x", model="gpt-6-luna") as client:
        out = str(tmp_path / "out.csv")
        found = forecast(client.wiring, "What is it?", str(photos), out, {"max_output_tokens": 100})
    assert api.requests == []
    assert not (tmp_path / "out.csv.run").exists()
    assert (found.rows, found.todo, found.images, found.failed) == (5, 5, 4, 1)
    assert found.kinds == {"image_truncated": 1}
    import eyeline

    told = eyeline.estimate(*(photos / name for name in NAMES), model="gpt-6-luna")
    assert found.image_tokens == told.tokens
    assert found.output == Range(20, 100)
    assert found.usd.high is not None
    assert found.batch_usd.high == found.usd.high / 2
    assert found.parts_usd["images"].high == told.apart_cost_usd
    assert sum(usd.high or 0 for usd in found.parts_usd.values()) == found.usd.high
    assert found.low_usd.high is not None
    assert found.low_usd.high < found.usd.high
    assert found.dearest[0].image_tokens >= found.dearest[-1].image_tokens
    assert json.loads(json.dumps(found.to_json()))["usd"][1] == pytest.approx(float(found.usd.high))


def test_what_is_answered_is_not_forecast_again(
    photos: Path, tmp_path: Path, api: ApiServer
) -> None:
    """Of a run that is there only the rest counts, and its answers tell how long others will be."""
    out = str(tmp_path / "out.csv")
    (photos / "bad.jpg").unlink()
    options: Any = {"sight_check": False}
    with Client(base_url=api.url, api_key="sk-x", model="gpt-6-luna") as client:
        client.run("What is it?", str(photos), out, **options)
        found = forecast(client.wiring, "What is it?", str(photos), out, options)
        assert (found.rows, found.done, found.todo, found.image_tokens) == (4, 4, 0, 0)
        assert found.output == Range(16, 25)
        anew = forecast(client.wiring, "What is it?", str(photos), out, {"new": True, **options})
        assert anew.todo == 4


def test_words_say_where_the_money_goes(photos: Path) -> None:
    """Parts with their share, the sum, what would be cheaper, what will fail."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "number"}}}
    with Client(engine="openai", api_key="sk-x", model="gpt-6-luna") as client:
        text = words_of(
            forecast(client.wiring, "What is it?", str(photos), None, {"schema": schema})
        )
        low = words_of(forecast(client.wiring, "Q", str(photos), None, {"detail": "low"}))
    assert text.startswith("5 rows · 1 cannot be read · gpt-6-luna at detail high\n")
    assert "\nimages " in text
    assert "\ntotal " in text
    assert "with --batch " in text
    assert "saves 50%" in text
    assert "with --detail low" in text
    assert "with --detail low" not in low
    assert "Rows that will fail:\n  " in text
    assert "bad.jpg" in text
    assert text.isprintable() or "\n" in text


def test_dollars_are_never_rounded_to_nothing() -> None:
    """Two figures that count, cents from a dollar on; unknown prices are said."""
    assert [dollars(Decimal(text)) for text in ("0", "0.000294", "0.5", "3.414", "1234")] == [
        "$0", "$0.00029", "$0.50", "$3.41", "$1,234.00",
    ]  # fmt: skip
    assert money(Dollars(None, None)) == "price unknown"
    assert money(Dollars(Decimal("0.1"), Decimal("0.2"))) == "$0.10 to $0.20"


Invoke = Callable[..., Result]


@pytest.fixture
def invoke(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    monkeypatch.setenv("OPENAI_BASE_URL", api.url)

    def run(*arguments: str, **more: Any) -> Result:
        return CliRunner().invoke(commands, ["run", *arguments], standalone_mode=False, **more)

    return run


def test_the_command_prints_a_forecast(photos: Path, invoke: Invoke, api: ApiServer) -> None:
    """It goes to stdout, as words or JSON; the status says whether rows will fail."""
    shown = invoke("What?", str(photos), "--dry-run")
    assert (shown.return_value, shown.stdout.split("·")[0]) == (1, "5 rows ")
    as_json = invoke("What?", str(photos / "*.png"), "--dry-run", "--json")
    assert (as_json.return_value, json.loads(as_json.stdout)["rows"]) == (0, 2)
    assert invoke("What?", str(photos / "bad.jpg"), "--dry-run").return_value == 2
    assert api.requests == []


def test_a_dear_run_asks_first(
    photos: Path, tmp_path: Path, invoke: Invoke, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal it says about how much, and without a yes nothing is sent; --yes goes on."""
    monkeypatch.setattr(cli_run, "is_asked", lambda: True)
    monkeypatch.setattr(cli_run, "ROWS_LOOKED_AT", 2)
    monkeypatch.setattr(cli_run, "ASKED_ABOVE_USD", Decimal("0.0001"))
    arguments = ["What?", str(photos), "-o", str(tmp_path / "a.csv"), "--no-sight-check"]
    declined = invoke(*arguments, input="n\n")
    assert isinstance(declined.exception, RunDeclined)
    assert "5 rows to do, about $0.00" in declined.stderr
    assert api.requests == []
    assert invoke(*arguments, input="y\n").return_value == 1
    assert len(api.requests) == 4
    cheap = ["What?", str(photos / "*.png"), "-o", str(tmp_path / "b.csv"), "--no-sight-check"]
    assert invoke(*cheap, "--yes").return_value == 0
    monkeypatch.setattr(cli_run, "ASKED_ABOVE_USD", 1)
    assert invoke(*cheap, "--new").return_value == 0


def test_a_large_run_is_guessed_from_its_first_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first rows tell the dollars of all, by the shards there are."""
    monkeypatch.setattr("eyeline.bulk.sources.lines.SHARD_ROWS", 10)
    path = EXAMPLES / "cat.jpg"
    (tmp_path / "list.txt").write_text(f"{path}\n" * 100)
    with Client(engine="openai", api_key="sk-x", model="gpt-6-luna") as client:
        from eyeline.bulk.forecast import forecast_of
        from eyeline.bulk.job import opened

        def seen(job: Job) -> tuple[int, Decimal | None]:
            found = forecast_of(job, rows_max=5)
            assert found.rows_total is not None
            return found.rows_total, found.scaled_usd().high

        text, out = str(tmp_path / "list.txt"), str(tmp_path / "o.csv")
        whole = forecast(client.wiring, "Q", text, None, {})
        with opened("Q", text, out, client.wiring, {}) as job:
            assert seen(job) == (100, whole.usd.high)
