"""The contract of the frozen network: what goes in, what comes out, and what may not differ.

Three networks make up a model. Each is a value: immutable, without gradients, safe to call from
several threads at once.

======================  =======================================  ===================================
method                  takes                                    gives
======================  =======================================  ===================================
``FrozenEncoder``
``encode``              word pieces of texts                     gists before their bits are taken,
                                                                 float32
``FrozenSuperseder``
``compare``             word pieces of pairs of turns            what is read of both turns, float32
``FrozenExpander``
``measure``             segments and all of their tokens         where each token lies among the
                                                                 frequencies, int64
``expand``              segments and the streams they are in     their tokens, int64
======================  =======================================  ===================================

Nothing is padded: pieces and tokens of several texts stand one after the other in one array, and
counts say where each ends. Arrays are C-contiguous; identifiers and counts are int64.

**Bit for bit.** Two implementations, batch sizes, devices and numbers of threads give the same
bits, in the floats as well: stored memory tokens can be expanded only under the very frequencies
that they were written under. In short, with the numbers of ``scales``:

* activations, weights and streams are whole numbers, and their products are summed exactly;
* a norm: squares are rounded to float32 each, their sum in float64 is exact; then one float64
  multiply, add and square root, rounded to float32, and one float32 division;
* a product leaves the integers by one float32 multiply (the scale of its row), then one float32 add
  (the bias), never fused; one that is wider than ``EXACT_WIDTH`` is summed in parts of that width,
  whose sums are added in order in float32. Reals return to integers by rounding half to even;
* attention weights and frequencies are looked up in the integer tables of ``scales``, at the
  distance from the best score of the row; a mean is one float32 division, rounded.

``model/native`` implements it by the engine in C that every memory runs on, ``model/reference`` in
PyTorch, for GPUs and for training, and ``tests/model/plain.py`` in plain numpy. An implementation
is made from a configuration (``config``) and the tensors of a checkpoint (``shapes``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.model.config import EncoderConfig, ModelConfig, SupersederConfig
from r3mem_agents.model.predictions import Integers, Intervals
from r3mem_agents.model.rangecoder import RangeDecoder

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments of text as they are known before the first round of an expansion.

    Attributes:
        count: int64 ``(segments,)``, tokens of each, 1 to ``segment_tokens``.
        continued: bool ``(segments,)``, whether it goes on where another segment of its text ended.
        gists: uint8 ``(segments, gist_bits / 8)``, most significant bit first.
    """

    count: Integers
    continued: NDArray[np.bool_]
    gists: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams that tokens of segments are read from.

    Attributes:
        decoders: One for each stream, at its first learned token.
        of: int64 ``(segments,)``, which of them each segment is in; the segments of a stream come
            in the order of their text, none of another stream between them.
    """

    decoders: Sequence[RangeDecoder]
    of: Integers


class FrozenEncoder(Protocol):
    """The network that runs forward, from word pieces to gists."""

    @property
    def config(self) -> EncoderConfig:
        """Sizes of the network."""

    def encode(self, pieces: Integers, count: Integers) -> Floats:
        """Gists of texts before their bits are taken.

        Args:
            pieces: int64 ``(sum of count,)``, word pieces of all texts.
            count: int64 ``(texts,)``, pieces of each text, 1 to ``config.positions``.

        Returns:
            float32 ``(texts, gist_bits)``; a bit is 1 where it is positive.
        """


class FrozenSuperseder(Protocol):
    """The network that reads two turns together, to tell whether the newer supersedes the older."""

    @property
    def config(self) -> SupersederConfig:
        """Sizes of the network."""

    def compare(self, pieces: Integers, count: Integers) -> Floats:
        """What is read of the older and of the newer turn of each pair.

        Args:
            pieces: int64 ``(sum of count,)``, the encoder's word pieces of the older, then of the
                newer turn of each pair.
            count: int64 ``(pairs, 2)``, pieces of the older and of the newer turn, 1 to
                ``config.positions``.

        Returns:
            float32 ``(pairs, 2, compared)``; the product of the two halves of a pair is its
            log-odds.
        """


class FrozenExpander(Protocol):
    """The network that runs backward, from what is known of a segment to its tokens."""

    @property
    def config(self) -> ModelConfig:
        """Sizes of the network."""

    def measure(self, segments: Segments, tokens: Integers) -> Intervals:
        """Where the tokens of segments lie among the frequencies predicted for them, in one pass.

        The frequencies are those that ``expand`` reads under when it gives these tokens.

        Args:
            segments: What is known of them.
            tokens: int64 ``(sum of count,)``, those of all segments.

        Returns:
            int64, a column for each token.
        """

    def expand(self, segments: Segments, streams: Streams) -> Integers:
        """Read the tokens of segments, round by round (``Schedule.rounds``).

        Of each round of a stream come first the classes of all tokens, segment by segment, then the
        tokens in their classes. The decoders are left where the last token ends.

        Args:
            segments: What is known of them.
            streams: Where their tokens are read.

        Returns:
            int64 ``(sum of count,)``, those of all segments. Streams that are damaged give some
            tokens too; what protects against them is the hash in each stream.
        """
