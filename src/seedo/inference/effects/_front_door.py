"""Front door through a yes/no mediator: shares that are no straight line in the cause."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from seedo.inference.checks import SHARE, added_terms
from seedo.inference.effects._estimate import Estimate
from seedo.inference.effects._paths import Rows, estimated, line

Array = NDArray[np.float64]

_STEPS = 50
_PRODUCT = "mediator times cause"


def front_door_of_shares(
    rows: Rows, cause: str, outcome: str, mediator: str, start: float, end: float
) -> Estimate | str:
    """Change of the mean outcome between two settings of the cause; a clause why there is none.

    sum over m of P(m | x) times the mean over all x' of E[outcome | m, x'] (Pearl 1995, eq. 13),
    P(m | x) logistic, E[outcome | m, x'] with a slope of its own in x' for each m; error by the
    delta method.

    Args:
        rows: complete rows; the mediator 0 or 1.
        cause: name.
        outcome: name.
        mediator: name.
        start: setting of the cause.
        end: setting it is compared with.
    """
    x, m = rows.columns[cause], rows.columns[mediator]
    spread = float(x.std()) or 1.0
    matrix = rows.matrix([cause])
    beta, share = np.zeros(2), np.full(rows.count, 0.5)
    inverse = np.eye(2)
    for _ in range(_STEPS):
        share = expit(matrix @ beta)
        bend = rows.weight * share * (1 - share)
        inverse = np.linalg.pinv(matrix.T @ (bend[:, None] * matrix), hermitian=True)
        step = inverse @ (matrix.T @ (rows.weight * (m - share)))
        beta = beta + np.clip(step, -5, 5)
        if float(np.abs(step).max()) < 1e-9:
            break
    else:
        return f"{mediator} is yes on one side of some {cause} and no on the other"
    standard = (x - x.mean()) / spread
    if len(np.unique(x)) > 2:
        extra = np.stack([standard**2, standard**3], axis=1)
        p_value = added_terms(m - share, matrix, extra, share * (1 - share), rows.weight,
                              rows.clusters, known=True)  # fmt: skip
        if p_value < SHARE["curvature"]:
            return f"{mediator} is no logistic curve in {cause} (p = {p_value:.2g})"
    centred = x - np.average(x, weights=rows.weight)
    more = Rows({**rows.columns, _PRODUCT: m * centred}, rows.clusters, rows.weight)
    after = line(more, outcome, [mediator, cause, _PRODUCT])
    # Centred: the coefficient is the mean over x', whose own mean is estimated too.
    b, product = after.coefficients[mediator], after.coefficients[_PRODUCT]
    of_b = after.influence[mediator] + product * centred / float(rows.weight.sum())
    points = np.array([[1.0, start], [1.0, end]])
    shares = expit(points @ beta)
    a = float(shares[1] - shares[0])
    slope = (shares * (1 - shares))[:, None] * points
    of_a = (m - share)[:, None] * (matrix @ inverse) @ (slope[1] - slope[0])
    how = f"front door through {mediator}, its share logistic in {cause}"
    return estimated(rows, a * b, of_a * b + a * of_b, 6, how)
