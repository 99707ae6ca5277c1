"""Scores of players some of whom are people, on systems that several of them met: a mixed model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, stats

from seedo.errors import UserError
from seedo.statistics._intervals import LEVEL, Estimate
from seedo.statistics._random_parts import fit_random_parts

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

FEWEST = 5
"""People of each player that is people, and systems: with fewer the spread is hardly known."""
MOST = 4000
"""Scores: what is worked with has so many rows and columns."""
NOBODY = -1
"""Code of the person of a score that is no person's."""
_ZERO = 1e-6  # a variance below this share of the scores' own counts as none


@dataclass(frozen=True, eq=False)
class CrossedScores:
    """A linear mixed model of scores, fitted by REML.

    Attributes:
        model: what was fitted, in words.
        spread: standard deviations of the random parts and of what is left, in the scores' unit.
        level: float64[players], means over people and systems like these.
        covariance: float64[players, players] of the levels.
    """

    model: str
    spread: Mapping[str, float]
    level: Array
    covariance: Array
    _slopes: Array  # [parts, players, players]: of the covariance, by variance
    _sampling: Array  # [parts, parts]: covariance of the variances
    n: int

    def of(self, player: int) -> Estimate:
        """The level of a player."""
        return self._told(np.eye(len(self.level))[player])

    def difference(self, first: int, second: int) -> Estimate:
        """The level of one player less that of another."""
        each = np.eye(len(self.level))
        return self._told(each[first] - each[second])

    def _told(self, contrast: Array) -> Estimate:
        """With Student's t interval, Satterthwaite's degrees of freedom: 2 v^2 / var(v) for the
        variance v of the contrast."""
        value, v = float(contrast @ self.level), float(contrast @ self.covariance @ contrast)
        slope = np.einsum("i,kij,j->k", contrast, self._slopes, contrast)
        of_v = float(slope @ self._sampling @ slope)
        free = 2 * v**2 / of_v if of_v > 0 else np.inf
        half = float(stats.t.ppf((1 + LEVEL) / 2, max(free, 1.0))) * math.sqrt(v)
        return Estimate(value, value - half, value + half, self.n)


def crossed_scores(
    score: Array, player: Codes, person: Codes, system: Codes
) -> CrossedScores | str:
    """Fits score = player + person + system + player x system + the rest.

    Players are fixed; the others are random and normal, people's own level only in people's
    scores. A random part is left out where nothing is repeated that would tell it from the rest:
    persons with one score each, systems met once, players with one score a system. So intervals are
    about other people, and other systems, of the kind. Fitted with statsmodels' `MixedLM`.

    Args:
        score: float64[N], finite.
        player: int64[N], 0 to P - 1, each of them there.
        person: int64[N], `NOBODY` for players that are no people.
        system: int64[N].

    Returns:
        The model, or why there is none, in a line.

    Raises:
        UserError: a score that is not finite.
    """
    if not np.isfinite(score).all():
        raise UserError("score", float(score[~np.isfinite(score)][0]), "give finite scores")
    if (reason := _too_few(player, person, system)) or len(score) > MOST:
        return reason or f"{len(score):,} episodes: the mixed model takes up to {MOST:,}"
    if score.std() == 0:
        return "all scores are alike"
    parts = _random_parts(player, person, system)
    x = np.eye(int(player.max()) + 1)[player]
    # In their own spread, so that the optimiser's steps fit whatever the scores are counted in.
    unit = float(score.std())
    variances = _variances(score / unit, x, parts)
    if variances is None:
        return "the mixed model did not converge"
    own, rest = variances
    kept = {name: z for name, z in parts.items() if own[name] > _ZERO}
    v = rest * np.eye(len(score)) + sum((own[n] * z @ z.T for n, z in kept.items()), np.zeros(1))
    factor = linalg.cho_factor(v)
    solved = linalg.cho_solve(factor, np.column_stack([x, np.eye(len(score))]))
    vx, inverse = solved[:, : x.shape[1]], solved[:, x.shape[1] :]
    covariance = linalg.inv(x.T @ vx)
    level = covariance @ (vx.T @ score)
    projected = inverse - vx @ covariance @ vx.T
    designs = [*kept.values(), np.eye(len(score))]
    halves = [z.T @ projected for z in designs]
    information = np.array(
        [[0.5 * float(((half @ z) ** 2).sum()) for z in designs] for half in halves]
    )
    toward = [z.T @ vx @ covariance for z in designs]
    return CrossedScores(
        model=_in_words(parts),
        spread={name: unit * math.sqrt(max(own[name], 0.0)) for name in parts}
        | {"rest": unit * math.sqrt(rest)},
        level=level,
        covariance=covariance * unit**2,
        _slopes=np.stack([t.T @ t for t in toward]) * unit**2,
        _sampling=linalg.pinvh(information),
        n=len(score),
    )


def _too_few(player: Codes, person: Codes, system: Codes) -> str:
    if (person == NOBODY).all():
        return "no people"
    for code in np.unique(player[person != NOBODY]).tolist():
        if (people := len(np.unique(person[player == code]))) < FEWEST:
            return f"{people} people under one name: a mixed model needs {FEWEST}"
    if (systems := len(np.unique(system))) < FEWEST:
        return f"{systems} systems: a mixed model needs {FEWEST}"
    if len(np.unique(player)) < 2:
        return "one player alone: nobody to compare with"
    return ""


def _random_parts(player: Codes, person: Codes, system: Codes) -> dict[str, Array]:
    """The design of each random part that can be told from the rest."""
    found = {}
    for name, codes in (
        ("person", person),
        ("system", system),
        ("player x system", player * (int(system.max()) + 1) + system),
    ):
        known, at = np.unique(codes, return_inverse=True)
        z = np.eye(len(known))[at][:, known != NOBODY]
        if z.shape[1] < z.sum():
            found[name] = z
    return found


def _variances(
    y: Array, x: Array, parts: Mapping[str, Array]
) -> tuple[dict[str, float], float] | None:
    """By part, and of the rest; None where they are not found."""
    from statsmodels.regression.linear_model import OLS

    if not parts:
        return {}, float(OLS(y, x).fit().scale)
    fitted = fit_random_parts(y, x, parts)
    if fitted is None:
        return None
    own = dict(zip(fitted.model.exog_vc.names, map(float, fitted.vcomp), strict=True))
    rest = float(fitted.scale)
    if not np.isfinite([rest, *own.values()]).all() or rest <= 0:
        return None
    return own, rest


def _in_words(parts: Mapping[str, Array]) -> str:
    if not parts:
        return "least squares: nobody and nothing is met twice"
    return f"linear mixed model by REML, random intercepts: {', '.join(parts)}"
