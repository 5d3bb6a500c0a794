"""
The ledger of one shard: a line before each send and one after, appended as they happen.

Each line is a checksum and a JSON object. One of the keys `intent`, `outcome`, `left` and `doubt`
holds the row's key, and says what the line is:

    intent   about to be sent, for `usd_max` at most
    outcome  done or failed: `record`, and `spent_usd` in all
    left     let go without an outcome, by an interruption; nothing is on its way
    doubt    found at recovery: sent, and the answer never recorded; counts as spent

A line cut short at the end is what a crash leaves, and is taken off. Damage before the end is not,
and is told.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import crc32

from eyeline.bulk.run_errors import RunUnwritable
from eyeline.core.cost import FREE

Record = Mapping[str, Any]
# All ASCII: a file name that is no UTF-8 comes back as it was.
ENCODER = json.JSONEncoder(separators=(",", ":"), default=str)
CHECKSUM_CHARS = 8


@dataclass(slots=True)
class Recovered:
    """
    What a ledger says, line after line.

    `records` are the outcomes by key; `open_usd` what each row without one was sent for; `doubts`
    those found at earlier recoveries; amounts are None where no price is known. `size_bytes` is the
    length of what is whole, `damaged` the number of lines before its end that are not.
    """

    records: dict[str, Record] = field(default_factory=dict)
    open_usd: dict[str, set[Decimal | None]] = field(default_factory=dict)
    doubts: dict[str, Decimal | None] = field(default_factory=dict)
    spent_usd: Decimal = FREE
    size_bytes: int = 0
    damaged: int = 0

    def take(self, entry: Record) -> None:
        """Go on by one line."""
        match entry:
            case {"intent": key, "usd_max": usd}:
                self.open_usd.setdefault(key, set()).add(amount(usd))
            case {"doubt": key, "usd_max": usd}:
                self.doubts[key] = most([self.doubts.get(key, FREE), amount(usd)])
                self.close(key, amount(usd) or FREE)
            case {"outcome": key, "spent_usd": usd, "record": record}:
                self.records[key] = record
                self.close(key, Decimal(usd))
            case {"left": key, "spent_usd": usd}:
                self.close(key, Decimal(usd))
            case _:
                self.damaged += 1

    def close(self, key: str, spent_usd: Decimal) -> None:
        self.open_usd.pop(key, None)
        self.spent_usd += spent_usd

    def in_doubt(self) -> dict[str, Decimal | None]:
        """
        Give the rows that were sent and have no outcome, each with the most it can have cost.

        A retry costs what it repeats, and that was refused without a bill; a correction costs more
        than what it corrects, and that was billed. So different amounts add up, equal ones do not.
        """
        return {key: most(usd) for key, usd in self.open_usd.items()}


def amount(usd: str | None) -> Decimal | None:
    return None if usd is None else Decimal(usd)


def most(parts: list[Decimal | None] | set[Decimal | None]) -> Decimal | None:
    """Add up; None where a part is not known."""
    known = [usd for usd in parts if usd is not None]
    return sum(known, FREE) if len(known) == len(parts) else None


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


def recover(path: Path) -> Recovered:
    """Read a ledger, whatever became of its end; one that is not there is empty."""
    found = Recovered()
    damaged = 0
    at_bytes = 0
    for line in lines_of(path):
        at_bytes += len(line)
        entry = entry_of(line[:-1]) if line.endswith(b"\n") else None
        if entry is None:
            damaged += 1
            continue
        # Whole lines follow, so what was damaged before was not the end.
        found.damaged, damaged = found.damaged + damaged, 0
        found.size_bytes = at_bytes
        found.take(entry)
    return found


def lines_of(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except FileNotFoundError:
        return


class Ledger:
    """
    One shard's ledger, open to be written; `make_room` frees a little space on a full disk, once.

    A line is with the system when its method returns, so it outlives this process; `sync` makes it
    outlive the machine.
    """

    def __init__(
        self, path: Path, found: Recovered, make_room: Callable[[], bool] = lambda: False
    ) -> None:
        self.path, self.make_room = path, make_room
        self.size_bytes = self.synced_bytes = found.size_bytes
        try:
            self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.ftruncate(self.file, self.size_bytes)
        except OSError as error:
            raise unwritable(path, error) from None

    def intent(self, key: str, usd_max: Decimal | None) -> None:
        self.append({"intent": key, "usd_max": None if usd_max is None else str(usd_max)})

    def outcome(self, key: str, spent_usd: Decimal, record: Record) -> None:
        self.append({"outcome": key, "spent_usd": str(spent_usd), "record": record})

    def left(self, key: str, spent_usd: Decimal) -> None:
        self.append({"left": key, "spent_usd": str(spent_usd)})

    def doubt(self, key: str, usd_max: Decimal | None) -> None:
        self.append({"doubt": key, "usd_max": None if usd_max is None else str(usd_max)})

    def append(self, entry: Record) -> None:
        """
        Write one line, or nothing of it: half a line before the next would be damage, not an end.
        """
        line = line_of(entry)
        try:
            self.write(line)
        except OSError as error:
            if error.errno not in FULL or not self.make_room():
                raise unwritable(self.path, error) from None
            self.write_again(line)

    def write_again(self, line: bytes) -> None:
        try:
            self.write(line)
        except OSError as error:
            raise unwritable(self.path, error) from None

    def write(self, line: bytes) -> None:
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


# No room: on the disk, in the user's quota, or for a file of this size.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def unwritable(path: Path, error: OSError) -> RunUnwritable:
    return RunUnwritable(str(path), error.strerror or str(error))
