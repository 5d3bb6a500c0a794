"""The Loader and the Pixels port, each library imported when it is first needed."""

from __future__ import annotations

from collections.abc import Collection

from eyeline.core.parts import PreparedImage
from eyeline.core.plan import PreparePlan
from eyeline.core.reference import FileRef, Loaded, PixelsRef, Reference, StreamRef, UrlRef
from eyeline.core.size import Size


class Images:
    """
    Loads files, file objects, pixels in memory, and URLs from public or named hosts; prepares them.
    """

    def __init__(self, allow_hosts: Collection[str] = ()) -> None:
        self.allow_hosts = frozenset(host.strip("[]").lower() for host in allow_hosts)

    def load(self, reference: Reference, bytes_max: int | None) -> Loaded:
        source = str(reference)
        match reference:
            case FileRef(path):
                from eyeline.adapters.files import read_file

                return Loaded(read_file(path, source, bytes_max))
            case StreamRef(stream):
                from eyeline.adapters.files import read_again

                return Loaded(read_again(stream, source, bytes_max))
            case PixelsRef(pixels):
                from eyeline.adapters.arrays import encode

                return Loaded(encode(pixels, source))
            case UrlRef(url):
                from eyeline.adapters.fetch import fetch

                return fetch(url, source, self.allow_hosts, bytes_max)
        raise AssertionError(reference)

    def pages(self, data: bytes, source: str) -> tuple[Size, ...]:
        from eyeline.adapters.pdf import page_sizes

        return page_sizes(data, source)

    def prepare(self, data: bytes, plan: PreparePlan, source: str) -> PreparedImage:
        from eyeline.adapters.pixels import prepare

        return prepare(data, plan, source)

    def fingerprint(self, image: PreparedImage) -> str:
        from eyeline.adapters.fingerprint import digest_pixels

        return digest_pixels(image.data, image.media_type)
