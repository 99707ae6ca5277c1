"""Studies of long tasks: what their analyses compute, and that they run, resume and tell."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy import integrate, stats

from seedo import learning, play
from seedo.episodes import Dataset
from seedo.experimenters import Slipping, scripted
from seedo.studies import Work, _long_tasks, context_length, error_accumulation
from seedo.studies._long_tasks import echo, energy_share, pair_statistics


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.slow
def test_reading_early_is_playing_a_task_with_fewer_experiments(tmp_path):
    agent = learning.load_agent("pretrained:dag")
    long, short = (
        play.perform(_long_tasks.one_goal_world(t), agent, 200, 0, tmp_path / str(t))
        for t in (12, 6)
    )
    work = Work(None, tmp_path)
    found = _long_tasks.returns_after(work, long, agent, (6, 12), "returns.npz")
    for place, dataset in ((0, short), (1, long)):
        batch = dataset.read()
        # Programs of other shapes round otherwise, which now and then decides a tie.
        agree = np.abs(found["agent"][:, place] - batch.returns) < 1e-3
        assert agree.mean() > 0.98
        np.testing.assert_allclose(found["oracle"][:, place], batch.oracle_return, atol=1e-3)


@pytest.mark.slow
def test_returns_by_round_average_to_those_of_the_log(tmp_path):
    work = Work(None, tmp_path)
    world = _long_tasks.rounds_world(15, drift=0.2)
    dataset = play.perform(world, scripted("largest-effect"), 30, 0, tmp_path / "run")
    some = _long_tasks.returns_in_rounds(work, dataset, (5, 15), "a.npz")
    every = _long_tasks.returns_of_all_rounds(work, dataset, "b.npz")
    assert "bayes" not in some
    np.testing.assert_array_equal(some["agent"], every["agent"][:, [0, 2]])
    batch = dataset.read()
    np.testing.assert_allclose(every["agent"].mean(1), batch.returns, atol=1e-3)
    np.testing.assert_allclose(every["random"].mean(1), batch.random_return, atol=1e-3)


def test_the_energy_share_of_two_normals_is_that_of_their_distances(rng):
    a, b, c = rng.normal(size=(3, 1500, 1))
    assert energy_share(a, b) == pytest.approx(0, abs=0.003)
    # Differences are N(0, 2) within and N(2, 2) across: their mean sizes by quadrature.
    across, within = (
        integrate.quad(lambda x, m=m: abs(x) * stats.norm.pdf(x, m, 2**0.5), -20, 20)[0]
        for m in (2, 0)
    )
    assert energy_share(a, c + 2) == pytest.approx(1 - within / across, abs=0.02)


def test_pair_statistics_are_sums_over_the_rows_before_the_step():
    world = _long_tasks.rounds_world(10)
    batch = play.episodes(world, scripted("random"), 0, "watch", 0, 8)
    steps = np.full(8, 9)
    found = pair_statistics(batch, steps, 3)
    for i in range(8):
        goal, matches = batch.goal[i, 9], 0
        for cause in set(range(5)) - {int(goal)}:
            rows = [t for t in range(9) if batch.target[i, t] != goal]
            x, y = batch.outcome[i, rows, cause], batch.outcome[i, rows, goal]
            hand = batch.target[i, rows] == cause
            own = [
                x @ y / (1 + x @ x), x[hand] @ y[hand] / (1 + x[hand] @ x[hand]),
                np.log1p(len(rows)), np.log1p(hand.sum()),
            ]  # fmt: skip
            matches += np.allclose(found[i, [0, 1, 6, 7]], own, atol=1e-5)
        assert matches == 1


def test_an_echo_ends_where_the_loss_can_no_longer_be_told_from_none(rng):
    right = rng.normal(1.0, 0.3, (500, 6))
    wrong = right + rng.normal(0.0, 0.1, (500, 6))
    wrong[:, 1:3] -= 0.5
    wrong[:, 4] -= 0.5  # too late to be called an echo
    found = echo(right, wrong, np.ones((500, 6)), 5)
    assert [e["steps_later"] for e in found["loss"]] == [4, 9, 14, 19, 24]
    assert found["loss"][0]["value"] == pytest.approx(0.5, abs=0.03)
    assert found["steps"] == 9
    assert echo(right, right, np.ones((500, 6)), 5)["steps"] == 0


@pytest.mark.slow
def test_labels_are_what_was_meant_in_the_very_same_episodes():
    world = _long_tasks.one_goal_world(3)
    player = Slipping(scripted("expert"), 0.5)
    batch = play.episodes(world, player, 0, "watch", 0, 200, systems=True)
    labelled = _long_tasks.meant_as_labels(batch)
    assert (labelled.target == batch.target).all()
    expected = np.array([json.loads(text)["expected"] for text in batch.system])
    goal, rows = batch.goal[:, -1], np.arange(200)
    meant = expected[rows, labelled.label_target[:, -1],
                     (labelled.label_value[:, -1] > 0).astype(int), goal]  # fmt: skip
    np.testing.assert_allclose(meant, batch.oracle_return, atol=1e-4)
    assert 0.5 < (batch.target == labelled.label_target).mean() < 0.9


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


@pytest.mark.slow
def test_a_tiny_context_length_study_runs_resumes_and_weighs_memories(tmp_path):
    scale = context_length.Scale(("scripted:largest-effect",), (5,), (0.0, 0.3), (5, 50), 200)
    found = resumed(context_length.STUDY, scale, tmp_path)
    gain = found.values["gain"]
    # The weights of round 9 are all but unrelated to those of rounds 4 and 5.
    assert gain["scripted:largest-effect/0.3"]["low"] > 0
    assert gain["scripted:largest-effect/0"]["high"] < 0
    assert found.verdict.count("supports the claim") == 2


@pytest.mark.slow
def test_a_tiny_error_accumulation_study_runs_resumes_and_reports_all_parts(tmp_path):
    scale = error_accumulation.Scale(1200, 1.0, (5, 10), 0.3, 60, 60, 50, ("narrow",), 1)
    found = resumed(error_accumulation.STUDY, scale, tmp_path)
    first = found.values["seeds"][0]
    for task in error_accumulation.TASKS:
        for kind in error_accumulation.EXPERTS:
            figures = first[f"{task}/{kind}"]
            assert len(figures) == 2
            assert ("bayes_ratio" in figures[0]) == (task != "drift")
            assert -0.1 < figures[0]["divergence"] < 1
    assert set(first["echo/narrow"]) == {
        f"{kind}, memory {memory}" for kind in ("misread", "slip") for memory in ("all", "last 16")
    }
    assert found.values["horizon bar"]["relative loss"]["n"] == 60
    logs = {kind: Dataset(tmp_path / "seed-0" / "logs" / f"{kind}-0").read()
            for kind in ("noisy", "correcting")}  # fmt: skip
    np.testing.assert_array_equal(logs["noisy"].outcome, logs["correcting"].outcome)
