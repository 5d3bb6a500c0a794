"""
A decoder in a process of its own: what it reads may be hostile.

libheif, resvg, PDFium, libavif, OpenJPEG and what Pillow decodes in Python cannot be interrupted,
and each can be made to take minutes, gigabytes, or the whole process with it by a file of a few
kilobytes. PDFium, besides, serves one thread only, and resvg stops all others. A fresh interpreter
costs 10 ms, and the library's import.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from eyeline.errors import (
    BadReference,
    ImageError,
    ImageTooLarge,
    ImageTruncated,
    UnsupportedFormat,
)

# What a child exits with; of the first two it says the reason on stderr.
DAMAGED, UNSUPPORTED, NO_FRAME, TOO_MUCH_MEMORY = 65, 69, 70, 71
TIME_IS_UP = -getattr(signal, "SIGPROF", 0)
# Where the system limits CPU time, the clock is only for what hangs: a busy machine takes long.
WALL_PER_CPU = 3 if sys.platform == "win32" else 20
# Where a library survives want of memory and draws less instead, memory is watched by us, and the
# system only stops what jumps past that. The rest of the address space is mapped, not used.
WATCHED_ADDRESS_BYTES = 4 * 2**30
WATCH_EVERY_S = 0.01
# Leaves room below 300 MB for what is taken between two looks: a gigabyte a second at most.
MEMORY_BYTES = 256 * 2**20
# As many at once as there are cores, or each would wait for the others on its own time.
SLOTS = threading.BoundedSemaphore(os.cpu_count() or 1)


Parts = Iterable[bytes | memoryview]


class Bounds(NamedTuple):
    """CPU time and memory that one child may take."""

    time_s: float
    memory_bytes: int


class Refused(Exception):
    """Raised in a child: what is wrong with the data, and the status that says of which kind."""

    def __init__(self, status: int, found: str) -> None:
        super().__init__(status, found)
        self.status, self.found = status, found


def drawing_bounds(data: bytes) -> Bounds:
    """
    Give what a drawing may take: 1.2 s and 268 MB, and more only for what is large itself.

    A bomb is small; of a scan or a map each megabyte may take a tenth of a second to decode.
    """
    return Bounds(min(8.0, 1.2 + len(data) / 10_000_000), MEMORY_BYTES + len(data))


def decoding_bounds(data: bytes) -> Bounds:
    """
    Give what decoding a picture may take: 1.8 s and 268 MB, and more for what is large itself.

    Measured, at most: 0.34 s and 33 MB a megabyte, for HEIC, AVIF and JPEG 2000 as cameras and
    scanners write them, of 12 to 48 megapixels. The emptiest 48 megapixels take 0.9 s, which on a
    machine with other things to do become 1.5.
    """
    return Bounds(min(20.0, 1.8 + len(data) / 2_000_000), MEMORY_BYTES + 100 * len(data))


def run_apart(
    module: str, data: bytes, arguments: tuple[object, ...], bounds: Bounds, source: str
) -> bytes:
    """
    Give what `main` of `module` makes of `data` in a child process.

    Raises ImageTruncated, UnsupportedFormat or BadReference as the child says, and ImageTooLarge
    where it took too much time or memory, or broke down as it does when nested too deep.
    """
    path = [place for place in sys.path if Path(place).is_absolute()]
    # Isolated and without site: half the start-up, and no file of the current folder is imported.
    start = f"import sys; sys.path[:] = {path!r}; from {module} import main; main()"
    command = [sys.executable, "-I", "-S", "-c", start, *map(str, (*bounds, *arguments))]
    wall_s = bounds.time_s * WALL_PER_CPU
    try:
        with SLOTS:
            done = subprocess.run(command, input=data, capture_output=True, timeout=wall_s)
    except subprocess.TimeoutExpired:
        raise ImageTooLarge(source, "takes too long to decode", f"{wall_s:.1f} s") from None
    if done.returncode:
        raise failure(done.returncode, done.stderr.decode(errors="replace"), bounds, source)
    return done.stdout


def failure(status: int, reason: str, bounds: Bounds, source: str) -> ImageError:
    """Say what the end of a child means. To run out of stack or memory can look like any crash."""
    if status == DAMAGED:
        return ImageTruncated(source, reason)
    if status == UNSUPPORTED:
        return UnsupportedFormat(source, reason)
    if status == NO_FRAME:
        return BadReference(source, "no such frame, the file has fewer")
    if status == TIME_IS_UP:
        return ImageTooLarge(source, "takes too long to decode", f"{bounds.time_s:.1f} s")
    limit = f"{bounds.memory_bytes // 10**6:,} MB"
    return ImageTooLarge(source, "takes too much memory to decode", limit)


# --- in the child -------------------------------------------------------------------------------


def serve(answer: Callable[[bytes, list[str]], Parts], *, watched: bool = False) -> None:
    """
    Limit this process, then write the parts that `answer` makes of standard input.

    `watched` is for a library that releases the GIL and survives want of memory.
    """
    data = sys.stdin.buffer.read()
    bounds = Bounds(float(sys.argv[1]), int(sys.argv[2]))
    limit(bounds, watched=watched)
    try:
        made = answer(data, sys.argv[3:])
    except Refused as refused:
        sys.stderr.write(refused.found)
        sys.stderr.flush()
        os._exit(refused.status)
    sys.stdout.buffer.writelines(made)
    sys.stdout.buffer.flush()
    # Tearing down what a hostile file built can take longer than building it.
    os._exit(0)


def limit(bounds: Bounds, *, watched: bool) -> None:
    """Hold this process, and the library in it, to `bounds`; on Windows only its parent does."""
    if sys.platform == "win32":
        return
    import resource

    address_bytes = WATCHED_ADDRESS_BYTES if watched else bounds.memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (address_bytes, address_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.setitimer(signal.ITIMER_PROF, bounds.time_s)
    statm = Path("/proc/self/statm")
    if watched and statm.exists():
        threading.Thread(target=watch, args=(statm, bounds.memory_bytes), daemon=True).start()


def watch(statm: Path, memory_bytes: int) -> None:
    """End this process when it holds more than `memory_bytes`. Source of the fields: proc(5)."""
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    while int(statm.read_text().split()[1]) * page_bytes <= memory_bytes:
        time.sleep(WATCH_EVERY_S)
    os._exit(TOO_MUCH_MEMORY)
