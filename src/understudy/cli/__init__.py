"""The command line: one verb a command."""

from __future__ import annotations

import sys
from typing import Any

import typer

from understudy.cli import _lab, _questions, _stage  # noqa: F401  they register their commands
from understudy.cli._console import app
from understudy.errors import UserError

UsageError: Any = typer.BadParameter.__mro__[2]
"""What the command line raises for an option it does not know, and the like."""


def main() -> None:
    """Entry point: bad input is one line on stderr and exit code 2."""
    try:
        sys.exit(app(sys.argv[1:] or ["--help"], standalone_mode=False) or 0)
    except UserError as error:
        message = str(error)
    except UsageError as error:
        message = " ".join(error.format_message().split())
    except (KeyboardInterrupt, typer.Abort):
        print("understudy: interrupted; the same command with --resume goes on", file=sys.stderr)
        sys.exit(130)
    print(f"understudy: {message}", file=sys.stderr)
    sys.exit(2)


__all__ = ["app", "main"]
