#!/usr/bin/env bash
# LlamaIndex's Memory counts a tool call as no token at all: its estimate passes over every
# ToolCallBlock, the block in which today's models of the host put their calls. So token_limit holds
# text, but not arguments: an agent that writes files or runs code sends its model many times the
# limit, and nothing leaves the window for the memory blocks. One would expect the limit to cover
# what is sent, as it covers additional_kwargs, where calls were before.
# Exits with 1 if it is otherwise.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check llama-index-core==0.14.25
"$folder/venv/bin/python" -W ignore - <<'PY'
import asyncio
import sys
from importlib.metadata import version

from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.memory import Memory
from llama_index.core.utils import get_tokenizer

LIMIT = 500
CODE = "print('one more line of the file')\n" * 40


async def tokens_kept(as_call: bool) -> int:
    """Tokens that an agent would send after ten turns in which it writes a file."""
    memory = Memory.from_defaults(session_id="s", token_limit=LIMIT)
    for number in range(10):
        name = f"call-{number}"
        call = ToolCallBlock(tool_call_id=name, tool_name="write", tool_kwargs={"code": CODE})
        await memory.aput(ChatMessage(role="user", content="Write the next file."))
        await memory.aput(
            ChatMessage(role="assistant", blocks=[call])
            if as_call
            else ChatMessage(role="assistant", content=CODE)
        )
        if as_call:
            extra = {"tool_call_id": name}
            await memory.aput(ChatMessage(role="tool", content="ok", additional_kwargs=extra))
        await memory.aput(ChatMessage(role="assistant", content="Done."))
    count = get_tokenizer()
    sent = 0
    for message in await memory.aget():
        for block in message.blocks:
            said = str(block.tool_kwargs) if isinstance(block, ToolCallBlock) else block.text
            sent += len(count(said))
    return sent


text, calls = asyncio.run(tokens_kept(False)), asyncio.run(tokens_kept(True))
print(f"llama-index-core {version('llama-index-core')}, token_limit={LIMIT}, ten files written")
print(f"expected: at most some {LIMIT} tokens, as when the files are said as text: {text}")
print(f"seen: {calls} tokens when they are written by a tool")
sys.exit(0 if text <= LIMIT < calls / 4 else 1)
PY
