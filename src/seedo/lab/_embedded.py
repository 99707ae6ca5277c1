"""A lab in a cell of a notebook."""

from __future__ import annotations

import atexit
import json
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from html import escape
from pathlib import Path

from seedo.errors import UserError, whole
from seedo.lab._settings import LabSettings

NOTEBOOKS = ("http://localhost:*", "http://127.0.0.1:*")
"""Where notebooks of this machine are served."""

_ADDRESS = re.compile(r"http://[^/\s]+:(\d+)/")
_PATH = re.compile(r"/(?!/)[\w./?=&%~-]*")
_PATIENCE = 120.0  # seconds until it answers


class Embedded:
    """A running lab that shows itself in a notebook; `embed` starts one.

    Attributes:
        port: where it listens, on this machine.
        path: the page that is shown.
    """

    def __init__(self, process: subprocess.Popen[str], port: int, path: str, height: int) -> None:
        self._process, self.port, self.path, self._height = process, port, path, height
        atexit.register(self.close)

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://localhost:{self.port}{self.path}"

    def close(self) -> None:
        """Stop the lab; what it has kept stays in its folder."""
        atexit.unregister(self.close)
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def _repr_html_(self) -> str:
        # Browsers give a framed page its cookies only under the name of the page around it.
        where = json.dumps([self.port, self.path]).replace("<", "\\u003c")
        frame = f"seedo-lab-{self.port}"
        return (
            f'<p><a href="{escape(self.address)}" target="_blank">Seedo lab</a></p>'
            f'<iframe id="{frame}" title="Seedo lab" width="100%" height="{self._height}" '
            f'style="border: 1px solid #8888"></iframe>'
            f"<script>(() => {{ const [port, path] = {where};"
            f" const here = ['localhost', '127.0.0.1'].includes(location.hostname)"
            f" ? location.hostname : 'localhost';"
            f" document.getElementById('{frame}').src = `http://${{here}}:${{port}}${{path}}`;"
            f" }})()</script>"
        )


def embed(
    path: str = "/",
    *,
    height: int = 720,
    data: str | Path = "lab",
    logs: Sequence[str | Path] = (".",),
    frames: Sequence[str] = NOTEBOOKS,
) -> Embedded:
    """Start a lab for a notebook on this machine, in a process of its own.

    Put last in a cell it is shown there. It ends with `close`, or with the notebook's kernel.

    Args:
        path: of the page, such as `/play` or `/watch`.
        height: of the frame, in pixels.
        data: folder of the lab; made if missing.
        logs: folders whose logs may be looked at.
        frames: origins of the notebook's pages; they alone may show the lab.

    Raises:
        UserError: a value that cannot be used, or the lab did not start.
    """
    whole("height", height, 100, 10_000)
    if not _PATH.fullmatch(path):
        raise UserError(
            "path", path[:80], "use the address of a page without the lab's, like /play"
        )
    # Refused here at once what the process would refuse in a while.
    LabSettings(data=Path(data), logs=tuple(map(Path, logs)), port=0, frames=tuple(frames))
    words = [sys.executable, "-m", "seedo", "lab", "--no-browse", "--port", "0"]
    words += ["--data", str(data)]
    for name, each in (("--logs", logs), ("--frame", frames)):
        words += [word for one in each for word in (name, str(one))]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    said: list[str] = []
    answers = threading.Event()

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:  # to the end: a full pipe would stop the lab
            if not answers.is_set():
                said.append(line.strip())
                if _ADDRESS.search(line):
                    answers.set()
        answers.set()

    threading.Thread(target=listen, daemon=True).start()
    answers.wait(_PATIENCE)
    found = _ADDRESS.search("\n".join(said))
    if found is None:
        process.kill()
        why = next((line for line in reversed(said) if line), "it did not answer in two minutes")
        raise UserError("lab", None, f"it did not start: {why}")
    return Embedded(process, int(found[1]), path, height)
