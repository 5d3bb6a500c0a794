"""The tree of errors: whole, drawn as it is, and able to cross a process boundary."""

from __future__ import annotations

import copy
import inspect
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from eyeline import errors
from eyeline.core.answer import Answer
from eyeline.core.cost import Usage
from eyeline.core.reference import DataUrlRef, FileRef, UrlRef
from eyeline.errors import EyelineError

ANSWER = Answer("No.", "gpt-4o", "openai", Usage(1000, 20), Decimal("0.0027"), ())
SAID = ("openai", 400, "invalid_value", "The image you provided …", "req_1")
NO_MODEL = ("openai", 404, "model_not_found", "no such model", "req_1")

# Each class with its arguments, the sentence it makes, its hint, and its exit code.
CASES: dict[str, tuple[tuple[Any, ...], str, str, int]] = {
    "EyelineError": (("something",), "something", "", 1),
    "SettingsError": (
        ("--detail", "hihg", "one of low, high"),
        "--detail: 'hihg', expected one of low, high",
        "",
        2,
    ),
    "KeyMissing": (
        ("openai", "OPENAI_API_KEY"),
        "openai: no API key, expected one in OPENAI_API_KEY",
        "export OPENAI_API_KEY=…",
        2,
    ),
    "MissingExtra": (
        ("reading codes", "local", "zxing-cpp"),
        "reading codes: needs the package zxing-cpp",
        "pip install 'eyeline[local]'",
        2,
    ),
    "BudgetExceeded": (
        ("0.50", "0.10", "5.00"),
        "budget: the next request may cost $0.50, $0.10 of $5.00 is left; not sent",
        "raise the budget",
        2,
    ),
    "PriceUnknown": (
        ("m",),
        "m: no known price, so a budget cannot be held; not sent",
        "eyeline models",
        2,
    ),
    "SchemaError": (("int", "a JSON Schema"), "schema: int, expected a JSON Schema", "", 2),
    "ImageError": (("a.jpg", "something"), "a.jpg: something", "", 2),
    "BadReference": (("int", "not a thing"), "int: not a thing", "give a path", 2),
    "ImageNotFound": (
        ("strret.jpg", "street.jpg"),
        "strret.jpg: no such file",
        "did you mean street.jpg?",
        2,
    ),
    "ImageIsDirectory": (
        ("photos",),
        "photos: a folder, expected an image file",
        "name the files",
        2,
    ),
    "ImageUnreadable": (
        ("a.jpg", "Permission denied"),
        "a.jpg: cannot be read (Permission denied)",
        "",
        2,
    ),
    "ImageEmpty": (("a.jpg",), "a.jpg: empty, expected an image", "get it again", 2),
    "ImageTruncated": (
        ("a.jpg", "no end"),
        "a.jpg: truncated or damaged image (no end)",
        "get the file again",
        2,
    ),
    "NotAnImage": (("a.jpg", "begins 00"), "a.jpg: not an image eyeline knows (begins 00)", "", 2),
    "ImageIsWebPage": (
        ("https://x/a", "text/html"),
        "https://x/a: an HTML page, expected an image",
        "copy the address",
        2,
    ),
    "UnsupportedFormat": (
        ("a.heic", "HEIC"),
        "a.heic: HEIC, a format eyeline does not read",
        "save it as",
        2,
    ),
    "ImageTooLarge": (
        ("a.jpg", "9×9 px", "1 megapixel"),
        "a.jpg: 9×9 px, the limit is 1 megapixel",
        "smaller",
        2,
    ),
    "UnsafeImage": (
        ("a.svg", "XML nested deeper than 100"),
        "a.svg: not read for safety (XML nested deeper than 100)",
        "save it as PNG",
        2,
    ),
    "ImageTooThin": (
        ("a.png", "1×100,000 px", "65,535 px"),
        "a.png: 1×100,000 px, less than a pixel wide once it fits 65,535 px",
        "cut it into pieces",
        2,
    ),
    "TooManyImages": (
        ("1,501 images", "1,500"),
        "the question: 1,501 images, a request takes 1,500",
        "FILE#2",
        2,
    ),
    "BadDataUrl": (
        ("data:…", "no comma"),
        "data:…: data URL does not decode (no comma)",
        "expected data:image",
        2,
    ),
    "FetchError": (("https://x/a", "404"), "https://x/a: could not be fetched (404)", "browser", 2),
    "FetchRefused": (
        ("http://10.0.0.1/a", "a private host", "10.0.0.1"),
        "http://10.0.0.1/a: will not be fetched (a private host)",
        "EYELINE_ALLOW_HOSTS=10.0.0.1",
        2,
    ),
    "EngineError": (("openai", "something"), "openai: something", "", 1),
    "ConnectionFailed": (
        ("openai", "refused"),
        "openai: no connection (refused)",
        "eyeline doctor",
        1,
    ),
    "TimedOut": (("openai", 600.0), "openai: no response within 600 s", "--timeout", 1),
    "StreamCut": (
        ("openai", 1234),
        "openai: the answer broke off after 1,234 characters",
        "ask again",
        1,
    ),
    "UnexpectedResponse": (("openai", "a page"), "openai: unexpected response (a page)", "/v1", 1),
    "ApiError": (SAID, "openai: 400 invalid_value: The image you provided … [req_1]", "", 1),
    "BadRequest": (SAID, "openai: 400 invalid_value: The image you provided … [req_1]", "", 1),
    "ImageRejected": (SAID, "openai: 400 invalid_value: The image", "another --detail", 1),
    "ModelLacksVision": (SAID, "openai: 400 invalid_value: The image", "eyeline models", 2),
    "AuthenticationFailed": (
        ("openai", 401, "", "bad key"),
        "openai: 401: bad key",
        "OPENAI_API_KEY",
        2,
    ),
    "PermissionDenied": (("openai", 403, "", "no"), "openai: 403: no", "this key", 2),
    "ModelNotFound": (
        (*NO_MODEL, "gpt-6-lunar", "gpt-6-luna"),
        "openai: 404 model_not_found: no such model [req_1]",
        "did you mean gpt-6-luna?",
        2,
    ),
    "RateLimited": (
        ("openai", 429, "slow_down", "Slow down.", "req_1", 2.0),
        "openai: 429 slow_down: Slow down. [req_1]",
        "wait",
        1,
    ),
    "QuotaExceeded": (
        ("openai", 429, "insufficient_quota", "no credit"),
        "openai: 429 insufficient_quota: no credit",
        "billing",
        2,
    ),
    "ServerFailed": (
        ("openai", 503, "", "overloaded", "", None),
        "openai: 503: overloaded",
        "later",
        1,
    ),
    "AnswerError": ((ANSWER, "something"), "gpt-4o: something", "", 1),
    "ModelRefused": ((ANSWER, "No."), "gpt-4o refused: No.", "rephrase", 1),
    "ContentFiltered": (
        (ANSWER,),
        "gpt-4o: the provider's content filter ended the answer",
        "filter",
        1,
    ),
    "AnswerCut": (
        (ANSWER,),
        "gpt-4o: the answer ended at the token limit, unfinished",
        "--max-output-tokens",
        1,
    ),
    "SchemaMismatch": (
        (ANSWER, "$.a"),
        "gpt-4o: the answer does not fit the schema ($.a)",
        "error.answer.text",
        1,
    ),
    "ImageNotSeen": (
        (ANSWER, 12, 2942),
        "gpt-4o: billed 12 input tokens, where the images alone take 2,942",
        "sight_check=False",
        1,
    ),
}
CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, EyelineError)
}


def made(name: str) -> EyelineError:
    error = CLASSES[name](*CASES[name][0])
    assert isinstance(error, EyelineError)
    return error


def test_every_class_is_tested() -> None:
    """A class without a row above fails here, so that none is added without one."""
    assert list(CASES) == list(CLASSES)


@pytest.mark.parametrize("name", CASES)
def test_sentence_hint_and_exit_code(name: str) -> None:
    """Each error makes one sentence of its fields, says what to do, and sets the exit code."""
    _, sentence, hint, exit_code = CASES[name]
    error = made(name)
    assert str(error).startswith(sentence)
    assert "\n" not in str(error)
    assert hint in error.hint
    assert bool(hint) == bool(error.hint)
    assert error.exit_code == exit_code


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_it_survives_pickle(name: str, protocol: int) -> None:
    """An error comes out of pickle with the same class, arguments, fields and sentence."""
    error = made(name)
    again = pickle.loads(pickle.dumps(error, protocol))
    assert type(again) is type(error)
    assert again.args == error.args
    assert vars(again) == vars(error)
    assert (str(again), again.hint) == (str(error), error.hint)


@pytest.mark.parametrize("name", CASES)
def test_it_survives_a_copy(name: str) -> None:
    """A copied error is the error."""
    error = made(name)
    for again in (copy.copy(error), copy.deepcopy(error)):
        assert (type(again), again.args, str(again)) == (type(error), error.args, str(error))


@pytest.mark.parametrize("name", CASES)
def test_every_argument_is_a_field(name: str) -> None:
    """What an error was made of can be read from it, without taking its sentence apart."""
    error = made(name)
    if name != "EyelineError":
        parameters = list(inspect.signature(type(error).__init__).parameters)[1:]
        fields = [getattr(error, parameter) for parameter in parameters]
        assert fields[: len(error.args)] == list(error.args)


def test_arguments_that_may_be_left_out() -> None:
    """Errors with less to say make a sentence too."""
    assert made("ImageNotFound").hint == "did you mean street.jpg?"
    assert errors.ImageNotFound("a.jpg").hint == ""
    assert errors.FetchRefused("https://x", "too many redirects").hint == ""
    assert "`eyeline models`" in errors.ModelNotFound(*NO_MODEL).hint


def test_the_tree_is_drawn_as_it_is() -> None:
    """The tree in the module's docstring has every class, under its own parent, and no other."""
    drawn: dict[str, str] = {}
    parents: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        name = line.lstrip("│├└─ ").partition(" ")[0]
        if name not in CLASSES:
            continue
        depth = (len(line) - len(line.lstrip("│├└─ "))) // 4
        parents[depth:] = [name]
        drawn[name] = parents[depth - 1] if depth else "Exception"
    assert drawn == {name: kind.__bases__[0].__name__ for name, kind in CLASSES.items()}


@pytest.mark.parametrize(
    "name", [name for name in CASES if issubclass(CLASSES[name], errors.ImageError)]
)
@pytest.mark.parametrize(
    "reference",
    [
        UrlRef("https://me:SECRET@example.org/a.png?sig=SECRET"),
        DataUrlRef("data:image/png;base64,SECRET"),
        FileRef(Path("a.png")),
    ],
    ids=lambda reference: type(reference).__name__,
)
def test_a_source_shows_no_secret(name: str, reference: UrlRef) -> None:
    """An image is named in an error by its reference, without password, signature or bytes."""
    error = CLASSES[name](str(reference), *CASES[name][0][1:])
    assert "SECRET" not in f"{error} {error!r} {error.hint}"


def test_the_warning_keeps_its_fields() -> None:
    """MisplacedImage is a warning with fields, a sentence, and a way through pickle."""
    warning = errors.MisplacedImage("messages[0].content", "a data URL", "moved")
    again = pickle.loads(pickle.dumps(warning))
    assert (again.where, again.found, again.mend) == warning.args
    assert str(again) == "messages[0].content: a data URL; moved"
    assert str(errors.MisplacedImage("input", "nothing")) == "input: nothing; not mended"
    assert isinstance(warning, UserWarning)
