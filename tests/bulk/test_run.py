"""Runs, from a folder to a table, against a server on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer, Recorded, Reply, chat_completion, error, whole

import eyeline
from eyeline.bulk.result import failed_rows, status_of
from eyeline.bulk.run_errors import NoSuchRun, RunBusy, RunDiffers
from eyeline.bulk.stops import is_for_all, is_hung
from eyeline.errors import (
    AuthenticationFailed,
    BudgetExceeded,
    ConnectionFailed,
    SettingsError,
    TimedOut,
)
from eyeline.testing import tiny_png

COUNT = 12
Run = Callable[..., eyeline.RunResult]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Give a folder of twelve pictures, no two alike."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for at in range(COUNT):
        (folder / f"{at:02d}.png").write_bytes(tiny_png(8 + at, 8))
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def run(api: ApiServer, photos: Path, out: Path) -> Run:
    """Ask what is there of every picture."""

    def call(prompt: str = "What?", **options: Any) -> eyeline.RunResult:
        options = {"base_url": api.url, "sight_check": False, **options}
        return eyeline.run(prompt, photos, options.pop("out", out), **options)

    return call


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_row_for_every_image(run: Run, api: ApiServer, out: Path) -> None:
    """Each image is sent once, and has its row, in order, with what it took."""
    result = run()
    assert (result.done, result.failed, result.exit_code) == (COUNT, 0, 0)
    assert len(api.requests) == COUNT
    found = rows(out)
    assert [row["key"] for row in found] == [f"{at:02d}.png" for at in range(COUNT)]
    assert {row["status"] for row in found} == {"done"}
    assert {row["text"] for row in found} == {"A sign."}
    assert {row["attempts"] for row in found} == {1}
    assert sum(row["cost_usd"] for row in found) == pytest.approx(float(result.spent_usd))
    assert [row["key"] for row in result] == [row["key"] for row in found]


def test_the_same_again_sends_nothing(run: Run, api: ApiServer, out: Path) -> None:
    """A finished run stays as it is, and its output is made again only where it is gone."""
    run()
    before = out.read_bytes()
    out.unlink()
    again = run()
    assert (again.done, len(api.requests)) == (COUNT, COUNT)
    assert out.read_bytes() == before


def test_a_bad_image_is_a_failed_row(run: Run, photos: Path, out: Path, api: ApiServer) -> None:
    """What is no image becomes a row with its error; the others are done."""
    (photos / "03.png").write_bytes(b"no picture")
    result = run()
    assert (result.done, result.failed, result.exit_code) == (COUNT - 1, 1, 1)
    bad = rows(out)[3]
    assert (bad["status"], bad["error_kind"], bad["attempts"]) == ("failed", "not_an_image", 0)
    assert "03.png" in bad["error"]
    assert [row["key"] for row in failed_rows(str(out))] == ["03.png"]
    assert len(api.requests) == COUNT - 1


def test_failed_rows_are_asked_again(run: Run, photos: Path, out: Path, api: ApiServer) -> None:
    """`retry_failed` asks only what failed, and puts it in its place."""
    picture = (photos / "03.png").read_bytes()
    (photos / "03.png").write_bytes(b"no picture")
    run()
    (photos / "03.png").write_bytes(picture)
    assert run().failed == 1
    result = run(retry_failed=True)
    assert (result.done, result.failed) == (COUNT, 0)
    assert len(api.requests) == COUNT
    assert [row["key"] for row in rows(out)] == [f"{at:02d}.png" for at in range(COUNT)]
    assert rows(out)[3]["status"] == "done"


@pytest.mark.parametrize("cache", [True, False])
def test_the_same_image_is_sent_once(
    run: Run, photos: Path, out: Path, api: ApiServer, cache: bool
) -> None:
    """The same picture in many rows is paid once and fills them all, with the cache or without."""
    for at in range(1, 6):
        (photos / f"{at:02d}.png").write_bytes((photos / "00.png").read_bytes())
    result = run(cache=cache)
    assert (result.done, result.cached) == (COUNT, 5)
    assert len(api.requests) == COUNT - 5
    assert [row["text"] for row in rows(out)] == ["A sign."] * COUNT


def test_another_question_is_refused(run: Run, out: Path, api: ApiServer) -> None:
    """A run of that name with another prompt, model or schema is not touched, and told apart."""
    run()
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    for change in ({"prompt": "Why?"}, {"model": "gpt-4o"}, {"schema": schema}, {"limit": 3}):
        with pytest.raises(RunDiffers) as refused:
            run(**change)
        (name,) = change
        assert f"{name}: " in str(refused.value)
    assert len(api.requests) == COUNT
    assert run("Why?", new=True).done == COUNT
    assert len(api.requests) == 2 * COUNT


def test_schema_fields_are_columns(run: Run, api: ApiServer, tmp_path: Path) -> None:
    """The schema's fields stand in columns of their own types; Parquet tells of the run."""
    from pyarrow import parquet

    api.text = '{"wheels": 4, "colour": "red"}'
    schema = {
        "type": "object",
        "properties": {"wheels": {"type": "integer"}, "colour": {"type": "string"}},
        "required": ["wheels", "colour"],
    }
    run(schema=schema, out=tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.column("wheels").to_pylist() == [4] * COUNT
    assert str(table.schema.field("wheels").type) == "int64"
    assert json.loads(table.schema.metadata[b"eyeline"])["fixed"]["prompt"] == "What?"


def test_a_folder_of_parts(run: Run, tmp_path: Path) -> None:
    """With a folder as output the answers stay in their parts."""
    result = run(out=f"{tmp_path}/answers/")
    assert [path.name for path in (tmp_path / "answers").iterdir()] == ["part-000000.parquet"]
    assert len(list(result)) == COUNT
    assert run(out=f"{tmp_path}/answers/").done == COUNT


def test_what_passes_is_waited_out(run: Run, api: ApiServer, out: Path) -> None:
    """429s, 500s and lost connections cost attempts, no rows."""
    api.script.extend([
        error(429, "slow down", **{"retry-after-ms": "1"}), Reply(drop=True), error(500, "oops"),
    ])  # fmt: skip
    result = run()
    assert result.done == COUNT
    assert sum(row["attempts"] for row in rows(out)) == COUNT + 3


def test_a_wrong_key_ends_the_run(run: Run, api: ApiServer, out: Path) -> None:
    """What would fail every row alike fails none: the run ends, and goes on once it is mended."""
    api.script.extend([error(401, "bad key", "invalid_api_key")] * COUNT)
    with pytest.raises(AuthenticationFailed):
        run()
    assert not out.exists()
    api.script.clear()
    assert run().done == COUNT


def test_the_budget_ends_the_run(run: Run, api: ApiServer, out: Path) -> None:
    """No request goes out that could pass the budget; with a larger one the run goes on."""
    options = {"max_output_tokens": 1000, "model": "gpt-6-luna"}
    result = run(budget_usd=0.001, **options)
    sent = len(api.requests)
    assert isinstance(result.stopped_by, BudgetExceeded)
    assert (result.exit_code, result.done, 0 < sent < COUNT) == (1, sent, True)
    assert float(result.spent_usd) <= 0.001
    assert status_of(str(out)).done == sent
    whole_run = run(budget_usd=1, **options)
    assert (whole_run.done, len(api.requests)) == (COUNT, COUNT)
    assert [row["status"] for row in rows(out)] == ["done"] * COUNT


def test_failures_end_the_run(run: Run, photos: Path, out: Path) -> None:
    """`fail_fast` ends at the first failure, `max_failures` after more than so many."""
    for at in range(6):
        (photos / f"{at:02d}.png").write_bytes(b"no picture")
    result = run(fail_fast=True, rows_in_flight=1)
    assert (result.failed, result.exit_code, out.exists()) == (1, 1, False)
    assert run(max_failures=2, rows_in_flight=1).failed == 1 + 3
    assert run().failed == 6


def test_only_one_process_at_a_time(run: Run, api: ApiServer, out: Path) -> None:
    """A run that is at work is not begun a second time."""

    def second(request: Recorded) -> Reply:
        with pytest.raises(RunBusy):
            run()
        return whole(chat_completion("A sign."))

    api.script.append(second)
    assert run().done == COUNT


def test_a_chosen_few(run: Run, api: ApiServer) -> None:
    """`limit` takes the first rows."""
    assert run(limit=5).done == 5
    assert len(api.requests) == 5


def test_wrong_options(run: Run, api: ApiServer, out: Path) -> None:
    """What makes no sense is told before anything is made or sent."""
    with pytest.raises(SettingsError, match="resend or skip"):
        run(in_doubt="maybe")
    with pytest.raises(SettingsError, match="refresh"):
        run(refresh=True)
    with pytest.raises(SettingsError, match="a list of column names"):
        run(keep="name")
    with pytest.raises(TypeError, match="did you mean 'limit'"):
        run(limits=5)
    with pytest.raises(SettingsError, match=r"out\.xlsx"):
        run(out=out.with_suffix(".xlsx"))
    with pytest.raises(NoSuchRun):
        status_of(str(out))
    assert not api.requests


def test_from_an_event_loop(api: ApiServer, photos: Path, out: Path) -> None:
    """`AsyncClient.run` awaits; `Client.run` works beside a loop that runs already."""

    async def both() -> tuple[int, int]:
        async with eyeline.AsyncClient(base_url=api.url) as client:
            first = await client.run("What?", photos, out, sight_check=False)
        with eyeline.Client(base_url=api.url) as blocking:
            again = blocking.run("What?", photos, out.with_suffix(".csv"), sight_check=False)
        return first.done, again.cached

    assert asyncio.run(both()) == (COUNT, COUNT)
    assert len(api.requests) == COUNT


def test_keys_are_the_same_after_an_interruption(run: Run, api: ApiServer, out: Path) -> None:
    """A run that ended in the middle of a shard takes what was answered from its ledger."""
    api.script.extend([whole(chat_completion("A sign."))] * 5)
    api.script.append(error(401, "bad key", "invalid_api_key"))
    with pytest.raises(AuthenticationFailed):
        run(rows_in_flight=1, cache=False)
    assert status_of(str(out)).done == 5
    assert run(cache=False).done == COUNT
    assert len(api.requests) == COUNT + 1


@pytest.fixture(autouse=True)
def _local_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("EYELINE_NO_PROBE", "1")
    return


def test_what_is_there_is_not_replaced(run: Run, api: ApiServer, out: Path) -> None:
    """A file that no run made stays as it is, unless --new says otherwise."""
    out.write_text("dear\n")
    with pytest.raises(SettingsError, match="--new, which replaces"):
        run()
    assert out.read_text() == "dear\n"
    assert not api.requests
    assert run(new=True).done == COUNT


def test_other_tables_of_a_folder_stay(run: Run, tmp_path: Path) -> None:
    """A folder that holds other tables may be the output; they are none of the run's business."""
    folder = tmp_path / "answers"
    folder.mkdir()
    (folder / "dear.parquet").write_bytes(b"dear")
    for new in (False, True):
        assert run(out=folder, new=new).done == COUNT
        assert (folder / "dear.parquet").read_bytes() == b"dear"
    (tmp_path / "answers.run" / "plan.json").unlink()
    with pytest.raises(SettingsError, match="a name that nothing has yet"):
        run(out=folder)


@pytest.mark.parametrize(
    ("error", "answered_s", "ends"),
    [
        (ConnectionFailed("here", "refused"), None, True),
        (ConnectionFailed("here", "refused"), 90.0, False),
        (ConnectionFailed("here", "refused"), -400.0, True),
        (SettingsError("a", "b", "c"), 90.0, True),
        (TimedOut("here", 600), -400.0, False),
    ],
)
def test_what_ends_a_run(error: Exception, answered_s: float | None, ends: bool) -> None:
    """A row that cannot get through fails, unless nobody does any more."""
    assert (is_for_all(error, answered_s, 100.0) is not None) == ends


def test_a_hung_server_ends_the_run() -> None:
    """Where for minutes nothing came back, one row that timed out is enough."""
    assert is_hung(TimedOut("here", 600), -400.0, 100.0)
    assert not is_hung(TimedOut("here", 1), 99.0, 100.0)
    assert not is_hung(ConnectionFailed("here", "refused"), -400.0, 100.0)
