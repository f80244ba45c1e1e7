"""Sessions, memories and scripted runs of Google's ADK."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.agents.callback_context import CallbackContext
from google.adk.events import Event
from google.adk.memory.base_memory_service import BaseMemoryService
from google.adk.memory.memory_entry import MemoryEntry
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService, Session
from google.genai.types import Content, Part

from r3mem_adk import R3MemoryService

APP, ALICE = "app", "alice"
QUESTION = "What is my dog called?"
DOG = "My dog is called Biscuit."


def event(*parts: Part, author: str = "user", **fields: Any) -> Event:
    role = "user" if author == "user" else "model"
    return Event(author=author, content=Content(role=role, parts=[*parts]), **fields)


def session(*events: Event, name: str = "monday", user: str = ALICE, app: str = APP) -> Session:
    return Session(id=name, app_name=app, user_id=user, events=[*events])


async def found(
    service: BaseMemoryService, query: str = QUESTION, user: str = ALICE, app: str = APP
) -> list[MemoryEntry]:
    return (await service.search_memory(app_name=app, user_id=user, query=query)).memories


def text_of(entry: MemoryEntry) -> str:
    return "\n".join(part.text or "" for part in entry.content.parts or ())


def turns(service: R3MemoryService, user: str = ALICE, app: str = APP) -> list[str]:
    return [turn.text for turn in service.memory.scoped(user=user, agent=app).history()]


class Scripted(BaseLlm):
    """Answers with these parts, one a call; then with "Noted."."""

    model: str = "scripted"
    parts: list[Part] = []
    requests: list[LlmRequest] = []

    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        self.requests.append(llm_request)
        part = self.parts.pop(0) if self.parts else Part(text="Noted.")
        yield LlmResponse(content=Content(role="model", parts=[part]))


async def remember(callback_context: CallbackContext) -> None:
    await callback_context.add_session_to_memory()


def runner_of(service: BaseMemoryService, model: BaseLlm, app: str = APP, **agent: Any) -> Runner:
    helper = LlmAgent(
        name="helper", model=model, after_agent_callback=remember, **{"tools": []} | agent
    )
    return Runner(
        app_name=app,
        agent=helper,
        session_service=InMemorySessionService(),
        memory_service=service,
        auto_create_session=True,
    )


async def say(runner: Runner, text: str, session: str, user: str = ALICE) -> list[Event]:
    said = Content(role="user", parts=[Part(text=text)])
    run = runner.run_async(user_id=user, session_id=session, new_message=said)
    return [event async for event in run]
