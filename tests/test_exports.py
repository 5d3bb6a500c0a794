"""What `import eyeline` gives, and what it leaves alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

import eyeline

HEAVY = ["PIL", "urllib3", "aiohttp", "sqlite3", "numpy", "onnxruntime", "openai", "asyncio"]


def run(code: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", eyeline.__all__)
def test_every_name_is_there(name: str) -> None:
    """Each exported name resolves, stands in `dir`, and stays the same object."""
    assert getattr(eyeline, name) is getattr(eyeline, name)
    assert name in dir(eyeline)


def test_names_are_told_once() -> None:
    """Each name is exported once, and has one home."""
    assert len(set(eyeline.__all__)) == len(eyeline.__all__)
    assert {*eyeline.HOME, "__version__"} == {*eyeline.__all__}


def test_a_star_import_takes_them_all() -> None:
    """`from eyeline import *` gives every exported name."""
    names = run("from eyeline import *; print(*globals())").split()
    assert {*eyeline.__all__} <= {*names}


def test_an_unknown_name_is_told() -> None:
    """A name that is not there is an AttributeError that gives it."""
    with pytest.raises(AttributeError, match="'eyeline' has no attribute 'asc'"):
        eyeline.asc  # noqa: B018


def loaded_after(code: str) -> list[str]:
    return run(f"import sys; {code}; print(*(set({HEAVY}) & set(sys.modules)))").split()


def test_importing_it_loads_nothing_heavy() -> None:
    """`import eyeline` leaves image, network, database and number libraries where they are."""
    assert loaded_after("import eyeline") == []


def test_an_estimate_loads_nothing_heavy() -> None:
    """An estimate of a file reads its header with nothing but our own code."""
    code = (
        "import eyeline; from eyeline.testing import tiny_png; "
        "eyeline.estimate(tiny_png(), model='gpt-6-luna')"
    )
    assert loaded_after(code) == []


def test_a_blocking_client_needs_no_event_loop() -> None:
    """A Client is made, with its transport and cache, without asyncio."""
    found = loaded_after("import eyeline; eyeline.Client(base_url='http://127.0.0.1:9/v1')")
    assert "asyncio" not in found
    assert "aiohttp" not in found
    assert "PIL" not in found
