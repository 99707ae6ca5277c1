"""World `dag` against independent derivations: counts, uniformity, expectations, splits."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from seedo.errors import UserError
from seedo.experimenters import scripted
from seedo.play import rollout
from seedo.worlds import (
    DagWorld,
    System,
    _dags,
    configure,
    count_dags,
    enumerate_dags,
    held_out_set,
    make,
    sample_dag,
)


def acyclic(adjacency):
    """Whether some power of the adjacency matrix vanishes, checked by trace of powers."""
    power = np.eye(len(adjacency))
    for _ in adjacency:
        power = np.minimum(power @ adjacency, 1)
    return not power.any()


def ancestry(adjacency):
    """Transitive closure by Warshall's algorithm, over a leading axis of graphs."""
    reach = adjacency.copy()
    for k in range(reach.shape[-1]):
        reach |= reach[..., :, k, None] & reach[..., None, k, :]
    return reach


def sample(world, count, seed=0):
    keys = jax.random.split(jax.random.key(seed), count)
    return jax.tree.map(np.asarray, jax.jit(jax.vmap(world.draw))(keys))


def test_counts_are_those_of_oeis_a003024():
    known = [1, 3, 25, 543, 29281, 3781503, 1138779265]
    assert [count_dags(n, n) for n in range(1, 8)] == known


@pytest.mark.parametrize("n", [2, 3, 4])
def test_bounded_counts_and_lists_agree_with_brute_force(n):
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    graphs = []
    for bits in itertools.product([0, 1], repeat=len(pairs)):
        adjacency = np.zeros((n, n), int)
        for (i, j), bit in zip(pairs, bits, strict=True):
            adjacency[i, j] = bit
        if acyclic(adjacency):
            graphs.append(adjacency)
    for limit in range(1, n):
        wanted = {g.tobytes() for g in graphs if g.sum(axis=0).max() <= limit}
        listed = {g.astype(int).tobytes() for g in enumerate_dags(n, limit)}
        assert listed == wanted
        assert count_dags(n, limit) == len(wanted) == len(enumerate_dags(n, limit))


@pytest.mark.parametrize(("listed", "limit"), [(True, 2), (False, 2), (False, 3)])
def test_every_dag_is_equally_likely(monkeypatch, listed, limit):
    if not listed:
        monkeypatch.setattr(_dags, "ENUMERABLE", 0)
    keys = jax.random.split(jax.random.key(limit), 40_000)
    drawn = np.asarray(jax.jit(jax.vmap(lambda k: sample_dag(k, 4, limit)))(keys))
    codes = drawn.reshape(len(drawn), -1) @ (1 << np.arange(16))
    _, counts = np.unique(codes, return_counts=True)
    assert len(counts) == count_dags(4, limit)
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize(
    ("n", "limit"), [(8, 2), pytest.param(20, 3, marks=pytest.mark.slow), (50, 2)]
)
def test_large_graphs_are_acyclic_and_bounded(n, limit):
    keys = jax.random.split(jax.random.key(0), 20)
    for graph in np.asarray(jax.jit(jax.vmap(lambda k: sample_dag(k, n, limit)))(keys)):
        assert acyclic(graph)
        assert graph.sum(axis=0).max() <= limit


@pytest.mark.parametrize(
    "options", [{}, pytest.param({"confounders": 2}, marks=pytest.mark.slow), {"n": 9}]
)
def test_linear_expectations_are_the_inverse_of_i_minus_w(options):
    world = make("dag", **options)
    n = world.spec.n
    system = sample(world, 50).system
    ours = np.asarray(jax.jit(jax.vmap(world.expected))(jax.tree.map(jnp.asarray, system)))
    for weights, expected in zip(system.weights.astype(float), ours, strict=True):
        total = np.linalg.inv(np.eye(len(weights)) - weights)[:n, :n]
        for v, value in enumerate((-2.0, 2.0)):
            np.testing.assert_allclose(expected[:, v], total * value, atol=2e-4)


@pytest.mark.parametrize("mechanism", ["leaky-relu", "tanh", "hump"])
def test_nonlinear_expectations_agree_with_a_plain_simulation(mechanism):
    world = make("dag", mechanism=mechanism)
    rng = np.random.default_rng(0)
    f = {
        "tanh": np.tanh,
        "leaky-relu": lambda x: np.where(x > 0, x, 0.2 * x),
        "hump": lambda x: x * np.exp(0.5 - x**2 / 2),
    }[mechanism]
    weights = np.zeros((5, 5), np.float32)  # order 4, 2, 0, 3, 1
    for i, j, w in [(4, 2, 1.0), (4, 0, -0.7), (2, 0, 0.9), (0, 3, 1.2), (3, 1, 0.5), (2, 1, -1)]:
        weights[i, j] = w
    expected = np.asarray(jax.jit(world.expected)(System(jnp.asarray(weights), jnp.ones(5))))
    for i, v in itertools.product(range(5), range(2)):
        x = rng.normal(size=(40_000, 5))
        for j in (4, 2, 0, 3, 1):
            if j == i:
                x[:, j] = (-2.0, 2.0)[v]
            elif weights[:, j].any():
                x[:, j] = f(x @ weights[:, j] + x[:, j])
        np.testing.assert_allclose(expected[i, v], x.mean(axis=0), atol=0.25)


def test_an_intervention_cuts_what_leads_to_its_target_and_nothing_else():
    world = make("dag")
    weights = jnp.zeros((5, 5)).at[0, 1].set(1.5).at[1, 2].set(-1.0)
    system, key = System(weights, jnp.ones(5)), jax.random.key(3)
    watched = np.asarray(world.outcome(system, jnp.asarray(-1), jnp.asarray(0.0), key))
    forced = np.asarray(world.outcome(system, jnp.asarray(1), jnp.asarray(2.0), key))
    assert forced[1] == 2.0
    np.testing.assert_array_equal(forced[[0, 3, 4]], watched[[0, 3, 4]])
    assert forced[2] - watched[2] == pytest.approx(-(2.0 - watched[1]), abs=1e-5)


@pytest.mark.slow
def test_the_lampinen_preset_has_the_published_statistics():
    system = sample(make("dag", "lampinen"), 20_000).system
    edges = system.weights != 0
    parents = edges.sum(axis=1)
    roots = (parents == 0).sum(axis=1)
    assert set(np.unique(roots)) == {1, 2, 3, 4}
    assert parents.max() == 2
    assert np.abs(system.weights).max() <= 2
    assert edges.sum(axis=(1, 2)).mean() == pytest.approx(3.6, abs=0.25)
    truncated = stats.truncnorm(-2, np.inf, loc=0.5, scale=0.25)
    variance = system.noise_scale.astype(float) ** 2
    assert variance.mean() == pytest.approx(truncated.mean(), abs=0.01)
    assert variance.std() == pytest.approx(truncated.std(), abs=0.01)


@pytest.mark.parametrize("preset", ["linear", "lampinen"])
def test_training_never_shows_the_held_out_link(preset):
    edges = sample(make("dag", preset), 20_000).system.weights != 0
    reach = ancestry(edges)
    assert not reach[:, 3, 4].any()
    assert reach[:, 4, 3].any()


@pytest.mark.parametrize("preset", ["linear", pytest.param("lampinen", marks=pytest.mark.slow)])
def test_the_held_out_link_is_always_the_best_lever(preset):
    world = make("dag", preset, "heldout-link")
    tasks = sample(world, 1000)
    assert (tasks.goals == 4).all()
    assert ancestry(tasks.system.weights != 0)[:, 3, 4].all()
    expected = np.asarray(jax.jit(jax.vmap(world.expected))(System(*tasks.system)))
    assert (expected[:, :4, :, 4].max(axis=2).argmax(axis=1) == 3).all()


def test_where_the_arrow_alone_is_held_out_training_has_the_paths_around_it():
    edges = sample(make("dag", held="arrow"), 20_000).system.weights != 0
    assert not edges[:, 3, 4].any()
    assert 0.01 < ancestry(edges)[:, 3, 4].mean() < 0.3
    world = make("dag", split="heldout-link", held="arrow")
    tasks = sample(world, 1000)
    assert (tasks.system.weights[:, 3, 4] != 0).all()
    expected = np.asarray(jax.jit(jax.vmap(world.expected))(System(*tasks.system)))
    assert (expected[:, :4, :, 4].max(axis=2).argmax(axis=1) == 3).all()
    assert "held" not in make("dag").config()  # logs of older versions have no such word


def test_held_out_sets_are_never_trained_on_and_the_rest_is_unconnected():
    for split, held in (("heldout-set", True), ("train", False)):
        tasks = sample(make("dag", split=split, n=10, relevant=5), 1000)
        assert (tasks.relevant.sum(axis=1) == 5).all()
        sums = (tasks.relevant * np.arange(10)).sum(axis=1)
        assert ((sums % 5 == 0) == held).all()
        assert (held_out_set(tasks.relevant) == held).all()
        crossing = tasks.relevant[:, :, None] != tasks.relevant[:, None, :]
        assert not (crossing & (tasks.system.weights != 0)).any()


def test_a_confounder_has_two_visible_children_and_stays_hidden():
    world = make("dag", confounders=3)
    system = sample(world, 200).system
    edges = system.weights != 0
    assert edges.shape[1:] == (8, 8)
    assert (edges[:, 5:, :5].sum(axis=2) == 2).all()
    assert not edges[:, :, 5:].any()
    one = jax.tree.map(lambda a: jnp.asarray(a[0]), system)
    assert world.outcome(one, jnp.asarray(0), jnp.asarray(2.0), jax.random.key(0)).shape == (5,)
    assert world.expected(one).shape == (5, 2, 5)


def test_whoever_plays_meets_the_same_systems():
    world = make("dag")
    one, two = (
        rollout(world, scripted(name), 5, "test", jnp.arange(20)) for name in ("random", "expert")
    )
    np.testing.assert_array_equal(one.task.system.weights, two.task.system.weights)
    np.testing.assert_array_equal(one.goal, two.goal)
    np.testing.assert_array_equal(one.oracle_return, two.oracle_return)


def test_what_differs_only_in_what_it_draws_is_played_by_the_same_program():
    world = make("dag", n=3, split="longer", experiments=2, noise_variance=0.25)
    rules = make("dag", n=3, experiments=2)
    player, index = scripted("shuffled+random"), jnp.arange(20)
    own = rollout(world, player, 5, "test", index)
    shared = rollout(world, player, 5, "test", index, rules)
    np.testing.assert_array_equal(own.target, shared.target)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), own, shared)
    assert not np.allclose(own.outcome, rollout(rules, player, 5, "test", index).outcome)
    with pytest.raises(UserError, match="same variables, values and phases"):
        rollout(world, player, 5, "test", index, make("dag", n=3, experiments=3))


def test_tasks_of_all_splits_are_of_one_type_so_that_programs_are_shared():
    def types(split):
        drawn = jax.eval_shape(make("dag", split=split, experiments=5).sample, jax.random.key(0))
        return [(x.shape, x.dtype, x.weak_type) for x in jax.tree.leaves(drawn)]

    assert types("train") == types("heldout-link") == types("longer")


def test_splits_change_what_they_say():
    assert configure(split="more-variables").n == 10
    assert configure(split="more-variables").experiments == 10
    assert configure(split="longer").experiments == 20
    assert configure(split="shifted-mechanism").mechanism == "tanh"
    assert configure("lampinen", "shifted-mechanism").mechanism == "linear"
    assert configure(split="shifted-noise").noise_variance == 2.0
    assert configure("lampinen", "shifted-noise").noise_variance == 1.0
    assert configure(split="heldout-set").relevant == 5
    config = configure("lampinen", n=7, observations=2, exploits=3)
    assert type(config).from_dict(config.to_dict()) == config
    assert DagWorld(config).spec.phases == (0,) * 2 + (1,) * 7 + (2,) * 3


BAD = [
    ("n", {"n": 1}),
    ("n", {"n": 51}),
    ("n", {"n": 5.0}),
    ("n", {"n": True}),
    ("n", {"n": "five"}),
    ("max_parents", {"max_parents": 0}),
    ("max_parents", {"max_parents": 50}),
    ("observations", {"observations": -1}),
    ("experiments", {"experiments": -1}),
    ("experiments", {"experiments": 10_001}),
    ("exploits", {"exploits": 0}),
    ("confounders", {"confounders": -1}),
    ("preset", {"preset": "cubic"}),
    ("split", {"split": "test"}),
    ("graph", {"graph": "ring"}),
    ("mechanism", {"mechanism": "relu"}),
    ("weight_family", {"weight_family": "cauchy"}),
    ("noise_family", {"noise_family": "cauchy"}),
    ("goals", {"goals": "none"}),
    ("weight_scale", {"weight_scale": 0.0}),
    ("weight_scale", {"weight_scale": float("nan")}),
    ("noise_variance", {"noise_variance": -1.0}),
    ("noise_variance", {"noise_variance": float("inf")}),
    ("noise_variance_sd", {"noise_variance_sd": -0.1}),
    ("do_values", {"do_values": ()}),
    ("do_values", {"do_values": (1.0, 1.0)}),
    ("do_values", {"do_values": (float("nan"),)}),
    ("do_values", {"do_values": 2.0}),
    ("relevant", {"relevant": 1}),
    ("relevant", {"relevant": 6}),
    ("n", {"split": "heldout-link", "n": 4}),
    ("relevant", {"split": "heldout-link", "relevant": 3}),
    ("relevant", {"split": "heldout-set", "n": 5, "relevant": 5}),
    ("colour", {"colour": "red"}),
]


@pytest.mark.parametrize(("field", "options"), BAD)
def test_a_bad_setting_is_named_in_one_line(field, options):
    with pytest.raises(UserError) as caught:
        make("dag", **options)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")
    assert "\n" not in str(caught.value)


def test_an_unknown_world_is_refused():
    with pytest.raises(UserError, match="world"):
        make("chess")
