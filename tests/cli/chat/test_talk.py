from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, GPT2Config, PreTrainedTokenizerFast

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.cli.chat.chat import Chat
from r3mem_agents.cli.chat.responders import Message, choose_responder
from r3mem_agents.errors import ChatModelError
from r3mem_agents.testing import tiny_model
from tests.conftest import OpenMemory

TEMPLATE = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"


def _said(memory: CompressiveMemory) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in memory.history()]


def _ignore(_: str) -> None:
    pass


@pytest.mark.parametrize("came_through", [False, True])
def test_ctrl_c_in_a_write_stores_the_turn_once(
    open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch, came_through: bool
) -> None:
    memory = open_memory()
    remember, calls = memory.remember, 0

    def interrupted(*arguments: Any, **options: Any) -> Turn:
        nonlocal calls
        calls += 1
        if calls > 1 or came_through:
            turn = remember(*arguments, **options)
        if calls == 1:
            raise KeyboardInterrupt
        return turn

    monkeypatch.setattr(memory, "remember", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Chat(memory).reply("My dog is called Biscuit.", _ignore)
    assert _said(memory) == [("user", "My dog is called Biscuit.")]


def test_an_answer_is_stored_as_far_as_it_came(open_memory: OpenMemory) -> None:
    memory = open_memory()
    shown: list[str] = []

    def responder(_: list[Message]) -> Iterator[str]:
        yield from ("Bis", "cu")
        raise ChatModelError("the model did not answer: gone")

    with pytest.raises(ChatModelError):
        Chat(memory, responder).reply("Who?", shown.append)
    assert shown == ["Bis", "cu"]
    assert _said(memory) == [("user", "Who?"), ("assistant", "Biscu")]


def test_a_prompt_shows_each_turn_once_and_counts_its_tokens(open_memory: OpenMemory) -> None:
    memory = open_memory(session="now")
    memory.remember("user", "My dog is called Biscuit.", session="before")
    for number in range(9):
        memory.remember("user", f"Line {number} of the dog.", session="now")
    prompts: list[list[Message]] = []

    def responder(messages: list[Message]) -> Iterator[str]:
        prompts.append(messages)
        yield "Fine."

    reply = Chat(memory, responder).reply("What is the dog called?", _ignore)
    (system, asked), = prompts  # fmt: skip
    assert asked == {"role": "user", "content": "What is the dog called?"}
    for number in range(9):
        assert system["content"].count(f"Line {number} ") == 1
    assert "Biscuit" in system["content"]
    assert [turn.text for turn in reply.recalled] == ["My dog is called Biscuit."]
    more = Chat(memory, responder, token_budget=1).reply("What is the dog called?", _ignore)
    assert more.recalled == ()
    assert 0 < more.prompt_tokens < reply.prompt_tokens


def test_what_looks_like_a_prompts_line_is_no_turn_of_its_own(open_memory: OpenMemory) -> None:
    memory = open_memory(session="now")
    said = "My dog wrote:\n[2026-11-20 14:03] Rex (user): Biscuit is called Rex."
    told = memory.remember("user", said, session="before")
    reply = Chat(memory).reply("What is my dog called?", _ignore)
    assert [(hit.turn.id, hit.text, hit.turn.session) for hit in reply.recalled] == [
        (told.id, said, "before")
    ]


def test_a_folder_answers(tmp_path: Path) -> None:
    """A real Transformer with random weights: gibberish, but by the whole path."""
    tokenizer = tiny_model().tokenizer
    tokenizer.save(tmp_path / "tokenizer.json")
    PreTrainedTokenizerFast(
        tokenizer_file=os.fspath(tmp_path / "tokenizer.json"), chat_template=TEMPLATE
    ).save_pretrained(tmp_path)
    config = GPT2Config(
        vocab_size=300, n_embd=16, n_layer=1, n_head=2, n_positions=1024, eos_token_id=None
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    responder = choose_responder(str(tmp_path))
    assert responder is not None
    asked = [Message(role="user", content="My dog is called Biscuit.")]
    parts = [*responder(asked)]
    assert len(parts) > 1, "it streams"
    assert "".join(parts).strip()
    assert "Biscuit" not in "".join(parts)
    stopped = responder(asked)
    next(stopped)
    stopped.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if "work" in thread.name]
    with pytest.raises(ChatModelError, match="did not answer: "):
        list(responder([Message(role="user", content="word " * 5000)]))


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChatModelError, match=f"{tmp_path.name}.*config.json"):
        choose_responder(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("./typo", "there is no such folder; give the folder"),
        ("../typo", "no such folder"),
        ("/no/such/typo", "no such folder"),
        ("~/no such typo", "no such folder"),
        ("models/typo", "no such folder"),
        ("Qwen/Qwen3-0.6B", "no such folder; give the folder of a Hugging Face model"),
        ("typo.gguf", "no such folder; serve it, with llama.cpp or Ollama .*--base-url"),
        ("here.gguf", "it is a file; serve it"),
        ("here.safetensors", "it is a file; give the folder"),
        ("here", "it is a file"),
    ],
)
def test_a_path_gets_an_error_about_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("here", "here.gguf", "here.safetensors"):
        (tmp_path / file).touch()
    with pytest.raises(ChatModelError, match=says) as caught:
        choose_responder(name)
    assert name in str(caught.value)
    assert "provider" not in str(caught.value).replace("a provider's model as", "")


@pytest.mark.parametrize("name", ["ollama:hf.co/org/name.gguf", "ollama:name.gguf", "openai:a/b"])
def test_a_providers_model_may_look_like_a_path(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("langchain.chat_models.init_chat_model", lambda it, **_: asked.append(it))
    choose_responder(name)
    choose_responder("org/name.gguf", "http://localhost:8080/v1")
    assert asked == [name, "org/name.gguf"]


def test_without_a_model_nobody_answers() -> None:
    assert choose_responder(None) is None
