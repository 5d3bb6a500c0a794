"""Ask once, pay once, end to end: what is the same question, and what is another."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from api_server import ApiServer
from PIL import Image, PngImagePlugin

from eyeline import AsyncClient, Client
from eyeline.adapters.sightings import Sightings
from eyeline.core.picture import GRAIN_NS
from eyeline.core.reference import Loaded
from eyeline.errors import SettingsError
from eyeline.testing import FakeTransport

PROMPT = "What does the sign say?"


def picture(width: int = 96, height: int = 64, mode: str = "RGB") -> Image.Image:
    """Give a picture with some of everything, so that no two of its pixels' neighbours agree."""
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    planes = [across * 5 + down * 3, across * 2 + down * 7, across ^ down]
    return Image.fromarray(np.stack(planes, -1).astype(np.uint8)).convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def with_text() -> PngImagePlugin.PngInfo:
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Ada")
    return text


def asks(*images: Any, **options: Any) -> int:
    """Ask about one image after another, and give how many questions went out."""
    transport = FakeTransport(*["A sign."] * len(images))
    with Client(model="gpt-6-luna", transport=transport, allow_hosts=["127.0.0.1"]) as client:
        for image in images:
            assert client.ask(PROMPT, image, **options).text == "A sign."
    return len(transport.requests)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# --- the same picture ---------------------------------------------------------------------------


def test_however_it_is_given(tmp_path: Path) -> None:
    """By path, URL, bytes, open file, PIL image or array, a picture is paid for once."""
    image = picture()
    data = encoded(image, "PNG")
    path = tmp_path / "sign.png"
    path.write_bytes(data)
    with served(tmp_path) as origin, path.open("rb") as file:
        given = [str(path), path, f"{origin}/sign.png", data, file, image, np.asarray(image)]
        assert asks(*given) == 1


LOSSLESS: dict[str, Callable[[Image.Image], bytes]] = {
    "PNG": lambda image: encoded(image, "PNG"),
    "PNG, packed otherwise": lambda image: encoded(image, "PNG", compress_level=1),
    "PNG with text": lambda image: encoded(image, "PNG", pnginfo=with_text()),
    "WebP": lambda image: encoded(image, "WEBP", lossless=True, exact=True),
    "BMP": lambda image: encoded(image.convert("RGB"), "BMP"),
    "TIFF": lambda image: encoded(image, "TIFF", compression="tiff_lzw"),
    "PNM": lambda image: encoded(image, "PPM"),
}


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(96, 64), (3000, 2000)], ids=["small", "shrunk"])
def test_however_it_is_written_without_loss(size: tuple[int, int], mode: str) -> None:
    """Every lossless encoding of one picture is one question, also in grey and shrunk."""
    image = picture(*size, mode)
    assert asks(*(make(image) for make in LOSSLESS.values())) == 1


def test_a_palette_means_its_colours() -> None:
    """A picture of few colours is the same with and without a palette, also as GIF."""
    few = picture().quantize(16)
    forms = [few, few.convert("RGB"), few.convert("RGBA")]
    files = [encoded(form, "PNG") for form in forms]
    assert asks(*files, encoded(few, "GIF"), encoded(few.convert("RGB"), "BMP")) == 1


def test_transparency_on_the_same_ground() -> None:
    """A transparent picture is, on white, the picture it shows; on another ground another one."""
    clear = picture(mode="RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    flat = Image.new("RGBA", clear.size, "white")
    flat.alpha_composite(clear)
    png, webp = encoded(clear, "PNG"), encoded(clear, "WEBP", lossless=True, exact=True)
    assert asks(png, webp, encoded(flat.convert("RGB"), "PNG")) == 1
    assert asks(png, background="black") == 1


def test_a_photo_without_its_metadata() -> None:
    """A JPEG is the same whatever its EXIF says beside the turn, and turned it is another."""
    exif = Image.Exif()
    plain = encoded(picture(), "JPEG")
    exif[0x010F] = "Camera"
    marked = encoded(picture(), "JPEG", exif=exif)
    exif[0x0112] = 6
    turned = encoded(picture(), "JPEG", exif=exif)
    assert asks(plain, marked, turned) == 2


def test_pixels_that_were_decoded_anyway() -> None:
    """A large JPEG packed otherwise, its pixels the same, is known by what is made of it."""
    image = picture(3000, 2000)
    assert asks(encoded(image, "JPEG"), encoded(image, "JPEG", progressive=True)) == 1


def test_a_file_that_is_only_sent_is_not_decoded(tmp_path: Path) -> None:
    """A JPEG that goes as it is loads no image library, asked about once and again."""
    (tmp_path / "sign.jpg").write_bytes(encoded(picture(), "JPEG"))
    script = (
        "import sys; from eyeline import Client; from eyeline.testing import FakeTransport\n"
        "client = Client(model='gpt-6-luna', transport=FakeTransport('A sign.'))\n"
        "[client.ask('What?', sys.argv[1]) for _ in range(2)]\n"
        "assert 'PIL' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "sign.jpg")], check=True)


# --- another question ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "BMP", "JPEG", "WEBP", "TIFF"])
def test_one_pixel(kind: str) -> None:
    """A picture that differs in one pixel is another picture, in whatever it is written."""
    one, other = picture(), picture()
    red, green, blue = other.getpixel((40, 30))  # type: ignore[misc]
    step = 60 if kind == "JPEG" else 1
    other.putpixel((40, 30), (red, green, (blue + step) % 256))
    lossless = {"lossless": True} if kind == "WEBP" else {}
    assert asks(encoded(one, kind, **lossless), encoded(other, kind, **lossless)) == 2


def test_the_order_of_bytes_is_not_the_picture() -> None:
    """The same bytes as pixels of another shape, or grey for colour, are other pictures."""
    pixels = np.arange(96 * 32 * 3, dtype=np.uint8)
    wide, tall = pixels.reshape(32, 96, 3), pixels.reshape(96, 32, 3)
    grey = pixels.reshape(32, 96 * 3)
    assert asks(wide, tall, grey) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "gpt-4o"},
        {"detail": "low"},
        {"system": "Be brief."},
        {"temperature": 0.5},
        {"max_output_tokens": 7},
        {"max_tokens_per_image": 4},
        {"extra": {"seed": 1}},
        {"schema": {"type": "object"}},
    ],
)
def test_whatever_could_change_the_answer(changes: Any) -> None:
    """A question put otherwise is another question."""
    transport = FakeTransport("{}", "{}")
    with Client(model="gpt-6-luna", transport=transport) as client:
        client.ask(PROMPT, picture(), sight_check=False)
        client.ask(PROMPT, picture(), sight_check=False, **changes)
        client.ask(PROMPT, picture(), sight_check=False, timeout_s=5)
    assert len(transport.requests) == 2


def test_another_prompt() -> None:
    """A prompt that differs in a letter is another question; each is paid once."""
    transport = FakeTransport("A sign.", "Two signs.")
    with Client(model="gpt-6-luna", transport=transport) as client:
        for prompt in ("What is it?", "What is It?", "What is it?"):
            client.ask(prompt, picture())
    assert len(transport.requests) == 2


# --- read, written, or neither ------------------------------------------------------------------


def test_refresh_writes_and_does_not_read() -> None:
    """A refreshed answer is asked for anew, and is what the cache then has."""
    transport = FakeTransport("old", "new")
    with Client(model="gpt-6-luna", transport=transport) as client:
        assert client.ask(PROMPT, picture()).text == "old"
        assert client.ask(PROMPT, picture(), refresh=True).text == "new"
        assert client.ask(PROMPT, picture()).text == "new"


def test_without_cache_each_is_sent() -> None:
    """With the cache off nothing is taken from it, and nothing put there."""
    transport = FakeTransport("one", "two", "three")
    with Client(model="gpt-6-luna", transport=transport) as client:
        assert client.ask(PROMPT, picture(), cache=False).text == "one"
        assert client.ask(PROMPT, picture()).text == "two"
        assert client.ask(PROMPT, picture(), cache=False).text == "three"


def test_refresh_without_cache_is_a_contradiction() -> None:
    """What nothing may be kept of cannot be refreshed, whoever switched the cache off."""
    with Client(transport=FakeTransport()) as client, pytest.raises(SettingsError):
        client.ask(PROMPT, picture(), cache=False, refresh=True)
    with Client(transport=FakeTransport(), cache=False) as client, pytest.raises(SettingsError):
        client.ask(PROMPT, picture(), refresh=True)


# --- notes of the picture that was given --------------------------------------------------------


def test_a_hit_tells_of_the_picture_that_was_given() -> None:
    """An answer that another file paid for says what was done to this one, now and later."""
    png, bmp = encoded(picture(), "PNG"), encoded(picture(), "BMP")
    with Client(model="gpt-6-luna", transport=FakeTransport("A sign.")) as client:
        client.ask(PROMPT, bmp)
        for _ in range(2):
            answer = client.ask(PROMPT, png)
            assert (answer.cached, answer.images[0].notes) == (True, ())
            assert answer.images[0].media_type == "image/png"
        assert client.ask(PROMPT, bmp).images[0].notes == ("BMP → PNG",)


# --- files, changed and unchanged ---------------------------------------------------------------


def later() -> int:
    """Give the time as it will be when a file written now can be told from one written again."""
    return time.time_ns() + 2 * GRAIN_NS


@contextmanager
def watched_loads(client: Client) -> Iterator[list[Any]]:
    """Note what a client loads, ten seconds from now."""
    outside = client.wiring.outside
    loads: list[Any] = []

    class Watched:
        def load(self, reference: Any, bytes_max: int | None, start: int = 0) -> Loaded:
            loads.append(reference)
            return outside.loader.load(reference, bytes_max)

    assert outside.cache is not None
    files = Sightings(outside.cache, later)
    client.driver.outside = replace(outside, loader=Watched(), files=files)
    yield loads


def test_a_file_written_again_is_another(tmp_path: Path) -> None:
    """A file that changes between two questions is asked about as it is, however quickly."""
    path = tmp_path / "sign.png"
    transport = FakeTransport(*map(str, range(6)))
    with Client(model="gpt-6-luna", transport=transport) as client:
        for number in range(6):
            path.write_bytes(encoded(picture().rotate(number), "BMP"))
            assert client.ask(PROMPT, path).text == str(number)
    assert len(transport.requests) == 6


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    """Asked again about a file that has lain there, the cache answers without opening it."""
    path = tmp_path / "sign.png"
    path.write_bytes(encoded(picture(), "PNG"))
    client = Client(model="gpt-6-luna", transport=FakeTransport("A sign."))
    with client, watched_loads(client) as loads:
        for _ in range(3):
            assert client.ask(PROMPT, path).text == "A sign."
    assert len(loads) == 1
    client = Client(model="gpt-6-luna", transport=FakeTransport())
    with client, watched_loads(client) as loads:
        answer = client.ask(PROMPT, path)
    assert (answer.cached, answer.images[0].width_px, loads) == (True, 96, [])


# --- several processes --------------------------------------------------------------------------


def test_two_processes_share_it(api: ApiServer, tmp_path: Path) -> None:
    """What one process paid for the next one gets from the cache."""
    path = tmp_path / "sign.png"
    path.write_bytes(encoded(picture(), "PNG"))
    command = [sys.executable, "-m", "eyeline", "ask", PROMPT, str(path), "--engine", api.url]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (0, "A sign.\n"), done.stderr
    assert len(api.requests) == 1


def test_an_awaiting_client_shares_it_too() -> None:
    """What was asked blocking is answered awaiting, and in pieces as one."""
    import asyncio

    assert asks(picture()) == 1

    async def again() -> tuple[str, list[str]]:
        async with AsyncClient(model="gpt-6-luna", transport=FakeTransport()) as client:
            answer = await client.ask(PROMPT, picture())
            return answer.text, [piece async for piece in client.stream(PROMPT, picture())]

    assert asyncio.run(again()) == ("A sign.", ["A sign."])
