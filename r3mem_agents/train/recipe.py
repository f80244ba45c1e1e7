"""The hyperparameters of a training run, with their sources.

Those without a source were chosen while training r3mem-base-1 (docs/LOG.md, 2026-11-27), with
little tuning.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from r3mem_agents.model.config import ModelConfig, SupersederConfig

GOING_ON = 0.25
"""Factor on the peak learning rates of a run that starts from trained weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Hyperparameters that every run has.

    Attributes:
        minutes: Wall time of training; the learning rate falls to near zero by its end.
        steps: Maximum number of steps, if that comes first; it makes a run reproducible.
        source_mb: Maximum megabytes of text read from one file.
        batch_tokens: Positions of a batch; 32,768 suits a GPU.
        warmup_steps: Steps of linear warm-up.
        decay_from: Share of the run after which the rate falls linearly.
        least_rate: Share of the peak rate that it does not fall below.
        clip: Maximum gradient norm.
        held_out: Maximum number of held-out segments or texts, for the curve.
        seed: Seed of weights and batches.
    """

    minutes: float = 120.0
    steps: int | None = None
    source_mb: float = 12.0
    batch_tokens: int = 4096
    warmup_steps: int = 100
    decay_from: float = 0.4
    least_rate: float = 0.01
    clip: float = 1.0
    held_out: int = 8192
    seed: int = 0

    def progress(self, step: int, elapsed_s: float) -> float:
        """Return the share of a run that is done, by time or steps, whichever is more; up to 1."""
        by_time = elapsed_s / (self.minutes * 60.0)
        by_steps = step / self.steps if self.steps is not None else 0.0
        return min(1.0, max(by_time, by_steps))

    def rate(self, step: int, progress: float) -> float:
        """Return the factor on the peak learning rates.

        Args:
            step: Steps done.
            progress: Share of the run that is done, 0 to 1.
        """
        warm = min(1.0, (step + 1) / self.warmup_steps)
        fall = min(1.0, (1.0 - progress) / (1.0 - self.decay_from))
        return warm * max(fall, self.least_rate)

    def to_dict(self) -> dict[str, Any]:
        """Return all hyperparameters by name, for the training record."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpanderRecipe(Recipe):
    """How to train an expander.

    Attributes:
        config: Sizes of the network.
        tokenizer_mb: Megabytes of text that a tokenizer is learned from, in equal shares per file.
        parts: Parts of a step, each of segments of one length.
        other_languages: Weight of a token of another language than English.
        matrix_rate: Peak learning rate of Muon, for the matrices of the stack.
        other_rate: Peak learning rate of AdamW, for everything else.
    """

    config: ModelConfig = field(default_factory=ModelConfig)
    tokenizer_mb: float = 100.0
    parts: int = 2
    other_languages: float = 1.3
    matrix_rate: float = 1.2e-2
    other_rate: float = 4e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderRecipe(Recipe):
    """How to distil an encoder.

    Attributes:
        vocabulary: Maximum number of word pieces.
        positions: Maximum number of pieces of a text.
        pair_mb: Maximum megabytes of pairs read from one file.
        learning_rate: Peak of AdamW's.
        temperature: Temperature of the lists of neighbours; 0.05 as in SimCSE (arXiv 2104.08821).
        similarity_weight: Weight of the squared error of a batch's similarities, beside 1 - cosine.
        list_weight: Weight of either divergence of lists.
        english: Share of a batch for English texts.
        others: Share for texts that the second teacher knows.
        parallel: Share for texts whose English says the same.
        others_weight: Weight of a text whose target is the second teacher's.
        map_texts: Maximum number of English texts, besides the parallel ones, that the map is
            learned from.
        map_steps: Steps of the map from the second teacher's vectors to the first one's.
    """

    warmup_steps: int = 60
    decay_from: float = 0.15
    least_rate: float = 0.02
    vocabulary: int = 73728
    positions: int = 128
    pair_mb: float = 4.0
    learning_rate: float = 7e-4
    temperature: float = 0.05
    similarity_weight: float = 2.0
    list_weight: float = 0.05
    english: float = 0.5
    others: float = 0.25
    parallel: float = 0.25
    others_weight: float = 0.5
    map_texts: int = 200_000
    map_steps: int = 2500


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningRecipe(Recipe):
    """How to tune an encoder on questions.

    Attributes:
        positions: Maximum number of pieces of a text; turns that answer are short.
        pair_mb: Maximum megabytes of pairs read from one of the other files.
        own: Pairs of a batch from the target data.
        others: Pairs of a batch from the other files.
        apart: Share of the groups that is held out.
        learning_rate: Peak of AdamW's.
        temperature: Temperature of lists of candidates; 0.05 as in SimCSE (arXiv 2104.08821).
        list_weight: Weight of the divergence from the teacher's lists.
        start_weight: Weight of the distance from the initial gists.
        kept: Share of the initial weights in the mean of both that the run ends with: texts unlike
            the pairs are found about as before, and texts like them nearly as well as by the tuned
            weights alone (Wortsman et al. 2022, arXiv 2109.01903).
    """

    minutes: float = 60.0
    warmup_steps: int = 30
    decay_from: float = 0.2
    least_rate: float = 0.02
    positions: int = 64
    pair_mb: float = 1.5
    own: int = 64
    others: int = 16
    apart: float = 0.08
    learning_rate: float = 1e-4
    temperature: float = 0.05
    list_weight: float = 0.5
    start_weight: float = 0.5
    kept: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SupersederRecipe(Recipe):
    """How to train a superseder.

    Attributes:
        config: Sizes of the network.
        pairs: Number of pairs in a step.
        updates: Share of them in which the newer turn supersedes the older.
        alike: Share in which the turns are similar but both hold.
        talk: Share from other conversations, in which nothing is assumed to supersede.
        lost: Share of the pieces masked in training (word dropout, Iyyer et al. 2015).
        apart: Share of the memories that is held out.
        learning_rate: Peak of AdamW's.
        decay: AdamW's weight decay.
    """

    minutes: float = 30.0
    warmup_steps: int = 50
    decay_from: float = 0.1
    least_rate: float = 0.01
    config: SupersederConfig = field(default_factory=SupersederConfig)
    source_mb: float = 0.5
    pairs: int = 96
    updates: float = 0.3
    alike: float = 0.2
    talk: float = 0.15
    lost: float = 0.1
    apart: float = 0.08
    learning_rate: float = 2e-4
    decay: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentRecipe(Recipe):
    """How to train memory tokens on a base model.

    Attributes:
        segments: Tokens of a segment; a batch draws one of these.
        histories: Segments of a history; a batch draws one of these.
        read: Tokens of a text that is read after each of its segments.
        raw: Last tokens of the history that half of those texts are read after as well, as every
            prompt has its last ones.
        parts: Batches of a step.
        batch_tokens: Tokens of the histories of a batch.
        paragraph: Share of the batches that ask what answers a question.
        entity: Share that ask for rare words of a segment.
        words: Words that are asked for, of a segment.
        lead: Tokens before such a word that are read.
        rebuilt: Share of the batches that rebuild a segment, too.
        rebuilt_weight: Weight of its loss.
        folded: Share of the histories of several segments whose memory tokens are folded into as
            many as one segment has.
        learning_rate: Peak of AdamW's.
    """

    minutes: float = 240.0
    source_mb: float = 6.0
    batch_tokens: int = 512
    warmup_steps: int = 20
    decay_from: float = 0.0
    least_rate: float = 0.05
    held_out: int = 24
    segments: tuple[int, ...] = (128, 128, 256)
    histories: tuple[int, ...] = (1, 1, 4)
    read: int = 64
    raw: int = 16
    parts: int = 2
    paragraph: float = 0.15
    entity: float = 0.15
    words: int = 4
    lead: int = 16
    rebuilt: float = 0.25
    rebuilt_weight: float = 0.3
    folded: float = 0.25
    learning_rate: float = 1e-3
