"""An expansion of unknown tokens in PyTorch: the backward passes of an expander, one per round."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from r3mem_agents.model.predictions import Frequencies, Integers
from r3mem_agents.model.reference.exact import normalize
from r3mem_agents.model.reference.layout import Condition, held_by
from r3mem_agents.model.reference.stack import KVCache
from r3mem_agents.model.reference.threads import CORES
from r3mem_agents.model.schedule import SLOTS

if TYPE_CHECKING:
    from r3mem_agents.model.reference.expander import TorchExpander


class TorchExpansion:
    """An expansion under way: one backward pass per round, each given the tokens before.

    Runs the very arithmetic of ``TorchExpander.states``, a slice at a time; since sums are exact,
    both give the same bits.
    """

    def __init__(self, network: TorchExpander, condition: Condition) -> None:
        self._network, self._condition = network, condition
        count, config, layout = condition.count, network.config, network.layout
        real = layout.many[count]
        widths = [width for width in real.amax(0).tolist() if width]
        self._edges = [sum(widths[:round_]) for round_ in range(len(widths) + 1)]
        round_ = torch.arange(len(widths), device=count.device)
        round_ = round_.repeat_interleave(torch.tensor(widths, device=count.device))
        within = (
            torch.arange(len(round_), device=count.device) - count.new_tensor(self._edges)[round_]
        )
        self._place = layout.order[count[:, None], round_, within]
        self._real = within < real[:, round_]
        role = layout.role[count[:, None], self._place]
        self._held = held_by(self._place, role)
        held_round = torch.where(self._real, round_, config.rounds)
        self._rows = layout.rows(self._place, round_.expand_as(role), role, self._held, held_round)
        room = SLOTS + len(within)
        like = network.tables.blank
        self._known = [KVCache(len(count), room, config, like) for _ in range(config.layers - 1)]
        self._round = 0
        self._states = like.new_empty((0, config.hidden))

    def classes(self, tokens: Integers) -> Frequencies:
        """Run the next round; see ``Expansion``."""
        CORES.fit()
        here = slice(*self._edges[self._round : self._round + 2])
        self._states = self._run(torch.from_numpy(tokens), here)[self._real[:, here]]
        self._round += 1
        return self._network.class_frequencies(self._states)

    def tokens(self, classes: Integers) -> Frequencies:
        """Frequencies of tokens of the same round; see ``Expansion``."""
        return self._network.token_frequencies(self._states, classes)

    def _run(self, tokens: Tensor, here: slice) -> Tensor:
        """Final states ``(batch, some, hidden)`` of the positions of a round."""
        network = self._network
        known = network.tables.frame[self._condition.count[:, None], self._place[:, here]]
        rows = self._rows[:, here, : SLOTS + here.stop]
        if here.start:
            held = self._held[:, here].clamp_min(0)
            known.add_(network.embed(tokens.to(held.device).gather(1, held)))
        else:
            known = network.after_slots(self._condition, known)
            rows = network.layout.with_slots(rows)
        biases = network.biases(rows)
        a = network.stack.expand(network.blanks(known), known, biases, self._known)
        return normalize(a[:, here.start - here.stop :])
