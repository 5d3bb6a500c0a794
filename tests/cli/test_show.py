"""`eyeline show`, as a user runs it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import eyeline
from cli.conftest import Cli


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "street.jpg"
    Image.new("RGB", (3000, 2000), (20, 60, 160)).save(path)
    return path


def test_draws_each_model(cli: Cli, photo: Path, tmp_path: Path) -> None:
    """The PNG holds what each model would get, side by side, and stderr says where it is."""
    out = tmp_path / "seen.png"
    result = cli("show", photo, "-o", out, "-m", "gpt-6-luna", "-m", "gpt-5.4")
    assert (result.status, result.out) == (0, "")
    assert str(out) in result.err
    with Image.open(out) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 2 * 1800
        assert sheet.height > 1200


def test_options_of_looking_apply(cli: Cli, photo: Path, tmp_path: Path) -> None:
    """Detail and a limit on tokens change what is drawn."""
    sizes = []
    for options in ([], ["--detail", "low"], ["--max-tokens-per-image", "100"]):
        cli("show", photo, "-o", tmp_path / "seen.png", "-m", "gpt-6-luna", *options)
        with Image.open(tmp_path / "seen.png") as sheet:
            sizes.append(sheet.width)
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["absent.jpg", "-o", "x.png"], "absent.jpg: no such file"),
        (["{photo}", "-o", "absent/x.png"], "--output"),
        (["{photo}"], "--output"),
        (["{photo}", "-o", "x.png", "--background", "whit"], "did you mean white"),
    ],
)
def test_what_cannot_be_drawn(
    cli: Cli, photo: Path, arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing picture, a place that cannot be written, or no place at all: exit 2, and why."""
    monkeypatch.chdir(photo.parent)
    result = cli("show", *(each.format(photo=photo) for each in arguments))
    assert result.status == 2
    assert said in result.err


def test_from_python(photo: Path) -> None:
    """`eyeline.show` gives the same sheet; a file id has nothing to show."""
    one, two = eyeline.show(photo), eyeline.show(photo, model=["gpt-6-luna", "gpt-4o"])
    assert Image.open(BytesIO(one.png)).width < Image.open(BytesIO(two.png)).width
    with pytest.raises(eyeline.EyelineError, match="file-1"):
        eyeline.show(eyeline.FileId("file-1"))
