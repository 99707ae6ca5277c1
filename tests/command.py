"""Running a command as a user does, within the test's process."""

from __future__ import annotations

import sys

import pytest

from seedo import cli


def run(capsys, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `seedo WORDS`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["seedo", *words])
        patch.setattr("os._exit", sys.exit)  # how a stopped command ends
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
    out = capsys.readouterr()
    return code, out.out, out.err
