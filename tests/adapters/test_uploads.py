"""Bodies on their way up: how many bytes at a time, and who comes next."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from api_server import ApiServer

from eyeline.adapters.http_async import AiohttpTransport
from eyeline.adapters.uploads import JOINED_BYTES_MAX, Gate, Upload
from eyeline.core.parts import PreparedImage, Stored
from eyeline.core.picture import ImageChanged
from eyeline.core.secret import Secret
from eyeline.core.size import Size
from eyeline.core.wire import Body, Request

Enter = asyncio.Task[Callable[[], None]]


async def asked(gate: Gate, *sizes_bytes: int) -> list[Enter]:
    """Ask for places one after the other, and let all who may come in."""
    tasks = [asyncio.create_task(gate.enter(size_bytes)) for size_bytes in sizes_bytes]
    await asyncio.sleep(0)
    return tasks


def inside(tasks: list[Enter]) -> list[bool]:
    return [task.done() for task in tasks]


def test_admits_so_many_bytes_in_the_order_they_came() -> None:
    """A small one does not overtake a large one that waits, and leaving twice frees one place."""

    async def run() -> None:
        gate = Gate(10)
        tasks = await asked(gate, 4, 4, 5, 1)
        assert inside(tasks) == [True, True, False, False]
        tasks[0].result()()
        tasks[0].result()()
        await asyncio.sleep(0)
        assert inside(tasks) == [True, True, True, True]
        for task in tasks:
            task.result()()
        assert gate.free_bytes == 10

    asyncio.run(run())


def test_what_is_larger_than_all_goes_alone() -> None:
    """A body larger than the gate waits until nobody is inside, and then goes."""

    async def run() -> None:
        gate = Gate(10)
        small, large = await asked(gate, 1, 99)
        assert not large.done()
        small.result()()
        (await large)()
        assert gate.free_bytes == 10

    asyncio.run(run())


def test_who_gives_up_is_not_waited_for() -> None:
    """Cancelled in line, or in the very moment of coming in, it leaves its place to the next."""

    async def run() -> None:
        gate = Gate(10)
        first, second, third, fourth = await asked(gate, 10, 10, 10, 10)
        second.cancel()
        await asyncio.sleep(0)
        first.result()()
        third.cancel()
        leave = await fourth
        leave()
        assert (gate.free_bytes, len(gate.waiting)) == (10, 0)
        assert second.cancelled()
        assert third.cancelled()

    asyncio.run(run())


def test_one_after_the_other_where_there_is_room_for_one(api: ApiServer) -> None:
    """What is sent leaves its place to the next, and so does what cannot be sent."""

    async def run() -> None:
        transport = AiohttpTransport("engine", api.url, Secret(""), "eyeline/test")
        transport.gate = Gate(1)
        body = json.dumps({"model": "gpt-6-luna", "messages": []}).encode()
        request = Request("/chat/completions", body, False, 10.0)
        responses = await asyncio.gather(*(transport.send(request) for _ in range(3)))
        assert [response.status for response in responses] == [200] * 3
        assert transport.gate.free_bytes == 1
        await transport.close()

    asyncio.run(run())
    assert [sent.headers["content-type"] for sent in api.requests] == ["application/json"] * 3


class Written:
    """A writer that keeps what it was given."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    async def write(self, chunk: bytes) -> None:
        self.chunks.append(chunk)


def posted(*pieces: bytes) -> Request:
    return Request("/chat/completions", Body(pieces), False, 10.0)


def test_a_body_is_put_together_when_it_is_written() -> None:
    """A small one goes up in one piece; whoever waits is told when it is out."""
    left: list[bool] = []
    upload, writer = Upload(posted(b"bo", b"dy"), lambda: left.append(True)), Written()
    asyncio.run(upload.write(writer))  # type: ignore[arg-type]
    assert (upload.size, writer.chunks, left) == (4, [b"body"], [True])
    with pytest.raises(NotImplementedError):
        upload.decode()


def test_a_large_body_goes_up_in_its_pieces() -> None:
    """What takes long to put together is written piece by piece, in order."""
    pieces, writer = [b"a", b"b" * JOINED_BYTES_MAX, b"c"], Written()
    asyncio.run(Upload(posted(*pieces), lambda: None).write(writer))  # type: ignore[arg-type]
    assert writer.chunks == pieces


def test_an_image_that_changed_is_not_sent(api: ApiServer) -> None:
    """What cannot be read any more when it is to go up is told as that, and the next goes up."""

    def read() -> bytes:
        raise ImageChanged("roof.png")

    async def run() -> None:
        transport = AiohttpTransport("engine", api.url, Secret(""), "eyeline/test")
        gone = PreparedImage(Stored(read, 6), "image/png", Size(1, 1))
        with pytest.raises(ImageChanged):
            await transport.send(Request("/chat/completions", Body((gone,)), False, 10.0))
        body = json.dumps({"model": "gpt-6-luna", "messages": []}).encode()
        response = await transport.send(Request("/chat/completions", body, False, 10.0))
        assert (response.status, transport.gate.free_bytes) == (200, transport.gate.bytes_max)
        await transport.close()

    asyncio.run(run())
    assert len(api.requests) == 1
