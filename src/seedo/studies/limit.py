"""Study `limit`: how close learned agents come to the exact ceiling, over noise and budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import learning, reports, worlds
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.evaluation import HEURISTICS, episode_returns, read
from seedo.experimenters import Experimenter, bayesian, scripted
from seedo.learning import Agent
from seedo.studies._estimates import ratios_of
from seedo.studies._histories import actions_after, cut, with_systems, worths
from seedo.studies._study import Study, Work
from seedo.studies._words import told
from seedo.worlds import DagConfig

NEAR = 0.95
"""Share of the ceiling's return from which on an agent counts as close."""
HEURISTIC = "largest-effect"
"""The scripted player; all heuristics read its explorations, which are in random order."""
N = 5


@dataclass(frozen=True)
class Cell:
    """A world: split, noise variance, experiments."""

    split: str
    noise: float
    experiments: int

    @property
    def label(self) -> str:
        return f"{self.split}/{self.noise:g}/{self.experiments}"


USUAL = Cell("train", 1.0, N)
"""The default world; runs in it are worth a review, and longer ones of its split and noise."""


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    cells: tuple[Cell, ...]  # worlds
    agents: tuple[str, ...]  # of `seedo.learning.load_agent`
    bayesians: tuple[str, ...]  # of `bayes:NAME`; the best of them is the ceiling
    episodes: int  # of every run


AGENTS = ("pretrained:dag", "pretrained:dag-plain")
SCALES = {
    "quick": Scale(
        cells=(
            *(Cell("train", 1.0, experiments) for experiments in (2, 5, 10)),
            *(Cell("train", noise, 5) for noise in (0.25, 4.0)),
            Cell("heldout-link", 1.0, 5),
        ),
        agents=AGENTS,
        bayesians=("rotation", "eig"),  # `goal` alone would take as long as all the rest
        episodes=640,
    ),
    "full": Scale(
        cells=tuple(
            Cell(*cell)
            for cell in product(("train", "heldout-link"), (0.25, 1.0, 4.0), (1, 2, 3, 5, 8, 10))
        ),
        agents=AGENTS,
        bayesians=("rotation", "eig"),
        episodes=640,
    ),
}

Returns = dict[str, NDArray[np.float64]]
"""float64[B] by who exploits after one player's explorations: "agent" (that player), "oracle",
"random", "bayes" and the heuristics."""


class Played(NamedTuple):
    """Returns by cell and player, the agents, and why some could not play a cell."""

    returns: dict[tuple[Cell, str], Returns]
    agents: dict[str, Agent]
    refused: dict[str, str]


def _play(work: Work[Scale]) -> Played:
    scale = work.scale
    returns: dict[tuple[Cell, str], Returns] = {}
    for split, noise in dict.fromkeys((c.split, c.noise) for c in scale.cells):
        returns |= _yardsticks(work, split, noise)
    agents = {name: learning.load_agent(name) for name in scale.agents}
    refused: dict[str, str] = {}
    # One whose network does not look at the steps left is played once as well.
    patient = {n: a for n, a in agents.items() if a.architecture.kind == "equivariant"}
    for split, noise in dict.fromkeys((c.split, c.noise) for c in scale.cells):
        returns |= _asked_after(work, split, noise, patient)
    others = {name: agent for name, agent in agents.items() if name not in patient}
    for cell, (name, agent) in product(scale.cells, others.items()):
        world = worlds.make("dag", split=cell.split, noise_variance=cell.noise,
                            experiments=cell.experiments)  # fmt: skip
        try:
            agent.check(world.spec)
        except UserError as error:
            refused[f"{cell.label}/{name}"] = str(error)
            work.say(f"{cell.label}, {name}: cannot play: {error}")
            continue
        folder = f"runs/{_file(cell)}-{name.split(':')[-1]}"
        rules = _rules(cell)
        run = work.played(world, agent, scale.episodes, folder, cell == USUAL, rules)
        returns[cell, name] = _returns(work, run, [cell.experiments])[cell.experiments]
    return Played(returns, agents, refused)


def _measure(work: Work[Scale], found: Played) -> dict[str, Any]:
    scale, returns = work.scale, found.returns
    values: dict[str, Any] = {}
    for cell in scale.cells:
        exact = {f"bayes:{name}": returns[cell, f"bayes:{name}"] for name in scale.bayesians}
        ceiling = max(exact, key=lambda name: exact[name]["bayes"].mean())
        best = exact[ceiling]["bayes"]
        shuffled = returns[cell, f"scripted:{HEURISTIC}"]
        heuristic = max(HEURISTICS, key=lambda name: shuffled[name].mean())
        # What Bayesian players would do if they stopped here, and heuristics on shuffled tests.
        players = {name: own | {"agent": own["bayes"]} for name, own in exact.items()}
        players |= {f"scripted:{h}": shuffled | {"agent": shuffled[h]} for h in HEURISTICS}
        for name, own in players.items():
            values[f"{cell.label}/{name}"] = _figures(own, best, shuffled[heuristic])
        for name, agent in found.agents.items():
            if (cell, name) in returns:
                own = _figures(returns[cell, name], best, shuffled[heuristic])
                values[f"{cell.label}/{name}"] = own | {
                    "ceiling": ceiling,
                    "best_heuristic": heuristic,
                    "trained_on": trained_on(agent.training, cell),
                }
    return values | {"cannot play": found.refused}


def _yardsticks(work: Work[Scale], split: str, noise: float) -> dict[tuple[Cell, str], Returns]:
    """Players that choose experiments without a look at the steps left: played once with the most
    experiments, read after fewer."""
    scale = work.scale
    budgets, longest, world = _longest(scale, split, noise)
    players: dict[str, Experimenter] = {
        f"scripted:{HEURISTIC}": scripted(HEURISTIC),
        **{f"bayes:{name}": bayesian(name, world.config()) for name in scale.bayesians},
    }
    found = {}
    for name, player in players.items():
        folder = f"runs/{_file(longest)}-{name.split(':')[-1]}"
        usual, rules = _usual(split, noise), _rules(longest)
        run = work.played(world, player, scale.episodes, folder, usual, rules)
        for experiments, returns in _returns(work, run, budgets).items():
            found[Cell(split, noise, experiments), name] = returns
    return found


def _asked_after(
    work: Work[Scale], split: str, noise: float, agents: Mapping[str, Agent]
) -> dict[tuple[Cell, str], Returns]:
    """The same of agents, who would choose no other experiments if fewer were left."""
    scale = work.scale
    budgets, longest, world = _longest(scale, split, noise)
    found = {}
    for name, agent in agents.items():
        folder = f"runs/{_file(longest)}-{name.split(':')[-1]}"
        usual, rules = _usual(split, noise), _rules(longest)
        run = work.played(world, agent, scale.episodes, folder, usual, rules)
        for experiments, returns in _returns(work, run, budgets, agent).items():
            found[Cell(split, noise, experiments), name] = returns
    return found


def _longest(scale: Scale, split: str, noise: float) -> tuple[list[int], Cell, worlds.World]:
    """All numbers of experiments of a split and noise; the cell with the most, and its world."""
    budgets = [c.experiments for c in scale.cells if (c.split, c.noise) == (split, noise)]
    world = worlds.make("dag", split=split, noise_variance=noise, experiments=max(budgets))
    return budgets, Cell(split, noise, max(budgets)), world


def _rules(cell: Cell) -> worlds.World:
    """A world that those of all splits and noises differ from only in what they draw."""
    return worlds.make("dag", experiments=cell.experiments)


def _usual(split: str, noise: float) -> bool:
    return (split, noise) == (USUAL.split, USUAL.noise)


def _file(cell: Cell) -> str:
    return cell.label.replace("/", "-")


def _returns(
    work: Work[Scale], dataset: Dataset, budgets: list[int], asked: Agent | None = None
) -> dict[int, Returns]:
    """Returns after each number of experiments, from the log alone.

    `asked`: whose log it is, and who decides after each; else "agent" is what was decided after
    them all.
    """

    def compute() -> dict[str, NDArray[np.float64]]:
        batch = with_systems(dataset)
        steps = max(cell.experiments for cell in work.scale.cells) + 1
        if asked is not None:
            decided = actions_after(asked, batch, budgets)
            earned = np.take_along_axis(worths(batch), decided, 1)
        found = {}
        for place, experiments in enumerate(budgets):
            short = cut(batch, experiments, steps)
            for name, values in episode_returns(short, read(short)).items():
                found[f"{experiments}/{name}"] = values
            if asked is not None:
                found[f"{experiments}/agent"] = earned[:, place]
        return found

    question = {"seed": work.seed, "episodes": dataset.rows, "budgets": budgets}
    arrays = work.arrays(f"returns/{dataset.path.name}.npz", question, compute)
    by_budget: dict[int, Returns] = {}
    for key, values in arrays.items():
        experiments, _, name = key.partition("/")
        by_budget.setdefault(int(experiments), {})[name] = values
    return by_budget


def _figures(
    own: Returns, best: NDArray[np.float64], heuristic: NDArray[np.float64]
) -> dict[str, Any]:
    """All figures of one player in one cell, with intervals."""
    agent, oracle, random = own["agent"], own["oracle"], own["random"]
    pairs = {
        "return_ratio": (agent, oracle),
        "bayes_ratio": (agent, own["bayes"]),
        "of_ceiling": (agent, best),
        "gap": (best - agent, oracle),
        "random_floor": (random, oracle),
        "heuristic": (heuristic, oracle),
        "ceiling_ratio": (best, oracle),
    }
    return ratios_of(pairs)


def trained_on(training: Mapping[str, Any], cell: Cell) -> bool:
    """Whether an agent's logs, by its training record, include systems and budgets like these:
    this split, these experiments, this noise variance (within 2 standard deviations of what the
    variables' variances were drawn from), 5 variables, all in one dataset."""
    for data in training.get("data", []):
        config = DagConfig.from_dict(data["world_config"])
        if (
            (config.split, config.n, config.experiments) == (cell.split, N, cell.experiments)
            and config.observations == 0
            and abs(config.noise_variance - cell.noise) <= 2 * config.noise_variance_sd
        ):
            return True
    return False


def _judge(scale: Scale, values: dict[str, Any]) -> list[str]:
    lines = []
    for name, split in product(scale.agents, dict.fromkeys(c.split for c in scale.cells)):
        cells = [c for c in scale.cells if c.split == split and f"{c.label}/{name}" in values]
        near: list[str] = []
        far: list[str] = []
        open_: list[str] = []
        for cell in cells:
            own = values[f"{cell.label}/{name}"]["of_ceiling"]
            word = f"{_place(cell)}: {told(own)}"
            if not values[f"{cell.label}/{name}"]["trained_on"]:
                word += " (never trained on)"
            if own["low"] is None or own["low"] < NEAR <= own["high"]:
                open_.append(word)
            else:
                (near if own["low"] >= NEAR else far).append(word)
        lines.append(
            f"{name}, {split}: within 5 % of the best Bayesian player's return in {len(near)} "
            f"of {len(cells)} cells{_list(near)}; refuted in {len(far)}{_list(far)}; "
            f"open in {len(open_)}{_list(open_)}."
        )
    lines += [f"{key}: not played: {why}." for key, why in values["cannot play"].items()]
    return lines + _largest_gap(scale, values)


def _largest_gap(scale: Scale, values: dict[str, Any]) -> list[str]:
    found = [
        (values[f"{cell.label}/{name}"], cell, name)
        for cell in scale.cells
        for name in scale.agents
        if f"{cell.label}/{name}" in values
    ]
    if not found:
        return []
    own, cell, name = max(found, key=lambda f: f[0]["gap"]["value"])
    return [
        f"Largest gap: {name} on {cell.split}, {_place(cell)}: return "
        f"{told(own['return_ratio'])} of the omniscient against "
        f"{told(own['ceiling_ratio'])} of {own['ceiling']} and {told(own['heuristic'])} "
        f"of the best heuristic ({own['best_heuristic']}); random floor "
        f"{told(own['random_floor'])}; n = {own['return_ratio']['n']:,}."
    ]


def _place(cell: Cell) -> str:
    return f"noise {cell.noise:g}, {cell.experiments} experiments"


def _list(words: list[str]) -> str:
    return f" ({'; '.join(words)})" if words else ""


def _draw(scale: Scale, values: dict[str, Any]) -> Figure:
    """Heat maps over noise and experiments: Bayes ratio above, share of the ceiling below."""
    noises = sorted({c.noise for c in scale.cells})
    budgets = sorted({c.experiments for c in scale.cells})
    columns = list(product(dict.fromkeys(c.split for c in scale.cells), scale.agents))
    titles = {"bayes_ratio": "Bayes ratio", "of_ceiling": "share of the ceiling"}
    figure, axes = reports.panels(len(titles), len(columns), 3.6 * len(columns), 6.0)
    for ax, (measure, (split, name)) in zip(axes.ravel(), product(titles, columns), strict=True):
        grid = np.full((len(noises), len(budgets)), np.nan)
        for cell in scale.cells:
            own = values.get(f"{cell.label}/{name}")
            if cell.split == split and own is not None:
                i, j = noises.index(cell.noise), budgets.index(cell.experiments)
                grid[i, j] = own[measure]["value"]
                word = f"{grid[i, j]:.2f}" + ("" if own["trained_on"] else "*")
                ax.text(j, i, word, ha="center", va="center", fontsize=8,
                        color="#ffffff" if grid[i, j] < 0.7 else "#000000")  # fmt: skip
        image = ax.imshow(grid, cmap="cividis", vmin=0.3, vmax=1.05, aspect="auto")
        ax.set_xticks(range(len(budgets)), [str(b) for b in budgets])
        ax.set_yticks(range(len(noises)), [f"{v:g}" for v in noises])
        ax.set(title=f"{name}, {split}\n{titles[measure]}", xlabel="experiments",
               ylabel="noise variance")  # fmt: skip
    figure.colorbar(image, ax=axes, shrink=0.6, label="* never trained on")
    return figure


STUDY = Study(
    name="limit",
    claim="""A network that only imitated logs comes within 5 % of the best exact Bayesian player,
        over noise and number of experiments.""",
    design="""World `dag` (linear, 5 variables) over noise variance, experiments and split. Learned
        agents play every cell. Bayesian players (greedy in expected information gain, or in
        rotation; all exploit by the exact posterior) and heuristics never look at the
        steps left, so each is played once with the most experiments and read after fewer. The same
        systems and noise for all players of a cell. The ceiling of a cell is the Bayesian player
        with the highest mean return, picked after the fact, which favours it; it is told the noise
        variance, which agents are not. Its prior is uniform over graphs: it does not know what a
        split holds out. Cells that an agent's training record does not cover are marked. 95 %
        intervals by the paired bootstrap over episodes.""",
    refuted_if="""in some cell, the interval of the agent's return as a share of the best Bayesian
        player's lies below 0.95.""",
    measures="""return_ratio: share of the omniscient return; bayes_ratio: of the Bayes-optimal
        reader's on the same histories; of_ceiling: of the best Bayesian player's; gap: the
        ceiling's return less the player's, as a share of the omniscient; random_floor, heuristic,
        ceiling_ratio: shares of the omniscient return""",
    scales=SCALES,
    play=_play,
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Learned agents against the exact ceiling",
)
