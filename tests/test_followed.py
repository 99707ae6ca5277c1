"""`review --strategies`: whose experiments and answers which strategy predicts."""

from __future__ import annotations

import dataclasses
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from command import run
from seedo.episodes import EXPLORE, concatenate, write_batch
from seedo.evaluation import (
    CANNOT_TELL,
    EXPLORERS,
    explored,
    explorer_scores,
    followed_experiments,
    taken,
)
from seedo.experimenters import scripted
from seedo.inference.exact import SubsetPosterior
from seedo.inference.scores import add_row, no_rows
from seedo.people.choices import told_apart
from seedo.play import episodes
from seedo.worlds import DagWorld, configure

WORLD = DagWorld(configure(n=3))
EPISODES = 60


def scores_after(rows, tried):
    """Scores over two variables, noise and weights of variance 1, after (outcome, target) rows."""
    moments = no_rows(2)
    for outcome, target in rows:
        moments = add_row(moments, jnp.asarray(outcome), jnp.asarray(target))
    posterior = SubsetPosterior(2, 1)
    key = jax.random.key(0)
    found = explorer_scores(posterior, (-2.0, 2.0), moments, jnp.asarray(tried), key)
    return {name: np.asarray(score) for name, score in found.items()}


def told(grid, belief, densities):
    """Mutual information of graph and outcome, in bits, by summing over a grid."""
    mixed = belief @ np.array(densities)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = [np.nan_to_num(p * np.log2(p / mixed)).sum() for p in densities]
    return (grid[1] - grid[0]) * float(belief @ each)


def test_scores_of_two_variables_are_those_worked_out_by_hand():
    """Three graphs: none, 0 -> 1, 1 -> 0. Twice x0 was held at 2, and x1 came out at 1 and 2."""
    found = scores_after([([2.0, 1.0], 0), ([2.0, 2.0], 0)], [2, 0])
    y = np.array([1.0, 2.0])
    none = stats.norm(0, 1).logpdf(y).sum()
    # Under 0 -> 1 outcomes share a weight: covariance 1 + 4 on the diagonal, 4 off it. Under
    # 1 -> 0 the link is cut by holding x0.
    linked = stats.multivariate_normal([0, 0], np.eye(2) + 4).logpdf(y)
    likelihood = np.exp([none, linked, none])
    belief = likelihood / likelihood.sum()
    weight = 2 * y.sum() / (1 + 2 * 4)  # posterior mean of the weight under 0 -> 1
    np.testing.assert_allclose(found["largest effect"], [belief[1] * weight, 0], rtol=1e-4)
    relative = belief / belief.max()
    np.testing.assert_allclose(found["positive test"], [relative[1], relative[2]], rtol=1e-4)
    np.testing.assert_allclose(found["in turn"], [-2, 0])
    np.testing.assert_allclose(found["random"], [0, 0])
    grid = np.linspace(-30, 30, 6001)
    # Setting x0 once more parts 0 -> 1 from the others, setting x1 parts 1 -> 0 from the others.
    alone = stats.norm(0, 1).pdf(grid)
    # The weight has variance 1 / 9.
    ahead = stats.norm(2 * weight, math.sqrt(1 + 4 / 9)).pdf(grid)
    back = stats.norm(0, math.sqrt(5)).pdf(grid)
    bits = [told(grid, belief, [alone, ahead, alone]), told(grid, belief, [alone, alone, back])]
    np.testing.assert_allclose(found["information"], bits, rtol=0.1)
    best = {name: mark.tolist() for name, mark in taken(found).items()}
    assert best == {
        "random": [True, True], "in turn": [False, True], "positive test": [True, False],
        "largest effect": [True, False], "information": [True, False],
    }  # fmt: skip


def test_before_anything_is_known_all_variables_are_alike():
    found = taken(scores_after([], [0, 0]))
    assert {name for name, mark in found.items() if mark.all()} == {*EXPLORERS}


def played(name, count=EPISODES):
    return episodes(WORLD, scripted(name), 0, "perform", 0, count, systems=True)


def test_every_experiment_on_a_relevant_variable_is_weighed():
    batch = played("random")
    found = explored(batch)
    exploring = batch.phase == EXPLORE
    np.testing.assert_array_equal(found.chosen, batch.target[exploring])
    np.testing.assert_array_equal(found.episode, np.nonzero(exploring)[0])
    # Who takes turns takes one of those tried least, by the log itself.
    for row, (episode, mark) in enumerate(zip(found.episode, found.best["in turn"], strict=True)):
        before = found.chosen[:row][found.episode[:row] == episode]
        tried = np.bincount(before, minlength=3)
        np.testing.assert_array_equal(mark, tried == tried.min())


def test_bits_of_who_takes_turns_are_those_of_two_lapses_in_a_hundred():
    """The smallest share of lapses on offer fits best: of 3 variables 3, 2 and 1 are left."""
    found = followed_experiments(played("largest-effect"))
    told = [math.log2((0.98 / left + 0.02 / 3) * 3) for left in (3, 2, 1)]
    assert found.bits["in turn"].value == pytest.approx(np.mean(told))
    assert found.bits["in turn"].n == EPISODES
    assert found.attributed["in turn"] == 1
    (agent,) = found.followers
    assert (agent.who, agent.choices, agent.strategy) == ("", 3 * EPISODES, "in turn")


def test_who_chose_little_cannot_be_told():
    found = followed_experiments(played("random", 1))
    assert found.attributed[CANNOT_TELL] == 1
    (agent,) = found.followers
    assert agent.probability < 0.95
    assert len(agent.open) > 1
    assert all(bits.value is None for bits in found.bits.values())


def test_probabilities_of_strategies_are_those_of_bayes():
    logs = {"a": np.log([[0.5], [0.1]]), "b": np.log([[0.2], [0.2]])}
    names, found = told_apart(logs)
    assert names == ["a", "b"]
    np.testing.assert_allclose(found[:, 0], [0.3 / 0.5, 0.2 / 0.5])


@pytest.mark.slow
def test_people_and_agents_are_told_apart_in_a_review(tmp_path, capsys):
    parts = []
    for number, name in enumerate(("largest-effect", "random", "total-correlation")):
        part = played(name)
        origin = dataclasses.replace(part.origin, experimenter="person", created="2025-01-01")
        whose = [f"p{number}"] * EPISODES
        parts.append(
            dataclasses.replace(part, origin=origin, participant=whose, action_logits=None)
        )
    write_batch(tmp_path / "people", concatenate(parts))
    write_batch(tmp_path / "agent", played("largest-effect"))
    paths = [str(tmp_path / "people"), str(tmp_path / "agent")]
    out = str(tmp_path / "report.html")
    code, text, err = run(capsys, "review", *paths, "--strategies", "--json", "--out", out)
    assert code == 0, err
    found = json.loads(text)
    people, agent = (run["follows"] for run in found["groups"][0]["runs"])
    explored = {each["who"]: each["strategy"] for each in people["experiments"]["followers"]}
    assert explored == {"p0": "in turn", "p1": "random", "p2": "in turn"}
    answered = {each["who"]: each["strategy"] for each in people["answers"]["followers"]}
    assert answered["p1"] == "random"
    assert answered["p2"] == "total-correlation"
    # Nothing is watched and all values are of one size: two ways of reading are then one.
    assert answered["p0"] == "largest-effect or slope"
    assert agent["answers"]["attributed"]["largest-effect or slope"] == 1
    assert people["answers"]["bits"]["bayes"]["n"] == 3
    assert "bits beyond random" in found["definitions"]["strategies"]
    assert "largest-effect or slope" in (tmp_path / "report.html").read_text()


def test_rooms_have_no_strategies_of_exploring():
    other = dataclasses.replace(played("random", 2).origin, world="rooms", world_config="{}")
    batch = dataclasses.replace(played("random", 2), origin=other)
    assert "not rooms" in explored(batch)
