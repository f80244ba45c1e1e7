"""R3Memory as hosts treat it: whose it is, copies of it, and what fails."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.llms import MockLLM
from pydantic import ValidationError

from r3mem_agents.errors import InvalidInputError, StoreUnavailableError
from r3mem_llamaindex import R3Memory
from tests.llamaindex.talk import BISCUIT, QUESTION, assistant, recalled, said, user

# Whose it is --------------------------------------------------------------------------------------


async def test_users_and_sessions_are_apart(where: dict[str, Any]) -> None:
    """Interleaved users, sessions, threads and tasks."""
    memories = {
        (name, session, scope): R3Memory(**where, user=name, session=session, recall_from=scope)
        for name in ("alice", "bob")
        for session in ("s1", "s2")
        for scope in ("user", "session")
    }

    async def talk(name: str, session: str, scope: str) -> None:
        memory = memories[name, session, scope]
        for number in range(3):
            await memory.aput(user(f"secret {name} {session} {number}"))
            text = str(await memory.aget())
            assert ("bob" if name == "alice" else "alice") not in text
            if scope == "session":
                assert ("s2" if session == "s1" else "s1") not in text

    await asyncio.gather(*(talk(*key) for key in memories))
    for (name, session, _), memory in memories.items():
        window = [str(message.content) for message in memory.get_all()]
        assert len(window) == 6
        assert all(text.startswith(f"secret {name} {session}") for text in window)


def test_recall_stays_in_the_session_if_asked(r3: R3Memory) -> None:
    R3Memory.from_memory(r3.memory, session="other").put(user(BISCUIT))
    r3.recall_from = "session"
    assert r3.get(input=QUESTION) == []
    r3.put(user("My cat is called Mia."))
    r3.reset()
    lines = recalled(r3.get(input="What are my dog and my cat called?"))
    assert "Mia" in lines and "Biscuit" not in lines


def test_a_new_object_is_a_new_session(where: dict[str, Any]) -> None:
    one, other = R3Memory(**where, user="alice"), R3Memory(**where, user="alice")
    one.put(user(BISCUIT))
    assert one.session != other.session
    assert other.get_all() == []
    assert BISCUIT in recalled(other.get(input=QUESTION))


def test_without_a_user_no_other_session_is_recalled(where: dict[str, Any]) -> None:
    R3Memory(**where, session="alice-1").put(user("My PIN is 4921."))
    bob = R3Memory(**where, session="bob-1")
    for nobody in (bob, R3Memory.from_json(bob.to_json()), R3Memory.from_memory(bob.memory)):
        assert nobody.get(input="What is my PIN?") == []
    everybody = R3Memory(**where, session="bob-1", recall_from="user")
    assert "4921" in recalled(everybody.get(input="What is my PIN?"))
    alice = R3Memory(**where, session="alice-1")
    alice.reset()
    assert "4921" in recalled(alice.get(input="What is my PIN?"))


@pytest.mark.parametrize("field", ["store", "user", "agent", "session", "model"])
def test_an_empty_name_is_refused(where: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        R3Memory(**(where | {field: ""}))
    named = R3Memory(**where)
    if field in ("user", "agent", "session"):
        setattr(named, field, "")
        with pytest.raises(InvalidInputError, match=f"{field} is empty"):
            named.put(user(BISCUIT))


def test_a_mistyped_field_is_refused(where: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="usr"):
        R3Memory(**where, usr="alice")  # type: ignore[call-arg]


# What hosts do with it ----------------------------------------------------------------------------


def test_from_defaults(where: dict[str, Any], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert R3Memory.from_defaults().store == str(tmp_path / "r3mem.db")
    assert R3Memory.from_defaults().token_limit == 30_000
    assert R3Memory.from_defaults(llm=MockLLM()).token_limit == 2925  # three quarters of 3900
    assert R3Memory.from_defaults(llm=MockLLM(), token_limit=7).token_limit == 7
    history = [user("Hello."), assistant("Hi.")]
    memory = R3Memory.from_defaults(**where, session="s", chat_history=history)
    assert memory.get() == history
    again = R3Memory.from_defaults(**where, session="s", chat_history=[])
    assert again.get() == history


COPIES: dict[str, Callable[[R3Memory], R3Memory]] = {
    "dict": lambda memory: R3Memory.from_dict(memory.to_dict()),
    "JSON": lambda memory: R3Memory.from_json(memory.to_json()),
    "pydantic": lambda memory: R3Memory.model_validate_json(memory.model_dump_json()),
    "deep copy": copy.deepcopy,
    "pickle": lambda memory: pickle.loads(pickle.dumps(memory)),
}


@pytest.mark.parametrize("again", COPIES.values(), ids=COPIES)
def test_copies_show_and_remember_the_same(
    where: dict[str, Any],
    again: Callable[[R3Memory], R3Memory],
    caplog: pytest.LogCaptureFixture,
) -> None:
    memory = R3Memory(**where, user="alice", token_limit=500, recall_tokens=100)
    memory.put_messages([user(BISCUIT), assistant("Noted.")])
    memory.set([user("Hello."), assistant("Hi.")])
    memory.put(user(QUESTION))
    copied = again(memory)
    assert copied == memory
    assert copied.get() == memory.get()
    assert BISCUIT in recalled(copied.get())
    copied.put(assistant("Biscuit."))
    assert memory.get_all() == copied.get_all()
    copied.reset()
    assert len(memory.get_all()) == 4  # each has its own window
    assert "Bob" not in json.dumps(memory.to_dict())
    assert not caplog.records


def test_reading_the_window_again_expands_nothing(r3: R3Memory) -> None:
    for number in range(20):
        r3.put(user(f"Number {number}."))
    r3.recall_tokens = 0
    model: Any = r3.memory.model
    expand, model.expand = model.expand, None
    assert len(r3.get()) == len(r3.get_all()) == 20
    model.expand = expand


# When it fails ------------------------------------------------------------------------------------


def test_a_failing_write_is_raised(r3: R3Memory) -> None:
    r3.put(user("Good."))
    with pytest.raises(InvalidInputError, match="surrogate"):
        r3.put(user("half \ud83d"))
    with pytest.raises(InvalidInputError, match="surrogate"):
        r3.set([user("New."), user("half \ud83d")])
    assert r3.get_all() == [user("Good.")]
    r3.memory.close()
    for call in (lambda: r3.put(user("Late.")), r3.get, r3.get_all, r3.reset):
        with pytest.raises(StoreUnavailableError, match="closed"):
            call()


def test_a_failing_write_is_logged_and_the_answer_goes_on(
    r3: R3Memory, caplog: pytest.LogCaptureFixture
) -> None:
    r3.on_error = "log"
    r3.put_messages([user("One."), assistant("Two.")])
    bad = user("half \ud83d")
    with caplog.at_level(logging.ERROR, "r3mem_llamaindex"):
        r3.put(bad)
        r3.put(assistant("Four."))
        assert r3.get_all() == [user("One."), assistant("Two."), bad, assistant("Four.")]
        assert said(r3) == ["One.", "Two.", "Four."]
        r3.set([bad, assistant("Five.")])
        assert r3.get_all() == [bad, assistant("Five.")]
        r3.put(user("Six."))
        assert r3.get_all() == [bad, assistant("Five."), user("Six.")]
    assert [record.message for record in caplog.records] == [
        "a message was not stored",
        "a history was not stored",
    ]


def test_a_memory_that_is_gone_does_not_take_the_answer_along(
    r3: R3Memory, caplog: pytest.LogCaptureFixture
) -> None:
    r3.on_error = "log"
    r3.put(user(BISCUIT))
    r3.memory.close()
    with caplog.at_level(logging.ERROR, "r3mem_llamaindex"):
        r3.put(user(QUESTION))
        assert r3.get() == [user(QUESTION)]
        r3.put(assistant("I do not know."))
        assert r3.get_all() == [user(QUESTION), assistant("I do not know.")]
        r3.reset()
        assert r3.get_all() == []
    assert caplog.records
