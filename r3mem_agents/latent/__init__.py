"""Memory tokens that any causal language model reads: a history at a sixteenth of its length.

A segment of text goes through a base model as it is; a few learned vectors after it, under a LoRA
adapter that acts on them alone, look back at it and leave keys and values in every layer. The base
reads those instead of the text. What comes back is what the model kept of it, not its bytes: those
are a ``CompressiveMemory``'s business.
"""

from importlib.util import find_spec

from r3mem_agents.errors import MissingExtraError

if find_spec("torch") is None:
    raise MissingExtraError("torch", "latent")
if find_spec("transformers") is None:
    raise MissingExtraError("transformers", "latent")
if find_spec("peft") is None:
    raise MissingExtraError("peft", "latent")

from r3mem_agents.latent.chat import LatentChat
from r3mem_agents.latent.memory import LatentMemory, UnverifiedText
from r3mem_agents.latent.state import Block, LatentState, Level

__all__ = ["Block", "LatentChat", "LatentMemory", "LatentState", "Level", "UnverifiedText"]
