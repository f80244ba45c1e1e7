"""What training an expander minimizes: bits of an expansion."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from r3mem_agents.model.frozen.expander import TorchExpander
from r3mem_agents.model.layout import Condition
from r3mem_agents.model.trainable import Expander


def expansion_nats(
    network: Expander | TorchExpander, tokens: Tensor, condition: Condition, length: int
) -> tuple[Tensor, Tensor]:
    """What stored tokens would cost: cross-entropy of their class, and of the token in it.

    Args:
        network: The network, trainable or frozen.
        tokens: ``(batch, positions)`` int64.
        condition: What is known of the segments, all of one length.
        length: Tokens of each.

    Returns:
        Nats of each token, and whether it is the first prediction, both ``(batch, length)``.
    """
    states = network.states(tokens, condition, condition.count[:1])[:, :length].flatten(0, 1)
    true = tokens[:, :length].flatten()
    classes, inside = true // network.config.class_size, true % network.config.class_size
    chosen, token = network.class_logits(states), network.token_logits(states, classes)
    nats = F.cross_entropy(chosen.float(), classes, reduction="none")
    nats = nats + F.cross_entropy(token.float(), inside, reduction="none")
    hits = (chosen.argmax(-1) == classes) & (token.argmax(-1) == inside)
    return nats.view(-1, length), hits.view(-1, length)
