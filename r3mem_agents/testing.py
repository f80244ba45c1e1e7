"""A model small enough to make on the spot, for tests of what is built on top of one."""

from __future__ import annotations

import numpy as np
import torch

from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.network import R3MemNetwork
from r3mem_agents.model.reversible import ReversibleModel
from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.model.words import Words

_TEXTS = [
    "My dog is called Biscuit and he loves the beach.",
    "What did you do on Saturday? We went to the market in Lisbon.",
    "The meeting starts at 10:30, room 4, with Alice and Bob.",
]


def tiny_model(seed: int = 0) -> ReversibleModel:
    """A model with random weights that knows how often tokens occur and nothing else.

    It predicts badly and is exact all the same.

    Args:
        seed: Of the weights; models of different seeds have different fingerprints.
    """
    config = ModelConfig(
        vocabulary=300, hidden=32, layers=2, heads=4, feedforward=64, gist_bits=256
    )
    tokenizer = Tokenizer.train(_TEXTS * 4, config.vocabulary)
    ids = np.concatenate([tokenizer.encode(text) for text in _TEXTS])
    counts = np.bincount(ids, minlength=config.vocabulary)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = R3MemNetwork(config)
        for parameter in network.stack.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
        network.unigram.copy_(torch.from_numpy(counts + 1.0).log())
    return ReversibleModel.from_network(network, tokenizer, Words(()), counts, f"tiny-{seed}")
