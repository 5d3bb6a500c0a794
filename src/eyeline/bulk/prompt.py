"""Prompts that name columns: `Is this {product}?`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eyeline.bulk.run_errors import ColumnMissing, ValueMissing

# Double braces around words say them in single ones; around anything else they are what they are.
NAMED = re.compile(r"\{\{(?P<literal>[^{}]+)\}\}|\{(?P<column>[^\W\d][\w .-]*)\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt with the columns it names."""

    text: str
    columns: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str, known: Sequence[str]) -> Prompt:
        """
        Read a prompt for a source with the columns `known`. Raises ColumnMissing for another name.

        Where the source has no columns, as a folder has none, braces are what they are.
        """
        if not known:
            return cls(text)
        named = tuple(dict.fromkeys(each["column"] for each in NAMED.finditer(text)))
        columns = tuple(name for name in named if name is not None)
        for name in columns:
            if name not in known:
                raise ColumnMissing(name, "prompt", ", ".join(known))
        return cls(text, columns) if columns else cls(filled(text, {}))

    def of(self, values: Mapping[str, Any], source: str) -> str:
        """Give the prompt of one row. Raises ValueMissing where a column has nothing."""
        if not self.columns:
            return self.text
        for name in self.columns:
            if values.get(name) in (None, ""):
                raise ValueMissing(source, name)

        return filled(self.text, values)


def filled(text: str, values: Mapping[str, Any]) -> str:
    """Put values where their columns are named, and take one brace off each that is doubled."""

    def fill(found: re.Match[str]) -> str:
        literal = found["literal"]
        return str(values[found["column"]]) if literal is None else f"{{{literal}}}"

    return NAMED.sub(fill, text)
