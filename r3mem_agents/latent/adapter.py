"""What is learned: LoRA matrices on a base, vectors that memory tokens start with, and a cue."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import DynamicCache
from transformers.pytorch_utils import Conv1D

from r3mem_agents.errors import CheckpointError, ModelMismatchError
from r3mem_agents.latent.failures import memory_named
from r3mem_agents.latent.positions import Layers, Positions

FORMAT = 1
SIZES = "memory.json"
RANK = 16
SAMPLED = 4096
"""Vectors of the base whose mean the cue starts as."""


class Adapter:
    """A base, and what is learned on it.

    The LoRA matrices rest but in ``acting``, so that the base computes what it always did, for
    others who hold it too.

    Attributes:
        base: The causal language model, frozen.
        peft: The same with its LoRA matrices, as PEFT has it.
        positions: How the base's keys are moved.
        sink: The token on which attention rests, at position 0.
        first: Its keys and values in every layer.
        start: Added to what memory tokens start as, ``(tokens, hidden)``.
        cue: Read before memory tokens are turned back into text, ``(hidden,)``.
        segment: Tokens of a segment.
        base_fingerprint: Of the base.
    """

    def __init__(
        self,
        peft: Any,
        positions: Positions,
        named: str,
        sink: int,
        start: Tensor,
        cue: Tensor,
        segment: int,
    ) -> None:
        self.peft = peft
        self.base = peft.get_base_model()
        self.positions = positions
        self.sink = sink
        self.start = nn.Parameter(start)
        self.cue = nn.Parameter(cue)
        self.segment = segment
        self.base_fingerprint = named
        self._layers = [m for m in peft.modules() if isinstance(m, BaseTunerLayer)]
        self._hashed: tuple[int, str] = (-1, "")
        self._act(False)
        self.first = self._first()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_hashed": (-1, "")}  # a copy counts its changes anew

    @classmethod
    def new(
        cls, base: Any, positions: Positions, named: str, sink: int, tokens: int, segment: int
    ) -> Adapter:
        """An adapter that has learned nothing; the same each time.

        Args:
            base: A causal language model.
            positions: How its keys are moved.
            named: Its fingerprint.
            sink: The token on which attention rests.
            tokens: Memory tokens of a segment.
            segment: Tokens of a segment.
        """
        conv = any(isinstance(module, Conv1D) for module in base.modules())
        config = LoraConfig(
            r=RANK,
            lora_alpha=2 * RANK,
            target_modules="all-linear",
            fan_in_fan_out=conv,
            task_type="CAUSAL_LM",
        )
        vectors = base.get_input_embeddings()
        ids = torch.linspace(0, vectors.num_embeddings - 1, SAMPLED, device=base.device).long()
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(0)
            cue = vectors(ids).float().mean(0)
            with _known_warnings():
                peft = get_peft_model(base, config)
        return cls(peft, positions, named, sink, cue.new_zeros(tokens, len(cue)), cue, segment)

    @classmethod
    def load(cls, folder: Path, base: Any, positions: Positions, named: str) -> Adapter:
        """An adapter that ``save`` has written.

        Args:
            folder: Where it lies.
            base: Its base.
            positions: How the base's keys are moved.
            named: The base's fingerprint.

        Raises:
            CheckpointError: There is none, or it is damaged.
            ModelMismatchError: It was made on another base.
        """
        try:
            sizes = json.loads((folder / SIZES).read_text(encoding="utf-8"))
            form, of = sizes["format"], sizes["base"]
            if form != FORMAT:
                raise CheckpointError(
                    f"the adapter in {str(folder)!r} has format {form}, this version reads "
                    f"{FORMAT}; install the version of r3mem-agents that wrote it"
                )
            if of != named:
                raise ModelMismatchError(
                    f"the adapter in {str(folder)!r} was made on the base {of}, not on {named}; "
                    "load it with that base"
                )
            tensors = load_file(folder / "memory.safetensors", device=str(base.device))
            # PEFT takes a folder without it for a name on the Hub, and changes the base before it
            # finds a damaged one.
            with safe_open(folder / "adapter_model.safetensors", framework="pt"):
                pass
            with memory_named(), _known_warnings():
                peft = PeftModel.from_pretrained(base, str(folder), is_trainable=True)
            sink, segment = int(sizes["sink"]), int(sizes["segment"])
            made = cls(peft, positions, named, sink, tensors["start"], tensors["cue"], segment)
            if sizes.get("fingerprint", made.fingerprint) != made.fingerprint:
                raise ValueError("its files are not of one saving, as after a crash in the midst")
            return made
        except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
            raise CheckpointError(
                f"no adapter for memory tokens in {str(folder)!r}: {error}; give a folder that "
                "LatentMemory.save or r3mem latent train has written"
            ) from error

    def save(self, folder: Path) -> None:
        """Write PEFT's own files, ``memory.safetensors`` and ``memory.json``.

        Each of them is whole, the old one or the new; of which saving the others have to be, the
        last one says.
        """
        part = folder / ".saving"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            self._write(part)
            for one in sorted(part.iterdir(), key=lambda one: one.name == SIZES):
                one.replace(folder / one.name)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _write(self, folder: Path) -> None:
        self.peft.save_pretrained(str(folder), save_embedding_layers=False)
        tensors = {"start": self.start.detach().contiguous(), "cue": self.cue.detach().contiguous()}
        save_file(tensors, folder / "memory.safetensors")
        sizes = {
            "format": FORMAT,
            "base": self.base_fingerprint,
            "fingerprint": self.fingerprint,
            "sink": self.sink,
            "tokens": self.tokens,
            "segment": self.segment,
        }
        text = json.dumps(sizes, indent=2) + "\n"
        (folder / SIZES).write_text(text, encoding="utf-8")

    @property
    def tokens(self) -> int:
        """Memory tokens of a segment."""
        return self.start.shape[0]

    @property
    def fingerprint(self) -> str:
        """A hash of the base's fingerprint and of all that was learned."""
        parameters = self.parameters()
        version = sum(parameter._version for parameter in parameters)
        if self._hashed[0] != version:
            digest = hashlib.sha256(f"{self.base_fingerprint} {self.sink}".encode())
            for parameter in parameters:
                digest.update(parameter.detach().float().cpu().numpy().tobytes())
            self._hashed = version, digest.hexdigest()[:16]
        return self._hashed[1]

    def parameters(self) -> list[nn.Parameter]:
        """All that is learned, and nothing else."""
        lora = [p for name, p in self.peft.named_parameters() if "lora_" in name]
        return [*lora, self.start, self.cue]

    def seeds(self, ids: Tensor) -> Tensor:
        """What memory tokens start as: a token that they are to keep, and a learned vector.

        Args:
            ids: Tokens, as ``most_surprising`` picks them, ``(batch, at most tokens)``.

        Returns:
            Vectors, ``(batch, at most tokens, hidden)``.
        """
        words: Tensor = self.base.get_input_embeddings()(ids)
        return words + self.start[: ids.shape[1]].to(words.dtype)

    def most_surprising(self, ids: Tensor, surprise: Tensor) -> tuple[Tensor, Tensor]:
        """The tokens that the base foresaw least: names, numbers, what a text is about.

        Args:
            ids: Tokens, ``(batch, length)``.
            surprise: What each surprised the base by.

        Returns:
            As many of both as there are memory tokens, or all, in the order of the text.
        """
        count = min(self.tokens, ids.shape[1])
        places = surprise.topk(count, dim=1).indices.sort(dim=1).values
        return ids.gather(1, places), surprise.gather(1, places)

    def empty_cache(self) -> Any:
        """A cache for keys and values, as the base's layers want it."""
        return DynamicCache(config=self.base.config)

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Let the LoRA matrices act; not for two threads at a time."""
        try:
            self._act(True)
            yield
        finally:
            self._act(False)

    def _first(self) -> Layers:
        cache = self.empty_cache()
        ids = torch.tensor([[self.sink]], device=self.base.device)
        with torch.no_grad():
            self.base.base_model(input_ids=ids, past_key_values=cache, use_cache=True)
        return tuple((layer.keys, layer.values) for layer in cache.layers)

    def _act(self, yes: bool) -> None:
        # PEFT's own switch walks the whole model, and takes the gradients away each time.
        for layer in self._layers:
            layer._disable_adapters = not yes


@contextmanager
def _known_warnings() -> Iterator[None]:
    """PEFT 0.21 asks transformers 5 for a property under its old name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        yield
