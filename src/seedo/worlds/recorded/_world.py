"""`recorded:PATH`: a campaign that somebody recorded, to be made again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError, one_of, whole
from seedo.spaces import Space, climbed
from seedo.worlds._bench import AddressedBench
from seedo.worlds._world import References
from seedo.worlds.recorded._emulator import EMULATORS, Emulator, fitted
from seedo.worlds.recorded._folder import read_folder
from seedo.worlds.recorded._record import Record, whole_of
from seedo.worlds.recorded._table import read_campaign

Array = NDArray[np.float64]

MODES = ("replay", *EMULATORS)
"""How outcomes come about: from the rows alone, or from an emulator fitted to them."""
_LOOKED_AT = 4_096
"""Settings of an emulator by whose mean chance is measured, and among which the best is sought."""


class RecordedWorld(AddressedBench):
    """A recorded campaign: its settings are chosen again, or those between by an emulator.

    Exact replay: only recorded settings can be chosen, and a run reads what one of the replicates
    did, drawn evenly. It is worth the mean of its replicates; where all failed, the worst recorded
    mean. The oracle is the best of them, chance their mean. With an emulator, every setting within
    the recorded ranges (and the total, where knobs are parts of a whole) can be chosen, and a run
    reads the model's mean with noise; oracle and chance are the model's.

    Args:
        path: a table (see `tables.read_table`), or a folder with `data.csv` and `config.json`.
        emulator: `replay` for none, `gp` or `forest`.
        runs: before the setting to keep.
        watched: rows that are seen before the runs, of those in which nobody set a factor.
        goals: "minimize cost", a list of such, or a table; None: what the folder says, or to raise
            the outcomes.
        roles: of a table's columns, as `column=role`, or a file with them.
        targets: what says which columns were set in which rows, as for `seedo ask`.

    Raises:
        UserError: it cannot be read, or a setting cannot be.
    """

    name = "recorded"
    named_by: ClassVar[str] = "path"
    remade: ClassVar[bool] = True

    def __init__(
        self,
        path: str = "",
        emulator: str = "replay",
        runs: int = 20,
        goals: Any = None,
        roles: str | list[str] | None = None,
        targets: str | None = None,
        watched: int = 0,
    ) -> None:
        if not path:
            raise UserError("world", "recorded", "name a table or a folder: recorded:PATH")
        one_of("emulator", emulator, MODES)
        whole("runs", runs, 1, 100_000)
        texts = (roles,) if isinstance(roles, str) else tuple(roles or ())
        place = Path(path)
        digest = _digest(_files(place))
        if place.is_dir():
            for field, value in (("roles", roles), ("targets", targets)):
                if value is not None:
                    raise UserError(field, value, f"{place} is a folder, whose config says it")
            record = read_folder(place, goals)
        else:
            record = read_campaign(place, goals, texts, targets)
        there = 0 if record.watched is None else len(record.watched)
        if not isinstance(watched, int) or isinstance(watched, bool) or not 0 <= watched <= there:
            remedy = f"{there} rows were recorded in which nobody set a factor"
            raise UserError("watched", watched, remedy)
        self.record = record
        self.name = f"recorded:{path}"
        self._settings = {"path": os.fspath(path), "emulator": emulator, "runs": runs,
                          "goals": goals, "roles": roles, "targets": targets,
                          "watched": watched}  # fmt: skip
        self._digest = digest
        self.emulator: Emulator | None = None
        space, notes = Space(record.knobs, listed=record.distinct), record.notes
        if emulator != "replay":
            space, said = _between(record)
            self.emulator = fitted(emulator, record, space)
            notes = (*notes, *said, *self.emulator.notes)
        self._notes = notes
        super().__init__(space, record.names, record.goals, runs, watched)
        self._references = self._measured_references()

    @property
    def notes(self) -> tuple[str, ...]:
        """How it was read, and how far an emulator is off."""
        return self._notes

    def config(self) -> dict[str, Any]:
        return self._settings | {"aims": self.goals.to_json(), "digest": self._digest}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> RecordedWorld:
        """The world that a log is of.

        Raises:
            UserError: the table is gone, or is another one now.
        """
        path = str(config.get("path", ""))
        if path and config.get("digest") not in (None, _digest(_files(Path(path)))):
            raise UserError(path, None, "it has changed since the log was written")
        found: RecordedWorld = super().from_config(config)
        return found

    @classmethod
    def own_settings(cls, config: dict[str, Any]) -> dict[str, Any]:
        if "digest" not in config:  # the log of a campaign of that name
            return {}
        return super().own_settings(config)

    def sample(self, key: Any) -> NDArray[np.int64]:
        """There is one system; int64[watched], the rows that are watched first, each once."""
        there = 0 if self.record.watched is None else len(self.record.watched)
        found: NDArray[np.int64] = key.permutation(there)[: int(self._settings["watched"])]
        return found

    def seen(self, task: NDArray[np.int64], step: int, rng: np.random.Generator) -> Array:
        assert self.record.watched is not None
        row: Array = self.record.watched[task[step]]
        return row

    def measured(self, task: Any, setting: Array, rng: np.random.Generator) -> Array:
        if self.emulator is not None:
            return self.emulator.drawn(setting, rng)
        found: Array = self.record.readings[rng.choice(self.record.rows_at(setting))]
        return found

    def worth(self, task: Any, setting: Array, readings: Array) -> float:
        if self.emulator is not None:
            return float(self._emulated(setting[None])[0])
        return float(self.record.worths[self.record.which[self.record.rows_at(setting)[0]]])

    def references(self, task: Any) -> References:
        return self._references

    def _emulated(self, x: Array) -> Array:
        assert self.emulator is not None
        return self.goals.value(self.goals.read(self.emulator.expected(x), self.readings))

    def _measured_references(self) -> References:
        if self.emulator is None:
            worths = self.record.worths
            return References(np.float32(worths.max()), np.float32(worths.mean()))  # type: ignore[arg-type]
        rng = np.random.default_rng(0)
        x = self.space.sample(_LOOKED_AT, rng)
        recorded = self.record.distinct[self.space.allows(self.record.distinct)]
        known = np.concatenate([x, recorded])
        _, worths = climbed(self.space, known, self._emulated, rng, best=8, count=128)
        chance = worths[: len(x)].mean()
        return References(np.float32(worths.max()), np.float32(chance))  # type: ignore[arg-type]


def _between(record: Record) -> tuple[Space, tuple[str, ...]]:
    """All settings within the ranges of a record, and what has to be said about them."""
    found = whole_of(record.knobs, record.settings)
    if found is None:
        return Space(record.knobs), ()
    total, off = found
    off_by = f" (recorded sums are off by up to {off:.2g})" if off > 1e-6 * total.bound else ""
    return Space(record.knobs, (total,)), (f"parts of a whole: {total}{off_by}",)


def _files(place: Path) -> list[Path]:
    return [place / "data.csv", place / "config.json"] if place.is_dir() else [place]


def _digest(files: list[Path]) -> str:
    """What files hold, in a few characters.

    Raises:
        UserError: there is no such file.
    """
    found = hashlib.sha256()
    for file in files:
        if file.exists() and not file.is_file():
            raise UserError(str(file), None, "is no file")
        try:
            found.update(file.read_bytes())
        except OSError as error:
            raise UserError(str(file), None, f"cannot be read: {error.strerror}") from None
    return found.hexdigest()[:16]
