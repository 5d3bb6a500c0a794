"""
A real browser for what people see: Debian's chromium, driven by Playwright.

Pictures of it go into build/screenshots, which git ignores and CI keeps.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCREENSHOTS = Path(__file__).parent.parent / "build" / "screenshots"
DESKTOP, PHONE = (1440, 900), (390, 844)
# Longer than anything here takes, on a machine that does much else.
TIMEOUT_MS = 30_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """
    A browser for the tests of one module; Playwright's loop must not outlive them, or no other test
    of the process could run one.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None and os.environ.get("CI"):
        pytest.fail("CI has no chromium, which .ci/run installs")
    if path is None:
        pytest.skip("no chromium: apt-get install chromium")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Tab:
    """A page that is open, what it complained of, and every address it asked for."""

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self.read_console)
        self.page.on("request", lambda request: self.read_address(request.url))

    def read_console(self, message: Any) -> None:
        # What a server refuses the browser logs by itself; the page shows it, and tests look there.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def read_address(self, url: str) -> None:
        parts = urlsplit(url)
        if (
            parts.scheme not in ("data", "blob")
            and f"{parts.scheme}://{parts.netloc}" != self.origin
        ):
            self.strangers.append(url)

    def shoot(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


@contextmanager
def tab(
    browser: Browser, url: str, size: tuple[int, int] = DESKTOP, scheme: str = "light", **more: Any
) -> Iterator[Tab]:
    """
    Open `url` in a window of its own; at the end it must have complained of nothing, and asked
    nobody but its own origin for anything.
    """
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        **more,  # type: ignore[arg-type]
    )
    context.set_default_timeout(TIMEOUT_MS)
    try:
        parts = urlsplit(url)
        opened = Tab(context.new_page(), f"{parts.scheme}://{parts.netloc}")
        opened.listen()
        opened.page.goto(url)
        yield opened
        assert opened.complaints == []
        assert opened.strangers == []
    finally:
        context.close()
