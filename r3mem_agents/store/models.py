"""Which models wrote to a database, which one it belongs to, and how it is given to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from r3mem_agents.errors import FormatError, ModelMismatchError, StoreCorruptError
from r3mem_agents.store.checksums import turn_checksum
from r3mem_agents.store.counts import pack_counts
from r3mem_agents.store.reading import examined
from r3mem_agents.store.records import ModelId, NewCode, Scope, TurnRow
from r3mem_agents.store.schema import FORMAT_VERSION, meta, models, scopes, turns

_DAMAGED = "the database is damaged where it says which model wrote it; restore it from a backup"


def read_model(connection: Connection) -> ModelId | None:
    """The model that the database belongs to; ``None`` before the first one.

    Raises:
        StoreCorruptError: It does not say which one.
    """
    columns = (meta.c.model, models.c.name, models.c.expander, models.c.encoder)
    query = select(*columns).outerjoin_from(meta, models, meta.c.model == models.c.id)
    number, *names = connection.execute(query).one()
    if number is None:
        return None
    if None in names:
        raise StoreCorruptError(_DAMAGED)
    return ModelId._make(names)


def first_model(connection: Connection, model: ModelId) -> ModelId:
    """Let a new database belong to a model, unless another process was faster.

    Returns:
        The one that it belongs to.

    Raises:
        StoreCorruptError: It is not new.
    """
    recorded = read_model(connection)
    if recorded is not None:
        return recorded
    if connection.execute(select(turns.c.id).limit(1)).first() is not None:
        raise StoreCorruptError(_DAMAGED)
    set_model(connection, model)
    return model


def set_model(connection: Connection, model: ModelId) -> None:
    """Let the database belong to a model."""
    connection.execute(update(meta).values(model=model_row(connection, model)))


def model_row(connection: Connection, model: ModelId) -> int:
    """The row of a model, which is made if need be."""
    found: int | None = connection.execute(
        select(models.c.id).where(
            models.c.expander == model.expander, models.c.encoder == model.encoder
        )
    ).scalar_one_or_none()
    if found is None:
        made = connection.execute(insert(models).values(model._asdict()).returning(models.c.id))
        found = made.scalar_one()
    return found


def check_model(connection: Connection, model: ModelId, name: str) -> None:
    """See that the database still belongs to the expander that it was opened with.

    Args:
        connection: To the database.
        model: What it was opened with.
        name: The database, as messages should call it.

    Raises:
        ModelMismatchError: Another process has given it to another one.
        FormatError: Another process has given it another format.
    """
    # As it stands: this is asked with every lookup, and composing a statement takes longer.
    current = connection.exec_driver_sql(
        "SELECT format, name, expander FROM meta LEFT JOIN models ON models.id = meta.model"
    ).one_or_none()
    if current is not None and current.format != FORMAT_VERSION:
        raise FormatError(
            f"since {name} was opened here, a later version of r3mem-agents has given it another "
            "format; nothing was done, upgrade and open it again: pip install -U r3mem-agents"
        )
    if current is not None and current.expander is not None and current.expander != model.expander:
        raise ModelMismatchError(
            f"since {name} was opened here, all its turns were compressed anew with model "
            f"{current.name} ({current.expander}); nothing was done, open it again"
        )


def holds_others(connection: Connection, encoder: str) -> bool:
    """Whether there are turns whose gists another encoder made."""
    query = select(models.c.id).where(models.c.encoder != encoder)
    others = list(connection.execute(query).scalars())
    if not others:  # as nearly always, and then no turn has to be looked at
        return False
    theirs = select(turns.c.id).where(turns.c.model.in_(others), turns.c.gists != b"").limit(1)
    return connection.execute(theirs).first() is not None


def _outdated(connection: Connection, model: ModelId) -> list[int]:
    """Ids of the turns of anybody that another model wrote."""
    mine = select(models.c.id).where(
        models.c.expander == model.expander, models.c.encoder == model.encoder
    )
    query = select(turns.c.id).where(turns.c.model.not_in(mine)).order_by(turns.c.id)
    return list(connection.execute(query).scalars())


def renew_codes(
    connection: Connection,
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
    values = [_values(codes[id_], scope, row) | {"turn": id_} for id_, scope in fresh.items()]
    if values:
        columns: dict[str, Any] = {name: bindparam(name) for name in values[0] if name != "turn"}
        mine = update(turns).where(turns.c.id == bindparam("turn"))
        connection.execute(mine.values(columns), values)
    for scope in {scope for scope in fresh.values() if scope is not None}:
        theirs = update(scopes).where(scopes.c.user == scope.user, scopes.c.agent == scope.agent)
        connection.execute(theirs.values(changes=scopes.c.changes + 1))
    unused = models.c.id.not_in(select(turns.c.model)) & (models.c.id != row)
    connection.execute(delete(models).where(unused))
    return left


def _unchanged(connection: Connection, before: Mapping[int, TurnRow]) -> dict[int, Scope | None]:
    # Those of the turns that are what they were, and whose they are.
    return {
        turn.row.id: turn.scope
        for turn in examined(connection, list(before))
        if turn.row == before[turn.row.id]
    }


def _values(made: NewCode, scope: Scope | None, model: int) -> dict[str, Any]:
    before, session, speaker = made.before, made.before.session, made.before.speaker
    assert scope and session and speaker, "only what is intact is compressed anew"
    after = before._replace(code=made.code, gists=made.gists)
    return {
        "model": model,
        "code": made.code,
        "gists": made.gists,
        "counts": pack_counts(made),
        "checksum": turn_checksum(scope, session, speaker, model, after),
    }
