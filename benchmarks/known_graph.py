"""What a known causal graph is worth to a player of settings, on simulated plants.

    python benchmarks/known_graph.py --out docs/results/plants-graph.json

Plants (world `plants`, both forms), each played from the same seeds without a graph, with its true
one, and with one that lacks an arrow on a way from a knob to the goal. Regret is (best - worth of
the setting that the player would keep) / (best - mean of random settings), after 10 and 20 runs;
runs needed are those until it is at most 0.05, 21 where it never is within 20. Printed are means,
how often the graph was set aside (with the true one: falsely), and differences to no graph with
95 % bootstrap intervals over plants. A missing arrow may leave a knob without any way to the goal:
such a knob is not explored, so that no run can tell; these plants are also told apart. What is in
--out is not run again.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from _sizes import sized

from seedo import worlds
from seedo.episodes import write_atomic
from seedo.experimenters import find_player
from seedo.experimenters.proposers import heeded
from seedo.spaces import CausalGraph, Runs

FORMS, GRAPHS, ASKED, NEAR = ("linear", "curved"), ("none", "true", "wrong"), (10, 20), 0.05
MOST, BUDGET = max(ASKED), 30
"""Runs that are made, and those that the player is told of, so that none is its last."""


def lacking(graph: CausalGraph, knobs: tuple[str, ...], number: int) -> CausalGraph:
    """A graph without one arrow, drawn by the plant's number, on a way from a knob to the goal."""
    on = [
        (cause, effect)
        for cause, effect in graph.arrows
        if effect in graph.ancestors(["goal"]) and graph.ancestors([cause]) & set(knobs)
    ]
    order = np.random.default_rng([number, 5]).permutation(len(on))
    for place in order:
        left = CausalGraph(tuple(arrow for arrow in graph.arrows if arrow != on[place]))
        if left.acting(knobs, ["goal"]):  # else it is refused
            return left
    return graph


def played(name: str, form: str, known: str, number: int) -> dict[str, Any]:
    """What a player reaches on a plant."""
    world = worlds.make("plants", form=form, runs=BUDGET)
    plant = world.sample(np.random.default_rng([number, 0]))
    true, knobs = world.graph(plant), world.space.names
    graph = {"none": None, "true": true, "wrong": lacking(true, knobs, number)}[known]
    spec = replace(world.spec, graph=graph)
    player = find_player(name, world, seed=1)
    runs, nothing = Runs.none(len(knobs), world.readings), np.empty((0, len(knobs)))
    found: dict[str, Any] = {"runs": MOST + 1, "set aside": None}
    if graph is not None:
        cut = set(true.acting(knobs, ["goal"])) - set(graph.acting(knobs, ["goal"]))
        found["cut off"] = len(cut)
    for made in range(MOST + 1):
        if made:
            kept = player.recommend(spec, runs, np.random.default_rng([number, 2, made]))
            short = plant.highest - world.expected(plant, kept[None])[0]
            regret = float(short / (plant.highest - plant.middle))
            if made in ASKED:
                found[str(made)] = regret
            if regret <= NEAR:
                found["runs"] = min(found["runs"], made)
            if heeded(spec, runs, nothing).against and found["set aside"] is None:
                found["set aside"] = made
            if made == MOST:
                break
        setting = player.propose(
            spec, runs, nothing, BUDGET - made, np.random.default_rng([number, 3, made])
        )
        read = world.measured(plant, setting, np.random.default_rng([number, 4, made]))
        runs = runs.plus(setting, read)
    return found


def summary(found: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for form in FORMS:
        plain = found.get(f"{form}, none", {})
        for known in GRAPHS:
            done = found.get(f"{form}, {known}", {})
            kinds = {"": list(done)}
            if known == "wrong":
                kinds |= {
                    ", no knob cut off": [k for k in done if not done[k]["cut off"]],
                    ", a knob cut off": [k for k in done if done[k]["cut off"]],
                }
            for kind, numbers in kinds.items():
                if numbers:
                    told[f"{form}, {known}{kind}"] = _told(done, plain, numbers)
    return told


def _told(done: dict[str, Any], plain: dict[str, Any], numbers: list[str]) -> dict[str, Any]:
    rows: dict[str, Any] = {"plants": len(numbers)}
    rows["set aside"] = sum(done[k]["set aside"] is not None for k in numbers)
    rows["not reached"] = float(np.mean([done[k]["runs"] > MOST for k in numbers]))
    both = [k for k in numbers if k in plain]
    again = np.random.default_rng(0).integers(max(len(both), 1), size=(4000, len(both)))
    for what in ("runs", *map(str, ASKED)):
        rows[what] = float(np.mean([done[k][what] for k in numbers]))
        off = np.array([done[k][what] - plain[k][what] for k in both])
        if len(off):
            low, high = np.quantile(off[again].mean(axis=1), [0.025, 0.975])
            rows[f"{what}, less none"] = [float(off.mean()), float(low), float(high)]
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--player", default="bayes:mechanisms")
    parser.add_argument("--forms", nargs="+", default=list(FORMS), choices=FORMS)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first plant")
    parser.add_argument("--graphs", nargs="+", default=list(GRAPHS), choices=GRAPHS)
    parser.add_argument("--out", type=Path)
    given = sized(parser, count=1, forms=["linear"])
    found: dict[str, Any] = {}
    if given.out is not None and given.out.exists():
        found = json.loads(given.out.read_text("utf-8"))["plants"]
    for number in range(given.first, given.count):
        for form in given.forms:
            for known in given.graphs:
                done = found.setdefault(f"{form}, {known}", {})
                if str(number) in done:
                    continue
                done[str(number)] = played(given.player, form, known, number)
                if given.out is not None:
                    kept = {"plants": found, "summary": summary(found)}
                    write_atomic(given.out, json.dumps(kept, sort_keys=True).encode())
    print(json.dumps(summary(found), indent=1))
