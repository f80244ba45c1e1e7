"""The frozen networks of a model on a device: in the engine, or in PyTorch on a GPU."""

from __future__ import annotations

from dataclasses import dataclass

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.model.checkpoint import Checkpoint
from r3mem_agents.model.frozen.interface import FrozenEncoder, FrozenExpander, FrozenSuperseder
from r3mem_agents.model.native.encoder import NativeEncoder
from r3mem_agents.model.native.expander import NativeExpander
from r3mem_agents.model.native.superseder import NativeSuperseder
from r3mem_agents.model.tensors import let_go


@dataclass(frozen=True, slots=True)
class Networks:
    """What computes a model.

    Attributes:
        encoder: Runs forward.
        expander: Runs backward.
        superseder: Compares two turns; ``None`` if the model has no such network.
        device: Where that happens.
    """

    encoder: FrozenEncoder
    expander: FrozenExpander
    superseder: FrozenSuperseder | None
    device: str = "cpu"

    @classmethod
    def native(cls, stored: Checkpoint) -> Networks:
        """The networks of a checkpoint in the engine.

        Raises:
            CheckpointError: They do not fit together.
            EngineError: There is no engine for this platform.
        """
        encoder = NativeEncoder(stored.encoder.config, stored.encoder.tensors)
        let_go(stored.encoder.tensors)  # of which the engine has copies, in its own order
        expander = NativeExpander(stored.expander.config, stored.expander.tensors)
        let_go(stored.expander.tensors)
        superseder, held = None, stored.superseder
        if held is not None:
            superseder = NativeSuperseder(held.config, held.tensors, encoder)
            let_go(held.tensors)
        return cls(encoder, expander, superseder)

    @classmethod
    def in_torch(cls, stored: Checkpoint, device: str) -> Networks:
        """The networks of a checkpoint in PyTorch, on a device; they give the same bits.

        Raises:
            InvalidInputError: There is no such device.
            MissingExtraError: PyTorch is not installed.
        """
        from r3mem_agents.model.reference import loading

        try:
            encoder = loading.torch_encoder(stored.encoder, device)
            expander = loading.torch_expander(stored.expander, device)
            superseder, held = None, stored.superseder
            if held is not None:
                superseder = loading.torch_superseder(held, encoder.embedding, device)
        except (RuntimeError, AssertionError) as error:  # a PyTorch without CUDA asserts
            raise InvalidInputError(f"device {device!r} cannot be used: {error}") from error
        return cls(encoder, expander, superseder, device)
