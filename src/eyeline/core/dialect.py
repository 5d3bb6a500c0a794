"""
What a server turned out not to take, learned from its first refusal, and how it is asked instead.

Sources of the words: OpenAI's error bodies, pydantic's messages as vLLM and FastAPI servers give
them, llama.cpp and transformers servers (run November 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from eyeline.core.draft import Draft
from eyeline.core.media import JPEG, PNG
from eyeline.core.parts import Api
from eyeline.core.tokens import Detail
from eyeline.errors import ApiError, ModelNotFound

LIMIT_FIELDS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
# Statuses with which servers refuse a field they do not know; some answer 500.
REFUSALS = {400, 404, 405, 415, 422, 500, 501}
NO_ENDPOINT = {404, 405, 501}
# LM Studio's way to say that there is no such endpoint, with status 200.
UNEXPECTED_ENDPOINT = "Unexpected endpoint"
# That a field is not taken at all, rather than its value being wrong this once.
NOT_TAKEN = re.compile(
    r"not (?:be )?(?:supported|permitted|allowed|recogni[sz]ed|implemented|available)|unsupported"
    r"|unrecogni[sz]ed|unknown|unexpected|extra (?:inputs|fields)|not a valid|invalid value"
    r"|should be|must be|expected one of|no such",
    re.IGNORECASE,
)
# The user's own schema is at fault, not the server.
OWN_SCHEMA = re.compile(r"invalid schema|schema for response_format", re.IGNORECASE)
DOWNLOAD = re.compile(r"download|fetch|cannot make GET request", re.IGNORECASE)
DOWNLOAD_CODES = {"failed_to_download_image", "invalid_image_url"}
# That images come inline or not at all.
INLINE_ONLY = re.compile(
    r"base64|data:|data ur[il]|(?:remote|http|external)\S* (?:image )?url|urls? (?:is|are) not",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """
    What one base URL is known to take.

    `limit_field` is the name of the token limit in Chat, "" for the engine's usual one. `json` is
    how a schema reaches the model. `refused_types` are media types it said no to, `fetch_hosts`
    hosts from which it could not download; without `takes_urls` it takes images inline alone, and
    without `takes_files` none by file id. Without `takes_responses` it speaks Chat alone.
    """

    limit_field: str = ""
    details: Literal["all", "no original", "none"] = "all"
    json: Literal["schema", "object", "words"] = "schema"
    stream_options: bool = True
    refused_types: tuple[str, ...] = ()
    fetch_hosts: tuple[str, ...] = ()
    takes_urls: bool = True
    takes_files: bool = True
    takes_responses: bool = True

    def detail(self, asked: Detail) -> Detail | None:
        """Give the detail to send for the one that was asked for, None for none."""
        if self.details == "none":
            return None
        return "high" if asked == "original" and self.details == "no original" else asked

    def adapt(self, draft: Draft) -> Draft:
        """Give the draft as this server takes it; what it is to mean, and its key, stay."""
        parameters = dict(draft.parameters)
        if self.limit_field and draft.api == "chat":
            for name in LIMIT_FIELDS.keys() & parameters.keys() - {self.limit_field}:
                parameters[self.limit_field] = parameters.pop(name)
        schema = schema_in(parameters, draft.api)
        if schema is None or self.json == "schema":
            same = parameters == draft.parameters
            return draft if same else replace(draft, parameters=parameters)
        parameters.pop("response_format", None)
        parameters.pop("text", None)
        if self.json == "object":
            form = {"type": "json_object"}
            chat = draft.api == "chat"
            parameters |= {"response_format": form} if chat else {"text": {"format": form}}
        return replace(draft, parameters=parameters, prompt=f"{draft.prompt}\n\n{in_words(schema)}")

    def differences(self) -> tuple[str, ...]:
        """Say in a few words each what this server does not take."""
        found = {
            f"the token limit is called {self.limit_field}": bool(self.limit_field),
            "no detail original": self.details == "no original",
            "no detail": self.details == "none",
            "no JSON Schema": self.json != "schema",
            "no JSON mode": self.json == "words",
            "no usage at the end of a stream": not self.stream_options,
            f"no {', '.join(self.refused_types)}": bool(self.refused_types),
            "no image URLs": not self.takes_urls,
            "no Responses, Chat Completions alone": not self.takes_responses,
            "no files": not self.takes_files,
            f"cannot download from {some(self.fetch_hosts)}": bool(self.fetch_hosts),
        }
        return tuple(words for words, applies in found.items() if applies)

    def joined(self, newer: Dialect) -> Dialect:
        """
        Give what is known together with what was learned beside it, by others who began from less.
        """
        return Dialect(**{
            each.name: join(getattr(self, each.name), getattr(newer, each.name), each.default)
            for each in fields(self)
        })  # fmt: skip

    def to_record(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Dialect:
        """Read what was kept; what this version does not know is left out."""
        known = {each.name for each in fields(cls)} & record.keys()
        values: dict[str, Any] = {name: record[name] for name in known}
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**(values | lists))


STANDARD = Dialect()
# Of the hosts that a server cannot download from, so many of the newest are remembered.
HOSTS_MAX = 1000


def join(known: Any, newer: Any, standard: Any) -> Any:
    """Give the newer of two values; what is still standard says nothing, and lists grow."""
    if isinstance(newer, tuple):
        return tuple(dict.fromkeys((*known, *newer)))[-HOSTS_MAX:]
    return known if newer == standard else newer


def some(names: Sequence[str], shown_max: int = 5) -> str:
    """Give the first of some names, and how many there are beside them."""
    more = len(names) - shown_max
    return ", ".join(names[:shown_max]) + (f" and {more:,} more" if more > 0 else "")


def schema_in(parameters: Mapping[str, Any], api: Api) -> Any:
    """Give the JSON Schema that a body's fields ask for, None if they ask for none."""
    if api == "chat":
        form = as_mapping(parameters.get("response_format"))
        return as_mapping(form.get("json_schema")).get("schema")
    form = as_mapping(as_mapping(parameters.get("text")).get("format"))
    return form.get("schema")


def as_mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def in_words(schema: Any) -> str:
    from json import dumps

    text = dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return f"Answer with one JSON object that fits this JSON Schema, and with nothing else:\n{text}"


def learn(
    known: Dialect, error: ApiError, sent: Mapping[str, Any], *, by_openai: bool = False
) -> Dialect | None:
    """
    Give what a refusal teaches beyond what is known, or None where it teaches nothing.

    `sent` says what the refused request held: the names of its fields, "detail" with its value,
    "media_types", "urls" that were passed on to be downloaded, and "responses" where
    that was asked and Chat could be. Of OpenAI all is known but from
    where it can download: what else it refuses is the request's fault.
    """
    if error.status not in REFUSALS:
        return None
    learned = replace(known, fetch_hosts=known.fetch_hosts + undownloaded(error, sent, known))
    if not by_openai:
        words = error.message
        learned = replace(
            learned,
            takes_urls=known.takes_urls and not (sent["urls"] and INLINE_ONLY.search(words)),
            takes_responses=known.takes_responses and not (has_no_endpoint(error, sent)),
            **(changes(known, words, sent) if NOT_TAKEN.search(words) else {}),
        )
    return None if learned == known else learned


def changes(known: Dialect, words: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Find which of the sent fields the words name, and what to do instead."""
    found: dict[str, Any] = {}
    # The name that is refused stands first: "'max_tokens' is not supported, use …".
    limit = next(iter(re.findall(r"max_completion_tokens|max_tokens", words)), "")
    if limit in sent:
        found["limit_field"] = LIMIT_FIELDS[limit]
    if "stream_options" in sent and "stream_options" in words:
        found["stream_options"] = False
    named_json = re.search(r"json_schema|json_object|response_format|text\.format", words)
    if "schema" in sent and named_json and not OWN_SCHEMA.search(words):
        found["json"] = "object" if known.json == "schema" else "words"
    if re.search(r"\bdetail\b|'original'", words) and sent.get("detail"):
        found["details"] = "no original" if sent["detail"] == "original" else "none"
    if re.search(r"webp|gif|image (?:format|type)|unsupported image", words, re.IGNORECASE):
        found["refused_types"] = tuple({*known.refused_types, *sent["media_types"]} - {JPEG, PNG})
    return found


def has_no_endpoint(error: ApiError, sent: Mapping[str, Any]) -> bool:
    """Say whether there is no Responses API at all, rather than no such model."""
    is_missing = error.status in NO_ENDPOINT and not isinstance(error, ModelNotFound)
    return "responses" in sent and (is_missing or UNEXPECTED_ENDPOINT in error.message)


def undownloaded(error: ApiError, sent: Mapping[str, Any], known: Dialect) -> tuple[str, ...]:
    """Give the hosts of passed URLs that the server says it could not download from."""
    found = (urlsplit(url).hostname for url in sent["urls"])
    hosts = dict.fromkeys(host for host in found if host)
    if not (DOWNLOAD.search(error.message) or error.code in DOWNLOAD_CODES):
        return ()
    named = [host for host in hosts if host in error.message.lower()] or [*hosts]
    return tuple(host for host in named if host not in known.fetch_hosts)
