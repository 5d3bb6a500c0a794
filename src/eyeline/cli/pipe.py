"""What the command line does when nobody reads its standard output any more."""

from __future__ import annotations


class PipeClosed(Exception):
    """The reader of stdout left. Not an OSError, which click would take for its own and exit 1."""
