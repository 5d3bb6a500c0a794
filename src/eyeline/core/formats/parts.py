"""
A file of which only parts are here, to be read as if all of it were.

Headers that stand at the end of a file, or behind a long colour profile, so need not the rest of
it. Whoever reads past what is here is told what is missing, and reads again from the start.
"""

from __future__ import annotations

import re
from typing import SupportsIndex


class Missing(Exception):
    """Raised where bytes are read that are not here: where they begin, and how many are wanted."""

    def __init__(self, at: int, size_bytes: int) -> None:
        super().__init__(at, size_bytes)
        self.at, self.size_bytes = at, size_bytes


# A header of more pieces than this is read faster from the whole file.
READS_MAX = 20_000


class Parts:
    """
    The parts of a file of `size_bytes` that are here, by where each begins. After so many reads all
    is missing.
    """

    def __init__(self, size_bytes: int, parts: dict[int, bytes]) -> None:
        self.size_bytes, self.parts, self.reads_left = size_bytes, parts, READS_MAX

    def __len__(self) -> int:
        return self.size_bytes

    def __getitem__(self, wanted: SupportsIndex | slice) -> bytes | int:
        """Give a byte, or the bytes from one and up to another, as `bytes` does."""
        if not isinstance(wanted, slice):
            at = wanted.__index__()
            return self.taken(at, at + 1)[0]  # an IndexError past the end
        start, stop, _ = wanted.indices(self.size_bytes)
        return self.taken(start, stop)

    def taken(self, start: int, stop: int) -> bytes:
        stop = min(stop, self.size_bytes)
        if start >= stop:
            return b""
        if not self.reads_left:
            raise Missing(start, stop - start)
        self.reads_left -= 1
        for at, part in self.parts.items():
            if at <= start and stop <= at + len(part):
                return part[start - at : stop - at]
        raise Missing(start, stop - start)

    def startswith(self, prefix: bytes | tuple[bytes, ...], start: int = 0) -> bool:
        prefixes = prefix if isinstance(prefix, tuple) else (prefix,)
        return any(self[start : start + len(each)] == each for each in prefixes)

    def find(self, pattern: re.Pattern[bytes], start: int) -> int:
        """
        Give where a pattern of two bytes next ends, -1 where it does not.

        What ends in what is not here may begin before: at its last byte one is missing.
        """
        if start + 1 >= self.size_bytes:
            return -1
        for at, part in self.parts.items():
            if at <= start < at + len(part) - 1:
                found = pattern.search(part, start - at)
                return at + found.end() if found else self.find(pattern, at + len(part) - 1)
        raise Missing(start, min(2, self.size_bytes - start))


def search(pattern: re.Pattern[bytes], data: bytes | Parts, start: int) -> int:
    """Give where a pattern of two bytes next ends in a file, whole or in parts; -1 for nowhere."""
    if isinstance(data, Parts):
        return data.find(pattern, start)
    found = pattern.search(data, start)
    return found.end() if found else -1
