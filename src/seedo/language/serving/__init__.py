"""Scenes for agents and training loops elsewhere: environments with tools, MCP, OpenEnv."""

from seedo.language.serving._environment import (
    ExperimentEnvironment,
    environment_factory,
    training_rows,
)
from seedo.language.serving._mcp import (
    MCP_HOME,
    MCP_PATH,
    mcp_app,
    mcp_server,
    serve_http,
    serve_stdio,
)
from seedo.language.serving._openenv import OVER, openenv_app
from seedo.language.serving._sessions import ServedTool, Sessions, Told

__all__ = [
    "MCP_HOME",
    "MCP_PATH",
    "OVER",
    "ExperimentEnvironment",
    "ServedTool",
    "Sessions",
    "Told",
    "environment_factory",
    "mcp_app",
    "mcp_server",
    "openenv_app",
    "serve_http",
    "serve_stdio",
    "training_rows",
]
