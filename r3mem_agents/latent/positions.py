"""Where memory tokens stand: keys carry their positions and can be turned to others.

Rotary positions are relative: a key at position p, turned by d more, is the key at p + d. How a
base turns keys (which layers, which part of a head, which frequencies) is its own rotary module's
business; whether turning them that way does move them is tried on the base, layer by layer, before
anything relies on it.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

import torch
from torch import Tensor, nn

from r3mem_agents.errors import BaseModelError

Layers = tuple[tuple[Tensor, Tensor], ...]
"""Keys and values of some tokens in every layer, each ``(batch, heads, tokens, width)``."""

LEARNED = ("wpe", "embed_positions")
"""What bases call a table of learned positions: added to the stream, and no part of a key."""

FAR = 1000
"""Positions by which keys are moved to try it, or half of what the base has."""


class Positions:
    """How keys of a base are moved.

    Attributes:
        limit: Positions that the base has; ``None``: no limit is known.
        turned: For each layer, whether its keys carry positions.
    """

    def __init__(self, base: Any) -> None:
        """Find out how a base places its tokens.

        Raises:
            BaseModelError: In a way that memory tokens cannot be moved by.
        """
        config = base.config.get_text_config(decoder=True)
        self.limit = _limit(config)
        self.turned = [False] * config.num_hidden_layers
        self._types = getattr(config, "layer_types", None) or [None] * config.num_hidden_layers
        modules = dict(base.base_model.named_modules())
        rotary = [m for m in modules.values() if type(m).__name__.endswith("RotaryEmbedding")]
        if len(rotary) == 1:
            self._rotary = rotary[0]
            self._typed = "layer_type" in inspect.signature(self._rotary.forward).parameters
            self._apply: Any = getattr(
                sys.modules[type(self._rotary).__module__], "apply_rotary_pos_emb", None
            )
            self._try(base)
        elif not any(
            isinstance(module, nn.Embedding) and name.rpartition(".")[2] in LEARNED
            for name, module in modules.items()
        ):
            raise _unmovable(base)

    def move(self, layers: Layers, by: Tensor) -> Layers:
        """Turn keys to other positions.

        Args:
            layers: Keys and values.
            by: How far each token goes, ``(tokens,)``.
        """
        if not any(self.turned) or not by.any():
            return layers
        turns = self._turns(by.to(layers[0][0].device))
        return tuple(
            (self._turn(keys, turns[kind]), values) if turned else (keys, values)
            for (keys, values), turned, kind in zip(layers, self.turned, self._types, strict=True)
        )

    def _turns(self, by: Tensor) -> dict[str | None, tuple[Tensor, Tensor]]:
        """Cosines and sines of a turn for each kind of layer, free of attention scaling."""
        probe = torch.zeros(1, dtype=torch.float32, device=by.device)
        turns: dict[str | None, tuple[Tensor, Tensor]] = {}
        for kind in set(self._types):
            more = (kind,) if self._typed else ()
            cos, sin = self._rotary(probe, by[None], *more)
            scale = torch.hypot(cos, sin)
            turns[kind] = cos / scale, sin / scale
        return turns

    def _turn(self, keys: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        cos, sin = turn
        width = cos.shape[-1]
        part = keys[..., :width].float()
        _, moved = self._apply(part, part, cos, sin)
        return torch.cat([moved.to(keys.dtype), keys[..., width:]], dim=-1)

    def _try(self, base: Any) -> None:
        """Move some keys by ``FAR``, and compare them with those that the base itself puts there.

        Raises:
            BaseModelError: In some layer they are neither moved like that nor left alone, or in
                none are they moved, or values carry positions.
        """
        far = min(FAR, (self.limit or 2 * FAR) // 2)
        try:
            here, there = _keys(base, 0), _keys(base, far)
            self.turned = [True] * len(here)
            moved = self.move(here, torch.full((here[0][0].shape[2],), far))
        except (TypeError, ValueError, RuntimeError, KeyError) as error:
            raise _unmovable(base) from error
        # SmolLM2's last layer is off by 0.15 in bfloat16, for its rounding, by 1e-5 in float32;
        # keys left where they were are off by 0.2 to 0.9.
        tolerance = torch.finfo(base.dtype).eps ** 0.25
        for layer, (still, turned, wanted) in enumerate(zip(here, moved, there, strict=True)):
            off_turned, off_still = _off(turned[0], wanted[0]), _off(still[0], wanted[0])
            self.turned[layer] = off_turned < off_still
            if max(min(off_turned, off_still), _off(still[1], wanted[1])) > tolerance:
                raise _unmovable(base)
        if not any(self.turned):
            raise _unmovable(base)


def _keys(base: Any, start: int) -> Layers:
    """Keys and values of four tokens from a position on."""
    from transformers import DynamicCache  # noqa: PLC0415 (slow to load)

    ids = torch.arange(1, 5, device=base.device)[None] % base.get_input_embeddings().num_embeddings
    cache = DynamicCache(config=base.config)
    places = torch.arange(start, start + 4, device=base.device)[None]
    with torch.no_grad():
        base.base_model(input_ids=ids, position_ids=places, past_key_values=cache, use_cache=True)
    return tuple((layer.keys, layer.values) for layer in cache.layers)


def _off(found: Tensor, wanted: Tensor) -> float:
    return float((found.float() - wanted.float()).norm() / wanted.float().norm())


def _limit(config: Any) -> int | None:
    limits = [getattr(config, "max_position_embeddings", None)]
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type") == "longrope":
        # Beyond its first length such a base turns all keys otherwise, those in a cache too.
        limits.append(rope.get("original_max_position_embeddings"))
    return min((int(limit) for limit in limits if limit is not None), default=None)


def _unmovable(base: Any) -> BaseModelError:
    return BaseModelError(
        f"{type(base).__name__} places its tokens in a way that memory tokens cannot be moved by; "
        "take a base with rotary positions (Llama, Qwen, Mistral, Gemma, Phi) or learned ones "
        "(GPT-2)"
    )
