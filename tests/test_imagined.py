"""What a step would have shown: counterfactuals as raw data, beside the truth."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from command import run
from seedo import abstraction, inference, play, worlds
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.inference.exact import Draws
from seedo.inference.questions import imagined_row
from seedo.tables import Table
from seedo.worlds.raw import Encoder, drawing, save_encoder

QUESTION = "what would C have been had A been 1.5 in episode {} step 7?"


def played(folder, out, episodes):
    """A log that was played through an abstraction."""
    seen = worlds.make(f"through:{folder}", experiments=60)
    play.watch(seen, play.find_player("scripted:random", seen), episodes, 5, out, systems=True)
    return Dataset(out)


@pytest.fixture(scope="module")
def lamps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lamps")
    world = worlds.make("raw", n=3, drawing="lamps", drawing_seed=3)
    play.watch(world, play.find_player("scripted:random", world), 900, 0, folder / "logs")
    found = abstraction.abstract(folder / "logs", folder / "found", updates=800)
    return played(found.path, folder / "run", 8)


def imagined(log, episode, question=QUESTION):
    table = inference.log_rows(log.path, episode).table
    return abstraction.imagine(log, question.format(episode), table)


def test_the_truth_is_what_the_same_system_and_noise_would_have_shown(lamps):
    settings = json.loads(lamps.origin.world_config)
    plain = worlds.make("dag", n=3, experiments=60)
    player = play.find_player("scripted:random", plain)
    told = play.episodes(plain, player, 5, "watch", 0, 8)
    seen = lamps.read()
    assert np.array_equal(told.target, seen.target)
    for episode in range(4):
        shot = imagined(lamps, episode).shot
        weights = np.array(json.loads(seen.system[episode])["weights"])
        x, target = told.outcome[episode, 7].astype(float), int(told.target[episode, 7])
        held = {0: 1.5} | ({target: x[target]} if target > 0 else {})
        noise = x - x @ weights
        for variable, value in held.items():
            weights[:, variable], noise[variable] = 0.0, value
        values = np.linalg.solve(np.eye(3) - weights.T, noise)
        look = drawing("lamps", 3, settings["drawing_seed"]).draw
        expected = np.asarray(look(jnp.asarray(values, jnp.float32), jax.random.key(0)))
        assert np.allclose(shot.truth, expected.reshape(-1), atol=1e-4)
        was = np.asarray(look(jnp.asarray(x, jnp.float32), jax.random.key(0))).reshape(-1)
        assert np.std(shot.was - was) == pytest.approx(settings["raw_noise"], rel=0.05)


@pytest.mark.slow
def test_what_would_have_been_shown_is_as_near_the_truth_as_it_says(lamps):
    shots = [found.shot for found in (imagined(lamps, i) for i in range(8)) if found.shot]
    assert len(shots) >= 6
    assert sum(shot.apart <= shot.within for shot in shots) >= len(shots) - 1
    assert np.median([shot.apart for shot in shots]) < shots[0].noise
    for shot in shots:
        assert shot.shape == (32, 32, 3)
        assert (shot.low <= shot.high).all()
        held = (shot.low <= shot.truth) & (shot.truth <= shot.high)
        assert held.mean() > 0.7
        assert shot.variables["A"] == (1.5, 1.5, 1.5)


def test_errors_of_reading_widen_what_follows_from_them():
    size, n = 4000, 2
    weight = np.zeros((size, n, n))
    weight[:, 0, 1] = 2.0
    one = Draws(weight != 0, weight, np.zeros((size, n)), np.ones((size, n)))
    read = np.array([1.0, 5.0]) + np.random.default_rng(0).normal(0, 0.1, (size, n))
    values = one.counterfactual(read, np.zeros(n, bool), {0: 0.0})[:, 1]
    assert values.mean() == pytest.approx(3.0, abs=0.02)
    assert values.std() == pytest.approx(0.1 * 5**0.5, rel=0.05)
    exact = one.counterfactual(np.array([1.0, 5.0]), np.zeros(n, bool), {0: 0.0})
    assert np.allclose(exact[:, 1], 3.0)


def test_beyond_what_was_seen_set_nothing_is_shown(lamps):
    found = imagined(lamps, 0, "what would C have been had A been 30 in episode {} step 7?")
    assert found.shot is None
    assert "from -9 to 9" in found.refused
    assert "guesses" in found.refused


def test_a_row_is_imagined_as_a_whole_only_if_all_of_it_is_identified():
    rng = np.random.default_rng(0)
    a = rng.normal(size=40)
    values = np.c_[a, 2 * a + 0.3 * rng.normal(size=40)]
    asked = "what would B have been had A been 1 in row 5?"
    for was_set in (False, True):
        set_ = np.zeros((40, 2), bool)
        set_[20:, 0] = was_set
        row = imagined_row(asked, Table.from_rows(("A", "B"), values, set_, "rows"))
        assert ("not identified" in row.refused) is not was_set
        assert len(row.values) == (2000 if was_set else 0)
    expected = values[5, 1] + 2 * (1 - values[5, 0])
    assert row.values[:, 1].mean() == pytest.approx(expected, abs=0.15)


def test_what_varies_by_itself_is_not_shown(tmp_path):
    shows = {"drawing": "signals", "drawing_seed": 0, "hands": "single", "raw_noise": 0.02}
    rng = np.random.default_rng(0)
    numbers = 64 * 3
    maps = [(rng.normal(size=(4, 3)), np.zeros(3))], [(rng.normal(size=(3, 4)), np.zeros(4))]
    components = np.linalg.qr(rng.normal(size=(numbers, 4)))[0]
    encoder = Encoder(np.zeros(numbers), components, np.ones(4), np.zeros(3), np.ones(3), *maps)
    knobs = [{"name": name, "error": {"value": 1.0}} for name in "ABC"]
    about = {"n": 3, "shows": shows, "not_separable": [], "set": [-9, 9], "knobs": knobs}
    save_encoder(tmp_path / "found", encoder, about)
    found = imagined(played(tmp_path / "found", tmp_path / "run", 2), 0)
    assert found.shot is None
    assert "vary by themselves" in found.refused


def test_other_questions_and_other_logs_are_refused(lamps, tmp_path):
    with pytest.raises(UserError, match="would B have been"):
        imagined(lamps, 0, "effect of A on C")
    plain = worlds.make("dag", n=3, experiments=60)
    play.watch(plain, play.find_player("scripted:random", plain), 2, 5, tmp_path / "dag")
    with pytest.raises(UserError, match="nothing raw"):
        imagined(Dataset(tmp_path / "dag"), 0)


def test_ask_writes_what_would_have_been_shown(lamps, tmp_path, capsys):
    asked = ("ask", str(lamps.path), QUESTION.format(1), "--out")
    for name in ("a.png", "a.npy", "a.npz"):
        code, out, _ = run(capsys, *asked, str(tmp_path / name))
        assert code == 0
    assert "times its noise" in out
    assert "root mean squared errors: A" in out
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    arrays = np.load(tmp_path / "a.npz")
    assert set(arrays) == {"was", "would", "low", "high", "truth"}
    assert np.array_equal(np.load(tmp_path / "a.npy"), arrays["would"])
    assert run(capsys, *asked, str(tmp_path / "a.npz"))[0] == 2
    out = run(capsys, *asked, str(tmp_path / "b.npz"), "--json")[1]
    shown = json.loads(out)["shown"]["shot"]
    apart = np.sqrt(((arrays["would"] - arrays["truth"]) ** 2).mean())
    assert shown["apart"] == pytest.approx(apart, rel=1e-4)


def test_an_abstraction_says_what_it_is_however_its_folder_is_spelt(lamps, monkeypatch, capsys):
    folder = lamps.path.parent / "found"
    monkeypatch.chdir(folder.parent)
    named = [worlds.make(f"through:{name}") for name in ("found", "./found/", str(folder))]
    assert len(set(named)) == 1
    assert named[0].name == "through:found"
    code, out, _ = run(capsys, "inspect", str(folder))
    assert code == 0
    assert "drawing=lamps" in out
    assert "separable" in out
    kept = json.loads(run(capsys, "inspect", str(folder), "--json")[1])
    assert [knob["name"] for knob in kept["knobs"]] == ["A", "B", "C"]
    about = (folder / "abstraction.json").read_text()
    damaged = json.dumps(json.loads(about) | {"knobs": [1]})
    (folder / "abstraction.json").write_text(damaged)
    code, _, error = run(capsys, "inspect", str(folder))
    (folder / "abstraction.json").write_text(about)
    assert code == 2
    assert "as it was written" in error
