"""What the columns of a batch must be: their dtypes, shapes and values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.episodes._origin import Origin
from seedo.errors import UserError

_KINDS = {"i": "whole numbers", "f": "numbers", "b": "true or false"}
_REMEDIES = {"system": "give JSON text", "participant": "give a pseudonym such as p007"}

_OPTIONAL = ("action_logits", "label_target", "label_value")


def checked(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns of an `EpisodeBatch` as they are kept there; `target` and `value`, if they stand
    in place of `setting`, beside it.

    Raises:
        UserError: a shape, a type or a value is wrong; names row, column and value.
    """
    origin: Origin = columns["origin"]
    ids, steps = np.asarray(columns["episode_id"]), np.shape(columns["phase"])
    if ids.ndim != 1:
        raise UserError("episode_id", f"shape {ids.shape}", "give one id an episode")
    if len(steps) != 2:
        raise UserError("phase", f"shape {steps}", "give [episodes, steps]")
    B, S, n = len(ids), steps[1], origin.n
    if S == 0:
        raise UserError("phase", f"shape {steps}", "an episode has at least one step")
    if (columns["label_target"] is None) != (columns["label_value"] is None):
        raise UserError("label_target", None, "give label_target and label_value, or neither")
    found = dict(columns)
    for name, (dtype, shape) in _shapes(columns, B, S, n).items():
        if columns[name] is not None or name not in _OPTIONAL:
            found[name] = _array(name, columns[name], np.dtype(dtype), shape)
    for name in ("explanation", "system", "participant"):
        if columns[name] is not None:
            found[name] = _texts(name, columns[name], B, S)
    if "target" in found:
        _check_knob("", found["target"], found["value"], n)
        found["setting"] = from_knob(found["target"], found["value"], n)
    _check_values(found, origin)
    return found


def _shapes(columns: dict[str, Any], B: int, S: int, n: int) -> dict[str, tuple[Any, Any]]:
    """dtype and shape of every array among the columns."""
    actions: Any = ()
    if columns["action_logits"] is not None:
        actions = np.shape(columns["action_logits"])
    if columns["action_logits"] is not None and (
        len(actions) != 3 or actions[2] == 0 or actions[2] % n
    ):
        remedy = f"give [{B}, {S}, A], A a multiple of the {n} variables"
        raise UserError("action_logits", f"shape {actions}", remedy)
    done: dict[str, tuple[Any, Any]] = {"setting": (np.float32, (B, S, n))}
    if "target" in columns:
        done = {"target": (np.int16, (B, S)), "value": (np.float32, (B, S))}
    return {
        "episode_id": (np.int64, (B,)),
        "phase": (np.int8, (B, S)),
        **done,
        "outcome": (np.float32, (B, S, n)),
        "mask": (np.bool_, (B, n)),
        "goal": (np.int16, (B, S)),
        "returns": (np.float32, (B,)),
        "oracle_return": (np.float32, (B,)),
        "random_return": (np.float32, (B,)),
        "action_logits": (np.float32, (B, S, *actions[2:])),
        "label_target": (np.int16, (B, S)),
        "label_value": (np.float32, (B, S)),
    }


def _array(name: str, given: Any, wanted: np.dtype, shape: tuple[int, ...]) -> NDArray[Any]:
    """An array of this dtype and shape, or UserError."""
    array = np.asarray(given)
    if array.shape != shape:
        raise UserError(name, f"shape {array.shape}", f"give shape {shape}")
    allowed = {"i": "iu", "f": "fiu", "b": "b"}[wanted.kind]
    if array.dtype.kind not in allowed and array.size:
        raise UserError(name, f"dtype {array.dtype}", f"give {_KINDS[wanted.kind]}")
    if array.dtype == wanted:
        return array
    if wanted.kind == "i" and array.size:
        info = np.iinfo(wanted)
        refuse(name, array, (array >= info.min) & (array <= info.max), "out of range")
    with np.errstate(over="ignore"):  # an overflow becomes inf, which is refused later
        return array.astype(wanted)


def _texts(name: str, texts: Any, rows: int, steps: int) -> list[Any]:
    if not isinstance(texts, (list, tuple)) or len(texts) != rows:
        got = f"{len(texts)} rows" if isinstance(texts, (list, tuple)) else type(texts).__name__
        raise UserError(name, got, f"give a list of {rows}, one an episode")
    if name != "explanation":
        for row, text in enumerate(texts):
            if not isinstance(text, str) or (name == "participant" and not text):
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
    step = f", step {where[1]}" if name != "mask" and len(where) > 1 else ""
    raise UserError(f"row {where[0]}, column {name}{step}", value, remedy)


def _check_values(found: dict[str, Any], origin: Origin) -> None:
    n = origin.n
    phase, goal, logits = found["phase"], found["goal"], found["action_logits"]
    phases = "an observation is 0, an experiment 1, an exploit action 2"
    refuse("phase", phase, (phase >= 0) & (phase <= 2), phases)
    if found["label_target"] is not None:
        _check_knob("label_", found["label_target"], found["label_value"], n)
    refuse("goal", goal, (goal >= -1) & (goal < n), _index(n))
    gaps = {"setting": "where left alone", "outcome": "if unseen", "returns": "if unknown",
            "oracle_return": "if unknown", "random_return": "if unknown"}  # fmt: skip
    for name, gap in gaps.items():
        refuse(name, found[name], ~np.isinf(found[name]), f"give finite numbers, NaN {gap}")
    for j, levels in enumerate(origin.levels or ()):
        for name in ("setting", "outcome") if levels is not None else ():
            codes = found[name][:, :, j]
            good = np.isnan(codes) | np.isin(codes, np.arange(len(levels or ())))
            remedy = f"{origin.variables[j]} has levels 0 to {len(levels or ()) - 1}"
            refuse(name, codes, good, remedy)
    if logits is not None:
        acted = ~np.isnan(found["setting"]).all(axis=2)
        refuse("action_logits", logits, logits != np.inf, "give finite numbers or -inf")
        known = ~np.isnan(logits) | ~acted[:, :, None]
        refuse("action_logits", logits, known, "give a number for every action of a step with one")


def _index(n: int) -> str:
    return f"give a variable from 0 to {n - 1}, or -1 for none"


def _check_knob(prefix: str, target: NDArray[Any], value: NDArray[Any], n: int) -> None:
    acted, finite = target >= 0, np.isfinite(value)
    refuse(f"{prefix}target", target, (target >= -1) & (target < n), _index(n))
    refuse(f"{prefix}value", value, finite | ~acted, "a variable is set to a finite number")
    refuse(f"{prefix}value", value, np.isnan(value) | acted, "NaN where no variable is set")


def from_knob(target: NDArray[np.int16], value: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    """The setting float32[B, S, n] in which `target`, if any, has the `value`."""
    setting = np.full((*target.shape, n), np.nan, np.float32)
    at = np.flatnonzero(target >= 0)
    setting.reshape(-1, n)[at, target.ravel()[at]] = value.ravel()[at]
    return setting


def to_knob(
    setting: NDArray[np.float32], variables: tuple[str, ...]
) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """The inverse of `from_knob`.

    Raises:
        UserError: several variables were set at once; names row, step and variables.
    """
    B, S, n = setting.shape
    at = np.flatnonzero(~np.isnan(setting))
    step, variable = np.divmod(at, n)
    twice = np.flatnonzero(step[1:] == step[:-1])
    if len(twice):
        row, of_row = divmod(int(step[twice[0]]), S)
        names = ", ".join(variables[i] for i in variable[step == step[twice[0]]])
        remedy = "set at once: what reads one variable a step cannot read this log; read `setting`"
        raise UserError(f"row {row}, column setting, step {of_row}", names, remedy)
    target, value = np.full(B * S, -1, np.int16), np.full(B * S, np.nan, np.float32)
    target[step], value[step] = variable, setting.reshape(-1)[at]
    return target.reshape(B, S), value.reshape(B, S)
