"""What the pages show runs: Python in order, `r3mem` as on a command line, JSON as JSON."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import llama_index.core
import pytest
from click.testing import CliRunner

from r3mem_agents.cli import app
from tests.docs.blocks import OTHER_HOSTS, PAGES, blocks, named
from tests.docs.repeating import replace_paid_models

HAND_WRITTEN = [page for page in PAGES if page.name != "cli.md"]
"""Of the reference of the command line, the blocks are usage lines and the examples of --help."""

RUNNING = [
    page
    for page in HAND_WRITTEN
    if page not in OTHER_HOSTS and any(block.runs for block in blocks(page))
]

# Blocks that no test can run, since they install, clone, train, or measure for hours.
NOT_RUN = {
    "CONTRIBUTING.md": 1,
    "README.md": 1,
    "docs/adk.md": 1,
    "docs/agent-framework.md": 1,
    "docs/connect.md": 2,
    "docs/documents.md": 1,
    "docs/import.md": 2,
    "docs/index.md": 1,
    "docs/langchain.md": 1,
    "docs/latent.md": 3,
    "docs/llamaindex.md": 1,
    "docs/mcp.md": 2,
    "docs/openai-agents.md": 1,
    "docs/page.md": 1,
    "docs/pydantic-ai.md": 1,
    "docs/recall.md": 1,
    "docs/server.md": 3,
    "docs/strands.md": 1,
    "docs/telemetry.md": 1,
    "docs/training.md": 5,
    "findings/README.md": 1,
}
SAID = "My dog is called Biscuit."
VOCABULARIES = Path(llama_index.core.__file__).parent / "_static" / "tiktoken_cache"


@pytest.fixture
def _event_loop() -> Iterator[None]:
    """A loop for frameworks that take the thread's, and would make one and leave it open."""
    with closing(asyncio.new_event_loop()) as loop:
        asyncio.set_event_loop(loop)
        yield
        asyncio.set_event_loop(None)


@pytest.mark.usefixtures("_event_loop")
@pytest.mark.parametrize("page", RUNNING, ids=named)
def test_the_blocks_of_a_page_run_in_order(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("R3MEM_")]:
        monkeypatch.delenv(name)
    replace_paid_models(monkeypatch)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(VOCABULARIES))  # tiktoken would download them
    names: dict[str, Any] = {}
    for block in blocks(page):
        if not block.runs:
            continue
        if block.language == "python":
            with warnings.catch_warnings(), monkeypatch.context() as patch:
                warnings.simplefilter("ignore", DeprecationWarning)  # of the classic chains
                patch.setattr("builtins.input", lambda _: SAID)
                exec(compile(block.text, named(page), "exec"), names)
            printed = capfd.readouterr().out
        elif block.language == "console":
            printed = run_lines(block.text, monkeypatch)
        elif block.language in ("json", "jsonl"):
            json.loads(block.text)
            printed = ""
        else:
            assert block.language in ("text", "mermaid"), f"{named(page)}: ```{block.language}"
            continue
        if block.output is not None:
            assert [line.rstrip() for line in printed.splitlines()] == block.output.splitlines()


def run_lines(text: str, patch: pytest.MonkeyPatch) -> str:
    """Run the lines of a console block that follow a prompt; what they printed."""
    printed = ""
    for line in text.splitlines():
        assert line.startswith("$ "), "a console block has commands; output is a block of text"
        words = shlex.split(line[2:], comments=True)
        if words[0] == "export":
            for setting in words[1:]:
                patch.setenv(*setting.split("=", 1))
            continue
        assert words[0] == "r3mem", f"{line}: mark a block that cannot run here"
        done = CliRunner().invoke(app, words[1:], input="")
        assert done.exit_code == 0, f"{line}\n{done.stderr}"
        printed += done.stdout
    return printed


def test_blocks_that_do_not_run_are_few_and_counted() -> None:
    found = Counter(
        {named(page): sum(not one.runs for one in blocks(page)) for page in HAND_WRITTEN}
    )
    assert +found == NOT_RUN


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_that_do_not_run_exist(page: Path) -> None:
    """With their options: of lines in blocks that are not run, and of the generated reference."""
    for block in blocks(page):
        if block.language == "console" and not block.runs:
            for line in block.text.replace("\\\n", " ").splitlines():
                words = shlex.split(line.removeprefix("$ "), comments=True)
                if words[0] == "r3mem":
                    check_command(words[1:], line)


def check_command(words: list[str], line: str) -> None:
    command: Any = app
    while hasattr(command, "commands"):
        context = click.Context(command, info_name="r3mem")
        _, command, words = command.resolve_command(context, words)
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    options = words[: words.index("--")] if "--" in words else words
    for word in options:
        assert not word.startswith("--") or word in known, f"{line}: {word}"
