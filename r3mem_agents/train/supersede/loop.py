"""The training of a superseder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from r3mem_agents.model.pieces import PADDING
from r3mem_agents.model.reference.encoder import TorchEncoder
from r3mem_agents.model.reference.layout import Sides
from r3mem_agents.model.reference.padding import padded
from r3mem_agents.model.trainable import Encoder, Superseder
from r3mem_agents.train.auroc import auroc
from r3mem_agents.train.loop import BETAS
from r3mem_agents.train.recipe import SupersederRecipe
from r3mem_agents.train.run import Figures, Run
from r3mem_agents.train.supersede.data import ALIKE, APART, UPDATE, Batch
from r3mem_agents.train.supersede.pairs import Pairs


class SupersederRun(Run):
    """One training of a superseder, by the binary cross-entropy of pairs.

    Args:
        network: The network to train.
        encoder: The encoder whose embeddings it reads; it stays fixed.
        pairs: Pairs to learn from.
        recipe: Hyperparameters of the run.
        folder: Folder for its state.
        device: Device to compute on.
        dtype: Dtype of its matrix products.
    """

    def __init__(
        self,
        network: Superseder,
        encoder: TorchEncoder,
        pairs: Pairs,
        recipe: SupersederRecipe,
        folder: Path,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.network, self._pairs = network.to(device), pairs
        self._embedding = encoder.to(device).embedding
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=recipe.learning_rate, betas=BETAS, weight_decay=recipe.decay
        )
        super().__init__(network, [optimizer], recipe, folder, device, dtype)

    def learn(self) -> None:
        """Add the gradients of the pairs of a step."""
        batches = self._pairs.draw(self.step)
        pairs = sum(len(batch.pairs) for batch in batches)
        parts = []
        for batch in batches:
            wanted = torch.from_numpy(batch.kinds == UPDATE).to(self.device).float()
            ids, sides = self._laid_out(batch)
            text = self._embedding.rows(ids)
            with self.autocast():
                odds = self.network(text, sides).float()
            self.tokens += ids.numel()
            part = F.binary_cross_entropy_with_logits(odds, wanted, reduction="sum") / pairs
            torch.autograd.backward(part)
            parts.append(part.detach())
        self.note(loss=torch.stack(parts).sum())

    def measure(self) -> Figures:
        """Return how well updates are told from similar turns, and from all others (AUROC)."""
        frozen = self.network.freeze(self._embedding)
        batches = self._pairs.held_out()
        if not batches:
            return {}
        read = torch.cat([frozen.read(*self._laid_out(batch)) for batch in batches])
        odds = read.double().prod(1).sum(-1).cpu().numpy()
        kinds = np.concatenate([batch.kinds for batch in batches])
        figures = {}
        for name, kind in (("from_alike", ALIKE), ("from_others", APART)):
            found = auroc(odds[kinds == UPDATE], odds[kinds == kind])
            if found is not None:
                figures[name] = found
        return figures

    def _laid_out(self, batch: Batch) -> tuple[Tensor, Sides]:
        count = np.array([[len(one) for one in pair] for pair in batch.pairs], np.int64)
        flat = np.concatenate([one for pair in batch.pairs for one in pair])
        ids, (older, newer) = (
            torch.from_numpy(one).to(self.device)
            for one in (padded(flat, count.sum(1), PADDING), np.ascontiguousarray(count.T))
        )
        return ids, Sides.of(older, newer, ids.shape[1])


def from_encoder(encoder: Encoder, network: Superseder) -> Superseder:
    """Initialize a superseder with the encoder's first couplings and positions, and return it."""
    for own, theirs in zip(network.stack.couplings, encoder.stack.couplings, strict=False):
        own.load_state_dict(theirs.state_dict())
    some = min(network.config.positions, encoder.config.positions)
    with torch.no_grad():
        network.position[:some] = encoder.position[:some]
    return network
