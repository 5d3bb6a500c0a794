"""`eyeline check`: what is wrong with the images of request bodies, and the bodies mended."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eyeline.cli.terminal import note, safe, write_answer
from eyeline.errors import SettingsError

if TYPE_CHECKING:
    from eyeline.core.misplaced import Finding
    from eyeline.core.parts import Api


@dataclass(frozen=True, slots=True)
class Entry:
    """One body, the `request` it stands in, and its line, 0 where the file is one body."""

    body: Any = field(repr=False)
    line: int = 0
    request: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def api(self) -> Api | None:
        """The API that a Batch request names."""
        url = str(self.request.get("url", "")) if self.request else ""
        if url.endswith("/chat/completions"):
            return "chat"
        return "responses" if url.endswith("/responses") else None

    def with_body(self, body: Any) -> Any:
        return {**self.request, "body": body} if self.request else body


@click.command("check")
@click.argument("file", metavar="FILE|-")
@click.option("--fix", is_flag=True, help="Write the mended JSON to stdout, findings to stderr.")
@click.option("-o", "--output", metavar="OUT", help="With --fix: where to write instead.")
@click.option("-m", "--model", metavar="MODEL", help="The model, where the body names none.")
@click.option("--api", type=click.Choice(["chat", "responses"]), help="The API it is for.")
@click.option("--json", "as_json", is_flag=True, help="Print one object for each finding.")
def command(
    file: str, fix: bool, output: str | None, model: str | None, api: Api | None, as_json: bool
) -> int:
    """
    Find what is wrong with the images of FILE: a request body, a list of messages or input items,
    or JSON Lines of those or of Batch API requests.

    Nothing is sent or fetched. Exit status: 0 nothing found, or all of it mended; 1 findings; 2
    FILE cannot be read.
    """
    from eyeline.calls import mended

    if output and not fix:
        raise SettingsError("--output", output, "--fix beside it")
    status, out = 0, []
    for entry in read_entries(file):
        named = None if has_model(entry.body) else model
        found = mended(entry.body, named, api or entry.api, finds_only=not fix)
        show(found.findings, entry, to_stderr=fix, as_json=as_json)
        if any(not (fix and each.mend) for each in found.findings):
            status = 1
        out.append(entry.with_body(found.body))
    if fix:
        write_fixed(out, output)
    return status


def has_model(body: Any) -> bool:
    return isinstance(body, Mapping) and isinstance(body.get("model"), str)


def read_entries(file: str) -> list[Entry]:
    """Read a file of one body, or of one on each line. Raises SettingsError for what is neither."""
    text = read_text(file)
    try:
        return [entry(json.loads(text))]
    except (ValueError, RecursionError) as error:
        lines = [(at, line) for at, line in enumerate(text.split("\n"), 1) if line.strip()]
        if len(lines) < 2:
            raise SettingsError(file, str(error), "JSON, or JSON Lines") from None
    return [read_line(file, at, line) for at, line in lines]


def read_text(file: str) -> str:
    try:
        return sys.stdin.buffer.read().decode() if file == "-" else Path(file).read_text("utf-8")
    except OSError as error:
        raise SettingsError("FILE", file, f"a file that can be read ({error.strerror})") from None
    except ValueError:
        raise SettingsError("FILE", file, "JSON in UTF-8") from None


def read_line(file: str, at: int, line: str) -> Entry:
    try:
        return entry(json.loads(line), at)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{file}: line {at}", str(error), "JSON") from None


def entry(value: Any, line: int = 0) -> Entry:
    """Take a body out of the Batch request that it may stand in."""
    if isinstance(value, Mapping) and isinstance(value.get("body"), Mapping):
        return Entry(value["body"], line, value)
    return Entry(value, line)


def show(findings: Iterable[Finding], entry: Entry, *, to_stderr: bool, as_json: bool) -> None:
    for each in findings:
        if as_json:
            at = {"line": entry.line} if entry.line else {}
            text = json.dumps(at | each.to_json(), ensure_ascii=False)
        else:
            at_line = f"line {entry.line}: " if entry.line else ""
            text = at_line + layout(each, is_mended=to_stderr)
        if to_stderr:
            note(safe(text))
        else:
            write_answer(text)


def layout(finding: Finding, *, is_mended: bool) -> str:
    mend = finding.mend if is_mended or not finding.mend else f"--fix: {finding.mend}"
    return f"{finding.level}: {finding.message}" + (f"; {mend}" if mend else "")


def write_fixed(bodies: list[Any], output: str | None) -> None:
    text = "".join(f"{json.dumps(body)}\n" for body in bodies)
    if not output or output == "-":
        write_answer(text)
        return
    try:
        Path(output).write_text(text, "utf-8")
    except OSError as error:
        expected = f"a file that can be written ({error.strerror})"
        raise SettingsError("--output", output, expected) from None
    note(f"{safe(output)}: {len(text):,} bytes")
