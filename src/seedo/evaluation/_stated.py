"""Arrows that players stated before their first scored action, scored beside floor and ceiling."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.evaluation._arrows import score_structures
from seedo.evaluation._information import EPISODES
from seedo.inference.exact import Arrows, bayes_supported
from seedo.statistics import Cluster, Estimate, clusters_of, mean, missing, proportion, share_of
from seedo.worlds import kind_of

DEFINITIONS: dict[str, str] = {
    "arrows F1": "F1 of the arrows that a player stated, asked before its first scored action"
    " (condition `structure`), against the system's: 2 hits / (stated + there are), mean over"
    " episodes; one without a valid answer counts 0.",
    "arrows by chance": "the expected F1 of as many random arrows in the same episodes.",
    "arrows of the exact posterior": "F1 of the arrows more likely than not given the same"
    " experiments: of any player's, asked or not.",
}

NOT_ASKED = "arrows were not asked for"
_NOT_KEPT = "arrows were asked for, but an older log does not keep the answers"


@dataclass(frozen=True)
class Stated:
    """Of one run, F1 of whole episodes; see `DEFINITIONS`.

    Attributes:
        answered: share of episodes with a valid answer.
        skeleton: of linked pairs, whichever way.
        compelled: of what endless repetition could tell, where there is any; see `identifiable`.
        chance, exact: the directed F1 of random arrows, and of the exact posterior.
    """

    answered: Estimate
    directed: Estimate
    skeleton: Estimate
    compelled: Estimate
    chance: Estimate
    exact: Estimate

    @classmethod
    def unknown(cls, reason: str) -> Stated:
        """Nothing, and why."""
        none = missing(reason)
        return cls(none, none, none, none, none, none)


def stated(
    batch: EpisodeBatch, lines: Sequence[dict[str, Any]], wanted: bool
) -> tuple[Stated, NDArray[np.float64]]:
    """What a run stated, and the directed F1 of each episode, float64[B], NaN where nobody asked.

    Args:
        batch: the log.
        lines: its conversations.
        wanted: whether its players were asked, as far as its job says.
    """
    nothing = np.full(batch.rows, np.nan)
    if kind_of(batch.origin.world, batch.origin.world_config).family != "dag":
        return Stated.unknown(f"world {batch.origin.world} has no arrows to state"), nothing
    answers = {line["episode"]: line["answers"]["arrows"] for line in lines
               if "arrows" in line["answers"]}  # fmt: skip
    asked = np.isin(batch.episode_id, list(answers))
    some = np.flatnonzero(asked) if asked.any() else np.arange(min(batch.rows, EPISODES))
    part = batch.take(some)
    told = [_arrows(answers.get(i), batch.n) for i in part.episode_id.tolist()]
    if isinstance(wrong := next((t for t in told if isinstance(t, str)), None), str):
        return Stated.unknown(wrong), nothing
    try:
        report = score_structures(part, [t for t in told if not isinstance(t, str)])
    except UserError as error:
        return Stated.unknown(str(error)), nothing
    except (ValueError, KeyError, TypeError, RecursionError):
        return Stated.unknown("column system: no usable 'weights'"), nothing
    people = clusters_of(part.participant)
    exact = _mean(report.bayes[:, 1], people, _unsupported(batch))
    if not asked.any():
        return replace(Stated.unknown(_NOT_KEPT if wanted else NOT_ASKED), exact=exact), nothing
    valid = np.array([t is not None for t in told])
    # Who says nothing valid has said nothing right.
    player, floor = (np.where(valid[:, None], s, 0.0) for s in (report.player, report.floor))
    found = Stated(
        proportion(valid, people),
        _mean(player[:, 1], people),
        _mean(player[:, 0], people),
        _mean(player[:, 2], people, "no episode in which any arrow could be told"),
        _mean(floor[:, 1], people),
        exact,
    )
    nothing[some] = player[:, 1]
    return found, nothing


def _mean(values: NDArray[np.float64], people: Cluster | None, why: str = "") -> Estimate:
    found = mean(values, people)
    if found.value is None and why:
        return missing(why)
    if found.low is None or found.high is None:
        return found
    if found.low == found.high:  # the same in every episode: not certain for that
        known = np.isfinite(values)
        return share_of(np.where(known, values, 0.0), known, people)
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))


def _unsupported(batch: EpisodeBatch) -> str:
    return bayes_supported(json.loads(batch.origin.world_config)) or ""


def _arrows(answer: Any, n: int) -> Arrows | str | None:
    """An answer of a log, which anybody may have written; or what is wrong with it."""
    if answer is None:
        return None
    pairs = answer if isinstance(answer, list) else [answer]
    for pair in pairs:
        whole = isinstance(pair, list) and len(pair) == 2 and all(type(i) is int for i in pair)
        if not whole or pair[0] == pair[1] or not all(0 <= i < n for i in pair):
            return "the answers in its conversations are no arrows of this world"
    return frozenset((a, b) for a, b in pairs)
