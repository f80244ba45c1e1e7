"""A memory for the host's agents."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from agent_framework import (
    AgentSession,
    ContextProvider,
    HistoryProvider,
    Message,
    SessionContext,
    SupportsAgentRun,
)

from r3mem_agent_framework._messages import INSTRUCTIONS, to_turn
from r3mem_agent_framework._scope import USER, user_of
from r3mem_agent_framework.history import R3HistoryProvider
from r3mem_agents import CompressiveMemory
from r3mem_agents.prompts import (
    OnError,
    Place,
    PromptMemory,
    RecallFrom,
    check_ids,
    check_options,
    place_of,
    prompt_memory,
    raise_or_log,
    recall_sessions,
    shown_turns,
)
from r3mem_agents.validation import check_count

logger = logging.getLogger(__name__)


class R3ContextProvider(ContextProvider):
    """Recalls before an agent's run, and remembers what is said in it.

    What is recalled is shown to the model at the end of its instructions, in this run only: it
    never becomes a message, and is never stored again. What is stored, after the run, is what was
    said: the newest messages of the user, then the answers, tool calls and their results. Not what
    instructs, nor a history that is sent along. Beside an ``R3HistoryProvider`` of the same memory
    and user nothing is stored: that one does.

    The memory of a run is that of the user that ``session.state["user_id"]`` names, and its session
    is the host's. Where no user is named, other sessions are not recalled.

    Example:
        >>> memory = CompressiveMemory("memory.db", user="alice")
        >>> agent = Agent(client, context_providers=[R3ContextProvider(memory)])
        >>> await agent.run("What is my dog called?", session=agent.create_session())
    """

    def __init__(
        self,
        memory: CompressiveMemory,
        *,
        user_id: str | None = None,
        recall_from: RecallFrom | None = None,
        k: int = 5,
        token_budget: int = 800,
        where: Mapping[str, Any] | None = None,
        as_of: datetime | None = None,
        expires: timedelta | None = None,
        on_error: OnError = "raise",
        source_id: str = "r3mem",
    ) -> None:
        """Give agents a memory.

        Args:
            memory: Where turns are kept.
            user_id: The user, if a session names nobody; ``None`` means the memory's user.
            recall_from: Recall from all of the user's sessions, or from the run's session only;
                ``None`` means the user's if one is named, by the session, by ``user_id`` or by the
                memory, otherwise the session.
            k: Maximum number of turns to recall; 5, as ``CompressiveMemory.recall`` has it.
            token_budget: Maximum number of tokens of all that is shown; 800, as
                ``CompressiveMemory.context`` has it.
            where: Recall only turns that meet these conditions, as ``CompressiveMemory.recall`` has
                them.
            as_of: Recall only what was known at this time, likewise.
            expires: How long after it was said a turn is gone; ``None`` means never.
            on_error: ``"raise"`` what goes wrong with the memory, or ``"log"`` it and answer
                without.
            source_id: The host's name for this provider.

        Raises:
            InvalidInputError: If ``on_error`` or ``recall_from`` is something else, a number is too
                small, ``user_id`` is empty, or a lookup or a write would not take the rest. A run
                whose session has an empty user raises it too.
        """
        super().__init__(source_id)
        check_ids(user_id=user_id)
        recall_sessions(memory, recall_from)
        check_count(k, "k")
        check_count(token_budget, "token_budget", least=0)
        check_options(where=where, as_of=as_of, expires=expires, on_error=on_error)
        self.memory = memory
        self.user_id = user_id
        self.on_error: OnError = on_error
        self._recall_from: RecallFrom | None = recall_from
        self._expires = expires
        self._options: dict[str, Any] = {
            "k": k,
            "token_budget": token_budget,
            "where": where,
            "as_of": as_of,
        }

    async def before_run(
        self, *, agent: SupportsAgentRun, session: AgentSession, context: SessionContext, **run: Any
    ) -> None:
        """Recall what helps with what the user says.

        Raises:
            R3MemError: If the memory cannot be read, unless that is logged.
        """
        with raise_or_log(self.on_error, logger, "nothing was recalled"):
            shown = [
                *context.get_messages(include_input=True),
                *await _coming(agent, session, context),
            ]
            recalled = await asyncio.to_thread(self._recall, session, _asked(context), shown)
            if recalled:
                context.extend_instructions(self.source_id, recalled)

    async def after_run(
        self,
        *,
        agent: SupportsAgentRun,
        session: AgentSession,
        context: SessionContext,
        **run: Any,
    ) -> None:
        """Remember what was said.

        Raises:
            R3MemError: If it cannot be stored, unless that is logged.
        """
        others = getattr(agent, "context_providers", ())
        if any(isinstance(one, R3HistoryProvider) and self._shares(one) for one in others):
            return
        answers = context.response.messages if context.response else []
        said = [one for one in [*_asked(context), *answers] if one.role not in INSTRUCTIONS]
        with raise_or_log(self.on_error, logger, "what was said was not stored"):
            turns = [to_turn(message, expires=self._expires) for message in said]
            await self._place(session).memory.aremember_many(turns)

    def _shares(self, history: R3HistoryProvider) -> bool:
        return history.memory is self.memory and history.user_id == self.user_id

    def _place(self, session: AgentSession) -> Place:
        user = user_of(session.state, self.user_id)
        return place_of(
            self.memory, user=user, session=session.session_id, recall_from=self._recall_from
        )

    def _recall(
        self, session: AgentSession, asked: Sequence[Message], shown: Sequence[Message]
    ) -> str:
        memory, sessions = self._place(session)
        users = [one for one in asked if one.role == "user"]
        if not users:  # an answer to the host, or to another agent: it is about what was asked
            users = [one for one in shown if one.role == "user"][-1:]
        question = "\n".join(to_turn(one).text for one in users)
        said = [(turn.role, turn.text) for turn in map(to_turn, shown)]
        ids = shown_turns(memory, said)

        def recall() -> PromptMemory:
            return prompt_memory(
                memory, question, window=0, shown_ids=ids, sessions=sessions, **self._options
            )

        recalled = recall()
        # Agents of a workflow hand on what they say, and each has a session of its own.
        hits = (hit.turn for hit in recalled.recollections)
        if twice := {turn.id for turn in hits if (turn.role, turn.text) in said}:
            ids |= twice
            recalled = recall()
        return recalled.text()


async def _coming(
    agent: SupportsAgentRun, session: AgentSession, context: SessionContext
) -> list[Message]:
    # What histories will show that come after this provider, as the one that the host adds does.
    named = {USER: session.state[USER]} if USER in session.state else {}
    found: list[Message] = []
    for one in getattr(agent, "context_providers", ()):
        if isinstance(one, HistoryProvider) and one.source_id not in context.context_messages:
            plain = type(one).before_run is HistoryProvider.before_run
            if one.load_messages and (plain or isinstance(one, R3HistoryProvider)):
                state = session.state.get(one.source_id, {}) | named
                found += await one.get_messages(session.session_id, state=state)
    return found


def _asked(context: SessionContext) -> Sequence[Message]:
    # What is said now: not a history that is sent along.
    messages = context.input_messages
    answers = [place for place, one in enumerate(messages) if one.role == "assistant"]
    return messages[answers[-1] + 1 :] if answers else messages
