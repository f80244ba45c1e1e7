"""What ``where=`` asks of turns: conditions on metadata, role, name, session and key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.conditions import check_conditions, passes
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.memory.damage import ADVICE, tell
from r3mem_agents.memory.handle import Handle
from r3mem_agents.memory.records import described
from r3mem_agents.memory.scope_index import ScopeSnapshot

FIELDS = ("metadata", "role", "name", "session", "key")

UNKNOWN, FAILS, PASSES = 0, 1, 2


def check_where(wanted: object) -> dict[str, Any]:
    """Refuse conditions that are none, or that ask for what no turn has.

    Args:
        wanted: What ``CompressiveMemory.recall`` takes.

    Returns:
        The conditions as JSON has them.

    Raises:
        InvalidInputError: If they are refused.
    """
    conditions = check_conditions(wanted, "where")
    for key in conditions:
        if key not in FIELDS and not key.startswith("metadata."):
            raise InvalidInputError(
                f"where has {key!r}; a turn has metadata.KEY, role, name, session and key, and "
                "since= and until= ask for its time"
            )
    return conditions


class Where:
    """Conditions that turns must meet.

    What passed is kept beside the index of the turns, under a hash of the conditions: so a lookup
    reads what it has not read since a turn was edited or forgotten, and no word is held for it.
    """

    def __init__(self, handle: Handle, wanted: object) -> None:
        """Check conditions.

        Args:
            handle: The memory whose turns are looked up.
            wanted: What ``CompressiveMemory.recall`` takes.

        Raises:
            InvalidInputError: If they are none, or ask for what no turn has.
        """
        self._wanted = check_where(wanted)
        canonical = json.dumps(self._wanted, sort_keys=True).encode()
        self._digest = hashlib.blake2b(canonical, digest_size=16).digest()
        self._store, self._scope = handle.store, handle.scope
        self._obfuscator = handle.obfuscator

    def passed(self, scope: ScopeSnapshot, places: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return which of some turns meet the conditions; ``(places,)``.

        Args:
            scope: The turns.
            places: Positions of those that are asked for.
        """
        verdicts = np.zeros(len(scope.turns.ids), np.int8)
        known = scope.verdicts.get(self._digest, verdicts)[: len(verdicts)]
        verdicts[: len(known)] = known
        unknown = places[verdicts[places] == UNKNOWN]
        if len(unknown):
            verdicts[unknown] = self._read(scope.turns.ids[unknown].tolist())
            scope.keep(self._digest, verdicts)
        passed: NDArray[np.bool_] = verdicts[places] == PASSES
        return passed

    def _read(self, ids: Sequence[int]) -> list[int]:
        # A verdict for each; a turn that was forgotten since fails.
        found = dict.fromkeys(ids, FAILS)
        damaged: list[int] = []
        for id_, record in described(self._obfuscator, self._store.described(self._scope, ids)):
            if record is None:
                damaged.append(id_)
            elif passes(record, self._wanted):
                found[id_] = PASSES
        if damaged:
            lost = ", ".join(map(str, damaged))
            tell(f"damaged and left out of lookups with where: turns {lost}. To do: {ADVICE}")
        return [*found.values()]
