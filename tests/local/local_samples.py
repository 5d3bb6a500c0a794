"""Facts made by hand, and bodies as a client sends them."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from eyeline.core.wire import Request
from eyeline.local.facts import Code, Colour, Facts, Header, Kind, Label, Line, Measures, Row

EXAMPLES = Path(__file__).parents[2] / "examples"

CAT = (
    Label(282, "tiger cat", 0.39),
    Label(285, "Egyptian Mau", 0.36),
    Label(281, "tabby cat", 0.17),
)
ESPRESSO = (Label(967, "espresso", 0.95), Label(968, "tea cup", 0.02))

RECEIPT = (
    "CORNER MARKET",
    "Tel. +44 1632 960018",
    "2026-11-21 17:42",
    "Rye bread 3.10",
    "Olive oil 0.5 l 8.49",
    "Subtotal 11.59",
    "VAT 7 % 0.76",
    "Total items 2",
    "TOTAL EUR 11.59",
    "shop@corner.example",
)


def rows(*texts: str) -> tuple[Row, ...]:
    """Stack texts from the top, each in a row of its own."""
    return tuple(
        Row((Line(text, 0.99, (0, 30 * i, 10 * len(text), 30 * i + 20)),))
        for i, text in enumerate(texts)
    )


def facts(*texts: str, kind: Kind = Kind.PHOTO, **changed: Any) -> Facts:
    """Make the facts of a picture that holds `texts`."""
    header = Header("JPEG", 640, 480, **changed.pop("header", {}))
    measures = {
        "is_grey": False,
        "brightness": 0.5,
        "sharpness": 300.0,
        "flat_share": 0.4,
        "same_share": 0.1,
        "colours": (Colour("brown", 0.6), Colour("white", 0.2)),
        **changed.pop("measures", {}),
    }
    return Facts(header, Measures(**measures), kind, rows(*texts), **changed)


def coded(kind: str, text: str) -> Facts:
    return facts(codes=(Code(kind, text),))


def png(image: Image.Image | None = None, form: str = "PNG", **options: Any) -> bytes:
    """Encode a picture, by default a grey one."""
    encoded = io.BytesIO()
    (image or Image.new("RGB", (40, 30), "grey")).save(encoded, form, **options)
    return encoded.getvalue()


def data_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def chat(question: str, *pictures: bytes, **more: Any) -> Request:
    """Ask as a chat completion."""
    parts = [{"type": "image_url", "image_url": {"url": data_url(data)}} for data in pictures]
    content = [{"type": "text", "text": question}, *parts]
    body = {"model": "reader", "messages": [{"role": "user", "content": content}], **more}
    return request("/chat/completions", body)


def responses(question: str, *pictures: bytes, **more: Any) -> Request:
    """Ask through the Responses API."""
    parts = [{"type": "input_image", "image_url": data_url(data)} for data in pictures]
    content = [{"type": "input_text", "text": question}, *parts]
    body = {"model": "reader", "input": [{"role": "user", "content": content}], **more}
    return request("/responses", body)


def request(path: str, body: Any) -> Request:
    is_stream = isinstance(body, dict) and bool(body.get("stream"))
    return Request(path, json.dumps(body).encode(), is_stream, 60)
