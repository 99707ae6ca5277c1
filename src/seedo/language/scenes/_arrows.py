"""Which variable influences which, asked of a player in a strict form.

The form is one line, `arrows: dax>wug wug>fep` or `arrows: none`.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from seedo.inference.exact import Arrows, bayes_supported, edge_probabilities, likely_arrows
from seedo.language.scenes._names import Names
from seedo.language.scenes._scene import Question
from seedo.language.scenes.replies import Malformed
from seedo.play import Live


def arrows_question(episode: Live, names: Names) -> Question:
    """The question for a live episode; of our own players `bayes:X` and `scripted:expert` have
    answers."""
    relevant = np.asarray(episode.task.relevant)
    about = "variable" if relevant.all() else "relevant variable"
    config = episode.world.config()

    def exact() -> str:
        seen = episode.seen[1:]
        target = np.array([[int(o.target) for o in seen]])
        outcome = np.array([[o.outcome for o in seen]], np.float32)
        outcome = outcome.reshape(1, len(seen), episode.world.spec.n)
        probability = edge_probabilities(config, outcome, target, relevant[None])
        return write_arrows(likely_arrows(probability[0]), names)

    own = {"scripted:expert": lambda: write_arrows(_true_arrows(episode), names)}
    if bayes_supported(config) is None:
        own["bayes"] = exact
    return Question(
        "arrows",
        f"Before you act: which {about} influences which directly? Do not act yet. List an arrow "
        "for each direct influence you believe in, or none.",
        lambda line: read_arrows(line, names, relevant),
        lambda drawn: write_arrows(_drawn(np.flatnonzero(relevant), drawn), names),
        own,
        lambda arrows: [list(arrow) for arrow in sorted(arrows)],
    )


def _true_arrows(episode: Live) -> Arrows:
    """The arrows among relevant variables; of a system that drifts, those of any round."""
    system, relevant = episode.task.system, np.asarray(episode.task.relevant)
    weights = [w for w in (system.weights, system.second) if w is not None]
    n = len(relevant)
    linked = np.any([np.asarray(w)[:n, :n] != 0 for w in weights], axis=0)
    found = np.argwhere(linked & relevant[:, None] & relevant)
    return frozenset((int(i), int(j)) for i, j in found)


def _drawn(variables: NDArray[np.int64], drawn: np.random.Generator) -> Arrows:
    """Arrows along an order of the variables, both drawn at random; on average half of all pairs,
    or two a variable where that is less."""
    pairs = list(itertools.combinations(drawn.permutation(variables).tolist(), 2))
    share = min(0.5, 2 * len(variables) / max(1, len(pairs)))
    return frozenset(pair for pair in pairs if drawn.random() < share)


_FORM = "Write arrows: and then each as cause>effect, or arrows: none."


def read_arrows(line: str, names: Names, relevant: NDArray[np.bool_]) -> Arrows | Malformed:
    """What a line says; Malformed for anything but the strict form, strange names and cycles."""
    head, colon, body = line.partition(":")
    said = body.split()
    if head.strip().casefold() != "arrows" or not colon or not said:
        return Malformed("not-an-answer", _FORM)
    if [word.casefold() for word in said] == ["none"]:
        return frozenset()
    found: set[tuple[int, int]] = set()
    for word in said:
        ends = word.split(">")
        if len(ends) != 2 or not all(ends):
            return Malformed("not-an-answer", _FORM)
        cause, effect = (names.index(end) for end in ends)
        if cause is None or effect is None:
            return Malformed("unknown-name", f"The variables are {names.listed()}.")
        if not (relevant[cause] and relevant[effect]):
            return Malformed("not-allowed", "Only relevant variables are asked about.")
        if (cause, effect) in found:
            return Malformed("not-allowed", "Write every arrow once.")
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
