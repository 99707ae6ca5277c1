"""What studies of long tasks share: worlds of many rounds, returns step by step, read from logs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EXPLORE, Dataset, EpisodeBatch
from seedo.errors import UserError
from seedo.evaluation import BAYES, ORACLE, read
from seedo.learning import Agent
from seedo.statistics import mean
from seedo.studies._estimates import ratios_of
from seedo.studies._histories import acted, actions_after, cut, with_systems
from seedo.studies._stages import stage
from seedo.studies._study import Work
from seedo.worlds import DagWorld

N = 5
EXPERIMENTS = 4
BLOCK = EXPERIMENTS + 1
"""Steps of a round: experiments, then one exploit action with a goal of its own."""

Returns = dict[str, NDArray[np.float64]]
"""float64[B, H] by who exploits, at H steps: "agent", "oracle", "random", "bayes" where exact."""


def rounds_world(steps: int, drift: float = 0.0, **options: Any) -> DagWorld:
    """Rounds of experiments and one exploit action, `steps` (a multiple of `BLOCK`) in all.

    Split `longer`: systems come from all graphs, as the exact reader assumes.
    """
    rounds = steps // BLOCK
    return stage(
        "dag", split="longer", n=N, experiments=EXPERIMENTS, exploits=1, goals="fresh",
        rounds=rounds, drift=drift if rounds > 1 else 0.0, **options,
    )  # fmt: skip


def one_goal_world(steps: int) -> DagWorld:
    """`steps` experiments, then one exploit action."""
    return stage("dag", split="longer", n=N, experiments=steps, exploits=1)


def returns_in_rounds(work: Work[Any], dataset: Dataset, at: Sequence[int], file: str) -> Returns:
    """Expected goal values at the exploit steps that end tasks of `at` steps."""

    def compute() -> Returns:
        return _returns(_asking_at(with_systems(dataset), np.array([steps - 1 for steps in at])))

    return work.arrays(file, {"rows": dataset.rows, "at": list(at)}, compute)


def returns_of_all_rounds(work: Work[Any], dataset: Dataset, file: str) -> Returns:
    """The same at all exploit steps, without the exact reader."""

    def compute() -> Returns:
        return _returns(with_systems(dataset), exact=False)

    return work.arrays(file, {"rows": dataset.rows, "at": "all"}, compute)


def returns_after(
    work: Work[Any], dataset: Dataset, agent: Agent, at: Sequence[int], file: str
) -> Returns:
    """Of a log of one goal: had the exploit action come after each of these numbers of experiments.

    What an agent would do is read off its network, see `actions_after`.
    """

    def compute() -> Returns:
        batch = with_systems(dataset)
        actions = actions_after(agent, batch, at)
        parts = [
            _returns(acted(cut(batch, experiments, batch.steps), actions[:, place]))
            for place, experiments in enumerate(at)
        ]
        return {name: np.concatenate([p[name] for p in parts], 1) for name in parts[0]}

    return work.arrays(file, {"rows": dataset.rows, "at": list(at)}, compute)


def _asking_at(batch: EpisodeBatch, steps: NDArray[np.int64]) -> EpisodeBatch:
    """The log with the goals of all other steps hidden, so that nobody reads there."""
    goal = np.full_like(batch.goal, -1)
    goal[:, steps] = batch.goal[:, steps]
    return replace(batch, goal=goal)


def _returns(batch: EpisodeBatch, exact: bool = True) -> Returns:
    readings = read(batch, (ORACLE, BAYES) if exact else (ORACLE,))
    if isinstance(readings, str) or readings.worth is None:
        raise UserError("log", None, readings if isinstance(readings, str) else "no systems in it")
    rows, legal, worth = np.arange(len(readings.action)), readings.legal, readings.worth
    own = np.where(readings.action >= 0, worth[rows, np.maximum(readings.action, 0)], 0.0)
    found = {
        "agent": own,
        "oracle": np.where(legal, worth, -np.inf).max(1),
        "random": np.where(legal, worth, 0.0).sum(1) / legal.sum(1),
    }
    bayes = readings.value_of(BAYES)
    if bayes is not None:
        found["bayes"] = bayes
    return {name: values.reshape(batch.rows, -1) for name, values in found.items()}


def figures_at(returns: Returns) -> list[dict[str, Any]]:
    """Return ratio, Bayes ratio and random floor at every step, with intervals."""
    found = []
    for place in range(returns["agent"].shape[1]):
        column = {name: values[:, place] for name, values in returns.items()}
        pairs = {
            "return_ratio": (column["agent"], column["oracle"]),
            "random_floor": (column["random"], column["oracle"]),
        }
        if "bayes" in column:
            pairs["bayes_ratio"] = (column["agent"], column["bayes"])
            pairs["bayes_reader"] = (column["bayes"], column["oracle"])
        found.append(ratios_of(pairs))
    return found


# -- how far what is visited lies from what was trained on ----------------------------------------


def pair_statistics(
    batch: EpisodeBatch, steps: NDArray[np.int64], seed: int
) -> NDArray[np.float64]:
    """What the rows before a step say about one variable and the goal: float[B, 8].

    Of one other relevant variable, drawn at random in each episode (one, so that rows are
    independent), as the network summarises it: ridge slope of the goal on it, overall and where it
    was set; both as correlations; log(1 + sum of squares) of it and of the goal; log(1 + rows) in
    which the goal was free, overall and where it was set.

    Args:
        batch: of B episodes.
        steps: int[B], the exploit step at which each is looked at.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    episode = np.arange(batch.rows)
    goal = batch.goal[episode, steps].astype(np.int64)
    open_ = batch.mask & (np.arange(batch.n) != goal[:, None])
    cause = np.where(open_, rng.random(open_.shape), -1.0).argmax(1)
    seen = np.arange(batch.steps) < steps[:, None]
    x, y = batch.outcome[episode, :, cause], batch.outcome[episode, :, goal]
    free = seen & (batch.target != goal[:, None]) & np.isfinite(x) & np.isfinite(y)
    by_hand = free & (batch.target == cause[:, None])
    x, y = (np.nan_to_num(v) for v in (x, y))

    def sums(rows: NDArray[np.bool_]) -> tuple[NDArray[np.float64], ...]:
        return tuple((rows * v).sum(1) for v in (x * x, x * y, y * y, np.ones_like(x)))

    xx, xy, yy, count = sums(free)
    dxx, dxy, dyy, dcount = sums(by_hand)
    return np.stack(
        [
            xy / (1 + xx), dxy / (1 + dxx),
            xy / np.sqrt((1 + xx) * (1 + yy)), dxy / np.sqrt((1 + dxx) * (1 + dyy)),
            np.log1p(xx), np.log1p(yy), np.log1p(count), np.log1p(dcount),
        ],
        axis=1,
    )  # fmt: skip


def energy_share(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """The energy coefficient of two samples [m, k] and [l, k], 0 (one distribution) to 1.

    (2 E|A - B| - E|A - A'| - E|B - B'|) / (2 E|A - B|), Székely & Rizzo (2013, Journal of
    Statistical Planning and Inference 143:1249), which is 0 only if the distributions are the
    same; unbiased means over different members, so that it may come out slightly below 0.
    """

    def distance(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.sqrt(((p[:, None] - q[None]) ** 2).sum(-1))
        return found

    def within(p: NDArray[np.float64]) -> float:
        return float(distance(p, p).sum() / (len(p) * (len(p) - 1)))

    across = float(distance(a, b).mean())
    return (2 * across - within(a) - within(b)) / (2 * across)


# -- a mistake, and how long it is felt ------------------------------------------------------------


def echo(right: NDArray[np.float64], wrong: NDArray[np.float64], oracle: NDArray[np.float64],
         mistake: int) -> dict[str, Any]:  # fmt: skip
    """What one mistake costs at the exploit steps of its round and after.

    Args:
        right, wrong: float[B, R], returns at the exploit step of each round, without and with it.
        oracle: float[B, R].
        mistake: number of the step that went wrong.

    Returns:
        `loss`: of each round from the mistake's on, (right - wrong) as a share of the mean oracle
        return, with a paired interval; `steps`: how many steps later it still is above 0: up to
        the first exploit step whose interval reaches 0; 0 if the first does.
    """
    first = mistake // BLOCK
    losses, last, over = [], 0, False
    for number in range(first, right.shape[1]):
        scale = oracle[:, number].mean()
        found = mean((right[:, number] - wrong[:, number]) / scale).to_json()
        after = (number + 1) * BLOCK - 1 - mistake
        losses.append({"steps_later": after, **found})
        over = over or found["low"] is None or found["low"] <= 0
        if not over:
            last = after
    return {"loss": losses, "steps": last}


def meant_as_labels(batch: EpisodeBatch) -> EpisodeBatch:
    """A log whose players noted what they meant, with that as expert labels.

    What was meant is the action with probability 1 in `action_logits`.
    """
    if batch.action_logits is None:
        raise UserError("log", None, "it does not say what was meant")
    values = np.asarray(json.loads(batch.origin.world_config)["do_values"], np.float32)
    known = batch.phase >= EXPLORE
    meant = np.nan_to_num(batch.action_logits, nan=-np.inf, neginf=-1e9).argmax(-1)
    return replace(
        batch,
        label_target=np.where(known, meant // len(values), -1),
        label_value=np.where(known, values[meant % len(values)], np.nan),
        action_logits=None,
    )
