"""The order in which pieces of text are read: rows from the top, each from left to right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from statistics import median

from eyeline.local.facts import Line, Row

SAME_ROW = 0.5
"""Two pieces share a row if their centres are closer than this part of the lower one's height."""

TILT_MIN = 0.03
"""Rise over run below which a row of print still reads as level."""

TILTS_TRIED = (0.6, 0.8, 1.0, 1.2, 1.5)
"""Parts of the estimated tilt, as boxes tell it roughly."""

PIECES_COMPARED = 80
"""Enough to estimate a tilt; every pair of them is compared."""


def rows_of(lines: Iterable[Line]) -> tuple[Row, ...]:
    """Put the pieces in rows, level or tilted; every piece is in exactly one."""
    pieces = tuple(lines)
    level = grouped(pieces, 0.0)
    steepness = steepness_of(pieces)
    if steepness < TILT_MIN:
        return level
    tilted = (grouped(pieces, sign * part * steepness) for part in TILTS_TRIED for sign in (1, -1))
    # Along the true tilt the names and prices of a receipt meet, so the rows are fewest.
    return min((level, *tilted), key=len)


def grouped(pieces: Iterable[Line], tilt: float) -> tuple[Row, ...]:
    """Put the pieces in rows that fall by `tilt` pixels for every pixel to the right."""
    rows: list[list[Line]] = []
    for line in sorted(pieces, key=lambda line: (middle(line, tilt), line.box[0])):
        if rows and continues(rows[-1], line, tilt):
            rows[-1].append(line)
        else:
            rows.append([line])
    return tuple(Row(tuple(sorted(row, key=lambda line: line.box[0]))) for row in rows)


def continues(row: Sequence[Line], line: Line, tilt: float) -> bool:
    """Say whether `line` stands beside the last piece of `row`, not below or upon it."""
    last = row[-1]
    apart_px = abs(middle(line, tilt) - middle(last, tilt))
    is_level = apart_px < SAME_ROW * min(line.height_px, last.height_px)
    return is_level and not any(overlaps(line, other) for other in row)


def middle(line: Line, tilt: float) -> float:
    """Give the height of the piece's centre where its row meets the left edge."""
    left, top, right, bottom = line.box
    return (top + bottom) / 2 - tilt * (left + right) / 2


def overlaps(one: Line, other: Line) -> bool:
    """Say whether one piece stands above the other for more than half of the shorter."""
    common_px = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    return common_px > 0.5 * min(width_px(one), width_px(other))


def width_px(line: Line) -> int:
    return line.box[2] - line.box[0]


def steepness_of(pieces: Sequence[Line]) -> float:
    """
    Estimate the tilt without its sign: the box of a tilted line grows taller as it grows longer.

    The median over all pairs (Theil and Sen) does not mind a headline in larger print.
    """
    rises = [
        (one.height_px - other.height_px) / (width_px(one) - width_px(other))
        for one, other in combinations(pieces[:PIECES_COMPARED], 2)
        if abs(width_px(one) - width_px(other)) > max(one.height_px, other.height_px)
    ]
    return median(rises) if rises else 0.0
