"""Lossless byte-level BPE: any Unicode text to token ids and back to the same bytes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, trainers

from r3mem_agents.errors import CheckpointError

LEAD = " "
"""Put before every text and taken off again, so that a first word is the token that it is inside
a sentence."""


_PIECE = 1 << 16
"""Characters of a long text that are cut at a time."""

_JOINT = re.compile(r"(?<=\S)[ \n](?=\S)")
"""A single space or line break, before which no token goes on: it begins the next one."""


class Tokenizer:
    """Byte-level BPE without normalization, over the ``tokenizers`` library.

    Every byte is a token, so every text has ids; ids map to fixed bytes, so ids give the text
    back.

    Attributes:
        tokens: The bytes of each token.

    Args:
        tokens: The bytes of each token.
        whole: Loads all of it into the library, which only cutting texts needs.
    """

    def __init__(self, tokens: Sequence[bytes], whole: Callable[[], Backend]) -> None:
        self.tokens = tokens
        self._whole = whole

    @classmethod
    def _held(cls, backend: Backend) -> Tokenizer:
        alphabet = {char: byte for byte, char in _byte_characters().items()}
        tokens = [
            bytes(alphabet[char] for char in backend.id_to_token(index) or "")
            for index in range(backend.get_vocab_size())
        ]
        return cls(tokens, lambda: backend)

    @cached_property
    def _backend(self) -> Backend:
        return self._whole()

    @classmethod
    def train(cls, texts: Iterable[str], vocabulary: int) -> Tokenizer:
        """Learn merges from texts.

        Args:
            texts: Training texts.
            vocabulary: Number of tokens, the 256 bytes included.
        """
        backend = Backend(models.BPE())
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            initial_alphabet=sorted(_byte_characters().values()),
            special_tokens=[],
            show_progress=False,
        )
        backend.train_from_iterator((LEAD + text for text in texts), trainer)
        return cls._held(backend)

    def reordered(self, order: Sequence[int]) -> Tokenizer:
        """The same tokenizer with other ids.

        Args:
            order: All ids: token ``order[i]`` becomes token ``i``.
        """
        fields = json.loads(self._backend.to_str())
        fields["model"]["vocab"] = {
            self._backend.id_to_token(int(old)): new for new, old in enumerate(order)
        }
        return self._held(Backend.from_str(json.dumps(fields)))

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read ``tokenizer.json``.

        Raises:
            CheckpointError: The file is missing or damaged.
        """
        try:
            read = cls._held(Backend.from_file(str(path)))
        except Exception as error:  # the library raises bare Exception
            raise CheckpointError(f"no usable tokenizer at {path}: {error}") from error
        if missing := 256 - sum(len(one) == 1 for one in {*read.tokens}):
            raise CheckpointError(
                f"no usable tokenizer at {path}: it has no token for {missing} bytes"
            )
        return read

    def save(self, path: Path) -> None:
        """Write ``tokenizer.json``."""
        self._backend.save(str(path))

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides how it cuts texts; 16 hex digits."""
        return hashlib.blake2b(self._backend.to_str().encode(), digest_size=8).hexdigest()

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text; empty for empty text."""
        return self.encode_batch([text])[0]

    def beginning(self, text: str, most: int) -> tuple[list[int], int]:
        """First token ids of a text, and the number of all, in memory that no length adds to.

        The text is cut in pieces where its tokens end. Where thousands of characters have no space
        between them a token may be cut in two, which the number then counts twice.

        Args:
            text: Any text.
            most: Maximum number of ids to return.
        """
        first: list[int] = []
        count = 0
        for ids in self._pieces(text):
            first += ids[: most - len(first)]
            count += len(ids)
        return first, count

    def count(self, text: str) -> int:
        """Number of tokens of a text, as ``beginning`` counts them."""
        return self.beginning(text, 0)[1]

    def _pieces(self, text: str) -> Iterator[list[int]]:
        lead, start = LEAD, 0
        while start < len(text):
            joint = _JOINT.search(text, start + _PIECE, start + 2 * _PIECE)
            end = joint.start() if joint else start + 2 * _PIECE
            piece = self._backend.encode_batch_fast(
                [lead + text[start:end]], add_special_tokens=False
            )
            yield piece[0].ids
            lead, start = "", end

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of several texts."""
        encoded = self._backend.encode_batch_fast(
            [LEAD + text for text in texts], add_special_tokens=False
        )
        return [item.ids if text else [] for item, text in zip(encoded, texts, strict=True)]

    def bytes_of(self, ids: Iterable[int]) -> bytes:
        """The bytes that tokens stand for, with the ``LEAD`` of a first one."""
        return b"".join(self.tokens[token] for token in ids)

    def text_of(self, ids: Iterable[int]) -> str:
        """The text of tokens from the middle of a text, without characters that are cut in two."""
        return self.bytes_of(ids).decode(errors="replace")

    def token_bytes(self, token: int) -> bytes:
        """The bytes that one token stands for."""
        return self.tokens[token]

    def join(self, pieces: Iterable[bytes]) -> bytes:
        """UTF-8 bytes of a text from the bytes of its segments, in order."""
        return b"".join(pieces)[len(LEAD) :]


def _byte_characters() -> dict[int, str]:
    """The character that byte-level BPE writes for each byte (GPT-2's table)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {byte: chr(byte) for byte in printable}
    hidden = [byte for byte in range(256) if byte not in table]
    return table | {byte: chr(256 + index) for index, byte in enumerate(hidden)}
