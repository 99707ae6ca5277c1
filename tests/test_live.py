"""Episodes played step by step from Python are those of the compiled runner."""

import numpy as np
import pytest

from seedo import experimenters, learning, play, worlds
from seedo.play import Actor, Live

WORLD = worlds.make("dag", n=3, exploits=2, goals="fresh", observations=1)
PLAYERS = {
    "expert": lambda: experimenters.scripted("expert"),
    "random": lambda: experimenters.scripted("random"),
    "eig": lambda: experimenters.bayesian("eig", WORLD.config()),
    # Drawn, not greedy: untouched variables tie exactly, and rounding breaks ties.
    "network": lambda: learning.load_agent("pretrained:dag", greedy=False),
}


def live(player, index):
    episode = Live(WORLD, 3, "perform", index)
    actor = Actor(player, episode)
    while not episode.finished:
        first = actor.action()
        assert actor.action() == first  # asking again changes nothing
        episode.act(*first)
    return episode


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n == "eig" else ()) for n in PLAYERS]
)
def test_an_actor_does_what_the_player_does_in_the_runner(name):
    player = PLAYERS[name]()
    expected = play.simulate(WORLD, player, 3, "perform", 0, 4)
    found = [live(player, i) for i in range(4)]
    batch = play.live_batch(play.origin(WORLD, player.name, 3), found)
    np.testing.assert_array_equal(batch.target, expected.target)
    np.testing.assert_allclose(batch.outcome, expected.outcome, atol=1e-5)
    np.testing.assert_array_equal(batch.goal, expected.goal)
    np.testing.assert_allclose(batch.returns, expected.returns, atol=1e-5)
    np.testing.assert_allclose(batch.oracle_return, expected.oracle_return, atol=1e-5)
    np.testing.assert_allclose(batch.random_return, expected.random_return, atol=1e-5)


def test_setting_the_goal_itself_is_refused_and_worth_nothing():
    episode = Live(WORLD, 0, "perform", 0)
    for _ in range(4):
        episode.act(-1)
    goal = int(episode.observation.goal)
    episode.act(goal, 2.0)
    assert episode.returns == 0.0
    assert int(episode.observation.target) == -1


def test_an_episode_ends():
    episode = live(experimenters.scripted("random"), 0)
    with pytest.raises(RuntimeError, match="over"):
        episode.act(0, 2.0)
