"""
Conditions on columns, as in `price > 10 and brand in ('A', 'B')`: compared, never executed.

The grammar is the part of Python's that compares names with values, read by its own parser.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from eyeline.bulk.errors import SourceError

Values = Mapping[str, Any]
Condition = Callable[[Values], bool]

HINT = "for example: price > 10, brand == 'A', brand in ('A', 'B'), note is not null, a and not b"
NULLS = {"null", "None", "NULL"}
TRUTHS = {"true": True, "false": False}
ORDERS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip


def condition(text: str, columns: Sequence[str]) -> Condition:
    """Read a condition over `columns`. Raises SourceError that says what is not understood."""
    names = {f"_{number}": column for number, column in enumerate(columns)}
    shown = text
    for short, column in names.items():
        text = text.replace(f"`{column}`", short)
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise SourceError("--where", repr(shown), "a condition on columns", HINT) from None
    return Reader(names, columns).truth(tree.body)


class Reader:
    """Makes conditions of expressions."""

    def __init__(self, names: Mapping[str, str], columns: Sequence[str]) -> None:
        self.names, self.columns = names, columns

    def truth(self, node: ast.expr) -> Condition:
        match node:
            case ast.BoolOp(op, values):
                parts = [self.truth(value) for value in values]
                meet = all if isinstance(op, ast.And) else any
                return lambda row: meet(part(row) for part in parts)
            case ast.UnaryOp(ast.Not(), operand):
                inner = self.truth(operand)
                return lambda row: not inner(row)
            case ast.Compare(left, [test], [right]):
                return comparison(self.operand(left), test, self.operand(right))
            case ast.Name():
                value = self.operand(node)
                return lambda row: bool(value(row))
        raise not_understood(node)

    def operand(self, node: ast.expr) -> Callable[[Values], Any]:
        match node:
            case ast.Constant(value):
                return lambda row: value
            case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as number)):
                return lambda row: -number
            case ast.Tuple(elts) | ast.List(elts) | ast.Set(elts):
                parts = [self.operand(each) for each in elts]
                return lambda row: [part(row) for part in parts]
            case ast.Name(name):
                return self.named(name)
        raise not_understood(node)

    def named(self, name: str) -> Callable[[Values], Any]:
        column = self.names.get(name, name)
        if column in self.columns:
            return lambda row: row.get(column)
        if name in NULLS:
            return lambda row: None
        if name in TRUTHS:
            return lambda row: TRUTHS[name]
        near = get_close_matches(name, self.columns, n=1)
        known = f"one of {', '.join(self.columns)}" if self.columns else "none; it has no columns"
        hint = f"did you mean {near[0]}?" if near else "text stands in quotes: brand == 'A'"
        raise SourceError("--where", f"no column {name!r}", known, hint)


def not_understood(node: ast.expr) -> SourceError:
    return SourceError("--where", ast.unparse(node), "a condition on columns", HINT)


def comparison(
    left: Callable[[Values], Any], test: ast.cmpop, right: Callable[[Values], Any]
) -> Condition:
    match test:
        case ast.Eq() | ast.Is():
            return lambda row: same(left(row), right(row))
        case ast.NotEq() | ast.IsNot():
            return lambda row: not same(left(row), right(row))
        case ast.In():
            return lambda row: holds(right(row), left(row))
        case ast.NotIn():
            return lambda row: not holds(right(row), left(row))
    order = ORDERS[type(test)]
    return lambda row: ordered(order, left(row), right(row))


def alike(one: Any, other: Any) -> tuple[Any, Any]:
    """Put two values in one kind: text that is a number beside a number, a date beside its text."""
    if isinstance(one, str) and isinstance(other, str):
        return one, other
    if isinstance(one, str) and other is not None:
        return kind_like(one, other)
    if isinstance(other, str) and one is not None:
        return kind_like(other, one)[::-1]
    return one, other


def kind_like(text: str, value: Any) -> tuple[Any, Any]:
    if isinstance(value, bool):
        return text.lower(), str(value).lower()
    if isinstance(value, int | float):
        try:
            return float(text), value
        except ValueError:
            return text, value
    return text, str(value)


def same(one: Any, other: Any) -> bool:
    one, other = alike(one, other)
    # An empty cell of a CSV is its null.
    if None in (one, other):
        return (one is None or one == "") and (other is None or other == "")
    return bool(one == other)


def holds(many: Any, one: Any) -> bool:
    if isinstance(many, str):
        return isinstance(one, str) and one in many
    return isinstance(many, list | tuple) and any(same(one, each) for each in many)


def ordered(order: Callable[[Any, Any], bool], one: Any, other: Any) -> bool:
    """Compare; what has no order, as null and everything, is not so."""
    try:
        return bool(order(*alike(one, other)))
    except TypeError:
        return False
