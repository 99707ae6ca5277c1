"""Families of named levels whose parents have named levels too: a table of shares for each.

Shares of the child's r levels, for each of q combinations of the parents' levels, are Dirichlet
with alpha / (r q) a level (BDeu; Heckerman, Geiger & Chickering 1995, Mach. Learn. 20:197, eq. 35),
so that graphs that no observation can tell apart score the same:

    log p(y | S) = sum_j [ log G(alpha/q) - log G(alpha/q + N_j)
                           + sum_k ( log G(alpha/(rq) + N_jk) - log G(alpha/(rq)) ) ].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

EQUIVALENT_ROWS = (1.0, 2.0, 5.0, 10.0, 20.0)
"""alpha, the rows that the prior may be worth: much hangs on it (Silander, Kontkanen & Myllymäki,
UAI 2007), so the table chooses one for all its variables."""


@dataclass(frozen=True, eq=False)
class LevelFamily:
    """One child of named levels and its rows.

    Attributes:
        codes: int64[N, n], positions of the levels of all variables in the child's own rows; those
            of variables without named levels are never looked at.
        counts: int64[n], how many levels each variable has.
        child: its position.
        alpha: rows that the prior is worth.
    """

    codes: NDArray[np.int64]
    counts: NDArray[np.int64]
    child: int
    alpha: float

    def evidence(self, parents: NDArray[np.int64]) -> NDArray[np.float64]:
        """Log marginal likelihood of parent sets of one size, int64[M, p]; float64[M]."""
        return np.array([self._one(row) for row in parents])

    def _one(self, parents: NDArray[np.int64]) -> float:
        levels = int(self.counts[self.child])
        joint, combinations = np.zeros(len(self.codes), np.int64), 1.0
        size = 1
        for parent in parents:
            joint = joint * self.counts[parent] + self.codes[:, parent]
            combinations *= float(self.counts[parent])
            size *= int(self.counts[parent])
            if size > 4 * len(joint) + 64:  # few of the combinations occur: number those
                joint = np.unique(joint, return_inverse=True)[1].ravel()
                size = int(joint.max()) + 1 if len(joint) else 1
        table = np.bincount(joint * levels + self.codes[:, self.child], minlength=size * levels)
        table = table.reshape(size, levels)
        rows = table.sum(1)
        table, rows = table[rows > 0], rows[rows > 0]
        share = self.alpha / combinations
        cell = share / levels
        inner = gammaln(cell + table) - gammaln(cell)
        return float(inner.sum() + (gammaln(share) - gammaln(share + rows)).sum())
