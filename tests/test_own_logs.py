"""Users' own logs, and what the command line says about logs."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from command import run
from seedo.episodes import Dataset, Layout, OwnLog, as_table, import_csv, write_batch
from seedo.errors import UserError

GOOD = """episode,step,phase,target,value,goal,dose,rate
first,1,observe,,,,0.5,
first,2,explore,dose,-1,,-1,3
first,3,exploit,dose,2,rate,2,7.5
2,1,observe,,,,0.1,1
2,3,exploit,rate,2,dose,,2
2,2,explore,dose,1,,1,4
"""


def test_a_csv_log_becomes_a_dataset(tmp_path):
    file = tmp_path / "pump.csv"
    file.write_text(GOOD, encoding="utf-8-sig")
    batch = import_csv(file, experimenter="person", created="2030-01-01")
    assert batch.origin.variables == ("dose", "rate")
    assert (batch.origin.world, batch.rows, batch.steps) == ("recorded:pump", 2, 3)
    assert batch.episode_id.tolist() == [0, 1]
    assert batch.phase.tolist() == [[0, 1, 2]] * 2
    assert batch.target.tolist() == [[-1, 0, 0], [-1, 0, 1]]
    assert batch.goal.tolist() == [[-1, -1, 1], [-1, -1, 0]]
    np.testing.assert_array_equal(batch.value[0], np.float32([np.nan, -1, 2]))
    np.testing.assert_array_equal(batch.outcome[1], np.float32([[0.1, 1], [1, 4], [np.nan, 2]]))
    assert np.isnan(batch.returns).all()
    write_batch(tmp_path / "log", batch)
    assert Dataset(tmp_path / "log").read().equals(batch)


def test_whole_numbers_stay_the_ids_of_episodes(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(GOOD.replace("first", "17"))
    assert import_csv(file).episode_id.tolist() == [17, 2]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("first,2,explore,dose,-1", "first,2,explore,doze,-1", "row 3, column target: got 'doze'"),
        ("first,2,explore,dose,-1", "first,2,explore,dose,", "row 3, column value: got ''"),
        ("first,2,explore,dose,-1", "first,2,explore,dose,nan", "row 3, column value: got 'nan'"),
        ("first,2,explore,dose,-1", "first,2,explore,,-1", "row 3, column value: got '-1'"),
        ("first,2,explore", "first,2,play", "row 3, column phase: got 'play'"),
        ("first,2,explore", "first,two,explore", "row 3, column step: got 'two'"),
        ("first,2,explore", "first,1,explore", "row 3, column step: got 1"),
        ("first,2,explore", ",2,explore", "row 3, column episode: got ''"),
        ("2,rate,2,7.5", "2,speed,2,7.5", "row 4, column goal: got 'speed'"),
        ("rate,2,7.5", "rate,2,much", "row 4, column rate: got 'much'"),
        ("rate,2,7.5", "rate,inf,7.5", "row 4, column dose: got 'inf'"),
        ("rate,2,7.5", "rate,1e39,7.5", "row 4, column dose: got '1e39'"),
        ("rate,2,7.5", "rate,2", "row 4: got '7 cells'; the header has 8"),
        ("2,1,observe,,,,0.1,1\n", "", "row 6, column step: got 2"),
        ("2,3,exploit,rate,2,dose,,2\n", "", "steps of episode '2': got 2; episode 'first' has 3"),
        ("dose,rate\n", "dose,dose\n", "header: got 'dose'"),
        ("dose,rate\n", "dose,\n", "header, column 8: got ''"),
        ("step,phase", "stage,phase", "column step is missing"),
        ("first,2,explore", 'first,2,"explore', "this quote is never closed"),
    ],
)
def test_csv_errors_name_row_column_and_value(tmp_path, old, new, words):
    assert old in GOOD
    file = tmp_path / "log.csv"
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(UserError) as error:
        import_csv(file)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_csv_files_that_cannot_be_read(tmp_path):
    file = tmp_path / "log.csv"
    with pytest.raises(UserError, match=r"log\.csv"):
        import_csv(file)
    file.write_bytes(GOOD.encode("utf-16")[:-1])
    with pytest.raises(UserError, match="UTF-16"):
        import_csv(file)
    for nothing in ("", "dose,rate\n"):
        file.write_text(nothing)
        with pytest.raises(UserError, match=r"log\.csv"):
            import_csv(file)
    file.write_text("episode,step,phase,target,value,goal\n")
    with pytest.raises(UserError, match="no variable"):
        import_csv(file)
    file.write_text(GOOD.splitlines()[0] + "\n")
    with pytest.raises(UserError, match="no rows"):
        import_csv(file)


def write_csv(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return path


def test_several_variables_may_be_set_at_once_and_have_names(tmp_path):
    file = write_csv(
        tmp_path / "paint.csv",
        "episode,step,phase,target,value,goal,colour,heat,yield",
        "a,0,explore,colour;heat,red;2,,red,2.0,0.5",
        "a,1,explore,heat,-1,,blue,-1,0.25",
        "b,0,explore,,,,blue,,NA",
        "b,1,exploit,heat; colour,1.5; green,yield,green,1.5,2",
    )
    batch = import_csv(file)
    assert batch.origin.levels == (("blue", "green", "red"), None, None)
    assert batch.origin.types == ("categorical", "real", "real")
    gap = np.nan
    by_hand = [[[2, 2, gap], [gap, -1, gap]], [[gap, gap, gap], [1, 1.5, gap]]]
    np.testing.assert_array_equal(batch.setting, np.array(by_hand, np.float32))
    seen = [[[2, 2, 0.5], [0, -1, 0.25]], [[0, gap, gap], [1, 1.5, 2]]]
    np.testing.assert_array_equal(batch.outcome, np.array(seen, np.float32))
    write_batch(tmp_path / "log", batch)
    assert Dataset(tmp_path / "log").read().equals(batch)


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        ("colour;heat,red;2", "colour;heat,red", "value"),
        ("colour;heat,red;2", "colour;heat,red;2;3", "value"),
        ("colour;heat,red;2", "colour;heat,white;2", "value"),
        ("colour;heat,red;2", "colour;heat,2;red", "value"),
        ("colour;heat,red;2", "colour;hat,red;2", "target"),
    ],
)
def test_impossible_settings_in_a_csv_are_named(tmp_path, old, new, column):
    text = f"episode,step,phase,target,value,goal,colour,heat\na,0,explore,{old},,red,2\n"
    file = write_csv(tmp_path / "log.csv", text.replace(old, new))
    with pytest.raises(UserError) as error:
        import_csv(file)
    assert error.value.field == f"{file} row 2, column {column}"


def test_a_table_of_gymnasium_is_imported_by_saying_what_was_set(tmp_path):
    file = write_csv(
        tmp_path / "steps.csv",
        "episode,step,position,action,reward,terminated,info",
        "0,0,0.5,right,0,False,x=1",
        "0,1,0.7,left,1,True,x=2",
    )
    layout = Layout(factors=("action",), goal="reward", phase="explore", drop=("info",))
    batch = import_csv(file, layout)
    assert batch.origin.variables == ("position", "action", "reward", "terminated")
    assert batch.target.tolist() == [[1, 1]]
    assert [batch.origin.levels[1][int(code)] for code in batch.value[0]] == ["right", "left"]
    assert batch.goal.tolist() == [[2, 2]]
    assert batch.outcome[0, :, 3].tolist() == [0, 1]
    with pytest.raises(UserError, match="phase"):
        import_csv(file)
    for wrong in ({"factors": ("act",)}, {"goal": "act"}, {"phase": "now"}, {"drop": ("step",)}):
        with pytest.raises(UserError) as error:
            import_csv(file, dataclasses.replace(layout, **wrong))
        assert error.value.field in ("set", "goal", "phase", "drop")


def test_episodes_of_gymnasium_end_where_it_says_so(tmp_path, capsys):
    lines = [f"{i % 7},{i % 2},{i},{i % 4 == 3},False" for i in range(12)]
    file = write_csv(tmp_path / "gym.csv", "obs_0,action,reward,terminated,truncated", *lines)
    layout = Layout(factors=("action",), goal="reward", phase="explore")
    log = OwnLog(file, layout)
    assert log.variables == ("obs_0", "action", "reward")
    assert log.lengths.tolist() == [4, 4, 4]
    batch = log.batch()
    np.testing.assert_array_equal(batch.outcome[:, :, 2], np.arange(12).reshape(3, 4))
    assert any("terminated or truncated" in line and "3 of them" in line for line in log.warnings)
    code, _, err = run(capsys, "import", str(file), "--out", str(tmp_path / "log"))
    assert code == 2
    assert "--set action --goal reward --phase explore" in err.replace("\n", " ")
    wide = write_csv(tmp_path / "no.csv", "obs_0,action,reward", "1,0,1")
    with pytest.raises(UserError, match="terminated or done"):
        OwnLog(wide, layout)


def test_ragged_episodes_are_named_with_their_lengths(tmp_path):
    steps = [(run, step) for run, n in (("a", 2), ("b", 3), ("c", 2)) for step in range(n)]
    lines = [f"{run},{step},explore,x,1,,1,{step}" for run, step in steps]
    header = "episode,step,phase,target,value,goal,x,y"
    with pytest.raises(UserError, match="2 in a, c; 3 in b") as caught:
        import_csv(write_csv(tmp_path / "log.csv", header, *lines))
    assert "--by-length" in str(caught.value)


def test_episodes_of_several_lengths_are_told_apart(tmp_path):
    file = write_csv(tmp_path / "log.csv", *GOOD.splitlines(), "7,0,explore,dose,1,,1,1")
    with pytest.raises(UserError, match="by-length"):
        import_csv(file)
    log = OwnLog(file)
    assert log.lengths.tolist() == [3, 3, 1]
    alone = import_csv(write_csv(tmp_path / "alone.csv", *GOOD.splitlines()), world="recorded:log")
    assert log.batch(3).equals(alone)
    assert log.batch(1).value.tolist() == [[1]]
    with pytest.raises(UserError):
        log.batch(2)


def test_own_logs_may_be_parquet_or_tab_separated(tmp_path):
    whole = import_csv(write_csv(tmp_path / "pump.csv", *GOOD.splitlines()))
    frame = pd.read_csv(tmp_path / "pump.csv")
    frame.to_parquet(tmp_path / "pump.parquet")
    frame.to_csv(tmp_path / "pump.tsv.gz", sep="\t", index=False)
    for name in ("pump.parquet", "pump.tsv.gz"):
        read = import_csv(tmp_path / name, world="recorded:pump")
        assert read.equals(whole)


# Commands

DOCS = (Path(__file__).parent.parent / "docs" / "logs.md").read_text()


@pytest.fixture
def example(tmp_path, monkeypatch):
    """The file that the documentation makes."""
    monkeypatch.chdir(tmp_path)
    code = next(block for block in re.findall(r"```python\n(.*?)```", DOCS, re.S) if "csv" in block)
    exec(compile(code, "logs.md", "exec"), {})
    return tmp_path / "mine.csv"


def test_the_documented_example_is_a_log(example, capsys):
    code, out, _ = run(capsys, "import", str(example), "--out", "logs/mine", "--json")
    assert code == 0
    said = json.loads(out)
    assert said["datasets"] == [{"path": "logs/mine", "episodes": 200, "steps": 3}]
    assert said["variables"] == ["pressure", "heat", "yield"]
    code, out, _ = run(capsys, "inspect", "logs/mine", "--json")
    assert code == 0
    found = json.loads(out)
    frame = pd.read_csv(example)
    exploring = frame[frame.phase == "explore"]
    share = found["target_frequency"]["explore"]["pressure"]
    assert share == pytest.approx((exploring.target == "pressure").mean())
    assert found["complete"]
    assert found["links"] == {}


@pytest.mark.slow
def test_the_documented_example_can_be_learnt_from(example, capsys):
    for command in re.findall(r"^seedo (\w+ .*mine.*)$", DOCS, re.M):
        code, out, err = run(capsys, *shlex.split(command))
        assert code == 0, err
    assert "pressure changes yield" in out


def test_inspect_is_a_report(example, capsys):
    run(capsys, "import", str(example), "--out", "log")
    code, out, _ = run(capsys, "inspect", "log")
    assert code == 0
    assert all(name in out for name in ("pressure", "heat", "yield", "200 in 20 shards"))
    assert not re.search(r"[{}]", out)
    shard = Path("log") / "shard-00003.parquet"
    shard.rename("elsewhere.parquet")
    shard.symlink_to(Path("elsewhere.parquet").absolute())
    _, _, err = run(capsys, "inspect", "log")
    assert "shard-00003.parquet" in err
    Path("elsewhere.parquet").unlink()
    code, out, err = run(capsys, "inspect", "log")
    assert code == 0
    assert "1 damaged" in out
    assert "elsewhere" in err.replace("\n", "")


def test_import_makes_a_dataset_for_each_length(tmp_path, capsys):
    file = write_csv(tmp_path / "log.csv", *GOOD.splitlines(), "7,0,explore,dose,1,,1,1")
    out = tmp_path / "logs"
    code, _, _ = run(capsys, "import", str(file), "--out", str(out))
    assert code == 2
    assert not out.exists()
    code, said, _ = run(capsys, "import", str(file), "--out", str(out), "--by-length", "--json")
    assert code == 0
    assert [(d["episodes"], d["steps"]) for d in json.loads(said)["datasets"]] == [(1, 1), (2, 3)]
    assert Dataset(out / "steps-3").steps == 3


def test_import_takes_what_the_table_does_not_say(tmp_path, capsys):
    file = write_csv(
        tmp_path / "s.csv", "episode,step,x,action,reward", "0,0,1,left,2", "1,0,2,up,3"
    )
    options = ["--set", "action", "--goal", "reward", "--phase", "explore"]
    code, _, err = run(capsys, "import", str(file), "--out", str(tmp_path / "log"), *options)
    assert code == 0
    assert "left, up" in err
    batch = Dataset(tmp_path / "log").read()
    assert batch.target.tolist() == [[1], [1]]
    assert batch.goal.tolist() == [[2], [2]]


def test_names_without_an_order_are_levels_and_no_numbers(tmp_path):
    file = write_csv(
        tmp_path / "log.csv",
        "episode,step,phase,target,value,goal,colour,yield",
        *(f"0,{i},explore,colour,{c},,{c},{i}" for i, c in enumerate(["red", "blue", "green"])),
    )
    (colour,) = (c for c in as_table(import_csv(file)).columns if c.name == "colour")
    assert (colour.type, colour.levels) == ("categorical", ("blue", "green", "red"))


@pytest.mark.parametrize("name", ["agent.json", "manifest.json"])
def test_nested_brackets_end_in_one_line(tmp_path, capsys, name):
    folder = tmp_path / "it"
    folder.mkdir()
    for brackets in ("[" * 100_000, '{"a":' * 100_000):
        (folder / name).write_text(brackets)
        words = ["inspect", str(folder)]
        if name == "agent.json":
            words = ["perform", str(folder), "--out", str(tmp_path / "run"), "--episodes", "1"]
        code, _, err = run(capsys, *words)
        assert code == 2
        assert name in err.replace("\n", "")
        assert "Traceback" not in err
