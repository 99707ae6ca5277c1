"""What the log of world `dag` says beside what was seen: systems, and explanations."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from seedo.errors import UserError
from seedo.worlds._spec import Spec


def effects_told(played: Any, spec: Spec) -> list[list[str]]:
    """A line for every variable that moves another by 0.05 or more: `A: B=0.5 C=-1.2`."""
    if played.task.expected.ndim > 4:
        raise UserError("explain", "effects", "they drift from round to round: use graph or none")
    names, do_values = spec.variables, spec.do_values
    low, high = int(np.argmin(do_values)), int(np.argmax(do_values))
    slope = (played.task.expected[:, :, high] - played.task.expected[:, :, low]) / max(
        do_values[high] - do_values[low], 1e-9
    )
    if spec.sizes:
        slope = slope / np.asarray(spec.sizes)[:, None]
    silent = [""] * (played.target.shape[1] - 1)
    texts = []
    for effects in np.round(slope.astype(np.float64), 1) + 0.0:
        lines = []
        for cause, row in enumerate(effects):
            moved = [f"{names[j]}={x:.1f}" for j, x in enumerate(row) if x and j != cause]
            if moved:
                lines.append(f"{names[cause]}: {' '.join(moved)}")
        texts.append([*silent, "\n".join(lines)])
    return texts


def graphs_told(played: Any, names: tuple[str, ...]) -> list[list[str]]:
    """The edges of each system at the last step: `A->B B->C`."""
    n, silent = len(names), [""] * (played.target.shape[1] - 1)
    edges = played.task.system.weights[:, :n, :n] != 0
    texts: list[list[str]] = [[] for _ in range(len(edges))]
    for episode, cause, effect in zip(*np.nonzero(edges), strict=True):
        texts[episode].append(f"{names[cause]}->{names[effect]}")
    return [[*silent, " ".join(text)] for text in texts]


def describe_systems(system: Any, expected: Any, mechanism: str) -> list[str]:
    """Systems as the JSON text of a log; all arrays have a leading episode axis.

    Of systems that drift, `expected` has an entry for every round, `weights` are those of the
    first, and `second_weights` those that they turn to; see `worlds.DagConfig`, drift.
    """

    def short(array: np.ndarray) -> list[Any]:
        return np.round(array.astype(np.float64), 6).tolist()

    columns = (system.weights, system.noise_scale, expected)
    texts = [
        {"weights": weights, "noise_scale": noise, "mechanism": mechanism, "expected": expected}
        for weights, noise, expected in zip(*map(short, columns), strict=True)
    ]
    if system.second is not None:
        for text, second in zip(texts, short(system.second), strict=True):
            text["second_weights"] = second
    return [json.dumps(text, separators=(",", ":")) for text in texts]
