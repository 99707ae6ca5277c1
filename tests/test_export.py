"""Watched episodes as training data of others: what is in the files, and that they open there."""

import dataclasses
import json
import re
import shutil

import datasets
import numpy as np
import pytest

from seedo import experimenters, language, play, worlds
from seedo.episodes import Dataset, write_batch
from seedo.errors import UserError
from seedo.language import Conditions

WORLD = worlds.make("dag", n=4, exploits=2, goals="fresh")


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs") / "dag"
    play.watch(WORLD, experimenters.scripted("expert"), 400, 0, folder, explain="effects")
    return folder


def said_on_stage(index, conditions=None):
    scene = language.open_scene(WORLD, 0, "watch", index, conditions)
    act = scene.actor(experimenters.scripted("expert"))
    while not scene.finished:
        assert scene.reply(scene.write(act())) is None
    return scene.messages()


def rows(folder):
    return [json.loads(line) for p in sorted(folder.glob("*.jsonl")) for line in p.open()]


def test_chat_rows_are_what_the_player_would_have_heard_and_said_on_stage(logs, tmp_path):
    done = language.export([logs], tmp_path / "chat", episodes=25)
    found = rows(tmp_path / "chat")
    assert (done.episodes, done.rows, done.left_out) == (25, 25, 0)
    assert [row["episode"] for row in found] == list(range(25))
    for index in (0, 7, 24):
        messages = [{k: m[k] for k in ("role", "content")} for m in found[index]["messages"]]
        assert messages == said_on_stage(index)
        marks = [m["training"] for m in found[index]["messages"]]
        assert marks == [m["role"] == "assistant" for m in messages]
        assert sum(marks) == 6  # four experiments, two actions towards a goal


def test_completion_rows_are_one_action_each_after_all_that_was_before(logs, tmp_path):
    language.export([logs], tmp_path / "out", "completion", episodes=3)
    found = rows(tmp_path / "out")
    assert len(found) == 18
    assert [row["phase"] for row in found[:6]] == 4 * ["explore"] + 2 * ["exploit"]
    whole = said_on_stage(1)
    last = found[11]
    assert (last["episode"], last["step"]) == (1, 5)
    assert last["prompt"] + last["completion"] == whole


def test_tool_rows_call_what_their_schemas_describe(logs, tmp_path):
    language.export([logs], tmp_path / "out", "tools", episodes=4)
    logged = Dataset(logs).read_shard(0)
    for index, row in enumerate(rows(tmp_path / "out")[:2]):
        tools = {tool["function"]["name"]: tool["function"] for tool in json.loads(row["tools"])}
        assert set(tools) == {"set_variable", "observe"}
        roles = [message["role"] for message in row["messages"]]
        assert roles == ["system", "user"] + ["assistant", "tool"] * 5 + ["assistant"]
        called = [m["tool_calls"][0] for m in row["messages"] if m["role"] == "assistant"]
        for step, call in enumerate(called):
            assert call["type"] == "function"
            name, arguments = call["function"]["name"], call["function"]["arguments"]
            assert set(arguments) == set(tools[name]["parameters"]["required"])
            assert arguments["value"] == logged.value[index, step]


@pytest.mark.parametrize("within", [False, True], ids=["after", "within"])
def test_reasons_stand_where_they_are_asked_for_and_are_true_of_what_was_done(tmp_path, within):
    random = play.find_player("scripted:random", WORLD)
    play.watch(WORLD, random, 60, 0, tmp_path / "logs")
    conditions = Conditions(explanations=True, reasoning=within, names="letters")
    language.export([tmp_path / "logs"], tmp_path / "out", conditions=conditions)
    batch = Dataset(tmp_path / "logs").read()
    learnt, best = 0, 0
    for row, own in enumerate(rows(tmp_path / "out")):
        text = "\n".join(m["content"] for m in own["messages"] if m["training"])
        learnt += "can be expected" in text
        told = "\n".join(m["content"] for m in own["messages"])
        whys = re.findall(r"can be expected to give \w+=(-?\d+\.\d)(: the best there is)?\.", told)
        if within:
            assert len(whys) == 2  # one a scored action
            earned = np.mean([float(value) for value, _ in whys])
            assert earned == pytest.approx(batch.returns[row], abs=0.05 + 1e-6)
            both = all(said for _, said in whys)
            assert both == bool(np.isclose(batch.returns[row], batch.oracle_return[row]))
            best += both
        else:
            assert len(whys) == 1  # of the first; after the last nothing is told any more
    assert learnt == (60 if within else 0)
    assert not within or 0 < best < 60


@pytest.mark.parametrize("form", ["chat", "completion", "tools"])
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_datasets_opens_the_files_with_the_same_rows(logs, tmp_path, form, kind):
    out = tmp_path / "out"
    language.export([logs], out, form, kind, episodes=6)
    files = [str(path) for path in sorted(out.glob(f"*.{kind}"))]
    builder = "json" if kind == "jsonl" else kind
    loaded = datasets.load_dataset(
        builder, data_files=files, split="train", cache_dir=str(tmp_path / "cache")
    )
    language.export([logs], tmp_path / "plain", form, episodes=6)
    assert [_without_none(row) for row in loaded] == rows(tmp_path / "plain")
    # The columns by which TRL tells a conversational dataset of each type.
    expected = {"prompt", "completion"} if form == "completion" else {"messages"}
    assert expected <= set(loaded.column_names)
    for column in expected:
        assert {"role", "content"} <= set(loaded[0][column][0])


def _without_none(row):
    if isinstance(row, list):
        return [_without_none(each) for each in row]
    if isinstance(row, dict):
        return {k: _without_none(v) for k, v in row.items() if v is not None}
    return row


def test_an_interrupted_export_goes_on_to_the_same_bytes(logs, tmp_path):
    class Stop(Exception):
        pass

    def stop(done, total):
        if done >= 20:
            raise Stop

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    language.export([logs], whole, "completion", "parquet", episodes=45)
    with pytest.raises(Stop):
        language.export([logs], cut, "completion", "parquet", episodes=45, progress=stop)
    assert not (cut / "README.md").exists()
    with pytest.raises(UserError, match="--resume"):
        language.export([logs], cut, "completion", "parquet", episodes=45)
    with pytest.raises(UserError, match="begun with 'completion'"):
        language.export([logs], cut, "chat", "parquet", episodes=45, resume=True)
    (cut / "train-00000.parquet").write_bytes(b"damaged")
    language.export([logs], cut, "completion", "parquet", episodes=45, resume=True)
    names = sorted(path.name for path in whole.iterdir())
    assert names == sorted(path.name for path in cut.iterdir())
    for name in names:
        assert (whole / name).read_bytes() == (cut / name).read_bytes()


def test_episodes_whose_scored_step_passed_are_left_out_and_counted(logs, tmp_path):
    batch = Dataset(logs).read(10)
    target, value = batch.target.copy(), batch.value.copy()
    target[3, 5], value[3, 5] = -1, np.nan
    write_batch(tmp_path / "odd", dataclasses.replace(batch, target=target, value=value))
    manifest = json.loads((tmp_path / "odd" / "manifest.json").read_text())
    manifest["job"]["stream"] = "watch"
    (tmp_path / "odd" / "manifest.json").write_text(json.dumps(manifest))
    done = language.export([tmp_path / "odd"], tmp_path / "out")
    assert (done.episodes, done.left_out) == (9, 1)
    assert "1 more have no words" in (tmp_path / "out" / "README.md").read_text()


def test_a_log_whose_results_are_not_those_of_its_systems_is_refused(logs, tmp_path):
    batch = Dataset(logs).read(10)
    outcome = batch.outcome.copy()
    outcome[2, 1, 0] += 0.5
    write_batch(tmp_path / "odd", dataclasses.replace(batch, outcome=outcome))
    manifest = json.loads((tmp_path / "odd" / "manifest.json").read_text())
    manifest["job"]["stream"] = "watch"
    (tmp_path / "odd" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"episode 2.*another course"):
        language.export([tmp_path / "odd"], tmp_path / "out")


@pytest.mark.slow
def test_blicket_logs_have_words_too(tmp_path):
    machine = worlds.make("blicket")
    play.watch(machine, play.find_player("scripted:expert", machine), 20, 0, tmp_path / "logs")
    done = language.export([tmp_path / "logs"], tmp_path / "out", episodes=3)
    assert done.episodes == 3
    said = [m["content"] for m in rows(tmp_path / "out")[0]["messages"] if m["training"]]
    assert said[-1] in ("yes", "no")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"form": "words"}, "use one of chat, completion, tools"),
        ({"kind": "csv"}, "use one of jsonl, parquet"),
        ({"episodes": 0}, "whole number from 1"),
        ({"conditions": Conditions(reasoning=True)}, "holds no thoughts"),
        ({"form": "tools", "conditions": Conditions(reasoning=True, explanations=True)}, "calls"),
        ({"conditions": Conditions(examples=2)}, "have none"),
        ({"conditions": Conditions(tools="actions")}, "only with --as tools"),
    ],
)
def test_bad_options_are_refused_in_one_line_and_leave_no_folder(logs, tmp_path, options, says):
    with pytest.raises(UserError, match=says) as error:
        language.export([logs], tmp_path / "out", **options)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def of_rooms(manifest):
    config = json.dumps(worlds.make("rooms").config(), sort_keys=True)
    manifest["origin"] |= {"world": "rooms", "world_config": config}


@pytest.mark.parametrize(
    ("change", "says"),
    [(lambda m: m["job"].pop("stream"), "not played by Seedo"), (of_rooms, "single steps")],
)
def test_logs_that_cannot_be_told_are_refused(logs, tmp_path, change, says):
    shutil.copytree(logs, tmp_path / "other")
    path = tmp_path / "other" / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=says):
        language.export([tmp_path / "other"], tmp_path / "out")


@pytest.mark.parametrize("within", [False, True], ids=["actions", "with reasons"])
def test_slips_are_refused_put_right_and_not_to_be_learnt(logs, tmp_path, within):
    how = Conditions(explanations=True, reasoning=True, turns=False) if within else Conditions()
    language.export([logs], tmp_path / "out", conditions=how, episodes=60, slips=0.5)
    slips = actions = goals = 0
    for row in rows(tmp_path / "out"):
        scene = language.open_scene(WORLD, 0, "watch", row["episode"], how)
        said = row["messages"]
        for place, message in enumerate(said):
            if message["role"] != "assistant":
                continue
            refused = scene.reply(message["content"])
            assert (refused is None) == message["training"]
            actions += message["training"]
            if refused is not None:
                slips += 1
                goals += refused.reason == "not-allowed"
                assert refused.reason in ("unknown-name", "not-allowed")
                assert said[place + 1]["role"] == "user"
                assert not said[place + 1]["training"]
                assert said[place + 2]["training"]
        assert scene.finished
        assert not scene.passed
    assert actions == 60 * 6
    assert 0.4 < slips / actions < 0.6  # 360 draws of a half: 4 s.e. to either side
    assert 0 < goals < slips / 4
    language.export([logs], tmp_path / "none", conditions=how, episodes=60, slips=0.0)
    for folder, told in (("out", False), ("none", True)):  # it would teach the slips
        readme = (tmp_path / folder / "README.md").read_text()
        assert ("assistant_only_loss=True" in readme) == told
        assert ("would teach them" in readme) == (not told)
    plain = [m for row in rows(tmp_path / "none") for m in row["messages"] if m["training"]]
    assert len(plain) == actions


@pytest.mark.parametrize("slips", [-0.1, 1.5, float("nan"), "0.5", True])
def test_a_share_of_slips_that_is_none_is_refused(logs, tmp_path, slips):
    with pytest.raises(UserError, match="slips"):
        language.export([logs], tmp_path / "out", slips=slips)


def test_slips_need_a_second_attempt(logs, tmp_path):
    with pytest.raises(UserError, match="attempts=2"):
        language.export([logs], tmp_path / "out", conditions=Conditions(attempts=1), slips=0.5)
    assert not (tmp_path / "out").exists()
