"""Scripted experimenters on histories small enough to work out with plain numpy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seedo.errors import UserError
from seedo.experimenters import READERS, History, memoriser, scripted
from seedo.play import rollout
from seedo.worlds import make

VALUES = np.array([-2.0, 2.0], np.float32)
GOAL = 2
READ = {name: jax.jit(reader) for name, reader in READERS.items()}
RNG = np.random.default_rng(0)
OUTCOME = RNG.normal(size=(8, 4)).astype(np.float32)
TARGET = np.array([0, 1, 3, 0, 2, 1, -1, 3])
VALUE = np.array([2, -2, 2, -2, 2, 2, 0, -2], np.float32)
for _row, (_target, _value) in enumerate(zip(TARGET, VALUE, strict=True)):
    if _target >= 0:
        OUTCOME[_row, _target] = _value


def score(name, outcome=OUTCOME, seen=None):
    seen = np.ones(len(outcome), bool) if seen is None else seen
    history = History(*map(jnp.asarray, (outcome, TARGET[: len(outcome)], VALUE, seen)))
    return np.asarray(READ[name](history, jnp.asarray(GOAL), jnp.asarray(VALUES)))


def test_total_correlation_is_that_of_numpy():
    wanted = [np.corrcoef(OUTCOME[:, i], OUTCOME[:, GOAL])[0, 1] for i in range(4)]
    np.testing.assert_allclose(score("total-correlation"), np.outer(wanted, VALUES), atol=1e-4)


def test_partial_correlation_is_ridge_regression_without_rows_that_set_the_goal():
    rows, columns = TARGET != GOAL, [0, 1, 3]
    design = np.vstack([OUTCOME[rows][:, columns], np.eye(3)])
    answer = np.concatenate([OUTCOME[rows, GOAL], np.zeros(3)])
    wanted = np.linalg.lstsq(design, answer, rcond=None)[0]
    ours = score("partial-correlation")[columns]
    np.testing.assert_allclose(ours, np.outer(wanted, VALUES), atol=1e-4)


def test_largest_effect_is_the_mean_slope_of_a_variable_s_own_rows():
    for i in range(4):
        rows = TARGET == i
        slope = np.mean(OUTCOME[rows, GOAL] / VALUE[rows])
        np.testing.assert_allclose(score("largest-effect")[i], slope * VALUES, atol=1e-5)


def test_slope_is_the_least_squares_line_from_the_mean_of_the_observations():
    grid = np.array([-1.0, 0.5, 4.0], np.float32)
    value = np.where(TARGET < 0, 0, np.resize(grid, 8)).astype(np.float32)
    history = History(*map(jnp.asarray, (OUTCOME, TARGET, value, np.ones(8, bool))))
    ours = np.asarray(READ["slope"](history, jnp.asarray(GOAL), jnp.asarray(grid)))
    usual = OUTCOME[TARGET < 0, GOAL].mean()
    for i in range(4):
        rows = TARGET == i
        line = np.linalg.lstsq(value[rows, None], OUTCOME[rows, GOAL] - usual, rcond=None)[0]
        np.testing.assert_allclose(ours[i], line[0] * grid, atol=1e-5)


def test_best_outcome_is_the_highest_goal_after_the_very_action():
    ours = score("best-outcome")
    for i, v in np.ndindex(4, 2):
        rows = (TARGET == i) & (VALUE == VALUES[v])
        assert ours[i, v] == (OUTCOME[rows, GOAL].max() if rows.any() else np.float32(-1e9))


@pytest.mark.parametrize(("last", "action"), [(1.0, (3, 0)), (-1.0, (3, 1))])
def test_last_reward_stays_after_a_win_and_shifts_after_a_loss(last, action):
    outcome = OUTCOME.copy()
    outcome[-1, GOAL] = last
    ours = score("last-reward", outcome)
    assert np.unravel_index(ours.argmax(), ours.shape) == action


@pytest.mark.parametrize("name", READERS)
def test_rows_not_seen_and_goals_not_observed_do_not_count(name):
    seen = np.arange(8) < 6
    blank = OUTCOME.copy()
    blank[6:, GOAL] = np.nan
    noisy = OUTCOME.copy()
    noisy[6:] = 99
    if name != "last-reward":  # it may still point at the last row it knows of
        np.testing.assert_allclose(score(name, blank), score(name, blank, seen), atol=1e-4)
    np.testing.assert_allclose(score(name, noisy, seen), score(name, OUTCOME, seen), atol=1e-4)
    assert np.isfinite(score(name, blank)).all()


def plays(name, count=200, **options):
    world = make("dag", **options)
    result = rollout(world, scripted(name), 0, "test", jnp.arange(count))
    return jax.tree.map(np.asarray, result)


def test_rotation_goes_through_the_variables_in_order():
    result = plays("rotation+random", experiments=10)
    assert (result.target[:, :10] == np.tile(np.arange(5), 2)).all()


def test_shuffled_covers_each_relevant_variable_once_a_round():
    result = plays("shuffled+random", n=10, relevant=5, experiments=10)
    for targets, relevant in zip(result.target, result.relevant, strict=True):
        for block in (targets[:5], targets[5:10]):
            assert sorted(block) == np.flatnonzero(relevant).tolist()
    assert len({tuple(t[:5]) for t in result.target}) > 100


def test_the_expert_earns_the_oracle_s_return_and_random_the_average():
    expert, random = plays("expert"), plays("random", count=2000)
    np.testing.assert_allclose(expert.returns, expert.oracle_return, atol=1e-5)
    gap = random.returns - random.random_return
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap))


def test_the_memoriser_plays_what_was_most_frequent_for_the_goal():
    counts = np.zeros((5, 5, 2), np.int64)
    for goal in range(5):
        counts[goal, (goal + 2) % 5, 1] = 3
        counts[goal, (goal + 1) % 5, 0] = 2
    result = rollout(make("dag"), memoriser(counts), 0, "test", jnp.arange(50))
    assert (np.asarray(result.target[:, -1]) == (np.asarray(result.goal[:, -1]) + 2) % 5).all()
    assert (np.asarray(result.value[:, -1]) == 2).all()


@pytest.mark.parametrize("name", ["", "wizard", "random+wizard", "wizard+random", "expert+"])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(UserError, match="scripted"):
        scripted(name)
