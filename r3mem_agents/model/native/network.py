"""What the networks of the engine have in common: their matrices and their stack."""

from __future__ import annotations

import ctypes
import weakref
from ctypes import byref, c_void_p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.model.config import StackConfig
from r3mem_agents.model.frozen.shapes import Shapes, Tensors, check
from r3mem_agents.model.native.library import Embedding, Library, Sizes, library, pointer
from r3mem_agents.model.scales import attention_exponential

_OF_COUPLING = ("attention.mix", "attention.out", "feedforward.widen", "feedforward.narrow")
"""Matrices of a coupling, in the order of the engine."""


class NativeNetwork:
    """A frozen network in the engine.

    Attributes:
        tensors: What a checkpoint holds of it, by name.
        engine: The library that computes it.
        stack: The engine's stack.

    Args:
        config: Sizes of its stack.
        tensors: Never written to.
        shapes: Shapes that they have to have.
        name: Name of the network, for errors.
        engine: The library to compute it with; the fastest one by default.

    Raises:
        CheckpointError: The tensors do not fit.
    """

    def __init__(
        self,
        config: StackConfig,
        tensors: Tensors,
        shapes: Shapes,
        name: str,
        engine: Library | None,
    ) -> None:
        check(tensors, shapes, name)
        self.tensors = {
            name: np.require(held, requirements=["C", "A"]) for name, held in tensors.items()
        }
        self.engine = engine or library()
        self._rooms: list[NDArray[np.int8]] = []
        self.stack = self._made_stack(config)

    def matrix(self, name: str, room: NDArray[np.int8] | None = None) -> int:
        """A matrix of the engine from the tensors of this name (``shapes.matrix``)."""
        levels, scale = self.tensors[f"{name}.levels"], self.tensors[f"{name}.scale"]
        return self.matrix_of(levels, scale, self.tensors.get(f"{name}.bias"), room)

    def matrix_of(
        self,
        levels: NDArray[Any],
        scale: NDArray[Any],
        bias: NDArray[Any] | None,
        room: NDArray[np.int8] | None = None,
    ) -> int:
        """A matrix of the engine, which is freed with this network.

        Args:
            levels: Its levels.
            scale: Of each row.
            bias: Of each row, if there is one.
            room: Where the engine puts its levels; of its own by default.
        """
        if room is None:
            room = np.empty(self._size(levels), np.int8)
        self._rooms.append(room)
        made = self.engine.calls.r3_matrix_new(
            *levels.shape, pointer(levels), pointer(scale), pointer(bias), pointer(room)
        )
        return self._owned(made, self.engine.calls.r3_matrix_free)

    @property
    def embedding(self) -> Embedding:
        """The engine's view of the embeddings."""
        levels, scale = self.tensors["embedding.levels"], self.tensors["embedding.scale"]
        return Embedding(pointer(levels), pointer(scale))

    def _made_stack(self, config: StackConfig) -> int:
        names = [
            f"stack.couplings.{layer}.{name}"
            for layer in range(config.layers)
            for name in _OF_COUPLING
        ]
        ends = np.cumsum([self._size(self.tensors[f"{name}.levels"]) for name in names])
        rooms = np.split(np.empty(ends[-1], np.int8), ends[:-1])  # as one: NumPy takes huge pages
        matrices = [self.matrix(name, room) for name, room in zip(names, rooms, strict=True)]
        weights = np.array(attention_exponential(config.head_size), np.uint8)
        made = self.engine.calls.r3_stack_new(
            byref(Sizes(config.hidden, config.layers, config.heads, config.feedforward)),
            (c_void_p * len(matrices))(*matrices),
            pointer(weights),
            len(weights),
        )
        return self._owned(made, self.engine.calls.r3_stack_free)

    def _size(self, levels: NDArray[Any]) -> int:
        """Room that levels take in the engine."""
        return int(self.engine.calls.r3_matrix_bytes(*levels.shape))

    def _owned(self, made: int | None, free: ctypes._NamedFuncPointer) -> int:
        if made is None:
            raise MemoryError("there is no memory for the model")
        weakref.finalize(self, free, made)
        return made
