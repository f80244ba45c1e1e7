"""What an MCP host does, without a model: it starts ``r3mem mcp``, and calls its tools.

python examples/mcp_client.py
"""

import asyncio
import os
import sys

from mcp import Client, StdioServerParameters

SERVER = StdioServerParameters(
    command=sys.executable,
    args=["-m", "r3mem_agents", "mcp", "--db", "mcp.db", "--user", "alice"],
    env=dict(os.environ),  # the SDK passes on little of it by itself
)


async def main() -> None:
    """Tell the memory something, and ask for it."""
    async with Client(SERVER) as client:
        said = [{"text": "My dog is called Biscuit.", "name": "Alice"}]
        await client.call_tool("remember", {"turns": said, "session": "monday"})

    async with Client(SERVER) as client:  # another day, another process
        found = await client.call_tool("recall", {"query": "What is my dog called?"})
        for turn in (found.structured_content or {})["turns"]:
            print(f"{turn['session']}: {turn['name']}: {turn['text']}")


asyncio.run(main())
