"""Episodes of logs and what was worked out of them, kept for whoever asks again."""

from __future__ import annotations

import copy
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.lab._log import Log, TableFile
from seedo.lab._logbook import Logbook
from seedo.lab._replay import one

_KEPT = 128  # results of one kind


class Replays:
    """Episodes by log and place; `at` is file and row, as in "0.12"."""

    def __init__(self, logbook: Logbook) -> None:
        self._logbook = logbook
        self._results: dict[str, OrderedDict[Any, Any]] = {}
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()  # what compiles

    def reading(self, logbook: Logbook) -> Replays:
        """The same from another logbook."""
        other = copy.copy(self)
        other._logbook = logbook
        return other

    def log(self, key: str) -> Log:
        """The log of this key.

        Raises:
            UserError: there is none, or it is a table.
        """
        source = self._logbook.open(key)
        if isinstance(source, TableFile):
            raise UserError("log", key[:80], "a table has no episodes: ask it questions")
        return source

    def episode(self, key: str, at: str) -> tuple[Log, EpisodeBatch]:
        """One episode, and its log."""
        log = self.log(key)
        return log, self._kept("one", log, at, lambda: one(log, *_place(at)))

    def compiled(self, compute: Callable[[Log, EpisodeBatch], Any], key: str, at: str) -> Any:
        """What is computed of an episode, one thing at a time."""
        log = self.log(key)

        def once() -> Any:
            with self._one_at_a_time:
                return compute(*self.episode(key, at))

        return self._kept(compute.__name__, log, at, once)

    def _kept(self, kind: str, log: Log, at: str, compute: Callable[[], Any]) -> Any:
        """Keeps the latest results; errors are not kept."""
        key = (log.version, log.key, at)
        with self._lock:
            results = self._results.setdefault(kind, OrderedDict())
            if key in results:
                results.move_to_end(key)
                return results[key]
        found = guarded(compute)
        with self._lock:
            results[key] = found
            while len(results) > _KEPT:
                results.popitem(last=False)
        return found


def _place(at: str) -> tuple[int, int]:
    part, row = map(int, at.split("."))
    return part, row


def guarded(compute: Callable[..., Any], *arguments: Any) -> Any:
    """A log is anybody's: whatever goes wrong with it is one line."""
    try:
        return compute(*arguments)
    except UserError:
        raise
    except Exception as error:
        kind = type(error).__name__
        raise UserError("episode", None, f"cannot be worked with ({kind})") from error


def plain(value: Any) -> Any:
    """As JSON can carry it: no NaN, no half characters, nothing of NumPy."""
    if isinstance(value, dict):
        return {plain(str(k)): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()[:20_000]
    return value
