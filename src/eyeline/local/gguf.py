"""
A vision-language model of one's own, as GGUF files, run by llama.cpp inside this process.

xllamacpp starts llama.cpp's own API server on a loopback port whenever it loads a model, so the
engine speaks HTTP to that port. Its other way in, `Server.handle_chat_completions`, has no status
codes, no `/responses`, and nothing that stops an answer nobody waits for any more. A random key
closes the port to everyone else.
"""

from __future__ import annotations

import re
import secrets
import socket
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from eyeline.core.wire import Request, Response
from eyeline.errors import ConnectionFailed, MissingExtra, SettingsError, TimedOut

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

# Room for one picture of the greedier models (Qwen-VL: up to 4,096 tokens), a prompt and an
# answer. Memory grows with it: about 1 GB here for a model of 2 billion weights.
CONTEXT_TOKENS = 8192

# How long llama.cpp may take to say that it runs; it says so within milliseconds.
READY_TIMEOUT_S = 30.0

PIECE_BYTES = 65536

# GGUF's header, and its first entry up to the value: length of the name, name, type 8 for text.
GGUF_HEADER_BYTES = 24
ARCHITECTURE = b"\x14\0\0\0\0\0\0\0general.architecture\x08\0\0\0"


class GgufEngine:
    """
    A transport to one model and its mmproj, loaded on first use; safe to share between threads.

    `mmproj` is looked for beside the model if not given. Requests are answered one at a time; the
    others wait, and waiting counts towards their `timeout_s`. Paths are `/chat/completions` and
    `/responses`, any other is answered 404. Images must come as data URLs: llama.cpp itself would
    fetch any other address.

    Raises SettingsError, when made for a file that is missing or of the wrong kind, when loaded
    for a pair that llama.cpp cannot run; MissingExtra, when loaded without xllamacpp.
    """

    def __init__(
        self,
        model: Path,
        mmproj: Path | None = None,
        *,
        context_tokens: int = CONTEXT_TOKENS,
        threads: int | None = None,
    ) -> None:
        check_model(model)
        self.model, self.mmproj = model, mmproj or find_mmproj(model)
        check_mmproj(self.mmproj)
        self.context_tokens, self.threads = context_tokens, threads
        self.lock = threading.Lock()
        self.closed = False
        self.server: LlamaServer | None = None

    @property
    def name(self) -> str:
        """The model's file name, by which errors call the engine."""
        return self.model.name

    def load(self) -> LlamaServer:
        """
        Load the model, if it is not loaded yet.

        xllamacpp holds the interpreter's lock meanwhile, so nothing else in this process runs.
        """
        with self.lock:
            if self.closed:
                raise ConnectionFailed(self.name, "the engine is closed")
            if self.server is None:
                self.server = self.start()
                # Left to the interpreter's end, llama.cpp would wait there for running answers.
                weakref.finalize(self, self.server.stop)
            return self.server

    def send(self, request: Request) -> Response:
        """Give the whole response; no more than `request.timeout_s` passes without a byte of it."""
        with closing(self.open(request)) as stream:
            return Response(stream.status, stream.headers, b"".join(iter(stream.read, b"")))

    def open(self, request: Request) -> EngineStream:
        """Give the response once it begins, which for an answer is its first token."""
        server = self.load()
        with transport_errors(self.name, request.timeout_s):
            connection = server.connect(request.timeout_s)
            connected = connection.sock  # which http.client drops once it has seen the last byte
            try:
                connection.request("POST", f"/v1{request.path}", request.body, server.headers)
                response = connection.getresponse()
            except BaseException:
                # Also on Ctrl-C: llama.cpp goes on computing until the connection is closed.
                connection.close()
                raise
        return EngineStream(self, connected, response, request.timeout_s)

    def close(self) -> None:
        """End the answers under way and free the model; calling it twice is harmless."""
        with self.lock:
            self.closed = True
            server, self.server = self.server, None
        if server is not None:
            server.stop()

    def start(self) -> LlamaServer:
        from concurrent.futures import ThreadPoolExecutor

        # Ctrl-C pressed during the load then interrupts the thread that waits, not this one
        # between the load and `wait_until_ready`, where dropping the server would hang.
        with ThreadPoolExecutor(max_workers=1) as loader:
            return loader.submit(self.start_server).result()

    def start_server(self) -> LlamaServer:
        try:
            import xllamacpp
        except ImportError as error:
            raise MissingExtra(self.name, "vlm", "xllamacpp") from error
        key, release = secrets.token_urlsafe(), f"xllamacpp {xllamacpp.__version__}"
        try:
            native = xllamacpp.Server(self.params(xllamacpp, key))
        except RuntimeError as error:
            found = f"{self.model} with {self.mmproj}"
            expected = f"a whole model and its own mmproj, of a kind {release} runs"
            raise SettingsError("--model", found, expected) from error
        server = LlamaServer(native, key)
        with transport_errors(self.name, READY_TIMEOUT_S):
            server.wait_until_ready()
        return server

    def params(self, xllamacpp: Any, key: str) -> Any:
        params = xllamacpp.CommonParams()
        params.model.path, params.mmproj.path = str(self.model), str(self.mmproj)
        params.n_ctx, params.n_parallel = self.context_tokens, 1
        if self.threads is not None:
            params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.threads
        params.api_keys, params.cors_origins, params.ui = [key], "", False
        params.endpoint_slots = True  # `wait_until_ready` asks it
        params.offline = True
        params.verbosity = -1  # stdout and stderr belong to the caller; errors come as responses
        params.cache_ram_mib = 0  # by default past prompts are kept in up to 8 GiB
        params.sse_ping_interval = -1  # pings would hide from `timeout_s` that nothing comes
        params.warmup = False
        return params


class LlamaServer:
    """llama.cpp's server as it runs in this process, and the connections open to it."""

    def __init__(self, native: Any, key: str) -> None:
        self.native = native
        self.port = urlsplit(native.listening_address).port
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.lock = threading.Lock()
        self.sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def wait_until_ready(self) -> None:
        """
        Return once llama.cpp's main loop runs, which lists the slots.

        A server dropped sooner hangs: its order to stop comes before the loop that would obey.
        """
        with closing(self.connect(READY_TIMEOUT_S)) as connection:
            connection.request("GET", "/slots", headers=self.headers)
            connection.getresponse().read()

    def connect(self, timeout_s: float) -> HTTPConnection:
        """
        Open a connection, for one answer.

        Closing it is how llama.cpp learns to stop; kept open, it would hold one of its threads.
        """
        from http.client import HTTPConnection

        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        connection.connect()
        with self.lock:
            if self.native is not None:
                self.sockets.add(connection.sock)
                return connection
        connection.close()
        reason = "the engine is closed"
        raise ConnectionAbortedError(reason)

    def stop(self) -> None:
        """
        Cut the answers under way and free the model.

        Freeing waits for the answers' end, so an answer left running would hang the process; the
        cut is noticed within a second.
        """
        with self.lock:
            for connected in tuple(self.sockets):
                cut(connected)
            self.native = None


class EngineStream:
    """A response of llama.cpp, read as it is written; satisfies `ports.ResponseStream`."""

    def __init__(
        self,
        engine: GgufEngine,
        connected: socket.socket,
        response: HTTPResponse,
        timeout_s: float,
    ) -> None:
        # Holding the engine keeps the model loaded while the answer is read.
        self.engine, self.connected, self.response = engine, connected, response
        self.timeout_s = timeout_s
        self.reading = threading.Lock()
        self.closed = False

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return {name.lower(): value for name, value in self.response.getheaders()}

    def read(self) -> bytes:
        """Give the next piece; wait for it no longer than the request's `timeout_s`."""
        with self.reading, transport_errors(self.engine.name, self.timeout_s):
            if self.closed:
                raise ConnectionFailed(self.engine.name, "the stream is closed")
            return self.response.read1(PIECE_BYTES)

    def close(self) -> None:
        """Stop the answer; a `read` that waits in another thread ends with ConnectionFailed."""
        self.closed = True
        cut(self.connected)
        with self.reading:
            self.response.close()
            self.connected.close()


def cut(connected: socket.socket) -> None:
    """End a connection at once, under the reader's feet too; `close` alone would wait for it."""
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


@contextmanager
def transport_errors(engine: str, timeout_s: float) -> Iterator[None]:
    """Turn what sockets and `http.client` raise into the errors a transport may raise."""
    from http.client import HTTPException

    try:
        yield
    except TimeoutError as error:
        raise TimedOut(engine, timeout_s) from error
    except (OSError, HTTPException) as error:
        raise ConnectionFailed(engine, str(error) or type(error).__name__) from error


def find_mmproj(model: Path) -> Path:
    """
    Find the model's mmproj beside it: the only one, or the one whose name agrees with it best.

    Raises SettingsError if there is none, or several agree equally.
    """
    found = sorted(path for path in model.parent.glob("*.gguf") if "mmproj" in path.name.lower())
    if not found:
        beside = f"none found beside {model}"
        raise SettingsError("--mmproj", beside, "the model's mmproj .gguf file")
    agreement = {path: agreeing_words(path, model) for path in found}
    highest = max(agreement.values())
    best = [path for path in found if agreement[path] == highest]
    if len(best) > 1:
        several = f"{', '.join(path.name for path in best)} beside {model}"
        raise SettingsError("--mmproj", several, "one of them to be chosen")
    return best[0]


def agreeing_words(mmproj: Path, model: Path) -> tuple[int, int]:
    """Count the words with which both names begin, then, below zero, what `mmproj` has besides."""
    own = [word for word in words(mmproj) if word != "mmproj"]
    pairs = zip(own, words(model), strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return shared, shared - len(own)


def words(path: Path) -> list[str]:
    return re.split(r"[-_. ]+", path.stem.lower())


def check_model(path: Path) -> None:
    """Raise SettingsError unless `path` can be a language model's file."""
    if architecture("--model", path) == "clip":
        raise SettingsError("--model", f"{path} (an mmproj)", "the language model's .gguf file")


def check_mmproj(path: Path) -> None:
    """Raise SettingsError unless `path` can be an mmproj file."""
    found = architecture("--mmproj", path)
    if found not in {"clip", ""}:
        raise SettingsError(
            "--mmproj", f"{path} (a {found} model)", "the model's mmproj .gguf file"
        )


def architecture(option: str, path: Path) -> str:
    """
    Read `general.architecture` of a GGUF file, by custom its first entry; `""` if it is not.

    Raises SettingsError, with `option` as its name, if the file cannot be read or is not GGUF.
    Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, "File Structure".
    """
    try:
        with path.open("rb") as file:
            head = file.read(256)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SettingsError(option, f"{path} ({reason})", "a .gguf file") from error
    if not head.startswith(b"GGUF"):
        begins = f"begins {head[:8].hex(' ')}" if head else "empty"
        raise SettingsError(option, f"{path} ({begins})", "a .gguf file")
    if not head.startswith(ARCHITECTURE, GGUF_HEADER_BYTES):
        return ""
    entry = head[GGUF_HEADER_BYTES + len(ARCHITECTURE) :]
    length = int.from_bytes(entry[:8], "little")
    return entry[8 : 8 + length].decode("ascii", "replace")
