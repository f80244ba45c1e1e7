"""Which model a memory uses."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from r3mem_agents.errors import CheckpointError, InvalidInputError, ModelMismatchError
from r3mem_agents.store import Store

if TYPE_CHECKING:
    from r3mem_agents.model import ReversibleModel

DEFAULT_MODEL = "r3mem-base"
"""The bundled checkpoint."""

_shared: dict[str, ReversibleModel] = {}
_loading = threading.Lock()


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

        model = ReversibleModel.from_pretrained(os.fspath(wanted))
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
    return os.path.abspath(path) if os.path.isdir(path) else path


def _recorded_model(name: str) -> ReversibleModel:
    try:
        return _shared_model(name)
    except CheckpointError:
        return _shared_model(DEFAULT_MODEL)  # the caller compares the fingerprints


def _shared_model(name: str) -> ReversibleModel:
    from r3mem_agents.model import ReversibleModel  # loads torch, so only when it is needed

    with _loading:
        if name not in _shared:
            _shared[name] = ReversibleModel.from_pretrained(name)
        return _shared[name]
