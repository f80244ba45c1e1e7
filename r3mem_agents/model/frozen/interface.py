"""The contract of the frozen network: what goes in, what comes out, and what may not differ.

Three networks make up a model. Each is a value: immutable, without gradients, safe to call from
several threads at once (an ``Expansion`` belongs to one).

======================  =============================================  ==========================
method                  takes                                          gives
======================  =============================================  ==========================
``FrozenEncoder``
``encode``              word pieces, how many of each text are real    gists before their bits are
                                                                       taken, float32
``FrozenSuperseder``
``compare``             pieces of the older, then of the newer turn    what is read of both turns,
                                                                       float32
``FrozenExpander``
``measure``             segments and all of their tokens               where each token lies among
                                                                       the frequencies, int64
``expand``              segments                                       an ``Expansion``
``Expansion.classes``   the tokens known so far                        frequencies of classes of the
                                                                       next round, int32
``Expansion.tokens``    the classes that were read                     frequencies of the tokens in
                                                                       them, int32
======================  =============================================  ==========================

Arrays are C-contiguous; identifiers and counts are int64. What lies past a count is padding: any
valid identifier may stand there, and no result depends on it.

**Bit for bit.** Two implementations, batch sizes, devices and numbers of threads give the same
bits, in the floats as well: stored memory tokens can be expanded only under the very frequencies
that they were written under. ``exact`` says by which arithmetic; in short:

* activations, weights and streams are whole numbers, and their products are summed exactly;
* a norm: squares are rounded to float32 each, their sum in float64 is exact; then one float64
  multiply, add and square root, rounded to float32, and one float32 division;
* a product leaves the integers by one float32 multiply (the scale of its row), then one float32 add
  (the bias), never fused; one that is wider than ``EXACT_WIDTH`` is summed in parts of that width,
  whose sums are added in order in float32. Reals return to integers by rounding half to even;
* attention weights and frequencies are looked up in the integer tables of ``scales``, at the
  distance from the best score of the row; a mean is one float32 division, rounded.

An implementation is made from a configuration (``config``) and the tensors of a checkpoint
(``shapes``). What does not depend on the text, such as biases by distance and what stands at a
position before any token, is in ``tables.Tables``, in whole numbers. Calls are made within
``isolation.computing``, which keeps a host's settings out and the number of threads fitting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.model.config import EncoderConfig, ModelConfig, SupersederConfig
from r3mem_agents.model.predictions import Frequencies, Integers, Intervals

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments of text as they are known before the first round of an expansion.

    Attributes:
        count: int64 ``(batch,)``, tokens of each, 1 to ``segment_tokens``.
        continued: bool ``(batch,)``, whether it goes on where another segment of its text ended.
        gists: uint8 ``(batch, gist_bits / 8)``, most significant bit first.
    """

    count: Integers
    continued: NDArray[np.bool_]
    gists: NDArray[np.uint8]


class FrozenEncoder(Protocol):
    """The network that runs forward, from word pieces to gists."""

    @property
    def config(self) -> EncoderConfig:
        """Sizes of the network."""

    def encode(self, pieces: Integers, count: Integers) -> Floats:
        """Gists of texts before their bits are taken.

        Args:
            pieces: int64 ``(batch, positions)``, word pieces; at most ``config.positions`` columns.
            count: int64 ``(batch,)``, pieces of each text, at least 1.

        Returns:
            float32 ``(batch, gist_bits)``; a bit is 1 where it is positive.
        """


class FrozenSuperseder(Protocol):
    """The network that reads two turns together, to tell whether the newer supersedes the older."""

    @property
    def config(self) -> SupersederConfig:
        """Sizes of the network."""

    def compare(self, pieces: Integers, older: Integers, newer: Integers) -> Floats:
        """What is read of the older and of the newer turn of each pair.

        Args:
            pieces: int64 ``(pairs, positions)``, the encoder's word pieces of the older turn, right
                after them those of the newer, then padding.
            older: int64 ``(pairs,)``, pieces of the older turn, 1 to ``config.positions``.
            newer: int64 ``(pairs,)``, pieces of the newer turn, the same.

        Returns:
            float32 ``(pairs, 2, compared)``; the product of the two halves of a pair is its
            log-odds.
        """


class Expansion(Protocol):
    """An expansion under way. Rounds come in the order of ``Schedule.rounds`` of the counts.

    The rows of an answer are the tokens that the round fills in, by segments, then positions.
    """

    def classes(self, tokens: Integers) -> Frequencies:
        """Run the next round.

        Args:
            tokens: int64 ``(batch, positions)``, tokens of the rounds before; anything elsewhere.

        Returns:
            int32 ``(filled, classes)``, frequencies of the classes of the tokens that the round
            fills in; 1 to ``TOP_FREQUENCY``, which the best one has.
        """

    def tokens(self, classes: Integers) -> Frequencies:
        """Frequencies of the tokens in the classes that were read, of the same round.

        Args:
            classes: int64 ``(filled,)``.

        Returns:
            int32 ``(filled, class_size)``, as of ``classes``.
        """


class FrozenExpander(Protocol):
    """The network that runs backward, from what is known of a segment to its tokens."""

    @property
    def config(self) -> ModelConfig:
        """Sizes of the network."""

    def measure(self, segments: Segments, tokens: Integers) -> Intervals:
        """Where the tokens of segments lie among the frequencies predicted for them, in one pass.

        The frequencies are those that ``expand`` gives when it is told these tokens.

        Args:
            segments: What is known of them.
            tokens: int64 ``(batch, positions)``.

        Returns:
            int64, a column for each real token, by segments, then positions.
        """

    def expand(self, segments: Segments) -> Expansion:
        """Begin an expansion of segments whose tokens are not known."""
