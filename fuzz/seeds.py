"""The first inputs of each target, made anew: `python -m fuzz.seeds` writes them to the corpus."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from eyeline.bulk.journal import line_of

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


def requests() -> Iterator[bytes]:
    yield from bodies()
    user = {"role": "user", "content": "What is it?"}
    chat = {"model": "gpt-4o", "messages": [user], "stream": True, "n": 2, "max_tokens": 3}
    yield json.dumps({**chat, "stream_options": {"include_usage": True}}).encode()
    url = next(texts()).decode()
    shown = {"type": "input_image", "image_url": url, "detail": "low"}
    item = {"role": "user", "content": [{"type": "input_text", "text": "What?"}, shown]}
    tree = {"title": {"type": "string"}, "more": {"$ref": "#"}, "colours": {"type": "array"}}
    form = {"type": "json_schema", "name": "a", "schema": {"type": "object", "properties": tree}}
    asked = {"model": "gpt-6-luna", "input": [item], "text": {"format": form}}
    yield json.dumps(asked).encode()
    yield json.dumps({**asked, "previous_response_id": "resp_1", "stream": True}).encode()
    # Half a character, which has no bytes in UTF-8.
    half = [{"type": "input_image", "image_url": "\ud800"}, {"type": "\ud800"}]
    yield json.dumps({"model": "\ud800", "input": [{"role": "user", "content": half}]}).encode()
    yield json.dumps({**asked, "model": "\ud800"}).encode()
    yield json.dumps({**asked, "model": "a\r\nb: c", "metadata": {"a": "\ud800"}}).encode()
    yield json.dumps({**asked, "max_output_tokens": -3, "stream": True}).encode()
    yield json.dumps({**chat, "stream": False, "n": 10**9}).encode()
    yield json.dumps({"model": "gpt-4o", "input": ["a", 1, None]}).encode()


def schemas() -> Iterator[bytes]:
    yield from requests()
    tree = {str(at): {"$ref": "#"} for at in range(10)}
    yield json.dumps({"type": "object", "properties": tree}).encode()
    odd = {"type": [3, None, ["string"]], "title": "text", "enum": [{}, []]}
    yield json.dumps({"properties": {"total": odd, "text\ud800": {"type": 7}}}).encode()


def ledgers() -> Iterator[bytes]:
    """Give the lines of a ledger without their checksums, after the byte that cuts."""
    lines: list[dict[str, object]] = [
        {"intent": "a", "usd_max": "0.012"},
        {"intent": "b", "usd_max": None},
        {"outcome": "a", "spent_usd": "0.001", "record": {"status": "done", "cached": False}},
        {"outcome": "c", "spent_usd": "0", "record": {"status": "failed"}, "stored": {"k": {}}},
        {"left": "b", "spent_usd": "0"},
        {"doubt": "d", "usd_max": "1E-3"},
    ]
    for cut in (0, 100, 255):
        yield bytes([cut]) + b"\n".join(json.dumps(line).encode() for line in lines)
    yield b"\x80" + b"".join(map(line_of, lines))


def tables() -> Iterator[bytes]:
    yield b'image,product,note\r\na.jpg,"two\nlines, ""q""",1\r\n\r\nb.jpg,x;y,\r\nc.jpg,"\n",3'
    yield b"\xef\xbb\xbfpath\tsize\na/b.png\t3\nhttps://h/x.jpg?q=1\t\n"
    yield b'{"image": "a.jpg", "n": 1}\n{"image": {"bytes": "iVBORw0K"}, "n": 2.5}\n{"image": []}\n'
    yield b"a.jpg\r\n\r\n/b/c d.png\nhttps://h/x?q=1\nscan.pdf#2\ndata:image/png;base64,aa==\n"


def streams() -> Iterator[bytes]:
    for file in sorted(REPLIES.glob("*.sse")):
        yield b"\x05\x20\x40\x80" + file.read_bytes()


def replies() -> Iterator[bytes]:
    for file in sorted([*REPLIES.glob("*.json"), *REPLIES.glob("*.html")]):
        yield file.read_bytes()
    yield b"Please try again in 84ms."
    yield b"Wed, 21 Oct 2026 07:28:00 GMT"


SEEDS = {
    "media": images, "data_url": texts, "sse": streams, "reply": replies, "check": bodies,
    "relay": requests, "reader": schemas, "ledger": ledgers, "table": tables,
}  # fmt: skip

if __name__ == "__main__":
    for name, seeds in SEEDS.items():
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for seed in seeds():
            (folder / hashlib.sha1(seed).hexdigest()[:16]).write_bytes(seed)
