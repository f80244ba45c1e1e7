"""A teacher: a pretrained sentence encoder and its vectors of texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from r3mem_agents.model.trainable.pretrained import load_base
from r3mem_agents.train.corpus import Ragged
from r3mem_agents.train.gists import POSITIONS, by_length, padded
from r3mem_agents.train.run import autocast

MAX_TOKENS = 128
"""Maximum number of tokens read of a text, as many as the encoder's pieces."""

AT_ONCE = 4096

Vectors = NDArray[np.float16]


class Teacher:
    """A sentence encoder in a folder: the mean of its last hidden states, normalized.

    Args:
        folder: As ``transformers`` saves it; nothing is downloaded.
        device: Device to compute on; on a GPU in bfloat16.
        prefix: Put before every text, as models of the E5 family expect.
    """

    def __init__(self, folder: Path, device: torch.device, prefix: str = "") -> None:
        self.base, self.tokenizer = load_base(folder)
        self._device, self._prefix = device, prefix
        cast(nn.Module, self.base).to(device)

    @property
    def table(self) -> NDArray[np.float32]:
        """Return the embeddings of its tokens."""
        table = cast(nn.Embedding, self.base.get_input_embeddings()).weight
        return table.detach().float().cpu().numpy()

    @property
    def places(self) -> Mapping[str, int]:
        """Return the row of each of its tokens."""
        places: Mapping[str, int] = self.tokenizer.get_vocab()
        return places

    @torch.inference_mode()
    def vectors(self, texts: Sequence[str], note: Callable[[int], None]) -> Vectors:
        """Return the vectors of texts, in order; ``note`` is called with the number done."""
        out = np.zeros((len(texts), self.base.config.hidden_size), np.float16)
        dtype = torch.float32 if self._device.type == "cpu" else torch.bfloat16
        for start in range(0, len(texts), AT_ONCE):
            some = [self._prefix + text for text in texts[start : start + AT_ONCE]]
            cut = Ragged.of(
                self.tokenizer(some, truncation=True, max_length=MAX_TOKENS)["input_ids"], np.int32
            )
            for rows in by_length(cut.counts, POSITIONS[self._device.type]):
                ids = torch.from_numpy(padded(cut, rows, 0)).to(self._device)
                count = torch.from_numpy(cut.counts[rows]).to(self._device)
                inside = torch.arange(ids.shape[1], device=self._device) < count[:, None]
                with autocast(self._device, dtype):
                    states = self.base(input_ids=ids, attention_mask=inside.long())[0]
                mean = (states.float() * inside[..., None]).sum(1)
                out[start + rows] = F.normalize(mean, dim=-1).half().cpu().numpy()
            note(start + len(some))
        return out
