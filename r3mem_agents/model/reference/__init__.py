"""The frozen networks in PyTorch: for GPUs, for training, and to compare the engine with.

Needs the extra ``torch``.
"""

from importlib.util import find_spec

from r3mem_agents.errors import MissingExtraError

if find_spec("torch") is None:
    raise MissingExtraError("torch", "torch")
