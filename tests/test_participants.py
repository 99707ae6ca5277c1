"""Episodes of people: whose they are is kept, and intervals are about people."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

from seedo.episodes import SCHEMA, Dataset, EpisodeBatch, concatenate, import_csv, write_batch
from seedo.errors import DamagedShard, UserError
from seedo.evaluation import review
from seedo.experimenters import scripted
from seedo.play import episodes
from seedo.reports import beside_table, table, write_report
from seedo.statistics import mean, proportion, ratios, share
from seedo.worlds import DagWorld, configure

WORLD = DagWorld(configure(n=3))
SYSTEMS = 6


@functools.cache
def every(name: str) -> EpisodeBatch:
    return episodes(WORLD, scripted(name), 0, "perform", 0, 2 * SYSTEMS, systems=True)


def played(name: str, count: int = SYSTEMS) -> EpisodeBatch:
    return every(name).take(slice(0, count))


def people(names: tuple[str, ...], count: int = SYSTEMS) -> EpisodeBatch:
    """A person plays like each of these, all on the same systems."""
    parts = []
    for number, name in enumerate(names, 1):
        part = played(name, count)
        origin = dataclasses.replace(part.origin, experimenter="person", created="2025-01-01")
        whose = [f"p{number:03d}"] * count
        part = dataclasses.replace(part, origin=origin, participant=whose, action_logits=None)
        parts.append(part)
    return concatenate(parts)


# -- the log -----------------------------------------------------------------------------------


def test_participants_come_back_from_a_log(tmp_path):
    batch = people(("random", "largest-effect"))
    write_batch(tmp_path / "log", batch, shard_rows=5)
    dataset = Dataset(tmp_path / "log")
    assert dataset.optional == ("system", "participant")
    assert dataset.read().equals(batch)
    assert dataset.read(without=("participant",)).participant is None
    assert dataset.verify() == []
    read = pq.read_table(tmp_path / "log" / "shard-00000.parquet")
    assert read.column("participant").to_pylist() == ["p001"] * 5


def test_logs_without_participants_have_no_column_for_them(tmp_path):
    write_batch(tmp_path / "log", played("random"))
    read = pq.read_table(tmp_path / "log" / "shard-00000.parquet")
    assert read.column_names == SCHEMA.names
    assert Dataset(tmp_path / "log").read().participant is None


def test_rows_are_taken_with_their_participants():
    batch = people(("random", "largest-effect"))
    assert batch.take([0, SYSTEMS]).participant == ["p001", "p002"]
    assert batch.take(slice(SYSTEMS, None)).participant == ["p002"] * SYSTEMS
    assert batch.without(("participant",)).participant is None


@pytest.mark.parametrize("whose", [["p1"], ["p1", ""], ["p1", 2]])
def test_an_episode_without_a_pseudonym_among_peoples_is_refused(whose):
    with pytest.raises(UserError, match="participant"):
        dataclasses.replace(played("random", 2), participant=whose)


def test_a_foreign_log_with_half_of_its_participants_is_refused(tmp_path):
    import pyarrow as pa

    from seedo.episodes import from_arrow, to_arrow

    made = to_arrow(people(("random",)))
    index = made.column_names.index("participant")
    holes = pa.array(["p001", None, "p001", "p001", "p001", "p001"])
    with pytest.raises(UserError, match="row 1, column participant"):
        from_arrow(made.set_column(index, "participant", holes))
    nobody = pa.array([None] * SYSTEMS, pa.string())
    assert from_arrow(made.set_column(index, "participant", nobody)).participant is None


def test_a_manifest_that_hides_participants_is_noticed(tmp_path):
    write_batch(tmp_path / "log", people(("random",)))
    path = tmp_path / "log" / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"optional": ["system"]}))
    with pytest.raises(DamagedShard, match="optional columns"):
        Dataset(tmp_path / "log").read()


_CSV = """episode,participant,step,phase,target,value,goal,A,B
1,ann,0,explore,A,2,,2,1
1,{second},1,exploit,A,2,B,2,1
2,{third},0,explore,A,2,,2,1
2,{third},1,exploit,A,2,B,2,1
"""


def test_a_csv_may_say_whose_each_episode_is(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(_CSV.format(second="ann", third="bob"))
    batch = import_csv(path)
    assert batch.participant == ["ann", "bob"]
    assert batch.origin.variables == ("A", "B")


@pytest.mark.parametrize(("second", "third", "row"), [("bob", "bob", 3), ("ann", "", 4)])
def test_a_csv_that_is_unclear_about_participants_is_refused(tmp_path, second, third, row):
    path = tmp_path / "mine.csv"
    path.write_text(_CSV.format(second=second, third=third))
    with pytest.raises(UserError, match=f"row {row}, column participant"):
        import_csv(path)


# -- intervals ---------------------------------------------------------------------------------


def test_a_mean_over_people_is_students_over_their_means():
    found = mean([1.0, 3.0, 10.0, np.nan, 4.0, 6.0], np.array([7, 7, 2, 2, 5, 5]))
    own = np.array([2.0, 10.0, 5.0])
    half = stats.t.ppf(0.975, 2) * own.std(ddof=1) / np.sqrt(3)
    assert found.n == 3
    assert found.value == pytest.approx(17 / 3)
    assert (found.low, found.high) == pytest.approx((17 / 3 - half, 17 / 3 + half))


def test_people_of_one_episode_each_are_episodes():
    x = np.random.default_rng(0).normal(size=40)
    assert mean(x, np.arange(40)) == mean(x)


def test_a_share_over_people_stays_within_bounds():
    hits = np.array([1, 1, 1, 1, 1, 0], bool)
    found = proportion(hits, np.array([0, 0, 1, 1, 2, 2]))
    assert found.n == 3
    assert found.value == pytest.approx(5 / 6)
    assert found.low is not None
    assert 0 <= found.low < 0.5
    assert found.high == 1.0


def test_a_share_that_is_the_same_for_all_people_is_as_sure_as_so_many_trials():
    found = proportion(np.ones(30, bool), np.repeat(np.arange(10), 3))
    assert found == share(10, 10)


def test_a_share_without_people_is_wilsons():
    hits = np.array([True, False, True])
    assert proportion(hits) == share(2, 3)
    assert proportion([]).value is None


def test_the_ratio_interval_is_that_of_all_possible_resamples_of_people():
    rng = np.random.default_rng(1)
    whose = np.repeat(np.arange(5), 4)
    top, bottom = rng.normal(1, 0.5, 20), rng.uniform(1, 2, 20)
    (found,) = ratios([top], [bottom], cluster=whose)
    tops, bottoms = top.reshape(5, 4).sum(1), bottom.reshape(5, 4).sum(1)
    every = np.array(list(itertools.product(range(5), repeat=5)))
    values = tops[every].sum(1) / bottoms[every].sum(1)
    tail = stats.norm.cdf(-np.sqrt(5 / 4) * stats.t.ppf(0.975, 4))
    low, high = np.quantile(values, [tail, 1 - tail])
    assert found.n == 5
    assert found.value == pytest.approx(top.sum() / bottom.sum())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.1 * (high - low))


def test_the_ratio_interval_of_many_people_agrees_with_the_delta_method():
    rng = np.random.default_rng(2)
    people, each = 400, 10
    whose = np.repeat(np.arange(people), each)
    skill = np.repeat(rng.normal(0, 0.4, people), each)
    bottom = rng.uniform(1, 2, people * each)
    top = bottom * (0.7 + skill) + rng.normal(0, 0.3, people * each)
    (found,) = ratios([top], [bottom], cluster=whose)
    r = top.sum() / bottom.sum()
    residual = (top - r * bottom).reshape(people, each).sum(1)
    half = 1.96 * residual.std(ddof=1) * np.sqrt(people) / bottom.sum()
    assert found.low is not None
    assert found.high is not None
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.06)


@pytest.mark.parametrize(("count", "reason"), [(1, "one participant"), (4, "4 participants")])
def test_a_handful_of_people_gets_no_bootstrap_interval(count, reason):
    whose = np.repeat(np.arange(count), 10)
    (found,) = ratios([np.arange(10.0 * count)], [np.ones(10 * count)], cluster=whose)
    assert found.value is not None
    assert found.low is None
    assert reason in found.reason


@pytest.mark.slow
@pytest.mark.parametrize("people", [12, 40])
def test_clustered_intervals_cover_the_truth_and_unclustered_ones_do_not(people):
    # Random effects: what a person gains differs from person to person more than within one.
    rng = np.random.default_rng(3)
    each, repeats, truth = 10, 600, 0.7
    covered = dict.fromkeys(("mean", "ratio", "mean of episodes", "ratio of episodes"), 0)
    whose = np.repeat(np.arange(people), each)
    for _ in range(repeats):
        skill = np.repeat(rng.normal(truth, 0.2, people), each)
        bottom = rng.uniform(0.5, 1.5, people * each)
        top = bottom * skill + rng.normal(0, 0.3, people * each)
        found = {
            "mean": mean(skill, whose),
            "ratio": ratios([top], [bottom], cluster=whose)[0],
            "mean of episodes": mean(skill),
            "ratio of episodes": ratios([top], [bottom])[0],
        }
        for name, estimate in found.items():
            assert estimate.low is not None
            assert estimate.high is not None
            covered[name] += estimate.low <= truth <= estimate.high
    share_of = {name: count / repeats for name, count in covered.items()}
    error = 3 * np.sqrt(0.95 * 0.05 / repeats)
    assert abs(share_of["mean"] - 0.95) < error
    assert abs(share_of["ratio"] - 0.95) < error + 0.01
    assert share_of["mean of episodes"] < 0.75
    assert share_of["ratio of episodes"] < 0.85


# -- review ------------------------------------------------------------------------------------

NAMES = ("random", "largest-effect", "largest-effect", "largest-effect", "random", "largest-effect")


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    write_batch(folder / "people", people(NAMES))
    write_batch(folder / "agent", played("largest-effect"))
    return review([folder / "people", folder / "agent"])


def test_people_and_agents_on_one_world_are_one_group(reviewed):
    (group,) = reviewed.groups
    persons, agent = group.runs
    assert (persons.agent, persons.participants, persons.episodes) == ("person", 6, 36)
    assert agent.participants is None
    assert persons.metrics.return_ratio.n == 6
    assert agent.metrics.return_ratio.n == SYSTEMS
    assert "only 6 participants" in persons.warnings


def test_a_system_that_many_people_met_counts_once_in_the_references(reviewed):
    (group,) = reviewed.groups
    assert group.references["random"].n == SYSTEMS
    alone = played("random")
    floor = alone.random_return.sum() / alone.oracle_return.sum()
    assert group.references["random"].value == pytest.approx(floor)


def test_people_are_held_against_an_agent_system_by_system(reviewed):
    (group,) = reviewed.groups
    (pair,) = group.beside
    assert (pair.people, pair.other) == ("person", "largest-effect")
    assert (pair.systems, pair.participants) == (SYSTEMS, 6)
    agent = played("largest-effect")
    theirs = {name: played(name).returns for name in NAMES}
    expected = np.mean([(theirs[name] - agent.returns).sum() for name in NAMES])
    assert pair.difference.value == pytest.approx(expected / agent.oracle_return.sum(), abs=1e-6)
    assert pair.difference.n == 6


def test_two_groups_of_people_are_no_repetition_of_one_run(tmp_path):
    write_batch(tmp_path / "one", people(("random", "largest-effect")))
    write_batch(tmp_path / "two", people(("largest-effect", "largest-effect")))
    (group,) = review([tmp_path / "one", tmp_path / "two"]).groups
    assert group.seeds == ()
    assert group.beside == ()


def test_people_and_agents_without_a_common_system_are_not_compared(tmp_path):
    write_batch(tmp_path / "agent", every("random").take(slice(SYSTEMS, None)))
    write_batch(tmp_path / "people", people(("random",) * 5))
    (group,) = review([tmp_path / "people", tmp_path / "agent"]).groups
    assert group.beside[0].difference.value is None
    assert "no system" in group.beside[0].difference.reason


def test_tables_and_report_say_that_the_units_are_people(reviewed, tmp_path):
    from rich.console import Console

    console = Console(width=120, record=True, file=open(tmp_path / "out", "w"))
    console.print(table(reviewed))
    console.print(beside_table(reviewed))
    shown = console.export_text()
    assert max(len(line) for line in shown.splitlines()) <= 120
    assert "6 people" in shown
    assert "intervals over people" in shown
    write_report(reviewed, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "36 of 6 people" in page
    assert "bootstrapped over participants" in page
    assert "People beside others" in page
    plain = reviewed.to_dict()
    assert plain["groups"][0]["beside"][0]["participants"] == 6
