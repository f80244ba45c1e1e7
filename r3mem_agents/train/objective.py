"""The loss of an expander: the cost of the tokens."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from r3mem_agents.model.reference.expander import TorchExpander
from r3mem_agents.model.reference.layout import Condition
from r3mem_agents.model.trainable import Expander


def expansion_nats(
    network: Expander | TorchExpander, tokens: Tensor, condition: Condition, length: int
) -> tuple[Tensor, Tensor]:
    """Return the cost of tokens: the cross-entropy of their class, and of the token within it.

    Args:
        network: The network, trainable or frozen.
        tokens: ``(batch, positions)`` int64.
        condition: What is known about the segments, all of one length.
        length: Number of tokens of each.

    Returns:
        Nats of each token, and whether it is the top prediction, both ``(batch, length)``.
    """
    states = network.states(tokens, condition, condition.count[:1])[:, :length].flatten(0, 1)
    true = tokens[:, :length].flatten()
    classes, inside = true // network.config.class_size, true % network.config.class_size
    chosen, token = network.class_logits(states), network.token_logits(states, classes)
    nats = F.cross_entropy(chosen.float(), classes, reduction="none")
    nats = nats + F.cross_entropy(token.float(), inside, reduction="none")
    hits = (chosen.argmax(-1) == classes) & (token.argmax(-1) == inside)
    return nats.view(-1, length), hits.view(-1, length)
