"""The command line as a user meets it: verbs end to end, and one clear line for bad input."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest
from rich.table import Table

import seedo
from command import run
from seedo import cli, learning, play, programs, studies, worlds
from seedo.cli._console import print_table


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Logs, an agent and a run, made by the verbs themselves."""
    path = tmp_path_factory.mktemp("cli")
    with pytest.MonkeyPatch.context() as patch:
        for words in (
            ["watch", "--episodes", "640", "--out", str(path / "logs"), "--json"],
            ["learn", str(path / "logs"), "--out", str(path / "agent"), "--batch-size", "32",
             "--width", "size=8", "--width", "layers=1"],
            ["perform", str(path / "agent"), "--episodes", "64", "--out", str(path / "run"),
             "--json"],
        ):  # fmt: skip
            patch.setattr("sys.argv", ["seedo", *words])
            with pytest.raises(SystemExit) as end:
                cli.main()
            assert not end.value.code
    return path


@pytest.mark.slow
def test_review_writes_a_report_and_json(folder, capsys):
    report = folder / "report.html"
    code, out, _ = run(capsys, "review", str(folder / "run"), "--out", str(report), "--json")
    assert code == 0
    assert "agent" in json.dumps(json.loads(out))
    assert "<svg" in report.read_text()


def test_inspect_says_what_a_dataset_holds(folder, capsys):
    code, out, _ = run(capsys, "inspect", str(folder / "logs"), "--json")
    assert code == 0
    assert json.loads(out)["rows"] == 640


def test_own_logs_can_be_imported(tmp_path, capsys):
    table = tmp_path / "mine.csv"
    lines = ["episode,step,phase,target,value,goal,pressure,yield"]
    for episode in range(4):
        lines.append(f"{episode},0,explore,pressure,1.0,,1.0,0.5")
        lines.append(f"{episode},1,exploit,pressure,2.0,yield,2.0,1.1")
    table.write_text("\n".join(lines) + "\n")
    code, _, _ = run(capsys, "import", str(table), "--out", str(tmp_path / "logs"))
    assert code == 0
    code, out, _ = run(capsys, "inspect", str(tmp_path / "logs"), "--json")
    assert json.loads(out)["n"] == 2


WATCH = ["watch", "--episodes", "4", "--out", "OUT"]
STUDY = ["study", "prompts", "--player", "pretrained:dag-text", "--out", "OUT"]
BAD: list[tuple[list[str], str]] = [
    ([*WATCH, "--world", "mars"], "world"),
    ([*WATCH, "--preset", "cubic"], "preset"),
    ([*WATCH, "--split", "test"], "split"),
    ([*WATCH, "--n", "1"], "n"),
    ([*WATCH, "--n", "51"], "n"),
    ([*WATCH, "--n", "4", "--split", "heldout-link"], "n"),
    ([*WATCH, "--split", "heldout-set", "--set", "relevant=10"], "relevant"),
    ([*WATCH, "--split", "heldout-link", "--set", "relevant=3"], "relevant"),
    ([*WATCH, "--set", "noise_variance=NaN"], "noise_variance"),
    ([*WATCH, "--set", "noise_variance=0"], "noise_variance"),
    ([*WATCH, "--set", "noise_variance=-1"], "noise_variance"),
    ([*WATCH, "--set", "noise_variance=loud"], "noise_variance"),
    ([*WATCH, "--set", "weight_scale=Infinity"], "weight_scale"),
    ([*WATCH, "--set", "mechanism=cubic"], "mechanism"),
    ([*WATCH, "--set", "noise_family=cauchy"], "noise_family"),
    ([*WATCH, "--set", "do_values=2,2"], "do_values"),
    ([*WATCH, "--set", "do_values=[]"], "do_values"),
    ([*WATCH, "--set", "do_values=NaN,1"], "do_values"),
    ([*WATCH, "--set", "experiments=-1"], "experiments"),
    ([*WATCH, "--set", "experiments=2.5"], "experiments"),
    ([*WATCH, "--set", "exploits=0"], "exploits"),
    ([*WATCH, "--set", "max_parents=0"], "max_parents"),
    ([*WATCH, "--set", "confounders=-1"], "confounders"),
    ([*WATCH, "--set", "goals=many"], "goals"),
    ([*WATCH, "--set", "colour=red"], "colour"),
    ([*WATCH, "--set", "noise_variance"], "--set"),
    ([*WATCH, "--set", "split=train"], "--set"),
    ([*WATCH, "--seed", "-1"], "seed"),
    ([*WATCH, "--seed", "99999999999"], "seed"),
    (["watch", "--episodes", "0", "--out", "OUT"], "episodes"),
    (["watch", "--episodes", "-5", "--out", "OUT"], "episodes"),
    ([*WATCH, "--explain", "loudly"], "explain"),
    ([*WATCH, "--experimenter", "scripted:wizard"], "scripted"),
    ([*WATCH, "--experimenter", "pretrained:none"], "agent"),
    (["watch", "--episodes", "4", "--out", "LOGS"], "LOGS"),
    (["watch", "--episodes", "4", "--out", "LOGS/manifest.json"], "LOGS/manifest.json"),
    (["learn", "NOTHING", "--out", "OUT"], "NOTHING"),
    (["learn", "AGENT", "--out", "OUT"], "AGENT"),
    (["learn", "LOGS", "--out", "OUT", "--network", "rnn"], "network"),
    (["learn", "LOGS", "--out", "OUT", "--epochs", "0"], "epochs"),
    (["learn", "LOGS", "--out", "OUT", "--epochs", "1", "--minutes", "1"], "epochs"),
    (["learn", "LOGS", "--out", "OUT", "--minutes", "-1"], "minutes"),
    (["learn", "LOGS", "--out", "OUT", "--batch-size", "100000"], "batch_size"),
    (["learn", "LOGS", "--out", "OUT", "--batch-size", "4096"], "batch_size"),
    (["learn", "LOGS", "--out", "OUT", "--width", "size"], "--width"),
    (["learn", "LOGS", "--out", "OUT", "--width", "depth=3"], "width depth"),
    (["learn", "LOGS", "--out", "OUT", "--width", "size=0"], "width size"),
    (["learn", "LOGS", "--out", "OUT", "--precision", "int8"], "precision"),
    (["learn", "LOGS", "--out", "OUT", "--devices", "64"], "devices"),
    (["learn", "LOGS", "--out", "AGENT"], "AGENT"),
    (["learn", "LOGS", "--out", "OUT", "--lora"], "--lora"),
    (["learn", "LOGS", "--out", "OUT", "--network", "hf:NOTHING"], "network"),
    (["export", "NOTHING", "--out", "OUT"], "NOTHING"),
    (["export", "LOGS", "--out", "OUT", "--as", "prose"], "as"),
    (["export", "LOGS", "--out", "OUT", "--prompt", "check"], "check"),
    (["learn", "LOGS", "--out", "LOGS", "--resume"], "LOGS"),
    (["perform", "NOTHING", "--out", "OUT"], "agent"),
    (["perform", "LOGS", "--out", "OUT"], "agent"),
    (["perform", "AGENT", "--out", "OUT", "--set", "do_values=-1,1"], "do_values"),
    (["perform", "AGENT", "--out", "OUT", "--episodes", "0"], "episodes"),
    (["perform", "AGENT", "--out", "RUN"], "RUN"),
    (["perform", "scripted:memoriser@NOTHING", "--out", "OUT"], "NOTHING"),
    (["review", "NOTHING"], ""),
    (["review", "AGENT", "--out", "OUT"], ""),
    (["inspect", "NOTHING"], "NOTHING"),
    (["inspect", "AGENT"], "AGENT"),
    (["import", "NOTHING", "--out", "OUT"], "NOTHING"),
    (["fly"], "No such command"),
    ([*WATCH, "--n", "few"], "--n: got 'few'"),
    ([*WATCH, "--world", "rooms", "--preset", "linear"], "preset"),
    ([*WATCH, "--world", "rooms", "--set", "level=attic"], "level"),
    ([*WATCH, "--world", "rooms", "--explain", "graph"], "explain"),
    ([*WATCH, "--world", "rooms", "--experimenter", "scripted:wizard"], "scripted"),
    ([*WATCH, "--world", "rooms", "--experimenter", "bayes:eig"], "bayes"),
    (["perform", "scripted:random", "--film", "OUT.gif", "--out", "OUT"], "--film"),
    (["study", "nothing", "--out", "OUT"], "study"),
    (["study", "heldout-links", "--scale", "huge", "--out", "OUT"], "scale"),
    (["study", "heldout-links", "--temperature", "1", "--out", "OUT"], "--player"),
    (["learn", "LOGS", "--out", "OUT", "--rounds", "4"], "No such option: --rounds"),
    (["learn", "LOGS", "--out", "OUT", "--steps", "4"], "No such option: --steps"),
    (["dagger", "LOGS", "--out", "OUT"], "Missing option '--expert-queries'"),
    (["dagger", "LOGS", "--out", "OUT", "--expert-queries", "0"], "expert_queries"),
    (
        ["dagger", "LOGS", "--out", "OUT", "--expert-queries", "9", "--minutes", "1"],
        "No such option: --minutes",
    ),
    (["ppo", "--out", "OUT", "--steps", "0"], "steps"),
    (["ppo", "--out", "OUT", "--discount", "0.9"], "--discount"),
    (["ppo", "--out", "OUT", "--world", "rooms", "--tasks", "9"], "--tasks"),
    (["ppo", "--out", "OUT", "--world", "blicket"], "world"),
    (["perform", "scripted:random", "--temperature", "1", "--out", "OUT"], "--temperature"),
    (["perform", "pretrained:dag-text", "--max-tokens", "9", "--out", "OUT"], "--max-tokens"),
    (["perform", "llm:seedo/follower", "--connections", "0", "--out", "OUT"], "--connections"),
    (["perform", "llm:seedo/follower", "--budget-usd", "0", "--out", "OUT"], "--budget-usd"),
    ([*STUDY, "--max-tokens", "9"], "--max-tokens"),
    ([*STUDY, "--retries", "1"], "--retries"),
    (["perform", "scripted:random", "--film-episode", "-1", "--out", "OUT"], "--film-episode"),
    (["serve-mcp", "--port", "70000"], "port"),
    (["serve-mcp", "--resume"], "--resume"),
    (["list", "planets"], "what"),
    (["list", "settings"], "world"),
    (["list", "settings", "mars"], "world"),
    (["list", "worlds", "dag"], "world"),
    (["cache", "burn"], "what"),
    (["demo", "--episodes", "0", "--out", "OUT"], "episodes"),
    (["demo", "--seed", "-1", "--out", "OUT"], "seed"),
]


@pytest.mark.parametrize(("words", "field"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_bad_input_is_one_line_exit_2_and_leaves_nothing(words, field, folder, tmp_path, capsys):
    paths = {"OUT": tmp_path / "out", "NOTHING": tmp_path / "nothing", "LOGS": folder / "logs",
             "AGENT": folder / "agent", "RUN": folder / "run"}  # fmt: skip

    def real(word: str) -> str:
        for name, path in paths.items():
            word = word.replace(name, str(path))
        return word

    before = sorted(folder.rglob("*"))
    code, out, err = run(capsys, *map(real, words))
    assert code == 2, err
    assert err.count("\n") == 1, err
    assert err.startswith(f"seedo: {real(field)}"), err
    assert out == ""
    assert not (tmp_path / "out").exists()
    assert sorted(folder.rglob("*")) == before


VERBS = ("demo", "watch", "learn", "dagger", "ppo", "perform", "serve-mcp", "review", "ask",
         "advise", "experiment", "study", "lab", "list", "inspect", "import", "export",
         "cache")  # fmt: skip


def test_help_lists_the_verbs_in_the_order_of_the_work_on_short_lines(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    listed = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
    assert [word for word in listed if word in VERBS] == list(VERBS)
    assert max(map(len, out.splitlines())) <= 80
    assert not [line for line in out.splitlines()[1:] if line.endswith("...")]  # cut short


def test_a_command_shows_the_settings_of_its_own_recipe(capsys):
    shown = {}
    for verb in ("learn", "dagger", "ppo"):
        code, out, _ = run(capsys, verb, "--help")
        assert code == 0
        shown[verb] = {word for word in out.split() if word.startswith("--")}
    both = {"--width", "--from", "--seed", "--resume"}
    assert all(both <= options for options in shown.values())
    assert "--minutes" in shown["learn"] - shown["dagger"] - shown["ppo"]
    assert "--expert-queries" in shown["dagger"] - shown["learn"] - shown["ppo"]
    assert {"--steps", "--tasks", "--unroll"} <= shown["ppo"] - shown["learn"] - shown["dagger"]
    for verb, recipe in (("learn", learning.Recipe), ("dagger", learning.DaggerRecipe)):
        assert len(shown[verb]) >= len(dataclasses.fields(recipe))


def test_the_version_is_told(capsys):
    code, out, _ = run(capsys, "--version")
    assert (code, out.split()) == (0, ["seedo", seedo.__version__])


def test_what_is_listed_can_be_used(capsys):
    def listed(*words):
        code, out, err = run(capsys, "list", *words, "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    assert {row["world"] for row in listed("worlds")} >= {"dag", "rooms", "blicket"}
    for row in listed("splits"):
        if worlds.find(row["world"]).named_by:  # of a table or a device, which none is given here
            continue
        assert worlds.make(row["world"], split=row["split"]).split == row["split"]
    for world in ("dag", "rooms", "blicket"):
        defaults = {row["setting"]: row["default"] for row in listed("settings", world)}
        kept = json.loads(json.dumps(worlds.make(world).config()))
        assert {name: kept.get(name, default) for name, default in defaults.items()} == defaults
        assert len(defaults) >= 3
    choices = {row["setting"]: row["one of"] for row in listed("settings", "raw")}
    for drawing in choices["drawing"]:
        assert worlds.make("raw", drawing=drawing).shows["drawing"] == drawing
    for row in listed("players", "blicket"):
        if row["world"]:
            assert play.find_player(row["player"], worlds.make("blicket"))
    assert [row["player"] for row in listed("players") if not row["about"]] == []
    assert {"equivariant", "text"} <= {row["network"] for row in listed("networks")}
    assert {row["study"] for row in listed("studies")} == set(studies.names())


def in_a_process(*words, **variables):
    """`seedo WORDS` in a process of its own, with what it has imported at its end."""
    program = (
        "import sys, atexit; from seedo.cli import main; atexit.register(lambda: print('loaded', "
        "*sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr)); main()"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JAX_COMPIL")}
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True, text=True, env=environment | variables,
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("watch", "--out", "x", "--episodes", "0"),
        ("perform", "scripted:random", "--out", "x", "--set", "noise"),
        ("ask", "nothing.csv", "effect of X on Y"),
        ("review", "x", "--colour"),
        ("study", "limit", "--temperature", "1"),
        ("serve-mcp", "--episodes", "0"),
    ],
)
def test_arguments_are_checked_before_anything_heavy_is_imported(words):
    loaded = set(in_a_process(*words).stderr.rsplit("loaded", 1)[1].split())
    assert not loaded & {"jax", "scipy", "matplotlib", "pandas", "networkx", "pyarrow"}


def test_compiled_programs_are_kept_bounded_and_cleared(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept = tmp_path / "seedo" / "xla"
    kept.mkdir(parents=True)
    for age in range(8):
        (kept / f"program{age}").write_bytes(bytes(100))
        os.utime(kept / f"program{age}", (1e9 - age, 1e9 - age))
    assert programs.shrink(800) == 0
    assert programs.shrink(400) == 500
    assert sorted(path.name for path in kept.iterdir()) == ["program0", "program1", "program2"]
    code, out, _ = run(capsys, "cache", "where", "--json")
    assert (code, json.loads(out)["path"]) == (0, str(kept))
    assert run(capsys, "cache", "clear")[0] == 0
    assert list(kept.iterdir()) == []


@pytest.mark.parametrize(
    ("variables", "used"),
    [
        pytest.param({}, True, marks=pytest.mark.slow),
        ({"SEEDO_CACHE": "0"}, False),
        pytest.param({"JAX_COMPILATION_CACHE_DIR": "OTHER"}, False, marks=pytest.mark.slow),
    ],
)
def test_the_cache_can_be_switched_off_and_a_folder_of_jax_wins(variables, used, tmp_path):
    variables = {k: v.replace("OTHER", str(tmp_path / "other")) for k, v in variables.items()}
    words = ("watch", "--episodes", "2", "--n", "2", "--out", str(tmp_path / "logs"))
    done = in_a_process(*words, XDG_CACHE_HOME=str(tmp_path / "cache"), **variables)
    assert done.returncode == 0, done.stderr
    kept = tmp_path / "cache" / "seedo" / "xla"
    assert (kept.is_dir() and any(kept.iterdir())) == used


def test_progress_is_told_where_there_is_no_terminal(folder, monkeypatch, capsys):
    monkeypatch.setattr("seedo.cli._console.SECONDS", 0.0)
    code, out, err = run(capsys, "review", str(folder / "run"), "--json")
    assert code == 0
    assert json.loads(out)
    assert any("1 of 1" in line for line in err.splitlines())


def test_a_command_that_a_queue_ends_says_how_it_goes_on(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("seedo.play.watch", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    words = ["watch", "--out", str(tmp_path / "logs"), "--episodes", "4"]
    before = signal.getsignal(signal.SIGTERM)
    try:
        code, _, err = run(capsys, *words)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert code == 143
    assert f"stopped; this goes on: {shlex.join(['seedo', *words, '--resume'])}" in err
    assert err.count("\n") == 1


def test_a_command_is_ended_where_an_exception_would_be_lost():
    program = """
import signal, sys
import seedo.cli, seedo.play
class Gone:
    def __del__(self):  # as in a callback of compiled code: Python drops what is raised here
        signal.raise_signal(signal.SIGTERM)
def watch(*_, **__):
    Gone()
    print("went on")
seedo.play.watch = watch
sys.argv[1:] = ["watch", "--out", "logs", "--episodes", "4"]
seedo.cli.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    told = "seedo: stopped; this goes on: seedo watch --out logs --episodes 4 --resume\n"
    assert (done.returncode, done.stdout, done.stderr) == (143, "", told)


@pytest.mark.slow
def test_a_study_is_ended_in_the_midst_of_compiled_work(tmp_path):
    words = ["study", "limit", "--out", str(tmp_path / "s")]
    program = [sys.executable, "-c", "from seedo.cli import main; main()", *words]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob("s/runs/*")):  # the first run has begun
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 143, said
    told = f"seedo: stopped; the same command goes on: {shlex.join(['seedo', *words])}"
    assert said.splitlines()[-1] == told
    assert "Traceback" not in said


def test_an_interrupted_command_says_how_it_goes_on(monkeypatch, tmp_path, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("seedo.play.watch", stop)
    words = ["watch", "--out", str(tmp_path / "my logs"), "--episodes", "4"]
    code, _, err = run(capsys, *words)
    assert code == 130
    assert shlex.join(["seedo", *words, "--resume"]) in err
    assert err.count("\n") == 1


def test_columns_without_room_stand_below_and_none_is_lost(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    titles = [f"figure {k}" for k in range(9)]
    table = Table("player", *titles, caption="What it says.")
    for name in ("scripted:random", "bayes:eig"):
        table.add_row(name, *(f"{name[0]}{k}-0.123456" for k in range(9)))
    print_table(table)
    said = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert max(map(len, said.split("\n"))) <= 60
    assert [said.count(title) for title in titles] == [1] * 9
    assert all(f"{who}{k}-0.123456" in said for who in "sb" for k in range(9))
    assert said.count("What it says.") == 1
    assert said.count("bayes:eig") > 1
