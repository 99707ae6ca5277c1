"""Conversations held by workers and endpoints: one budget, one record of what was paid."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("inspect_ai")
pytest.importorskip("openai")

from typer.testing import CliRunner

from endpoint import Endpoint, in_turn
from seedo import worlds
from seedo.cli import app
from seedo.errors import UserError
from seedo.execution import open_workers
from seedo.language import Talkers
from seedo.language.runs import Budget, Calls, check_endpoint, record_llm

COUNT, REPLIES = 6, 4  # episodes; replies of each, 100 tokens read and 10 written
MODEL = "openai-api/spread/m"
CALLS = Calls(backoff=0.01, retries=4, max_connections=4, timeout=20)


@pytest.fixture(scope="module")
def world():
    return worlds.make("dag", n=3)


@pytest.fixture(scope="module")
def servers():
    """Two servers of one model; workers start with the environment that leads to the first."""
    both = Endpoint(), Endpoint()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPREAD_API_KEY", "a-secret-key")
        patch.setenv("SPREAD_BASE_URL", both[0].url)
        yield both
    for server in both:
        server.stop()


@pytest.fixture(scope="module")
def pair(servers):
    with open_workers("local:2") as workers:
        yield workers


def shards(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix == ".parquet"}


def ledger(out):
    lines = [line for p in out.rglob("ledger.jsonl") for line in p.read_text().splitlines()]
    return sum(sum(json.loads(line)[1:]) for line in lines)


@pytest.fixture(scope="module")
def whole(world, servers, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "here"
    run = record_llm(world, MODEL, COUNT, 0, out, calls=CALLS)
    assert run.spent.tokens == COUNT * REPLIES * 110 == ledger(out)
    return out


@pytest.mark.slow
def test_workers_and_endpoints_share_a_run(world, whole, servers, pair, tmp_path):
    before = [len(server.asked) for server in servers]
    talkers = Talkers(pair, 2, tuple(server.url for server in servers))
    run = record_llm(world, MODEL, COUNT, 0, tmp_path / "run", calls=CALLS, talkers=talkers)
    asked = [len(server.asked) - n for server, n in zip(servers, before, strict=True)]
    assert (run.finished, run.stopped) == (COUNT, "")
    assert shards(tmp_path / "run") == shards(whole)
    assert min(asked) >= REPLIES
    assert sum(asked) == COUNT * REPLIES + 1  # one asks whether anybody is there
    assert run.spent.tokens == COUNT * REPLIES * 110 == ledger(tmp_path / "run")
    told = b"".join(p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file())
    assert b"a-secret-key" not in told


def test_a_budget_holds_over_all_workers_and_the_rest_follows(world, whole, pair, tmp_path):
    out, talkers = tmp_path / "run", Talkers(pair, 2)
    most = 3 * REPLIES * 110
    run = record_llm(
        world, MODEL, COUNT, 0, out, calls=CALLS, talkers=talkers, budget=Budget(tokens=6000)
    )
    assert run.spent.tokens <= 6000
    assert ledger(out) == run.spent.tokens
    small = record_llm(
        world, MODEL, COUNT, 0, tmp_path / "small", calls=Calls(max_connections=1),
        talkers=talkers, budget=Budget(tokens=most),
    )  # fmt: skip
    assert "budget is used up" in small.stopped
    # A call that is under way when the last token goes is paid for: one for each worker.
    assert small.spent.tokens <= most + 2 * 110
    rest = record_llm(
        world, MODEL, COUNT, 0, tmp_path / "small", calls=CALLS, talkers=talkers, resume=True
    )
    assert rest.finished == COUNT
    assert shards(tmp_path / "small") == shards(whole)
    assert rest.spent.tokens == ledger(tmp_path / "small")


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing_that_was_paid_for(world, whole, tmp_path):
    slow = Endpoint(reply=lambda messages: (time.sleep(0.3), in_turn(messages))[1])
    talked = threading.Event()

    def kill():
        while not talked.wait(0.05):
            if len(slow.asked) > 12:
                for process in workers._started[:1]:
                    os.kill(process.pid, signal.SIGKILL)
                return

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPREAD_API_KEY", "none")
        with open_workers("local:2") as workers:
            killer = threading.Thread(target=kill)
            killer.start()
            talkers = Talkers(workers, 2, (slow.url,))
            run = record_llm(world, MODEL, 24, 0, tmp_path / "run", calls=CALLS, talkers=talkers)
            talked.set()
            killer.join()
    time.sleep(0.5)
    assert run.finished == 24
    lost = len(slow.asked) - 1 - run.spent.tokens // 110
    assert 0 <= lost <= 2  # answers under way when it died
    assert run.spent.tokens == ledger(tmp_path / "run") > 24 * REPLIES * 110
    slow.stop()


@pytest.mark.parametrize(("address", "why"), [
    ("localhost:8000", "give an address like"),
    ("ftp://localhost", "give an address like"),
    ("http://user:secret@host/v1", "keys come from the environment"),
    ("http://host/v1?key=secret", "keys come from the environment"),
])  # fmt: skip
def test_an_endpoint_is_an_address_without_secrets(address, why):
    with pytest.raises(UserError, match=why) as error:
        check_endpoint(address)
    assert "secret" not in str(error.value) or "secrets" in str(error.value)


def test_endpoints_need_workers(tmp_path):
    words = ["perform", f"llm:{MODEL}", "--out", str(tmp_path / "run"), "--endpoint", "http://h/v1"]
    error = CliRunner().invoke(app, words).exception
    assert isinstance(error, UserError)
    assert "give --executor too, e.g. local:1" in str(error)
    assert not Path(tmp_path / "run").exists()
