from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eyeline.local.facts import Line
from eyeline.local.rows import rows_of, steepness_of


def line(text: str, left: int, top: int, width: int = 100, height: int = 20) -> Line:
    return Line(text, 0.9, (left, top, left + width, top + height))


boxes = st.builds(
    line,
    st.text(max_size=5),
    st.integers(0, 2000),
    st.integers(0, 2000),
    st.integers(1, 900),
    st.integers(1, 90),
)


def test_rows_are_read_from_the_top_and_each_from_the_left() -> None:
    """Pieces at one height stand in one row, whatever the order they were found in."""
    found = [line("3.10", 400, 52), line("Total", 0, 101), line("Rye bread", 0, 50)]
    assert [row.text for row in rows_of(found)] == ["Rye bread 3.10", "Total"]


def test_pieces_above_each_other_never_share_a_row() -> None:
    """Two close lines of print stay two rows."""
    assert len(rows_of([line("upper", 0, 0), line("lower", 5, 8)])) == 2


def test_tilted_rows_are_put_together() -> None:
    """Names and prices of a tilted receipt meet, though each price lies beside the next name."""
    tilt = 0.09
    found = []
    for number in range(6):
        top = 45 * number
        found.append(line(f"name {number}", 0, top, 200, 20 + round(tilt * 200)))
        found.append(line(f"{number}.00", 420, top + round(tilt * 385), 60, 20 + round(tilt * 60)))
        found.append(
            line(f"note {number}", 520, top + round(tilt * 560), 150, 20 + round(tilt * 150))
        )
    assert steepness_of(found) > 0.05
    assert [row.text for row in rows_of(found)] == [f"name {n} {n}.00 note {n}" for n in range(6)]


@given(st.lists(boxes, max_size=25))
def test_every_piece_is_in_exactly_one_row(pieces: list[Line]) -> None:
    """Reading order is a permutation: nothing is lost or read twice."""
    read = [piece for row in rows_of(pieces) for piece in row.lines]
    assert sorted(map(repr, read)) == sorted(map(repr, pieces))
