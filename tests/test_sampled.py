"""The Bayesian that thinks of K graphs comes to agree with the exact posterior."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seedo.errors import UserError
from seedo.experimenters import bayesian
from seedo.experimenters._sampled import SampledGraphs
from seedo.inference.exact import ExactPosterior
from seedo.inference.scores import Rows, as_moments
from seedo.play import find_player, play, simulate
from seedo.worlds import make

WORLD = make("dag", split="longer", n=3, experiments=3)


def some_rows(n=3, count=4):
    rng = np.random.default_rng(0)
    outcome = rng.normal(0, 1.5, (count, n)).astype(np.float32)
    target = rng.integers(-1, n, count).astype(np.int32)
    return Rows(outcome, target)


def test_many_graphs_from_the_prior_weigh_up_to_the_exact_effects():
    rows, exact = some_rows(), ExactPosterior(3, 2, 0.7, 1.5)
    sampled = SampledGraphs(3, 2, 0.7, 1.5, 20_000)
    for goal in range(3):
        found = sampled.effects(as_moments(rows), jnp.asarray(goal), jax.random.key(goal))
        np.testing.assert_allclose(found, exact.effects(rows, goal), atol=0.03)


def test_one_graph_alone_is_read_as_if_it_were_the_true_one():
    rows, exact = some_rows(), ExactPosterior(3, 2)
    found = SampledGraphs(3, 2, 1.0, 1.0, 1).effects(
        as_moments(rows), jnp.asarray(2), jax.random.key(1)
    )
    each = [
        ExactPosterior(3, 2, log_prior=np.where(np.arange(25) == k, 0.0, -np.inf)).effects(rows, 2)
        for k in range(len(exact.dags))
    ]
    assert min(np.abs(found - one).max() for one in each) < 1e-5


@pytest.mark.slow
def test_the_mean_error_falls_as_the_root_of_the_number_of_graphs():
    rows = some_rows(5, 5)
    truth = np.asarray(ExactPosterior(5, 2).effects(rows, 0))
    moments = as_moments(rows)

    def error(samples):
        sampled = SampledGraphs(5, 2, 1.0, 1.0, samples)
        keys = jax.random.split(jax.random.key(0), 300)
        found = jax.vmap(lambda k: sampled.effects(moments, jnp.asarray(0), k))(keys)
        return float(np.sqrt(((np.asarray(found) - truth) ** 2).mean()))

    few, many = error(64), error(1024)
    assert 2.8 < few / many < 5.6  # 4, were both far from the small-sample bias


@pytest.mark.slow
def test_as_graphs_are_added_it_exploits_as_the_exact_reader_does():
    world = make("dag", split="longer")
    # Both explore in random order with the same keys: one history, two readers.
    exact = simulate(world, bayesian("shuffled", world.config()), 0, "test", 0, 512)
    agreement = []
    for samples in (1, 16, 256, 4096):
        own = simulate(world, bayesian(f"sampled-{samples}", world.config()), 0, "test", 0, 512)
        np.testing.assert_array_equal(own.target[:, :-1], exact.target[:, :-1])
        same = (own.target[:, -1] == exact.target[:, -1]) & (own.value[:, -1] == exact.value[:, -1])
        agreement.append(same.mean())
    print("agreement with the exact reader, K = 1, 16, 256, 4096:", agreement)
    assert agreement == sorted(agreement)
    assert agreement[0] < 0.5
    assert agreement[-1] > 0.9


def test_it_has_a_name_and_plays_by_the_protocol():
    player = find_player("bayes:sampled-16", WORLD)
    assert player.name == "bayes:sampled-16"
    assert player == bayesian("sampled-16", WORLD.config())
    run = jax.jit(jax.vmap(lambda k: play(WORLD, player, k)))
    result = run(jax.random.split(jax.random.key(0), 64))
    assert (np.sort(result.target[:, :3], 1) == np.arange(3)).all()
    assert (result.target[:, 3] != result.goal[:, 3]).all()
    assert result.returns.mean() > result.random_return.mean()


@pytest.mark.parametrize("name", ["sampled-0", "sampled-", "sampled-x", "sampled-99999999"])
def test_a_number_of_graphs_that_cannot_be_is_refused(name):
    with pytest.raises(UserError, match=r"^bayes"):
        bayesian(name, WORLD.config())
