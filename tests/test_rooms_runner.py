"""Rooms in the runner: logs, replays, reviews, films."""

from __future__ import annotations

import json

import jax
import numpy as np
import pytest
from PIL import Image

from command import run
from seedo import evaluation, learning, play, reports, worlds
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.experimenters import ROOMS_PLAYERS, rooms_player, scripted
from seedo.learning._folder import FORMAT
from seedo.reports import html
from seedo.reports._figures import _exploration
from seedo.worlds.rooms import VARIABLES, logged_actions

SMALL = {"level": "meta", "experiments": 1, "limit": 8}


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    path = tmp_path_factory.mktemp("rooms") / "logs"
    world = worlds.make("rooms", **SMALL)
    play.watch(world, rooms_player("expert", world), 60, 5, path, explain="words")
    return path


def test_a_log_replays_to_the_rewards_and_words_that_it_holds(logs):
    world = worlds.make("rooms", **SMALL)
    batch = Dataset(logs).read()
    assert batch.origin.variables == VARIABLES
    actions = logged_actions(batch)
    step = jax.jit(lambda task, state, action: world.advance(task, state, action))
    for row in range(5):
        task_key, _ = jax.random.split(worlds.episode_key(5, "watch", int(batch.episode_id[row])))
        task = world.sample(task_key)
        state, gained = world.reset(task), []
        for t, action in enumerate(actions[row]):
            said = worlds.rooms.words(np.asarray(world.explain(task, state)))
            assert said == batch.explanation[row][t]
            state, reward = step(task, state, int(action))
            gained.append(float(reward))
        np.testing.assert_array_equal(batch.outcome[row, :, 4], np.float32(gained))
        assert batch.returns[row] == float(any(g > 1 for g in gained))


def test_who_plays_does_not_change_the_rooms(tmp_path):
    world = worlds.make("rooms", **SMALL)
    runs = [play.simulate(world, rooms_player(name, world), 3, "perform", 0, 8)
            for name in ("nearest", "expert")]  # fmt: skip
    # Nothing has been done before the first step: what is said of the rooms there is the same.
    np.testing.assert_array_equal(runs[0].rows.words[:, 0], runs[1].rows.words[:, 0])
    assert runs[1].returns.sum() > runs[0].returns.sum()


def test_an_interrupted_log_goes_on_to_the_same_bytes(logs, tmp_path):
    world = worlds.make("rooms", **SMALL)
    play.watch(world, rooms_player("expert", world), 60, 5, tmp_path / "b", explain="words")
    victim = sorted((tmp_path / "b").glob("*.parquet"))[7]
    victim.unlink()
    play.watch(
        world, rooms_player("expert", world), 60, 5, tmp_path / "b", resume=True, explain="words"
    )
    for shard in sorted(logs.glob("*.parquet")):
        assert (tmp_path / "b" / shard.name).read_bytes() == shard.read_bytes()


def test_a_review_counts_the_exploit_trials_won(logs):
    review = evaluation.review([logs])
    metrics = review.runs[0].metrics
    assert metrics.return_ratio.value == pytest.approx(Dataset(logs).read().returns.mean())
    assert metrics.distinct_tested.value == pytest.approx(1.0)
    assert metrics.bayes_ratio.value is None
    assert "level" not in review.groups[0].label
    assert "limit=8" in review.groups[0].label


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name.startswith("expert-") else ())
        for name in ROOMS_PLAYERS
    ],
)
def test_every_scripted_player_plays(name):
    world = worlds.make("rooms", level="basic", dimension="colour", limit=12)
    played = play.simulate(world, rooms_player(name, world), 0, "perform", 0, 16).rows
    assert played.action.min() >= -1
    assert played.action.max() <= 10
    if name in ("expert", "expert-colour"):
        assert (played.reward.sum(1) == 1).all()


def test_a_review_of_rooms_lists_no_readers_of_causal_graphs_and_shows_whole_bars(tmp_path):
    runs = [tmp_path / name for name in ("expert", "random")]
    world = worlds.make("rooms", limit=8)
    for path in runs:
        play.watch(world, rooms_player(path.name, world), 16, 5, path)
    found = evaluation.review(runs)
    page = html(found)
    assert '<tr class="reference"><td>largest-effect' not in page
    assert "Who explored" not in page
    tested = [run.metrics.distinct_tested.high for run in found.runs]
    right = _exploration(found).axes[0].get_xlim()[1]
    assert right > max(tested) > 1.05


def test_a_log_of_rooms_is_not_asked_about_causes(logs, capsys):
    code, out, err = run(capsys, "ask", str(logs), "effect of colour on reward")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "a log of rooms" in err


def test_an_agent_plays_only_the_worlds_its_network_knows(tmp_path):
    with pytest.raises(UserError) as error:
        learning.find_agent("pretrained:dag", worlds.make("rooms", level="basic"), True, 0)
    assert error.value.field == "agent"


@pytest.mark.parametrize("kind", ["nobody", "os:system", 3, None])
def test_a_folder_names_its_network_and_nothing_else_is_imported_for_it(tmp_path, kind):
    learnt = {"format": FORMAT, "architecture": {"kind": kind}, "training": {}}
    (tmp_path / "agent.json").write_text(json.dumps(learnt))
    with pytest.raises(UserError) as error:
        learning.load_agent(tmp_path)
    assert error.value.value == kind


@pytest.mark.slow
def test_a_film_shows_one_episode(tmp_path, capsys):
    film = tmp_path / "films" / "one.gif"
    code, _, _ = run(
        capsys, "perform", "scripted:expert", "--world", "rooms", "--set", "level=basic",
        "--episodes", "2", "--out", str(tmp_path / "run"), "--film", str(film), "--json",
    )  # fmt: skip
    assert code == 0
    with Image.open(film) as picture:
        assert picture.n_frames > 2
        assert picture.size == (396, 458)
    world = worlds.make("rooms", level="basic")
    with pytest.raises(UserError, match="gif"):
        reports.film(world, rooms_player("expert", world), 0, 0, tmp_path / "one.mp4")


def test_a_log_of_something_else_has_no_actions(tmp_path):
    play.watch(worlds.make("dag", n=3), scripted("expert"), 4, 0, tmp_path / "dag")
    with pytest.raises(UserError, match="rooms log"):
        logged_actions(Dataset(tmp_path / "dag").read())


PPO = ["ppo", "--world", "rooms", "--out", "OUT"]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["learn", "--out", "OUT"], "Missing argument 'logs"),
        ([*PPO, "--reward", "sampled"], "--reward"),
        ([*PPO, "--steps", "0"], "steps"),
        ([*PPO, "--world", "blicket"], "world"),
        ([*PPO, "--set", "level=attic"], "level"),
        ([*PPO, "--explanations", "poems"], "explanations"),
        ([*PPO, "--epochs", "0"], "epochs"),
        ([*PPO, "--network", "rnn"], "network"),
        ([*PPO, "somewhere"], "Got unexpected extra argument"),
    ],
)
def test_bad_reinforcement_is_one_line(words, field, tmp_path, capsys):
    code, _, err = run(capsys, *(w.replace("OUT", str(tmp_path / "out")) for w in words))
    assert code == 2
    assert err.count("\n") == 1
    assert err.startswith(f"seedo: {field}")
    assert not (tmp_path / "out").exists()
