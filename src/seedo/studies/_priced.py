"""Strategies and their value where experiments and operations have a price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.experimenters import parse_name
from seedo.statistics import proportion
from seedo.studies._estimates import resampled_means

EXACT, SAMPLED, HEURISTIC, NETWORK, NOTHING = (
    "exact Bayes", "sampled Bayes", "heuristic", "network", "nothing"
)  # fmt: skip
KINDS = (EXACT, SAMPLED, HEURISTIC, NETWORK, NOTHING)
_FINE = np.logspace(-7, 4, 661)  # prices of 10^6 operations at which a takeover may lie


_KINDS = {"scripted": HEURISTIC, "bayes": EXACT}


def kind_of(player: str) -> str:
    """Which of `KINDS` a player is, by its name; those of no listed kind are networks."""
    if player == NOTHING:
        return NOTHING
    kind, rest = parse_name(player)
    return SAMPLED if rest.startswith("sampled") else _KINDS.get(kind, NETWORK)


@dataclass(frozen=True, eq=False)
class Strategies:
    """S strategies on B episodes of one place: a player and how many experiments it makes.

    Attributes:
        players: of each strategy. experiments: int64[S]. operations: float64[S], of an episode.
        returns: float64[B, S], as shares of the mean omniscient return.
    """

    players: tuple[str, ...]
    experiments: NDArray[np.int64]
    operations: NDArray[np.float64]
    returns: NDArray[np.float64]

    @property
    def kinds(self) -> NDArray[np.str_]:
        return np.array([kind_of(player) for player in self.players])

    def costs(self, experiment: float, thinking: float) -> NDArray[np.float64]:
        """float64[S], what each pays an episode at these prices."""
        return experiment * self.experiments + thinking * self.operations / 1e6


def best_by_price(
    own: Strategies, experiment_prices: Sequence[float], thinking_prices: Sequence[float]
) -> list[dict[str, Any]]:
    """The best strategy at every pair of prices, and how far it leads.

    It and the best of another kind are picked on the even episodes; their figures come from the
    odd ones, so that they are not flattered by the picking.
    """
    picking, measuring = own.returns[::2].mean(0), own.returns[1::2]
    (draws,) = resampled_means([measuring])
    kinds = own.kinds
    found = []
    for experiment in experiment_prices:
        for thinking in thinking_prices:
            costs = own.costs(experiment, thinking)
            worth = picking - costs
            best = int(worth.argmax())
            rival = int(np.where(kinds == kinds[best], -np.inf, worth).argmax())
            lead = measuring[:, best] - measuring[:, rival] - (costs[best] - costs[rival])
            drawn = draws[:, best] - draws[:, rival] - (costs[best] - costs[rival])
            low, high = np.quantile(drawn, [0.025, 0.975])
            found.append({
                "experiment": experiment, "thinking": thinking,
                "player": own.players[best], "experiments": int(own.experiments[best]),
                "value": float(measuring[:, best].mean() - costs[best]),
                "rival": own.players[rival],
                "lead": {"value": float(lead.mean()), "low": float(low), "high": float(high),
                         "n": len(measuring)},
            })  # fmt: skip
    return found


def as_good(own: Strategies) -> dict[str, Any]:
    """Share of tasks in which the best heuristic does at least as well as exact Bayes.

    By number of experiments; the heuristic with the highest mean return on the even episodes, the
    share on the odd ones. Exact Bayes is `bayes:rotation`, whose experiments are not those of the
    heuristic, on the same system.
    """
    found = {}
    for after in sorted(set(own.experiments[own.kinds == HEURISTIC])):
        here = own.experiments == after
        heuristics = np.flatnonzero(here & (own.kinds == HEURISTIC))
        exact = [s for s in np.flatnonzero(here) if own.players[s] == "bayes:rotation"]
        if not exact:
            continue
        best = heuristics[own.returns[::2, heuristics].mean(0).argmax()]
        hits = own.returns[1::2, best] >= own.returns[1::2, exact[0]] - 1e-9
        found[str(after)] = proportion(hits).to_json()
    return found


def takeovers(
    found: Mapping[str, Strategies], experiment_prices: Sequence[float], pair: tuple[str, str]
) -> dict[str, Any]:
    """From which price of 10^6 operations on a heuristic is best, by place and experiment price.

    Intervals: the bootstrap over episodes. "ratio": that of the second place of the pair over that
    of the first, whose samples are independent; left out if either is missing.
    """
    values: dict[str, Any] = {}
    drawn: dict[tuple[str, float], NDArray[np.float64]] = {}
    middle: dict[tuple[str, float], float] = {}
    for seed, (place, own) in enumerate(found.items()):
        (draws,) = resampled_means([own.returns], seed)
        for price in experiment_prices:
            middle[place, price] = float(takeover(own, own.returns.mean(0)[None], price)[0])
            drawn[place, price] = takeover(own, draws, price)
            values.setdefault(place, {})[f"{price:g}"] = _interval(
                middle[place, price], drawn[place, price]
            )
    if all(place in found for place in pair):
        for price in experiment_prices:
            below, above = ((place, price) for place in pair)
            with np.errstate(invalid="ignore"):
                each = drawn[above] / drawn[below]
                own_ratio = float(np.float64(middle[above]) / middle[below])
            values.setdefault("ratio", {})[f"{price:g}"] = _interval(own_ratio, each)
    return values


def _interval(value: float, draws: NDArray[np.float64]) -> dict[str, Any]:
    """Null for what is beyond all prices, or undefined."""
    known = draws[~np.isnan(draws)]
    ends = np.quantile(known, [0.025, 0.975], method="nearest") if len(known) else [np.nan] * 2
    low, high = (float(end) if np.isfinite(end) else None for end in ends)
    if len(known) < len(draws):
        low = high = None
    return {"value": value if np.isfinite(value) else None, "low": low, "high": high}


def takeover(own: Strategies, means: NDArray[np.float64], experiment: float) -> NDArray[np.float64]:
    """The least price of 10^6 operations at which the best heuristic beats all who think more.

    Args:
        own: the strategies.
        means: float64[R, S], mean returns, in R samples.
        experiment: price of one experiment.

    Returns:
        float64[R], of the fixed grid 10^-7 to 10^4; infinity where by then playing at all is worth
        less than an action at random, or no heuristic ever leads.
    """
    kinds = own.kinds
    free = means - experiment * own.experiments
    nothing = free[:, kinds == NOTHING].max(1)

    def envelope(chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """float64[R, prices], the best of some at every price."""
        best = np.full((len(means), len(_FINE)), -np.inf)
        for s in np.flatnonzero(chosen):
            line = free[:, s, None] - _FINE * own.operations[s] / 1e6
            np.maximum(best, line, out=best)
        return best

    simple = envelope(kinds == HEURISTIC)
    others = envelope(~np.isin(kinds, (HEURISTIC, NOTHING)))
    ahead = (simple >= others) & (simple >= nothing[:, None])
    first = ahead.argmax(1)
    return np.where(ahead.any(1), _FINE[first], np.inf)
