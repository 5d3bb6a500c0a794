"""Request bodies made right: every image of them found, prepared and put where it is looked for."""

from __future__ import annotations

import base64
import copy
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import eyeline
from eyeline.core.catalogue import find
from eyeline.core.dialect import Dialect
from eyeline.core.engine import compatible, openai
from eyeline.core.media import sniff
from eyeline.core.parts import Api, PreparedImage
from eyeline.core.reference import FileId, FileRef, Loaded, UrlRef
from eyeline.core.size import Size
from eyeline.drivers import Driver
from eyeline.effects import Load, Prepare
from eyeline.errors import (
    BadReference,
    FetchRefused,
    ImageNotFound,
    ImageTruncated,
    NotAnImage,
    SettingsError,
)
from eyeline.mend import Mended, mend
from eyeline.mend_image import Mending
from eyeline.testing import tiny_png
from eyeline.wiring import wire

PNG = tiny_png(40, 30)
B64 = base64.b64encode(PNG).decode()
DATA_URL = f"data:image/png;base64,{B64}"
WEB = "https://example.org/a.jpg"
MODEL = "gpt-6-luna"


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(buffer, kind, **options)
    return buffer.getvalue()


def url_of(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def sideways() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture("JPEG", exif=exif)


class Host:
    """A loader that serves one picture for every URL, but refuses private ones."""

    def load(self, reference: Any, bytes_max: int | None, start: int = 0) -> Loaded:
        assert isinstance(reference, UrlRef)
        if "private" in reference.url:
            raise FetchRefused(str(reference), "private")
        return Loaded(PNG, "image/png")


def run(body: Any, api: Api = "chat", model: str = MODEL, **options: Any) -> Mended:
    engine = options.pop("engine", openai())
    outside = wire({"engine": "openai", "cache": False}).outside
    flow = mend(body, Mending(find(model), api, engine, **options))
    return Driver(outside, None).run(flow)


def user(content: Any) -> list[Any]:
    return [{"role": "user", "content": content}]


def chat(value: Any, **more: Any) -> list[Any]:
    return user([{"type": "image_url", "image_url": {"url": value, **more}}])


def responses(value: Any, **more: Any) -> list[Any]:
    return user([{"type": "input_image", "image_url": value, **more}])


def part(mended: Mended, at: int = 0) -> Any:
    return mended.body[0]["content"][at]


def kinds(mended: Mended) -> list[str]:
    return [each.what for each in mended.findings]


def sent(url: str) -> tuple[str, bytes]:
    head, _, payload = url.partition(",")
    return head, base64.b64decode(payload, validate=True)


# --- image parts --------------------------------------------------------------------------------

VALUES: list[tuple[Any, list[str]]] = [
    (DATA_URL, []),
    (B64, ["missing_prefix"]),
    (f"data:image/jpeg;base64,{B64}", ["wrong_type"]),
    (f"data:image/png;base64,{DATA_URL}", ["double_prefix"]),
    (f"data:image/png;base64,{base64.b64encode(PNG)!r}", ["bytes_repr"]),
    (DATA_URL.replace("+", "-").replace("/", "_").replace("_", "/", 1), ["urlsafe_base64"]),
    (PNG, ["object_in_part"]),
    (bytearray(PNG), ["object_in_part"]),
    (Image.new("RGB", (40, 30)), ["object_in_part"]),
    (np.zeros((30, 40, 3), np.uint8), ["object_in_part"]),
    (io.BytesIO(PNG), ["object_in_part"]),
    (url_of(picture("BMP"), "bmp"), ["unsupported_format"]),
    (url_of(picture("BMP")), ["wrong_type", "unsupported_format"]),
    (url_of(picture("TIFF"), "tiff"), ["unsupported_format"]),
    (url_of(sideways(), "jpeg"), ["sideways"]),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), VALUES)
def test_an_image_part_becomes_a_right_data_url(value: Any, expected: list[str]) -> None:
    """Whatever names the image, both APIs get a data URL whose label is true, and its detail."""
    for api, made in (("chat", chat(value)), ("responses", responses(value))):
        if hasattr(value, "seek"):
            value.seek(0)
        mended = run(made, api)  # type: ignore[arg-type]
        assert kinds(mended) == expected
        assert all(each.mend for each in mended.findings)
        inner = part(mended)["image_url"] if api == "chat" else part(mended)
        head, data = sent(inner["url"] if api == "chat" else inner["image_url"])
        assert head == f"data:{sniff(data)};base64"
        assert sniff(data) in ("image/png", "image/jpeg")
        assert inner["detail"] == "high"


def test_a_file_is_read_by_path_and_url(tmp_path: Path) -> None:
    """Paths and `file:` URLs in image parts are read, HEIC among them."""
    import pillow_heif

    path = tmp_path / "my photo.heic"
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), "red")).save(path)
    for value in (str(path), path, path.as_uri()):
        mended = run(chat(value))
        assert kinds(mended) == ["local_path" if isinstance(value, str) else "object_in_part"]
        head, data = sent(part(mended)["image_url"]["url"])
        assert (head, sniff(data)) == (f"data:{sniff(data)};base64", sniff(data))
        assert Image.open(io.BytesIO(data)).size == (64, 48)


def test_a_large_picture_is_made_smaller_and_upright() -> None:
    """What the model would shrink is shrunk here, and turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    value = url_of(picture("JPEG", (4000, 3000), exif=exif), "jpeg")
    mended = run(chat(value, detail="high"))
    assert kinds(mended) == ["sideways"]
    _, data = sent(part(mended)["image_url"]["url"])
    width, height = Image.open(io.BytesIO(data)).size
    assert width < height < 2049


def test_each_page_of_a_document_becomes_a_part(tmp_path: Path) -> None:
    """A TIFF of two pages stands for both."""
    path = tmp_path / "scan.tiff"
    pages = [Image.new("RGB", (30, 40), colour) for colour in ("white", "black")]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    mended = run(chat(str(path)))
    assert len(mended.body[0]["content"]) == 2


@pytest.mark.parametrize(
    ("api", "given", "made", "found"),
    [
        ("chat", {"type": "image_url", "image_url": DATA_URL},
         {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "high"}},
         ["image_url_string"]),
        ("chat", {"type": "input_image", "image_url": DATA_URL, "detail": "low", "x": 1},
         {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "low"}, "x": 1},
         ["part_type"]),
        ("chat", {"type": "image_url", "image_url": {"url": DATA_URL}, "detail": "low"},
         {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "low"}},
         ["detail_place"]),
        ("responses", {"type": "input_image", "image_url": {"url": DATA_URL, "detail": "low"}},
         {"type": "input_image", "image_url": DATA_URL, "detail": "low"},
         ["image_url_object"]),
        ("responses", {"type": "image_url", "image_url": {"url": WEB, "y": 2}},
         {"type": "input_image", "image_url": WEB, "detail": "high", "y": 2}, ["part_type"]),
        ("responses", {"type": "input_image", "file_id": "file-1"},
         {"type": "input_image", "file_id": "file-1", "detail": "high"}, []),
    ],
)  # fmt: skip
def test_the_shape_is_put_right(api: Api, given: Any, made: Any, found: list[str]) -> None:
    """Strings and objects, types and details come out as this API has them; the rest stays."""
    mended = run(user([given]), api)
    assert part(mended) == made
    assert kinds(mended) == found
    assert run(mended.body, api).body is mended.body


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_what_is_right_comes_back_itself(api: Api) -> None:
    """A body that needs nothing is the same object, with all that eyeline does not know."""
    items = chat(DATA_URL, detail="low") if api == "chat" else responses(DATA_URL, detail="low")
    body = {
        "model": MODEL,
        "messages" if api == "chat" else "input": [
            {"role": "system", "content": "Be short."},
            *items,
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
            {"type": "reasoning", "summary": []},
            "strange",
        ],
        "new_field": {"a": [1]},
    }
    mended = run(body, api)
    assert mended.body is body
    assert mended.findings == ()


def test_urls_are_passed_or_fetched() -> None:
    """An http(s) URL in an image part stays, or is fetched where that is asked for."""
    passed = run(chat(WEB, detail="high"))
    assert part(passed)["image_url"]["url"] == WEB
    flow = mend(chat(WEB, detail="low"), Mending(find(MODEL), "chat", openai(), urls="fetch"))
    assert next(flow) == Load(UrlRef(WEB))
    with pytest.raises(StopIteration) as stop:
        flow.send(Loaded(PNG))
    assert stop.value.value.body == chat(DATA_URL, detail="low")


def fetching(body: Any) -> Mended:
    outside = wire({"engine": "openai", "cache": False}).outside
    object.__setattr__(outside, "loader", Host())
    flow = mend(body, Mending(find(MODEL), "chat", openai(), urls="fetch"))
    return Driver(outside, None).run(flow)


def test_fetched_urls() -> None:
    """With fetching, URLs in parts and text come inline; those that cannot be fetched stay."""
    assert part(fetching(chat(WEB)))["image_url"]["url"] == DATA_URL
    refused = fetching(chat("https://private.example/a.jpg"))
    assert part(refused)["image_url"]["url"] == "https://private.example/a.jpg"
    assert kinds(refused) == ["unreadable"]
    assert refused.errors == ()
    moved = fetching(user("See https://example.org/a.heic and https://private.example/b.png"))
    assert [each["type"] for each in moved.body[0]["content"]] == ["text", "image_url"]
    assert [bool(each.mend) for each in moved.findings] == [True, False]


def test_what_is_refused_by_its_name() -> None:
    """A passed URL that is named as a format the API refuses is found, and so is no URL at all."""
    named = run(chat("https://example.org/a.heic", detail="high"))
    assert kinds(named) == ["unsupported_format"]
    assert (named.findings[0].mend, named.passed) == ("", ("https://example.org/a.heic",))
    assert "image/heic by its name" in named.findings[0].found
    assert kinds(run(chat("", detail="high"))) == ["unreadable"]


def test_urls_that_the_engine_would_not_get() -> None:
    """Under `auto` they are fetched; where that fails they stay, and in a text the words alone."""
    outside = wire({"engine": "openai", "cache": False}).outside
    object.__setattr__(outside, "loader", Host())

    def mended(body: Any, engine: Any, **options: Any) -> Mended:
        return Driver(outside, None).run(
            mend(body, Mending(find(MODEL), "chat", engine, **options))
        )

    near = compatible("mine", "http://127.0.0.1:8000/v1")
    assert mended(chat(WEB, detail="high"), openai(), urls="auto").passed == (WEB,)
    assert mended(chat(WEB), near, urls="auto").passed == ()
    assert part(mended(chat("https://a.example/a.heic"), openai(), urls="auto"))["image_url"][
        "url"
    ].startswith("data:")
    hosts = Dialect(fetch_hosts=("example.org",))
    assert mended(chat(WEB), openai(), urls="pass", dialect=hosts).passed == ()
    private = "https://private.example/b.png"
    assert mended(chat(private), near, urls="auto").passed == (private,)
    moved = mended(user(f"See {private}"), near, urls="auto")
    assert part(moved, 1)["image_url"]["url"] == private
    heic = "https://private.example/b.heic"
    left = mended(user(f"See {heic}"), near, urls="auto")
    assert (left.body, kinds(left)) == (user(f"See {heic}"), ["url_in_text"])
    assert kinds(mended(chat("http://10.0.0.1/private.png"), openai(), urls="auto")) == [
        "private_url"
    ]


def test_private_addresses_are_named() -> None:
    """What the provider cannot reach is named, unless the engine is as private itself."""
    mended = run(chat("http://192.168.1.4/a.png", detail="high"))
    assert kinds(mended) == ["private_url"]
    near = compatible("mine", "http://127.0.0.1:8000/v1")
    assert kinds(run(chat("http://192.168.1.4/a.png", detail="high"), engine=near)) == []
    in_text = run(user("Why does http://localhost/a.png not load?"))
    assert in_text.body == user("Why does http://localhost/a.png not load?")
    assert [each.mend for each in in_text.findings] == [""]


def test_an_effect_at_a_time(tmp_path: Path) -> None:
    """Mending yields Load and Prepare, and takes what comes back."""
    body = chat("a.bmp")
    flow = mend(body, Mending(find(MODEL), "chat", openai()))
    assert next(flow) == Load(FileRef(Path("a.bmp")))
    effect = flow.send(Loaded(picture("BMP")))
    assert isinstance(effect, Prepare)
    assert effect.source == "a.bmp"
    with pytest.raises(StopIteration) as stop:
        flow.send(PreparedImage(PNG, "image/png", Size(40, 30)))
    assert stop.value.value.body == chat(DATA_URL, detail="high")


def test_finding_only_prepares_nothing() -> None:
    """To find takes headers alone: no Prepare is yielded."""
    flow = mend(chat("a.bmp"), Mending(find(MODEL), "chat", openai(), finds_only=True))
    next(flow)
    with pytest.raises(StopIteration) as stop:
        flow.send(Loaded(picture("BMP")))
    assert kinds(stop.value.value) == ["local_path"]


# --- what cannot be read ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "what", "error"),
    [
        ("nowhere.jpg", "local_path", ImageNotFound),
        ("s3://bucket/a.jpg", "local_path", BadReference),
        (b"no image at all", "object_in_part", NotAnImage),
        (PNG[:-20], "object_in_part", ImageTruncated),
        ({"a": 1}, "object_in_part", BadReference),
        (7, "object_in_part", BadReference),
        (FileId("file-1"), "object_in_part", BadReference),
    ],
)
def test_what_only_we_could_send_is_an_error(value: Any, what: str, error: type[Exception]) -> None:
    """A path or object that cannot be read stays where it is, and gives its error."""
    mended = run(chat(value))
    assert kinds(mended) == [what]
    assert mended.findings[0].mend == ""
    assert [type(each) for each in mended.errors] == [error]
    assert part(mended)["image_url"]["url"] is value


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("data:image/png;base64,", ["empty_base64"]),
        ("data:image/png;base64,A", ["bad_base64"]),
        (url_of(b"no image at all"), ["unreadable"]),
        (url_of(PNG[:-20]), ["unreadable"]),
        (url_of(b"8BPS" + bytes(60)), ["unsupported_format"]),
        (url_of(PNG[:-20]).replace("data:image/png;base64,", ""), ["missing_prefix", "unreadable"]),
    ],
)
def test_a_data_url_that_cannot_be_read_is_left_to_the_api(value: str, found: list[str]) -> None:
    """It stays, named, with no mend promised."""
    mended = run(chat(value))
    assert part(mended)["image_url"]["url"] is value
    assert kinds(mended) == found
    assert {each.mend for each in mended.findings} == {""}
    assert mended.errors == ()


def test_files_can_be_left_unread(tmp_path: Path) -> None:
    """For bodies of strangers no path is read."""
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    for value in (str(path), path.as_uri(), f"{path}#1"):
        assert [type(each) for each in run(chat(value), reads_files=False).errors] == [BadReference]


def test_parts_without_an_image() -> None:
    """Chat takes no file id; a part that names nothing is said to."""
    assert kinds(run(user([{"type": "image_url", "file_id": "file-1"}]))) == ["file_id"]
    empty = user([{"type": "image_url"}])
    mended = run(empty)
    assert (kinds(mended), mended.body) == (["unreadable"], empty)
    right = user([{"type": "input_image", "file_id": "file-1", "detail": "low"}])
    assert run(right, "responses").body is right


# --- detail and limits --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "given", "made", "found"),
    [
        (MODEL, "auto", "high", []),
        (MODEL, "original", "original", []),
        ("gpt-4o", "original", "high", ["detail"]),
        ("gpt-4o", "hihg", "high", ["detail"]),
        ("gpt-4o", "low", "low", []),
        ("somebody-elses", "original", "original", []),
    ],
)
def test_details(model: str, given: str, made: str, found: list[str]) -> None:
    """The user's own detail is sent where the model has it, else high; `auto` is high."""
    mended = run(chat(DATA_URL, detail=given), model=model)
    assert part(mended)["image_url"]["detail"] == made
    assert kinds(mended) == found
    assert kinds(run(responses(DATA_URL, detail=given), "responses", model)) == found


def test_the_cost_of_leaving_the_detail_out() -> None:
    """Where the provider's own detail bills more than high, the difference is named."""
    mended = run(chat(url_of(picture("JPEG", (4032, 3024)), "jpeg")))
    assert kinds(mended) == ["costly_detail"]
    assert mended.findings[0].tokens_wasted == 14_364 - 2_942
    assert kinds(run(chat(url_of(picture("JPEG", (4032, 3024)), "jpeg")), model="gpt-4o")) == []
    assert kinds(run(chat(url_of(picture("JPEG", (4032, 3024)), "jpeg")), model="other")) == []


def test_more_patches_than_the_model_takes() -> None:
    """What would be refused at `original`, asked for or the provider's own, goes at high."""
    huge = url_of(picture("JPEG", (7000, 6000)), "jpeg")
    for more in ({"detail": "original"}, {}):
        mended = run(chat(huge, **more))
        assert kinds(mended) == ["too_many_patches"]
        assert part(mended)["image_url"]["detail"] == "high"


def test_too_large_at_any_detail() -> None:
    """An image past all limits stays, as one that cannot be read."""
    header = PNG[:16] + (60_000).to_bytes(4, "big") * 2 + PNG[24:]
    assert kinds(run(chat(url_of(header), detail="high"))) == ["unreadable"]


def test_more_images_than_allowed() -> None:
    """More than 1,500 images are named once."""
    many = user([{"type": "input_image", "file_id": "f", "detail": "low"}] * 1501)
    assert kinds(run(many, "responses")) == ["too_many_images"]
    webs = user([{"type": "image_url", "image_url": {"url": WEB, "detail": "low"}}] * 1501)
    assert [each.where for each in run(webs).findings] == ["messages"]


def test_a_model_without_vision() -> None:
    """It is named where there is an image, and else is nobody's business."""
    assert kinds(run(chat(DATA_URL), model="gpt-3.5-turbo")) == ["no_vision"]
    assert kinds(run(user("Hello."), model="gpt-3.5-turbo")) == []


# --- text ---------------------------------------------------------------------------------------


def test_an_image_url_in_a_string() -> None:
    """The recipe everybody copies gets a real image part; the text keeps its words."""
    text = f"Here is an image for analysis: {WEB}"
    mended = run(user(text))
    assert mended.body[0]["content"] == [
        {"type": "text", "text": text},
        {"type": "image_url", "image_url": {"url": WEB, "detail": "high"}},
    ]
    assert [each.level for each in mended.findings] == ["warning"]
    assert run(mended.body).body is mended.body


def test_a_data_url_as_text() -> None:
    """A blob leaves the text, which goes too where nothing is left of it."""
    mended = run(user(f"What is this? {DATA_URL}"))
    assert mended.body[0]["content"] == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "high"}},
    ]
    only = run(
        user([{"type": "text", "text": "What is this?"}, {"type": "text", "text": DATA_URL}])
    )
    assert [each["type"] for each in only.body[0]["content"]] == ["text", "image_url"]
    large = run(user(url_of(picture("BMP", (300, 300)), "bmp")))
    found = large.findings[0]
    assert (found.what, found.level) == ("data_url_in_text", "error")
    assert found.tokens_wasted > 10_000


def test_responses_input() -> None:
    """A string input becomes a message; instructions are only looked at."""
    mended = run({"input": f"Look: {B64}", "instructions": f"Mind {DATA_URL}"}, "responses")
    assert mended.body["input"] == [
        {"role": "user", "content": [
            {"type": "input_text", "text": "Look:"},
            {"type": "input_image", "image_url": DATA_URL, "detail": "high"},
        ]}
    ]  # fmt: skip
    assert mended.body["instructions"] == f"Mind {DATA_URL}"
    assert [(each.where, bool(each.mend)) for each in mended.findings] == [
        ("instructions", False), ("input", True),
    ]  # fmt: skip
    plain = {"input": "Hello."}
    assert run(plain, "responses").body is plain


def test_outputs_of_tools() -> None:
    """In Responses tools show images too; the addresses they list stay text."""
    items = [
        {"type": "function_call_output", "call_id": "1",
         "output": f'{{"shot": "{DATA_URL}"}} {WEB}'},
        {"type": "function_call_output", "call_id": "2",
         "output": [{"type": "input_image", "image_url": PNG}]},
        {"type": "function_call_output", "call_id": "3", "output": f"see {WEB}"},
    ]  # fmt: skip
    mended = run(items, "responses")
    assert mended.body[0]["output"] == [
        {"type": "input_text", "text": f'{{"shot": ""}} {WEB}'},
        {"type": "input_image", "image_url": DATA_URL, "detail": "high"},
    ]
    assert mended.body[1]["output"][0]["image_url"] == DATA_URL
    assert mended.body[2] is items[2]


def test_a_screenshot_keeps_its_size() -> None:
    """Clicks are measured in the screenshot as it was: nothing of it is resized."""
    shot = picture("PNG", (3000, 2400))

    def output(value: Any) -> list[Any]:
        screen = {"type": "computer_screenshot", "image_url": value}
        return [{"type": "computer_call_output", "call_id": "1", "output": screen}]

    right = output(url_of(shot))
    assert run(right, "responses").body is right
    mended = run(output(base64.b64encode(shot).decode()), "responses")
    assert mended.body == right
    assert kinds(mended) == ["missing_prefix"]
    named = [{"type": "computer_call_output",
              "output": {"type": "computer_screenshot", "file_id": "file-1"}}]  # fmt: skip
    assert run(named, "responses").body is named


@pytest.mark.parametrize("role", ["system", "developer", "assistant", "tool"])
def test_roles_that_take_no_images(role: str) -> None:
    """In Chat only users show images: elsewhere they are named, and stay."""
    in_text = [{"role": role, "content": f"As in {DATA_URL} and {WEB}"}]
    mended = run(in_text)
    assert mended.body is in_text
    assert [(each.what, each.mend) for each in mended.findings] == [("data_url_in_text", "")]
    as_part = [{"role": role, "content": chat(DATA_URL, detail="high")[0]["content"]}]
    assert kinds(run(as_part)) == ["wrong_role"]


def test_text_parts_of_the_other_api() -> None:
    """Text gets this API's type; in Responses the model's own text has another."""
    text = [{"type": "text", "text": "Hello."}]
    items = [{"role": "user", "content": text}, {"role": "assistant", "content": text}]
    mended = run(items, "responses")
    assert [item["content"][0]["type"] for item in mended.body] == ["input_text", "output_text"]
    theirs = run(user([{"type": "input_text", "text": "Hello."}]))
    assert part(theirs) == {"type": "text", "text": "Hello."}
    assert kinds(theirs) == ["part_type"]


def test_a_url_is_shown_once() -> None:
    """A URL that some image part shows is not shown again, however often it is named."""
    body = [*chat(WEB, detail="high"), *user(f"Again {WEB}"), *user(f"{WEB} {WEB}")]
    assert run(body).body is body


def test_blobs_that_cannot_be_read_stay() -> None:
    """A broken image in a text is named, and its text is not touched."""
    body = user(f"Look: {url_of(PNG[:-20])}")
    mended = run(body)
    assert mended.body is body
    assert [each.mend for each in mended.findings] == [""]
    assert mended.findings[0].tokens_wasted > 0
    cut = user(f"Look: data:image/png;base64,{B64[:-7]}")
    assert run(cut).body is cut


def test_an_animation_is_its_first_frame() -> None:
    """The API takes no animation, so one frame goes."""
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    assert kinds(run(chat(url_of(buffer.getvalue(), "gif")))) == ["unsupported_format"]


# --- check and repair ---------------------------------------------------------------------------


def test_check_and_repair(tmp_path: Path) -> None:
    """The two calls take a body or a list, and find the model and the API by themselves."""
    body = {"model": "gpt-3.5-turbo", "messages": chat(B64)}
    assert [each.what for each in eyeline.check(body)] == ["missing_prefix", "no_vision"]
    assert [each.what for each in eyeline.check(body, model="gpt-4o")] == ["missing_prefix"]
    assert eyeline.check(responses(DATA_URL), api="responses") == []
    fixed = eyeline.repair(body)
    assert fixed["messages"] == chat(DATA_URL, detail="high")
    assert eyeline.repair(chat(B64)) == chat(DATA_URL, detail="high")
    assert eyeline.repair(fixed) is fixed


def test_repair_raises_what_it_cannot_read() -> None:
    """A path that is not there is its error, and what is no body a SettingsError."""
    with pytest.raises(ImageNotFound, match=r"nowhere\.jpg"):
        eyeline.repair(chat("nowhere.jpg"))
    for value in ({"prompt": "x"}, 7, "text"):
        with pytest.raises(SettingsError, match="expected a list of messages"):
            eyeline.check(value)  # type: ignore[arg-type]


WORDS = st.sampled_from([
    "What is this?", "See", "![a](", ")", "b'", "'", '"', "\n", "data:", ";base64,", "http://x/a",
])  # fmt: skip
IMAGES = st.sampled_from([
    DATA_URL, B64, WEB, f"{WEB}?a=1.", f"data:image/jpeg;base64,{B64}", url_of(PNG[:-9]),
    "data:image/png;base64,", url_of(picture("BMP"), "bmp"), url_of(sideways(), "jpeg"),
    "http://10.0.0.1/a.png", DATA_URL * 2, f"{B64}{B64}",
    url_of(picture("JPEG", comment=b"x"), "x"),
])  # fmt: skip
TEXTS = st.lists(WORDS | IMAGES, max_size=5).map("".join) | st.lists(IMAGES | WORDS).map(" ".join)
DETAILS = st.sampled_from([{}, {"detail": "low"}, {"detail": "auto"}, {"detail": "x"}])


@st.composite
def parts(draw: st.DrawFn) -> Any:
    kind = draw(st.sampled_from(["text", "input_text", "image_url", "input_image", "other"]))
    if kind.endswith("text"):
        return {"type": kind, "text": draw(TEXTS)}
    value, detail = draw(IMAGES), draw(DETAILS)
    if draw(st.booleans()):
        return {"type": kind, "image_url": value, **detail}
    return {"type": kind, "image_url": {"url": value, **detail}, **draw(DETAILS)}


ITEMS = st.fixed_dictionaries({
    "role": st.sampled_from(["user", "user", "user", "system", "assistant", "tool"]),
    "content": TEXTS | st.lists(parts(), max_size=4) | st.none(),
}) | st.fixed_dictionaries({
    "type": st.just("function_call_output"),
    "output": TEXTS | st.lists(parts(), max_size=2),
})  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(ITEMS, max_size=3), st.sampled_from(["chat", "responses"]))
def test_what_is_mended_is_right(items: list[Any], api: Api) -> None:
    """
    Mending changes nothing of what it was given; done again it does nothing; and then all that is
    found is what could not be mended the first time.
    """
    before = copy.deepcopy(items)
    mended = run(items, api)
    assert items == before
    again = run(mended.body, api)
    assert again.body is mended.body
    assert json.dumps(again.body)
    assert [each for each in again.findings if each.mend] == []
    found = run(mended.body, api, finds_only=True).findings
    assert found == again.findings
