"""Where questions go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.engine import (
    LOCAL,
    LOCAL_SERVERS,
    OPENAI_URL,
    choose_engine,
    clean_url,
    compatible,
    is_gguf,
    openai,
    parse_engine,
)  # fmt: skip
from eyeline.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "name", "base_url"),
    [
        ("openai", "openai", OPENAI_URL),
        (" OpenAI ", "openai", OPENAI_URL),
        ("local", "local", ""),
        ("ollama", "ollama", "http://127.0.0.1:11434/v1"),
        ("vLLM", "vllm", "http://127.0.0.1:8000/v1"),
        ("http://box:8080", "http://box:8080/v1", "http://box:8080/v1"),
        ("http://box:8080/", "http://box:8080/v1", "http://box:8080/v1"),
        ("https://box/api/v3/", "https://box/api/v3", "https://box/api/v3"),
        ("http://[::1]:8080", "http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("https://api.openai.com/v1/", "openai", OPENAI_URL),
        ("http://me:pw@box/v1", "http://box/v1", "http://me:pw@box/v1"),
    ],
)
def test_what_engine_takes(text: str, name: str, base_url: str) -> None:
    """An engine is a name or a base URL; its own name never shows a password."""
    engine = parse_engine(text)
    assert (engine.name, engine.base_url) == (name, base_url)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("olama", "did you mean ollama?"),
        ("", "expected a base URL or one of openai, ollama"),
        ("qqqqqq", "or one of openai, ollama, lmstudio, llamacpp, vllm, local"),
        ("ftp://box", "an http or https base URL"),
        ("http://", "an http or https base URL"),
        ("http://[::1", "an http or https base URL"),
        ("http://box:notaport", "an http or https base URL"),
        ("http://box:99999", "an http or https base URL"),
        ("ftp://me:pw@box", "--engine: 'ftp://box'"),
    ],
)
def test_what_is_no_engine(text: str, said: str) -> None:
    """Anything else names the nearest, or what was expected."""
    with pytest.raises(SettingsError) as raised:
        parse_engine(text)
    assert said in str(raised.value)
    assert "pw" not in str(raised.value)


@given(st.text() | st.text().map("http://{}".format))
def test_any_text_is_an_engine_or_a_settings_error(text: str) -> None:
    """Whatever is typed, nothing but SettingsError is raised."""
    try:
        parse_engine(text)
    except SettingsError:
        return


@pytest.mark.parametrize(
    ("base_url", "needs_key"),
    [
        (OPENAI_URL, True),
        (f"{OPENAI_URL}/", True),
        ("https://api.openai.com", True),
        ("http://127.0.0.1:9/v1", False),
    ],
)
def test_openai_needs_a_key_at_its_own_address(base_url: str, needs_key: bool) -> None:
    """However its address is written, OpenAI needs a key; what stands in its place may not."""
    engine = openai(base_url)
    assert engine.needs_key is needs_key
    assert engine.limit_field == "max_completion_tokens"
    assert len(engine.media_types) == 4


def test_other_servers_get_what_all_of_them_take() -> None:
    """A compatible server gets JPEG and PNG alone, and the older name of the token limit."""
    engine = compatible("x", LOCAL_SERVERS["llamacpp"])
    assert (engine.limit_field, engine.needs_key, engine.is_local) == ("max_tokens", False, False)
    assert engine.media_types == {"image/jpeg", "image/png"}
    assert LOCAL.is_local


@pytest.mark.parametrize(
    ("named", "model", "base_url", "has_key", "name", "url", "is_fallback"),
    [
        ("ollama", "m.gguf", "http://x/v1", True, "ollama", LOCAL_SERVERS["ollama"], False),
        ("openai", None, "http://x/v1", False, "openai", "http://x/v1", False),
        (None, "tiny.GGUF", "http://x/v1", True, "local", "", False),
        (None, None, "http://x/v1", False, "openai", "http://x/v1", False),
        (None, "gpt-4o", None, True, "openai", OPENAI_URL, False),
        (None, "gpt-4o", "", True, "openai", OPENAI_URL, False),
        (None, "gpt-4o", None, False, "local", "", True),
        ("", None, None, False, "local", "", True),
    ],
)
def test_the_choice(
    named: str | None, model: str | None, base_url: str | None, has_key: bool, name: str, url: str,
    is_fallback: bool,
) -> None:  # fmt: skip
    """What is named wins, then a .gguf file, then OpenAI where it is set up, then this process."""
    chosen = choose_engine(named, model, base_url, has_key=has_key)
    assert (chosen.engine.name, chosen.engine.base_url) == (name, url)
    assert chosen.is_fallback is is_fallback
    assert chosen.why


def test_gguf_by_its_name() -> None:
    """A model file is told by its ending, in any case."""
    assert is_gguf("dir/M.gguf")
    assert not is_gguf("gguf")
    assert not is_gguf(None)


@given(
    st.sampled_from(["http", "https"]),
    st.from_regex(r"\A[a-z]{1,9}(:[1-9][0-9]{0,3})?(/[a-z]{1,5})?/*\Z"),
)
def test_a_clean_url_stays_clean(scheme: str, rest: str) -> None:
    """Cleaning twice is cleaning once."""
    once = clean_url("x", f"{scheme}://{rest}")
    assert clean_url("x", once) == once
    assert not once.endswith("/")
