"""Reinforcement learning in world `dag`."""

from __future__ import annotations

import dataclasses
import functools
import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from typer.testing import CliRunner

from seedo import worlds
from seedo.cli import app
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.experimenters import Action
from seedo.learning import Agent, Architecture, FineTuning, Provenance, build, reinforce
from seedo.learning._dag_ppo import (
    LOSSES,
    Played,
    Practice,
    Weights,
    advantages,
    log_probs_at,
    objective,
    play,
    practice,
    returns,
)
from seedo.learning._inputs import Inputs
from seedo.play import set_up
from seedo.studies import fine_tuning
from seedo.worlds import EXPLOIT, EXPLORE

WIDTHS = (("size", 8), ("channels", 4), ("layers", 1), ("learnt", 2))
SMALL = FineTuning(
    steps=3 * 8 * 4 * 4, widths=WIDTHS, tasks=8, players=4, share=0.5, minibatches=2, seed=5
)


def small_agent(kind="equivariant", n=3, steps=4, seed=1):
    widths = dict(WIDTHS) if kind == "equivariant" else {"size": 8, "heads": 2, "layers": 1}
    limits = (None, None) if kind == "equivariant" else (n, steps)
    plan = Architecture(kind, (-2.0, 2.0), widths, *limits)
    return Agent(build(plan, seed), plan, Provenance("small"), greedy=False)


def small_world(**options):
    return worlds.make("dag", n=3, **options)


played_by = eqx.filter_jit(play)
valued = eqx.filter_jit(objective)


@eqx.filter_jit
def chances(network, inputs, steps):
    """Log-probabilities at one step of each episode of a batch."""
    return jax.vmap(lambda one, step: log_probs_at(network, one, step))(inputs, steps)


@eqx.filter_jit
def read_all(network, inputs):
    """The same at every step, as imitation reads them."""
    steps = jnp.arange(inputs.target.shape[1])
    return jax.vmap(lambda one: network.read(one, steps).log_probs)(inputs)


@functools.cache
def played(kind="equivariant", **options):
    """A world of two observations, three experiments and two goals; 6 tasks, 4 players each."""
    world = small_world(observations=2, exploits=2, goals="fresh")
    agent = small_agent(kind, steps=7)
    found = played_by(world, agent, jax.random.key(3), jnp.arange(6), 4)
    return world, agent.network, jax.tree.map(np.asarray, found)


@pytest.mark.parametrize("kind", [pytest.param("equivariant", marks=pytest.mark.slow), "plain"])
def test_players_of_a_task_do_what_the_world_lets_them_do(kind):
    world, _, found = played(kind)
    inputs, values = found.inputs, world.spec.do_values
    begun = jax.jit(jax.vmap(lambda i: set_up(world, jax.random.fold_in(jax.random.key(3), i))))

    @jax.jit
    def act(setup, t, action):
        state = world.reset(setup.task, setup.noise_key)._replace(step=t)
        noise = jax.random.fold_in(setup.noise_key, t)
        after, worth, _ = world.step(setup.task, state, action, noise)
        return after.target, after.value, after.outcome, worth

    for task in (0, 5):
        setup = jax.tree.map(lambda a, i=task: a[i], begun(jnp.arange(6)))
        for player in (0, 3):
            for t, phase in enumerate(world.spec.phases):
                at = (task, player, t)
                drawn = int(found.action[at])
                target = drawn // 2 if phase >= EXPLORE else -1
                action = Action(jnp.asarray(target), jnp.asarray(values[drawn % 2]))
                done, value, outcome, worth = act(setup, jnp.asarray(t), action)
                assert inputs.target[at] == done
                assert inputs.value[at] == value
                np.testing.assert_allclose(inputs.outcome[at], outcome, rtol=1e-5, atol=1e-6)
                assert found.worth[at] == pytest.approx(float(worth))
                assert inputs.phase[at] == phase


@pytest.mark.parametrize("kind", [pytest.param("equivariant", marks=pytest.mark.slow), "plain"])
def test_reading_an_episode_finds_the_probabilities_it_was_played_with(kind):
    world, network, found = played(kind)
    flat = jax.tree.map(lambda a: a.reshape(24, *a.shape[2:]), found)
    every = np.asarray(read_all(network, flat.inputs))
    for t, phase in enumerate(world.spec.phases):
        if phase < EXPLORE:
            assert (flat.log_prob[:, t] == 0).all()
            continue
        log_probs = chances(network, flat.inputs, jnp.full(24, t))
        np.testing.assert_allclose(log_probs, every[:, t], rtol=1e-5, atol=1e-5)
        taken = np.take_along_axis(every[:, t], flat.action[:, t, None], 1)[:, 0]
        np.testing.assert_allclose(flat.log_prob[:, t], taken, rtol=1e-4, atol=1e-5)


def test_players_who_do_the_same_see_the_same():
    _, _, found = played()
    pairs = 0
    for task in range(6):
        for one in range(4):
            for other in range(one):
                same = found.action[task, one, :3] == found.action[task, other, :3]
                if same.all():
                    pairs += 1
                    np.testing.assert_array_equal(
                        found.inputs.outcome[task, one, :3], found.inputs.outcome[task, other, :3]
                    )
    assert pairs


@eqx.filter_jit
def brute_force(network, worth, episodes):
    """The gradient of the expected return of a world of one experiment and one exploit action, over
    all of their choices: outcomes are a function of the experiment alone."""

    def value(network):
        first = chances(network, episodes, jnp.zeros(4, int))[0]
        then = chances(network, episodes, jnp.ones(4, int))
        then = jnp.where(jnp.isfinite(then), jnp.exp(then), 0.0)
        return (jnp.exp(first)[:, None] * then * worth).sum()

    return eqx.filter_grad(value)(network)


def test_the_gradient_is_that_of_the_expected_return_over_all_choices():
    # Two variables, A -> B with weight 1.5: 4 experiments, then 2 exploit actions on A.
    network, n = small_agent(n=2, steps=2).network, 2
    values = np.array([-2.0, 2.0])
    outcomes = np.array([[-2, -2.7], [2, 3.3], [0.4, -2], [0.4, 2]])  # after each experiment
    worth = np.tile(np.array([-3.0, 3.0, 0, 0]), (4, 1))

    def episode(a, b=0):
        return Inputs(
            np.array([EXPLORE, EXPLOIT]),
            np.array([-1, 1]),
            np.array([a // 2, b // 2]),
            values[[a % 2, b % 2]].astype(np.float32),
            np.stack([outcomes[a], np.zeros(n)]).astype(np.float32),
            np.ones(n, bool),
        )

    episodes = jax.tree.map(lambda *x: np.stack(x), *(episode(a) for a in range(4)))
    expected = brute_force(network, worth, episodes)
    # The estimate, averaged over all choices in proportion to their probability, is exact: every
    # pair of players, as independent draws, in one batch.
    first = np.exp(np.asarray(chances(network, episodes, jnp.zeros(4, int))))[0]
    then = np.exp(np.asarray(chances(network, episodes, jnp.ones(4, int))))
    ways = [(a, b, first[a] * then[a, b]) for a in range(4) for b in range(4) if then[a, b] > 0]
    hoped = (then * worth).sum(1)
    decisions = []
    for a, b, p in ways:
        for c, d, q in ways:
            two = [(a, b), (c, d)]
            shape = Played(
                inputs=jax.tree.map(lambda *x: np.stack(x)[None], *(episode(*w) for w in two)),
                action=np.array([two]),
                log_prob=np.zeros((1, 2, 2)),
                worth=np.array([[[0, worth[x, y]] for x, y in two]]),
                hoped=np.array([[[0, hoped[x]] for x, _ in two]]),
                oracle_return=np.ones((1, 2)),
                random_return=np.zeros((1, 2)),
            )
            gained = advantages(shape, "expected")[0, 0]
            for step, action in enumerate((a, b)):
                chance = (first[a], then[a, b])[step]
                decisions.append((episode(a, b), step, action, np.log(chance), gained[step], p * q))
    batch = Practice(
        jax.tree.map(lambda *x: np.stack(x), *(d[0] for d in decisions)),
        *(np.array([d[i] for d in decisions]) for i in (1, 2)),
        *(np.array([d[i] for d in decisions], np.float32) for i in (3, 4, 5)),
    )
    weights = Weights(0.2, 0.0, 0.0)
    found = eqx.filter_jit(
        eqx.filter_grad(lambda net, own: -objective(net, None, own, weights)[0])
    )(network, batch)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-5)
    assert max(float(jnp.abs(x).max()) for x in jax.tree.leaves(expected)) > 0.01


@pytest.mark.parametrize("reward", ["expected", "sampled"])
def test_baselines_depend_on_no_choice_of_the_player_itself(reward):
    _, _, found = played()
    before = advantages(found, reward)
    # Another episode of player 0 in every task changes its own reward alone.
    changed = jax.tree.map(np.copy, found)
    exploits = found.inputs.phase[0, 0] == EXPLOIT
    explores = found.inputs.phase[0, 0] == EXPLORE
    changed.worth[:, 0] += exploits
    changed.inputs.outcome[:, 0] += 1.0
    after = advantages(changed, reward)
    later = 1.0 * np.cumsum(exploits[::-1])[::-1]  # rewards from each step on
    if reward == "sampled":
        set_ = (found.inputs.target[:, 0] >= 0) & exploits
        assert set_.all(axis=0)[exploits].all()
        np.testing.assert_allclose((after - before)[:, 0], np.tile(later, (6, 1)), atol=1e-5)
    else:
        np.testing.assert_allclose((after - before)[:, 0][:, exploits], 1.0, atol=1e-6)
        np.testing.assert_allclose((after - before)[:, 0][:, explores], 0.0, atol=1e-6)
    # Over the players of a task, what is compared among them sums to nothing.
    np.testing.assert_allclose(before[..., explores].sum(1), 0, atol=1e-5)


def test_a_draw_of_decisions_estimates_the_mean_over_all_of_them():
    _, _, found = played()
    whole = practice(found, "expected", "both", 1.0, np.random.default_rng(0))
    assert whole.weight.sum() == pytest.approx(1)
    assert len(whole.weight) == 24 * 5
    means = [
        (part.weight * part.advantage).sum()
        for seed in range(400)
        for part in [practice(found, "expected", "both", 0.3, np.random.default_rng(seed))]
    ]
    error = np.std(means) / len(means) ** 0.5
    assert abs(np.mean(means) - (whole.weight * whole.advantage).sum()) < 4 * error
    for learnt, code in (("explore", EXPLORE), ("exploit", EXPLOIT)):
        part = practice(found, "expected", learnt, 1.0, np.random.default_rng(0))
        phases = np.take_along_axis(part.inputs.phase, part.step[:, None], 1)
        assert (phases == code).all()


def test_the_objective_is_the_published_one_with_its_anchor():
    _, network, found = played()
    anchor = small_agent(steps=7).network
    anchor = jax.tree.map(lambda x: x * 1.3 if eqx.is_array(x) else x, anchor)
    batch = practice(found, "expected", "both", 1.0, np.random.default_rng(0))
    rng = np.random.default_rng(2)
    shift = rng.normal(0, 0.3, batch.log_prob.shape).astype(np.float32)
    moved = batch._replace(log_prob=batch.log_prob + shift)
    total, parts = valued(network, anchor, moved, Weights(0.2, 0.03, 0.5))
    got = dict(zip(LOSSES, map(float, parts), strict=True))
    ratio, w = np.exp(-shift), batch.weight
    clipped = np.minimum(ratio * batch.advantage, np.clip(ratio, 0.8, 1.2) * batch.advantage)
    assert got["policy_loss"] == pytest.approx(-(w * clipped).sum(), abs=1e-4)
    assert got["clipped"] == pytest.approx((w * (np.abs(ratio - 1) > 0.2)).sum(), abs=1e-5)
    both = [np.asarray(chances(net, batch.inputs, batch.step)) for net in (network, anchor)]
    p = np.exp(both[0])
    with np.errstate(invalid="ignore"):
        away = np.where(p > 0, p * (both[0] - both[1]), 0).sum(1)
        entropy = -np.where(p > 0, p * both[0], 0).sum(1)
    assert got["anchor"] == pytest.approx((w * away).sum(), rel=1e-3)
    assert got["entropy"] == pytest.approx((w * entropy).sum(), rel=1e-3)
    mixed = got["policy_loss"] - 0.03 * got["entropy"] + 0.5 * got["anchor"]
    assert float(total) == pytest.approx(mixed, rel=1e-4, abs=1e-6)


def rows(folder):
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != "steps_per_second"} for row in found]


@pytest.mark.slow
def test_an_interrupted_job_ends_as_an_uninterrupted_one(tmp_path):
    world = small_world()
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    agent = reinforce(world, whole, SMALL)

    def stop(report):
        if report.fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reinforce(world, parts, SMALL, progress=stop, checkpoint_seconds=0)
    assert not (parts / "agent.json").exists()
    reinforce(world, parts, SMALL, resume=True)
    names = ["weights.safetensors", "optimizer.safetensors", "agent.json", "own/manifest.json"]
    names += [f"own/{shard.shard}" for shard in Dataset(whole / "own").shards]
    for name in names:
        assert (whole / name).read_bytes() == (parts / name).read_bytes(), name
    assert rows(whole) == rows(parts)
    with pytest.raises(UserError, match="begun with"):
        reinforce(world, parts, dataclasses.replace(SMALL, seed=6), resume=True)
    own = Dataset(whole / "own")
    assert own.job["provenance"] == "own"
    assert own.rows == 3 * 8 * 4 == agent.training["episodes"]
    batch = own.read()
    assert batch.episode_id.tolist() == list(range(96))
    exact = returns(
        jax.tree.map(np.asarray, played_by(world, small_start(), key_of(SMALL), jnp.arange(8), 4))
    ).reshape(-1)
    np.testing.assert_allclose(batch.returns[:32], exact, rtol=1e-4, atol=1e-5)


def small_start():
    return small_agent(seed=SMALL.seed)


def key_of(recipe):
    return worlds.stream_key(recipe.seed, "own")


@pytest.mark.slow
def test_the_last_rounds_alone_may_be_kept_and_none_at_all(tmp_path):
    world = small_world()
    reinforce(world, tmp_path / "a", dataclasses.replace(SMALL, own_rounds=1))
    assert Dataset(tmp_path / "a" / "own").read().episode_id.tolist() == list(range(64, 96))
    reinforce(world, tmp_path / "b", dataclasses.replace(SMALL, own_rounds=0))
    assert not (tmp_path / "b" / "own").exists()


@pytest.mark.slow
def test_a_weak_agent_becomes_better_in_a_small_world(tmp_path):
    recipe = FineTuning(
        steps=40 * 64 * 8 * 4,
        widths=WIDTHS,
        tasks=64,
        players=8,
        learning_rate=1e-2,
        own_rounds=None,
    )
    reinforce(small_world(), tmp_path / "agent", recipe)
    batch = Dataset(tmp_path / "agent" / "own").read()
    ratio = lambda part: part.returns / batch.oracle_return.mean()  # noqa: E731
    first, last = (ratio(batch.take(s)) for s in (slice(0, 1024), slice(-4096, None)))
    error = (first.var() / len(first) + last.var() / len(last)) ** 0.5
    assert last.mean() - first.mean() > 0.2 + 4 * error


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 0),
        ("players", 1),
        ("tasks", 1.5),
        ("reward", "large"),
        ("learnt", "nothing"),
        ("share", 0.0),
        ("clip", 1.0),
        ("learning_rate", float("nan")),
        ("entropy_weight", -1.0),
        ("anchor_weight", 0.1),
        ("own_rounds", -1),
        ("seed", -1),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=field):
        FineTuning(**{field: value})


def test_what_cannot_be_fine_tuned_is_refused(tmp_path):
    with pytest.raises(UserError, match="network"):
        FineTuning(start="pretrained:dag", network="plain")
    with pytest.raises(UserError, match="do_values"):
        reinforce(small_world(do_values=(0.0, 1.0)), tmp_path, FineTuning(start="pretrained:dag"))
    with pytest.raises(UserError, match="world"):
        reinforce(worlds.make("rooms"), tmp_path, SMALL)
    run = CliRunner().invoke(
        app, ["ppo", "--world", "rooms", "--reward", "sampled", "--out", str(tmp_path / "a")]
    )
    assert run.exit_code != 0


@pytest.mark.slow
def test_the_study_ends_in_a_verdict_and_resumes_to_the_same(tmp_path):
    scale = fine_tuning.Scale(
        watched=640,
        steps=2 * 8 * 4 * 6,
        conditions=(("shipped", ("tuned",)), ("weak", (*fine_tuning.ALL, "scratch"))),
        test_episodes=64,
        seeds=2,
        widths=WIDTHS,
        recipe=(("tasks", 8), ("players", 4)),
    )
    tiny = dataclasses.replace(fine_tuning.STUDY, scales={"tiny": scale})
    lines = []
    first = tiny.run("tiny", tmp_path, 0, lines.append)
    assert "efute" in first.verdict
    assert "<svg" in (tmp_path / "figure.svg").read_text()
    for split in fine_tuning.SPLITS:
        assert first.values[f"weak/before/{split}"]["change"]["value"] == 0
        assert len(first.values[f"weak/tuned/{split}"]["change_by_seed"]) == 2
    assert tiny.run("tiny", tmp_path, 0, lines.append) == first
