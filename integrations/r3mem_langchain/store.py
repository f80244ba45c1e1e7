"""A memory as LangGraph's store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from itertools import islice

from r3mem_agents import CompressiveMemory
from r3mem_agents.concurrency import in_thread
from r3mem_agents.conditions import passes
from r3mem_agents.errors import MissingExtraError

if find_spec("langgraph") is None:
    raise MissingExtraError("langgraph", "langchain")

from langgraph.store.base import (
    BaseStore,
    GetOp,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchOp,
    TTLConfig,
)

from r3mem_langchain._checking import check_index, check_op
from r3mem_langchain._expiries import Expiries
from r3mem_langchain._gathering import Gathering
from r3mem_langchain._items import WHOLE, Index, Kept, Namespace, expiry, to_turn, value_json
from r3mem_langchain._namespaces import matches
from r3mem_langchain._reading import Items, Place, View

AGENT = "langgraph store of "
"""Items are apart from what is said to an agent: they are another agent's memory."""

READ_AT_ONCE = 256
"""Maximum number of items that are read together while a search looks for those that pass;
chosen."""

Found = list[tuple[Kept, float | None]]
"""Results of a search, with their scores."""


class R3Store(BaseStore):
    """Keeps items compressed, finds them by what they say, and forgets them without a trace.

    Works as ``create_agent(..., store=R3Store(memory))`` and wherever else LangGraph takes a store.
    A namespace and key hold one value, which must be what JSON can hold.

    A search with a query returns what is relevant first, best first; then what is not, with a score
    of 0, as other stores fill up their limit; then what was put with ``index=False``, without a
    score. An item is judged by what it says itself, not by what was put before or after it. Without
    a query the item that was put last comes first, and none has a score. An item that has expired
    is no longer returned; it leaves the file at the next sweep.

    A search reads the items that its filter passes over. Those that were read or put last are kept
    in memory, so this takes long only the first time.

    Operations that tasks of an event loop await at the same time are done as one batch, and what a
    batch writes is written in one transaction. What is deleted or put again is no longer found at
    once; its last bytes leave the file some ten seconds later, and before the memory is closed.

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

        Raises:
            InvalidInputError: If ``fields`` is not a list of paths.
        """
        super().__init__()
        check_index(fields, "fields")
        self.memory = memory.scoped(agent=AGENT + memory.agent)
        self.ttl_config = ttl
        self._items = Items(self.memory)
        self._expiries = Expiries(memory)
        self._gathering = Gathering()
        self._fields = list(fields)
        self._swept = datetime.now(UTC)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Do several things; all reads see the state before all writes, which is one transaction.

        Raises:
            InvalidInputError: If a value or a filter is not what it must be; nothing was written.
            StoreError: If the memory cannot be read or written.
        """
        ops = list(ops)
        for op in ops:
            check_op(op)
        self._sweep_if_due(ops)
        now, view = datetime.now(UTC), View(self.memory)
        puts = {_place(op): op for op in ops if isinstance(op, PutOp)}
        gets = [op for op in ops if isinstance(op, GetOp)]
        there = self._items.at(dict.fromkeys([*map(_place, gets), *puts]))
        alive = self._expiries.alive(there, now)
        before = {(kept.namespace, kept.key): kept for kept in alive.values()}
        fresh = {_place(op) for op in gets if op.refresh_ttl}
        self._expiries.refresh(
            {id_: kept for id_, kept in alive.items() if (kept.namespace, kept.key) in fresh}, now
        )
        found: dict[str, Found] = {}
        results: list[Result] = []
        for op in ops:
            match op:
                case GetOp():
                    kept = before.get(_place(op))
                    results.append(None if kept is None else kept.item())
                case SearchOp():
                    if (asked := repr(op)) not in found:
                        found[asked] = self._search(op, view, now)
                    results.append([kept.found(score) for kept, score in found[asked]])
                case ListNamespacesOp():
                    results.append(_listed(op, view))
                case _:
                    results.append(None)
        self._write(puts, there, before, now)
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Async twin of ``batch``, together with what other tasks ask for at the same time."""
        return await self._gathering.run(self.batch, list(ops))

    def sweep_ttl(self) -> int:
        """Delete what has expired; returns how many items that were."""
        now = self._swept = datetime.now(UTC)
        there = self._items.read(self.memory.turn_ids())
        alive = self._expiries.alive(there, now)
        dead = {id_: kept for id_, kept in there.items() if id_ not in alive}
        self._expiries.forget(dead.values())
        self.memory.remember_many([], forget=dead)
        self._items.drop(dead)
        return len(dead)

    asweep_ttl = in_thread(sweep_ttl)

    def _sweep_if_due(self, ops: Sequence[Op]) -> None:
        ttl: TTLConfig = self.ttl_config or {}
        minutes = ttl.get("sweep_interval_minutes")
        due = minutes and datetime.now(UTC) - self._swept >= timedelta(minutes=minutes)
        lists = any(isinstance(op, ListNamespacesOp) for op in ops)
        if due or (lists and ttl.get("omit_expired")):
            self.sweep_ttl()

    def _search(self, op: SearchOp, view: View, now: datetime) -> Found:
        found = (
            (id_, kept, scores.get(id_))
            for items, scores in self._candidates(op, view)
            for id_, kept in self._expiries.alive(_passing(items, op), now).items()
        )
        page = list(islice(found, op.offset, op.offset + op.limit))
        if op.refresh_ttl:
            self._expiries.refresh({id_: kept for id_, kept, _ in page}, now)
        return [(kept, score) for _, kept, score in page]

    def _candidates(
        self, op: SearchOp, view: View
    ) -> Iterator[tuple[dict[int, Kept], Mapping[int, float]]]:
        # Items in the order in which they are returned, with the scores of those that have one.
        prefix = tuple(op.namespace_prefix)
        left = dict(view.ids(prefix))
        if op.query and left:
            for hits in view.hits(op.query, prefix, max(1, op.offset + op.limit)):
                scores = {hit.turn.id: hit.score for hit in hits if hit.turn.id in left}
                items = _searchable(self._items.read(list(scores)))
                for id_ in items:
                    del left[id_]
                yield items, scores
        unsearchable: dict[int, Kept] = {}
        rest, size = list(left), op.offset + op.limit  # which will do, unless there is a filter
        while rest:
            size = max(1, min(size, READ_AT_ONCE))
            items, rest, size = self._items.read(rest[:size]), rest[size:], 2 * size
            if not op.query:
                yield items, {}
                continue
            searchable = _searchable(items)
            yield searchable, dict.fromkeys(searchable, 0.0)
            unsearchable |= {id_: kept for id_, kept in items.items() if id_ not in searchable}
        yield unsearchable, {}

    def _write(
        self,
        puts: Mapping[Place, PutOp],
        there: Mapping[int, Kept],
        before: Mapping[Place, Kept],
        now: datetime,
    ) -> None:
        turns = [
            to_turn(
                Kept(
                    namespace=place[0],
                    key=place[1],
                    json=value_json(op.value),
                    created_at=before[place].created_at if place in before else now,
                    updated_at=now,
                    index=self._index(op),
                    ttl=op.ttl,
                    expires_at=expiry(now, op.ttl),
                )
            )
            for place, op in puts.items()
            if op.value is not None
        ]
        old = {id_: kept for id_, kept in there.items() if (kept.namespace, kept.key) in puts}
        dead = {
            id_: kept for id_, kept in old.items() if puts[kept.namespace, kept.key].value is None
        }
        if turns or dead:
            self._expiries.forget(dead.values())
            written = self.memory.remember_many(turns, replace=True, forget=dead)
            self._items.drop(old)
            self._items.keep(written)

    def _index(self, op: PutOp) -> Index:
        if op.index is None:
            return self._fields
        return op.index and list(op.index)


def _place(op: GetOp | PutOp) -> Place:
    return tuple(op.namespace), op.key


def _passing(items: Mapping[int, Kept], op: SearchOp) -> Mapping[int, Kept]:
    if not op.filter:
        return items
    return {id_: kept for id_, kept in items.items() if passes(kept.value, op.filter)}


def _searchable(items: Mapping[int, Kept]) -> dict[int, Kept]:
    return {id_: kept for id_, kept in items.items() if kept.index is not False}


def _listed(op: ListNamespacesOp, view: View) -> list[Namespace]:
    wanted = {one[: op.max_depth] for one in view.namespaces if matches(one, op.match_conditions)}
    return sorted(wanted)[op.offset : op.offset + op.limit]
