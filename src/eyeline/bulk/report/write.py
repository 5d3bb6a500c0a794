"""Writes a report: one HTML file with its styles, its script and its rows."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from eyeline.bulk.columns import Columns
from eyeline.bulk.rows import Row
from eyeline.bulk.whole import whole_file
from eyeline.core.reference import FileRef, PageRef, parse_reference
from eyeline.errors import EyelineError

ROWS_MAX = 10_000
# Of more rows than are shown, all that failed up to so many, and of the others every n-th.
FAILED_MAX = 5_000
# What a browser opens at once; the rows that come after it have no picture.
PICTURE_BYTES_MAX = 36 * 10**6
TEXT_CHARS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What is said of a run as a whole. Amounts are dollars as text, `wall_s` seconds at work; what is
    not known is None.
    """

    title: str
    prompt: str
    model: str
    source: str
    rows: int
    done: int
    failed: int
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    spent_usd: str | None = None
    budget_usd: str | None = None
    in_doubt_usd: str | None = None
    wall_s: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """One row of the report: its record, its picture as JPEG or b"", the row it came from."""

    record: Mapping[str, Any] = field(repr=False)
    picture: bytes = field(default=b"", repr=False)
    row: Row | None = None


def write_report(path: str, facts: Facts, columns: Columns, rows: Iterable[Seen]) -> int:
    """
    Write the report of a run; give how many rows it shows. `rows` are those that a `Choice` takes,
    as records of the table, and are read once.
    """
    folder = Path(path).resolve().parent
    with whole_file(path) as file:
        page = Page.read()
        file.write(page.head(facts.title))
        file.write(page.data(facts, columns))
        shown = page.rows(file, columns, rows, folder)
        file.write(page.foot())
    return shown


class Choice:
    """Says which rows are shown, of `rows` in all of which `failed` failed, one after another."""

    def __init__(self, rows: int, failed: int) -> None:
        self.failed_left = failed if rows <= ROWS_MAX else min(failed, FAILED_MAX)
        self.every = max(1, -(-(rows - failed) // max(1, ROWS_MAX - self.failed_left)))
        self.others = 0

    def takes(self, record: Mapping[str, Any]) -> bool:
        if record["status"] == "failed":
            self.failed_left -= 1
            return self.failed_left >= 0
        self.others += 1
        return self.others % self.every == 1 % self.every


class Page:
    """The parts of the page that stand in files."""

    def __init__(self, html: str, css: str, script: str) -> None:
        self.css, self.script = css, script
        self.before, _, self.after = html.partition("<!-- rows -->")

    @classmethod
    def read(cls) -> Page:
        folder = files("eyeline.bulk.report")
        names = ("report.html", "report.css", "report.js")
        return cls(*((folder / name).read_text("utf-8") for name in names))

    def head(self, title: str) -> bytes:
        """Give all that comes before the rows. Nothing but this style and this script may run."""
        policy = (
            f"default-src 'none'; img-src data: file: 'self'; style-src {digest(self.css)}; "
            f"script-src {digest(self.script)}; base-uri 'none'; form-action 'none'"
        )
        filled = {
            "POLICY": policy,
            "TITLE": title.translate(ESCAPES),
            "STYLE": f"<style>{self.css}</style>",
        }
        html = self.before
        for name, text in filled.items():
            html = html.replace(f"<!-- {name} -->", text)
        return html.encode()

    def data(self, facts: Facts, columns: Columns) -> bytes:
        """Begin the data: what is said of the run, and how its rows are laid out."""
        head = {
            **{name: getattr(facts, name) for name in Facts.__slots__},
            "columns": described(columns),
        }
        return f'<script type="application/json" id="facts">{blob(head)}</script>\n'.encode()

    def rows(self, file: BinaryIO, columns: Columns, rows: Iterable[Seen], folder: Path) -> int:
        """Write the rows, each an array in the order of the columns, its picture and its place."""
        names, count, picture_bytes = columns.schema.names, 0, 0
        file.write(b'<script type="application/json" id="rows">[\n')
        for seen in rows:
            picture_bytes += len(seen.picture)
            fits = picture_bytes <= PICTURE_BYTES_MAX
            picture = b64encode(seen.picture).decode() if fits else ""
            cells = [told(seen.record.get(name)) for name in names]
            line = blob([*cells, picture, place(seen.row, folder)])
            file.write(f"{',' if count else ''}{line}\n".encode())
            count += 1
        file.write(b"]</script>\n")
        return count

    def foot(self) -> bytes:
        script = f"<script>{self.script}</script>"
        return self.after.replace("<!-- SCRIPT -->", script).encode()


def digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


# What could end a script or a tag, or begin one; in JSON only strings can hold it.
ESCAPES = {ord("<"): "&lt;", ord(">"): "&gt;", ord("&"): "&amp;", ord('"'): "&quot;"}
IN_SCRIPT = str.maketrans(
    {char: f"\\u{ord(char):04x}" for char in ("<", ">", "&", "\u2028", "\u2029")}
)


def blob(value: Any) -> str:
    """Give JSON that stands in a script tag and cannot leave it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    # Half a surrogate pair, of a file name that is no text, has no bytes.
    return text.translate(IN_SCRIPT).encode("utf-8", "replace").decode()


def told(value: Any) -> Any:
    """Give a cell as JSON that a browser reads exactly enough: dollars as a number."""
    match value:
        case str():
            return value if len(value) <= TEXT_CHARS_MAX else f"{value[:TEXT_CHARS_MAX]}…"
        case float() | Decimal():
            number = float(value)
            return number if number - number == 0 else str(value)
        case bytes():
            return f"{len(value):,} bytes"
        case datetime() | date() | time():
            return value.isoformat()
    return value


def place(row: Row | None, folder: Path) -> str:
    """Give the address of a row's first image from the report, "" where it is no file here."""
    try:
        reference = parse_reference(row.images[0]) if row is not None and row.images else None
    except EyelineError:
        return ""
    file = reference.file if isinstance(reference, PageRef) else reference
    if not isinstance(file, FileRef):
        return ""
    return quote(os.fsencode(os.path.relpath(file.path, folder)))


def described(columns: Columns) -> list[dict[str, str]]:
    """Say of each column what it is called, where it comes from and how it is shown."""
    answers = {column: name for name, column in columns.answers.items()}
    kept = {column: name for name, column in columns.kept.items()}
    made = []
    for column in columns.schema:
        role = "answer" if column.name in answers else "kept" if column.name in kept else "fixed"
        label = answers.get(column.name) or kept.get(column.name) or column.name
        kind = "json" if column.name in columns.as_json else kind_of(str(column.type))
        made.append({"name": column.name, "label": label, "role": role, "kind": kind})
    return made


def kind_of(arrow_type: str) -> str:
    if arrow_type.startswith(("int", "uint", "float", "double", "half", "decimal")):
        return "number"
    if arrow_type.startswith(("list", "struct", "large_list", "map")):
        return "json"
    return {"bool": "boolean"}.get(arrow_type, "text")
