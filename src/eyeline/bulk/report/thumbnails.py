"""Small pictures for a report, made as images are prepared for a model, only smaller."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from io import BytesIO

from eyeline.adapters.decode import UNDECODABLE, decode
from eyeline.adapters.pixels import execute
from eyeline.bulk.report.write import Seen
from eyeline.bulk.rows import Row
from eyeline.bulk.sources.storage import is_web as is_address
from eyeline.core.colour import WHITE
from eyeline.core.media import JPEG, ImageInfo
from eyeline.core.plan import PreparePlan
from eyeline.core.reference import FileId, Reference, parse_reference
from eyeline.core.size import fit_within
from eyeline.drivers import Driver
from eyeline.effects import Flow
from eyeline.errors import EyelineError
from eyeline.flow import measure
from eyeline.looking import load

# Sharp at 64 px on a fine screen; two or three kilobytes each.
SIDE_PX, JPEG_QUALITY = 128, 50


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """Makes them with a driver's loader."""

    driver: Driver

    def each(self, seen: Iterable[Seen]) -> Iterator[Seen]:
        """Give each row with the picture of its first image, b"" where it has none, in order."""
        threads = os.cpu_count() or 2
        pending: deque[tuple[Seen, Future[bytes]]] = deque()
        with ThreadPoolExecutor(threads, "eyeline-thumbnail") as pool:
            for each in seen:
                pending.append((each, pool.submit(self.of, each.row if is_worth(each) else None)))
                if len(pending) > 2 * threads:
                    yield finished(pending.popleft())
            while pending:
                yield finished(pending.popleft())

    def of(self, row: Row | None) -> bytes:
        """Give a small JPEG; b"" for what cannot be read or decoded, which the row itself says."""
        try:
            reference = parse_reference(row.images[0]) if row and row.images else None
            if reference is None or isinstance(reference, FileId):
                return b""
            info, data = self.driver.run(looked_at(reference))
            return small(data, info, str(reference))
        except (EyelineError, *UNDECODABLE):
            return b""


def is_worth(seen: Seen) -> bool:
    """Say whether to look for a picture; an address that failed once is not waited for again."""
    images = seen.row.images if seen.row else ()
    is_web = any(isinstance(image, str) and is_address(image) for image in images)
    return not (is_web and seen.record.get("status") == "failed")


def finished(made: tuple[Seen, Future[bytes]]) -> Seen:
    seen, future = made
    return replace(seen, picture=future.result())


def looked_at(reference: Reference) -> Flow[tuple[ImageInfo, bytes]]:
    """Read an image, of a document its first page."""
    pages = yield from measure(reference)
    loaded = yield from load(reference)
    return pages[0].info, loaded.data


def small(data: bytes, info: ImageInfo, source: str) -> bytes:
    plan = PreparePlan(
        media_type=JPEG,
        size=fit_within(info.upright_size, SIDE_PX),
        detail="low",
        tokens=0,
        encode=True,
        stored=info.media_type,
        frame=info.frame,
        orientation=info.orientation,
        background=WHITE if info.has_alpha else None,
    )
    image, _ = execute(decode(data, plan, source), plan)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return buffer.getvalue()
