"""Systems of the user's own, as worlds: played, logged, and what happens when they fail."""

import json
import shutil
import signal
import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import seedo  # noqa: F401  (registers the environments)
from command import run
from seedo import worlds
from seedo.episodes import Dataset, pools_episodes
from seedo.errors import UserError
from seedo.evaluation import review
from seedo.experimenters import Proposer, find_player
from seedo.play import perform
from seedo.worlds.external import EndpointError
from test_endpoints import body, serving

RIGS = '''
import os
import time
from pathlib import Path

SPEC = {
    "knobs": {"x": {"low": 0, "high": 1}, "kind": {"levels": ["a", "b"]}},
    "constraints": [{"forbid": {"kind": "b", "x": "> 0.5"}}],
    "readings": ["y", "z"],
    "goals": {"y": {"aim": "maximize"}},
}

def rig(run):
    return lambda: SPEC | {"run": run}

good = rig(lambda s, seed: {"y": s["x"] + (s["kind"] == "b") + seed * 1e-12, "z": seed})
partly = rig(lambda s: {"y": None, "z": 1})

def counted(setting, file=Path("made.txt")):
    """Fails from the fifth run to the seventh."""
    made = len(file.read_text()) if file.exists() else 0
    file.write_text("x" * (made + 1))
    if 4 <= made < 7:
        os._exit(5)
    return {"y": made, "z": 0}

def killing(setting, book=Path("book.txt")):
    """The process that asks is killed while the sixth run is being made, once."""
    book.open("a").write(f"{setting['x']}\\n")
    if len(book.read_text().split()) == 6 and not Path("quiet").exists():
        os.kill(os.getppid(), 9)
        time.sleep(5)
    return {"y": setting["x"] ** 0.5, "z": None}

killing = rig(killing)
failing = rig(counted)
dead = rig(lambda s: os._exit(9))
'''


@pytest.fixture(autouse=True)
def rigs(tmp_path, monkeypatch):
    (tmp_path / "seedo_rigs.py").write_text(RIGS)
    monkeypatch.chdir(tmp_path)


def external(target, **options):
    return worlds.make(f"external:{target}", **options)


def test_it_is_played_and_logged_as_it_describes_itself(tmp_path):
    world = external("seedo_rigs:good", runs=4)
    assert world.spec.variables == ("x", "kind", "y", "z")
    assert np.isnan(world.references(None)).all()
    perform(world, find_player("random", world), 3, 1, tmp_path / "run", name="random")
    batch = Dataset(tmp_path / "run").read_shard(0)
    assert batch.origin.levels == (None, ("a", "b"), None, None)
    x, kind, y, _ = batch.outcome[0].T
    assert y == pytest.approx(x + kind, abs=0.01)
    assert not ((kind == 1) & (x > 0.5)).any()
    assert batch.returns[0] == pytest.approx(y[-1], abs=1e-6)
    assert pools_episodes(batch)
    (found,) = review([tmp_path / "run"]).runs
    assert found.regret.best[-1].value > 0.4
    assert found.regret.area.reason == "its best and chance are unknown"


def test_the_same_seed_gives_the_same_noise(tmp_path):
    world = external("seedo_rigs:good", runs=3)
    player = find_player("random", world)
    a, b = (perform(world, player, 2, 5, tmp_path / name).read_shard(0) for name in "ab")
    assert (a.outcome == b.outcome).all()
    assert len(np.unique(a.outcome[0, :, 3])) == 4  # and each run its own


def test_a_run_that_gave_nothing_is_kept_as_such(tmp_path):
    world = external("seedo_rigs:partly", runs=3)
    perform(world, find_player("random", world), 2, 0, tmp_path / "run")
    batch = Dataset(tmp_path / "run").read_shard(0)
    assert np.isnan(batch.outcome[0, :, 2]).all()
    assert (batch.outcome[0, :, 3] == 1).all()
    assert np.isnan(batch.returns).all()
    assert "without a return" in " ".join(review([tmp_path / "run"]).runs[0].warnings)


def test_what_fails_is_named_and_what_was_measured_is_kept(tmp_path):
    world = external("seedo_rigs:failing", runs=5)
    player = find_player("random", world)
    with pytest.raises(EndpointError, match=r"3 runs in a row failed.*exit code 5.*--resume"):
        perform(world, player, 2, 0, tmp_path / "run")
    assert Dataset(tmp_path / "run").rows == 1  # the episode in which it began to fail
    batch = Dataset(tmp_path / "run").read_shard(0)
    assert batch.outcome[0, :4, 2].tolist() == [0, 1, 2, 3]
    assert np.isnan(batch.outcome[0, 4:, 2]).all()
    (note,) = world.notes
    assert note.startswith("3 runs failed: seedo_rigs:failing: its process died")


def test_it_goes_on_where_it_failed(tmp_path, capsys):
    words = ["perform", "random", "--world", "external:seedo_rigs:failing", "--set", "runs=5",
             "--episodes", "2", "--out", "run"]  # fmt: skip
    code, _, err = run(capsys, *words)
    assert (code, "3 runs in a row failed" in err) == (2, True)
    (tmp_path / "made.txt").write_text("x" * 7)  # it is repaired
    code, _, _ = run(capsys, *words, "--resume")
    assert (code, Dataset(tmp_path / "run").rows) == (0, 2)


def killed(*words):
    """The exit code of a command in a process of its own."""
    return subprocess.run([sys.executable, "-m", "seedo", *words], capture_output=True).returncode


def test_what_was_measured_survives_a_kill_and_is_not_asked_for_again(tmp_path, capsys):
    words = ["perform", "sobol", "--world", "external:seedo_rigs:killing", "--set",
             "runs=8", "--episodes", "2"]  # fmt: skip
    assert killed(*words, "--out", "run") == -signal.SIGKILL
    folders = [tmp_path / "run"]
    journal = (tmp_path / "run" / "unfinished.jsonl").read_bytes()
    for cut in (0.4, 0.97):  # killed in the middle of a line
        folders.append(tmp_path / f"run-{cut}")
        shutil.copytree(tmp_path / "run", folders[-1])
        (folders[-1] / "unfinished.jsonl").write_bytes(journal[: int(cut * len(journal))])
    (tmp_path / "quiet").touch()
    (tmp_path / "book.txt").unlink()
    assert run(capsys, *words, "--out", "whole")[0] == 0
    whole = book(tmp_path)
    assert len(whole) == 18
    for folder, known, asked in zip(folders, (5, 1, 5), (1, 1, 0), strict=True):
        code, _, err = run(capsys, *words, "--out", folder.name, "--resume")
        assert code == 0
        assert book(tmp_path) == whole[known:]
        again = err.count("was being measured when the job was stopped")
        assert again == asked
        assert files(folder) == files(tmp_path / "whole")


def book(folder):
    """What runs were made since it was asked last."""
    path = folder / "book.txt"
    made = path.read_text().split()
    path.unlink()
    return made


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_player_who_changed_its_mind_goes_on_from_what_was_measured(tmp_path):
    class Stubborn(Proposer):
        name = "stubborn"
        mind, stops = 0.25, True

        def propose(self, spec, runs, pending, left, rng):
            if len(runs) == 2 and self.stops:
                raise KeyboardInterrupt
            return np.array([self.mind, 0.0])

    player, said = Stubborn(), []
    with pytest.raises(KeyboardInterrupt):
        perform(external("seedo_rigs:good", runs=4), player, 1, 0, tmp_path / "run")
    player.mind, player.stops = 0.75, False
    world = external("seedo_rigs:good", runs=4)
    done = perform(world, player, 1, 0, tmp_path / "run", resume=True, say=said.append)
    assert done.read_shard(0).setting[0, :4, 0].tolist() == [0.25, 0.25, 0.75, 0.75]
    assert len(said) == 2
    assert said[0].startswith("episode 0, step 0: x = 0.25, kind = a was measured before")


def test_what_another_job_measured_is_not_taken(tmp_path):
    perform(external("seedo_rigs:good", runs=3), find_player("random", external("seedo_rigs:good")),
            2, 0, tmp_path / "run")  # fmt: skip
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "unfinished.jsonl").write_text('{"kind": "job", "job": {"seed": 7}}\n')
    world = external("seedo_rigs:good", runs=3)
    with pytest.raises(UserError, match="it is of another job: delete it"):
        perform(world, find_player("random", world), 2, 0, folder, resume=True)
    (folder / "unfinished.jsonl").write_text('{"kind": "read", "episode": "a"}\n')
    with pytest.raises(UserError, match=r"unfinished.jsonl, line 1: cannot be read"):
        perform(world, find_player("random", world), 2, 0, folder, resume=True)


def test_one_that_never_works_leaves_nothing_behind(tmp_path):
    world = external("seedo_rigs:dead", runs=5)
    with pytest.raises(EndpointError, match="3 runs in a row failed"):
        perform(world, find_player("random", world), 4, 0, tmp_path / "run")
    assert not (tmp_path / "run").exists()


SPECS = {
    "no knobs": ({"readings": ["y"], "goals": {"y": "maximize"}}, "knobs: give a table"),
    "no goal": ({"knobs": {"x": {"low": 0, "high": 1}}, "readings": ["y"]}, "there are none"),
    "an empty range": (
        {"knobs": {"x": {"low": 1, "high": 1}}, "goals": {"y": "maximize"}},
        "low of knob x: got 1; it must lie below high",
    ),
    "an odd goal": (
        {"knobs": {"x": {"low": 0, "high": 1}}, "goals": {"y": "best"}},
        "goals.y.aim: got 'best'",
    ),
    "an odd field": ({"knob": {}}, "field: got 'knob'; use one of"),
    "two of one name": (
        {"knobs": {"y": {"low": 0, "high": 1}}, "goals": {"y": "maximize"}},
        "give every variable a name of its own",
    ),
    "impossible": (
        {"knobs": {"x": {"low": 0, "high": 1}}, "goals": {"y": "maximize"},
         "constraints": [{"linear": "x >= 2"}]},
        "no setting within the ranges",
    ),
    "too many": (
        {"knobs": {f"x{i}": {"low": 0, "high": 1} for i in range(201)}, "goals": {"y": "maximize"}},
        "knobs: got 201; at most 200",
    ),
    "odd readings": (
        {"knobs": {"x": {"low": 0, "high": 1}}, "readings": [1], "goals": {"y": "maximize"}},
        "readings: got 1; give names",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPECS)
def test_a_description_that_cannot_be_is_one_clear_line(name):
    spec, told = SPECS[name]
    answer = body('{"y": 1}')
    with (
        serving(answer, body(json.dumps(spec))) as (address, _),
        pytest.raises(UserError) as error,
    ):
        external(address)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_over_http_with_goals_of_the_users():
    spec = {"knobs": {"x": {"low": 0, "high": 1}}, "readings": {"y": {"unit": "g"}}}
    with serving(body('{"y": 3}'), body(json.dumps(spec))) as (address, _):
        world = external(address, goals="target 2 y")
        assert world.goals.each[0].target == 2
        task = world.sample(None)
        read = world.measured(task, np.array([0.5]), np.random.default_rng(0))
        assert world.worth(task, np.array([0.5]), read) == -1


def test_a_log_alone_calls_nothing(tmp_path):
    evil = f"cmd:touch {tmp_path / 'owned'}"
    for name in ("external", f"external:{evil}", "external:http://127.0.0.1:1"):
        with pytest.raises(UserError, match="a log alone loads and calls nothing"):
            worlds.from_config(name, {"target": evil})
    world = external("seedo_rigs:good")
    again = worlds.from_config(world.name, world.config() | {"target": evil})
    assert again.name == "external:seedo_rigs:good"  # named here; what the name says is called
    with pytest.raises(UserError, match="a log alone"):
        worlds.from_config("recorded", {"path": "/etc/passwd"})
    assert not (tmp_path / "owned").exists()
    assert "external" not in worlds.plain_names()


def test_as_environments():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for target in ("gym:Pendulum-v1?steps=5", "seedo_rigs:good"):
            env = gymnasium.make("seedo/external-v0", target=target, runs=2)
            check_env(env.unwrapped)
    env.reset(seed=0)
    action = {"x": np.array([0.9]), "kind": 1}
    info = env.step(action)[-1]
    setting = info["setting"]  # the nearest that is not forbidden
    assert setting["kind"] == "a" or setting["x"] <= 0.5


@pytest.mark.parametrize("name", ["external", "external:ftp://a", "external:nothing"])
def test_targets_that_cannot_be(name):
    with pytest.raises(UserError):
        worlds.make(name)
