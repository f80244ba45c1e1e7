"""Recompression: every turn of a file gets the memory tokens of another model."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from r3mem_agents.analysis.rules import rules
from r3mem_agents.errors import ModelMismatchError, ReadBackError
from r3mem_agents.memory.damage import NOT_EXPANDED, OTHER_MODEL, expanded
from r3mem_agents.memory.models import bundled_model, load_model, mismatch, model_id
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.records import damaged_turn, open_names
from r3mem_agents.store import ExaminedTurn, NewCode, Store, check_there
from r3mem_agents.types import DamagedTurn, Recompression

if TYPE_CHECKING:
    from r3mem_agents.model import ReversibleModel

Progress = Callable[[int, int], None]
"""Called with the number of turns done, and the total."""

AT_ONCE = 256
"""Number of turns that are read, compressed and written together; chosen: seconds of work."""


def recompress(
    path_or_url: str | os.PathLike[str],
    *,
    source: ReversibleModel | str | os.PathLike[str] | None = None,
    model: ReversibleModel | str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Recompression:
    """Give every turn of a file, of all users, the memory tokens and gists of a model.

    Everything else stays: ids, positions, times, keys, names, metadata, and what was forgotten.
    Every turn is read back before it is written; a damaged one stays as it is. Turns of the new
    model are left alone, so a second call does nothing.

    The file may be in use meanwhile, and an interruption loses nothing. If only the encoder differs
    from the old model's, turns are written some hundred at a time, and a later call continues from
    there. If the expander differs, all turns are written in one transaction at the end: until then
    the file is unchanged, and afterwards whoever has it open with the old model gets a
    ``ModelMismatchError``.

    Args:
        path_or_url: The memory, as for ``CompressiveMemory``.
        source: The model that wrote the file, or a path to load it from; needed if ``model`` has a
            different expander and no bundled model wrote the file, since no other model can decode
            it.
        model: The new model, or a path to load it from; ``None`` means the bundled one.
        progress: Called with the number of turns done, and the total.

    Returns:
        Counts of what was done, and the damaged turns.

    Raises:
        ModelMismatchError: If neither model can decode what is in the file.
        CheckpointError: If a model cannot be loaded.
        ReadBackError: If a turn does not come back from what was about to be written.
        NotFoundError: If there is no file.
        StoreError: If the file cannot be read or written.
    """
    check_there(path_or_url)
    goal = load_model(model)
    readers = {goal.expander_fingerprint: goal}
    if source is not None:
        loaded = load_model(source)
        readers.setdefault(loaded.expander_fingerprint, loaded)
    with closing(Store(path_or_url, rules())) as store:
        recorded = store.model()
        if recorded is not None and recorded.expander not in readers:
            found = bundled_model(recorded)
            if found is None:
                given = [model_id(one) for one in readers.values()]
                raise ModelMismatchError(mismatch(store.name, recorded, given))
            readers[recorded.expander] = found
        reader = goal if recorded is None else readers[recorded.expander]
        store.bind_model(model_id(reader))
        made = _Recompressor(store, goal, readers)
        made.run(progress or (lambda done, whole: None))
        return Recompression(
            turns=len(store.all_turn_ids()),
            recompressed=len(made.done),
            damaged=made.damaged,
            model_before=None if recorded is None else recorded.name,
            model=goal.name,
        )


class _Recompressor:
    """Recompresses the turns of a store.

    Attributes:
        done: Ids of the turns that were recompressed.
    """

    def __init__(
        self, store: Store, goal: ReversibleModel, readers: Mapping[str, ReversibleModel]
    ) -> None:
        self._store = store
        self._obfuscator = Obfuscator(store.secret)
        self._goal = goal
        self._readers = readers
        self._kept: dict[int, tuple[ExaminedTurn, str | None]] = {}
        self.done: set[int] = set()

    @property
    def damaged(self) -> tuple[DamagedTurn, ...]:
        """The turns that cannot be read, and are left as they were."""
        return tuple(
            damaged_turn(self._obfuscator, turn.row, reason, turn.scope)
            for turn, reason in self._kept.values()
        )

    def run(self, progress: Progress) -> None:
        """Recompress all turns of another model."""
        wanted, current = model_id(self._goal), self._store.model()
        stepwise = current is None or current.expander == wanted.expander
        left = self._write({})
        made: dict[int, NewCode] = {}
        gone = 0
        while left:
            whole = gone + len(left)
            for start in range(0, len(left), AT_ONCE):
                some = left[start : start + AT_ONCE]
                made |= self._remade(some)
                if stepwise:
                    self._write(made)
                    made = {}
                gone += len(some)
                progress(gone, whole)
            left = self._write(made)  # what another process wrote or edited meanwhile
            for id_ in left:
                made.pop(id_, None)

    def _write(self, made: Mapping[int, NewCode]) -> list[int]:
        kept = {id_: turn.row for id_, (turn, _) in self._kept.items()}
        left = self._store.renew_codes(made, model_id(self._goal), kept)
        self.done |= made.keys() - {*left}
        return left

    def _remade(self, ids: Sequence[int]) -> dict[int, NewCode]:
        read = [*self._texts(ids)]
        tokens = self._goal.compress([text for _, text in read])
        if self._goal.expand(tokens) != [text for _, text in read]:
            raise ReadBackError(
                f"turns {ids[0]} to {ids[-1]} do not come back from what was about to be written, "
                "so they are left as they were. Something in this process or machine changes what "
                "the model computes: try again in a fresh process, and please report what it takes "
                "to see this"
            )
        return {
            turn.row.id: NewCode(
                before=turn.row,
                code=one.code,
                gists=one.gists,
                tokens=one.tokens,
                text_bytes=one.text_bytes,
                inferred=one.inferred,
                packed=one.packed,
                literal=one.literal,
            )
            for (turn, _), one in zip(read, tokens, strict=True)
        }

    def _texts(self, ids: Sequence[int]) -> list[tuple[ExaminedTurn, str]]:
        # The turns that can be read; the others are noted as damaged.
        from r3mem_agents.model import MemoryTokens  # loads numpy, which the model has done already

        found: list[tuple[ExaminedTurn, str]] = []
        by_expander: dict[str, list[ExaminedTurn]] = {}
        for turn in self._store.examined(ids):
            if turn.model is None or open_names(self._obfuscator, turn.row) is None:
                self._kept[turn.row.id] = turn, None
            elif turn.model.expander not in self._readers:
                self._kept[turn.row.id] = turn, OTHER_MODEL
            else:
                by_expander.setdefault(turn.model.expander, []).append(turn)
        for expander, turns in by_expander.items():
            tokens = [MemoryTokens(turn.row.code, turn.row.gists) for turn in turns]
            texts = expanded(self._readers[expander].expand, tokens)
            for turn, text in zip(turns, texts, strict=True):
                if text is None:
                    self._kept[turn.row.id] = turn, NOT_EXPANDED
                else:
                    self._kept.pop(turn.row.id, None)
                    found.append((turn, text))
        return found
