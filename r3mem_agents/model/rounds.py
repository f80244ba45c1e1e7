"""An expansion of unknown tokens: the network's backward passes, one per round."""

from __future__ import annotations

import torch
from torch import Tensor

from r3mem_agents.model.coupling import KVCache
from r3mem_agents.model.exact import normalize, snap
from r3mem_agents.model.expander import EMBEDDING_GAIN, Condition, Expander
from r3mem_agents.model.schedule import SLOTS, held_by


class Rounds:
    """An expansion under way: one backward pass per round, each given the tokens before.

    Runs the very arithmetic of ``Expander.predict``, a slice at a time; since sums are exact,
    both give the same bits.

    Attributes:
        rounds: How many passes it takes.
    """

    def __init__(self, network: Expander, condition: Condition) -> None:
        self._network, self._condition = network, condition
        count, config = condition.count, network.config
        many = network.many[count]
        widths = [width for width in many.amax(0).tolist() if width]
        self.rounds = len(widths)
        self._edges = [sum(widths[:round_]) for round_ in range(self.rounds + 1)]
        round_ = torch.arange(self.rounds, device=count.device)
        round_ = round_.repeat_interleave(torch.tensor(widths, device=count.device))
        within = (
            torch.arange(len(round_), device=count.device) - count.new_tensor(self._edges)[round_]
        )
        self._place = network.order[count[:, None], round_, within]
        self._real = within < many[:, round_]
        role = network.roles[count[:, None], self._place]
        self._held = held_by(self._place, role)
        held_round = torch.where(self._real, round_, config.rounds)
        round_ = round_.expand_as(role)
        self._rows = network.bias_rows(self._place, round_, role, self._held, held_round)
        room = SLOTS + len(within)
        like = network.blank
        self._known = [KVCache(len(count), room, config, like) for _ in range(config.layers - 1)]

    def positions(self, round_: int) -> tuple[Tensor, Tensor]:
        """Positions ``(batch, some)`` that a round fills in, and which of them are real."""
        here = self._here(round_)
        return self._place[:, here], self._real[:, here]

    def held(self, round_: int) -> Tensor:
        """Positions of the tokens that these positions hold, ``(batch, some)``; after round 0."""
        return self._held[:, self._here(round_)].clamp_min(0)

    def predict(self, round_: int, beside: Tensor | None) -> Tensor:
        """Run a round; final states ``(batch, some, hidden)`` of its positions.

        Args:
            round_: The round; they come in order.
            beside: ``(batch, some)`` the tokens that its positions hold; none in round 0.
        """
        network = self._network
        here = self._here(round_)
        known = network.tables.frame[self._condition.count[:, None], self._place[:, here]]
        if beside is not None:
            known = known.add_(snap(network.embedding.rows(beside) * EMBEDDING_GAIN))
        rows = self._rows[:, here, : SLOTS + here.stop]
        if round_ == 0:
            known, rows = network.after_slots(self._condition, known, rows)
        a = network.stack.expand(network.blanks(known), known, network.biases(rows), self._known)
        return normalize(a[:, here.start - here.stop :])

    def _here(self, round_: int) -> slice:
        return slice(*self._edges[round_ : round_ + 2])
