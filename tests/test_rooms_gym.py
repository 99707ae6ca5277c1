"""Rooms behind Gymnasium's interface: its own checks, and the world behind it."""

from __future__ import annotations

import gymnasium
import jax
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import seedo.worlds  # noqa: F401  registers the environments
from seedo import worlds
from seedo.errors import UserError


@pytest.mark.parametrize("obs", ["symbolic", "pixels"])
@pytest.mark.filterwarnings("ignore:.*maximum and minimum values are equal")
def test_gymnasiums_own_checks_pass(obs):
    env = gymnasium.make("seedo/rooms-v0", obs=obs, level="basic", limit=6)
    check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.slow
def test_an_episode_is_that_of_the_world():
    env = gymnasium.make("seedo/rooms-v0", level="meta").unwrapped
    world = worlds.make("rooms", level="meta")
    seen, info = env.reset(seed=7)
    task_key, _ = jax.random.split(worlds.episode_key(7, "gym", 0))
    task = world.sample(task_key)
    state = world.reset(task)
    rng = np.random.default_rng(0)
    for _ in range(60):
        np.testing.assert_array_equal(seen["objects"], world.symbolic(task, state).objects)
        np.testing.assert_array_equal(seen["place"], world.symbolic(task, state).place)
        said = world.explain(task, state)
        assert info["explanation"] == worlds.rooms.words(np.asarray(said))
        action = int(rng.integers(11))
        state, reward = world.advance(task, state, action)
        seen, given, ended, cut, info = env.step(action)
        assert given == float(reward)
        assert ended == bool(state.finished)
        assert not cut


def test_seeds_repeat_and_episodes_differ():
    env = gymnasium.make("seedo/rooms-v0", obs="pixels", render_mode="rgb_array")
    first, _ = env.reset(seed=3)
    second, _ = env.reset()
    again, _ = env.reset(seed=3)
    np.testing.assert_array_equal(first, again)
    assert (first != second).any()
    np.testing.assert_array_equal(env.render(), again)


@pytest.mark.parametrize("options", [{"obs": "sound"}, {"level": "attic"}, {"walls": 3}])
def test_bad_options_are_refused(options):
    with pytest.raises(UserError):
        gymnasium.make("seedo/rooms-v0", **options)
