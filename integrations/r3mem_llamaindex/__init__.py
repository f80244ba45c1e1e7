"""The home of r3mem-agents' LlamaIndex adapters.

There is no adapter here yet: they come in a later release, and importing this package only checks
that LlamaIndex is installed. Until then a :class:`r3mem_agents.CompressiveMemory` can be called
from any engine, tool or workflow step.
"""

from importlib.util import find_spec

from r3mem_agents.errors import MissingExtraError

__all__: list[str] = []

if find_spec("llama_index") is None or find_spec("llama_index.core") is None:
    raise MissingExtraError("llama-index-core", "llamaindex")
