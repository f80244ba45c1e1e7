"""The tuning of an encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from r3mem_agents.model.pieces import PADDING
from r3mem_agents.model.trainable import Encoder
from r3mem_agents.train.gists import POSITIONS, by_length, padded
from r3mem_agents.train.loop import BETAS
from r3mem_agents.train.recipe import TuningRecipe
from r3mem_agents.train.run import Figures, Run
from r3mem_agents.train.tune.objective import tuning_loss
from r3mem_agents.train.tune.pairs import Known, Lesson, Lessons, Rows


class TuningRun(Run):
    """One tuning.

    The embeddings stay fixed, since few of the pieces occur in the pairs.

    Args:
        encoder: The encoder to tune.
        known: Pieces, targets and initial gists of the texts.
        lessons: Lessons to draw batches from.
        recipe: Hyperparameters of the run.
        folder: Folder for its state.
        device: Device to compute on.
        dtype: Dtype of its matrix products.
    """

    def __init__(
        self,
        encoder: Encoder,
        known: Known,
        lessons: Lessons,
        recipe: TuningRecipe,
        folder: Path,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.encoder, self._lessons, self._choices = encoder.to(device), lessons, recipe
        self._known = known
        self._targets, self._start = (
            torch.from_numpy(one).to(device) for one in (known.targets, known.gists)
        )
        for still in (encoder.embedding.weight, encoder.position):
            still.requires_grad_(False)
        trained = [p for p in encoder.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(
            trained, lr=recipe.learning_rate, betas=BETAS, weight_decay=0.0
        )
        super().__init__(encoder, [optimizer], recipe, folder, device, dtype)

    def learn(self) -> None:
        """Add the gradients of a batch."""
        lesson = self._lessons.draw(self.step)
        figures = self._parts(lesson, self._read(self._gists, lesson.texts))
        torch.autograd.backward(figures["loss"])
        self.note(**figures)

    def measure(self) -> Figures:
        """Return the loss of held-out pairs, and how often the top-ranked gist is an answer."""
        lesson = self._lessons.held_out()
        gists = self._read(self.encoder.freeze().gists, lesson.texts)
        asked, bits = gists[lesson.asked], gists[lesson.candidates].sign()
        odds = (asked @ bits.T).cpu().numpy()
        odds[lesson.unsure] = -np.inf
        order = np.argsort(-odds, axis=1, kind="stable")
        hits = np.take_along_axis(lesson.answers, order, 1)
        figures = self._parts(lesson, gists)
        return {name: value.item() for name, value in figures.items()} | {
            f"in_{k}": float(hits[:, :k].any(1).mean()) for k in (1, 3, 5)
        }

    def _parts(self, lesson: Lesson, gists: Tensor) -> dict[str, Tensor]:
        texts, asked, candidates, answers, unsure = (
            torch.from_numpy(one).to(self.device)
            for one in (
                lesson.texts, lesson.asked, lesson.candidates, lesson.answers, lesson.unsure
            )
        )  # fmt: skip
        start, targets = self._start[texts].float(), self._targets[texts].float()
        return tuning_loss(gists, start, targets, asked, candidates, answers, unsure, self._choices)

    def _gists(self, ids: Tensor, count: Tensor) -> Tensor:
        """Gists of a batch under the network in training."""
        self.tokens += ids.numel()
        with self.autocast():
            meaning = self.encoder.meaning(ids, count)
        gists: Tensor = self.encoder.to_gist(meaning.float())
        return gists

    def _read(self, gists: Callable[[Tensor, Tensor], Tensor], texts: Rows) -> Tensor:
        """Gists of texts before binarization, ``(texts, gist_bits)``."""
        cut = self._known.pieces
        batches = by_length(cut.counts[texts], POSITIONS[self.device.type])
        found = []
        for rows in batches:
            ids = torch.from_numpy(padded(cut, texts[rows], PADDING)).to(self.device)
            count = torch.from_numpy(cut.counts[texts[rows]]).to(self.device)
            found.append(gists(ids, count))
        back = torch.from_numpy(np.argsort(np.concatenate(batches))).to(self.device)
        return torch.cat(found)[back]
