"""The first inputs of each target, made anew: `python -m fuzz.seeds` writes them to the corpus."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

CORPUS = Path(__file__).parent / "corpus"
REPLIES = Path(__file__).parent.parent / "tests" / "samples" / "replies"


def images() -> Iterator[bytes]:
    """Give one tiny picture in every format that Pillow writes, with metadata where it may have."""
    picture = Image.new("RGB", (9, 7), (200, 30, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    for kind in ("PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000", "ICO", "PPM", "AVIF"):
        yield encoded(picture, kind)
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        yield encoded(picture, kind, exif=exif)
    yield encoded(picture, "JPEG", progressive=True, comment=b"by hand")
    yield encoded(picture, "WEBP", lossless=True)
    frames = [Image.new("P", (5, 5), shade) for shade in (1, 2, 3)]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        yield encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    yield b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="7"><path d="M0 0h9"/></svg>'


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def texts() -> Iterator[bytes]:
    data = base64.b64encode(next(images()))
    yield b"data:image/png;base64," + data
    yield b"data:image/png;base64,data:image/png;base64," + data
    yield data.translate(bytes.maketrans(b"+/", b"-_")).rstrip(b"=")
    yield b"b'" + data + b"'"
    yield b"Here is an image: https://example.org/a/photo.jpg?x=1#y and " + data
    yield b"file:///tmp/a.png"
    yield b"data:,Hello%2C%20World"


def bodies() -> Iterator[bytes]:
    yield from texts()
    url = next(texts()).decode()
    chat = [{"type": "input_image", "image_url": url}, {"type": "image_url", "image_url": url}]
    yield json.dumps({"messages": [{"role": "user", "content": chat}]}).encode()
    yield json.dumps({"input": [{"role": "user", "content": chat}], "instructions": url}).encode()


def streams() -> Iterator[bytes]:
    for file in sorted(REPLIES.glob("*.sse")):
        yield b"\x05\x20\x40\x80" + file.read_bytes()


def replies() -> Iterator[bytes]:
    for file in sorted([*REPLIES.glob("*.json"), *REPLIES.glob("*.html")]):
        yield file.read_bytes()
    yield b"Please try again in 84ms."
    yield b"Wed, 21 Oct 2026 07:28:00 GMT"


SEEDS = {"media": images, "data_url": texts, "sse": streams, "reply": replies, "check": bodies}

if __name__ == "__main__":
    for name, seeds in SEEDS.items():
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for seed in seeds():
            (folder / hashlib.sha1(seed).hexdigest()[:16]).write_bytes(seed)
