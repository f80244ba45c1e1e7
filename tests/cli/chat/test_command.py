from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from tests.cli.running import Run
from tests.langchain.models import ScriptedModel, scripted
from tests.openai_server import repeating_server

DOG = "My dog is called Biscuit, and he loves Saturday walks."
ASKED = "What is my dog called?"
TINY = Path(__file__).parents[2] / "golden" / "tiny"


@pytest.fixture
def answers_with(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give LangChain one model for every name."""

    def use(model: Any) -> Any:
        monkeypatch.setattr("langchain.chat_models.init_chat_model", lambda *_, **__: model)
        return model

    return use


def _texts(run_json: Any) -> list[tuple[str, str]]:
    return [(turn["role"], turn["text"]) for turn in run_json("history")]


def _documents(text: str) -> list[Any]:
    decoder, found = json.JSONDecoder(), []
    while text := text.strip():
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:]
    return found


def test_what_is_told_in_one_talk_is_recalled_in_another(run: Run, run_json: Any) -> None:
    first = run("chat", "--session", "monday", stdin=f"{DOG}\n")
    assert first.exit_code == 0, first.stderr
    assert "No model is at work" in first.stdout.split("Noted.")[0]
    second = run("chat", "--session", "friday", stdin=f"\n{ASKED}\n")
    *_, answer, ground = second.stdout.splitlines()
    assert f'user: "{DOG}"' in answer
    assert ground.startswith(f"  1 turn recalled, from {datetime.now().year}-")
    assert ground.endswith(" tokens")
    assert _texts(run_json) == [("user", DOG), ("user", ASKED)], "quotes are not stored"
    assert [turn["session"] for turn in run_json("history")] == ["monday", "friday"]


def test_a_talk_without_a_name_is_that_of_the_day(run: Run, run_json: Any) -> None:
    before = datetime.now()
    run("chat", stdin=f"{DOG}\n")
    (turn,) = run_json("history")
    assert turn["session"] in {f"{day:%Y-%m-%d}" for day in (before, datetime.now())}
    assert f'user: "{DOG}"' in run("chat", stdin=f"{ASKED}\n").stdout


def test_the_commands_inside(run: Run, run_json: Any) -> None:
    told = run_json("remember", DOG)
    kept = run_json("remember", "The train to Lisbon leaves at ten.")
    found = run("chat", stdin=f"/recall {ASKED}\n/stats\n/help\n/quit\nNot said.\n")
    assert found.exit_code == 0, found.stderr
    lines = found.stdout.splitlines()
    (place,) = [number for number, line in enumerate(lines) if DOG in line]
    assert lines[place - 1].endswith(f", turn {told['id']}")
    for label in ("bits per token", "whole file", "/forget NUMBER", "Ctrl-D"):
        assert label in found.stdout
    assert "forgot 1 turn\n" in run("chat", stdin=f"/forget {told['id']}\n").stdout
    assert [turn["id"] for turn in run_json("history")] == [kept["id"]]


def test_a_server_of_ones_own_answers(run: Run, run_json: Any) -> None:
    with repeating_server() as address:
        server = ("--base-url", address, "--model", "any")
        told = run("chat", "--session", "monday", *server, stdin=f"{DOG}\n")
        assert told.exit_code == 0, told.stderr
        asked = run("chat", "--session", "friday", *server, stdin=f"{ASKED}\n")
    assert "<recalled_memory>" in asked.stdout
    assert DOG in asked.stdout.split("<recalled_memory>")[1]
    roles = [role for role, _ in _texts(run_json)]
    assert roles == ["user", "assistant"] * 2, "its answers are kept"
    gone = run("chat", *server, stdin=f"{ASKED}\n")
    assert gone.exit_code == 1
    assert "error: the model did not answer: " in gone.stderr


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("/frget 1", "/frget"),
        ("/forget", "numbers"),
        ("/forget one", "numbers"),
        ("/forget 4711", "4711"),
        ("/recall", "question"),
    ],
)
def test_a_wrong_command_is_told_and_the_talk_goes_on(
    run: Run, run_json: Any, line: str, names: str
) -> None:
    result = run("chat", stdin=f"{line}\n{DOG}\n")
    assert result.exit_code == 1
    (error,) = result.stderr.splitlines()
    assert error.startswith("error: ")
    assert names in error
    assert _texts(run_json) == [("user", DOG)]


def test_a_space_makes_a_message_of_a_command(run: Run, run_json: Any) -> None:
    assert run("chat", stdin=" /quit is what I say.\n").exit_code == 0
    assert _texts(run_json) == [("user", " /quit is what I say.")]


def test_json_is_one_document_a_line(run: Run, run_json: Any) -> None:
    told = run_json("remember", DOG, "--session", "monday")
    lines = [ASKED, f"/recall {ASKED}", f"/forget {told['id']}", "/stats"]
    result = run("chat", "--json", stdin="\n".join(lines))
    assert "No model is at work" in result.stderr
    reply, hits, gone, stats = _documents(result.stdout)
    assert reply["said"] == ASKED
    assert DOG in reply["answer"]
    assert [(hit["turn_id"], hit["text"]) for hit in reply["recalled"]] == [(told["id"], DOG)]
    assert reply["prompt_tokens"] > 0
    assert told["id"] in [hit["turn_id"] for hit in hits]
    assert gone["turns"] == 1
    assert stats["turns"] == 1


def test_a_model_sees_what_is_recalled_and_its_answers_are_kept(
    run: Run, run_json: Any, answers_with: Any
) -> None:
    run_json("remember", DOG, "--session", "monday")
    model = answers_with(scripted("He is called Biscuit.", "You asked that."))
    result = run("chat", "--model", "any:model", stdin=f"{ASKED}\nWhat did I ask?\n")
    assert result.exit_code == 0, result.stderr
    assert "any:model answers" in result.stdout
    assert "No model" not in result.stdout
    assert "He is called Biscuit.\n" in result.stdout
    (system, asked), (later, _) = model.asked
    assert (system.type, asked.type) == ("system", "human")
    assert "<recalled_memory>" in system.text
    assert system.text.count(DOG) == 1
    assert asked.text == ASKED
    assert ASKED not in system.text
    assert "assistant: He is called Biscuit." in later.text
    assert _texts(run_json)[1:3] == [("user", ASKED), ("assistant", "He is called Biscuit.")]


def test_a_model_that_fails_loses_no_turn(run: Run, run_json: Any, answers_with: Any) -> None:
    answers_with(FakeListChatModel(responses=["Biscuit."], error_on_chunk_number=3))
    result = run("chat", "--model", "any:model", stdin=f"{DOG}\n/stats\n")
    assert result.exit_code == 1
    error, note = result.stderr.splitlines()
    assert error.startswith("error: the model did not answer")
    assert "what you said is remembered" in note
    assert "bits per token" in result.stdout
    assert _texts(run_json) == [("user", DOG), ("assistant", "Bis")]


class Interrupted(ScriptedModel):
    """The user presses Ctrl-C in the middle of its answer."""

    def _stream(self, *_: Any, **__: Any) -> Iterator[Any]:
        yield ChatGenerationChunk(message=AIMessageChunk(content="Once upon "))
        raise KeyboardInterrupt


def test_ctrl_c_stops_an_answer_and_loses_no_turn(
    run: Run, run_json: Any, answers_with: Any
) -> None:
    answers_with(Interrupted(messages=iter(())))
    result = run("chat", "--model", "any:model", stdin=f"{DOG}\n/stats\n")
    assert "stopped; what was said so far is remembered" in result.stderr
    assert "bits per token" in result.stdout
    assert _texts(run_json) == [("user", DOG), ("assistant", "Once upon ")]


def test_langchain_is_needed_by_a_model_alone(tmp_path: Path) -> None:
    hosts = ("langchain", "langchain_core", "llama_index", "transformers")
    code = (
        "import sys, importlib.util as util\n"
        "real = util.find_spec\n"
        f"for host in {hosts}: sys.modules[host] = None\n"
        f"util.find_spec = lambda name, *rest: None if name in {hosts} else real(name, *rest)\n"
        "from r3mem_agents.cli import app\n"
        "app(sys.argv[1:])"
    )

    def chat(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, "chat", "--checkpoint", str(TINY), *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            input=f"{DOG}\n{ASKED}\n",
            capture_output=True,
            text=True,
            check=False,
        )

    done = chat()
    assert done.returncode == 0, done.stderr
    assert f'user: "{DOG}"' in done.stdout
    refused = chat("--model", "openai:gpt-5.5")
    assert refused.returncode == 1
    assert "pip install 'r3mem-agents[langchain]'" in refused.stderr


def test_an_empty_session_is_refused(run: Run) -> None:
    result = run("chat", "--session", "", stdin="Hello.\n")
    assert result.exit_code == 1
    assert "session is empty" in result.stderr
