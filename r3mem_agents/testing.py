"""A model small enough to make on the spot, for tests of what is built on top of one."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from r3mem_agents.errors import MissingExtraError

if find_spec("torch") is None:
    raise MissingExtraError("torch", "torch")

import torch

from r3mem_agents.model.config import EncoderConfig, ModelConfig, StackConfig
from r3mem_agents.model.pieces import SPACE, Pieces
from r3mem_agents.model.reference.isolation import computing
from r3mem_agents.model.reference.loading import stored
from r3mem_agents.model.reversible import ReversibleModel
from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.model.trainable import Encoder, Expander

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
    small = StackConfig(hidden=32, layers=2, heads=4, feedforward=64, biased=True).to_dict()
    tokenizer = Tokenizer.train(_TEXTS * 4, 300)
    ids = np.concatenate([tokenizer.encode(text) for text in _TEXTS])
    counts = np.bincount(ids, minlength=tokenizer.vocabulary)
    letters = sorted(set("".join(_TEXTS).casefold()) - {" "})
    pieces = Pieces.of([(SPACE, -2.0), *((letter, -3.0) for letter in letters)])
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        encoder = Encoder(EncoderConfig(vocabulary=len(pieces), **small))
        expander = Expander(ModelConfig(vocabulary=tokenizer.vocabulary, classes=10, **small))
        for network in (encoder, expander):
            for parameter in network.stack.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
        expander.set_unigram(torch.from_numpy(counts))
        _centre(encoder, pieces)
    return ReversibleModel.from_networks(
        stored(encoder.freeze()),
        stored(expander.freeze()),
        pieces,
        tokenizer,
        counts,
        f"tiny-{seed}",
    )


def _centre(encoder: Encoder, pieces: Pieces) -> None:
    """Let what all texts have in common say nothing: no two of them are alike for it."""
    words = [word for text in _TEXTS for word in text.split()]
    cut = pieces.encode([*_TEXTS, *words], encoder.config.positions)
    frozen = encoder.freeze()
    with computing(frozen.device):
        found = [frozen.encode(np.array(ids), np.array([len(ids)])) for ids in cut]
        common = torch.from_numpy(np.concatenate(found)).mean(0)
    assert encoder.to_gist.bias is not None
    encoder.to_gist.bias.sub_(common)
