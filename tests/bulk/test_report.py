"""The report of a run: what is written, that nothing breaks out of it, how a browser shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from api_server import ApiServer, Reply
from browser import DESKTOP, PHONE, tab
from conftest import EXAMPLES

from eyeline import Client
from eyeline.bulk.columns import Columns, columns_of
from eyeline.bulk.report import write
from eyeline.bulk.report.thumbnails import Thumbnails
from eyeline.bulk.report.write import Choice, Facts, Seen, write_report
from eyeline.bulk.rows import Row
from eyeline.core.schema import read_schema
from eyeline.drivers import Driver
from eyeline.errors import SettingsError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

GATEWAY_CSS = Path(write.__file__).parents[2] / "gateway" / "page" / "page.css"
EVIL = "</script><script>window.broken=1</script><img src=x onerror=window.broken=2>\u2028<!--"
SCHEMA = read_schema({
    "type": "object",
    "properties": {
        "damage": {"enum": ["dent", "scratch", "none"]},
        "severity": {"type": "number"},
        "is_safe": {"type": "boolean"},
        "boxes": {"type": "array", "items": {"type": "integer"}},
    },
})  # fmt: skip
FACTS = Facts(
    title=f"out {EVIL}", prompt=f"What is broken? {EVIL}", model="gpt-6-luna", source="photos/",
    rows=3, done=2, failed=1, spent_usd="0.41", budget_usd="5", in_doubt_usd="0.002", wall_s=372.0,
    notes=("detail high", EVIL),
)  # fmt: skip


@pytest.fixture
def columns() -> Columns:
    return columns_of(SCHEMA, pa.schema([("region", pa.string())]), ["region"])


def records(columns: Columns, count: int) -> Iterator[Seen]:
    """Give rows of every kind; each seventh failed, each fifth cached."""
    jpeg = (EXAMPLES / "cat.jpg").read_bytes()
    for number in range(count):
        failed, cached = number % 7 == 6, number % 5 == 4
        parsed = {
            "damage": ["dent", "scratch", "none"][number % 3], "severity": number / count,
            "is_safe": number % 4 > 0, "boxes": [number],
        }  # fmt: skip
        result = {
            "key": str(number), "source": f"photos/{number:05d}.jpg {EVIL if number == 1 else ''}",
            "status": "failed" if failed else "done", "text": None if failed else EVIL,
            "parsed": None if failed else parsed, "values": {"region": EVIL},
            "error": f"boom {EVIL}" if failed else None,
            "error_kind": "model_refused" if failed else None, "model": "gpt-6-luna",
            "cost_usd": Decimal(0) if cached else Decimal("0.0003"), "cached": cached,
            "latency_s": 0.2 + number / count, "input_tokens": 2942, "output_tokens": 9,
        }  # fmt: skip
        row = Row(number, str(number), "", (EXAMPLES / "cat.jpg",))
        yield Seen(columns.record(result), jpeg if number < 3 else b"", row)


def blob(html: str, name: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', html, re.S)
    assert found
    return json.loads(found[1])


def test_rows_stand_in_the_page_and_cannot_leave_their_script(
    tmp_path: Path, columns: Columns
) -> None:
    """Whatever a model says, the page has the scripts it should have; the rows come back whole."""
    path = tmp_path / "report.html"
    assert write_report(str(path), FACTS, columns, records(columns, 8)) == 8
    html = path.read_text("utf-8")
    assert len(re.findall(r"<script", html)) == 3
    assert "<img" not in html
    assert blob(html, "facts")["prompt"] == FACTS.prompt
    rows = blob(html, "rows")
    names = columns.schema.names
    assert dict(zip(names, rows[1], strict=False))["text"] == EVIL
    assert rows[0][-1].endswith("examples/cat.jpg")
    assert [bool(row[-2]) for row in rows[:4]] == [True, True, True, False]


def test_a_large_run_shows_what_failed_and_a_spread_of_the_rest() -> None:
    """Of a million rows ten thousand are shown at most; of few all are."""
    for rows, failed in ((10, 3), (10_000, 400), (100_000, 300), (50_000, 20_000)):
        choice = Choice(rows, failed)
        every = rows // failed
        taken = [
            number for number in range(rows)
            if choice.takes({"status": "failed" if number % every == 0 and number // every < failed
                             else "done"})
        ]  # fmt: skip
        assert len(taken) <= 10_000
        assert len(taken) == rows or len(taken) > 8_000
        assert rows > 20_000 or len(taken) == rows


def test_pictures_end_where_a_browser_would_choke(
    tmp_path: Path, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past a limit rows go on without a picture."""
    monkeypatch.setattr(write, "PICTURE_BYTES_MAX", (EXAMPLES / "cat.jpg").stat().st_size)
    write_report(str(tmp_path / "r.html"), FACTS, columns, records(columns, 3))
    rows = blob((tmp_path / "r.html").read_text("utf-8"), "rows")
    assert [bool(row[-2]) for row in rows] == [True, False, False]


def test_what_failed_on_the_web_is_not_waited_for(api: ApiServer) -> None:
    """A picture is made of what was answered; an address that failed is not asked again."""
    with Client(base_url=api.url, api_key="sk-x", allow_hosts=["127.0.0.1"]) as client:
        thumbnails = Thumbnails(Driver(client.wiring.outside, None))
        row = Row(0, "0", "", (f"{api.origin}/a.jpg",))
        cat = (EXAMPLES / "cat.jpg").read_bytes()
        api.script.extend([Reply(200, cat, {"Content-Type": "image/jpeg"})] * 2)
        seen = [Seen({"status": "failed"}, row=row), Seen({"status": "done"}, row=row), Seen({})]
        made = [each.picture[:2] for each in thumbnails.each(seen)]
    assert made == [b"", b"\xff\xd8", b""]


def test_it_shares_the_colours_of_the_page() -> None:
    """The report and the page of `eyeline serve` are one light table."""
    css = (Path(write.__file__).parent / "report.css").read_text("utf-8")
    for block in re.findall(r":root \{(.*?)\}", GATEWAY_CSS.read_text("utf-8"), re.S):
        for name, value in re.findall(r"--([\w-]+): (.*?);", block):
            assert name == "lines" or f"--{name}: {value};" in css


def test_a_run_writes_its_report(tmp_path: Path, api: ApiServer) -> None:
    """Answers stand beside small upright pictures; a failed row says why; OUT is as ever."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("cat.jpg", "receipt.jpg", "chart.png"):
        (photos / name).write_bytes((EXAMPLES / name).read_bytes())
    (photos / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    out, report = tmp_path / "out.jsonl", tmp_path / "r" / "report.html"
    with Client(base_url=api.url, api_key="sk-x", model="gpt-6-luna") as client:
        run = partial(client.run, "What is it?", str(photos), str(out), sight_check=False)
        run(report=str(report))
        html = report.read_text("utf-8")
        facts, rows = blob(html, "facts"), blob(html, "rows")
        assert (facts["rows"], facts["done"], facts["failed"]) == (4, 3, 1)
        assert [row[0] for row in rows] == ["bad.jpg", "cat.jpg", "chart.png", "receipt.jpg"]
        assert [row[-2][:4] for row in rows] == ["", "/9j/", "/9j/", "/9j/"]
        assert all(len(row[-2]) < 8_000 for row in rows)
        assert rows[1][-1] == "../photos/cat.jpg"
        (photos / "cat.jpg").unlink()
        run(report=str(report))
        assert blob(report.read_text("utf-8"), "rows")[1][-2] == ""
        with pytest.raises(SettingsError, match="--report"):
            run(report=f"{out}/report.html")


# --- in a browser --------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_browser_shows_and_filters_the_rows(
    chromium: Browser, tmp_path: Path, columns: Columns
) -> None:
    """Only the rows near the window are in the page; status, values, plots and words filter."""
    from playwright.sync_api import expect

    path = tmp_path / "report.html"
    write_report(str(path), FACTS, columns, records(columns, 10_000))
    with tab(chromium, path.as_uri(), DESKTOP) as opened:
        page = opened.page
        counted = page.locator("#counted")
        expect(counted).to_have_text("10,000 rows")
        assert page.locator(".row").count() < 40
        page.evaluate("scrollTo(0, 600000)")
        page.locator(".row[aria-posinset='6180']").wait_for()
        assert page.locator(".row").count() < 80
        page.locator("#status label", has_text="Failed").click()
        expect(counted).to_have_text("1,428 of 10,000 rows")
        page.locator("#failures").get_by_role("button", name="model refused").click()
        page.locator("#clear").click()
        expect(counted).to_have_text("10,000 rows")
        page.locator("#facets").get_by_role("button", name="scratch").click()
        expect(counted).to_have_text("2,857 of 10,000 rows")
        page.locator("#clear").click()
        page.locator("#plot-latency rect.hit").first.press("Enter")
        expect(counted).to_have_text(re.compile(r"^[1-3]\d\d of"))
        page.locator("#clear").click()
        page.locator("#sought").fill("00077.jpg")
        expect(counted).to_have_text("1 of 10,000 rows")
        page.locator("#sought").fill("no such words")
        page.locator("#none").wait_for()
        assert page.evaluate("window.broken") is None


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_one_row_opens_over_the_others(
    chromium: Browser, tmp_path: Path, columns: Columns, size: tuple[int, int], scheme: str
) -> None:
    """It shows the picture from disk, the whole answer, and goes on by keys; nothing overflows."""
    path = tmp_path / "report.html"
    write_report(str(path), FACTS, columns, records(columns, 60))
    with tab(chromium, path.as_uri(), size, scheme) as opened:
        page = opened.page
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        name = f"report-{'desk' if size == DESKTOP else 'phone'}-{scheme}"
        opened.shoot(name)
        page.locator(".row button").nth(1).click()
        page.locator("#detail-picture img[src$='cat.jpg']").wait_for()
        opened.shoot(f"{name}-row")
        assert EVIL.split("\u2028")[0] in (page.locator("#detail-source").text_content() or "")
        page.keyboard.press("ArrowRight")
        assert "00002.jpg" in (page.locator("#detail-source").text_content() or "")
        page.keyboard.press("Escape")
        page.locator(".row[aria-posinset='3'] button:focus").wait_for()
        page.keyboard.press("ArrowDown")
        page.locator(".row[aria-posinset='4'] button:focus").wait_for()
        assert page.evaluate("window.broken") is None
