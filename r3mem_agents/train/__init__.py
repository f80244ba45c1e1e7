"""Training of a checkpoint's networks: expander, encoder and superseder."""

from importlib.util import find_spec

from r3mem_agents.errors import MissingExtraError

if find_spec("torch") is None:
    raise MissingExtraError("torch", "train")
