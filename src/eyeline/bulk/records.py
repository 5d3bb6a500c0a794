"""What became of one row, as the ledger keeps it and the table shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from eyeline.bulk.rows import Row
from eyeline.core.answer import Answer, plain
from eyeline.core.cost import Usage
from eyeline.core.failure import redact
from eyeline.errors import AnswerError, EyelineError

if TYPE_CHECKING:
    from eyeline.bulk.columns import Columns

# Plain JSON: the fixed columns of the table by name, dollars as text, and `parsed`.
Record = dict[str, Any]
USD_PLACES = Decimal("1e-12")


def done(row: Row, answer: Answer, attempts: int) -> Record:
    """Make the record of an answer."""
    parsed = None if answer.parsed is None else plain(answer.parsed)
    return record(row, "done", answer.text, parsed) | figures(answer, attempts)


def failed(row: Row, error: Exception, cost_usd: Decimal | None, attempts: int) -> Record:
    """Make the record of a failure; an answer that cannot be used keeps its text and figures."""
    found = error.answer if isinstance(error, AnswerError) else None
    answer = found if isinstance(found, Answer) else Answer("", "", "", Usage(), cost_usd, ())
    made = record(row, "failed", answer.text or None) | figures(answer, attempts)
    return made | {"error": words_of(error), "error_kind": kind_of(error)}


def record(row: Row, status: str, text: str | None, parsed: Any = None) -> Record:
    return {
        "key": row.key,
        "source": row.source,
        "status": status,
        "text": text,
        "parsed": parsed,
        "error": None,
        "error_kind": None,
    }


def figures(answer: Answer, attempts: int) -> Record:
    usage = answer.usage
    return {
        "model": answer.model or None,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "image_tokens": usage.image_tokens,
        "cost_usd": None if answer.cost_usd is None else str(answer.cost_usd),
        "cached": answer.cached,
        "latency_s": round(answer.latency_s, 3),
        "attempts": attempts,
    }


def words_of(error: Exception) -> str:
    if isinstance(error, EyelineError):
        return str(error)
    return redact(f"{type(error).__name__}: {error}")


def kind_of(error: Exception) -> str:
    """Name an error as a column does: `image_truncated`, `in_doubt`; `fault` for one of ours."""
    if not isinstance(error, EyelineError):
        return "fault"
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()


def result_of(record: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Give what `Columns.record` takes."""
    usd = record["cost_usd"]
    cost_usd = None if usd is None else Decimal(usd).quantize(USD_PLACES)
    return {**record, "cost_usd": cost_usd, "values": values}


def record_of(row: Mapping[str, Any], columns: Columns) -> Record:
    """Give the record of a row that was read from a part."""
    fields = {
        name: json.loads(row[column]) if column in columns.as_json and row[column] else row[column]
        for name, column in columns.answers.items()
    }
    usd = row["cost_usd"]
    is_parsed = bool(fields) and row["status"] == "done"
    return {
        **row,
        "parsed": fields if is_parsed else None,
        "cost_usd": None if usd is None else str(usd),
    }
