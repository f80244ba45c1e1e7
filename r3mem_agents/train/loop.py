"""The training of an expander under the gists of a frozen encoder."""

from __future__ import annotations

import types
from collections import defaultdict
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from r3mem_agents.model.trainable import Expander
from r3mem_agents.model.trainable.stack import Coupling
from r3mem_agents.train.batches import Batches
from r3mem_agents.train.corpus import ENGLISH
from r3mem_agents.train.muon import Muon
from r3mem_agents.train.objective import expansion_nats
from r3mem_agents.train.recipe import ExpanderRecipe
from r3mem_agents.train.run import Figures, Run

NATS_TO_BITS = 1.4426950408889634
BETAS = (0.9, 0.98)
"""Betas of AdamW (Vaswani et al. 2017)."""

OTHERS = "others"
"""Name of all languages but English among the held-out figures."""


class ExpanderRun(Run):
    """One training of an expander.

    Args:
        network: The network to train.
        recipe: Hyperparameters of the run.
        batches: Batches to learn from.
        folder: Folder for its state.
        device: Device to compute on.
        dtype: Dtype of its matrix products.
    """

    def __init__(
        self,
        network: Expander,
        recipe: ExpanderRecipe,
        batches: Batches,
        folder: Path,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.network, self._batches, self._parts = network.to(device), batches, recipe.parts
        named = dict(network.named_parameters())
        matrices = [p for name, p in named.items() if _is_matrix(name, p)]
        others = [p for name, p in named.items() if not _is_matrix(name, p)]
        optimizers: list[torch.optim.Optimizer] = [
            Muon(matrices, recipe.matrix_rate, dtype=dtype),
            torch.optim.AdamW(others, lr=recipe.other_rate, betas=BETAS, weight_decay=0.0),
        ]
        super().__init__(network, optimizers, recipe, folder, device, dtype)
        if device.type == "cuda":
            inverse = torch.compile(Coupling.inverse)
            for coupling in network.stack.couplings:
                cast(Coupling, coupling).inverse = types.MethodType(  # type: ignore[method-assign]
                    inverse, coupling
                )

    def learn(self) -> None:
        """Add the gradients of the parts of a step."""
        for batch in self._batches.draw(self.step):
            with self.autocast():
                nats, hits = expansion_nats(
                    self.network, batch.tokens, batch.condition, batch.length
                )
            mean = nats.mean()
            torch.autograd.backward(mean / self._parts)
            self.note(bits_per_token=mean * NATS_TO_BITS, accuracy=hits.float().mean())
            self.tokens += nats.numel()

    def measure(self) -> Figures:
        """Return bits per token by language, on held-out segments."""
        frozen = self.network.freeze()
        bits: dict[str, float] = defaultdict(float)
        tokens: dict[str, int] = defaultdict(int)
        for batch in self._batches.held_out():
            nats, _ = expansion_nats(frozen, batch.tokens, batch.condition, batch.length)
            cost = _by_row(nats)
            for place in np.unique(batch.language):
                name, own = self._batches.languages[place], batch.language == place
                for one in {name, name if name == ENGLISH else OTHERS}:
                    bits[one] += float(cost[own].sum())
                    tokens[one] += int(own.sum()) * batch.length
        first = {ENGLISH: 0, OTHERS: 1}
        order = sorted(bits, key=lambda name: (first.get(name, 2), name))
        return {name: bits[name] / tokens[name] for name in order}


def _is_matrix(name: str, parameter: Tensor) -> bool:
    """Whether Muon trains a parameter: the matrices between activations."""
    return parameter.ndim == 2 and name.startswith(("stack.", "from_gist."))


def _by_row(nats: Tensor) -> np.ndarray:
    return (nats.double().sum(1) * NATS_TO_BITS).cpu().numpy()
