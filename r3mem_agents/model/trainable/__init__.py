"""The networks as training sees them: float master weights, rounded with gradients passing through.

They have the architecture of ``frozen`` and, within rounding, its results; ``freeze`` gives the
frozen network that a checkpoint holds, ``thaw`` makes one of these from it again.
"""

from importlib.util import find_spec

from r3mem_agents.errors import MissingExtraError

if find_spec("torch") is None:
    raise MissingExtraError("torch", "train")

from r3mem_agents.model.trainable.encoder import Encoder
from r3mem_agents.model.trainable.expander import Expander
from r3mem_agents.model.trainable.superseder import Superseder

__all__ = ["Encoder", "Expander", "Superseder"]
