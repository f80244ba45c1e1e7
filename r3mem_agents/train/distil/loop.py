"""The distillation of an encoder."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from r3mem_agents.model.scales import ACTIVATION_SCALE
from r3mem_agents.model.trainable import Encoder
from r3mem_agents.model.trainable.stack import Coupling
from r3mem_agents.train.distil.objective import distillation_loss, gist_rotation
from r3mem_agents.train.distil.pool import KINDS, Lessons
from r3mem_agents.train.loop import BETAS
from r3mem_agents.train.recipe import EncoderRecipe
from r3mem_agents.train.run import Figures, Run


class EncoderRun(Run):
    """One distillation.

    Args:
        encoder: The encoder to train, with or without adapters; its gist's matrix is initialized
            here.
        vector: Maps its embedding to the teacher's space; trained too, and dropped at the end.
        recipe: Hyperparameters of the run.
        lessons: Lessons to draw batches from.
        folder: Folder for its state.
        device: Device to compute on.
        dtype: Dtype of its matrix products.
    """

    def __init__(
        self,
        encoder: Encoder,
        vector: nn.Linear,
        recipe: EncoderRecipe,
        lessons: Lessons,
        folder: Path,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.encoder, self._lessons = encoder.to(device), lessons
        self._vector = vector.to(device)
        self._choices = recipe
        known = lessons.english_targets.float()
        self._mean = known.mean(0)
        _start_gist(encoder, vector, known, self._mean)
        network = nn.ModuleDict({"encoder": encoder, "vector": vector})
        trained = [p for p in network.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(
            trained, lr=recipe.learning_rate, betas=BETAS, weight_decay=0.0
        )
        super().__init__(network, [optimizer], recipe, folder, device, dtype)
        if device.type == "cuda":
            for coupling in encoder.stack.couplings:
                cast(Coupling, coupling).compile()

    def learn(self) -> None:
        """Add the gradients of a batch."""
        lesson = self._lessons.draw(self.step)
        with self.autocast():
            meaning = self.encoder.meaning(lesson.pieces, lesson.count).float()
        vectors, gists = self._vectors(meaning), self.encoder.to_gist(meaning)
        loss, cosine = distillation_loss(
            vectors, gists, lesson.targets, lesson.weight, self._mean, self._choices
        )
        torch.autograd.backward(loss)
        self.note(cosine=cosine, loss=loss)
        self.tokens += lesson.pieces.numel()

    def measure(self) -> Figures:
        """Return cosines by kind, and how often the nearest English gist is the teacher's."""
        frozen = self.encoder.freeze()
        cosines: dict[str, list[Tensor]] = defaultdict(list)
        gists, targets = [], []
        for lesson in self._lessons.held_out():
            meaning = frozen.meaning(lesson.pieces, lesson.count)
            vectors, gist = self._vectors(meaning), frozen.to_gist(meaning)
            cosine = (vectors * lesson.targets).sum(-1)
            kind = torch.from_numpy(lesson.kind).to(self.device)
            for place, name in enumerate(KINDS):
                cosines[name].append(cosine[kind == place])
            gists.append(gist[kind == 0])
            targets.append(F.normalize(lesson.targets[kind == 0] - self._mean, dim=-1))
        found = {name: torch.cat(some) for name, some in cosines.items()}
        figures = {name: some.mean().item() for name, some in found.items() if len(some)}
        asked, known = torch.cat(gists), torch.cat(targets)
        if len(asked) > 1:
            nearest = _nearest(known @ known.T)
            figures["nearest_by_bits"] = _share(nearest, asked.sign() @ asked.sign().T)
            figures["nearest_by_question"] = _share(nearest, asked @ asked.sign().T)
        return figures

    def _vectors(self, meaning: Tensor) -> Tensor:
        """Vectors of length 1 in the teacher's space."""
        return F.normalize(self._vector(meaning / ACTIVATION_SCALE), dim=-1)


def _start_gist(encoder: Encoder, vector: nn.Linear, known: Tensor, mean: Tensor) -> None:
    """Initialize the gist's matrix with the rotation of the teacher's space."""
    turn = gist_rotation(known - mean, encoder.config.gist_bits)
    assert encoder.to_gist.bias is not None
    with torch.no_grad():
        encoder.to_gist.weight.copy_(turn @ vector.weight)
        encoder.to_gist.bias.copy_(turn @ (vector.bias - mean))


def _nearest(similarity: Tensor) -> Tensor:
    return similarity.fill_diagonal_(-torch.inf).argmax(1)


def _share(nearest: Tensor, similarity: Tensor) -> float:
    return (_nearest(similarity) == nearest).float().mean().item()
