"""Memory tokens as bytes: the format of what a text is stored as.

Byte layout, version 1::

    byte 0        kind << 6 | min(tokens, 63)
    if 63         tokens - 63 as LEB128
    3 bytes       first bytes of BLAKE2b of the text's UTF-8
    the rest      kind 0: range-coded memory tokens (model/codec.py)
                  kind 1: raw LZMA of the text's UTF-8
                  kinds 2 and 3: not in version 1
"""

from __future__ import annotations

import hashlib
import lzma
from dataclasses import dataclass

from r3mem_agents.errors import ExpansionError, FormatError

KIND_TOKENS = 0
KIND_LITERAL = 1
HASH_BYTES = 3
"""One damaged code in 2**24 passes; a byte more would cost a short turn another 2 %."""

_SHORT = 63
_LZMA = [{"id": lzma.FILTER_LZMA1, "preset": 9, "dict_size": 1 << 24, "lc": 3, "lp": 0, "pb": 0}]


@dataclass(frozen=True, slots=True)
class Segment:
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


@dataclass(frozen=True, slots=True)
class Frame:
    """A code taken apart."""

    kind: int
    tokens: int
    digest: bytes
    payload: bytes

    def to_bytes(self) -> bytes:
        """Put the code together."""
        head = bytearray([self.kind << 6 | min(self.tokens, _SHORT)])
        if self.tokens >= _SHORT:
            rest = self.tokens - _SHORT
            while rest > 127:
                head.append(rest & 127 | 128)
                rest >>= 7
            head.append(rest)
        return bytes(head) + self.digest + self.payload

    @classmethod
    def from_bytes(cls, code: bytes) -> Frame:
        """Take a code apart.

        Raises:
            FormatError: A kind that this version does not know.
            ExpansionError: The code ends too early.
        """
        try:
            kind, tokens, place = code[0] >> 6, code[0] & _SHORT, 1
            if tokens == _SHORT:
                shift = 0
                while True:
                    byte = code[place]
                    place += 1
                    tokens += (byte & 127) << shift
                    shift += 7
                    if byte < 128:
                        break
        except IndexError:
            raise ExpansionError("memory tokens are cut off: the file is damaged") from None
        if kind not in (KIND_TOKENS, KIND_LITERAL):
            raise FormatError(
                f"memory tokens of kind {kind} come from a newer version: upgrade r3mem-agents"
            )
        digest = code[place : place + HASH_BYTES]
        return cls(kind, tokens, digest, code[place + HASH_BYTES :])


def digest_of(data: bytes) -> bytes:
    """The hash that is stored with a text."""
    return hashlib.blake2b(data, digest_size=HASH_BYTES).digest()


def pack_literal(data: bytes) -> bytes:
    """Raw LZMA without headers."""
    return lzma.compress(data, format=lzma.FORMAT_RAW, filters=_LZMA)


def unpack_literal(payload: bytes) -> bytes:
    """Back from ``pack_literal``.

    Raises:
        ExpansionError: The payload is damaged.
    """
    try:
        return lzma.decompress(payload, format=lzma.FORMAT_RAW, filters=_LZMA)
    except lzma.LZMAError as error:
        raise ExpansionError(f"literal memory tokens are damaged: {error}") from error
