"""Stages of a study that need not be done twice: runs in their folders, numbers beside them."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo import play
from seedo.episodes import Dataset, write_atomic
from seedo.studies._protocol import Say


def played(world: Any, player: Any, episodes: int, seed: int, folder: Path, say: Say) -> Dataset:
    """A run in its folder: finished, resumed or found there."""
    start = time.perf_counter()
    dataset = play.perform(world, player, episodes, seed, folder, resume=True)
    seconds = time.perf_counter() - start
    say(f"{folder.name}: {episodes:,} episodes in {seconds:.1f} s")
    return dataset


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
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps({"question": asked, "answer": answer}).encode())
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
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, buffer.getvalue())
    return arrays
