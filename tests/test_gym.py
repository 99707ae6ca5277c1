"""Worlds through Gymnasium, alone and batched."""

from __future__ import annotations

import subprocess
import sys
import warnings

import gymnasium
import jax
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import seedo  # noqa: F401  (registers the environment)
from seedo.errors import UserError
from seedo.play import Live
from seedo.worlds import episode_key, make

ID = "seedo/dag-v0"


def play(env, actions, seed=None):
    shown, _ = env.reset(seed=seed)
    rows, rewards, info = [shown], [], {}
    for action in actions:
        shown, reward, ended, _, info = env.step(action)
        rows.append(shown)
        rewards.append(reward)
    assert ended
    return rows, rewards, info


@pytest.mark.parametrize(
    ("world", "options"),
    [("dag", {"preset": "lampinen", "observations": 1}), ("blicket", {"n": 3, "start": "full"})],
)
def test_the_checker_has_nothing_to_say(world, options):
    env = gymnasium.make(f"seedo/{world}-v0", render_mode="ansi", **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


def test_importing_the_package_registers_the_environment_and_a_module_prefix_works_too():
    program = (
        "import seedo, gymnasium, sys; assert 'jax' not in sys.modules; "
        f"gymnasium.make('{ID}'); gymnasium.make('seedo:{ID}')"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_rewards_are_exact_expectations_of_the_systems_of_the_seed():
    env = gymnasium.make(ID, exploits=2, goals="fresh")
    world = make("dag", exploits=2, goals="fresh")
    for episode in range(3):
        task_key = jax.random.split(episode_key(7, "gym", episode), 3)[0]
        task = world.sample(task_key)
        expected = np.asarray(world.expected(task.system))
        goals = np.asarray(task.goal[5:])
        last = [2 * ((g + 1) % 5) + 1 for g in goals]
        rows, rewards, info = play(env, [0, 2, 4, 6, 10, *last], 7 if episode == 0 else None)
        assert [row["goal"].argmax() for row in rows[5:7]] == goals.tolist()
        exact = [expected[(g + 1) % 5, 1, g] for g in goals]
        np.testing.assert_allclose(rewards, [0] * 5 + exact, rtol=1e-5, atol=1e-6)
        assert info["return"] == pytest.approx(np.mean(exact), abs=1e-5)
        others = [np.delete(expected[:, :, g], g, axis=0) for g in goals]
        assert info["oracle_return"] == pytest.approx(np.mean([o.max() for o in others]), abs=1e-5)
        assert info["random_return"] == pytest.approx(np.mean([o.mean() for o in others]), abs=1e-5)


def test_observations_say_what_was_done_and_seen():
    rows, _, _ = play(gymnasium.make(ID), [5, 10, 1, 2, 3, 10], seed=0)
    first, after_do, after_watching = rows[:3]
    assert not first["observed"].any()
    assert not first["outcome"].any()
    assert not first["goal"].any()
    assert first["steps_left"][0] == 1
    assert rows[-1]["steps_left"][0] == 0
    assert after_do["target"].tolist() == [0, 0, 1, 0, 0]
    assert after_do["value"][0] == after_do["outcome"][2] == 2.0
    assert after_do["observed"].all()
    assert not after_watching["target"].any()
    assert rows[5]["phase"].tolist() == [0, 0, 1]
    assert rows[5]["goal"].sum() == 1


@pytest.mark.parametrize("reward", ["expected", "sampled"])
def test_exploiting_by_watching_or_by_setting_the_goal_earns_nothing(reward):
    env = gymnasium.make(ID, reward=reward)
    goal = int(play(env, [10] * 6, seed=1)[0][5]["goal"].argmax())
    for action in (10, 2 * goal + 1):
        rows, rewards, _ = play(env, [10] * 5 + [action], seed=1)
        assert rewards == [0] * 6
        assert not rows[-1]["target"].any()


def test_a_sampled_reward_is_the_value_of_the_goal():
    env = gymnasium.make(ID, reward="sampled")
    for seed in range(5):
        goal = int(play(env, [10] * 6, seed=seed)[0][5]["goal"].argmax())
        rows, rewards, _ = play(env, [10] * 5 + [2 * ((goal + 1) % 5)], seed=seed)
        assert rewards[-1] == pytest.approx(float(rows[-1]["outcome"][goal]))


def test_a_batch_plays_the_same_episodes_as_single_environments():
    batch = gymnasium.make_vec(ID, num_envs=3)
    assert batch.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    single = gymnasium.make_vec(ID, num_envs=3, vectorization_mode="sync")
    seen, _ = batch.reset(seed=11)
    like, _ = single.reset(seed=11)
    rng = np.random.default_rng(0)
    for _ in range(16):  # more than two episodes, with an automatic reset after each
        for name in like:
            np.testing.assert_allclose(seen[name], like[name], atol=1e-5)
        assert batch.observation_space.contains(seen)
        actions = rng.integers(0, 11, 3)
        seen, *ours, info = batch.step(actions)
        like, *theirs, reference = single.step(actions)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
        assert set(info) == set(reference)
        for name in info:
            np.testing.assert_allclose(info[name], reference[name], atol=1e-5)


def test_an_episode_is_that_which_everybody_plays():
    env = gymnasium.make("seedo/blicket-v0", n=3, flip=0.25, experiments=5)
    live = Live(make("blicket", n=3, flip=0.25, experiments=5), 3, "gym", 0)
    seen, _ = env.reset(seed=3)
    assert seen["observed"].tolist() == [1, 1, 1, 0]
    put_a, remove_a, put_b, set_machine, nothing = 1, 0, 3, 7, 8
    actions = [put_a, put_b, remove_a, set_machine, nothing]
    moves = [(0, 1), (1, 1), (0, 0), (-1, 0), (-1, 0)]
    truth = np.asarray(live.task.blickets).astype(int)
    actions += [*(2 * np.arange(2) + truth[:2]), nothing]
    moves += [(0, truth[0]), (1, truth[1]), (-1, 0)]
    for action, move in zip(actions, moves, strict=True):
        seen, _, ended, _, info = env.step(action)
        then = live.act(*move)
        np.testing.assert_array_equal(seen["outcome"], np.nan_to_num(then.outcome))
        np.testing.assert_array_equal(seen["observed"], np.isfinite(then.outcome))
    assert ended
    assert info == {"return": pytest.approx(2 / 3), "oracle_return": 1.0, "random_return": 0.5}


def test_rendering_is_text():
    env = gymnasium.make(ID, render_mode="ansi")
    env.reset(seed=0)
    env.step(1)
    assert env.render().startswith("1/6 explore: do(A = 2) -> A 2.00, B ")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"reward": "kudos"}, "reward"),
        ({"split": "heldout"}, "split"),
        ({"preset": "cubic"}, "preset"),
        ({"n": 1}, "n"),
        ({"variables": 4}, "variables"),
        ({"do_values": [1.0, 1.0]}, "do_values"),
    ],
)
@pytest.mark.parametrize("make_env", [gymnasium.make, gymnasium.make_vec])
def test_bad_options_are_named(make_env, options, field):
    with pytest.raises(UserError, match=f"^{field}: "):
        make_env(ID, **options)


def test_bad_actions_sizes_and_late_steps_are_refused():
    env = gymnasium.make(ID, disable_env_checker=True)
    play(env, [10] * 6, seed=0)
    with pytest.raises(UserError, match="over; call reset"):
        env.step(0)
    with pytest.raises(UserError, match="below 11"):
        env.step(11)
    with pytest.raises(UserError, match="num_envs"):
        gymnasium.make_vec(ID, num_envs=0)
    batch = gymnasium.make_vec(ID, num_envs=2)
    batch.reset(seed=[3, 4])
    for bad in ([0, 11], [0], [0.0, 1.0], [-1, 0]):
        with pytest.raises(UserError, match="actions"):
            batch.step(np.array(bad))
    with pytest.raises(UserError, match="seed"):
        batch.reset(seed=[1])
    with pytest.raises(UserError, match="reset_mask"):
        batch.reset(options={"reset_mask": np.array([True, False])})
