"""Self-correction: the measure tells players that check from players that trust their own words."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from seedo.errors import UserError
from seedo.language import Conditions, converse
from seedo.language.measures import (
    Claim,
    Pursuit,
    SelfCorrectionScene,
    claim_in_words,
    compare_arms,
    effect_table,
    horizon_world,
    last_turns,
    pursuit,
    read_effects,
    self_correct,
    signs_right,
    write_effects,
)
from seedo.language.scenes import Malformed, Names, without_directions
from seedo.play import find_player

EPISODES, HORIZON = 20, 5


class Careful:
    """Tests every variable twice, then does what its own averages say; notes do not count."""

    name = "careful"

    def replies(self, conversations):
        return [self.reply(messages) for messages in conversations]

    def reply(self, messages):
        last = messages[-1]["content"]
        names = messages[1]["content"].split("\n")[0].removeprefix("Variables: ").split()
        if "effects: " in last:
            return "effects: none"
        done = self.rows(messages)
        goal = re.findall(r"Goal: (\S+)", last)
        if not goal:
            return f"do {names[len(done) % len(names)]}=2.0"
        return self.pursue(messages, goal[0], names, done)

    def rows(self, messages):
        """(variable, value set, what followed) of every action so far."""
        found = []
        for said, heard in itertools.pairwise(messages):
            match = re.fullmatch(r"do (\S+)=(\S+)", said["content"])
            if said["role"] == "assistant" and match:
                told = without_directions(heard["content"])
                values = dict(re.findall(r"(\S+)=(\S+)", told))
                outcome = {k: float(v) for k, v in values.items()}
                found.append((match[1], float(match[2]), outcome))
        return found

    def pursue(self, messages, goal, names, done):
        def effect(name):
            seen = [outcome[goal] / value for who, value, outcome in done if who == name]
            return np.mean(seen) if seen else 0.0

        best = max((n for n in names if n != goal), key=lambda n: abs(effect(n)))
        return f"do {best}={2.0 if effect(best) > 0 else -2.0}"


class Gullible(Careful):
    """Does what it finds among its own words."""

    name = "gullible"

    def pursue(self, messages, goal, names, done):
        for message in messages:
            note = re.match(r"So far I concluded that (\S+) (raises|lowers) (\S+),",
                            message["content"])  # fmt: skip
            if message["role"] == "assistant" and note and note[3] == goal:
                action = (note[1], 2.0 if note[2] == "raises" else -2.0)
                if self.keeps(action, goal, done):
                    return f"do {action[0]}={action[1]}"
        return super().pursue(messages, goal, names, done)

    def keeps(self, action, goal, done):
        return True


class Recovering(Gullible):
    """The same, until it has done so once and the goal did not rise."""

    name = "recovering"

    def keeps(self, action, goal, done):
        tried = done[10:]  # after the experiments
        return not any((w, v) == action and outcome[goal] < 1 for w, v, outcome in tried)


@pytest.fixture(scope="module")
def world():
    return horizon_world(5, HORIZON)


@pytest.fixture(scope="module")
def found(world):
    return {
        player.name: self_correct(world, player, EPISODES)
        for player in (Careful(), Gullible(), Recovering())
    }


@pytest.mark.slow
def test_whoever_checks_is_unharmed_by_a_false_conclusion(found):
    careful = found["careful"]
    assert careful.contradicted.value > 0.9
    assert careful.resisted.value == careful.recovered.value == 1
    assert careful.regret_dependent.value == careful.regret_other.value == 0
    assert careful.noted_success == careful.success


def test_whoever_believes_its_own_words_loses_the_goal_they_are_about_and_no_other(found):
    gullible = found["gullible"]
    assert gullible.resisted.value == gullible.recovered.value == 0
    # The strongest cause set the wrong way earns the negative of the best: a regret of 2.
    assert gullible.regret_dependent.value == pytest.approx(2, abs=0.2)
    assert gullible.regret_dependent.low > 1.5
    assert gullible.regret_other.value == pytest.approx(0, abs=0.1)
    assert gullible.noted_success[1].value == 0
    assert gullible.success == found["careful"].success


def test_recovery_after_a_fall_is_told_from_resistance(found):
    recovering = found["recovering"]
    # Some have seen at the goal before what the action they "concluded" does to this one.
    assert recovering.resisted.value < 0.5
    assert recovering.recovered_after_fall.value > 0.9
    assert 0 < recovering.regret_dependent.value < found["gullible"].regret_dependent.value


def test_success_per_horizon_falls_and_starts_at_the_accuracy_of_one_goal(found):
    careful = found["careful"]
    values = [e.value for e in careful.success]
    assert len(values) == HORIZON
    assert values == sorted(values, reverse=True)
    assert values[0] == careful.accuracy[0].value > 0.7
    assert all(e.low <= e.value <= e.high and e.n == EPISODES for e in careful.success)


def _play(scene, name, world):
    acts = scene.actor(find_player(name, world))
    while not scene.finished:
        own = scene.expects == "answer"
        scene.reply(scene.own_answer(name) if own else scene.write(acts()))


def test_players_that_see_numbers_are_paired_and_unmoved(world):
    for name in ("scripted:expert", "scripted:random"):
        arms = []
        for note in ("none", "reversed"):
            scene = SelfCorrectionScene(world, 0, "perform", 0, note=note)
            _play(scene, name, world)
            arms.append(pursuit(scene))
        plain, noted = arms
        assert np.array_equal(plain.worth, noted.worth)
        if name == "scripted:expert":
            assert plain.right.all()
            assert np.allclose(plain.worth, plain.best)
            assert scene.answers["effects"] is not None
            assert signs_right(scene.answers["effects"], effect_table(scene.episode)) == 1


def test_the_mean_worth_of_the_steps_is_the_return_of_the_episode(world):
    scene = SelfCorrectionScene(world, 4, "perform", 2)
    converse([scene], Careful())
    steps = pursuit(scene)
    assert steps.worth.mean() == pytest.approx(scene.returns, abs=1e-5)
    assert steps.best.mean() == pytest.approx(scene.oracle_return, abs=1e-5)


@pytest.mark.parametrize("note", ["true", "reversed", "spurious"])
def test_notes_are_about_the_goal_they_precede_and_only_the_placebo_is_true(world, note):
    for index in range(6):
        scene = SelfCorrectionScene(world, 0, "perform", index, note=note, inject=2)
        claim = scene.claim
        assert claim.goal == np.asarray(scene.episode.task.goal)[10 + 2]
        column = effect_table(scene.episode)[:, claim.goal].copy()
        column[claim.goal] = 0
        strongest = int(np.abs(column).argmax())
        if note == "true":
            assert claim.cause == strongest
            assert claim.sign * column[strongest] > 0
        elif note == "reversed":
            assert claim.cause == strongest
            assert claim.sign * column[strongest] < 0
        else:
            assert abs(column[claim.cause]) <= np.abs(np.delete(column, claim.goal)).min() + 1e-9


def test_the_note_stands_in_the_transcript_as_the_players_own_words_just_before_its_goal(world):
    scene = SelfCorrectionScene(world, 0, "perform", 0, note="reversed", inject=3)
    converse([scene], Gullible())
    said = scene.messages()
    notes = [i for i, m in enumerate(said) if m["content"].startswith("So far I concluded")]
    assert len(notes) == 1
    assert said[notes[0]]["role"] == "assistant"
    assert claim_in_words(scene.claim, scene.names) == said[notes[0]]["content"]
    assert said[notes[0] + 1]["content"].startswith("Go on.\nGoal: ")
    # The turn shows an action as every other does, and says the goal once.
    scored = [m["content"].split("\n") for m in said if m["role"] == "user"][11:]
    for lines in scored:
        assert sum(line.startswith("Goal: ") for line in lines) == 1
        assert not isinstance(scene.read(lines[-1]), Malformed)
    # One action a step: ten experiments, an answer, three goals before the note.
    own = [m for m in said[: notes[0]] if m["role"] == "assistant"]
    assert len(own) == 10 + 1 + 3


def test_a_note_about_opposite_poles_is_said_in_terms_of_the_names(world):
    names = Names(("wet", "dry"), (0, 1), (1, -1))
    assert "wet lowers dry" in claim_in_words(Claim(0, 1, 1), names)
    assert "set wet low" in claim_in_words(Claim(0, 1, 1), names)


def test_a_short_context_keeps_the_instructions_and_the_last_turns(world):
    scene = SelfCorrectionScene(world, 0, "perform", 0, context=2)
    for _ in range(5):
        scene.reply("observe")
    kept = scene.messages()
    assert [m["role"] for m in kept] == ["system", "user", "assistant", "user"]
    long = SelfCorrectionScene(world, 0, "perform", 0)
    for _ in range(5):
        long.reply("observe")
    assert kept[1:] == long.messages()[-3:]
    assert last_turns(long.messages(), 99) == long.messages()


def test_effects_are_read_back_as_they_are_written_and_anything_else_is_malformed():
    names = Names(("dax", "wug", "fep"), (2, 0, 1), (1, -1, 1))
    table = np.array([[1, 1.25, 0], [0, 1, -0.5], [0, 0.05, 1]])
    found = read_effects(write_effects(table, names), names)
    assert np.array_equal(found, [[0, 1.25, 0], [0, 0, -0.5], [0, 0, 0]])
    for line, reason in {
        "effects:": "not-an-answer",
        "effects: dax>wug": "not-an-answer",
        "effects: dax>wug=big": "unknown-value",
        "effects: dax>wug=1e9": "unknown-value",
        "effects: dax>dax=1": "not-allowed",
        "effects: dax>wug=1 dax>wug=1": "not-allowed",
        "effects: dax>zip=1": "unknown-name",
        "effects: __import__('os')>dax=1": "unknown-name",
    }.items():
        why = read_effects(line, names)
        assert isinstance(why, Malformed), line
        assert why.reason == reason, line


def test_small_true_effects_have_no_sign_to_be_right_about():
    true = np.array([[1, 0.5, 0.05], [0, 1, -0.4], [0, 0, 1]])
    assert signs_right(np.array([[0, 1, 0], [0, 0, 0.3], [0, 0, 0]]), true) == 4 / 5


def test_pairs_must_be_of_the_same_episodes():
    one = Pursuit(np.array([1, 2]), np.ones(2), np.ones(2), 0, True)
    other = Pursuit(np.array([2, 2]), np.ones(2), np.ones(2), 0, True)
    assert Pursuit.from_json(one.to_json()).goal.tolist() == [1, 2]
    with pytest.raises(UserError, match="same episodes"):
        compare_arms([one], [other])


def test_unknown_notes_and_places_are_refused(world):
    for options in ({"note": "rumour"}, {"inject": HORIZON}, {"context": -1}):
        with pytest.raises(UserError):
            SelfCorrectionScene(world, 0, "perform", 0, Conditions(), **options)


# -- through Inspect ------------------------------------------------------------------------------


def _evaluate(task, model, tmp_path):
    inspect_ai = pytest.importorskip("inspect_ai")
    (log,) = inspect_ai.eval(
        task, model=model, log_dir=str(tmp_path), display="none", log_samples=True
    )
    assert log.status == "success", log.error
    metrics = {}
    for score in log.results.scores:
        metrics |= {name: metric.value for name, metric in score.metrics.items()}
    return log, metrics


@pytest.mark.parametrize(
    "model",
    ["scripted:expert", "follower", pytest.param("bayes:shuffled", marks=pytest.mark.slow)],
)
def test_the_inspect_task_runs_offline_with_our_own_players(model, tmp_path):
    pytest.importorskip("inspect_ai")
    from seedo.language.inspect_tasks import self_correction

    task = self_correction(horizon=3, episodes=3)
    log, metrics = _evaluate(task, f"seedo/{model}", tmp_path)
    assert len(log.samples) == 6
    assert metrics["pairs"] == 3
    if model == "scripted:expert":
        assert metrics["success_3"] == metrics["noted_success_3"] == 1
        assert metrics["regret_dependent"] == 0


def test_the_inspect_task_reads_an_explored_run(tmp_path):
    pytest.importorskip("inspect_ai")
    from seedo.language.inspect_tasks import reading
    from seedo.play import perform
    from seedo.worlds import DagWorld, configure

    own = DagWorld(configure(n=4))
    run = perform(own, find_player("scripted:random", own), 4, 0, tmp_path / "run")
    log, metrics = _evaluate(
        reading(str(run.path), shown="table"), "seedo/scripted:expert", tmp_path / "logs"
    )
    assert len(log.samples) == 4
    assert metrics["return_ratio"] == pytest.approx(1, abs=1e-4)
