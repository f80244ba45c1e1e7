"""The frozen expander in PyTorch: the stack run backward, from a gist to predictions of tokens.

Stream ``b`` holds what is known: in the slots the length and the gist, at a text position the
token beside it that the round before filled in, or an edge or centre where growth begins
(``schedule``). Stream ``a`` holds a learned blank everywhere; the inverse fills it in, and what it
holds at position ``p`` is read as the prediction of token ``p``: first of its class, by a matrix of
classes, then of the token in that class, by the tied embedding. Token ``t`` is in class
``t // class_size``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.frozen import shapes
from r3mem_agents.model.frozen.interface import Segments, Streams
from r3mem_agents.model.predictions import Frequencies, Integers, Intervals, Predictions
from r3mem_agents.model.rangecoder import RangeDecoder
from r3mem_agents.model.reference.exact import frequencies_, normalize, snap_
from r3mem_agents.model.reference.expansion import TorchExpansion
from r3mem_agents.model.reference.isolation import computing
from r3mem_agents.model.reference.layout import Condition, Layout, length_row
from r3mem_agents.model.reference.matrix import Matrix, Tensors
from r3mem_agents.model.reference.network import TorchNetwork
from r3mem_agents.model.reference.padding import batches, inside_of, padded
from r3mem_agents.model.reference.stack import Stack
from r3mem_agents.model.reference.tables import Tables
from r3mem_agents.model.reference.threads import CORES
from r3mem_agents.model.scales import ACTIVATION_SCALE, EMBEDDING_GAIN, PREDICTION_STEPS
from r3mem_agents.model.schedule import SLOTS, Schedule

PREDICTIONS_AT_ONCE = 128
"""Rows of predictions whose intermediate tensors malloc keeps, instead of mapping and faulting them
in anew each time (docs/LOG.md, 2026-11-21, "Small batches")."""


SEGMENTS_AT_ONCE = 64
"""Segments of an expansion that go through the passes together, unless one text has more."""


class TorchExpander(TorchNetwork):
    """The reference implementation of ``FrozenExpander``.

    Args:
        config: Sizes of the network.
        tensors: What a checkpoint holds of it.

    Attributes:
        tables: What depends on no text.
        layout: Positions and rows of biases.
        stack: The couplings.

    Raises:
        CheckpointError: The tensors do not fit the sizes.
    """

    def __init__(self, config: ModelConfig, tensors: Tensors) -> None:
        super().__init__(tensors, shapes.expander(config), "expander")
        self.config = config
        self._embedding = Matrix(tensors, "embedding")
        self._classes = Matrix(tensors, "classes")
        self._from_gist = Matrix(tensors, "from_gist")
        by_class = (config.classes, config.class_size)
        self._levels = self._embedding.levels.view(*by_class, -1)
        self._scale = self._embedding.scale.view(by_class)
        self._unigram = tensors["unigram"].view(by_class)
        self.stack = Stack(config, tensors)
        self.tables = Tables.of(config, tensors)
        self.layout = Layout.of(config, self.device)

    def to(self, device: str | torch.device) -> TorchExpander:
        """The same network on another device."""
        return TorchExpander(self.config, self.moved(device))

    def measure(self, segments: Segments, tokens: Integers) -> Intervals:
        """Where tokens lie among the frequencies of their predictions; see ``FrozenExpander``."""
        starts = np.cumsum(segments.count) - segments.count
        found = np.empty((3, 2, len(tokens)), np.int64)
        with computing(self.device):
            for some in batches(segments.count):
                CORES.fit()
                count = segments.count[some]
                columns = np.concatenate(
                    [np.arange(starts[row], starts[row] + segments.count[row]) for row in some]
                )
                known = Segments(count, segments.continued[some], segments.gists[some])
                measured = self._measure(known, tokens[columns])
                found[:, :, columns] = measured.start, measured.size, measured.total
        return Intervals(*found)

    def _measure(self, segments: Segments, tokens: Integers) -> Intervals:
        condition = self.condition(segments)
        ids = torch.from_numpy(padded(tokens, segments.count)).to(self.device)
        inside = torch.from_numpy(inside_of(segments.count)).to(self.device)
        states, true = self.states(ids, condition, condition.count)[inside], ids[inside]
        parts, size = [], self.config.class_size
        for some in _in_parts(len(states)):
            classes = self._frequencies(self.class_logits(states[some]))
            within = self._frequencies(self.token_logits(states[some], true[some] // size))
            truth = true[some].cpu().numpy()
            parts.append(Intervals.of(Predictions(classes), Predictions(within), truth, size))
        return Intervals.join(parts)

    def expand(self, segments: Segments, streams: Streams) -> Integers:
        """Read the tokens of segments; see ``FrozenExpander``."""
        rows = np.zeros((len(segments.count), int(segments.count.max())), np.int64)
        with computing(self.device):
            for some in _groups(segments.count, streams.of):
                known = Segments(
                    segments.count[some], segments.continued[some], segments.gists[some]
                )
                decoders = [streams.decoders[stream] for stream in streams.of[some].tolist()]
                found = self._expand(known, decoders)
                rows[some, : found.shape[1]] = found
        return rows[inside_of(segments.count)]

    def _expand(self, segments: Segments, decoders: Sequence[RangeDecoder]) -> Integers:
        """Tokens ``(segments, positions)``, the decoder of each segment given."""
        schedule = Schedule.of(self.config.segment_tokens, self.config.rounds)
        expansion = TorchExpansion(self, self.condition(segments))
        tokens = np.zeros((len(segments.count), int(segments.count.max())), np.int64)
        for rows, places in schedule.rounds(segments.count):
            of_rows = [decoders[row] for row in rows.tolist()]
            classes = _read(expansion.classes(tokens), of_rows)
            inside = _read(expansion.tokens(classes), of_rows)
            tokens[rows, places] = classes * self.config.class_size + inside
        return tokens

    def condition(self, segments: Segments) -> Condition:
        """What is known of segments, as tensors."""
        bits = np.unpackbits(segments.gists, axis=1).astype(np.float32)
        return Condition(
            *(
                torch.from_numpy(one).to(self.device)
                for one in (segments.count, segments.continued, bits * 2 - 1)
            )
        )

    def states(self, tokens: Tensor, condition: Condition, layout: Tensor) -> Tensor:
        """Final states of segments whose tokens are known, all rounds at once.

        Args:
            tokens: ``(batch, positions)`` int64.
            condition: What is known of the segments.
            layout: Counts that the layout follows: ``(batch,)``, or ``(1,)`` where all segments
                are of the same length, which saves a batch of biases.

        Returns:
            ``(batch, positions, hidden)`` as integer levels.
        """
        positions = tokens.shape[1]
        places = self.layout.together(layout, positions)
        beside = places.held.expand(len(tokens), -1).clamp(0, positions - 1)
        text = self.embed(tokens.gather(1, beside)).mul_((places.round > 0)[..., None])
        text.add_(self.tables.frame[layout, :positions])
        rows = self.layout.rows(places.place, places.round, places.role, places.held, places.round)
        known = self.after_slots(condition, text)
        biases = self.biases(self.layout.with_slots(rows))
        return normalize(self.stack.expand(self.blanks(known), known, biases)[:, SLOTS:])

    def class_logits(self, states: Tensor) -> Tensor:
        """Predictions of classes ``(..., classes)`` in nats from final states ``(..., hidden)``."""
        return self._classes(states)

    def token_logits(self, states: Tensor, classes: Tensor) -> Tensor:
        """Predictions ``(rows, class_size)`` of the tokens in classes, in nats.

        Args:
            states: ``(rows, hidden)`` integer levels.
            classes: ``(rows,)`` int64.
        """
        weight = self._levels[classes].to(states.dtype)
        counted = torch.bmm(weight, states[..., None])[..., 0]
        return counted.mul_(self._scale[classes]).add_(self._unigram[classes])

    def class_frequencies(self, states: Tensor) -> Frequencies:
        """Frequencies of classes, ``(rows, classes)``, from final states ``(rows, hidden)``."""
        return np.concatenate(
            [self._frequencies(self.class_logits(states[some])) for some in _in_parts(len(states))]
        )

    def token_frequencies(self, states: Tensor, classes: Integers) -> Frequencies:
        """Frequencies of the tokens in classes, ``(rows, class_size)``, from final states."""
        chosen = torch.from_numpy(classes).to(self.device)
        return np.concatenate(
            [
                self._frequencies(self.token_logits(states[some], chosen[some]))
                for some in _in_parts(len(states))
            ]
        )

    def embed(self, tokens: Tensor) -> Tensor:
        """What tokens add to stream ``b``, in whole steps."""
        return snap_(self._embedding.rows(tokens).mul_(EMBEDDING_GAIN))

    def after_slots(self, condition: Condition, text: Tensor) -> Tensor:
        """Stream ``b`` of the slots and, after them, of text positions."""
        length = self.tables.length[length_row(condition, self.config.segment_tokens)]
        code = snap_(self._from_gist(condition.gist * ACTIVATION_SCALE))
        return torch.cat((length[:, None], code[:, None], text), 1)

    def biases(self, rows: Tensor) -> Tensor:
        """Biases of every coupling but the first from rows ``(batch, queries, keys)``.

        Returns:
            ``(layers - 1, heads, batch, queries, keys)``.
        """
        chosen = self.tables.bias.index_select(1, rows.flatten())
        return chosen.view(self.config.layers - 1, self.config.heads, *rows.shape)

    def blanks(self, known: Tensor) -> Tensor:
        """Stream ``a`` beside what is known ``(batch, positions, hidden)``."""
        return self.tables.blank.expand_as(known)

    @staticmethod
    def _frequencies(nats: Tensor) -> Frequencies:
        return frequencies_(nats.mul_(PREDICTION_STEPS)).cpu().numpy()


def _in_parts(rows: int) -> Iterator[slice]:
    for start in range(0, max(rows, 1), PREDICTIONS_AT_ONCE):
        yield slice(start, start + PREDICTIONS_AT_ONCE)


def _read(frequencies: Frequencies, decoders: Sequence[RangeDecoder]) -> Integers:
    """The next symbol of each stream."""
    predicted = Predictions(frequencies)
    read = [predicted.read(row, decoder) for row, decoder in enumerate(decoders)]
    return np.array(read, np.int64)


def _groups(count: Integers, stream: Integers) -> list[list[int]]:
    """Segments that go through the passes together: those of streams of similar length."""
    of: dict[int, list[int]] = {}
    for segment, one in enumerate(stream.tolist()):
        of.setdefault(one, []).append(segment)
    groups: list[list[int]] = []
    for segments in sorted(of.values(), key=lambda rows: int(count[rows].max())):
        if not groups or len(groups[-1]) + len(segments) > SEGMENTS_AT_ONCE:
            groups.append([])
        groups[-1] += segments
    return groups
