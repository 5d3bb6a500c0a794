"""Settings: the environment before the file, the file where XDG says, and no word unread."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from eyeline.core.secret import Secret
from eyeline.errors import SettingsError
from eyeline.settings import CatalogueFile, Settings, catalogue, read_settings


def config(folder: Path, text: str) -> dict[str, str]:
    file = folder / "eyeline.toml"
    file.write_text(text, "utf-8")
    return {"EYELINE_CONFIG": str(file), "HOME": str(folder)}


def test_says_nothing_where_nothing_is_set(tmp_path: Path) -> None:
    """With nothing set there is a cache folder and no more."""
    settings = read_settings({"HOME": str(tmp_path)})
    assert settings == Settings(tmp_path / ".cache" / "eyeline")
    assert (settings.engine, settings.model, settings.detail) == (None, None, "auto")
    assert not settings.openai_key
    assert not settings.key


def test_reads_the_environment_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that is given stands for the process's own, also when it is empty."""
    monkeypatch.setenv("EYELINE_MODEL", "gpt-4o")
    assert read_settings().model == "gpt-4o"
    assert read_settings({}).model is None


def test_reads_every_variable(tmp_path: Path) -> None:
    """Each variable has its place."""
    settings = read_settings(
        {
            "OPENAI_API_KEY": "sk-1",
            "OPENAI_BASE_URL": "http://there.example/v1",
            "EYELINE_API_KEY": "k-2",
            "EYELINE_ENGINE": "ollama",
            "EYELINE_MODEL": "qwen3-vl",
            "EYELINE_CACHE_DIR": str(tmp_path),
            "EYELINE_ALLOW_HOSTS": "a.example, b.example  c.example",
            "EYELINE_NO_PROBE": "1",
        }
    )
    assert settings.openai_key.reveal() == "sk-1"
    assert settings.key.reveal() == "k-2"
    assert (settings.openai_base_url, settings.engine) == ("http://there.example/v1", "ollama")
    assert (settings.model, settings.cache_dir) == ("qwen3-vl", tmp_path)
    assert settings.allow_hosts == {"a.example", "b.example", "c.example"}
    assert settings.probe is False
    assert settings.catalogue is None


def test_an_empty_variable_is_unset(tmp_path: Path) -> None:
    """A variable set to nothing counts as unset, as in `OPENAI_API_KEY= eyeline …`."""
    settings = read_settings({"OPENAI_API_KEY": "", "EYELINE_ENGINE": "", "HOME": str(tmp_path)})
    assert not settings.openai_key
    assert settings.engine is None


def test_reads_every_key_of_the_file(tmp_path: Path) -> None:
    """Each key of the config file has its place."""
    text = """
        engine = "lmstudio"
        model = "gemma"
        detail = "low"
        cache_dir = "/var/cache/eyes"
        allow_hosts = ["a.example"]
        budget_usd = 2.5
        requests_per_min = 500
        tokens_per_min = 2e5
        cache_max_mb = 7
        urls = "pass"
        openai_base_url = "http://127.0.0.1:1/v1"
        openai_api_key = "hunter-1\\n"
        api_key = "hunter-2"
        probe = false
    """
    settings = read_settings(config(tmp_path, text))
    assert (settings.engine, settings.model, settings.detail) == ("lmstudio", "gemma", "low")
    assert settings.cache_dir == Path("/var/cache/eyes")
    assert (settings.allow_hosts, settings.budget_usd) == ({"a.example"}, 2.5)
    assert (settings.requests_per_min, settings.tokens_per_min) == (500, 200_000)
    assert (settings.cache_max_mb, settings.urls, settings.probe) == (7, "pass", False)
    assert settings.openai_base_url == "http://127.0.0.1:1/v1"
    assert settings.openai_key == Secret("hunter-1")
    assert settings.key == Secret("hunter-2")
    assert "hunter" not in repr(settings)


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    """Where both say something the environment counts."""
    text = """
        engine = "a"
        model = "b"
        cache_dir = "/c"
        allow_hosts = ["d"]
        urls = "pass"
        openai_base_url = "e"
        openai_api_key = "f"
        api_key = "g"
        probe = true
    """
    environment = {
        "EYELINE_ENGINE": "A", "EYELINE_MODEL": "B", "EYELINE_CACHE_DIR": "/C",
        "EYELINE_ALLOW_HOSTS": "D", "EYELINE_URLS": "fetch", "OPENAI_BASE_URL": "E",
        "OPENAI_API_KEY": "F", "EYELINE_API_KEY": "G", "EYELINE_NO_PROBE": "1",
    }  # fmt: skip
    settings = read_settings(config(tmp_path, text) | environment)
    assert (settings.engine, settings.model, settings.cache_dir) == ("A", "B", Path("/C"))
    assert (settings.allow_hosts, settings.urls, settings.probe) == ({"D"}, "fetch", False)
    assert (settings.openai_base_url, settings.key) == ("E", Secret("G"))
    assert settings.openai_key == Secret("F")


def test_follows_xdg(tmp_path: Path) -> None:
    """Cache and config lie where XDG says; a relative folder there is invalid and ignored."""
    folder = tmp_path / "config" / "eyeline"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('model = "gemma"')
    given = {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "HOME": str(tmp_path),
    }
    settings = read_settings(given)
    assert (settings.model, settings.cache_dir) == ("gemma", tmp_path / "cache" / "eyeline")
    relative = read_settings({"XDG_CACHE_HOME": "cache", "HOME": str(tmp_path)})
    assert relative.cache_dir == tmp_path / ".cache" / "eyeline"


def test_a_tilde_is_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`~` at the start of a path is the home folder, in variables and in the file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.toml").write_text('cache_dir = "~/eyes"')
    settings = read_settings({"EYELINE_CONFIG": "~/mine.toml", "HOME": str(tmp_path)})
    assert settings.cache_dir == tmp_path / "eyes"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('modle = "gpt-4o"', "did you mean model?"),
        ('zzz = "gpt-4o"', "expected one of the keys engine, model, detail"),
        ("model = 4", "model: '4', expected a str"),
        ('allow_hosts = "a.example"', "expected a list"),
        ('budget_usd = "5"', "expected a number"),
        ("budget_usd = true", "expected a number"),
        ("probe = 1", "expected a bool"),
        ("api_key = 12345678", "api_key: 'int', expected a str"),
        ("model = ", "expected a TOML file"),
        ("\0", "expected a TOML file"),
    ],
)
def test_says_what_is_wrong_in_the_file(tmp_path: Path, text: str, message: str) -> None:
    """An unknown key, a wrong type and bad TOML are told with the file and what was expected."""
    given = config(tmp_path, text)
    with pytest.raises(SettingsError) as raised:
        read_settings(given)
    assert message in str(raised.value)
    assert str(raised.value).startswith(given["EYELINE_CONFIG"])
    assert raised.value.exit_code == 2


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A file that is not UTF-8 is not TOML."""
    (tmp_path / "config.toml").write_bytes(b'model = "\xff"')
    with pytest.raises(SettingsError, match="a TOML file"):
        read_settings({"EYELINE_CONFIG": str(tmp_path / "config.toml")})


@pytest.mark.parametrize("name", ["nowhere.toml", "."])
def test_a_named_file_must_be_there(tmp_path: Path, name: str) -> None:
    """A config file that EYELINE_CONFIG names and that is missing, or a folder, is an error."""
    with pytest.raises(SettingsError, match="EYELINE_CONFIG"):
        read_settings({"EYELINE_CONFIG": str(tmp_path / name)})


def test_shows_no_key() -> None:
    """Settings can be printed without giving a key away, and compared by it."""
    given: dict[str, Any] = {"OPENAI_API_KEY": "sk-secret", "EYELINE_API_KEY": "k-secret"}
    settings = read_settings(given)
    assert "secret" not in f"{settings} {settings!r}".replace("Secret", "")
    assert settings == read_settings(given)
    assert settings != read_settings(given | {"OPENAI_API_KEY": "sk-other"})
    assert hash(settings) == hash(read_settings(given))


# --- a catalogue of the user's own --------------------------------------------------------------

MINE = '{"models": [{"name": "gpt-4o", "prices": {"standard": {"input": 2.1, "output": 8}}}]}'


def test_a_catalogue_is_named_by_variable_or_file(tmp_path: Path) -> None:
    """EYELINE_CATALOGUE beats the config file's `catalogue`, which beats catalogue.json beside."""
    for name in ("env.json", "named.json", "catalogue.json"):
        (tmp_path / name).write_text(f"{MINE}{' ' * len(name)}", "utf-8")
    variable = {"EYELINE_CATALOGUE": str(tmp_path / "env.json")}
    for more, text, name in [
        (variable, 'catalogue = "named.json"', "env.json"),
        ({}, 'catalogue = "named.json"', "named.json"),
        ({}, "", "catalogue.json"),
    ]:
        path = tmp_path / name
        found = read_settings(config(tmp_path, text) | more).catalogue
        assert found == CatalogueFile(str(path), path.read_text())


def test_a_catalogue_beside_the_usual_config(tmp_path: Path) -> None:
    """The catalogue in eyeline's XDG folder is read, with no config file there too."""
    folder = tmp_path / ".config" / "eyeline"
    folder.mkdir(parents=True)
    (folder / "catalogue.json").write_text(MINE)
    found = read_settings({"HOME": str(tmp_path)}).catalogue
    assert found == CatalogueFile(str(folder / "catalogue.json"), MINE)


def test_what_the_catalogue_says_counts() -> None:
    """The file's entries lie over the built-in ones; without a file those stand alone."""
    price = catalogue(CatalogueFile("mine.json", MINE)).find("gpt-4o").price
    assert price is not None
    assert price.standard.input == Decimal("2.1")
    assert not catalogue(None).find("gpt-4o").overridden


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "mine.json: .* expected a JSON file"),
        ("[" * 100_000, "mine.json: .* expected a JSON file"),
        ("[]", "mine.json: 'no object', expected an object as"),
        ('{"models": [{"name": "gpt-4o", "rule": 3}]}', "mine.json: gpt-4o: rule: '3', expected"),
        (
            '{"models": [{"name": "gpt-4o", "prices": {"standard": {"input": NaN}}}]}',
            "mine.json: gpt-4o: prices.standard.input: 'nan', expected dollars",
        ),
    ],
)
def test_says_what_is_wrong_in_the_catalogue(text: str, message: str) -> None:
    """What is no JSON, or does not fit, is told with file and entry."""
    with pytest.raises(SettingsError, match=message):
        catalogue(CatalogueFile("mine.json", text))


def test_a_named_catalogue_must_be_there(tmp_path: Path) -> None:
    """A catalogue that is named and missing, or is no text, is an error that names it."""
    with pytest.raises(SettingsError, match=r"EYELINE_CATALOGUE: .* expected a file"):
        read_settings({"EYELINE_CATALOGUE": str(tmp_path / "nowhere.json")})
    with pytest.raises(SettingsError, match=r"^catalogue: .* expected a file"):
        read_settings(config(tmp_path, 'catalogue = "nowhere.json"'))
    (tmp_path / "c.json").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="expected a JSON file in UTF-8"):
        read_settings({"EYELINE_CATALOGUE": str(tmp_path / "c.json")})
