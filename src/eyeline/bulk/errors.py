"""
Errors that only runs raise.

EyelineError
├── SourceError              where the rows come from cannot be opened or understood
├── RowUnreadable            one row of a source cannot be read; the others can
├── RunDeclined              what it will cost was shown, and not agreed to
└── MissingExtra
    └── DriverMissing        the fsspec driver of a URL is not installed
"""

from __future__ import annotations

from eyeline.errors import EyelineError, MissingExtra


class SourceError(EyelineError):
    """Where the rows come from cannot be opened or understood."""

    exit_code = 2

    def __init__(self, source: str, found: str, expected: str, hint: str = "") -> None:
        super().__init__(source, found, expected, hint)
        self.source, self.found, self.expected = source, found, expected
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.source}: {self.found}, expected {self.expected}"


class RowUnreadable(EyelineError):
    """One row of a source cannot be read; `found` says why."""

    hint = "mend the row in the source; the other rows are not affected"

    def __init__(self, source: str, found: str) -> None:
        super().__init__(source, found)
        self.source, self.found = source, found

    def __str__(self) -> str:
        return f"{self.source}: not readable ({self.found})"


class RunDeclined(EyelineError):
    """What a run will cost was shown, and not agreed to; nothing was sent. Dollars are text."""

    hint = "--yes does not ask, --dry-run says what would be cheaper"
    exit_code = 2

    def __init__(self, usd: str) -> None:
        super().__init__(usd)
        self.usd = usd

    def __str__(self) -> str:
        return f"not begun: about {self.usd}"


class DriverMissing(MissingExtra):
    """The fsspec driver of a URL's scheme is not installed; `extra` is the scheme."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # depends on the fields
        return f"pip install {self.package}"
