"""Rounds, drift, short memories, mistakes: against algebra and against reading by hand."""

from __future__ import annotations

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seedo import evaluation, play, worlds
from seedo.errors import UserError
from seedo.experimenters import (
    LastSteps,
    Mistaken,
    Observation,
    Slipping,
    bayesian,
    scripted,
)
from seedo.inference.exact import bayes_supported
from seedo.language import open_scene
from seedo.play import find_player
from seedo.worlds import DagConfig

ROUNDS = worlds.make("dag", n=3, experiments=2, exploits=1, rounds=4, goals="fresh")
DRIFT = worlds.make("dag", n=3, experiments=2, exploits=1, rounds=4, goals="fresh", drift=0.5)


def log(world, player, episodes=24, seed=0):
    return play.episodes(world, player, seed, "perform", 0, episodes, systems=True)


# -- the world ------------------------------------------------------------------------------------


def test_a_block_of_experiments_and_exploits_comes_again_every_round():
    world = worlds.make("dag", observations=2, experiments=1, exploits=2, rounds=3)
    assert world.spec.phases == (0, 0, *(1, 2, 2) * 3)
    assert world.settings.steps == 11
    goals = world.draw(jax.random.key(0)).goals
    assert goals.shape == (6,)
    assert len(set(np.asarray(goals).tolist())) == 1


def test_fresh_goals_are_drawn_for_every_exploit_step_of_every_round():
    goal = log(worlds.make("dag", experiments=1, rounds=20, goals="fresh"), scripted("random")).goal
    assert (goal[:, ::2] == -1).all()
    assert (goal[:, 1::2] >= 0).all()
    assert len(np.unique(goal[:, 1::2])) == 5


def test_settings_of_older_logs_read_and_write_as_they_did():
    config = worlds.make("dag").config()
    assert "rounds" not in config
    assert "drift" not in config
    assert DagConfig.from_dict(config).to_dict() == config
    drifting = DRIFT.config()
    assert (drifting["rounds"], drifting["drift"]) == (4, 0.5)
    assert DagConfig.from_dict(drifting).to_dict() == drifting


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"rounds": 0}, "rounds"),
        ({"rounds": 1700}, "rounds"),
        ({"drift": 0.1}, "drift"),
        ({"drift": -0.1, "rounds": 2}, "drift"),
        ({"drift": 0.1, "rounds": 2, "weight_family": "uniform"}, "drift"),
        ({"drift": 0.1, "rounds": 2, "split": "heldout-link"}, "drift"),
    ],
)
def test_rounds_and_drifts_that_cannot_be_are_refused(options, field):
    with pytest.raises(UserError, match=f"^{field}: "):
        worlds.make("dag", **options)
    assert worlds.make("dag", rounds=1666).spec.steps == 9996


def test_drifting_weights_keep_their_variance_and_correlate_by_the_cosine():
    tasks = jax.vmap(DRIFT.sample)(jax.random.split(jax.random.key(0), 20_000))
    weights = [np.asarray(jax.vmap(lambda s, r=r: DRIFT.in_round(s, r))(tasks.system).weights)
               for r in range(4)]  # fmt: skip
    edges = weights[0] != 0
    for r, own in enumerate(weights):
        assert ((own != 0) == edges).all()
        assert own[edges].std() == pytest.approx(1.0, abs=0.02)
        for s, other in enumerate(weights):
            found = np.corrcoef(own[edges], other[edges])[0, 1]
            assert found == pytest.approx(np.cos((r - s) * 0.5), abs=0.02)


def _weights_of_round(system, r):
    w, u = (np.array(system[k]) for k in ("weights", "second_weights"))
    return w * np.cos(0.5 * r) + u * np.sin(0.5 * r)


def test_outcomes_follow_from_the_weights_of_their_round_and_the_noise_of_their_step():
    batch = log(DRIFT, scripted("random"))
    still = worlds.make("dag", n=3, experiments=2, exploits=1, rounds=4, goals="fresh")
    same = log(still, scripted("random"))
    assert (batch.target == same.target).all()
    for i in range(batch.rows):
        system = json.loads(batch.system[i])
        first = np.array(json.loads(same.system[i])["weights"])
        np.testing.assert_allclose(first, system["weights"])
        for t in range(batch.steps):
            noises = []
            for x, weights in (
                (batch.outcome[i, t], _weights_of_round(system, t // 3)),
                (same.outcome[i, t], first),
            ):
                noise = x - x @ weights
                noise[batch.target[i, t]] = 0  # set by hand
                noises.append(noise)
            np.testing.assert_allclose(*noises, atol=1e-4)


def test_returns_and_references_under_drift_are_those_of_inverted_matrices():
    player = scripted("random")
    batch = log(DRIFT, player)
    for i in range(batch.rows):
        system = json.loads(batch.system[i])
        own, best, average = [], [], []
        for r, t in enumerate(range(2, 12, 3)):
            total = np.linalg.inv(np.eye(3) - _weights_of_round(system, r))
            np.testing.assert_allclose(np.array(system["expected"])[r, :, 1], 2 * total, atol=1e-4)
            goal = batch.goal[i, t]
            others = [v * total[k, goal] for k in range(3) if k != goal for v in (-2, 2)]
            own.append(batch.value[i, t] * total[batch.target[i, t], goal])
            best.append(max(others))
            average.append(np.mean(others))
        assert batch.returns[i] == pytest.approx(np.mean(own), abs=1e-3)
        assert batch.oracle_return[i] == pytest.approx(np.mean(best), abs=1e-3)
        assert batch.random_return[i] == pytest.approx(np.mean(average), abs=1e-3)


def test_the_expert_knows_the_system_of_every_round():
    batch = log(DRIFT, scripted("expert"))
    np.testing.assert_allclose(batch.returns, batch.oracle_return, atol=1e-5)


def test_a_live_episode_and_its_outcome_table_drift_like_the_runner():
    expected = log(DRIFT, scripted("expert"), 2)
    for i in range(2):
        episode = play.Live(DRIFT, 0, "perform", i)
        table = play.outcome_table(episode)
        for t in range(DRIFT.spec.steps):
            target, value = int(expected.target[i, t]), float(expected.value[i, t])
            outcome = episode.act(target, value).outcome
            np.testing.assert_allclose(outcome, expected.outcome[i, t], atol=1e-5)
            np.testing.assert_allclose(
                table.outcome[t, 1 + 2 * target + int(value > 0)], outcome, atol=1e-5
            )
        assert episode.returns == pytest.approx(expected.returns[i], abs=1e-5)
        assert episode.oracle_return == pytest.approx(expected.oracle_return[i], abs=1e-5)


@pytest.mark.slow
def test_a_review_of_drifting_logs_measures_returns_and_says_what_it_cannot(tmp_path):
    play.perform(DRIFT, scripted("expert"), 250, 0, tmp_path / "run")
    (run,) = evaluation.review([tmp_path / "run"]).runs
    assert run.metrics.return_ratio.value == pytest.approx(1.0, abs=1e-5)
    assert run.metrics.action_match.value == 1.0
    assert run.metrics.bayes_ratio.value is None
    assert "drift from round to round" in run.metrics.bayes_ratio.reason
    assert [w for w in run.warnings if "drift" not in w] == []


@pytest.mark.slow
def test_a_review_of_rounds_is_exact_about_all_of_them(tmp_path):
    player = bayesian("rotation", ROUNDS.config())
    play.perform(ROUNDS, player, 250, 0, tmp_path / "run")
    (run,) = evaluation.review([tmp_path / "run"]).runs
    assert run.metrics.bayes_ratio.value == pytest.approx(1.0, abs=1e-4)


def test_who_cannot_handle_drift_refuses_it_in_a_line(tmp_path):
    assert "drift" in bayes_supported(DRIFT.config())
    with pytest.raises(UserError, match="drift"):
        bayesian("eig", DRIFT.config())
    with pytest.raises(UserError, match="rounds"):
        open_scene(ROUNDS, 0, "perform", 0)
    with pytest.raises(UserError, match="explain"):
        play.episodes(DRIFT, scripted("random"), 0, "watch", 0, 4, explain="effects")


# -- a short memory -------------------------------------------------------------------------------


def by_hand(world, player, steps, batch, seed=0):
    """What `player` does at every step, having played only the last `steps` ones: each time a new
    episode is begun and shown the rows of the log one by one."""
    spec = world.spec
    act = jax.jit(player.act)
    chosen = np.empty((batch.rows, spec.steps), int)
    for i in range(batch.rows):
        key = jax.random.fold_in(worlds.stream_key(seed, "perform"), i)
        init_key, act_key = jax.random.split(jax.random.split(key, 3)[2])
        for t in range(spec.steps):
            state = player.begin(spec, init_key, None)
            for row in (None, *range(max(0, t - steps), t)):
                seen = Observation(
                    phase=jnp.asarray(spec.phases[t]),
                    steps_left=jnp.asarray(spec.steps - t),
                    target=jnp.asarray(-1 if row is None else int(batch.target[i, row])),
                    value=jnp.asarray(0.0 if row is None else float(batch.value[i, row])),
                    outcome=jnp.full(spec.n, jnp.nan) if row is None else batch.outcome[i, row],
                    relevant=jnp.asarray(batch.mask[i]),
                    goal=jnp.asarray(int(batch.goal[i, t])),
                )
                action, state = act(state, seen, jax.random.fold_in(act_key, t))
            chosen[i, t] = int(action.target) * 2 + int(float(action.value) > 0)
    return chosen


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        pytest.param("pretrained:dag", 4, marks=pytest.mark.slow),
        ("scripted:rotation+last-reward", 1),
        pytest.param("bayes:rotation", 3, marks=pytest.mark.slow),
    ],
)
def test_a_short_memory_is_reading_the_cut_history_afresh(name, steps):
    greedy = not name.startswith("pretrained")  # untouched variables tie exactly
    player = find_player(name, ROUNDS, greedy)
    batch = log(ROUNDS, LastSteps(player, steps), 2)
    found = batch.target * 2 + (batch.value > 0)
    np.testing.assert_array_equal(found, by_hand(ROUNDS, player, steps, batch))


@pytest.mark.slow
def test_a_memory_of_the_whole_episode_is_no_limit():
    player = scripted("largest-effect")
    whole, limited = log(ROUNDS, player), log(ROUNDS, LastSteps(player, 12))
    np.testing.assert_array_equal(whole.target, limited.target)
    np.testing.assert_array_equal(whole.value, limited.value)


def test_limited_and_mistaken_players_have_names():
    player = find_player("misread-3:last-8:scripted:last-reward", ROUNDS)
    assert player.name == "misread-3:last-8:last-reward"
    for name, why in (
        ("last-0:scripted:random", "from 1 to"),
        ("last-4:scripted:expert", "knows the system"),
        ("slip-12:scripted:random", "12 steps"),
    ):
        with pytest.raises(UserError, match=why):
            find_player(name, ROUNDS)


# -- mistakes -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_slip_is_one_wrong_value_and_nothing_else_of_it_is_remembered_wrongly():
    player = scripted("expert")
    right, wrong = log(ROUNDS, player), log(ROUNDS, Mistaken(player, 5, "slip"))
    np.testing.assert_array_equal(right.target, wrong.target)
    np.testing.assert_array_equal(np.flatnonzero((right.value != wrong.value).all(0)), [5])
    np.testing.assert_array_equal(wrong.value[:, 5], -right.value[:, 5])
    np.testing.assert_array_equal(np.delete(right.value, 5, 1), np.delete(wrong.value, 5, 1))


def test_a_misread_row_is_remembered_with_its_signs_reversed():
    player = scripted("rotation+best-outcome")
    batch = log(ROUNDS, Mistaken(player, 1, "misread"))
    false = batch.outcome.copy()
    rest = np.arange(3) != batch.target[:, 1, None]
    false[:, 1] = np.where(rest, -false[:, 1], false[:, 1])
    changed = 0
    for i in range(batch.rows):
        for t in range(2, 12, 3):  # exploit steps
            goal, best = batch.goal[i, t], {}
            for row in range(t):
                if batch.target[i, row] != goal:
                    action = int(batch.target[i, row]), float(batch.value[i, row])
                    for rows, name in ((false, "false"), (batch.outcome, "true")):
                        best.setdefault(name, {}).setdefault(action, []).append(rows[i, row, goal])
            tops = {name: max(own, key=lambda a: max(own[a])) for name, own in best.items()}
            assert (int(batch.target[i, t]), float(batch.value[i, t])) == tops["false"]
            changed += tops["false"] != tops["true"]
    assert changed


@pytest.mark.slow
def test_slips_are_as_frequent_as_said_and_what_was_meant_is_logged():
    world = worlds.make("dag", exploits=4)
    batch = play.episodes(world, Slipping(scripted("expert"), 0.3), 0, "watch", 0, 2000)
    assert np.isin(batch.action_logits, [0.0, -np.inf]).all()
    meant = batch.action_logits.argmax(-1)
    done = batch.target * 2 + (batch.value > 0)
    # One of the 10 actions that are drawn from, when exploiting 8, is what was meant.
    assert (meant != done)[:, :5].mean() == pytest.approx(0.3 * 9 / 10, abs=0.02)
    assert (meant != done)[:, 5:].mean() == pytest.approx(0.3 * 7 / 8, abs=0.02)
    assert (batch.target[:, 5:] != batch.goal[:, 5:]).all()
