"""The page's files keep to their policy by themselves: nothing inline, nothing from elsewhere."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

PAGE = files("eyeline.gateway") / "page"
HTML, CSS, JS = (
    (PAGE / f"{name}").read_text("utf-8") for name in ("index.html", "page.css", "page.js")
)


def test_the_page_is_three_files() -> None:
    """One HTML, one CSS, one JS; no build step, no other file."""
    assert sorted(file.name for file in PAGE.iterdir()) == ["index.html", "page.css", "page.js"]


@pytest.mark.parametrize("text", [HTML, CSS, JS], ids=["html", "css", "js"])
def test_no_address_outside(text: str) -> None:
    """Nothing is loaded, linked or asked for elsewhere than where the page came from."""
    assert not re.search(r"(?:https?:)?//[\w-]+\.\w|@import|\burl\(", text)


def test_nothing_is_inline() -> None:
    """No script, style or handler stands in the HTML, where the policy would refuse it."""
    assert not re.search(r"<style|\bstyle=|\bon\w+=|<script(?![^>]*\bsrc=)", HTML)


def test_text_never_becomes_markup() -> None:
    """What a model or a file name says is put in as text, however it is spelt."""
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", JS)


def test_every_control_has_a_name() -> None:
    """Each field of the form is labelled, and each id that the script reads is there."""
    for field in re.findall(r"<(?:input|textarea)[^>]*>", HTML):
        if "hidden" in field:
            continue
        (name,) = re.findall(r'\bid="([\w-]+)"', field) or [""]
        assert f'for="{name}"' in HTML or "aria-label" in field or 'type="checkbox"' in field, field
    for name in set(re.findall(r'\$\("([\w-]+)"\)', JS)):
        assert f'id="{name}"' in HTML, name
