"""Names that tell something about the world, true or false."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.language.scenes._names import Names
from seedo.language.scenes._themes import THEMES
from seedo.play import Live

_REMEDY = "or choose names=nonsense"
_AGREES = {"familiar": 1, "contrary": -1, "permuted": 0}


def familiar(episode: Live, kind: str, rng: np.random.Generator) -> Names:
    """Names from one everyday theme (`THEMES`), in which earlier variables bring about later ones.

    `familiar`: every arrow of the system runs from an earlier to a later name, and knowing the
    theme gives the right sign of every effect on (and of) the first goal. `contrary`: every arrow
    runs from a later to an earlier name, and those signs are wrong. `permuted`: the names are dealt
    out at random, and so are the signs.

    A name is the first or the opposite pole of its variable by a fair coin, whatever the kind, so
    that always setting the highest value is worth nothing on average; where fact and theme would
    then not be as the kind says, the value said is the negative of the system's (`Names.signs`).
    Goals are never negated (more of a goal's name is what is scored), and the first goal is always
    called by its first pole.

    Theme, variables of the theme, listing order and coins are the same whatever the kind: episodes
    are paired.

    Args:
        episode: one of world `dag`; only its hidden system and its goals are looked at.
        kind: `familiar`, `contrary` or `permuted`.
        rng: drawn from the same number of times for every kind.

    Raises:
        UserError: no theme has as many variables, or the do-values are not symmetric about 0.
    """
    spec = episode.world.spec
    if {-v for v in spec.do_values} != set(spec.do_values):
        remedy = f"such names negate some variables: use values symmetric about 0, {_REMEDY}"
        raise UserError("do_values", spec.do_values, remedy)
    themes = [theme for theme in THEMES.values() if len(theme) >= spec.n]
    if not themes:
        most = max(map(len, THEMES.values()))
        raise UserError("n", spec.n, f"themes name at most {most} variables: use fewer, {_REMEDY}")

    system = np.asarray(episode.task.system.weights)[: spec.n, : spec.n]
    theme = themes[rng.integers(len(themes))]
    chosen = np.sort(rng.permutation(len(theme))[: spec.n])
    causes_first = _topological_order(system != 0, rng)
    at_random, listed = rng.permutation(spec.n), rng.permutation(spec.n)
    poles, coins = rng.choice((-1, 1), (2, spec.n))

    place = {
        "familiar": np.argsort(causes_first),
        "contrary": spec.n - 1 - np.argsort(causes_first),
        "permuted": at_random,
    }[kind]
    goals = [int(g) for g in np.asarray(episode.task.goal) if g >= 0]
    wanted = _AGREES[kind] * _relation(episode, system != 0, goals[0])
    # A name agrees with the theme where pole * sign = the fact's sign, seen from the first goal.
    signs = np.where(wanted == 0, coins, poles * wanted)
    for goal in goals:
        signs[goal] = 1
        poles[goal] = wanted[goal] or poles[goal]
    poles[goals[0]] = 1
    words = [theme[chosen[p]][0 if pole > 0 else 1] for p, pole in zip(place, poles, strict=True)]
    return Names(tuple(words), tuple(map(int, listed)), tuple(map(int, signs)))


def _relation(episode: Live, edges: NDArray[np.bool_], goal: int) -> NDArray[np.int64]:
    """Sign of each variable's total effect on the goal, or of the goal's on it; 0 without any."""
    values = episode.world.spec.do_values
    expected = np.asarray(episode.task.expected)
    rise = expected[:, int(np.argmax(values))] - expected[:, int(np.argmin(values))]  # [cause, on]
    reaches = edges.copy()
    for middle in range(len(edges)):
        reaches |= reaches[:, [middle]] & reaches[[middle]]
    sign = np.sign(np.where(reaches, rise, 0.0)).astype(np.int64)
    return sign[:, goal] + sign[goal]


def _topological_order(edges: NDArray[np.bool_], rng: np.random.Generator) -> list[int]:
    """Causes before effects, otherwise at random."""
    tie_breaks = rng.permutation(len(edges))
    order: list[int] = []
    while len(order) < len(edges):
        free = [i for i in range(len(edges)) if i not in order
                and all(j in order for j in np.flatnonzero(edges[:, i]))]  # fmt: skip
        order.append(min(free, key=lambda i: tie_breaks[i]))
    return order
