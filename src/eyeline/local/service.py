"""
The whole API, answered in this process: a stand-in to build and test vision code on.

The reader answers in place of whatever model is named; tokens are counted by that model's rules,
and what the API would refuse is refused in its words. Source: the guides and error bodies of
OpenAI's API as of November 2026.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any

from pybase64 import b64encode_as_string

from eyeline.core.catalogue import Model
from eyeline.core.media import read_pages
from eyeline.core.misplaced import is_blind
from eyeline.core.tokens import DETAILS, PatchRule, patches
from eyeline.core.wire import Request, Response
from eyeline.errors import ImageError
from eyeline.local import replies
from eyeline.local.asked import Asked, Picture, Refused, parse_object, read_chat, read_responses
from eyeline.local.reader import EventStream, Reader, render
from eyeline.local.replies import Reply, Tokens
from eyeline.ports import Shelf

CHAT = "/chat/completions"
COUNT, COUNTED = "/responses/input_tokens", "response.input_tokens"
# About what a token is of English text; the messages around it take a few more.
CHARS_A_TOKEN = 4
FRAME_TOKENS = 7
# What a response repeats of its request, and what stands there where the request said nothing.
ECHOED: Mapping[str, Any] = {
    "background": False, "instructions": None, "max_output_tokens": None, "metadata": {},
    "parallel_tool_calls": True, "previous_response_id": None, "reasoning": None, "store": True,
    "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
    "truncation": "disabled", "user": None,
}  # fmt: skip
LIMIT_FIELDS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
CHOICES_MAX = 128
STORED = "response"


class Service:
    """A transport to the API as this process gives it; keeps responses and files on a shelf."""

    def __init__(
        self,
        reader: Reader,
        find: Callable[[str], Model],
        shelf: Shelf,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.reader, self.find, self.shelf, self.now_s = reader, find, shelf, now_s

    def send(self, request: Request) -> Response:
        with self.open(request) as stream:
            return Response(stream.status, stream.headers, b"".join(stream.events))

    def open(self, request: Request) -> EventStream:
        """Answer event by event if the body asks for a stream, else in one piece."""
        headers = {"x-request-id": f"req_{token_hex(16)}", "content-type": "application/json"}
        try:
            fields = checked(parse_object(request.body), request.path)
            turns = self.with_earlier(fields)
            asked = read_chat(turns) if request.path == CHAT else read_responses(turns)
            if request.path == COUNT:
                counted = {"object": COUNTED, "input_tokens": self.count(asked, fields).input}
                return EventStream(200, headers, [replies.to_json(counted)])
            reply = self.reply(asked, fields, request.path)
        except Refused as e:
            return EventStream(e.status, headers, [replies.error(e.message, e.param, e.code)])
        if request.path == "/responses" and fields.get("store", True) is not False:
            self.store(reply, turns)
        if asked.stream:
            headers["content-type"] = "text/event-stream; charset=utf-8"
        return EventStream(200, headers, render(request.path, asked, reply))

    def close(self) -> None:
        self.reader.close()

    # --- the answer -------------------------------------------------------------------------------

    def reply(self, asked: Asked, fields: Mapping[str, Any], path: str) -> Reply:
        tokens = self.count(asked, fields)
        text = self.reader.answer(asked, path)
        limit = next((fields[name] for name in LIMIT_FIELDS if type(fields.get(name)) is int), None)
        cut = text if limit is None else text[: limit * CHARS_A_TOKEN]
        return Reply(
            text=cut,
            id=token_hex(16),
            created_s=int(self.now_s()),
            model=fields["model"],
            tokens=Tokens(tokens.image, tokens.text, tokens_of(cut)),
            finish="stop" if cut == text else "length",
            echo=echo(fields),
            choices=fields["n"] if type(fields.get("n")) is int else 1,
        )

    def count(self, asked: Asked, fields: Mapping[str, Any]) -> Tokens:
        """Count the input by the rules of the model that is named. Raises Refused as the API."""
        model = self.find(fields["model"])
        if asked.pictures and is_blind(model.name):
            place = re.sub(r"(?=\[)", ".", asked.pictures[0].param).partition(".image_url")[0]
            message = "Invalid content type. image_url is only supported by certain models."
            raise Refused(400, message, f"{place}.type")
        image = sum(image_tokens(picture, model) for picture in asked.pictures)
        return Tokens(image, FRAME_TOKENS + tokens_of(asked.question))

    # --- what is kept -----------------------------------------------------------------------------

    def store(self, reply: Reply, turns: Mapping[str, Any]) -> None:
        made = replies.response_object(reply, replies.ended(reply))
        self.shelf.put(STORED, made["id"], {"response": made, "input": items_of(turns["input"])})

    def with_earlier(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give the request with the turns before it, and uploaded images in place of their ids."""
        if "messages" in fields:
            return fields
        earlier: list[Any] = []
        before = fields.get("previous_response_id")
        if before is not None:
            kept = self.shelf.get(STORED, str(before))
            if kept is None:
                message = f"Previous response with id '{before}' not found."
                raise Refused(400, message, "previous_response_id", "previous_response_not_found")
            earlier = [*kept["input"], *kept["response"]["output"]]
        given = fields.get("input")
        if not isinstance(given, str | list):
            return fields
        items = [self.with_files(item, at) for at, item in enumerate(items_of(given))]
        return {**fields, "input": [*earlier, *items]}

    def with_files(self, item: Any, at: int) -> Any:
        if not isinstance(item, dict):
            found = type(item).__name__
            message = f"Invalid type for 'input[{at}]': expected an object, but got a {found}."
            raise Refused(400, message, f"input[{at}]", "invalid_type")
        content = item.get("content")
        if not isinstance(content, list):
            return item
        return {**item, "content": [self.with_file(part) for part in content]}

    def with_file(self, part: Any) -> Any:
        is_file = isinstance(part, dict) and part.get("type") == "input_image"
        if not is_file or not part.get("file_id"):
            return part
        data = self.shelf.data(str(part["file_id"]))
        if data is None:
            raise Refused(400, f"No such File object: {part['file_id']}", "file_id")
        url = f"data:image/png;base64,{b64encode_as_string(data)}"
        kept = {name: value for name, value in part.items() if name != "file_id"}
        return {**kept, "image_url": url}


def checked(fields: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """Give the fields of a request that is whole. Raises Refused in the API's words."""
    if not isinstance(fields.get("model"), str) or not fields["model"]:
        raise Refused(400, "you must provide a model parameter")
    if path == CHAT and fields.get("messages") == []:
        message = (
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an "
            "empty array instead."
        )
        raise Refused(400, message, "messages", "empty_array")
    if path == CHAT and fields.get("stream_options") and fields.get("stream") is not True:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise Refused(400, message, "stream_options")
    for name in ("n", *LIMIT_FIELDS):
        check_range(fields, name, CHOICES_MAX if name == "n" else None)
    return fields


def check_range(fields: Mapping[str, Any], name: str, most: int | None) -> None:
    """Refuse a number that is less than 1, or more than `most`."""
    given = fields.get(name)
    if type(given) is not int:
        return
    if given < 1:
        found, expected, code = "below minimum", ">= 1", "integer_below_min_value"
    elif most is not None and given > most:
        found, expected, code = "above maximum", f"<= {most}", "integer_above_max_value"
    else:
        return
    message = f"Invalid '{name}': integer {found} value. Expected a value {expected}."
    raise Refused(400, message, name, code)


def image_tokens(picture: Picture, model: Model) -> int:
    """Count one picture. Raises Refused where the model would take none of that size."""
    rule = model.rule
    try:
        size = read_pages(picture.data, picture.param)[0].upright_size
    except ImageError:  # the reader will say what is wrong with it
        return 0
    if rule is None:
        return 0
    detail: Any = picture.detail if picture.detail in DETAILS else "auto"
    if detail == "original" and detail not in model.details:
        detail = "high"
    if isinstance(rule, PatchRule) and rule.is_refused(size, detail):
        message = (
            f"The image you provided requires {patches(rule.size(size, detail))} patches after "
            f"processing, exceeding the limit of {rule.refuse_over_patches}. Please resize the "
            "image and try again."
        )
        raise Refused(400, message, picture.param.partition("[")[0], "invalid_value")
    return rule.tokens(size, detail)


def tokens_of(text: str) -> int:
    return -(-len(text) // CHARS_A_TOKEN)


def echo(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give the fields of a request that its response repeats."""
    found = {name: fields.get(name, default) for name, default in ECHOED.items()}
    form = fields.get("text")
    return {**found, "text": form if isinstance(form, dict) else {"format": {"type": "text"}}}


def items_of(given: Any) -> list[Any]:
    """Give the items of an input, a string being one message."""
    return [{"role": "user", "content": given}] if isinstance(given, str) else list(given)


def listed_items(response_id: str, items: list[Any]) -> list[dict[str, Any]]:
    """Give items as the API lists them: each with an id, its content as parts."""
    made = []
    for at, item in enumerate(items):
        content = item.get("content")
        parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
        named = {"id": f"msg_{response_id.removeprefix('resp_')}_{at}", "type": "message"}
        made.append({**named, "status": "completed", **item, "content": parts})
    return made
