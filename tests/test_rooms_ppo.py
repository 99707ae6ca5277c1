"""Reinforcement learning in rooms."""

from __future__ import annotations

import dataclasses
import functools
import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seedo import worlds
from seedo.errors import UserError
from seedo.learning import ReinforcementRecipe, reinforce
from seedo.learning._rooms_agent import build_rooms
from seedo.learning._rooms_ppo import (
    LOSSES,
    Practice,
    Settings,
    advantages,
    begin,
    objective,
    play,
)
from seedo.learning._rooms_reinforcement import architecture_of
from seedo.worlds.rooms import NOTHING

SETTINGS = Settings(
    unroll=24,
    epochs=1,
    minibatches=1,
    discount=0.9,
    trace=0.8,
    clip=0.2,
    entropy_weight=0.03,
    value_weight=0.7,
    explanations="predict",
    explanation_weight=0.4,
)
SMALL = ReinforcementRecipe(
    steps=3 * 8 * 12,
    environments=8,
    unroll=12,
    epochs=1,
    minibatches=2,
    widths=(("size", 8), ("objects", 8), ("code", 4), ("attentions", 1)),
    seed=5,
)


def small_world(**options):
    return worlds.make("rooms", level="basic", limit=6, linger=2, **options)


valued = eqx.filter_jit(objective)


@functools.cache
def played():
    """A world of two trials, a small network, and 24 steps of it in 16 rooms."""
    world = worlds.make("rooms", level="meta", limit=5, linger=2, experiments=1)
    network = build_rooms(architecture_of(SMALL), 0)
    key, action_key = jax.random.key(3), jax.random.key(4)
    visits = eqx.filter_jit(begin)(world, network, key, 16)
    episode_key, _ = jax.random.split(key)
    _, chapters, _ = eqx.filter_jit(play)(world, network, visits, SETTINGS, episode_key, action_key)
    return world, network, visits, jax.tree.map(np.asarray, chapters)


def test_advantages_are_the_discounted_sums_of_their_definition():
    rng = np.random.default_rng(0)
    reward, value = rng.normal(size=(2, 15))
    over, later, discount, trace = rng.random(15) < 0.25, 0.7, 0.9, 0.8
    after = np.append(value[1:], later)
    surprise = reward + discount * np.where(over, 0, after) - value
    expected = np.zeros(15)
    for t in range(15):
        for k in range(t, 15):
            expected[t] += (discount * trace) ** (k - t) * surprise[k]
            if over[k]:
                break
    found = advantages(*map(jnp.asarray, (reward, value, over, later)), discount, trace)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_chapter_is_what_the_world_does_step_by_step():
    world, _, _, chapters = played()
    observe, step = jax.jit(world.symbolic), jax.jit(world.advance)
    sample, explain = jax.jit(world.sample), jax.jit(world.explain)
    episode_key, _ = jax.random.split(jax.random.key(3))
    ended = 0
    for room in range(3):
        episode, gained = 0, 0.0
        task = sample(jax.random.fold_in(jax.random.fold_in(episode_key, room), 0))
        state = world.reset(task)
        for t in range(SETTINGS.unroll):
            now = jax.tree.map(lambda a, r=room, t=t: a[r, t], chapters)
            for one, other in zip(now.shown, observe(task, state), strict=True):
                np.testing.assert_array_equal(one, other)
            np.testing.assert_array_equal(now.said, explain(task, state))
            assert (now.action == NOTHING) == (state.chosen >= 0)
            last = int(state.trial) == world.settings.trials - 1
            state, reward = step(task, state, now.action)
            gained += float(reward)
            assert now.reward == reward
            assert bool(now.over) == bool(state.finished)
            assert bool(now.won) == (float(reward) > 0 and last)
            assert float(now.gained) == (gained if state.finished else 0.0)
            if state.finished:
                episode, gained, ended = episode + 1, 0.0, ended + 1
                own = jax.random.fold_in(jax.random.fold_in(episode_key, room), episode)
                task = sample(own)
                state = world.reset(task)
    assert ended >= 3


def test_actions_are_drawn_from_what_the_network_says():
    chapters = played()[-1]
    free, log_prob = chapters.free, chapters.log_prob
    assert (log_prob[free] < 0).all()
    assert (log_prob[~free] == 0).all()
    assert set(np.unique(chapters.action[free])) == set(range(11))


def practice():
    """A network, and what it played, with advantages made up."""
    _, network, visits, chapters = played()
    rng = np.random.default_rng(1)
    shape = chapters.reward.shape
    advantage = jnp.asarray(rng.normal(size=shape), jnp.float32)
    return network, Practice(
        memory=visits.memory,
        shown=chapters.shown,
        said=chapters.said,
        action=chapters.action,
        log_prob=chapters.log_prob,
        free=chapters.free,
        over=chapters.over,
        advantage=advantage,
        returns=chapters.value + advantage,
    )


def test_reading_a_chapter_again_finds_the_probabilities_it_was_played_with():
    network, batch = practice()
    _, parts = valued(network, batch, SETTINGS, jax.random.key(0))
    found = dict(zip(LOSSES, map(float, parts), strict=True))
    assert found["clipped"] == 0
    assert abs(found["divergence"]) < 1e-6
    # At ratio 1 the policy's loss is minus the mean of advantages that were centred.
    assert abs(found["policy_loss"]) < 1e-5
    # What was played is worth `value`, and the returns lie an advantage away.
    assert found["value_loss"] == pytest.approx(0.5 * np.square(batch.advantage).mean(), rel=1e-4)


def test_the_objective_is_the_published_one():
    network, batch = practice()
    rng = np.random.default_rng(2)
    shift = rng.normal(0, 0.3, batch.log_prob.shape).astype(np.float32)
    before = batch.log_prob + np.where(batch.free, shift, 0)
    total, parts = eqx.filter_jit(objective)(
        network, batch._replace(log_prob=before), SETTINGS, jax.random.key(0)
    )
    found = dict(zip(LOSSES, map(float, parts), strict=True))
    free = np.asarray(batch.free)
    advantage = np.asarray(batch.advantage)[free]
    advantage = (advantage - advantage.mean()) / advantage.std()
    ratio = np.exp(-shift[free])
    clipped = np.minimum(ratio * advantage, np.clip(ratio, 0.8, 1.2) * advantage)
    assert found["policy_loss"] == pytest.approx(-clipped.mean(), rel=1e-3)
    assert found["clipped"] == pytest.approx((np.abs(ratio - 1) > 0.2).mean(), abs=1e-6)
    assert found["divergence"] == pytest.approx((ratio - 1 + shift[free]).mean(), rel=1e-3)
    assert float(total) == pytest.approx(
        found["policy_loss"]
        + 0.7 * found["value_loss"]
        - 0.03 * found["entropy"]
        + 0.4 * found["explanation_loss"],
        rel=1e-5,
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pixels", "attention-pixels"])
def test_a_network_with_an_eye_reads_again_what_it_played(kind):
    recipe = dataclasses.replace(SMALL, network=kind, widths=(("size", 8),))
    world, network = small_world(), build_rooms(architecture_of(recipe), 0)
    key, action_key = jax.random.key(3), jax.random.key(4)
    visits = eqx.filter_jit(begin)(world, network, key, 4)
    episode_key, _ = jax.random.split(key)
    _, chapters, _ = eqx.filter_jit(play)(world, network, visits, SETTINGS, episode_key, action_key)
    again = eqx.filter_jit(
        lambda: jax.vmap(lambda c, m: network.read(c.shown, None, None, m, c.over))(
            chapters, visits.memory
        )
    )()
    np.testing.assert_allclose(again.value, chapters.value, atol=1e-4)
    log_probs = jax.nn.log_softmax(again.logits)
    taken = jnp.take_along_axis(log_probs, jnp.maximum(chapters.action, 0)[..., None], -1)[..., 0]
    free = np.asarray(chapters.free)
    np.testing.assert_allclose(taken[free], chapters.log_prob[free], atol=1e-4)


def test_without_explanations_words_are_not_learnt():
    network, batch = practice()
    silent = SETTINGS._replace(explanations="none")
    total, parts = valued(network, batch, silent, jax.random.key(0))
    found = dict(zip(LOSSES, map(float, parts), strict=True))
    assert float(total) == pytest.approx(
        found["policy_loss"] + 0.7 * found["value_loss"] - 0.03 * found["entropy"], rel=1e-5
    )


def rows(folder):
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != "steps_per_second"} for row in found]


@pytest.mark.slow
def test_an_interrupted_job_ends_as_an_uninterrupted_one(tmp_path):
    world = small_world()
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    agent = reinforce(world, whole, SMALL)

    def stop(report):
        if report.row["steps"] >= 2 * SMALL.per_round:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reinforce(world, parts, SMALL, progress=stop, checkpoint_seconds=0)
    assert not (parts / "agent.json").exists()
    seen = []
    resumed = reinforce(world, parts, SMALL, resume=True, progress=seen.append)
    assert [report.row["steps"] for report in seen] == [2 * SMALL.per_round, 3 * SMALL.per_round]
    for name in ("weights.safetensors", "optimizer.safetensors", "agent.json"):
        assert (whole / name).read_bytes() == (parts / name).read_bytes()
    assert rows(whole) == rows(parts)
    assert [row["steps"] for row in rows(whole)] == [96, 192, 288]
    for one, other in zip(
        jax.tree.leaves(agent.network), jax.tree.leaves(resumed.network), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(UserError, match="begun with"):
        reinforce(world, parts, dataclasses.replace(SMALL, seed=6), resume=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 0),
        ("unroll", 1.5),
        ("minibatches", 3),
        ("learning_rate", float("nan")),
        ("discount", 1.1),
        ("clip", 0.0),
        ("entropy_weight", -1.0),
        ("explanations", "loud"),
        ("network", "huge"),
        ("seed", -1),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=field):
        ReinforcementRecipe(**{field: value})


@pytest.mark.slow
def test_an_agent_learns_to_take_the_odd_one(tmp_path):
    world = worlds.make("rooms", level="basic", dimension="position")
    recipe = ReinforcementRecipe(steps=600_000)
    reinforce(world, tmp_path / "agent", recipe)
    found = rows(tmp_path / "agent")
    assert found[0]["success"] < 0.2
    assert found[-1]["success"] > 0.9
