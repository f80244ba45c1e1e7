"""``r3mem hook``: what the hosts that ``r3mem connect`` set up call at each turn."""

from __future__ import annotations

import warnings
from typing import Any

import rich_click as click

from r3mem_agents.cli.console import emit_raw, examples, stdin_bytes
from r3mem_agents.cli.places import Place, with_place
from r3mem_agents.connect.events import read_event
from r3mem_agents.errors import InvalidInputError


class HookCommand(click.RichCommand):
    """A command whose exit code is never 2, with which a hook makes its host refuse a prompt."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Read the command line."""
        try:
            return super().make_context(*args, **more)
        except click.UsageError as error:
            raise InvalidInputError(error.format_message()) from None


@click.command(
    "hook",
    cls=HookCommand,
    epilog=examples(
        "r3mem hook --db ~/.r3mem/memory.db < event.json",
    ),
)
@with_place
def hook(*, place: Place) -> None:
    """Remember what a host of agents tells on stdin, and print what its model should know.

    Hosts call it once r3mem connect has told them to. If it fails, the host goes on without it.
    """
    said = read_event(stdin_bytes().read())
    if said is None:
        return
    with (
        warnings.catch_warnings(record=True) as notes,  # damage ends no hook
        place.open(session=said.session, must_exist=False, door="hook") as memory,
    ):
        from r3mem_agents.connect.capture import answer, capture

        recalled = capture(memory, said)
    emit_raw(answer(said.event, recalled, [str(one.message) for one in notes]))
