"""Which model a memory uses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from r3mem_agents.errors import InvalidInputError, ModelMismatchError
from r3mem_agents.forking import Lock
from r3mem_agents.store import Store

if TYPE_CHECKING:
    from r3mem_agents.model import ReversibleModel

DEFAULT_MODEL = "r3mem-base"
"""The bundled checkpoint."""

_shared: dict[str, ReversibleModel] = {}
_loading = Lock()


def choose_model(
    store: Store, wanted: ReversibleModel | str | os.PathLike[str] | None
) -> ReversibleModel:
    """Take the wanted model, or else the one that the store was written with.

    Args:
        store: Records the model at its first use.
        wanted: A model, a path to load one from, or ``None``.

    Raises:
        CheckpointError: If there is no model at the path.
        ModelMismatchError: If the store was written with another model.
    """
    recorded = store.model()
    if wanted is None:
        model = _shared_model(DEFAULT_MODEL) if recorded is None else _recorded_model(recorded[0])
    elif isinstance(wanted, str | os.PathLike):
        from r3mem_agents.model import ReversibleModel  # loads torch, so only when it is needed

        model = ReversibleModel.from_pretrained(wanted if isinstance(wanted, str) else Path(wanted))
    elif hasattr(wanted, "compress") and hasattr(wanted, "fingerprint"):
        model = wanted
    else:
        raise InvalidInputError(
            f"model must be a ReversibleModel, a path or None, not {type(wanted).__name__}"
        )
    name, fingerprint = recorded or store.bind_model(model.name, model.fingerprint)
    if fingerprint != model.fingerprint:
        raise ModelMismatchError(
            f"{store.name} was written with model {name} ({fingerprint}), not with {model.name} "
            f"({model.fingerprint}); open it with the first: CompressiveMemory(..., model=PATH)"
        )
    return model


def findable(wanted: ReversibleModel | str | os.PathLike[str] | None) -> str | None:
    """What finds the wanted model from any working directory; ``None`` for one that has no path."""
    if not isinstance(wanted, str | os.PathLike):
        return None
    path = os.fspath(wanted)
    if not os.path.isdir(path) or (isinstance(wanted, str) and wanted in bundled()):
        return path
    return os.path.abspath(path)


def bundled() -> list[str]:
    """Names of the models that come with the package."""
    from r3mem_agents.model import checkpoint  # loads torch, so only when it is needed

    return checkpoint.bundled()


def _recorded_model(name: str) -> ReversibleModel:
    # A file may come from anybody, so what it records is a name and never a path. The caller
    # compares the fingerprints.
    return _shared_model(name if name in bundled() else DEFAULT_MODEL)


def _shared_model(name: str) -> ReversibleModel:
    from r3mem_agents.model import ReversibleModel  # loads torch, so only when it is needed

    with _loading:
        if name not in _shared:
            _shared[name] = ReversibleModel.from_pretrained(name)
        return _shared[name]
