"""Structure questions, information of experiments, and reading others' experiments."""

from __future__ import annotations

import itertools
import json

import jax
import numpy as np
import pytest

from seedo.episodes import write_batch
from seedo.errors import UserError
from seedo.evaluation import (
    identifiable,
    random_scores,
    review,
    score_structures,
    structure_scores,
)
from seedo.evaluation._replay import reread
from seedo.inference.exact import ExactPosterior, likely_arrows
from seedo.inference.graphs import essential_graph
from seedo.inference.scores import Rows
from seedo.language import Conditions, DagScene
from seedo.language.measures import information, read_by_speaker, reading_scene
from seedo.language.scenes import (
    CANNOT,
    LONGEST_ANSWER,
    Malformed,
    letters,
    nonsense,
    read_arrows,
    without_directions,
    write_arrows,
)
from seedo.play import episodes, find_player, origin
from seedo.worlds import EXPLOIT, DagWorld, configure, enumerate_dags

NAMES = nonsense(4, np.random.default_rng(1))
ALL = np.ones(4, bool)


@pytest.fixture(scope="module")
def world() -> DagWorld:
    return DagWorld(configure(n=4, experiments=4))


@pytest.fixture(scope="module")
def small() -> DagWorld:
    """Of its size all that compiles the information gain is made once."""
    return DagWorld(configure(n=3, experiments=2))


@pytest.fixture(scope="module")
def batch(world):
    return episodes(world, find_player("scripted:random", world), 3, "perform", 0, 24, systems=True)


# -- the strict form ------------------------------------------------------------------------------


def test_what_is_written_is_read_back():
    for dag in enumerate_dags(4, 3)[::37]:
        arrows = frozenset((int(i), int(j)) for i, j in np.argwhere(dag))
        assert read_arrows(write_arrows(arrows, NAMES), NAMES, ALL) == arrows


def test_whatever_is_not_the_strict_form_is_malformed():
    a, b, c, _ = NAMES.words
    for line, reason in {
        f"{a}>{b}": "not-an-answer",
        f"arrows: {a}->{b}": "unknown-name",
        f"arrows: {a} > {b}": "not-an-answer",
        f"arrows: {a}>{b}>{c}": "not-an-answer",
        f"arrows: {a}>{b} {a}>{b}": "not-allowed",
        "arrows:": "not-an-answer",
        f"arrows: none {a}>{b}": "not-an-answer",
        f"arrows: {a}>xyzzy": "unknown-name",
        f"arrows: {a}>{b} {b}>{a}": "cycle",
        f"arrows: {a}>{b} {b}>{c} {c}>{a}": "cycle",
        f"arrows: {a}>{a}": "cycle",
        f"do {a}=2.0": "not-an-answer",
    }.items():
        found = read_arrows(line, NAMES, ALL)
        assert isinstance(found, Malformed), line
        assert found.reason == reason, line
    irrelevant = read_arrows(f"arrows: {a}>{b}", NAMES, np.array([True, False, True, True]))
    assert isinstance(irrelevant, Malformed)
    assert irrelevant.reason == "not-allowed"


def test_a_question_is_asked_once_before_the_first_scored_action_and_bad_answers_are_counted(world):
    scene = DagScene(world, 0, "perform", 0, Conditions(structure=True, check=True, attempts=2))
    for _ in range(4):
        assert scene.expects == "action"
        scene.reply("observe")
    assert scene.expects == "thought"
    scene.reply("I believe that nothing influences anything.")
    assert scene.expects == "answer"
    assert "arrows:" in scene.messages()[-1]["content"]
    assert scene.reply("arrows: nobody>knows").reason == "unknown-name"
    assert scene.reply("x" * (LONGEST_ANSWER + 1)).reason == "not-an-action"
    assert scene.expects == "action"
    assert scene.answers == {"arrows": None}
    assert scene.malformed == [(4, "unknown-name"), (4, "not-an-action")]
    assert not scene.passed
    assert scene.step == 4  # no question is an action


@pytest.mark.parametrize("reasoning", [False, True])
def test_a_question_ends_in_an_answer_that_can_be_given_another_one_after_each_refusal(
    world, reasoning
):
    conditions = Conditions(structure=True, attempts=6, reasoning=reasoning)
    asked = [DagScene(world, 0, "perform", index, conditions) for index in range(12)]
    for scene in asked:
        for _ in range(4):
            scene.reply("observe")
    first = {asked_of(scene) for scene in asked}
    assert len(first) == 12
    [scene, *others] = asked
    shown = set()
    for said in ("", "one\ntwo", f"do {scene.names.words[0]}=2.0", "I cannot tell"):
        scene.reply(said)
        shown.add(asked_of(scene))
    assert len(shown) >= 3
    a, b = scene.names.words[:2]
    scene.reply(f"arrows: {a}>{b} {a}>{b}")
    assert "every arrow once" in scene.messages()[-1]["content"]
    for other in others:
        assert other.reply(asked_of(other)) is None
        assert other.expects == "action"


def asked_of(scene) -> str:
    *_, how, line = scene.messages()[-1]["content"].split("\n")
    assert how.endswith("with one line such as:")
    return line


def test_the_expert_answers_with_the_arrows_that_there_are(small):
    drawn = episodes(small, find_player("scripted:random", small), 5, "perform", 0, 3, systems=True)
    for index in range(3):
        scene = DagScene(small, 5, "perform", index, Conditions(structure=True))
        while scene.expects == "action":
            scene.reply("observe")
        weights = json.loads(drawn.system[index])["weights"]
        true = {(int(i), int(j)) for i, j in np.argwhere(np.array(weights))}
        assert (
            read_arrows(scene.own_answer("scripted:expert"), scene.names, np.ones(3, bool)) == true
        )


@pytest.mark.parametrize(
    ("reply", "bare", "strict"),
    [
        ("arrows: none", frozenset(), frozenset()),
        ("none", frozenset(), None),
        ("None.", frozenset(), None),
        ("{0}>{1} {1}>{2}", frozenset({(0, 1), (1, 2)}), None),
        ("I cannot tell whether there is none", None, None),
        ("none of them, or {0}>{1}", None, None),
        ("none\n{0}>{1}", None, None),
        ("do {0}=2.0", None, None),
    ],
)
def test_an_answer_that_is_all_that_is_said_needs_no_mark(world, reply, bare, strict):
    for conditions, found in (
        (Conditions(structure=True, attempts=1), bare),
        (Conditions(structure=True, attempts=1, strict=True), strict),
    ):
        scene = DagScene(world, 0, "perform", 0, conditions)
        for _ in range(4):
            scene.reply("observe")
        scene.reply(reply.format(*scene.names.words))
        assert scene.answers == {"arrows": found}


def test_without_the_condition_nothing_is_asked(world):
    scene = DagScene(world, 0, "perform", 0)
    for _ in range(4):
        scene.reply("observe")
    assert scene.expects == "action"
    assert scene.exploiting


def test_the_bayesian_states_arrows_more_likely_than_not_by_a_listing_of_all_graphs(world):
    scene = DagScene(world, 5, "perform", 1, Conditions(structure=True, attempts=1))
    for word in scene.names.words:
        scene.reply(f"do {word}=2.0")
    line = scene.own_answer("bayes:eig")
    assert scene.own_answer("scripted:random") == CANNOT
    assert scene.reply(line) is None
    seen = scene.episode.seen[1:]
    rows = Rows(
        np.stack([o.outcome for o in seen]).astype(np.float32),
        np.array([o.target for o in seen], np.int32),
    )
    listed = np.asarray(ExactPosterior(4, 2).edge_marginals(rows), np.float64)
    assert scene.answers["arrows"] == likely_arrows(listed)


def test_likely_arrows_never_run_in_a_circle():
    circle = np.zeros((3, 3))
    circle[0, 1], circle[1, 2], circle[2, 0] = 0.6, 0.66, 0.55
    assert likely_arrows(circle) == {(0, 1), (1, 2)}


# -- scores ---------------------------------------------------------------------------------------


def _class_by_force(dag: np.ndarray, targets: list[int]) -> list[np.ndarray]:
    """All DAGs that endless data of these regimes cannot tell from `dag`: same independences.

    Two DAGs give the same distributions iff the graphs without arrows into the target have, for
    every regime, the same links and unshielded colliders.
    """

    def mark(graph: np.ndarray, target: int):
        cut = graph.copy()
        if target >= 0:
            cut[:, target] = False
        links = cut | cut.T
        n = len(cut)
        colliders = {
            (a, b, c)
            for a, b in itertools.combinations(range(n), 2)
            for c in range(n)
            if cut[a, c] and cut[b, c] and not links[a, b]
        }
        return links.tobytes(), frozenset(colliders)

    regimes = sorted(set(targets))
    own = [mark(dag, t) for t in regimes]
    every = enumerate_dags(len(dag), len(dag) - 1).astype(bool)
    return [g for g in every if [mark(g, t) for t in regimes] == own]


@pytest.mark.parametrize("targets", [[-1], [-1, 0], [0, 1], [0, 1, 2, 3], [2, 2, -1]])
def test_compelled_arrows_are_those_that_all_indistinguishable_graphs_share(targets):
    for dag in enumerate_dags(4, 3).astype(bool)[::23]:
        same = np.array(_class_by_force(dag, targets))
        known = identifiable(dag, targets)
        assert np.array_equal(known.compelled, same.all(0))
        told = (same == same[0]).all(0)
        assert np.array_equal(known.scored, told & told.T & ~np.eye(4, dtype=bool))


def test_arrows_into_a_variable_that_is_set_in_every_row_do_not_count():
    for dag in enumerate_dags(4, 3).astype(bool)[::23]:
        known = identifiable(dag, [0, 0, 0])
        assert not known.compelled[:, 0].any()
        assert np.array_equal(known.scored[0], dag[0])
        cut = dag.copy()
        cut[:, 0] = False
        assert np.array_equal(known.compelled, essential_graph(cut, [frozenset([0])])[0])


def test_without_any_row_nothing_is_compelled_and_there_is_no_score():
    dag = enumerate_dags(3, 2)[-1].astype(bool)
    known = identifiable(dag, [])
    assert not known.compelled.any()
    assert np.isnan(structure_scores([], dag, known).compelled)
    assert np.isnan(random_scores(1, dag, known).compelled)


def test_scores_on_a_chain_are_those_counted_by_hand():
    chain = np.zeros((3, 3), bool)
    chain[0, 1] = chain[1, 2] = True
    observed = identifiable(chain, [-1])  # a chain is not oriented by observing
    assert structure_scores([(1, 0), (1, 2)], chain, observed) == (1.0, 0.5, 1.0)
    assert structure_scores([(0, 2)], chain, observed) == (0.0, 0.0, 0.0)
    tested = identifiable(chain, [0, 1, 2])
    found = structure_scores([(0, 1), (1, 2), (0, 2)], chain, tested)
    assert found == pytest.approx((0.8, 0.8, 0.8))
    nothing = np.zeros((3, 3), bool)
    assert structure_scores([], nothing, identifiable(nothing, [0, 1])) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("targets", [[-1], [-1, 1], [0, 1, 2, 3, 4], [3, 3]])
def test_the_floor_in_closed_form_is_the_mean_score_of_simulated_random_graphs(targets):
    rng = np.random.default_rng(0)
    relevant = np.array([True, True, True, True, False])
    for dag in enumerate_dags(5, 2).astype(bool)[[40, 3000, 9000]]:
        known = identifiable(dag, targets)
        for size, kept in ((0, None), (2, None), (5, None), (3, relevant)):
            who = np.flatnonzero(kept) if kept is not None else np.arange(5)
            pairs = list(itertools.combinations(range(len(who)), 2))
            scores = []
            for _ in range(600):
                order = rng.permutation(who)  # arrows along a random order: never a circle
                drawn = rng.choice(len(pairs), size, replace=False)
                arrows = [(int(order[pairs[d][0]]), int(order[pairs[d][1]])) for d in drawn]
                scores.append(structure_scores(arrows, dag, known, kept))
            mean, error = np.mean(scores, 0), np.std(scores, 0) / len(scores) ** 0.5
            expected = np.array(random_scores(size, dag, known, kept))
            known_too = np.isfinite(expected)
            assert np.array_equal(known_too, np.isfinite(mean))
            assert (np.abs(mean - expected)[known_too] <= 4.5 * error[known_too] + 1e-9).all()


def test_a_log_is_scored_with_floor_and_the_bayesian_in_between_lies_nothing(batch):
    systems = [np.asarray(json.loads(text)["weights"]) != 0 for text in batch.system]
    truth = [frozenset((int(i), int(j)) for i, j in np.argwhere(s)) for s in systems]
    report = score_structures(batch, [*truth[:-1], None])
    known = np.isfinite(report.player[:-1])
    assert (report.player[:-1][known] == 1).all()
    assert known[:, :2].all()
    assert np.isnan(report.player[-1]).all()
    assert np.isnan(report.floor[-1]).all()
    assert np.nanmean(report.floor[:, 1]) < np.nanmean(report.bayes[:, 1]) < 1


# -- information ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_expected_bits_are_the_mean_of_what_entropy_really_loses(small):
    """Systems come from the prior, so realised bits are unbiased for expected ones."""
    log = episodes(small, find_player("scripted:random", small), 0, "perform", 0, 1200)
    short = log.take(np.arange(40))
    found = information(short)
    assert np.allclose(found.entropy, _entropies(short), atol=1e-3)
    assert np.allclose(found.chosen[:, 0].std(), 0, atol=0.04)  # all variables alike at first
    lost = -np.diff(_entropies(log), axis=1)
    for step in range(2):
        error = lost[:, step].std() / len(lost) ** 0.5 + found.chosen[:, step].std() / 40**0.5
        assert abs(lost[:, step].mean() - found.chosen[:, step].mean()) < 4 * error


def _entropies(log) -> np.ndarray:
    """Bits before, between and after the two experiments, by listing graphs."""
    posterior, found = ExactPosterior(3, 2), []
    entropy = jax.jit(jax.vmap(posterior.entropy))
    for seen in range(3):
        hidden = np.arange(log.steps) >= seen
        outcome = np.where(hidden[:, None], np.nan, log.outcome).astype(np.float32)
        found.append(np.asarray(entropy(Rows(outcome, log.target.astype(np.int32)))))
    return np.stack(found, 1)


@pytest.mark.slow
def test_greedy_information_gain_loses_nothing_to_itself_and_random_choice_does(world):
    greedy = episodes(world, find_player("bayes:eig", world), 1, "perform", 0, 24)
    found = information(greedy)
    assert abs(found.regret.mean()) < 0.01
    assert found.random_regret[:, 1:].mean() > 0.02
    assert found.entropy.shape == (24, 5)


@pytest.mark.slow
def test_testing_a_variable_again_is_worth_less_than_testing_another(small):
    log = episodes(small, find_player("scripted:random", small), 0, "perform", 0, 40)
    found = information(log)
    again = log.target[:, 0] == log.target[:, 1]
    assert found.regret[again, 1].mean() > found.regret[~again, 1].mean() + 0.02
    # One of three at random: the closed form is the mean over what random choice really did.
    error = (found.chosen - found.random)[:, 1].std() / 40**0.5
    assert abs((found.chosen - found.random)[:, 1].mean()) < 4 * error


@pytest.mark.slow
def test_only_watching_is_judged_as_watching(small):
    """Against realised bits, as above: `chosen` holds what an observation is worth."""
    log = episodes(small, find_player("scripted:none+random", small), 1, "perform", 0, 1200)
    found = information(log.take(np.arange(20)))
    lost = -np.diff(_entropies(log), axis=1)[:, 0]
    error = lost.std() / len(lost) ** 0.5 + found.chosen[:, 0].std() / 20**0.5
    assert abs(lost.mean() - found.chosen[:, 0].mean()) < 4 * error
    assert (found.regret[:, 0] > 0).all()


# -- reading --------------------------------------------------------------------------------------


class _Repeats:
    """A speaker that does at exploit steps what it is told to in advance."""

    name = "repeats"

    def __init__(self, action):
        self.action = action

    def replies(self, conversations):
        return [self.action(messages) for messages in conversations]


@pytest.mark.parametrize("shown", ["turns", "table"])
def test_a_reader_sees_the_logged_experiments_and_only_exploits(world, batch, shown):
    scene = reading_scene(batch, 5, Conditions(decimals=2), world=world, shown=shown)
    assert scene.exploiting
    assert scene.step == 4
    said = "\n".join(without_directions(m["content"]) for m in scene.messages())
    for outcome in batch.outcome[5][:4]:
        for variable in range(4):
            assert (
                f"{scene.names.words[variable]}={outcome[variable]:.2f}".replace("=-0.00", "=0.00")
                in said
            )
    roles = [m["role"] for m in scene.messages()]
    assert roles.count("assistant") == (4 if shown == "turns" else 0)
    assert roles[-1] == "user"
    assert all(a != b for a, b in itertools.pairwise(roles))


def test_a_reader_that_acts_as_the_log_gets_the_returns_of_the_log(world, batch):
    last = batch.phase[0] == EXPLOIT

    def same(messages):
        row = same.row % batch.rows
        same.row += 1
        names = reading_scene(batch, row, world=world).names
        target, value = batch.target[row][last][0], batch.value[row][last][0]
        return f"do {names.words[target]}={value:.1f}"

    same.row = 0
    read = read_by_speaker(batch, _Repeats(same), world=world)
    assert np.array_equal(read.targets[:, 0], batch.target[:, last][:, 0])
    assert np.allclose(read.returns, batch.returns, atol=1e-6)
    assert not read.malformed.any()


def test_a_log_of_another_stream_is_refused(world, batch):
    with pytest.raises(UserError, match="stream"):
        reading_scene(batch, 0, world=world, stream="validation")


def _told(small) -> list[DagScene]:
    scenes = [DagScene(small, 3, "perform", i) for i in range(6)]
    for scene in scenes:
        for word in scene.names.words[:2]:
            scene.reply(f"do {word}=2.0")
        while not scene.finished:
            scene.reply("what?")
    return scenes


@pytest.mark.slow
def test_what_a_scene_was_told_is_read_by_others_from_its_log(small):
    """A language model's experiments, read by the Bayesian: as for any other log."""
    log = DagScene.log(origin(small, "llm:any", 3), _told(small), systems=True)
    target, _ = reread(log, find_player("bayes:shuffled", small), small.spec)
    assert ((target[:, 2] >= 0) & (target[:, 2] != log.goal[:, 2])).all()
    assert information(log).chosen.shape == (6, 2)
    bayes = score_structures(log, [None] * 6).bayes
    assert np.isfinite(bayes[:, 1]).all()


@pytest.mark.slow
def test_review_takes_the_log_of_a_scene_and_gives_it_to_readers(small, tmp_path):
    log = DagScene.log(origin(small, "llm:any", 3), _told(small), systems=True)
    write_batch(tmp_path / "run", log)
    reader = find_player("bayes:shuffled", small)
    found = review([tmp_path / "run"], readers={"bayes:shuffled": lambda *_: reader})
    (group,) = found.groups
    own = group.runs[0].metrics.readers["bayes:shuffled"].bayes_ratio
    assert own.value == pytest.approx(1.0, abs=1e-4)


def test_letters_keep_the_order_of_the_log():
    assert write_arrows([(2, 0), (0, 1)], letters(("A", "B", "C"))) == "arrows: A>B C>A"
