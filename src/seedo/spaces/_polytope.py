"""Points within linear constraints: feasibility and even sampling."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SWEEPS = 12
"""Moves of a chain between two of its points, per dimension."""
_CHAINS, _MOST_CHAINS = 64, 512
"""Chains at once, at least and at most: many points cost hardly more time than few."""


@dataclass(frozen=True, eq=False)
class Polytope:
    """All x, float64[K], with low <= x <= high, A x <= b and E x = e.

    Attributes:
        low, high: float64[K].
        above: (A float64[m, K], b float64[m]).
        equal: (E float64[q, K], e float64[q]).
        steps: float64[K], distance of possible values counted from `low`; 0: any.
    """

    low: Array
    high: Array
    above: tuple[Array, Array]
    equal: tuple[Array, Array]
    steps: Array

    def vertex(self, towards: Array) -> Array | None:
        """A possible point, float64[K], that lies furthest along a direction, float64[K], steps
        kept; None if no point is possible."""
        from scipy import optimize  # here, because it takes long to import

        # In units of steps, so that stepped knobs are whole numbers.
        unit = np.where(self.steps > 0, self.steps, 1.0)
        most = np.where(
            self.steps > 0, np.floor((self.high - self.low) / unit + 1e-9), self.high - self.low
        )
        constraints = []
        (a, b), (e, f) = self.above, self.equal
        if len(a):
            constraints.append(optimize.LinearConstraint(a * unit, -np.inf, b - a @ self.low))
        if len(e):
            # Totals of rounded parts need not be exact to the last bit.
            left, slack = f - e @ self.low, 1e-9 * np.maximum(np.abs(f), 1.0)
            constraints.append(optimize.LinearConstraint(e * unit, left - slack, left + slack))
        found = optimize.milp(
            -np.asarray(towards) * unit,
            constraints=constraints,
            bounds=optimize.Bounds(np.zeros(len(unit)), most),
            integrality=(self.steps > 0).astype(int),
        )
        if found.x is None:
            return None
        at: Array = self.low + unit * np.where(self.steps > 0, np.rint(found.x), found.x)
        return at

    def sample(self, count: int, rng: np.random.Generator) -> Array:
        """Points float64[count, K], evenly spread, steps not kept (hit and run; Smith 1984,
        Operations Research 32).

        Raises:
            ValueError: no point is possible.
        """
        corners = [self.vertex(d) for d in rng.normal(size=(2 * len(self.low) + 2, len(self.low)))]
        known = [corner for corner in corners if corner is not None]
        if not known:
            raise ValueError("no point is possible")
        chains = min(max(count, _CHAINS), _MOST_CHAINS)
        weights = rng.dirichlet(np.ones(len(known)), size=chains)
        x = weights @ np.array(known)
        free = self._free
        if not free.shape[1]:
            return np.repeat(x[:1], count, axis=0)
        found: list[Array] = []
        while sum(map(len, found)) < count:
            for _ in range(_SWEEPS * free.shape[1]):
                x = self._move(x, free, rng)
            found.append(x)
        return np.concatenate(found)[:count]

    def move(self, x: Array, by: Array) -> Array:
        """Points float64[M, K] moved by as much, float64[M, K], of a displacement as constraints
        and ends allow; where a point does not keep them, it stays."""
        free = self._free
        by = by @ free @ free.T
        _, most = self._reach(x, by)
        return x + by * np.clip(most, 0, 1)[:, None]

    @functools.cached_property
    def _free(self) -> Array:
        """float64[K, D]: orthonormal directions that change no equality."""
        from scipy.linalg import null_space  # here, because it takes long to import

        e = self.equal[0]
        free: Array = null_space(e) if len(e) else np.eye(len(self.low))
        return free

    def _move(self, x: Array, free: Array, rng: np.random.Generator) -> Array:
        direction = rng.normal(size=(len(x), free.shape[1])) @ free.T
        least, most = self._reach(x, direction)
        return x + direction * rng.uniform(least, np.maximum(most, least))[:, None]

    def _reach(self, x: Array, direction: Array) -> tuple[Array, Array]:
        """How far points may go back (<= 0) and forth (>= 0) along directions, float64[M] each."""
        a, b = self.above
        sides = np.concatenate([np.eye(len(self.low)), -np.eye(len(self.low)), a])
        room = np.concatenate([self.high, -self.low, b]) - x @ sides.T
        speed = direction @ sides.T
        room = np.maximum(room, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = room / speed
        moving = np.abs(speed) > 1e-12
        most = np.where(moving & (speed > 0), at, np.inf).min(axis=1)
        least = np.where(moving & (speed < 0), at, -np.inf).max(axis=1)
        return np.maximum(least, -1e6), np.minimum(most, 1e6)
