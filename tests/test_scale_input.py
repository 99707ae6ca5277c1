"""What cannot be done elsewhere: one line that names it, exit code 2, nothing written."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from seedo import execution, play, worlds
from seedo.cli import main
from seedo.errors import UserError
from seedo.execution import Task, spread

WATCH = ["watch", "--episodes", "20", "--n", "3", "--out", "OUT"]
STUDY = ["study", "limit", "--out", "OUT"]
SPEAK = ["perform", "llm:openai-api/x/y", "--out", "OUT", "--episodes", "1"]


def with_executor(name):
    return [*WATCH, "--executor", name]


@pytest.mark.parametrize(("words", "line"), [
    (with_executor("cloud"), "--executor: got 'cloud'; use one of serial, local[:N]"),
    (with_executor("local:"), "--executor: got 'local:'; use one of"),
    (with_executor("local:0"), "--executor: got 'local:0'; give a number of processes"),
    (with_executor("local:two"), "--executor: got 'local:two'; give a number of processes"),
    (with_executor("local:" + "9" * 400), "give a number of processes, 1 to 4096"),
    (with_executor("serial:2"), "--executor: got 'serial:2'; use one of"),
    (with_executor("ray:"), "--executor: got 'ray:'; use one of"),
    (with_executor("ray:127.0.0.1:1"), "no cluster to be joined: 127.0.0.1 does not answer at 1"),
    (with_executor("ray:ray://127.0.0.1:1"), "127.0.0.1 does not answer at 1"),
    (with_executor("ray:127.0.0.1:x"), "no cluster to be joined: 127.0.0.1 does not answer at x"),
    (with_executor("submitit:nowhere.json"), "give local, slurm, or a JSON file of parameters"),
    (with_executor("submitit:list.json"), "the file must hold a JSON object of parameters"),
    (with_executor("submitit:none.json"), "none.json workers: got 0; give a whole number above 0"),
    (["study", "limit", "--executor", "x", "--out", "OUT"], "--executor: got 'x'"),
    (["review", "OUT", "--executor", "x"], "--executor: got 'x'"),
    (["perform", "scripted:expert", "--out", "OUT", "--executor", "x"], "--executor: got 'x'"),
    ([*STUDY, "--machine-hours", "0"], "--machine-hours: got 0.0; give hours above 0"),
    ([*STUDY, "--machine-hours", "-1"], "--machine-hours: got -1.0; give hours above 0"),
    ([*STUDY, "--machine-hours", "nan"], "--machine-hours: got nan; give hours above 0"),
    ([*STUDY, "--machine-hours", "1"], "limit has no cells to be counted: leave it out"),
    ([*SPEAK, "--endpoint", "http://h/v1"], "give --executor too, e.g. local:1"),
    ([*SPEAK, "--endpoint", "h:1", "--executor", "local:1"], "give an address like http://HOST"),
    ([*SPEAK, "--endpoint", "http://u:p@h", "--executor", "local:1"], "leave secrets out"),
    (["perform", "scripted:expert", "--out", "OUT", "--endpoint", "http://h"], "only for players"),
    (["perform", "pretrained:dag-text", "--out", "OUT", "--executor", "local:2"],
     "players who speak play here: leave it out"),
])  # fmt: skip
def test_one_line_and_nothing_written(words, line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "none.json").write_text('{"workers": 0}')
    monkeypatch.setattr(sys, "argv", ["seedo", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err.strip().splitlines()
    assert ended.value.code == 2
    assert len([told for told in said if told.startswith("seedo: ")]) == 1
    assert line in said[-1]
    assert not (tmp_path / "OUT").exists()


def test_the_variable_is_named_where_it_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SEEDO_EXECUTOR", "cluster")
    monkeypatch.setattr(sys, "argv", ["seedo", *WATCH[:-1], str(tmp_path / "logs")])
    with pytest.raises(SystemExit):
        main()
    assert "SEEDO_EXECUTOR: got 'cluster'; use one of" in capsys.readouterr().err


@pytest.mark.parametrize(("change", "why"), [
    ({"world": "reactor"}, "world"),  # a plug-in that is missing there
    ({"player": "module_of_mine:Player"}, "module_of_mine"),
    ({"player": "pretrained:nobody"}, "pretrained:nobody"),
    ({"record": {"other": 1}}, "is another one here than where the job was begun"),
])  # fmt: skip
def test_what_is_missing_where_work_is_done_is_named(change, why, tmp_path):
    world = worlds.make("dag", n=3)
    told = {"world": "dag", "config": world.config(), "player": "scripted:expert", "greedy": False,
            "player_seed": 0, "record": play.find_player("scripted:expert", world).record,
            "seed": 0, "stream": "watch", "systems": True, "explain": "none", "shard": 0,
            "plan": {"path": str(tmp_path / "logs"), "manifest": None}}  # fmt: skip
    with ThreadPoolExecutor(1) as threads, pytest.raises(UserError, match=why):
        list(spread([(0, Task("shard", told | change))], threads))
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("version", ["0.0.1", "99.0"])
def test_another_version_there_is_refused(version):
    told = json.loads(Task("sleep", {"seconds": 0}).to_text())
    answer = json.loads(execution.carry_out(json.dumps(told | {"version": version})))
    assert f"asked by Seedo {version}: install the same version" in answer["refused"]["remedy"]
