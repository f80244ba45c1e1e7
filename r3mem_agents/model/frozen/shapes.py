"""The tensors of a frozen network by name: what a checkpoint holds, and an implementation reads.

A matrix has ``levels`` (int8, ``(outputs, inputs)``), ``scale`` (float32, ``(outputs,)``: what a
level of weight times a level of activation is worth) and, where it has one, ``bias`` (float32,
``(outputs,)``). Everything else is float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model.config import EncoderConfig, ModelConfig, StackConfig, SupersederConfig
from r3mem_agents.model.schedule import ROLES, SLOTS

Shapes = dict[str, tuple[int, ...]]
Tensors = Mapping[str, NDArray[Any]]


def matrix(name: str, inputs: int, outputs: int, biased: bool = False) -> Shapes:
    """Tensors of a matrix."""
    found: Shapes = {f"{name}.levels": (outputs, inputs), f"{name}.scale": (outputs,)}
    return found | {f"{name}.bias": (outputs,)} if biased else found


def stack(config: StackConfig) -> Shapes:
    """Tensors of the couplings of a network."""
    hidden, inner, biased = config.hidden, config.feedforward, config.biased
    found: Shapes = {}
    for layer in range(config.layers):
        name = f"stack.couplings.{layer}"
        found |= matrix(f"{name}.attention.mix", hidden, 3 * hidden, biased)
        found |= matrix(f"{name}.attention.out", hidden, hidden, biased)
        found |= matrix(f"{name}.feedforward.widen", hidden, inner, biased)
        found |= matrix(f"{name}.feedforward.narrow", inner, hidden, biased)
    return found


def encoder(config: EncoderConfig) -> Shapes:
    """Tensors of an encoder."""
    return {
        **matrix("embedding", config.hidden, config.vocabulary),
        **stack(config),
        **matrix("to_gist", config.hidden, config.gist_bits, biased=True),
        "position": (config.positions, config.hidden),
    }


def superseder(config: SupersederConfig) -> Shapes:
    """Tensors of a superseder; the embeddings that it reads are the encoder's."""
    return {
        **stack(config),
        **matrix("read", config.hidden, 2 * config.compared, biased=True),
        "position": (config.positions, config.hidden),
        "side": (2, config.hidden),
    }


def expander(config: ModelConfig) -> Shapes:
    """Tensors of an expander."""
    hidden, span = config.hidden, config.segment_tokens
    biases = ROLES * (2 * span + 1 + SLOTS) + SLOTS * SLOTS
    return {
        **matrix("embedding", hidden, config.vocabulary),
        **matrix("classes", hidden, config.classes, biased=True),
        **matrix("from_gist", config.gist_bits, hidden),
        **stack(config),
        "unigram": (config.vocabulary,),
        "blank": (hidden,),
        "role": (ROLES, hidden),
        "edge": (ROLES, hidden),
        "after_start": (span, hidden),
        "before_end": (span, hidden),
        "length": (2 * span, hidden),
        "backward_bias": (biases, config.layers, config.heads),
    }


def check(tensors: Tensors, shapes: Shapes, network: str) -> None:
    """Refuse tensors that are not those of a network.

    Args:
        tensors: Tensors by name.
        shapes: Shapes that they have to have.
        network: Name of the network, for the error.

    Raises:
        CheckpointError: It names those that are missing, that there should not be, whose shape or
            dtype is another one, or that are not finite.
    """
    wrong = shapes.keys() ^ tensors.keys()
    for name in shapes.keys() & tensors.keys():
        held, dtype = tensors[name], np.int8 if name.endswith(".levels") else np.float32
        fits = tuple(held.shape) == shapes[name] and held.dtype == dtype
        if not fits or (dtype is np.float32 and not np.isfinite(held).all()):
            wrong.add(name)
    if wrong:
        raise CheckpointError(f"tensors of the {network} do not fit its sizes: {sorted(wrong)}")
