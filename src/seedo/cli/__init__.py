"""The command line: one verb a command."""

from __future__ import annotations

import os
import sys
from typing import Any

import typer

from seedo.cli import _files, _lab, _questions, _stage  # noqa: F401  they register their commands
from seedo.cli._console import app
from seedo.errors import UserError

UsageError: Any = typer.BadParameter.__mro__[2]
"""What the command line raises for an option it does not know, and the like."""


def main() -> None:
    """Entry point: bad input is one line on stderr and exit code 2."""
    for old in sorted(name for name in os.environ if name.startswith("UNDERSTUDY_")):
        new = old.replace("UNDERSTUDY_", "SEEDO_", 1)
        print(f"seedo: {old} is no longer read: set {new} instead", file=sys.stderr)
    try:
        sys.exit(app(sys.argv[1:] or ["--help"], standalone_mode=False) or 0)
    except UserError as error:
        message = str(error)
    except UsageError as error:
        message = " ".join(error.format_message().split())
    except (KeyboardInterrupt, typer.Abort):
        print("seedo: interrupted; the same command with --resume goes on", file=sys.stderr)
        sys.exit(130)
    print(f"seedo: {message}", file=sys.stderr)
    sys.exit(2)


__all__ = ["app", "main"]
