"""What experiments are worth, against quadrature over outcomes and a listing of all DAGs."""

from __future__ import annotations

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from seedo import worlds
from seedo.errors import UserError
from seedo.inference.design import (
    batch_information_gain,
    best_experiment,
    expected_information_gain,
    value_of_information,
)
from seedo.inference.exact import SubsetPosterior
from seedo.inference.scores import Moments, Rows, add_row, no_rows
from seedo.inference.scores._families import weight_covariance

# Each program runs a few times only: compiling it fast matters more than running it fast.
compiled = partial(
    jax.jit,
    compiler_options={
        "xla_backend_optimization_level": 0,
        "xla_llvm_disable_expensive_passes": True,
    },
)

NOISE, PRIOR = 0.7, 1.6
VALUES = (-2.0, 0.5, 2.0)
ROWS = Rows(
    np.array(
        [[1.1, 0.3, -0.4], [2.0, 1.6, -0.2], [0.4, -2.0, -1.9], [-2.0, -0.7, 0.8]], np.float32
    ),
    np.array([-1, 0, 1, 0]),
)
THREE = SubsetPosterior(3, 2, NOISE, PRIOR)


def all_dags(n):
    choices = [
        [
            subset
            for size in range(n)
            for subset in itertools.combinations([i for i in range(n) if i != child], size)
        ]
        for child in range(n)
    ]
    for families in itertools.product(*choices):
        matrix = np.zeros((n, n))
        for child, parents in enumerate(families):
            matrix[list(parents), child] = 1
        if not np.linalg.matrix_power(matrix, n).any():
            yield families


def family(rows, child, parents):
    """Log marginal likelihood of the rows, and mean and covariance of the weights."""
    keep = rows.target != child
    x, y = rows.outcome[np.ix_(keep, parents)].astype(float), rows.outcome[keep, child]
    covariance = NOISE * np.eye(len(y)) + PRIOR * x @ x.T
    score = multivariate_normal(np.zeros(len(y)), covariance).logpdf(y) if len(y) else 0.0
    spread = np.linalg.inv(x.T @ x / NOISE + np.eye(len(parents)) / PRIOR)
    return score, spread @ x.T @ y / NOISE, spread


def grid(target, value, points):
    """Outcomes of do(target = value) on a square of the other two variables, and its cell."""
    line = np.linspace(-14, 14, points)
    outcome = np.empty((points**2, 3))
    outcome[:, target] = value
    others = [i for i in range(3) if i != target]
    outcome[:, others] = np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    return outcome, (line[1] - line[0]) ** 2


def listing(outcome, target):
    """Log posterior [K]; log p(outcome | graph, rows) [K, points]; all 25 graphs."""
    dags = list(all_dags(3))
    assert len(dags) == 25
    known = {item: family(ROWS, *item) for dag in dags for item in enumerate(dag)}
    density = {}
    for (child, parents), (_, mean, spread) in known.items():
        x = outcome[:, parents]
        variance = NOISE + np.einsum("pi,ij,pj->p", x, spread, x)
        density[child, parents] = norm(x @ mean, variance**0.5).logpdf(outcome[:, child])
    prior = np.array([sum(known[item][0] for item in enumerate(dag)) for dag in dags])
    likelihood = np.array(
        [sum(density[item] for item in enumerate(dag) if item[0] != target) for dag in dags]
    )
    return dags, prior - logsumexp(prior), likelihood


def information_by_quadrature(target, value):
    outcome, cell = grid(target, value, 281)
    _, prior, likelihood = listing(outcome, target)
    mixture = logsumexp(prior[:, None] + likelihood, axis=0)
    assert np.exp(mixture).sum() * cell == pytest.approx(1, abs=1e-4)
    inside = (np.exp(likelihood) * (likelihood - mixture)).sum(1) * cell
    return np.exp(prior) @ inside / np.log(2)


def action_values(effects):
    """Best worth of an action for each goal, [..., n]."""
    worth = np.stack([v * effects for v in VALUES], -3)
    own = np.eye(effects.shape[-1], dtype=bool)
    return np.where(own, -np.inf, worth).max((-3, -2))


def effects_after(dags, log_probs, outcome, target):
    """Expected effects [points, 3, 3] once each outcome has been added to the rows."""
    solved = {}
    for item in {item for dag in dags for item in enumerate(dag)}:
        child, parents = item
        keep = ROWS.target != child
        x, y = ROWS.outcome[np.ix_(keep, parents)].astype(float), ROWS.outcome[keep, child]
        new = outcome[:, parents] * (child != target)
        gram = x.T @ x + new[:, :, None] * new[:, None] + NOISE / PRIOR * np.eye(len(parents))
        moment = x.T @ y + new * outcome[:, child, None]
        solved[item] = np.linalg.solve(gram, moment[..., None])[..., 0]
    total = 0
    for dag, log_prob in zip(dags, log_probs, strict=True):
        weights = np.zeros((len(outcome), 3, 3))
        for item in enumerate(dag):
            weights[:, list(item[1]), item[0]] = solved[item]
        effect = np.linalg.inv(np.eye(3) - weights)
        total = total + np.exp(log_prob)[..., None, None] * effect
    return total


def value_by_quadrature(target, value, goal):
    outcome, cell = grid(target, value, 141)
    dags, prior, likelihood = listing(outcome, target)
    joint = prior[:, None] + likelihood
    mixture = logsumexp(joint, axis=0)
    later = action_values(effects_after(dags, joint - mixture, outcome, target))
    nothing = np.zeros((1, 3))  # a row of zeros teaches nothing about weights
    now = action_values(effects_after(dags, prior[:, None], nothing, target))[0]
    return cell * np.exp(mixture) @ (later @ goal) - now @ goal


def estimates(function, keys=64, **options):
    """Mean over independent draws and its standard error."""
    ask = compiled(jax.vmap(partial(function, THREE, ROWS, VALUES, **options)))
    found = np.asarray(ask(jax.random.split(jax.random.key(0), keys)))
    return found.mean(0), found.std(0) / keys**0.5


def test_information_gain_is_the_mutual_information_by_quadrature_over_all_outcomes():
    mean, error = estimates(expected_information_gain, draws=512)
    for target, v in ((0, 0), (1, 1), (2, 2), (0, 1)):
        exact = information_by_quadrature(target, VALUES[v])
        assert abs(mean[target, v] - exact) < 4 * error[target, v] + 2e-4
        assert error[target, v] < 0.01 * exact + 1e-3


def test_value_of_information_is_the_rise_of_the_best_action_by_quadrature():
    goal = np.array([0.2, 0.5, 0.3])
    mean, error = estimates(value_of_information, draws=256, goal=jnp.asarray(goal))
    for target, v in ((0, 0), (1, 1), (2, 2)):
        exact = value_by_quadrature(target, VALUES[v], goal)
        assert abs(mean[target, v] - exact) < 4 * error[target, v] + 2e-4
        assert error[target, v] < 0.05 * exact


@pytest.mark.slow  # to the last bit, which programs compiled in a hurry are not
def test_gains_do_not_depend_on_the_sign_of_the_value_nor_on_neighbours():
    ask = partial(expected_information_gain, THREE, do_values=VALUES, draws=32)
    alone = compiled(lambda rows, key: ask(rows, key=key))
    keys = jax.random.split(jax.random.key(1), 3)
    parts = [Rows(ROWS.outcome * scale, ROWS.target) for scale in (1, 0.5, -1)]
    stacked = jax.tree.map(lambda *a: jnp.stack(a), *parts)
    together = compiled(jax.vmap(lambda rows, key: ask(rows, key=key)))(stacked, keys)
    for rows, key, gain in zip(parts, keys, together, strict=True):
        np.testing.assert_array_equal(gain, alone(rows, key))
        np.testing.assert_array_equal(gain[:, 0], gain[:, 2])


def test_a_batch_tells_what_its_outcomes_tell_together():
    """Two variables, no rows yet: A -> B, B -> A or neither; outcomes on a grid."""
    two = SubsetPosterior(2, 1, NOISE, PRIOR)
    found = compiled(
        lambda key: batch_information_gain(two, no_rows(2), (3.0,), key, 2, 512, fantasies=128)
    )(jax.random.key(0))
    line = np.linspace(-25, 25, 401)
    pair = np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    cell = (line[1] - line[0]) ** 2
    first, second = np.asarray(found.target)

    def density(parent):
        """Of the free entries of both rows, given that `parent` (None: nobody) moves the other."""
        design = np.array([[3.0 * (t == parent)] for t in (first, second)])
        # Only a row that sets the parent says anything about the weight, for the other variable's
        # own entry is its noise; the entries of a child that was set come from its parent's noise.
        covariance = NOISE * np.eye(2) + PRIOR * design @ design.T
        return multivariate_normal(np.zeros(2), covariance).logpdf(pair)

    likelihood = np.array([density(None), density(0), density(1)])
    mixture = logsumexp(likelihood, axis=0) - np.log(3)
    joint = (np.exp(likelihood) * (likelihood - mixture)).sum() * cell / 3 / np.log(2)
    assert found.gain.sum() == pytest.approx(joint, rel=0.06)
    assert found.gain[1] < found.gain[0]
    assert {int(first), int(second)} == {0, 1}, "the other experiment tells more than a repetition"


def test_the_best_experiment_is_the_most_worth_for_its_cost_and_none_below_the_least():
    worth = jnp.array([[0.5, 0.6], [0.9, 0.8], [0.1, 0.2]])
    assert best_experiment(worth) == 2
    assert best_experiment(worth, jnp.array([1.0, 2.0, 1.0])) == 1
    assert best_experiment(worth, jnp.array([1.0, 2.0, 0.1])) == 5
    assert best_experiment(worth, jnp.array([1.0, 2.0, 1.0]), least=0.6) == -1


@pytest.mark.parametrize("draws", [0, 4, 100, 64.0, True])
def test_draws_must_be_a_power_of_two(draws):
    with pytest.raises(UserError, match="power of two"):
        expected_information_gain(THREE, ROWS, VALUES, jax.random.key(0), draws)
    with pytest.raises(UserError, match="power of two"):
        batch_information_gain(THREE, ROWS, VALUES, jax.random.key(0), 1, fantasies=draws)


def test_moments_added_row_by_row_say_what_all_rows_say():
    moments = no_rows(3)
    for outcome, target in zip(ROWS.outcome, ROWS.target, strict=True):
        moments = add_row(moments, outcome, target)
    moments = add_row(moments, jnp.array([1.0, jnp.nan, 2.0]), -1)
    assert isinstance(moments, Moments)
    np.testing.assert_array_equal(moments.rows, [2, 3, 4])
    for j in range(3):
        free = ROWS.outcome[ROWS.target != j]
        np.testing.assert_allclose(moments.gram[j], free.T @ free, rtol=1e-5)
    effects = compiled(THREE.effect_matrix)
    np.testing.assert_allclose(effects(moments), effects(ROWS), rtol=1e-4, atol=1e-6)


def test_weight_covariances_are_those_of_ridge_regression():
    table = THREE.table
    found = compiled(lambda rows: weight_covariance(rows, table, NOISE, PRIOR))(ROWS)
    for child, position in np.ndindex(table.code.shape):
        parents = tuple(np.flatnonzero(table.member[child, position]).tolist())
        wanted = np.zeros((3, 3))
        wanted[np.ix_(parents, parents)] = family(ROWS, child, parents)[2]
        np.testing.assert_allclose(found[child, position], wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "max_parents"), [(5, 4), (7, 2)])
def test_the_first_experiment_tells_what_the_exact_entropy_falls_by(n, max_parents):
    """Nothing seen yet: systems drawn from the world, entropies by the exact posterior."""
    posterior = SubsetPosterior(n, max_parents)
    world = worlds.make("dag", n=n, max_parents=max_parents, split="longer")

    def left(key):
        key_task, key_noise = jax.random.split(key)
        system = world.sample(key_task).system
        outcome = world.outcome(system, jnp.asarray(0), jnp.asarray(2.0), key_noise)
        return posterior.entropy(Rows(outcome[None], jnp.zeros(1, int)))

    keys = jax.random.split(jax.random.key(3), 4000)
    bits = np.asarray(jax.jit(lambda k: jax.lax.map(left, k, batch_size=100))(keys))
    fell = np.log2(worlds.count_dags(n, max_parents)) - bits
    gain = jax.jit(lambda k: expected_information_gain(posterior, no_rows(n), (2.0,), k, 1024))(
        jax.random.key(0)
    )
    assert abs(np.asarray(gain).mean() - fell.mean()) < 4 * fell.std() / 4000**0.5 + 0.01
    np.testing.assert_allclose(gain, np.asarray(gain).mean(), rtol=0.05)
