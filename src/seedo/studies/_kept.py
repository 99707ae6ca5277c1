"""Numbers that need not be computed twice: files that hold a question and its answer."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import write_atomic


def kept_numbers(path: Path, question: Mapping[str, Any], compute: Callable[[], Any]) -> Any:
    """The JSON-able answer to a question: from the file if it answers this very question.

    Args:
        path: a JSON file with the question and its answer, written in one go.
        question: all that the answer depends on, JSON-able.
        compute: finds the answer.
    """
    asked = json.loads(json.dumps(question))
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        found = None
    if isinstance(found, dict) and found.get("question") == asked and "answer" in found:
        return found["answer"]
    answer = json.loads(json.dumps(compute()))
    _write(path, json.dumps({"question": asked, "answer": answer}).encode())
    return answer


def kept_arrays(
    path: Path, question: Mapping[str, Any], compute: Callable[[], dict[str, NDArray[Any]]]
) -> dict[str, NDArray[Any]]:
    """As `kept_numbers`, for arrays: an .npz file, which would be ten times larger as JSON."""
    asked = json.dumps(question, sort_keys=True)
    try:
        with path.open("rb") as whole, np.load(whole, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        found = {}
    if "question" in found and str(found.pop("question")) == asked:
        return found
    arrays = compute()
    buffer = io.BytesIO()
    np.savez(buffer, question=np.array(asked), **arrays)  # type: ignore[arg-type]
    _write(path, buffer.getvalue())
    return arrays


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, content)
