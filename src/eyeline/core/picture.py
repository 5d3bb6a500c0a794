"""What is remembered of a file that was read, so that asking about it again reads nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from eyeline.core.media import ImageInfo
from eyeline.core.size import Size
from eyeline.errors import ImageError

# Of a file with more pages its header is read each time.
PAGES_MAX = 100
# Clocks of file systems tick every few milliseconds, old ones every two seconds.
GRAIN_NS = 2 * 10**9


@dataclass(frozen=True, slots=True)
class Picture:
    """
    All that a plan and a key need of a file: what its header says, page by page, the digest of its
    bytes without metadata and their number, and whether there was metadata to cut out.

    `is_whole` says that it was found to be all there, as what goes as it is must be.
    """

    pages: tuple[ImageInfo, ...]
    digest: str
    has_metadata: bool = False
    bare_bytes: int = 0
    is_whole: bool = False

    def to_record(self) -> dict[str, Any]:
        return {
            "pages": [
                [
                    page.media_type, page.size, page.orientation, page.has_alpha, page.frames,
                    page.frame, page.pixel_kind, page.is_lossless,
                ]
                for page in self.pages
            ],
            "digest": self.digest,
            "has_metadata": self.has_metadata,
            "bare_bytes": self.bare_bytes,
            "is_whole": self.is_whole,
        }  # fmt: skip

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Picture:
        """Read a record. Raises KeyError, TypeError or ValueError for one of another shape."""
        pages = (
            ImageInfo(media_type, Size(*size), *rest) for media_type, size, *rest in record["pages"]
        )
        rest = (record[name] for name in ("digest", "has_metadata", "bare_bytes", "is_whole"))
        return cls(tuple(pages), *rest)


class FileState(NamedTuple):
    """
    What tells one state of a file from the next: length, times in nanoseconds, number and device.

    `ctime_ns`, when the inode last changed, is here too: `cp -p` and `rsync` set `mtime_ns` back.
    """

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    def is_settled(self, now_ns: int) -> bool:
        """
        Say whether a write after `now_ns` must change this state.

        It need not while the clock that stamped it may not have ticked since.
        """
        return max(self.mtime_ns, self.ctime_ns) < now_ns - GRAIN_NS


class Sighting(NamedTuple):
    """
    A file as it was found before it was read, and what is remembered of it in that state.

    `read` gives its bytes while it is in that state, and raises ImageChanged once it is not; None
    where the state says nothing.
    """

    path: str
    state: FileState | None
    picture: Picture | None = None
    read: Callable[[], bytes] | None = None


class ImageChanged(ImageError):
    """A file was written while it was being asked about."""

    hint = "ask again; what it is now was not sent"

    def __init__(
        self, source: str, found: str = "changed between being looked at and being sent"
    ) -> None:
        super().__init__(source, found)
