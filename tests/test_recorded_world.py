"""Campaigns that were recorded, as worlds: replayed, emulated, logged and reviewed."""

import dataclasses
import json
import time
import warnings
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import lab_client
import seedo  # noqa: F401  (registers the environments)
from command import run
from seedo import worlds
from seedo.episodes import Dataset, Origin, pools_episodes
from seedo.errors import UserError
from seedo.evaluation import regret, review
from seedo.experimenters import find_player
from seedo.play import perform, watch

RUNS = """temp,ligand,flow,yield,pressure
40,L1,1,10,1.1
40,L1,1,14,1.3
60,L1,2,30,1.2
60,L2,2,50,1.4
80,L2,1,20,1.5
80,L2,3,,1.6
70,L1,3,25,1.2
"""
ROLES = ["temp=factor", "ligand=factor", "flow=factor", "yield=outcome"]
CONFIG = {
    "parameters": [
        {"name": "ligand", "type": "categorical", "options": ["L0", "L1", "L2"]},
        {"name": "temp", "type": "continuous", "low": 20, "high": 90},
    ],
    "measurements": [{"name": "cost", "type": "continuous"}],
    "default_goal": "minimize",
}


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(RUNS)
    return path


def folder(path, config, *rows):
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config))
    (path / "data.csv").write_text("\n".join(rows) + "\n")
    return path


def recorded(path, **options):
    return worlds.make(f"recorded:{path}", **options)


def test_factors_are_knobs_outcomes_goals_and_the_rest_readings(table):
    world = recorded(table, roles=ROLES, runs=5)
    assert [(k.name, k.type) for k in world.space.knobs] == [
        ("temp", "real"), ("ligand", "categorical"), ("flow", "real"),
    ]  # fmt: skip
    assert world.readings == ("yield", "pressure")
    assert world.goals.readings == ("yield",)
    assert len(world.space.listed) == 6
    assert world.spec.phases == (1,) * 5 + (2,)
    # The mean of replicates; the run that failed counts as the worst.
    oracle, random = world.references(None)
    assert (oracle, random) == (50.0, pytest.approx((12 + 30 + 50 + 20 + 12 + 25) / 6))
    assert any("maximize yield" in note for note in world.notes)


def test_replicates_are_drawn_as_they_were_measured(table):
    world = recorded(table, roles=ROLES)
    setting = world.space.read({"temp": 40, "ligand": "L1", "flow": 1})
    rng = np.random.default_rng(0)
    found = [tuple(world.measured(None, setting, rng)) for _ in range(400)]
    assert set(found) == {(10.0, 1.1), (14.0, 1.3)}  # whole rows
    assert 150 < found.count((10.0, 1.1)) < 250
    failed = world.space.read({"temp": 80, "ligand": "L2", "flow": 3})
    assert np.isnan(world.measured(None, failed, rng)[0])
    assert world.worth(None, setting, np.array([14.0, 1.3])) == 12


def test_roles_come_from_a_file_beside_the_table_or_from_what_was_set(table, tmp_path):
    table.with_name("runs.roles.csv").write_text(
        "column,role\ntemp,factor\nligand,factor\nflow,factor\nyield,outcome\n"
    )
    assert recorded(table).space.names == ("temp", "ligand", "flow")
    lines = RUNS.splitlines()
    done = [lines[0] + ",did", *(line + ",temp;ligand;flow" for line in lines[1:])]
    other = tmp_path / "did.csv"
    other.write_text("\n".join(done))
    world = recorded(other, targets="did", goals="minimize pressure")
    assert world.space.names == ("temp", "ligand", "flow")
    assert world.references(None).oracle == pytest.approx(-1.2)


def test_rows_in_which_nobody_set_anything_are_watched_first(tmp_path):
    rows = [f"{i},{i % 3},{i * i},{did}" for i, did in enumerate(["a;b"] * 6 + [""] * 4 + ["a"])]
    path = tmp_path / "both.csv"
    path.write_text("\n".join(["a,b,y,did", *rows]))
    world = recorded(path, targets="did", goals="y", runs=2, watched=3)
    assert len(world.space.listed) == 6
    assert any("1 rows left out: only some" in note for note in world.notes)
    assert world.spec.phases == (0, 0, 0, 1, 1, 2)
    player = find_player("random", world)
    batch = perform(world, player, 2, 0, tmp_path / "run").read_shard(0)
    assert np.isnan(batch.setting[0, :3]).all()
    seen = batch.outcome[0, :3, 2]
    assert set(seen.tolist()) <= {36.0, 49.0, 64.0, 81.0}
    assert len(set(seen.tolist())) == 3
    assert np.isfinite(batch.setting[0, 3:, :2]).all()
    with pytest.raises(UserError, match="4 rows were recorded in which nobody"):
        recorded(path, targets="did", goals="y", watched=5)


def test_the_examples_of_the_documentation(monkeypatch):
    examples = Path(__file__).parents[1] / "examples"
    world = recorded(examples / "reactor/suzuki.csv")
    assert world.space.names == ("ligand", "res_time", "temperature", "catalyst_loading")
    assert world.space.knobs[2].unit == "°C"
    assert (world.goals.readings, world.readings) == (("yield",), ("yield", "turnover"))
    assert world.references(None).oracle == pytest.approx(98.7)
    monkeypatch.chdir(examples / "simulator")
    tank = worlds.make("external:reactor:stirred_tank")
    task, rng = tank.sample(None), np.random.default_rng(0)
    settings = ({"jacket": 352, "time": 70}, {"jacket": 420, "time": 300})
    good, bad = (
        tank.measured(task, tank.space.read(s | {"stirrer": "medium"}), rng) for s in settings
    )
    assert good[1] > 55 > 5 > bad[1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "which columns were set"),
        ({"roles": ROLES[:3]}, "which column is the outcome"),
        ({"roles": ROLES, "goals": "speed"}, 'write "maximize NAME"'),
        ({"roles": ROLES, "goals": "maximize speed"}, "use readings: yield, pressure"),
        ({"roles": ROLES, "goals": "target warm yield"}, "target 7 NAME"),
        ({"roles": [*ROLES, "speed=outcome"]}, "speed"),
        ({"roles": ROLES, "runs": 0}, "whole number from 1"),
        ({"roles": ROLES, "emulator": "magic"}, "use one of replay, gp, forest"),
        ({"roles": ROLES, "emulator": "gp"}, "an emulator needs yield at 10 settings"),
    ],
)
def test_what_cannot_be_is_one_clear_line(table, options, told):
    with pytest.raises(UserError, match=told) as error:
        recorded(table, **options)
    assert "\n" not in str(error.value)


def test_nothing_to_read(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        recorded(tmp_path / "none.csv")
    with pytest.raises(UserError, match=r"data\.csv.*No such file"):
        recorded(tmp_path)
    with pytest.raises(UserError, match="name a table or a folder"):
        worlds.make("recorded")


def test_a_folder_says_goals_and_options(tmp_path):
    world = recorded(folder(tmp_path / "a", CONFIG, "L1,20,3.5", "L2,40,2.5", "L2,90,1.5"))
    ligand, temp = world.space.knobs
    assert (ligand.levels, temp.low, temp.high) == (("L1", "L2"), 20.0, 90.0)
    assert world.notes == ("ligand: never tried, so left out: L0",)
    assert world.goals.each[0].aim == "minimize"
    assert world.references(None) == (-1.5, -2.5)


@pytest.mark.parametrize(
    ("change", "rows", "told"),
    [
        ({}, ["L1,20,3", "L9,30,4"], "its options are L0, L1, L2"),
        ({}, ["L1,20,3", "L1,30"], "data.csv row 2: got '2 values'"),
        ({}, ["L1,20,3", "L1,warm,4"], "row 2, temp: got 'warm'; give a number"),
        ({}, ["L1,20,3", "L1,inf,4"], "row 2, temp"),
        ({}, ["L1,20,3"], "two rows or more"),
        ({}, ["L1,20,3", "L1,20,4"], "nothing was varied"),
        ({}, ["L1,20,", "L2,20,"], "no run that was recorded has them"),
        ({"default_goal": "best"}, ["L1,20,3", "L2,20,4"], "use maximize or minimize"),
        ({"parameters": []}, ["3", "4"], "give a list of objects"),
        ({"measurements": [{"name": "temp"}]}, ["L1,20,3", "L2,20,4"], "two columns have one name"),
    ],
)
def test_a_folder_that_cannot_be_read(tmp_path, change, rows, told):
    with pytest.raises(UserError, match=told) as error:
        recorded(folder(tmp_path / "a", CONFIG | change, *rows))
    assert "\n" not in str(error.value)


def test_several_goals_are_one_sum_in_units_of_their_spread(tmp_path):
    both = [{"name": "cost"}, {"name": "yield"}]
    config = CONFIG | {"measurements": both, "default_goal": ["minimize", "maximize"]}
    world = recorded(folder(tmp_path / "a", config, "L1,20,3,10", "L2,40,1,10", "L1,50,2,40"))
    costs, yields = np.array([3.0, 1, 2]), np.array([10.0, 10, 40])
    values = (-costs / costs.std() + yields / yields.std()) / 2
    assert world.references(None).oracle == pytest.approx(values.max(), rel=1e-6)
    assert recorded(tmp_path / "a", goals="yield").references(None).oracle == 40


@pytest.mark.parametrize("total", [1.0, 100.0])
def test_parts_of_a_whole_are_found_in_the_rows_not_in_the_config(tmp_path, total):
    rng = np.random.default_rng(0)
    names = ("a", "b", "c")
    config = {
        "constraints": {"parameters": "simplex"},
        "parameters": [{"name": n, "type": "continuous", "low": 0, "high": total} for n in names],
        "measurements": [{"name": "y"}],
        "default_goal": "maximize",
    }
    parts = np.round(rng.dirichlet([1, 1, 1], 40), 2)  # which therefore are off by a little
    loose = rng.uniform(size=(40, 3))
    for name, x, count in (("whole", parts, 1), ("loose", loose, 0)):
        rows = [f"{a * total},{b * total},{c * total},{a}" for a, b, c in x]
        world = recorded(folder(tmp_path / name, config, *rows), emulator="gp")
        assert len(world.space.constraints) == count
        drawn = world.space.sample(50, rng)
        assert world.space.allows(drawn).all()
        if count:
            assert drawn.sum(axis=1) == pytest.approx(np.full(50, total))


@pytest.mark.parametrize("kind", ["gp", "forest"])
def test_an_emulator_is_close_to_the_truth_and_says_how_far_it_is_off(tmp_path, kind):
    rng = np.random.default_rng(0)
    x = np.repeat(rng.uniform(0, 10, (60, 2)).round(2), 2, axis=0)
    truth = 50 - (x[:, 0] - 6) ** 2 - 0.5 * (x[:, 1] - 3) ** 2
    y = truth + rng.normal(0, 1.0, len(x))
    rows = [f"{a},{b},{v:.4f}" for (a, b), v in zip(x, y, strict=True)]
    config = {
        "parameters": [{"name": n, "type": "continuous", "low": 0, "high": 10} for n in "ab"],
        "measurements": [{"name": "y"}],
        "default_goal": "maximize",
    }
    world = recorded(folder(tmp_path / "a", config, *rows), emulator=kind)
    assert world.references(None).oracle == pytest.approx(50, abs=3)
    best = np.array([6.0, 3.0])
    assert world.worth(None, best, np.zeros(1)) == pytest.approx(50, abs=3)
    draws = [world.measured(None, best, np.random.default_rng(i))[0] for i in range(60)]
    assert np.std(draws) == pytest.approx(1.0, abs=0.35)  # of replicates
    (note,) = world.notes
    assert "where settings are left out it is off by" in note
    assert "of replicates" in note
    assert float(note.partition("R² ")[2][:4]) > 0.8


def test_logs_tell_how_good_the_best_setting_was_after_each_run(table, tmp_path):
    world = recorded(table, roles=ROLES, runs=4)
    player = find_player("random", world)
    dataset = perform(world, player, 12, 3, tmp_path / "run", name="random")
    batch = dataset.read_shard(0)
    told = json.loads(batch.system[0])["worth"]
    knobs = batch.setting[0, :, :3].astype(np.float64)
    own = [world.worth(None, x, np.zeros(2)) for x in knobs]
    assert told == pytest.approx(own)
    assert batch.returns[0] == pytest.approx(own[-1])
    assert pools_episodes(batch)

    (run_,) = review([tmp_path / "run"]).runs
    worths = np.array([
        json.loads(text)["worth"][:4]
        for shard in range(len(dataset.shards))
        for text in dataset.read_shard(shard).system
    ])  # fmt: skip
    best = np.maximum.accumulate(worths, axis=1)
    oracle, random = (float(v) for v in world.references(None))
    expected = ((oracle - best) / (oracle - random)).mean(axis=0)
    assert [e.value for e in run_.regret.regret] == pytest.approx(expected.tolist(), rel=1e-5)
    assert run_.regret.area.value == pytest.approx(expected.mean(), rel=1e-5)
    assert run_.regret.exact
    assert run_.metrics.return_ratio.value is None
    assert "--set roles=temp=factor,ligand=factor,flow=factor,yield=outcome" in run_.command
    assert "--set runs=4" in run_.command

    watch(world, player, 3, 3, tmp_path / "log")
    measured = regret(Dataset(tmp_path / "log").read_shard(0))
    assert not measured.exact  # no systems in it, so by what was measured
    assert review([tmp_path / "log"]).runs[0].regret is not None


def test_a_log_is_read_where_its_table_is_gone_and_made_again_where_it_is_not(table, tmp_path):
    world = recorded(table, roles=ROLES, runs=3)
    perform(world, find_player("random", world), 2, 0, tmp_path / "run")
    origin = Dataset(tmp_path / "run").origin
    config = json.loads(origin.world_config)
    again = worlds.from_config(origin.world, config)
    assert again == world
    table.write_text(RUNS.replace("50", "51"))
    with pytest.raises(UserError, match="has changed since the log"):
        worlds.from_config(origin.world, config)
    table.unlink()
    with pytest.raises(UserError, match="No such file"):
        worlds.from_config(origin.world, config)
    assert review([tmp_path / "run"]).runs[0].regret.kept.value is not None


def test_the_lab_shows_what_was_set_at_once(table, tmp_path):
    world = recorded(table, roles=ROLES, runs=3)
    (tmp_path / "logs").mkdir()
    perform(world, find_player("random", world), 2, 0, tmp_path / "logs/run")
    browser = lab_client.client(tmp_path / "data", logs=(tmp_path / "logs",))
    assert browser.get("/look/log", params={"log": "run"}).status_code == 200
    found = {}
    for _ in range(100):
        found = browser.get("/api/look/episodes", params={"log": "run"}).json()
        if "error" not in found:
            break
        time.sleep(0.1)
    assert [row["target"] for row in found["rows"]] == [-2, -2]
    steps = browser.get("/api/look/episode", params={"log": "run", "at": "0.0"}).json()["steps"]
    assert [one["target"] for one in steps] == [-1] * 4
    assert steps[0]["did"].startswith("temp = ")
    assert "ligand = L" in steps[0]["did"]


def test_imported_logs_of_such_a_name_stay_nobodys(table):
    recorded(table, roles=ROLES)  # named in this process
    name = f"recorded:{table}"
    assert worlds.kind_of(name, "{}") is worlds.World
    assert worlds.kind_of(name, '{"path": "x"}') is worlds.find("recorded")
    origin = Origin(name, "{}", "train", 0, "somebody", ("a", "b"))
    assert dataclasses.asdict(origin)["world_config"] == "{}"


def test_every_verb(table, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    roles = ",".join(ROLES)
    world = ["--world", "recorded:runs.csv", "--set", f"roles={roles}", "--set", "runs=3"]
    code, out, err = run(capsys, "perform", "random", *world, "--episodes", "6", "--out", "run")
    assert (code, "after 3" in out, "goal: maximize yield" in err) == (0, True, True)
    code, _, _ = run(capsys, "watch", "--experimenter", "random", *world, "--episodes", "4",
                     "--out", "log")  # fmt: skip
    assert code == 0
    code, out, _ = run(capsys, "review", "run", "log", "--out", "report.html")
    assert (code, out.count("random")) == (0, 2)
    assert "Best setting found" in (tmp_path / "report.html").read_text()
    code, out, _ = run(capsys, "review", "run", "--json")
    assert json.loads(out)["groups"][0]["runs"][0]["regret"]["runs"] == [1, 2, 3]
    code, out, _ = run(capsys, "inspect", "run")
    assert (code, "recorded:runs.csv" in out) == (0, True)
    code, _, err = run(capsys, "learn", "log", "--out", "agent", "--batch-size", "1")
    assert (code, "its steps set all knobs at once" in err) == (2, True)
    for player, told in (
        ("scripted:expert", "use one of random, sobol"),
        ("slip-2:random", "leave slip-2: out"),
        ("llm:mockllm/model", "its knobs are set all at once"),
        ("pretrained:dag", "was trained on"),
    ):
        code, _, err = run(capsys, "perform", player, *world, "--out", "b")
        assert (code, told in err, err.count("\n")) == (2, True, 2), err
    code, _, err = run(capsys, "ppo", *world, "--out", "b")
    assert (code, "only worlds of the families" in err) == (2, True)
    code, out, _ = run(capsys, "list", "players", "recorded")
    assert (code, "response-surface" in out) == (0, True)
    code, out, _ = run(capsys, "list", "settings", "recorded")
    assert (code, "emulator" in out) == (0, True)


def test_as_an_environment(table, tmp_path):
    options = {"path": str(table), "roles": ROLES, "runs": 3}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make("seedo/recorded-v0", render_mode="ansi", **options)
        check_env(env.unwrapped)
    env.reset(seed=1)
    setting = {"temp": np.array([0.95]), "ligand": 1, "flow": np.array([0.1])}
    seen, reward, over, _, info = env.step(setting)
    assert info["setting"] == {"temp": 80, "ligand": "L2", "flow": 1}  # the nearest recorded one
    assert (reward, over, seen["observed"].all()) == (0.0, False, True)
    for _ in range(3):
        _, reward, over, _, info = env.step(setting)
    assert (over, reward, info["return"], info["oracle_return"]) == (True, 20.0, 20.0, 50.0)
    assert "kept, reward 20" in env.render()
    measured = gymnasium.make("seedo/recorded-v0", reward="measured", **options)
    measured.reset(seed=1)
    assert measured.step(setting)[1] == 20.0
    both = gymnasium.make_vec("seedo/recorded-v0", num_envs=2, **options)
    assert both.reset(seed=0)[0]["readings"].shape == (2, 2)


def test_actions_are_made_what_constraints_allow(tmp_path):
    config = {
        "parameters": [{"name": n, "type": "continuous", "low": 0, "high": 1} for n in "abc"],
        "measurements": [{"name": "y"}],
        "default_goal": "maximize",
    }
    parts = np.random.default_rng(0).dirichlet([1, 1, 1], 30)
    rows = [",".join(repr(float(v)) for v in (*p, p[0])) for p in parts]
    path = folder(tmp_path / "a", config, *rows)
    env = gymnasium.make("seedo/recorded-v0", path=str(path), emulator="gp", runs=2)
    check_env(env.unwrapped)
    env.reset(seed=0)
    one = np.array([1.0])
    info = env.step({"a": one, "b": one, "c": one})[-1]
    assert sum(info["setting"].values()) == pytest.approx(1)
