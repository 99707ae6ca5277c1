"""A worker process: `python -m seedo.execution._serve` does the tasks that it reads, line by line.

It ends when its input does, be it that whoever asked is done with it or has died.
"""

from __future__ import annotations

import os
import signal
import sys

from seedo.execution._task import carry_out


def serve() -> None:
    """Answer every line of the input with one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks is told, and closes the input
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a task prints is no answer
    for line in sys.stdin.buffer:
        try:
            answers.write(carry_out(line.decode()).encode() + b"\n")
        except BrokenPipeError:
            return


if __name__ == "__main__":
    serve()
