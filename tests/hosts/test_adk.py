from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("google.adk")

from google.adk.cli.service_registry import get_service_registry
from google.adk.events import Event
from google.adk.memory.memory_entry import MemoryEntry
from google.adk.tools.preload_memory_tool import preload_memory_tool
from google.genai.types import Blob, Content, FunctionCall, Part, Transcription
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from r3mem_adk import R3MemoryService
from r3mem_agents import CompressiveMemory, InvalidInputError, StoreError
from tests.hosts.adk import (
    ALICE,
    APP,
    DOG,
    QUESTION,
    Scripted,
    event,
    found,
    runner_of,
    say,
    session,
    text_of,
    turns,
)
from tests.new_process import ROOT


@pytest.fixture
def service() -> R3MemoryService:
    return R3MemoryService(CompressiveMemory("app.db"))


async def test_another_process_finds_it(service: R3MemoryService) -> None:
    await service.add_session_to_memory(session(event(Part(text=DOG))))
    code = (
        "import asyncio\nfrom r3mem_adk import R3MemoryService\n"
        "from r3mem_agents import CompressiveMemory\n"
        "search = R3MemoryService(CompressiveMemory('app.db')).search_memory\n"
        f"one = asyncio.run(search(app_name={APP!r}, user_id={ALICE!r}, query={QUESTION!r}))\n"
        "print(one.memories[0].content.parts[0].text)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == f"{DOG}\n"


async def test_a_session_that_grew_adds_only_what_is_new(service: R3MemoryService) -> None:
    events = [event(Part(text=f"Fact {n}.")) for n in range(9)]
    memory = service.memory.scoped(user=ALICE, agent=APP)
    for told in (3, 3, 4, 9):
        known = memory.history()
        await service.add_session_to_memory(session(*events[:told]))
        assert memory.history()[: len(known)] == known
        assert turns(service) == [f"Fact {n}." for n in range(told)]
    await service.add_session_to_memory(session())
    assert len(turns(service)) == 9


async def test_events_that_come_in_pieces_are_stored_once(service: R3MemoryService) -> None:
    events = [event(Part(text=f"Fact {n}.")) for n in range(6)]
    for some in (events[4:], events[1:2], [*events, *events]):
        await service.add_events_to_memory(
            app_name=APP, user_id=ALICE, events=some, session_id="monday"
        )
    assert sorted(turns(service)) == [f"Fact {n}." for n in range(6)]


async def test_sessions_added_at_once_are_stored_once(service: R3MemoryService) -> None:
    grown = [session(event(Part(text=f"{name} {n}."), id=f"{n}"), name=name)
             for name in ("a", "b") for n in range(3)]  # fmt: skip
    await asyncio.gather(*(service.add_session_to_memory(one) for one in grown * 3))
    assert sorted(turns(service)) == sorted(f"{name} {n}." for name in ("a", "b") for n in range(3))


TEXTS = st.text(min_size=1).filter(str.strip)


@settings(max_examples=30, deadline=None, suppress_health_check=[*HealthCheck])
@given(texts=st.lists(TEXTS, min_size=1, max_size=3))
def test_what_was_said_comes_back_equal(texts: list[str]) -> None:
    async def check() -> None:
        with CompressiveMemory(":memory:") as memory:
            service = R3MemoryService(memory)
            told = event(*(Part(text=text) for text in [*texts, DOG]), author="helper")
            await service.add_session_to_memory(session(told))
            [entry] = await found(service)
            assert entry.content == told.content
            assert entry.author == "helper"
            assert entry.custom_metadata == {"session_id": "monday", "event_id": told.id}

    asyncio.run(check())


async def test_thoughts_and_bytes_are_left_out_and_the_rest_is_kept(
    service: R3MemoryService,
) -> None:
    picture = Part(inline_data=Blob(data=b"\x89PNG" * 9, mime_type="image/png"))
    thought = Part(text="The user seems to like dogs.", thought=True)
    file = Part.from_uri(file_uri="gs://dogs/biscuit.png", mime_type="image/png")
    call = Part(function_call=FunctionCall(name="walk", args={"dog": "Biscuit"}))
    signed = Part(text=DOG, thought_signature=b"opaque")
    told = event(picture, thought, file, signed, call, author="helper")
    await service.add_session_to_memory(session(told))
    [entry] = await found(service)
    assert entry.content.parts == [file, Part(text=DOG), call]
    assert turns(service) == [DOG]


@pytest.mark.parametrize(
    "silent",
    [
        Event(author="user"),
        Event(author="user", content=Content(role="user")),
        event(),
        event(Part(text=" \n")),
        event(Part(text=DOG, thought=True), author="helper"),
        event(Part(inline_data=Blob(data=b"dog", mime_type="image/png"))),
        event(Part(function_call=FunctionCall(name="dog", args={})), author="helper"),
        event(Part.from_function_response(name="dog", response={"called": "Biscuit"})),
        event(Part(text="My dog is"), author="helper", partial=True),
    ],
)
async def test_what_says_nothing_is_not_stored(service: R3MemoryService, silent: Event) -> None:
    await service.add_session_to_memory(session(silent, event(Part(text=DOG))))
    assert turns(service) == [DOG]


async def test_what_was_said_by_voice_is_stored(service: R3MemoryService) -> None:
    asked = Event(author="user", input_transcription=Transcription(text=DOG, finished=True))
    piece = Event(
        author="helper",
        output_transcription=Transcription(text="A good", finished=False),
        partial=True,
    )
    answered = Event(author="helper", output_transcription=Transcription(text="A good dog."))
    await service.add_session_to_memory(session(asked, piece, answered))
    assert turns(service) == [DOG, "A good dog."]
    [entry, *_] = await found(service)
    assert entry.content == Content(role="user", parts=[Part(text=DOG)])


async def test_halves_of_a_character_do_not_keep_a_session_out(service: R3MemoryService) -> None:
    halves = event(Part(text="A fox \ud83e\udd8a and \ud83e"), author="helper")
    await service.add_session_to_memory(session(halves, event(Part(text=DOG))))
    assert turns(service) == ["A fox 🦊 and \ufffd", DOG]


NAMES = ["alice", "Alice", " alice", "alice/app", "app:alice", "a@b.c", "id", "愛子", "'; --", "0"]


async def test_users_and_apps_are_apart(service: R3MemoryService) -> None:
    places = [(app, user) for app in NAMES for user in NAMES[::3]]
    for app, user in places:
        told = event(Part(text=f"My dog is called {app!r} {user!r}."), id="same")
        await service.add_session_to_memory(session(told, app=app, user=user))
    for app, user in places:
        entries = await found(service, user=user, app=app)
        assert [text_of(one) for one in entries] == [f"My dog is called {app!r} {user!r}."]
    [own] = await found(service, user=places[0][1], app=places[0][0])
    await service.delete_memory(app_name="app", user_id="mallory", memory_id=own.id)
    assert await found(service, user=places[0][1], app=places[0][0])


@pytest.mark.parametrize("names", [{"app": ""}, {"user": " "}, {"user": "\ud800"}])
async def test_nobody_is_refused_by_name(service: R3MemoryService, names: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError, match="agent|user"):
        await found(service, **names)
    with pytest.raises(InvalidInputError, match="agent|user"):
        await service.add_session_to_memory(session(event(Part(text=DOG)), **names))


async def test_a_memory_that_is_added_comes_back_equal(service: R3MemoryService) -> None:
    noted = MemoryEntry(
        content=Content(parts=[Part(text=DOG)]),
        author="clerk",
        timestamp="2026-03-01T09:30:00+00:00",
        custom_metadata={"topic": "pets", "sure": 0.9},
    )
    plain = MemoryEntry(content=Content(role="user", parts=[Part(text="My cat is Miso.")]))
    await service.add_memory(
        app_name=APP, user_id=ALICE, memories=[noted, plain], custom_metadata={"from": "form"}
    )
    [entry] = [one for one in await found(service) if text_of(one) == DOG]
    assert (entry.content, entry.author) == (noted.content, "clerk")
    own = {"topic": "pets", "sure": 0.9, "from": "form", "session_id": service.memory.session}
    assert entry.custom_metadata == own
    assert datetime.fromisoformat(entry.timestamp or "") == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    [cat, *_] = await found(service, "What is my cat called?")
    assert (cat.content, cat.author) == (plain.content, "user")


async def test_a_memory_with_an_id_replaces_what_had_it(service: R3MemoryService) -> None:
    for dog in ("Biscuit", "Rex"):
        entry = MemoryEntry(id="dog", content=Content(parts=[Part(text=f"The dog is {dog}.")]))
        await service.add_memory(app_name=APP, user_id=ALICE, memories=[entry])
    assert turns(service) == ["The dog is Rex."]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"content": Content(parts=[])}, "no text"),
        ({"timestamp": "yesterday"}, "ISO 8601"),
        ({"custom_metadata": {"at": b"bytes"}}, "JSON"),
        ({"custom_metadata": {"google_adk": 1}}, "rename"),
    ],
)
async def test_a_memory_that_cannot_be_kept_is_refused(
    service: R3MemoryService, wrong: dict[str, Any], told: str
) -> None:
    fine = MemoryEntry(content=Content(parts=[Part(text=DOG)]))
    with pytest.raises(InvalidInputError, match=told):
        await service.add_memory(
            app_name=APP, user_id=ALICE, memories=[fine, fine.model_copy(update=wrong)]
        )
    assert turns(service) == []


async def test_what_is_deleted_stays_out_when_its_session_is_added_again(
    service: R3MemoryService,
) -> None:
    told = session(event(Part(text=DOG)), event(Part(text="Noted."), author="helper"))
    await service.add_session_to_memory(told)
    [entry, *_] = await found(service)
    await service.delete_memory(app_name=APP, user_id=ALICE, memory_id=entry.id)
    told.events.append(event(Part(text="He is a good dog.")))
    await service.add_session_to_memory(told)
    assert [text_of(one) for one in await found(service, "dog")] == ["He is a good dog."]
    for query in ("Who am I?", "", "forgotten", *turns(service)):
        assert all(text_of(one) for one in await found(service, query))
    assert turns(service) == ["Noted.", "", "He is a good dog."]


async def test_a_deleted_memory_without_a_session_leaves_nothing(service: R3MemoryService) -> None:
    entry = MemoryEntry(content=Content(parts=[Part(text=DOG)]))
    await service.add_memory(app_name=APP, user_id=ALICE, memories=[entry])
    [known] = await found(service)
    for id_ in ("7", "", "x", "-1", "9" * 40, None, known.id, known.id):
        await service.delete_memory(app_name=APP, user_id=ALICE, memory_id=id_)
    assert turns(service) == []


async def test_a_newer_memory_is_told_of(service: R3MemoryService) -> None:
    for day, text in enumerate(["I live in Paris.", "We moved to Berlin last week."]):
        told = event(Part(text=text), timestamp=1.7e9 + day * 1e6)
        await service.add_session_to_memory(session(told, name=f"{day}"))
    berlin, paris = await found(service, "Where do I live?")
    assert (text_of(paris), paris.custom_metadata["superseded_by"]) == (
        "I live in Paris.",
        berlin.id,
    )


async def test_a_failing_memory_is_raised_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    memory = CompressiveMemory("closed.db")
    memory.close()
    told = session(event(Part(text=DOG)))
    raising, logging = R3MemoryService(memory), R3MemoryService(memory, on_error="log")
    with pytest.raises(StoreError):
        await raising.add_session_to_memory(told)
    with pytest.raises(StoreError):
        await found(raising)
    await logging.add_session_to_memory(told)
    await logging.add_memory(app_name=APP, user_id=ALICE, memories=[])
    await logging.delete_memory(app_name=APP, user_id=ALICE, memory_id="1")
    assert await found(logging) == []
    assert len(caplog.records) == 4
    model = Scripted()
    await say(runner_of(logging, model, tools=[preload_memory_tool]), DOG, "monday")
    assert len(model.requests) == 1


@pytest.mark.parametrize("options", [{"k": 0}, {"k": "5"}, {"on_error": "ignore"}])
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(options))):
        R3MemoryService(CompressiveMemory(":memory:"), **options)


async def test_no_more_than_k_are_found() -> None:
    service = R3MemoryService(CompressiveMemory(":memory:"), k=2)
    events = [event(Part(text=f"Dog {n} is called Biscuit {n}.")) for n in range(5)]
    await service.add_session_to_memory(session(*events))
    assert len(await found(service, "dog")) == 2


def test_the_host_makes_one_of_a_uri() -> None:
    registry = get_service_registry()
    registry.register_memory_service(
        "r3mem", lambda uri, **_: R3MemoryService(CompressiveMemory(uri.removeprefix("r3mem://")))
    )
    made = registry.create_memory_service("r3mem://app.db", agents_dir=".")
    assert isinstance(made, R3MemoryService)
    assert Path(made.memory.location).name == "app.db"


def test_the_example_remembers_and_keeps_users_apart() -> None:
    printed = subprocess.check_output([sys.executable, ROOT / "examples/adk_agent.py"], text=True)
    assert printed.count("My dog is called Biscuit") >= 2
