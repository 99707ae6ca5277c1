"""Sessions over the Model Context Protocol (https://modelcontextprotocol.io); needs `mcp`.

The protocol's newest version has no sessions of its own, so ours are named in every call: that
works over every transport and with clients of any age.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from importlib import import_module
from typing import Any

from seedo import __version__
from seedo.errors import UserError, whole
from seedo.language.serving._sessions import ServedTool, Sessions, Told

MCP_PATH = "/mcp"
"""Where a server on HTTP answers."""

KEEP_ALIVE = 600
"""Seconds that a connection may be idle: agents think between calls, and a client that sends into a
connection just being closed takes that for an error."""

MCP_HOME = ("127.0.0.1", "localhost", "::1")
"""Addresses that only this machine reaches."""


def mcp_server(sessions: Sessions) -> Any:
    """A server of the SDK's (`mcp.server.Server`) whose tools are those of the sessions.

    Raises:
        UserError: the SDK is not installed.
    """
    try:
        server: Any = import_module("mcp.server")
        types: Any = import_module("mcp_types")
    except ImportError as error:
        remedy = 'it needs the extra mcp; install it: pip install "seedo[mcp]"'
        raise UserError("mcp", None, remedy) from error
    threads: Any = import_module("anyio.to_thread")
    offered = {tool.name: tool for tool in sessions.tools}

    async def list_tools(context: Any, params: Any) -> Any:
        return types.ListToolsResult(tools=[_listed(types, tool) for tool in offered.values()])

    async def call_tool(context: Any, params: Any) -> Any:
        # In a thread: a first call may compile, and others must not wait for an answer to a ping.
        told = await threads.run_sync(sessions.call, params.name, params.arguments or {})
        return _result(types, told)

    return server.Server(
        "seedo",
        version=__version__,
        title="Seedo: experiments on hidden systems",
        instructions=sessions.about,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=lambda name: offered[name].schema if name in offered else None,
    )


def _listed(types: Any, tool: ServedTool) -> Any:
    hints = types.ToolAnnotations(
        read_only_hint=tool.looks, destructive_hint=False, open_world_hint=False
    )
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.schema,
        annotations=hints,
    )


def _result(types: Any, told: Told) -> Any:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=told.text)],
        structured_content=told.data or None,
        is_error=told.refused,
    )


def serve_stdio(sessions: Sessions) -> None:
    """Serve one client over this process's standard input and output, until it hangs up."""
    server = mcp_server(sessions)
    stdio: Any = import_module("mcp.server.stdio")

    async def serve() -> None:
        async with stdio.stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    import_module("anyio").run(serve)


def mcp_app(sessions: Sessions, host: str = "127.0.0.1") -> Any:
    """An ASGI application that serves any number of clients under `MCP_PATH`.

    Args:
        sessions: what is served.
        host: that it will be reached under; at one of `MCP_HOME`, requests that name another host
            are refused: a web page could have a browser send them.
    """
    return mcp_server(sessions).streamable_http_app(
        streamable_http_path=MCP_PATH, stateless_http=True, json_response=True, host=host
    )


def serve_http(
    sessions: Sessions, host: str, port: int, ready: Callable[[str], None] = lambda address: None
) -> None:
    """Serve clients over HTTP until the process is stopped.

    Args:
        sessions: what is served.
        host, port: where; port 0: any that is free.
        ready: called with the address that clients need, once it is ours.

    Raises:
        UserError: the SDK is not installed, a number that is no port, or an address that cannot be
            had.
    """
    whole("port", port, 0, 65_535)
    app = mcp_app(sessions, host)
    uvicorn: Any = import_module("uvicorn")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        own = socket.create_server((host, port), family=family)
    except OSError as error:
        why = error.strerror or str(error)
        raise UserError("address", f"{host}:{port}", f"cannot be had: {why}") from error
    name = f"[{host}]" if ":" in host else host
    with own:
        ready(f"http://{name}:{own.getsockname()[1]}{MCP_PATH}")
        config = uvicorn.Config(app, log_level="warning", timeout_keep_alive=KEEP_ALIVE)
        uvicorn.Server(config).run(sockets=[own])
