"""Work in other processes: the same bytes as here, whoever dies."""

import contextlib
import json
import os
import signal
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from seedo import evaluation, execution, experimenters, play, studies, worlds
from seedo.cli import app
from seedo.errors import UserError
from seedo.execution import LostWorker, Task, check_executor, open_workers, spread
from seedo.statistics import Estimate

WORLD = worlds.make("dag", n=3)
EXPERT = "scripted:expert"


def naps(count, seconds=0.0):
    return ((i, Task("sleep", {"seconds": seconds})) for i in range(count))


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def watched(out, workers=None, count=200, **more):
    player = play.find_player(EXPERT, WORLD)
    at = workers and play.Elsewhere(workers, EXPERT)
    return play.watch(WORLD, player, count, 5, out, name=EXPERT, elsewhere=at, **more)


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    watched(tmp_path_factory.mktemp("serial") / "log")
    return tmp_path_factory.getbasetemp() / "serial0" / "log"


@pytest.fixture(scope="module")
def pair():
    """Two processes that all tests share, so that what plays is compiled once in each."""
    with open_workers("local:2") as workers:
        yield workers


def test_every_task_is_answered_once_and_few_are_taken_ahead(pair):
    taken, answered = 0, []

    def tasks():
        nonlocal taken
        for found in naps(40, 0.005):
            taken += 1
            yield found

    for key, done in spread(tasks(), pair):
        answered.append(key)
        assert taken <= len(answered) + 4  # two for each of two workers
        assert done.cpu == execution.cpu_type()
    assert sorted(answered) == list(range(40))


def test_a_log_has_the_same_bytes_whoever_plays_it(serial, pair, tmp_path):
    watched(tmp_path / "local", pair)
    with ThreadPoolExecutor(2) as threads:
        watched(tmp_path / "threads", threads)
    assert files(tmp_path / "local") == files(tmp_path / "threads") == files(serial)


def test_a_log_begun_here_goes_on_elsewhere_with_what_is_missing(serial, pair, tmp_path):
    watched(tmp_path / "log")
    (tmp_path / "log" / "shard-00004.parquet").unlink()
    watched(tmp_path / "log", pair, resume=True)
    assert files(tmp_path / "log") == files(serial)


def test_workers_that_are_killed_are_replaced_and_nothing_is_lost_or_doubled(serial, tmp_path):
    """Ten times a process is killed, wherever it is just then."""
    others = children()
    with open_workers("local:2") as workers:
        over = threading.Event()

        def kill():
            for _ in range(10):
                if over.wait(0.4):
                    return
                for child in children() - others:
                    os.kill(child, signal.SIGKILL)
                    break

        killer = threading.Thread(target=kill)
        killer.start()
        answered = [key for key, _ in spread(naps(60, 0.05), workers)]
        over.set()
        killer.join()
        assert sorted(answered) == list(range(60))
        watched(tmp_path / "log", workers)
    assert files(tmp_path / "log") == files(serial)
    assert children() <= others


def children():
    """Worker processes of this one."""
    found = set()
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        for child in (task / "children").read_text().split():
            with contextlib.suppress(OSError):  # it has ended since
                if b"_serve" in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.add(int(child))
    return found


class Dying:
    """Workers, all of whose first `deaths` tasks are lost."""

    count = 1

    def __init__(self, deaths):
        self.deaths = deaths

    def submit(self, text):
        found = Future()
        self.deaths -= 1
        if self.deaths >= 0:
            found.set_exception(LostWorker("killed"))
        else:
            found.set_result(json.dumps({"done": {}, "cpu": "x"}))
        return found

    def close(self, now=False):
        pass


def test_a_task_whose_workers_die_is_done_by_others():
    assert len(list(spread(naps(1), Dying(3)))) == 1


@pytest.mark.slow
def test_a_task_whose_workers_always_die_is_named_and_others_go_on():
    assert len(list(spread(naps(1), Dying(7)))) == 1
    with pytest.raises(UserError, match="died 8 times"):
        list(spread(naps(1), Dying(99)))
    failed = {}
    assert len(list(spread(naps(3), Dying(18), failed=failed.__setitem__))) == 1
    assert sorted(failed) == [0, 1]


class Counting:
    """Workers that count what they are given."""

    def __init__(self, workers):
        self.workers, self.count, self.given = workers, workers.count, 0

    def submit(self, text):
        self.given += 1
        return self.workers.submit(text)

    def close(self, now=False):
        pass


@pytest.mark.slow
def test_a_study_plays_elsewhere_whomever_workers_can_find(pair, tmp_path):
    counting = Counting(pair)
    expert, bayes = experimenters.scripted("expert"), play.find_player("bayes:eig", WORLD)
    slipping = play.find_player("slip-1:scripted:expert", WORLD)
    for folder, workers in (("a", counting), ("b", None)):
        work = studies.Work(None, tmp_path / folder, say=str, workers=workers)
        work.watched(WORLD, expert, 40, "logs")
        work.played(WORLD, bayes, 40, "run")
        given = counting.given
        work.played(WORLD, slipping, 40, "unnamed")
    assert given == counting.given == 40  # twenty shards each; the last player has no name there
    for folder in ("logs", "run", "unnamed"):
        assert files(tmp_path / "a" / folder) == files(tmp_path / "b" / folder)


def test_what_a_worker_refuses_or_fails_at_comes_back_in_one_line(pair):
    with pytest.raises(UserError, match=r"worker .*KeyError.*seconds.*_sleep\.py, line"):
        list(spread([(0, Task("sleep", {}))], pair))
    told = json.loads(Task("sleep", {"seconds": 0}).to_text()) | {"version": "0.0.1"}
    with ThreadPoolExecutor(1) as threads:
        other = Task("sleep", {})
        object.__setattr__(other, "to_text", lambda: json.dumps(told))
        with pytest.raises(UserError, match=r"asked by Seedo 0\.0\.1: install the same version"):
            list(spread([(0, other)], threads))


def test_no_secret_travels(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    assert "very-secret" not in Task("sleep", {"seconds": 0}).to_text()


class MyWorld(type(WORLD)):
    """A world that only this process knows."""


def test_what_workers_could_not_find_is_refused_before_anything_is_written(pair, tmp_path):
    mine = MyWorld(WORLD.settings)
    player = experimenters.scripted("expert")
    for world, name, says in (
        (mine, EXPERT, "makes another world of it"),
        (WORLD, "scripted:random", "another one by this name"),
        (WORLD, "nobody", "make it a plug-in"),
    ):
        with pytest.raises(UserError, match=says):
            play.watch(world, player, 40, 0, tmp_path / "log", elsewhere=play.Elsewhere(pair, name))
        assert not (tmp_path / "log").exists()


def test_a_process_ends_when_whoever_asked_is_gone():
    others = children()
    with open_workers("local:1") as workers:
        list(spread(naps(1), workers))
        (child,) = children() - others
    assert not Path(f"/proc/{child}").exists()


@pytest.mark.parametrize(
    "name",
    ["", "cloud", "local:", "local:0", "local:-1", "local:x", "local:99999", "serial:2", "ray:"],
)
def test_executors_that_cannot_be_are_refused(name, monkeypatch):
    if name:
        with pytest.raises(UserError, match="--executor"):
            check_executor(name)
        monkeypatch.setenv("SEEDO_EXECUTOR", name)
        with pytest.raises(UserError, match="SEEDO_EXECUTOR"):
            check_executor(None)
    else:
        assert check_executor(None) == "serial"


@pytest.mark.slow
def test_the_command_line_hands_work_out(serial, tmp_path):
    typed = ["watch", "--n", "3", "--episodes", "200", "--seed", "5", "--out"]
    done = CliRunner().invoke(app, [*typed, str(tmp_path / "a"), "--executor", "local:2"])
    assert done.exit_code == 0, done.stderr
    assert files(tmp_path / "a") == files(serial)
    for executor, says in (
        ("cloud", "use one of serial, local"),
        ("submitit:/no.json", "JSON file"),
    ):
        done = CliRunner().invoke(app, [*typed, str(tmp_path / "b"), "--executor", executor])
        assert isinstance(done.exception, UserError)
        assert says in str(done.exception)
        assert not (tmp_path / "b").exists()


# -- cells of studies, and reviews ----------------------------------------------------------------


def shards(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("shard-*"))}


def folders(out):
    return {path.rpartition("/")[0] for path in shards(out)}


def told(out):
    text = (out / "study.json").read_text()
    return json.loads(text.replace(str(out), "OUT"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The tiny study by one process; workers find it where tests are."""
    import tiny_study

    out = tmp_path_factory.mktemp("tiny") / "serial"
    tiny_study.STUDY.run("quick", out, say=len)
    return tiny_study.STUDY, out


def test_cells_done_by_workers_give_the_same_study(tiny, pair, tmp_path):
    study, serial = tiny
    seen = []
    study.run(
        "quick", tmp_path / "two", say=len, workers=pair, progress=lambda *it: seen.append(it)
    )
    assert shards(tmp_path / "two") == shards(serial)
    assert len(folders(serial)) == 5
    assert told(tmp_path / "two") == told(serial)
    assert [done for done, total, _ in seen if total == 4] == [0, 1, 2, 3, 4]
    # Elsewhere and again: what is done is known, and by other workers nothing changes.
    with ThreadPoolExecutor(1) as threads:
        study.run("quick", tmp_path / "two", say=len, workers=threads)
    assert told(tmp_path / "two") == told(serial)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_cell_that_fails_is_named_and_the_others_are_done(tiny, pair, tmp_path, elsewhere):
    study, serial = tiny
    workers = pair if elsewhere else None
    (tmp_path / "no-random-40").touch()
    said = []
    with pytest.raises(UserError, match=r"cell run random 40: weather.*1 of 4 cells failed"):
        study.run("quick", tmp_path, say=said.append, workers=workers)
    assert [line for line in said if "failed" in line] == [
        "failed: cell run random 40: weather: got 'bad'; wait"
    ]
    assert len(folders(tmp_path)) == 4
    assert not (tmp_path / "study.json").exists()
    (tmp_path / "no-random-40").unlink()
    study.run("quick", tmp_path, say=len, workers=workers)
    assert shards(tmp_path) == shards(serial)


def test_no_cell_is_begun_for_which_there_are_no_hours(tiny, tmp_path):
    study, _ = tiny
    with pytest.raises(
        studies.OutOfHours, match=r"1 of 4 cells done.*machine-hours, about .* to go"
    ):
        study.run("quick", tmp_path, say=len, hours=1e-6)  # the first says what one takes
    assert len((tmp_path / "cells.jsonl").read_text().splitlines()) == 1
    finding = study.run("quick", tmp_path, say=len, hours=1.0)
    assert len(finding.runs) == 4


@pytest.mark.slow
def test_a_review_by_workers_is_the_review_by_one_process(tiny, pair):
    _, out = tiny
    runs = sorted(map(str, (out / "runs").iterdir()))
    runs, name = [*runs, "nowhere"], "scripted:expert"
    here = evaluation.review(
        runs, readers={name: lambda world: play.find_player(name, world)}, bits=True
    )
    there = evaluation.review(runs, workers=pair, readers={name: None}, bits=True)
    assert json.dumps(there.to_dict()) == json.dumps(here.to_dict())
    assert len(there.runs) == 4
    with pytest.raises(UserError, match="--against"):
        evaluation.review(runs, against="nobody", workers=pair)


@pytest.mark.parametrize("value", [
    None, True, 3, "text", 1.5, float("inf"), [1, (2, 3)], {1: "a", ("b", 2): None},
    np.float32(0.1), np.arange(6.0).reshape(2, 3), np.array(["a", None], object),
    Estimate(1.0, 0.5, 1.5),
])  # fmt: skip
def test_what_travels_comes_back_as_it_was(value):
    back = execution.unpack(json.loads(json.dumps(execution.pack(value))))
    assert type(back) is type(value)
    np.testing.assert_equal(back, value)


def test_nothing_but_records_of_this_package_travels():
    with pytest.raises(TypeError, match="does not travel"):
        execution.pack(Path("/"))
    for name in ("pathlib:Path", "seedo.execution._sleep:sleep", "seedo.errors:UserError"):
        with pytest.raises(TypeError, match="no record"):
            execution.unpack({"#": name, "of": {}})
