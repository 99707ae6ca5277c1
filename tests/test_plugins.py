"""Worlds and players of others: the examples, checks in plain words, and what is broken."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import EntryPoint
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from rich.table import Table

from command import run
from seedo import experimenters, play, plugins, worlds
from seedo.cli._console import print_table, say
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.play.gym import environment
from seedo.worlds import Action

EXAMPLES = Path(__file__).parents[1] / "examples"
ENTRIES = {
    "seedo.worlds": {"levers": "levers:Levers", "broken": "nothing_here:World",
                     "no-world": "json:JSONDecoder"},
    "seedo.experimenters": {"careful": "careful:Careful", "faulty": "nothing_here:Player"},
}  # fmt: skip


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """The examples, and plug-ins that cannot be used, as if they were installed."""
    for folder in ("my_world", "my_player"):
        monkeypatch.syspath_prepend(str(EXAMPLES / folder))

    def entries(group):
        return [EntryPoint(name, at, group) for name, at in ENTRIES.get(group, {}).items()]

    monkeypatch.setattr(plugins, "entry_points", entries)
    plugins.installed.cache_clear()
    yield
    plugins.installed.cache_clear()


@pytest.fixture
def levers():
    return worlds.make("levers")


# -- the examples ---------------------------------------------------------------------------------


def test_an_example_is_short():
    for name in ("my_world/levers.py", "my_player/careful.py"):
        assert len((EXAMPLES / name).read_text().splitlines()) <= 80


def test_the_example_world_keeps_the_protocol_and_pays_what_it_says(levers):
    worlds.check(levers)
    assert worlds.make("levers", levers=3) == worlds.from_config("levers", {"levers": 3})
    player = play.find_player("careful", levers)
    played = play.episodes(levers, player, 0, "perform", 0, 64)
    assert (played.returns <= played.oracle_return + 1e-6).all()
    assert played.returns.mean() > 0.5 * played.oracle_return.mean()
    # Every lever is tried once at its highest; the needle follows it.
    assert (np.sort(played.target[:, :4]) == np.arange(4)).all()
    again = play.episodes(levers, player, 0, "perform", 10, 4)
    np.testing.assert_array_equal(again.target, played.target[10:14])


def test_a_world_by_module_and_class_is_played_and_logged_by_that_name(tmp_path, capsys):
    out = str(tmp_path / "run")
    world = ("--world", "levers:Levers", "--set", "levers=3", "--episodes", "4")
    code, _, err = run(capsys, "perform", "careful", *world, "--out", out)
    assert code == 0, err
    assert Dataset(out).origin.world == "levers:Levers"


def test_without_references_returns_are_shown(tmp_path, capsys, monkeypatch):
    source = (EXAMPLES / "my_world" / "levers.py").read_text().partition("    def references")[0]
    (tmp_path / "lab.py").write_text(source.replace("class Levers", "class bread"))
    monkeypatch.syspath_prepend(tmp_path)
    world = ("--world", "lab:bread", "--set", "levers=3", "--episodes", "40")
    code, out, err = run(capsys, "perform", "careful", *world, "--out", str(tmp_path / "run"))
    assert code == 0, err
    assert re.search(r"^ +careful +40 +\d\.\d{3} \[", out, re.M), out
    assert "Mean returns" in out
    assert "omniscient ceiling" not in out


def test_a_name_between_colons_is_no_picture(capsys):
    shown = Table("world")
    shown.add_row("external:bread:spec")
    print_table(shown)
    say(False, {}, "in external:bread:spec")
    out, err = capsys.readouterr()
    assert "external:bread:spec" in out
    assert "external:bread:spec" in err


def test_the_example_player_plays_our_worlds_too():
    world = worlds.make("dag")
    played = play.episodes(world, play.find_player("careful", world), 0, "perform", 0, 64)
    assert played.returns.mean() > 0.4 * played.oracle_return.mean()


def test_commands_take_what_plug_ins_bring(tmp_path, capsys):
    logs, own, chance = (str(tmp_path / name) for name in ("logs", "own", "chance"))
    world = ("--world", "levers", "--set", "levers=3", "--episodes", "40", "--json")
    code, _, _ = run(capsys, "watch", "--experimenter", "careful", *world, "--out", logs)
    assert code == 0
    assert Dataset(logs).origin.variables == ("lever1", "lever2", "lever3", "needle")
    for player, out in (("careful", own), ("scripted:random", chance)):
        code, _, _ = run(capsys, "perform", player, *world, "--out", out)
        assert code == 0
    code, out, _ = run(capsys, "review", own, chance, "--json")
    assert code == 0
    runs = json.loads(out)["groups"][0]["runs"]
    ratios = [entry["metrics"]["return_ratio"]["value"] for entry in runs]
    assert ratios[0] > 0.4 > abs(ratios[1])


def test_a_plug_ins_world_has_an_environment(levers):
    env = environment("levers", levers=3)
    check_env(env, skip_render_check=True)
    env.reset(seed=4)
    live = play.Live(worlds.make("levers", levers=3), 4, "gym", 0)
    for action in (1, 3, 5, 7):  # the last is the needle, which cannot be set
        seen, reward, ended, _, info = env.step(action)
        then = live.act(*((action // 2, 1.0) if action < 6 else (-1, 0.0)))
        np.testing.assert_allclose(seen["outcome"], then.outcome, rtol=1e-5)
    assert ended
    assert (reward, info["random_return"]) == (0, 0)
    assert info["oracle_return"] == pytest.approx(float(jnp.abs(live.task.pull).max()))


# -- what cannot be used --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["broken", "no-world", "nothing_here:World", "levers:Task"])
def test_a_broken_world_is_named_and_harms_nobody(name, capsys):
    with pytest.raises(UserError) as refused:
        worlds.make(name)
    assert refused.value.value == name
    code, _, err = run(capsys, "watch", "--world", name, "--out", "x")
    assert (code, err.count("\n")) == (2, 1)
    assert {"levers", "dag", "broken"} <= set(worlds.names())
    worlds.make("levers")


@pytest.mark.parametrize("name", ["faulty", "careful:Nobody", "levers:Levers"])
def test_a_broken_player_is_named_in_one_line(name, levers):
    with pytest.raises(UserError) as refused:
        play.find_player(name, levers)
    assert "\n" not in str(refused.value)


def faulty_world(fault):
    from levers import Levers

    class Faulty(Levers):
        if fault == "name":
            name = None
        if fault == "config":

            def config(self):
                return {"levers": jnp.zeros(3)}

        if fault == "observe":

            def observe(self, task, state):
                return super().observe(task, state)._replace(outcome=jnp.zeros(2))

        if fault == "step":

            def step(self, task, state, action, key):
                if action.target > 2:
                    return super().step(task, state, action, key)
                return state, 0.0, False

        if fault == "state":

            def step(self, task, state, action, key):
                after, reward, done = super().step(task, state, action, key)
                return after._replace(step=after.step.astype(float)), reward, done

        if fault == "reward":

            def step(self, task, state, action, key):
                after, reward, done = super().step(task, state, action, key)
                return after, reward[None], done

        if fault == "spec":
            spec = property(lambda self: None, lambda self, spec: None)

    return Faulty() if fault != "spec" else object.__new__(Faulty)


@pytest.mark.parametrize(
    ("fault", "says"),
    [("name", "name"), ("config", "config"), ("observe", "observe"), ("step", "step"),
     ("state", "step"), ("reward", "reward"), ("spec", "spec")],
)  # fmt: skip
def test_a_world_that_breaks_the_protocol_is_refused_before_anything_is_written(
    fault, says, tmp_path
):
    world = faulty_world(fault)
    with pytest.raises(UserError) as refused:
        play.perform(world, Pure(lambda m, s: (Action(0, 1.0), m)), 4, 0, tmp_path / "run")
    assert says in str(refused.value)
    assert not (tmp_path / "run").exists()


class Pure(experimenters.Player):
    """Does what a function says."""

    def __init__(self, does, name="pure", host=False, memory=0):
        self.does, self._name, self._host, self.memory = does, name, host, memory

    name = property(lambda self: self._name)
    host = property(lambda self: self._host)

    def begin(self, spec, key, privileged):
        return self.memory

    def act(self, memory, observation, key):
        return self.does(memory, observation)


def picky(memory, seen):
    if seen.steps_left > 2:
        return Action(jnp.int32(0), jnp.float32(1)), memory
    return Action(jnp.int32(1), jnp.float32(1)), memory


@pytest.mark.parametrize(
    ("player", "says"),
    [
        (Pure(picky, name=None), "name"),
        (Pure(picky), "act"),
        (Pure(lambda m, s: (Action(jnp.zeros(2, int), jnp.float32(1)), m)), "target"),
        (Pure(lambda m, s: (Action(jnp.float32(0), jnp.float32(1)), m)), "target"),
        (Pure(lambda m, s: (Action(s.target, s.value), jnp.zeros(3))), "memory"),
        (Pure(lambda m, s: (s.target, s.value)), "Action"),
        (object(), "name"),
    ],
)
def test_a_player_that_breaks_the_protocol_is_refused_before_anything_is_written(
    player, says, levers, tmp_path
):
    with pytest.raises(UserError) as refused:
        play.perform(levers, player, 4, 0, tmp_path / "run")
    assert says in str(refused.value)
    assert not (tmp_path / "run").exists()


def late(memory, seen):
    wrong = seen.steps_left == 3
    return Action(jnp.where(wrong, 99, 0), jnp.where(wrong, 7.5, 1.0)), memory


def failing(memory, seen):
    raise KeyError("lost")


@pytest.mark.parametrize(
    ("does", "host", "says"),
    [(late, False, "step 2"), (late, True, "step 2"), (failing, True, "test_plugins.py")],
)
def test_what_a_player_does_wrong_is_named_with_its_step_and_leaves_no_folder(
    does, host, says, levers, tmp_path
):
    with pytest.raises(UserError) as refused:
        play.perform(levers, Pure(does, host=host), 4, 0, tmp_path / "run")
    assert says in str(refused.value)
    assert "pure" in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_what_a_player_does_wrong_is_named_where_beginnings_are_set_too(levers):
    begun = play.set_ups(levers, worlds.stream_key(0, "perform"), jnp.arange(4))
    with pytest.raises(UserError, match="player pure, step 2"):
        play.rollout_on(levers, Pure(late), begun)


# -- installed for good ---------------------------------------------------------------------------

SESSION = """
import gymnasium, seedo
env = gymnasium.make("seedo/levers-v0", levers=3)
env.reset(seed=0)
assert env.step(6)[4] == {}
assert "seedo/levers-v0" in gymnasium.registry
"""


@pytest.mark.slow
def test_installed_plug_ins_serve_every_command(tmp_path):
    """In an environment of their own, which sees ours."""
    place = tmp_path / "env"
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(place)}))
    ours = [sysconfig.get_path("purelib"), str(Path(plugins.__file__).parents[1])]
    (site / "ours.pth").write_text("\n".join(reversed(ours)))
    for name in ("my_world", "my_player"):
        shutil.copytree(EXAMPLES / name, tmp_path / name)
        words = ["--python", str(python), "install", "-q", "--no-deps", "--no-build-isolation"]
        subprocess.run([sys.executable, "-m", "pip", *words, str(tmp_path / name)], check=True)

    def seedo(*words):
        done = subprocess.run(
            [str(python), "-m", "seedo", *map(str, words)], cwd=tmp_path, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    world = ("--world", "levers", "--set", "levers=3")
    seedo("watch", *world, "--experimenter", "careful", "--episodes", 400, "--out", "logs")
    seedo("learn", "logs", "--out", "agent", "--batch-size", 16, "--width", "size=16")
    seedo("perform", "agent", *world, "--episodes", 40, "--out", "agent-run")
    seedo("perform", "careful", *world, "--episodes", 40, "--out", "own-run")
    found = json.loads(seedo("review", "agent-run", "own-run", "--json"))
    assert len(found["groups"][0]["runs"]) == 2
    subprocess.run([str(python), "-c", SESSION], check=True, cwd=tmp_path)
