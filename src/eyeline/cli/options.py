"""The options that `ask` and `describe` share, and what they stand for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from eyeline.core.question import API_CHOICES, URLS
from eyeline.core.tokens import DETAILS
from eyeline.errors import SettingsError

F = TypeVar("F", bound=Callable[..., Any])

SIZE_OPTIONS = (
    click.option("--detail", type=click.Choice(DETAILS), help="How closely to look; auto is high."),
    click.option(
        "--max-tokens-per-image",
        type=click.IntRange(1),
        metavar="N",
        help="Shrink each image until it takes no more.",
    ),
)
LOOK_OPTIONS = (
    *SIZE_OPTIONS,
    click.option(
        "--background", metavar="COLOUR", help="What goes behind transparency; white by default."
    ),
)
QUESTION_OPTIONS = (
    click.option("-m", "--model", metavar="MODEL", help="Model name, or a .gguf file."),
    click.option(
        "--engine",
        metavar="ENGINE",
        help="openai, ollama, lmstudio, llamacpp, vllm, a base URL, or local.",
    ),
    *LOOK_OPTIONS,
    click.option("--api", type=click.Choice(API_CHOICES), default="auto", help="API to speak."),
    click.option("--system", metavar="TEXT", help="Instructions that stand above the question."),
    click.option(
        "--schema",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="JSON Schema the answer must fit.",
    ),
    click.option("--max-output-tokens", type=click.IntRange(1), metavar="N", help="Answer limit."),
    click.option("--temperature", type=click.FloatRange(0, 2), metavar="T", help="0 to 2."),
    click.option(
        "--timeout",
        "timeout_s",
        type=click.FloatRange(0, min_open=True),
        metavar="SECONDS",
        help="How long to wait for the engine; 600 by default.",
    ),
    click.option("--mmproj", metavar="FILE", help="The mmproj of a .gguf model, if not beside it."),
    click.option("--budget", "budget_usd", type=float, metavar="USD", help="Refuse to pass this."),
    click.option(
        "--urls",
        type=click.Choice(URLS),
        help="Who fetches image URLs: pass to the engine, fetch here; auto passes to OpenAI.",
    ),
    click.option("--upload", is_flag=True, help="Upload each image once, and name its file id."),
    click.option("--keep-metadata", is_flag=True, help="Send EXIF, GPS and comments along."),
    click.option(
        "--no-sight-check",
        "sight_check",
        flag_value=False,
        default=True,
        help="Take the answer also where the usage shows that no image was seen.",
    ),
)
ASK_OPTIONS = (
    *QUESTION_OPTIONS,
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    click.option("--no-stream", is_flag=True, help="Print the answer only when it is whole."),
    click.option("--no-cache", is_flag=True, help="Neither look in the cache nor write to it."),
    click.option("--refresh", is_flag=True, help="Ask anew, and keep that in the cache."),
)


def ask_options(command: F) -> F:
    return with_options(command, ASK_OPTIONS)


def question_options(command: F) -> F:
    return with_options(command, QUESTION_OPTIONS)


def size_options(command: F) -> F:
    return with_options(command, SIZE_OPTIONS)


def look_options(command: F) -> F:
    return with_options(command, LOOK_OPTIONS)


def with_options(command: F, options: Sequence[Callable[[F], F]]) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def read_images(images: tuple[str, ...]) -> tuple[object, ...]:
    """Take `-` as the image on standard input; all else is a reference as it stands."""
    if images.count("-") > 1:
        raise SettingsError("IMAGE", "- more than once", "standard input at most once")
    if "-" in images and sys.stdin.isatty():
        raise SettingsError("IMAGE", "-", "an image on standard input, as in … < photo.jpg")
    return tuple(sys.stdin.buffer if image == "-" else image for image in images)


def read_schema_file(path: Path | None) -> Any:
    if path is None:
        return None
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError("--schema", str(path), f"a JSON file ({error.strerror})") from None
    except ValueError as error:
        raise SettingsError("--schema", str(path), f"JSON ({error})") from None
