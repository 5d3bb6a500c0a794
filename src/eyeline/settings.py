"""Environment and config file, read into one value; nobody else reads `os.environ`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyeline.core.secret import Secret
from eyeline.core.spelling import did_you_mean
from eyeline.errors import SettingsError

if TYPE_CHECKING:
    from eyeline.core.catalogue import Catalogue

NO_KEY = Secret("")
# Of a gigabyte that nobody asked for people take note; 500 MB are some 300,000 answers.
CACHE_MAX_MB = 500
KEYS = ("OPENAI_API_KEY", "EYELINE_API_KEY")

# What a config file may set, and the type of each.
FILE_KEYS: Mapping[str, type | tuple[type, ...]] = {
    "engine": str,
    "model": str,
    "detail": str,
    "cache_dir": str,
    "cache_max_mb": (int, float),
    "allow_hosts": list,
    "urls": str,
    "budget_usd": (int, float),
    "requests_per_min": (int, float),
    "tokens_per_min": (int, float),
    "catalogue": str,
    "openai_base_url": str,
    "openai_api_key": str,
    "api_key": str,
    "probe": bool,
}
FILE_SECRETS = {"openai_api_key", "api_key"}


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """A file of the user's own models and prices, as it was when the settings were read."""

    path: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """
    What the surroundings say; None or empty where they say nothing.

    `openai_key` goes to OpenAI or OPENAI_BASE_URL alone, `key` (EYELINE_API_KEY) to any engine.
    """

    cache_dir: Path
    engine: str | None = None
    model: str | None = None
    detail: str = "auto"
    cache_max_mb: float = CACHE_MAX_MB
    openai_key: Secret = NO_KEY
    openai_base_url: str | None = None
    key: Secret = NO_KEY
    allow_hosts: frozenset[str] = frozenset()
    urls: str = "auto"
    budget_usd: float | None = None
    requests_per_min: float | None = None
    tokens_per_min: float | None = None
    probe: bool = True
    catalogue: CatalogueFile | None = None


def is_set(variable: str) -> bool:
    """Say whether a variable that is only a switch is on, as NO_COLOR."""
    return bool(os.environ.get(variable))


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """
    Read the settings; environment beats file. Empty variables count as unset.

    Raises SettingsError for a config or catalogue file that cannot be read, or a config file that
    holds something unknown.
    """
    environ = os.environ if environ is None else environ
    given, keys = surroundings(environ)
    del environ  # holds the keys, and would show them in a traceback that prints locals
    file = read_config(given)
    hosts = given.get("EYELINE_ALLOW_HOSTS")
    return Settings(
        cache_dir=cache_dir(given, file),
        engine=given.get("EYELINE_ENGINE") or file.get("engine"),
        model=given.get("EYELINE_MODEL") or file.get("model"),
        detail=file.get("detail", "auto"),
        cache_max_mb=file.get("cache_max_mb", CACHE_MAX_MB),
        openai_key=keys["OPENAI_API_KEY"] or file.get("openai_api_key", NO_KEY),
        openai_base_url=given.get("OPENAI_BASE_URL") or file.get("openai_base_url"),
        key=keys["EYELINE_API_KEY"] or file.get("api_key", NO_KEY),
        allow_hosts=frozenset(
            hosts.replace(",", " ").split() if hosts else file.get("allow_hosts", ())
        ),
        urls=given.get("EYELINE_URLS") or file.get("urls", "auto"),
        budget_usd=file.get("budget_usd"),
        requests_per_min=file.get("requests_per_min"),
        tokens_per_min=file.get("tokens_per_min"),
        probe="EYELINE_NO_PROBE" not in given and file.get("probe", True),
        catalogue=read_catalogue(given, file),
    )


def surroundings(environ: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Secret]]:
    """Give the variables that are set, and apart from them the keys."""
    given = {name: value for name, value in environ.items() if value and name not in KEYS}
    return given, {name: secret(environ.get(name, "")) for name in KEYS}


def cache_dir(given: Mapping[str, str], file: Mapping[str, Any]) -> Path:
    named = given.get("EYELINE_CACHE_DIR") or file.get("cache_dir")
    if named:
        return Path(named).expanduser()
    return xdg(given, "XDG_CACHE_HOME", ".cache")


def xdg(given: Mapping[str, str], variable: str, default: str) -> Path:
    """
    Give eyeline's folder under an XDG base folder. Source: XDG base directory specification 0.8.
    """
    base = given.get(variable, "")
    home = Path(given.get("HOME") or Path.home())
    return (Path(base) if Path(base).is_absolute() else home / default) / "eyeline"


def config_path(given: Mapping[str, str]) -> Path:
    named = given.get("EYELINE_CONFIG")
    usual = xdg(given, "XDG_CONFIG_HOME", ".config") / "config.toml"
    return Path(named).expanduser() if named else usual


def read_config(given: Mapping[str, str]) -> Mapping[str, Any]:
    """Read the config file: the one EYELINE_CONFIG names, which must exist, or the usual one."""
    path = config_path(given)
    if "EYELINE_CONFIG" not in given and not path.is_file():
        return {}
    import tomllib

    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError("EYELINE_CONFIG", str(path), f"a file ({error.strerror})") from None
    except ValueError as error:
        raise SettingsError(str(path), str(error), "a TOML file") from None
    for key, value in found.items():
        check_entry(f"{path}: {key}", key, value)
    return {key: secret(value) if key in FILE_SECRETS else value for key, value in found.items()}


def secret(text: str) -> Secret:
    """Hide a key. Files leave a line end on one, which no header can hold."""
    return Secret(text.strip())


def check_entry(name: str, key: str, value: object) -> None:
    if key not in FILE_KEYS:
        expected = f"one of the keys {', '.join(FILE_KEYS)}{did_you_mean(key, FILE_KEYS)}"
        raise SettingsError(name, str(value), expected)
    kind = FILE_KEYS[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        expected = kind.__name__ if isinstance(kind, type) else "number"
        found = type(value).__name__ if key in FILE_SECRETS else str(value)
        raise SettingsError(name, found, f"a {expected}")


def read_catalogue(given: Mapping[str, str], file: Mapping[str, Any]) -> CatalogueFile | None:
    """
    Read the user's own catalogue: the one that EYELINE_CATALOGUE or the config file names, which
    must exist, or a catalogue.json beside the config file. What it says is read by `catalogue`.
    """
    folder = config_path(given).parent
    named, path = "EYELINE_CATALOGUE", folder / "catalogue.json"
    if named in given:
        path = Path(given[named]).expanduser()
    elif "catalogue" in file:
        # As in other config files, a relative path is relative to the file that gives it.
        named, path = "catalogue", folder / Path(file["catalogue"]).expanduser()
    elif not path.is_file():
        return None
    try:
        return CatalogueFile(str(path), path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(named, str(path), f"a file ({error.strerror})") from None
    except ValueError as error:
        raise SettingsError(str(path), str(error), "a JSON file in UTF-8") from None


@lru_cache(maxsize=8)
def catalogue(file: CatalogueFile | None) -> Catalogue:
    """
    Give the models that are known: those that come with eyeline, under those of the user's file.

    Raises SettingsError for what is no JSON, or does not fit; it names file, entry and key.
    """
    from eyeline.core.catalogue import built_in

    if file is None:
        return built_in()
    import json

    try:
        document = json.loads(file.text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise SettingsError(file.path, str(error), "a JSON file") from None
    return built_in().merged(document, file.path)
