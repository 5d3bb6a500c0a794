"""Headers of files of which only parts are here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.support import all_images, encoded, exif, picture
from eyeline.core.formats import jpeg, webp
from eyeline.core.formats.parts import Missing, Parts, search
from eyeline.core.media import READ_IN_PARTS, read_pages, read_parts, sniff

WHOLE = bytes(range(256)) * 4


def asked(data: bytes, part_bytes: int, read: Callable[[Parts], object]) -> tuple[object, int]:
    """Read in parts, each given as it is found missing; give what is read, and how many it took."""
    parts = Parts(len(data), {0: data[:part_bytes]})
    for count in range(10_000):
        try:
            return read(parts), count
        except Missing as missing:
            end = missing.at + max(part_bytes, missing.size_bytes)
            parts.parts[missing.at] = data[missing.at : end]
    raise AssertionError("it never ends")


@given(st.integers(-9, 1_100), st.integers(-9, 1_100), st.integers(1, 64))
def test_parts_are_read_as_bytes_are(start: int, stop: int, part_bytes: int) -> None:
    """Slices, single bytes and beginnings are those of the whole, past its end too."""
    assert asked(WHOLE, part_bytes, lambda parts: parts[start:stop])[0] == WHOLE[start:stop]
    assert asked(WHOLE, part_bytes, lambda parts: parts[stop:])[0] == WHOLE[stop:]
    if 0 <= start < len(WHOLE):
        assert asked(WHOLE, part_bytes, lambda parts: parts[start])[0] == WHOLE[start]
        begins = (b"?", WHOLE[start : start + 3])
        assert asked(WHOLE, part_bytes, lambda parts: parts.startswith(begins, start))[0]
        assert not asked(WHOLE, part_bytes, lambda parts: parts.startswith(b"??", start))[0]


def test_behind_the_end() -> None:
    """There is no byte, and nothing is missing."""
    with pytest.raises(IndexError):
        Parts(4, {0: b"abcd"})[4]
    assert len(Parts(4, {})) == 4


@given(st.binary(max_size=200), st.integers(0, 210), st.integers(2, 16))
def test_a_pattern_is_found_across_parts(data: bytes, start: int, part_bytes: int) -> None:
    """It ends where it ends in the whole, or nowhere."""
    data = data.replace(b"\1", b"\xff")
    pattern = re.compile(rb"\xff[^\xff]", re.DOTALL)
    found, _ = asked(data, part_bytes, lambda parts: search(pattern, parts, start))
    assert found == search(pattern, data, start)


NAMES = [name for name, data in all_images().items() if sniff(data) in READ_IN_PARTS]


@pytest.mark.parametrize("name", NAMES)
def test_every_header_is_read_in_parts(name: str) -> None:
    """Each says what it says of the whole file."""
    data = all_images()[name]
    read = lambda parts: read_parts(parts, data, "x")  # noqa: E731
    pages, _ = asked(data, 64, read)
    if "progressive" in name:  # whose scans are counted as far as they are here
        assert cast("tuple[object]", pages)[0] == read_pages(data, "x")[0]
    else:
        assert pages == read_pages(data, "x")


def test_a_header_at_the_end_takes_few_parts() -> None:
    """The EXIF of a WebP behind its pixels, the frame of a JPEG behind a profile: no more."""
    noise = picture().resize((900, 700)).effect_spread(50)
    data = encoded(noise, "WEBP", lossless=True, exif=exif(6))
    assert len(data) > 300_000
    found, count = asked(data, 65_536, lambda parts: webp.header(cast(bytes, parts)))
    assert (found, count) == (webp.header(data), 1)
    data = encoded(noise, "JPEG", quality=95, icc_profile=bytes(400_000), progressive=True)
    found, count = asked(data, 4_096, lambda parts: jpeg.header(cast(bytes, parts)))
    assert found == jpeg.header(data)._replace(scans=found.scans)  # type: ignore[attr-defined]
    assert count < 12
