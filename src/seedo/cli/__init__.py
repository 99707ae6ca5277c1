"""The command line: one verb a command."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
from typing import Annotated, Any

import typer

from seedo import __version__, programs
from seedo.cli import (  # noqa: F401  they register their commands
    _abstract,
    _experiment,
    _files,
    _lab,
    _learning,
    _listing,
    _play,
    _probe,
    _questions,
    _review,
    _serve,
)
from seedo.cli._commands import app
from seedo.cli._console import notes
from seedo.cli._options import WorldOptions
from seedo.errors import UserError

UsageError: Any = typer.BadParameter.__mro__[2]
"""What the command line raises for an option it does not know, and the like."""


INTERRUPTED, TERMINATED = 130, 143
"""Exit codes of a command that was stopped by Ctrl-C, and by SIGTERM."""


_HANG_UP = ("experiment", "serve-mcp")
"""Commands that are in touch with others while they run."""


def _version(asked: bool) -> None:
    if asked:
        print(f"seedo {__version__}")
        raise typer.Exit


@app.callback()
def verbs(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Agents that learn to experiment by watching others do it."""


def main() -> None:
    """Entry point: bad input is one line on stderr and exit code 2."""
    for old in sorted(name for name in os.environ if name.startswith("UNDERSTUDY_")):
        new = old.replace("UNDERSTUDY_", "SEEDO_", 1)
        print(f"seedo: {old} is no longer read: set {new} instead", file=sys.stderr)
    words = sys.argv[1:]
    programs.keep()
    stopped = _hear_what_stops_it(words) if _how_to_go_on(words or [""]) else []
    message = ""
    try:
        code = app(words or ["--help"], standalone_mode=False) or 0
    except UserError as error:
        code, message = 2, str(error)
    except UsageError as error:
        code, message = 2, _unusable(error)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:  # which newer versions of Typer return
        message = f"{'stopped' if stopped else 'interrupted'}{_how_to_go_on(words)}"
        code = TERMINATED if stopped else code
    if code in (INTERRUPTED, TERMINATED):
        _leave(code, message)
    if message:
        print(f"seedo: {message}", file=sys.stderr)
    sys.exit(code)


def _leave(code: int, message: str) -> None:
    """Ends the process at once. Compiled work may be going on in threads that are not Python's, and
    Python's own way out pulls the floor from under them. What counts is on disk."""
    with contextlib.suppress(OSError, RuntimeError, ValueError):  # closed, or in the midst of it
        notes.show_cursor()
        sys.stdout.flush()
    said = f"seedo: {message}\n"
    try:
        sys.stderr.write(said)
        sys.stderr.flush()
    except RuntimeError:  # the signal came in the midst of a line
        os.write(2, f"\n{said}".encode())
    except (OSError, ValueError):
        pass
    os._exit(code)


def _hear_what_stops_it(words: list[str]) -> list[int]:
    """Has whoever ends this process (a batch queue, a container) stop it as Ctrl-C does: what is
    finished is kept, and how to go on is said. The list that it gives holds the signals so far.

    Commands that have nothing but files end where they are: an interruption that is raised while
    compiled code calls back is lost there, or breaks it. Others hang up on rigs and clients first.
    """
    met: list[int] = []

    def stop(number: int, frame: object) -> None:
        met.append(number)
        if words[0] not in _HANG_UP:
            _leave(TERMINATED, f"stopped{_how_to_go_on(words)}")
        if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
            raise KeyboardInterrupt  # a job in the background of a shell hears no Ctrl-C
        signal.raise_signal(signal.SIGINT)

    with contextlib.suppress(ValueError):  # only the main thread may
        signal.signal(signal.SIGTERM, stop)
    return met


def _unusable(error: Any) -> str:
    """What is wrong with the options: of numbers in our own words, with what was typed."""
    options = getattr(getattr(error, "param", None), "opts", None)
    reasons = getattr(error.__cause__, "errors", None)
    if options and reasons:
        reason = reasons()[0]
        kind = {"int": "a whole number", "float": "a number"}.get(reason["type"].split("_")[0])
        if kind:
            return str(UserError(options[0], reason["input"], f"give {kind}"))
    return " ".join(error.format_message().split())


def _how_to_go_on(words: list[str]) -> str:
    if words[0] in ("demo", "study", "experiment"):
        return f"; the same command goes on: {shlex.join(['seedo', *words])}"
    kept = any(word.partition("=")[0] == "--out" for word in words)
    if words[0] == "serve-mcp" and not kept:
        return ""
    if words[0] in ("watch", "learn", "dagger", "ppo", "perform", "serve-mcp", "export"):
        again = words if "--resume" in words else [*words, "--resume"]
        return f"; this goes on: {shlex.join(['seedo', *again])}"
    return ""


__all__ = ["WorldOptions", "app", "main"]
