"""Metadata is cut out of what is sent, and no pixel changes."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from eyeline.core.formats.jpeg import SEGMENTS_MAX
from eyeline.core.media import GIF, JPEG, PNG, TIFF, WEBP
from eyeline.core.metadata import cut_metadata, walked
from eyeline.core.whole import check_whole

SECRET = b"Ada's kitchen"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TYPES = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP", GIF: "GIF"}


def picture() -> Image.Image:
    """Give a picture whose every row differs, so that a changed pixel shows."""
    image = Image.linear_gradient("L").resize((40, 30)).convert("RGB")
    image.putpixel((3, 4), (200, 10, 10))
    return image


def exif() -> Image.Exif:
    made = Image.Exif()
    made[0x010F] = SECRET.decode()
    made.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    return made


def saved(media_type: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture().save(buffer, TYPES[media_type], **options)
    return buffer.getvalue()


FULL = {
    "baseline JPEG": (JPEG, {"exif": exif(), "comment": SECRET, "icc_profile": PROFILE}),
    "progressive JPEG": (JPEG, {"exif": exif(), "progressive": True, "xmp": b"<x>" + SECRET}),
    "restarting JPEG": (JPEG, {"exif": exif(), "restart_marker_blocks": 1}),
    "CMYK-like PNG": (PNG, {"exif": exif(), "icc_profile": PROFILE}),
    "lossy WebP": (WEBP, {"exif": exif(), "xmp": SECRET, "icc_profile": PROFILE}),
    "lossless WebP": (WEBP, {"exif": exif(), "lossless": True}),
    "GIF": (GIF, {"comment": SECRET}),
}


@pytest.mark.parametrize("name", FULL)
@pytest.mark.parametrize("behind", [b"", b"FILM" + SECRET], ids=["", "behind"])
def test_only_metadata_goes(name: str, behind: bytes) -> None:
    """
    What was said of the user goes, also behind the end; pixels and profile stay; once is enough.
    """
    media_type, options = FULL[name]
    data = saved(media_type, **options) + behind
    assert SECRET in data
    cut = cut_metadata(data, media_type)
    assert SECRET not in cut
    check_whole(cut, media_type, "cut")
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(cut))
    assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()
    assert after.info.get("icc_profile") == options.get("icc_profile")
    assert not after.getexif()
    assert cut_metadata(cut, media_type) == cut


@pytest.mark.parametrize("media_type", TYPES)
def test_an_image_without_metadata_is_untouched(media_type: str) -> None:
    """Where there is nothing to cut, every byte stays."""
    data = saved(media_type)
    assert cut_metadata(data, media_type) == data


def test_the_colour_transform_stays() -> None:
    """Adobe's segment says how CMYK is to be read, and stays."""
    buffer = io.BytesIO()
    picture().convert("CMYK").save(buffer, "JPEG", exif=exif())
    cut = cut_metadata(buffer.getvalue(), JPEG)
    assert b"Adobe" in cut
    assert SECRET not in cut


def test_other_types_come_back() -> None:
    """A type that is never sent as it is comes back as it is."""
    assert cut_metadata(b"II*\0...", TIFF) == b"II*\0..."


@pytest.mark.parametrize("media_type", TYPES)
def test_a_cut_file_comes_back(media_type: str) -> None:
    """Of a file that ends early, nothing is invented: what comes back is a part of it."""
    data = saved(media_type)
    for end in range(len(data)):
        assert len(cut_metadata(data[:end], media_type)) <= end or media_type == WEBP


@given(st.sampled_from(sorted(TYPES)), st.data())
@settings(max_examples=150, deadline=None)
def test_no_damage_is_an_error_here(media_type: str, draw: st.DataObject) -> None:
    """However a file is damaged, cutting raises nothing; what is wrong is said elsewhere."""
    data = bytearray(saved(media_type))
    at = draw.draw(st.integers(0, len(data) - 1))
    data[at] = draw.draw(st.integers(0, 255))
    cut_metadata(bytes(data), media_type)


def test_a_size_that_lies() -> None:
    """A WebP that says it is four gigabytes long is read as far as its bytes go."""
    data = bytearray(saved(WEBP))
    data[4:8] = b"\xff" * 4
    assert len(cut_metadata(bytes(data), WEBP)) == len(data)


@pytest.mark.parametrize("media_type", [PNG, WEBP])
def test_what_has_no_metadata_is_not_copied(media_type: str) -> None:
    """The same object comes back, so that a large file is not held twice."""
    data = saved(media_type)
    assert cut_metadata(data, media_type) is data


def test_a_jpeg_of_endless_segments_is_not_walked() -> None:
    """One walk serves all who ask for it; of what nobody could walk there is none."""
    data = saved(JPEG)
    assert cut_metadata(data, JPEG, walked(data, JPEG)) == cut_metadata(data, JPEG)
    assert walked(data, PNG) is None
    endless = data[:2] + b"\xff\xfe\x00\x02" * (SEGMENTS_MAX + 1)
    assert walked(endless, JPEG) is None
    assert cut_metadata(endless, JPEG) == endless


def test_a_header_of_no_bytes() -> None:
    """No byte is made up for a WebP whose extended header says it has none."""
    data = bytearray(saved(WEBP, exif=exif()))
    data[16:20] = bytes(4)
    assert cut_metadata(bytes(data), WEBP) == data
