"""Which model a memory uses."""

from __future__ import annotations

import os
import shlex
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from r3mem_agents.errors import InvalidInputError, ModelMismatchError, OtherGistsWarning
from r3mem_agents.forking import Lock
from r3mem_agents.store import ModelId, Store
from r3mem_agents.types import DEFAULT_MODEL

if TYPE_CHECKING:
    from r3mem_agents.model import ReversibleModel

_shared: dict[str, ReversibleModel] = {}
_loading = Lock()


def choose_model(
    store: Store, wanted: ReversibleModel | str | os.PathLike[str] | None
) -> ReversibleModel:
    """Return the wanted model, or else the one that the store belongs to.

    A model with the same expander can read what is stored; if its encoder is different, a warning
    says what that means.

    Args:
        store: The store; it belongs to the first model that it was opened with.
        wanted: A model, a path to load one from, or ``None``.

    Raises:
        CheckpointError: If there is no model at the path.
        ModelMismatchError: If only another model can expand what is stored.
    """
    recorded = store.model()
    if wanted is None and recorded is not None:
        model = bundled_model(recorded) or load_model(None)
    else:
        model = load_model(wanted)
    own = model_id(model)
    recorded = store.bind_model(own)
    if recorded.expander != own.expander:
        raise ModelMismatchError(mismatch(store.name, recorded, [own]))
    tell_of_others(store)
    return model


def bundled_model(recorded: ModelId) -> ReversibleModel | None:
    """Return the bundled model that can decode a file, if there is one.

    It is identified by its fingerprint: a file may come from anybody, so the name that it records
    is only a hint, and never a path.
    """
    names = bundled()
    if recorded.name in names:  # as nearly always, and then it is loaded once
        model = _shared_model(recorded.name)
        if model.expander_fingerprint == recorded.expander:
            return model
    from r3mem_agents.model import checkpoint  # loads numpy, so only when it is needed

    for name in names:
        if checkpoint.expander_of(name) == recorded.expander:
            return _shared_model(name)
    return None


def mismatch(file: str, recorded: ModelId, given: Sequence[ModelId]) -> str:
    """Return the error message for a file that none of some models can decode."""
    names = " nor ".join(f"{one.name} ({one.expander})" for one in given)
    return (
        f"{file} was written with model {recorded.name} ({recorded.expander}), and only that one "
        f"can expand it, not {names}. Install a version of r3mem-agents that carries it (this one "
        f"carries {', '.join(bundled())}), or open it with the checkpoint that wrote it: "
        "CompressiveMemory(..., model=PATH), or compress its turns anew: "
        f"{command(file)} --from PATH"
    )


def load_model(wanted: ReversibleModel | str | os.PathLike[str] | None) -> ReversibleModel:
    """Return a model by object, path or bundled name; ``None`` means ``DEFAULT_MODEL``.

    Raises:
        CheckpointError: If there is no model at the path.
    """
    if wanted is None or (isinstance(wanted, str) and wanted in bundled()):
        return _shared_model(wanted or DEFAULT_MODEL)
    if isinstance(wanted, str | os.PathLike):
        from r3mem_agents.model import ReversibleModel  # loads numpy, so only when it is needed

        return ReversibleModel.from_pretrained(wanted if isinstance(wanted, str) else Path(wanted))
    if hasattr(wanted, "compress") and hasattr(wanted, "expander_fingerprint"):
        return wanted
    raise InvalidInputError(
        f"model must be a ReversibleModel, a path or None, not {type(wanted).__name__}"
    )


def model_id(model: ReversibleModel) -> ModelId:
    """Return the identity of a model, as a store records it."""
    return ModelId(model.name, model.expander_fingerprint, model.encoder_fingerprint)


def tell_of_others(store: Store) -> None:
    """Warn if there are turns with gists of another encoder."""
    if store.holds_others():
        warnings.warn(
            f"another model made gists of {store.name}, which count for nothing here: their turns "
            f"are found by their words alone until you run: {command(store.name)}",
            OtherGistsWarning,
            stacklevel=1,  # as of one place, whoever asks: Python shows it once
        )


def command(name: str) -> str:
    """Return the command that moves a file to another model."""
    return f"r3mem recompress {shlex.quote(name)}"


def findable(wanted: ReversibleModel | str | os.PathLike[str] | None) -> str | None:
    """Return a path to the wanted model that is valid in any working directory, if it has one."""
    if not isinstance(wanted, str | os.PathLike):
        return None
    path = os.fspath(wanted)
    if not os.path.isdir(path) or (isinstance(wanted, str) and wanted in bundled()):
        return path
    return os.path.abspath(path)


def bundled() -> list[str]:
    """Return the names of the bundled models."""
    from r3mem_agents.model import checkpoint  # loads numpy, so only when it is needed

    return checkpoint.bundled()


def _shared_model(name: str) -> ReversibleModel:
    from r3mem_agents.model import ReversibleModel  # loads numpy, so only when it is needed

    with _loading:
        if name not in _shared:
            _shared[name] = ReversibleModel.from_pretrained(name)
        return _shared[name]
