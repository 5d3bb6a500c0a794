"""The layers of the design: who may import whom, and how long things may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "src" / "eyeline"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}

RULES = {"errors", "core"}
LIMITS = {*RULES, "policy"}
FLOWS = {*LIMITS, "effects", "exchange", "answering", "looking", "once", "uploading", "flow"}
RELAYING = {"relay_body", "relay_exchange", "relay"}
DRIVEN = {*FLOWS, *RELAYING, "mend_image", "mend", "ports", "flights", "drivers"}
WIRED = {
    *DRIVEN, "adapters", "local", "settings", "version", "accounts", "notices", "wiring", "client",
    "calls", "sdk", "testing",
}  # fmt: skip
SURFACES = {*WIRED, "__init__", "bulk", "gateway"}

# Each layer, and what it may import beside itself.
MAY_IMPORT: dict[str, set[str]] = {
    "version": set(),
    "errors": set(),
    "core": {"errors"},
    "policy": RULES,
    "ports": RULES,
    "effects": LIMITS,
    "exchange": FLOWS - {"flow", "answering", "looking", "once", "uploading"},
    "uploading": {*LIMITS, "effects", "exchange"},
    "answering": {*LIMITS, "effects", "exchange", "uploading"},
    "looking": {*LIMITS, "effects", "exchange"},
    "once": {*RULES, "effects"},
    "flow": FLOWS,
    "flights": {"effects"},
    "mend_image": FLOWS,
    "mend": {*FLOWS, "mend_image"},
    "relay_body": {*FLOWS, "mend_image", "mend"},
    "relay_exchange": {*LIMITS, "effects", "exchange"},
    "relay": {*FLOWS, *RELAYING},
    "drivers": DRIVEN,
    "adapters": {*RULES, "ports", "version"},
    "local": {*RULES, "ports"},
    "settings": RULES,
    "notices": {*RULES, "ports"},
    "testing": {*RULES, "ports"},
    "accounts": {*LIMITS, "settings"},
    "wiring": WIRED - {"client", "calls", "sdk"},
    "client": {*WIRED, "bulk"} - {"calls", "sdk"},  # `Client.run`, when it is called
    "calls": WIRED,
    "sdk": WIRED,
    "__init__": {*WIRED, "bulk", "cluster"},
    "bulk": SURFACES,
    "gateway": SURFACES,
    "cluster": {*SURFACES, "cluster"},
    "cli": {*SURFACES, "cluster"},
    "__main__": {"cli"},
}

# Modules of the standard library without clock, chance, files, network or threads.
PURE = {
    "__future__", "base64", "binascii", "bisect", "blake3", "collections", "dataclasses",
    "decimal",
    "difflib",
    "email.utils", "enum", "functools", "hashlib", "ipaddress", "itertools", "json",
    "math", "operator", "pathlib",
    "pybase64", "re",
    "struct", "types", "typing", "unicodedata", "urllib.parse",
    "xml.parsers", "zlib",
}  # fmt: skip
PURE_EXCEPT = {
    "core.catalogue": {"pkgutil"},  # for the data file of its own package
    # Where the user brings them, to check with, and for TypedDict before 3.12.
    "core.schema": {"pydantic", "jsonschema", "typing_extensions"},
    "policy.limits": {"threading"},  # a lock, for limits are shared
}
ONLY_LAZY = {"pydantic", "jsonschema", "typing_extensions"}
# Ways to files, clocks and terminals that need no import.
IMPURE_CALLS = {
    "open", "print", "input", "exec", "eval", "__import__", "read_bytes", "read_text",
    "write_bytes", "write_text", "exists", "is_file", "is_dir", "stat", "iterdir", "glob", "rglob",
    "resolve_path", "expanduser", "cwd", "home", "now", "today", "utcnow", "fromtimestamp",
}  # fmt: skip


def layer(module: str) -> str:
    return module.partition(".")[0]


def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imports(node: ast.AST) -> Iterator[str]:
    """Give the full name of every module imported anywhere inside, lazily too."""
    for each in ast.walk(node):
        if isinstance(each, ast.Import):
            yield from (alias.name for alias in each.names)
        elif isinstance(each, ast.ImportFrom):
            assert not each.level, "a relative import"
            yield from imported_from(each)


def imported_from(node: ast.ImportFrom) -> Iterator[str]:
    """Give what a `from` imports; from eyeline itself, each module or name of it."""
    if node.module != "eyeline":
        yield str(node.module)
    for alias in node.names if node.module == "eyeline" else ():
        yield f"eyeline.{alias.name if alias.name in MODULES else '__init__'}"


def own(names: Iterator[str]) -> Iterator[str]:
    """Give the modules of ours among `names`, without the package's own name."""
    for name in names:
        if name == "eyeline":
            yield "__init__"
        elif name.startswith("eyeline."):
            yield name.removeprefix("eyeline.")


@pytest.mark.parametrize("module", MODULES)
def test_arrows_point_one_way(module: str) -> None:
    """A module imports its own layer and those below it, no other; a new arrow is a new design."""
    here = layer(module)
    assert here in MAY_IMPORT, f"{here} is not a layer of the design"
    for name in own(imports(tree(module))):
        assert layer(name) == here or layer(name) in MAY_IMPORT[here], f"{module} → {name}"


PURE_MODULES = [module for module in MODULES if layer(module) in ("core", "policy")]


@pytest.mark.parametrize("module", PURE_MODULES)
def test_core_and_policy_import_nothing_impure(module: str) -> None:
    """Values, rules and limits know no clock, chance, files, network, threads or Pillow."""
    allowed = PURE | PURE_EXCEPT.get(module, set())
    for name in imports(tree(module)):
        parts = name.split(".")
        prefixes = {".".join(parts[: end + 1]) for end in range(len(parts))}
        assert parts[0] == "eyeline" or prefixes & allowed, f"{module} → {name}"


@pytest.mark.parametrize("module", PURE_MODULES)
def test_core_and_policy_call_nothing_impure(module: str) -> None:
    """Neither files nor clocks are reached by a method of a pure module, as `Path.read_bytes`."""
    for call in (node for node in ast.walk(tree(module)) if isinstance(node, ast.Call)):
        name = getattr(call.func, "id", None) or getattr(call.func, "attr", None)
        assert name not in IMPURE_CALLS, f"{module}: {name}() at line {call.lineno}"


@pytest.mark.parametrize("module", PURE_MODULES)
def test_core_imports_heavy_modules_late(module: str) -> None:
    """Pydantic and jsonschema are imported inside the function that needs them."""
    for node in tree(module).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert not {name.partition(".")[0] for name in imports(node)} & ONLY_LAZY


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_too_long(module: str) -> None:
    """A module stays under 600 lines, a function under 60 without its docstring."""
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) < 600
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start = node.body[0].end_lineno if ast.get_docstring(node) else node.lineno
            assert (node.end_lineno or 0) - (start or 0) < 60, f"{module}.{node.name}"


def test_the_walk_finds_what_it_looks_for() -> None:
    """Every way to write an import is seen, lazy ones too."""
    source = (
        "import eyeline\nimport eyeline.cli.ask as a\nfrom eyeline import flow, ask\n"
        "def f():\n    from eyeline.core.size import Size\n    import os.path\n"
    )
    found = list(imports(ast.parse(source)))
    assert set(own(iter(found))) == {"__init__", "cli.ask", "flow", "core.size"}
    assert "os.path" in found
    with pytest.raises(AssertionError, match="relative"):
        list(imports(ast.parse("from . import flow")))
