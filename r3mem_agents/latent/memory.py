"""A history as memory tokens: compressed, read, continued, and guessed at backward."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.nn.functional import cross_entropy

from r3mem_agents.errors import (
    BaseModelError,
    CheckpointError,
    InvalidInputError,
    ModelMismatchError,
    TextTooLongError,
)
from r3mem_agents.latent.adapter import Adapter
from r3mem_agents.latent.base import answering, base_fingerprint, load_base
from r3mem_agents.latent.compressing import cache_of, compressed, folded
from r3mem_agents.latent.failures import memory_named
from r3mem_agents.latent.folding import FOLD, LEAST_CAPACITY
from r3mem_agents.latent.generating import continued, rebuilt
from r3mem_agents.latent.passes import reading_pass
from r3mem_agents.latent.positions import Positions
from r3mem_agents.latent.state import Block, LatentState
from r3mem_agents.validation import check_count, check_text

TOKENS = 16
"""Memory tokens of a segment."""

SEGMENT = 256
"""Tokens of a segment."""

CAPACITY = 16
"""Blocks of memory tokens in a state."""


class UnverifiedText(str):
    """A text that a language model guessed; nothing says that anybody wrote it."""


class LatentMemory:
    """Memory tokens for a causal language model.

    The base's weights are never changed, and without memory it computes what it always did, to the
    bit. One call runs at a time; whoever else holds the model must not call it while ``compress``
    runs in another thread.

    Attributes:
        adapter: What is learned, with the base.
        tokenizer: Of the base.
        capacity: Blocks of memory tokens in a state, at most.
    """

    def __init__(self, adapter: Adapter, tokenizer: Any, capacity: int = CAPACITY) -> None:
        self.adapter = adapter
        self.tokenizer = tokenizer
        self.capacity = check_count(capacity, "capacity", LEAST_CAPACITY)
        self._check_room()
        self._vocabulary = adapter.base.get_input_embeddings().num_embeddings
        self._prefix = self._in_front()
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._lock = threading.Lock()

    @classmethod
    def from_base(
        cls,
        base: Any,
        adapter: str | os.PathLike[str] | None = None,
        *,
        tokenizer: Any = None,
        device: str | torch.device | None = None,
        dtype: torch.dtype | None = None,
        tokens: int = TOKENS,
        segment: int = SEGMENT,
        capacity: int = CAPACITY,
    ) -> LatentMemory:
        """Put memory tokens on a base.

        Args:
            base: Any causal language model of transformers: a folder, a name, or the model itself,
                which PEFT then takes over: its weights are frozen.
            adapter: A folder that ``save`` or ``r3mem latent train`` has written; ``None``: one
                that has learned nothing.
            tokenizer: Of the base; ``None`` loads the one that lies with it.
            device: Where to run; ``None``: a CUDA device if there is one, and a model where it is.
            dtype: Of the base's numbers; ``None``: as they were saved.
            tokens: Memory tokens of a segment, for a new adapter.
            segment: Tokens of a segment, for a new adapter.
            capacity: Blocks of memory tokens in a state, at most.

        Returns:
            The memory.

        Raises:
            CheckpointError: There is no such base, tokenizer or adapter.
            BaseModelError: The base is none that memory tokens can be made with.
            ModelMismatchError: The adapter was made on another base.
            InvalidInputError: A number is out of range.
            OutOfMemoryError: The machine has too little memory.
        """
        with memory_named():
            model, tokenizer = load_base(base, tokenizer, device, dtype)
            positions, named = Positions(model), base_fingerprint(model)
            if adapter is None:
                count, length = check_count(tokens, "tokens"), check_count(segment, "segment")
                made = Adapter.new(model, positions, named, _sink(tokenizer), count, length)
            else:
                made = Adapter.load(Path(adapter), model, positions, named)
        return cls(made, tokenizer, capacity)

    @property
    def fingerprint(self) -> str:
        """Of base and adapter; states bear it."""
        return self.adapter.fingerprint

    def compress(self, text: str, state: LatentState | None = None) -> LatentState:
        """Add a text to what is kept of a history.

        Every segment leaves memory tokens that depend on nothing but itself: one for each of the
        tokens that surprised the base most. Where a further block would be more than ``capacity``,
        the oldest ones of the lowest level are compressed again.

        Args:
            text: What follows in the history.
            state: What is kept so far; it is not changed.

        Returns:
            A new state.

        Raises:
            InvalidInputError: The text is none.
            ModelMismatchError: The state is of another adapter or base.
            OutOfMemoryError: The machine has too little memory.
        """
        blocks = list(self._own(state))
        ids = self._ids(check_text(text, "text"))
        with self._running():
            for start in range(0, len(ids), self.adapter.segment):
                if len(blocks) == self.capacity:
                    blocks = folded(self.adapter, blocks)
                blocks.append(compressed(self.adapter, ids[start : start + self.adapter.segment]))
        return LatentState(tuple(blocks), self.adapter.base_fingerprint, self.fingerprint)

    def read(self, state: LatentState | None, text: str) -> Tensor:
        """What each token of a text costs after a history.

        Args:
            state: What is kept of the history; ``None``: the base reads the text alone.
            text: The text.

        Returns:
            Losses in nats, float32, ``(tokens - 1,)``: of every token but the first.

        Raises:
            InvalidInputError: The text is none.
            TextTooLongError: The base has too few positions.
            ModelMismatchError: The state is of another adapter or base.
            OutOfMemoryError: The machine has too little memory.
        """
        blocks = self._own(state)
        ids = self._fitting(check_text(text, "text"), blocks)
        told = ids.shape[1] - (0 if blocks else len(self._prefix))
        if told < 2:
            return torch.empty(0)
        with self._running():
            logits = reading_pass(self.adapter, cache_of(self.adapter, blocks), ids)[0, -told:-1]
            return cross_entropy(logits.float(), ids[0, 1 - told :], reduction="none")

    def generate(self, state: LatentState | None, prompt: str, *, max_new_tokens: int = 256) -> str:
        """Continue a prompt after a history, with the likeliest token each time.

        Args:
            state: What is kept of the history; ``None``: the base reads the prompt alone.
            prompt: As the base's chat template writes it, or plain text.
            max_new_tokens: Tokens to write, at most.

        Returns:
            What follows the prompt.

        Raises:
            InvalidInputError: The prompt is empty, or a number is out of range.
            TextTooLongError: The base has too few positions.
            ModelMismatchError: The state is of another adapter or base.
            OutOfMemoryError: The machine has too little memory.
        """
        blocks = self._own(state)
        most = check_count(max_new_tokens, "max_new_tokens")
        if not check_text(prompt, "prompt"):
            raise InvalidInputError("the prompt is empty; give the words to go on from")
        ids = self._fitting(prompt, blocks, most)
        with self._running():
            written = continued(self.adapter, cache_of(self.adapter, blocks), ids, most)
        return str(self.tokenizer.decode(written[0], skip_special_tokens=True))

    def reconstruct(self, state: LatentState) -> UnverifiedText:
        """Read a state backward: the text that its memory tokens stand for, as the base guesses it.

        The words themselves are a ``CompressiveMemory``'s business.

        Args:
            state: What is kept of a history.

        Returns:
            As many tokens as the history had.

        Raises:
            TextTooLongError: A folded block stands for more than the base has positions for.
            ModelMismatchError: The state is of another adapter or base.
            OutOfMemoryError: The machine has too little memory.
        """
        texts = []
        for block in self._own(state):
            self._fitting("", (block,), block.source_tokens + 1)
            with self._running():
                ids = rebuilt(self.adapter, cache_of(self.adapter, (block,)), block.source_tokens)
            texts.append(self.tokenizer.decode(ids[0]))
        return UnverifiedText("".join(texts))

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write what was learned: PEFT's own files, ``memory.safetensors`` and ``memory.json``.

        Args:
            folder: For ``from_base(base, folder)``.

        Raises:
            CheckpointError: It cannot be written there.
        """
        try:
            self.adapter.save(Path(folder))
        except (OSError, ValueError, SafetensorError) as error:
            raise CheckpointError(
                f"no adapter can be written to {str(folder)!r}: {error}"
            ) from error

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, without those that the tokenizer puts around it."""
        return len(self._ids(check_text(text, "text")))

    def _check_room(self) -> None:
        adapter, limit = self.adapter, self.adapter.positions.limit
        most = 1 + max(adapter.segment, FOLD * adapter.tokens) + adapter.tokens
        if limit is not None and most > limit:
            raise InvalidInputError(
                f"a segment of {adapter.segment} tokens and {adapter.tokens} memory tokens take "
                f"{most} positions, and the base has {limit} positions; take a shorter segment"
            )
        window = min(
            (held.sliding_window for held in adapter.empty_cache().layers if held.is_sliding),
            default=None,
        )
        if window is not None and adapter.tokens >= window:
            raise InvalidInputError(
                f"{adapter.tokens} memory tokens of a segment do not fit into a window of {window} "
                "positions, which is all that some of the base's layers keep; take fewer"
            )

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False).input_ids
        if max(ids, default=0) >= self._vocabulary:
            raise InvalidInputError(
                f"the tokenizer makes the token {max(ids)} of the text, and the base has "
                f"{self._vocabulary} tokens; give the base's own tokenizer"
            )
        return ids

    def _in_front(self) -> list[int]:
        """What the tokenizer puts in front of a text; the sink stands there where memory does."""
        whole: list[int] = self.tokenizer("a").input_ids
        return whole[: whole.index(self._ids("a")[0])]

    def _own(self, state: LatentState | None) -> tuple[Block, ...]:
        if state is None:
            return ()
        if not isinstance(state, LatentState):
            raise InvalidInputError(f"state must be a LatentState, not {type(state).__name__}")
        if state.adapter != self.fingerprint:
            raise ModelMismatchError(
                f"the state was made with the adapter {state.adapter} on the base {state.base}, "
                f"not with {self.fingerprint} on {self.adapter.base_fingerprint}; load that "
                "adapter, or compress the text again"
            )
        return state.blocks

    def _fitting(self, text: str, blocks: Sequence[Block], more: int = 0) -> Tensor:
        """Tokens of a text, with the tokenizer's own in front where no memory stands there."""
        ids = self._ids(text)
        if ids[: len(self._prefix)] == self._prefix:
            ids = ids[len(self._prefix) :]
        if not blocks:
            ids = [*self._prefix, *ids]
        limit = self.adapter.positions.limit
        memory = sum(block.tokens for block in blocks)
        if limit is not None and bool(blocks) + memory + len(ids) + more > limit:
            raise TextTooLongError(
                f"{memory} memory tokens, {len(ids)} of text and {more} to be written are more "
                f"than the base's {limit} positions; compress the first part of the text"
            )
        return torch.tensor([ids], dtype=torch.long, device=self.adapter.base.device)

    @contextmanager
    def _running(self) -> Iterator[None]:
        with self._lock, torch.no_grad(), memory_named(), answering(self.adapter.base):
            yield


def _sink(tokenizer: Any) -> int:
    for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    raise BaseModelError(
        "the tokenizer names neither a first nor a last token, and memory tokens need one in front "
        "of them; set tokenizer.bos_token"
    )
