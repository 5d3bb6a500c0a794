"""A run in a notebook: one cell's output that is drawn anew, and the result as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from eyeline.bulk.watch import Snapshot
from eyeline.bulk.watches import counts, doing, money, pace, rows

STYLE = (
    "font:13px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums;color:inherit;"
    "max-width:52rem"
)
TRACK = "height:4px;margin:4px 0;background:rgba(128,128,128,.25);border-radius:2px"
BAR = "height:4px;width:{:.1%};background:#2f7d4f;border-radius:2px"


class Cell:
    """Draws into the output of the cell that runs."""

    every_s = 0.5

    def __init__(self, out: str) -> None:
        from IPython.display import HTML, display

        self.out, self.html = out, HTML
        self.handle = display(HTML(""), display_id=True)

    def show(self, snapshot: Snapshot) -> None:
        if self.handle is not None:
            self.handle.update(self.html(drawn(self.out, snapshot)))

    def end(self) -> None:
        """Leave the place empty; the result renders itself."""
        if self.handle is not None:
            self.handle.update(self.html(""))


def drawn(out: str, snapshot: Snapshot) -> str:
    """Give the panel as HTML."""
    ended = snapshot.done + snapshot.failed
    share = min(1.0, ended / snapshot.rows_total) if snapshot.rows_total else 0.0
    head = f"<b>{escape(out)}</b> {escape(rows(snapshot))}"
    bar = f'<div style="{TRACK}"><div style="{BAR.format(share)}"></div></div>'
    first = escape(" · ".join([*pace(snapshot), *counts(snapshot)]))
    second = escape(" · ".join([*money(snapshot), doing(snapshot)]))
    return f'<div style="{STYLE}">{head}{bar}{first}<br>{second}</div>'


def result_html(head: str, rows: Iterable[Mapping[str, Any]], names: Iterable[str]) -> str:
    """Give the end of a run as HTML: its figures, and its first rows."""
    cell = 'style="text-align:left;vertical-align:top;padding:2px 12px 2px 0"'
    names = tuple(names)
    heads = "".join(f"<th {cell}>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td {cell}>{shown(row.get(name))}</td>" for name in names) + "</tr>"
        for row in rows
    )
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div style="{STYLE}">{escape(head)}{table}</div>'


def shown(value: Any, chars_max: int = 200) -> str:
    text = "" if value is None else str(value)
    return escape(text if len(text) <= chars_max else f"{text[:chars_max]}…")
