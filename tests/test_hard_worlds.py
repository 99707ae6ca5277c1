"""Options of world `dag` under which little noise does not make simple readers right."""

from __future__ import annotations

import json

import jax
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from seedo.errors import UserError
from seedo.inference.design import expected_information_gain
from seedo.inference.exact import SubsetPosterior, bayes_posterior, bayes_supported
from seedo.inference.scores import KnownNoise, Rows
from seedo.worlds import DagConfig, enumerate_dags, from_config, make

NOISE, PRIOR, ROOT = 0.7, 1.6, 9.0


def drawn(world, count, seed=0):
    keys = jax.random.split(jax.random.key(seed), count)
    return jax.tree.map(np.asarray, jax.jit(jax.vmap(world.sample))(keys))


def test_what_is_as_usual_is_not_said_and_what_is_not_makes_the_world_again():
    plain = make("dag").config()
    told = "n preset split graph max_parents mechanism weight_family weight_scale noise_family "
    told += "noise_variance noise_variance_sd do_values observations experiments exploits goals "
    assert list(plain) == (told + "relevant confounders").split()  # as in logs of version 1
    options = {"shocks": "observed", "shock_scale": 4.0}
    world = make("dag", **options)
    assert options.items() <= world.config().items()
    assert from_config("dag", json.loads(json.dumps(world.config()))) == world


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("shocks", {"shocks": "loud"}),
        ("shocks", {"shocks": "hidden", "shock_scale": 2.0}),
        ("shock_scale", {"shock_scale": 2.0}),
        ("shock_scale", {"shocks": "observed", "shock_scale": 0.0}),
    ],
)
def test_settings_that_do_not_go_together_are_named_in_one_line(field, options):
    with pytest.raises(UserError) as caught:
        make("dag", **options)
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shocks", ["observed", "hidden"])
def test_shocks_come_from_roots_alone_and_leave_the_graphs_as_they_were(shocks):
    options = {"noise_variance": 0.25, "confounders": 2}
    task = drawn(make("dag", **options, shocks=shocks, shock_scale=6.0), 200)
    plain = drawn(make("dag", **options), 200)
    np.testing.assert_array_equal(task.system.weights, plain.system.weights)
    caused = (task.system.weights != 0).any(axis=1)
    hidden = np.arange(7) >= 5
    loud = hidden & ~caused if shocks == "hidden" else ~hidden & ~caused
    assert loud.any()
    assert not loud.all()
    np.testing.assert_allclose(task.system.noise_scale, np.where(loud, 3.0, 0.5))


def families_of(dag):
    return [np.flatnonzero(dag[:, child]) for child in range(len(dag))]


def family(rows, child, parents):
    """Log marginal likelihood, and mean and covariance of the weights."""
    keep = rows.target != child
    x, y = rows.outcome[np.ix_(keep, parents)].astype(float), rows.outcome[keep, child]
    noise = NOISE if len(parents) else ROOT
    spread = noise * np.eye(len(y)) + PRIOR * x @ x.T
    score = multivariate_normal(np.zeros(len(y)), spread).logpdf(y) if len(y) else 0.0
    inverse = np.linalg.inv(x.T @ x / noise + np.eye(len(parents)) / PRIOR)
    return score, inverse @ x.T @ y / noise, inverse


def test_effects_under_shocks_are_those_of_a_listing_of_all_graphs():
    rng = np.random.default_rng(0)
    rows = Rows(rng.normal(size=(6, 3)).astype(np.float32) * 2, np.array([-1, 0, 1, 2, -1, 0]))
    scores, effects = [], []
    for dag in enumerate_dags(3, 2):
        found = [family(rows, child, parents) for child, parents in enumerate(families_of(dag))]
        weights = np.zeros((3, 3))
        for child, parents in enumerate(families_of(dag)):
            weights[parents, child] = found[child][1]
        scores.append(sum(score for score, _, _ in found))
        effects.append(np.linalg.inv(np.eye(3) - weights))
    share = np.exp(scores - logsumexp(scores))
    ours = SubsetPosterior(3, 2, NOISE, PRIOR, ROOT)
    wanted = np.einsum("k,kij->ij", share, effects)
    np.testing.assert_allclose(np.asarray(ours.effect_matrix(rows)), wanted, atol=1e-4)
    alone = float(ours.family_scores(rows)[0, 0])
    assert alone == pytest.approx(family(rows, 0, [])[0], abs=1e-3)
    known = KnownNoise(NOISE, PRIOR, root_variance=ROOT)
    power = float((rows.outcome[rows.target != 0, 0].astype(float) ** 2).sum())
    assert known.evidence(3, 0, 4, 0.0, power) == pytest.approx(alone, abs=1e-3)
    assert (known.predictive(3, 0, 4, 0.0)[1], known.predictive(3, 1, 4, 0.0)[1]) == (ROOT, NOISE)


def test_information_under_shocks_is_that_of_quadrature():
    rows = Rows(np.array([[1.0, 2.5], [-0.5, 0.4], [2.0, 3.0]], np.float32), np.array([-1, -1, 0]))
    graphs = [np.array(g) for g in ([[0, 0], [0, 0]], [[0, 1], [0, 0]], [[0, 0], [1, 0]])]
    value, line = 2.0, np.linspace(-60, 60, 24_001)
    scores, densities = [], []
    for graph in graphs:
        found = [family(rows, child, parents) for child, parents in enumerate(families_of(graph))]
        scores.append(sum(score for score, _, _ in found))
        _, mean, spread = found[1]
        if len(mean):
            own = norm(value * mean[0], (NOISE + value**2 * spread[0, 0]) ** 0.5)
        else:
            own = norm(0, ROOT**0.5)
        densities.append(own.pdf(line))
    share = np.exp(scores - logsumexp(scores))
    mixed = share @ np.array(densities)
    step = line[1] - line[0]
    inside = [(d * np.log2(np.maximum(d, 1e-300) / mixed)).sum() * step for d in densities]
    posterior = SubsetPosterior(2, 1, NOISE, PRIOR, ROOT)
    ours = expected_information_gain(posterior, rows, (value,), jax.random.key(0), 4096)
    assert float(ours[0, 0]) == pytest.approx(share @ np.array(inside), rel=0.03)


def test_the_exact_reader_knows_of_observed_shocks_and_refuses_hidden_ones():
    config = make("dag", shocks="observed", shock_scale=5.0, noise_variance=0.04).config()
    assert bayes_supported(config) is None
    assert bayes_posterior(config) == SubsetPosterior(5, 2, 0.04, 1.0, 1.0)
    hidden = make("dag", shocks="hidden", shock_scale=5.0, confounders=1).config()
    assert "hidden" in str(bayes_supported(hidden))
    assert DagConfig.from_dict(hidden).root_variance is None
