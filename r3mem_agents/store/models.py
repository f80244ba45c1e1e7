"""Which models wrote to a database, which one it belongs to, and how it is given to another."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from r3mem_agents.errors import FormatError, ModelMismatchError, StoreCorruptError
from r3mem_agents.store.checksums import turn_checksum
from r3mem_agents.store.counts import pack_counts
from r3mem_agents.store.reading import examined
from r3mem_agents.store.records import ModelId, NewCode, Scope, TurnRow
from r3mem_agents.store.rows import inserted, the_one
from r3mem_agents.store.schema import FORMAT_VERSION

_DAMAGED = "the database is damaged where it says which model wrote it; restore it from a backup"


def read_model(connection: sqlite3.Connection) -> ModelId | None:
    """The model that the database belongs to; ``None`` before the first one.

    Raises:
        StoreCorruptError: It does not say which one.
    """
    number, *names = the_one(
        connection.execute(
            "SELECT meta.model, name, expander, encoder FROM meta"
            " LEFT JOIN models ON models.id = meta.model"
        )
    )
    if number is None:
        return None
    if None in names:
        raise StoreCorruptError(_DAMAGED)
    return ModelId._make(names)


def first_model(connection: sqlite3.Connection, model: ModelId) -> ModelId:
    """Let a new database belong to a model, unless another process was faster.

    Returns:
        The one that it belongs to.

    Raises:
        StoreCorruptError: It is not new.
    """
    recorded = read_model(connection)
    if recorded is not None:
        return recorded
    if connection.execute("SELECT 1 FROM turns LIMIT 1").fetchone():
        raise StoreCorruptError(_DAMAGED)
    set_model(connection, model)
    return model


def set_model(connection: sqlite3.Connection, model: ModelId) -> None:
    """Let the database belong to a model."""
    connection.execute("UPDATE meta SET model = ?", (model_row(connection, model),))


def model_row(connection: sqlite3.Connection, model: ModelId) -> int:
    """The row of a model, which is made if need be."""
    found = connection.execute(
        "SELECT id FROM models WHERE expander = ? AND encoder = ?", (model.expander, model.encoder)
    ).fetchone()
    if found is not None:
        return int(found[0])
    return inserted(
        connection, "INSERT INTO models (name, expander, encoder) VALUES (?, ?, ?)", model
    )


def check_model(connection: sqlite3.Connection, model: ModelId, name: str) -> None:
    """See that the database still belongs to the expander that it was opened with.

    Args:
        connection: To the database.
        model: What it was opened with.
        name: The database, as messages should call it.

    Raises:
        ModelMismatchError: Another process has given it to another one.
        FormatError: Another process has given it another format.
    """
    current = connection.execute(
        "SELECT format, name, expander FROM meta LEFT JOIN models ON models.id = meta.model"
    ).fetchone()
    if current is None:
        return
    version, theirs, expander = current
    if version != FORMAT_VERSION:
        raise FormatError(
            f"since {name} was opened here, a later version of r3mem-agents has given it another "
            "format; nothing was done, upgrade and open it again: pip install -U r3mem-agents"
        )
    if expander is not None and expander != model.expander:
        raise ModelMismatchError(
            f"since {name} was opened here, all its turns were compressed anew with model "
            f"{theirs} ({expander}); nothing was done, open it again"
        )


def holds_others(connection: sqlite3.Connection, encoder: str) -> bool:
    """Whether there are turns whose gists another encoder made."""
    others = "SELECT id FROM models WHERE encoder != ?"
    if connection.execute(others, (encoder,)).fetchone() is None:
        return False  # as nearly always, and then no turn has to be looked at
    theirs = f"SELECT 1 FROM turns WHERE model IN ({others}) AND gists != x'' LIMIT 1"
    return connection.execute(theirs, (encoder,)).fetchone() is not None


def _outdated(connection: sqlite3.Connection, model: ModelId) -> list[int]:
    """Ids of the turns of anybody that another model wrote."""
    found = connection.execute(
        "SELECT id FROM turns WHERE model NOT IN"
        " (SELECT id FROM models WHERE expander = ? AND encoder = ?) ORDER BY id",
        (model.expander, model.encoder),
    )
    return [id_ for (id_,) in found]


def renew_codes(
    connection: sqlite3.Connection,
    codes: Mapping[int, NewCode],
    model: ModelId,
    kept: Mapping[int, TurnRow],
) -> list[int]:
    """Give turns other memory tokens, and the database to the model that made them.

    Turns that are not what these were made of any more are passed over. If the model has another
    expander than the database's, nothing is done unless no turn is left over.

    Args:
        connection: Inside a write transaction.
        codes: By turn id.
        model: What made them.
        kept: Turns that stay as they are, since they cannot be read.

    Returns:
        Ids of the turns that are left over.
    """
    fresh = _unchanged(connection, {id_: made.before for id_, made in codes.items()})
    ready = fresh.keys() | _unchanged(connection, kept)
    left = [id_ for id_ in _outdated(connection, model) if id_ not in ready]
    current = read_model(connection)
    if left and (current is None or current.expander != model.expander):
        return left
    if current != model:
        set_model(connection, model)
    row = model_row(connection, model)
    connection.executemany(
        "UPDATE turns SET model = ?, code = ?, gists = ?, counts = ?, checksum = ? WHERE id = ?",
        [(*_values(codes[id_], scope, row), id_) for id_, scope in fresh.items()],
    )
    connection.executemany(
        "UPDATE scopes SET changes = changes + 1 WHERE user = ? AND agent = ?",
        {scope[:2] for scope in fresh.values() if scope is not None},
    )
    connection.execute(
        "DELETE FROM models WHERE id != ? AND id NOT IN (SELECT model FROM turns)", (row,)
    )
    return left


def _unchanged(
    connection: sqlite3.Connection, before: Mapping[int, TurnRow]
) -> dict[int, Scope | None]:
    # Those of the turns that are what they were, and whose they are.
    return {
        turn.row.id: turn.scope
        for turn in examined(connection, list(before))
        if turn.row == before[turn.row.id]
    }


def _values(made: NewCode, scope: Scope | None, model: int) -> tuple[Any, ...]:
    # As the columns that are set.
    before, session, speaker = made.before, made.before.session, made.before.speaker
    assert scope and session and speaker, "only what is intact is compressed anew"
    after = before._replace(code=made.code, gists=made.gists)
    checksum = turn_checksum(scope, session, speaker, model, after)
    return model, made.code, made.gists, pack_counts(made), checksum
