"""Study `transfer`: when does watching suffice? Where an imitator acts on a link it never saw."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from seedo.statistics import mean, missing
from seedo.studies._estimates import RESAMPLES, estimate
from seedo.studies._regime import (
    EPISODES,
    PASSES,
    RENAMED,
    SPLITS,
    Cell,
    found,
    json_able,
    price,
    references,
    transfer,
)
from seedo.studies._study import Study, Work
from seedo.studies._transfer_figure import map_of_transfer
from seedo.studies._words import of_the_claim, supports, told, verdict

ORDINARY = ("plain", "tokens", "scratchpad", "scratchpad-alone", "retrieval", "plain-copy",
            "tokens-frozen")  # fmt: skip
"""Networks that tell variables apart."""
ALIKE = (RENAMED, "equivariant")
"""Networks that treat all variables alike: to them the hold-out means nothing."""
LADDER = (*ORDINARY, *ALIKE)
_FIRST = ("plain", "tokens", "scratchpad", "plain-copy", "tokens-frozen", "equivariant")
"""Of the ladder, at scale `map`."""
NOISES = (0.0001, 0.01, 0.0625, 0.25, 1.0)
HELD = ("path", "arrow")
CLEAR, DIM = 0.01, 1.0
"""Noise at which one thing after another is changed."""
UNKNOWING = "bayes:rotation"
"""Who goes by the evidence of the episode alone, with no view on what is held out."""
ERRING = ("scripted:expert", *(f"slip-{step}:scripted:expert" for step in (5, 6, 7)))
"""Experts of whom three of four err at one of their choices, and do better at the next."""
CARRIES = 0.9
"""Of the return in distribution, from which on transfer is said to be there."""


@dataclass(frozen=True)
class Scale:
    """How much is run: cells of one seed, cells of several, episodes of a test."""

    cells: tuple[Cell, ...]
    deep: tuple[Cell, ...] = ()
    seeds: int = 1
    test_episodes: int = 4096
    priced: tuple[int, int] = (4000, 512)
    """Episodes and draws behind the price of an exclusion; see `priced`."""

    @property
    def all(self) -> dict[str, tuple[Cell, int]]:
        """Every cell once, with its number of seeds."""
        one = {cell.name: (cell, 1) for cell in self.cells}
        return one | {cell.name: (cell, self.seeds) for cell in self.deep}


def _ladder(networks: Iterable[str], noises: Iterable[float], held: Iterable[str]) -> list[Cell]:
    return [Cell(n, noise, h) for n, h, noise in product(networks, held, noises)]


SHOCKS = (("observations", 20), ("experiments", 2), ("shocks", "observed"), ("shock_scale", 20.0))
"""A world with little noise in which no simple reader earns three quarters of what can be had:
twenty rows of which loud roots move everything at once, and two experiments."""

TWO = (("experiments", 2),)
"""So few that effects have to be composed along paths, and what to try matters."""

FACTORS: dict[str, tuple[Cell, ...]] = {
    "variables": tuple(Cell("plain", CLEAR, world=(("n", n),)) for n in (10, 20)),
    "watched episodes": tuple(
        Cell("plain", noise, episodes=count)
        for noise, count in product((CLEAR, DIM), (12_500, 25_000, 100_000))
    ),
    "passes": tuple(
        Cell("plain", noise, epochs=epochs)
        for noise, epochs in product((CLEAR, DIM), (0.5, 1.0, 4.0, 8.0))
    ),
    "do-values": tuple(
        Cell("plain", CLEAR, world=(("do_values", values),))
        for values in ((2.0,), (-4.0, -2.0, -1.0, 1.0, 2.0, 4.0))
    ),
    "goals": (Cell("plain", CLEAR, world=(("exploits", 1), ("goals", "same"))),),
    "experiments": tuple(
        Cell(network, CLEAR, world=(("experiments", count),))
        for network, count in product(("plain", "tokens"), (3, 4, 10))
    ),
    "shocks": tuple(
        Cell(network, CLEAR, world=SHOCKS) for network in ("plain", "tokens", "equivariant")
    ),
    "weight decay": tuple(
        Cell("plain", noise, recipe=(("weight_decay", decay),))
        for noise, decay in product((CLEAR, DIM), (0.01, 0.1))
    ),
    "explanations": tuple(
        Cell("plain", noise, recipe=(("explanations", "predict"),)) for noise in (CLEAR, DIM)
    ),
    "who is watched": (
        *(
            Cell("plain", noise, watched=watched)
            for watched, noise in product(
                (
                    (UNKNOWING,),
                    ("scripted:largest-effect",),  # nor does this one know the system
                    ("scripted:expert", "scripted:random"),  # of different skill
                    ERRING,
                ),
                (CLEAR, DIM),
            )
        ),
        *(Cell(network, DIM, watched=(UNKNOWING,)) for network in ("tokens", "plain-copy")),
        Cell("plain", DIM, episodes=200_000, watched=(UNKNOWING,)),
    ),
    "two experiments": (
        Cell("plain", CLEAR, episodes=200_000, world=TWO),
        *(
            Cell("plain", CLEAR, episodes=count, world=TWO, watched=("bayes:eig",))
            for count in (50_000, 200_000, 400_000)
        ),
    ),
}
"""What is changed, one at a time, of `plain` at two levels of noise."""

DEEP_EPISODES, DEEP_PASSES = 200_000, 1.0
DEEP = tuple(
    replace(cell, episodes=DEEP_EPISODES, epochs=DEEP_PASSES)
    for cell in (
        *_ladder(["plain"], NOISES, HELD),
        *_ladder(["plain-copy"], (CLEAR, DIM), ["path"]),
        Cell("plain", DIM, watched=(UNKNOWING,)),
    )
)
"""Cells of three seeds and 200,000 episodes."""

SCALES = {
    "quick": Scale(
        tuple(
            replace(cell, episodes=20_000)
            for cell in _ladder(("plain", "tokens"), (CLEAR, DIM), ["path"])
        ),
        test_episodes=1024,
        priced=(1000, 128),
    ),
    "map": Scale(tuple(_ladder(_FIRST, NOISES, HELD))),
    "deep": Scale(tuple(_ladder(_FIRST, NOISES, HELD)), DEEP, 3),
    "watched": Scale(
        (
            *_ladder(["plain"], (CLEAR, DIM), ["path"]),
            *FACTORS["who is watched"],
            *FACTORS["two experiments"],
        )
    ),
    "full": Scale(
        (*_ladder(LADDER, NOISES, HELD), *(cell for own in FACTORS.values() for cell in own)),
        DEEP,
        3,
    ),
}


@dataclass(frozen=True)
class Played:
    """Figures of cells, one a seed, and of their worlds."""

    cells: dict[str, list[dict[str, Any]]]
    worlds: dict[str, dict[str, Any]]
    prices: dict[str, dict[str, Any] | None]


def _play(work: Work[Scale]) -> Played:
    scale = work.scale
    cells: dict[str, list[dict[str, Any]]] = {}
    worlds: dict[str, dict[str, Any]] = {}
    prices: dict[str, dict[str, Any] | None] = {}
    learners = [
        (name, own.seed)
        for name, (_, seeds) in scale.all.items()
        for own in work.seeds(seeds)
    ]  # fmt: skip
    runs = dict(zip(learners, work.each("learner", learners), strict=True))
    for name, (cell, seeds) in scale.all.items():
        key = str(json_able(cell.setting))
        if key not in worlds:
            worlds[key] = references(work, cell, scale.test_episodes)
            prices[key] = price(work, cell, *scale.priced)
        cells[name] = [runs[name, own.seed] for own in work.seeds(seeds)]
    return Played(cells, worlds, prices)


def _learner(work: Work[Scale], key: Any) -> dict[str, Any]:
    name, seed = key
    return found(work.at(seed), work.scale.all[name][0], work.scale.test_episodes)


def _measure(work: Work[Scale], played: Played) -> dict[str, Any]:
    cells = {}
    for name, (cell, _) in work.scale.all.items():
        runs = played.cells[name]
        key = str(json_able(cell.setting))
        world = played.worlds[key]
        cells[name] = {
            "cell": cell.to_json(),
            "seeds": runs,
            "transfer": [transfer(run) for run in runs],
            "price": played.prices[key],
            **{split: _over(runs, split) for split in SPLITS},
            "references": {split: _references(world[split]) for split in SPLITS},
        }
    return {"cells": cells, "relation": _relation(cells)}


def _relation(cells: dict[str, Any]) -> dict[str, Any]:
    """Rank correlation of transfer with the price of the exclusion, over worlds: of every ordinary
    network, and their mean with an interval that resamples worlds."""
    points: dict[str, dict[str, tuple[float, float]]] = {}
    for own in cells.values():
        cell = own["cell"]
        ordinary = cell["network"] in ORDINARY and cell["episodes"] == EPISODES
        usual = cell["epochs"] == PASSES and not cell["recipe"] and "watched" not in cell
        if ordinary and usual and own["price"] is not None:
            world = str((cell["noise"], cell["held"], cell["world"]))
            point = (own["price"]["value"], float(np.mean(own["transfer"])))
            points.setdefault(cell["network"], {})[world] = point
    points = {network: each for network, each in points.items() if len(each) > 2}
    worlds = sorted({world for each in points.values() for world in each})
    if not worlds:
        return {"networks": {}, "mean": missing("too few worlds").to_json(), "worlds": 0}
    rng = np.random.default_rng(0)
    draws = [_correlations(points, rng.choice(worlds, len(worlds))) for _ in range(RESAMPLES)]
    means = np.array([np.mean(known) for draw in draws if (known := _known(draw))])
    found = _correlations(points, worlds)
    whole = estimate(float(np.mean(_known(found))), means, len(worlds))
    return {"networks": found, "mean": whole, "worlds": len(worlds)}


def _known(correlations: dict[str, float]) -> list[float]:
    return [rho for rho in correlations.values() if np.isfinite(rho)]


def _correlations(
    points: dict[str, dict[str, tuple[float, float]]], worlds: Iterable[str]
) -> dict[str, float]:
    found = {}
    for network, each in points.items():
        pairs = np.array([each[world] for world in worlds if world in each])
        varied = len(pairs) > 2 and np.ptp(pairs, axis=0).min() > 0
        rho = stats.spearmanr(pairs[:, 0], pairs[:, 1]).statistic if varied else np.nan
        found[network] = float(rho)
    return found


def _over(runs: list[dict[str, Any]], split: str) -> dict[str, Any]:
    """The return of a split: over episodes of one seed, or over several seeds."""
    if len(runs) == 1:
        return dict(runs[0][split]["return"])
    return mean(np.array([run[split]["return"]["value"] for run in runs])).to_json()


def _references(figures: dict[str, Any]) -> dict[str, Any]:
    best = figures["best heuristic"]
    readers = figures["readers"]
    return {
        "best heuristic": best,
        "heuristic": readers[best] if best else None,
        "Bayes": readers["bayes"],
        "random": figures["random"],
    }


def _on_map(own: dict[str, Any], **fields: Any) -> bool:
    """Whether of a cell nothing but network, noise, hold-out and number of episodes was chosen, and
    these fields are so."""
    cell = own["cell"]
    usual = cell["epochs"] == PASSES
    usual |= (cell["episodes"], cell["epochs"]) == (DEEP_EPISODES, DEEP_PASSES)
    changed = cell["world"] or cell["recipe"] or "watched" in cell
    return usual and not changed and all(cell[name] == value for name, value in fields.items())


def _judge(scale: Scale, values: dict[str, Any]) -> list[str]:
    cells = values["cells"].values()
    lines = []
    for network in dict.fromkeys(own["cell"]["network"] for own in cells):
        parts = [
            f"noise {own['cell']['noise']:g} ({own['cell']['episodes']:,} episodes, "
            f"{len(own['seeds'])} seed{'s' * (len(own['seeds']) > 1)}): {told(own['train'])} and "
            f"{told(own['heldout-link'])}"
            for own in cells
            if _on_map(own, network=network, held="path")
        ]
        if parts:
            lines.append(
                f"{network}, in distribution and on the held-out link: {'; '.join(parts)}."
            )
    return [*lines, *_claim(cells), *_priced(values["relation"]), *_watched(cells)]


def _watched(cells: Iterable[dict[str, Any]]) -> list[str]:
    """What became of watching others than the expert who knows the system."""
    lines = []
    for own in cells:
        cell = own["cell"]
        if "watched" in cell:
            extra = "".join(f", {name} {value}" for name, value in cell["world"])
            lines.append(
                f"{cell['network']} watching {' and '.join(cell['watched'])} at noise "
                f"{cell['noise']:g}{extra} ({cell['episodes']:,} episodes): {told(own['train'])} "
                f"and {told(own['heldout-link'])}; keeps {np.mean(own['transfer']):.2f}."
            )
    return lines


def _priced(relation: dict[str, Any]) -> list[str]:
    """What the price of the exclusion says of transfer."""
    rho = relation["mean"]
    if rho["value"] is None:
        return []
    each = ", ".join(f"{name} {value:.2f}" for name, value in relation["networks"].items())
    word = verdict(rho["high"] < 0, rho["low"] > 0)
    return [
        f"Rank correlation of transfer with the price of the exclusion, over {relation['worlds']} "
        f"worlds: {told(rho, '.2f')} ({each}): {of_the_claim(word)}."
    ]


def _claim(cells: Iterable[dict[str, Any]]) -> list[str]:
    """Where the evidence is decisive, and where it is not, by ordinary networks."""
    own = [c for c in cells if c["cell"]["network"] in ORDINARY and _on_map(c, held="path")]
    lines = []
    for end, wanted in ((min, "all"), (max, "none")):
        noise = end(c["cell"]["noise"] for c in own)
        at = [c for c in own if c["cell"]["noise"] == noise]
        carried = sum(np.mean(c["transfer"]) >= CARRIES for c in at)
        good = carried == (len(at) if wanted == "all" else 0)
        lines.append(
            f"At noise {noise:g}, {carried} of {len(at)} ordinary learners keep {CARRIES:.0%} of "
            f"their return: {supports(good)} the claim."
        )
    return lines


def _table(scale: Scale, values: dict[str, Any]) -> str:
    head = (
        "| learner | seeds | in distribution | held-out link | best heuristic, held-out | "
        "exact Bayes, held-out | tests D | sets D for E |"
    )
    lines = [head, "|" + "---|" * 8]
    for name, own in values["cells"].items():
        there = own["references"]["heldout-link"]
        heuristic = "-" if there["heuristic"] is None else told(there["heuristic"])
        tests, sets = (
            f"{np.mean([run['heldout-link'][what] for run in own['seeds']]):.2f}"
            for what in ("tests D", "sets D for E")
        )
        lines.append(
            f"| {name} | {len(own['seeds'])} | {told(own['train'])} | {told(own['heldout-link'])} "
            f"| {heuristic} ({there['best heuristic']}) | {told(there['Bayes'])} "
            f"| {tests} | {sets} |"
        )
    return "\n".join(lines) + "\n"


def _draw(scale: Scale, values: dict[str, Any]) -> Figure:
    """A panel for each network: returns over noise; then one for each factor that was changed."""
    cells = values["cells"]
    ladder = {
        name: [c for c in cells.values() if _on_map(c, network=name, episodes=most)]
        for name in LADDER
        if (most := _most_noises(cells.values(), name)) is not None
    }
    factors = {}
    for factor, changed in FACTORS.items():
        own = [cells[cell.name] for cell in changed if cell.name in cells]
        usual = [c for c in cells.values()
                 if _on_map(c, network="plain", held="path", episodes=EPISODES)
                 and c["cell"]["noise"] in (CLEAR, DIM)]  # fmt: skip
        if own:
            factors[factor] = usual + own
    return map_of_transfer(ladder, factors)


def _most_noises(cells: Iterable[dict[str, Any]], network: str) -> int | None:
    """The number of watched episodes at which a network met most levels of noise; the larger."""
    met: dict[int, set[float]] = {}
    for own in cells:
        if _on_map(own, network=network):
            met.setdefault(own["cell"]["episodes"], set()).add(own["cell"]["noise"])
    return max(met, key=lambda count: (len(met[count]), count), default=None)


STUDY = Study(
    name="transfer",
    claim="""An imitator acts on a link that no log contains exactly as far as the evidence in the
        episode is decisive: nearly free of noise an ordinary network does, and the more noise
        leaves open, the more it falls back on what the logs' systems have in common.""",
    design="""World `dag`, preset `linear`, 5 variables, 5 experiments. Logs of the omniscient
        expert on systems in which D does not act on E, by any path, or by an arrow of its own;
        four fresh goals an episode. A ladder of networks from no help to full symmetry imitates
        them: `plain`; `plain-copy`, which can point at an earlier step; `tokens`, one token a
        variable with learnt identities; `tokens-frozen`, identities as they were drawn;
        `scratchpad`, which states an effect table first; `scratchpad-alone`, which acts by what it
        stated alone; `retrieval`, which looks up watched
        episodes; `tokens, renamed`, the variables of every
        watched episode renamed (augmentation: the hold-out then means nothing); `equivariant`. Then
        one thing after another is changed for `plain`. Each plays 4,096 systems of split `train`
        and of `heldout-link` (goal E, best lever D). Named beforehand for three seeds and 200,000
        episodes, once each: `plain` at all noise levels and hold-outs, `plain-copy` at noise 0.01
        and 1, `plain` at noise 1 watching a Bayesian that does not know the system.""",
    refuted_if="""at the least noise some ordinary network loses a tenth of its return on the
        held-out link, or at the most noise one keeps nine tenths of it.""",
    measures="""return, as a share of the omniscient return, with 95 % intervals over episodes (one
        seed) or seeds; transfer: the held-out one over that in distribution; references: readers
        of experiments that set every variable in turn; tests D, sets D for E: shares of held-out
        episodes""",
    scales=SCALES,
    play=_play,
    parts={"learner": _learner},
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Return over noise, in distribution and on a link never seen",
    table=_table,
)
