"""The frozen superseder in the engine."""

from __future__ import annotations

import numpy as np

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model.config import SupersederConfig
from r3mem_agents.model.frozen import shapes
from r3mem_agents.model.frozen.interface import Floats
from r3mem_agents.model.native.bounds import shaped, whole
from r3mem_agents.model.native.encoder import NativeEncoder
from r3mem_agents.model.native.library import Library, checked, pointer
from r3mem_agents.model.native.network import NativeNetwork
from r3mem_agents.model.native.threads import in_parts, within
from r3mem_agents.model.predictions import Integers


class NativeSuperseder(NativeNetwork):
    """``FrozenSuperseder`` by the engine.

    Args:
        config: Sizes of the network.
        tensors: What a checkpoint holds of it.
        encoder: Whose embeddings of word pieces it reads.
        engine: The library to compute it with; the fastest one by default.

    Raises:
        CheckpointError: The tensors, or the embeddings, do not fit the sizes.
    """

    def __init__(
        self,
        config: SupersederConfig,
        tensors: shapes.Tensors,
        encoder: NativeEncoder,
        engine: Library | None = None,
    ) -> None:
        super().__init__(config, tensors, shapes.superseder(config), "superseder", engine)
        if encoder.config.hidden != config.hidden:
            raise CheckpointError(
                f"the superseder reads embeddings of {config.hidden} channels where the encoder's "
                f"have {encoder.config.hidden}"
            )
        self.config = config
        self._encoder = encoder
        self._read = self.matrix("read")

    def compare(self, pieces: Integers, count: Integers) -> Floats:
        """What is read of both turns of each pair; see ``FrozenSuperseder``.

        Raises:
            InvalidInputError: A piece is not in the vocabulary, or a turn too long or empty.
        """
        count = whole(count, 1, self.config.positions, "numbers of pieces")
        pieces = whole(pieces, 0, self._encoder.config.vocabulary - 1, "word pieces")
        shaped(count, (len(count), 2), "numbers of pieces")
        shaped(pieces, (int(count.sum()),), "word pieces")
        found = np.empty((len(count), 2, self.config.compared), np.float32)
        both = count.sum(1)
        begin = np.cumsum([0, *both.tolist()])

        def compare(pairs: Integers, team: int | None) -> None:
            some, many = pieces[within(begin, pairs)], count[pairs]
            read = np.empty((len(pairs), *found.shape[1:]), np.float32)
            checked(
                self.engine.calls.r3_compare(
                    self.stack, team, self._encoder.embedding,
                    pointer(self.tensors["position"]), pointer(self.tensors["side"]), self._read,
                    len(many), pointer(some), pointer(many), pointer(read),
                )
            )  # fmt: skip
            found[pairs] = read

        in_parts(self.engine, compare, both)
        return found
