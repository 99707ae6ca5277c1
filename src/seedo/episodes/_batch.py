"""Episodes in memory: where they came from, and what happened in them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError

OBSERVE, EXPLORE, EXPLOIT = 0, 1, 2
PHASES = ("observe", "explore", "exploit")


@dataclass(frozen=True)
class Origin:
    """Where episodes came from; the same for every row of a batch.

    `world_config` is JSON text; `created` is None for simulated episodes, so that one seed writes
    the same bytes every time, and an ISO 8601 time for people's and foreign logs.

    Raises:
        UserError: a field has the wrong type, a name is empty or doubled, `world_config` is not a
            JSON object.
    """

    world: str
    world_config: str
    split: str
    seed: int
    experimenter: str
    variables: tuple[str, ...]
    created: str | None = None

    def __post_init__(self) -> None:
        for name in ("world", "world_config", "split", "experimenter"):
            if not isinstance(getattr(self, name), str):
                raise UserError(name, getattr(self, name), "give text")
        if self.created is not None and not isinstance(self.created, str):
            raise UserError("created", self.created, "give an ISO 8601 time or None")
        if (
            not isinstance(self.seed, int)
            or isinstance(self.seed, bool)
            or not 0 <= self.seed < 2**63
        ):
            raise UserError("seed", self.seed, "give a whole number from 0 to 2^63 - 1")
        try:
            config = json.loads(self.world_config)
        except ValueError:
            config = None
        if not isinstance(config, dict):
            raise UserError("world_config", self.world_config[:80], "give a JSON object as text")
        object.__setattr__(self, "variables", tuple(self.variables))
        if not self.variables or not all(isinstance(v, str) and v for v in self.variables):
            raise UserError("variables", self.variables, "give one non-empty name a variable")
        if len(set(self.variables)) != len(self.variables):
            raise UserError("variables", self.variables, "give each variable a name of its own")

    @property
    def n(self) -> int:
        """Number of variables."""
        return len(self.variables)

    def to_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "variables": list(self.variables)}

    @classmethod
    def from_json(cls, fields: object) -> Origin:
        """The inverse of `to_json`.

        Raises:
            UserError: not an object with exactly the fields of an origin.
        """
        names = {f.name for f in dataclasses.fields(cls)}
        if not isinstance(fields, dict) or set(fields) != names:
            raise UserError("origin", None, f"must be an object with {', '.join(sorted(names))}")
        if not isinstance(fields["variables"], list):
            raise UserError("variables", fields["variables"], "give a list of names")
        return cls(**fields)

    def differs_from(self, other: Origin) -> str | None:
        """Name of the first field in which two origins differ, seeds aside; None if none does."""
        for field in dataclasses.fields(self):
            if field.name != "seed" and getattr(self, field.name) != getattr(other, field.name):
                return field.name
        return None


@dataclass(frozen=True, eq=False)
class EpisodeBatch:
    """B episodes of S steps on n variables.

    Arrays are converted to the dtypes below; values are checked when a batch is built and never
    again, so slices and shuffles of a checked batch cost only their copy.

    Args:
        origin: shared by all rows.
        episode_id: int64[B].
        phase: int8[B, S], OBSERVE, EXPLORE or EXPLOIT.
        target: int16[B, S], the variable set at that step, -1 for a plain observation.
        value: f32[B, S], what it was set to; finite where target >= 0, NaN elsewhere.
        outcome: f32[B, S, n], NaN where unobserved, never infinite.
        mask: bool[B, n], the relevant variables.
        goal: int16[B, S], the goal variable, -1 while it is hidden.
        returns: f32[B], mean over exploit steps of the expected goal value given the action;
            NaN where unknown (logs of real systems), as for the next two.
        oracle_return: f32[B], the same for a player who knows the system.
        random_return: f32[B], the same for a random exploit action.
        action_logits: f32[B, S, A] with A = n * number of do-values; -inf is a forbidden action;
            NaN only where target = -1.
        explanation: for each episode one text a step, "" where nothing was said.
        system: for each episode the system as JSON text; None for real data.
        participant: for each episode a pseudonym of the person whose it is, e.g. "p007"; None
            where the experimenter is no group of people. Several may have the same episode id.
        label_target, label_value: int16[B, S] and f32[B, S], what an expert who was asked at that
            step would have done, where `target` and `value` are what was done; -1 and NaN where
            nobody was asked. Imitation then learns the labels alone. Both or neither.

    Raises:
        UserError: a shape, a type or a value is wrong; names row, column and value.
    """

    origin: Origin
    episode_id: NDArray[np.int64]
    phase: NDArray[np.int8]
    target: NDArray[np.int16]
    value: NDArray[np.float32]
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

    def __post_init__(self) -> None:
        _convert(self)
        _check_values(self)

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
        index = rows if isinstance(rows, slice) else np.asarray(rows)
        if isinstance(index, np.ndarray) and index.size == 0:
            index = index.astype(np.int64)

        def pick(field: Any) -> Any:
            if isinstance(field, np.ndarray):
                return field[index]
            if not isinstance(field, list):
                return field
            if isinstance(index, slice):
                return field[index]
            return [field[i] for i in np.arange(len(field))[index]]

        return _unchecked({f.name: pick(getattr(self, f.name)) for f in dataclasses.fields(self)})

    def without(self, names: Sequence[str]) -> EpisodeBatch:
        """The same episodes less the optional columns `names`."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return _unchecked({**fields, **dict.fromkeys(check_optional(names))})

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


_KINDS = {"i": "whole numbers", "f": "numbers", "b": "true or false"}


def _convert(batch: EpisodeBatch) -> None:
    """Casts every array to its dtype, refusing what does not fit or has the wrong shape."""
    ids = np.asarray(batch.episode_id)
    steps = np.shape(batch.phase)
    if ids.ndim != 1:
        raise UserError("episode_id", f"shape {ids.shape}", "give one id an episode")
    if len(steps) != 2:
        raise UserError("phase", f"shape {steps}", "give [episodes, steps]")
    B, S, n = len(ids), steps[1], batch.origin.n
    if S == 0:
        raise UserError("phase", f"shape {steps}", "an episode has at least one step")
    shapes: dict[str, tuple[Any, tuple[int, ...]]] = {
        "episode_id": (np.int64, (B,)),
        "phase": (np.int8, (B, S)),
        "target": (np.int16, (B, S)),
        "value": (np.float32, (B, S)),
        "outcome": (np.float32, (B, S, n)),
        "mask": (np.bool_, (B, n)),
        "goal": (np.int16, (B, S)),
        "returns": (np.float32, (B,)),
        "oracle_return": (np.float32, (B,)),
        "random_return": (np.float32, (B,)),
    }
    if batch.action_logits is not None:
        logits = np.shape(batch.action_logits)
        if len(logits) != 3 or logits[2] == 0 or logits[2] % n:
            remedy = f"give [{B}, {S}, A], A a multiple of the {n} variables"
            raise UserError("action_logits", f"shape {logits}", remedy)
        shapes["action_logits"] = (np.float32, (B, S, logits[2]))
    if (batch.label_target is None) != (batch.label_value is None):
        raise UserError("label_target", None, "give label_target and label_value, or neither")
    if batch.label_target is not None:
        shapes |= {"label_target": (np.int16, (B, S)), "label_value": (np.float32, (B, S))}
    for name, (dtype, shape) in shapes.items():
        array = np.asarray(getattr(batch, name))
        if array.shape != shape:
            raise UserError(name, f"shape {array.shape}", f"give shape {shape}")
        wanted = np.dtype(dtype)
        allowed = {"i": "iu", "f": "fiu", "b": "b"}[wanted.kind]
        if array.dtype.kind not in allowed and array.size:
            raise UserError(name, f"dtype {array.dtype}", f"give {_KINDS[wanted.kind]}")
        if array.dtype != wanted:
            if wanted.kind == "i" and array.size:
                info = np.iinfo(dtype)
                refuse(name, array, (array >= info.min) & (array <= info.max), "out of range")
            with np.errstate(over="ignore"):  # an overflow becomes inf, which is refused below
                array = array.astype(wanted)
        object.__setattr__(batch, name, array)
    for name in ("explanation", "system", "participant"):
        texts = getattr(batch, name)
        if texts is not None:
            object.__setattr__(batch, name, _texts(name, texts, B, S))


_REMEDIES = {"system": "give JSON text", "participant": "give a pseudonym such as p007"}


def _texts(name: str, texts: Any, rows: int, steps: int) -> list[Any]:
    if not isinstance(texts, (list, tuple)) or len(texts) != rows:
        got = f"{len(texts)} rows" if isinstance(texts, (list, tuple)) else type(texts).__name__
        raise UserError(name, got, f"give a list of {rows}, one an episode")
    if name != "explanation":
        for row, text in enumerate(texts):
            if not isinstance(text, str):
                raise UserError(f"row {row}, column {name}", text, _REMEDIES[name])
            if name == "participant" and not text:
                raise UserError(f"row {row}, column {name}", text, _REMEDIES[name])
        return list(texts)
    for row, said in enumerate(texts):
        if not isinstance(said, (list, tuple)) or len(said) != steps:
            raise UserError(f"row {row}, column {name}", said, f"give {steps} texts, one a step")
        for text in said:
            if not isinstance(text, str):
                raise UserError(f"row {row}, column {name}", text, "give text, '' for nothing said")
    return [list(said) for said in texts]


def refuse(name: str, array: NDArray[Any], good: NDArray[np.bool_], remedy: str) -> None:
    """Raises UserError for the first entry of `array` that is not `good`."""
    if good.all():
        return
    where = np.argwhere(~good)[0]
    value = array[tuple(where)].item()
    step = f", step {where[1]}" if name not in ("mask",) and len(where) > 1 else ""
    raise UserError(f"row {where[0]}, column {name}{step}", value, remedy)


def _check_values(batch: EpisodeBatch) -> None:
    n = batch.n
    check: Callable[..., None] = refuse
    phases = "an observation is 0, an experiment 1, an exploit action 2"
    check("phase", batch.phase, (batch.phase >= 0) & (batch.phase <= 2), phases)
    index = f"give a variable from 0 to {n - 1}, or -1 for none"
    _check_actions("", batch.target, batch.value, index, n)
    if batch.label_target is not None and batch.label_value is not None:
        _check_actions("label_", batch.label_target, batch.label_value, index, n)
    check("goal", batch.goal, (batch.goal >= -1) & (batch.goal < n), index)
    acted = batch.target >= 0
    check("outcome", batch.outcome, ~np.isinf(batch.outcome), "give finite numbers, NaN if unseen")
    for name in ("returns", "oracle_return", "random_return"):
        array = getattr(batch, name)
        check(name, array, ~np.isinf(array), "give finite numbers, NaN if unknown")
    if batch.action_logits is not None:
        logits = batch.action_logits
        check("action_logits", logits, logits != np.inf, "give finite numbers or -inf")
        known = ~np.isnan(logits) | ~acted[:, :, None]
        check("action_logits", logits, known, "give a number for every action of a step with one")


def _check_actions(
    prefix: str, target: NDArray[np.int16], value: NDArray[np.float32], index: str, n: int
) -> None:
    acted, finite = target >= 0, np.isfinite(value)
    refuse(f"{prefix}target", target, (target >= -1) & (target < n), index)
    refuse(f"{prefix}value", value, finite | ~acted, "a variable is set to a finite number")
    refuse(f"{prefix}value", value, np.isnan(value) | acted, "NaN where no variable is set")
