"""Data URLs, read strictly. Source: RFC 2397."""

from __future__ import annotations

import binascii
from urllib.parse import unquote_to_bytes

from eyeline.errors import BadDataUrl


def decode_data_url(url: str, source: str) -> bytes:
    """Give the bytes inside a data URL; white space in the base64 is ignored. Raises BadDataUrl."""
    head, comma, payload = url.partition(",")
    if not comma:
        raise BadDataUrl(source, "no comma after the media type")
    if not head.lower().endswith(";base64"):
        return unquote_to_bytes(payload)
    compact = "".join(payload.split())
    try:
        return binascii.a2b_base64(compact, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise BadDataUrl(source, str(error)) from None
