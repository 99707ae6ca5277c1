"""One table for all players: shared systems, floors and ceilings, idle players, stated arrows."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from seedo import evaluation, play, reports, worlds
from seedo.episodes import Dataset, write_batch
from seedo.errors import UserError
from seedo.language import Conditions, open_scene
from seedo.language.runs import record_speaker

COUNT = 6


@pytest.fixture(scope="module")
def world():
    return worlds.make("dag", n=3)


class Words:
    """Sets variables in the order of listing; says of arrows what it is told to."""

    name = "words"

    def __init__(self, arrows="arrows: none"):
        self.arrows = arrows

    def replies(self, conversations):
        return [self._reply(c) for c in conversations]

    def _reply(self, messages):
        said = messages[-1]["content"]
        names = messages[1]["content"].split("\n")[0].split()[1:]
        if "arrows:" in said:
            return self.arrows.format(*names)
        goal = said.partition("Goal: ")[2].split("\n")[0]
        turn = sum(m["role"] == "assistant" for m in messages) % 3
        name = next(n for n in names[turn:] + names if n != goal)
        return f"**do {name}=2.0**" if turn == 1 else f"do {name}=2.0"


@pytest.fixture(scope="module")
def runs(world, tmp_path_factory):
    """A text player on two seeds, and two players in numbers on more and on fewer systems."""
    folder = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        record_speaker(world, Words(), COUNT, seed, folder / f"words-{seed}")
    for name, count in (("random", COUNT), ("largest-effect", 2 * COUNT)):
        player = play.find_player(f"scripted:{name}", world)
        play.perform(world, player, count, 0, folder / name)
    return [folder / name for name in ("words-0", "words-1", "random", "largest-effect")]


@pytest.fixture(scope="module")
def group(runs):
    (group,) = evaluation.review(runs).groups
    return group


def returns(path):
    batch = Dataset(path).read()
    columns = (batch.returns, batch.oracle_return, batch.random_return)
    return {
        int(i): np.array([float(c[row]) for c in columns]) for row, i in enumerate(batch.episode_id)
    }


def test_rows_are_held_against_the_best_heuristic_on_the_systems_that_both_met(group, runs):
    assert group.against == "largest-effect"
    rows = {row.label: row for row in group.rows}
    own, base = returns(runs[2]), returns(runs[3])
    row = rows["random"]
    assert row.paired == COUNT
    pairs = np.array([[own[i][0], base[i][0], *own[i][1:]] for i in own])
    gain = pairs[:, 0] - pairs[:, 1]
    oracle, chance = pairs[:, 2], pairs[:, 3]
    assert row.less["return_ratio"].value == pytest.approx(gain.sum() / oracle.sum(), rel=1e-5)
    regret = row.less["exploit_regret"].value
    assert regret == pytest.approx(-gain.sum() / (oracle - chance).sum(), rel=1e-5)
    half = stats.t.ppf(0.975, COUNT - 1) * gain.std(ddof=1) / math.sqrt(COUNT)
    less = row.less["return"]
    assert (less.low, less.high) == pytest.approx(
        (gain.mean() - half, gain.mean() + half), rel=1e-4
    )
    assert rows["largest-effect"].less == {}
    # What was played on another seed met none of these systems.
    alone = rows["words, seed 1"]
    assert (alone.paired, alone.less["return"].value) == (0, None)
    assert "both" in alone.less["return"].reason


def test_rows_that_met_other_systems_are_marked_and_compared_on_the_shared_ones(runs):
    found = evaluation.review([runs[0], runs[3]], against="words")
    (group,) = found.groups
    few, many, *_ = group.rows
    assert (few.apart, many.apart, group.shared) == (False, True, COUNT)
    assert (few.systems, many.systems) == (COUNT, 2 * COUNT)
    both = np.array([values for i, values in returns(runs[3]).items() if i < COUNT])
    ratio = both[:, 0].sum() / both[:, 1].sum()
    assert many.shared["return_ratio"].value == pytest.approx(ratio, rel=1e-5)
    assert many.shared["return_ratio"].n == COUNT
    assert many.figures["return_ratio"].n == 2 * COUNT
    table, _, conduct = reports.players_tables(group)
    assert [str(c).endswith("*") for c in table.columns[0].cells][:2] == [False, True]
    assert "less: words" in str(table.caption).casefold()
    assert "less: words" not in str(conduct.caption).casefold()
    assert "Regret:" not in str(conduct.caption)
    assert "largest-effect *" in reports.html(found)


def test_episodes_of_one_number_in_two_streams_are_no_pair(runs, tmp_path):
    job = {"task": "watch", "stream": "watch"}
    write_batch(tmp_path / "watched", Dataset(runs[2]).read(), job)
    (group,) = evaluation.review([runs[2], tmp_path / "watched"]).groups
    assert (group.shared, group.rows[1].paired) == (0, 0)
    assert group.references["random"].n == 2 * COUNT


def test_whoever_does_the_same_is_not_told_apart_and_not_said_to_be_the_same(runs, tmp_path):
    twin = Dataset(runs[2]).read()
    twin = dataclasses.replace(twin, origin=dataclasses.replace(twin.origin, experimenter="twin"))
    write_batch(tmp_path / "twin", twin)
    (group,) = evaluation.review([runs[2], tmp_path / "twin"]).groups
    less = group.rows[1].less["return_ratio"]
    assert (less.value, less.low, less.n) == (0, None, COUNT)
    assert "no interval" in less.reason


def test_several_seeds_are_one_row_whose_interval_is_over_the_seeds(group, runs):
    rows = {row.label: row for row in group.rows}
    both = rows["words, mean of 2 runs"]
    assert (both.kind, both.systems) == ("seeds", 2 * COUNT)
    ratios = []
    for path in runs[:2]:
        values = np.array(list(returns(path).values()))
        ratios.append(values[:, 0].sum() / values[:, 1].sum())
    found = both.figures["return_ratio"]
    half = 12.7062047 * abs(ratios[0] - ratios[1]) / 2  # t quantile at 1 degree of freedom
    assert found.value == pytest.approx(np.mean(ratios), rel=1e-5)
    assert found.high - found.value == pytest.approx(half, rel=1e-4)
    assert both.less["return"].n == 1  # only one of the seeds met the other's systems


def test_regret_is_what_was_not_explored_and_what_was_not_read(group):
    for row in group.rows:
        if row.kind != "run":
            continue
        own = {name: row.figures[name].value for name in ("exploit_regret", "unexplored", "unread")}
        assert own["exploit_regret"] == pytest.approx(own["unexplored"] + own["unread"], abs=1e-9)
        normalised = next(r for r in group.runs if r.path == row.runs[0]).metrics.normalised_return
        assert own["exploit_regret"] == pytest.approx(1 - normalised.value)
    ends = {row.label: row.figures["exploit_regret"].value for row in group.rows[-4:]}
    assert ends["random floor"] == pytest.approx(1)
    assert ends["omniscient ceiling"] == 0


def test_prompts_are_told_apart_and_are_no_repetitions_of_each_other(world, runs, tmp_path):
    other = Conditions(names="letters")
    record_speaker(world, Words(), 2, 0, tmp_path / "letters", conditions=other)
    (group,) = evaluation.review([runs[0], tmp_path / "letters"]).groups
    assert [row.label for row in group.rows[:2]] == [
        "words (nothing else)", "words (names=letters)",
    ]  # fmt: skip
    assert not group.seeds


def test_a_run_that_is_not_there_cannot_be_held_against_and_none_is_measured(runs, tmp_path):
    shutil.copytree(runs[2], tmp_path / "cut")
    for shard in (tmp_path / "cut").glob("*.parquet"):
        shard.write_bytes(b"")
    measured = []
    for named, given in (("nobody", runs[2:]), (str(tmp_path / "cut"), [tmp_path / "cut", runs[3]]),
                         (str(tmp_path / "none"), [tmp_path / "none", *runs[2:]])):  # fmt: skip
        with pytest.raises(UserError, match=r"--against.*name one of.* largest-effect") as refused:
            evaluation.review(given, lambda *at: measured.append(at), against=named)
        assert "\n" not in str(refused.value)
        assert ("no readable shard" in str(refused.value)) == ("cut" in named)
        assert ("no such folder" in str(refused.value)) == ("none" in named)
    assert measured == [(0, 2)]  # the run whose manifest was whole


# -- stated arrows --------------------------------------------------------------------------------


def test_stated_arrows_are_scored_against_each_system_and_silence_scores_nothing(world, tmp_path):
    conditions = Conditions(structure=True, attempts=1)
    said = ("arrows: {0}>{1}", "arrows: {0}>{1} {1}>{0}")  # a circle is no answer
    for name, arrows in zip(("told", "silent"), said, strict=True):
        record_speaker(world, Words(arrows), COUNT, 0, tmp_path / name, conditions=conditions)
    player = play.find_player("scripted:random", world)
    play.perform(world, player, COUNT, 0, tmp_path / "random")
    paths = [tmp_path / name for name in ("told", "silent", "random")]
    told, silent, other = (r.stated for r in evaluation.review(paths).runs)
    scores = []
    for i, text in enumerate(Dataset(paths[0]).read().system):
        names = open_scene(world, 0, "perform", i, conditions).names
        a, b = names.order[:2]
        there = np.asarray(json.loads(text)["weights"]) != 0
        scores.append(2 * there[a, b] / (1 + there.sum()))
    assert told.directed.value == pytest.approx(np.mean(scores))
    # One arrow of three pairs, either way: F1 = 2 (links / 6) / (1 + links).
    links = [
        (np.asarray(json.loads(t)["weights"]) != 0).sum() for t in Dataset(paths[0]).read().system
    ]
    assert told.chance.value == pytest.approx(np.mean([2 * (k / 6) / (1 + k) for k in links]))
    assert (told.answered.value, silent.answered.value) == (1, 0)
    assert (silent.directed.value, silent.chance.value) == (0, 0)
    assert silent.exact.value == told.exact.value  # of the same experiments
    assert other.directed.value is None
    assert other.exact.value is not None
    lines = (tmp_path / "silent" / "conversations.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["answers"] == {"arrows": None}


@pytest.mark.parametrize("answer", ["[[0,9]]", "[[0,0]]", '"0>1"', "[[0]]", "[[0,1.5]]"])
def test_answers_in_a_log_that_are_no_arrows_are_not_scored(world, tmp_path, answer):
    record_speaker(world, Words(), 1, 0, tmp_path / "run", conditions=Conditions(structure=True))
    path = tmp_path / "run" / "conversations.jsonl"
    path.write_text(
        path.read_text().replace('"answers":{"arrows":[]}', f'"answers":{{"arrows":{answer}}}')
    )
    (run,) = evaluation.review([tmp_path / "run"]).runs
    assert run.stated.directed.value is None
    assert "no arrows of this world" in run.stated.directed.reason


def test_a_log_that_keeps_no_answers_is_not_said_to_have_asked_nothing(world, tmp_path):
    record_speaker(world, Words(), 1, 0, tmp_path / "run", conditions=Conditions(structure=True))
    path = tmp_path / "run" / "conversations.jsonl"
    path.write_text(path.read_text().replace('"answers":{"arrows":[]},', ""))
    (run,) = evaluation.review([tmp_path / "run"]).runs
    assert "older log" in run.stated.directed.reason


# -- who never acts -------------------------------------------------------------------------------


class Idle:
    """Says the same at every experiment, and yes to every question."""

    name = "idle"

    def __init__(self, line):
        self.line = line

    def replies(self, conversations):
        return ["yes" if "a blicket?" in c[-1]["content"] else self.line for c in conversations]


@pytest.fixture(scope="module")
def machine():
    return worlds.make("blicket", n=3, experiments=2, start="full")


def test_a_blicket_player_that_never_tests_is_seen_not_to(machine, tmp_path):
    for name, line in (("observes", "observe"), ("passes", "I cannot tell.")):
        record_speaker(machine, Idle(line), 8, 0, tmp_path / name)
    found = evaluation.review([tmp_path / "observes", tmp_path / "passes"], bits=True)
    observes, passes = found.runs
    assert observes.spoken.malformed.value == 0
    assert observes.acts["explore"]["observed"].value == 1
    assert observes.metrics.distinct_tested.value == 0
    assert passes.acts["explore"]["passed"].value == 1
    for run in found.runs:
        assert "something was set in 0% of its experiments" in run.warnings
    # What it gets is what the best answers earn without any experiment: these, a row beside it.
    rows = {row.label: row.figures for row in found.groups[0].rows}
    prior = rows["best answers without experiments"]["return_ratio"].value
    assert prior > rows["random floor"]["return_ratio"].value
    assert passes.metrics.readers[evaluation.BAYES].return_ratio.value == pytest.approx(prior)
    # A light that nobody asked for tells nobody anything.
    assert passes.information.bits.value == 0
    assert passes.information.bits_left.value > observes.information.bits_left.value - 1e-6


def test_bits_about_a_machine_are_those_of_listing_all_machines(machine, tmp_path):
    player = play.find_player("scripted:random", machine)
    play.perform(machine, player, 4, 0, tmp_path / "random")
    batch = Dataset(tmp_path / "random").read()
    found = evaluation.information(batch)
    reading = evaluation.read_blicket(batch)
    prior = np.asarray(worlds.blicket.blicket_prior(machine.settings))

    def bits(on):
        bright = sum(
            prior[rule, blickets]
            for rule in (0, 1)
            for blickets in range(8)
            if (on & blickets == blickets if rule else on & blickets)
        )
        return -sum(p * math.log2(p) for p in (bright, 1 - bright) if p > 0)

    first = [bits(0b111 ^ (1 << i)) for i in range(3)]  # one of three is taken off
    np.testing.assert_allclose(reading.chance[:, 0], np.mean(first), atol=1e-4)
    np.testing.assert_allclose(reading.greedy[:, 0], max(*first, bits(0b111)), atol=1e-4)
    assert found.best_bits.value >= found.bits.value - 1e-6
    assert found.random_bits.value == pytest.approx(reading.chance.mean(), abs=1e-4)


# -- what was said --------------------------------------------------------------------------------


def test_excerpts_show_the_reply_that_was_read_so(group):
    said = group.runs[0].spoken
    (kind,) = said.excerpts
    excerpt = said.excerpts[kind]
    assert kind == "repaired"
    assert excerpt.said == f"**{excerpt.taken}**"
    assert excerpt.answered.split("=")[0] in excerpt.asked + excerpt.answered
    assert said.heard_in["explore"]["repaired"].value == pytest.approx(1 / 3)
    assert said.heard_in["exploit"]["clean"].value == 1


def test_all_figures_of_the_table_are_in_the_json(group, runs):
    told = json.loads(json.dumps(evaluation.review(runs[:1]).to_dict(), allow_nan=False))
    (row, *rest) = told["groups"][0]["rows"]
    some = ("return_ratio", "exploit_regret", "bits_above_random", "arrows_f1", "explore_passed")
    assert set(row["figures"]) >= {*some, "malformed", "dollars"}
    assert row["figures"]["bits"]["reason"] == "not measured: review --bits"
    assert {r["kind"] for r in rest} == {"reference"}


def test_each_manifest_is_read_once(runs, monkeypatch):
    read, whole = [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path) or whole(path))
    evaluation.review(runs)
    assert [path.parent for path in read if path.name == "manifest.json"] == runs
