"""Asking on the page, in a real browser: the answer as it comes, stopped, failed, followed up."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import api_server
import axe_playwright_python
import pytest
from api_server import STALL_S_MAX, ApiServer, Reply, chat_events, stream_reply
from browser import DESKTOP, PHONE, tab
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from eyeline.core.secret import Secret
from gateway.running import Running, gateway
from gateway.test_page import (
    SIGN,
    drop,
    figure,
    keyless,
    lay,
    no_sideways_scroll,
    online,
)

pytestmark = pytest.mark.browser
__all__ = ["keyless", "online"]  # fixtures

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
TEXT = "The sign reads **EXIT 24**.\n\n- green\n- by the road"
WILD = """What's on the `sign` for "$5"? \\n is no line end."""
QUESTION = "What does the sign say?"


class Held(list[bytes]):
    """The pieces of a stream; after the first few the rest waits for `go_on`."""

    def __init__(self, events: list[str], first: int) -> None:
        super().__init__(event.encode() for event in events)
        self.first, self.go_on = first, threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield from self[: self.first]
        self.go_on.wait(STALL_S_MAX)
        yield from self[self.first :]


def held_answer(engine: ApiServer, first: int = 5) -> Held:
    """Let the next answer stop after its first words, until it is told to go on."""
    pieces = Held(chat_events(TEXT), first)
    engine.script.append(Reply(200, pieces, {"Content-Type": "text/event-stream"}))
    return pieces


@pytest.fixture(autouse=True)
def _its_words(engine: ApiServer) -> None:
    engine.text = TEXT


def ask(page: Page, question: str = QUESTION) -> None:
    page.get_by_label("Question", exact=True).fill(question)
    page.keyboard.press("Enter")


def answered(page: Page, number: int = 1) -> Any:
    """Wait for the answer of a turn, and give it."""
    turn = page.locator(".turn").nth(number - 1)
    expect(turn.locator(".bill")).to_be_visible()
    return turn.locator(".answer")


def sent(engine: ApiServer) -> list[Any]:
    return [each.json for each in engine.requests if each.method == "POST"]


@pytest.mark.parametrize(
    ("size", "scheme", "name"),
    [(DESKTOP, "light", "desktop-light"), (DESKTOP, "dark", "desktop-dark"),
     (PHONE, "light", "phone-light"), (PHONE, "dark", "phone-dark")],
)  # fmt: skip
def test_the_answer_is_shown_as_it_comes(
    chromium: Browser,
    engine: ApiServer,
    online: Running,
    size: tuple[int, int],
    scheme: str,
    name: str,
) -> None:
    """Words appear while the rest is on its way; then usage and cost stand below."""
    with tab(chromium, f"{online.origin}/", size, scheme, reduced_motion="reduce") as seen:
        page, pieces = seen.page, held_answer(engine)
        lay(page, SIGN)
        ask(page)
        expect(page.locator(".answer")).to_contain_text("The sign reads")
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        seen.shoot(f"{name}-streaming")
        pieces.go_on.set()
        answer = answered(page)
        expect(answer.locator("strong")).to_have_text("EXIT 24")
        expect(answer.locator("li")).to_have_text(["green", "by the road"])
        expect(page.locator(".bill")).to_contain_text("1,000 in, 20 out · $0.00011")
        assert figure(page, "answer") == "$0.00011"
        expect(page.get_by_role("status")).to_contain_text("Answer: The sign reads")
        expect(page.locator(".bill")).to_be_in_viewport()
        assert no_sideways_scroll(page)
        seen.shoot(f"{name}-answer")
    (body,) = sent(engine)
    text, image = body["messages"][0]["content"]
    assert text["text"] == QUESTION
    assert image["image_url"]["detail"] == "high"


def test_an_answer_can_be_stopped(chromium: Browser, engine: ApiServer, online: Running) -> None:
    """Escape or the button ends it; what came stays, and the next question goes on from there."""
    with tab(chromium, f"{online.origin}/") as seen:
        page, pieces = seen.page, held_answer(engine)
        lay(page, SIGN)
        ask(page)
        expect(page.locator(".answer")).to_contain_text("The sign reads")
        page.keyboard.press("Escape")
        expect(page.locator(".turn")).to_contain_text("Stopped.")
        pieces.go_on.set()
        again = held_answer(engine, 0)
        ask(page, "Go on.")
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".turn").nth(1)).to_contain_text("Stopped.")
        again.go_on.set()
        ask(page, "Go on now.")
        answered(page, 3)
    roles = [each["role"] for each in sent(engine)[-1]["messages"]]
    assert roles == ["user", "assistant", "user", "user"]


def test_a_follow_up_keeps_the_conversation(
    chromium: Browser, engine: ApiServer, online: Running
) -> None:
    """The second question goes with the first and its answer; the picture is carried once."""
    with tab(chromium, f"{online.origin}/") as seen:
        page = seen.page
        lay(page, SIGN)
        page.get_by_role("button", name="Read all the text.").click()
        answered(page)
        engine.text = "\n\n".join(["A long answer."] * 40)
        ask(page, "In which colour?")
        answered(page, 2)
        expect(page.locator(".bill").last).to_be_in_viewport()
    first, answer, second = sent(engine)[1]["messages"]
    assert [part["type"] for part in first["content"]] == ["text", "image_url"]
    assert answer == {"role": "assistant", "content": TEXT}
    assert [part["type"] for part in second["content"]] == ["text"]


def test_a_model_of_the_responses_api_is_asked_there(
    chromium: Browser, engine: ApiServer, online: Running
) -> None:
    """What speaks Responses alone is asked so, follow-up too, and streams the same."""
    with tab(chromium, f"{online.origin}/") as seen:
        page = seen.page
        lay(page, SIGN)
        page.locator("#show-models").click()
        page.locator("#sought").fill("gpt-5.4-pro")
        page.keyboard.press("Enter")
        ask(page)
        expect(answered(page)).to_contain_text("The sign reads EXIT 24.")
        ask(page, "Sure?")
        answered(page, 2)
    paths = [each.path for each in engine.requests if each.method == "POST"]
    assert paths == ["/v1/responses"] * 2
    assert [each["role"] for each in sent(engine)[1]["input"]] == ["user", "assistant", "user"]


def test_the_same_question_again_is_free(chromium: Browser, engine: ApiServer) -> None:
    """What was asked before comes from the cache, and the page says so."""
    environ = {"OPENAI_BASE_URL": engine.url}
    with gateway(environ=environ) as running, tab(chromium, f"{running.origin}/") as seen:
        page = seen.page
        lay(page, SIGN)
        ask(page)
        answered(page)
        page.get_by_role("button", name="New table").click()
        lay(page, SIGN)
        ask(page)
        answered(page)
        expect(page.locator(".bill")).to_contain_text("from the cache, $0")
        assert figure(page, "answer") == "from cache, $0"
        page.get_by_role("button", name="History 2").click()
        expect(page.locator("#session")).to_contain_text("2 answers, $0.00011")
        page.locator("#past button").last.click()
        expect(page.locator(".bill")).to_contain_text("$0.00011")
    assert len(sent(engine)) == 1


# --- what goes wrong ------------------------------------------------------------------------------


def test_a_refusal_is_shown_and_can_be_tried_again(
    chromium: Browser, engine: ApiServer, online: Running
) -> None:
    """The API's own words stand where the answer would, with a way to ask again."""
    engine.script.append(api_server.error(401, "Incorrect API key provided.", "invalid_api_key"))
    with tab(chromium, f"{online.origin}/") as seen:
        page = seen.page
        lay(page, SIGN)
        ask(page)
        expect(page.locator(".turn").get_by_role("alert")).to_contain_text("Incorrect API key")
        assert figure(page, "answer") == "failed"
        seen.shoot("desktop-light-refused")
        page.get_by_role("button", name="Try again").click()
        expect(answered(page)).to_contain_text("EXIT 24")
        expect(page.locator(".turn")).to_have_count(1)


def test_an_answer_that_breaks_off_says_so(
    chromium: Browser, engine: ApiServer, online: Running
) -> None:
    """What came before a stream broke stays, and nobody takes it for the whole."""
    engine.script.append(stream_reply(chat_events(TEXT)[:4], cut=True))
    with tab(chromium, f"{online.origin}/") as seen:
        lay(seen.page, SIGN)
        ask(seen.page)
        expect(seen.page.locator(".turn").get_by_role("alert")).to_be_visible()
        expect(seen.page.locator(".answer")).to_contain_text("The sign")


def test_an_engine_that_is_down_is_named(chromium: Browser) -> None:
    """Where the engine cannot be reached the page says which, and what to do."""
    with socket.socket() as unanswered:
        unanswered.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unanswered.getsockname()[1]}/v1"
        with (
            gateway(client={"engine": url}) as running,
            tab(chromium, f"{running.origin}/") as seen,
        ):
            lay(seen.page, SIGN)
            ask(seen.page)
            expect(seen.page.locator(".turn .what")).to_contain_text(f"{url}: no connection")
            expect(seen.page.locator(".turn .hint")).to_contain_text("is the server running")


def test_a_gateway_that_is_gone_is_named(chromium: Browser, online: Running) -> None:
    """Where nobody answers any more the page says what to look for."""
    with tab(chromium, f"{online.origin}/") as seen:
        lay(seen.page, SIGN)
        seen.page.route("**/v1/**", lambda route: route.abort("connectionrefused"))
        ask(seen.page)
        expect(seen.page.locator(".turn .fault")).to_contain_text("Is eyeline serve still running?")


def test_markup_in_an_answer_stays_text(
    chromium: Browser, engine: ApiServer, online: Running
) -> None:
    """Neither HTML nor an image or link in an answer becomes one; nothing is fetched."""
    engine.text = (
        "<img src=x onerror=alert(1)> ![a](https://example.com/a.png) [b](javascript:alert(1))"
    )
    with tab(chromium, f"{online.origin}/") as seen:
        lay(seen.page, SIGN)
        ask(seen.page)
        answer = answered(seen.page)
        expect(answer).to_contain_text("<img src=x onerror=alert(1)>")
        expect(answer).to_contain_text("a (https://example.com/a.png)")
        expect(answer.locator("img, a, script")).to_have_count(0)


def test_a_token_is_asked_for_once(chromium: Browser) -> None:
    """A gateway with a token opens to who has it, typed, or in an address that then loses it."""
    with gateway(token=Secret("let-me-in")) as running:
        with tab(chromium, f"{running.origin}/") as seen:
            for token, said in (("let me", "has it"), ("let-me-in", "That is not its token")):
                expect(seen.page.locator("#locked-why")).to_contain_text(said)
                seen.page.get_by_label("Token", exact=True).fill(token)
                seen.page.keyboard.press("Enter")
            expect(seen.page.locator("#model")).to_have_text("reader")
        with tab(chromium, f"{running.origin}/#token=let-me-in") as seen:
            expect(seen.page.locator("#model")).to_have_text("reader")
            assert seen.page.url == f"{running.origin}/"


# --- and beyond -----------------------------------------------------------------------------------


def test_offline_the_reader_answers(chromium: Browser, keyless: Running) -> None:
    """With no key a question is answered in this process, by the reader."""
    with tab(chromium, f"{keyless.origin}/") as seen:
        drop(seen.page, "street-sign.jpg", SIGN.read_bytes(), "image/jpeg")
        expect(seen.page.locator("#frame")).to_be_visible()
        ask(seen.page)
        expect(answered(seen.page)).to_contain_text("EXIT 24")
        expect(seen.page.locator(".bill")).to_contain_text("$0")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(
    chromium: Browser, engine: ApiServer, online: Running, scheme: str
) -> None:
    """axe finds nothing to object to: names, roles, order, contrast, in every state of the page."""
    with tab(chromium, f"{online.origin}/", scheme=scheme) as seen:
        page = seen.page
        page.evaluate(AXE.read_text("utf-8"))
        expect(page.locator("#model")).to_have_text("gpt-6-luna")
        assert barriers(page) == []
        lay(page, SIGN)
        page.locator("#show-models").click()
        assert barriers(page) == []
        page.keyboard.press("Escape")
        ask(page)
        answered(page)
        page.get_by_text("The same in Python, curl, shell").click()
        engine.script.append(api_server.error(400, "No."))
        ask(page, "And now?")
        expect(page.locator(".fault")).to_be_visible()
        assert barriers(page) == []


def barriers(page: Page) -> list[Any]:
    return list(page.evaluate(
        "axe.run().then((found) => found.violations.map((each) => [each.id, each.nodes[0].html]))"
    ))  # fmt: skip


def test_a_pasted_picture_is_laid_out(chromium: Browser, online: Running) -> None:
    """A picture from the clipboard lies on the table as a dropped one does."""
    with tab(chromium, f"{online.origin}/") as seen:
        expect(seen.page.locator("#model")).to_have_text("gpt-6-luna")
        seen.page.evaluate(
            """(data) => {
                const held = new DataTransfer();
                const picture = new Uint8Array(data);
                held.items.add(new File([picture], "image.jpg", { type: "image/jpeg" }));
                dispatchEvent(new ClipboardEvent("paste", { clipboardData: held }));
            }""",
            list(SIGN.read_bytes()),
        )
        expect(seen.page.locator("#figure-tokens")).to_have_text("1,440")


def test_the_same_can_be_done_elsewhere(
    chromium: Browser, engine: ApiServer, online: Running, tmp_path: Path
) -> None:
    """The Python, curl and shell of a question run as they are copied, whatever stands in it."""
    picture = tmp_path / "the sign's own.png"
    Image.new("RGB", (320, 240), "green").save(picture)
    allowed = ["clipboard-read", "clipboard-write"]
    with tab(chromium, f"{online.origin}/", permissions=allowed) as seen:
        page = seen.page
        lay(page, picture)
        ask(page, WILD)
        answered(page)
        ask(page, "Sure?")
        answered(page, 2)
        first = [copied(page, 1, name) for name in ("Python", "Shell")]
        second = [copied(page, 2, name) for name in ("Python", "curl")]
        seen.shoot("desktop-light-code")
    asked = [body["messages"] for body in sent(engine)]
    for command in (*first, *second[: 2 if shutil.which("curl") else 1]):
        engine.requests.clear()
        run(command, engine, tmp_path)
        (body,) = sent(engine)
        assert body["messages"] == asked[0 if command in first else 1], command


def copied(page: Page, turn: int, language: str) -> list[str]:
    """Copy what stands under a turn, and give the command that runs it."""
    code = page.locator(".turn").nth(turn - 1).locator(".code")
    code.evaluate("(box) => { box.open = true; }")
    code.get_by_role("tab", name=language).click()
    text = code.locator("pre").text_content()
    code.locator("button", has_text=re.compile("^Cop")).click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == text
    assert text
    if language == "Python":
        return [sys.executable, "-c", text]
    return ["bash", "-c", text.replace("eyeline ask", f"{sys.executable} -m eyeline ask", 1)]


def run(command: list[str], engine: ApiServer, folder: Path) -> None:
    environ = {**os.environ, "OPENAI_BASE_URL": engine.url, "OPENAI_API_KEY": "any"}
    environ["EYELINE_CACHE_DIR"] = str(folder / f"cache {len(list(folder.iterdir()))}")
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "EXIT 24" in done.stdout
