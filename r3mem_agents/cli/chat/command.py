"""``r3mem chat``: a talk in the terminal that is remembered."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

import rich_click as click
from click.exceptions import Exit

from r3mem_agents.cli.chat.terminal import Talk
from r3mem_agents.cli.console import err, examples, fail, stdin_bytes, warn
from r3mem_agents.cli.options import (
    agent_option,
    checkpoint_option,
    db_option,
    json_option,
    session_option,
    user_option,
)
from r3mem_agents.cli.places import Place
from r3mem_agents.errors import ChatModelError, InvalidInputError, R3MemError


@click.command(
    "chat",
    epilog=examples(
        "r3mem chat",
        "r3mem chat --db alice.db --model openai:gpt-5.5",
        "r3mem chat --model qwen3:8b --base-url http://localhost:11434/v1",
        'echo "What is my dog called?" | r3mem chat --json',
    ),
)
@click.option(
    "--model",
    show_default="quotes from memory",
    help="Who answers: provider and model as in LangChain, a name at --base-url, or the "
    "folder of a Hugging Face model.",
)
@click.option("--base-url", help="A server that speaks OpenAI's protocol, up to /v1.")
@session_option("Session of the talk; one that exists goes on.", None, shown="today's date")
@click.option(
    "--token-budget",
    type=click.IntRange(min=1),
    default=800,
    help="Maximum number of tokens of a prompt that come from memory.",
)
@db_option
@user_option
@agent_option
@checkpoint_option
@json_option
def chat(
    model: str | None,
    base_url: str | None,
    session: str | None,
    token_budget: int,
    db: str,
    user: str,
    agent: str,
    checkpoint: str | None,
    as_json: bool,
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
        raise Exit(1)


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
