"""The frozen encoder in the engine."""

from __future__ import annotations

import numpy as np

from r3mem_agents.model.config import EncoderConfig
from r3mem_agents.model.frozen import shapes
from r3mem_agents.model.frozen.interface import Floats
from r3mem_agents.model.native.bounds import shaped, whole
from r3mem_agents.model.native.library import Library, checked, pointer
from r3mem_agents.model.native.network import NativeNetwork
from r3mem_agents.model.native.threads import in_parts, within
from r3mem_agents.model.predictions import Integers


class NativeEncoder(NativeNetwork):
    """``FrozenEncoder`` by the engine.

    Args:
        config: Sizes of the network.
        tensors: What a checkpoint holds of it.
        engine: The library to compute it with; the fastest one by default.

    Raises:
        CheckpointError: The tensors do not fit the sizes.
    """

    def __init__(
        self, config: EncoderConfig, tensors: shapes.Tensors, engine: Library | None = None
    ) -> None:
        super().__init__(config, tensors, shapes.encoder(config), "encoder", engine)
        self.config = config
        self._to_gist = self.matrix("to_gist")

    def encode(self, pieces: Integers, count: Integers) -> Floats:
        """Gists of texts before their bits are taken; see ``FrozenEncoder``.

        Raises:
            InvalidInputError: A piece is not in the vocabulary, or a text too long or empty.
        """
        config = self.config
        count = whole(count, 1, config.positions, "numbers of pieces")
        pieces = whole(pieces, 0, config.vocabulary - 1, "word pieces")
        shaped(pieces, (int(count.sum()),), "word pieces")
        gists = np.empty((len(count), config.gist_bits), np.float32)
        begin = np.cumsum([0, *count.tolist()])

        def encode(texts: Integers, team: int | None) -> None:
            some, many = pieces[within(begin, texts)], count[texts]
            read = np.empty((len(texts), config.gist_bits), np.float32)
            checked(
                self.engine.calls.r3_encode(
                    self.stack, team, self.embedding, pointer(self.tensors["position"]),
                    self._to_gist, len(many), pointer(some), pointer(many), pointer(read),
                )
            )  # fmt: skip
            gists[texts] = read

        in_parts(self.engine, encode, count)
        return gists
