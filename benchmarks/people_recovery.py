"""Whether people who are made up are attributed the strategy that they choose by.

Each makes 40 choices, 10 % of them at random: test by test on noisy-OR graphs of three nodes (eight
graphs, five tests each); one choice for each of 40 pairs of graphs (the chip task); experiments and
answers in world `dag` with five variables, as `review --strategies` weighs them (eight systems,
five experiments each, then five goals).

    python benchmarks/people_recovery.py [--people 200] [--in-dag 40] [--out recovery.json]

With --out, what is there already for as many people is not made again.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from _sizes import sized

from seedo.evaluation import (
    CANNOT_TELL,
    EXPLORERS,
    HEURISTICS,
    explorer_scores,
    followed_answers,
    followed_experiments,
    read,
    taken,
)
from seedo.experimenters import Bayesian, Slipping, bayesian, scripted
from seedo.inference.binary import FREE, ON, every_dag, every_setting
from seedo.people.choices import STRATEGIES, attributed, best_logs, from_graphs, scores, simulate
from seedo.play import episodes
from seedo.statistics import share
from seedo.worlds import DagWorld, configure

LAPSE, CHOICES, TESTS = 0.1, 40, 5
WORLD = DagWorld(configure(n=5, experiments=5, exploits=5, goals="fresh"))
SYSTEMS = CHOICES // 5


def test_by_test(strategy, people, rng):
    """Histories of one table: all graphs on three nodes, every intervention."""
    systems = CHOICES // TESTS
    truth = rng.integers(25, size=people * systems)
    person = np.repeat(np.arange(people), systems).astype(str)
    part = from_graphs(every_dag(3), every_setting(3), 0.1, 0.8, person, truth)
    yield simulate(part, strategy, LAPSE, TESTS, rng)


def pairs(strategy, people, rng):
    """Histories of 40 tables, one a pair of graphs on four nodes; one node may be turned on."""
    graphs, settings = every_dag(4), every_setting(4)
    one = ((settings != FREE).sum(axis=1) == 1) & (settings == ON).any(axis=1)
    graphs = graphs[graphs.any(axis=(1, 2))]
    for _ in range(CHOICES):
        told = graphs[rng.choice(len(graphs), 2, replace=False)]
        truth = rng.integers(2, size=people)
        person = np.arange(people).astype(str)
        part = from_graphs(told, settings[one], 0.0, 0.8, person, truth)
        yield simulate(part, strategy, LAPSE, 1, rng)


def recovered(task, people, seed):
    """By strategy: the share attributed right with its interval, and whose they were taken for."""
    rng = np.random.default_rng(seed)
    found = {}
    for strategy in STRATEGIES:
        logs = {name: 0.0 for name in STRATEGIES}
        for part in task(strategy, people, rng):
            for name in STRATEGIES:
                each = best_logs(part, scores(part, name))
                logs[name] = logs[name] + each.reshape(len(each), people, -1).sum(axis=-1)
        names, _ = attributed(logs)
        found[strategy] = counted(names.tolist(), strategy)
    return found


def counted(names, strategy):
    """How many were given the strategy that is theirs; `names` may join several."""
    right = sum(strategy in name.split(" or ") for name in names)
    taken_for = {name: names.count(name) for name in dict.fromkeys(names)}
    return share(right, len(names)).to_json() | {"taken for": taken_for}


# -- world dag -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Explorer(Bayesian):
    """Explores by one of `EXPLORERS`, answers by exact Bayes."""

    def _explore(self, state, observation, key):
        draws, tie, value = jax.random.split(key, 3)
        chosen, moments = self._relevant(state, observation.relevant)
        told = explorer_scores(self.posterior, self.do_values, moments, state.tried, draws)
        best = taken({self.chooser: told[self.chooser]})[self.chooser]
        target = jax.random.choice(tie, len(chosen), p=best / best.sum())
        given = jax.random.choice(value, jnp.asarray(self.do_values))
        return chosen[target].astype(jnp.int32), given.astype(jnp.float32)


def explorer(strategy):
    own = bayesian("rotation", WORLD.config())
    return Explorer(strategy, own.posterior, own.do_values, own.draws)


def answerer(strategy):
    if strategy == "bayes":
        return bayesian("shuffled", WORLD.config())
    return scripted("random" if strategy == "random" else f"shuffled+{strategy}")


def in_dag(make, weigh, strategies, people, seed):
    """The same of people in world `dag`, whose choices `weigh` attributes."""
    found = {}
    for strategy in strategies:
        player = Slipping(make(strategy), LAPSE)
        batch = episodes(WORLD, player, seed, "perform", 0, people * SYSTEMS)
        whose = [f"p{k // SYSTEMS}" for k in range(people * SYSTEMS)]
        batch = replace(batch, participant=whose, action_logits=None)
        followed = weigh(batch)
        found[strategy] = counted([each.strategy for each in followed.followers], strategy)
        found[strategy]["cannot tell"] = followed.attributed[CANNOT_TELL]
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=200, help="for a strategy")
    options.add_argument("--in-dag", type=int, default=40, help="the same in world dag")
    options.add_argument("--first", type=int, help="only so many strategies of each kind there")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path)
    given = sized(options, people=2, in_dag=2, first=1)
    found = {"seed": given.seed, "lapse": LAPSE, "choices": CHOICES, "people": {}, "recovered": {}}
    if given.out and given.out.exists():
        found |= json.loads(given.out.read_text())
    answers = ("random", "bayes", *HEURISTICS)[: given.first]
    own, seed = given.in_dag, given.seed
    tasks = {
        "test_by_test": (given.people, lambda: recovered(test_by_test, given.people, seed)),
        "pairs": (given.people, lambda: recovered(pairs, given.people, seed)),
        "dag, experiments": (
            own, lambda: in_dag(explorer, followed_experiments, EXPLORERS[: given.first], own, seed)
        ),
        "dag, answers": (
            own,
            lambda: in_dag(answerer, lambda b: followed_answers(b, read(b)), answers, own, seed),
        ),
    }  # fmt: skip
    for name, (people, make) in tasks.items():
        if found["people"].get(name) != people:
            found["recovered"][name], found["people"][name] = make(), people
            if given.out:
                given.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
