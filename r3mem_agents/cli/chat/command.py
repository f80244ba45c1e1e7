"""``r3mem chat``: a talk in the terminal that is remembered."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Annotated

import typer

from r3mem_agents.cli.chat.terminal import Talk
from r3mem_agents.cli.console import err, examples, fail, stdin_bytes, warn
from r3mem_agents.cli.options import (
    DEFAULT_DB,
    AgentOption,
    CheckpointOption,
    DbOption,
    JsonOption,
    UserOption,
    session_option,
)
from r3mem_agents.cli.places import Place
from r3mem_agents.errors import ChatModelError, InvalidInputError, R3MemError

commands = typer.Typer()


@commands.command(
    "chat",
    epilog=examples(
        "r3mem chat",
        "r3mem chat --db alice.db --model openai:gpt-5.5",
        "r3mem chat --model qwen3:8b --base-url http://localhost:11434/v1",
        'echo "What is my dog called?" | r3mem chat --json',
    ),
)
def chat(
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="Who answers: provider and model as in LangChain, a name at --base-url, or the "
            "folder of a Hugging Face model.",
            show_default="quotes from memory",
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", help="A server that speaks OpenAI's protocol, up to /v1."),
    ] = None,
    session: Annotated[
        str | None,
        session_option("Session of the talk; one that exists goes on.", "today's date"),
    ] = None,
    token_budget: Annotated[
        int, typer.Option(help="Maximum number of tokens of a prompt that come from memory.", min=1)
    ] = 800,
    db: DbOption = DEFAULT_DB,
    user: UserOption = "default",
    agent: AgentOption = "default",
    checkpoint: CheckpointOption = None,
    as_json: JsonOption = False,
) -> None:
    """Talk with a memory: what is said is stored, and recalled when it helps.

    Every line is a message. Lines that begin with / are commands; /help lists them.
    """
    with err().status("opening the memory"):
        from r3mem_agents.cli.chat.chat import Chat
        from r3mem_agents.cli.chat.responders import choose_responder

        responder = choose_responder(model, base_url)
        today = f"{datetime.now():%Y-%m-%d}"
        memory = Place(db, user, agent, checkpoint).open(
            session=today if session is None else session, must_exist=False
        )
    with memory:
        talk = Talk(Chat(memory, responder, token_budget=token_budget), as_json=as_json)
        talk.begin(db, model or base_url)
        failed = _hold(talk)
    if failed and not _typed():
        raise typer.Exit(1)


def _hold(talk: Talk) -> int:
    """Take line after line until the user leaves; an error does not end a talk, but is counted."""
    failed = 0
    for line in _lines():
        try:
            if not talk.take(line):
                break
        except KeyboardInterrupt:
            warn("stopped; what was said so far is remembered")
        except R3MemError as error:
            failed += 1
            fail(str(error))
            if isinstance(error, ChatModelError):
                warn("what you said is remembered")
    return failed


def _typed() -> bool:
    """Tell whether the lines are typed, and not piped in."""
    return stdin_bytes().isatty()


def _lines() -> Iterator[str]:
    """Yield the lines typed or piped in, without empty ones."""
    typed = _typed()
    if typed:
        with suppress(ImportError):  # Windows has none
            importlib.import_module("readline")  # gives input() a history and keys to edit with
    while True:
        try:
            line = input("you: " if typed else "")
        except EOFError:
            return
        except UnicodeDecodeError as error:
            raise InvalidInputError(f"stdin is not UTF-8 text: {error}") from None
        except KeyboardInterrupt:
            if not typed:
                raise
            warn("Ctrl-D or /quit leaves")
            continue
        if line.strip():
            yield line
