"""Half an image is recognised before it is sent."""

from __future__ import annotations

import pytest

from core.support import gifs, jpegs, pngs, webps
from eyeline.core.media import GIF, JPEG, PNG, WEBP
from eyeline.core.whole import check_whole
from eyeline.errors import ImageTruncated, UnsafeImage

IMAGES = [
    (media_type, name, data)
    for media_type, group in ((JPEG, jpegs), (PNG, pngs), (GIF, gifs), (WEBP, webps))
    for name, data in group().items()
]
NAMES = [f"{media_type} {name}" for media_type, name, _ in IMAGES]


@pytest.mark.parametrize(("media_type", "name", "data"), IMAGES, ids=NAMES)
def test_a_whole_image_passes(media_type: str, name: str, data: bytes) -> None:
    """An image as its encoder made it is whole, and stays so with bytes behind its end."""
    check_whole(data, media_type, "x")
    check_whole(data + b"\0\0trailing", media_type, "x")


@pytest.mark.parametrize(("media_type", "name", "data"), IMAGES, ids=NAMES)
def test_every_prefix_is_truncated(media_type: str, name: str, data: bytes) -> None:
    """An image cut at any byte is truncated, also inside its EXIF, a comment or a thumbnail."""
    for end in range(len(data)):
        with pytest.raises(ImageTruncated, match=r"x: truncated or damaged image \(.+\)"):
            check_whole(data[:end], media_type, "x")


def test_a_png_with_a_changed_byte_is_damaged() -> None:
    """A chunk that fails its checksum is named, with nothing a terminal would obey."""
    data = bytearray(pngs()["RGB"])
    data[20] ^= 1
    with pytest.raises(ImageTruncated, match=r"chunk b'IHDR' fails its checksum"):
        check_whole(bytes(data), PNG, "x")


def test_a_gif_without_a_picture_is_not_whole() -> None:
    """A trailer alone does not make an image."""
    with pytest.raises(ImageTruncated, match="no image"):
        check_whole(b"GIF89a\x05\0\x06\0\0\0\0;", GIF, "x")


def test_a_camera_photo_cut_behind_its_thumbnail() -> None:
    """The end mark of the thumbnail in the EXIF is not taken for that of the picture."""
    data = jpegs()["thumbnail"]
    assert data.count(b"\xff\xd9") == 2
    with pytest.raises(ImageTruncated, match="no end-of-image mark"):
        check_whole(data[:-2], JPEG, "x")


def test_a_file_that_is_nothing_but_structure() -> None:
    """Endless empty parts are named as what they are."""
    data = pngs()["RGB"][:33] + b"\0\0\0\0IDAT\x35\xaf\x06\x1e" * 100_001
    with pytest.raises(UnsafeImage, match="more than 100,000 chunks"):
        check_whole(data, PNG, "x")


def test_a_jpeg_without_a_frame() -> None:
    """A scan and an end alone are no picture."""
    with pytest.raises(ImageTruncated, match="no frame header"):
        check_whole(b"\xff\xd8\xff\xda\0\2\xff\xd9", JPEG, "x")


def test_an_end_mark_among_the_tables_is_no_end() -> None:
    """Cut behind a comment between two scans, the mark inside the comment does not count."""
    data = jpegs()["progressive"]
    at = data.rindex(b"\xff\xda")
    with pytest.raises(ImageTruncated, match="no end-of-image mark"):
        check_whole(data[:at] + b"\xff\xfe\0\x06\xff\xd9\0\0", JPEG, "x")
