"""Runs of language models against servers with which something is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("inspect_ai")
pytest.importorskip("openai")

from endpoint import Endpoint
from seedo import evaluation, worlds
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.language import Conditions, open_scene
from seedo.language.runs import Budget, Calls, record_llm

COUNT, REPLIES = 6, 4  # episodes; replies of each, none of them malformed
MODEL = "openai-api/faulty/m"
QUICK = Calls(backoff=0.01, retries=4, max_connections=3, timeout=20)


@pytest.fixture(scope="module")
def world():
    return worlds.make("dag", n=3)


@pytest.fixture
def serve(monkeypatch):
    started = []

    def start(*args, **options):
        endpoint = Endpoint(*args, **options)
        started.append(endpoint)
        monkeypatch.setenv("FAULTY_API_KEY", "none")
        monkeypatch.setenv("FAULTY_BASE_URL", endpoint.url)
        return endpoint

    yield start
    for endpoint in started:
        endpoint.stop()


@pytest.fixture(scope="module")
def whole(world, tmp_path_factory):
    """A run with which nothing went wrong."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    endpoint = Endpoint()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAULTY_API_KEY", "none")
        patch.setenv("FAULTY_BASE_URL", endpoint.url)
        run = record_llm(world, MODEL, COUNT, 0, out, calls=QUICK, price_in=1.0, price_out=2.0)
    endpoint.stop()
    assert (run.finished, run.stopped, run.retried, run.failed) == (COUNT, "", {}, ())
    assert len(endpoint.asked) == COUNT * REPLIES + 1  # the first asks whether anybody is there
    return out


def conversations(folder):
    return [json.loads(line) for line in (folder / "conversations.jsonl").read_text().splitlines()]


def log(folder):
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.suffix == ".parquet" or path.name == "manifest.json"
    }


def same_run(folder, whole):
    assert log(folder) == log(whole)
    for one, other in zip(conversations(folder), conversations(whole), strict=True):
        chance = dict.fromkeys(("seconds", "retries", "cost"))
        assert one | chance == other | chance
    return True


def first_words(world, episode):
    return open_scene(world, 0, "perform", episode).messages()[1]["content"]


def test_a_run_is_a_log_of_what_the_model_said(world, whole):
    (reviewed,) = evaluation.review([whole]).runs
    assert reviewed.agent == f"llm:{MODEL}"
    assert not [w for w in reviewed.warnings if "differ" in w]  # returns are the systems' own
    batch = Dataset(whole).read()
    for line in conversations(whole):
        words = open_scene(world, 0, "perform", line["episode"]).names.words
        said = [m["content"] for m in line["messages"] if m["role"] == "assistant"]
        assert said == [f"do {words[t]}=2.0" for t in batch.target[line["episode"]]]
        # The server counts 100 and 10 tokens for every reply, at 1 and 2 dollars a million.
        assert (line["tokens_in"], line["tokens_out"]) == (100 * REPLIES, 10 * REPLIES)
        assert line["cost"] == pytest.approx((100 + 2 * 10) * REPLIES / 1e6)
    assert reviewed.spoken.dollars == pytest.approx(COUNT * 120 * REPLIES / 1e6)


def test_failing_calls_are_tried_again_and_counted_by_what_failed(world, whole, serve, tmp_path):
    faults = {3: 429, 4: 500, 7: "cut", 9: 503, 12: "gone", 15: 429}
    endpoint = serve(lambda number, messages: faults.get(number))
    run = record_llm(world, MODEL, COUNT, 0, tmp_path / "run", calls=QUICK, price_in=1, price_out=2)
    assert same_run(tmp_path / "run", whole)
    assert run.retried == {"429": 2, "500": 1, "503": 1, "connection": 2}
    assert sum(line["retries"] for line in conversations(tmp_path / "run")) == 6
    assert endpoint.met["None"] == COUNT * REPLIES + 1
    told = json.loads((tmp_path / "run" / "run.json").read_text())["calls"]
    assert told["retried"] == run.retried
    assert "calls tried again: 429 2, 500 1, 503 1, connection 2" in run.sentence()


def test_a_call_without_an_answer_is_tried_again(world, serve, tmp_path):
    serve(lambda number, messages: "slow" if number == 3 else None, slow=2.5)
    calls = Calls(backoff=0.01, timeout=2, max_connections=3)
    run = record_llm(world, MODEL, 2, 0, tmp_path / "run", calls=calls)
    assert run.retried["timeout"] >= 1
    assert run.finished == 2


def test_a_reply_that_the_server_cut_off_is_counted(world, serve, tmp_path):
    endpoint = serve(lambda number, messages: "length" if number in (4, 6) else None)
    run = record_llm(world, MODEL, COUNT, 0, tmp_path / "run", calls=QUICK)
    assert run.truncated == endpoint.met["length"] == 2
    assert sum(len(line["malformed"]) for line in conversations(tmp_path / "run")) == 2
    assert run.finished == COUNT


@pytest.mark.slow
def test_a_run_goes_on_after_its_server_died(world, whole, serve, tmp_path):
    out = tmp_path / "run"
    dying = serve(lambda number, messages: "gone" if number > 11 else None)
    calls = Calls(backoff=0.01, retries=1, max_connections=2, rounds=2)
    run = record_llm(world, MODEL, COUNT, 0, out, calls=calls, price_in=1, price_out=2)
    assert 0 < run.finished < COUNT
    assert "--resume" in run.stopped
    assert run.failed
    dying.stop()
    kept = {line["episode"] for line in conversations(out)}
    back = serve()
    run = record_llm(world, MODEL, COUNT, 0, out, calls=calls, resume=True, price_in=1, price_out=2)
    assert same_run(out, whole)
    assert (run.finished, run.failed, run.stopped) == (COUNT, (), "")
    # Nothing that was finished is asked again, and nothing else is left out.
    asked = {messages[1]["content"] for messages in back.asked if len(messages) > 1}
    assert not asked & {first_words(world, episode) for episode in kept}
    assert asked <= {first_words(world, episode) for episode in range(COUNT)}
    # Unlike the log, the count of tokens has the calls of episodes that were begun twice.
    answered = len(dying.asked) + len(back.asked) - 2
    assert run.spent.tokens == 110 * answered


def test_an_episode_that_fails_for_good_is_no_result(world, whole, serve, tmp_path):
    out, broken = tmp_path / "run", first_words(world, 3)

    def refuse_one(number, messages):
        return 400 if len(messages) > 5 and messages[1]["content"] == broken else None

    serve(refuse_one)
    run = record_llm(world, MODEL, COUNT, 0, out, calls=QUICK)
    assert run.finished == COUNT - 1
    assert [episode for episode, _ in run.failed] == [3]
    assert "--resume" in run.stopped
    assert Dataset(out).rows == 3  # whole shards before it; what came after it waits
    assert "episode" in evaluation.review([out]).runs[0].spoken.calls["summary"]
    serve()
    run = record_llm(world, MODEL, COUNT, 0, out, calls=QUICK, resume=True)
    assert (run.stopped, run.failed) == ("", ())
    assert log(out) == log(whole)


def test_a_budget_stops_a_run_before_it_is_overdrawn(world, whole, serve, tmp_path):
    out, each = tmp_path / "run", 110 * REPLIES
    endpoint = serve()
    budget = Budget(tokens=3 * each + 50)
    run = record_llm(world, MODEL, COUNT, 0, out, calls=QUICK, budget=budget)
    assert run.spent.tokens == 110 * (len(endpoint.asked) - 1) <= budget.tokens
    assert 0 < run.finished <= 3
    assert "budget is used up" in run.stopped
    assert run.failed == ()
    # The budget is the run's, not of each of its parts.
    run = record_llm(world, MODEL, COUNT, 0, out, calls=QUICK, budget=budget, resume=True)
    assert run.spent.tokens <= budget.tokens
    run = record_llm(world, MODEL, COUNT, 0, out, calls=QUICK, resume=True)
    assert run.stopped == ""
    assert log(out) == log(whole)


def test_a_server_that_counts_no_tokens_is_held_to_the_budget_by_estimates(world, serve, tmp_path):
    serve(usage=False)
    said = []
    budget = Budget(usd=0.002)
    run = record_llm(world, MODEL, COUNT, 0, tmp_path / "run", calls=QUICK, budget=budget,
                     price_in=1.0, price_out=1.0, say=said.append)  # fmt: skip
    assert 0 < run.finished < COUNT
    assert "budget is used up" in run.stopped
    assert "about" in said[0]
    assert "$" in said[0]
    assert {line["tokens_in"] for line in conversations(tmp_path / "run")} <= {None}


def test_the_cache_answers_what_was_asked_before(world, whole, serve, tmp_path, monkeypatch):
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))
    calls = Calls(backoff=0.01, max_connections=3, cache=True)
    endpoint = serve()
    record_llm(world, MODEL, 3, 0, tmp_path / "one", calls=calls)
    before = len(endpoint.asked)
    run = record_llm(world, MODEL, 3, 0, tmp_path / "two", calls=calls)
    assert len(endpoint.asked) == before + 1  # whether anybody is there
    assert run.spent.tokens == 0
    assert log(tmp_path / "one") == log(tmp_path / "two")


@pytest.mark.parametrize("fault", [500, "gone", 401, 404])
def test_a_model_that_does_not_answer_is_told_before_the_run(world, serve, tmp_path, fault):
    serve(lambda number, messages: fault)
    with pytest.raises(UserError, match="does not answer") as refused:
        record_llm(world, MODEL, COUNT, 0, tmp_path / "run", calls=QUICK)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("model", ["openai-api/nobody/m", "nonsense/m", "m"])
def test_a_model_that_cannot_be_opened_is_told_in_one_line(world, tmp_path, model):
    with pytest.raises(UserError, match="model: got") as refused:
        record_llm(world, model, COUNT, 0, tmp_path / "run")
    assert "\n" not in str(refused.value)


def test_a_budget_in_dollars_needs_a_price(world, tmp_path):
    with pytest.raises(UserError, match="--price-in"):
        record_llm(world, MODEL, COUNT, 0, tmp_path / "run", budget=Budget(usd=1.0))


def test_a_budget_that_cannot_pay_for_one_episode_is_refused_at_the_start(world, serve, tmp_path):
    endpoint = serve()
    with pytest.raises(UserError, match=r"budget: got 50; one episode takes about [\d,]+ tokens"):
        record_llm(world, MODEL, COUNT, 0, tmp_path / "run", budget=Budget(tokens=50))
    assert not (tmp_path / "run").exists()
    assert not endpoint.asked


@pytest.mark.slow
def test_examples_are_chosen_on_the_validation_split_and_stated(world, serve, tmp_path):
    endpoint = serve()
    run = record_llm(world, MODEL, 2, 0, tmp_path / "run", calls=QUICK, choose=True,
                     conditions=Conditions(examples=1), price_in=1, price_out=2)  # fmt: skip
    job = json.loads((tmp_path / "run" / "manifest.json").read_text())["job"]
    chosen, shown = job["chosen"], job["examples"]["indices"]
    assert (chosen["stream"], chosen["episodes"]) == ("validation", 4)
    assert shown == chosen["candidates"][chosen["returns"].index(max(chosen["returns"]))]
    asked = len(endpoint.asked)
    assert run.spent.tokens == 110 * (asked - 2)  # trials count; two calls asked for readiness
    played = sum(line["replies"] for line in conversations(tmp_path / "run"))
    assert asked - 2 > played
    again = record_llm(world, MODEL, 2, 0, tmp_path / "run", calls=QUICK, choose=True, resume=True,
                       conditions=Conditions(examples=1), price_in=1, price_out=2)  # fmt: skip
    assert again.finished == 2
    assert len(endpoint.asked) == asked  # nothing is chosen again


SCRIPT = """
import sys
from seedo import worlds
from seedo.language.runs import Calls
from seedo.language.runs import record_llm
calls = Calls(backoff=0.01, max_connections=3)
world = worlds.make("dag", n=3)
record_llm(world, sys.argv[1], 6, 0, sys.argv[2], calls=calls, resume=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on_and_keeps_what_was_paid_for(whole, serve, tmp_path, blow):
    out = tmp_path / "run"
    endpoint = serve(lambda number, messages: "slow" if number > 16 else None, slow=60)
    command = [sys.executable, "-c", SCRIPT, MODEL, str(out)]
    process = subprocess.Popen(command, env=os.environ | {"JAX_PLATFORMS": "cpu"})
    deadline = time.monotonic() + 300
    while endpoint.met["slow"] < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)
    process.send_signal(blow)
    process.wait(60)
    assert not list(out.glob("*.parquet"))  # the chunk was not over
    endpoint.stop()
    back = serve()
    subprocess.run(command, env=os.environ | {"JAX_PLATFORMS": "cpu"}, check=True)
    assert log(out) == log(whole)
    assert len(back.asked) - 1 < COUNT * REPLIES
