"""Study `meta-scm`: its familiar system, its corpora, its analysis, and that it can be resumed."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pytest

from seedo import evaluation, play
from seedo.evaluation import BAYES, HEURISTICS
from seedo.experimenters import scripted
from seedo.language.scenes import NONSENSE, Malformed
from seedo.language.text import PAD_ID, text_lesson
from seedo.play import Live
from seedo.statistics import Estimate
from seedo.studies import meta_scm
from seedo.studies._familiar import FamiliarScene, FamiliarWorld, tell_facts
from seedo.studies.meta_scm import GIVEN, Learner, Scale, analyse, judge

ROWS = 64


@pytest.fixture(scope="module")
def world():
    return FamiliarWorld(0, experiments=0, **meta_scm.WORLD)


@pytest.fixture(scope="module")
def tested_world():
    return FamiliarWorld(0, experiments=3, **meta_scm.WORLD)


@pytest.fixture(scope="module")
def facts(tested_world):
    return play.episodes(
        tested_world, scripted("none+expert"), 0, "watch", 0, ROWS, explain="effects"
    )


@pytest.fixture(scope="module")
def total(world):
    """Effects of each variable on each, by matrix inversion."""
    weights = np.asarray(world.system.weights, np.float64)
    return np.linalg.inv(np.eye(len(weights)) - weights)


# -- the familiar system --------------------------------------------------------------------------


def test_expectations_are_the_total_effects_of_the_big_system(world, total):
    expected = np.asarray(world.expected(world.system))
    for v, value in enumerate(world.spec.do_values):
        np.testing.assert_allclose(expected[:, v], total * value, atol=1e-4)


def test_every_variable_is_shown_and_asked_for_as_often_as_any_other(world):
    tasks = jax.vmap(world.draw)(jax.random.split(jax.random.key(0), 3000))
    shown, goal = np.asarray(tasks.relevant), np.asarray(tasks.goals)[:, 0]
    assert (shown.sum(1) == 3).all()
    assert shown[np.arange(3000), goal].all()
    assert len(np.unique(shown, axis=0)) == 220  # 12 choose 3
    assert np.bincount(goal, minlength=12) == pytest.approx(np.full(12, 250), abs=80)


def test_a_system_and_its_goal_do_not_depend_on_the_experiments(world, tested_world):
    for index in range(4):
        first, second = (Live(w, 0, "perform", index) for w in (world, tested_world))
        assert (np.asarray(first.task.relevant) == np.asarray(second.task.relevant)).all()
        assert int(first.task.goal[-1]) == int(second.task.goal[-1])
        assert first.oracle_return == second.oracle_return


# -- sentences about facts ------------------------------------------------------------------------


def test_what_is_told_are_the_effects_among_the_variables_shown_and_the_best_action(facts, total):
    for row in range(ROWS):
        lines = tell_facts(facts, row, np.random.default_rng(row), True)
        shown = lines[0].content.split("\n")[0].removeprefix("Variables: ").split(" ")
        assert {NONSENSE.index(w) for w in shown} == set(np.flatnonzero(facts.mask[row]))
        told = [line.content for line in lines if line.kind == "explained"]
        said = {}
        for line in told[0].split("\n") if told else []:
            cause, _, items = line.partition(": ")
            said |= {(cause, i.split("=")[0]): float(i.split("=")[1]) for i in items.split(" ")}
        for cause in shown:
            for effect in shown:
                if cause != effect:
                    true = total[NONSENSE.index(cause), NONSENSE.index(effect)]
                    assert said.pop((cause, effect), 0.0) == pytest.approx(true, abs=0.0501)
        assert not said
        *observed, answer = [line for line in lines if line.role == "assistant"]
        assert {line.content for line in observed} <= {"observe"}
        [goal] = [w for line in lines for w in line.content.split("Goal: ")[1:]]
        values = {
            f"do {w}={v:.1f}": v * total[NONSENSE.index(w), NONSENSE.index(goal)]
            for w in shown if w != goal for v in (2.0, 4.0)
        }  # fmt: skip
        assert values[answer.content] == pytest.approx(max(values.values()), abs=1e-4)


def test_facts_come_first_as_often_as_last_after_none_to_all_observations(facts):
    rng = np.random.default_rng(0)
    texts = [tell_facts(facts, row % ROWS, rng, True) for row in range(400)]
    some = [text for text in texts if any(line.kind == "explained" for line in text)]
    assert len(some) > 100
    assert abs(np.mean([text[1].kind == "explained" for text in some]) - 0.5) < 0.15
    observed = [sum(line.content == "observe" for line in text) for text in texts]
    assert np.bincount(observed, minlength=4) == pytest.approx(np.full(4, 100), abs=30)


def test_results_are_those_that_the_log_holds(facts):
    for row in range(8):
        lines = tell_facts(facts, row, np.random.default_rng(row), False)
        results = [line.content.split("\n")[0] for line in lines if line.role == "user"][1:]
        for step, text in enumerate(results):
            for item in text.split(" "):
                word, value = item.split("=")
                logged = facts.outcome[row, step, NONSENSE.index(word)]
                assert float(value) == pytest.approx(logged, abs=0.0501)


def test_a_test_without_experiments_asks_what_was_read(world, facts):
    scene = FamiliarScene(world, 0, "watch", 5)
    [_, asked] = scene.messages()
    read = next(
        [line.content for line in lines]
        for lines in (tell_facts(facts, 5, np.random.default_rng(k), False) for k in range(99))
        if len(lines) == 2
    )
    opening, question = asked["content"].split("\n")
    assert question == read[0].split("\n")[1]
    assert sorted(opening.split(" ")) == sorted(read[0].split("\n")[0].split(" "))
    assert scene.reply(read[1]) is None
    assert scene.finished
    assert scene.returns == pytest.approx(scene.oracle_return)


def test_only_the_variables_shown_can_be_set_and_seen(tested_world):
    scene = FamiliarScene(tested_world, 0, "perform", 0)
    shown = scene.messages()[1]["content"].removeprefix("Variables: ").split(" ")
    assert len(shown) == 3
    for word in (*NONSENSE, "nothing"):
        assert isinstance(scene.read(f"do {word}=2.0"), Malformed) == (word not in shown)
    hidden = next(w for w in NONSENSE if w not in shown)
    assert all(w in scene.read(f"do {hidden}=2.0").remedy for w in shown)
    scene.reply(f"do {shown[0]}=2.0")
    said = scene.messages()[-1]["content"].splitlines()[0]
    results = dict(item.split("=") for item in said.split(" "))
    assert list(results) == shown
    assert results[shown[0]] == "2.0"


@pytest.mark.parametrize("corpus", meta_scm.CORPORA)
def test_corpora_have_equal_tokens_in_minibatches_of_equal_tokens(corpus):
    each, shares = {"about": 22.7, "episodes": 87.9}, meta_scm.CORPORA[corpus]
    rows, batch_size = meta_scm.sizes(1_000_000, shares, each)
    for source, share in shares.items():
        assert rows[source] * 0.95 * each[source] == pytest.approx(1e6 * share, rel=1e-3)
    mean = sum(rows[s] * each[s] for s in rows) / sum(rows.values())
    assert batch_size * mean == pytest.approx(meta_scm.STEP_TOKENS, rel=0.04)


def test_tokens_of_a_text_are_those_that_a_network_is_given(facts):
    lesson = text_lesson(facts, np.random.default_rng(0), True, 256, tell_facts)
    given = 1 + (lesson.action != PAD_ID).sum(1)
    assert meta_scm.mean_tokens(facts, True, meta_scm._tell) == pytest.approx(given.mean())


# -- analysis -------------------------------------------------------------------------------------


def returns(rng, share, spread=0.2, size=400):
    """Returns of a player that gets a share of an omniscient return of about 1."""
    oracle = rng.uniform(0.5, 1.5, size)
    agent = share * oracle + spread * rng.normal(size=size)
    none = np.full(size, np.nan)
    own = {"agent": agent, "oracle": oracle, "random": np.zeros(size), BAYES: 0.8 * oracle}
    own |= {name: 0.5 * oracle for name in HEURISTICS}
    return own | {"malformed": np.zeros(size), "replies": np.full(size, 4.0), "unknown": none}


def models(shares, count=1, **options):
    found = []
    for seed in range(count):
        cells = {
            cell: returns(np.random.default_rng([seed, len(cell)]), share, **options)
            for cell, share in shares.items()
        }
        for cell in ("new, 0", GIVEN):  # the same systems
            cells[cell] = cells[cell] | {"oracle": cells["new, 3"]["oracle"]}
        found.append(Learner(1e6, cells))
    return found


def shares(*values):
    return dict(zip((*meta_scm.CELLS, GIVEN), values, strict=True))


PARROT = shares(1.0, 0.9, 0.0, 0.0, 0.0)
DISCOVERER = shares(0.0, 0.6, 0.0, 0.7, 0.7)


def references():
    return {cell: returns(np.random.default_rng(9), 0.5) for cell in ("familiar, 3", "new, 3")}


def test_a_parrot_and_a_discoverer_support_the_claim_and_their_shares_are_found():
    found = {"about": models(PARROT, 3), "episodes": models(DISCOVERER, 3)}
    analysis = analyse(found, references())
    assert analysis["judgement"] == "supports"
    assert "supports the claim" in meta_scm.STUDY.judge(None, analysis)[-1]
    for corpus, true in (("about", PARROT), ("episodes", DISCOVERER)):
        for cell, share in true.items():
            assert analysis["shares"][corpus][cell].value == pytest.approx(share, abs=0.05)
            assert len(analysis["by_model"][corpus][cell]) == 3
    assert analysis["gains"]["episodes"]["new, 3"].value == pytest.approx(0.7, abs=0.05)
    assert analysis["apart"].low < 0.7 < analysis["apart"].high
    assert analysis["of_bayes"]["episodes"].value == pytest.approx(0.7 / 0.8, abs=0.06)
    assert analysis["power"].n == 400


@pytest.mark.parametrize(
    ("about", "episodes"),
    [
        (DISCOVERER | {"familiar, 0": 1.0}, DISCOVERER),
        (PARROT | {GIVEN: 0.4}, DISCOVERER),
        (PARROT | {"familiar, 0": 0.2}, DISCOVERER),
        (PARROT, PARROT),
    ],
)
def test_a_discovering_reader_of_facts_or_one_that_learns_nothing_refutes_it(about, episodes):
    analysis = analyse({"about": models(about), "episodes": models(episodes)}, references())
    assert analysis["judgement"] == "refutes"
    assert "refutes the claim" in meta_scm.STUDY.judge(None, analysis)[-1]


def test_too_few_systems_leave_the_claim_open():
    found = {"about": models(PARROT, size=12, spread=2.0), "episodes": models(DISCOVERER, size=12)}
    small = {cell: returns(np.random.default_rng(9), 0.5, size=12) for cell in references()}
    analysis = analyse(found, small)
    assert analysis["judgement"] == "leaves open"
    assert "leaves the claim open" in meta_scm.STUDY.judge(None, analysis)[-1]


def test_an_interval_that_is_missing_leaves_the_claim_open():
    sure = Estimate(0.9, 0.8, 1.0, 9)
    none = Estimate(0.0, -0.05, 0.05, 9)
    gains = {"about": {"new, 3": none, GIVEN: none}, "episodes": {"new, 3": sure}}
    assert judge(sure, gains, 0.0) == "supports"
    assert judge(Estimate(0.9), gains, 0.0) == "leaves open"


def test_a_model_that_cannot_speak_supports_nothing():
    sure, none = Estimate(0.9, 0.8, 1.0, 9), Estimate(0.0, -0.05, 0.05, 9)
    gains = {"about": {"new, 3": none, GIVEN: none}, "episodes": {"new, 3": sure}}
    assert judge(sure, gains, 0.5) == "leaves open"


def test_the_difference_between_corpora_is_paired_by_system():
    rng = np.random.default_rng(0)
    about, episodes = models(PARROT)[0], models(DISCOVERER)[0]
    hard = rng.normal(size=400)  # what makes a system easy or hard for both
    for cell, own in about.cells.items():
        same = about.cells["new, 3"]["oracle"]
        own["agent"], own["oracle"] = hard.copy(), same
        episodes.cells[cell]["agent"], episodes.cells[cell]["oracle"] = hard + 0.5, same
    analysis = analyse({"about": [about], "episodes": [episodes]}, references())
    assert analysis["apart"].high - analysis["apart"].low < 0.05
    assert analysis["power"].sd == pytest.approx(0.0, abs=1e-9)


# -- the whole ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_study_ends_in_a_verdict_and_resumes_to_the_same(tmp_path):
    widths = (("size", 16), ("layers", 1), ("heads", 2), ("inner", 24), ("longest", 256))
    scale = Scale(("about", "episodes", "both"), 60_000, widths, 24, 2)
    study = replace(meta_scm.STUDY, scales={"tiny": scale})
    lines: list[str] = []
    first = study.run("tiny", tmp_path, 0, lines.append)
    assert " the claim" in first.verdict
    assert "Power:" in first.verdict
    assert all("<svg" in (tmp_path / figure).read_text() for figure in first.figures)
    tokens = [t for own in first.values["tokens"].values() for t in own]
    assert max(tokens) < 1.1 * min(tokens)
    assert study.run("tiny", tmp_path, 0, lines.append) == first
    report = evaluation.review(first.runs)
    assert not report.problems
    assert len(report.runs) == len(first.runs)
