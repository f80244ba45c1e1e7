"""Other coders that could store a turn: bytes per turn, each in its most compact form."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.errors import MissingPackageError

ZSTD_LEVEL = 19
BROTLI_QUALITY = 11
DICTIONARY_BYTES = 64 * 1024

Coder = Callable[[bytes], int]
"""Returns the bytes that a coder needs for a text."""


def packed_bytes(tokens: int, vocabulary: int) -> int:
    """Bytes of token ids, each in the same whole number of bits (13 for 8,192 tokens)."""
    return math.ceil(tokens * math.ceil(math.log2(vocabulary)) / 8)


def static_bytes(costs: NDArray[np.float64], ids: Sequence[int]) -> int:
    """Whole bytes of an ideal static coder; no coder over the same counts can need fewer."""
    return math.ceil(float(costs[np.asarray(ids, dtype=np.int64)].sum()) / 8)


class StaticRangeCoder:
    """``constriction``'s range coder with static counts, in whole 32-bit words."""

    def __init__(self, counts: NDArray[np.int64]) -> None:
        try:
            import constriction
        except ImportError as error:
            raise MissingPackageError("constriction", "bench") from error
        seen = counts.astype(np.float64) + 1.0
        self._stream = constriction.stream
        self._model = self._stream.model.Categorical(seen / seen.sum(), perfect=False)

    def size(self, ids: Sequence[int]) -> int:
        """Bytes of the words for token ids."""
        if not ids:
            return 0
        encoder = self._stream.queue.RangeEncoder()
        encoder.encode(np.asarray(ids, dtype=np.int32), self._model)
        return 4 * len(encoder.get_compressed())


def byte_coders(dictionary_samples: Sequence[bytes] | None) -> Mapping[str, Coder]:
    """Coders for one turn at a time: zstd and brotli.

    Each in its most compact form: zstd without magic number, checksum, content size and dictionary
    id, since a store knows these.

    Args:
        dictionary_samples: Training texts for a zstd dictionary; without them that coder is left
            out.

    Raises:
        MissingPackageError: If zstandard or brotli is not installed.
    """
    try:
        import zstandard
    except ImportError as error:
        raise MissingPackageError("zstandard", "bench") from error
    try:
        import brotli
    except ImportError as error:
        raise MissingPackageError("brotli", "bench") from error

    frugal = zstandard.ZstdCompressionParameters.from_level(
        ZSTD_LEVEL,
        format=zstandard.FORMAT_ZSTD1_MAGICLESS,
        write_content_size=False,
        write_checksum=False,
        write_dict_id=False,
    )
    plain = zstandard.ZstdCompressor(compression_params=frugal)
    coders: dict[str, Coder] = {"zstd-19": lambda data: len(plain.compress(data))}
    if dictionary_samples:
        dictionary = zstandard.train_dictionary(DICTIONARY_BYTES, list(dictionary_samples))
        dictionary.precompute_compress(compression_params=frugal)
        primed = zstandard.ZstdCompressor(compression_params=frugal, dict_data=dictionary)
        coders["zstd-19 + dictionary"] = lambda data: len(primed.compress(data))
    coders["brotli-11"] = lambda data: len(
        brotli.compress(data, mode=brotli.MODE_TEXT, quality=BROTLI_QUALITY)
    )
    return coders
