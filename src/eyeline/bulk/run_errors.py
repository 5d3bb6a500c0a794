"""
Errors of a run as a whole.

EyelineError
├── RunUnwritable            the run's folder takes no more: disk full, or not ours to write
├── RunBusy                  another process works on this run
├── RunDiffers               there is a run of that name, of another question or source
├── NoSuchRun                there is no run of that name
├── RunDamaged               a file of the run is not as it was written
├── ColumnMissing            the prompt or an option names a column that the source has not
├── ValueMissing             a row has nothing in a column that the prompt names
├── InDoubt                  a row was sent, and its answer never recorded; not sent again by choice
├── EngineLost               for minutes no row at all was answered
├── TooManyFailures          more rows failed than were allowed to
└── Interrupted              stopped by Ctrl-C or a signal
"""

from __future__ import annotations

from eyeline.errors import EyelineError


class RunUnwritable(EyelineError):
    """The run's folder takes no more; `found` is the system's reason."""

    hint = "what was answered is kept; make room, then the same command goes on"
    exit_code = 1

    def __init__(self, path: str, found: str) -> None:
        super().__init__(path, found)
        self.path, self.found = path, found

    def __str__(self) -> str:
        return f"{self.path}: cannot be written ({self.found})"


class RunBusy(EyelineError):
    """Another process works on this run; `process` is its number, "" where it left none."""

    exit_code = 2

    def __init__(self, path: str, process: str) -> None:
        super().__init__(path, process)
        self.path, self.process = path, process

    def __str__(self) -> str:
        return f"{self.path}: another process{f' ({self.process})' * bool(self.process)} works here"

    hint = "wait for it, or name another output"


class RunDiffers(EyelineError):
    """There is a run of that name, of something else; `found` lists what differs, a line each."""

    hint = "the same command goes on with the old run, --new starts over, another -o keeps both"
    exit_code = 2

    def __init__(self, path: str, found: str) -> None:
        super().__init__(path, found)
        self.path, self.found = path, found

    def __str__(self) -> str:
        return f"{self.path}: a run of something else is there\n{self.found}"


class NoSuchRun(EyelineError):
    """There is no run of that name."""

    hint = "name the output of a run, as in --status answers.parquet"
    exit_code = 2

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: no such run"


class RunDamaged(EyelineError):
    """A file of the run is not as it was written; `found` says how."""

    hint = "--new starts over; answers are in the cache and cost nothing again"
    exit_code = 2

    def __init__(self, path: str, found: str) -> None:
        super().__init__(path, found)
        self.path, self.found = path, found

    def __str__(self) -> str:
        return f"{self.path}: damaged ({self.found})"


class ColumnMissing(EyelineError):
    """The prompt or an option names a column that the source has not."""

    hint = "to say a word in braces to the model, double them: {{word}}"
    exit_code = 2

    def __init__(self, column: str, where: str, known: str) -> None:
        super().__init__(column, where, known)
        self.column, self.where, self.known = column, where, known

    def __str__(self) -> str:
        return f"{self.where}: no column {self.column!r}, expected one of {self.known or 'none'}"


class ValueMissing(EyelineError):
    """A row has nothing in a column that the prompt names, so the question would be another."""

    hint = "fill the column, or leave such rows out with --where"

    def __init__(self, source: str, column: str) -> None:
        super().__init__(source, column)
        self.source, self.column = source, column

    def __str__(self) -> str:
        return f"{self.source}: nothing in column {self.column!r}, which the prompt names"


class InDoubt(EyelineError):
    """A row was sent, and its answer never recorded; it was not sent again."""

    hint = "--retry-failed sends it again; it may then have been paid twice"

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.source = source

    def __str__(self) -> str:
        return f"{self.source}: sent before an interruption, the answer was never recorded"


class EngineLost(EyelineError):
    """For minutes no row at all was answered; `found` is what the last one met."""

    hint = "once the engine answers again, the same command goes on"

    def __init__(self, engine: str, found: str) -> None:
        super().__init__(engine, found)
        self.engine, self.found = engine, found

    def __str__(self) -> str:
        return f"{self.found}; no row was answered any more"


class TooManyFailures(EyelineError):
    """More rows failed than were allowed to; `found` is what the last one met."""

    hint = "mend the cause, then the same command with --retry-failed goes on"

    def __init__(self, failed: int, found: str) -> None:
        super().__init__(failed, found)
        self.failed, self.found = failed, found

    def __str__(self) -> str:
        return f"{self.failed} failed, more than allowed; the last: {self.found}"


class Interrupted(EyelineError):
    """Stopped by Ctrl-C or a signal."""

    hint = "the same command goes on"
    exit_code = 130

    def __str__(self) -> str:
        return "interrupted"
