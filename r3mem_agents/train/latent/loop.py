"""The training of memory tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from r3mem_agents.latent.adapter import Adapter
from r3mem_agents.latent.passes import segment_pass
from r3mem_agents.train.latent.lessons import Lessons
from r3mem_agents.train.latent.objective import Batch, Kept, forked, lesson_loss, sinks
from r3mem_agents.train.loop import BETAS
from r3mem_agents.train.recipe import LatentRecipe
from r3mem_agents.train.run import Figures, Report, Run

ADAPTER = "adapter"
"""Folder of the adapter in that of its run."""


class LatentRun(Run):
    """One training of an adapter on a frozen base.

    Args:
        adapter: What is trained.
        lessons: Batches to learn from.
        recipe: Hyperparameters of the run.
        folder: Folder for its state.
        device: Device to compute on.
        dtype: Dtype of the base's matrix products.
    """

    measure_every_s = 600.0

    def __init__(
        self,
        adapter: Adapter,
        lessons: Lessons,
        recipe: LatentRecipe,
        folder: Path,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        learned = adapter.parameters()
        optimizer = torch.optim.AdamW(
            learned, lr=recipe.learning_rate, betas=BETAS, weight_decay=0.0
        )
        super().__init__(nn.ParameterList(learned), [optimizer], recipe, folder, device, dtype)
        self.adapter, self._lessons, self._choices = adapter, lessons, recipe
        self._held_out = HeldOut(adapter, lessons, recipe.raw)

    def run(self) -> Iterator[Report]:
        """Measure before the first step; then train."""
        if self.step == 0:
            untrained = Report(0, 0.0, 0, 0.0, {}, self._measure_apart())
            self.curve.append(untrained.point)
            yield untrained
        yield from super().run()

    def learn(self) -> None:
        """Add the gradients of the batches of a step."""
        lessons = self._lessons.draw(self.step)
        for lesson in lessons:
            figures = lesson_loss(self.adapter, lesson, self._choices.rebuilt_weight)
            torch.autograd.backward(figures.pop("loss") / len(lessons))
            self.note(**figures)
            self.tokens += lesson.tokens

    def measure(self) -> Figures:
        """Return nats a token of held-out texts, and what share of the history's gain is kept."""
        return self._held_out.measure()

    def save(self) -> None:
        """Write the state of the run, and the adapter as it is."""
        super().save()
        self.adapter.save(self._folder / ADAPTER)


class HeldOut:
    """Held-out texts, and what the base by itself says of them, which stays the same.

    Args:
        adapter: What is measured.
        lessons: Where they are drawn from.
        raw: Last tokens of the history that a text is read after, too.
    """

    def __init__(self, adapter: Adapter, lessons: Lessons, raw: int) -> None:
        self._adapter, self._raw = adapter, raw
        batches = [Batch.of_lesson(one, adapter.base.device) for one in lessons.held_out()]
        self._texts = sum(len(batch.of) for batch in batches)
        with torch.no_grad():
            self._read = [(batch, *segment_pass(adapter, batch.segments)) for batch in batches]
            nats = [self._by_base(batch, cache) for batch, cache, _ in self._read]
        self._base = torch.stack(nats).sum(0) / self._texts

    def measure(self) -> Figures:
        """Return nats a token after each history, and the shares that memory tokens keep.

        ``none`` is without history, ``raw`` after its last tokens, ``full`` after the whole,
        ``memory`` after memory tokens, ``beside`` after these and the last tokens. ``share`` is
        that of the gain which the whole history brings, ``share_beside`` that of what its last
        tokens leave of it.
        """
        found = torch.stack([self._by_memory(*one) for one in self._read]).sum(0) / self._texts
        none, raw, full = self._base.tolist()
        memory, beside = found.tolist()
        return {
            "none": none,
            "raw": raw,
            "full": full,
            "memory": memory,
            "beside": beside,
            "share": (none - memory) / (none - full),
            "share_beside": (raw - beside) / (raw - full),
        }

    def _by_base(self, batch: Batch, cache: Any) -> Tensor:
        empty, first = self._adapter.empty_cache, sinks(self._adapter, len(batch.of))
        last = torch.cat([first, batch.last(1, self._raw)], dim=1)
        return torch.stack(
            [
                self._nats(batch, empty(), first),
                self._nats(batch, empty(), last),
                self._nats(batch, forked(cache)),
            ]
        )

    def _by_memory(self, batch: Batch, cache: Any, surprise: Tensor) -> Tensor:
        kept = Kept.of(self._adapter, batch, forked(cache), surprise)
        memory = kept.cache(self._adapter, batch, 1)
        last = batch.last(1, self._raw)
        return torch.stack(
            [self._nats(batch, forked(memory)), self._nats(batch, forked(memory), last)]
        )

    def _nats(self, batch: Batch, cache: Any, before: Tensor | None = None) -> Tensor:
        """Nats a token, weighted by the number of texts."""
        logits = batch.read(self._adapter, cache, 1, before)
        return F.cross_entropy(logits, batch.wanted(1)) * len(batch.of)
