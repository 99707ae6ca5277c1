"""The price of an exclusion against brute force, and against what the expert of the logs did."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from seedo import studies, worlds
from seedo.errors import UserError
from seedo.studies import _linked_graphs
from seedo.studies._price import histories, imitators
from seedo.worlds import configure

NOISE, VALUES = 0.5, np.array([-2.0, 2.0])
CAUSE, GOAL = 1, 2


def systems(rng, count):
    """Weights [S, 3, 3] of systems with a goal at 2, as the world draws them: graphs are uniform,
    goals are drawn among what has a cause, so that a system counts by its chance of that goal."""
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    graphs = []
    for present in product((0, 1), repeat=6):
        graph = np.zeros((3, 3))
        for (i, j), here in zip(pairs, present, strict=True):
            graph[i, j] = here
        if not np.linalg.matrix_power(graph, 3).any() and not (graph * graph.T).any():
            graphs.append(graph)
    assert len(graphs) == 25
    drawn = np.array(graphs)[rng.integers(25, size=count)]
    caused = drawn.any(1)
    chance = np.where(caused.any(1), caused[:, GOAL] / np.maximum(caused.sum(1), 1), 1 / 3)
    return drawn * rng.normal(size=drawn.shape), chance


def variances(weights, shock):
    """Of the noise of every variable, shock^2 times as large for what has no cause."""
    return NOISE * np.where((weights != 0).any(-2), 1.0, shock**2)


def outcomes(rng, weights, shock):
    """Each variable set once, [3 rows, 3]."""
    rows = np.zeros((3, 3))
    for target in range(3):
        own = weights.copy()
        own[:, target] = 0
        drive = rng.normal(size=3) * variances(weights, shock) ** 0.5
        drive[target] = rng.choice(VALUES)
        rows[target] = drive @ np.linalg.inv(np.eye(3) - own)
    return rows


def weighed(rows, weights, shock):
    """Likelihood of the rows under every system, from the equations of what was not set."""
    residual = rows[None] - np.einsum("ti,sij->stj", rows, weights)
    variance = variances(weights, shock)[:, None]
    return np.exp(-(1 - np.eye(3)) * (residual**2 / variance + np.log(variance)) / 2).prod((1, 2))


@pytest.mark.parametrize("shock", [1.0, 2.0])
def test_masses_and_prices_are_those_of_importance_sampling_from_the_prior(shock):
    rng = np.random.default_rng(0)
    weights, chance = systems(rng, 100_000)
    effect = np.linalg.inv(np.eye(3) - weights)[:, :GOAL, GOAL]  # on the goal, of 0 and 1
    worth = (effect[..., None] * VALUES).reshape(len(weights), -1)
    best = worth == worth.max(1, keepdims=True)
    best = best / best.sum(1, keepdims=True)
    arrow = weights[:, CAUSE, GOAL] != 0
    linked = arrow | ((weights[:, 1, 0] != 0) & (weights[:, 0, 2] != 0))
    some = np.flatnonzero(~linked & (rng.random(len(weights)) < chance))[:16]
    seen = [outcomes(rng, weights[i], shock) for i in some]
    gram = np.array([[np.delete(x, j, 0).T @ np.delete(x, j, 0) for j in range(3)] for x in seen])
    options = {} if shock == 1 else {"shocks": "observed", "shock_scale": shock}
    config = configure(n=3, noise_variance=NOISE, **options)
    read = imitators(gram, np.full((16, 3), 2.0), config, 4096, 0, link=(CAUSE, GOAL))

    likely = [weighed(x, weights, shock) * chance for x in seen]
    unaware = np.array([p @ best / p.sum() for p in likely])
    for held, out in (("path", linked), ("arrow", arrow)):
        allowed = [p[~out].sum() / p.sum() for p in likely]
        known = np.array([p[~out] @ best[~out] / p[~out].sum() for p in likely])
        price = (known * np.log(np.where(known > 0, known / unaware, 1.0))).sum(1)
        np.testing.assert_allclose(np.exp(-read.bound(held)), allowed, atol=0.02)
        np.testing.assert_allclose(read.plays(held)[:, :4], known, atol=0.04)
        np.testing.assert_allclose(read.price(held), price, rtol=0.15, atol=0.02)
        assert read.price(held).mean() == pytest.approx(price.mean(), rel=0.04, abs=0.003)
        assert price.mean() > 0.02
        assert (read.price(held) <= read.bound(held) + 1e-9).all()
        # The more of the exclusion is learnt, the less is left to pay.
        left = np.array([read.price(held, k) for k in (0, 1, 3, np.inf)])
        assert (np.diff(left, axis=0) <= 1e-12).all()
        assert (left[3] == 0).all()


def test_graphs_drawn_with_an_order_weigh_what_listed_ones_do(monkeypatch):
    rng, weights = np.random.default_rng(1), np.zeros((4, 4))
    weights[[0, 0, 1], [1, 3, 3]] = 1.0, -0.7, 0.8
    x = (rng.normal(size=(6, 4)) * NOISE**0.5) @ np.linalg.inv(np.eye(4) - weights)
    gram = np.broadcast_to(x.T @ x, (1, 4, 4, 4))
    config = configure(n=4, noise_variance=NOISE)

    def read():
        return imitators(gram, np.full((1, 4), 6.0), config, 8192, 0, link=(CAUSE, 3))

    listed = read()
    monkeypatch.setattr(_linked_graphs, "LISTED", 3)
    drawn = read()
    for held in ("path", "arrow"):
        np.testing.assert_allclose(drawn.bound(held), listed.bound(held), atol=0.03)
        np.testing.assert_allclose(drawn.plays(held), listed.plays(held), atol=0.03)
        np.testing.assert_allclose(drawn.price(held), listed.price(held), rtol=0.1)
        assert listed.price(held) > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("held", ["path", "arrow"])
def test_the_imitator_of_the_logs_is_as_often_right_as_it_thinks(held):
    world = worlds.make("dag", split="train", held=held, noise_variance=0.25, experiments=4)
    seen = histories(world, 6000, 0)
    read = imitators(seen.gram, seen.rows, world.settings, 512, 0)
    truth = seen.worth == seen.worth.max(1, keepdims=True)
    for thinks, calibrated in ((read.plays(held), True), (read.plays(held, 0.0), False)):
        # Of every target: the share of episodes in which it is best, against what is thought.
        off = (truth / truth.sum(1, keepdims=True) - thinks).reshape(len(truth), 5, 2).sum(2)
        z = off.mean(0) / (off.std(0) + 0.01) * len(off) ** 0.5
        assert (np.abs(z[:4]) < 4).all() == calibrated
    if held == "path":  # but in the graph without arrows, where the expert sets anything
        assert read.plays(held)[:, 6:8].max() < 0.05


@pytest.mark.slow
def test_without_noise_the_exclusion_is_worth_nothing_and_with_noise_something():
    few = {"train": 1500, "unseen": 64, "draws": 64}
    exact = studies.priced({"noise_variance": 1e-4}, "path", **few)
    noisy = studies.priced({"noise_variance": 1.0}, "path", **few)
    assert exact["train"]["price"]["high"] < 1e-4 < 0.05 < noisy["train"]["price"]["low"]
    assert noisy["train"]["price"]["high"] < noisy["train"]["bound"]["low"]
    for found in (exact, noisy):
        assert found["train"]["sets D"]["imitator"]["value"] == 0
    assert noisy["train"]["sets D"]["unaware"]["value"] > 0.03
    assert noisy["train"]["given up"]["high"] > 0
    assert exact["unseen"]["return"]["unaware"]["value"] > 0.999
    assert noisy["unseen"]["return"]["unaware"]["value"] > 0.6


def test_worlds_of_which_the_price_is_not_exact_are_refused():
    for options in ({"n": 11}, {"exploits": 2}, {"mechanism": "tanh"}):
        with pytest.raises(UserError):
            histories(worlds.make("dag", split="train", **options), 8, 0)
