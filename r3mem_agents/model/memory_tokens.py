"""``MemoryTokens``, the memory tokens of one text, and the framing of long ones."""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from r3mem_agents.errors import ExpansionError, FormatError, InvalidInputError
from r3mem_agents.model.stream import HASH_BYTES, digest_of

LZMA_MARK = 0xFF
LATER_MARK = 0xFE
_LZMA = {"id": lzma.FILTER_LZMA1, "preset": 9, "dict_size": 1 << 24, "lc": 3, "lp": 0, "pb": 0}
_LEAST_WINDOW = 1 << 16
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class MemoryTokens:
    """Memory tokens of one text.

    Attributes:
        code: Hard memory tokens, with framing and hash; with ``gists`` it expands to the text.
        gists: Soft memory tokens: a gist per 64 tokens of the text, end to end; empty for an
            empty text.
        tokens: Tokens of the text.
        text_bytes: UTF-8 bytes of the text.
        inferred: Tokens that were the model's first prediction.
        packed: 64-token segments that fell back to the static coder.
        literal: 64-token segments that fell back to bytes.
    """

    code: bytes
    gists: bytes
    tokens: int = 0
    text_bytes: int = 0
    inferred: int = 0
    packed: int = 0
    literal: int = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.code)} + {len(self.gists)} bytes)"


def check_tokens(values: object) -> list[MemoryTokens]:
    """Accept memory tokens made of bytes.

    Raises:
        InvalidInputError: They are something else.
    """
    if not isinstance(values, Iterable):
        raise InvalidInputError(f"tokens must be a list, not {type(values).__name__}")
    tokens = list(values)
    for place, one in enumerate(tokens):
        if not isinstance(one, MemoryTokens):
            raise InvalidInputError(
                f"tokens[{place}] must be MemoryTokens, not {type(one).__name__}"
            )
        for name, part in (("code", one.code), ("gists", one.gists)):
            if not isinstance(part, bytes):
                raise InvalidInputError(
                    f"tokens[{place}].{name} must be bytes, not {type(part).__name__}"
                )
    return tokens


def pack_literal(data: bytes) -> bytes:
    """The code of a text as raw LZMA: a mark, the hash, and LZMA without headers."""
    # A window as long as the text makes the same bytes as the whole one of 16 MiB, which takes
    # 100 ms and 100 MB, however short the text is.
    window = max(_LEAST_WINDOW, 1 << len(data).bit_length())
    filters = [_LZMA | {"dict_size": min(window, _LZMA["dict_size"])}]
    packed = lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters)
    return bytes([LZMA_MARK]) + digest_of(data) + packed


def is_literal(code: bytes) -> bool:
    """Whether a code was made by ``pack_literal``.

    Raises:
        FormatError: It was made by a later version.
    """
    if code[:1] == bytes([LATER_MARK]):
        raise FormatError("memory tokens come from a later version: upgrade r3mem-agents")
    return code[:1] == bytes([LZMA_MARK])


def unpack_literal(code: bytes) -> tuple[bytes, bytes]:
    """Bytes of the text, and the hash they should have.

    Raises:
        ExpansionError: The code is damaged.
    """
    end = 1 + HASH_BYTES
    digest = code[1:end]
    try:
        return _unpacked(code[end:], digest), digest
    except (lzma.LZMAError, EOFError) as error:
        raise ExpansionError(f"literal memory tokens are damaged: {error}") from error


def _unpacked(packed: bytes, digest: bytes) -> bytes:
    """What was packed; the beginning of it, if it is long and has another hash.

    LZMA makes a piece of a few hundred bytes, so a damaged code could fill the memory.
    """
    pieces = _pieces(packed)
    first, long = next(pieces), False
    seen = hashlib.blake2b(first, digest_size=HASH_BYTES)
    for piece in pieces:
        long = True
        seen.update(piece)
    return b"".join(_pieces(packed)) if long and seen.digest() == digest else first


def _pieces(packed: bytes) -> Iterator[bytes]:
    decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_LZMA])
    while not decoder.eof:
        yield decoder.decompress(packed, _PIECE_BYTES)
        packed = b""
        if decoder.needs_input and not decoder.eof:
            raise EOFError("they end too early")
