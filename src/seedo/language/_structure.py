"""Which variable influences which: asked of a player in a strict form, and scored.

The form is one line, `arrows: dax>wug wug>fep` or `arrows: none`.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import networkx as nx
import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.inference import Rows, SubsetPosterior, bayes_supported, essential_graph
from seedo.language._names import Names
from seedo.language._reply import Malformed
from seedo.language._scene import Question
from seedo.play import Live
from seedo.worlds import EXPLOIT

Arrows = frozenset[tuple[int, int]]
"""Pairs (cause, effect) of variables; never a cycle."""

CANNOT = "I cannot answer that."
"""What those of our own players reply who hold no beliefs about arrows."""

_AT_ONCE = 64


# -- the question ---------------------------------------------------------------------------------


def arrows_question(episode: Live, names: Names) -> Question:
    """The question for a live episode; of our own players only `bayes:X` has an answer to it."""
    relevant = np.asarray(episode.task.relevant)
    about = "variable" if relevant.all() else "relevant variable"
    example = " ".join(
        f"{names.words[a]}>{names.words[b]}" for a, b in _example(names, relevant)
    )  # fmt: skip

    def own(player: str) -> str:
        config = episode.world.config()
        if not player.startswith("bayes:") or bayes_supported(config) is not None:
            return CANNOT
        target = np.array([[int(o.target) for o in episode.seen[1:]]])
        outcome = np.stack([o.outcome for o in episode.seen[1:]])[None] if target.size else None
        if outcome is None:
            outcome = np.zeros((1, 0, episode.world.spec.n), np.float32)
        probability = edge_probabilities(config, outcome, target, relevant[None])
        return write_arrows(likely_arrows(probability[0]), names)

    return Question(
        "arrows",
        f"Before you act: which {about} influences which directly? Reply with one line that lists "
        f"an arrow for each direct influence you believe in, for example\narrows: {example}\n"
        "or arrows: none. Do not act yet.",
        lambda line: read_arrows(line, names, relevant),
        own,
    )


def _example(names: Names, relevant: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Two arrows by the order of listing, which tells nothing."""
    listed = [i for i in names.order if relevant[i]]
    return list(itertools.pairwise(listed[:3]))


def read_arrows(line: str, names: Names, relevant: NDArray[np.bool_]) -> Arrows | Malformed:
    """What a line says; Malformed for anything but the strict form, strange names and cycles."""
    form = "Write arrows: NAME>NAME NAME>NAME, or arrows: none, and nothing else."
    head, colon, body = line.partition(":")
    said = body.split()
    if head.strip().casefold() != "arrows" or not colon or not said:
        return Malformed("not-an-answer", form)
    if [word.casefold() for word in said] == ["none"]:
        return frozenset()
    found: set[tuple[int, int]] = set()
    for word in said:
        ends = word.split(">")
        if len(ends) != 2 or not all(ends):
            return Malformed("not-an-answer", form)
        cause, effect = (names.index(end) for end in ends)
        if cause is None or effect is None:
            return Malformed("unknown-name", f"The variables are {' '.join(names.words)}.")
        if not (relevant[cause] and relevant[effect]):
            return Malformed("not-allowed", "Only relevant variables are asked about.")
        if (cause, effect) in found:
            return Malformed("not-an-answer", "Write every arrow once.")
        found.add((cause, effect))
    if not nx.is_directed_acyclic_graph(nx.DiGraph(list(found))):
        return Malformed("cycle", "Influence never runs in a circle.")
    return frozenset(found)


def write_arrows(arrows: Collection[tuple[int, int]], names: Names) -> str:
    """The line that `read_arrows` reads as these arrows, in the order in which names are listed."""
    rank = {variable: at for at, variable in enumerate(names.order)}
    ordered = sorted(arrows, key=lambda arrow: (rank[arrow[0]], rank[arrow[1]]))
    said = " ".join(f"{names.words[a]}>{names.words[b]}" for a, b in ordered)
    return f"arrows: {said or 'none'}"


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


# -- what the data say ----------------------------------------------------------------------------


def posterior_of(config: Mapping[str, Any], size: int) -> SubsetPosterior:
    """The exact posterior over `size` relevant variables of a world `dag` of this configuration.

    Raises:
        UserError: it is not exact for this world.
    """
    if (reason := bayes_supported({**config, "relevant": size})) is not None:
        raise UserError("world", config.get("preset", "dag"), reason)
    return SubsetPosterior(
        size,
        min(config["max_parents"], size - 1),
        float(config["noise_variance"]),
        float(config["weight_scale"]) ** 2,
    )


def edge_probabilities(
    config: Mapping[str, Any],
    outcome: NDArray[Any],
    target: NDArray[Any],
    relevant: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """P(i -> j | rows) of every episode under the world's exact posterior, float[B, n, n].

    Args:
        config: fields of `seedo.worlds.DagConfig`.
        outcome: float[B, R, n], rows with a NaN do not count.
        target: int[B, R].
        relevant: bool[B, n], equally many in each; the others get 0.

    Raises:
        UserError: the posterior is not exact for this world.
    """
    chosen, rows = relevant_rows(outcome, target, relevant)
    posterior = posterior_of(config, chosen.shape[1])
    found = np.zeros((len(target), outcome.shape[-1], outcome.shape[-1]))
    for start in range(0, len(target), _AT_ONCE):
        # One episode alone, as in a live game, has a shape of its own; else the last part repeats.
        size = min(_AT_ONCE, len(target) - start)
        at = np.minimum(np.arange(start, start + (_AT_ONCE if len(target) > 1 else 1)),
                        len(target) - 1)  # fmt: skip
        edges = np.asarray(_edges(posterior, Rows(rows.outcome[at], rows.target[at])))
        for row in range(size):
            own = chosen[start + row]
            found[start + row][np.ix_(own, own)] = edges[row]
    return found


@functools.partial(jax.jit, static_argnums=0)
def _edges(posterior: SubsetPosterior, rows: Rows) -> jax.Array:
    return jax.vmap(posterior.edge_marginals)(jax.tree.map(jnp.asarray, rows))


def relevant_rows(
    outcome: NDArray[Any], target: NDArray[Any], relevant: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], Rows]:
    """Indices int64[B, k] of the relevant variables, and the rows about these alone.

    Setting one of the others tells nothing about them, so it counts as an observation.

    Raises:
        UserError: episodes differ in the number of relevant variables.
    """
    sizes = relevant.sum(1)
    if len(set(sizes.tolist())) != 1:
        raise UserError("relevant variables", None, "give episodes that have equally many")
    chosen = np.argsort(~relevant, axis=1, kind="stable")[:, : int(sizes[0])]
    rank = np.where(relevant, np.cumsum(relevant, 1) - 1, -1)
    own = np.where(target < 0, -1, np.take_along_axis(rank, np.maximum(target, 0).astype(int), 1))
    seen = np.take_along_axis(outcome, chosen[:, None, :], 2)
    return chosen, Rows(seen.astype(np.float32), own.astype(np.int32))


def likely_arrows(probability: NDArray[np.float64]) -> Arrows:
    """Arrows more likely than not, the likeliest first; one that would close a circle is left out.

    Expected wrong arrows are fewest so, circles aside (expected F1 may be higher for others).
    """
    found = nx.DiGraph()
    found.add_nodes_from(range(len(probability)))
    pairs = [(int(i), int(j)) for i, j in np.argwhere(probability > 0.5)]
    for cause, effect in sorted(pairs, key=lambda pair: -probability[pair]):
        if not nx.has_path(found, effect, cause):
            found.add_edge(cause, effect)
    return frozenset(found.edges)


# -- whole logs -----------------------------------------------------------------------------------


class StructureReport(NamedTuple):
    """Scores float[B, 3] of each episode: columns as in `StructureScores`.

    Attributes:
        player: NaN where no valid answer was given.
        floor: of as many arrows at random.
        bayes: of `likely_arrows` on the same rows.
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
        UserError: no systems in the log, or its world has no exact posterior.
    """
    if batch.system is None:
        raise UserError("log", None, "it has no systems: perform writes them")
    seen = (batch.phase != EXPLOIT)[:, :, None]
    outcome = np.where(seen, batch.outcome, np.nan)
    probability = edge_probabilities(
        json.loads(batch.origin.world_config), outcome, batch.target, batch.mask
    )
    player, floor, bayes = np.full((3, batch.rows, 3), np.nan)
    for row, stated in enumerate(arrows):
        weights = np.asarray(json.loads(batch.system[row])["weights"])[: batch.n, : batch.n]
        adjacency, relevant = weights != 0, batch.mask[row]
        targets = batch.target[row][batch.phase[row] != EXPLOIT]
        known = identifiable(adjacency, targets.tolist())
        exact = likely_arrows(probability[row])
        bayes[row] = structure_scores(exact, adjacency, known, relevant)
        if stated is not None:
            player[row] = structure_scores(stated, adjacency, known, relevant)
            floor[row] = random_scores(len(stated), adjacency, known, relevant)
    return StructureReport(player, floor, bayes)
