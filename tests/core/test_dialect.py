"""What a refusal teaches about a server, and how it is asked from then on."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.support import question
from eyeline.core.dialect import HOSTS_MAX, STANDARD, Dialect, learn
from eyeline.core.draft import Draft, draft
from eyeline.core.engine import compatible
from eyeline.core.schema import read_schema
from eyeline.errors import BadRequest, ModelNotFound

SERVER = compatible("server", "http://127.0.0.1:1/v1")
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
SENT: dict[str, Any] = {
    "max_tokens": 9, "detail": "high", "schema": True, "stream_options": True, "urls": [],
    "media_types": ["image/webp", "image/jpeg"],
}  # fmt: skip


def refusal(message: str, status: int = 400) -> BadRequest:
    return BadRequest("server", status, "", message, "")


@pytest.mark.parametrize(
    ("message", "changes", "learned"),
    [
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            {},
            {"limit_field": "max_completion_tokens"},
        ),
        (
            "[{'type': 'extra_forbidden', 'loc': ('body', 'max_completion_tokens'), "
            "'msg': 'Extra inputs are not permitted'}]",
            {"max_completion_tokens": 9},
            {"limit_field": "max_tokens"},
        ),
        (
            "Additional properties are not allowed ('detail' was unexpected)",
            {},
            {"details": "none"},
        ),
        (
            "Invalid value: 'original'. Supported values are: 'low', 'high', 'auto'",
            {"detail": "original"},
            {"details": "no original"},
        ),
        ("Unknown parameter: 'stream_options'.", {}, {"stream_options": False}),
        ("response_format type json_schema is not supported", {}, {"json": "object"}),
        (
            "You uploaded an unsupported image. Formats: ['png', 'jpeg']",
            {},
            {"refused_types": ("image/webp",)},
        ),
        (
            "Error while downloading https://a.example/x.png.",
            {"urls": ["https://a.example/x.png", "https://b.example/y.png"]},
            {"fetch_hosts": ("a.example",)},
        ),
        (
            "Timeout while downloading file.",
            {"urls": ["https://a.example/x.png", "https://b.example/y.png"]},
            {"fetch_hosts": ("a.example", "b.example")},
        ),
        (
            "error: cannot make GET request",
            {"urls": ["https://a.example/x.png"]},
            {"fetch_hosts": ("a.example",)},
        ),
        (
            "image_url must be a data URL",
            {"urls": ["https://a.example/x.png"]},
            {"takes_urls": False},
        ),
        ("Not Found", {"responses": True, "status": 404}, {"takes_responses": False}),
        ("Method Not Allowed", {"responses": True, "status": 405}, {"takes_responses": False}),
        (
            "Unexpected endpoint or method. (POST /v1/responses)",
            {"responses": True},
            {"takes_responses": False},
        ),
    ],
)
def test_lessons(message: str, changes: dict[str, Any], learned: dict[str, Any]) -> None:
    """Each refusal that names what it does not take teaches that, and nothing else."""
    error = refusal(message, changes.get("status", 400))
    assert learn(STANDARD, error, SENT | changes) == replace(STANDARD, **learned)


@pytest.mark.parametrize(
    ("message", "changes", "status"),
    [
        ("Unknown parameter: 'stream_options'.", {}, 429),
        ("The model 'x' is unknown", {}, 404),
        ("Not Found", {}, 404),
        ("no such thing", {"responses": True}, 400),
        ("Unsupported parameter: 'temperature'", {}, 400),
        ("max_tokens is too large: 99999", {}, 400),
        ("Invalid schema for response_format 'answer': unknown keyword", {}, 400),
        ("Error while downloading file.", {}, 400),
        ("Unsupported image.", {"media_types": ["image/png"]}, 400),
        ("'max_tokens' is not supported", {"max_tokens": None}, 401),
    ],
)
def test_no_lesson(message: str, changes: dict[str, Any], status: int) -> None:
    """A refusal of something else, or of the user's own doing, teaches nothing."""
    assert learn(STANDARD, refusal(message, status), SENT | changes) is None


def test_an_unknown_model_is_no_lesson() -> None:
    """That there is no such model says nothing of the API."""
    unknown = ModelNotFound("server", 404, "", "no such model", "", "x")
    assert learn(STANDARD, unknown, SENT | {"responses": True}) is None


def test_openai_teaches_its_hosts_alone() -> None:
    """Of OpenAI only that is learned from where it cannot download."""
    sent = SENT | {"urls": ["https://a.example/x.png"], "responses": True}
    words = "'max_tokens' is not supported; only base64; error while downloading"
    learned = learn(STANDARD, refusal(words, 404), sent, by_openai=True)
    assert learned == replace(STANDARD, fetch_hosts=("a.example",))


def test_a_lesson_is_learned_once() -> None:
    """What is known already is no lesson; a second refusal of schemas goes one step further."""
    twice = refusal("response_format is not supported")
    known = learn(STANDARD, twice, SENT)
    assert known is not None
    further = learn(known, twice, SENT)
    assert further is not None
    assert (known.json, further.json) == ("object", "words")
    assert learn(further, twice, SENT | {"schema": False}) is None
    hosts = replace(STANDARD, fetch_hosts=("a.example",))
    assert (
        learn(hosts, refusal("Failed to download"), SENT | {"urls": ["https://a.example"]}) is None
    )


def drafted(api: Any = "chat", **changes: Any) -> Draft:
    asked = question(api=api, schema=read_schema(SCHEMA), max_output_tokens=7, **changes)
    return draft(asked, SERVER, ())


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_standard_changes_nothing(api: Any) -> None:
    """A server that takes everything is asked as the draft says."""
    assert STANDARD.adapt(drafted(api)) == drafted(api)
    assert STANDARD.detail("original") == "original"


def test_the_limit_under_another_name() -> None:
    """The token limit keeps its value under the name that is taken; Responses has its own."""
    known = Dialect(limit_field="max_completion_tokens")
    assert known.adapt(drafted()).parameters["max_completion_tokens"] == 7
    assert "max_tokens" not in known.adapt(drafted()).parameters
    assert known.adapt(drafted("responses")) == drafted("responses")
    same = Dialect(limit_field="max_tokens")
    assert same.adapt(drafted()) == drafted()


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("form", ["object", "words"])
def test_a_schema_in_words(api: Any, form: Any) -> None:
    """Where no schema is taken the prompt holds it, and asks for JSON as far as that is taken."""
    adapted = Dialect(json=form).adapt(drafted(api))
    assert json.dumps(SCHEMA["properties"], separators=(",", ":")) in adapted.prompt
    field = "response_format" if api == "chat" else "text"
    expected = {"type": "json_object"} if api == "chat" else {"format": {"type": "json_object"}}
    assert adapted.parameters.get(field) == (expected if form == "object" else None)


def test_without_a_schema_nothing_is_said() -> None:
    """A question without a schema is asked as it is, also with a format of the user's own."""
    plain = draft(question(extra={"response_format": {"type": "text"}}), SERVER, ())
    assert Dialect(json="words").adapt(plain) == plain
    of_responses = draft(
        question(api="responses", extra={"text": {"verbosity": "low"}}), SERVER, ()
    )
    assert Dialect(json="words").adapt(of_responses) == of_responses


def test_details() -> None:
    """A server without `original` gets `high`; one without the field gets none."""
    assert Dialect(details="no original").detail("original") == "high"
    assert Dialect(details="no original").detail("low") == "low"
    assert Dialect(details="none").detail("high") is None


DIALECTS = st.builds(
    Dialect,
    st.sampled_from(["", "max_tokens"]),
    st.sampled_from(["all", "no original", "none"]),
    st.sampled_from(["schema", "object", "words"]),
    st.booleans(),
    st.lists(st.text(), max_size=2, unique=True).map(tuple),
    st.lists(st.text(), max_size=2, unique=True).map(tuple),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@given(DIALECTS, DIALECTS)
def test_lessons_learned_side_by_side_are_all_kept(known: Dialect, newer: Dialect) -> None:
    """Joining adds what is new, forgets nothing, and twice is once."""
    joined = known.joined(newer)
    assert {*joined.fetch_hosts} == {*known.fetch_hosts, *newer.fetch_hosts}
    assert joined.takes_urls == (known.takes_urls and newer.takes_urls)
    assert joined.details == (newer.details if newer.details != "all" else known.details)
    assert joined.joined(newer) == joined
    assert STANDARD.joined(newer) == newer
    assert known.joined(STANDARD) == known


def test_of_many_hosts_the_newest_are_kept() -> None:
    """However many hosts fail, what is remembered is bounded, and what is said of it short."""
    known = Dialect(fetch_hosts=tuple(map(str, range(HOSTS_MAX))))
    joined = known.joined(Dialect(fetch_hosts=("new",)))
    assert (len(joined.fetch_hosts), joined.fetch_hosts[-1]) == (HOSTS_MAX, "new")
    assert joined.differences() == ("cannot download from 1, 2, 3, 4, 5 and 995 more",)


@given(DIALECTS)
def test_what_is_kept_comes_back(known: Dialect) -> None:
    """A dialect survives the cache, also with fields of another version beside its own."""
    record = json.loads(json.dumps(known.to_record())) | {"of_later": 1}
    assert Dialect.from_record(record) == known


def test_differences_in_words() -> None:
    """A person can read what a server does not take; of one that takes all there is nothing."""
    assert STANDARD.differences() == ()
    odd = Dialect(
        "max_tokens", "none", "words", False, ("image/webp",), ("a.example",), *[False] * 3
    )
    assert odd.differences() == (
        "the token limit is called max_tokens",
        "no detail",
        "no JSON Schema",
        "no JSON mode",
        "no usage at the end of a stream",
        "no image/webp",
        "no image URLs",
        "no Responses, Chat Completions alone",
        "no files",
        "cannot download from a.example",
    )
    assert Dialect(details="no original").differences() == ("no detail original",)
