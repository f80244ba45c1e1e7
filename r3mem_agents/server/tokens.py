"""Tokens: each lets whoever has it use the memory of one user with one agent.

A token is 256 random bits, shown once. The file keeps its SHA-256, from which nobody gets it back:
that many random bits need no slow hash.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime
from typing import NamedTuple

from r3mem_agents.errors import NotFoundError
from r3mem_agents.memory.handle import OpenFile
from r3mem_agents.memory.records import open_pair, scope_of
from r3mem_agents.store import TokenRow
from r3mem_agents.timestamps import from_integers, to_integers
from r3mem_agents.validation import check_name

PREFIX = "r3mem_"
"""What a token begins with, so that programs that look for secrets know one when they see it."""

RANDOM_BYTES = 32

ID_CHARACTERS = 8
"""Characters of its digest that a token is known by."""


class Owner(NamedTuple):
    """Whose memory a token opens."""

    user: str
    agent: str


class Token(NamedTuple):
    """What a file knows of a token.

    Attributes:
        id: What it is known by, and no help in guessing it.
        owner: Whose memory it opens; ``None`` if the names are damaged, and then it opens none.
        made: When it was made.
    """

    id: str
    owner: Owner | None
    made: datetime


class Tokens:
    """The tokens of a file; what one process changes counts in all others at once."""

    def __init__(self, file: OpenFile) -> None:
        self._store, self._obfuscator = file.store, file.obfuscator

    def add(self, user: str, agent: str) -> str:
        """Make a token, and return it: nobody can read it again.

        Raises:
            InvalidInputError: If a name is blank.
            StoreError: If it cannot be written.
        """
        check_name(user, "user")
        check_name(agent, "agent")
        token = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
        made_us, _ = to_integers(datetime.now(UTC))
        hidden = scope_of(self._obfuscator, user, agent).hidden
        self._store.add_token(TokenRow(_digest(token), hidden, made_us))
        return token

    def list(self) -> list[Token]:
        """Return all tokens, the oldest first."""
        return [
            Token(row.digest.hex()[:ID_CHARACTERS], self._owner(row), from_integers(row.made_us, 0))
            for row in self._store.tokens()
        ]

    def remove(self, id: str) -> None:
        """Remove the token with an id; from now on it opens nothing.

        Raises:
            NotFoundError: If there is none.
        """
        found = [row for row in self._store.tokens() if row.digest.hex()[:ID_CHARACTERS] == id]
        if not any([self._store.remove_token(row.digest) for row in found]):
            raise NotFoundError(
                f"no token {id!r} in this file; r3mem token list shows those it has"
            )

    def owner(self, token: str) -> Owner | None:
        """Return whose memory a token opens, if it opens one.

        It is found by its digest, so how long that takes says nothing of how much of it is right.
        """
        row = self._store.token(_digest(token))
        return None if row is None else self._owner(row)

    def __bool__(self) -> bool:
        return self._store.has_tokens()

    def _owner(self, row: TokenRow) -> Owner | None:
        names = open_pair(self._obfuscator, row.owner)
        return None if names is None else Owner(*names)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
