"""
What a flow may ask of the outside, each a value; a driver performs it and sends back the result.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from eyeline.core.dialect import Dialect
from eyeline.core.parts import Encoded, PreparedImage
from eyeline.core.picture import Picture, Sighting
from eyeline.core.plan import PreparePlan
from eyeline.core.ratelimits import Allowances
from eyeline.core.reference import FileRef, Reference
from eyeline.core.wire import Request
from eyeline.policy.limits import Ended, Hold
from eyeline.policy.pace import Turn

T = TypeVar("T")
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Load:
    """
    Fetch the bytes a reference names, all of them, or no more than `bytes_max` from `start` on.
    Gives Loaded.
    """

    reference: Reference
    bytes_max: int | None = None
    start: int = 0


@dataclass(frozen=True, slots=True)
class Pages:
    """Measure the pages of a document whose header core cannot read. Gives a tuple of Size."""

    data: bytes = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class Prepare:
    """
    Execute a plan on an image's bytes, or see that they unpack where they go as they are. Gives a
    PreparedImage.
    """

    content: Encoded = field(repr=False)
    plan: PreparePlan
    source: str


@dataclass(frozen=True, slots=True)
class Known:
    """Ask what is remembered of a file, without reading it. Gives a Sighting."""

    file: FileRef


@dataclass(frozen=True, slots=True)
class Remember:
    """Remember what was read, of a file after it was sighted. Gives None."""

    sighting: Sighting
    picture: Picture


@dataclass(frozen=True, slots=True)
class Recognise:
    """Ask what this process remembers of bytes, by their digest. Gives a Picture or None."""

    digest: str


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Name the pixels of an image as it is sent. Gives its digest, "" where it has none."""

    image: PreparedImage


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """One question's claim on a key; two tickets for one key are never the same."""

    key: str


@dataclass(frozen=True, slots=True)
class Claim:
    """
    Wait until nobody else is asking for a key, `wait_s` at most. Gives the Record they got, or None
    to go ahead: to whoever comes first, to the next where that one failed, and to who has waited
    too long.
    """

    ticket: Ticket
    wait_s: float


@dataclass(frozen=True, slots=True)
class Release:
    """
    Give up a claim, granted or not; with a record all who wait get that, else the next goes ahead.
    Gives None.
    """

    ticket: Ticket
    record: Record | None


@dataclass(frozen=True, slots=True)
class Lookup:
    """Ask the cache. Gives a Record or None."""

    key: str


@dataclass(frozen=True, slots=True)
class Store:
    """Keep a record in the cache. Gives None."""

    key: str
    record: Record


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Ask for the file that an image was uploaded as. Gives a Record or None."""

    key: str


@dataclass(frozen=True, slots=True)
class KeepUploaded:
    """Remember the file that an image was uploaded as; an empty record forgets it. Gives None."""

    key: str
    record: Record


@dataclass(frozen=True, slots=True)
class Learn:
    """Remember how the server at a base URL wants to be asked. Gives None."""

    base_url: str
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class Reserve:
    """
    Hold what one request may use, and take a place in line; with a turn, look again how long the
    wait for it is. Who is `patient` waits also where nothing is known of the server. Gives a Turn.
    """

    hold: Hold
    turn: Turn | None = None
    patient: bool = False


@dataclass(frozen=True, slots=True)
class Heed:
    """Take the limits that a server names for a model. Gives None."""

    model: str
    allowances: Allowances


@dataclass(frozen=True, slots=True)
class Settle:
    """Say how a held request ended, and what it cost. Gives None."""

    hold: Hold
    turn: Turn
    ended: Ended


@dataclass(frozen=True, slots=True)
class Intend:
    """
    Write down, before a request goes out, that it will: whatever happens then, it may be billed.
    Gives None, once it is written.
    """

    hold: Hold


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request and read the response whole. Gives a Response."""

    request: Request


@dataclass(frozen=True, slots=True)
class Open:
    """
    Send a request and leave the response open. Gives the driver's own stream, with status and
    headers.
    """

    request: Request


@dataclass(frozen=True, slots=True)
class Read:
    """Read on in an open response. Gives bytes, b"" at the end."""

    stream: Any


@dataclass(frozen=True, slots=True)
class Close:
    """Let go of an open response. Gives None."""

    stream: Any


@dataclass(frozen=True, slots=True)
class Emit:
    """Hand a piece of the answer to whoever is reading along. Gives None."""

    text: str


@dataclass(frozen=True, slots=True)
class Head:
    """
    How a relayed response begins. Header names are in lower case; `facts` is what we have to say
    of it, by name; `size_bytes` is None for a stream.
    """

    status: int
    headers: Mapping[str, str]
    facts: Mapping[str, str]
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Relay:
    """
    Hand on a response as it came: first its Head, then its bytes, and at last None, for what is
    done after that is no business of whoever reads along. Gives None.
    """

    piece: Head | bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait. Gives None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Now:
    """Read a clock that only goes forward, in seconds. Gives float."""


@dataclass(frozen=True, slots=True)
class Date:
    """Read the calendar, in seconds since 1970. Gives float."""


@dataclass(frozen=True, slots=True)
class Chance:
    """Draw a number in [0, 1). Gives float."""


Effect = (
    Load | Pages | Prepare | Known | Remember | Recognise | Fingerprint | Claim | Release
    | Lookup | Store | Uploaded | KeepUploaded | Learn | Reserve | Heed | Settle | Intend
    | Send | Open | Read | Close | Emit | Relay | Sleep | Now | Date | Chance
)  # fmt: skip
Flow = Generator[Effect, Any, T]
# What goes to whoever is reading along, and to no driver.
Handed = Emit | Relay
