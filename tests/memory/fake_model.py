"""A model with the interface of the real one, without torch: for subprocesses, and for lookups.

Its gists are sums of word hashes (SimHash), so texts that share words are alike, which a network
with random weights cannot promise.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import ExpansionError

HASH_BYTES = 4
MASK = bytes(range(1, 256))


@dataclass(frozen=True, slots=True)
class FakeTokens:
    code: bytes
    gists: bytes
    tokens: int = 0
    text_bytes: int = 0
    inferred: int = 0
    packed: int = 0
    literal: int = 0


class FakeModel:
    name = "fake"
    gist_bytes = 32
    segment_tokens = 64
    superseder: Any = None

    def __init__(
        self, fingerprint: str = "0123456789abcdef", encoder: str = "", spelling: bytes = b""
    ) -> None:
        self.fingerprint = self.expander_fingerprint = fingerprint
        self.encoder_fingerprint = encoder or fingerprint
        self._spelling = spelling  # begins every code: what begins otherwise is not expanded
        self._encoder = encoder

    def compress(self, texts: Sequence[str]) -> list[FakeTokens]:
        return [self._compress(text) for text in texts]

    def _compress(self, text: str) -> FakeTokens:
        raw = text.encode()
        tokens = self.count_tokens(text)
        return FakeTokens(
            code=self._spelling
            + hashlib.blake2b(raw, digest_size=HASH_BYTES).digest()
            + mask(zlib.compress(raw), self._spelling),
            gists=self._gists(text),
            tokens=tokens,
            text_bytes=len(raw),
            inferred=tokens // 2,
            packed=0,
            literal=1,
        )

    def expand(self, tokens: Sequence[FakeTokens]) -> list[str]:
        return [self._expand(one.code) for one in tokens]

    def _expand(self, code: bytes) -> str:
        own = code.removeprefix(self._spelling)
        try:
            raw = zlib.decompress(mask(own[HASH_BYTES:], self._spelling))
        except zlib.error as error:
            raise ExpansionError("damaged") from error
        if hashlib.blake2b(raw, digest_size=HASH_BYTES).digest() != own[:HASH_BYTES]:
            raise ExpansionError("damaged")
        return raw.decode()

    def gists(self, texts: Sequence[str]) -> list[bytes]:
        return [self._gists(text) for text in texts]

    def _gists(self, text: str) -> bytes:
        words = text.split()
        starts = range(0, max(len(words), 1), 64) if text else ()
        return b"".join(self._gist(" ".join(words[n : n + 64])).tobytes() for n in starts)

    def questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        gists = np.stack([self._gist(text) for text in texts])
        bits = np.unpackbits(gists, axis=1).astype(np.float32)
        # Shorter than a model's: what hashes have in common by chance counts for nothing.
        return np.asarray((2 * bits - 1) * np.float32(0.6 / np.sqrt(bits.shape[1])))

    def _gist(self, text: str) -> NDArray[np.uint8]:
        total = np.zeros(256)
        for word in text.casefold().split()[:64]:
            digest = hashlib.blake2b(
                word.strip(".,?!").encode(), digest_size=32, key=self._encoder.encode()
            ).digest()
            total += np.unpackbits(np.frombuffer(digest, np.uint8)) - 0.5
        return np.packbits(total > 0)

    def count_tokens(self, text: str) -> int:
        return len(text.split())


def mask(raw: bytes, spelling: bytes = b"") -> bytes:
    stream = (MASK[len(spelling) :] + MASK * (len(raw) // len(MASK) + 1))[: len(raw)]
    return bytes(a ^ b for a, b in zip(raw, stream, strict=True))


class Superseding(FakeModel):
    """Of two turns that are alike, the newer supersedes the older."""

    superseder = True

    def supersedes(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        return np.full(len(pairs), 10.0)
