"""The tables in what a benchmark prints: a head, and rows of a name and figures."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

ROW = re.compile(r"(?P<name>\S.*?) {2,}(?P<figures>[-+]?[\d.,]+%?(?:\s+[-+]?[\d.,]+%?)*)\b.*")
GAP = re.compile(r" {2,}")


@dataclass
class Table:
    """`columns` are what stands above the figures, as far as the head says it."""

    title: str
    columns: list[str]
    rows: dict[str, list[float]] = field(default_factory=dict)


def tables(text: str) -> list[Table]:
    """Find runs of two or more rows; the line before one is its head."""
    found: list[Table] = []
    head, is_open = "", False
    for line in text.splitlines():
        row = ROW.fullmatch(line.rstrip())
        if row is None:
            head, is_open = line, False
            continue
        if not is_open:
            found.append(begun(head))
            is_open = True
        figures = re.findall(r"[-+]?\d[\d.,]*", row["figures"])
        found[-1].rows[row["name"]] = [float(each.replace(",", "")) for each in figures]
    return [each for each in found if len(each.rows) > 1]


def begun(head: str) -> Table:
    title, *columns = GAP.split(f" {head}" if head[:1] != " " else head)
    return Table(title.strip(), [column.strip() for column in columns])
