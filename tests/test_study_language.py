"""Studies of players made of words: their designs, their analyses, budgets, resumption."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from importlib import resources
from itertools import combinations

import numpy as np
import pytest

from command import run
from seedo import studies
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.language import Budget, Conditions, converse, open_scene
from seedo.language.measures import Arm, recitation_of
from seedo.language.runs import draw_candidates, example_messages, follow, same_world
from seedo.statistics import Estimate, mean
from seedo.studies import InProcess, find_text_player, prompts, recitation
from seedo.worlds import make

WORLD = {"n": 3}
EPISODES = 4


class Follower:
    """Follows instructions; where a word is asked for, only if it has been said."""

    name = "follower"

    def __init__(self, word=""):
        self.word, self.asked = word, 0

    def replies(self, conversations):
        self.asked += len(conversations)
        self.spent = [(0, 0)] * len(conversations)
        return [
            follow(c) if any(self.word in m["content"] for m in c) else "well"
            for c in conversations
        ]


def tiny(name, **sizes):
    study = studies.find(name)
    return replace(study, scales={"tiny": replace(study.scales["quick"], **sizes)})


@pytest.fixture(scope="module")
def world():
    return same_world("dag", make("dag", **WORLD).config())


# -- recitation -----------------------------------------------------------------------------------

KINDS = ("familiar", "nonsense", "contrary")


def in_arms(returns, noise=0.1, episodes=200):
    """A player with these mean returns by (names, experiments), from 0 (random) to 1 (oracle)."""
    rng = np.random.default_rng(0)
    return recitation_of(
        "p",
        {Arm(*arm): dict(enumerate(rng.normal(r, noise, episodes))) for arm, r in returns.items()},
        oracle=dict.fromkeys(range(episodes), 1.0),
        random=dict.fromkeys(range(episodes), 0.0),
    )


@pytest.mark.parametrize(
    ("returns", "noise", "expected"),
    [
        # Discovers whatever the names.
        ([0, 0, 0, 0.8, 0.8, 0.8], 0.1, ("yes", "no", "no", "supports")),
        # A parrot: its return is in the names.
        ([0.8, 0, -0.1, 0.8, 0, -0.1], 0.1, ("no", "yes", "yes", "refutes")),
        # Discovers, but prefers false names to its own experiments.
        ([0, 0, 0, 0.8, 0.8, 0.4], 0.1, ("yes", "no", "yes", "refutes")),
        # Too few episodes for such noise.
        ([0, 0, 0, 0.8, 0.8, 0.8], 10.0, ("open", "open", "open", "leaves open")),
    ],
)
def test_parrots_refute_and_discoverers_support_the_claim(returns, noise, expected):
    arms = [(names, experiments) for experiments in (0, 5) for names in KINDS]
    found = in_arms(dict(zip(arms, returns, strict=True)), noise)
    assert (*recitation.answers(found).values(), recitation.judge(found)) == expected


def test_a_study_of_recitation_plays_every_arm_once_on_paired_systems(tmp_path):
    study = tiny("recitation", world=WORLD, episodes=EPISODES)
    speaker = Follower()
    first = study.run("tiny", tmp_path, player=InProcess(speaker))
    assert speaker.asked == 4 * EPISODES * (4 + 1)  # kinds of names; actions with and without
    again = Follower()
    assert study.run("tiny", tmp_path, player=InProcess(again)) == first
    assert again.asked == 0
    played = {tuple(f.split("/")[-1].split("-")): Dataset(f).read() for f in first.runs}
    assert set(played) == {(n, e) for n in (*KINDS, "permuted") for e in ("3", "0")}
    for batch in played.values():
        np.testing.assert_array_equal(batch.goal[:, -1], played["familiar", "3"].goal[:, -1])
    apart = played["nonsense", "3"].returns - played["nonsense", "0"].returns
    assert first.values["discovered"] == mean(apart).to_json()
    # It knows no names: the words in which it hears of a system change nothing but signs.
    assert first.values["recited"]["low"] <= 0 <= first.values["recited"]["high"]
    assert "Power: with 4 pairs" in first.verdict


# -- prompts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_tools", [True, False])
def test_no_main_effect_of_the_design_is_mixed_up_with_another_or_an_interaction(with_tools):
    cells = list(prompts.settings(Conditions(), with_tools).values())
    assert len(cells) == len(set(cells)) == 24
    assert Conditions() in cells
    usual, switches = Conditions(), ["reasoning", "check", "instruction", "tools"][: 3 + with_tools]
    columns = np.array([
        [2 * (getattr(cell, s) != getattr(usual, s)) - 1 for s in switches] for cell in cells
    ])  # fmt: skip
    shots = np.array([[cell.examples > 0, cell.explanations] for cell in cells], float)
    columns = np.hstack([columns, shots - shots.mean(0)])
    np.testing.assert_allclose(columns.sum(0), 0, atol=1e-12)
    crossed = [(a, b) for a, b in combinations(range(columns.shape[1]), 2)
               if a < len(switches)]  # fmt: skip
    products = np.stack([columns[:, a] * columns[:, b] for a, b in crossed], 1)
    main = columns[:, : len(switches)]
    np.testing.assert_allclose(main.T @ main, 24 * np.eye(len(switches)))
    np.testing.assert_allclose(main.T @ shots, main.T @ np.ones((24, 2)) * shots.mean(0))
    np.testing.assert_allclose(columns.T @ products, 0, atol=1e-12)


@pytest.mark.slow
def test_a_study_of_prompts_finds_the_examples_that_help_and_what_they_are_worth(tmp_path, world):
    base = Conditions(examples=2)
    sets = draw_candidates(base, 0, 2)
    # The follower acts only where it is shown this, which is in the second set of examples alone.
    shown = example_messages(world, base, sets[1])[0]["content"].split("\n")[0]
    speaker = Follower(shown)
    sizes = {"world": WORLD, "episodes": EPISODES, "sets": 2, "validation": 2}
    study = tiny("prompts", **sizes)
    found = study.run("tiny", tmp_path, player=InProcess(speaker)).values
    assert found["examples"]["chosen"]["indices"] == list(sets[1].indices)
    returns = {}
    for who in (Follower(), Follower("never said")):
        scenes = [open_scene(world, 0, "perform", i) for i in range(EPISODES)]
        converse(scenes, who)
        returns[who.word] = np.array([scene.returns for scene in scenes])
    worth = mean(returns[""] - returns["never said"])
    effects = found["effects"]
    for end in ("value", "low", "high"):
        assert effects["return"]["examples"]["effect"][end] == pytest.approx(
            getattr(worth, end), abs=1e-6
        )
    # 3 malformed replies at each of 4 steps.
    assert effects["malformed"]["examples"]["effect"]["value"] == pytest.approx(-12)
    for own in effects.values():
        for switch in set(own) - {"examples"}:
            assert own[switch]["effect"]["value"] == pytest.approx(0, abs=1e-6), switch
    assert "tools" not in effects["return"]
    asked = speaker.asked
    assert study.run("tiny", tmp_path, player=InProcess(speaker)).values == found
    assert speaker.asked == asked


def test_the_power_behind_an_effect_is_that_of_its_episodes():
    values = np.random.default_rng(1).normal(0.3, 2.0, 40)
    found = prompts.power_of(mean(values))
    assert (found.n, found.sd) == (40, pytest.approx(values.std(ddof=1)))
    assert prompts.power_of(mean(np.full(40, 0.3))) is None


def test_intervals_that_hold_together_hold_together():
    rng = np.random.default_rng(2)
    missed = {"own": 0, "widened": 0}
    for _ in range(120):
        effects = [mean(rng.normal(0, 1, 10)) for _ in range(6)]
        for name, each in (("own", effects), ("widened", [prompts.widened(e, 6) for e in effects])):
            missed[name] += any(not e.low <= 0 <= e.high for e in each)
    assert missed["widened"] / 120 < 0.1 < missed["own"] / 120


@pytest.mark.parametrize(
    ("interval", "says"),
    [((0.2, 0.4), "b helps"), ((-0.4, -0.2), "b harms"), ((0.05, 0.4), "leaves the claim open"),
     ((-0.05, 0.05), "a, b sure not to. This refutes the claim")],
)  # fmt: skip
def test_the_verdict_on_prompts_goes_by_the_intervals(interval, says):
    effects = {"a": Estimate(0.0, -0.01, 0.01, 9), "b": Estimate(0.0, *interval, 9)}
    assert says in prompts.judge(effects, 0.1)


# -- players --------------------------------------------------------------------------------------


def test_a_budget_holds_for_all_runs_of_a_study_together(tmp_path):
    pytest.importorskip("inspect_ai")
    study = tiny("recitation", world=WORLD, episodes=2)
    small = find_text_player("llm:seedo/follower", budget=Budget(tokens=3000))
    with pytest.raises(UserError, match="the budget is used up: the same command with a larger"):
        study.run("tiny", tmp_path, player=small)
    # No conversation here is longer than 700 words.
    assert 2300 < small.spent.tokens < 3700
    runs = tmp_path / "runs"
    assert 1 < len(list(runs.iterdir())) < 8
    first = (runs / "familiar-3" / "conversations.jsonl").stat().st_mtime_ns
    said = []
    large = find_text_player("llm:seedo/follower", budget=Budget(tokens=50_000))
    study.run("tiny", tmp_path, say=said.append, player=large)
    assert "16 episodes in 8 runs, about" in said[0]
    # What was finished was not played again, and counts.
    assert (runs / "familiar-3" / "conversations.jsonl").stat().st_mtime_ns == first
    reports = [json.loads((folder / "run.json").read_text())["calls"] for folder in runs.iterdir()]
    assert large.spent.tokens == sum(r["tokens_in"] + r["tokens_out"] for r in reports)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["limit", "--player", "llm:seedo/follower"], "limit has its own players"),
        (["prompts"], "prompts needs one: llm:MODEL"),
        (["prompts", "--player", "scripted:expert"], "use llm:seedo/scripted:expert"),
        (["prompts", "--budget-usd", "1"], "nobody is prompted or paid"),
        (["prompts", "--player", "llm:seedo/follower", "--price-in", "1"], "give both"),
    ],
)
def test_the_command_refuses_players_and_prices_in_one_line(words, says, tmp_path, capsys):
    code, _, err = run(capsys, "study", *words, "--out", str(tmp_path / "study"))
    assert code != 0
    assert err.count("\n") == 1
    assert says in err
    assert not (tmp_path / "study").exists()


def test_runs_of_an_agent_of_ones_own_are_logged_under_the_name_that_was_typed(tmp_path):
    agent = tmp_path / "deep" / "own"
    shutil.copytree(resources.files("seedo") / "pretrained" / "dag-text", agent)
    study = tiny("recitation", world=WORLD | {"experiments": 1}, episodes=2)
    player = find_text_player(str(agent))
    found = study.run("tiny", tmp_path / "study", player=player, say=lambda line: None)
    assert {Dataset(folder).job["player"] for folder in found.runs} == {str(agent)}


def test_an_unknown_scale_is_refused_before_a_player_does_anything(tmp_path):
    with pytest.raises(UserError, match="scale: got 'huge'"):
        studies.study("recitation", "huge", tmp_path, player=InProcess(Follower()))
    assert not list(tmp_path.iterdir())


def test_players_that_read_no_words_are_told_how_to_play():
    with pytest.raises(UserError, match="use llm:seedo/bayes:eig"):
        find_text_player("bayes:eig")
    with pytest.raises(UserError, match="does not speak"):
        find_text_player("pretrained:dag")


@pytest.mark.parametrize(
    ("name", "conditions"),
    [("recitation", Conditions(names="letters")), ("prompts", Conditions(reasoning=True))],
)
def test_a_switch_that_a_study_varies_cannot_be_set(name, conditions, tmp_path):
    with pytest.raises(UserError, match="the study varies it: leave it out"):
        studies.study(name, "quick", tmp_path, player=InProcess(Follower(), conditions))
    assert not list(tmp_path.iterdir())
