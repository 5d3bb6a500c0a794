"""The built-in engine: a transport that answers from what it measures in the picture itself."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from eyeline.core.wire import Request, Response
from eyeline.errors import NotAnImage
from eyeline.local import replies
from eyeline.local.asked import Asked, Picture, Refused, parse_chat, parse_responses
from eyeline.local.replies import Reply

if TYPE_CHECKING:
    from eyeline.local.facts import Facts

REMEMBERED_MAX = 32
"""Pictures whose facts are kept, a few kilobytes each: a second question is answered at once."""

NOT_DECODED = {
    "/chat/completions": (
        "You uploaded an unsupported image. Please make sure your image has of one the following "
        "formats: ['png', 'jpeg', 'gif', 'webp']."
    ),
    "/responses": (
        "The image data you provided does not represent a valid image. Please check your input and "
        "try again with one of the supported image formats: ['image/jpeg', 'image/png', "
        "'image/gif', 'image/webp']."
    ),
}
"""The API's own words, its slip of the pen included: clients tell the cause by them."""


class Reader:
    """
    Answers chat and Responses requests from text, codes, labels, colours and quality.

    It is no language model. `look` measures one picture; the packages it needs are imported
    when the first picture comes. Raises MissingExtra then if Pillow or numpy are not installed.
    """

    def __init__(
        self,
        look: Callable[[bytes], Facts] | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.look, self.now_s = look or look_with_own_eyes, now_s
        self.lock = threading.Lock()
        self.remembered: OrderedDict[bytes, Facts] = OrderedDict()

    def send(self, request: Request) -> Response:
        """Answer whole; a body that asks for a stream is answered by all of its events."""
        with self.open(request) as stream:
            return Response(stream.status, stream.headers, b"".join(stream.events))

    def open(self, request: Request) -> EventStream:
        """Answer event by event if the body asks for a stream, else in one piece."""
        path = "/" + request.path.strip("/")
        request_id = hashlib.sha256(path.encode() + request.body).hexdigest()[:32]
        headers = {"x-request-id": f"req_{request_id}", "content-type": "application/json"}
        try:
            asked = parse(path, request.body)
            reply = Reply(self.answer(asked, path), request_id, int(self.now_s()))
        except Refused as e:
            return EventStream(e.status, headers, [replies.error(e.message, e.param, e.code)])
        if asked.stream:
            headers["content-type"] = "text/event-stream; charset=utf-8"
        return EventStream(200, headers, render(path, asked, reply))

    def close(self) -> None:
        """Forget the pictures; models stay loaded, as other readers share them."""
        with self.lock:
            self.remembered.clear()

    def answer(self, asked: Asked, path: str) -> str:
        """Give the text of the answer: a sentence, or JSON if the request has a schema."""
        from eyeline.local.answers import HELP, REFUSAL, answer
        from eyeline.local.fill import fill

        facts = tuple(self.facts_of(picture, path) for picture in asked.pictures)
        if asked.schema is not None:
            return json.dumps(fill(facts, asked.schema), ensure_ascii=False)
        return answer(facts, asked.question) if facts else f"{REFUSAL}\n{HELP}"

    def facts_of(self, picture: Picture, path: str) -> Facts:
        """Look at `picture`, or remember it. Raises Refused if it does not decode."""
        key = hashlib.sha256(picture.data).digest()
        with self.lock:
            if key in self.remembered:
                self.remembered.move_to_end(key)
                return self.remembered[key]
        try:
            facts = self.look(picture.data)
        except NotAnImage as e:
            raise Refused(400, NOT_DECODED[path], None, "invalid_image_format") from e
        with self.lock:
            self.remembered[key] = facts
            while len(self.remembered) > REMEMBERED_MAX:
                self.remembered.popitem(last=False)
        return facts


class EventStream:
    """A response read piece by piece."""

    def __init__(self, status: int, headers: Mapping[str, str], events: Iterable[bytes]) -> None:
        self.status, self.headers = status, headers
        self.events = iter(events)

    def __enter__(self) -> EventStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self) -> bytes:
        """Give the next event; `b""` only at the end."""
        return next(self.events, b"")

    def close(self) -> None:
        """Drop what was not read."""
        self.events = iter(())


def look_with_own_eyes(data: bytes) -> Facts:
    from eyeline.local.look import look

    return look(data)


def parse(path: str, body: bytes) -> Asked:
    """Read the body of a request to `path`. Raises Refused, also if it holds no picture."""
    if path not in NOT_DECODED:
        raise Refused(404, f"Invalid URL (POST {path})")
    asked = parse_chat(body) if path == "/chat/completions" else parse_responses(body)
    if not asked.pictures:
        message = "No image in the request: the local engine answers questions about images only."
        raise Refused(400, message, "messages" if "chat" in path else "input", "invalid_value")
    return asked


def render(path: str, asked: Asked, reply: Reply) -> Iterable[bytes]:
    """Put the answer into the shape of its endpoint."""
    is_chat = path == "/chat/completions"
    if not asked.stream:
        return [replies.chat(reply) if is_chat else replies.responses(reply)]
    if is_chat:
        return replies.chat_events(reply, include_usage=asked.include_usage)
    return replies.response_events(reply)
