"""Linear mixed models whose random parts are crossed, by REML."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def fit_random_parts(y: Array, x: Array, parts: Mapping[str, Array]) -> Any:
    """statsmodels' results of `MixedLM` by REML (Powell's method); None where it fails, or does not
    converge.

    Args:
        y: float64[N].
        x: float64[N, P], of the fixed part.
        parts: by name, float64[N, k], the design of each random part; at least one.

    Raises:
        ImportError: statsmodels is not installed.
    """
    from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

    labels = [[[str(i) for i in range(z.shape[1])]] for z in parts.values()]
    spec = VCSpec(list(parts), labels, [[z] for z in parts.values()])
    try:
        with warnings.catch_warnings():
            # A variance of 0 is on the boundary, and said to be; it is a good answer here.
            warnings.simplefilter("ignore")
            fitted = MixedLM(y, x, np.ones(len(y)), exog_vc=spec).fit(method=["powell"])
    except (np.linalg.LinAlgError, ValueError, FloatingPointError):
        return None
    return fitted if fitted.converged else None
