"""Stated arrows scored against the system, with floor and ceiling."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EXPLOIT, EpisodeBatch
from seedo.errors import UserError
from seedo.inference.exact import Arrows, bayes_supported, edge_probabilities, likely_arrows
from seedo.inference.graphs import essential_graph

# -- scores ---------------------------------------------------------------------------------------


class Identifiable(NamedTuple):
    """What endless repetition of the same interventions could tell about a system's arrows.

    Attributes:
        compelled: bool[n, n] (cause, effect), arrows that could be told.
        scored: bool[n, n], symmetric: pairs of which could be told whether there is an arrow, and
            which way it points.
    """

    compelled: NDArray[np.bool_]
    scored: NDArray[np.bool_]


class StructureScores(NamedTuple):
    """F1 = 2 hits / (arrows stated + arrows there are); 1 where there are none of either.

    Attributes:
        skeleton: of pairs that are linked, whichever way.
        directed: of arrows.
        compelled: of arrows, over the pairs of `Identifiable.scored` alone; NaN without any.
    """

    skeleton: float
    directed: float
    compelled: float


def identifiable(adjacency: NDArray[np.bool_], targets: Sequence[int]) -> Identifiable:
    """What is compelled in the interventional essential graph (Hauser & Bühlmann 2012, JMLR 13).

    That graph is what independences alone can tell. Whoever knows that all noise has one variance,
    as our exact reader does, can tell more (Peters & Bühlmann 2014, Biometrika 101).

    Args:
        adjacency: bool[n, n] (cause, effect), the system.
        targets: of every row seen, -1 where nothing was set.
    """
    n, kinds = len(adjacency), {int(t) for t in targets}
    adjacency = np.array(adjacency, np.bool_)
    apart = ~np.eye(n, dtype=np.bool_)
    if not kinds:
        return Identifiable(np.zeros((n, n), np.bool_), np.zeros((n, n), np.bool_))
    always = kinds.pop() if len(kinds) == 1 else -1
    if always >= 0:  # set in every row: nothing shows what else would move it
        adjacency[:, always] = False
    sets = [frozenset([t]) for t in (kinds | {always}) if t >= 0]
    directed, undirected = essential_graph(adjacency, sets)
    scored = apart & ~undirected
    if always >= 0:
        scored[always] &= directed[always]
        scored[:, always] &= directed[always]
    return Identifiable(directed, scored)


def structure_scores(
    arrows: Collection[tuple[int, int]],
    adjacency: NDArray[np.bool_],
    known: Identifiable,
    relevant: NDArray[np.bool_] | None = None,
) -> StructureScores:
    """Scores of stated arrows against a system; pairs with an irrelevant variable do not count."""
    stated = np.zeros_like(adjacency, np.bool_)
    for cause, effect in arrows:
        stated[cause, effect] = True
    true, among = _among(adjacency, relevant)
    scored, compelled = known.scored & among, known.compelled & among
    stated &= among
    return StructureScores(
        _f1((stated & (true | true.T)).sum(), stated.sum(), true.sum()),
        _f1((stated & true).sum(), stated.sum(), true.sum()),
        _f1((stated & compelled).sum(), (stated & scored).sum(), compelled.sum())
        if scored.any()
        else math.nan,
    )


def random_scores(
    size: int,
    adjacency: NDArray[np.bool_],
    known: Identifiable,
    relevant: NDArray[np.bool_] | None = None,
) -> StructureScores:
    """Expected scores of `size` arrows at random, in closed form: the floor.

    Different pairs, all equally likely, either direction equally likely: so are arrows along a
    random order of the variables, which has no cycle. Of N pairs, K are linked; stated and true
    counts being fixed, F1 is linear in the hits, whose mean is size K / N (half of that, directed).
    Over scored pairs alone the number stated is hypergeometric too, hence a sum.
    """
    true, among = _among(adjacency, relevant)
    pairs, links = int(among.sum()) // 2, int(true.sum())
    if not 0 <= size <= pairs:
        raise UserError("arrows", size, f"use a whole number from 0 to {pairs}")
    scored, compelled = int((known.scored & among).sum()) // 2, int((known.compelled & among).sum())
    hits = size * links / pairs
    total = 0.0
    for inside in range(max(0, size - (pairs - scored)), min(size, scored) + 1):
        ways = math.comb(scored, inside) * math.comb(pairs - scored, size - inside)
        total += ways * _f1(inside * compelled / (2 * scored) if scored else 0, inside, compelled)
    return StructureScores(
        _f1(hits, size, links),
        _f1(hits / 2, size, links),
        total / math.comb(pairs, size) if scored else math.nan,
    )


def _among(
    adjacency: NDArray[np.bool_], relevant: NDArray[np.bool_] | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The true arrows and all ordered pairs, among relevant variables."""
    n = len(adjacency)
    kept = np.ones(n, np.bool_) if relevant is None else np.asarray(relevant, np.bool_)
    among = kept[:, None] & kept[None, :] & ~np.eye(n, dtype=np.bool_)
    return np.asarray(adjacency, np.bool_) & among, among


def _f1(hits: float, stated: float, true: float) -> float:
    return float(2 * hits / (stated + true)) if stated + true else 1.0


# -- whole logs -----------------------------------------------------------------------------------


class StructureReport(NamedTuple):
    """Scores float[B, 3] of each episode: columns as in `StructureScores`.

    Attributes:
        player: NaN where no valid answer was given.
        floor: of as many arrows at random.
        bayes: of `likely_arrows` on the same rows; NaN where the world has no exact posterior.
    """

    player: NDArray[np.float64]
    floor: NDArray[np.float64]
    bayes: NDArray[np.float64]


def score_structures(batch: EpisodeBatch, arrows: Sequence[Arrows | None]) -> StructureReport:
    """Stated arrows of every episode against the systems in the log, with floor and ceiling.

    Args:
        batch: of world `dag`, with systems.
        arrows: one entry an episode; None: no valid answer.

    Raises:
        UserError: no systems in the log, or its episodes differ in how many variables matter.
    """
    if batch.system is None:
        raise UserError("log", None, "it has no systems: perform writes them")
    seen = (batch.phase != EXPLOIT)[:, :, None]
    outcome = np.where(seen, batch.outcome, np.nan)
    config = json.loads(batch.origin.world_config)
    probability = None
    if bayes_supported({**config, "relevant": int(batch.mask[0].sum())}) is None:
        probability = edge_probabilities(config, outcome, batch.target, batch.mask)
    player, floor, bayes = np.full((3, batch.rows, 3), np.nan)
    for row, stated in enumerate(arrows):
        weights = np.asarray(json.loads(batch.system[row])["weights"])[: batch.n, : batch.n]
        adjacency, relevant = weights != 0, batch.mask[row]
        targets = batch.target[row][batch.phase[row] != EXPLOIT]
        known = identifiable(adjacency, targets.tolist())
        if probability is not None:
            exact = likely_arrows(probability[row])
            bayes[row] = structure_scores(exact, adjacency, known, relevant)
        if stated is not None:
            player[row] = structure_scores(stated, adjacency, known, relevant)
            floor[row] = random_scores(len(stated), adjacency, known, relevant)
    return StructureReport(player, floor, bayes)
