"""The command line as a user meets it: verbs end to end, and one clear line for bad input."""

from __future__ import annotations

import json

import pytest

from command import run
from seedo import cli


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
    ([*WATCH, "--n", "few"], "Invalid value for '--n'"),
    ([*WATCH, "--world", "rooms", "--preset", "linear"], "preset"),
    ([*WATCH, "--world", "rooms", "--set", "level=attic"], "level"),
    ([*WATCH, "--world", "rooms", "--explain", "graph"], "explain"),
    ([*WATCH, "--world", "rooms", "--experimenter", "scripted:wizard"], "scripted"),
    ([*WATCH, "--world", "rooms", "--experimenter", "bayes:eig"], "bayes"),
    (["perform", "scripted:random", "--film", "OUT.gif", "--out", "OUT"], "--film"),
    (["study", "nothing", "--out", "OUT"], "study"),
    (["study", "heldout-links", "--scale", "huge", "--out", "OUT"], "scale"),
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
