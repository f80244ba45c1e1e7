"""How a failure reaches a client: by name and with its advice, or as nothing but a failure.

The SDK hides what any exception but its own says. So errors of this package are put into words
here, in one place, and all others stay hidden: they may name files and values of this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import anyio.to_thread
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolResult,
    Completion,
    CompletionArgument,
    CompletionContext,
    GetPromptResult,
    InputRequiredResult,
    PromptMessage,
    PromptReference,
    Resource,
    ResourceTemplateReference,
    TextContent,
)
from pydantic import AnyUrl, ValidationError

from r3mem_agents.errors import InvalidInputError, NotFoundError, R3MemError
from r3mem_agents.server.mcp.damage import damage_of_call
from r3mem_agents.server.mcp.unreadable import answered

Result = TypeVar("Result")
Reference = PromptReference | ResourceTemplateReference
Tell = Callable[[R3MemError], str]
"""Puts an error into words for a client."""


def tell_all(error: R3MemError) -> str:
    """Name an error, and say what it says: for a client on this machine."""
    return f"{type(error).__name__}: {error}"


class FailingServer(MCPServer[Any]):
    """An ``MCPServer`` whose clients are told of errors of this package.

    Args:
        name: The name of the server.
        tell: Puts an error into words.
        listed: Returns resources that are there beside those that were added.
        completed: Returns how an argument of a resource or a prompt may go on.
        settings: As for ``MCPServer``.
    """

    def __init__(
        self,
        name: str,
        *,
        tell: Tell,
        listed: Callable[[], list[Resource]],
        completed: Callable[[Reference, CompletionArgument], Completion | None],
        **settings: Any,
    ) -> None:
        super().__init__(name, **settings)
        self._tell, self._listed, self._completed = tell, listed, completed
        self.completion()(self._complete)  # type: ignore[no-untyped-call]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; what is damaged is named beside the result that lacks it.

        Raises:
            ToolError: With what the client is told.
        """
        try:
            await self._refuse_unknown(name, arguments)
            with damage_of_call() as damage:
                result = await super().call_tool(name, arguments, context)
        except Exception as error:
            if ours := _ours(error):
                raise ToolError(self._tell(ours)) from ours
            raise
        if damage and isinstance(result, CallToolResult):
            result.content.append(TextContent(type="text", text=_damage(damage)))
        return result

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Read a resource; what is damaged is named beside the content that lacks it.

        Raises:
            MCPError: With what the client is told.
        """
        try:
            with damage_of_call() as damage:
                result = await super().read_resource(uri, context)
        except ResourceError as error:
            if ours := _ours(error):
                raise self._refusal(ours, {"uri": str(uri)}) from ours
            raise
        if damage and not isinstance(result, InputRequiredResult):
            return [*result, ReadResourceContents(_damage(damage), "text/plain")]
        return result

    async def list_resources(self) -> list[Resource]:
        """List the resources.

        Raises:
            MCPError: With what the client is told.
        """
        more = await self._asked(self._listed)
        return [*await super().list_resources(), *more]

    async def get_prompt(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        context: Context[Any, Any] | None = None,
    ) -> GetPromptResult | InputRequiredResult:
        """Get a prompt; what is damaged is named before it.

        Raises:
            MCPError: With what the client is told.
        """
        try:
            await self._check_prompt(name, arguments or {})
            with damage_of_call() as damage:
                result = await super().get_prompt(name, arguments, context)
        except Exception as error:
            if ours := _ours(error):
                raise self._refusal(ours) from ours
            raise
        if damage and isinstance(result, GetPromptResult):
            told = TextContent(type="text", text=_damage(damage))
            result.messages.insert(0, PromptMessage(role="user", content=told))
        return result

    async def run_stdio_async(self) -> None:
        """Serve the host that started this process; what cannot be read is answered as well."""
        server = self._lowlevel_server
        async with stdio_server() as (host, out), answered(host, out.send) as messages:
            await server.run(messages, out, server.create_initialization_options())

    async def _complete(
        self, ref: Reference, argument: CompletionArgument, _: CompletionContext | None
    ) -> Completion | None:
        return await self._asked(lambda: self._completed(ref, argument))

    async def _asked(self, ask: Callable[[], Result]) -> Result:
        try:
            return await anyio.to_thread.run_sync(ask)
        except R3MemError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: R3MemError, data: Any = None) -> MCPError:
        wrong = isinstance(error, InvalidInputError | NotFoundError)
        return MCPError(INVALID_PARAMS if wrong else INTERNAL_ERROR, self._tell(error), data)

    async def _refuse_unknown(self, name: str, arguments: dict[str, Any]) -> None:
        """Refuse arguments that a tool does not have; the SDK would leave them out silently."""
        known = {tool.name: tool.input_schema["properties"] for tool in await self.list_tools()}
        unknown = [one for one in arguments if one not in known.get(name, arguments)]
        if unknown:
            raise InvalidInputError(
                f"{name} has no argument {', '.join(unknown)}; it has {', '.join(known[name])}"
            )

    async def _check_prompt(self, name: str, arguments: dict[str, Any]) -> None:
        """Refuse what the SDK would call an internal error, and log with a traceback."""
        known = {prompt.name: prompt.arguments or () for prompt in await self.list_prompts()}
        if name not in known:
            raise NotFoundError(f"no prompt {name!r}; there is {', '.join(known)}")
        missing = [one.name for one in known[name] if one.required and one.name not in arguments]
        if missing:
            raise InvalidInputError(f"{name} needs {', '.join(missing)}")


def _damage(told: Sequence[str]) -> str:
    return f"DamageWarning: {'; '.join(told)}"


def _ours(error: BaseException | None) -> R3MemError | None:
    """The error of this package that is behind one of the SDK's, if any."""
    while error is not None and not isinstance(error, R3MemError):
        if isinstance(error, ValidationError):
            return InvalidInputError("; ".join(_problems(error)))
        error = error.__cause__
    return error


def _problems(error: ValidationError) -> list[str]:
    return [
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]
