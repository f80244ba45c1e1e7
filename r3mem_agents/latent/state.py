"""What is kept of a history: blocks of memory tokens, and the file they lie in."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from r3mem_agents.errors import CheckpointError
from r3mem_agents.latent.positions import Layers

FORMAT = "r3mem-latent-1"


class Level(StrEnum):
    """How often what a block keeps was compressed."""

    ENTITY = "entity"
    """Once: a segment."""
    PARAGRAPH = "paragraph"
    """Twice: blocks of segments."""
    DOCUMENT = "document"
    """Three times or more."""

    @property
    def above(self) -> Level:
        """The level of a block into which blocks of this one are folded."""
        return _ABOVE.get(self, Level.DOCUMENT)


_ABOVE = dict(pairwise(Level))


@dataclass(frozen=True, eq=False)
class Block:
    """Memory tokens of one segment, or of several blocks that were folded.

    Attributes:
        level: How often it was compressed.
        source_tokens: Tokens of the text it stands for.
        layers: Keys and values in every layer, as if the block stood at position 0.
        ids: Tokens of the text that the memory tokens started as, ``(1, tokens)``.
        surprise: What each of them surprised the base by, in nats.
    """

    level: Level
    source_tokens: int
    layers: Layers = field(repr=False)
    ids: Tensor = field(repr=False)
    surprise: Tensor = field(repr=False)

    @property
    def tokens(self) -> int:
        """Memory tokens."""
        return int(self.ids.shape[1])


@dataclass(frozen=True, eq=False)
class LatentState:
    """What is kept of a history, oldest first: not its text, but some of the text's own tokens.

    A block depends on nothing but its own text, so a state with some blocks left out is one that
    never had them: ``dataclasses.replace(state, blocks=state.blocks[1:])``.

    Attributes:
        blocks: Memory tokens.
        base: Fingerprint of the base that made them.
        adapter: Fingerprint of the adapter that made them.
    """

    blocks: tuple[Block, ...]
    base: str
    adapter: str

    @property
    def tokens(self) -> int:
        """Memory tokens: what the history takes of the base's positions."""
        return sum(block.tokens for block in self.blocks)

    @property
    def source_tokens(self) -> int:
        """Tokens of the text that they stand for."""
        return sum(block.source_tokens for block in self.blocks)

    @property
    def nbytes(self) -> int:
        """Bytes of keys and values."""
        return sum(
            tensor.nbytes for block in self.blocks for layer in block.layers for tensor in layer
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state as one safetensors file.

        Args:
            path: Of the file.

        Raises:
            CheckpointError: It cannot be written there.
        """
        tensors: dict[str, Tensor] = {}
        for i, block in enumerate(self.blocks):
            tensors |= {f"{i}.ids": block.ids, f"{i}.surprise": block.surprise}
            for layer, (keys, values) in enumerate(block.layers):
                tensors |= {f"{i}.{layer}.keys": keys, f"{i}.{layer}.values": values}
        blocks = [[block.level, block.source_tokens, len(block.layers)] for block in self.blocks]
        told = {
            "format": FORMAT,
            "base": self.base,
            "adapter": self.adapter,
            "blocks": json.dumps(blocks),
        }
        whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
        try:
            save_file(whole, path, told)
        except (OSError, SafetensorError) as error:
            raise CheckpointError(
                f"no state can be written to {os.fspath(path)!r}: {error}"
            ) from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LatentState:
        """Read a state that ``save`` has written, into the CPU's memory.

        Args:
            path: Of the file.

        Raises:
            CheckpointError: There is none, or it is damaged.
        """
        file = Path(path)
        try:
            with safe_open(file, framework="pt") as opened:
                told: dict[str, str] = opened.metadata() or {}
                if told.get("format") != FORMAT:
                    raise CheckpointError(
                        f"{str(file)!r} is no state of a latent memory of format {FORMAT!r}"
                    )
                blocks = tuple(
                    _block(opened, place, *told_of)
                    for place, told_of in enumerate(json.loads(told["blocks"]))
                )
                return cls(blocks, told["base"], told["adapter"])
        except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
            raise CheckpointError(
                f"no state of a latent memory in {str(file)!r}: {error}"
            ) from error


def _block(opened: Any, place: int, level: str, source_tokens: int, count: int) -> Block:
    layers = tuple(
        (opened.get_tensor(f"{place}.{layer}.keys"), opened.get_tensor(f"{place}.{layer}.values"))
        for layer in range(count)
    )
    ids, surprise = opened.get_tensor(f"{place}.ids"), opened.get_tensor(f"{place}.surprise")
    return Block(Level(level), int(source_tokens), layers, ids, surprise)
