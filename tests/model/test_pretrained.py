"""Laws of layers that come from a Hugging Face Transformer, and of their adapters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model import ReversibleModel
from r3mem_agents.model.network import Condition, R3MemNetwork
from r3mem_agents.model.pretrained import add_adapters, from_transformers, merge_adapters
from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.model.words import Words

TEXTS = [
    "My dog is called Biscuit and he loves the beach.",
    "What did you do on Saturday? We went to the market in Lisbon. 😀",
    "The meeting starts at 10:30, room 4, with Alice and Bob. " * 5,
]
RANK = 4


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(TEXTS * 4, 400)


@pytest.fixture
def network(minilm: Path, tokenizer: Tokenizer) -> R3MemNetwork:
    torch.manual_seed(0)
    return from_transformers(minilm, tokenizer)


def loss_of(network: R3MemNetwork, tokens: torch.Tensor) -> torch.Tensor:
    count = torch.tensor([tokens.shape[1]] * len(tokens))
    gist = torch.zeros(len(tokens), network.config.gist_bits)
    states = network.predict(tokens, Condition(count, torch.zeros_like(count), gist), count)
    return F.cross_entropy(network.logits(states).flatten(0, 1), tokens.flatten())


def model_of(network: R3MemNetwork, tokenizer: Tokenizer) -> ReversibleModel:
    counts = np.ones(tokenizer.vocabulary, np.int64)
    return ReversibleModel.from_network(network, tokenizer, Words(()), counts, "adapted")


def test_matrices_and_sizes_are_those_of_the_base(network: R3MemNetwork, minilm: Path) -> None:
    from transformers import AutoModel

    theirs = dict(AutoModel.from_pretrained(minilm, local_files_only=True).named_parameters())
    assert len(network.stack.couplings) == 6
    assert network.config.feedforward == 1536
    for layer, coupling in enumerate(network.stack.couplings):
        name = f"encoder.layer.{layer}"
        mix = coupling.get_parameter("attention.mix.weight")
        narrow = coupling.get_parameter("feedforward.narrow.weight")
        assert torch.equal(mix[384:768], theirs[f"{name}.attention.self.key.weight"])
        assert torch.equal(narrow, theirs[f"{name}.output.dense.weight"])


def test_words_of_like_meaning_start_alike(network: R3MemNetwork, tokenizer: Tokenizer) -> None:
    places = [tokenizer.encode(word) for word in ("Alice", "Bob", "beach")]
    alice, bob, beach = (network.embedding.weight[ids].mean(0) for ids in places)
    assert F.cosine_similarity(alice, bob, dim=0) > F.cosine_similarity(alice, beach, dim=0)


def test_any_text_comes_back(network: R3MemNetwork, tokenizer: Tokenizer, tmp_path: Path) -> None:
    model = model_of(network, tokenizer)
    segments = model.compress(TEXTS)
    model.save_pretrained(tmp_path)
    assert ReversibleModel.from_pretrained(tmp_path).expand(segments) == TEXTS


def test_a_fresh_adapter_changes_nothing(network: R3MemNetwork) -> None:
    tokens = torch.randint(0, network.config.vocabulary, (2, 32))
    before = loss_of(network, tokens)
    assert torch.equal(loss_of(add_adapters(network, RANK), tokens), before)


def test_adapters_learn_and_the_base_does_not(network: R3MemNetwork, tokenizer: Tokenizer) -> None:
    add_adapters(network, RANK)
    frozen = {
        name: parameter.clone()
        for name, parameter in network.named_parameters()
        if "base_layer" in name
    }
    assert len(frozen) == 24
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-3)
    tokens = torch.tensor([tokenizer.encode(TEXTS[2])[:64]])
    first = loss_of(network, tokens).item()
    for _ in range(8):
        loss = loss_of(network, tokens)
        torch.autograd.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
    assert loss.item() < first - 0.5
    for name, parameter in network.named_parameters():
        if name in frozen:
            assert torch.equal(parameter, frozen[name])
            assert not parameter.requires_grad
        unread = "couplings.0.attention" in name  # an expansion ends before it
        if "lora_B" in name and not unread:
            assert parameter.abs().max() > 0
    adapted = loss_of(network, tokens)
    merged = merge_adapters(network)
    assert not any("lora" in name for name, _ in merged.named_parameters())
    assert torch.equal(loss_of(merged, tokens), adapted)
    model = model_of(merged, tokenizer)
    assert model.expand(model.compress(TEXTS)) == TEXTS


def test_other_families_are_taken_apart_too(
    tokenizer: Tokenizer, tmp_path: Path, minilm: Path
) -> None:
    from transformers import AutoModel, AutoTokenizer, GPT2Config, LlamaConfig

    sizes = {"vocab_size": 30522, "bos_token_id": 0, "eos_token_id": 0}
    small = [
        GPT2Config(n_layer=2, n_embd=32, n_head=2, **sizes),
        LlamaConfig(
            num_hidden_layers=2,
            hidden_size=32,
            intermediate_size=64,
            num_attention_heads=2,
            **sizes,
        ),
    ]
    for config in small:
        folder = tmp_path / config.model_type
        AutoModel.from_config(config).save_pretrained(folder)
        AutoTokenizer.from_pretrained(minilm, local_files_only=True).save_pretrained(folder)
        network = from_transformers(folder, tokenizer, rounds=8)
        assert (network.config.hidden, network.config.layers) == (32, 2)
        model = model_of(network, tokenizer)
        assert model.expand(model.compress(TEXTS)) == TEXTS


def test_a_folder_without_a_model_is_refused(tokenizer: Tokenizer, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no Hugging Face model in"):
        from_transformers(tmp_path, tokenizer)


def test_grouped_queries_are_refused(tokenizer: Tokenizer, tmp_path: Path, minilm: Path) -> None:
    from transformers import AutoModel, AutoTokenizer, LlamaConfig

    config = LlamaConfig(
        num_hidden_layers=1,
        hidden_size=32,
        intermediate_size=64,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=30522,
        bos_token_id=0,
        eos_token_id=0,
    )
    AutoModel.from_config(config).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(minilm, local_files_only=True).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="grouped queries are not supported"):
        from_transformers(tmp_path, tokenizer)
