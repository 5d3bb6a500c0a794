"""
How the value of an image part is spelt: a data URL as it should be, or one of the usual mistakes.
"""

from __future__ import annotations

import re
from binascii import Error
from dataclasses import dataclass, field
from urllib.parse import unquote, unquote_to_bytes

from pybase64 import b64decode

from eyeline.core.media import READERS, UNREAD
from eyeline.core.misplaced import BARE_CHARS_MIN, URLSAFE, payload_type
from eyeline.core.pages import SYNONYMS

HEADS = re.compile(
    r"\s*(?:data:|(?=image/|;?base64,))(?P<type>[^;,\s]{0,100})(?:;[^;,\s]{1,100})*?;?base64,\s*",
    re.IGNORECASE,
)
# No path is longer. Source: Linux, PATH_MAX.
PATH_CHARS_MAX = 4096
REPR = re.compile(r"b(['\"])(.*)\1", re.DOTALL)
BARE = re.compile(r"[A-Za-z0-9+/_\s-]+={0,2}\s*")


@dataclass(frozen=True, slots=True)
class Spelt:
    """
    What a string turns out to hold: the bytes of an image, and the mistakes in how it is written.

    `data` is None where the base64 cannot be read. `declared` is the media type it claims.
    """

    data: bytes | None = field(repr=False)
    declared: str = ""
    faults: tuple[str, ...] = ()


def read_spelling(value: str) -> Spelt | None:
    """Read base64 in any of the ways it comes; None for what is none, as a path or a URL."""
    heads, declared, rest = strip_heads(value)
    is_data_url = value.lstrip()[:5].lower() == "data:"
    if not heads:
        if is_data_url:
            return Spelt(unquoted(value.partition(",")[2]), "", ("bad_base64",))
        if len(value) <= PATH_CHARS_MAX and not is_bare(rest):
            return None
    as_bytes = REPR.fullmatch(rest.strip())
    data, in_payload = decode(as_bytes[2] if as_bytes else rest)
    in_head = {
        "missing_prefix": not is_data_url,
        "double_prefix": heads > 1,
        "bytes_repr": as_bytes is not None,
    }
    faults = (*(fault for fault, applies in in_head.items() if applies), *in_payload)
    return Spelt(data, SYNONYMS.get(declared, declared), faults)


def unquoted(payload: str) -> bytes | None:
    """Give the bytes of a data URL without base64, None where there are none or no URL has them."""
    try:
        return unquote_to_bytes(payload) or None
    except UnicodeEncodeError:
        return None


def strip_heads(value: str) -> tuple[int, str, str]:
    """Give how many heads stand before the base64, the type the last one claims, and the rest."""
    count, declared = 0, ""
    at = 0
    while head := HEADS.match(value, at):
        count, declared, at = count + 1, head["type"].lower(), head.end()
    return count, declared, value[at:] if at else value


def is_bare(value: str) -> bool:
    """Say whether a string without a head is base64 of an image, and not a path."""
    as_bytes = REPR.fullmatch(value.strip())
    payload = as_bytes[2] if as_bytes else value
    if len(payload) < BARE_CHARS_MIN or not BARE.fullmatch(payload):
        return False
    return payload_type(payload.strip()) in READERS.keys() | UNREAD.keys()


def decode(payload: str) -> tuple[bytes | None, tuple[str, ...]]:
    """Give the bytes inside base64, None where there is no reading them, and what was wrong."""
    try:
        data = b64decode(payload, validate=True)
    except (Error, ValueError):
        return loosely(payload)
    return (data, ()) if data else (None, ("empty_base64",))


def loosely(payload: str) -> tuple[bytes | None, tuple[str, ...]]:
    """Read base64 that is percent-encoded, broken into lines, URL-safe, or without its padding."""
    compact = "".join(unquote(payload).split())
    faults = {
        "urlsafe_base64": "-" in compact or "_" in compact,
        "bad_base64": compact != payload or len(compact) % 4 != 0,
    }
    bare = compact.translate(URLSAFE).rstrip("=")
    try:
        data = b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (Error, ValueError):
        return None, ("bad_base64",)
    found = tuple(fault for fault, applies in faults.items() if applies)
    return (data, found or ("bad_base64",)) if data else (None, ("empty_base64",))
