"""World `blicket`: machines, exact beliefs, information-matched pairs, players, logs."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from command import run
from seedo import evaluation, learning, play, worlds
from seedo.episodes import EXPLOIT, EXPLORE
from seedo.errors import UserError
from seedo.experimenters import (
    blicket_beliefs,
    blicket_gains,
    blicket_player,
    blicket_probabilities,
    blicket_update,
)
from seedo.worlds import BlicketConfig, matched
from seedo.worlds.blicket import RULES, BlicketTask, blicket_prior

# -- an independent account of the machines, in sets and fractions ---------------------------------


def shines(rule: str, blickets: frozenset[int], on: frozenset[int]) -> bool:
    return blickets <= on if rule == "and" else bool(blickets & on)


def hypotheses(config: BlicketConfig) -> dict[tuple[str, frozenset[int]], Fraction]:
    """Prior probability of every (rule, blickets)."""
    rules = ["or", "and"] if config.rule == "any" else [config.rule]
    found = {}
    for rule in rules:
        if config.blickets is None:
            sizes = list(range(2, config.n))
        else:
            sizes = [2 if rule == "and" and config.blickets == 1 else config.blickets]
        for size in sizes:
            sets = list(itertools.combinations(range(config.n), size))
            for chosen in sets:
                found[rule, frozenset(chosen)] = Fraction(1, len(rules) * len(sizes) * len(sets))
    return found


def learnt(config, seen):
    """Posterior after `seen`, pairs of (set on the machine, light)."""
    flip = Fraction(config.flip).limit_denominator(1000)
    weights = hypotheses(config)
    for on, light in seen:
        for rule, blickets in weights:
            fits = shines(rule, blickets, on) == light
            weights[rule, blickets] *= 1 - flip if fits else flip
    total = sum(weights.values())
    return {key: weight / total for key, weight in weights.items()}


def code(blickets: frozenset[int]) -> int:
    return sum(1 << i for i in blickets)


def flags(objects: frozenset[int], n: int) -> np.ndarray:
    return np.isin(np.arange(n), list(objects))


def as_array(config, weights) -> np.ndarray:
    found = np.zeros((2, 2**config.n))
    for (rule, blickets), weight in weights.items():
        found[RULES.index(rule), code(blickets)] = float(weight)
    return found


def entropy(weights) -> float:
    return -sum(float(w) * math.log2(w) for w in weights.values() if w)


CONFIGS = [
    BlicketConfig(),
    BlicketConfig(n=3, rule="any", blickets=1, flip=0.125),
    BlicketConfig(rule="and", flip=0.25),
    BlicketConfig(rule="or", blickets=1, start="full"),
]


# -- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 2), ("n", 9), ("n", 4.0), ("n", True), ("rule", "xor"), ("blickets", 0),
        ("blickets", 4), ("flip", 0.5), ("flip", -0.1), ("flip", "much"), ("flip", float("nan")),
        ("experiments", -1), ("start", "half"), ("split", "test"), ("without", "xor"),
        ("preset", "hard"), ("colour", "red"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_by_name(field, value):
    with pytest.raises(UserError) as refused:
        worlds.make("blicket", **{field: value})
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("blickets", {"rule": "and", "blickets": 1}),
        ("rule", {"rule": "or", "split": "heldout-conjunctive"}),
        ("rule", {"rule": "or", "without": "and"}),
        ("without", {"split": "heldout-conjunctive", "without": "or"}),
    ],
)
def test_settings_that_exclude_each_other_are_refused(field, options):
    with pytest.raises(UserError) as refused:
        worlds.make("blicket", **options)
    assert refused.value.field == field


def test_settings_survive_their_log():
    for config in CONFIGS:
        world = worlds.from_config("blicket", json.loads(json.dumps(config.to_dict())))
        assert world.settings == config
        assert world == worlds.BlicketWorld(config)


def test_the_reference_preset_has_the_hypotheses_of_the_published_environment():
    prior = blicket_prior(worlds.make("blicket", preset="reference").settings)
    # Disjunctive A, B, C; conjunctive AB, AC, BC.
    assert set(np.flatnonzero(prior[0])) == {0b001, 0b010, 0b100}
    assert set(np.flatnonzero(prior[1])) == {0b011, 0b101, 0b110}


# -- the machine ----------------------------------------------------------------------------------


@pytest.mark.parametrize("config", CONFIGS)
def test_the_prior_is_that_of_an_enumeration(config):
    np.testing.assert_allclose(blicket_prior(config), as_array(config, hypotheses(config)))


@pytest.mark.parametrize("config", CONFIGS[1:3])
def test_machines_are_drawn_from_the_prior(config):
    world, draws = worlds.BlicketWorld(config), 20_000
    tasks = jax.vmap(world.sample)(jax.random.split(jax.random.key(0), draws))
    codes = (np.asarray(tasks.blickets) << np.arange(config.n)).sum(1)
    found = np.zeros((2, 2**config.n))
    np.add.at(found, (np.asarray(tasks.conjunctive).astype(int), codes), 1 / draws)
    prior = blicket_prior(config)
    assert (found[prior == 0] == 0).all()
    assert np.abs(found - prior).max() < 4 * np.sqrt(0.25 / draws)
    flips = np.asarray(tasks.flips)[:, : config.toggles]
    assert flips.mean() == pytest.approx(config.flip, abs=0.01)


def _all_walks(n: int, length: int) -> np.ndarray:
    """All sequences of toggles, int[W, length]; n: observe."""
    return np.array(list(itertools.product(range(n + 1), repeat=length)))


def _walk(config, walk):
    """The sets that are on the machine after each toggle."""
    on = frozenset(range(config.n)) if config.start == "full" else frozenset()
    found = []
    for toggle in walk:
        on = on ^ {int(toggle)} if toggle < config.n else on
        found.append(on)
    return found


def _play(world, task, walks):
    """Lights int[W, L] and beliefs float[W, L, 2, H] along walks on one machine."""
    config, unused = world.settings, jax.random.key(0)

    def along(walk):
        def step(carry, toggle):
            state, beliefs = carry
            inside = jnp.minimum(toggle, config.n - 1)
            target = jnp.where(toggle < config.n, toggle, -1)
            toggled = worlds.Action(target, 1.0 - state.on[inside])
            state, _, _ = world.step(task, state, toggled, unused)
            beliefs = blicket_update(config, beliefs, state.on, state.light)
            return (state, beliefs), (state.light, beliefs)

        return jax.lax.scan(step, (world.reset(task, unused), blicket_beliefs(config)), walk)[1]

    return jax.vmap(along)(walks)


def _tasks(world, config):
    found = list(hypotheses(config))
    steps = world.spec.steps
    return found, BlicketTask(
        jnp.asarray(np.stack([flags(b, config.n) for _, b in found])),
        jnp.asarray([rule == "and" for rule, _ in found]),
        jnp.zeros((len(found), steps), bool),
    )


@pytest.mark.parametrize(
    "options", [{"rule": "any"}, {"rule": "or", "blickets": 3, "start": "full"}]
)
def test_an_and_machine_that_starts_empty_and_an_or_machine_that_starts_full_tell_the_same(options):
    """All machines, all sequences of up to four toggles: lights are opposite, beliefs coincide."""
    ours = BlicketConfig(flip=0.125, **options)
    dual = matched(ours)
    assert (dual.rule, dual.start) != (ours.rule, ours.start)
    assert matched(dual) == ours
    walks = jnp.asarray(_all_walks(ours.n, 4))
    found = []
    for config, flipped in ((ours, False), (dual, True)):
        world = worlds.BlicketWorld(config)
        machines, tasks = _tasks(world, config)
        lights, beliefs = jax.jit(jax.vmap(lambda t, w=world: _play(w, t, walks)))(tasks)
        order = sorted(
            range(len(machines)),
            key=lambda i, m=machines, f=flipped: ((m[i][0] == "and") ^ f, code(m[i][1])),
        )
        found.append((np.asarray(lights)[order], np.asarray(beliefs)[order]))
        # The lights are those of the independent account.
        for i, (rule, blickets) in enumerate(machines):
            for w in range(0, len(walks), 97):
                expected = [shines(rule, blickets, on) for on in _walk(config, walks[w])]
                np.testing.assert_array_equal(lights[i, w], expected)
    (light, belief), (dual_light, dual_belief) = found
    assert light.shape == (len(hypotheses(ours)), 5**4, 4)
    np.testing.assert_array_equal(light, 1 - dual_light)
    np.testing.assert_allclose(belief, dual_belief[:, :, :, ::-1], atol=1e-6)


def test_a_single_blicket_has_no_dual():
    with pytest.raises(UserError, match="blickets"):
        matched(BlicketConfig(blickets=1))


def test_a_held_out_split_has_one_rule_and_its_training_the_other():
    for split, rule in (("heldout-conjunctive", True), ("heldout-disjunctive", False)):
        held = worlds.make("blicket", split=split)
        train = worlds.from_config("blicket", held.config() | {"split": "train"})
        for world, conjunctive in ((held, rule), (train, not rule)):
            keys = jax.random.split(jax.random.key(1), 4)
            drawn = [bool(world.sample(key).conjunctive) for key in keys]
            assert drawn == [conjunctive] * 4
            assert world.settings.drawn == (RULES[conjunctive],)
        # Players are told the same of both.
        np.testing.assert_array_equal(blicket_prior(held.settings), blicket_prior(train.settings))


# -- exact beliefs --------------------------------------------------------------------------------


@pytest.mark.parametrize("config", CONFIGS)
def test_beliefs_and_expected_information_are_those_of_an_enumeration(config):
    rng = np.random.default_rng(3)
    machines = list(hypotheses(config))
    update = jax.jit(lambda b, on, light: blicket_update(config, b, on, light))
    gains = jax.jit(lambda b, on: blicket_gains(config, b, on))
    for _ in range(8):
        rule, blickets = machines[rng.integers(len(machines))]
        beliefs, seen, on = blicket_beliefs(config), [], frozenset()
        for _ in range(5):
            toggle = int(rng.integers(config.n))
            on = on ^ {toggle}
            light = shines(rule, blickets, on) ^ bool(rng.random() < config.flip)
            seen.append((on, light))
            beliefs = update(beliefs, jnp.asarray(flags(on, config.n)), jnp.asarray(int(light)))
            exact = learnt(config, seen)
            np.testing.assert_allclose(beliefs, as_array(config, exact), atol=1e-5)
            single = [sum(w for (_, b), w in exact.items() if i in b) for i in range(config.n)]
            found = blicket_probabilities(config, beliefs)
            np.testing.assert_allclose(found, np.array(single, float), atol=1e-5)
        expected = []
        for there in [*(on ^ {i} for i in range(config.n)), on]:
            after = 0.0
            for light in (False, True):
                fits = {k: float(w) * ((1 - config.flip) if shines(*k, there) == light
                                       else config.flip) for k, w in exact.items()}  # fmt: skip
                share = sum(fits.values())
                if share > 0:
                    after += share * entropy({k: w / share for k, w in fits.items()})
            expected.append(entropy(exact) - after)
        shown = gains(beliefs, jnp.asarray(flags(on, config.n)))
        np.testing.assert_allclose(shown, expected, atol=2e-5)


def _best(config, possible, on, more):
    """The least expected entropy left, over all policies, by trying all of them."""
    if not more:
        total = sum(possible.values())
        return float(total) * entropy({k: w / total for k, w in possible.items()})
    left = []
    for toggle in range(config.n):
        there = on ^ {toggle}
        split = [{k: w for k, w in possible.items() if shines(*k, there) == light}
                 for light in (False, True)]  # fmt: skip
        left.append(sum(_best(config, part, there, more - 1) for part in split if part))
    return min(left)


@pytest.mark.parametrize("options", [{"rule": "and"}, {"rule": "or", "start": "full"}, {"n": 3}])
def test_the_best_information_is_that_of_the_best_of_all_policies(options):
    config = BlicketConfig(**options)
    prior = hypotheses(config)
    start = frozenset(range(config.n)) if config.start == "full" else frozenset()
    expected = [entropy(prior) - _best(config, prior, start, k) for k in range(4)]
    np.testing.assert_allclose(evaluation.best_information(config, 3), expected, atol=1e-9)


def test_the_matched_pair_has_one_information_curve_and_the_naive_pair_two():
    conjunctive = BlicketConfig(rule="and")
    curve = evaluation.best_information(conjunctive, 12)
    np.testing.assert_allclose(curve, evaluation.best_information(matched(conjunctive), 12))
    naive = evaluation.best_information(BlicketConfig(rule="or"), 12)
    # The first object tells nothing of an `and` machine, which needs two.
    assert curve[1] == pytest.approx(0)
    assert naive[1] > 0.9
    assert curve[-1] == pytest.approx(naive[-1])
    assert naive[-1] == pytest.approx(entropy(hypotheses(conjunctive)))
    with pytest.raises(UserError, match="flip"):
        evaluation.best_information(BlicketConfig(flip=0.1), 3)
    with pytest.raises(UserError, match="n: got 6"):
        evaluation.best_information(BlicketConfig(n=6), 3)


# -- players --------------------------------------------------------------------------------------


def _returns(player, count=256, **options):
    world = worlds.make("blicket", **options)
    who = play.find_player(player, world)
    return play.simulate(world, who, 7, "perform", 0, count)


def test_who_plays_does_not_change_the_machines():
    runs = [_returns(name, flip=0.25) for name in ("scripted:random", "scripted:expert")]
    for own, other in zip(runs[0].task, runs[1].task, strict=True):
        np.testing.assert_array_equal(own, other)
    noise = []
    for r in runs:
        on, light = r.outcome[:, :12, :4] == 1, r.outcome[:, :12, 4]
        clean = np.where(
            r.task.conjunctive[:, None],
            (on | ~r.task.blickets[:, None]).all(2),
            (on & r.task.blickets[:, None]).any(2),
        )
        noise.append(light != clean)
    np.testing.assert_array_equal(noise[0], noise[1])
    assert noise[0].mean() == pytest.approx(0.25, abs=0.05)


def test_the_expert_and_without_noise_the_bayesian_answer_rightly():
    assert (_returns("scripted:expert", flip=0.25).returns == 1).all()
    assert (_returns("bayes:eig").returns == 1).all()


def test_random_answers_are_right_half_the_time():
    share = _returns("scripted:random", flip=0.25).returns.mean()
    assert share == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(4 * 256))


def test_one_at_a_time_finds_every_blicket_that_acts_alone():
    assert (_returns("scripted:one-at-a-time", rule="or").returns == 1).all()


def test_one_at_a_time_finds_no_blicket_that_needs_others():
    played = _returns("scripted:one-at-a-time", rule="or", start="full")
    np.testing.assert_array_equal(played.value[:, 12:], 0)


@pytest.mark.parametrize("rule", RULES)
def test_cumulative_finds_the_first_and_the_last_blicket(rule):
    played = _returns("scripted:cumulative", rule=rule)
    ends = [[i in (np.flatnonzero(b)[0], np.flatnonzero(b)[-1]) for i in range(4)]
            for b in played.task.blickets]  # fmt: skip
    np.testing.assert_array_equal(played.value[:, 12:] == 1, ends)


def test_the_bayesian_takes_an_experiment_of_the_greatest_expected_information():
    world = worlds.make("blicket", flip=0.25)
    batch = play.episodes(world, play.find_player("bayes:eig", world), 0, "perform", 0, 256)
    reading = evaluation.read_blicket(batch)
    np.testing.assert_allclose(reading.expected, reading.greedy, atol=2e-4)
    # On average entropy falls by what was expected.
    fell = (reading.entropy[:, 0] - reading.entropy[:, -1]).mean()
    assert fell == pytest.approx(reading.expected.sum(1).mean(), abs=0.2)


def test_nobody_answers_without_experiments_better_than_the_prior():
    # 2 or 3 of 4 objects are blickets: each is one with probability 5/8.
    played = _returns("bayes:eig", 1024, experiments=0)
    assert (played.value == 1).all()
    assert played.returns.mean() == pytest.approx(5 / 8, abs=4 * 0.5 / 64)


@pytest.mark.parametrize("name", ["scripted:nobody", "bayes:goal", "pretrained:dag", "elsewhere"])
def test_an_unknown_player_is_refused(name):
    with pytest.raises(UserError):
        play.find_player(name, worlds.make("blicket"))


# -- logs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["random", "expert"])
def test_a_log_holds_what_happened(name):
    world = worlds.make("blicket", start="full", n=3, experiments=7)
    player = blicket_player(name, world)
    batch = play.episodes(world, player, 5, "perform", 10, 40, systems=True)
    assert batch.origin.variables == ("A", "B", "C", "machine")
    assert batch.phase.tolist() == [[EXPLORE] * 7 + [EXPLOIT] * 3] * 40
    assert batch.goal.tolist() == [[-1] * 7 + [0, 1, 2]] * 40
    np.testing.assert_array_equal(batch.episode_id, np.arange(10, 50))
    for row in range(40):
        system = json.loads(batch.system[row])
        blickets = frozenset(np.flatnonzero(system["blickets"]).tolist())
        on = frozenset(range(3))
        for t in range(7):
            target, value = int(batch.target[row, t]), batch.value[row, t]
            if target >= 0:
                assert (target in on) != bool(value)
                on = on ^ {target}
            np.testing.assert_array_equal(batch.outcome[row, t, :3], flags(on, 3))
            assert batch.outcome[row, t, 3] == shines(system["rule"], blickets, on)
        assert np.isnan(batch.outcome[row, 7:]).all()
        assert batch.target[row, 7:].tolist() == [0, 1, 2]
        right = [(i in blickets) == bool(batch.value[row, 7 + i]) for i in range(3)]
        assert batch.returns[row] == pytest.approx(np.mean(right))
    assert (batch.random_return == 0.5).all()
    assert (batch.oracle_return == 1).all()


def test_the_command_line_plays_reviews_and_refuses(tmp_path, capsys):
    runs = []
    for name in ("bayes:eig", "scripted:random"):
        runs.append(str(tmp_path / name.partition(":")[2]))
        code, out, _ = run(
            capsys, "perform", name, "--world", "blicket", "--n", "3", "--set", "flip=0.125",
            "--episodes", "64", "--out", runs[-1], "--json",
        )  # fmt: skip
        assert code == 0
        metrics = json.loads(out)["groups"][0]["runs"][0]["metrics"]
        assert metrics["random_floor"]["value"] == 0.5
    code, _, _ = run(capsys, "review", *runs, "--out", str(tmp_path / "report.html"))
    assert code == 0
    assert "blicket default n=3 flip=0.125" in (tmp_path / "report.html").read_text()
    first, second = evaluation.review(runs).runs
    assert first.metrics.bayes_ratio.value == pytest.approx(1)
    assert second.metrics.bayes_ratio.value < 0.8
    assert second.metrics.return_ratio.low < 0.5 < second.metrics.return_ratio.high
    for words in (
        ["watch", "--world", "blicket", "--explain", "graph", "--out", str(tmp_path / "x")],
        ["ask", runs[0], "effect of A on machine"],
    ):
        code, _, err = run(capsys, *words)
        assert (code, err.count("\n")) == (2, 1)


def test_the_exact_reader_refuses_what_is_no_log_of_its_world():
    world = worlds.make("blicket", start="full", n=3, experiments=7)
    player = blicket_player("random", world)
    whole = play.episodes(world, player, 5, "x", 0, 64, systems=True)
    for field, value in (("world", "dag"), ("world_config", '{"n": 4}')):
        other = dataclasses.replace(whole.origin, **{field: value})
        with pytest.raises(UserError, match=r"world blicket|settings"):
            evaluation.read_blicket(dataclasses.replace(whole, origin=other))
    assert "systems" in evaluation.blicket_bayes_returns(whole.without(["system"]))
    damaged = dataclasses.replace(whole, system=["{}"] * 64)
    assert "blickets" in evaluation.blicket_bayes_returns(damaged)


def test_a_network_is_not_taught_a_world_that_it_could_not_play(tmp_path):
    world = worlds.make("blicket", n=3)
    play.watch(world, blicket_player("random", world), 60, 0, tmp_path / "logs")
    with pytest.raises(UserError, match="no network learns"):
        learning.learn([tmp_path / "logs"], tmp_path / "agent", learning.Recipe(batch_size=8))
