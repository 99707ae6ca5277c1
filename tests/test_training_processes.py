"""Learning in several processes: what one process learns, whoever dies."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time

import pytest

from command import run
from seedo import learning, play, worlds
from seedo.errors import UserError
from seedo.experimenters import scripted

SMALL = {"widths": (("size", 8), ("channels", 4), ("layers", 1), ("learnt", 2)), "batch_size": 8}
PLAIN = {"network": "plain", "widths": (("size", 8), ("heads", 2), ("layers", 1)), "batch_size": 8}
FILES = {"agent.json", "job.json", "metrics.jsonl", "optimizer.safetensors", "weights.safetensors"}
NEAR = 1.01e-5
"""Rows hold six digits: figures that are less than 1e-5 apart may be rounded to so much."""
LEARN = """
import sys
from seedo import errors, learning
logs, out, group, recipe = eval(sys.argv[1])
try:
    agent = learning.learn(
        [logs], out, learning.Recipe(**recipe), True,
        lambda report: print("row", report.row["step"], flush=True), 0.0,
        group=learning.Group(**group),
    )
except errors.UserError as error:
    print(error, flush=True)
    sys.exit(2)
print("agent" if agent else "no agent", flush=True)
"""


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    path = tmp_path_factory.mktemp("logs") / "dag"
    play.watch(worlds.make("dag"), scripted("expert"), 1600, 0, path)
    return path


@pytest.fixture(scope="module")
def alone(logs, tmp_path_factory):
    """What one process learns, without an interruption."""
    out = tmp_path_factory.mktemp("agents") / "alone"
    return learning.learn([logs], out, learning.Recipe(**SMALL))


def in_processes(logs, out, recipe=SMALL, **group):
    """A program that learns in a group, saving at every row."""
    task = repr((str(logs), str(out), group, recipe))
    return subprocess.Popen(
        [sys.executable, "-c", LEARN, task], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def members(program):
    """Process ids of those that a program has started, in order."""
    found = subprocess.run(["pgrep", "-P", str(program.pid)], capture_output=True, text=True)
    return sorted(map(int, found.stdout.split()))


def alive(pid):
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return found.stdout.strip()[:1] not in ("", "Z")


def gone(pids, seconds=10.0):
    """Whether all have ended, soon."""
    until = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(alive, pids))


def assert_same(agent, other):
    """Two agents have learnt alike, and their folders are alike."""
    for row, expected in zip(agent.history, other.history, strict=True):
        assert row.keys() == expected.keys()
        for name, value in expected.items():
            assert row[name] == pytest.approx(value, rel=0, abs=NEAR), name
    kept = [{k: v for k, v in each.training.items() if "sha256" not in k}
            for each in (agent, other)]  # fmt: skip
    assert kept[0] == kept[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--processes", "0"], "processes: got 0;"),
        (["--processes", "-1"], "processes: got -1;"),
        (["--processes", "two"], "--processes: got 'two'; give a whole number"),
        (["--processes", "3", "--batch-size", "16"], "batch_size: got 16; must divide by 3 proc"),
        (["--processes", "17", "--batch-size", "16"], "processes: got 17; a minibatch has 16"),
        (["--processes", "2", "--devices", "4", "--batch-size", "4"], "with 4 devices each"),
        (["--processes", "7"], "batch_size: got 256; must divide by 7 processes"),
        (["--processes", "2", "--process-id", "0"], "process_id: got 0; needs a coordinator"),
        (["--processes", "2", "--coordinator", "h:4000"], "process_id: say which one"),
        (["--coordinator", "h:4000", "--process-id", "0"], "processes: say how many"),
        (["--coordinator", "auto", "--processes", "2"], "processes: got 2; leave it out"),
        (["--processes", "2", "--coordinator", "h", "--process-id", "0"], "coordinator: got 'h';"),
        (["--processes", "2", "--coordinator", "h:0", "--process-id", "0"], "got 'h:0'; give HOST"),
        (["--processes", "2", "--coordinator", ":80", "--process-id", "0"], "got ':80'; give HOST"),
        (["--processes", "2", "--coordinator", "h:80", "--process-id", "2"], "process_id: got 2;"),
        (["--processes", "2", "--join-within", "0"], "join_within: got 0.0;"),
        (["--processes", "2", "--network", "hf:X"], "processes: got 2; --network hf:FOLDER is tu"),
    ],
)
def test_a_group_that_cannot_be_is_refused_in_a_line(logs, tmp_path, capsys, options, words):
    code, out, err = run(capsys, "learn", str(logs), "--out", str(tmp_path / "a"), *options)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("command", ["dagger LOGS --expert-queries 100", "ppo"])
def test_who_learns_in_one_process_says_so(logs, tmp_path, capsys, command):
    words = [str(logs) if word == "LOGS" else word for word in command.split()]
    code, _, err = run(capsys, *words, "--out", str(tmp_path / "a"), "--processes", "2")
    assert code == 2
    assert err == "seedo: processes: got '2'; only `seedo learn` shares its work: leave it out\n"


def test_two_processes_go_on_with_what_one_began(logs, alone, tmp_path):
    class Stop(Exception):
        pass

    def stop(report):
        if report.row["step"] == 100:
            raise Stop

    out = tmp_path / "a"
    with pytest.raises(Stop):
        learning.learn([logs], out, learning.Recipe(**SMALL), False, stop, 0.0)
    rows = []
    agent = learning.learn(
        [logs], out, learning.Recipe(**SMALL), True, rows.append, group=learning.Group(2)
    )
    assert [report.row["step"] for report in rows] == [
        row["step"] for row in alone.history if row["step"] > 50
    ]
    assert_same(agent, alone)
    assert {path.name for path in out.iterdir()} == FILES


@pytest.mark.slow
def test_one_process_goes_on_when_one_of_two_has_died(logs, alone, tmp_path):
    out = tmp_path / "a"
    program = in_processes(logs, out, processes=2)
    while program.stdout.readline() != "row 100\n":
        pass
    started = members(program)
    os.kill(started[1], signal.SIGKILL)
    killed = time.monotonic()
    told, noise = program.communicate(timeout=30)
    assert time.monotonic() - killed < 10
    assert program.returncode == 2, noise
    *rows, line = told.splitlines()
    assert all(row.startswith("row ") for row in rows)
    assert line == (
        "process 1 of 2: died of signal 9 (SIGKILL); the others were ended; what is saved is "
        "kept: go on with --resume"
    )
    assert len(started) == 2
    assert gone(started)
    assert_same(learning.learn([logs], out, learning.Recipe(**SMALL), True), alone)
    assert {path.name for path in out.iterdir()} == FILES


def test_a_folder_in_use_is_refused_before_anybody_is_started(logs, tmp_path):
    (tmp_path / "other").write_text("")
    with pytest.raises(UserError, match="not empty: continue it with --resume"):
        learning.learn([logs], tmp_path, learning.Recipe(**SMALL), group=learning.Group(2))


def test_a_course_of_ones_own_stays_in_one_process(logs, tmp_path):
    with pytest.raises(UserError, match="stay in one process"):
        learning.learn(
            [logs], tmp_path / "a", learning.Recipe(**SMALL), visits=[2], group=learning.Group(2)
        )


def free_address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def ends(*programs):
    """Exit codes and last lines."""
    told = [program.communicate(timeout=300) for program in programs]
    return [
        (program.returncode, out.splitlines()[-1] if out else err[-2000:])
        for program, (out, err) in zip(programs, told, strict=True)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("devices", [1, 2])
def test_processes_that_were_started_apart_learn_together(logs, alone, tmp_path, devices):
    address, out, recipe = free_address(), tmp_path / "a", SMALL | {"devices": devices}
    programs = [
        in_processes(logs, folder, recipe, processes=2, coordinator=address, process_id=number)
        for number, folder in enumerate((out, tmp_path / "nothing-here"))
    ]
    assert ends(*programs) == [(0, "agent"), (0, "no agent")]
    agent = learning.load_agent(out)
    agent.training["recipe"]["devices"] = 1
    assert_same(agent, alone)
    assert not (tmp_path / "nothing-here").exists()


@pytest.mark.slow
def test_slurm_says_who_is_who(logs, alone, tmp_path, monkeypatch):
    job = 1 + int(free_address().rpartition(":")[2]) % 2**12
    for name, value in {"JOB_ID": job, "STEP_NODELIST": "localhost", "NTASKS": 2}.items():
        monkeypatch.setenv(f"SLURM_{name}", str(value))
    programs = []
    for number in range(2):
        monkeypatch.setenv("SLURM_PROCID", str(number))
        monkeypatch.setenv("SLURM_LOCALID", str(number))
        programs.append(in_processes(logs, tmp_path / "a", coordinator="auto"))
    assert ends(*programs) == [(0, "agent"), (0, "no agent")]
    assert_same(learning.load_agent(tmp_path / "a"), alone)


@pytest.mark.slow
def test_time_is_up_for_all_at_once(logs, tmp_path):
    recipe = learning.Recipe(**SMALL, epochs=None, minutes=0.05)
    agent = learning.learn([logs], tmp_path / "a", recipe, group=learning.Group(2))
    assert agent.history[-1]["step"] == agent.training["steps"] > 0


@pytest.mark.slow
def test_processes_with_other_jobs_do_not_learn_together(logs, tmp_path):
    address = free_address()
    programs = [
        in_processes(
            logs, tmp_path / "a", SMALL | {"seed": number}, processes=2, coordinator=address,
            process_id=number,
        )
        for number in range(2)
    ]  # fmt: skip
    line = "seed of process 1: got 1; process 0 has 0: start all of them alike"
    assert ends(*programs) == [(2, line), (2, line)]
    assert not (tmp_path / "a").exists()


@pytest.mark.slow
def test_who_is_alone_does_not_wait_for_ever(logs, tmp_path):
    address, began = free_address(), time.monotonic()
    programs = [
        in_processes(logs, tmp_path / "a", processes=2, coordinator=at, process_id=number,
                     join_within=2)
        for number, at in ((0, free_address()), (1, address))
    ]  # fmt: skip
    for code, line in ends(*programs):
        assert code == 2
        assert "not all 2 processes were there within 2 seconds" in line
    assert time.monotonic() - began < 120


@pytest.mark.slow
def test_nobody_at_the_launcher(logs, tmp_path):
    with pytest.raises(UserError, match="no job of Slurm or Open MPI is found here"):
        learning.learn(
            [logs], tmp_path / "a", learning.Recipe(**SMALL),
            group=learning.Group(coordinator="auto"),
        )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 1])
def test_a_process_apart_that_loses_the_other_says_so(logs, tmp_path, lost):
    address = free_address()
    programs = [
        in_processes(logs, tmp_path / "a", SMALL | {"epochs": 50.0}, processes=2,
                     coordinator=address, process_id=number)
        for number in range(2)
    ]  # fmt: skip
    assert programs[0].stdout.readline() == "row 50\n"
    started = [pid for program in programs for pid in members(program)]
    programs[lost].kill()
    ((code, line),) = ends(programs[1 - lost])
    assert code == 2
    assert line.startswith(f"process {1 - lost} of 2: ")
    assert line.endswith("what is saved is kept: go on with --resume")
    assert gone(started)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_leaves_nobody_behind(logs, tmp_path, number):
    out = tmp_path / "a"
    command = [sys.executable, "-m", "seedo", "learn", str(logs), "--out", str(out), "--processes",
               "2", "--batch-size", "8", "--epochs", "1000"]  # fmt: skip
    program = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert "learning:" in program.stderr.readline()
    started = members(program)
    assert len(started) == 2
    program.send_signal(number)
    _, told = program.communicate(timeout=30)
    assert program.returncode == 128 + number
    assert told.splitlines()[-1].endswith("--epochs 1000 --resume")
    assert gone(started)


@pytest.mark.slow
def test_kills_at_random_moments_change_nothing(logs, alone, tmp_path):
    draw, out = random.Random(0), tmp_path / "a"
    for attempt in range(12):
        program = in_processes(logs, out, processes=1 + draw.randrange(2))
        time.sleep(draw.uniform(0.0, 25.0))
        started = members(program)
        victim = draw.choice([program.pid, *started])
        if alive(victim):
            os.kill(victim, signal.SIGKILL)
        program.communicate(timeout=60)
        assert gone([program.pid, *started]), attempt
    assert_same(learning.learn([logs], out, learning.Recipe(**SMALL), True), alone)
    assert {path.name for path in out.iterdir()} == FILES


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "relational", "text"])
def test_other_networks_learn_in_two_processes_what_they_learn_in_one(kind, logs, tmp_path):
    recipe = {"network": kind, "batch_size": 8}
    if kind == "plain":
        recipe = PLAIN
    if kind == "relational":
        logs, world = tmp_path / "rooms", worlds.make("rooms")
        player = play.find_player("scripted:expert", world)
        play.watch(world, player, 80, 0, logs, explain="words")
        recipe |= {"explanations": "predict"}
    if kind == "text":
        recipe |= {"widths": (("size", 16), ("layers", 1), ("heads", 2)), "epochs": 0.1}
    agents = [
        learning.learn([logs], tmp_path / f"{count}", learning.Recipe(**recipe),
                       group=learning.Group(count))
        for count in (1, 2)
    ]  # fmt: skip
    for row, expected in zip(agents[1].history, agents[0].history, strict=True):
        assert list(row.values()) == pytest.approx(list(expected.values()), rel=0, abs=NEAR)
