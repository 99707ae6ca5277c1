"""Tasks, solver, scores and our own players as models, through Inspect AI; offline."""

from __future__ import annotations

import json
import logging
import math
import tempfile
import threading
import time
from typing import Any

import anyio
import numpy as np
import pytest

pytest.importorskip("inspect_ai")

from inspect_ai import eval as evaluate
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.tool import ToolCall

from seedo import worlds
from seedo.errors import UserError
from seedo.inference.exact import ExactPosterior
from seedo.inference.scores import Rows
from seedo.language import Conditions, converse, open_scene
from seedo.language.inspect_tasks import TASKS, Batches, read_settings
from seedo.language.items import items
from seedo.language.runs import (
    MOST_ANALYSES,
    Examples,
    Recorded,
    choose_examples,
    draw_candidates,
    example_messages,
    first_examples,
    follow,
    follow_with_tools,
    replay,
    same_world,
)
from seedo.language.runs.inspect import (
    CLUSTER,
    by_cell,
    cut_share,
    malformed_share,
    mean_return,
    return_ratio,
)
from seedo.language.scenes import (
    LONGEST,
    Malformed,
    calculate,
    call_for,
    call_tool,
    say_call,
    tools_of,
)
from seedo.play import find_player, perform, simulate

PLAYERS = [
    "scripted:random",
    "scripted:expert",
    "bayes:eig",
    "pretrained:dag",
    "pretrained:dag-text",
    "follower",
]

# Small worlds: what takes time is compiling players for them.
SMALL: dict[str, dict[str, Any]] = {
    "experiment": {"n": 3, "episodes": 2},
    "odd_one_out": {
        "episodes": 1,
        "settings": {"limit": 12, "linger": 1},
        "experiments": 1,
    },
    "recitation": {"n": 3, "episodes": 1, "kinds": "familiar,nonsense"},
    "content_effects": {"count": 2},
    "analogies": {"count": 2},
    "self_correction": {"episodes": 1, "horizon": 2},
    "reading": {"episodes": 1},
}


@pytest.fixture(scope="module")
def world() -> Any:
    return same_world("dag", worlds.make("dag", n=3).config())


def run(task: str, model: Any, limits: dict[str, Any] | None = None, **arguments: Any) -> Any:
    name = f"seedo/{model}" if isinstance(model, str) else model
    with tempfile.TemporaryDirectory() as folder:
        log = evaluate(f"seedo/{task}", model=name, task_args=arguments, display="none",
                       log_dir=folder, log_realtime=False, ctl_server=False,
                       **(limits or {}))[0]  # fmt: skip
        log.samples = list(log.samples or [])  # read from the folder while it is there
    return log


def mock(*replies: str | list[ToolCall], then: str = "observe") -> Any:
    """A model that says or calls one thing after another, then always the same."""
    left = list(replies)

    def output(messages: Any, *_: Any) -> ModelOutput:
        reply = left.pop(0) if left else then
        made = ModelOutput.from_content("mock", reply if isinstance(reply, str) else "")
        if not isinstance(reply, str):
            made.choices[0].message.tool_calls = reply
        made.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return made

    return get_model("mockllm/model", custom_outputs=output, memoize=False)


def metrics(log: Any) -> dict[str, float]:
    return {k: m.value for score in log.results.scores for k, m in score.metrics.items()}


# -- every player, every task ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def explored(world: Any, tmp_path_factory: Any) -> str:
    """A run whose experiments are read by others."""
    folder = tmp_path_factory.mktemp("explored") / "run"
    perform(world, find_player("scripted:random", world), 2, 0, folder)
    return str(folder)


QUICK = {
    *((task, "scripted:random") for task in TASKS),
    ("experiment", "pretrained:dag"),
    ("experiment", "pretrained:dag-text"),
    ("self_correction", "pretrained:dag"),
    ("reading", "bayes:eig"),
}
"""Every task with somebody, every kind of player somewhere; all pairs are among the long tests."""


@pytest.mark.parametrize(
    ("task", "player"),
    [
        pytest.param(task, player, marks=() if (task, player) in QUICK else pytest.mark.slow)
        for task in TASKS
        for player in PLAYERS
    ],
)
def test_every_player_runs_through_every_task(task, player, explored):
    more = {"explored": explored} if task == "reading" else {}
    log = run(task, player, **SMALL[task], **more)
    assert log.status == "success", log.error
    assert log.results.completed_samples == log.results.total_samples > 0
    assert all(usage.total_tokens > 0 for usage in log.stats.model_usage.values())


def test_every_player_gets_through_inspect_what_it_gets_in_the_runner(world):
    log = run("experiment", "scripted:expert", n=3, episodes=2)
    played = simulate(world, find_player("scripted:expert", world), 0, "perform", 0, 2)
    scores = [s.scores["episode_return"].value for s in log.samples]
    np.testing.assert_allclose([s["return"] for s in scores], played.returns, rtol=1e-6)
    np.testing.assert_allclose(
        [s["oracle_return"] for s in scores], played.oracle_return, rtol=1e-6
    )
    assert metrics(log)["malformed_share"] == 0


def test_a_sample_shows_the_opening_of_its_episode_and_names_it(world):
    sample = run("experiment", "follower", n=3, episodes=2).samples[1]
    scene = open_scene(world, 0, "perform", 1)
    assert [m.text for m in sample.input] == [m["content"] for m in scene.messages()]
    assert sample.id == "dag-0-00001"
    named = {k: sample.metadata[k] for k in ("seed", "stream", "index", "config")}
    assert named == {
        "seed": 0,
        "stream": "perform",
        "index": 1,
        "config": json.loads(json.dumps(world.config())),
    }


def test_the_tools_arm_has_the_same_actions_as_the_text_arm():
    by_text = run("experiment", "follower", n=3, episodes=2)
    by_tool = run("experiment", "follower", n=3, episodes=2, tools="analysis")
    assert [s.metadata["episode"]["actions"] for s in by_text.samples] == [
        s.metadata["episode"]["actions"] for s in by_tool.samples
    ]
    calls = [m for m in by_tool.samples[0].messages if m.role == "assistant"]
    assert [c.function for m in calls for c in m.tool_calls] == ["set_variable"] * 4


def test_the_zero_arm_meets_the_same_systems():
    log = run("recitation", "scripted:expert", **SMALL["recitation"])
    by_cell = {s.metadata["cell"]: s for s in log.samples}
    oracle = {k: s.metadata["episode"]["oracle_return"] for k, s in by_cell.items()}
    assert len(oracle) == 4
    assert len(set(oracle.values())) == 1
    assert len({s.metadata[CLUSTER] for s in log.samples}) == 1
    assert metrics(log)["familiar_zero"] == pytest.approx(1.0)
    assert len(by_cell["nonsense/zero"].metadata["episode"]["actions"]) == 1


# -- whatever a model says ------------------------------------------------------------------------


def test_replies_are_counted_never_carried_out_and_steps_pass_in_the_end():
    said = ["__import__('os').system('true')", "do dax=eval(2)", "x" * (LONGEST + 9)]
    log = run("experiment", mock(*said, then="take 1"), n=3, episodes=1)
    episode = log.samples[0].metadata["episode"]
    assert log.status == "success"
    assert [line for _, line in episode["actions"]] == [None] * 4
    assert len(episode["malformed"]) == len(episode["replies"]) == 4 * 3
    assert episode["malformed"][2] == [0, "too-long"]
    assert episode["return"] == 0
    assert metrics(log)["malformed_share"] == 1


def test_tool_calls_of_any_kind_are_counted_and_never_crash():
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    calls = [
        ToolCall("1", "rm", {"path": "/"}),
        ToolCall("2", "set_variable", {"variable": "dax"}),
        ToolCall("3", "set_variable", {"variable": ["dax"], "value": "2"}),
        ToolCall("4", "set_variable", {"variable": "x" * 999, "value": 2.0}),
        ToolCall("5", "calculator", {"expression": "9**9**9**9"}),
        ToolCall("6", "calculator", {"expression": deep}),
        ToolCall("7", "observe", {}, parse_error="no JSON"),
    ]
    log = run(
        "experiment",
        mock(*([c] for c in calls), [ToolCall("8", "observe", {}), *calls[:2]], then="words"),
        n=3,
        episodes=1,
        tools="analysis",
    )
    assert log.status == "success", log.error
    episode = log.samples[0].metadata["episode"]
    assert len(episode["malformed"]) == len(episode["replies"]) - 1
    assert [line for _, line in episode["actions"]].count("observe") == 1
    answered = [m for m in log.samples[0].messages if m.role == "tool"]
    assert len(answered) == len(calls) + 3


def test_a_model_that_never_calls_a_tool_is_told_apart():
    log = run("experiment", mock(then="I set the first."), n=3, episodes=1, tools="actions")
    sample = log.samples[0]
    assert [line for _, line in sample.metadata["episode"]["actions"]] == [None] * 4
    assert "tools=none" in sample.messages[3].text
    assert "tools=none" in sample.scores["episode_return"].explanation


def test_analyses_cost_no_step_but_are_bounded(world):
    recorded = Recorded(world, 0, "perform", 0, Conditions(tools="analysis"))
    for _ in range(MOST_ANALYSES):
        assert recorded.call("calculator", {"expression": "1+1"}) == "2"
    assert recorded.scene.step == 0
    assert recorded.scene.malformed == []
    assert recorded.call("calculator", {"expression": "1+1"}).startswith("Nothing was done")
    assert recorded.scene.malformed == [(0, "not-allowed")]


# -- limits and epochs ----------------------------------------------------------------------------


def priced(*replies: tuple[str, int], seconds: float = 0) -> Any:
    """A model that says one thing after another, at so many tokens each, after so long."""
    left = list(replies)

    def output(*_: Any) -> ModelOutput:
        time.sleep(seconds)
        reply, tokens = left.pop(0)
        made = ModelOutput.from_content("mock", reply)
        made.usage = ModelUsage(output_tokens=tokens, total_tokens=tokens)
        return made

    return get_model("mockllm/model", custom_outputs=output, memoize=False)


def last_action(world: Any, index: int) -> tuple[str, float, float]:
    """A scored action of an episode after three looks: the line, what it earns, what the best
    does."""
    scene = open_scene(world, 0, "perform", index)
    for _ in range(3):
        scene.reply("observe")
    line = scene.example()
    action, goal = scene.read(line), scene.goal
    expected = np.asarray(scene.episode.task.expected)
    earned = expected[action.target, list(world.spec.do_values).index(action.value), goal]
    others = [i for i in range(3) if i != goal]
    return line, float(earned), float(expected[others][:, :, goal].max())


def test_what_a_limit_leaves_undone_passes_and_is_scored(world):
    """The second of two episodes runs out of tokens before it acts, which earns nothing."""
    (line, earned, best), (_, _, other) = last_action(world, 0), last_action(world, 1)
    looks = [("observe", 1)] * 3
    model = priced(*looks, (line, 1), ("observe", 1), ("observe", 99))
    log = run("experiment", model, {"token_limit": 20, "max_samples": 1}, n=3, episodes=2)
    assert log.status == "success", log.error
    whole, cut = (sample.scores["episode_return"] for sample in log.samples)
    assert whole.value["return"] == pytest.approx(earned)
    assert (whole.value["cut"], whole.value["passed"], whole.value["replies"]) == (0, 0, 4)
    assert (cut.value["cut"], cut.value["return"], cut.value["malformed"]) == (1, 0, 0)
    assert cut.value["passed"] + cut.value["replies"] == 4
    assert cut.explanation.endswith(
        "Cut short by the token limit of 20: what was left passed with nothing done."
    )
    assert not log.samples[1].metadata["episode"]["finished"]  # as it was left
    found = metrics(log)
    assert found["return_ratio"] == pytest.approx(earned / (best + other))
    assert found["mean_return"] == pytest.approx(earned / 2)
    assert found["cut_share"] == 0.5
    assert not any(map(math.isnan, found.values()))


LIMITS = ({"message_limit": 2}, {"message_limit": 1}, {"token_limit": 1}, {"limit": 1},
          {"time_limit": 1})  # fmt: skip


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    "limits",
    [pytest.param(own, marks=() if own == LIMITS[0] else pytest.mark.slow) for own in LIMITS],
    ids=str,
)
def test_every_task_ends_in_scores_and_reasons_at_every_limit(task, limits, explored):
    more = {"explored": explored} if task == "reading" else {}
    seconds = 1.2 if "time_limit" in limits else 0
    model = priced(*[("observe", 2)] * 99, seconds=seconds)
    log = run(task, model, limits, **SMALL[task], **more)
    assert log.status == "success", log.error
    assert len(log.samples) >= 1
    for sample in log.samples:
        (score,) = sample.scores.values()
        assert not any(math.isnan(value) for value in score.value.values())
        cut = score.value.get("cut", score.answer is None)
        if cut:
            assert f"ut short by the {sample.limit.type} limit" in score.explanation
        elif sample.limit is not None:
            assert sample.limit.type == "time"  # which may run out right after the last reply
    found = metrics(log)
    assert found
    assert not any(map(math.isnan, found.values()))
    assert all(score.unscored_samples == 0 for score in log.results.scores)


def test_of_no_scores_there_are_no_metrics_rather_than_nan():
    for metric in (return_ratio(), mean_return(), cut_share()):
        assert set(metric([]).values()) == {None}  # which Inspect leaves out
    assert by_cell()([]) == {"cells": 0}


def test_epochs_meet_the_same_systems_and_all_of_them_count(world):
    (line, earned, best), (_, _, other) = last_action(world, 0), last_action(world, 1)
    looks = [("observe", 1)] * 3
    passed = [("hm", 1)] * 3  # which lets the scored step pass
    model = priced(*looks, (line, 1), *looks, *passed, *looks, *passed, *looks, *passed)
    log = run("experiment", model, {"epochs": 2, "max_samples": 1}, n=3, episodes=2)
    assert [(s.id, s.epoch) for s in log.samples] == [
        ("dag-0-00000", 1), ("dag-0-00001", 1), ("dag-0-00000", 2), ("dag-0-00001", 2),
    ]  # fmt: skip
    seen = [[m.text for m in s.messages if m.role == "user"][:4] for s in log.samples]
    assert seen[0] == seen[2]
    assert seen[1] == seen[3]
    found = metrics(log)
    assert found["return_ratio"] == pytest.approx(earned / (2 * best + 2 * other))
    assert found["malformed_share"] == pytest.approx(9 / (4 + 6 * 3))
    assert found["cut_share"] == 0


def test_epochs_of_an_item_are_answers_of_their_own():
    (item,) = [i for i in items("syllogisms", 2, 0) if i.id.endswith("-0")]
    model = priced((f"Answer: {item.gold}", 1), ("hm", 1))
    limits = {"epochs": 2, "limit": 1, "max_samples": 1}
    log = run("content_effects", model, limits, kinds="syllogisms", count=2)
    found = metrics(log)
    cell = next(name.removeprefix("answered/") for name in found if name.startswith("answered/"))
    assert found[cell] == pytest.approx((1 + item.floor) / 2)  # silence is worth what chance is
    assert found[f"answered/{cell}"] == 0.5
    assert found[f"among_answered/{cell}"] == 1
    assert (found["correct"], found["malformed"]) == (0.5, 0.5)


def test_a_limit_on_samples_keeps_systems_whole():
    log = run("recitation", "scripted:expert", {"limit": 4}, n=3, episodes=2,
              kinds="familiar,nonsense")  # fmt: skip
    assert {s.metadata["index"] for s in log.samples} == {0}
    assert len({s.metadata["cell"] for s in log.samples}) == 4
    log = run("self_correction", "scripted:expert", {"limit": 2}, episodes=2, horizon=2)
    assert [s.metadata["note"] for s in log.samples] == ["none", "reversed"]
    assert metrics(log)["pairs"] == 1


# -- from the log to the scene --------------------------------------------------------------------


@pytest.mark.parametrize("tools", ["none", "analysis"])
@pytest.mark.parametrize("kind", ["plain", "thoughtful"])
def test_a_log_replays_to_the_same_scene(world, tools, kind):
    extra = {"check": True, "structure": True, "reasoning": True} if kind == "thoughtful" else {}
    conditions = Conditions(tools=tools, examples=1, explanations=True, **extra)
    examples = first_examples(conditions, 0, "scripted:random")
    recorded = Recorded(world, 3, "perform", 5, conditions, examples)
    recorded.reply("y" * (LONGEST + 1))
    recorded.reply("nonsense\nlines")
    if tools != "none":
        recorded.call("posterior", {})
        recorded.call("observe", {"why": 1})
    while not recorded.scene.finished:
        messages = recorded.scene.messages()
        call = follow_with_tools(messages, list(recorded.tools)) if recorded.tools else None
        if call:
            recorded.call(*call)
        else:
            recorded.reply(follow(messages))
    logged = json.loads(json.dumps({"episode": recorded.to_dict()}))
    again = replay(logged)
    assert again.messages() == recorded.scene.messages()
    for field in ("malformed", "passed", "thoughts", "replies", "answers", "returns"):
        assert getattr(again, field) == getattr(recorded.scene, field)
    np.testing.assert_array_equal(again.episode.seen[-1].outcome,
                                  recorded.scene.episode.seen[-1].outcome)  # fmt: skip


def test_what_inspect_logs_replays(world):
    log = run("experiment", "follower", n=3, episodes=1)
    scene = replay(log.samples[0].metadata)
    assert scene.finished
    assert scene.returns == log.samples[0].scores["episode_return"].value["return"]


# -- scores ---------------------------------------------------------------------------------------


def sample_score(where: dict[str, Any], **value: float) -> Any:
    from inspect_ai.scorer import SampleScore, Score

    rest = {"random_return": 0.0, "malformed": 0, "replies": 1, "oracle_return": 1.0}
    return SampleScore(score=Score(value=rest | value), sample_metadata=where)


def test_the_return_ratio_is_a_ratio_of_means():
    scores = [
        sample_score({CLUSTER: "a"}, **{"return": 1.0, "oracle_return": 2.0}),
        sample_score({CLUSTER: "b"}, **{"return": 3.0, "oracle_return": 3.0}),
    ]
    assert return_ratio()(scores)["return_ratio"] == pytest.approx(4 / 5)


def test_copies_of_an_episode_do_not_narrow_the_interval():
    rng = np.random.default_rng(0)
    returns = rng.uniform(0, 1, 30)
    once = [sample_score({CLUSTER: str(i)}, **{"return": r}) for i, r in enumerate(returns)]
    copied = [score for score in once for _ in range(10)]
    one, ten = return_ratio()(once), return_ratio()(copied)
    assert ten["return_ratio_low"] == pytest.approx(one["return_ratio_low"])
    assert ten["return_ratio_high"] == pytest.approx(one["return_ratio_high"])


def test_nothing_malformed_anywhere_is_not_certain_for_that():
    scores = [sample_score({CLUSTER: str(i)}, malformed=0, replies=4) for i in range(10)]
    found = malformed_share()(scores)
    assert found["malformed_share"] == found["malformed_share_low"] == 0
    assert 0.2 < found["malformed_share_high"] < 0.3  # Wilson's: 10 episodes


def test_contrasts_of_recitation_are_paired():
    scores = []
    for i, base in enumerate((0.1, 0.9, 0.4)):
        for names, arm, more in (("familiar", "zero", 0.0), ("familiar", "experiments", 0.05),
                                 ("nonsense", "experiments", 0.02)):  # fmt: skip
            where = {CLUSTER: str(i), "names": names, "arm": arm}
            scores.append(sample_score(where, **{"return": base + more}))
    found = by_cell()(scores)
    # The same difference in every episode: no spread, however much the episodes differ.
    for name, value in (("discovered_familiar", 0.05), ("familiar_against_nonsense", 0.03)):
        assert found[name] == pytest.approx(value)
        assert found[f"{name}_low"] == pytest.approx(value)
        assert found[f"{name}_high"] == pytest.approx(value)


# -- analyses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "value"),
    [("1 + 2 * 3", 7), ("-(2 - 0.5) / 3", -0.5), ("2 ** 0.5", math.sqrt(2)),
     ("max(1, 2, exp(1))", math.e), ("abs(-3) + min(4, 5) + sqrt(16) + log(1)", 11),
     ("1.5e3", 1500)],
)  # fmt: skip
def test_the_calculator_calculates(expression, value):
    assert float(calculate(expression)) == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize(
    "expression",
    ["", "a", "__import__('os')", "().__class__", "[1]*9", "'a'*9", "1 if 1 else 2", "1;2", "x=1",
     "lambda: 1", "abs", "max()", "sqrt(1, 2)", "exp(*[1])", "1(2)", "(" * 150, "9**9**9", "1/0",
     "exp(999)", "log(0)", "(-8)**0.5", "1e99", "10**100", "9" * 400, "１+１", "1\n+1", "1__0",
     "abs.__class__", "True", "1j", "0x10"],
)  # fmt: skip
def test_the_calculator_refuses_everything_else(expression):
    assert isinstance(calculate(expression), Malformed)


def experimented(world: Any, conditions: Conditions) -> Any:
    scene = open_scene(world, 1, "perform", 2, conditions)
    while not scene.exploiting:
        scene.reply(follow(scene.messages()))
    return scene


def test_the_posterior_is_the_one_that_listing_all_graphs_gives(world):
    scene = experimented(world, Conditions(names="letters", tools="none"))
    config = world.config()
    exact = ExactPosterior(3, config["max_parents"], config["noise_variance"],
                           config["weight_scale"] ** 2)  # fmt: skip
    seen = scene.episode.seen[1:]
    rows = Rows(np.array([o.outcome for o in seen]), np.array([o.target for o in seen]))
    said = scene.posterior().split("\n")
    edges = np.asarray(exact.edge_marginals(rows))
    effects = np.asarray(exact.effects(rows, scene.goal))
    probability = np.exp(np.asarray(exact.log_probs(rows)))
    reaches = np.array([np.linalg.matrix_power(np.eye(3) + g, 3) > 0 for g in exact.dags])
    ancestors = np.einsum("k,kij->ij", probability, reaches)
    for i, name in enumerate("ABC"):
        line = said[1 + i].removeprefix(f"{name}: ").split()
        for other, value in zip(line[::2], line[1::2], strict=True):
            assert float(value) == pytest.approx(edges[i, "ABC".index(other)], abs=0.006)
    for line in said[5:]:
        name, _, numbers = line.partition(": ")
        likely, slope = map(float, numbers.split(", "))
        i = "ABC".index(name)
        assert likely == pytest.approx(ancestors[i, scene.goal], abs=0.006)
        assert slope == pytest.approx(effects[i], abs=0.006)
    assert len(said[5:]) == 2


def test_the_posterior_of_nothing_is_the_prior(world):
    scene = open_scene(world, 1, "perform", 2, Conditions(names="letters"))
    # 25 labelled DAGs on 3 nodes, none with an in-degree above 2; 8 of them have a given arrow.
    assert "A: B 0.32 C 0.32" in scene.posterior()


def test_the_regression_is_least_squares_without_the_rows_that_set_the_variable(world):
    many = same_world("dag", worlds.make("dag", n=3, experiments=9).config())
    scene = open_scene(many, 0, "perform", 0, Conditions(names="letters"))
    while not scene.exploiting:
        scene.reply(["do A=2.0", "do B=-2.0", "observe"][scene.step % 3])
    seen = [o for o in scene.episode.seen[1:] if int(o.target) != 1]
    rows = np.round(np.array([o.outcome for o in seen], float), 1)
    import statsmodels.api as sm

    fit = sm.OLS(rows[:, 1], sm.add_constant(rows[:, [0, 2]])).fit()
    said = scene.regress("B", "A C").split("\n")
    assert said[0] == "6 results."
    for line, value, error in zip(said[1:], fit.params, fit.bse, strict=True):
        assert float(line.split()[1]) == pytest.approx(value, abs=0.006)
        assert float(line.split()[-1].rstrip(")")) == pytest.approx(error, abs=0.006)
    for variable, on in (("Z", "A"), ("A", "A"), ("A", ""), ("A", "B B"), ("A", "x" * 9999)):
        assert isinstance(scene.regress(variable, on), Malformed)


# -- calls, examples, the follower ----------------------------------------------------------------


def test_every_action_has_a_call_that_means_it(world):
    scene = open_scene(world, 0, "perform", 0, Conditions(tools="actions"))
    for line in ("observe", *(f"do {w}={v}" for w in scene.names.words for v in ("-2.0", "2.0"))):
        action = scene.read(line)
        name, arguments = call_for(scene, action)
        assert call_tool(tools_of(scene), name, arguments) == action
        assert say_call(name, arguments).startswith(f"{name}(")


def test_examples_are_whole_episodes_from_their_own_stream(world):
    conditions = Conditions(examples=2)
    shown = example_messages(world, conditions, first_examples(conditions, 0))
    assert [m["role"] for m in shown] == ["user", "assistant"] * (2 * 4)
    scene = open_scene(world, 0, "examples", 1)
    assert shown[8]["content"] == scene.messages()[-1]["content"]
    for message in shown[9::2]:  # what the expert replies is what the scene takes
        assert scene.reply(message["content"]) is None
    assert scene.finished
    assert scene.returns == pytest.approx(scene.oracle_return)


@pytest.mark.parametrize("reasoning", [False, True])
def test_explained_examples_keep_the_form_that_replies_have_to_have(world, reasoning):
    conditions = Conditions(examples=1, explanations=True, reasoning=reasoning)
    shown = example_messages(world, conditions, first_examples(conditions, 0))
    roles = [m["role"] for m in shown]
    assert roles == ["user", "assistant"] * (len(roles) // 2)
    scene = open_scene(world, 0, "examples", 0, Conditions(reasoning=reasoning))
    for message in shown[1:8:2]:
        assert scene.reply(message["content"]) is None
    assert "has not been set yet" in " ".join(m["content"] for m in shown)


def test_the_best_examples_on_the_validation_stream_are_chosen(world):
    class Copycat:
        """Does well if it was shown an even episode first."""

        name = "copycat"

        def replies(self, conversations):
            return [self._reply(c) for c in conversations]

        def _reply(self, messages):
            good = messages[1]["content"] in even
            return follow(messages) if good else "observe"

    conditions = Conditions(examples=1)
    even = {open_scene(world, 0, "examples", i).messages()[-1]["content"] for i in (0, 2)}
    candidates = draw_candidates(conditions, 0, sets=3)[1:]
    chosen = choose_examples(world, conditions, Copycat(), candidates, seed=0, episodes=8)
    assert chosen.best.indices == (2,)
    scenes = [open_scene(world, 0, "validation", i) for i in range(8)]

    class Follower:
        name = "follower"

        def replies(self, conversations):
            return [follow(c) for c in conversations]

    converse(scenes, Follower())
    assert chosen.returns[1] == pytest.approx(np.mean([s.returns for s in scenes]))
    assert chosen.returns[0] == 0


def test_the_follower_tests_every_variable_once_then_takes_the_largest_effect(world):
    scene = open_scene(world, 4, "perform", 0)
    seen, goal = {}, None
    while not scene.exploiting:
        reply = follow(scene.messages())
        assert scene.reply(reply) is None
        name = reply.removeprefix("do ").partition("=")[0]
        seen[name] = scene.messages()[-1]["content"]
    goal = scene.names.words[scene.goal]
    assert set(seen) == set(scene.names.words)
    slope = {
        name: float(text.split(f"{goal}=")[1].split()[0]) / 2
        for name, text in seen.items()
        if name != goal
    }
    best = max(slope, key=lambda name: abs(slope[name]))
    assert follow(scene.messages()) == f"do {best}={2.0 if slope[best] >= 0 else -2.0}"


def test_the_follower_is_lost_without_instructions():
    assert follow([{"role": "user", "content": "Hello"}]).startswith("I do not understand")
    assert follow([]).startswith("I do not understand")


# -- provider -------------------------------------------------------------------------------------


def test_concurrent_requests_reach_a_speaker_in_batches_and_get_their_own_replies():
    class Echo:
        name = "echo"
        sizes: list[int] = []  # noqa: RUF012
        threads: set[int] = set()  # noqa: RUF012

        def replies(self, conversations):
            self.sizes.append(len(conversations))
            self.threads.add(threading.get_ident())
            self.spent = [(int(c[-1]["content"]), 1) for c in conversations]
            return [c[-1]["content"] for c in conversations]

    batches, got = Batches(Echo()), {}

    async def ask(i: int) -> None:
        got[i] = await batches.reply([{"role": "user", "content": str(i)}])

    async def all_at_once() -> None:
        async with anyio.create_task_group() as group:
            for i in range(200):
                group.start_soon(ask, i)

    for _ in range(2):  # evaluations follow each other, each with an event loop of its own
        anyio.run(all_at_once)
        assert got == {i: (str(i), (i, 1)) for i in range(200)}
    assert sum(Echo.sizes) == 400
    assert len(Echo.sizes) <= 4
    assert threading.get_ident() not in Echo.threads


def test_a_request_that_arrives_while_a_speaker_speaks_waits_until_it_has_spoken():
    class Slow:
        name = "slow"
        spent: list[tuple[int, int]] = []  # noqa: RUF012
        speaking, most = 0, 0

        def replies(self, conversations):
            self.speaking += 1
            self.most = max(self.most, self.speaking)
            time.sleep(0.05)
            self.speaking -= 1
            self.spent = [(1, 1)] * len(conversations)
            return ["yes"] * len(conversations)

    batches = Batches(slow := Slow())

    async def late(seconds: float) -> None:
        await anyio.sleep(seconds)
        await batches.reply([])

    async def one_after_another() -> None:
        async with anyio.create_task_group() as group:
            for i in range(10):
                group.start_soon(late, i * 0.02)
            with anyio.move_on_after(0.03):  # one that is given up
                await late(0.01)

    for _ in range(2):
        anyio.run(one_after_another)
    assert slow.most == 1


def test_what_a_speaker_raises_reaches_whoever_asked():
    class Broken:
        name = "broken"
        spent: list[tuple[int, int]] = []  # noqa: RUF012

        def replies(self, conversations):
            raise RuntimeError("no weights")

    async def ask() -> None:
        await Batches(Broken()).reply([{"role": "user", "content": "?"}])

    with pytest.raises(RuntimeError, match="no weights"):
        anyio.run(ask)


def test_a_player_that_cannot_play_a_world_says_why(caplog):
    with caplog.at_level(logging.WARNING):
        log = run("experiment", "bayes:eig", n=3, episodes=1, settings={"mechanism": "tanh"})
    assert "I cannot play this" in log.samples[0].messages[2].text
    assert metrics(log)["malformed_share"] == 1


# -- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [{"noise_variance": 0.5, "goals": "fresh"}, '{"noise_variance": 0.5, "goals": "fresh"}',
     "noise_variance=0.5, goals=fresh", ["noise_variance=0.5", "goals=fresh"]],
)  # fmt: skip
def test_settings_may_be_given_in_any_form(settings):
    assert read_settings(settings) == {"noise_variance": 0.5, "goals": "fresh"}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [({"settings": "{"}, "settings"), ({"settings": "a"}, "settings"),
     ({"episodes": 0}, "episodes"), ({"seed": -1}, "seed"),
     ({"names": "silly"}, "names"), ({"world": "moon"}, "world"),
     ({"settings": {"silly": 1}}, "silly"),
     ({"examples": 2, "examples_indices": "1"}, "examples_indices"),
     ({"examples": 1, "examples_indices": "x"}, "examples_indices")],
)  # fmt: skip
def test_parameters_that_make_no_sense_are_refused(arguments, field):
    from seedo.language.inspect_tasks import experiment

    with pytest.raises(UserError) as caught:
        experiment(**{"n": 3, "episodes": 1} | arguments)
    assert caught.value.field == field


def test_examples_can_be_named():
    log = run("experiment", "follower", n=3, episodes=1, examples=1, examples_indices="3")
    assert log.samples[0].metadata["examples"] == Examples((3,)).to_dict()
