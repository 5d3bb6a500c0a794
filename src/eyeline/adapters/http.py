"""urllib3: carries requests to an engine, blocking, over kept-alive connections."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
)

from eyeline.adapters.allocator import keep_memory
from eyeline.adapters.proxies import proxy_for, through
from eyeline.core.secret import Secret
from eyeline.core.wire import Request, Response, lower_names
from eyeline.errors import ConnectionFailed, StreamCut, TimedOut

CONNECT_TIMEOUT_S = 10.0
CHUNK_BYTES = 64 * 1024
POOL_CONNECTIONS = 64


class HttpTransport:
    """The Transport of one base URL and key; any number of threads may share it."""

    def __init__(self, engine: str, base_url: str, key: Secret, user_agent: str) -> None:
        keep_memory()
        self.engine, self.base_url, self.key = engine, base_url, key
        self.headers = {"Content-Type": "application/json", "User-Agent": user_agent}
        self.proxy = proxy_for(base_url)
        self.pools, self.pid = connection_pools(self.proxy), os.getpid()

    def send(self, request: Request) -> Response:
        response = self.post(request)
        try:
            body = self.guarded(lambda: response.read(decode_content=True), request)
        except ConnectionFailed as error:
            raise StreamCut(self.engine, 0) from error
        finally:
            response.release_conn()
        if response.status >= 400:
            body = self.key.hide(body)
        return Response(response.status, lower_names(response.headers), body)

    def open(self, request: Request) -> HttpStream:
        return HttpStream(self, request, self.post(request))

    def close(self) -> None:
        self.pools.clear()

    def post(self, request: Request) -> urllib3.BaseHTTPResponse:
        if self.pid != os.getpid():
            # A forked process has its parent's sockets, and would read answers meant for others.
            self.pools, self.pid = connection_pools(self.proxy), os.getpid()
        response: urllib3.BaseHTTPResponse = self.guarded(
            lambda: self.pools.request(
                "POST",
                self.base_url + request.path,
                body=request.body,
                headers=self.headers | dict(request.headers) | self.key.header(),
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=request.timeout_s),
                retries=False,
                redirect=False,
                preload_content=False,
            ),
            request,
        )
        return response

    def guarded(self, act: Any, request: Request) -> Any:
        """Put urllib3's failures in our words."""
        try:
            return act()
        except NewConnectionError as error:
            raise self.failed(reason(error)) from None
        except ConnectTimeoutError:
            raise self.failed(f"none within {CONNECT_TIMEOUT_S:g} s") from None
        except (ReadTimeoutError, TimeoutError):
            raise TimedOut(self.engine, request.timeout_s) from None
        except (HTTPError, OSError) as error:
            raise self.failed(reason(error)) from None

    def failed(self, found: str) -> ConnectionFailed:
        return ConnectionFailed(self.engine, through(self.proxy, found))


class HttpStream:
    """An open response, read as its bytes come in."""

    def __init__(
        self, transport: HttpTransport, request: Request, response: urllib3.BaseHTTPResponse
    ) -> None:
        self.transport, self.request, self.response = transport, request, response
        self.status: int = response.status
        self.headers: Mapping[str, str] = lower_names(response.headers)

    def read(self) -> bytes:
        if self.status >= 400:
            # Read whole, or a key could be cut by the end of a chunk and so be missed.
            return self.transport.key.hide(self.guarded(lambda: self.response.read(CHUNK_BYTES)))
        return self.guarded(lambda: self.response.read1(CHUNK_BYTES, decode_content=True))

    def guarded(self, act: Callable[[], bytes]) -> bytes:
        try:
            chunk: bytes = self.transport.guarded(act, self.request)
        except ConnectionFailed as error:
            raise StreamCut(self.transport.engine, 0) from error
        return chunk

    def close(self) -> None:
        # A connection with unread bytes cannot be used again; one read to its end goes back to the
        # pool.
        if not self.response.closed:
            self.response.close()
        self.response.release_conn()


def connection_pools(proxy: str | None) -> urllib3.PoolManager:
    if proxy:
        return urllib3.ProxyManager(proxy, maxsize=POOL_CONNECTIONS)
    return urllib3.PoolManager(maxsize=POOL_CONNECTIONS)


def reason(error: BaseException) -> str:
    """Say what failed in the system's words, without urllib3's object addresses."""
    inner = error.__cause__ or error.__context__ or getattr(error, "reason", None)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(inner, BaseException):
        return reason(inner)
    return str(error) or type(error).__name__
