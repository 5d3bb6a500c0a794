"""The command line: one file a command, each imported when it is called."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command line and exit: 0 done, 1 some failed, 2 could not start, 130 interrupted."""
    # None where the shell closed it, as in `>&-`.
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115  # open to the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    try:
        status = dispatch(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = 130
    except OSError as error:
        status = lost_output(error)
    except Exception as error:
        status = fault(error)
    sys.exit(status)


def fault(error: Exception) -> int:
    """Say that this is a fault of ours, without a stack trace unless one is wanted."""
    from eyeline.core.failure import redact
    from eyeline.settings import is_set

    if is_set("EYELINE_DEBUG"):
        import traceback

        traceback.print_exception(error)
    print(f"error: {type(error).__name__}: {redact(str(error))}", file=sys.stderr)
    print("hint: a fault in eyeline; EYELINE_DEBUG=1 shows where it is", file=sys.stderr)
    return 1


def lost_output(error: OSError) -> int:
    """Say what became of stdout, and give the exit status: a reader who left is a quiet 0."""
    # Python would complain once more when it closes stdout.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 0
    print(f"error: standard output: {error.strerror or error}", file=sys.stderr)
    return 1


def dispatch(arguments: list[str]) -> int:
    """Run one command and give its exit status; errors become one or two lines on stderr."""
    import click

    from eyeline.cli.group import commands
    from eyeline.cli.pipe import PipeClosed
    from eyeline.errors import EyelineError

    try:
        status = commands.main(arguments, prog_name="eyeline", standalone_mode=False)
    except PipeClosed as closed:
        raise BrokenPipeError from closed
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except EyelineError as error:
        from eyeline.cli.terminal import show_error

        show_error(error)
        return error.exit_code
    return status if isinstance(status, int) else 0
