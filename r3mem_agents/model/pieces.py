"""Word pieces: what the encoder reads. Unlike tokens they do not give the text back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer as Backend
from tokenizers import models, normalizers, pre_tokenizers, trainers

from r3mem_agents.errors import CheckpointError

START, PADDING, END, UNKNOWN = range(4)
"""Ids of the pieces that no text has, in the order of XLM-RoBERTa's vocabulary."""

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
"""Names of these four."""

SPACE = "\u2581"
"""Begins the pieces that begin a word (SentencePiece's mark)."""


class Pieces:
    """A unigram model of word pieces over the ``tokenizers`` library.

    Upper and lower case, and the compatible forms of a character, count as one.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @classmethod
    def of(cls, scores: Sequence[tuple[str, float]]) -> Pieces:
        """Pieces with their log probabilities, after the four that no text has.

        Args:
            scores: Those that begin a word begin with ``SPACE``.
        """
        special = [(name, 0.0) for name in SPECIAL]
        model = models.Unigram([*special, *scores], unk_id=UNKNOWN, byte_fallback=False)
        return cls(_reading(Backend(model)))

    @classmethod
    def train(cls, texts: Iterable[str], size: int) -> Pieces:
        """Learn pieces from texts (Kudo 2018, arXiv 1804.10959).

        The library's trainer breaks ties at random: pieces may differ from one time to the next.

        Args:
            texts: Training texts.
            size: Maximum number of pieces, the four that no text has included.
        """
        backend = _reading(Backend(models.Unigram()))
        trainer = trainers.UnigramTrainer(
            vocab_size=size,
            special_tokens=list(SPECIAL),
            unk_token=SPECIAL[UNKNOWN],
            show_progress=False,
        )
        backend.train_from_iterator(texts, trainer)
        return cls.of(Pieces(backend).scores)

    @classmethod
    def load(cls, path: Path) -> Pieces:
        """Read ``pieces.json``.

        Raises:
            CheckpointError: The file is missing or damaged.
        """
        try:
            pieces = cls(Backend.from_file(str(path)))
            pieces.encode(["\uffff"], 3)  # fails unless there is a piece for what is unknown
            return pieces
        except Exception as error:  # the library raises bare Exception
            raise CheckpointError(f"no usable word pieces at {path}: {error}") from error

    def save(self, path: Path) -> None:
        """Write ``pieces.json``."""
        self._backend.save(str(path), pretty=False)

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides how texts are cut; 16 hex digits."""
        return hashlib.blake2b(self._backend.to_str().encode(), digest_size=8).hexdigest()

    @property
    def scores(self) -> list[tuple[str, float]]:
        """Pieces with their log probabilities, without the four that no text has."""
        vocabulary = json.loads(self._backend.to_str())["model"]["vocab"]
        return [(piece, score) for piece, score in vocabulary[len(SPECIAL) :]]

    def __len__(self) -> int:
        return int(self._backend.get_vocab_size())

    def encode(self, texts: Sequence[str], most: int) -> list[list[int]]:
        """Ids of the pieces of texts between ``START`` and ``END``, at most so many of each."""
        encoded = self._backend.encode_batch_fast(list(texts), add_special_tokens=False)
        return [[START, *item.ids[: most - 2], END] for item in encoded]


def _reading(backend: Backend) -> Backend:
    """The backend with what is done to a text before it is cut."""
    backend.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace("\u0307", ""),  # what lower case leaves of a Turkish I
        ]
    )
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always"),
        ]
    )
    return backend
