"""Whether people who are made up are attributed the strategy that they choose by.

Each makes 40 choices, 10 % of them at random: test by test on noisy-OR graphs of three nodes (eight
graphs, five tests each), or one choice for each of 40 pairs of graphs (the chip task).

    python benchmarks/people_recovery.py [--people 200] [--seed 0] [--out recovery.json]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from _sizes import sized

from seedo.inference.binary import FREE, ON, every_dag, every_setting
from seedo.people.choices import STRATEGIES, attributed, best_logs, from_graphs, scores, simulate
from seedo.statistics import share

LAPSE, CHOICES, TESTS = 0.1, 40, 5


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
        right = int((names == strategy).sum())
        taken = {name: int((names == name).sum()) for name in STRATEGIES}
        found[strategy] = share(right, people).to_json() | {"taken for": taken}
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path)
    given = sized(options, people=4)
    found = {task.__name__: recovered(task, given.people, given.seed)
             for task in (test_by_test, pairs)}  # fmt: skip
    text = json.dumps({"people": given.people, "seed": given.seed, "lapse": LAPSE,
                       "choices": CHOICES, "recovered": found}, indent=1)  # fmt: skip
    print(text)
    if given.out:
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
