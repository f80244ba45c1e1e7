"""Who may use a file over a network: a row for each token, with a digest in place of the token."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from r3mem_agents.store.bound import BoundDatabase
from r3mem_agents.store.removing import to_be_scrubbed

# Made with the first token: an empty table would cost every file a page.
_TABLE = """
CREATE TABLE IF NOT EXISTS tokens (
    digest BLOB NOT NULL PRIMARY KEY,
    owner BLOB NOT NULL,
    made_us BIGINT NOT NULL,
    checksum BIGINT NOT NULL
) WITHOUT ROWID
"""

_SELECT = "SELECT digest, owner, made_us, checksum FROM tokens"


class TokenRow(NamedTuple):
    """A token as a database records it.

    Attributes:
        digest: SHA-256 of the token.
        owner: Names of the user and the agent, as ``Scope.hidden``.
        made_us: When it was made, in microseconds since 1970.
    """

    digest: bytes
    owner: bytes
    made_us: int

    @property
    def checksum(self) -> int:
        """CRC-32 of the row."""
        numbers = struct.pack("<qq", self.made_us, len(self.owner))
        return zlib.crc32(numbers + self.digest + self.owner)


class TokenDatabase(BoundDatabase):
    """What a store works on, with the tokens of those who may use it over a network."""

    def add_token(self, token: TokenRow) -> None:
        """Record a token, in a table that is made for the first one."""
        with self._writing() as connection:
            connection.execute(_TABLE)
            connection.execute(
                "INSERT INTO tokens (digest, owner, made_us, checksum) VALUES (?, ?, ?, ?)",
                (*token, token.checksum),
            )

    def remove_token(self, digest: bytes) -> bool:
        """Remove a token, and tell whether there was one; its bytes leave the file soon."""
        with self._writing() as connection:
            if not _has_table(connection):
                return False
            done = connection.execute("DELETE FROM tokens WHERE digest = ?", (digest,))
            if done.rowcount:
                to_be_scrubbed(connection)
        self._scrubber.soon()
        return done.rowcount > 0

    def token(self, digest: bytes) -> TokenRow | None:
        """The token with a digest, if there is one that is undamaged."""
        return next((one for one in self._tokens("WHERE digest = ?", digest)), None)

    def tokens(self) -> list[TokenRow]:
        """All undamaged tokens, the oldest first."""
        return self._tokens("ORDER BY made_us, digest")

    def has_tokens(self) -> bool:
        """Whether there is any token; damaged ones count."""
        with self._reading() as connection:
            return _has_table(connection) and bool(
                connection.execute("SELECT 1 FROM tokens LIMIT 1").fetchall()
            )

    def problems(self) -> list[str]:
        """What is wrong with the file, its turns apart: nothing, if all is well."""
        found = super().problems()
        with self._reading() as connection:
            return [*found, *_token_problems(connection)]

    def _tokens(self, which: str, *values: bytes) -> list[TokenRow]:
        with self._reading() as connection:
            if not _has_table(connection):
                return []
            found = connection.execute(f"{_SELECT} {which}", values)
            return [one for one in map(_intact, found) if one is not None]


def _token_problems(connection: sqlite3.Connection) -> Iterator[str]:
    if _has_table(connection):
        rows = connection.execute(f"{_SELECT} ORDER BY made_us, digest")
        for number, row in enumerate(rows, 1):
            if _intact(row) is None:
                yield f"row {number} of tokens: it is not what was written, so it opens nothing"


def _has_table(connection: sqlite3.Connection) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'tokens'"
    return connection.execute(query).fetchone() is not None


def _intact(row: tuple[object, ...]) -> TokenRow | None:
    match row:
        case bytes(digest), bytes(owner), int(made_us), checksum:
            token = TokenRow(digest, owner, made_us)
            return token if token.checksum == checksum else None
    return None
