"""Studies `data-mix` and `fragility`: their worlds, readers and players, and that they resume."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp, softmax

from seedo import learning, worlds
from seedo.episodes import EXPLOIT, EXPLORE
from seedo.errors import UserError
from seedo.evaluation import _replay, read
from seedo.experimenters import scripted
from seedo.inference.exact import ExactPosterior
from seedo.inference.scores import Rows
from seedo.play import _record as _perform
from seedo.studies import _assuming_readers as readers
from seedo.studies import _broken_worlds, data_mix, fragility
from seedo.studies import _histories as given
from seedo.studies._broken_worlds import MOST_HIDDEN, BentSystem, BrokenWorld, Degrees

N = 5


WORLD = BrokenWorld(Degrees(), 256)


@pytest.fixture(scope="module")
def systems():
    """Stages of the broken world, the same systems at every degree."""

    def draw(**degrees):
        spans = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), asdict(Degrees(**degrees)))
        return _broken_worlds._stages(WORLD, spans, jax.random.key(7), jnp.arange(128))

    return draw


def log(count=20, experiments=6, **options):
    """Experiments in random order and one random exploit action, with systems."""
    world = worlds.make("dag", split="longer", experiments=experiments, **options)
    player = scripted("shuffled+random")
    return world, _perform.episodes(world, player, 3, "perform", 0, count, systems=True)


# -- worlds whose assumptions are broken -----------------------------------------------------------


def test_without_a_bend_expectations_are_total_effects(systems):
    stages = systems(hidden=(2, 2))
    weights = np.asarray(stages.task.system.weights)[:, :N, :N]
    total = np.linalg.inv(np.eye(N) - weights)
    found = np.asarray(stages.task.expected)
    assert np.allclose(found[:, :, 1], 2 * total, atol=1e-4)
    assert np.allclose(found[:, :, 0], -2 * total, atol=1e-4)


@pytest.mark.parametrize("bend", [0.5, 1.0])
def test_a_bent_effect_is_the_mean_of_a_bent_normal_variable(bend):
    world = BrokenWorld(Degrees(bend=(bend, bend)), 20_000, n=2)
    weight, noise = 0.7, 1.5
    weights = np.zeros((2 + MOST_HIDDEN,) * 2, np.float32)
    weights[0, 1] = weight
    scale = jnp.full(2 + MOST_HIDDEN, noise)
    system = BentSystem(jnp.asarray(weights), scale, jnp.asarray(bend))
    for place, value in enumerate((-2.0, 2.0)):
        mean = weight * value
        above = mean * stats.norm.cdf(mean / noise) + noise * stats.norm.pdf(mean / noise)
        below = mean - above  # E[min(x, 0)]
        expected = above + (1 - 2 * bend) * below
        assert float(world.expected(system)[0, place, 1]) == pytest.approx(expected, abs=0.04)


def test_systems_at_all_degrees_differ_in_nothing_else(systems):
    base = systems()
    visible = np.asarray(base.task.system.weights)[:, :N]
    for degrees in ({"bend": (1.0, 1.0)}, {"hidden": (3, 3)}, {"noise": (4.0, 4.0)}):
        broken = systems(**degrees)
        assert np.array_equal(np.asarray(broken.task.system.weights)[:, :N], visible)
        assert np.array_equal(broken.task.goal, base.task.goal)
        factor = degrees.get("noise", (1.0,))[0]
        assert np.allclose(broken.task.system.noise_scale, factor**0.5)


def test_hidden_variables_are_roots_with_two_children_and_as_many_as_said(systems):
    for count in range(MOST_HIDDEN + 1):
        weights = np.asarray(systems(hidden=(count, count)).task.system.weights) != 0
        assert not weights[:, :, N:].any()
        assert (weights[:, N:].sum(2) == [2] * count + [0] * (MOST_HIDDEN - count)).all()


def test_hidden_causes_correlate_what_they_cause_as_their_weights_say(systems):
    system = jax.tree.map(lambda column: column[0], systems(hidden=(4, 4)).task.system)
    keys = jax.random.split(jax.random.key(1), 20_000)
    observe = jax.vmap(lambda k: WORLD.outcome(system, jnp.asarray(-1), jnp.asarray(0.0), k))
    seen = np.cov(np.asarray(observe(keys)).T)
    mixing = np.linalg.inv(np.eye(N + MOST_HIDDEN) - np.asarray(system.weights))
    exact = (mixing.T @ mixing)[:N, :N]
    assert np.allclose(seen, exact, atol=0.06 * np.abs(exact).max())


def test_a_leading_variable_moves_the_others_most_and_only_names_have_changed(systems):
    base, led = systems(), systems(lead=(1.0, 1.0))

    def moved(stages):
        return (np.ptp(np.asarray(stages.task.expected), axis=2) * (1 - np.eye(N))).sum(2)

    own, new = moved(base), moved(led)
    assert np.allclose(new[:, 0], new.max(1))
    assert np.allclose(np.sort(own, 1), np.sort(new, 1), atol=1e-3)
    assert 0.1 < (own.argmax(1) == 0).mean() < 0.45

    def to_goal(stages):
        rows = np.arange(len(stages.task.goal))
        reached = np.asarray(stages.task.expected)[rows, :, :, np.asarray(stages.task.goal)[:, -1]]
        return np.sort(reached.reshape(len(rows), -1), 1)

    assert np.allclose(to_goal(base), to_goal(led), atol=1e-3)


@pytest.mark.slow
def test_one_program_for_all_degrees_plays_as_the_world_of_one_degree_does(tmp_path):
    degrees, player = Degrees(bend=(0.7, 0.7), noise=(4.0, 4.0)), scripted("shuffled+random")
    dataset = _broken_worlds.Range(player, n=3).played(degrees, 8, 0, tmp_path)
    alone = _perform.episodes(BrokenWorld(degrees, n=3), player, 0, "perform", 0, 8)
    together = dataset.read()
    assert np.allclose(together.outcome, alone.outcome, atol=1e-4)
    assert np.allclose(together.oracle_return, alone.oracle_return, atol=1e-4)


def test_degrees_out_of_range_are_refused():
    with pytest.raises(UserError, match="bend"):
        Degrees(bend=(0.5, 2.0))
    with pytest.raises(UserError, match="hidden"):
        Degrees(hidden=(3, 1))


# -- readers ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_exact_readers_agree_with_a_listing_of_all_dags():
    _, batch = log(count=4, experiments=9, noise_variance=2.0, n=3)
    goals = batch.goal[:, -1].astype(np.int64)
    found = readers.exact_effects(readers.history_moments(batch), goals)
    for b in range(4):
        rows = Rows(jnp.asarray(batch.outcome[b, :-1]), jnp.asarray(batch.target[b, :-1], int))
        effects, evidence = [], []
        for variance in readers.NOISE_GRID:
            listing = ExactPosterior(3, 2, variance)
            scores = np.asarray(listing.family_scores(rows))
            families = [{int(c): k for k, c in enumerate(own)} for own in listing.table.code]
            codes = (listing.dags.astype(int) * (1 << np.arange(3))[None, :, None]).sum(1)
            each = [sum(scores[j, families[j][int(dag[j])]] for j in range(3)) for dag in codes]
            evidence.append(logsumexp(each))
            effects.append(np.asarray(listing.effects(rows, int(goals[b]))))
        assert np.allclose(found["exact"][b], effects[readers.NOISE_GRID.index(1.0)], atol=1e-3)
        mixed = softmax(evidence) @ np.stack(effects)
        assert np.allclose(found["exact, noise unknown"][b], mixed, atol=1e-3)


def test_action_means_are_the_means_over_just_those_rows_with_one_row_of_the_overall_mean():
    _, batch = log(experiments=30)
    found = readers.action_means(batch, (-2.0, 2.0))
    for b in range(5):
        goal = int(batch.goal[b, -1])
        rows = [(int(t), float(v), float(x[goal])) for t, v, x in
                zip(batch.target[b, :-1], batch.value[b, :-1], batch.outcome[b, :-1], strict=True)
                if t != goal]  # fmt: skip
        overall = np.mean([y for _, _, y in rows])
        for i in set(range(N)) - {goal}:
            for k, v in enumerate((-2.0, 2.0)):
                own = [y for t, w, y in rows if (t, w) == (i, v)]
                assert found[b, i, k] == pytest.approx(np.mean([*own, overall]), abs=1e-4)


def test_a_shortened_log_keeps_the_first_experiments_and_the_last_step():
    _, batch = log(experiments=6)
    short = given.shortened(batch, 2)
    assert short.steps == 3
    assert short.phase[0].tolist() == [EXPLORE, EXPLORE, EXPLOIT]
    assert np.array_equal(short.outcome[:, :2], batch.outcome[:, :2])
    assert np.array_equal(short.goal[:, -1], batch.goal[:, -1])
    with pytest.raises(UserError, match="the log has 6"):
        given.shortened(batch, 7)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["pretrained:dag", pytest.param("pretrained:dag-plain", marks=pytest.mark.slow)]
)
def test_a_network_reads_a_log_as_it_would_live(name):
    world, batch = log(experiments=5)
    agent = learning.load_agent(name)
    target, value = _replay.reread(batch, agent, world.spec)
    action = given.network_actions(agent, batch)
    assert np.array_equal(action // 2, target[:, -1])
    assert np.array_equal(np.array([-2.0, 2.0])[action % 2], value[:, -1])
    worth = given.worths(batch)
    assert np.allclose(worth.max(1), batch.oracle_return, atol=1e-5)
    own = given.worths(batch)[np.arange(batch.rows), batch.target[:, -1] * 2
                              + (batch.value[:, -1] > 0)]  # fmt: skip
    assert np.allclose(own, batch.returns, atol=1e-5)


def test_a_lead_is_lost_where_the_line_between_degrees_meets_zero():
    x = np.array([0.0, 1.0, 2.0, 3.0])
    assert fragility.crossing(x, np.array([1.0, 0.5, -0.5, 1.0])) == pytest.approx(1.5)
    assert fragility.crossing(x, np.array([0.0, 1.0, 1.0, 1.0])) == 0
    assert fragility.crossing(x, np.array([1.0, 1.0, 1.0, 0.1])) == float("inf")
    assert fragility.crossing(-x, np.array([1.0, 0.5, -0.5, 1.0])) == pytest.approx(1.5)


def test_ways_lead_outwards_from_where_an_assumption_holds():
    noise = next(a for a in fragility.ASSUMPTIONS if a.field == "noise")
    assert dict(noise.ways) == {
        "known noise, more": (1.0, 4.0, 16.0),
        "known noise, less": (1.0, 0.25, 0.0625),
    }
    bend = next(a for a in fragility.ASSUMPTIONS if a.field == "bend")
    assert [degrees for _, degrees in bend.ways] == [bend.degrees]


def test_the_bar_of_assumptions_degrees_and_players_is_met_by_every_scale():
    for size in fragility.SCALES.values():
        assert len(size.assumptions) >= 4
        assert all(len(a.degrees) >= 5 and a.holds in a.degrees for a in size.assumptions)


# -- the mix that is watched -----------------------------------------------------------------------


def coin(player):
    """Whether a mixed expert experiments in the episode of one fixed key."""
    spec = worlds.make("dag", n=3).spec
    return bool(player.begin(spec, jax.random.key(5), jnp.zeros((3, 2, 3)))[0])


@pytest.mark.slow
def test_a_mixed_expert_experiments_in_nested_shares_of_the_same_systems():
    world = worlds.make("dag", n=3, experiments=5)
    played = {
        share: _perform.episodes(world, data_mix.Mixed(share), 0, "watch", 0, 400, systems=True)
        for share in (0.0, 0.3, 1.0)
    }
    tests = {}
    for share, batch in played.items():
        exploring = batch.target[:, :5] >= 0
        assert (exploring.all(1) == exploring.any(1)).all()  # all of an episode, or none
        tests[share] = exploring.any(1)
        assert batch.system == played[1.0].system
        assert np.allclose(batch.returns, batch.oracle_return, atol=1e-5)
    assert not tests[0.0].any()
    assert tests[1.0].all()
    assert abs(tests[0.3].mean() - 0.3) < 0.08
    nested = [share for share in np.linspace(0, 1, 11) if coin(data_mix.Mixed(share))]
    assert nested == sorted(nested)
    assert nested[-1] == 1
    assert np.all(np.diff(nested) < 0.11)


@pytest.mark.slow
def test_parting_counts_only_where_the_action_is_one_of_two_that_differ():
    _, batch = log(count=200, experiments=4, n=3)
    readings = read(batch)
    bayes = readings.best["bayes"].argmax(1)
    counts, follows = data_mix._parting(read(given.acted(batch, bayes)))
    assert np.array_equal(counts, follows)
    assert 0 < counts.mean() < 1
    seen = readings.best["total-correlation"].argmax(1)
    counts, follows = data_mix._parting(read(given.acted(batch, seen)))
    assert counts.any()
    assert not follows.any()


# -- whole studies, tiny ---------------------------------------------------------------------------


def resumed(study, scale, tmp_path):
    """The finding, which a second call finds again without playing anything."""
    tiny = replace(study, scales={"tiny": scale})
    found = tiny.run("tiny", tmp_path, 0, lambda _: None)
    stamps = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.parquet")}
    assert asdict(tiny.run("tiny", tmp_path, 0, lambda _: None)) == asdict(found)
    assert stamps == {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.parquet")}
    json.dumps(asdict(found), allow_nan=False)
    for figure in found.figures:
        assert (tmp_path / figure).read_text().startswith("<svg")
    return found


SMALL = {"equivariant": (("size", 16), ("layers", 1), ("channels", 4)),
         "plain": (("size", 32), ("layers", 1))}  # fmt: skip


@pytest.mark.slow
def test_a_tiny_data_mix_study_runs_resumes_and_reports_every_share(tmp_path):
    scale = data_mix.Scale(
        (0.0, 0.05, 1.0), (0.05,), 1000, {"equivariant": 1.0}, SMALL, 32, 5, 80, 1
    )
    found = resumed(data_mix.STUDY, scale, tmp_path)
    own = found.values["pooled"]
    assert {key.split("/")[1] for key in own} == {"0", "0.05", "1", "0.05 alone"}
    assert own["equivariant/0/train"]["copies"]["intervenes"]["value"] == 0
    assert own["equivariant/1/train"]["copies"]["intervenes"]["value"] == 1
    assert own["equivariant/1/train"]["own"]["of_all"]["value"] == pytest.approx(1)
    assert "the claim" in found.verdict


@pytest.mark.slow
def test_a_tiny_fragility_study_runs_resumes_and_tabulates_every_cell(tmp_path):
    bend, _, _, lead = fragility.ASSUMPTIONS
    scale = fragility.Scale(
        (replace(bend, degrees=(0.0, 1.0)), replace(lead, degrees=(0.0, 1.0))), (5, 20),
        (
            fragility.Trained("equivariant", "broad", 400, 1.0),
            fragility.Trained("plain", "broad", 400, 1.0, "predict"),
        ),
        SMALL, 32, 5, 60, 1,
    )  # fmt: skip
    found = resumed(fragility.STUDY, scale, tmp_path)
    assert set(found.values["normalised"]) == {"holds", "bend/1", "lead/1"}
    assert "plain/broad" not in found.values["normalised"]["holds"]["20"]  # too many steps
    assert list(found.values["ahead"]["renaming symmetry"]) == ["5"]
    table = (tmp_path / "table.md").read_text()
    assert len([line for line in table.splitlines() if line.startswith("| ")]) == 1 + 8
