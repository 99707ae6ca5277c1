"""DAgger: who acts, who is asked, what is logged, what is learnt from it."""

from __future__ import annotations

import dataclasses
import json
import shutil

import equinox as eqx
import jax
import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy import stats
from typer.testing import CliRunner

from command import run
from seedo import learning, play, worlds
from seedo.cli import app
from seedo.episodes import EXPLOIT, EXPLORE, OBSERVE, Dataset, summary, write_batch
from seedo.errors import UserError
from seedo.evaluation._replay import reread
from seedo.experimenters import bayesian, scripted
from seedo.learning._decisions import lesson
from seedo.studies import dagger as study

SMALL = (("size", 12), ("channels", 4), ("layers", 2), ("learnt", 4))
PHASES = (OBSERVE,) * 2 + (EXPLORE,) * 6 + (EXPLOIT,) * 2
WORLD = worlds.make("dag", n=3, experiments=6)
FILES = ("agent.json", "weights.safetensors", "optimizer.safetensors", "metrics.jsonl", "job.json")


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    path = tmp_path_factory.mktemp("logs") / "dag"
    play.watch(worlds.make("dag", n=3, experiments=2), scripted("expert"), 200, 0, path)
    return path


def settings(queries=90, **options) -> learning.DaggerRecipe:
    usual = {"rounds": 2, "widths": SMALL, "batch_size": 16, "epochs": 2.0}
    return learning.DaggerRecipe(expert_queries=queries, **(usual | options))


@pytest.fixture(scope="module")
def learnt(logs, tmp_path_factory):
    out = tmp_path_factory.mktemp("dagger") / "agent"
    learning.learn_by_dagger(WORLD, scripted("expert"), [logs], out, settings())
    return out


# -- whom to ask where ----------------------------------------------------------------------------


@pytest.mark.parametrize("ask", ["exploit", "balanced", "uniform"])
@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("queries", [3, 10, 101, 5000])
def test_queries_are_exactly_the_budget_and_every_step_of_the_expert_is_one(ask, beta, queries):
    recipe = settings(queries, rounds=3, ask=ask, beta=beta)
    assert sum(recipe.queries_of(i) for i in range(3)) == queries
    for number in range(3):
        acts, asked = learning.plan_queries(recipe, number, PHASES)
        assert not (acts & ~asked).any()
        assert not asked[:, :2].any()  # nobody is asked what to do where nothing can be done
        assert asked.sum() <= recipe.queries_of(number)
        assert recipe.queries_of(number) - asked.sum() < 8
        if beta < 1:  # else a whole episode may be more than what is left
            assert asked.sum() == min(recipe.queries_of(number), 8 * len(asked))


def test_the_expert_acts_as_often_as_a_coin_of_beta_says():
    recipe = settings(60_000, rounds=3, beta=0.6, decay=0.5)
    for number, beta in enumerate((0.6, 0.3, 0.15)):
        acts, _ = learning.plan_queries(recipe, number, PHASES)
        drawn = acts[:, 2:]
        assert stats.binomtest(int(drawn.sum()), drawn.size, beta).pvalue > 1e-3
        # Steps of an episode are independent: the number of acts is Binomial(8, beta).
        counts = np.bincount(drawn.sum(1), minlength=9)
        expected = stats.binom.pmf(np.arange(9), 8, beta) * len(drawn)
        keep = expected >= 5
        pooled = (
            np.append(counts[keep], counts[~keep].sum()),
            np.append(expected[keep], expected[~keep].sum()),
        )
        assert stats.chisquare(*pooled).pvalue > 1e-3


def test_exploit_steps_are_asked_first_and_balanced_asks_as_many_experiments():
    for ask, experiments in (("exploit", 0), ("balanced", 2)):
        _, asked = learning.plan_queries(settings(4000, ask=ask, beta=0.0), 0, PHASES)
        assert asked[:, 8:].all()
        assert abs(asked[:, 2:8].sum() - experiments * len(asked)) < 4
    _, asked = learning.plan_queries(settings(8000, ask="uniform", beta=0.0), 0, PHASES)
    by_step = asked[:, 2:].sum(0)
    assert stats.chisquare(by_step).pvalue > 1e-3


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"queries": 0}, "expert_queries"),
        ({"queries": 1}, "expert_queries"),
        ({"rounds": 0}, "rounds"),
        ({"beta": 1.5}, "beta"),
        ({"decay": -0.1}, "decay"),
        ({"share": 0.0}, "share"),
        ({"share": 1.0}, "share"),
        ({"ask": "often"}, "ask"),
        ({"epochs": None}, "epochs"),
    ],
)
def test_a_bad_setting_is_named(options, field):
    with pytest.raises(UserError, match=f"^{field}: ") as error:
        settings(**options)
    assert "\n" not in str(error.value)


# -- what is logged -------------------------------------------------------------------------------


@pytest.mark.slow
def test_labels_are_the_oracles_actions_in_the_logged_systems(learnt):
    asked = 0
    for number in range(2):
        dataset = Dataset(learnt / "dagger" / f"round-{number:02d}")
        assert dataset.job["provenance"] == "dagger"
        batch = dataset.read()
        asked += int((batch.label_target >= 0).sum())
        assert dataset.job["queries"] == (batch.label_target >= 0).sum()
        for row, text in enumerate(batch.system):
            expected = np.array(json.loads(text)["expected"])  # [n, V, n]
            goal = batch.goal[row, -1]
            if batch.label_target[row, -1] >= 0:
                worth = expected[:, :, goal].copy()
                worth[goal] = -np.inf
                best = np.unravel_index(worth.argmax(), worth.shape)
                told = batch.label_target[row, -1], batch.label_value[row, -1]
                tied = np.isclose(worth[told[0], int(told[1] > 0)], worth[best], atol=1e-4)
                assert tied
            # An experiment's label is a variable that was tried least up to there.
            for t in np.flatnonzero(batch.label_target[row, :-1] >= 0):
                tried = np.bincount(batch.target[row, :t], minlength=3)
                assert tried[batch.label_target[row, t]] == tried.min()
    assert asked == 90


@pytest.mark.slow
def test_what_is_done_is_the_experts_where_it_acts_and_the_agents_elsewhere(learnt):
    plan = learning.plan_queries(settings(), 0, WORLD.spec.phases)
    batch = Dataset(learnt / "dagger" / "round-00").read()
    acts = plan.acts
    assert (plan.asked == (batch.label_target >= 0)).all()
    assert (batch.target == batch.label_target)[acts].all()
    assert (batch.value == batch.label_value)[acts].all()
    # The agent's own choices, found again by reading the log.
    agent = learning.load_agent(learnt / "dagger" / "start")
    target, value = reread(batch, agent, WORLD.spec)
    assert (target == batch.target)[~acts].all()
    assert (value == batch.value)[~acts].all()


def test_outcomes_are_those_of_the_logged_system_without_noise_beyond_its_own(learnt):
    batch = Dataset(learnt / "dagger" / "round-00").read()
    rows, steps = np.nonzero(batch.target >= 0)
    done = batch.outcome[rows, steps, batch.target[rows, steps]]
    np.testing.assert_array_equal(done, batch.value[rows, steps])
    residual = []
    for row, text in enumerate(batch.system):
        weights = np.array(json.loads(text)["weights"])
        for t in range(batch.steps):
            noise = batch.outcome[row, t] - batch.outcome[row, t] @ weights
            residual += [noise[j] for j in range(3) if j != batch.target[row, t]]
    assert stats.kstest(residual, "norm").pvalue > 1e-3


def test_returns_are_the_exact_expectations_of_what_was_done(learnt):
    batch = Dataset(learnt / "dagger" / "round-01").read()
    for row, text in enumerate(batch.system):
        expected = np.array(json.loads(text)["expected"])
        goal, target = batch.goal[row, -1], batch.target[row, -1]
        worth = expected[target, int(batch.value[row, -1] > 0), goal]
        assert batch.returns[row] == pytest.approx(worth, abs=1e-4)


def test_labels_come_back_from_a_log_and_half_a_label_is_refused(learnt, tmp_path):
    batch = Dataset(learnt / "dagger" / "round-00").read()
    write_batch(tmp_path / "log", batch, shard_rows=5)
    dataset = Dataset(tmp_path / "log")
    assert dataset.optional == ("system", "label_target", "label_value")
    assert dataset.read().equals(batch)
    assert dataset.read(without=("label_target", "label_value")).label_target is None
    with pytest.raises(UserError, match=r"^label_target: "):
        dataclasses.replace(batch, label_value=None)
    wrong = np.where(batch.label_target >= 0, 7, -1)
    with pytest.raises(UserError, match="column label_target"):
        dataclasses.replace(batch, label_target=wrong)


def test_inspect_says_where_episodes_came_from(learnt, logs):
    assert summary(Dataset(logs))["provenance"] == "watched"
    assert summary(Dataset(learnt / "dagger" / "round-00"))["provenance"] == "dagger"


# -- what is learnt -------------------------------------------------------------------------------


def test_a_lesson_from_labels_holds_them_and_nothing_that_was_done(learnt):
    batch = Dataset(learnt / "dagger" / "round-00").read()
    found = lesson(batch, (-2.0, 2.0), None, False)
    labelled = batch.label_target >= 0
    phase = batch.phase
    assert ((found.explore > 0) == (labelled & (phase == EXPLORE))).all()
    assert ((found.exploit > 0) == (labelled & (phase == EXPLOIT))).all()
    rows, steps = np.nonzero(labelled)
    wanted = batch.label_target[rows, steps] * 2 + (batch.label_value[rows, steps] > 0)
    assert (found.action[rows, steps] == wanted).all()
    assert (found.inputs.target == batch.target).all()  # what is seen is what was done


def test_drawn_experiments_are_each_label_equally_often(learnt):
    batch = Dataset(learnt / "dagger" / "round-00").read()
    labels = ((batch.label_target >= 0) & (batch.phase == EXPLORE)).sum(0)
    rng = np.random.default_rng(0)
    steps = [lesson(batch, (-2.0, 2.0), rng, False).steps[0] for _ in range(2000)]
    counts = np.bincount(steps, minlength=batch.steps)
    keep = labels > 0
    assert counts[~keep].sum() == 0
    expected = labels[keep] / labels.sum() * 2000
    assert stats.chisquare(counts[keep], expected).pvalue > 1e-3


def test_the_record_has_a_row_a_round_that_agrees_with_the_logs(learnt):
    record = learning.load_agent(learnt).training["dagger"]
    assert record["queries"] == 90
    for number, row in enumerate(record["by_round"]):
        batch = Dataset(learnt / "dagger" / f"round-{number:02d}").read()
        assert row["queries"] == (batch.label_target >= 0).sum() == 45
        assert row["episodes"] == batch.rows
        ratio = batch.returns.mean() / batch.oracle_return.mean()
        assert row["return_ratio"] == pytest.approx(ratio, abs=1e-4)
    history = learning.load_agent(learnt).history
    steps = [row["step"] for row in history]
    assert steps == sorted(set(steps))
    assert [row["round"] for row in history] == sorted(row["round"] for row in history)


class _Killed(Exception):
    pass


def files(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("moment", [1, 4, 12, 30])
def test_an_interrupted_job_ends_in_the_same_bytes(moment, learnt, logs, tmp_path):
    reports = []

    def stop(report):
        reports.append(report)
        if len(reports) == moment:
            raise _Killed

    arguments = (WORLD, scripted("expert"), [logs], tmp_path / "a", settings())
    with pytest.raises(_Killed):
        learning.learn_by_dagger(*arguments, progress=stop, checkpoint_seconds=0.0)
    with pytest.raises(UserError, match="--resume"):
        learning.learn_by_dagger(*arguments)
    learning.learn_by_dagger(*arguments, resume=True)
    assert files(tmp_path / "a") == files(learnt)
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions)


def test_it_is_gone_on_with_only_as_it_was_begun(learnt, logs, tmp_path):
    shutil.copytree(learnt, tmp_path / "a")
    with pytest.raises(UserError, match="expert_queries"):
        learning.learn_by_dagger(
            WORLD, scripted("expert"), [logs], tmp_path / "a", settings(91), resume=True
        )


@pytest.mark.slow
def test_an_agent_learns_on_from_where_it_was(learnt, logs, tmp_path):
    """One round without steps to speak of leaves the weights where they were."""
    own = {"widths": (), "epochs": 0.1, "learning_rate": 1e-9, "start": str(learnt)}
    recipe = settings(20, rounds=1, **own)
    expert = bayesian("rotation", WORLD.config())
    agent = learning.learn_by_dagger(WORLD, expert, [logs], tmp_path / "a", recipe)
    before, after = (load_file(f / "weights.safetensors") for f in (learnt, tmp_path / "a"))
    assert all(np.allclose(before[name], after[name], atol=1e-6) for name in before)
    assert agent.training["dagger"]["expert"] == "bayes:rotation"
    assert not (tmp_path / "a" / "dagger" / "start").exists()


def test_an_agent_whose_training_goes_on_elsewhere_can_go_on_again(learnt, logs, tmp_path):
    start = learning.load_agent(str(learnt))
    before = jax.tree.leaves(eqx.filter(start.network, eqx.is_array))
    recipe = learning.DaggerRecipe(expert_queries=1, rounds=1, batch_size=16, epochs=0.2)
    weights = []
    for name in "ab":
        learning.learn_round(start, [logs], [], tmp_path / name, recipe)
        weights.append((tmp_path / name / "weights.safetensors").read_bytes())
    assert weights[0] == weights[1]
    assert all(np.isfinite(x).all() for x in before)


# -- the command ----------------------------------------------------------------------------------


def command(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_the_command_says_how_often_the_expert_was_asked(logs, learnt, tmp_path):
    found = command(
        "dagger", logs, "--from", learnt, "--expert-queries", 20,
        "--rounds", 1, "--epochs", 0.1, "--batch-size", 16, "--n", 3, "--set", "experiments=6",
        "--out", tmp_path / "a", "--json",
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert told["queries"] == 20
    assert [row["queries"] for row in told["by_round"]] == [20]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--expert-queries"),
        (("--expert-queries", "5", "--world", "rooms"), "world"),
        (("--expert-queries", "5", "--expert", "scripted:x"), "scripted"),
        (("--expert-queries", "5", "--beta", "2"), "beta"),
    ],
)
def test_a_bad_command_is_refused_in_one_line(logs, tmp_path, capsys, arguments, words):
    code, _, err = run(capsys, "dagger", str(logs), *arguments, "--out", str(tmp_path / "a"))
    assert code == 2
    assert words in err
    assert err.count("\n") == 1
    assert not (tmp_path / "a").exists()


# -- the study ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_tiny_study_runs_resumes_and_stays_within_its_budgets(tmp_path):
    scale = study.Scale(400, 1.0, SMALL, 2, 24, 2, long=4, batch_size=16)
    tiny = dataclasses.replace(study.STUDY, scales={"tiny": scale})
    found = tiny.run("tiny", tmp_path, 0, lambda _: None)
    stamps = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.parquet")}
    again = tiny.run("tiny", tmp_path, 0, lambda _: None)
    assert dataclasses.asdict(again) == dataclasses.asdict(found)
    assert stamps == {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.parquet")}
    json.dumps(dataclasses.asdict(found), allow_nan=False)
    assert found.values["labels imitated"] == 800
    for label, queries in (("dagger 10 %", 80), ("dagger 1 %", 8), ("dagger 10 %, mixed", 80)):
        assert all(0.9 * queries <= q <= queries for q in found.values[label]["queries"])
    assert (tmp_path / "figure.svg").read_text().startswith("<svg")


def test_what_is_won_back_is_a_share_of_what_was_lost():
    def run(value):
        return FakeRun(np.full(20, value), np.full(20, 1.0))

    found = {"imitation": [run(0.5)], "expert": [run(1.0)], "dagger 10 %": [run(0.8)]}
    played = study.Played(70, found, {"dagger 10 %": [7]}, [np.full(20, 0.9)])
    values = study.STUDY.measure(None, played)
    own = values["dagger 10 %"]
    assert own["recovered_bayes"]["value"] == pytest.approx(0.75)
    assert own["recovered_omniscient"]["value"] == pytest.approx(0.6)
    assert own["share_of_labels"] == pytest.approx(0.1)
    assert own["repeated"] == 0.5


@dataclasses.dataclass
class FakeRun:
    returns: np.ndarray
    oracle_return: np.ndarray
    n = 2

    @property
    def phase(self):
        return np.tile([EXPLORE, EXPLORE, EXPLOIT], (20, 1))

    @property
    def target(self):
        return np.tile([0, 1, 0], (20, 1))


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(0.81, 0.9, "supports"), (0.7, 0.9, "leaves open"), (0.6, 0.79, "refutes"),
     (None, None, "leaves open")],
)  # fmt: skip
def test_the_verdict_is_about_the_whole_interval(low, high, word):
    assert study.word({"low": low, "high": high}) == word
