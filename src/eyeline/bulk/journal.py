"""
Append-only files of lines, each a checksum and a JSON object.

A line cut short at the end is what a crash leaves, and is taken off. Damage before the end is not,
and is counted.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

from eyeline.bulk.run_errors import RunUnwritable

Record = Mapping[str, Any]
# All ASCII: a file name that is no UTF-8 comes back as it was.
ENCODER = json.JSONEncoder(separators=(",", ":"), default=str)
CHECKSUM_CHARS = 8
# No room: on the disk, in the user's quota, or for a file of this size.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def line_of(entry: Record) -> bytes:
    text = ENCODER.encode(entry).encode()
    return b"%08x %s\n" % (crc32(text), text)


def entry_of(line: bytes) -> Record | None:
    """Read one line without its end; None where it is not as it was written."""
    checksum, _, text = line.partition(b" ")
    if len(checksum) != CHECKSUM_CHARS:
        return None
    try:
        entry = json.loads(text) if int(checksum, 16) == crc32(text) else None
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


class Reading:
    """
    The whole lines of a file, one after another; one that is not there has none.

    `size_bytes` is where the last whole line so far ends, `damaged` how many before it are not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = self.damaged = 0

    def __iter__(self) -> Iterator[Record]:
        at_bytes = damaged = 0
        for line in self.lines():
            at_bytes += len(line)
            entry = entry_of(line[:-1]) if line.endswith(b"\n") else None
            if entry is None:
                damaged += 1
                continue
            # A whole line follows, so what was damaged before it was not the end.
            self.damaged, damaged = self.damaged + damaged, 0
            self.size_bytes = at_bytes
            yield entry

    def lines(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                yield from file
        except FileNotFoundError:
            return


class Journal:
    """
    A file open to be written behind its first `size_bytes`; what stood there is cut off.
    `make_room` frees a little space on a full disk, once.

    A line is with the system when `append` returns, so it outlives this process; `sync` makes it
    outlive the machine.
    """

    def __init__(
        self, path: Path, size_bytes: int = 0, make_room: Callable[[], bool] = lambda: False
    ) -> None:
        self.path, self.make_room = path, make_room
        self.size_bytes = self.synced_bytes = size_bytes
        try:
            self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.ftruncate(self.file, size_bytes)
        except OSError as error:
            raise unwritable(path, error) from None

    def append(self, entry: Record, *, is_vital: bool = True) -> None:
        """
        Write one line; where there is no room, what is vital may have the little that is kept back.
        """
        line = line_of(entry)
        try:
            try:
                self.write(line)
            except OSError as error:
                if not is_vital or error.errno not in FULL or not self.make_room():
                    raise
                self.write(line)
        except OSError as error:
            raise unwritable(self.path, error) from None

    def write(self, line: bytes) -> None:
        """Write a line, or nothing of it: half a line before the next would be damage."""
        written = 0
        try:
            while written < len(line):
                written += os.pwrite(self.file, line[written:], self.size_bytes + written)
        except OSError:
            os.ftruncate(self.file, self.size_bytes)
            raise
        self.size_bytes += len(line)

    def sync(self) -> None:
        """Bring to the disk what was written so far."""
        size_bytes = self.size_bytes
        if size_bytes > self.synced_bytes:
            os.fdatasync(self.file)
            self.synced_bytes = size_bytes

    def close(self) -> None:
        os.close(self.file)


def unwritable(path: Path | str, error: OSError) -> RunUnwritable:
    return RunUnwritable(str(path), error.strerror or str(error))
