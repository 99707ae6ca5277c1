"""Agents that act through tools elsewhere: sessions, their log, and the MCP server itself."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command import run as command
from seedo import evaluation, worlds
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.language import (
    AgentRun,
    Conditions,
    RunPlan,
    Sessions,
    mcp_app,
    mcp_server,
    open_scene,
    serve_http,
)
from seedo.language.scenes import call_for
from seedo.language.serving import MCP_PATH
from seedo.play import find_player, perform, simulate

EPISODES = 3
TOOLS = Conditions(tools="actions")
PLAYER = "scripted:largest-effect"
STANDING = {"session", "index", "experiments_left", "scored_actions_left", "refused", "passed",
            "finished"}  # fmt: skip


def plan_of(world, conditions=TOOLS):
    return RunPlan.of(world, 0, {"conditions": conditions})


@pytest.fixture(scope="module")
def world():
    return worlds.make("dag", n=3)


@pytest.fixture(scope="module")
def performed(world, tmp_path_factory):
    """What the same player logs without any words."""
    out = tmp_path_factory.mktemp("performed") / "run"
    perform(world, find_player(PLAYER, world), EPISODES, 0, out)
    return Dataset(out).read()


def calls_of(world, index, player=PLAYER, conditions=TOOLS):
    """The calls by which a player of ours plays an episode, and what it is told after each."""
    scene = open_scene(world, 0, "perform", index, conditions)
    chooses = scene.actor(find_player(player, world))
    while not scene.finished:
        action = chooses()
        call = call_for(scene, action)
        scene.take_call("", action)
        yield *call, "" if scene.finished else scene.messages()[-1]["content"]


def start(sessions, **given):
    told = sessions.call("start_task", given)
    assert not told.refused, told.text
    return told.data["session"]


def play(sessions, world, index, player=PLAYER):
    """An episode from beginning to end; its score."""
    session = start(sessions, index=index)
    for name, arguments, _ in calls_of(world, index, player):
        assert not sessions.call(name, {"session": session, **arguments}).refused
    return sessions.call("finish_task", {"session": session})


# -- what an agent is told ---------------------------------------------------------------------


def test_an_agent_is_told_what_every_player_of_the_scene_is_told_and_no_more(world):
    sessions = Sessions(plan_of(world))
    told = sessions.call("start_task", {"index": 1})
    scene = open_scene(world, 0, "perform", 1, TOOLS)
    house, _, rules = told.text.partition("\n\n")
    assert house.startswith(f"Session: {told.data['session']}.")
    assert rules == "\n\n".join(m["content"] for m in scene.messages())
    left = [3, 2, 1, 0]
    for name, arguments, said in calls_of(world, 1):
        assert set(told.data) == STANDING
        assert told.data["experiments_left"] == left.pop(0)
        assert told.data["scored_actions_left"] == 1
        early = sessions.call("finish_task", {"session": told.data["session"]})
        assert early.refused
        assert set(early.data) == STANDING
        told = sessions.call(name, {"session": told.data["session"], **arguments})
        assert (
            told.text.removesuffix("The episode is over: call finish_task for the score.") == said
        )
    history = sessions.call("task_history", {"session": told.data["session"]})
    assert set(told.data) == set(history.data) == STANDING
    assert history.text.startswith(rules)


def shown_call(text):
    """The legal call that a refusal shows."""
    name, arguments = re.search(r"An action is a call such as: (\w+)\(([^)]*)\)", text).groups()
    pairs = re.findall(r'(\w+)=("[^"]*"|[^,]+)', arguments)
    return name, {key: json.loads(value) for key, value in pairs}


def refusals_show_legal_calls(world):
    sessions = Sessions(plan_of(world))
    session = start(sessions, index=0)
    while True:
        before = sessions.call("task_left", {"session": session}).data
        if before["finished"]:
            return
        for wrong in (("fly", {}), ("take" if world.name != "rooms" else "put", {"object": "!"})):
            told = sessions.call(wrong[0], {"session": session, **wrong[1]})
            assert told.refused
            assert "\n" not in told.text
            changed = {k for k in told.data if told.data[k] != before[k]}
            assert changed == {"refused"}
        name, arguments = shown_call(told.text)
        assert not sessions.call(name, {"session": session, **arguments}).refused


def test_a_refusal_is_one_line_that_shows_a_legal_call(world):
    refusals_show_legal_calls(world)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rooms", "blicket"])
def test_refusals_show_legal_calls_in_other_worlds(name):
    refusals_show_legal_calls(worlds.make(name))


def test_what_it_costs_to_be_refused_is_said_and_counted(world):
    sessions = Sessions(plan_of(world))
    session = start(sessions, index=0)
    said = [sessions.call("fly", {"session": session}).text for _ in range(3)]
    assert "After 2 more such calls the step" in said[0]
    assert "After 1 more such call the step" in said[1]
    assert "This step is over." in said[2]
    told = sessions.call("task_left", {"session": session})
    assert (told.data["refused"], told.data["passed"], told.data["experiments_left"]) == (3, 1, 2)
    assert told.text == "Left: 2 experiments and 1 scored action."


def test_names_are_listed_as_they_were_said_not_in_the_worlds_own_order(world):
    sessions = Sessions(plan_of(world))
    for index in range(6):
        told = sessions.call("start_task", {"index": index})
        names = re.search(r"Variables: (.*)", told.text)[1]
        wrong = {"session": told.data["session"], "variable": "nobody", "value": 2.0}
        assert f"The variables are {names}." in sessions.call("set_variable", wrong).text


def test_a_theory_and_arrows_are_answered_in_words(world):
    asked = Conditions(tools="actions", check=True, structure=True)
    sessions = Sessions(plan_of(world, asked))
    session = start(sessions, index=0)
    for _ in range(3):
        told = sessions.call("observe", {"session": session})
    assert "state in a few sentences" in told.text
    assert "First answer in words." in sessions.call("task_left", {"session": session}).text
    assert sessions.call("observe", {"session": session}).refused
    told = sessions.call("say", {"session": session, "text": "I think that nothing does."})
    assert not told.refused
    wrong = sessions.call("say", {"session": session, "text": "who knows"})
    assert wrong.refused
    assert "After 1 more such call the question passes" in wrong.text
    assert not sessions.call("say", {"session": session, "text": "arrows: none"}).refused
    assert not sessions.call("task_left", {"session": session}).text.endswith("words.")


def test_examples_are_told_apart_from_what_is_asked(world):
    shown = Conditions(tools="actions", examples=1)
    told = Sessions(plan_of(world, shown)).call("start_task", {"index": 0})
    example, _, own = told.text.partition("\n\nYou: I see.\n\n")
    assert example.count("set_variable(") == 4
    bare = open_scene(world, 0, "perform", 0, TOOLS)
    assert own == bare.messages()[-1]["content"]
    assert told.data["experiments_left"] == 3


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("start_task", {"index": "1"}, "index"),
        ("start_task", {"seed": -1}, "seed"),
        ("start_task", {"seed": True}, "seed"),
        ("start_task", {"stream": "../x"}, "stream"),
        ("start_task", {"world": "external:os:system"}, "world"),
        ("start_task", {"world": "recorded"}, "world"),
        ("start_task", {"world": ["dag"]}, "world"),
        pytest.param("start_task", {"world": "blicket"}, "other tools", marks=pytest.mark.slow),
        ("start_task", {"settings": [1]}, "settings"),
        ("start_task", {"settings": {"n": "x"}}, "n"),
        ("start_task", {"settings": {"__class__": 1}}, "__class__"),
        ("start_task", {"settings": {"noise_variance": {"a": 1}}}, ""),
        ("start_task", {"oracle": True}, "start_task takes"),
        ("observe", {}, "session"),
        ("observe", {"session": "abc"}, "none of this name"),
        ("observe", {"session": ["abc"]}, "none of this name"),
        ("observe", None, "session"),
    ],
)
def test_what_cannot_be_is_one_line_and_changes_nothing(world, name, arguments, says):
    sessions = Sessions(plan_of(world))
    told = sessions.call(name, arguments)
    assert told.refused
    assert "\n" not in told.text
    assert says in told.text
    assert told.data == {}
    assert sessions.call("start_task", {}).data["index"] == 0


def test_an_agent_may_choose_the_task_where_nothing_is_kept(world):
    sessions = Sessions(plan_of(world))
    told = sessions.call(
        "start_task",
        {"world": "dag", "settings": {"n": 3}, "seed": 7, "stream": "practice", "index": 2},
    )
    scene = open_scene(world, 7, "practice", 2, TOOLS)
    assert told.text.endswith(scene.messages()[-1]["content"])
    assert [sessions.call("start_task", {}).data["index"] for _ in range(3)] == [0, 1, 2]


def test_null_is_as_good_as_leaving_an_optional_argument_out(world):
    sessions = Sessions(plan_of(world))
    optional = next(t for t in sessions.tools if t.name == "start_task").schema["properties"]
    nothing = {"preset": None, "split": None, "noise_variance": None}
    told = sessions.call("start_task", dict.fromkeys(optional) | {"settings": nothing})
    assert not told.refused
    plain = sessions.call("start_task", {"index": 0}).text
    assert told.text.partition("\n\n")[2] == plain.partition("\n\n")[2]
    session = told.data["session"]
    assert not sessions.call("task_left", {"session": session, "text": None}).refused
    assert not sessions.call("observe", {"session": session, "variable": None}).refused
    wrong = sessions.call("set_variable", {"session": session, "variable": None, "value": None})
    assert "variable has to be a short text" in wrong.text


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner,
                                                                max_size=3),
    max_leaves=6,
)  # fmt: skip


@pytest.fixture(scope="module")
def fuzzed(world):
    sessions = Sessions(plan_of(world, Conditions(tools="analysis", attempts=10)))
    return sessions, [start(sessions, index=0)]


@given(
    name=st.sampled_from(["set_variable", "observe", "calculator", "say", "finish_task",
                          "task_left", "", "__init__"]),
    arguments=st.dictionaries(st.sampled_from(["variable", "value", "expression", "text", "x"]),
                              anything, max_size=3),
)  # fmt: skip
def test_whatever_is_called_is_answered_and_only_actions_move_an_episode(fuzzed, name, arguments):
    sessions, playing = fuzzed
    before = sessions.call("task_left", {"session": playing[0]}).data
    told = sessions.call(name, {"session": playing[0], **arguments})
    json.dumps(told.data, allow_nan=False)
    after = sessions.call("task_left", {"session": playing[0]}).data
    gone = before["experiments_left"] - after["experiments_left"]
    assert gone - (after["passed"] - before["passed"]) == (name == "observe" and not arguments)
    if gone:
        playing[0] = start(sessions, index=0)


# -- the same returns, the same logs ------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "player"),
    [
        ("dag", "scripted:expert"),
        ("dag", "bayes:eig"),
        ("rooms", "scripted:expert"),
        ("blicket", "scripted:expert"),
    ],
)
def test_the_same_actions_earn_the_same_as_in_the_runner(name, player):
    world = worlds.make(name, n=3) if name == "dag" else worlds.make(name)
    sessions = Sessions(plan_of(world))
    scores = [play(sessions, world, index, player).data for index in range(EPISODES)]
    played = simulate(world, find_player(player, world), 0, "perform", 0, EPISODES)
    np.testing.assert_allclose([s["return"] for s in scores], played.returns, rtol=1e-5)
    np.testing.assert_allclose(
        [s["oracle_return"] for s in scores], played.oracle_return, rtol=1e-5
    )
    for score in scores:
        gain = score["oracle_return"] - score["random_return"]
        own = (score["return"] - score["random_return"]) / gain if gain > 1e-9 else None
        assert score["normalised_return"] == (own if own is None else pytest.approx(own))


def same_log(out, performed):
    batch = Dataset(out).read()
    for column in ("episode_id", "target", "value", "goal"):
        np.testing.assert_array_equal(getattr(batch, column), getattr(performed, column))
    for column in ("outcome", "returns", "oracle_return"):
        np.testing.assert_allclose(
            getattr(batch, column), getattr(performed, column), rtol=1e-5, atol=1e-5
        )


def shards(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


@pytest.fixture(scope="module")
def kept(world, tmp_path_factory):
    """A run of three episodes played in turn, call by call, by one agent each."""
    out = tmp_path_factory.mktemp("kept") / "run"
    run = AgentRun(plan_of(world), "model-7", EPISODES, out)
    sessions = Sessions(run.plan, run)
    begun = [start(sessions) for _ in range(EPISODES)]
    playing = [calls_of(world, index) for index in range(EPISODES)]
    for turn in zip(*playing, strict=True):
        for session, (name, arguments, said) in zip(begun, turn, strict=True):
            told = sessions.call(name, {"session": session, **arguments})
            assert told.text.startswith(said)  # nothing of what the others do
    assert run.finished == EPISODES
    run.close()
    return out


def test_sessions_are_apart_and_their_log_is_that_of_the_runner(kept, performed):
    same_log(kept, performed)


def test_a_review_reads_the_run_and_says_how_to_make_it_again(kept):
    review = evaluation.review([kept])
    assert review.problems == ()
    (group,) = review.groups
    (run,) = group.runs
    assert run.agent == "mcp:model-7"
    assert run.episodes == EPISODES
    assert run.spoken.malformed.value == 0
    assert run.command.startswith("seedo serve-mcp --name model-7 --world dag")
    assert run.command.endswith(f"--episodes {EPISODES} --seed 0 --out {kept}")


def test_a_server_killed_after_any_call_goes_on_and_ends_in_the_same_bytes(world, kept, tmp_path):
    out = tmp_path / "run"
    for index in range(EPISODES):
        session = None
        for name, arguments, _ in calls_of(world, index):
            run = AgentRun(plan_of(world), "model-7", EPISODES, out, resume=True)
            sessions = Sessions(run.plan, run)
            session = session or start(sessions, index=index)
            assert not sessions.call(name, {"session": session, **arguments}).refused
            run.close()
    assert shards(out) == shards(kept)
    run = AgentRun(plan_of(world), "model-7", EPISODES, out, resume=True)
    told = Sessions(run.plan, run).call("finish_task", {"session": session})
    assert told.data["finished"]
    assert "return" in told.data


def test_a_kill_before_the_log_was_written_loses_no_episode(world, kept, tmp_path, monkeypatch):
    out = tmp_path / "run"
    run = AgentRun(plan_of(world), "model-7", 1, out)
    sessions = Sessions(run.plan, run)
    session = start(sessions)
    *before, (name, arguments, _) = calls_of(world, 0)
    for early, given_before, _ in before:
        sessions.call(early, {"session": session, **given_before})

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("seedo.episodes.DatasetWriter.write", killed)
        with pytest.raises(KeyboardInterrupt):
            sessions.call(name, {"session": session, **arguments})
    run.close()
    assert AgentRun(plan_of(world), "model-7", 1, out, resume=True).finished == 1
    assert (out / "shard-00000.parquet").read_bytes() == (kept / "shard-00000.parquet").read_bytes()


def test_each_system_of_a_run_is_met_once(world, tmp_path):
    run = AgentRun(plan_of(world), "a", 2, tmp_path / "run")
    sessions = Sessions(run.plan, run)
    session = start(sessions, index=1)
    run.close()
    run = AgentRun(plan_of(world), "a", 2, tmp_path / "run", resume=True)
    sessions = Sessions(run.plan, run)
    for given_, says in (({"index": 1}, "met once"), ({"index": 2}, "0 to 1"),
                         ({"seed": 3}, "start_task takes index"),
                         ({"world": "dag"}, "start_task takes index")):  # fmt: skip
        told = sessions.call("start_task", given_)
        assert told.refused
        assert says in told.text
    start(sessions)
    assert "all 2 have been begun, 0 are finished" in sessions.call("start_task", {}).text
    assert sessions.call("task_left", {"session": session}).data["index"] == 1


def test_what_lies_on_the_disk_before_the_end_tells_nothing_either(world, tmp_path):
    run = AgentRun(plan_of(world), "a", 2, tmp_path / "run")
    sessions = Sessions(run.plan, run)
    sessions.call("observe", {"session": start(sessions)})
    (path,) = (tmp_path / "run" / "sessions").iterdir()
    assert set(json.loads(path.read_text())) == {"turns", "replies"}
    assert not (tmp_path / "run" / "conversations.jsonl").exists()


def test_a_session_that_was_tampered_with_is_one_line(world, tmp_path):
    out = tmp_path / "run"
    run = AgentRun(plan_of(world), "a", 2, out)
    start(Sessions(run.plan, run))
    run.close()
    (path,) = (out / "sessions").iterdir()
    for text in ("{", "[]", '{"turns": [{}], "replies": []}', '{"turns": [{"call": 1}]}'):
        path.write_text(text)
        with pytest.raises(UserError, match="delete it to have its task begun anew"):
            AgentRun(plan_of(world), "a", 2, out, resume=True)
    path.unlink()
    assert AgentRun(plan_of(world), "a", 2, out, resume=True).finished == 0


def test_runs_that_cannot_be_kept_are_refused(world, tmp_path):
    for given_, field in ((("", 1), "name"), (("a b", 1), "name"), (("a", 0), "episodes")):
        with pytest.raises(UserError) as caught:
            AgentRun(plan_of(world), *given_, tmp_path / "run")
        assert caught.value.field == field
    with pytest.raises(UserError, match="tools"):
        Sessions(plan_of(world, Conditions()))
    perform(world, find_player("scripted:random", world), 2, 0, tmp_path / "other")
    for resume in (False, True):
        with pytest.raises(UserError, match="another command"):
            AgentRun(plan_of(world), "a", 2, tmp_path / "other", resume=resume)


def test_a_run_of_another_world_is_not_gone_on_with_and_says_what_differs(world, tmp_path):
    AgentRun(plan_of(world), "a", 2, tmp_path / "run").close()
    other = plan_of(worlds.make("dag", n=3, noise_variance=0.5))
    with pytest.raises(UserError, match=r"noise_variance: got 0\.5; .*begun with 1\.0") as caught:
        AgentRun(other, "a", 2, tmp_path / "run", resume=True)
    assert len(str(caught.value)) < 200


def test_a_port_is_refused_where_nothing_listens(capsys):
    code, _, err = command(capsys, "serve-mcp", "--port", "8001")
    assert code == 2
    assert "only with --http" in err


# -- the protocol ---------------------------------------------------------------------------------


def told_by(result):
    (part,) = result.content
    return part.text


async def played_by(client, index, calls):
    """An episode through a client of the SDK; its score."""
    told = await client.call_tool("start_task", {"index": index})
    session = told.structured_content["session"]
    for name, arguments, said in calls:
        told = await client.call_tool(name, {"session": session, **arguments})
        assert not told.is_error
        assert told_by(told).startswith(said)
    return (await client.call_tool("finish_task", {"session": session})).structured_content


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_sdks_own_client_plays_the_episode_that_everyone_plays(world, performed, mode):
    client_of = pytest.importorskip("mcp").Client

    async def through() -> list:
        async with client_of(mcp_server(Sessions(plan_of(world))), mode=mode) as client:
            listed = (await client.list_tools()).tools
            assert [tool.name for tool in listed] == [
                "start_task", "set_variable", "observe", "task_history", "task_left", "finish_task",
            ]  # fmt: skip
            wanted = listed[1].input_schema
            assert {k: v["type"] for k, v in wanted["properties"].items()} == {
                "session": "string", "variable": "string", "value": "number",
            }  # fmt: skip
            assert wanted["required"] == ["session", "variable", "value"]
            wrong = await client.call_tool("observe", {"session": "none"})
            assert wrong.is_error
            assert "start_task" in told_by(wrong)
            return [await played_by(client, i, calls_of(world, i)) for i in range(EPISODES)]

    scores = anyio.run(through)
    np.testing.assert_allclose([s["return"] for s in scores], performed.returns, rtol=1e-5)


def test_clients_over_http_are_apart(world, performed):
    client_of = pytest.importorskip("mcp").Client
    import uvicorn

    calls = [list(calls_of(world, index)) for index in range(EPISODES)]
    app = mcp_app(Sessions(plan_of(world)))
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="error", timeout_keep_alive=600
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}{MCP_PATH}"
    scores = {}

    async def one(index: int, mode: str) -> None:
        async with client_of(address, mode=mode) as client:
            scores[index] = await played_by(client, index, calls[index])

    async def all_at_once() -> None:
        async with anyio.create_task_group() as group:
            for index, mode in enumerate(("auto", "legacy", "auto")):
                group.start_soon(one, index, mode)

    try:
        anyio.run(all_at_once)
    finally:
        server.should_exit = True
        thread.join()
    own = [scores[index]["return"] for index in range(EPISODES)]
    np.testing.assert_allclose(own, performed.returns, rtol=1e-5)


def test_an_address_that_is_taken_is_one_line(world):
    pytest.importorskip("mcp")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"127.0.0.1:{port}"):
            serve_http(Sessions(plan_of(world)), "127.0.0.1", port)
    with pytest.raises(UserError, match="port"):
        serve_http(Sessions(plan_of(world)), "127.0.0.1", 70_000)


def test_without_the_sdk_one_line_names_the_extra(world, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "mcp", None)
    code, out, err = command(capsys, "serve-mcp")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert 'pip install "seedo[mcp]"' in err
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    with pytest.raises(UserError, match=r"seedo\[mcp\]"):
        mcp_server(Sessions(plan_of(world)))


@pytest.mark.slow
def test_a_server_on_http_says_where_it_is_and_can_be_stopped(tmp_path):
    client_of = pytest.importorskip("mcp").Client
    words = ["-c", "from seedo.cli import main; main()", "serve-mcp", "--n", "3", "--http",
             "--port", "0", "--out", str(tmp_path / "run")]  # fmt: skip
    server = subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE, text=True)
    while (found := re.search(r"http://\S+/mcp", server.stderr.readline())) is None:
        assert server.poll() is None

    async def one() -> dict:
        async with client_of(found[0]) as client:
            return (await client.call_tool("start_task", {})).structured_content

    assert anyio.run(one)["index"] == 0
    server.send_signal(signal.SIGTERM)
    assert "this goes on: seedo serve-mcp" in server.communicate(timeout=60)[1]
    assert server.returncode == 143


@pytest.mark.slow
def test_a_server_on_stdio_is_stopped_and_goes_on(world, performed, tmp_path):
    client_of = pytest.importorskip("mcp").Client
    from mcp.client.stdio import StdioServerParameters

    out = tmp_path / "run"
    words = ["-c", "from seedo.cli import main; main()", "serve-mcp", "--n", "3", "--out", str(out),
             "--episodes", str(EPISODES), "--resume"]  # fmt: skip
    calls = list(calls_of(world, 0))

    async def part(session: str | None, which: slice) -> str:
        parameters = StdioServerParameters(command=sys.executable, args=words, env=dict(os.environ))
        async with client_of(parameters) as client:
            if session is None:
                session = (await client.call_tool("start_task", {})).structured_content["session"]
            for name, arguments, said in calls[which]:
                told = await client.call_tool(name, {"session": session, **arguments})
                assert told_by(told).startswith(said)
        return session

    session = anyio.run(part, None, slice(2))
    idle = subprocess.Popen(
        [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while "stdin and stdout" not in idle.stderr.readline():
        assert idle.poll() is None
    idle.send_signal(signal.SIGTERM)
    said, stopped = idle.communicate(timeout=60)
    assert said == ""
    assert "this goes on: seedo serve-mcp" in stopped
    anyio.run(part, session, slice(2, None))
    batch = Dataset(out).read()
    assert batch.rows == 1
    np.testing.assert_allclose(batch.returns, performed.returns[:1], rtol=1e-5)
    np.testing.assert_array_equal(batch.target, performed.target[:1])
