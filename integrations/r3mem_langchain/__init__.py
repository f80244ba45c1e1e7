"""The home of r3mem-agents' LangChain and LangGraph adapters.

There is no adapter here yet: they come in a later release, and importing this package only checks
that LangChain is installed. Until then a :class:`r3mem_agents.CompressiveMemory` can be called
from any chain, tool or graph node.
"""

from importlib.util import find_spec

from r3mem_agents.errors import MissingExtraError

__all__: list[str] = []

if find_spec("langchain_core") is None:
    raise MissingExtraError("langchain-core", "langchain")
