"""urllib3: files and batches of an engine; large files go and come piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import urllib3

from eyeline.adapters.http import CHUNK_BYTES, CONNECT_TIMEOUT_S, HttpTransport
from eyeline.core.secret import Secret
from eyeline.core.wire import Request, Response, lower_names
from eyeline.errors import ConnectionFailed, StreamCut

TIMEOUT_S = 120.0
# 200 MB at a megabit a second.
UPLOAD_TIMEOUT_S = 1800.0
BOUNDARY = "eyeline-of-one-file-and-its-purpose"


class BatchHttp:
    """Files and batches under one base URL and key; blocking, for threads."""

    def __init__(self, engine: str, base_url: str, key: Secret, user_agent: str) -> None:
        self.http = HttpTransport(engine, base_url, key, user_agent)

    def get(self, path: str) -> Response:
        return self.read(self.ask("GET", path))

    def post(self, path: str, body: bytes) -> Response:
        return self.read(self.ask("POST", path, body))

    def upload(self, file: Path, name: str) -> Response:
        """Upload a file for a batch, under a name of its own."""
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/jsonl\r\n\r\n"
        ).encode()
        foot = f"\r\n--{BOUNDARY}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Content-Length": str(len(head) + file.stat().st_size + len(foot)),
        }
        with file.open("rb") as opened:
            body = pieces(head, opened, foot)
            return self.read(self.ask("POST", "/files", body, headers, UPLOAD_TIMEOUT_S))

    def download(self, path: str, file: BinaryIO) -> Response:
        """Write the body of a response to `file`; of an error it is in the response."""
        response = self.ask("GET", path)
        if response.status >= 300:
            return self.read(response)
        size_bytes = 0
        try:
            while chunk := self.guarded(lambda: response.read(CHUNK_BYTES)):
                file.write(chunk)
                size_bytes += len(chunk)
        finally:
            response.release_conn()
        return Response(response.status, lower_names(response.headers), b"")

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> urllib3.BaseHTTPResponse:
        http = self.http
        response: urllib3.BaseHTTPResponse = http.guarded(
            lambda: http.pools.request(
                method,
                http.base_url + path,
                body=body,
                headers=http.headers | http.key.header() | (headers or {}),
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=timeout_s),
                retries=False,
                redirect=False,
                preload_content=False,
            ),
            Request(path, b"", False, timeout_s),
        )
        return response

    def read(self, response: urllib3.BaseHTTPResponse) -> Response:
        """Read a response whole; no key comes back from here."""
        try:
            body = self.guarded(lambda: response.read(decode_content=True))
        finally:
            response.release_conn()
        body = self.http.key.hide(body) if response.status >= 400 else body
        return Response(response.status, lower_names(response.headers), body)

    def guarded(self, act: object) -> bytes:
        try:
            data: bytes = self.http.guarded(act, Request("", b"", False, TIMEOUT_S))
        except ConnectionFailed as error:
            raise StreamCut(self.http.engine, 0) from error
        return data

    def close(self) -> None:
        self.http.close()


def pieces(head: bytes, file: BinaryIO, foot: bytes) -> Iterator[bytes]:
    yield head
    while chunk := file.read(CHUNK_BYTES):
        yield chunk
    yield foot
