from __future__ import annotations

import dataclasses
import functools
import io
import json
import math
import re
from xml.etree import ElementTree

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from scipy import stats

from seedo import play, worlds
from seedo.episodes import EpisodeBatch, Origin, write_batch
from seedo.errors import UserError
from seedo.evaluation._attribution import attribute
from seedo.evaluation._metrics import episode_returns, measure
from seedo.evaluation._review import review
from seedo.evaluation._strategies import read
from seedo.experimenters import READERS, History, scripted
from seedo.inference.exact import SubsetPosterior, bayes_expected
from seedo.inference.scores import Rows
from seedo.reports import figures, html, table, write_report
from seedo.statistics import _intervals as statistics

WORLD = worlds.make("dag")


@functools.cache
def played(name, count=256, seed=0, world=WORLD):
    return play.episodes(world, scripted(name), seed, "test", 0, count, systems=True)


def metrics_of(batch):
    readings = read(batch)
    return measure(batch, readings, episode_returns(batch, readings))


def two_variables(target_value=2.0, rows=3, **changes):
    """A -> B with weight 0.5: do(A=2) was tried twice and B was 3, then -0.5; now raise B."""
    steps = [[2.0, 3.0], [2.0, -0.5], [target_value, 0.0]]
    expected = [[[-2.0, -1.0], [2.0, 1.0]], [[0.0, -2.0], [0.0, 2.0]]]
    system = {"weights": [[0, 0.5], [0, 0]], "noise_scale": [1, 1], "expected": expected}
    fields = {
        "origin": Origin(
            "dag",
            json.dumps(worlds.configure(n=2, experiments=2).to_dict()),
            "train",
            0,
            "someone",
            ("A", "B"),
        ),
        "episode_id": np.arange(rows),
        "phase": np.tile([1, 1, 2], (rows, 1)),
        "target": np.zeros((rows, 3), int),
        "value": np.tile([2.0, 2.0, target_value], (rows, 1)),
        "outcome": np.tile(np.array(steps), (rows, 1, 1)),
        "mask": np.ones((rows, 2), bool),
        "goal": np.tile([-1, -1, 1], (rows, 1)),
        "returns": np.full(rows, target_value / 2),
        "oracle_return": np.ones(rows),
        "random_return": np.zeros(rows),
        "system": [json.dumps(system)] * rows,
    }
    return EpisodeBatch(**{**fields, **changes})


# -- statistics ---------------------------------------------------------------------------------


def test_interval_of_a_mean_is_students():
    found = statistics.mean([1.0, 2.0, 3.0, 4.0, math.nan])
    half = 3.182446305 * math.sqrt(5 / 3) / 2  # t quantile at 3 degrees of freedom, from tables
    assert found.value == 2.5
    assert found.n == 4
    assert (found.low, found.high) == pytest.approx((2.5 - half, 2.5 + half))


def test_mean_without_a_spread_or_a_value():
    assert statistics.mean([]).value is None
    assert statistics.mean([math.nan]).reason
    assert statistics.mean([7.0]).low is None
    same = statistics.mean([2.0, 2.0])
    assert (same.low, same.value, same.high) == (2.0, 2.0, 2.0)


@given(st.integers(1, 500), st.data())
def test_interval_of_a_share_is_wilsons(n, data):
    k = data.draw(st.integers(0, n))
    z, p = 1.959963984540054, k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    found = statistics.share(k, n)
    assert found.value == p
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half), abs=1e-9)


def test_share_of_nothing_is_unknown():
    assert statistics.share(0, 0).value is None


def test_ratio_interval_agrees_with_scipys_bootstrap():
    rng = np.random.default_rng(1)
    bottom = rng.gamma(2.0, size=400)
    top = 0.6 * bottom + rng.normal(size=400)
    found = statistics.ratio(top, bottom)
    theirs = stats.bootstrap(
        (top, bottom),
        lambda a, b, axis: a.mean(axis) / b.mean(axis),
        paired=True,
        method="percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert found.value == pytest.approx(top.mean() / bottom.mean())
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_ratio_interval_of_many_episodes_agrees_with_the_delta_method():
    rng = np.random.default_rng(3)
    bottom = rng.gamma(2.0, size=20_000)
    top = 0.6 * bottom + rng.normal(size=20_000)
    found = statistics.ratio(top, bottom)
    error = np.std(top - found.value * bottom) / bottom.mean() / math.sqrt(20_000)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_ratio_of_proportional_episodes_is_certain():
    bottom = np.linspace(1, 2, 50)
    found = statistics.ratio(3 * bottom, bottom)
    assert (found.low, found.value, found.high) == pytest.approx((3, 3, 3))


def test_ratio_is_repeatable_and_leaves_unknown_episodes_out():
    rng = np.random.default_rng(0)
    top, bottom = rng.normal(1, 1, 300), rng.gamma(2.0, size=300)
    assert statistics.ratio(top, bottom) == statistics.ratio(top, bottom)
    top[:100] = np.nan
    found = statistics.ratio(top, bottom)
    assert found.n == 200
    assert found.value == pytest.approx(top[100:].mean() / bottom[100:].mean())


@pytest.mark.parametrize("bottom", [[0.0, 0.0], [-1.0, -2.0], [math.nan, math.nan]])
def test_ratio_without_a_positive_denominator_is_unknown(bottom):
    found = statistics.ratio([1.0, 2.0], bottom)
    assert found.value is None
    assert found.reason


# -- one run ------------------------------------------------------------------------------------


def test_two_variables_by_hand():
    right, wrong = metrics_of(two_variables(2.0)), metrics_of(two_variables(-2.0))
    assert right.return_ratio.value == 1.0
    assert wrong.return_ratio.value == -1.0
    assert right.normalised_return.value == 1.0
    assert right.bayes_ratio.value == pytest.approx(1.0)
    assert right.action_match.value == 1.0
    assert wrong.action_match.value == 0.0
    assert right.random_floor.value == 0.0
    assert right.distinct_tested.value == 1.0  # A, twice
    assert right.cued_set_explored.value == 0.0  # B was never set
    readers = right.readers
    assert readers["last-reward"].return_ratio.value == pytest.approx(-1.0)  # lost, so shifts
    for name in ("bayes", "largest-effect", "best-outcome", "partial-correlation"):
        assert readers[name].return_ratio.value == pytest.approx(1.0)
    # A never varied, so its correlation is 0, both actions are tied and worth 0 on average.
    assert readers["total-correlation"].return_ratio.value == pytest.approx(0.0)


def test_bayes_reader_by_hand():
    # Graphs: none, A -> B, B -> A. Given A -> B: y = w x + e with x = (2, 2), y = (3, -0.5), hence
    # w has posterior mean 5/9 and the marginal likelihood gains exp(25/18) / sqrt(9).
    odds = math.exp(25 / 18) / 3
    effect = odds / (odds + 2) * 5 / 9
    readings = read(two_variables())
    assert readings.posterior[0, :2] == pytest.approx([-2 * effect, 2 * effect], rel=1e-5)


def test_oracle_run_has_return_ratio_one():
    found = metrics_of(played("expert"))
    assert (found.return_ratio.low, found.return_ratio.value, found.return_ratio.high) == (1, 1, 1)
    assert found.action_match.value == 1.0
    assert found.normalised_return.value == pytest.approx(1.0)
    assert found.refused.value == 0.0


def test_random_exploitation_is_the_floor():
    found = metrics_of(exploited_by(played("expert"), "random"))
    assert found.normalised_return.low < 0 < found.normalised_return.high


def exploited_by(batch, name):
    """The batch with some reader's exploit action in place of the agent's (one step, the last)."""
    goal = batch.goal[:, -1].astype(int)
    outcome, target = batch.outcome[:, :-1], batch.target[:, :-1]
    values = np.array([-2.0, 2.0], np.float32)
    if name == "random":
        score = np.random.default_rng(0).random((len(goal), 5, 2))
    elif name == "bayes":
        posterior = SubsetPosterior(5, 2)
        score = bayes_expected(posterior, Rows(outcome, target), goal, tuple(values.tolist()))
    else:
        history = History(outcome, target, batch.value[:, :-1], np.ones(target.shape, bool))
        score = np.array(jax.vmap(READERS[name], (0, 0, None))(history, goal, values))
    score[np.arange(len(goal)), goal] = -np.inf
    best = score.reshape(len(goal), -1).argmax(1)
    target, value = batch.target.copy(), batch.value.copy()
    target[:, -1], value[:, -1] = best // 2, np.array([-2.0, 2.0])[best % 2]
    returns = [
        json.loads(text)["expected"][b // 2][b % 2][g]
        for text, b, g in zip(batch.system, best, goal, strict=True)
    ]
    return dataclasses.replace(batch, target=target, value=value, returns=np.array(returns))


def test_bayes_run_has_bayes_ratio_one():
    batch = exploited_by(played("expert"), "bayes")
    found = metrics_of(batch)
    assert found.bayes_ratio.value == pytest.approx(1.0, abs=1e-5)
    assert found.readers["bayes"].return_ratio.value == pytest.approx(found.return_ratio.value)
    diagnosis = attribute(batch, read(batch)).diagnoses[0]
    assert diagnosis.strategies["bayes"].agrees.value == 1.0


@pytest.mark.parametrize("name", READERS)
def test_a_heuristics_run_is_attributed_to_it(name):
    batch = exploited_by(played("expert"), name)
    found = attribute(batch, read(batch))
    for diagnosis in found.diagnoses:
        assert diagnosis.n > 0
        assert diagnosis.strategies[name].agrees.value == 1.0
    assert found.diagnoses[1].strategies["bayes"].agrees.value == 0.0
    assert found.versus[0][name].prefers_optimal.value == 0.0


@pytest.mark.parametrize("name", READERS)
def test_a_heuristic_reads_its_own_run_as_it_played_it(name):
    batch = exploited_by(played("expert"), name)
    found = metrics_of(batch)
    # Ties are played one way but counted at their mean.
    assert found.readers[name].return_ratio.value == pytest.approx(
        found.return_ratio.value, abs=0.02
    )


def test_several_exploit_steps_use_the_history_so_far():
    world = worlds.make("dag", exploits=3, goals="fresh")
    batch = played("largest-effect", 64, world=world)
    readings = read(batch)
    assert len(readings.action) == 3 * 64
    assert readings.first.sum() == 64
    assert (readings.agrees("largest-effect")).all()
    returns = episode_returns(batch, readings)
    assert returns["largest-effect"] == pytest.approx(returns["agent"], abs=1e-4)


def test_cued_variables_are_told_from_the_others():
    world = worlds.make("dag", split="heldout-set")
    cued = metrics_of(played("expert", 32, world=world))
    assert cued.cued_set_explored.value == 1.0
    assert cued.distinct_tested.value == 5.0
    assert cued.bayes_ratio.value is not None
    all_relevant = played("expert").take(slice(0, 32))
    mask = all_relevant.mask.copy()
    mask[:16, 0] = False
    assert metrics_of(dataclasses.replace(all_relevant, mask=mask)).cued_set_explored.value == 0.5


def test_likelihood_of_the_oracle_under_logged_probabilities():
    logits = np.full((3, 3, 4), np.nan, np.float32)
    logits[:] = [0.0, math.log(3.0), -np.inf, -np.inf]
    batch = two_variables(action_logits=logits)
    assert metrics_of(batch).oracle_log_likelihood.value == pytest.approx(math.log(0.75))
    forbidden = np.tile(np.float32([0.0, -np.inf, -np.inf, -np.inf]), (3, 3, 1))
    found = metrics_of(two_variables(action_logits=forbidden))
    assert found.oracle_log_likelihood.value == -20.0
    odd = metrics_of(two_variables(action_logits=np.zeros((3, 3, 6), np.float32)))
    assert "6 actions" in odd.oracle_log_likelihood.reason


def test_refused_exploit_steps_match_nothing():
    batch = two_variables()
    target, value = batch.target.copy(), batch.value.copy()
    target[0, 2], value[0, 2] = -1, np.nan
    target[1, 2] = 1  # the goal itself
    found = metrics_of(dataclasses.replace(batch, target=target, value=value))
    assert found.refused.value == pytest.approx(2 / 3)
    assert found.action_match.value == pytest.approx(1 / 3)


# -- attribution --------------------------------------------------------------------------------


def test_attribution_by_hand():
    batch = two_variables(2.0)
    effect = read(batch).posterior[0, 1] / 2
    gain = 4 * effect  # +2 rather than -2
    found = attribute(batch, read(batch), (0.0, 0.99 * gain, 1.01 * gain))
    sizes = {(d.definition, round(d.margin / gain, 2)): d.n for d in found.diagnoses}
    assert sizes == {
        ("any", 0.0): 3,
        ("bayes-alone", 0.0): 0,  # most heuristics agree with Bayes
        ("any", 0.99): 3,
        ("bayes-alone", 0.99): 0,
        ("any", 1.01): 0,
        ("bayes-alone", 1.01): 0,
    }
    shares = {name: s.agrees.value for name, s in found.diagnoses[0].strategies.items()}
    assert shares.pop("last-reward") == 0.0
    assert set(shares.values()) == {1.0}
    assert found.versus[0]["last-reward"].part == 3
    assert found.versus[0]["last-reward"].prefers_optimal.value == 1.0
    assert found.versus[2]["last-reward"].part == 0
    assert found.versus[0]["largest-effect"].part == 0


@pytest.mark.slow
def test_attribution_without_an_exact_reader_falls_back_on_the_oracle():
    world = worlds.make("dag", preset="lampinen")
    batch = played("expert", 64, world=world)
    found = attribute(batch, read(batch))
    assert found.optimal == "causal-optimal"
    assert "leaky-relu" in found.missing["bayes"]
    assert [d.definition for d in found.diagnoses][:2] == ["any", "oracle-alone"]
    assert found.diagnoses[1].strategies["causal-optimal"].agrees.value == 1.0


def test_a_share_that_is_the_same_in_all_episodes_is_not_certain():
    counts, totals = np.array([2, 0, 1, 3, 0, 1]), np.array([4, 4, 2, 3, 1, 4])
    assert statistics.share_of(counts, totals) == statistics.ratio(counts, totals)
    wilson = stats.binomtest(0, 6).proportion_ci(method="wilson")
    assert statistics.share_of(0 * counts, totals) == statistics.Estimate(
        0.0, wilson.low, wilson.high, 6
    )
    assert statistics.share_of(totals, totals) == statistics.share(6, 6)
    people = np.repeat(np.arange(6), 2)  # a cluster bootstrap needs five
    twice = np.tile(totals, 2)
    assert statistics.share_of(0 * twice, twice, people) == statistics.share(0, 6)
    half = statistics.share_of(totals, 2 * totals)  # the same in every episode
    assert (half.low, half.high) == pytest.approx(
        stats.binomtest(3, 6).proportion_ci(method="wilson")
    )
    assert statistics.share_of([0, 0], [0, 0]).value is None


# -- reviews ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    made = [folder / "expert-0", folder / "largest-effect-0", folder / "largest-effect-1"]
    play.perform(WORLD, scripted("expert"), 64, 0, made[0])
    for seed, path in enumerate(made[1:]):
        batch = played("expert").take(slice(64 * seed, 64 * seed + 64))
        batch = exploited_by(batch, "largest-effect")
        origin = dataclasses.replace(batch.origin, experimenter="largest-effect", seed=seed)
        batch = dataclasses.replace(batch, origin=origin, episode_id=np.arange(64))
        write_batch(path, batch, {"task": "perform"})
    return made


@pytest.fixture(scope="module")
def reviewed(runs):
    return review(runs)


def test_review_groups_runs_and_holds_them_against_references(reviewed):
    (group,) = reviewed.groups
    assert group.label == "dag linear n=5, train"
    assert [run.agent for run in group.runs] == ["expert", "largest-effect", "largest-effect"]
    assert group.references["oracle"].value == 1.0
    assert group.references["random"].n == 128  # two seeds: 128 different systems in three runs
    assert group.best_heuristic in READERS
    assert group.references["random"].value < group.references[group.best_heuristic].value
    assert group.references[group.best_heuristic].value < group.references["bayes"].value < 1


def test_review_gives_an_interval_over_seeds(reviewed):
    (seeds,) = reviewed.groups[0].seeds
    values = [run.metrics.return_ratio.value for run in reviewed.runs[1:]]
    half = 12.7062047 * abs(values[0] - values[1]) / 2  # t quantile at 1 degree of freedom
    assert seeds.agent == "largest-effect"
    assert seeds.return_ratio.value == pytest.approx(sum(values) / 2)
    assert seeds.return_ratio.high - seeds.return_ratio.value == pytest.approx(half)


def test_agents_whose_names_differ_in_the_training_seed_are_one(tmp_path):
    paths = []
    for seed in (3, 4):
        batch = played("expert").take(slice(0, 8))
        origin = dataclasses.replace(batch.origin, experimenter=f"student-{seed}")
        job = {"task": "perform", "agent_record": {"recipe": {"seed": seed}}}
        paths.append(tmp_path / str(seed))
        write_batch(paths[-1], dataclasses.replace(batch, origin=origin), job)
    (group,) = review(paths).groups
    assert [s.agent for s in group.seeds] == ["student"]


def test_review_tells_how_to_write_a_run_again(reviewed, runs):
    assert reviewed.runs[1].command == (
        "seedo perform scripted:largest-effect --world dag --preset linear --split train "
        f"--n 5 --episodes 64 --seed 0 --out {runs[1]}"
    )


def test_worlds_with_other_settings_are_groups_of_their_own(tmp_path, runs):
    world = worlds.make("dag", noise_variance=0.25, relevant=4)
    batch = played("expert").take(slice(0, 32))
    origin = dataclasses.replace(batch.origin, world_config=json.dumps(world.config()))
    batch = dataclasses.replace(batch, origin=origin)
    write_batch(tmp_path / "quiet", batch, {"task": "perform"})
    found = review([runs[0], tmp_path / "quiet"])
    assert [g.world for g in found.groups] == [
        "dag linear n=5",
        "dag linear n=5 noise_variance=0.25 relevant=4",
    ]
    assert "--set noise_variance=0.25 --set relevant=4" in found.runs[1].command


def test_review_is_plain_json(reviewed):
    text = json.dumps(reviewed.to_dict(), allow_nan=False)
    run = json.loads(text)["groups"][0]["runs"][0]
    assert run["metrics"]["return_ratio"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 64}


def test_bad_paths_are_reported_and_the_rest_is_reviewed(runs, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("hello")
    found = review([runs[0], tmp_path / "notes", tmp_path / "none", runs[0]])
    assert len(found.runs) == 1
    assert len(found.problems) == 3
    for problem, path in zip(found.problems, ("notes", "none", runs[0].name), strict=True):
        assert path in problem
        assert "\n" not in problem


def test_a_damaged_shard_is_left_out(tmp_path):
    path = tmp_path / "run"
    write_batch(path, played("expert").take(slice(0, 64)), shard_rows=16)
    shard = sorted(path.glob("*.parquet"))[1]
    shard.write_bytes(shard.read_bytes()[:100])
    found = review([path])
    assert found.runs[0].episodes == 48
    assert shard.name in found.problems[0]
    for other in path.glob("*.parquet"):
        other.unlink()
    with pytest.raises(UserError, match="nothing to review"):
        review([path])


def test_no_paths_at_all():
    with pytest.raises(UserError, match="at least one run"):
        review([])


FOREIGN = {
    "returns": np.full(3, np.nan),
    "oracle_return": np.full(3, np.nan),
    "random_return": np.full(3, np.nan),
    "system": None,
}


@pytest.mark.parametrize(
    "changes",
    [
        FOREIGN,
        {**FOREIGN, "origin": Origin("lab", "{}", "real", 0, "Ada", ("A", "B"), "2026-01-01")},
        {**FOREIGN, "goal": np.full((3, 3), -1)},
        {**FOREIGN, "phase": np.ones((3, 3), int)},
        {"system": ["not json"] * 3},
        {"system": ['{"expected": [[1]]}'] * 3},
        {"system": ["[" * 100_000] * 3},
        {"origin": Origin("dag", '{"do_values": "two"}', "x", 0, "Ada", ("A", "B"))},
        {"origin": Origin("dag", '{"colour": 3}', "x", 0, "Ada", ("A", "B"))},
        {"mask": np.zeros((3, 2), bool)},
        {"mask": np.tile([True, False], (3, 1))},
        {"outcome": np.full((3, 3, 2), np.nan)},
    ],
)
def test_logs_with_gaps_are_reviewed_with_reasons(changes, tmp_path):
    write_batch(tmp_path / "run", two_variables(**changes))
    found = review([tmp_path / "run"])
    json.dumps(found.to_dict(), allow_nan=False)
    assert "<html" in html(found)
    metrics = found.runs[0].metrics
    for estimate in (metrics.return_ratio, metrics.bayes_ratio, metrics.action_match):
        assert estimate.value is not None or estimate.reason
    if changes.get("system", 1) is None:
        assert "–" in shown(found)
        assert metrics.return_ratio.reason == "the log has no returns"


def test_returns_that_the_systems_contradict_are_pointed_out(tmp_path):
    write_batch(tmp_path / "run", two_variables(returns=np.array([1.0, 5.0, 1.0])))
    assert any("1 logged returns differ" in w for w in review([tmp_path / "run"]).runs[0].warnings)


def shown(found):
    console = Console(width=120, file=io.StringIO(), color_system=None)
    console.print(table(found))
    return console.file.getvalue()


def test_table_has_a_row_for_every_run_and_reference_within_120_columns(reviewed):
    text = shown(reviewed)
    assert max(map(len, text.splitlines())) <= 120
    assert len(re.findall(r"^\s+(?:expert|largest-effect)\s+64 ", text, re.M)) == 3
    for reference in ("random floor", "best: ", "Bayes reader", "omniscient ceiling"):
        assert reference in text


def test_report_is_one_repeatable_file_that_needs_nothing_else(reviewed, tmp_path):
    write_report(reviewed, tmp_path / "deep" / "report.html")
    page = (tmp_path / "deep" / "report.html").read_text()
    assert page == html(reviewed)
    assert not re.findall(r'(?:src|href)\s*=\s*"(?!#)', page)
    assert "<script" not in page
    assert "<svg" in page
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "report.html"]
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_report_that_cannot_be_written_is_one_line(reviewed, tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(UserError):
        write_report(reviewed, tmp_path / "report.html")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError):
        write_report(reviewed, tmp_path / "file" / "report.html")


def test_figures_are_valid_svg(reviewed):
    drawn = figures(reviewed)
    titles = {"Return ratio", "Who explored × who reads", "Strategy attribution", "Exploration"}
    assert set(drawn) == titles
    for svg in drawn.values():
        ElementTree.fromstring(svg)


def test_learning_curves_are_drawn_when_there_are_any(tmp_path):
    history = [
        {"episodes": 256 * i, "exploit_loss": 2.0 / i, "heldout_exploit_loss": math.nan}
        for i in range(1, 4)
    ]
    write_batch(tmp_path / "run", played("expert").take(slice(0, 16)))
    (tmp_path / "run" / "run.json").write_text(json.dumps({"metrics_history": history}))
    assert "Learning curves" in figures(review([tmp_path / "run"]))


def test_names_from_logs_are_only_text(tmp_path):
    name = "<script>alert(1)</script> $\\frac{ [bold]"
    batch = played("expert").take(slice(0, 16))
    origin = dataclasses.replace(batch.origin, experimenter=name)
    write_batch(tmp_path / "run", dataclasses.replace(batch, origin=origin))
    found = review([tmp_path / "run"])
    page = html(found)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    for svg in figures(found).values():
        ElementTree.fromstring(svg)
    assert "[bold]" in shown(found)


@pytest.mark.slow
def test_bits_of_explorers(tmp_path):
    """Systems from the very prior of the exact posterior, explored in three ways."""
    world = worlds.make("dag", split="longer", n=3, experiments=2)
    names = ("bayes:eig", "bayes:rotation", "scripted:random")
    for name in names:
        player = play.find_player(name, world)
        play.perform(world, player, 128, 0, tmp_path / name.replace(":", "-"))
    runs = review([tmp_path / name.replace(":", "-") for name in names], bits=True).runs
    eig, rotation, random = (run.information for run in runs)
    for found in (eig, rotation, random):
        # Averaged over the prior, the entropy falls by what was expected (25 graphs of 3 nodes).
        width = (found.bits_left.high - found.bits_left.low) / 4
        total = 2 * found.bits.value + found.bits_left.value
        assert total == pytest.approx(math.log2(25), abs=3 * width)
        assert found.episodes == 128
    assert eig.information_ratio.value > 0.98
    assert eig.bits_above_random.low > 0.9
    assert max(other.information_ratio.high for other in (rotation, random)) < 0.95
    assert random.bits_above_random.low < 0 < random.bits_above_random.high


def test_bits_are_unknown_where_the_posterior_is(tmp_path):
    world = worlds.make("dag", preset="lampinen")
    play.perform(world, scripted("expert"), 8, 0, tmp_path / "run")
    (run,) = review([tmp_path / "run"], bits=True).runs
    assert run.information.bits.value is None
    assert "leaky-relu" in run.information.bits.reason
    (run,) = review([tmp_path / "run"]).runs
    assert run.information is None
