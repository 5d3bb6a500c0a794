"""
Every error eyeline raises, one tree.

EyelineError
├── SettingsError            an option, variable or config entry that cannot be used
├── KeyMissing               the engine needs an API key and none was given
├── MissingExtra             an optional part is not installed
├── BudgetExceeded           the next request could pass the budget; it was not sent
├── PriceUnknown             a budget is set and the model has no known price
├── SchemaError              the answer schema itself cannot be used
├── ImageError               something about one image
│   ├── BadReference         not a thing that can name an image
│   ├── ImageNotFound        no such file
│   ├── ImageIsDirectory     a folder where a file was expected
│   ├── ImageUnreadable      the system would not let us read it
│   ├── ImageEmpty           no bytes at all
│   ├── ImageTruncated       begins as an image, ends too early, or is damaged
│   ├── NotAnImage           the bytes are something else
│   │   └── ImageIsWebPage   an HTML page where an image was expected
│   ├── UnsupportedFormat    an image of a format eyeline does not read
│   ├── ImageTooLarge        more bytes or pixels than are safe or allowed
│   ├── UnsafeImage          holds what eyeline does not read for safety
│   ├── ImageTooThin         so long that nothing of its short side would be left
│   ├── TooManyImages        more than one request may carry
│   ├── BadDataUrl           a data URL that does not decode
│   └── FetchError           an image URL that could not be fetched
│       └── FetchRefused     an image URL that eyeline will not fetch
├── EngineError              the engine could not be reached or gave no usable response
│   ├── ConnectionFailed     no connection, or it broke before a response
│   ├── TimedOut             no response in time; the outcome is unknown
│   ├── StreamCut            an answer began to come and stopped before its end
│   ├── UnexpectedResponse   not a response of the API
│   └── ApiError             the engine said no, with a status
│       ├── BadRequest       400, 413, 422 and the like
│       │   ├── ImageRejected     the engine does not take this image
│       │   └── ModelLacksVision  the model takes no images
│       ├── AuthenticationFailed  401
│       ├── PermissionDenied      403
│       ├── ModelNotFound         404 for the model
│       ├── RateLimited           429 that passes
│       ├── QuotaExceeded         429 that does not: credit or spend limit used up
│       └── ServerFailed          5xx
└── AnswerError              an answer came, and it cannot be used
    ├── ModelRefused         the model declined
    ├── ContentFiltered      the provider's filter ended the answer
    ├── AnswerCut            the token limit came before anything usable
    ├── SchemaMismatch       the answer does not fit the schema
    └── ImageNotSeen         the usage shows that the model got no image

Each keeps its fields as attributes and as positional `args`, so it survives `pickle`;
`str(error)` is one sentence, `error.hint` says what to do, `error.exit_code` is the
command line's exit status: 2 could not start, 1 started and failed.
"""

from __future__ import annotations

from typing import Protocol


class EyelineError(Exception):
    """Any error eyeline raises on purpose."""

    hint: str = ""
    exit_code: int = 1


class SettingsError(EyelineError):
    """An option, environment variable or config entry that cannot be used."""

    exit_code = 2

    def __init__(self, name: str, found: str, expected: str) -> None:
        super().__init__(name, found, expected)
        self.name, self.found, self.expected = name, found, expected

    def __str__(self) -> str:
        return f"{self.name}: {self.found!r}, expected {self.expected}"


class KeyMissing(EyelineError):
    """The engine needs an API key and none was given."""

    exit_code = 2

    def __init__(self, engine: str, variable: str) -> None:
        super().__init__(engine, variable)
        self.engine, self.variable = engine, variable

    def __str__(self) -> str:
        return f"{self.engine}: no API key, expected one in {self.variable}"

    @property
    def hint(self) -> str:  # type: ignore[override]  # depends on the fields
        return f"export {self.variable}=…, or use --engine local, which needs none"


class MissingExtra(EyelineError):
    """An optional part is not installed."""

    exit_code = 2

    def __init__(self, feature: str, extra: str, package: str) -> None:
        super().__init__(feature, extra, package)
        self.feature, self.extra, self.package = feature, extra, package

    def __str__(self) -> str:
        return f"{self.feature}: needs the package {self.package}, which is not installed"

    @property
    def hint(self) -> str:  # type: ignore[override]  # depends on the fields
        install = f"pip install 'eyeline[{self.extra}]'"
        other = "; or set OPENAI_API_KEY, or name an engine" if self.extra == "local" else ""
        return install + other


class BudgetExceeded(EyelineError):
    """The next request could pass the budget, so it was not sent. Amounts are dollars, as text."""

    hint = "raise the budget, limit the answer with --max-output-tokens, or name a cheaper model"
    exit_code = 2

    def __init__(self, needed_usd: str, left_usd: str, limit_usd: str) -> None:
        super().__init__(needed_usd, left_usd, limit_usd)
        self.needed_usd, self.left_usd, self.limit_usd = needed_usd, left_usd, limit_usd

    def __str__(self) -> str:
        return (
            f"budget: the next request may cost ${self.needed_usd}, "
            f"${self.left_usd} of ${self.limit_usd} is left; not sent"
        )


class PriceUnknown(EyelineError):
    """A budget is set and the model has no known price, so the budget could not be held."""

    hint = "name a model with a known price (`eyeline models`), or set no budget"
    exit_code = 2

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.model = model

    def __str__(self) -> str:
        return f"{self.model}: no known price, so a budget cannot be held; not sent"


class SchemaError(EyelineError):
    """The answer schema itself cannot be used."""

    exit_code = 2

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found, expected)
        self.found, self.expected = found, expected

    def __str__(self) -> str:
        return f"schema: {self.found}, expected {self.expected}"


# --- images -------------------------------------------------------------------------------------


class ImageError(EyelineError):
    """Something about one image; `source` names it as the user did, without secrets or bytes."""

    exit_code = 2

    def __init__(self, source: str, found: str = "") -> None:
        super().__init__(source, found)
        self.source, self.found = source, found

    def __str__(self) -> str:
        return f"{self.source}: {self.found}"


class BadReference(ImageError):
    """Not a thing that can name an image."""

    hint = "give a path, URL, data URL, bytes, file object, PIL image, numpy array or FileId"


class ImageNotFound(ImageError):
    """No such file; `nearest` is the most alike name in that folder, if one is alike."""

    def __init__(self, source: str, nearest: str = "") -> None:
        super().__init__(source, nearest)
        self.nearest = nearest

    def __str__(self) -> str:
        return f"{self.source}: no such file"

    @property
    def hint(self) -> str:  # type: ignore[override]  # depends on the fields
        return f"did you mean {self.nearest}?" if self.nearest else ""


class ImageIsDirectory(ImageError):
    """A folder where a file was expected."""

    hint = "name the files in it, as in FOLDER/*.jpg"

    def __str__(self) -> str:
        return f"{self.source}: a folder, expected an image file"


class ImageUnreadable(ImageError):
    """The system would not let us read it; `found` is its reason."""

    def __str__(self) -> str:
        return f"{self.source}: cannot be read ({self.found})"


class ImageEmpty(ImageError):
    """No bytes at all."""

    hint = "the file or the download was never finished; get it again"

    def __str__(self) -> str:
        return f"{self.source}: empty, expected an image"


class ImageTruncated(ImageError):
    """Begins as an image, but ends too early or is damaged; `found` says how."""

    hint = "get the file again; eyeline never sends half an image"

    def __str__(self) -> str:
        return f"{self.source}: truncated or damaged image ({self.found})"


class NotAnImage(ImageError):
    """The bytes are not an image; `found` says what they look like."""

    def __str__(self) -> str:
        return f"{self.source}: not an image eyeline knows ({self.found})"


class ImageIsWebPage(NotAnImage):
    """An HTML page where an image was expected."""

    hint = "this address shows a page about the image; copy the address of the image itself"

    def __str__(self) -> str:
        return f"{self.source}: an HTML page, expected an image"


class UnsupportedFormat(ImageError):
    """An image of a format eyeline does not read; `found` is its media type."""

    hint = "save it as PNG or JPEG and try again"

    def __str__(self) -> str:
        return f"{self.source}: {self.found}, a format eyeline does not read"


class ImageTooLarge(ImageError):
    """More than is safe or allowed; `found` and `limit` carry their unit."""

    hint = "make the image smaller, or ask with --detail high"

    def __init__(self, source: str, found: str, limit: str) -> None:
        super().__init__(source, found)
        self.limit = limit
        self.args = (source, found, limit)

    def __str__(self) -> str:
        return f"{self.source}: {self.found}, the limit is {self.limit}"


class UnsafeImage(ImageError):
    """Holds what eyeline does not read for safety; `found` says what."""

    hint = "if you trust it, open it in another program and save it as PNG or JPEG"

    def __str__(self) -> str:
        return f"{self.source}: not read for safety ({self.found})"


class ImageTooThin(ImageError):
    """So long that the model's first step would leave less than a pixel of its short side."""

    hint = "cut it into pieces and send them as several images"

    def __init__(self, source: str, found: str, limit: str) -> None:
        super().__init__(source, found)
        self.args = (source, found, limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.source}: {self.found}, less than a pixel wide once it fits {self.limit}"


class TooManyImages(ImageError):
    """More images, pages counted, than one request may carry."""

    hint = "ask about fewer; FILE#2 names one page of a document"

    def __init__(self, found: str, limit: str) -> None:
        super().__init__("the question", found)
        self.args = (found, limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.source}: {self.found}, a request takes {self.limit}"


class BadDataUrl(ImageError):
    """A data URL that does not decode; `found` says where it goes wrong."""

    hint = "expected data:image/png;base64,… with standard base64"

    def __str__(self) -> str:
        return f"{self.source}: data URL does not decode ({self.found})"


class FetchError(ImageError):
    """An image URL that could not be fetched; `found` is the reason."""

    hint = "open the address in a browser; if it works there, download the image and give its path"

    def __str__(self) -> str:
        return f"{self.source}: could not be fetched ({self.found})"


class FetchRefused(FetchError):
    """An image URL that eyeline will not fetch; `found` is the reason."""

    def __init__(self, source: str, found: str, host: str = "") -> None:
        super().__init__(source, found)
        self.host = host
        self.args = (source, found, host)

    def __str__(self) -> str:
        return f"{self.source}: will not be fetched ({self.found})"

    @property
    def hint(self) -> str:  # type: ignore[override]  # depends on the fields
        return f"if you trust this host, set EYELINE_ALLOW_HOSTS={self.host}" if self.host else ""


# --- engines ------------------------------------------------------------------------------------


class EngineError(EyelineError):
    """The engine could not be reached or gave no usable response; `engine` names it."""

    def __init__(self, engine: str, found: str = "") -> None:
        super().__init__(engine, found)
        self.engine, self.found = engine, found

    def __str__(self) -> str:
        return f"{self.engine}: {self.found}"


class ConnectionFailed(EngineError):
    """No connection, or it broke before a response came; `found` is the reason."""

    hint = "is the server running, and the address right? `eyeline doctor` lists what answers here"

    def __str__(self) -> str:
        return f"{self.engine}: no connection ({self.found})"


class TimedOut(EngineError):
    """No response within `timeout_s` seconds; whether the request was carried out is unknown."""

    hint = "try again, or allow more time with --timeout"

    def __init__(self, engine: str, timeout_s: float) -> None:
        super().__init__(engine)
        self.timeout_s = timeout_s
        self.args = (engine, timeout_s)

    def __str__(self) -> str:
        return f"{self.engine}: no response within {self.timeout_s:g} s"


class StreamCut(EngineError):
    """An answer stopped before its end; `received_chars` characters of its text had come."""

    hint = "ask again; a cut answer is never passed off as a short one"

    def __init__(self, engine: str, received_chars: int) -> None:
        super().__init__(engine)
        self.received_chars = received_chars
        self.args = (engine, received_chars)

    def __str__(self) -> str:
        return f"{self.engine}: the answer broke off after {self.received_chars:,} characters"


class UnexpectedResponse(EngineError):
    """Not a response of the API; `found` says what came instead."""

    hint = "is this the address of an OpenAI-compatible API? It usually ends in /v1"

    def __str__(self) -> str:
        return f"{self.engine}: unexpected response ({self.found})"


class ApiError(EngineError):
    """The engine said no. `message` is its own words, with keys and image bytes taken out."""

    def __init__(
        self, engine: str, status: int, code: str, message: str, request_id: str = ""
    ) -> None:
        super().__init__(engine, message)
        self.status, self.code, self.message, self.request_id = status, code, message, request_id
        self.args = (engine, status, code, message, request_id)

    def __str__(self) -> str:
        code = f" {self.code}" if self.code else ""
        request = f" [{self.request_id}]" if self.request_id else ""
        return f"{self.engine}: {self.status}{code}: {self.message}{request}"


class BadRequest(ApiError):
    """The engine does not take this request."""


class ImageRejected(BadRequest):
    """The engine does not take this image."""

    hint = "`eyeline estimate` shows what is sent; another --detail or a PNG copy may be taken"


class ModelLacksVision(BadRequest):
    """The model takes no images."""

    hint = "choose a model that sees; `eyeline models` lists them"
    exit_code = 2


class AuthenticationFailed(ApiError):
    """The key is missing, wrong or expired."""

    hint = (
        "check OPENAI_API_KEY (for OpenAI and OPENAI_BASE_URL) or EYELINE_API_KEY (other engines)"
    )
    exit_code = 2


class PermissionDenied(ApiError):
    """The key is known and may not do this."""

    hint = "this key or project may not use that model or endpoint"
    exit_code = 2


class ModelNotFound(ApiError):
    """The engine has no such model; `nearest` is the most alike known name, if one is alike."""

    exit_code = 2

    def __init__(
        self, engine: str, status: int, code: str, message: str, request_id: str = "",
        model: str = "", nearest: str = "",
    ) -> None:  # fmt: skip
        super().__init__(engine, status, code, message, request_id)
        self.model, self.nearest = model, nearest
        self.args = (*self.args, model, nearest)

    @property
    def hint(self) -> str:  # type: ignore[override]  # depends on the fields
        if self.nearest:
            return f"did you mean {self.nearest}?"
        return "`eyeline models` lists known models; `GET /v1/models` those of a server"


class RateLimited(ApiError):
    """Too much at once; `retry_after_s` seconds is the engine's own advice, if it gave one."""

    hint = "wait and ask again, or ask with fewer requests in flight"

    def __init__(
        self, engine: str, status: int, code: str, message: str, request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(engine, status, code, message, request_id)
        self.retry_after_s = retry_after_s
        self.args = (*self.args, retry_after_s)


class QuotaExceeded(ApiError):
    """Credit or a spend limit is used up; waiting does not help."""

    hint = "add credit or raise the limit in the provider's billing settings"
    exit_code = 2


class ServerFailed(ApiError):
    """The engine failed on its side; `retry_after_s` seconds is its own advice, if it gave one."""

    hint = "the fault is on the engine's side; try again later"

    def __init__(
        self, engine: str, status: int, code: str, message: str, request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(engine, status, code, message, request_id)
        self.retry_after_s = retry_after_s
        self.args = (*self.args, retry_after_s)


# --- answers ------------------------------------------------------------------------------------


class AnswerLike(Protocol):
    """What these errors read of an answer."""

    @property
    def text(self) -> str: ...
    @property
    def model(self) -> str: ...


class AnswerError(EyelineError):
    """An answer came, was paid for, and cannot be used; `answer` keeps its text, usage and cost."""

    def __init__(self, answer: AnswerLike, found: str = "") -> None:
        super().__init__(answer, found)
        self.answer, self.found = answer, found

    def __str__(self) -> str:
        return f"{self.answer.model}: {self.found}"


class ModelRefused(AnswerError):
    """The model declined; `found` is what it said."""

    hint = "rephrase the question; the model will not answer this one about this image"

    def __str__(self) -> str:
        return f"{self.answer.model} refused: {self.found}"


class ContentFiltered(AnswerError):
    """The provider's content filter ended the answer."""

    hint = "the provider's filter decided, not the model; rephrase, or use another picture"

    def __str__(self) -> str:
        return f"{self.answer.model}: the provider's content filter ended the answer"


class AnswerCut(AnswerError):
    """The token limit came before anything usable."""

    hint = "allow more with --max-output-tokens; reasoning counts towards it"

    def __str__(self) -> str:
        return f"{self.answer.model}: the answer ended at the token limit, unfinished"


class SchemaMismatch(AnswerError):
    """The answer does not fit the schema; `found` says where."""

    hint = "ask again, or loosen the schema; what came is in error.answer.text"

    def __str__(self) -> str:
        return f"{self.answer.model}: the answer does not fit the schema ({self.found})"


class ImageNotSeen(AnswerError):
    """The usage shows fewer tokens than the images alone must have cost: they were dropped."""

    hint = (
        "this server or model drops images in silence; name one that sees, "
        "or switch the check off with sight_check=False (--no-sight-check)"
    )

    def __init__(self, answer: AnswerLike, input_tokens: int, image_tokens: int) -> None:
        super().__init__(answer)
        self.args = (answer, input_tokens, image_tokens)
        self.input_tokens, self.image_tokens = input_tokens, image_tokens

    def __str__(self) -> str:
        return (
            f"{self.answer.model}: billed {self.input_tokens:,} input tokens, "
            f"where the images alone take {self.image_tokens:,}"
        )


class MisplacedImage(UserWarning):
    """
    An image stood where no model sees it, or in a way that the API refuses.

    `where` is its place in the body, `found` what stood there, `mend` what was done about it, ""
    where nothing was.
    """

    def __init__(self, where: str, found: str, mend: str = "") -> None:
        super().__init__(where, found, mend)
        self.where, self.found, self.mend = where, found, mend

    def __str__(self) -> str:
        return f"{self.where}: {self.found}; {self.mend or 'not mended'}"
