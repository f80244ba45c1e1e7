"""Tools for adapter authors: from a memory to the prompt of a chat model.

An adapter lets an agent framework use a memory. Each function here does one of the things that
adapters have in common, and knows no framework:

- Choose what a prompt gets: ``prompt_memory`` returns a ``PromptMemory``, the newest turns
  of a session and older ones that answer a question. ``newest_first`` and ``fit_window``
  read and cut a window of messages, ``whole_calls`` leaves out half of a tool call,
  ``shown_turns`` finds the turns that a prompt shows already, and ``recall_sessions`` says which
  sessions a conversation may recall from.
- Write it: ``turn_line`` is a turn on a line of its own, dated, with its speaker;
  ``mark_recalled`` marks recalled lines as a quotation, and ``is_recalled`` and
  ``without_recalled`` find the mark again, so that what was recalled is not stored a second
  time; ``LEFT_OUT`` stands for it. ``quoted``, ``indented``, ``unindented`` and ``escape_tags``
  keep a quoted text from ending the quotation; ``wall_clock`` writes a time.
- Know who asks: ``place_of`` binds a memory to a run's user and conversation.
- Keep a host's items: a ``Translation`` makes turns of them, and equal items of the turns;
  ``turn_key`` and ``note_key`` make keys of the host's ids, and ``packed`` and ``unpacked`` put
  bytes into JSON. ``mended`` makes a text what UTF-8 can hold.
- Let a model do it by itself: ``memory_tools``, plain functions that a host makes tools of.
- Refuse what no lookup or write would take, when it is given: ``check_options``, ``check_ids``.
- Go on without a memory that fails: ``raise_or_log``.
- Refuse a host that is missing, or has another major version: ``check_host``.
"""

from r3mem_agents.memory.context import NOTHING_FITS, NOTHING_FOUND, turn_line
from r3mem_agents.memory.quoting import INDENT, escape_tags, indented, quoted, unindented
from r3mem_agents.prompts.calls import whole_calls
from r3mem_agents.prompts.hosts import check_host
from r3mem_agents.prompts.keys import digest_of, is_note, note_key, turn_key
from r3mem_agents.prompts.marks import (
    LEFT_OUT,
    is_recalled,
    mark_recalled,
    without_recalled,
)
from r3mem_agents.prompts.mending import mended
from r3mem_agents.prompts.on_error import OnError, raise_or_log
from r3mem_agents.prompts.options import check_ids, check_options
from r3mem_agents.prompts.packing import packed, unpacked
from r3mem_agents.prompts.prompt import PromptMemory, prompt_memory
from r3mem_agents.prompts.sessions import Place, RecallFrom, place_of, recall_sessions
from r3mem_agents.prompts.tools import memory_tools
from r3mem_agents.prompts.translation import Said, Translation, call_lead
from r3mem_agents.prompts.window import fit_window, newest_first, shown_turns
from r3mem_agents.timestamps import wall_clock

__all__ = [
    "INDENT",
    "LEFT_OUT",
    "NOTHING_FITS",
    "NOTHING_FOUND",
    "OnError",
    "Place",
    "PromptMemory",
    "RecallFrom",
    "Said",
    "Translation",
    "call_lead",
    "check_host",
    "check_ids",
    "check_options",
    "digest_of",
    "escape_tags",
    "fit_window",
    "indented",
    "is_note",
    "is_recalled",
    "mark_recalled",
    "memory_tools",
    "mended",
    "newest_first",
    "note_key",
    "packed",
    "place_of",
    "prompt_memory",
    "quoted",
    "raise_or_log",
    "recall_sessions",
    "shown_turns",
    "turn_key",
    "turn_line",
    "unindented",
    "unpacked",
    "wall_clock",
    "whole_calls",
    "without_recalled",
]
