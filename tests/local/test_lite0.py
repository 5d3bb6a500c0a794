from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from local_samples import EXAMPLES
from PIL import Image

from eyeline.local.labels import load_names
from eyeline.local.lite0 import prepare, read_weights, same_windows
from eyeline.local.look import NETWORK


@pytest.mark.parametrize(
    ("name", "label", "least"),
    [
        ("coffee.jpg", "espresso", 0.9),
        ("cat.jpg", "Egyptian Mau", 0.3),
        ("street-sign.jpg", "traffic or street sign", 0.5),
    ],
)
def test_known_photos_have_their_known_labels(name: str, label: str, least: float) -> None:
    """The forward pass gives what the same weights give elsewhere (espresso 0.95)."""
    with Image.open(EXAMPLES / name) as image:
        chances = NETWORK()(prepare(image.convert("RGB")))
    assert chances.shape == (1000,)
    assert chances.sum() == pytest.approx(1, abs=1e-4)
    assert load_names()[int(chances.argmax())] == label
    assert chances.max() > least


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (224, 224), (801, 600)])
def test_any_shape_is_prepared(size: tuple[int, int]) -> None:
    """The middle square is cut and scaled to what the network takes."""
    cut = prepare(Image.new("RGB", size, "white"))
    assert (cut.shape, cut.dtype) == ((224, 224, 3), np.float32)
    assert cut.max() == 1


@pytest.mark.parametrize(
    ("side", "size", "stride", "out"), [(7, 3, 1, 7), (7, 3, 2, 4), (8, 5, 2, 4)]
)
def test_windows_cover_as_tensorflow_pads(side: int, size: int, stride: int, out: int) -> None:
    """There are size² windows of ⌈side / stride⌉ positions; the padding is the smaller before."""
    x = np.arange(side * side, dtype=np.float32).reshape(side, side, 1) + 1
    windows = same_windows(x, size, stride)
    assert len(windows) == size * size
    assert all(view.shape == (out, out, 1) for _, _, view in windows)
    pad = max((out - 1) * stride + size - side, 0) // 2
    corner = next(view for row, column, view in windows if (row, column) == (pad, pad))
    assert corner[0, 0, 0] == x[0, 0, 0]


def test_a_weight_file_cannot_run_code(tmp_path: Path) -> None:
    """A pickle that calls anything but what tensors need is refused before it runs."""

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "made"),)

    path = tmp_path / "bomb.pth"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(pickle.UnpicklingError, match="mkdir has no place"):
        read_weights(path)
    assert not (tmp_path / "made").exists()


def test_another_file_is_no_weight_file(tmp_path: Path) -> None:
    """A harmless pickle that is something else is named as such."""
    path = tmp_path / "other.pth"
    path.write_bytes(pickle.dumps(7))
    with pytest.raises(pickle.UnpicklingError, match=r"other\.pth: not a PyTorch weight file"):
        read_weights(path)
