"""Studies: what their analyses compute, and that they can be stopped and gone on with."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from importlib.metadata import EntryPoint

import jax
import numpy as np
import pytest

from seedo import play, plugins, studies, worlds
from seedo.episodes import EXPLORE, Dataset, EpisodeBatch, Origin
from seedo.errors import UserError
from seedo.evaluation import HEURISTICS, episode_returns, read
from seedo.experimenters import bayesian, scripted
from seedo.inference.exact import ExactPosterior
from seedo.inference.scores import Rows, as_moments
from seedo.studies import _beliefs, _estimates, _savings, data_fusion, limit, transfer
from seedo.studies._confounding import Hidden, HiddenCauseWorld, Sizes, flagged_shares
from seedo.studies._histories import cut
from seedo.studies._kept import kept_arrays, kept_numbers
from seedo.studies._regime import Cell
from seedo.studies.transfer import _relation
from seedo.worlds import configure, enumerate_dags


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def played(tmp_path, name="rotation", episodes=40, **options) -> Dataset:
    world = worlds.make("dag", split="longer", **options)
    return play.perform(world, bayesian(name, world.config()), episodes, 0, tmp_path / f"{options}")


# -- the protocol ---------------------------------------------------------------------------------


def test_every_study_states_claim_design_and_refutation_and_has_both_scales():
    in_rooms = {"explanations", "deconfounding", "rl-explanations"}
    in_words = {"text-explanations", "meta-scm", "recitation", "prompts", "watched-models"}
    on_graphs = {"heldout-links", "heldout-sets", "data-fusion", "limit"}
    on_graphs |= {"error-accumulation", "context-length", "dagger", "fine-tuning", "data-mix"}
    on_graphs |= {"bounded-rationality", "fragility", "transfer", "parrots-inside", "levels"}
    elsewhere = {"calibration", "lab-vs-reality", "watching-in-the-lab", "people"}
    assert set(studies.names()) == on_graphs | elsewhere | in_rooms | in_words
    for name in studies.names():
        study = studies.find(name)
        assert study.name == name
        assert "" not in (study.claim, study.design, study.refuted_if, study.measures)
        assert (study.draw is None) == (study.shows == "")
        assert set(study.scales) >= {"quick", "full"}


def test_an_unknown_scale_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UserError, match="scale: got 'huge'"):
        studies.study("limit", "huge", tmp_path)
    assert not list(tmp_path.iterdir())


def test_names_fit_a_terminal_and_listing_them_starts_nothing_heavy():
    for name, summary in studies.names().items():
        assert 0 < len(summary)
        assert len(f"{name:20}{summary}") <= 80
    code = "import sys; from seedo import studies; studies.names(); print('jax' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"


def play_a_little(work):
    work.say("busy")
    work.runs.append(str(work.out))
    return [work.scale]


OWN = studies.Study(
    name="own", claim="c", design="d", refuted_if="r", measures="length", scales={"tiny": 3},
    play=play_a_little,
    measure=lambda work, found: {"size": [*found, work.seed]},
    judge=lambda scale, values: ["so", f"it is: {values['size'][0] == scale}"],
    table=lambda scale, values: "| a |\n",
)  # fmt: skip


def test_a_finding_carries_the_study_and_what_came_out(tmp_path):
    said: list[str] = []
    found = OWN.run("tiny", tmp_path, 7, said.append)
    assert said == ["busy"]
    assert asdict(found) == {
        "study": "own", "claim": "c", "design": "d", "refuted_if": "r", "scale": "tiny",
        "measure": "length", "values": {"size": [3, 7]}, "verdict": "so\nit is: True",
        "runs": [str(tmp_path)], "figures": [],
    }  # fmt: skip
    assert json.loads((tmp_path / "study.json").read_text()) == asdict(found)
    assert (tmp_path / "table.md").read_text() == "| a |\n"


def test_a_study_of_others_joins_ours_by_name(tmp_path, monkeypatch):
    places = {
        "own": f"{__name__}:OWN", "limit": f"{__name__}:OWN", "gone": "no_such_module:STUDY",
        "odd": f"{__name__}:played",
    }  # fmt: skip
    points = {name: EntryPoint(name, at, "seedo.studies") for name, at in places.items()}
    monkeypatch.setattr(plugins, "installed", lambda group: points)
    assert studies.study("own", "tiny", tmp_path, say=lambda _: None).values["size"] == [3, 0]
    assert set(studies.names()) >= {"own", "gone", "odd"}
    assert studies.find("limit") is limit.STUDY  # a name of ours cannot be taken
    for name in ("gone", "odd", "nowhere"):
        with pytest.raises(UserError) as refused:
            studies.find(name)
        assert (refused.value.field, refused.value.value) == ("study", name)


def test_a_study_stands_at_a_place_that_can_be_imported():
    assert studies.find(f"{__name__}:OWN") is OWN


def test_numbers_are_computed_once_for_one_question(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return {"a": (1, 2.5)}

    path = tmp_path / "deep" / "numbers.json"
    for _ in range(2):
        assert kept_numbers(path, {"seed": 0}, compute) == {"a": [1, 2.5]}
    assert len(calls) == 1
    kept_numbers(path, {"seed": 1}, compute)
    assert len(calls) == 2
    path.write_text("{half a fi")
    kept_numbers(path, {"seed": 1}, compute)
    assert len(calls) == 3


def test_arrays_are_computed_once_for_one_question(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return {"a": np.arange(3.0)}

    path = tmp_path / "arrays.npz"
    for _ in range(2):
        assert kept_arrays(path, {"seed": 0}, compute)["a"].tolist() == [0, 1, 2]
    assert len(calls) == 1
    kept_arrays(path, {"seed": 1}, compute)
    path.write_bytes(path.read_bytes()[:50])
    kept_arrays(path, {"seed": 1}, compute)
    assert len(calls) == 3


# -- observations and experiments -----------------------------------------------------------------


def test_structure_scores_are_the_averages_over_all_graphs(rng):
    dags = enumerate_dags(3, 2).astype(bool)
    weight = rng.dirichlet(np.full(len(dags), 0.2))
    edges = np.einsum("k,kij->ij", weight, dags)
    for truth in dags:
        pairs = [(0, 1), (0, 2), (1, 2)]
        distance = [
            sum((g[i, j], g[j, i]) != (truth[i, j], truth[j, i]) for i, j in pairs) for g in dags
        ]
        claimed = edges > 0.5
        f1, shd = _beliefs.structure_scores(edges, truth)
        assert shd == pytest.approx(weight @ distance)
        if truth.any():
            precision = (claimed & truth).sum() / max(claimed.sum(), 1)
            recall = (claimed & truth).sum() / truth.sum()
            both = 2 * precision * recall / max(precision + recall, 1e-12)
            assert f1 == pytest.approx(both)


@pytest.mark.slow
def test_beliefs_after_every_experiment_are_those_of_the_rows_up_to_there(tmp_path):
    dataset = played(tmp_path, n=3, observations=4, experiments=3, max_parents=2, episodes=20)
    batch = dataset.read()
    gram, rows = _beliefs.moments_by_experiment(batch)
    scores = _beliefs.scores_by_experiment(dataset)
    exact = ExactPosterior(3, 2)
    systems = [json.loads(text) for text in batch.system]
    with jax.enable_x64(True):
        for episode in (0, 7, 19):
            truth = np.array(systems[episode]["weights"]) != 0
            for t in range(4):
                own = Rows(
                    batch.outcome[episode, : 4 + t].astype(np.float64),
                    batch.target[episode, : 4 + t].astype(np.int32),
                )
                moments = as_moments(own)
                np.testing.assert_allclose(gram[episode, t], moments.gram, atol=1e-9)
                np.testing.assert_allclose(rows[episode, t], moments.rows)
                probability = np.exp(np.asarray(exact.log_probs(own)))
                wrong = [
                    sum(
                        (g[i, j], g[j, i]) != (truth[i, j], truth[j, i])
                        for i, j in ((0, 1), (0, 2), (1, 2))
                    )
                    for g in exact.dags.astype(bool)
                ]
                assert scores["shd"][episode, t] == pytest.approx(probability @ wrong, abs=1e-6)
                bits = -(probability * np.log2(probability)).sum()
                assert scores["bits"][episode, t] == pytest.approx(bits, abs=1e-6)


@pytest.mark.slow
def test_reading_early_returns_what_a_world_with_fewer_experiments_returns(tmp_path):
    long = played(tmp_path, n=3, observations=2, experiments=4)
    scores = _beliefs.scores_by_experiment(long)
    short = played(tmp_path, n=3, observations=2, experiments=2).read()
    assert (long.read().outcome[:, :4] == short.outcome[:, :4]).all()
    np.testing.assert_allclose(scores["return"][:, 2], short.returns, rtol=1e-4, atol=1e-4)


def test_experiments_needed_are_interpolated_between_whole_numbers():
    curve = np.array([0.0, 0.2, 0.6, 0.7])
    assert _savings.experiments_needed(curve, -1.0) == 0
    assert _savings.experiments_needed(curve, 0.2) == pytest.approx(1.0)
    assert _savings.experiments_needed(curve, 0.5) == pytest.approx(1.75)
    assert _savings.experiments_needed(curve, 0.8) == np.inf


def test_a_curve_that_is_two_experiments_ahead_saves_two(rng):
    episodes = np.arange(8.0) + rng.normal(0, 0.5, (500, 1))
    without, having = episodes[:, :6], episodes[:, 2:]
    samples = _estimates.resampled_means([without, having])
    found = _savings.saving(without.mean(0), having.mean(0), 5, tuple(samples))
    assert found == pytest.approx({"value": 2, "low": 2, "high": 2})
    worth = _savings.worth(without.mean(0), having.mean(0), tuple(samples))
    assert worth == pytest.approx({"value": 2, "low": 2, "high": 2})


def test_resampled_means_spread_like_the_standard_error(rng):
    values = rng.normal(3.0, 2.0, (400, 2))
    (means,) = _estimates.resampled_means([values])
    assert means.mean(0) == pytest.approx(values.mean(0), abs=0.02)
    assert means.std(0) == pytest.approx(values.std(0) / 20, rel=0.1)


def test_a_hidden_cause_of_effect_two_correlates_two_variables_by_four_fifths():
    world = HiddenCauseWorld(configure(split="longer", n=3, confounders=1), 2.0)
    tasks = jax.vmap(world.sample)(jax.random.split(jax.random.key(0), 200))
    alone = 0
    for weights in np.asarray(tasks.system.weights):
        assert sorted(np.abs(weights[3])) == [0, 0, 2, 2]
        if not weights[:3].any():
            response = np.linalg.inv(np.eye(4) - weights.T)  # x = W'x + noise
            covariance = response @ response.T
            spread = np.sqrt(np.diag(covariance))
            i, j = np.flatnonzero(weights[3])
            assert abs(covariance[i, j]) / spread[i] / spread[j] == pytest.approx(0.8)
            alone += 1
    assert alone > 0


@pytest.mark.slow
def test_strong_hidden_causes_are_flagged_and_their_absence_is_not(tmp_path):
    sizes = Sizes((Hidden(0, 0.0), Hidden(1, 4.0)), (500,), (60,), 12)
    work = studies.Work(None, tmp_path, say=lambda _: None)
    found = flagged_shares(work, sizes, 3)
    assert found["none/500/60/known noise"]["share"] <= 1 / 12
    assert found["1x4/500/60/known noise"]["share"] >= 0.75
    assert flagged_shares(work, sizes, 3) == found


# -- the limit ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_logs_cut_short_read_like_logs_of_a_world_with_fewer_experiments():
    def log(experiments):
        world = worlds.make("dag", split="longer", n=3, experiments=experiments)
        player = scripted("shuffled+random")
        return play.episodes(world, player, 0, "perform", 0, 30, systems=True)

    short, long = log(2), log(4)
    shortened = cut(long, 2, 6)
    assert shortened.steps == 6
    assert ((shortened.phase == EXPLORE).sum(1) == 2).all()
    own, other = (episode_returns(batch, read(batch)) for batch in (short, shortened))
    for name in ("bayes", *HEURISTICS):
        np.testing.assert_allclose(own[name], other[name], rtol=1e-5, err_msg=name)


def by_hand() -> EpisodeBatch:
    """One episode: an observation, three experiments on A, B, A, and A set for goal B."""
    target = np.array([[-1, 0, 1, 0, 0]])
    return EpisodeBatch(
        origin=Origin("dag", "{}", "train", 0, "hand", ("A", "B")),
        episode_id=np.arange(1),
        phase=np.array([[0, 1, 1, 1, 2]]),
        target=target,
        value=np.where(target < 0, np.nan, 2.0),
        outcome=np.arange(10.0).reshape(1, 5, 2),
        mask=np.ones((1, 2), bool),
        goal=np.array([[-1, -1, -1, -1, 1]]),
        returns=np.zeros(1),
        oracle_return=np.ones(1),
        random_return=np.zeros(1),
    )


def test_cutting_blanks_later_experiments_and_keeps_the_last_step_last():
    short = cut(by_hand(), 1, 6)
    assert short.phase.tolist() == [[0, 1, 0, 0, 0, 2]]
    assert short.target.tolist() == [[-1, 0, -1, -1, -1, 0]]
    assert short.goal.tolist() == [[-1, -1, -1, -1, -1, 1]]
    assert np.isfinite(short.value).tolist() == [[False, True, False, False, False, True]]
    assert short.outcome[0, [0, 1, 5]].tolist() == [[0, 1], [2, 3], [8, 9]]
    assert np.isnan(short.outcome[0, 2:5]).all()


def test_a_log_is_not_cut_to_more_than_it_has():
    with pytest.raises(UserError, match="experiments: got 4"):
        cut(by_hand(), 4, 9)
    with pytest.raises(UserError, match="steps: got 4"):
        cut(by_hand(), 1, 4)


def test_a_cell_is_familiar_if_one_training_set_covers_it():
    def data(**options):
        return {"world_config": worlds.make("dag", **options).config()}

    training = {"data": [data(), data(noise_variance_sd=0.7), data(experiments=10)]}
    familiar = {
        ("train", 1.0, 5), ("train", 1.0, 10), ("train", 0.25, 5), ("train", 2.0, 5),
    }  # fmt: skip
    for split in ("train", "heldout-link"):
        for noise in (0.25, 1.0, 2.0, 4.0):
            for experiments in (2, 5, 10):
                cell = (split, noise, experiments)
                assert limit.trained_on(training, limit.Cell(*cell)) == (cell in familiar)


# -- whole studies, tiny --------------------------------------------------------------------------


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
def test_a_tiny_data_fusion_study_runs_resumes_and_says_what_was_saved(tmp_path):
    scale = data_fusion.Scale(
        choosers=("random",), observations=(0, 200), experiments=5, long=8, episodes=60, unknown=10,
        hidden=Sizes((Hidden(0, 0.0), Hidden(1, 2.0)), (50, 100), (2,), 4),
    )  # fmt: skip
    found = resumed(data_fusion.STUDY, scale, tmp_path)
    assert found.values["savings"]["random/200"]["shd"]["low"] >= 1
    assert "supports the claim (at least 1 saved)" in found.verdict
    assert len(found.values["curves"]["random/0"]["return"]) == 6


@pytest.mark.slow
def test_a_tiny_limit_study_runs_resumes_and_names_what_cannot_be_played(tmp_path):
    scale = limit.Scale(
        cells=(limit.Cell("train", 1.0, 1), limit.Cell("train", 1.0, 10)),
        agents=limit.AGENTS, bayesians=("rotation",), episodes=60,
    )  # fmt: skip
    found = resumed(limit.STUDY, scale, tmp_path)
    assert list(found.values["cannot play"]) == ["train/1/10/pretrained:dag-plain"]
    own = found.values["train/1/1/pretrained:dag-plain"]
    assert own["random_floor"]["value"] < own["return_ratio"]["value"] < 1
    assert own["trained_on"] is False


# -- transfer -------------------------------------------------------------------------------------


def made_up(price: float, transfer: float, **cell) -> dict:
    usual = {"network": "plain", "noise": price, "held": "path", "episodes": 50_000,
             "epochs": 2.0, "world": (), "recipe": ()}  # fmt: skip
    estimate = {"value": price, "low": None, "high": None, "n": 1}
    return {"cell": usual | cell, "price": estimate, "transfer": [transfer]}


def test_the_price_of_an_exclusion_is_ranked_against_transfer_over_worlds():
    falls = {str(i): made_up(i, 1 / (1 + i)) for i in range(6)}
    found = _relation(falls)
    assert found["worlds"] == 6
    assert found["networks"] == {"plain": pytest.approx(-1.0)}
    assert found["mean"]["value"] == pytest.approx(-1.0)
    # Networks that cannot know of the exclusion, and cells of another size, say nothing about it.
    others = {"e": made_up(9, 2.0, network="equivariant"), "d": made_up(9, 2.0, episodes=100)}
    assert _relation(falls | others) == found
    rng = np.random.default_rng(0)
    noise = {str(i): made_up(i, float(rng.random())) for i in range(12)}
    whole = _relation(noise)["mean"]
    assert whole["low"] < 0 < whole["high"]
    assert _relation({})["mean"]["value"] is None


@pytest.mark.slow
def test_a_map_of_transfer_can_be_gone_on_with(tmp_path, monkeypatch):
    tiny = replace(
        transfer.SCALES["quick"],
        cells=(Cell("plain", 0.01, episodes=2048), Cell("scratchpad", 1.0, "arrow", 2048)),
        test_episodes=64,
        priced=(128, 16),
    )
    monkeypatch.setitem(transfer.STUDY.scales, "tiny", tiny)
    first = transfer.STUDY.run("tiny", tmp_path, say=lambda _: None)
    told: list[str] = []
    again = transfer.STUDY.run("tiny", tmp_path, say=told.append)
    assert (again, told) == (first, [])  # nothing is computed twice
    cells = first.values["cells"]
    assert {c["cell"]["network"] for c in cells.values()} == {"plain", "scratchpad"}
    for cell in cells.values():
        for split in ("train", "heldout-link"):
            assert cell[split]["n"] == 64
            assert cell["references"][split]["Bayes"]["value"] > 0.3
    assert (tmp_path / "figure.svg").exists()
