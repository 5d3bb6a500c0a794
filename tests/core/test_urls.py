"""Which image URLs are passed on, and which are fetched here."""

from __future__ import annotations

from typing import Any

import pytest

from eyeline.core.dialect import STANDARD, Dialect
from eyeline.core.engine import LOCAL, compatible, openai
from eyeline.core.question import URLS, choose_urls
from eyeline.core.urls import is_passed
from eyeline.errors import SettingsError

OPENAI, SERVER = openai(), compatible("server", "http://127.0.0.1:8000/v1")
WEB = "https://pictures.example/sign.jpg"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (WEB, True),
        ("https://pictures.example/sign.JPG?size=2", True),
        ("https://pictures.example/a/sign.webp", True),
        ("https://pictures.example/still.gif", True),
        ("https://pictures.example/", True),
        ("https://pictures.example/v1.2/sign", True),
        ("http://203.0.114.7/sign.png", True),
        ("https://pictures.example/photo.heic", False),
        ("https://pictures.example/photo.AVIF", False),
        ("https://pictures.example/scan.tiff", False),
        ("https://pictures.example/logo.svg", False),
        ("https://pictures.example/paper.pdf", False),
        ("https://ada:secret@pictures.example/sign.jpg", False),
        ("http://localhost/sign.jpg", False),
        ("http://nas.local/sign.jpg", False),
        ("http://192.168.1.4/sign.jpg", False),
        ("http://[::1]/sign.jpg", False),
    ],
)
def test_openai_gets_what_it_is_likely_to_get(url: str, expected: bool) -> None:
    """Passed are public addresses without a password, not named as a format OpenAI refuses."""
    assert is_passed(url, "auto", OPENAI, STANDARD) is expected
    assert is_passed(url, "pass", OPENAI, STANDARD)
    assert not is_passed(url, "fetch", OPENAI, STANDARD)


@pytest.mark.parametrize(
    ("urls", "engine", "dialect", "expected"),
    [
        ("auto", SERVER, STANDARD, False),
        ("auto", openai("http://127.0.0.1:1/v1"), STANDARD, False),
        ("pass", SERVER, STANDARD, True),
        ("pass", LOCAL, STANDARD, False),
        ("pass", SERVER, Dialect(takes_urls=False), False),
        ("pass", SERVER, Dialect(fetch_hosts=("pictures.example",)), False),
        ("pass", SERVER, Dialect(fetch_hosts=("other.example",)), True),
        ("auto", OPENAI, Dialect(fetch_hosts=("pictures.example",)), False),
    ],
)
def test_who_downloads(urls: Any, engine: Any, dialect: Dialect, expected: bool) -> None:
    """Other servers are passed URLs where that is asked for and they are not known to fail."""
    assert is_passed(WEB, urls, engine, dialect) is expected


def test_the_policy_is_one_of_three() -> None:
    """A word that is no policy is an error that names the nearest."""
    assert [choose_urls(name) for name in URLS] == [*URLS]
    with pytest.raises(SettingsError, match=r"'fetsh', expected one of auto, pass, fetch.*fetch"):
        choose_urls("fetsh")
