"""Remembered turns as nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import BaseNode, MetadataMode, NodeWithScore, QueryBundle, TextNode

from r3mem_agents import CompressiveMemory, LookupExplanation, Recollection, Recollections
from r3mem_agents.concurrency import in_thread
from r3mem_agents.documents import Stored
from r3mem_agents.prompts import NOTHING_FOUND, check_options, quoted, wall_clock
from r3mem_llamaindex._connection import DEFAULT_STORE, Connected
from r3mem_llamaindex._documents import add_documents
from r3mem_llamaindex._messages import METADATA

NAMING = frozenset(Connected.model_fields)
"""Arguments that say which memory it is."""

SHOWN = ("time", "role", "name", "place")
"""Metadata of a node that a language model is shown beside its text."""


class TurnNode(TextNode):
    """A turn: its text byte for byte, but quoted where a language model reads it."""

    def get_content(self, metadata_mode: MetadataMode = MetadataMode.NONE) -> str:
        """The text, with metadata if asked; for a model none of it can pass for something else."""
        if metadata_mode != MetadataMode.LLM:
            return super().get_content(metadata_mode)
        metadata = {
            name: " ".join(value.split()) if isinstance(value, str) else value
            for name, value in self.metadata.items()
        }
        shown = self.model_copy(update={"text": quoted(self.text), "metadata": metadata})
        return TextNode.get_content(shown, metadata_mode)


class R3Retriever(BaseRetriever):
    """Finds the remembered turns that answer a question.

    A node's text is the turn's, byte for byte; its metadata has time, role, name, session and
    ``turn_id``, which ``retriever.memory.forget(turn_ids=[...])`` takes, and ``superseded_by``
    where a newer turn supersedes it. It searches all of the user's
    sessions if ``sessions`` names none.

    If nothing is relevant, one node says so, with a score of 0 and without ``turn_id``: context
    engines answer "Empty Response", without asking their model, when they are given no node.

    With ``explain`` metadata has ``explanation`` as well: the fields of an ``Explanation`` of
    ``r3mem_agents`` or, of the node that stands for no turn, of a ``LookupExplanation``. No
    language model is shown it.
    """

    def __init__(
        self,
        store: str = DEFAULT_STORE,
        *,
        user: str = "default",
        agent: str = "default",
        model: str | None = None,
        k: int = 5,
        now: datetime | None = None,
        as_of: datetime | None = None,
        min_score: float | None = None,
        sessions: Sequence[str] | None = None,
        roles: Sequence[str] | None = None,
        where: Mapping[str, Any] | None = None,
        level: Literal["turn", "session"] = "turn",
        nothing: str | None = NOTHING_FOUND,
        explain: bool = False,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        """Retrieve from a memory, which is opened at the first question.

        Args:
            store: A path or a sqlite:/// URL.
            user: The user; nothing crosses from one user to another.
            agent: The agent.
            model: Folder of the checkpoint; ``None`` takes the one that the file was written with,
                or the bundled one.
            k: Maximum number of turns to return; 5, as ``CompressiveMemory.recall`` has it.
            now: The time that dates in a question are relative to; ``None`` means ``as_of``, or
                else that of the question. Times are written in its zone, or else in the local one.
            as_of: Only what was known at this time, as ``CompressiveMemory.recall`` has it.
            min_score: Only turns with at least this score.
            sessions: Only turns of these sessions.
            roles: Only turns of speakers in these roles.
            where: Only turns that meet these conditions, as ``CompressiveMemory.recall`` has them.
            level: ``"session"`` for the best turn of each of the ``k`` best sessions.
            nothing: Text of the node that stands for no turn; ``None`` for no node.
            explain: Let the metadata say why a turn was found, or why none was.
            callback_manager: The host's.

        Raises:
            InvalidInputError: If no lookup would take ``where`` or ``as_of``.
        """
        check_options(where=where, as_of=as_of)
        super().__init__(callback_manager=callback_manager)
        self._connected = Connected(store=store, user=user, agent=agent, model=model)
        self._options: dict[str, Any] = {
            "k": k,
            "now": now,
            "as_of": as_of,
            "min_score": min_score,
            "sessions": sessions,
            "roles": roles,
            "where": where,
            "level": level,
            "explain": explain,
        }
        self._nothing = nothing

    @classmethod
    def from_memory(cls, memory: CompressiveMemory, **options: Any) -> R3Retriever:
        """Retrieve from a memory that is open already.

        Args:
            memory: The memory; its user and agent count where no others are given.
            **options: The other arguments of this class, ``store`` apart.

        Raises:
            InvalidInputError: If a ``store`` is given too.
        """
        named = {name: options.pop(name) for name in NAMING if name in options}
        retriever = cls(**options)
        retriever._connected = Connected.from_memory(memory, **named)
        return retriever

    @property
    def memory(self) -> CompressiveMemory:
        """The memory that is asked."""
        return self._connected.memory

    def add_documents(self, documents: Iterable[BaseNode]) -> dict[str, Stored]:
        """Store documents, or nodes made of them, as passages, which are found beside turns.

        All of one file, or else of one document, are parts of one document, in order. Added again,
        a document becomes what it is now: what it still says is kept, what it says no more is
        forgotten. Metadata stays; titles that ``MarkdownNodeParser`` found are headings.

        Args:
            documents: What a reader read, or a node parser made of that.

        Returns:
            How many passages of each document are new, were there, and are forgotten.

        Raises:
            InvalidInputError: If one has no text, or metadata that JSON cannot hold.
            StoreError: If something could not be written.
        """
        return add_documents(self.memory, documents)

    aadd_documents = in_thread(add_documents)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return self._nodes(self.memory.recall(query_bundle.query_str, **self._options))

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return self._nodes(await self.memory.arecall(query_bundle.query_str, **self._options))

    def _nodes(self, hits: Recollections) -> list[NodeWithScore]:
        if not hits and self._nothing is not None:
            return [_stand_in(self._nothing, hits.explanation)]
        return [_node(hit, self._options["now"]) for hit in hits]


def _stand_in(nothing: str, explanation: LookupExplanation | None) -> NodeWithScore:
    fields: dict[str, Any] = {"id_": "r3mem:nothing", "text": nothing}
    if explanation is not None:
        fields |= _hidden({"explanation": asdict(explanation)})
    return NodeWithScore(node=TextNode(**fields), score=0.0)


def _node(hit: Recollection, now: datetime | None) -> NodeWithScore:
    turn = hit.turn
    metadata = {name: value for name, value in turn.metadata.items() if name != METADATA}
    metadata |= {
        "time": wall_clock(turn.time, now),
        "role": turn.role,
        **({"name": turn.name} if turn.name else {}),
        **({"place": turn.place} if turn.place else {}),
        "session": turn.session,
        "turn_id": turn.id,
    }
    if hit.superseded_by is not None:
        metadata["superseded_by"] = hit.superseded_by
    if hit.explanation is not None:
        metadata["explanation"] = asdict(hit.explanation)
    fields: dict[str, Any] = {"id_": f"r3mem:{turn.id}", "text": turn.text} | _hidden(metadata)
    return NodeWithScore(node=TurnNode(**fields), score=hit.score)


def _hidden(metadata: dict[str, Any]) -> dict[str, Any]:
    # As fields of a node: a language model is shown what is in ``SHOWN``, an embedder nothing.
    return {
        "metadata": metadata,
        "excluded_llm_metadata_keys": [name for name in metadata if name not in SHOWN],
        "excluded_embed_metadata_keys": list(metadata),
    }
