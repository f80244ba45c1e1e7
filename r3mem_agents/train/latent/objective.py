"""What memory tokens are trained by: a text read after them as if its whole history stood there."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from r3mem_agents.latent.adapter import Adapter
from r3mem_agents.latent.passes import assemble, memory_pass, reading_pass, segment_pass
from r3mem_agents.latent.positions import Layers
from r3mem_agents.train.latent.lessons import Lesson


@dataclass(frozen=True, slots=True)
class Batch:
    """A lesson as tensors.

    Attributes:
        lesson: The lesson.
        segments: Segments of all histories, ``(histories * segments, length)``.
        of: The history of each text.
        text: What is read after each segment, ``(segments, texts, length)``.
        scored: Which of its tokens count; never the first.
    """

    lesson: Lesson
    segments: Tensor
    of: Tensor
    text: Tensor
    scored: Tensor

    @classmethod
    def of_lesson(cls, lesson: Lesson, device: torch.device) -> Batch:
        """Move a lesson to a device."""
        parts = lesson.histories, lesson.of, lesson.text, lesson.scored
        segments, of, text, scored = (torch.from_numpy(one).to(device) for one in parts)
        return cls(lesson, segments.flatten(0, 1), of, text, scored)

    @property
    def count(self) -> int:
        """Segments of a history."""
        return len(self.text)

    @property
    def histories(self) -> Tensor:
        """The histories, each as one text, ``(histories, length)``."""
        return self.segments.view(len(self.lesson.histories), -1)

    def wanted(self, depth: int) -> Tensor:
        """The tokens that count after so many segments, ``(tokens,)``."""
        return self.text[depth - 1][self.scored[depth - 1]]

    def last(self, depth: int, raw: int) -> Tensor:
        """The last tokens of so many segments, for each text, ``(texts, raw)``."""
        end = depth * self.lesson.histories.shape[2]
        return self.histories[self.of, end - raw : end]

    def read(
        self, adapter: Adapter, cache: Any, depth: int, before: Tensor | None = None
    ) -> Tensor:
        """Logits of the tokens that count after so many segments, ``(tokens, vocabulary)``.

        Args:
            adapter: With its base.
            cache: What is read after; it is used up.
            depth: Segments that the texts follow.
            before: Tokens that are read before the texts, ``(texts, length)``.
        """
        ids, after = self.text[depth - 1, :, :-1], self.scored[depth - 1, :, 1:]
        if before is not None:
            ids = torch.cat([before, ids], dim=1)
            after = F.pad(after, (before.shape[1], 0))
        return reading_pass(adapter, cache, ids, after=after).float()


def forked(cache: Any) -> Any:
    """A cache with the same keys and values, which grows by itself."""
    new = copy(cache)
    new.layers = [copy(layer) for layer in cache.layers]
    return new


def of_rows(cache: Any, rows: Tensor) -> Any:
    """A cache of chosen rows, which grows by itself."""
    new = forked(cache)
    if len(rows) != len(new.layers[0].keys) or not torch.equal(
        rows, torch.arange(len(rows), device=rows.device)
    ):
        new.batch_select_indices(rows)
    return new


def sinks(adapter: Adapter, rows: int) -> Tensor:
    """The token that stands first, ``(rows, 1)``."""
    return torch.full((rows, 1), adapter.sink, device=adapter.base.device)


@dataclass(frozen=True, slots=True)
class Kept:
    """What memory tokens keep of the segments of a batch.

    Attributes:
        blocks: Of the first segment of each history, of the second, and so on.
        ids: What they started as, ``(histories, segments, tokens)``.
        surprise: What these surprised the base by.
    """

    blocks: list[Layers]
    ids: Tensor
    surprise: Tensor

    @classmethod
    def of(cls, adapter: Adapter, batch: Batch, cache: Any, surprise: Tensor) -> Kept:
        """Compress the segments of a batch.

        Args:
            adapter: With its base.
            batch: The batch.
            cache: Of its segments; it is used up.
            surprise: What their tokens surprised the base by.
        """
        ids, surprise = adapter.most_surprising(batch.segments, surprise)
        layers = memory_pass(adapter, cache, adapter.seeds(ids))
        count = batch.count
        blocks = [_rows(layers, slice(place, None, count)) for place in range(count)]
        return cls(
            blocks,
            ids.view(-1, count, ids.shape[1]),
            surprise.view(-1, count, ids.shape[1]),
        )

    def cache(self, adapter: Adapter, batch: Batch, depth: int) -> Any:
        """A cache of the memory tokens of so many segments, for each text of a batch."""
        blocks = self.blocks[:depth]
        if batch.lesson.folded and depth > 1:
            ids, surprise = (one[:, :depth].flatten(1) for one in (self.ids, self.surprise))
            ids, _ = adapter.most_surprising(ids, surprise)
            blocks = [memory_pass(adapter, assemble(adapter, blocks), adapter.seeds(ids))]
        return assemble(adapter, [_rows(block, batch.of) for block in blocks])


def lesson_loss(adapter: Adapter, lesson: Lesson, rebuilt_weight: float) -> dict[str, Tensor]:
    """The loss of a batch, and figures of it.

    Half of it is the divergence from what the base says with the whole history before the text,
    half the cost of the text's tokens.

    Args:
        adapter: What is trained, with its base.
        lesson: The batch.
        rebuilt_weight: Weight of the cost of a segment that is rebuilt.

    Returns:
        ``loss``; nats a token under the name of the lesson's kind; ``apart``, the divergence in
        nats; where a segment is rebuilt, ``rebuilt``, its nats a token.
    """
    batch = Batch.of_lesson(lesson, adapter.base.device)
    cache, surprise = segment_pass(adapter, batch.segments)
    with torch.no_grad():
        told = [logits.softmax(-1) for logits in by_whole(adapter, batch, cache)]
    kept = Kept.of(adapter, batch, cache, surprise)
    nats, apart = torch.zeros(2, device=batch.text.device)
    for depth, expected in enumerate(told, 1):
        before = batch.last(depth, lesson.raw) if lesson.raw else None
        logits = batch.read(adapter, kept.cache(adapter, batch, depth), depth, before)
        said = logits.log_softmax(-1)
        nats = nats + F.nll_loss(said, batch.wanted(depth)) / batch.count
        apart = apart + F.kl_div(said, expected, reduction="batchmean") / batch.count
    figures = {"loss": (nats + apart) / 2, lesson.kind: nats, "apart": apart}
    if lesson.rebuilt is not None:
        figures["rebuilt"] = _rebuilding(adapter, batch, kept, lesson.rebuilt)
        figures["loss"] = figures["loss"] + rebuilt_weight * figures["rebuilt"]
    return figures


def by_whole(adapter: Adapter, batch: Batch, cache: Any) -> list[Tensor]:
    """Logits of the tokens that count, by the base with the whole history before each text.

    Args:
        adapter: With its base.
        batch: The batch.
        cache: Of its segments; where they are histories, none is read again.

    Returns:
        ``(tokens, vocabulary)`` after the first segment, after the first two, and so on.
    """
    if batch.count == 1:
        return [batch.read(adapter, of_rows(cache, batch.of), 1)]
    length, read = batch.lesson.histories.shape[2], batch.text.shape[2]
    ids = torch.cat([batch.histories, batch.text[-1, :, :-1]], dim=1)
    after = torch.zeros_like(ids, dtype=torch.bool)
    for depth in range(1, batch.count + 1):
        after[:, depth * length : depth * length + read - 1] = batch.scored[depth - 1, :, 1:]
    first = sinks(adapter, len(ids))
    logits = reading_pass(
        adapter, adapter.empty_cache(), torch.cat([first, ids], dim=1), after=F.pad(after, (1, 0))
    )
    by_depth = logits.view(len(ids), batch.count, -1, logits.shape[-1])
    return [by_depth[:, place].flatten(0, 1).float() for place in range(batch.count)]


def _rebuilding(adapter: Adapter, batch: Batch, kept: Kept, place: int) -> Tensor:
    """Nats a token of segments that are read backward: each after its block and the cue."""
    segments = batch.segments[place :: batch.count]
    cache = assemble(adapter, [kept.blocks[place]])
    logits = reading_pass(adapter, cache, segments[:, :-1], adapter.cue)
    return F.cross_entropy(logits.flatten(0, 1).float(), segments.flatten())


def _rows(layers: Layers, rows: Tensor | slice) -> Layers:
    return tuple((keys[rows], values[rows]) for keys, values in layers)
