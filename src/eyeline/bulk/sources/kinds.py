"""The Arrow types of columns of JSON, found by reading their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eyeline.bulk.arrow import pa

INT64 = range(-(2**63), 2**63)


class Kinds:
    """Takes rows, and says which type holds the values of each column."""

    def __init__(self, names: Sequence[str]) -> None:
        self.kinds: dict[str, pa.DataType | None] = dict.fromkeys(names, pa.null())

    def take(self, cells: Mapping[str, Any]) -> None:
        for name, kind in self.kinds.items():
            if kind is not None:
                self.kinds[name] = wider(kind, kind_of(cells.get(name)))

    def schema(self) -> pa.Schema:
        """Give the types; values of several kinds stand as text, as do those that are all null."""
        return pa.schema(
            [
                (name, pa.string() if kind is None or pa.types.is_null(kind) else kind)
                for name, kind in self.kinds.items()
            ]
        )


def kind_of(value: Any) -> pa.DataType | None:
    """Give the type of one value; None for an object, or a list without one type."""
    match value:
        case None:
            return pa.null()
        case bool():
            return pa.bool_()
        case int():
            return pa.int64() if value in INT64 else None
        case float():
            return pa.float64()
        case str():
            return pa.string()
        case list():
            kind: pa.DataType | None = pa.null()
            for each in value:
                kind = None if kind is None else wider(kind, kind_of(each))
            return None if kind is None else pa.list_(kind)
    return None


def wider(one: pa.DataType, other: pa.DataType | None) -> pa.DataType | None:
    """Give the type that holds values of both, None where there is none."""
    if other is None or one == other or pa.types.is_null(other):
        return one if other is not None else None
    if pa.types.is_null(one):
        return other
    if {one, other} == {pa.int64(), pa.float64()}:
        return pa.float64()
    if isinstance(one, pa.ListType) and isinstance(other, pa.ListType):
        inner = wider(one.value_type, other.value_type)
        return None if inner is None else pa.list_(inner)
    return None
