"""When the host hands over what was said."""

from __future__ import annotations

import asyncio

from strands.hooks import AfterInvocationEvent, HookOrder
from strands.memory import ExtractionTrigger, ExtractionTriggerContext


class AfterAnswer(ExtractionTrigger):
    """Hands over what was said after each answer, and waits until it is stored.

    The host's own triggers do not wait: what they hand over is lost where the event loop ends with
    the answer, as in ``asyncio.run(agent.invoke_async(...))``.

    Example:
        >>> everything = MemoryMessageFilter(exclude=[])
        >>> extraction = ExtractionConfig(trigger=AfterAnswer(), filter=everything)
        >>> store = R3MemoryStore(memory, extraction=extraction)
    """

    name = "after_answer"

    def attach(self, context: ExtractionTriggerContext) -> None:
        """Let an agent hand over what was said; the host calls it.

        Args:
            context: The host's, with the agent.
        """

        async def hand_over(event: AfterInvocationEvent) -> None:
            before = asyncio.all_tasks()
            context.fire()  # makes a task, which nobody is given
            if saving := asyncio.all_tasks() - before:
                await asyncio.wait(saving)

        context.agent.add_hook(hand_over, AfterInvocationEvent, order=HookOrder.SDK_LAST)
