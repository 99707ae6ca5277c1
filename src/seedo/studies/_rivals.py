"""Other packages asked the questions of `calibration`, where they are installed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy.stats import norm

from seedo.inference import KnownGraph
from seedo.studies._calibration_samples import Sample
from seedo.studies._textbook import Interval

_Z = float(norm.ppf(0.975))
NOTHING: Interval = (np.nan, np.nan, np.nan)
"""Of a package that has no answer to a question."""


def _rows(sample: Sample) -> dict[str, Any]:
    """Columns of the rows without a gap: what all three packages take."""
    values = sample.table.values[sample.table.complete]
    return dict(zip(sample.table.variables, values.T, strict=True))


def _graph(sample: Sample) -> KnownGraph:
    """The one given, or that of a trial: the cause, and all else that is measured, act on y."""
    if sample.graph is not None:
        return sample.graph
    names = sample.table.variables
    return KnownGraph(names, frozenset((name, "y") for name in names if name != "y"))


def _has_common_cause(known: KnownGraph) -> bool:
    """Whether something measured moves both d and y."""
    parents = [{cause for cause, effect in known.directed if effect == name} for name in "dy"]
    return bool(parents[0] & parents[1])


def by_dowhy(sample: Sample) -> Interval:
    """DoWhy: its linear regression over the back door, or its instrument."""
    import dowhy
    import networkx as nx
    import pandas as pd

    known = _graph(sample)
    arrows: nx.DiGraph = known.to_networkx()
    for one, other in known.bidirected:
        arrows.add_edges_from([("hidden", one), ("hidden", other)])
    low, high = sample.settings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = dowhy.CausalModel(pd.DataFrame(_rows(sample)), "d", "y", graph=arrows)
        estimand = model.identify_effect(proceed_when_unidentifiable=True)
        way = "iv.instrumental_variable" if known.bidirected else "backdoor.linear_regression"
        found = model.estimate_effect(
            estimand, method_name=way, control_value=low, treatment_value=high
        )
        if not _has_common_cause(known):
            # Its intervals are then a bootstrap that takes a minute a table.
            return float(found.value), np.nan, np.nan
        ends = np.ravel(found.get_confidence_intervals())
    return float(found.value), float(ends[0]), float(ends[1])


def by_econml(sample: Sample) -> Interval:
    """EconML: linear double machine learning, with splines of the covariate where there is one."""
    from econml.dml import LinearDML
    from econml.iv.dml import OrthoIV
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer

    rows, (low, high) = _rows(sample), sample.settings

    def bent() -> Any:
        return make_pipeline(SplineTransformer(5), LinearRegression())

    if _graph(sample).bidirected:
        flat = {f"model_{part}_xw": LinearRegression() for part in "ytz"}
        iv = OrthoIV(random_state=0, **flat)
        iv.fit(rows["y"], rows["d"], Z=rows["z"], W=np.zeros((len(rows["y"]), 1)))
        found = iv.ate_inference(T0=low, T1=high)
    else:
        model = LinearDML(model_y=bent(), model_t=bent(), random_state=0)
        beside = rows["z"][:, None] if "z" in rows else np.zeros((len(rows["y"]), 1))
        model.fit(rows["y"], rows["d"], W=beside)
        found = model.ate_inference(T0=low, T1=high)
    ends = found.conf_int_mean()
    return float(found.mean_point), float(ends[0]), float(ends[1])


def by_antecedent(sample: Sample) -> Interval:
    """Antecedent: what it takes by itself for the graph.

    It publishes no interval for an average effect; this one is 1.96 of its errors. Its instruments
    are refused where the graph says that cause and outcome share a hidden cause, so the graph is
    given without it.
    """
    import antecedent

    known, (low, high) = _graph(sample), sample.settings
    query = antecedent.AverageEffect("d", "y", control_level=low, active_level=high)
    options = {"identifier": "iv", "estimator": "iv.2sls"} if known.bidirected else {}
    found = antecedent.analyze(
        _rows(sample), graph=sorted(known.directed), query=query, refute="none", **options
    )
    value, error = found.estimate.ate, found.estimate.se_analytic
    return float(value), float(value - _Z * error), float(value + _Z * error)


RIVALS: dict[str, Callable[[Sample], Interval]] = {
    "dowhy": by_dowhy,
    "econml": by_econml,
    "antecedent": by_antecedent,
}


def installed() -> dict[str, Callable[[Sample], Interval]]:
    """Those of `RIVALS` that can be asked here."""
    return {name: method for name, method in RIVALS.items() if find_spec(name) is not None}
