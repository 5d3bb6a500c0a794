"""
Images taken out of a request body, and put back where they stood.

What is left between them is small, so a body of any size is parsed, mended and sent without its
base64 being copied.
"""

from __future__ import annotations

import re
from binascii import Error
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pybase64 import b64decode

from eyeline.core.pages import SYNONYMS
from eyeline.core.parts import PreparedImage
from eyeline.core.request import STAND_IN, STAND_IN_JSON
from eyeline.core.spelt import Spelt, read_spelling
from eyeline.core.wire import Body

START = b'"data:image/'
# Within a string every quote is escaped, so these quotes are those of a field and its value.
FIELD = re.compile(rb'"(?:image_)?url"[ \t\r\n]*:[ \t\r\n]*\Z')
FIELD_BYTES_MAX = 40
HEAD = re.compile(rb"data:(image/[\w.+-]{1,100});base64,")
MARK = b"\\u0000image "


@dataclass(frozen=True, slots=True)
class Cut:
    """A data URL as it stood in a body: what it claims to be, and its base64."""

    declared: str
    payload: memoryview = field(repr=False)

    @property
    def head(self) -> str:
        return f"data:{self.declared};base64,"

    def spelt(self) -> Spelt | None:
        """Read it; where it is not written as it should be, as a whole string."""
        try:
            data = b64decode(self.payload, validate=True)
        except (Error, ValueError):
            data = b""
        if data:
            return Spelt(data, SYNONYMS.get(self.declared, self.declared))
        return read_spelling(self.head + str(self.payload, "latin-1"))


# What a stand-in stands for: an image as it stood, or one that was prepared anew.
Inline = Cut | PreparedImage


def take_out(body: bytes) -> tuple[bytes, tuple[Cut, ...] | None]:
    """
    Give a JSON body with a stand-in for each image that it holds as a data URL, and those images.

    A body that has text which looks like a stand-in comes back as it is, with None.
    """
    pieces: list[bytes] = []
    cuts: list[Cut] = []
    done, view = 0, memoryview(body)
    for start, cut, end in data_urls(body, view):
        pieces += [body[done:start], stand_in_json(len(cuts))]
        cuts.append(cut)
        done = end
    skeleton = b"".join([*pieces, view[done:]]) if cuts else body
    return (skeleton, tuple(cuts)) if skeleton.count(MARK) == len(cuts) else (body, None)


def data_urls(body: bytes, view: memoryview) -> Iterator[tuple[int, Cut, int]]:
    """Give where each image's value begins with its quote, the image, and where the value ends."""
    at = body.find(START)
    while at >= 0:
        head, next_at = HEAD.match(body, at + 1), at + 1
        if head and FIELD.search(body, max(0, at - FIELD_BYTES_MAX), at):
            end = body.find(b'"', head.end())
            # An escape would have to be read as JSON first.
            if end >= 0 and body.find(b"\\", head.end(), end) < 0:
                yield at, Cut(head[1].decode(), view[head.end() : end]), end + 1
                next_at = end
        at = body.find(START, next_at)


def stand_in(number: int) -> str:
    return STAND_IN.format(number)


def stand_in_json(number: int) -> bytes:
    return b'"\\u0000image %d\\u0000"' % number


def put_back(text: bytes, images: Sequence[Inline]) -> Body:
    """
    Give JSON with each stand-in replaced by the data URL of its image, in pieces that are not
    copied; the alphabet of base64 needs no escaping there.
    """
    first, *rest = STAND_IN_JSON.split(text)
    around, pieces = first, list[bytes | memoryview | PreparedImage]()
    for number, after in zip(rest[::2], rest[1::2], strict=True):
        image = images[int(number)]
        kind = image.declared if isinstance(image, Cut) else image.media_type
        pieces += [around + f'"data:{kind};base64,'.encode(), inner(image)]
        around = b'"' + after
    return Body((*pieces, around))


def inner(image: Inline) -> memoryview | PreparedImage:
    return image.payload if isinstance(image, Cut) else image
