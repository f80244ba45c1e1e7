"""Word pieces: what the encoder reads. Unlike tokens they do not give the text back.

The library ``tokenizers`` learns pieces and normalizes texts; ``Unigram`` cuts them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import chain, islice
from pathlib import Path

from tokenizers import Tokenizer as Backend
from tokenizers import models, normalizers, pre_tokenizers, trainers

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model.unigram import Unigram

START, PADDING, END, UNKNOWN = range(4)
"""Ids of the pieces that no text has, in the order of XLM-RoBERTa's vocabulary."""

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
"""Names of these four."""

SPACE = "\u2581"
"""Begins the pieces that begin a word (SentencePiece's mark)."""


_MOST_WORDS = 1 << 14
"""Words whose pieces are kept; chosen: most of what is said has been said before."""


class Pieces:
    """A unigram model of word pieces.

    Upper and lower case, and the compatible forms of a character, count as one.

    Attributes:
        unigram: Its pieces.
        reading: JSON of what is done to a text before it is cut, as ``tokenizers`` reads it.

    Args:
        unigram: Its pieces.
        reading: What is done to a text before it is cut.
        whole: Loads all of it into the library, which only training needs.
    """

    def __init__(self, unigram: Unigram, reading: str, whole: Callable[[], Backend]) -> None:
        self.unigram, self.reading = unigram, reading
        self._whole = whole
        self._reader = Backend.from_str(reading)
        self._words: dict[str, list[int]] = {}

    @classmethod
    def of(cls, scores: Sequence[tuple[str, float]]) -> Pieces:
        """Pieces with their log probabilities, after the four that no text has.

        Args:
            scores: Those that begin a word begin with ``SPACE``.
        """
        special = [(name, 0.0) for name in SPECIAL]
        model = models.Unigram([*special, *scores], unk_id=UNKNOWN, byte_fallback=False)
        return cls._held(_reading(Backend(model)))

    @classmethod
    def _held(cls, backend: Backend) -> Pieces:
        fields = json.loads(backend.to_str())
        model = fields["model"]
        if model["unk_id"] is None:
            raise ValueError("no piece is for what is unknown: its unk_id is missing")
        unigram = Unigram.of([(name, score) for name, score in model["vocab"]], model["unk_id"])
        fields["model"] = model | {"vocab": [["", 0.0]], "unk_id": 0}
        return cls(unigram, json.dumps(fields), lambda: backend)

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
        return cls.of(_scores(backend))

    @classmethod
    def load(cls, path: Path) -> Pieces:
        """Read ``pieces.json``.

        Raises:
            CheckpointError: The file is missing or damaged.
        """
        try:
            return cls._held(Backend.from_file(str(path)))
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
        return _scores(self._backend)

    def __len__(self) -> int:
        return int(self.unigram.ids.max()) + 1

    def encode(self, texts: Sequence[str], most: int) -> list[list[int]]:
        """Ids of the pieces of texts between ``START`` and ``END``, at most so many of each."""
        cut = [self._cut(text) for text in texts]
        if len(self._words) > _MOST_WORDS:
            self._words = {}
        words = self._words  # which another thread may replace, but takes nothing out of
        if new := {word for text in cut for word in text} - words.keys():
            words.update(self.unigram.cut(new))
        return [
            [START, *islice(chain.from_iterable(words[word] for word in text), most - 2), END]
            for text in cut
        ]

    def _cut(self, text: str) -> list[str]:
        """The words of a text, normalized."""
        normal = self._reader.normalizer.normalize_str(text)
        return [word for word, _ in self._reader.pre_tokenizer.pre_tokenize_str(normal)]

    @cached_property
    def _backend(self) -> Backend:
        return self._whole()


def _scores(backend: Backend) -> list[tuple[str, float]]:
    vocabulary = json.loads(backend.to_str())["model"]["vocab"]
    return [(piece, score) for piece, score in vocabulary[len(SPECIAL) :]]


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
