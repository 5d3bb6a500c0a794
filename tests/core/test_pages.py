"""Which pages and frames a reference means, and names that do not tell the truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from eyeline.core.media import GIF, HEIC, JPEG, PDF, PNG, TIFF, ImageInfo
from eyeline.core.pages import IMAGES_MAX, choose_pages, misnamed, pdf_pages, refuse_too_many
from eyeline.core.reference import BytesRef, FileRef, PageRef, Reference, UrlRef
from eyeline.core.size import Size
from eyeline.errors import BadReference, ImageTooLarge, TooManyImages

SIZE = Size(8, 6)
SCAN = pdf_pages([SIZE, Size(6, 8)])
TIFF_PAGES = (ImageInfo(TIFF, SIZE, frame=0), ImageInfo(TIFF, SIZE, frame=2))
CLIP = (ImageInfo(GIF, SIZE, frames=2),)
PICTURE = (ImageInfo(JPEG, SIZE),)


@pytest.mark.parametrize(
    ("pages", "number", "expected"),
    [
        (SCAN, None, [("x#1", 0), ("x#2", 1)]),
        (SCAN[:1], None, [("x#1", 0)]),
        (SCAN, 2, [("x#2", 1)]),
        (TIFF_PAGES, None, [("x#1", 0), ("x#2", 2)]),
        (TIFF_PAGES, 2, [("x#2", 2)]),
        (TIFF_PAGES[:1], None, [("x", 0)]),
        (TIFF_PAGES[:1], 1, [("x#1", 0)]),
        (CLIP, None, [("x", 0)]),
        (CLIP, 0, [("x#0", 0)]),
        (CLIP, 7, [("x#7", 7)]),
        (PICTURE, None, [("x", 0)]),
        (PICTURE, 0, [("x#0", 0)]),
    ],
)
def test_examples(
    pages: tuple[ImageInfo, ...], number: int | None, expected: list[tuple[str, int]]
) -> None:
    """A document stands for all its pages, counted from 1; an animation for a frame, from 0."""
    chosen = choose_pages(pages, number, "x")
    assert [(page.source, page.info.frame) for page in chosen] == expected


@pytest.mark.parametrize(
    ("pages", "number", "found"),
    [
        (SCAN, 0, "no page 0, the file has pages 1 to 2"),
        (SCAN, 3, "no page 3, the file has pages 1 to 2"),
        (SCAN[:1], 2, "no page 2, the file has 1 page"),
        (PICTURE, 1, "no frame 1, it is a single picture"),
    ],
)
def test_no_such_page(pages: tuple[ImageInfo, ...], number: int, found: str) -> None:
    """A page that is not there is an error that says which are."""
    with pytest.raises(BadReference, match=found):
        choose_pages(pages, number, "x")


def test_a_frame_too_far_in() -> None:
    """A frame that takes too much drawing to reach is refused, with how far one may go."""
    film = (ImageInfo(GIF, Size(2000, 1000), frames=2),)
    assert choose_pages(film, 120, "x")[0].info.frame == 120
    with pytest.raises(ImageTooLarge, match="the limit is frame 120"):
        choose_pages(film, 151, "x")


@pytest.mark.parametrize(
    ("reference", "declared", "media_type", "expected"),
    [
        (FileRef(Path("a.jpg")), "", JPEG, ()),
        (FileRef(Path("a.JPEG")), "", JPEG, ()),
        (FileRef(Path("a.jpg")), "", PNG, ("named JPEG, is PNG",)),
        (FileRef(Path("jpg")), "", PNG, ()),
        (FileRef(Path("photo")), "", PNG, ()),
        (FileRef(Path("a.photo")), "", PNG, ()),
        (PageRef(FileRef(Path("a.tif")), 2), "", PDF, ("named TIFF, is PDF",)),
        (UrlRef("https://x.org/a%2Ejpg?b=c.png"), "", JPEG, ()),
        (UrlRef("https://x.org/a.jpg"), "image/png; q=1", JPEG, ("declared PNG, is JPEG",)),
        (UrlRef("https://x.org/a.png"), "IMAGE/JPG", JPEG, ("named PNG, is JPEG",)),
        (UrlRef("https://x.org/a"), "application/octet-stream", JPEG, ()),
        (BytesRef(b""), "image/heif", HEIC, ()),
    ],
)
def test_names_and_types(
    reference: Reference, declared: str, media_type: str, expected: tuple[str, ...]
) -> None:
    """The bytes decide; a name or declared type that says otherwise is noted, once."""
    assert misnamed(reference, declared, media_type) == expected


def test_a_request_has_room_for_so_many() -> None:
    """More images than the API takes are refused before anything is sent."""
    refuse_too_many(IMAGES_MAX)
    with pytest.raises(TooManyImages, match="1,501 images, a request takes 1,500"):
        refuse_too_many(IMAGES_MAX + 1)
