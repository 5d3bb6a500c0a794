"""Who fetches an image URL: eyeline, which sends the bytes, or the server that is asked."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from eyeline.core.addresses import is_private
from eyeline.core.dialect import Dialect
from eyeline.core.engine import Engine
from eyeline.core.pages import EXTENSIONS
from eyeline.core.question import Urls
from eyeline.errors import ApiError, ImageRejected

# What no other way of sending an image changes.
FINAL_CODES = {"image_content_policy_violation"}


def is_passed(url: str, urls: Urls, engine: Engine, dialect: Dialect) -> bool:
    """
    Say whether a URL goes to the engine as it is, to be downloaded there.

    An engine in this process downloads nothing, and what a server turned out not to download is
    fetched here. Else `auto` passes to OpenAI what it is likely to get: nothing private, nothing
    with a password, nothing named as a format that it refuses.
    """
    is_unable = engine.is_local or not dialect.takes_urls
    if urls == "fetch" or is_unable or urlsplit(url).hostname in dialect.fetch_hosts:
        return False
    return urls == "pass" or (engine.needs_key and is_likely(url, engine))


def is_likely(url: str, engine: Engine) -> bool:
    """Say whether a provider out there may download and take this, as far as its name tells."""
    is_taken = named_type(url) in {"", *engine.media_types}
    return is_taken and "@" not in urlsplit(url).netloc and not is_private(url)


def named_type(url: str) -> str:
    """Give the media type that the extension in a URL's path names, "" for none known."""
    return EXTENSIONS.get(urlsplit(url).path.rpartition(".")[2].lower(), "")


def is_to_be_fetched(urls: Iterable[str], error: ApiError, dialect: Dialect) -> bool:
    """
    Say whether images that were passed as URLs, and refused, may be taken once they come inline.

    `dialect` knows what the refusal taught. All are fetched then, whichever the error names, so
    that it happens once a question.
    """
    hosts = {urlsplit(url).hostname for url in urls}
    is_unable = not (hosts.isdisjoint(dialect.fetch_hosts) and dialect.takes_urls)
    is_about_image = isinstance(error, ImageRejected) and error.code not in FINAL_CODES
    return bool(hosts) and (is_unable or is_about_image)
