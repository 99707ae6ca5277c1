"""The command line: one verb a command."""

from __future__ import annotations

import sys

from understudy.cli import _questions, _stage  # noqa: F401  they register their commands
from understudy.cli._console import app
from understudy.errors import UserError


def main() -> None:
    """Entry point: bad input is one line on stderr and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"understudy: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("understudy: interrupted; the same command with --resume goes on", file=sys.stderr)
        sys.exit(130)


__all__ = ["app", "main"]
