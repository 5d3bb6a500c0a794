from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.local import find


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("18.04", "18.04"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1'234.50", "1234.50"),
        ("1 234,5", "1234.5"),
        ("1.234", "1234"),
        ("12,5", "12.5"),
        ("1.234.567", "1234567"),
        ("7", "7"),
    ],
)
def test_numbers_are_read_with_either_decimal_sign(number: str, value: str) -> None:
    """The last of two different signs is the point; three digits behind one alone are thousands."""
    assert find.parse_amount(number) == Decimal(value)


@given(st.integers(0, 10**9), st.booleans())
def test_written_amounts_are_read_back(cents: int, is_german: bool) -> None:
    """An amount written in the English or the German way is the amount it was."""
    value = Decimal(cents) / 100
    text = f"{value:,.2f}"
    if is_german:
        text = text.translate(str.maketrans(",.", ".,"))
    assert find.parse_amount(text) == value
    assert [amount.value for amount in find.amounts(f"Price {text} EUR")] == [value]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("TOTAL EUR 18.04", ["18.04 EUR"]),
        ("€1.234,56", ["1.234,56 EUR"]),
        ("$5", ["5 USD"]),
        ("2 x 3.10 6.20", ["3.10", "6.20"]),
        ("Refund -4.00", ["-4.00"]),
        ("Olive oil 0,5 l 8,49", ["8,49"]),
        ("21.11.2026 17:42", []),
        ("version 1.2.3 of 192.168.1.10", []),
        ("VAT 20% 4.00", ["4.00"]),
        ("Room 204", []),
    ],
)
def test_amounts_are_money_and_nothing_else(row: str, found: list[str]) -> None:
    """Two decimals or a currency make an amount; dates, versions and plain numbers are none."""
    assert [str(amount) for amount in find.amounts(row)] == found


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (
            ["Subtotal 10.00", "Tax 2.00", "TOTAL 12.00 EUR", "Total items 5", "Cash 20.00"],
            "12.00 EUR",
        ),
        (["Sub Total", "10.00", "Total", "12.00"], "12.00"),
        (["Zwischensumme 3,00", "SUMME EUR 1.234,56"], "1.234,56 EUR"),
        (["Grand total $7.00", "Total 3.00"], "7.00 USD"),
        (["The amount due is", "1,284.50 EUR, by December"], "1,284.50 EUR"),
        (["Total", "Cheese 4.00"], None),
        (["Total savings 4.00", "Balance due £7"], "7 GBP"),
        (["Grand total £240.00", "Amount due £0.00"], "240.00 GBP"),
        (["Total £240.00", "Total due £0.00"], "240.00 GBP"),
        (["Total due £50.00"], "50.00 GBP"),
        (["nothing here"], None),
    ],
)
def test_the_total_is_the_sum_to_pay(rows: list[str], found: str | None) -> None:
    """Subtotals, taxes, numbers of items and savings are not the total."""
    total = find.total(rows)
    assert (str(total) if total else None) == found


@pytest.mark.parametrize(
    ("row", "day"),
    [
        ("2026-11-21 17:42", (2026, 11, 21)),
        ("Date: 21.11.2026", (2026, 11, 21)),
        ("21. Nov. 2026", (2026, 11, 21)),
        ("November 3rd, 2026", (2026, 11, 3)),
        ("3 of May 2025", (2025, 5, 3)),
        ("13/04/26", (2026, 4, 13)),
        ("04/13/2026", (2026, 4, 13)),
    ],
)
def test_dates_are_read_where_they_are_certain(row: str, day: tuple[int, int, int]) -> None:
    """Every common way of writing a date gives its day."""
    assert [date.day for date in find.dates(row)] == [datetime.date(*day)]


def test_a_date_that_could_be_two_has_no_day() -> None:
    """03/04 is March or April, so the text is given and the day is not."""
    assert [(date.text, date.day) for date in find.dates("on 03/04/2026")] == [("03/04/2026", None)]


def test_dates_no_calendar_has_are_no_dates() -> None:
    """The 31st of April is a part number."""
    assert find.dates("31.04.2026") == ()


def test_a_lost_space_between_date_and_time_is_put_back() -> None:
    """Glued by the recogniser, they are a date and a time, and no telephone number."""
    row = find.mend("2026-11-2117:42")
    assert [date.text for date in find.dates(row)] == ["2026-11-21"]
    assert find.times(row) == ("17:42",)
    assert find.phones(row) == ()


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("at 09:00 and 16:30", ("09:00", "16:30")),
        ("5 pm", ("5 pm",)),
        ("17.42 Uhr", ("17.42 Uhr",)),
        ("25:10", ()),
        ("17.42", ()),
        ("1:2:3:4", ()),
    ],
)
def test_times_are_times_of_day(row: str, found: tuple[str, ...]) -> None:
    """A price is no time, nor is an hour that no day has."""
    assert find.times(row) == found


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("Tel. 030 1234567", ("030 1234567",)),
        ("+44 1632 960018", ("+44 1632 960018",)),
        ("call 555-123-4567", ("555-123-4567",)),
        ("(020) 7946 0958", ("(020) 7946 0958",)),
        ("5901234123457", ()),
        ("Order 4711-2233-44", ()),
        ("2026-11-21", ()),
    ],
)
def test_telephone_numbers_are_marked_as_such(row: str, found: tuple[str, ...]) -> None:
    """Long numbers without a plus, brackets, dashes or a word before them are not called."""
    assert find.phones(row) == found


def test_addresses_are_told_apart() -> None:
    """The domain of an e-mail address is no link, and a file name is neither."""
    row = "mail a.b@example.org, see www.x.org/a. or shop.example, not notes.txt"
    assert find.emails(row) == ("a.b@example.org",)
    assert find.links(row) == ("www.x.org/a", "shop.example")


@pytest.mark.parametrize("row", ["Error 403: address is missing", "Login failed", "File not found"])
def test_rows_that_tell_of_failure_are_errors(row: str) -> None:
    """What went wrong is given as the whole row."""
    assert list(find.errors([row])) == [(0, row)]


@given(st.text(alphabet="0123456789.,:/-+() €$EURaeTotal\n@", max_size=40))
def test_finders_take_any_text(row: str) -> None:
    """No row of text makes a finder fail, and what is found stands in the row."""
    for finder in (find.times, find.phones, find.emails, find.links):
        assert all(found in row for found in finder(row))
    assert all(date.text in row for date in find.dates(row))
    assert all(amount.value.is_finite() for amount in find.amounts(row))
    assert find.total([row]) is None or find.amounts(row)
    find.mend(row)
