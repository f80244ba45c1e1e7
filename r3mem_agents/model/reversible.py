"""``ReversibleModel``: texts to memory tokens by a forward pass, and back by backward passes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import CheckpointError, ExpansionError, InvalidInputError
from r3mem_agents.forking import unforked
from r3mem_agents.model import checkpoint as checkpoints
from r3mem_agents.model.checkpoint import Checkpoint, Stored
from r3mem_agents.model.codec import Codec
from r3mem_agents.model.comparing import compare
from r3mem_agents.model.config import EncoderConfig, ModelConfig, SupersederConfig
from r3mem_agents.model.explanation import Explanation
from r3mem_agents.model.forward import Forward
from r3mem_agents.model.memory_tokens import (
    MemoryTokens,
    check_tokens,
    is_literal,
    pack_literal,
    unpack_literal,
)
from r3mem_agents.model.networks import Networks
from r3mem_agents.model.pieces import Pieces
from r3mem_agents.model.predictions import Integers
from r3mem_agents.model.stream import LITERAL, PACKED, SEGMENTS, Encoded, Reader, digest_of
from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.types import DEFAULT_MODEL
from r3mem_agents.validation import check_pairs, check_text, check_texts

P = ParamSpec("P")
Result = TypeVar("Result")
Item = TypeVar("Item")

_QUESTION_CHARACTERS = 2048
"""The encoder reads a question's first 126 pieces, which are shorter than 16 characters."""

_DOCUMENT_BYTES = 32 * 1024
"""A longer text is not worth the passes: LZMA has enough of it to learn from."""

_LITERAL_BYTES = 64
"""LZMA is tried on a text longer than this; it takes a hundredth of the time of the passes."""

_AT_ONCE = 256
"""Texts that are compressed or expanded together, so that Ctrl-C is heard between; more of them are
not faster."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """A text as the passes see it.

    Attributes:
        segments: Its segments; of a document the first 64.
        tokens: How many tokens the whole text has.
        document: It is too long for the passes, and stored literally.
    """

    segments: list[Integers]
    tokens: int
    document: bool


def _unforked(
    method: Callable[Concatenate[ReversibleModel, P], Result],
) -> Callable[Concatenate[ReversibleModel, P], Result]:
    """Let forks wait for a method: tokenizers have locks that a child cannot renew."""

    @wraps(method)
    def whole(self: ReversibleModel, /, *args: P.args, **kwargs: P.kwargs) -> Result:
        with unforked():
            return method(self, *args, **kwargs)

    return whole


class ReversibleModel:
    """A reversible Transformer as a lossless text codec.

    Every text comes back byte for byte, whatever it is and wherever it is expanded; how well the
    model predicts decides only how small the memory tokens are. Instances are immutable and may
    be shared between threads.
    """

    def __init__(self, checkpoint: Checkpoint, networks: Networks | None = None) -> None:
        """Compute what a checkpoint holds.

        Args:
            checkpoint: The checkpoint.
            networks: What computes its networks; the engine by default.
        """
        networks = networks or Networks.native(checkpoint)
        self.checkpoint = checkpoint
        self.name = checkpoint.name
        self.fingerprint = checkpoint.fingerprint
        self.encoder_fingerprint = checkpoint.encoder_fingerprint
        self.expander_fingerprint = checkpoint.expander_fingerprint
        self.config = checkpoint.expander.config
        self.tokenizer = checkpoint.tokenizer
        self.pieces = checkpoint.pieces
        self.static_counts = checkpoint.static_counts
        self.encoder = networks.encoder
        self.expander = networks.expander
        self.superseder = networks.superseder
        self.device = networks.device
        self._forward = Forward(self.encoder, self.pieces)
        self._codec = Codec(self.expander, self.tokenizer, checkpoint.static_counts)

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}({self.name!r}, {self.fingerprint[:12]}, device={self.device!r})"

    @classmethod
    def from_pretrained(cls, path: str | Path = DEFAULT_MODEL) -> ReversibleModel:
        """Load a checkpoint from a folder, or a bundled one by name.

        Raises:
            CheckpointError: It is missing, damaged or of another format.
        """
        return cls(checkpoints.load(path))

    @classmethod
    def from_networks(
        cls,
        encoder: Stored[EncoderConfig],
        expander: Stored[ModelConfig],
        pieces: Pieces,
        tokenizer: Tokenizer,
        static_counts: NDArray[np.int64],
        name: str,
        superseder: Stored[SupersederConfig] | None = None,
    ) -> ReversibleModel:
        """A model from its parts: what training ends with.

        Args:
            encoder: Runs forward.
            expander: Runs backward.
            pieces: Word pieces that the encoder reads.
            tokenizer: Tokenizer of the expander.
            static_counts: ``(vocabulary,)``, occurrences of each token in the training set.
            name: Name of the model, as memories record it.
            superseder: Compares two turns; without one nothing is superseded.
        """
        made = Checkpoint(
            name, encoder, expander, tokenizer, pieces, static_counts, superseder=superseder
        )
        with tempfile.TemporaryDirectory() as folder:
            checkpoints.save(made, Path(folder))
            return cls.from_pretrained(folder)

    def save_pretrained(self, path: str | Path) -> None:
        """Write the checkpoint into a folder, which is made if need be.

        Raises:
            CheckpointError: It cannot be written there.
        """
        checkpoints.save(self.checkpoint, Path(path))

    @property
    def gist_bytes(self) -> int:
        """Bytes of one gist."""
        return self.config.gist_bits // 8

    @property
    def segment_tokens(self) -> int:
        """Maximum number of tokens in a segment, each of which has a gist."""
        return self.config.segment_tokens

    def to(self, device: str) -> ReversibleModel:
        """The same model on another device; memory tokens are the same there.

        Args:
            device: ``"cpu"``, or a device of PyTorch, which has to be installed.

        Raises:
            InvalidInputError: There is no such device.
            MissingExtraError: PyTorch is not installed.
        """
        if str(device) == "cpu":
            return ReversibleModel(self.checkpoint)
        return ReversibleModel(self.checkpoint, Networks.in_torch(self.checkpoint, str(device)))

    def count_tokens(self, text: str) -> int:
        """Tokens of a text.

        Raises:
            InvalidInputError: It is no string, or holds a lone surrogate.
        """
        return self.tokenizer.count(check_text(text, "text"))

    @_unforked
    def compress(self, texts: Sequence[str]) -> list[MemoryTokens]:
        """Turn texts into memory tokens, in as few passes as possible.

        Raises:
            InvalidInputError: A text is no string, or holds a lone surrogate.
        """
        texts = check_texts(texts, "texts")
        return [tokens for part in _parts(texts) for tokens in self._compressed(part)]

    def _compressed(self, texts: Sequence[str]) -> list[MemoryTokens]:
        data = [text.encode() for text in texts]
        cut = self._cut(texts, data)
        gists = self._gists(cut)
        short = [row for row, item in enumerate(cut) if not item.document]
        streams = self._codec.encode(
            [cut[row].segments for row in short],
            [gists[row] for row in short],
            [digest_of(data[row]) for row in short],
        )
        encoded = dict(zip(short, streams, strict=True))
        return [
            self._segment(item, cut[row], gists[row], encoded.get(row))
            for row, item in enumerate(data)
        ]

    @_unforked
    def expand(self, tokens: Sequence[MemoryTokens]) -> list[str]:
        """Turn memory tokens back into the very texts they were made from.

        Raises:
            ExpansionError: They are damaged, or were made by another model.
            FormatError: They were made by a later version.
            InvalidInputError: They are no memory tokens.
        """
        tokens = check_tokens(tokens)
        return [text for part in _parts(tokens) for text in self._expanded(part)]

    def _expanded(self, tokens: Sequence[MemoryTokens]) -> list[str]:
        found: dict[int, tuple[bytes, bytes]] = {}
        readers: dict[int, Reader] = {}
        for row, one in enumerate(tokens):
            if is_literal(one.code):
                found[row] = unpack_literal(one.code)
            else:
                readers[row] = self._codec.open(one.code)
        gists = [self._gist_rows(tokens[row].gists) for row in readers]
        decoded = self._codec.decode(list(readers.values()), gists)
        for (row, reader), text in zip(readers.items(), decoded, strict=True):
            found[row] = text, reader.digest
        return [self._checked(*found[row]) for row in range(len(tokens))]

    @_unforked
    def gists(self, texts: Sequence[str]) -> list[bytes]:
        """Gists of the segments of texts, as memory tokens hold them, without the codes.

        Raises:
            InvalidInputError: A text is no string, or holds a lone surrogate.
        """
        texts = check_texts(texts, "texts")
        cut = self._cut(texts, [text.encode() for text in texts])
        return [gists.tobytes() for gists in self._gists(cut)]

    @_unforked
    def questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of questions to compare gists with, ``(texts, gist_bits)``, each of length 1.

        A question's similarity to a gist is its product with the bits as -1 and 1, divided by the
        square root of their number. A question is not stored, so it need not be cut to bits.

        Raises:
            InvalidInputError: A text is no string, or holds a lone surrogate.
        """
        texts = check_texts(texts, "texts")
        return self._forward.questions([text[:_QUESTION_CHARACTERS] for text in texts])

    @_unforked
    def supersedes(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Log-odds that the newer turn of each pair supersedes the older, ``(pairs,)``.

        Args:
            pairs: Texts of the older turn and of the newer; of each the beginning is read.

        Raises:
            InvalidInputError: A text is no string, or holds a lone surrogate.
            CheckpointError: The checkpoint has no network that compares turns.
        """
        pairs = check_pairs(pairs, "pairs")
        if self.superseder is None:
            raise CheckpointError(
                f"{self.name} has no network that compares turns: train one with r3mem supersede"
            )
        return compare(self.superseder, self.pieces, pairs)

    @_unforked
    def explain(self, texts: Sequence[str]) -> list[Explanation]:
        """The cost of each token of texts of at most 4,096 tokens.

        Raises:
            InvalidInputError: A text is no string, holds a lone surrogate, or is longer.
        """
        texts = check_texts(texts, "texts")
        read = self._cut(texts, [text.encode() for text in texts])
        if any(item.tokens > self._most_tokens for item in read):
            raise InvalidInputError("a text of more than 4,096 tokens is stored as a document")
        cut, gists = [item.segments for item in read], self._gists(read)
        explained = []
        digests = [b""] * len(texts)
        for segments, encoded in zip(cut, self._codec.encode(cut, gists, digests), strict=True):
            ids = [token for segment in segments for token in segment.tolist()]
            explained.append(
                Explanation(
                    tokens=[self.tokenizer.token_bytes(token) for token in ids],
                    rounds=np.concatenate(
                        [np.zeros(0, np.int64), *(self._codec.rounds_of(len(s)) for s in segments)]
                    ),
                    bits=encoded.bits,
                    inferred=encoded.inferred,
                )
            )
        return explained

    @property
    def _most_tokens(self) -> int:
        """Of a text that is no document."""
        return SEGMENTS * self.config.segment_tokens

    def _cut(self, texts: Sequence[str], data: Sequence[bytes]) -> list[_Cut]:
        """Texts as far as the passes see them; of documents the rest is only counted."""
        short = [row for row, item in enumerate(data) if len(item) <= _DOCUMENT_BYTES]
        whole = self.tokenizer.encode_batch([texts[row] for row in short])
        ids = dict(zip(short, whole, strict=True))
        cut = []
        for row, text in enumerate(texts):
            if row in ids:
                first, tokens = ids[row][: self._most_tokens], len(ids[row])
            else:
                first, tokens = self.tokenizer.beginning(text, self._most_tokens)
            document = row not in ids or tokens > self._most_tokens
            cut.append(_Cut(self._codec.cut(first), tokens, document))
        return cut

    def _gists(self, cut: Sequence[_Cut]) -> list[NDArray[np.uint8]]:
        """Gists of the segments of each text."""
        segments = [segment for item in cut for segment in item.segments]
        gists = self._forward.gists([self.tokenizer.text_of(segment) for segment in segments])
        edges = np.cumsum([0, *(len(item.segments) for item in cut)])
        return [gists[edges[row] : edges[row + 1]] for row in range(len(cut))]

    def _segment(
        self,
        data: bytes,
        cut: _Cut,
        gists: NDArray[np.uint8],
        encoded: Encoded | None,
    ) -> MemoryTokens:
        """The smaller of the stream, if there is one, and literal bytes."""
        literal = b""
        if encoded is None or len(data) > _LITERAL_BYTES:
            literal = pack_literal(data)
        if encoded is None or (literal and len(literal) < len(encoded.stream)):
            segments = -(-cut.tokens // self.config.segment_tokens)
            code, modes, inferred = literal, [LITERAL] * segments, 0
        else:
            code, modes = encoded.stream, encoded.modes
            inferred = int(encoded.inferred.sum())
        return MemoryTokens(
            code=code,
            gists=gists.tobytes(),
            tokens=cut.tokens,
            text_bytes=len(data),
            inferred=inferred,
            packed=modes.count(PACKED),
            literal=modes.count(LITERAL),
        )

    def _gist_rows(self, gists: bytes) -> NDArray[np.uint8]:
        if len(gists) % self.gist_bytes:
            raise ExpansionError(
                f"{len(gists)} bytes of gists are no multiple of {self.gist_bytes}: "
                "they are damaged, or were made by another model"
            )
        return np.frombuffer(gists, np.uint8).reshape(-1, self.gist_bytes)

    def _checked(self, data: bytes, digest: bytes) -> str:
        if digest_of(data) != digest:
            raise ExpansionError(
                "memory tokens do not expand to the text they were made from: "
                f"they are damaged, or were not made by {self.name} ({self.fingerprint})"
            )
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise ExpansionError(f"memory tokens are damaged: {error}") from error


def _parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
