"""Do the intervals of `review --mixed` cover? Scores of people and agents who are made up.

Two conditions of people and two agents on the same systems; a score is the player's level, the
person's, the system's, the player's with that system, and the rest, all normal with known spread.
Printed is how often the 95 % interval of a difference, and of a level, holds the true one, over
people and systems drawn anew each time.

    python benchmarks/mixed_coverage.py [--repeats 400] [--seed 0] [--out mixed.json]

With --out, what is there already is not made again.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from _sizes import sized

from seedo.statistics import NOBODY, crossed_scores, share

LEVELS = (0.5, 0.55, 0.6, 0.6)
"""Of two conditions of people, and of two agents."""


@dataclass(frozen=True)
class Design:
    people: int  # a condition
    tasks: int  # a person
    own: bool  # systems of their own
    person: float
    system: float
    player_x_system: float
    rest: float
    rest_of_agents: float


DESIGNS = {
    "shared systems": Design(15, 8, False, 0.15, 0.3, 0.1, 0.3, 0.3),
    "agents steadier than people": Design(15, 8, False, 0.15, 0.3, 0.1, 0.3, 0.05),
    "people all alike": Design(15, 8, False, 0.0, 0.3, 0.0, 0.3, 0.3),
    "ten people, six systems": Design(10, 6, False, 0.2, 0.2, 0.15, 0.2, 0.2),
    "systems of their own": Design(10, 5, True, 0.15, 0.3, 0.1, 0.3, 0.3),
}


def drawn(design, rng):
    """Score, player, person and system of every episode."""
    people, tasks = 2 * design.people, design.tasks
    systems = people * tasks if design.own else tasks
    person = np.repeat(np.arange(people), tasks)
    met = np.arange(systems) if design.own else np.tile(np.arange(tasks), people)
    player = np.r_[(person >= design.people).astype(int), np.repeat([2, 3], systems)]
    person = np.r_[person, np.full(2 * systems, NOBODY)]
    system = np.r_[met, np.tile(np.arange(systems), 2)]
    human = person != NOBODY
    score = np.array(LEVELS)[player] + rng.normal(0, design.system, systems)[system]
    score += np.where(human, rng.normal(0, design.person, people)[person], 0.0)
    score += rng.normal(0, design.player_x_system, (4, systems))[player, system]
    score += rng.normal(0, np.where(human, design.rest, design.rest_of_agents))
    return score, player, person, system


def covered(design, repeats, seed):
    """By comparison, how often its interval holds the truth; and how often there was a model."""
    rng = np.random.default_rng(seed)
    hits, widths = {}, {}
    for _ in range(repeats):
        fit = crossed_scores(*drawn(design, rng))
        if isinstance(fit, str):
            continue
        for name, found, truth in (
            ("condition less condition", fit.difference(0, 1), LEVELS[0] - LEVELS[1]),
            ("people less agent", fit.difference(0, 2), LEVELS[0] - LEVELS[2]),
            ("agent less agent", fit.difference(2, 3), LEVELS[2] - LEVELS[3]),
            ("level of people", fit.of(0), LEVELS[0]),
        ):
            hits.setdefault(name, []).append(found.low <= truth <= found.high)
            widths.setdefault(name, []).append(found.high - found.low)
    done = len(next(iter(hits.values()), []))
    return {
        "design": asdict(design), "repeats": repeats, "fitted": done,
        "coverage": {name: share(sum(each), done).to_json() for name, each in hits.items()},
        "mean width": {name: float(np.mean(each)) for name, each in widths.items()},
    }  # fmt: skip


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=400)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path)
    given = sized(options, repeats=2)
    found = {}
    if given.out and given.out.exists():
        found = json.loads(given.out.read_text())
    for name, design in DESIGNS.items():
        if name not in found:
            found[name] = covered(design, given.repeats, given.seed)
            told = {what: round(each["value"], 3) for what, each in found[name]["coverage"].items()}
            print(name, found[name]["fitted"], told, flush=True)
            if given.out:
                given.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
