"""Study `limit`: how close learned agents come to the exact ceiling, over noise and budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import learning, worlds
from seedo.episodes import Dataset, write_atomic
from seedo.errors import UserError
from seedo.evaluation import _metrics, _strategies
from seedo.experimenters import Experimenter, bayesian, scripted
from seedo.reports._figures import STYLE, svg
from seedo.statistics import _intervals as _statistics
from seedo.studies._cut_logs import cut
from seedo.studies._protocol import Outcome, Say, Study
from seedo.studies._stages import kept_arrays, played
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


@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes:
        cells: worlds.
        agents: of `seedo.learning.load_agent`.
        bayesians: of `bayes:NAME`; the best of them is the ceiling.
        episodes: of every run.
    """

    cells: tuple[Cell, ...]
    agents: tuple[str, ...]
    bayesians: tuple[str, ...]
    episodes: int


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
            for cell in product(
                ("train", "heldout-link"), (0.25, 0.5, 1.0, 2.0, 4.0), (1, 2, 3, 5, 8, 10)
            )
        ),
        agents=AGENTS,
        bayesians=("rotation", "eig", "goal"),
        episodes=1280,
    ),
}

Returns = dict[str, NDArray[np.float64]]
"""float64[B] by who exploits after one player's explorations: "agent" (that player), "oracle",
"random", "bayes" and the heuristics."""


def _carry_out(size: Scale, out: Path, seed: int, say: Say) -> Outcome:
    steps = max(cell.experiments for cell in size.cells) + 1
    runs: list[str] = []
    exact = {
        key: value
        for split, noise in dict.fromkeys((c.split, c.noise) for c in size.cells)
        for key, value in _yardsticks(size, split, noise, steps, out, seed, say, runs).items()
    }
    values: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for cell in size.cells:
        means = {f"bayes:{name}": exact[cell, f"bayes:{name}"]["bayes"].mean()
                 for name in size.bayesians}  # fmt: skip
        ceiling = max(means, key=means.__getitem__)
        best = exact[cell, ceiling]["bayes"]
        shuffled = exact[cell, f"scripted:{HEURISTIC}"]
        means = {name: shuffled[name].mean() for name in _strategies.HEURISTICS}
        heuristic = max(means, key=means.__getitem__)
        for name in size.bayesians:
            own = exact[cell, f"bayes:{name}"]
            own = own | {"agent": own["bayes"]}  # what it would do if it stopped here
            values[f"{cell.label}/bayes:{name}"] = _figures(own, best, shuffled[heuristic])
        for name in _strategies.HEURISTICS:
            own = shuffled | {"agent": shuffled[name]}
            values[f"{cell.label}/scripted:{name}"] = _figures(own, best, shuffled[heuristic])
        for name in size.agents:
            agent = learning.load_agent(name)
            world = worlds.make("dag", split=cell.split, noise_variance=cell.noise,
                                experiments=cell.experiments)  # fmt: skip
            try:
                agent.check(world.spec)
            except UserError as error:
                refused[f"{cell.label}/{name}"] = str(error)
                say(f"{cell.label}, {name}: cannot play: {error}")
                continue
            folder = out / "runs" / f"{_file(cell)}-{name.split(':')[-1]}"
            dataset = played(world, agent, size.episodes, seed, folder, say)
            if cell.experiments == N:
                runs.append(str(folder))
            own = _returns(dataset, [cell.experiments], steps, seed, out)[cell.experiments]
            values[f"{cell.label}/{name}"] = _figures(own, best, shuffled[heuristic]) | {
                "ceiling": ceiling,
                "best_heuristic": heuristic,
                "trained_on": trained_on(agent.training, cell),
            }
    write_atomic(out / "figure.svg", _figure(size, values).encode())
    return Outcome(
        measure=(
            "return_ratio: share of the omniscient return; bayes_ratio: of the Bayes-optimal "
            "reader's on the same histories; of_ceiling: of the best Bayesian player's; "
            "gap: the ceiling's return less the player's, as a share of the omniscient; "
            "random_floor, heuristic, ceiling_ratio: shares of the omniscient return"
        ),
        values=values | {"cannot play": refused},
        verdict="\n".join(_verdicts(size, values, refused)),
        runs=runs,
        figures=["figure.svg"],
    )


def _yardsticks(
    size: Scale, split: str, noise: float, steps: int, out: Path, seed: int, say: Say,
    runs: list[str],
) -> dict[tuple[Cell, str], Returns]:  # fmt: skip
    """Players that choose experiments without a look at the steps left: played once with the most
    experiments, read after fewer."""
    budgets = [c.experiments for c in size.cells if (c.split, c.noise) == (split, noise)]
    world = worlds.make("dag", split=split, noise_variance=noise, experiments=max(budgets))
    players: dict[str, Experimenter] = {
        f"scripted:{HEURISTIC}": scripted(HEURISTIC),
        **{f"bayes:{name}": bayesian(name, world.config()) for name in size.bayesians},
    }
    found = {}
    for name, player in players.items():
        longest = Cell(split, noise, max(budgets))
        folder = out / "runs" / f"{_file(longest)}-{name.split(':')[-1]}"
        dataset = played(world, player, size.episodes, seed, folder, say)
        if longest.experiments == N:
            runs.append(str(folder))
        for experiments, returns in _returns(dataset, budgets, steps, seed, out).items():
            found[Cell(split, noise, experiments), name] = returns
    return found


def _file(cell: Cell) -> str:
    return cell.label.replace("/", "-")


def _returns(
    dataset: Dataset, budgets: list[int], steps: int, seed: int, out: Path
) -> dict[int, Returns]:
    """Returns after each number of experiments, from the log alone."""

    def compute() -> dict[str, NDArray[np.float64]]:
        without = [name for name in dataset.optional if name != "system"]
        batch = dataset.read(without=without)
        found = {}
        for experiments in budgets:
            short = cut(batch, experiments, steps)
            readings = _strategies.read(short)
            for name, values in _metrics.episode_returns(short, readings).items():
                found[f"{experiments}/{name}"] = values
        return found

    question = {"seed": seed, "episodes": dataset.rows, "budgets": budgets}
    file = out / "returns" / f"{dataset.path.name}.npz"
    arrays = kept_arrays(file, question, compute)
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
    top, bottom = zip(*pairs.values(), strict=True)
    estimates = _statistics.ratios(top, bottom)
    return {name: e.to_json() for name, e in zip(pairs, estimates, strict=True)}


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


def _verdicts(size: Scale, values: dict[str, Any], refused: dict[str, str]) -> list[str]:
    lines = []
    for name in size.agents:
        for split in dict.fromkeys(c.split for c in size.cells):
            cells = [c for c in size.cells if c.split == split and f"{c.label}/{name}" in values]
            near: list[str] = []
            far: list[str] = []
            open_: list[str] = []
            for cell in cells:
                own = values[f"{cell.label}/{name}"]["of_ceiling"]
                word = f"{_place(cell)}: {_estimate(own)}"
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
    for key, why in refused.items():
        lines.append(f"{key}: not played: {why}.")
    own = _largest_gap(size, values)
    if own is not None:
        lines.append(own)
    return lines


def _largest_gap(size: Scale, values: dict[str, Any]) -> str | None:
    found = [
        (values[f"{cell.label}/{name}"], cell, name)
        for cell in size.cells
        for name in size.agents
        if f"{cell.label}/{name}" in values
    ]
    if not found:
        return None
    own, cell, name = max(found, key=lambda f: f[0]["gap"]["value"])
    return (
        f"Largest gap: {name} on {cell.split}, {_place(cell)}: return "
        f"{_estimate(own['return_ratio'])} of the omniscient against "
        f"{_estimate(own['ceiling_ratio'])} of {own['ceiling']} and {_estimate(own['heuristic'])} "
        f"of the best heuristic ({own['best_heuristic']}); random floor "
        f"{_estimate(own['random_floor'])}; n = {own['return_ratio']['n']:,}."
    )


def _place(cell: Cell) -> str:
    return f"noise {cell.noise:g}, {cell.experiments} experiments"


def _list(words: list[str]) -> str:
    return f" ({'; '.join(words)})" if words else ""


def _estimate(found: dict[str, Any]) -> str:
    if found["low"] is None:
        return f"{found['value']:.3f}"
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _figure(size: Scale, values: dict[str, Any]) -> str:
    """Heat maps over noise and experiments: Bayes ratio above, share of the ceiling below."""
    splits = list(dict.fromkeys(c.split for c in size.cells))
    noises = sorted({c.noise for c in size.cells})
    budgets = sorted({c.experiments for c in size.cells})
    panels = [(name, split) for split in splits for name in size.agents]
    titles = {"bayes_ratio": "Bayes ratio", "of_ceiling": "share of the ceiling"}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.6 * len(panels), 6.0), layout="constrained", facecolor="none")
        axes = figure.subplots(len(titles), len(panels), squeeze=False)
        for row, (measure, title) in zip(axes, titles.items(), strict=True):
            for ax, (name, split) in zip(row, panels, strict=True):
                words: dict[tuple[int, int], str] = {}
                grid = np.full((len(noises), len(budgets)), np.nan)
                for cell in size.cells:
                    own = values.get(f"{cell.label}/{name}")
                    if cell.split == split and own is not None:
                        at = noises.index(cell.noise), budgets.index(cell.experiments)
                        grid[at] = own[measure]["value"]
                        words[at] = f"{grid[at]:.2f}" + ("" if own["trained_on"] else "*")
                image = ax.imshow(grid, cmap="cividis", vmin=0.3, vmax=1.05, aspect="auto")
                for (i, j), text in words.items():
                    ax.text(j, i, text, ha="center", va="center", fontsize=8,
                            color="#ffffff" if grid[i, j] < 0.7 else "#000000")  # fmt: skip
                ax.set_xticks(range(len(budgets)), [str(b) for b in budgets])
                ax.set_yticks(range(len(noises)), [f"{v:g}" for v in noises])
                ax.set_title(f"{name}, {split}\n{title}")
                ax.set_xlabel("experiments")
                ax.set_ylabel("noise variance")
        figure.colorbar(image, ax=axes, shrink=0.6, label="* never trained on")
        return svg(figure, "limit", "Learned agents against the exact ceiling")


STUDY = Study(
    name="limit",
    claim=(
        "A network that only imitated logs comes within 5 % of the best exact Bayesian player, "
        "over noise and number of experiments."
    ),
    design=(
        "World `dag` (linear, 5 variables) over noise variance, experiments and split. Learned "
        "agents play every cell. Bayesian players (greedy in expected information gain, in "
        "expected return, or in rotation; all exploit by the exact posterior) and heuristics never "
        "look at the steps left, so each is played once with the most experiments and read after "
        "fewer. The same systems and noise for all players of a cell. The ceiling of a cell is the "
        "Bayesian player with the highest mean return, picked after the fact, which favours it; "
        "it is told the noise variance, which agents are not. Its prior is uniform over graphs: it "
        "does not know what a split holds out. Cells that an agent's training record does not "
        "cover are marked. 95 % intervals by the paired bootstrap over episodes."
    ),
    refuted_if=(
        "in some cell, the interval of the agent's return as a share of the best Bayesian "
        "player's lies below 0.95."
    ),
    scales=SCALES,
    carry_out=_carry_out,
)
