"""
Tokens of images as calculators count them, against counts that OpenAI published or billed.

    python -m benchmarks.correctness.tokens

The counts are tests/samples/tokens/vectors.json, each with its source and tolerance; what the API
refuses is left out. Calculators take part where they are installed: litellm, langchain-openai,
openai-vision-cost, openai-image-token-counter. Each is called as its own documentation does; no
network is used.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

VECTORS = Path(__file__).parents[2] / "tests" / "samples" / "tokens" / "vectors.json"
Vector = Mapping[str, Any]
Count = Callable[[Vector], int]


def head(width: int, height: int) -> str:
    """Give a data URL of a PNG's header: all that a calculator reads."""
    fields = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + fields
    png += zlib.crc32(fields).to_bytes(4, "big")
    return "data:image/png;base64," + base64.b64encode(png).decode()


def eyeline(vector: Vector) -> int:
    from eyeline.core.catalogue import find
    from eyeline.core.size import Size

    rule = find(vector["model"]).rule
    assert rule is not None
    return rule.tokens(Size(vector["width_px"], vector["height_px"]), vector["detail"])


def litellm_limiter(vector: Vector) -> int:
    from litellm.litellm_core_utils.token_counter import estimate_image_tokens

    url = head(vector["width_px"], vector["height_px"])
    return int(estimate_image_tokens(vector["model"], url, vector["detail"]))


def litellm_counter(vector: Vector) -> int:
    from litellm import token_counter

    url = {"url": head(vector["width_px"], vector["height_px"]), "detail": vector["detail"]}
    text = [{"type": "text", "text": "?"}]
    with_image = [*text, {"type": "image_url", "image_url": url}]
    both, alone = (
        token_counter(model=vector["model"], messages=[{"role": "user", "content": content}])
        for content in (with_image, text)
    )
    return int(both - alone)


def langchain(vector: Vector) -> int:
    from langchain_openai.chat_models.base import _count_image_tokens

    # As get_num_tokens_from_messages does, whatever the model.
    return 85 if vector["detail"] == "low" else int(
        _count_image_tokens(vector["width_px"], vector["height_px"])
    )  # fmt: skip


def openai_vision_cost(vector: Vector) -> int:
    from openai_vision_cost import calculate_tokens_only

    size = (vector["width_px"], vector["height_px"])
    found = calculate_tokens_only(*size, vector["model"], vector["detail"])
    return int(found["text_tokens"])


def openai_image_token_counter(vector: Vector) -> int:
    from openai_image_token_counter import DetailLevel, OpenAIImageTokenCalculator

    counted = OpenAIImageTokenCalculator().calculate_tokens(
        vector["width_px"], vector["height_px"], vector["model"], DetailLevel(vector["detail"])
    )
    return int(counted)


class Calculator(NamedTuple):
    """A way of counting, and the package it comes from."""

    package: str
    module: str
    count: Count


CALCULATORS = {
    "eyeline": Calculator("eyeline", "eyeline", eyeline),
    "litellm `estimate_image_tokens` (its rate limiter)": Calculator(
        "litellm", "litellm", litellm_limiter
    ),
    "litellm `token_counter`": Calculator("litellm", "litellm", litellm_counter),
    "langchain-openai `get_num_tokens_from_messages`": Calculator(
        "langchain-openai", "langchain_openai", langchain
    ),
    "openai-vision-cost": Calculator(
        "openai-vision-cost", "openai_vision_cost", openai_vision_cost
    ),
    "openai-image-token-counter": Calculator(
        "openai-image-token-counter", "openai_image_token_counter", openai_image_token_counter
    ),
}


def judged(count: Count, vector: Vector) -> tuple[str, float]:
    """Say whether a count is right, wrong or refused; and how many times what is billed it is."""
    try:
        found = count(vector)
    except Exception:  # what a calculator raises for a model or a detail it does not know
        return "refused", 1.0
    is_right = abs(found - vector["tokens"]) <= vector["tolerance"]
    return "right" if is_right else "wrong", found / vector["tokens"]


def main() -> None:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else it asks the network
    vectors = [each for each in json.loads(VECTORS.read_text()) if each["tokens"]]
    print(f"{len(vectors)} counts\n")
    print("| | version | right | wrong | refused | counted / billed, where wrong |")
    print("|---|---|---|---|---|---|")
    for name, (package, module, count) in CALCULATORS.items():
        if importlib.util.find_spec(module) is None:
            continue
        found = [judged(count, each) for each in vectors]
        kinds = Counter(kind for kind, _ in found)
        off = sorted(ratio for kind, ratio in found if kind == "wrong")
        span = f"{off[0]:.2g} to {off[-1]:.3g}" if off else ""
        figures = " | ".join(f"{kinds[kind]}" for kind in ("right", "wrong", "refused"))
        print(f"| {name} | {version(package)} | {figures} | {span} |")


if __name__ == "__main__":
    main()
