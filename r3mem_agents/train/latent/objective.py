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
        text: What is read, ``(texts, length)``.
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
    def wanted(self) -> Tensor:
        """The tokens that count, ``(tokens,)``."""
        return self.text[self.scored]

    def read(self, adapter: Adapter, cache: Any, before: Tensor | None = None) -> Tensor:
        """Logits of the tokens that count, ``(tokens, vocabulary)``.

        Args:
            adapter: With its base.
            cache: What is read after; it is used up.
            before: Tokens that are read before the text, ``(texts, length)``.
        """
        ids, after = self.text[:, :-1], self.scored[:, 1:]
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


def blocks_of(adapter: Adapter, batch: Batch, cache: Any, surprise: Tensor) -> list[Layers]:
    """The memory tokens of histories, a block for each segment, or one for all of them.

    Args:
        adapter: With its base.
        batch: The batch.
        cache: Of its segments; it is used up.
        surprise: What their tokens surprised the base by.
    """
    count = batch.lesson.histories.shape[1]
    ids, surprise = adapter.most_surprising(batch.segments, surprise)
    layers = memory_pass(adapter, cache, adapter.seeds(ids))
    blocks = [_rows(layers, slice(place, None, count)) for place in range(count)]
    if not batch.lesson.folded:
        return blocks
    histories = len(ids) // count
    kept, _ = adapter.most_surprising(ids.view(histories, -1), surprise.view(histories, -1))
    return [memory_pass(adapter, assemble(adapter, blocks), adapter.seeds(kept))]


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
        told = batch.read(adapter, _whole(adapter, batch, cache)).softmax(-1)
    blocks = blocks_of(adapter, batch, cache, surprise)
    history = assemble(adapter, [_rows(block, batch.of) for block in blocks])
    before = _last(batch) if lesson.raw else None
    said = batch.read(adapter, history, before).log_softmax(-1)
    nats = F.nll_loss(said, batch.wanted)
    cross = -(told * said).sum(-1).mean()
    own = torch.special.entr(told).sum(-1).mean()
    figures = {"loss": (nats + cross) / 2, lesson.kind: nats, "apart": cross - own}
    if lesson.rebuilt is not None:
        figures["rebuilt"] = rebuilding(adapter, batch, blocks)
        figures["loss"] = figures["loss"] + rebuilt_weight * figures["rebuilt"]
    return figures


def rebuilding(adapter: Adapter, batch: Batch, blocks: list[Layers]) -> Tensor:
    """Nats a token of segments that are read backward: each after its block and the cue."""
    count, place = batch.lesson.histories.shape[1], batch.lesson.rebuilt
    assert place is not None
    segments = batch.segments[place::count]
    block = blocks[0 if batch.lesson.folded else place]
    logits = reading_pass(adapter, assemble(adapter, [block]), segments[:, :-1], adapter.cue)
    return F.cross_entropy(logits.flatten(0, 1).float(), segments.flatten())


def _whole(adapter: Adapter, batch: Batch, cache: Any) -> Any:
    """A cache of the whole histories; that of the segments where they are histories."""
    if batch.lesson.histories.shape[1] == 1:
        return of_rows(cache, batch.of)
    whole = adapter.empty_cache()
    histories = batch.segments.view(len(batch.lesson.histories), -1)
    ids = torch.cat([sinks(adapter, len(histories)), histories], dim=1)
    adapter.base.base_model(input_ids=ids, past_key_values=whole, use_cache=True)
    return of_rows(whole, batch.of)


def _last(batch: Batch) -> Tensor:
    """The raw tokens that stand before each text."""
    histories = batch.segments.view(len(batch.lesson.histories), -1)
    return histories[batch.of, -batch.lesson.raw :]


def _rows(layers: Layers, rows: Tensor | slice) -> Layers:
    return tuple((keys[rows], values[rows]) for keys, values in layers)
