"""What is imported is declared, what is declared is used and told with its licence."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "src" / "eyeline"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CORE = [Requirement(each) for each in PROJECT["dependencies"]]
EXTRAS = {
    name: [Requirement(each) for each in given]
    for name, given in PROJECT["optional-dependencies"].items()
    if name != "all"
}
DIRECT = [*CORE, *(each for given in EXTRAS.values() for each in given)]

# Never imported by us: what another package loads for itself, and whose.
LOADED_BY = {
    "httptools": "uvicorn",
    "uvloop": "uvicorn",
    "python-multipart": "starlette",
    "onnxruntime": "rapidocr",
}
# Not declared: what a declared package brings, or what is there only where the user works with it.
BROUGHT_BY = {"pydantic": "openai", "anyio": "openai", "typing-extensions": "openai"}
OF_THE_USER = {"opentelemetry", "IPython"}
# Which extras a folder may take for granted; all others are asked for where they are used.
TAKEN = {
    "bulk": {"bulk"},
    "gateway": {"gateway"},
    "local": {"local", "rapidocr", "vlm"},
    "adapters": {"fast", "pdf", "local"},
    "cli": {"bulk", "gateway"},
    "cluster": {"bulk", "ray"},
}


PROVIDED = packages_distributions()


def distribution(module: str) -> str:
    """Give the package that a module comes from."""
    return canonicalize_name(PROVIDED.get(module, [module])[0])


@cache
def imports(path: Path) -> set[str]:
    """Give the packages of others that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    tops = {name.partition(".")[0] for name in names}
    return {distribution(top) for top in tops - sys.stdlib_module_names - OF_THE_USER - {"eyeline"}}


def named(requirements: list[Requirement]) -> set[str]:
    return {canonicalize_name(each.name) for each in requirements}


FILES = sorted(SOURCES.rglob("*.py"))


def test_what_is_imported_is_declared() -> None:
    """Each folder imports the core's dependencies, and those of the extras that it is for."""
    core = named(CORE) | {name for name, by in BROUGHT_BY.items() if by in named(CORE)}
    undeclared = {}
    for path in FILES:
        folder = path.relative_to(SOURCES).parts[0]
        allowed = core | {name for extra in TAKEN.get(folder, ()) for name in named(EXTRAS[extra])}
        if more := imports(path) - allowed:
            undeclared[str(path.relative_to(SOURCES))] = more
    assert not undeclared


def test_what_is_declared_is_used() -> None:
    """No dependency is left over."""
    used = {name for path in FILES for name in imports(path)}
    words = "\n".join(path.read_text("utf-8") for path in FILES)
    # Weights and lists are read as files of a package, by its name.
    used |= {each.name for each in DIRECT if each.name.replace("-", "_") in words}
    loaded = {name for name, by in LOADED_BY.items() if by in named(DIRECT)}
    assert named(DIRECT) - {canonicalize_name(name) for name in used} - loaded == set()


@pytest.mark.parametrize("required", DIRECT, ids=lambda each: each.name)
def test_what_is_installed_is_not_older_than_declared(required: Requirement) -> None:
    """What these tests run with is what users may have."""
    try:
        installed = version(required.name)
    except PackageNotFoundError:
        pytest.skip("not installed here")
    assert required.specifier.contains(installed, prereleases=True)
    assert required.specifier, "has no lower bound"


def test_every_dependency_is_told_with_its_licence() -> None:
    """The docs say of each direct dependency what it is for and under which licence it comes."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| (.+?) \| .+? \| .+? \| (.+?) \|$", text, re.MULTILINE)
    told = {
        canonicalize_name(name.strip())
        for names, licence in rows
        for name in names.partition(" (")[0].split(",")
        if licence.strip("- ")
    }
    assert named(DIRECT) - told == set()
