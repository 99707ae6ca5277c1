"""Bayesian experimenters in the runner: what they choose, and that choosing well pays."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seedo.errors import UserError
from seedo.experimenters import BAYESIAN, Player, bayesian
from seedo.inference.exact import SubsetPosterior, bayes_expected
from seedo.inference.scores import Rows
from seedo.play import play, simulate
from seedo.worlds import make, stream_key

# Each program runs a few times only: compiling it fast matters more than running it fast.
compiled = functools.partial(
    jax.jit,
    compiler_options={
        "xla_backend_optimization_level": 0,
        "xla_llvm_disable_expensive_passes": True,
    },
)

SMALL = {"n": 4, "relevant": 3, "observations": 1, "experiments": 3, "exploits": 1}


@functools.cache
def played(name, count=16, draws=8, **options):
    world = make("dag", split="longer", **(SMALL | options))
    player = bayesian(name, world.config(), draws)
    key = stream_key(0, "test")
    run = compiled(jax.vmap(lambda i: play(world, player, jax.random.fold_in(key, i))))
    return jax.tree.map(np.asarray, run(jnp.arange(count)))


def rows_before(result, step):
    outcome = np.where(np.arange(result.target.shape[1])[:, None] < step, result.outcome, np.nan)
    return Rows(outcome.astype(np.float32), result.target)


def test_it_exploits_as_the_bayes_optimal_reader_of_its_history():
    result = played("rotation", 300)
    step = result.target.shape[1] - 1
    goal, rows = result.goal[:, step], np.arange(300)
    believed = bayes_expected(
        SubsetPosterior(3, 2), rows_before(result, step), goal, (-2.0, 2.0), result.relevant
    )
    legal = result.relevant & (np.arange(4) != goal[:, None])
    best = np.where(legal[:, :, None], believed, -np.inf).max((1, 2))
    value = (result.value[:, step] > 0).astype(int)
    np.testing.assert_allclose(believed[rows, result.target[:, step], value], best, atol=1e-4)


@pytest.mark.parametrize("name", ["eig", pytest.param("goal", marks=pytest.mark.slow)])
def test_it_watches_then_sets_relevant_variables_only(name):
    result = played(name)
    assert (result.target[:, 0] == -1).all()
    explored = result.target[:, 1:]
    assert (explored >= 0).all()
    assert np.take_along_axis(result.relevant, explored, 1).all()
    assert set(np.unique(result.value[:, 1:])) == {-2.0, 2.0}


TWO = {"n": 2, "relevant": None, "experiments": 40, "noise_variance": 0.01, "max_parents": 1}


@pytest.mark.slow
def test_outcomes_do_not_depend_on_how_many_episodes_are_played_at_once():
    few, many = played("eig", 5, **TWO), played("eig", 16, **TWO)
    for field in ("target", "value", "outcome", "returns"):
        np.testing.assert_array_equal(getattr(few, field), getattr(many, field)[:5])


def test_forty_nearly_noiseless_experiments_show_it_what_the_oracle_knows():
    result = played("eig", 16, **TWO)
    linked = abs(result.task.system.weights).max((1, 2)) > 0.5
    assert linked.any()
    np.testing.assert_allclose(result.returns[linked], result.oracle_return[linked], rtol=1e-5)


def test_rotation_goes_through_the_relevant_variables_in_order():
    result = played("rotation", 300)
    assert (result.target[:, 1:4] == np.nonzero(result.relevant)[1].reshape(300, 3)).all()


def test_players_have_names_and_are_equal_when_made_alike():
    config = make("dag").config()
    for name in BAYESIAN:
        player = bayesian(name, config)
        assert player.name == f"bayes:{name}"
        assert isinstance(player, Player)
        assert player == bayesian(name, config)
        assert hash(player) == hash(bayesian(name, config))


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("wizard", {}, "use one of eig, goal, shuffled"),
        ("", {}, "use one of"),
        ("eig", {"preset": "lampinen"}, "leaky-relu"),
        ("eig", {"n": 11}, "at most 10"),
        ("goal", {"n": 8}, "at most 7"),
        ("eig", {"confounders": 1}, "confounders"),
    ],
)
def test_what_it_cannot_do_is_refused_in_one_line(name, options, reason):
    with pytest.raises(UserError, match=reason) as caught:
        bayesian(name, make("dag", **options).config())
    assert "\n" not in str(caught.value)


def many(world, name, count, part=256):
    """Episodes by both cores, in parts."""
    player = bayesian(name, world.config())

    def play(first):
        return simulate(world, player, 5, "bayes", first, part)

    first = play(0)
    with ThreadPoolExecutor(2) as pool:
        parts = [first, *pool.map(play, range(part, count, part))]
    return jax.tree.map(lambda *a: np.concatenate(a), *parts)


def interval(sample):
    return sample.mean() + np.array([-1.96, 1.96]) * sample.std() / len(sample) ** 0.5


@pytest.mark.slow
def test_choosing_for_the_goal_earns_more_than_rotation_when_experiments_are_few():
    world = make("dag", experiments=3)
    goal, rotation = (many(world, name, 3072) for name in ("goal", "rotation"))
    np.testing.assert_array_equal(goal.oracle_return, rotation.oracle_return)
    low, high = interval(goal.returns - rotation.returns)
    print(f"bayes:goal - bayes:rotation: {low:.3f} to {high:.3f}")
    assert low > 0


def bits_removed(world, name, count=3072):
    """Of the graph's entropy, by the first 1..5 experiments, [count, 5]; the posterior is exact."""
    posterior, watched = SubsetPosterior(5, 2), world.settings.observations
    entropy = jax.jit(lambda rows: jax.lax.map(posterior.entropy, rows, batch_size=64))
    result = many(world, name, count)
    left = [entropy(rows_before(result, watched + step)) for step in range(6)]
    return np.asarray(left[0])[:, None] - np.transpose(left[1:])


@pytest.mark.slow
@pytest.mark.parametrize("observations", [0, 5])
def test_choosing_for_information_removes_more_bits_than_random_at_every_step(observations):
    world = make("dag", observations=observations, experiments=5)
    greedy, random = (bits_removed(world, name) for name in ("eig", "random"))
    for step in range(5):
        ours, theirs = interval(greedy[:, step]), interval(random[:, step])
        print(f"after {observations} observations, {step + 1} experiments: "
              f"bayes:eig {ours.round(3)}, bayes:random {theirs.round(3)} bits")  # fmt: skip
        if observations == 0 and step == 0:
            # Nothing tells one variable from another yet, so there is nothing to choose.
            assert ours[0] < theirs[1]
            assert theirs[0] < ours[1]
        else:
            assert ours[0] > theirs[1]
