"""The page in a real browser: from an empty table to an answer, with nothing sent before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer, Reply
from browser import DESKTOP, PHONE, tab
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from gateway.running import Running, gateway

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parents[2] / "examples"
SIGN, RECEIPT = EXAMPLES / "street-sign.jpg", EXAMPLES / "receipt.jpg"
LOOKS = [
    (size, scheme, f"{name}-{scheme}")
    for name, size in (("desktop", DESKTOP), ("phone", PHONE))
    for scheme in ("light", "dark")
]


@pytest.fixture(scope="module")
def online(engine: ApiServer) -> Iterator[Running]:
    """A gateway before a server that stands where OpenAI would; it answers anew each time."""
    with gateway(environ={"OPENAI_BASE_URL": engine.url}, client={"cache": False}) as running:
        yield running


@pytest.fixture(scope="module")
def keyless() -> Iterator[Running]:
    """A gateway that was given no key and no engine."""
    with gateway() as running:
        yield running


def lay(page: Page, *pictures: Path | dict[str, Any]) -> None:
    """Put pictures on the empty table."""
    page.locator("#empty .files").set_input_files(list(pictures))  # type: ignore[arg-type]
    expect(page.locator("#film li")).to_have_count(len(pictures))
    expect(page.locator("#frame")).to_be_visible()


def figure(page: Page, name: str) -> str:
    return page.locator(f"#figure-{name}").inner_text()


def drop(page: Page, name: str, data: bytes, kind: str) -> None:
    """Let go of a file over the page."""
    page.evaluate(
        """([name, data, type]) => {
            const held = new DataTransfer();
            held.items.add(new File([new Uint8Array(data)], name, { type }));
            for (const kind of ["dragenter", "dragover", "drop"])
                document.body.dispatchEvent(new DragEvent(kind, {
                    dataTransfer: held, bubbles: true, cancelable: true,
                }));
        }""",
        [name, list(data), kind],
    )


# --- before anything is sent ----------------------------------------------------------------------


@pytest.mark.parametrize(("size", "scheme", "name"), LOOKS)
def test_a_dropped_picture_shows_what_it_will_cost(
    chromium: Browser,
    engine: ApiServer,
    online: Running,
    size: tuple[int, int],
    scheme: str,
    name: str,
) -> None:
    """Dropped on the table a picture shows size, patches, tokens and dollars; nothing is sent."""
    with tab(chromium, f"{online.origin}/", size, scheme) as seen:
        page = seen.page
        expect(page.get_by_role("heading", name="Put a picture on the table")).to_be_visible()
        expect(page.locator("#model")).to_have_text("gpt-6-luna")
        seen.shoot(f"{name}-empty")
        drop(page, "street-sign.jpg", SIGN.read_bytes(), "image/jpeg")
        expect(page.locator("#figure-tokens")).to_have_text("1,440")
        assert figure(page, "size") == "1280×960 px"
        assert figure(page, "cells") == "40×30 = 1,200"
        assert figure(page, "cost") == "$0.00014"
        assert figure(page, "answer") == "not asked"
        assert no_sideways_scroll(page)
        seen.shoot(f"{name}-picture")
    assert not [each for each in engine.requests if each.method == "POST"]


def no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_figures_move_with_model_and_detail(chromium: Browser, online: Running) -> None:
    """Another detail or model has other figures at once, and other patches over the picture."""
    with tab(chromium, f"{online.origin}/") as seen:
        page = seen.page
        lay(page, SIGN)
        page.get_by_role("radio", name=re.compile("^low")).check(force=True)
        expect(page.locator("#figure-tokens")).to_have_text("231")
        assert figure(page, "size") == "1280×960 → 512×384 px"
        expect(page.locator("#picture")).to_have_js_property("naturalWidth", 512)
        page.locator("#show-models").click()
        page.locator("#sought").fill("gpt-4o")
        page.keyboard.press("Enter")
        expect(page.locator("#model")).to_have_text("gpt-4o")
        expect(page.locator("#figure-tokens")).to_have_text("85")
        page.get_by_role("radio", name=re.compile("^high")).check(force=True)
        expect(page.locator("#figure-cells-name")).to_have_text("Tiles")
        expect(page.locator("#figure-tokens")).to_have_text("765")


def test_every_model_is_priced_in_the_list(chromium: Browser, online: Running) -> None:
    """The list of models says what this picture costs with each, and which API speaks to it."""
    with tab(chromium, f"{online.origin}/") as seen:
        page = seen.page
        lay(page, SIGN)
        page.locator("#show-models").click()
        row = page.locator(".model").filter(has_text=re.compile("^gpt-5.4-pro"))
        expect(row).to_contain_text("$0.043")
        expect(row).to_contain_text("Responses API")
        seen.shoot("desktop-light-models")
        page.locator("#sought").fill("my-own-model")
        expect(page.locator(".model")).to_contain_text("not in the catalogue")
        page.keyboard.press("Enter")
        expect(page.locator("#figure-cost")).to_have_text("price unknown")


def test_what_no_browser_shows_lies_upright(
    chromium: Browser, online: Running, tmp_path: Path
) -> None:
    """A HEIC, and a photo that was stored sideways, are shown as the model sees them."""
    from pillow_heif import from_pillow

    heic, sideways, photo = tmp_path / "a.heic", tmp_path / "b.jpg", Image.new("RGB", (640, 400))
    from_pillow(photo).save(heic)
    exif = photo.getexif()
    exif[0x0112] = 6
    photo.save(sideways, exif=exif)
    with tab(chromium, f"{online.origin}/") as seen:
        lay(seen.page, heic, sideways)
        expect(seen.page.locator("#notes")).to_contain_text("turned upright")
        assert figure(seen.page, "size") == "400×640 px"
        box = seen.page.locator("#picture").bounding_box()
        assert box
        assert box["height"] > box["width"]
        seen.page.get_by_role("button", name="Picture 1: a.heic").click()
        expect(seen.page.locator("#notes")).to_contain_text("HEIC → ")
        expect(seen.page.locator("#picture")).to_have_js_property("naturalWidth", 640)


def test_lines_are_crisp_and_can_be_switched_off(chromium: Browser, online: Running) -> None:
    """Between 40 patches are 39 lines, each one pixel wide; without them the picture is bare."""
    inked = """() => {
        const grid = document.querySelector("#grid"), { width } = grid;
        const row = grid.getContext("2d").getImageData(0, 3, width, 1).data;
        return [...Array(width).keys()].filter((x) => row[4 * x + 3] > 0).length;
    }"""
    with tab(chromium, f"{online.origin}/") as seen:
        lay(seen.page, SIGN)
        assert seen.page.evaluate(inked) == 39
        seen.page.get_by_label("Patches").uncheck()
        assert seen.page.evaluate(inked) == 0


def test_several_pictures_are_added_up(chromium: Browser, online: Running) -> None:
    """Each picture has its own figures; the question's cost is that of all of them."""
    with tab(chromium, f"{online.origin}/") as seen:
        page = seen.page
        lay(page, SIGN, RECEIPT)
        expect(page.locator("#forecast")).to_contain_text("2 pictures 2,808 tok")
        page.get_by_role("button", name="Picture 2: receipt.jpg").click()
        expect(page.locator("#figure-name")).to_have_text("2 of 2: receipt.jpg")
        page.get_by_role("button", name="Remove").click()
        expect(page.locator("#forecast")).to_contain_text("Picture 1,440 tok")


@pytest.mark.parametrize(
    ("name", "data", "kind", "message"),
    [
        ("notes.heic", b"only words", "image/heic", "notes.heic: not an image"),
        ("cut.jpg", SIGN.read_bytes()[:5000], "image/jpeg", "cut.jpg"),
        ("notes.txt", b"only words", "text/plain", "That is no picture."),
    ],
)
def test_what_is_no_picture_is_said(
    chromium: Browser, online: Running, name: str, data: bytes, kind: str, message: str
) -> None:
    """A file that cannot be shown is named, with what is wrong, and the table stays as it was."""
    with tab(chromium, f"{online.origin}/") as seen:
        expect(seen.page.locator("#model")).to_have_text("gpt-6-luna")
        drop(seen.page, name, data, kind)
        expect(seen.page.get_by_role("alert").filter(has_text=message)).to_be_visible()
        expect(seen.page.locator("#empty")).to_be_visible()


def test_a_private_address_is_refused(
    chromium: Browser, engine: ApiServer, online: Running
) -> None:
    """The page fetches nothing that the guard would not, and says what to do."""
    with tab(chromium, f"{online.origin}/") as seen:
        seen.page.get_by_label("Address of a picture").first.fill(
            "http://169.254.169.254/photo.jpg"
        )
        seen.page.keyboard.press("Enter")
        expect(seen.page.locator(".fault")).to_contain_text("private address")


def test_an_address_is_fetched(chromium: Browser, engine: ApiServer) -> None:
    """A picture of a host that the gateway may fetch from lies on the table under its address."""
    engine.script.append(Reply(200, SIGN.read_bytes(), {"Content-Type": "image/jpeg"}))
    allowed = {"engine": "local", "allow_hosts": ["127.0.0.1"]}
    with gateway(client=allowed) as running, tab(chromium, f"{running.origin}/") as seen:
        seen.page.get_by_label("Address of a picture").first.fill(f"{engine.origin}/sign.jpg")
        seen.page.keyboard.press("Enter")
        expect(seen.page.locator("#figure-name")).to_have_text(f"{engine.origin}/sign.jpg")


def test_without_a_key_the_page_says_who_answers(chromium: Browser, keyless: Running) -> None:
    """With no key the built-in reader answers, and nobody is told otherwise."""
    with tab(chromium, f"{keyless.origin}/") as seen:
        expect(seen.page.locator("#engine")).to_have_text("Answers in this process")
        expect(seen.page.locator("#offline")).to_contain_text("it is no language model")
        seen.shoot("desktop-light-offline")
        lay(seen.page, SIGN)
        expect(seen.page.locator("#forecast")).to_have_text("Answered here, costs nothing")


def test_keyboard_alone_reaches_a_choice(chromium: Browser, online: Running) -> None:
    """From the top of the page Tab comes by everything in order, with the focus to be seen."""
    with tab(chromium, f"{online.origin}/") as seen:
        page = seen.page
        lay(page, SIGN)
        page.keyboard.press("Tab")
        walked: list[str] = []
        while "go" not in walked:
            walked.append(focused(page, "id") or focused(page, "className"))
            assert focused(page, "matches(':focus-visible')"), walked
            page.keyboard.press("Tab")
        page.locator("#show-models").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#figure-tokens")).to_have_text("231")
        names = ["anew", "tile", "show-add", "whole", "lines", "show-models", "turns", "prompt"]
        order = [walked.index(name) for name in names]
        assert order == sorted(order), walked


def focused(page: Page, what: str) -> Any:
    return page.evaluate(f"document.activeElement.{what}")
