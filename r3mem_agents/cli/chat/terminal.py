"""A chat in the terminal: its output, and the commands inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from r3mem_agents.cli.console import counted, emit_json, err, harmless_line, harmless_text, out
from r3mem_agents.cli.records import recollection_record
from r3mem_agents.cli.tables import show_forgotten, show_recalled, show_stats
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.timestamps import wall_clock

if TYPE_CHECKING:
    from r3mem_agents.cli.chat.chat import Chat, Reply

HELP = """\
/recall QUESTION    show what memory holds for a question, with the numbers of the turns
/forget NUMBER ...  forget turns, without a trace in the file
/stats              show what is stored and what it costs
/help               show this
/quit               leave, as Ctrl-D does
Ctrl-C stops an answer. A space in front of a / makes it a message."""


class Talk:
    """A chat in the terminal, with text for people or JSON."""

    def __init__(self, chat: Chat, *, as_json: bool) -> None:
        self._chat = chat
        self._memory = chat.memory
        self._json = as_json
        self._notes = err() if as_json else out()

    def begin(self, db: str, model: str | None) -> None:
        """Say what is remembered, and who answers."""
        stats = self._memory.stats()
        answers = (
            f"{model} answers"
            if model
            else "No model is at work: answers only quote what memory recalled, and are not "
            "stored.\nA real one: r3mem chat --model openai:gpt-5.5"
        )
        session = harmless_line(self._memory.session).plain
        self._notes.print(
            harmless_text(
                f"{db}: {counted(stats.turns, 'turn')}, {counted(stats.sessions, 'session')}; "
                f"this one is {session}\n{answers}\n/help lists commands\n",
                "dim",
            ),
            soft_wrap=True,
        )

    def take(self, line: str) -> bool:
        """Answer a message or carry out a command.

        Returns:
            Whether the talk goes on.

        Raises:
            R3MemError: If that fails.
        """
        word, _, rest = line.partition(" ")
        match word:
            case "/quit":
                return False
            case "/help":
                self._notes.print(harmless_text(HELP))
            case "/stats":
                title = f"user {self._memory.user}, agent {self._memory.agent}"
                show_stats(self._memory.stats(), title, as_json=self._json)
            case "/recall":
                self._recall(rest.strip())
            case "/forget":
                self._forget(rest.split())
            case _ if word.startswith("/"):
                raise InvalidInputError(f"there is no command {word}; /help lists them")
            case _:
                self._reply(line)
        return True

    def _recall(self, question: str) -> None:
        if not question:
            raise InvalidInputError("/recall needs a question: /recall What is my dog called?")
        hits = self._memory.recall(question)
        show_recalled(hits, f"{len(hits)} recalled", as_json=self._json)

    def _forget(self, numbers: list[str]) -> None:
        if not numbers or not all(number.isdecimal() for number in numbers):
            raise InvalidInputError("/forget needs numbers of turns, as /recall shows them")
        receipt = self._memory.forget(turn_ids=map(int, numbers))
        show_forgotten(receipt, as_json=self._json)

    def _reply(self, line: str) -> None:
        if self._json:
            reply = self._chat.reply(line, lambda _: None)
            emit_json(
                {
                    "said": line,
                    "answer": reply.text,
                    "recalled": [recollection_record(hit) for hit in reply.recalled],
                    "prompt_tokens": reply.prompt_tokens,
                }
            )
            return
        console = out()
        with err().status("thinking") as waiting:

            def show(part: str) -> None:
                waiting.stop()
                console.print(harmless_text(part), end="", soft_wrap=True)

            try:
                reply = self._chat.reply(line, show)
            finally:
                console.print()
        console.print(harmless_text(_ground(reply), "dim"), soft_wrap=True)


def _ground(reply: Reply) -> str:
    """The sources of an answer: ``2 turns recalled, from 2026-09-07; prompt of 312 tokens``."""
    recalled = "nothing older recalled"
    if reply.recalled:
        days = sorted({wall_clock(hit.turn.time).partition(" ")[0] for hit in reply.recalled})
        when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
        count = len(reply.recalled)
        recalled = f"{count} turn{'' if count == 1 else 's'} recalled, from {when}"
    return f"  {recalled}; prompt of {reply.prompt_tokens:,} tokens"
