"""The Loader and the Pixels port, each library imported when it is first needed."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Collection

from eyeline.core.guard import allowed_hosts
from eyeline.core.parts import PreparedImage
from eyeline.core.plan import PreparePlan
from eyeline.core.reference import FileRef, Loaded, PixelsRef, Reference, StreamRef, UrlRef
from eyeline.core.size import Size

# A file that is read in less than this is not worth a thread, which alone takes 0.1 ms; where one
# took longer, as on a disk far away, for a while none is read on the event loop.
SLOW_S, PAUSE_S = 0.005, 0.2
PROMPT_BYTES_MAX = 4 * 2**20


class Images:
    """
    Loads files, file objects, pixels in memory, and URLs from public or named hosts; prepares them.
    """

    def __init__(self, allow_hosts: Collection[str] = ()) -> None:
        self.allowed = allowed_hosts(allow_hosts)
        self.slow_until_s = 0.0

    def glance(self, reference: Reference, bytes_max: int | None) -> Loaded:
        """
        Load a file of a few megabytes, while files are read promptly. Raises BlockingIOError for
        all else.
        """
        started_s = time.monotonic()
        if not isinstance(reference, FileRef) or started_s < self.slow_until_s:
            raise BlockingIOError
        if not is_small(reference):
            raise BlockingIOError
        loaded = self.load(reference, bytes_max)
        ended_s = time.monotonic()
        if ended_s - started_s > SLOW_S:
            self.slow_until_s = ended_s + PAUSE_S
        return loaded

    def load(self, reference: Reference, bytes_max: int | None, start: int = 0) -> Loaded:
        source = str(reference)
        match reference:
            case FileRef(path):
                from eyeline.adapters.files import read_file

                data = read_file(path, source, bytes_max, start)
                # Only who got no more than was asked for may want to know.
                is_part = len(data) == bytes_max
                return Loaded(data, size_bytes=path.stat().st_size if is_part else None)
            case StreamRef(stream):
                from eyeline.adapters.files import left_bytes, read_again

                data = read_again(stream, source, bytes_max, start)
                return Loaded(data, size_bytes=left_bytes(stream) if bytes_max else None)
            case PixelsRef(pixels):
                from eyeline.adapters.arrays import encode

                return Loaded(encode(pixels, source))
            case UrlRef(url):
                from eyeline.adapters.fetch import fetch

                return fetch(url, source, self.allowed, bytes_max, start=start)
        raise AssertionError(reference)

    def pages(self, data: bytes, source: str) -> tuple[Size, ...]:
        from eyeline.adapters.pdf import page_sizes

        return page_sizes(data, source)

    def prepare(self, data: bytes, plan: PreparePlan, source: str) -> PreparedImage:
        if not plan.encode:
            from eyeline.adapters.unpacking import check_unpacks

            check_unpacks(data, plan.stored, source)
            return PreparedImage(data, plan.media_type, plan.size)
        from eyeline.adapters.pixels import prepare

        return prepare(data, plan, source)

    def fingerprint(self, image: PreparedImage) -> str:
        from eyeline.adapters.fingerprint import digest_pixels

        return digest_pixels(image.data, image.media_type)


def is_small(file: FileRef) -> bool:
    """Say whether a file has a few megabytes at most; a pipe may have nothing to give yet."""
    try:
        found = os.stat(file.path)  # noqa: PTH116  # a Path costs more than the call
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size <= PROMPT_BYTES_MAX
