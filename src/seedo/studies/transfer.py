"""Study `transfer`: when does watching suffice? Where an imitator acts on a link it never saw."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from seedo import reports
from seedo.statistics import mean
from seedo.studies._regime import (
    PASSES,
    RENAMED,
    SPLITS,
    Cell,
    found,
    json_able,
    references,
    transfer,
)
from seedo.studies._study import Study, Work
from seedo.studies._words import supports, told

ORDINARY = ("plain", "tokens", "scratchpad", "retrieval", "plain-copy", "tokens-frozen")
"""Networks that tell variables apart."""
ALIKE = (RENAMED, "equivariant")
"""Networks that treat all variables alike: to them the hold-out means nothing."""
LADDER = (*ORDINARY, *ALIKE)
NOISES = (0.0001, 0.01, 0.0625, 0.25, 1.0)
HELD = ("path", "arrow")
CLEAR, DIM = 0.01, 1.0
"""Noise at which one thing after another is changed."""
CARRIES = 0.9
"""Of the return in distribution, from which on transfer is said to be there."""


@dataclass(frozen=True)
class Scale:
    """How much is run: cells of one seed, cells of several, episodes of a test."""

    cells: tuple[Cell, ...]
    deep: tuple[Cell, ...] = ()
    seeds: int = 1
    test_episodes: int = 4096

    @property
    def all(self) -> dict[str, tuple[Cell, int]]:
        """Every cell once, with its number of seeds."""
        one = {cell.name: (cell, 1) for cell in self.cells}
        return one | {cell.name: (cell, self.seeds) for cell in self.deep}


def _ladder(networks: Iterable[str], noises: Iterable[float], held: Iterable[str]) -> list[Cell]:
    return [Cell(n, noise, h) for n, h, noise in product(networks, held, noises)]


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
    "weight decay": tuple(
        Cell("plain", noise, recipe=(("weight_decay", decay),))
        for noise, decay in product((CLEAR, DIM), (0.01, 0.1))
    ),
    "explanations": tuple(
        Cell("plain", noise, recipe=(("explanations", "predict"),)) for noise in (CLEAR, DIM)
    ),
}
"""What is changed, one at a time, of `plain` at two levels of noise."""

DEEP = tuple(
    replace(cell, episodes=200_000)
    for cell in (
        *_ladder(["plain"], NOISES, HELD),
        *_ladder(["plain-copy"], (CLEAR, DIM), ["path"]),
    )
)
"""Cells of three seeds and 200,000 episodes."""

_MAP = tuple(_ladder(LADDER, NOISES, HELD))
SCALES = {
    "quick": Scale(
        tuple(
            replace(cell, episodes=20_000)
            for cell in _ladder(("plain", "tokens"), (CLEAR, DIM), ["path"])
        ),
        test_episodes=1024,
    ),
    "map": Scale(_MAP),
    "full": Scale((*_MAP, *(cell for cells in FACTORS.values() for cell in cells)), DEEP, 3),
}


@dataclass(frozen=True)
class Played:
    """Figures of cells, one a seed, and of their worlds."""

    cells: dict[str, list[dict[str, Any]]]
    worlds: dict[str, dict[str, Any]]


def _play(work: Work[Scale]) -> Played:
    scale = work.scale
    cells: dict[str, list[dict[str, Any]]] = {}
    worlds: dict[str, dict[str, Any]] = {}
    for name, (cell, seeds) in scale.all.items():
        key = str(json_able(cell.setting))
        if key not in worlds:
            worlds[key] = references(work, cell, scale.test_episodes)
        cells[name] = [found(own, cell, scale.test_episodes) for own in work.seeds(seeds)]
    return Played(cells, worlds)


def _measure(work: Work[Scale], played: Played) -> dict[str, Any]:
    cells = {}
    for name, (cell, _) in work.scale.all.items():
        runs = played.cells[name]
        world = played.worlds[str(json_able(cell.setting))]
        cells[name] = {
            "cell": asdict(cell),
            "seeds": runs,
            "transfer": [transfer(run) for run in runs],
            **{split: _over(runs, split) for split in SPLITS},
            "references": {split: _references(world[split]) for split in SPLITS},
        }
    return {"cells": cells}


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


def _judge(scale: Scale, values: dict[str, Any]) -> list[str]:
    cells = values["cells"]
    lines = []
    for network in dict.fromkeys(own["cell"]["network"] for own in cells.values()):
        parts = []
        for own in cells.values():
            cell = own["cell"]
            if cell["network"] != network or cell["held"] != "path" or cell["world"]:
                continue
            if cell["recipe"] or cell["epochs"] != PASSES:
                continue
            parts.append(
                f"noise {cell['noise']:g} ({cell['episodes']:,} episodes, {len(own['seeds'])} "
                f"seed{'s' * (len(own['seeds']) > 1)}): {told(own['train'])} and "
                f"{told(own['heldout-link'])}"
            )
        if parts:
            lines.append(
                f"{network}, in distribution and on the held-out link: {'; '.join(parts)}."
            )
    return [*lines, *_claim(cells)]


def _claim(cells: dict[str, Any]) -> list[str]:
    """Where the evidence is decisive, and where it is not, by ordinary networks."""
    lines = []
    for noise, wanted in ((min, True), (max, False)):
        own = [c for c in cells.values() if c["cell"]["network"] in ORDINARY and not
               c["cell"]["world"] and c["cell"]["held"] == "path"]  # fmt: skip
        level = noise(c["cell"]["noise"] for c in own)
        at = [c for c in own if c["cell"]["noise"] == level]
        carried = sum(np.mean(c["transfer"]) >= CARRIES for c in at)
        few = carried == 0
        lines.append(
            f"At noise {level:g}, {carried} of {len(at)} ordinary learners keep {CARRIES:.0%} of "
            f"their return: {supports(carried == len(at) if wanted else few)} the claim."
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
    """One panel for each network of the ladder: return over noise, in and out of distribution."""
    cells = list(values["cells"].values())
    usual = [c for c in cells if not (c["cell"]["world"] or c["cell"]["recipe"])]
    usual = [c for c in usual if c["cell"]["epochs"] == PASSES]
    most = {c["cell"]["network"]: c["cell"]["episodes"] for c in usual}
    names = [name for name in LADDER if name in most]
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure, axes = reports.panels(rows, columns, 2.9 * columns, 2.7 * rows, sharey=True)
    for ax, name in zip(axes.ravel(), names, strict=False):
        episodes = max(c["cell"]["episodes"] for c in usual if c["cell"]["network"] == name
                       and len(_noises(usual, name, c["cell"]["episodes"])) > 1)  # fmt: skip
        for held, style in (("path", "-"), ("arrow", ":")):
            own = sorted(
                (c for c in usual if c["cell"]["network"] == name and c["cell"]["held"] == held
                 and c["cell"]["episodes"] == episodes),
                key=lambda c: c["cell"]["noise"],
            )  # fmt: skip
            if not own:
                continue
            noise = [c["cell"]["noise"] for c in own]
            for split, colour, what in (
                ("train", reports.GREY, "in distribution"),
                ("heldout-link", reports.BLUE, f"held-out {held}"),
            ):
                if split == "train" and held == "arrow":
                    continue
                estimates = [c[split] for c in own]
                ax.plot(noise, [e["value"] for e in estimates], style, color=colour, marker="o",
                        ms=3, label=what)  # fmt: skip
                ax.fill_between(noise, *([_end(e, k) for e in estimates] for k in ("low", "high")),
                                color=colour, alpha=0.2, lw=0)  # fmt: skip
            if held == "path":
                there = [c["references"]["heldout-link"] for c in own]
                ax.plot(noise, [t["heuristic"]["value"] for t in there], "--", color=reports.ORANGE,
                        lw=1, label="best heuristic")  # fmt: skip
                ax.plot(noise, [t["Bayes"]["value"] for t in there], "-.", color=reports.GREEN,
                        lw=1, label="exact Bayes")  # fmt: skip
        ax.set(title=name, xlabel="noise variance", ylim=(-0.05, 1.05))
        reports.log_scale(ax)
    for ax in axes[:, 0]:
        ax.set_ylabel("share of omniscient return")
    for ax in axes.ravel()[len(names) :]:
        ax.set_axis_off()
    handles, labels = axes.ravel()[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8)
    return figure


def _noises(cells: list[dict[str, Any]], network: str, episodes: int) -> set[float]:
    own = (c["cell"] for c in cells)
    return {c["noise"] for c in own if c["network"] == network and c["episodes"] == episodes}


def _end(estimate: dict[str, Any], which: str) -> float:
    return float(estimate["value"] if estimate[which] is None else estimate[which])


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
        `scratchpad`, which states an effect table first; `retrieval`, which looks up watched
        episodes; `tokens, renamed`, the variables of every
        watched episode renamed (augmentation: the hold-out then means nothing); `equivariant`. Then
        one thing after another is changed for `plain`. Each plays 4,096 systems of split `train`
        and of `heldout-link` (goal E, best lever D). Named beforehand for three seeds and 200,000
        episodes: `plain` at all noise levels and hold-outs, `plain-copy` at noise 0.01 and 1.""",
    refuted_if="""at the least noise some ordinary network loses a tenth of its return on the
        held-out link, or at the most noise one keeps nine tenths of it.""",
    measures="""return, as a share of the omniscient return, with 95 % intervals over episodes (one
        seed) or seeds; transfer: the held-out one over that in distribution; references: readers
        of experiments that set every variable in turn; tests D, sets D for E: shares of held-out
        episodes""",
    scales=SCALES,
    play=_play,
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Return over noise, in distribution and on a link never seen",
    table=_table,
)
