"""Random halves of the rows: do they say the same?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from seedo.inference.refuters._refutation import LEVEL, Refutation, about, judged
from seedo.inference.refuters._subject import NORMAL, Subject

_APART = 1.15
"""Halves may differ by so many times what their intervals say: rows as they are have a spread of
their own, which is that of their intervals on average only."""


def halves(
    subject: Subject, times: int, rng: np.random.Generator, step: Callable[[], None]
) -> Refutation:
    """Random halves of the units: do they differ by more than their intervals allow?

    Args:
        subject: what is refuted.
        times: how many pairs of halves.
        rng: of the halves.
        step: called after each half.
    """
    name = "random halves"
    apart: dict[str, list[float]] = {one.name: [] for one in subject.figures}
    for _ in range(times):
        first, second = _split(subject, rng)
        one = subject.matched(subject.again(subject.table.take(first)))
        step()
        other = subject.matched(subject.again(subject.table.take(second)))
        step()
        for key in one.keys() & other.keys():
            error = float(np.hypot(one[key].error, other[key].error))
            if error > 0:
                apart[key].append((one[key].value - other[key].value) / error)
    counted = {key: np.array(own) for key, own in apart.items() if len(own) >= times / 2}
    if not counted:
        line = f"halves of {subject.units} {subject.word} are too small for an answer of their own"
        return Refutation(name, "no power", f"{name}: {line}", {"times": times})
    size = {key: float(np.sqrt(np.mean(own**2))) for key, own in counted.items()}
    worst = max(size, key=lambda key: size[key])
    beyond = float(np.mean(np.abs(counted[worst]) > NORMAL))
    numbers = {"times": len(counted[worst]), "difference_in_errors": size[worst],
               "beyond": beyond, "of": worst}  # fmt: skip
    line = (
        f"{about(worst)}{len(counted[worst])} pairs of halves of the {subject.word} differ by "
        f"{size[worst]:.2f} times what their intervals say, {beyond:.1%} of them beyond these "
        "(5 % by chance)"
    )
    pairs = len(counted[worst])
    p = float(chdtrc(pairs, pairs * (size[worst] / _APART) ** 2)) * len(counted)
    why = "the answer hangs on few rows, or intervals are too short"
    return judged(name, line, p < LEVEL, why, subject.too_few, numbers)


def _split(
    subject: Subject, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of two halves of the units, each stratum halved."""
    used = np.flatnonzero(subject.strata >= 0)
    unit = subject.unit
    first = np.unique(unit, return_index=True)[1]
    own = subject.strata[used][first]
    order = np.lexsort((rng.random(len(first)), own))
    chosen = np.zeros(len(first), np.bool_)
    chosen[order[int(rng.integers(2)) :: 2]] = True
    mine = chosen[unit]
    return used[mine], used[~mine]
