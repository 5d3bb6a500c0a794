"""
Images as files of the provider: the request that uploads one, and what its response says.

Source: `files.create` and `FileObject` of openai-python 3.54.0 (2026-11-17): purpose `vision`, an
end between an hour and thirty days after the upload.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from eyeline.core.draft import ENCODER, PlannedImage, digest
from eyeline.core.parts import ImagePart, PreparedImage
from eyeline.core.wire import Body, Request
from eyeline.errors import ApiError

# How long the provider keeps a file: about as long as somebody comes back to the same pictures.
KEPT_S = 7 * 86_400
GONE = re.compile(
    r"file.*(?:not found|no such|expired|deleted|does not exist)|no such file", re.IGNORECASE
)
GONE_CODES = {"image_file_not_found", "file_not_found"}
GONE_STATUSES = {400, 404, 410}


@dataclass(frozen=True, slots=True)
class File:
    """A file of the provider: its id, and when it ends in seconds since 1970."""

    id: str
    ends_s: float


def file_key(account: str, image: PlannedImage, prepared: PreparedImage) -> str:
    """Name the file of an image by what it shows, for one account at one address."""
    plan = image.plan
    made = plan and [plan.frame, plan.orientation, plan.size, plan.background]
    seen = [account, image.digest, made, prepared.media_type]
    return f"file {digest(ENCODER.encode(seen).encode())}"


def upload_request(image: PreparedImage, key: str, timeout_s: float) -> Request:
    """Make the request that uploads an image under the key of its file; its body is a form."""
    boundary = f"eyeline-{key[-32:]}"  # no image holds what is made of its own digest
    fields = {
        "purpose": "vision",
        "expires_after[anchor]": "created_at",
        "expires_after[seconds]": str(KEPT_S),
    }
    heads = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    name = f"image.{image.media_type.rpartition('/')[2]}"
    heads.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {image.media_type}\r\n\r\n"
    )
    body = Body(("".join(heads).encode(), image.content, f"\r\n--{boundary}--\r\n".encode()))
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return Request("/files", body, stream=False, timeout_s=timeout_s, headers=headers)


def read_file(body: bytes, now_s: float) -> File:
    """Read what the provider says of a file just uploaded. Raises ValueError for no file."""
    try:
        value = json.loads(body)
        name, ends_s = value["id"], value.get("expires_at")
    except (KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("no id of a file") from None
    if not isinstance(name, str) or not name:
        raise ValueError("no id of a file")
    is_told = isinstance(ends_s, int | float) and not isinstance(ends_s, bool)
    return File(name, ends_s if is_told else now_s + KEPT_S)


def is_gone(error: ApiError, parts: Iterable[ImagePart]) -> bool:
    """Say whether a refusal means that a file which was uploaded here is there no more."""
    ids = [part.file_id for part in parts if part.file_key]
    if not ids or error.status not in GONE_STATUSES:
        return False
    is_named = any(name in error.message for name in ids)
    return is_named or error.code in GONE_CODES or GONE.search(error.message) is not None
