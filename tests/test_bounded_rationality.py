"""Study `bounded-rationality`: being asked early, what it costs, and the prices by brute force."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from seedo import worlds
from seedo.errors import UserError
from seedo.evaluation import flops_of
from seedo.play import _record as _perform
from seedo.play import find_player
from seedo.studies import bounded_rationality as study
from seedo.studies._asked_early import asked_early
from seedo.studies._priced import (
    EXACT,
    NOTHING,
    Strategies,
    as_good,
    best_by_price,
    kind_of,
    takeover,
    takeovers,
)


def log(player, experiments, count=64):
    world = worlds.make("dag", n=3, split="longer", experiments=experiments)
    who = find_player(player, world)
    return world, who, _perform.episodes(world, who, 0, "perform", 0, count, systems=True)


def chosen(batch):
    """Target * V + index of what was done last."""
    value = batch.value[:, -1]
    return batch.target[:, -1].astype(int) * 2 + (value > 0)


@pytest.mark.parametrize(
    "player",
    [
        pytest.param("pretrained:dag", marks=pytest.mark.slow),
        pytest.param("bayes:rotation", marks=pytest.mark.slow),
        "scripted:largest-effect",
    ],
)
def test_who_is_asked_early_does_what_it_does_where_tasks_are_that_short(player):
    world, who, long = log(player, 4)
    early = asked_early(long, who, world.spec, (2, 4))
    # Heuristics may break ties otherwise: experiments are the same, what is done need not be.
    ties = 0.1 if player.startswith("scripted") else 0.0
    assert (early[:, 1] != chosen(long)).mean() <= ties
    _, _, short = log(player, 2)
    assert np.array_equal(short.outcome[:, :2], long.outcome[:, :2])
    assert (early[:, 0] != chosen(short)).mean() <= ties


@pytest.mark.slow
def test_only_logs_of_experiments_and_one_decision_are_asked_early():
    world = worlds.make("dag", n=3, split="longer", observations=1, experiments=2)
    who = find_player("scripted:largest-effect", world)
    batch = _perform.episodes(world, who, 0, "perform", 0, 2, systems=True)
    with pytest.raises(UserError, match="one exploit step"):
        asked_early(batch, who, world.spec, (1,))
    world, who, batch = log("scripted:largest-effect", 2, 2)
    with pytest.raises(UserError, match="the log has 2"):
        asked_early(batch, who, world.spec, (3,))


@pytest.mark.parametrize(
    "name", ["scripted:partial-correlation", pytest.param("bayes:rotation", marks=pytest.mark.slow)]
)
def test_operations_between_the_fewest_and_the_most_experiments_are_what_xla_counts(name):
    place = study.Place("here", {"n": 3}, (name,))
    after = (1, 3, 8)
    player = find_player(name, study._world(place, 8))
    found = study.operations_after(player, place, after)
    counted = []
    for experiments in after:
        spec = study._world(place, experiments).spec
        counted.append(flops_of(player, spec).of(spec.phases))
    assert found == pytest.approx(counted, rel=1e-9)


PLAYERS = ("bayes:rotation", "bayes:rotation", "scripted:largest-effect", "network-8", NOTHING)


def strategies(returns, operations=(1e6, 1.1e6, 100.0, 1e5, 0.0), noise=0.3, count=400, seed=0):
    rng = np.random.default_rng(seed)
    own = np.asarray(returns) + noise * rng.normal(size=(count, len(returns)))
    return Strategies(PLAYERS, np.array([1, 5, 3, 5, 0]), np.asarray(operations), own)


def test_the_best_strategy_is_that_of_the_highest_mean_less_its_costs():
    own = strategies([0.5, 0.9, 0.7, 0.6, 0.0])
    prices, thinking = (0.0, 0.04, 0.1, 0.5), (0.0, 0.1, 1.0, 1e4)
    cells = best_by_price(own, prices, thinking)
    assert [(c["experiment"], c["thinking"]) for c in cells] == [
        (e, t) for e in prices for t in thinking
    ]
    picking, measuring = own.returns[::2].mean(0), own.returns[1::2].mean(0)
    for cell in cells:
        costs = [
            cell["experiment"] * k + cell["thinking"] * f / 1e6
            for k, f in zip((1, 5, 3, 5, 0), own.operations, strict=True)
        ]
        best = int(np.argmax(picking - costs))
        assert (cell["player"], cell["experiments"]) == (PLAYERS[best], own.experiments[best])
        assert cell["value"] == pytest.approx(measuring[best] - costs[best])
        assert kind_of(cell["rival"]) != kind_of(cell["player"])
        lead = cell["lead"]
        assert lead["low"] <= lead["value"] <= lead["high"]
    kinds = [kind_of(c["player"]) for c in cells]
    assert kinds[0] == EXACT
    assert kinds[-1] == NOTHING


def test_nobody_leads_where_all_are_alike():
    own = strategies([0.5] * 5, operations=[0.0] * 5)
    own = replace(own, experiments=np.zeros(5, int))
    (cell,) = best_by_price(own, (0.0,), (0.0,))
    assert cell["lead"]["low"] < 0


def test_a_takeover_is_where_the_lines_cross():
    own = strategies([0.5, 0.9, 0.7, 0.6, 0.0], noise=0.0)
    # 0.9 - 5 e - 1.1 c = 0.7 - 3 e - 0.0001 c, and the network's line lies below both there.
    for experiment in (0.0, 0.02):
        (at,) = takeover(own, own.returns.mean(0)[None], experiment)
        assert at == pytest.approx((0.2 - 2 * experiment) / 1.0999, rel=0.05)
    # Experiments so dear that one is better than three, and then none than three.
    assert takeover(own, own.returns.mean(0)[None], 0.3) == np.inf
    # A heuristic that leads from the start.
    own = strategies([0.5, 0.6, 0.7, 0.6, 0.0], noise=0.0)
    assert takeover(own, own.returns.mean(0)[None], 0.0) == pytest.approx(1e-7)


def test_takeovers_compare_places_and_say_where_there_is_none():
    near = strategies([0.5, 0.75, 0.7, 0.6, 0.0], noise=0.05, seed=1)
    far = strategies([0.5, 0.9, 0.6, 0.6, 0.0], noise=0.05, seed=2)
    found = takeovers({"near": near, "far": far}, (0.0, 0.9), ("near", "far"))
    ratio = found["ratio"]["0"]
    assert ratio["low"] < 0.3 / 0.05 < ratio["high"]
    assert ratio["low"] > 1
    assert found["near"]["0.9"] == {"value": None, "low": None, "high": None}
    assert found["ratio"]["0.9"]["value"] is None
    assert "ratio" not in takeovers({"near": near}, (0.0,), ("near", "far"))


def test_as_good_counts_tasks_after_as_many_experiments():
    own = strategies([0.0, 1.0, 0.0, 0.0, 0.0], noise=0.0)
    own = replace(own, experiments=np.array([3, 5, 3, 5, 0]))
    own.returns[::4, 2] = -1.0  # worse in every other of the even tasks, on which nothing rests
    own.returns[1::4, 2] = -1.0  # and of the odd ones
    assert as_good(own)["3"]["value"] == pytest.approx(0.5)


TINY = study.Scale(
    (
        study.Place(study.EVERYDAY, {"n": 3, "max_parents": 1},
                    ("scripted:largest-effect", "bayes:rotation", "tiny")),
        study.Place(study.DEMANDING, {"n": 3},
                    ("scripted:largest-effect", "bayes:rotation", "tiny")),
    ),
    (1, 4), (study.Trained("tiny", (("size", 4), ("layers", 1), ("channels", 2)), 1.0),), 64, 32, 2,
    (0.0, study.NAMED_PRICE), (0.0, 0.01, 1.0), 64,
)  # fmt: skip


@pytest.mark.slow
def test_it_is_carried_out_resumes_to_the_same_bytes_and_says_what_it_found(tmp_path):
    tiny = replace(study.STUDY, scales={"tiny": TINY})
    said: list[str] = []
    found = tiny.run("tiny", tmp_path / "once", say=said.append)
    for name in ("figure.svg", "table.md"):
        assert (tmp_path / "once" / name).read_text()
    assert "takeover" in found.values
    assert "million operations" in found.verdict
    json.dumps(found.values, allow_nan=False)
    # What is lost is done again, all else found there.
    (tmp_path / "once" / "returns" / "everyday-tiny.npz").unlink()
    again = tiny.run("tiny", tmp_path / "once", say=said.append)
    assert again == found
