"""Data URLs, read strictly. Source: RFC 2397."""

from __future__ import annotations

import binascii
from urllib.parse import unquote_to_bytes

from eyeline.errors import BadDataUrl


def declared_type(url: str) -> str:
    """Give the media type that a data URL claims, "" if it claims none."""
    return url.partition(",")[0].partition(":")[2].partition(";")[0].strip().lower()


def decode_data_url(url: str, source: str) -> bytes:
    """Give the bytes inside a data URL; white space in the base64 is ignored. Raises BadDataUrl."""
    head, comma, payload = url.partition(",")
    if not comma:
        raise BadDataUrl(source, "no comma after the media type")
    if not head.lower().endswith(";base64"):
        return unquoted(payload, source)
    compact = "".join(payload.split())
    try:
        return binascii.a2b_base64(compact, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise BadDataUrl(source, str(error)) from None


def unquoted(payload: str, source: str) -> bytes:
    try:
        return unquote_to_bytes(payload)
    except UnicodeEncodeError:
        raise BadDataUrl(source, "characters that no URL can hold") from None
