"""The C library's allocator, told to keep what it has: images come and go by the megabyte."""

from __future__ import annotations

from contextlib import suppress
from ctypes import CDLL

# The largest block after which glibc raises its thresholds; it does so on its release. Source:
# malloc.c of glibc 2.36, DEFAULT_MMAP_THRESHOLD_MAX (32 MiB on 64-bit systems).
THRESHOLD_BYTES = 2**25 - 2**16
# Source: malloc.h of glibc 2.36.
M_ARENA_MAX = -8


def keep_memory() -> None:
    """
    Let blocks of up to 32 MB be used again, where each would be asked of the kernel and given back.

    Every page of a fresh block costs a fault: to put 200 KB in base64 into a body took 180 µs, and
    takes 5. The block itself is never touched, so it takes no memory; with other allocators than
    glibc's nothing is changed.
    """
    bytes(THRESHOLD_BYTES)


def share_memory() -> None:
    """
    Let all threads take memory from two heaps, where glibc gives each one of its own.

    What one thread let go of no other could use: a run of 14,000 pictures held 98 MB so, half of it
    free and more with every thousand, and holds 60. Python's own lock keeps the threads apart.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library has no such call
        CDLL(None).mallopt(M_ARENA_MAX, 2)
