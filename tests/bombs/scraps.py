"""Beginnings and ends: what is hardly a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from PIL import Image

from bombs.heif import tile
from bombs.pdf import page, stream
from bombs.png import PNG_MARK
from bombs.register import saved
from bombs.svg import svg


@cache
def small() -> dict[str, bytes]:
    """Give one small right file of each format, by the end of its name."""
    image = Image.linear_gradient("L").convert("RGB").resize((48, 40))
    frames: dict[str, object] = {"save_all": True, "append_images": [image.rotate(90)]}
    return {
        ".jpg": saved(image, "JPEG"),
        ".progressive.jpg": saved(image, "JPEG", progressive=True),
        ".png": saved(image.convert("RGBA"), "PNG"),
        ".gif": saved(image, "GIF", **frames),
        ".webp": saved(image, "WEBP", **frames),
        ".bmp": saved(image, "BMP"),
        ".tif": saved(image, "TIFF", compression="tiff_lzw"),
        ".avif": saved(image, "AVIF"),
        ".heic": tile("HEIC", 64),
        ".jp2": saved(image, "JPEG2000"),
        ".ico": saved(image, "ICO"),
        ".ppm": saved(image, "PPM"),
        ".svg": svg("<text>a</text>"),
        ".pdf": page(stream(b"0 0 99 99 re f")),
    }


SIGNATURES = {
    "jpg": b"\xff\xd8\xff\xe0", "png": PNG_MARK, "gif": b"GIF89a", "webp": b"RIFF\x99\0\0\0WEBP",
    "bmp": b"BM", "tif": b"II*\0", "big.tif": b"II+\0\x08\0\0\0", "ico": b"\0\0\1\0\1\0",
    "j2k": b"\xff\x4f\xff\x51", "jp2": b"\0\0\0\x0cjP  \r\n\x87\n", "ppm": b"P6 ",
    "avif": b"\0\0\0\x1cftypavif", "heic": b"\0\0\0\x1cftypheic", "svg": b"<svg ",
    "pdf": b"%PDF-1.7",
}  # fmt: skip


def scraps() -> Iterator[tuple[str, bytes]]:
    """Give names and bytes of what is hardly a file: empty, cut anywhere, garbage behind a mark."""
    yield "empty.png", b""
    yield "one_byte.png", b"\xff"
    yield "zeros.png", bytes(10_000)
    garbage = bytes(at * 167 % 251 for at in range(4_000))
    for ending, mark in SIGNATURES.items():
        yield f"garbage.{ending}", mark + garbage
        yield f"ones.{ending}", mark + b"\xff" * 4_000
        yield f"mark.{ending}", mark
    for ending, data in small().items():
        points = 3 if ending in (".heic", ".avif", ".jp2", ".svg", ".pdf") else 8
        for at in range(1, points + 1):
            yield f"cut{at}{ending}", data[: len(data) * at // (points + 1)]
