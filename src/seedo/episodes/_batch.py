"""Episodes in memory: what was done and seen in them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seedo.episodes._checks import checked, to_knob
from seedo.episodes._origin import Origin
from seedo.errors import UserError

OBSERVE = 0
"""A step that only looks."""
EXPLORE = 1
"""A step that may experiment."""
EXPLOIT = 2
"""A step that counts."""
PHASES = ("observe", "explore", "exploit")
"""Names of the phases of a step, at `OBSERVE`, `EXPLORE` and `EXPLOIT`."""


@dataclass(frozen=True, eq=False, init=False)
class EpisodeBatch:
    """B episodes of S steps on n variables.

    Arrays are converted to the dtypes below; values are checked when a batch is built and never
    again, so slices and shuffles of a checked batch cost only their copy. Fields are given by name.
    What was set in every step is given as `setting`, or, where it is one variable at most, as
    `target` and `value`, which win over `setting` (so that `dataclasses.replace` takes either).

    Args:
        origin: shared by all rows.
        episode_id: int64[B].
        phase: int8[B, S], OBSERVE, EXPLORE or EXPLOIT.
        setting: f32[B, S, n], what each variable was set to at that step, NaN for those that were
            left alone: all of them in a plain observation. Like outcomes, codes for variables with
            levels (`Origin.levels`).
        outcome: f32[B, S, n], NaN where unobserved, never infinite.
        mask: bool[B, n], the relevant variables.
        goal: int16[B, S], the goal variable, -1 while it is hidden.
        returns: f32[B], mean over exploit steps of the expected goal value given the action;
            NaN where unknown (logs of real systems), as for the next two.
        oracle_return: f32[B], the same for a player who knows the system.
        random_return: f32[B], the same for a random exploit action.
        action_logits: f32[B, S, A] with A = n * number of do-values; -inf is a forbidden action;
            NaN only where nothing was set.
        explanation: for each episode one text a step, "" where nothing was said.
        system: for each episode the system as JSON text; None for real data.
        participant: for each episode a pseudonym of the person whose it is, e.g. "p007"; None
            where the experimenter is no group of people. Several may have the same episode id.
        label_target, label_value: int16[B, S] and f32[B, S], what an expert who was asked at that
            step would have done, where `target` and `value` are what was done; -1 and NaN where
            nobody was asked. Imitation then learns the labels alone. Both or neither.
        target: int16[B, S], the variable set at that step, -1 for a plain observation.
        value: f32[B, S], what it was set to; finite where target >= 0, NaN elsewhere.

    Raises:
        UserError: a shape, a type or a value is wrong; names row, column and value.
        TypeError: a field is missing, or there is none of that name.
    """

    origin: Origin
    episode_id: NDArray[np.int64]
    phase: NDArray[np.int8]
    setting: NDArray[np.float32]
    outcome: NDArray[np.float32]
    mask: NDArray[np.bool_]
    goal: NDArray[np.int16]
    returns: NDArray[np.float32]
    oracle_return: NDArray[np.float32]
    random_return: NDArray[np.float32]
    action_logits: NDArray[np.float32] | None = None
    explanation: list[list[str]] | None = None
    system: list[str] | None = None
    participant: list[str] | None = None
    label_target: NDArray[np.int16] | None = None
    label_value: NDArray[np.float32] | None = None

    OPTIONAL: ClassVar[tuple[str, ...]] = (
        "action_logits",
        "explanation",
        "system",
        "participant",
        "label_target",
        "label_value",
    )

    def __init__(
        self, *, setting: Any = None, target: Any = None, value: Any = None, **fields: Any
    ) -> None:
        fields = {**dict.fromkeys(self.OPTIONAL), **fields, "setting": setting}
        if wrong := fields.keys() ^ {field.name for field in dataclasses.fields(self)}:
            raise TypeError(f"EpisodeBatch: missing or unknown: {', '.join(sorted(wrong))}")
        if target is not None or value is not None:
            if setting is not None and (target is None or value is None):
                known = to_knob(np.asarray(setting), fields["origin"].variables)
                target, value = (known[0] if target is None else target,
                                 known[1] if value is None else value)  # fmt: skip
            del fields["setting"]
            fields |= {"target": target, "value": value}
        self.__dict__.update(checked(fields))

    @cached_property
    def target(self) -> NDArray[np.int16]:
        """int16[B, S]: the variable set at every step, -1 where none was.

        Raises:
            UserError: several were set at once; names row and step.
        """
        return self._knob[0]

    @cached_property
    def value(self) -> NDArray[np.float32]:
        """f32[B, S]: what it was set to, NaN where nothing was; raises as `target` does."""
        return self._knob[1]

    @cached_property
    def _knob(self) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
        return to_knob(self.setting, self.origin.variables)

    def __len__(self) -> int:
        return len(self.episode_id)

    @property
    def rows(self) -> int:
        """B, the number of episodes."""
        return len(self.episode_id)

    @property
    def steps(self) -> int:
        """S, the number of steps of every episode."""
        return self.phase.shape[1]

    @property
    def n(self) -> int:
        """Number of variables."""
        return self.origin.n

    @property
    def optional(self) -> tuple[str, ...]:
        """Names of the optional columns that are there."""
        return tuple(name for name in self.OPTIONAL if getattr(self, name) is not None)

    def take(self, rows: NDArray[Any] | Sequence[int] | slice) -> EpisodeBatch:
        """The rows at `rows`: a slice (arrays are views), whole numbers or a bool[B] array."""
        if isinstance(rows, slice):
            index: Any = rows
        else:
            index = np.asarray(rows)
            index = np.flatnonzero(index) if index.dtype == np.bool_ else index.astype(np.int64)

        def pick(field: Any) -> Any:
            if not isinstance(field, np.ndarray | list):
                return field
            if isinstance(index, slice):
                return field[index]
            if isinstance(field, list):
                return [field[i] for i in index]
            # Twice as fast as field[index], above all where rows are long.
            flat = np.take(field.reshape(len(field), -1), index, axis=0)
            return flat.reshape(len(index), *field.shape[1:])

        return _unchecked({f.name: pick(getattr(self, f.name)) for f in dataclasses.fields(self)})

    def without(self, names: Sequence[str]) -> EpisodeBatch:
        """The same episodes less the optional columns `names`."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return _unchecked({**fields, **dict.fromkeys(check_optional(names))})

    def replace(self, **changes: Any) -> EpisodeBatch:
        """The same episodes with other columns, `target` and `value` in place of `setting` too."""
        return dataclasses.replace(self, **changes)

    def equals(self, other: EpisodeBatch) -> bool:
        """Whether all columns and the origins are the same; NaN equals NaN."""
        if self.origin != other.origin or self.optional != other.optional:
            return False
        for field in dataclasses.fields(self)[1:]:
            a, b = getattr(self, field.name), getattr(other, field.name)
            if isinstance(a, np.ndarray):
                if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                    return False
            elif a != b:
                return False
        return True


def check_optional(names: Sequence[str]) -> tuple[str, ...]:
    """`names`, each the name of an optional column; else UserError."""
    for name in names:
        if name not in EpisodeBatch.OPTIONAL:
            raise UserError("without", name, f"choose from {', '.join(EpisodeBatch.OPTIONAL)}")
    return tuple(names)


def concatenate(batches: Sequence[EpisodeBatch]) -> EpisodeBatch:
    """One batch from several of one shape and origin; the first one's seed is kept.

    Raises:
        UserError: no batch, or shapes, origins or optional columns differ.
    """
    if not batches:
        raise UserError("batches", None, "give at least one batch")
    first = batches[0]
    if len(batches) == 1:
        return first
    for i, other in enumerate(batches[1:], 1):
        if (differs := first.origin.differs_from(other.origin)) is not None:
            theirs = getattr(other.origin, differs)
            ours = getattr(first.origin, differs)
            raise UserError(f"batch {i} {differs}", theirs, f"batch 0 has {ours!r}")
        if other.steps != first.steps:
            raise UserError(f"batch {i} steps", other.steps, f"batch 0 has {first.steps}")
        if other.optional != first.optional:
            raise UserError(f"batch {i} columns", other.optional, f"batch 0 has {first.optional}")
        if _actions(other) != _actions(first):
            raise UserError(f"batch {i} actions", _actions(other), f"batch 0 has {_actions(first)}")
    fields: dict[str, Any] = {"origin": first.origin}
    for field in dataclasses.fields(EpisodeBatch)[1:]:
        parts = [getattr(b, field.name) for b in batches]
        if parts[0] is None:
            fields[field.name] = None
        elif isinstance(parts[0], list):
            fields[field.name] = [row for part in parts for row in part]
        else:
            fields[field.name] = np.concatenate(parts)
    return _unchecked(fields)


def _actions(batch: EpisodeBatch) -> int | None:
    return None if batch.action_logits is None else batch.action_logits.shape[2]


def _unchecked(fields: dict[str, Any]) -> EpisodeBatch:
    batch = object.__new__(EpisodeBatch)
    batch.__dict__.update(fields)
    return batch
