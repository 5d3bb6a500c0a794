"""Find amounts, dates, times, addresses and the like in rows of text."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from eyeline.local.words import WEEKDAY, words

CURRENCIES = {
    "€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR", "₽": "RUB", "₺": "TRY", "zł": "PLN",
}  # fmt: skip
"""Signs with the code most texts mean by them (ISO 4217)."""

CODES = (
    "EUR USD GBP JPY CHF SEK NOK DKK PLN CZK HUF RON CAD AUD NZD INR CNY BRL MXN TRY ZAR SGD HKD"
)

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
GERMAN_MONTHS = {"mär": 3, "mai": 5, "okt": 10, "dez": 12}

CURRENCY = rf"(?:{'|'.join(map(re.escape, CURRENCIES))}|\b(?:{'|'.join(CODES.split())})\b)"
NUMBER = r"\d{1,3}(?:[.,'’ ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?!\d)"
AMOUNT = re.compile(
    rf"(?P<before>{CURRENCY})?\s?(?<![\d.,:/-])(?P<minus>[-−]\s?)?(?P<number>{NUMBER})"
    rf"(?![\d:/%]|[.,-]\d)\s?(?P<after>{CURRENCY})?",
    re.IGNORECASE,
)

DATE_NUMERIC = re.compile(
    r"(?<![\d./-])(?:(?P<year>\d{4})(?P<sep>[-/.])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})"
    r"|(?P<first>\d{1,2})(?P<sep2>[-/.])(?P<second>\d{1,2})(?P=sep2)(?P<late>\d{4}|\d{2}))"
    r"(?![\d-]|[./]\d)"
)
MONTH = r"(?P<name>jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-zé]{0,7}\.?"
DATE_NAMED = re.compile(
    rf"\b(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.?\s?(?:of )?{MONTH},?\s?(?P<year>\d{{4}})"
    rf"|{MONTH.replace('name', 'name2')}\s?(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?"
    r",?\s+(?P<year2>\d{4}))\b",
    re.IGNORECASE,
)
TIME = re.compile(
    r"(?<![\d:.,])(?:(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:\s?[ap]\.?m\b\.?)?"
    r"|(?:1[0-2]|0?[1-9])(?:\.[0-5]\d)?\s?[ap]\.?m\b\.?"
    r"|(?:[01]?\d|2[0-3])[.h][0-5]\d\s?(?:uhr|h)\b)(?![\d:])",
    re.IGNORECASE,
)
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}", re.IGNORECASE)
URL = re.compile(
    r"https?://[^\s<>\"”]+|www\.[^\s<>\"”]+"
    r"|(?<![\w@.-])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|edu|gov|info|io|dev|app|eu|de|uk|fr|es|it|nl|ch|at"
    r"|be|pl|se|no|dk|fi|ie|us|ca|au|nz|jp|in|br|example)(?:/[^\s<>\"”]*)?(?![\w@.-]*@)(?!\w)",
    re.IGNORECASE,
)
PHONE = re.compile(r"(?<![\w.,/-])(?:\+|\()?\d[\d\s().\-/]{5,20}\d(?![\d.,]*\d)(?!\w)")
PHONE_WORD = re.compile(
    r"\b(?:tel|phone|telephone|telefon|call|mobile|fax|fon|hotline|cell)\b", re.I
)
ERROR = re.compile(
    r"\b(?:errors?|fail(?:ed|s|ure)?|exception|warning|fatal|denied|invalid|cannot|can['’]t"
    r"|could not|couldn['’]t|unable|not found|refused|unsuccessful|crash(?:ed)?|forbidden"
    r"|unauthori[sz]ed|timed out|went wrong|not responding|fehler|erreur)\b",
    re.IGNORECASE,
)

TO_PAY = (
    r"(?:total|amount|balance) (?:due|to pay|payable|owed|outstanding)"
    r"|to pay|zu zahlen|net [àa] payer"
)
TOTALS = (
    r"grand total|gesamtbetrag|total general|total ttc",
    r"(?<!sub)(?<!sub[ -])(?:total|totale|totaal|gesamt|summe|celkem|razem|suma)\b"
    r"(?! (?:due|to pay|payable|owed|outstanding|paid))",
    TO_PAY,
    r"amount|balance|betrag|montant|importe",
)
"""Names of the sum; those of an earlier line are believed before those of a later."""

NOT_TOTAL = re.compile(
    r"sub-?\s?total|zwischensumme|\b(?:items?|qty|tax|vat|mwst|savings?|discount)\s+total"
    r"|\b(?:total|number of)\s+(?:items?|articles?|qty|quantity|pieces|savings?|saved|discounts?"
    r"|tax|vat|points)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Amount:
    """
    A sum of money as it stands in the text, and what names it there if it is a total.

    `currency` is an ISO 4217 code, or empty.
    """

    text: str
    value: Decimal
    currency: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.currency}".strip()


@dataclass(frozen=True, slots=True)
class Date:
    """A date as it stands in the text; `day` is None where day and month could be swapped."""

    text: str
    day: datetime.date | None


def mend(text: str) -> str:
    """Put back the spaces that recognisers lose between a date and a time, and double ones out."""
    text = re.sub(r"(\d{4}-\d{2}-\d{2})(\d{1,2}:\d{2})", r"\1 \2", text)
    text = re.sub(r"(\d{1,2}([./])\d{1,2}\2\d{4})(\d{2}:\d{2})", r"\1 \3", text)
    return " ".join(text.split())


def parse_amount(number: str) -> Decimal:
    """
    Read a number with either sign as decimal point.

    With both signs the last is the point; one that stands alone before exactly three digits, or
    that repeats, groups thousands, as prices have two decimals and not three.
    """
    bare = re.sub(r"[\s'’]", "", number)
    point = max(bare.rfind("."), bare.rfind(","))
    if point < 0:
        return Decimal(bare)
    sign, decimals = bare[point], bare[point + 1 :]
    if bare.count(sign) > 1 or (len(decimals) == 3 and not re.search(r"[.,]", bare[:point])):
        return Decimal(re.sub(r"[.,]", "", bare))
    return Decimal(f"{re.sub(r'[.,]', '', bare[:point])}.{decimals or '0'}")


def amounts(row: str) -> tuple[Amount, ...]:
    """Find sums of money: numbers with two decimals or with a currency beside them."""
    rest = blank(row, DATE_NUMERIC, DATE_NAMED, TIME)
    return tuple(filter(None, map(amount_of, AMOUNT.finditer(rest))))


def amount_of(match: re.Match[str]) -> Amount | None:
    number, sign = match["number"], (match["before"] or match["after"] or "")
    if not sign and not re.search(r"[.,]\d{2}$", number):
        return None
    minus = "-" if match["minus"] else ""
    currency = CURRENCIES.get(sign.lower(), sign.upper())
    return Amount(minus + number, parse_amount(number) * (-1 if minus else 1), currency)


def currency_of(rows: Iterable[str]) -> str:
    """Give the one currency the text speaks of, as an ISO code, or nothing if none or several."""
    signs = {match.upper() for row in rows for match in re.findall(CURRENCY, row, re.IGNORECASE)}
    found = {CURRENCIES.get(sign.lower(), sign) for sign in signs}
    return found.pop() if len(found) == 1 else ""


def total(rows: Sequence[str], *, to_pay: bool = False) -> Amount | None:
    """
    Find the sum: the last amount on the row that names it, or alone on the next.

    What is still to pay may be less than the total, and is preferred to it only if asked for.
    """
    for names in (TO_PAY, *TOTALS) if to_pay else TOTALS:
        found = [amount for i in range(len(rows)) if (amount := total_at(rows, i, names))]
        if found:
            last = found[-1]
            return replace(last, currency=last.currency or currency_of(rows))
    return None


def total_at(rows: Sequence[str], index: int, names: str) -> Amount | None:
    """Give the amount that row `index` gives for one of `names`, if it names one."""
    row = rows[index]
    name = re.search(rf"\b(?:{names})", row, re.IGNORECASE)
    if not name or NOT_TOTAL.search(row):
        return None
    if after := amounts(row[name.end() :]):
        return replace(after[-1], name=name[0])
    ends_here = re.fullmatch(r"(?:\W|\bis\b|\bof\b)*", row[name.end() :], re.IGNORECASE)
    below = rows[index + 1] if ends_here and index + 1 < len(rows) else ""
    starts = re.match(rf"(?:{CURRENCY})?\s*\d", below, re.IGNORECASE)
    return next((replace(each, name=name[0]) for each in amounts(below)), None) if starts else None


def dates(row: str) -> tuple[Date, ...]:
    """Find dates, in the order they stand; those no calendar has are left out."""
    matches = [*DATE_NUMERIC.finditer(row), *DATE_NAMED.finditer(row)]
    found = (date_of(match) for match in sorted(matches, key=lambda match: match.start()))
    return tuple(filter(None, found))


def date_of(match: re.Match[str]) -> Date | None:
    """Read one match, or give None if it is a version or part number after all."""
    options = named_day(match) if match.re is DATE_NAMED else numeric_days(match)
    days = {day for year, month, number in options if (day := calendar_day(year, month, number))}
    if not days:
        return None
    return Date(match[0].strip(), days.pop() if len(days) == 1 else None)


def named_day(match: re.Match[str]) -> list[tuple[int, int, int]]:
    name = (match["name"] or match["name2"]).lower()
    month = GERMAN_MONTHS.get(name) or MONTHS.index(name) + 1
    return [(int(match["year"] or match["year2"]), month, int(match["day"] or match["day2"]))]


def numeric_days(match: re.Match[str]) -> list[tuple[int, int, int]]:
    """Give year, month and day; with slashes or dashes either of the first two may be the day."""
    if match["year"]:
        return [(int(match["year"]), int(match["month"]), int(match["day"]))]
    year = int(match["late"]) + (2000 if len(match["late"]) == 2 else 0)
    first, second = int(match["first"]), int(match["second"])
    day_first = [(year, second, first)]
    return day_first if match["sep2"] == "." else [*day_first, (year, first, second)]


def calendar_day(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def times(row: str) -> tuple[str, ...]:
    return tuple(match[0].strip() for match in TIME.finditer(row))


def emails(row: str) -> tuple[str, ...]:
    return tuple(EMAIL.findall(row))


def links(row: str) -> tuple[str, ...]:
    """Find web addresses; the domain of an e-mail address is none."""
    return tuple(match[0].rstrip(".,;:)") for match in URL.finditer(blank(row, EMAIL)))


def phones(row: str) -> tuple[str, ...]:
    """Find telephone numbers: 7 to 15 digits (ITU-T E.164) that a sign, a word or dashes mark."""
    rest = blank(row, DATE_NUMERIC, TIME, EMAIL, URL)
    is_named = bool(PHONE_WORD.search(row))
    return tuple(
        match[0].strip() for match in PHONE.finditer(rest) if is_phone(match[0].strip(), is_named)
    )


def is_phone(number: str, is_named: bool) -> bool:
    digits = re.sub(r"\D", "", number)
    is_marked = number.startswith(("+", "(")) or re.fullmatch(r"\d{3}[-.]\d{3}[-.]\d{4}", number)
    return 7 <= len(digits) <= 15 and (is_named or bool(is_marked))


def errors(rows: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Give the number and the text of each row that tells of a failure, with what continues it."""
    end = 0
    for index, row in enumerate(rows):
        if index < end or not ERROR.search(row):
            continue
        end = index + 1
        while end < len(rows) and rows[end][:1].islower() and not re.search(r"[.!?]$", row):
            row, end = f"{row} {rows[end]}", end + 1
        yield index, row


def hours(row: str) -> bool:
    """Say whether a row tells a time, or a day of the week and that it is closed, or a number."""
    days = (word for word in words(row) if WEEKDAY.fullmatch(word))
    return bool(TIME.search(row)) or (any(days) and bool(re.search(r"\d|closed", row, re.I)))


def blank(row: str, *patterns: re.Pattern[str]) -> str:
    """Take out what `patterns` find, so that nothing is found twice as something else."""
    for pattern in patterns:
        row = pattern.sub(lambda match: " " * len(match[0]), row)
    return row


def each(
    finder: Callable[[str], Sequence[object]], rows: Iterable[str]
) -> Iterator[tuple[int, str]]:
    """Give the row number and the text of everything `finder` finds, each text once."""
    seen: set[str] = set()
    for index, row in enumerate(rows):
        for found in finder(row):
            text = found.text if isinstance(found, Date) else str(found)
            if text not in seen:
                seen.add(text)
                yield index, text
