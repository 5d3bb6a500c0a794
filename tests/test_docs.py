"""The documents tell the truth of today: commands, options, errors, settings and code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from eyeline import errors
from eyeline.cli.group import COMMANDS, commands

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def option_names() -> list[tuple[str, str]]:
    context = click.Context(commands)
    found = []
    for name in COMMANDS:
        command = commands.get_command(context, name)
        assert command is not None
        options = [each for each in command.params if isinstance(each, click.Option)]
        found += [(name, flag) for option in options for flag in option.opts]
    return found


@pytest.mark.parametrize(("command", "flag"), option_names())
def test_every_option_is_documented(command: str, flag: str) -> None:
    """docs/cli.md names each option of each command in that command's section."""
    sections = (ROOT / "docs/cli.md").read_text("utf-8").split("\n## eyeline ")
    by_name = {section.split()[0]: section for section in sections[1:]}
    where = by_name["ask" if command == "describe" else command]
    assert re.search(rf"`{flag}[ `]", where), f"{flag} of {command}"


def test_every_error_is_documented() -> None:
    """docs/errors.md names each class with its exit status and hint."""
    page = (ROOT / "docs/errors.md").read_text("utf-8")
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.EyelineError):
            hint = kind.hint if isinstance(kind.hint, str) else "depends on what was found"
            row = rf"`{name}` \| {kind.exit_code} \| .* \| {re.escape(hint)} \|"
            assert re.search(row, page), name


def test_every_variable_is_documented() -> None:
    """docs/engines.md names each environment variable that the settings read."""
    source = (ROOT / "src/eyeline/settings.py").read_text("utf-8")
    page = (ROOT / "docs/engines.md").read_text("utf-8")
    for name in set(re.findall(r'"((?:EYELINE|OPENAI|XDG)_[A-Z_]+)"', source)):
        assert f"`{name}`" in page, name


def test_links_lead_somewhere() -> None:
    """Every relative link in the README and docs names a file that is there."""
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_readme_python_runs() -> None:
    """The README's Python block runs as it stands, with no key."""
    block = re.search(r"```python\n(.*?)```", README, re.S)
    assert block is not None
    done = subprocess.run(
        [sys.executable, "-c", block[1]], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "EXIT 24" in done.stdout
    assert "18.04" in done.stdout


def test_readme_shows_what_the_first_command_prints() -> None:
    """The README's console lines are what the first command prints today."""
    command = ["ask", "What does the sign say?", "examples/street-sign.jpg"]
    done = subprocess.run(
        [sys.executable, "-m", "eyeline", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr + done.stdout in README
    line = f'eyeline {command[0]} "{command[1]}" {command[2]}'
    assert README.count(line) >= 2


def test_ci_runs_the_readmes_command() -> None:
    """CI calls the test command that the README gives."""
    assert "\n```sh\n./check\n```\n" in README
    assert (ROOT / ".ci/run").read_text("utf-8").rstrip().endswith("\n./check")
