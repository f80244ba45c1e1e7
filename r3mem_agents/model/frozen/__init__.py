"""The frozen network: integers and tables, with nothing to train in it.

``interface`` is the contract: what the rest of the package asks of a frozen network, in numpy
arrays. The classes ``Torch...`` are the reference implementation. A checkpoint holds their tensors
(``tensors``), training makes them (``trainable``).
"""

from r3mem_agents.model.frozen.encoder import TorchEncoder
from r3mem_agents.model.frozen.expander import TorchExpander
from r3mem_agents.model.frozen.interface import (
    Expansion,
    FrozenEncoder,
    FrozenExpander,
    FrozenSuperseder,
    Segments,
)
from r3mem_agents.model.frozen.superseder import TorchSuperseder

__all__ = [
    "Expansion",
    "FrozenEncoder",
    "FrozenExpander",
    "FrozenSuperseder",
    "Segments",
    "TorchEncoder",
    "TorchExpander",
    "TorchSuperseder",
]
