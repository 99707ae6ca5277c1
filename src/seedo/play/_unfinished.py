"""What dear worlds have measured in episodes that are not in the log yet.

A log is written in whole episodes. Where a run of a world is paid for, its setting is on the disk
before the run is made, and what it read before the next one is chosen; a job that was killed takes
both from there when it goes on. Numbers are written so that they read back as they were.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.play.campaign._journal import Journal
from seedo.spaces import same_setting

Array = NDArray[np.float64]

NAME = "unfinished.jsonl"
"""The file, in the folder of the log; it is gone when the log is whole."""


class Unfinished:
    """Runs of the episodes that are being played, by episode and step.

    Args:
        folder: of the log; the caller keeps other jobs out of it.
        job: plain JSON, that which is being played.
        words: of a setting, float64[K].
        say: gets one line for everything that is odd.

    Raises:
        UserError: it cannot be read or written, or is of another job.
    """

    def __init__(
        self,
        folder: Path,
        job: Mapping[str, Any],
        words: Callable[[Array], str],
        say: Callable[[str], None],
    ) -> None:
        self._folder, self._job = folder, json.loads(json.dumps(job))
        self._words, self._say = words, say
        self._lock = threading.Lock()
        self._asked: dict[tuple[int, int], Array] = {}
        self._read: dict[tuple[int, int], tuple[Array, Array]] = {}
        self._journal: Journal | None = None
        if (folder / NAME).exists():
            for place, entry in enumerate(self._opened().entries, 1):
                self._enter(place, entry)
        self._old = frozenset(self._read)

    def chosen(self, episode: int, step: int, setting: Array) -> Array:
        """The setting of a step, float64[n]: the one that was measured before the job was killed,
        else that which the player chooses now."""
        if (episode, step) not in self._old:
            return setting
        before = self._read[episode, step][0]
        if not same_setting(before[None], setting[: len(before)])[0]:
            said = "was measured before the job was stopped and is kept; now the player chooses"
            self._say(f"episode {episode}, step {step}: {self._words(before)} {said} otherwise")
            setting = np.concatenate([before, setting[len(before) :]])
        return setting

    def known(self, episode: int, step: int) -> Array | None:
        """What a run that was made before the job was killed read, float64[M]."""
        return self._read[episode, step][1] if (episode, step) in self._old else None

    def measured(
        self, episode: int, step: int, setting: Array, measure: Callable[[], Array]
    ) -> Array:
        """What a run reads, float64[M]; its setting, float64[K], is on the disk before it is made,
        and its readings when this returns.

        Raises:
            UserError: it cannot be written; or what `measure` raises.
        """
        if (lost := self._asked.get((episode, step))) is not None:
            same = same_setting(lost[None], setting)[0]
            then = "measured again" if same else "the player chooses otherwise now"
            said = f"was being measured when the job was stopped and has no result: {then}"
            self._say(f"episode {episode}, step {step}: {self._words(lost)} {said}")
        at = {"episode": episode, "step": step}
        self._write({"kind": "asked", **at, "setting": setting.tolist()})
        read = np.asarray(measure(), np.float64)
        self._write({"kind": "read", **at, "setting": setting.tolist(), "readings": _plain(read)})
        self._read[episode, step] = setting, read
        return read

    def stopped(self) -> bool:
        """Is told that what measures gave up; episodes in which every run failed are then begun
        anew. Whether anything is left that is worth keeping."""
        episodes = {episode for episode, _ in self._read}
        gave = {e for (e, _), (_, read) in self._read.items() if np.isfinite(read).any()}
        for episode in episodes - gave:
            self._write({"kind": "anew", "episode": episode})
        return bool(gave)

    def forget(self) -> None:
        """All is in the log now."""
        self.close()
        with suppress(OSError):
            (self._folder / NAME).unlink(missing_ok=True)
        self._asked, self._read, self._old = {}, {}, frozenset()

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _opened(self) -> Journal:
        if self._journal is None:
            self._journal = Journal(self._folder, NAME, locks=False)
            if not self._journal.entries:
                self._journal.write({"kind": "job", "job": self._job})
        return self._journal

    def _write(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self._opened().write(entry)

    def _enter(self, place: int, entry: dict[str, Any]) -> None:
        try:
            kind = entry["kind"]
            if kind == "job" and entry["job"] != self._job:
                remedy = "it is of another job: delete it, or choose another --out"
                raise UserError(str(self._folder / NAME), None, remedy)
            if kind == "anew":
                for at in [at for at in self._read if at[0] == entry["episode"]]:
                    del self._read[at]
            elif kind in ("asked", "read"):
                at = int(entry["episode"]), int(entry["step"])
                setting = np.array(entry["setting"], np.float64)
                self._asked[at] = setting
                if kind == "read":
                    del self._asked[at]
                    self._read[at] = setting, _numbers(entry["readings"])
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, UserError):
                raise
            field = f"{self._folder / NAME}, line {place}"
            remedy = f"cannot be read ({type(error).__name__}: {error}): delete this file, and the "
            remedy += "episode that was not finished is begun anew"
            raise UserError(field, None, remedy) from None


def _plain(values: Array) -> list[float | None]:
    return [None if math.isnan(value) else float(value) for value in values]


def _numbers(values: Sequence[float | None]) -> Array:
    return np.array([math.nan if value is None else float(value) for value in values])
