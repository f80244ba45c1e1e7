"""A memory as LangGraph's store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from itertools import islice

from r3mem_agents import CompressiveMemory, Recollection, Turn
from r3mem_agents.errors import InvalidInputError, MissingExtraError, NotFoundError

if find_spec("langgraph") is None:
    raise MissingExtraError("langgraph", "langchain")

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
)

from r3mem_langchain.expiries import Expiries
from r3mem_langchain.filters import matches, passes
from r3mem_langchain.items import (
    WHOLE,
    Index,
    Kept,
    Namespace,
    expiry,
    from_turn,
    namespace_of,
    plain,
    session_of,
    to_turn,
)
from r3mem_langchain.keys import turn_key

AGENT = "langgraph store of "
"""Items are apart from what is said to an agent: they are another agent's memory."""

READ_AT_ONCE = 64
"""Items that are expanded together while a search looks for those that pass; chosen."""


class R3Store(BaseStore):
    """Keeps items compressed, finds them by what they say, and forgets them without a trace.

    Works as ``create_agent(..., store=R3Store(memory))`` and wherever else LangGraph takes a store.
    A namespace and key hold one value, which must be what JSON can hold.

    A search with a query returns what is relevant first, best first, with its score; then what is
    not, without one, as other stores fill up their limit. Without a query the item that was put
    last comes first. An item that has expired is returned no more; it leaves the file at the next
    sweep.

    To delete rewrites the file, so it takes longer the larger that is; to put does not.

    Example:
        >>> store = R3Store(CompressiveMemory("memory.db"))
        >>> store.put(("users", "alice"), "dog", {"text": "Her dog is called Biscuit."})
        >>> store.search(("users", "alice"), query="What is the dog called?")[0].key
        'dog'
    """

    supports_ttl = True

    def __init__(
        self,
        memory: CompressiveMemory,
        *,
        fields: Sequence[str] = (WHOLE,),
        ttl: TTLConfig | None = None,
    ) -> None:
        """Keep items in a memory.

        Args:
            memory: Its user's items of its agent; its session does not matter.
            fields: Paths of what is searched in a value, unless ``put`` says otherwise; all of it,
                as LangGraph's ``IndexConfig`` has it.
            ttl: How long items live, as LangGraph's other stores take it. A sweep is done by the
                first call after ``sweep_interval_minutes``.
        """
        super().__init__()
        self.memory = memory.scoped(agent=AGENT + memory.agent)
        self.ttl_config = ttl
        self._expiries = Expiries(memory)
        self._fields = list(fields)
        self._swept = datetime.now(UTC)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Do several things; all reads see the state before all writes.

        Raises:
            InvalidInputError: If a value or a filter is not what it must be; nothing was written.
            StoreError: If the memory cannot be read or written.
        """
        self._sweep_if_due()
        results: list[Result] = []
        puts: dict[tuple[Namespace, str], PutOp] = {}
        for op in ops:
            match op:
                case GetOp():
                    results.append(self._get(op))
                case SearchOp():
                    results.append(self._search(op))
                case ListNamespacesOp():
                    results.append(self._list(op))
                case PutOp():
                    puts[op.namespace, op.key] = op
                    results.append(None)
                case _:
                    raise InvalidInputError(f"{type(op).__name__} is no operation of a store")
        self._put([op for op in puts.values() if op.value is not None])
        self._delete([op for op in puts.values() if op.value is None])
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Async twin of ``batch``."""
        return await asyncio.to_thread(self.batch, list(ops))

    def sweep_ttl(self) -> int:
        """Delete what has expired; returns how many items that were."""
        now = self._swept = datetime.now(UTC)
        found = self._items(self.memory.turn_ids())
        alive = self._expiries.alive(found, now)
        return self._forget({id_: kept for id_, kept in found.items() if id_ not in alive})

    async def asweep_ttl(self) -> int:
        """Async twin of ``sweep_ttl``."""
        return await asyncio.to_thread(self.sweep_ttl)

    def _sweep_if_due(self) -> None:
        minutes = (self.ttl_config or {}).get("sweep_interval_minutes")
        if minutes and datetime.now(UTC) - self._swept >= timedelta(minutes=minutes):
            self.sweep_ttl()

    def _get(self, op: GetOp) -> Item | None:
        now = datetime.now(UTC)
        alive = self._expiries.alive(self._keyed(op.namespace, op.key), now)
        if op.refresh_ttl:
            self._expiries.refresh(alive, now)
        return next((kept.item() for kept in alive.values()), None)

    def _search(self, op: SearchOp) -> list[SearchItem]:
        if op.offset < 0 or op.limit < 0:
            raise InvalidInputError(
                f"offset is {op.offset} and limit {op.limit}; they must be 0 or more"
            )
        now = datetime.now(UTC)
        found = (
            (id_, kept, score)
            for batch, scores in self._candidates(op)
            for id_, kept in self._expiries.alive(batch, now).items()
            if passes(kept.value, op.filter)
            for score in [scores.get(id_)]
        )
        page = list(islice(found, op.offset, op.offset + op.limit))
        if op.refresh_ttl:
            self._expiries.refresh({id_: kept for id_, kept, _ in page}, now)
        return [_search_item(kept, score) for _, kept, score in page]

    def _candidates(self, op: SearchOp) -> Iterator[tuple[dict[int, Kept], dict[int, float]]]:
        # Items in the order in which they are returned, with the scores of those that have one.
        prefix = tuple(op.namespace_prefix)
        sessions = [
            session
            for session in self.memory.sessions()
            if namespace_of(session)[: len(prefix)] == prefix
        ]
        left = dict.fromkeys(id_ for session in sessions for id_ in self.memory.turn_ids(session))
        if op.query and left:
            for hits in self._hits(op.query, sessions, max(1, op.offset + op.limit)):
                new = [hit for hit in hits if hit.turn_id in left]
                for hit in new:
                    del left[hit.turn_id]
                yield self._items([hit.turn_id for hit in new]), {h.turn_id: h.score for h in new}
        rest = sorted(left, reverse=True)  # what was put last has the greatest id
        for start in range(0, len(rest), READ_AT_ONCE):
            yield self._items(rest[start : start + READ_AT_ONCE]), {}

    def _hits(self, query: str, sessions: Sequence[str], k: int) -> Iterator[list[Recollection]]:
        # More and more of them, as far as the caller reads: a filter may pass over many.
        done = 0
        while True:
            try:
                hits = self.memory.recall(query, k, sessions=sessions)
            except NotFoundError:  # a namespace was emptied since
                return
            yield hits[done:]
            if len(hits) < k:
                return
            done, k = len(hits), 4 * k

    def _list(self, op: ListNamespacesOp) -> list[Namespace]:
        if (self.ttl_config or {}).get("omit_expired"):
            self.sweep_ttl()
        found = {namespace_of(session) for session in self.memory.sessions()}
        wanted = {one[: op.max_depth] for one in found if matches(one, op.match_conditions)}
        return sorted(wanted)[op.offset : op.offset + op.limit]

    def _put(self, ops: Sequence[PutOp]) -> None:
        now = datetime.now(UTC)
        turns: list[Turn] = []
        for op in ops:
            before = self._expiries.alive(self._keyed(op.namespace, op.key), now)
            kept = Kept(
                namespace=tuple(op.namespace),
                key=op.key,
                value=plain(op.value or {}),
                created_at=next((one.created_at for one in before.values()), now),
                updated_at=now,
                index=self._index(op),
                ttl=op.ttl,
                expires_at=expiry(now, op.ttl),
            )
            turns.append(to_turn(kept))
        if turns:
            self.memory.remember_many(turns, replace=True)

    def _index(self, op: PutOp) -> Index:
        if op.index is None:
            return self._fields
        return op.index and list(op.index)

    def _delete(self, ops: Sequence[PutOp]) -> None:
        found: dict[int, Kept] = {}
        for op in ops:
            found |= self._keyed(op.namespace, op.key)
        self._forget(found)

    def _forget(self, items: Mapping[int, Kept]) -> int:
        if not items:
            return 0
        self._expiries.forget(items.values())
        try:
            return self.memory.forget(turn_ids=items)
        except NotFoundError:  # somebody else deleted or replaced one of them
            left = {turn.id for turn in self.memory.fetch(turn_ids=items)}
            return self._forget({id_: kept for id_, kept in items.items() if id_ in left})

    def _keyed(self, namespace: Namespace, key: str) -> dict[int, Kept]:
        session = session_of(tuple(namespace))
        return self._items(self.memory.turn_ids(session, keys=[turn_key(key)]))

    def _items(self, ids: Sequence[int]) -> dict[int, Kept]:
        # Those of the ids that exist, in the order given.
        turns = self.memory.fetch(turn_ids=ids)
        return {turn.id: from_turn(turn) for turn in turns if turn.id is not None}


def _search_item(kept: Kept, score: float | None) -> SearchItem:
    item = kept.item()
    return SearchItem(
        namespace=item.namespace,
        key=item.key,
        value=item.value,
        created_at=item.created_at,
        updated_at=item.updated_at,
        score=score,
    )
