"""
A tiny vision-language model with random weights, and llama.cpp's own server running it.

The server is real: it decodes images, applies a chat template, fills the OpenAI API's shapes and
reports its errors, all of it written by others. What the model says is gibberish, NUL characters
and U+FFFD among it. `python tests/tiny_vlm.py MODEL MMPROJ` serves it until stdin closes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

import gguf
import numpy as np
import pytest

START_TIMEOUT_S = 30.0

SPECIAL = (
    "<|im_start|>",
    "<end_of_utterance>",
    "<pad>",
    "<unk>",
    "<image>",
    "<fake_token_around_image>",
    "<global-img>",
)

TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message.role | capitalize }}: "
    "{% if message.content is string %}{{ message.content }}{% else %}"
    "{% for part in message.content %}{% if part.type == 'text' %}{{ part.text }}"
    "{% elif part.type == 'image' %}<image>{% endif %}{% endfor %}{% endif %}"
    "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)

WIDTH, INNER, HEADS, LAYERS, CONTEXT_TOKENS = 32, 64, 2, 2, 2048
IMAGE_PX, PATCH_PX, SHUFFLE = 56, 14, 2  # 4 × 4 patches, of which 2 × 2 make one token


@dataclass(frozen=True, slots=True)
class TinyVlm:
    """The two files of a model that sees."""

    model: Path
    mmproj: Path


@dataclass(frozen=True, slots=True)
class Weights:
    """Adds tensors to a GGUF file; always the same ones."""

    writer: gguf.GGUFWriter
    random: np.random.Generator

    def noise(self, name: str, *shape: int) -> None:
        values = self.random.standard_normal(shape, dtype=np.float32) * np.float32(0.2)
        self.writer.add_tensor(name, values)

    def constant(self, name: str, value: float, length: int = WIDTH) -> None:
        self.writer.add_tensor(name, np.full(length, value, dtype=np.float32))

    def layer_norm(self, name: str) -> None:
        self.constant(f"{name}.weight", 1)
        self.constant(f"{name}.bias", 0)

    def linear(self, name: str, outputs: int, inputs: int) -> None:
        self.noise(f"{name}.weight", outputs, inputs)
        self.noise(f"{name}.bias", outputs)


def write_tiny_vlm(folder: Path) -> TinyVlm:
    """Make `tiny.gguf` (Llama) and `mmproj-tiny.gguf` (Idefics3) in `folder`, 0.3 MB in all."""
    files = TinyVlm(folder / "tiny.gguf", folder / "mmproj-tiny.gguf")
    with gguf_file(files.model, "llama") as writer:
        describe_model(writer)
        add_vocabulary(writer)
        add_model_weights(Weights(writer, np.random.default_rng(0)))
    with gguf_file(files.mmproj, "clip") as writer:
        describe_mmproj(writer)
        add_mmproj_weights(Weights(writer, np.random.default_rng(1)))
    return files


@contextmanager
def gguf_file(path: Path, architecture: str) -> Iterator[gguf.GGUFWriter]:
    writer = gguf.GGUFWriter(path, architecture)
    yield writer
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def describe_model(writer: gguf.GGUFWriter) -> None:
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_dimension_count(WIDTH // HEADS)


def add_vocabulary(writer: gguf.GGUFWriter) -> None:
    """Give one token to each byte, and one to a blank line: llama.cpp puts those around images."""
    newline = byte_letters()[ord("\n")]
    tokens = [*SPECIAL, *byte_letters(), newline + newline]
    normal = len(tokens) - len(SPECIAL)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(
        [gguf.TokenType.CONTROL] * len(SPECIAL) + [gguf.TokenType.NORMAL] * normal
    )
    writer.add_token_merges([f"{newline} {newline}"])
    writer.add_bos_token_id(SPECIAL.index("<|im_start|>"))
    writer.add_eos_token_id(SPECIAL.index("<end_of_utterance>"))
    writer.add_pad_token_id(SPECIAL.index("<pad>"))
    writer.add_unk_token_id(SPECIAL.index("<unk>"))
    writer.add_chat_template(TEMPLATE)


def byte_letters() -> list[str]:
    """
    Spell the 256 bytes as GPT-2 does: printable ones as themselves, the rest from U+0100 up.

    Source: https://github.com/openai/gpt-2/blob/master/src/encoder.py, `bytes_to_unicode`.
    """
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def add_model_weights(weights: Weights) -> None:
    size = len(SPECIAL) + 257
    weights.noise("token_embd.weight", size, WIDTH)
    weights.noise("output.weight", size, WIDTH)
    weights.constant("output_norm.weight", 1)
    for block in (f"blk.{number}" for number in range(LAYERS)):
        weights.constant(f"{block}.attn_norm.weight", 1)
        weights.constant(f"{block}.ffn_norm.weight", 1)
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            weights.noise(f"{block}.{part}.weight", WIDTH, WIDTH)
        weights.noise(f"{block}.ffn_gate.weight", INNER, WIDTH)
        weights.noise(f"{block}.ffn_up.weight", INNER, WIDTH)
        weights.noise(f"{block}.ffn_down.weight", WIDTH, INNER)


def describe_mmproj(writer: gguf.GGUFWriter) -> None:
    writer.add_type("mmproj")
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type("idefics3")
    writer.add_vision_projection_dim(WIDTH)
    writer.add_vision_image_size(IMAGE_PX)
    writer.add_vision_preproc_image_size(IMAGE_PX)
    writer.add_vision_patch_size(PATCH_PX)
    writer.add_vision_embedding_length(WIDTH)
    writer.add_vision_feed_forward_length(INNER)
    writer.add_vision_block_count(LAYERS)
    writer.add_vision_head_count(HEADS)
    writer.add_vision_attention_layernorm_eps(1e-6)
    writer.add_vision_projector_scale_factor(SHUFFLE)
    writer.add_vision_use_gelu(True)
    writer.add_vision_image_mean([0.5, 0.5, 0.5])
    writer.add_vision_image_std([0.5, 0.5, 0.5])


def add_mmproj_weights(weights: Weights) -> None:
    weights.noise("v.patch_embd.weight", WIDTH, 3, PATCH_PX, PATCH_PX)
    weights.noise("v.patch_embd.bias", WIDTH)
    weights.noise("v.position_embd.weight", (IMAGE_PX // PATCH_PX) ** 2, WIDTH)
    weights.layer_norm("v.post_ln")
    weights.noise("mm.model.fc.weight", WIDTH, WIDTH * SHUFFLE**2)
    for block in (f"v.blk.{number}" for number in range(LAYERS)):
        weights.layer_norm(f"{block}.ln1")
        weights.layer_norm(f"{block}.ln2")
        for part in ("attn_q", "attn_k", "attn_v", "attn_out"):
            weights.linear(f"{block}.{part}", WIDTH, WIDTH)
        weights.linear(f"{block}.ffn_up", INNER, WIDTH)
        weights.linear(f"{block}.ffn_down", WIDTH, INNER)


@contextmanager
def serve_tiny_vlm(files: TinyVlm) -> Iterator[str]:
    """Run llama.cpp's server in a process of its own; give its base URL, ending in /v1."""
    command = [sys.executable, __file__, str(files.model), str(files.mmproj)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        limit = Timer(START_TIMEOUT_S, server.kill)
        limit.start()
        try:
            address = server.stdout.readline().decode().strip()
            assert address, "xllamacpp's server ended before it listened"
            base_url = f"{address}/v1"
            wait_for_models(base_url)
            limit.cancel()
            yield base_url
        finally:
            limit.cancel()
            server.kill()


def wait_for_models(base_url: str) -> None:
    """Return once the server lists its models; raise if it does not within START_TIMEOUT_S."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(f"{base_url}/models", timeout=START_TIMEOUT_S).close()


@pytest.fixture(scope="session")
def tiny_vlm(tmp_path_factory: pytest.TempPathFactory) -> TinyVlm:
    """The files of the tiny model."""
    return write_tiny_vlm(tmp_path_factory.mktemp("tiny_vlm"))


@pytest.fixture(scope="session")
def vlm_server(tiny_vlm: TinyVlm) -> Iterator[str]:
    """The base URL of llama.cpp's server with the tiny model."""
    with serve_tiny_vlm(tiny_vlm) as base_url:
        yield base_url


def serve(model: str, mmproj: str) -> None:
    """Serve until stdin closes, which it also does when the tests are killed."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.mmproj.path = model, mmproj
    params.n_ctx, params.n_parallel = 2 * CONTEXT_TOKENS, 2
    # Two threads that meet after every layer of so small a model wait far more than they compute.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.verbosity, params.warmup, params.ui = -1, False, False
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()
    # llama.cpp's orderly end waits for the answers under way.
    os._exit(0)


if __name__ == "__main__":
    serve(*sys.argv[1:])
