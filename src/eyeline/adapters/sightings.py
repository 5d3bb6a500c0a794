"""Files seen before: what is remembered of each, while it stays as it was."""

from __future__ import annotations

import os
import stat
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from eyeline.adapters.files import read_file
from eyeline.core.picture import PAGES_MAX, FileState, ImageChanged, Picture, Sighting
from eyeline.ports import Cache

T = TypeVar("T")
# About a kilobyte each.
IN_MEMORY_MAX = 4096
READ_ONLY = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class Sightings:
    """Remembers pictures in this process, and in a cache for the others; threads may share it."""

    def __init__(self, cache: Cache, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.cache, self.now_ns = cache, now_ns
        self.lock = Lock()
        self.seen: OrderedDict[str, tuple[FileState, Picture]] = OrderedDict()
        self.pictures: OrderedDict[str, Picture] = OrderedDict()

    def glance(self, file: Path) -> Sighting:
        """Give what `known` does. Raises BlockingIOError where that would wait for the cache."""
        return self.sighted(file, self.cache.glance)

    def known(self, file: Path) -> Sighting:
        """Give the state of a file and what is remembered of it; nothing of it is read."""
        return self.sighted(file, self.cache.get)

    def sighted(self, file: Path, recall: Callable[[str], Mapping[str, Any] | None]) -> Sighting:
        path = absolute(file)
        state = state_of(path)
        with self.lock:
            seen = self.seen.get(path)
            if seen is not None:
                self.seen.move_to_end(path)
        if seen is not None and seen[0] == state:
            return Sighting(path, state, seen[1], AsSeen(path, state))
        if state is None or not state.is_settled(self.now_ns()):
            # Written so lately that it may be written again unnoticed.
            return Sighting(path, None)
        picture = remembered(recall(key_of(path)), state)
        if picture is not None:
            self.keep(path, state, picture)
        return Sighting(path, state, picture, AsSeen(path, state))

    def recognise(self, digest: str) -> Picture | None:
        """Give what is remembered of bytes that have no metadata and are all there."""
        return self.pictures.get(digest)

    def remember(self, sighting: Sighting, picture: Picture) -> None:
        """Remember what was read, of a file after it was found as `sighting` says."""
        if len(picture.pages) > PAGES_MAX:
            return
        if picture.is_whole and not picture.has_metadata:
            with self.lock:
                put_last(self.pictures, picture.digest, picture)
        if sighting.state is not None:
            self.keep(sighting.path, sighting.state, picture)
            record = {"state": sighting.state, **picture.to_record()}
            self.cache.put_soon(key_of(sighting.path), record)

    def keep(self, path: str, state: FileState, picture: Picture) -> None:
        with self.lock:
            put_last(self.seen, path, (state, picture))


def put_last(kept: OrderedDict[str, T], name: str, value: T) -> None:
    """Keep a value as the latest, and let go of the first where there are too many."""
    kept[name] = value
    kept.move_to_end(name)
    if len(kept) > IN_MEMORY_MAX:
        kept.popitem(last=False)


@dataclass(frozen=True, slots=True)
class AsSeen:
    """Reads a file while it is in the state in which it was seen."""

    path: str
    state: FileState

    def __call__(self) -> bytes:
        """Give the whole file. Raises ImageChanged where it was written or replaced since."""
        try:
            file = os.open(self.path, READ_ONLY)
        except OSError:
            return read_file(Path(self.path), self.path)  # which says what is wrong with it
        try:
            data = os.read(file, self.state.size_bytes)
            # Asked after reading: what is written meanwhile shows then too.
            is_same = state(os.fstat(file)) == self.state
        finally:
            os.close(file)
        if not is_same or len(data) < self.state.size_bytes:
            raise ImageChanged(self.path)
        return data


def absolute(file: Path) -> str:
    """Give a path from the root, `..` left as it is: behind a link it leads elsewhere."""
    path = str(file)
    return path if path.startswith("/") else os.path.join(os.getcwd(), path)  # noqa: PTH109, PTH118


def state_of(path: str) -> FileState | None:
    """Give the state of a regular file; None for anything else, and for what is not there."""
    try:
        found = os.stat(path)  # noqa: PTH116  # a Path costs more than the call
    except (OSError, ValueError):
        return None
    return state(found) if stat.S_ISREG(found.st_mode) else None


def state(found: os.stat_result) -> FileState:
    return FileState(
        found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev
    )


def key_of(path: str) -> str:
    """Name a file in the cache, where no answer can be named so; raised with what is kept of it."""
    return f"file2 {sha256(os.fsencode(path)).hexdigest()}"


def remembered(record: Mapping[str, Any] | None, state: FileState) -> Picture | None:
    """Read what the cache kept of a file, if it kept it in this state."""
    if record is None or record.get("state") != list(state):
        return None
    try:
        return Picture.from_record(record)
    except (KeyError, TypeError, ValueError):
        return None
