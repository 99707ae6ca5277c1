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
    """The question for a live episode; of our own players only `bayes:X`
    have an answer to it."""
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

    return Question(
        "arrows",
        f"Before you act: which {about} influences which directly? Do not act yet. Reply with one "
        "line that lists an arrow for each direct influence you believe in, or none, such as\n"
        f"arrows: {_example(names, relevant)}\nor\narrows: none",
        lambda line: read_arrows(line, names, relevant),
        {"bayes": exact} if bayes_supported(config) is None else {},
        lambda arrows: [list(arrow) for arrow in sorted(arrows)],
    )


def _example(names: Names, relevant: NDArray[np.bool_]) -> str:
    """Two arrows by the order of listing, which tells nothing."""
    listed = [names.words[i] for i in names.order if relevant[i]]
    return " ".join(f"{a}>{b}" for a, b in itertools.pairwise(listed[:3]))


def read_arrows(line: str, names: Names, relevant: NDArray[np.bool_]) -> Arrows | Malformed:
    """What a line says; Malformed for anything but the strict form, strange names and cycles."""
    form = f"Reply with one line, such as arrows: {_example(names, relevant)}, or arrows: none"
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
