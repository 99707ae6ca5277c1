"""Deterministic machines: which objects, together or alone, make one go."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Machine:
    """A rule: the machine goes if all of its blickets (`together`), or any, lie on it."""

    blickets: tuple[int, ...]
    together: bool

    def goes(self, laid: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """bool[...] of bool[..., objects] that lie on it."""
        mine = laid[..., list(self.blickets)]
        return np.asarray(mine.all(axis=-1) if self.together else mine.any(axis=-1))


def every_machine(objects: int, fewest: int = 1, most: int | None = None) -> list[Machine]:
    """Every rule on so many blickets; a rule of a single one is there once."""
    found = []
    for count in range(fewest, (objects if most is None else most) + 1):
        for some in combinations(range(objects), count):
            found += [Machine(some, together) for together in (False, True)[: min(count, 2)]]
    return found


def machine_likelihood(machines: list[Machine], settings: ArrayLike) -> NDArray[np.float64]:
    """float64[I, H, 2]: probability, 0 or 1, that the machine stays off, and that it goes.

    Args:
        settings: bool[I, objects], what lies on it.
    """
    laid = np.asarray(settings, np.bool_)
    goes = np.stack([machine.goes(laid) for machine in machines], axis=1)
    return np.stack([~goes, goes], axis=-1).astype(np.float64)
