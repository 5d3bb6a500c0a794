"""
What is wrong with the images of a request body: findings, and images that stand in text.

Nothing is loaded here; what only the bytes of an image can tell is added by `eyeline.mend`.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from eyeline.core.media import AVIF, GIF, HEIC, JP2, JPEG, PNG, READERS, TIFF, WEBP, sniff
from eyeline.core.pages import EXTENSIONS, IMAGES_MAX

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of mistake: what stands there, and what `repair` does about it where it can."""

    found: str
    mend: str = ""
    level: Level = "error"


MOVED = "moved into an image part"
ENCODED = "sent as a data URL"
SPELT = "spelt as a data URL"
# Each under its stable word.
KINDS = {
    "data_url_in_text": Kind("a data URL in the text, which no model sees as an image", MOVED),
    "base64_in_text": Kind("base64 of an image in the text, which no model sees as one", MOVED),
    "url_in_text": Kind("an image's URL in the text, which nobody fetches", MOVED, "warning"),
    "image_url_string": Kind("a string, Chat takes {'url': …} here", "made an object"),
    "image_url_object": Kind("an object, Responses takes a string here", "made a string"),
    "part_type": Kind("a part of the other API's type", "given this API's type"),
    "detail_place": Kind("`detail` beside image_url, Chat takes it inside", "put inside"),
    "missing_prefix": Kind("base64 without `data:image/…;base64,` before it", SPELT),
    "double_prefix": Kind("`data:…;base64,` more than once", SPELT),
    "bytes_repr": Kind("base64 as Python prints bytes, b'…'", SPELT),
    "urlsafe_base64": Kind("URL-safe base64, the API takes the standard alphabet", SPELT),
    "empty_base64": Kind("a data URL with nothing in it"),
    "bad_base64": Kind("not standard base64", SPELT),
    "wrong_type": Kind("a media type that contradicts the bytes", "labelled by its bytes"),
    "local_path": Kind("a path on this machine, which the provider cannot read", ENCODED),
    "private_url": Kind("a private address, which the provider cannot reach"),
    "object_in_part": Kind("an object that JSON cannot hold", ENCODED),
    "unsupported_format": Kind("a format the API refuses", "converted"),
    "unreadable": Kind("an image that cannot be read"),
    "sideways": Kind("turned by metadata alone, which models overlook", "turned", "warning"),
    "wrong_role": Kind("an image in a role that takes none"),
    "file_id": Kind("a file id, which Chat does not take for an image"),
    "detail": Kind("a detail the model does not have", "sent at high"),
    "costly_detail": Kind("the provider's own detail, `original`", "sent at high", "warning"),
    "no_vision": Kind("a model without vision"),
    "too_many_images": Kind(f"more than {IMAGES_MAX:,} images"),
    "too_many_patches": Kind("more patches than the model takes", "sent at high"),
}

# Base64 of a picture is about 1.4 characters to a token: 10 KB of PNG were billed 9,744 tokens.
# Source: CommandCodeAI/command-code#902, September 2026.
BLOB_CHARS_A_TOKEN = 1.4
TEXT_CHARS_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that is wrong with a body.

    `where` is a path into it (`messages[0].content[1].image_url.url`), `what` a stable word out of
    KINDS, `found` what stands there. `mend` is what `repair` does about it, "" where it can do
    nothing. `tokens_wasted` is about what leaving it so is billed beyond what the image would be.
    """

    where: str
    what: str
    found: str
    mend: str = ""
    level: Level = "error"
    tokens_wasted: int = 0

    @property
    def message(self) -> str:
        waste = f" (about {self.tokens_wasted:,} tokens wasted)" if self.tokens_wasted else ""
        return f"{self.where}: {self.found}{waste}"

    def __str__(self) -> str:
        return f"{self.message}; {self.mend or 'not mended'}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def finding(
    where: str, what: str, found: str = "", *, mended: bool = True, tokens_wasted: int = 0
) -> Finding:
    """Make a finding of a known kind; `found` says more than the kind does."""
    kind = KINDS[what]
    said = f"{kind.found}: {found}" if found else kind.found
    return Finding(where, what, said, kind.mend if mended else "", kind.level, tokens_wasted)


# --- images in text -----------------------------------------------------------------------------

ALPHABET = r"[A-Za-z0-9+/_-]"
# MIME and PEM break base64 after 76 and 64 characters; a line that ends elsewhere is its last.
WRAPPED = "|".join(
    rf"(?:{ALPHABET}{{{width}}}\r?\n)+{ALPHABET}{{1,{width}}}={{0,2}}"
    r"(?=[ \t]*[\r\n]|[ \t]*\Z|[^\w\s])"
    for width in (76, 64)
)
PAYLOAD = rf"(?:{WRAPPED}|{ALPHABET}+={{0,2}})"
HEAD = (
    r"(?i:data:[\w.+/-]{0,100}|image/[\w.+-]{1,100})"
    r"(?i:;[\w.+-]{1,100}(?:=[\w.+-]{0,100})?)*(?i:;base64,)\s?"
)
# Shorter base64 without a prefix is a word, a path or a hash.
BARE_CHARS_MIN = 64
BLOB = re.compile(
    rf"(?:(?P<head>(?:{HEAD})+)|(?<![A-Za-z0-9+/_-])(?=(?:b['\"])?{ALPHABET}{{{BARE_CHARS_MIN}}}))"
    rf"(?:b(?P<quote>['\"]))?(?P<payload>{PAYLOAD})(?(quote)(?P=quote)?)"
)
# What is known by so many bytes that chance does not make them.
STRONG_TYPES = {JPEG, PNG, GIF, WEBP, HEIC, AVIF, TIFF, JP2}
HEAD_CHARS = 4 * 1024
URLSAFE = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class Blob:
    """An image that stands in a text as base64, from `start` to `end`; `url` has it spelt right."""

    start: int
    end: int
    url: str = field(repr=False)
    has_prefix: bool

    @property
    def kind(self) -> str:
        return "data_url_in_text" if self.has_prefix else "base64_in_text"

    @property
    def tokens(self) -> int:
        """About what it is billed as text."""
        return round((self.end - self.start) / BLOB_CHARS_A_TOKEN)

    def __str__(self) -> str:
        return f"{self.end - self.start:,} characters"


def blobs(text: str) -> tuple[Blob, ...]:
    """Find the images that stand in a text as data URLs or base64."""
    if len(text) < BARE_CHARS_MIN and "base64," not in text:
        return ()
    return tuple(blob for match in BLOB.finditer(text) if (blob := read_blob(match)))


def read_blob(match: re.Match[str]) -> Blob | None:
    """Read one run of base64; None where it is no image, as in a text about data URLs."""
    payload, has_prefix = match["payload"], match["head"] is not None
    media_type = payload_type(payload)
    if media_type not in (READERS if has_prefix else STRONG_TYPES):
        return None
    return Blob(*match.span(), f"data:{media_type};base64,{payload}", has_prefix)


def payload_type(payload: str) -> str:
    """Give the media type that the first bytes inside base64 name, "" for none known."""
    head = "".join(payload[:HEAD_CHARS].split()).translate(URLSAFE).rstrip("=")
    # One character left over holds no whole byte.
    head = head[: len(head) - (len(head) % 4 == 1)]
    return sniff(a2b_base64(head + "=" * (-len(head) % 4)))


# Stands around an image in a text, and means nothing without it: ![alt](…) and <img src="…">.
MARKDOWN_BEFORE, MARKDOWN_AFTER = (
    re.compile(r"!\[([^\]\n]{0,200})\]\(\s*<?\Z"),
    re.compile(r">?[^)\n]{0,200}\)"),
)
HTML_BEFORE, HTML_AFTER = re.compile(r"<img\b[^<>]{0,500}\Z"), re.compile(r"[^<>]{0,500}>")


def cut(text: str, found: Iterable[Blob]) -> str:
    """Give a text without its blobs, and without what stood around them for their sake alone."""
    kept, rest = "", text
    for blob in sorted(found, key=lambda each: each.start, reverse=True):
        before, after = rest[: blob.start], rest[blob.end :]
        before, after = unwrapped(before, after)
        rest, kept = before, after + kept
    return (rest + kept).strip() if rest + kept != text else text


def unwrapped(before: str, after: str) -> tuple[str, str]:
    """Take Markdown's or HTML's wrapping of an image away; its alternative text stays."""
    for opening, closing in ((MARKDOWN_BEFORE, MARKDOWN_AFTER), (HTML_BEFORE, HTML_AFTER)):
        # No opening is longer; a search from the start would read the text each time.
        tail = before[-600:]
        begins, ends = opening.search(tail), closing.match(after)
        if begins and ends:
            alt = begins[1] if begins.groups() else ""
            return before[: len(before) - len(tail) + begins.start()] + alt, after[ends.end() :]
    return before, after


# --- URLs ---------------------------------------------------------------------------------------

URL = re.compile(r"https?://[^\s<>\"'`\\^{}|\x00-\x1f]{3,4000}", re.IGNORECASE)
PASSED_TYPES = {JPEG, PNG, GIF, WEBP}
# Pages about an image, whose addresses end as the image's own.
PAGE = re.compile(
    r"/wiki/[A-Za-z]+:|^https?://(?:www\.)?github\.com/[^/]+/[^/]+/blob/", re.IGNORECASE
)


def image_urls(text: str, media_types: Collection[str] = PASSED_TYPES) -> tuple[str, ...]:
    """
    Find the http(s) URLs in a text whose path ends in the extension of an image, each once.

    Addresses of pages about an image, as of Wikipedia and GitHub, are left out.
    """
    found = (trimmed(match[0]) for match in URL.finditer(text))
    return tuple(dict.fromkeys(url for url in found if is_image_url(url, media_types)))


def trimmed(url: str) -> str:
    """Take away what belongs to the sentence: a full stop, a bracket that was opened before."""
    for _ in range(8):  # no sentence ends in more
        last = url[-1]
        opens = {")": "(", "]": "["}.get(last)
        if last not in ".,;:!?*" and (opens is None or url.count(opens) >= url.count(last)):
            break
        url = url[:-1]
    return url


def text_tokens(text: str) -> int:
    """Give about how many tokens words take."""
    return max(1, len(text) // TEXT_CHARS_A_TOKEN)


def is_image_url(url: str, media_types: Collection[str]) -> bool:
    try:
        parts = urlsplit(url)
        name, dot, extension = parts.path.rpartition(".")
        is_named = bool(parts.hostname and dot and name)
    except ValueError:
        return False
    return is_named and EXTENSIONS.get(extension.lower()) in media_types and not PAGE.search(url)


# --- models -------------------------------------------------------------------------------------

# OpenAI's models for text, sound and embeddings. Source: the models pages, November 2026.
BLIND = re.compile(
    r"(?:openai/)?(?:gpt-3\.5|gpt-4(?:-0314|-0613|-32k|-1106-preview|-0125-preview|-turbo-preview)?$"
    r"|o1-(?:mini|preview)|o3-mini|gpt-oss|gpt-audio|gpt-4o(?:-mini)?-(?:audio|transcribe|tts|search)"
    r"|text-|davinci|babbage|whisper|tts-|codex-mini)",
    re.IGNORECASE,
)


def is_blind(model: str) -> bool:
    """Say whether a model is known to take no images; of most names nothing is known."""
    return BLIND.match(model) is not None
