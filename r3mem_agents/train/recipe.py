"""Every choice of a training run, with its source; ``config`` gives the sizes of the model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from r3mem_agents.model.config import ModelConfig

GOING_ON = 0.25
"""Factor on the peak learning rates of a run that starts from a checkpoint (chosen; not tuned)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to train a checkpoint. Where no source is named: docs/LOG.md, 2026-11-21.

    Attributes:
        config: Sizes of the model.
        minutes: Wall time of training; the learning rate ends at zero then.
        steps: Most steps of the codec, if that comes first; it makes a run repeatable.
        source_mb: Most megabytes of text read from one dialog or text file.
        pair_mb: Most megabytes of passages read from one file of pairs.
        tokenizer_mb: Megabytes of text that the tokenizer learns from, in equal shares per file.
        batch_tokens: Positions per step of the codec.
        parts: Parts of a step, each of segments of one length.
        pair_batch: Pairs per step of the gist.
        pair_every: A step of the gist follows every so many steps of the codec.
        gist_from: Share of the time after which expansions get their gist and pairs are trained.
        gist_weight: Weight of the contrastive loss beside nats per token.
        taught_every: A step of taught texts follows every so many steps of the codec.
        taught_weight: Weight of the taught texts' loss beside nats per token.
        kept_every: The same for segments whose gists are to stay what they are.
        topic_steps: Steps of the topics of words, before everything else.
        temperature: Of the contrastive loss; 0.05 as in SimCSE (arXiv 2104.08821).
        matrix_rate: Peak learning rate of Muon, for the matrices of the stack.
        other_rate: Peak learning rate of AdamW, for everything else.
        warmup_steps: Steps of linear warm-up.
        decay_from: Share of the time after which the rate falls linearly to zero.
        clip: Largest gradient norm.
        seed: Of weights and batches.
        held_out: Share of segments kept out of training, for the curve.
    """

    config: ModelConfig = field(default_factory=ModelConfig)
    minutes: float = 95.0
    steps: int | None = None
    source_mb: float = 12.0
    pair_mb: float = 4.0
    tokenizer_mb: float = 60.0
    batch_tokens: int = 4096
    parts: int = 4
    pair_batch: int = 192
    pair_every: int = 16
    gist_from: float = 0.35
    gist_weight: float = 0.5
    taught_every: int = 8
    taught_weight: float = 1.0
    kept_every: int = 4
    topic_steps: int = 500
    temperature: float = 0.05
    matrix_rate: float = 1.2e-2
    other_rate: float = 5e-3
    warmup_steps: int = 100
    decay_from: float = 0.5
    clip: float = 1.0
    seed: int = 0
    held_out: float = 0.002

    def with_rates(self, factor: float) -> Recipe:
        """The same with peak learning rates times ``factor``."""
        return replace(
            self, matrix_rate=self.matrix_rate * factor, other_rate=self.other_rate * factor
        )

    def progress(self, step: int, elapsed_s: float) -> float:
        """Share of a run that is done, by its time or its steps, whichever is more; ends at 1."""
        by_time = elapsed_s / (self.minutes * 60.0)
        by_steps = step / self.steps if self.steps is not None else 0.0
        return min(1.0, max(by_time, by_steps))

    def rate(self, step: int, progress: float) -> float:
        """Factor on the peak learning rates.

        Args:
            step: Steps done.
            progress: Share of the run that is done, 0 to 1.
        """
        warm = min(1.0, (step + 1) / self.warmup_steps)
        fall = min(1.0, (1.0 - progress) / (1.0 - self.decay_from))
        return warm * max(fall, 0.0)

    def to_dict(self) -> dict[str, Any]:
        """All choices by name, for the training record."""
        return asdict(self)
