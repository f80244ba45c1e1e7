"""Obfuscation of names, terms and metadata, so that none of their words appears in the database.

It hides words from anything that reads the bytes, from ``grep`` to a search through backups. It is
not encryption: the secret is stored in the same database. If you need encryption, keep the file on
an encrypted disk.
"""

from __future__ import annotations

import hashlib
import zlib

from r3mem_agents.errors import StoreCorruptError
from r3mem_agents.lookup.hashes import OPEN_BITS, TERM_BITS

TERM_BYTES = TERM_BITS // 8
"""Size of a hashed term."""

DIGEST_BYTES = 16


class Obfuscator:
    """Keyed hashes and unreadable values under the secret of one database."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def digest(self, kind: str, value: str) -> bytes:
        """Hash a name for look-ups; ``kind`` separates users and sessions of the same name."""
        return hashlib.blake2b(
            value.encode(), digest_size=DIGEST_BYTES, key=self._secret, person=kind.encode()
        ).digest()

    def term(self, term: str) -> bytes:
        """Hash a term to ``TERM_BYTES``."""
        return hashlib.blake2b(
            term.encode(), digest_size=TERM_BYTES, key=self._secret, person=b"term"
        ).digest()

    def prefixed(self, prefix: str, term: str) -> bytes:
        """Hash a term so that the hashes of all terms with this prefix start with the same bits."""
        begin = int.from_bytes(self.term(f"{prefix}\0"))
        end = int.from_bytes(self.term(term))
        return (begin >> OPEN_BITS << OPEN_BITS | end & (1 << OPEN_BITS) - 1).to_bytes(TERM_BYTES)

    def hide(self, value: str) -> bytes:
        """Deflate a text and mask the result, since deflate may leave a text readable."""
        return self._mask(zlib.compress(value.encode(), 9, wbits=-15))

    def reveal(self, hidden: bytes) -> str:
        """Undo ``hide``.

        Raises:
            StoreCorruptError: If these are not the bytes that ``hide`` made.
        """
        try:
            return zlib.decompress(self._mask(hidden), wbits=-15).decode()
        except (zlib.error, UnicodeDecodeError) as error:
            raise StoreCorruptError(
                f"a name or metadata in the database is damaged ({error}); restore the file from "
                "a copy"
            ) from error

    def mask(self, value: str) -> bytes:
        """Mask a short text; equal texts give equal bytes, so that they can be looked up."""
        return self._mask(value.encode())

    def unmask(self, masked: bytes) -> str:
        """Undo ``mask``.

        Raises:
            StoreCorruptError: If these are not the bytes that ``mask`` made.
        """
        try:
            return self._mask(masked).decode()
        except UnicodeDecodeError as error:
            raise StoreCorruptError(
                f"a key in the database is damaged ({error}); restore the file from a copy"
            ) from error

    def _mask(self, value: bytes) -> bytes:
        stream = hashlib.shake_256(self._secret).digest(len(value))
        mixed = int.from_bytes(value) ^ int.from_bytes(stream)
        return mixed.to_bytes(len(value))
