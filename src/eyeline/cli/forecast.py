"""A forecast in words: what a run will take, and what would be cheaper."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from eyeline.cli.terminal import safe, table

if TYPE_CHECKING:
    from eyeline.bulk.forecast import Dollars, Forecast, Range

# What saves less than this part of the whole is not worth a line.
WORTHWHILE = Decimal("0.05")


def words_of(found: Forecast) -> str:
    """Give the lines that `--dry-run` prints."""
    return "\n".join([headline(found), "", breakdown(found), *cheaper(found), *noted(found)])


def headline(found: Forecast) -> str:
    said = [f"{found.rows:,} rows"]
    said += [f"{found.todo:,} to do"] if found.done else []
    said += [f"{found.images:,} images"] if found.images != found.todo - found.failed else []
    said += [f"{found.failed:,} cannot be read"] if found.failed else []
    return " · ".join([*said, f"{found.model.name} at detail {found.detail}"])


def breakdown(found: Forecast) -> str:
    """Say what the dollars are for, the largest part first, and their sum."""
    tokens = {
        "images": f"{found.image_tokens:,}",
        "prompt": span(found.text_tokens),
        "answers": span(found.output_tokens),
    }
    parts = sorted(found.parts_usd.items(), key=lambda part: -(part[1].high or Decimal(0)))
    lines = [
        [name, f"{tokens[name]} tok", money(usd), share(usd, found.usd)] for name, usd in parts
    ]
    return table([*lines, ["total", "", money(found.usd), ""]], right=(1, 2, 3))


def span(tokens: Range) -> str:
    return f"{tokens.low:,} to {tokens.high:,}"


def money(usd: Dollars) -> str:
    if usd.low is None or usd.high is None:
        return "price unknown"
    low, high = dollars(usd.low), dollars(usd.high)
    return low if low == high else f"{low} to {high}"


def dollars(usd: Decimal) -> str:
    """Write dollars with cents, and below one with two figures that count."""
    if not usd:
        return "$0"
    return f"${usd:,.2f}" if usd >= 1 else f"${usd:.{max(2, 1 - usd.adjusted())}f}"


def share(part: Dollars, whole: Dollars) -> str:
    """Say how much of the most it may cost a part is."""
    return f"{part.high / whole.high:.0%}" if part.high is not None and whole.high else ""


def cheaper(found: Forecast) -> Iterator[str]:
    """Name what would save something worth a thought."""
    if not found.usd.high:
        return
    yield ""
    ways = {"--batch": found.batch_usd, "--detail low": found.low_usd}
    rows = []
    for way, usd in ways.items():
        if not (usd.high is not None and found.usd.high) or way.endswith(f" {found.detail}"):
            continue
        saved = found.usd.high - usd.high
        if saved > WORTHWHILE * found.usd.high:
            rows.append([f"with {way}", money(usd), f"saves {saved / found.usd.high:.0%}"])
    yield table(rows, right=(1,)) if rows else "Nothing here would make it much cheaper."


def noted(found: Forecast) -> Iterator[str]:
    usual = found.image_tokens / found.images if found.images else 0
    dear = [row for row in found.dearest if row.image_tokens > 3 * usual]
    if dear:
        yield ""
        yield "Dearest rows:"
        yield table(
            [
                [f"  {row.source}", f"{row.pages:,} images", f"{row.image_tokens:,} tok"]
                for row in dear
            ],
            right=(1, 2),
        )
    if found.problems:
        yield ""
        yield "Rows that will fail:"
        yield from (f"  {safe(row.problem)}" for row in found.problems)
        if found.failed > len(found.problems):
            yield f"  and {found.failed - len(found.problems):,} more"
