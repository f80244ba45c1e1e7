"""The expander as training sees it; ``frozen.expander`` says what it computes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.reference.exact import FLOAT
from r3mem_agents.model.reference.expander import TorchExpander
from r3mem_agents.model.reference.layout import Condition, Layout, frame_of, length_row
from r3mem_agents.model.scales import (
    ACTIVATION_SCALE,
    EMBEDDING_GAIN,
    NOWHERE,
    STREAM_SCALE,
    score_steps,
)
from r3mem_agents.model.schedule import BACKWARD, ROLES, SLOTS
from r3mem_agents.model.trainable.matrix import RoundedLinear
from r3mem_agents.model.trainable.network import rounded_tensors, thawed
from r3mem_agents.model.trainable.rounding import normalize, quantize, snap
from r3mem_agents.model.trainable.stack import ReversibleStack

EMBEDDING_STD = 0.02
"""Standard deviation of the tied embedding at the start (GPT-2)."""

FOCUS = 4.0
"""Initial score, in nats, of the neighbour that a head starts by looking at."""

OUTWARD_OFFSETS = (-1, -2, -3, -4, 1, 2)
"""Which token, seen from a predicted one, a head looks at first on the way back: the tokens that
lie behind it as it grows, then those ahead; further heads look around."""


class Expander(nn.Module):
    """Reversible stack with its embeddings, slots, biases and classes of tokens.

    Args:
        config: Sizes of the network.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        hidden, span = config.hidden, config.segment_tokens
        self.embedding = RoundedLinear(hidden, config.vocabulary, std=EMBEDDING_STD)
        self.unigram = nn.Parameter(torch.zeros(config.vocabulary, dtype=FLOAT))
        self.classes = RoundedLinear(hidden, config.classes, std=EMBEDDING_STD, biased=True)
        self.blank = nn.Parameter(torch.zeros(hidden, dtype=FLOAT))
        self.role = nn.Parameter(torch.randn(ROLES, hidden, dtype=FLOAT) * 0.1)
        self.edge = nn.Parameter(torch.randn(ROLES, hidden, dtype=FLOAT) * 0.5)
        self.after_start = nn.Parameter(torch.zeros(span, hidden, dtype=FLOAT))
        self.before_end = nn.Parameter(torch.zeros(span, hidden, dtype=FLOAT))
        self.length = nn.Parameter(torch.randn(2 * span, hidden, dtype=FLOAT) * 0.5)
        self.from_gist = RoundedLinear(config.gist_bits, hidden, gain=STREAM_SCALE)
        self.stack = ReversibleStack(config)
        self.backward_bias = nn.Parameter(initial_biases(config))

    def freeze(self) -> TorchExpander:
        """The frozen network that a checkpoint holds; training on does not change it."""
        return TorchExpander(self.config, rounded_tensors(self))

    @classmethod
    def thaw(cls, frozen: TorchExpander) -> Expander:
        """A network to train that starts as a frozen one."""
        return thawed(lambda: cls(frozen.config), frozen)

    def states(self, tokens: Tensor, condition: Condition, layout: Tensor) -> Tensor:
        """Final states of segments whose tokens are known, all rounds at once.

        Args:
            tokens: ``(batch, positions)`` int64.
            condition: What is known of the segments.
            layout: Counts that the layout follows: ``(batch,)``, or ``(1,)`` where all segments
                are of the same length, which saves a batch of biases.

        Returns:
            ``(batch, positions, hidden)`` as integer levels; ``class_logits`` and
            ``token_logits`` read them.
        """
        positions, table = tokens.shape[1], Layout.of(self.config, tokens.device)
        places = table.together(layout, positions)
        beside = places.held.expand(len(tokens), -1).clamp(0, positions - 1)
        given = snap(self.embedding.rows(tokens.gather(1, beside)) * EMBEDDING_GAIN)
        frame = frame_of(places, layout, self.role, self.edge, self.after_start, self.before_end)
        text = snap(frame * STREAM_SCALE) + given * (places.round > 0)[..., None]
        rows = table.rows(places.place, places.round, places.role, places.held, places.round)
        known = torch.cat((self._slots(condition).to(text.dtype), text), 1)
        blanks = snap(self.blank * STREAM_SCALE).to(known.dtype).expand_as(known)
        a = self.stack.expand(blanks, known, self._biases(table.with_slots(rows)))
        return normalize(a[:, SLOTS:])

    def class_logits(self, states: Tensor) -> Tensor:
        """Predictions of classes ``(..., classes)`` in nats from final states ``(..., hidden)``."""
        predicted: Tensor = self.classes(states)
        return predicted

    def token_logits(self, states: Tensor, classes: Tensor) -> Tensor:
        """Predictions ``(rows, class_size)`` of the tokens in classes, in nats.

        Args:
            states: ``(rows, hidden)`` integer levels.
            classes: ``(rows,)`` int64.
        """
        rows, shape = torch.arange(len(states), device=states.device), (-1, self.config.class_size)
        rounded, scale = quantize(self.embedding.weight)
        product = F.linear(states, rounded).view(len(states), *self.unigram.view(shape).shape)
        unit = (scale * self.embedding.unit).view(shape)
        return product[rows, classes] * unit[classes] + self.unigram.view(shape)[classes]

    def set_unigram(self, counts: Tensor) -> Expander:
        """Start predictions from how often tokens occur, ``(vocabulary,)``."""
        with torch.no_grad():
            seen = counts.to(torch.float64) + 1.0
            inside = seen.view(-1, self.config.class_size)
            self.unigram.copy_((inside / inside.mean(1, keepdim=True)).log().flatten())
            assert self.classes.bias is not None
            self.classes.bias.copy_((inside.sum(1) / inside.sum(1).mean()).log())
        return self

    def _biases(self, rows: Tensor) -> Tensor:
        """Biases of every coupling but the first from rows ``(batch, queries, keys)``.

        Returns:
            ``(layers - 1, heads, batch, queries, keys)``.
        """
        scores = snap(self.backward_bias * score_steps(self.config.head_size))
        table = torch.cat((scores, torch.full_like(scores[:1], NOWHERE)))
        found = table.flatten(1)[rows].reshape(*rows.shape, *table.shape[1:])
        return found.permute(3, 4, 0, 1, 2)[1:]

    def _slots(self, condition: Condition) -> Tensor:
        length = self.length[length_row(condition, self.config.segment_tokens)]
        code = self.from_gist(condition.gist.to(length.dtype) * ACTIVATION_SCALE)
        return snap(torch.stack((length * STREAM_SCALE, code.to(length.dtype)), 1))


def initial_biases(config: ModelConfig) -> Tensor:
    """Biases ``(rows, layers, heads)`` at the start: one head per offset, the rest near."""
    span, table = config.segment_tokens, Layout.of(config, torch.device("cpu"))
    distance = torch.arange(-span, span + 1)
    biases = torch.zeros(table.blocked, config.layers, config.heads, dtype=FLOAT)
    for role in range(ROLES):
        outward = -distance if role == BACKWARD else distance
        rows = table.text_to_text(torch.tensor(role), distance)
        for head in range(config.heads):
            biases[rows, :, head] = _near(outward, head)[:, None]
    return biases


def _near(offset: Tensor, head: int) -> Tensor:
    away = offset.abs().to(FLOAT)
    if head < len(OUTWARD_OFFSETS):
        return FOCUS * (offset == OUTWARD_OFFSETS[head]).to(FLOAT) - 0.05 * away
    return -away * 2.0 ** -(2 + head - len(OUTWARD_OFFSETS))
