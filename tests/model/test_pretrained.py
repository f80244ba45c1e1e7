"""Laws of an encoder that starts as a pretrained one, and of its adapters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model.pieces import Pieces
from r3mem_agents.model.reference.loading import torch_encoder
from r3mem_agents.model.scales import ACTIVATION_SCALE
from r3mem_agents.model.trainable import Encoder
from r3mem_agents.model.trainable.pretrained import (
    add_adapters,
    from_bert,
    load_base,
    merge_adapters,
    word_pieces,
)
from r3mem_agents.testing import tiny_model
from r3mem_agents.train.distil.vocabulary import start_rows

TEXTS = [
    "We adopted a cat named Miso.",
    "What pet do I have?",
    "The dentist moved my appointment to Tuesday.",
    "I work as a nurse in Leeds.",
    "The printer is out of ink.",
    "She moved to Berlin last year.",
]
RANK = 4

Start = tuple[Encoder, torch.nn.Linear, Tensor, Tensor]


@pytest.fixture(scope="module")
def base(minilm: Path) -> tuple[Any, Any]:
    return load_base(minilm)


@pytest.fixture(scope="module")
def pieces(base: tuple[Any, Any]) -> Pieces:
    words = [word for word in word_pieces(base[1]) if not word.startswith(("#", "["))]
    return Pieces.of([(f"\u2581{word}", -9.0) for word in words])


@pytest.fixture
def start(base: tuple[Any, Any], pieces: Pieces) -> Start:
    model, tokenizer = base
    table = model.get_input_embeddings().weight.detach().numpy()
    rows = start_rows([piece for piece, _ in pieces.scores], table, tokenizer, None)
    torch.manual_seed(0)
    encoder, vector = from_bert(model, torch.from_numpy(rows), positions=32, gist_bits=256)
    cut = pieces.encode(TEXTS, 32)
    ids = torch.tensor([row + [1] * (32 - len(row)) for row in cut])
    return encoder, vector, ids, torch.tensor([len(row) for row in cut])


def similarity(encoder: Encoder, vector: torch.nn.Linear, ids: Tensor, count: Tensor) -> Tensor:
    found = F.normalize(vector(encoder.meaning(ids, count) / ACTIVATION_SCALE), dim=-1).detach()
    centred = F.normalize(found - found.mean(0), dim=-1)
    return centred @ centred.T


def teacher_vectors(base: tuple[Any, Any]) -> Tensor:
    model, tokenizer = base
    batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        states = model(**batch).last_hidden_state
    return F.normalize((states * batch["attention_mask"][..., None]).sum(1), dim=-1)


def test_the_start_computes_about_what_its_base_does(base: tuple[Any, Any], start: Start) -> None:
    wanted = teacher_vectors(base)
    encoder, vector, ids, count = start
    found = F.normalize(vector(encoder.meaning(ids, count) / ACTIVATION_SCALE), dim=-1)
    torch.manual_seed(1)
    random = Encoder(encoder.config)
    blind = F.normalize(vector(random.meaning(ids, count) / ACTIVATION_SCALE), dim=-1)
    started = (found * wanted).sum(-1).mean()
    assert started > 0.2
    assert started > (blind * wanted).sum(-1).mean() + 0.1
    centred = F.normalize(wanted - wanted.mean(0), dim=-1)
    pairs = torch.triu_indices(len(TEXTS), len(TEXTS), 1)
    both = torch.stack([similarity(*start)[*pairs], (centred @ centred.T)[*pairs]])
    assert torch.corrcoef(both)[0, 1] > 0.2, "what is alike there is alike here"


def test_sizes_are_those_of_the_base(start: Start, pieces: Pieces) -> None:
    config = start[0].config
    assert (config.hidden, config.layers, config.heads, config.feedforward) == (384, 6, 12, 1536)
    assert (config.vocabulary, config.positions) == (len(pieces), 32)


def test_a_fresh_adapter_changes_nothing(start: Start) -> None:
    encoder, _, ids, count = start
    before = encoder.meaning(ids, count)
    assert torch.equal(add_adapters(encoder, RANK).meaning(ids, count), before)


def test_a_thawed_encoder_takes_adapters() -> None:
    encoder = Encoder.thaw(torch_encoder(tiny_model().checkpoint.encoder))
    ids, count = torch.tensor([[3, 4, 5]]), torch.tensor([3])
    before = encoder.meaning(ids, count)
    assert torch.equal(add_adapters(encoder, RANK).meaning(ids, count), before)


def test_adapters_learn_and_what_is_under_them_does_not(
    base: tuple[Any, Any], start: Start
) -> None:
    encoder, vector, ids, count = start
    wanted = teacher_vectors(base)
    add_adapters(encoder, RANK)
    frozen = {n: p.clone() for n, p in encoder.named_parameters() if "base_layer" in n}
    assert len(frozen) == 2 * 4 * encoder.config.layers, "weights and biases of four matrices"
    trained = [p for p in encoder.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=2e-3)
    losses = []
    for _ in range(6):
        found = F.normalize(vector(encoder.meaning(ids, count) / ACTIVATION_SCALE), dim=-1)
        loss = 1 - (found * wanted).sum(-1).mean()
        torch.autograd.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.05
    for name, parameter in encoder.named_parameters():
        if name in frozen:
            assert torch.equal(parameter, frozen[name])
        if "lora_B" in name:
            assert parameter.abs().max() > 0
    adapted, exact = encoder.meaning(ids, count), encoder.freeze().meaning(ids, count)
    merged = merge_adapters(encoder)
    assert not any("lora" in name for name, _ in merged.named_parameters())
    assert torch.equal(merged.meaning(ids, count), adapted)
    assert torch.equal(merged.freeze().meaning(ids, count), exact), "adapters freeze merged"
    assert F.cosine_similarity(exact, adapted).min() > 0.95


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no Hugging Face model in"):
        load_base(tmp_path)


def test_other_families_and_tokenizers_are_refused(tmp_path: Path) -> None:
    from transformers import AutoModel, OPTConfig

    other = AutoModel.from_config(
        OPTConfig(
            num_hidden_layers=1,
            hidden_size=32,
            ffn_dim=64,
            num_attention_heads=2,
            word_embed_proj_dim=32,
        )
    )
    with pytest.raises(CheckpointError, match="not of BERT's family"):
        from_bert(other, torch.zeros(8, 32), positions=32, gist_bits=256)
    with pytest.raises(CheckpointError, match="word pieces"):
        word_pieces(np)
