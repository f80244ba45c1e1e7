"""A database in which memory tokens are read and written for one model."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from r3mem_agents.store.database import Database
from r3mem_agents.store.models import (
    check_model,
    first_model,
    holds_others,
    read_model,
    renew_codes,
)
from r3mem_agents.store.records import ModelId, NewCode, TurnRow
from r3mem_agents.store.removing import to_be_scrubbed


class BoundDatabase(Database):
    """What a store works on, for the model that ``bind_model`` was called with."""

    _model: ModelId | None = None

    @property
    def encoder(self) -> str:
        """Fingerprint of the encoder that the store is bound to."""
        return self._bound.encoder

    @property
    def _bound(self) -> ModelId:
        assert self._model is not None, "memory tokens are those of a model: bind_model comes first"
        return self._model

    def model(self) -> ModelId | None:
        """The model that the database belongs to; ``None`` before the first one."""
        with self._reading() as connection:
            return read_model(connection)

    def bind_model(self, model: ModelId) -> ModelId:
        """Say which model reads and writes here; a new database belongs to the first one.

        Returns:
            The one that the database belongs to.

        Raises:
            StoreCorruptError: It does not say to which one its turns belong.
        """
        recorded = self.model()
        if recorded is None:
            with self._writing() as connection:
                recorded = first_model(connection, model)
        self._model = model
        return recorded

    @contextmanager
    def _coded(self) -> Iterator[sqlite3.Connection]:
        """A transaction that reads memory tokens.

        Raises:
            ModelMismatchError: The database was given to another expander.
        """
        with self._reading() as connection:
            check_model(connection, self._bound, self.name)
            yield connection

    def holds_others(self) -> bool:
        """Whether there are turns whose gists another encoder made, which count for nothing."""
        with self._reading() as connection:
            return holds_others(connection, self.encoder)

    def renew_codes(
        self, codes: Mapping[int, NewCode], model: ModelId, kept: Mapping[int, TurnRow]
    ) -> list[int]:
        """Give turns other memory tokens, and the database to the model that made them.

        Turns that are not what these were made of any more are passed over. If the model has
        another expander than the database's, nothing is done unless no turn is left over.

        Args:
            codes: By turn id.
            model: What made them.
            kept: Turns that stay as they are, since they cannot be read.

        Returns:
            Ids of the turns that are left over.

        Raises:
            ModelMismatchError: The database was given to another expander meanwhile.
        """
        with self._writing() as connection:
            check_model(connection, self._bound, self.name)
            left = renew_codes(connection, codes, model, kept)
            if codes:
                to_be_scrubbed(connection)
        if codes:
            self._scrubber.soon()
        return left
