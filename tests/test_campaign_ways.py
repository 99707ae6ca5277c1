"""Who measures in a campaign, the command line, and what is found: against rigs whose truth is
known."""

import csv
import http.server
import io
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

import numpy as np
import pytest

from command import run
from seedo import evaluation, inference
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.play import campaign as play
from seedo.spaces import Goal as GoalOf
from seedo.spaces import Goals, Knob, Space
from seedo.worlds import Bench

HEAD = """
name = "trial"
player = "random"
budget = {budget}
[knobs.x]
low = 0
high = 10
[knobs.kind]
levels = ["a", "b"]
[readings.z]
[goals.y]
aim = "maximize"
"""

RIG = """
import json, sys
setting = json.load(sys.stdin)
if setting["x"] > 6: sys.exit("too hot")
print(json.dumps({"y": 2 * setting["x"] + (setting["kind"] == "b"), "z": None}))
"""


HOT = 6
"""Above it runs fail."""


def truth(setting):
    return 2 * setting["x"] + (setting["kind"] == "b")


def written(folder, measure="", budget=4, more=""):
    file = folder / "c.toml"
    file.write_text(HEAD.format(budget=budget) + more + measure)
    return file


def check_runs(campaign, budget=4):
    """Every run reads what the rig gives there, or failed where it fails."""
    assert len(campaign.runs) == budget
    for each in campaign.runs:
        setting = campaign.setting(each)
        if setting["x"] > HOT:
            assert each.state == "failed"
        else:
            assert each.state == "done"
            assert each.readings[1] == truth(setting)


# -- who measures ---------------------------------------------------------------------------------


def test_a_command_measures(tmp_path):
    (tmp_path / "rig.py").write_text(RIG)
    command = shlex.join([sys.executable, "-S", str(tmp_path / "rig.py")])
    file = written(tmp_path, f"[measure]\ncommand = '{command}'\nfailures = 9\n", 14)
    with play.Campaign(file) as campaign:
        play.run_campaign(campaign)
        check_runs(campaign, 14)
        failed = [each for each in campaign.runs if each.state == "failed"]
    assert failed
    assert all("too hot" in each.why for each in failed)


def test_a_python_function_measures(tmp_path, monkeypatch):
    (tmp_path / "rig_of_campaign.py").write_text(
        "def measure(setting, seed=None):\n"
        "    if setting['x'] > 6: raise ValueError('too hot')\n"
        "    return {'y': 2 * setting['x'] + (setting['kind'] == 'b'), 'z': 1.0}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    file = written(tmp_path, '[measure]\npython = "rig_of_campaign:measure"\nfailures = 9\n')
    with play.Campaign(file) as campaign:
        play.run_campaign(campaign)
        check_runs(campaign)


class Device(http.server.BaseHTTPRequestHandler):
    """A device that counts how often it was asked."""

    def do_POST(self):
        setting = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append(setting)
        body = json.dumps({"y": truth(setting), "z": 0.5}).encode()
        self.send_response(200 if setting["x"] <= HOT else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def device():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Device)
    server.heard = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_an_address_measures_with_several_workers(tmp_path, device):
    address = f"http://127.0.0.1:{device.server_port}/run"
    file = written(tmp_path, f'[measure]\nhttp = "{address}"\nfailures = 9\n', 6)
    plan = play.read_plan(file).with_changes(workers=3)
    with play.Campaign(plan) as campaign:
        play.run_campaign(campaign)
        check_runs(campaign, 6)
        settings = [campaign.setting(each) for each in campaign.runs]
    assert sorted(map(str, device.heard)) == sorted(map(str, settings))  # each of them once


ENVIRONMENT = '''
import gymnasium
import numpy as np


class OneStep(gymnasium.Env):
    """An environment of one step whose reward is known."""

    observation_space = gymnasium.spaces.Box(0, 1, (1,))
    action_space = gymnasium.spaces.Box(np.float32(-2), np.float32(2), (1,))

    def reset(self, *, seed=None, options=None):
        return np.zeros(1, np.float32), {}

    def step(self, action):
        return np.zeros(1, np.float32), -float((action[0] - 1) ** 2), True, False, {}


gymnasium.register("OneStep-v0", OneStep)
'''


def test_a_gymnasium_environment_measures_and_tells_its_knobs(tmp_path, monkeypatch):
    (tmp_path / "envs_of_campaign.py").write_text(ENVIRONMENT)
    monkeypatch.syspath_prepend(str(tmp_path))
    file = tmp_path / "c.toml"
    file.write_text('budget = 3\nplayer = "random"\n'
                    '[measure]\ngym = "envs_of_campaign:OneStep-v0"\n')  # fmt: skip
    plan = play.read_plan(file)
    assert plan.described
    (knob,) = plan.space.knobs
    assert (knob.low, knob.high) == (-2, 2)
    with play.Campaign(plan) as campaign:
        play.run_campaign(campaign)
        for each in campaign.runs:
            reward = each.readings[plan.names.index("reward")]
            assert reward == pytest.approx(-((each.setting[0] - 1) ** 2), rel=1e-5)


class Hill(Bench):
    """A world whose system is known: the noise is drawn by the run's own generator."""

    name = "hill"

    def __init__(self) -> None:
        space = Space((Knob("x", high=10.0), Knob("kind", "categorical", levels=("a", "b"))))
        super().__init__(space, ("z", "y"), Goals((GoalOf("y"),)), 5)

    def config(self):
        return {}

    def sample(self, key):
        return None

    def measured(self, task, setting, rng):
        hot = np.nan if setting[0] > HOT else 0.0
        return hot + np.array([rng.normal(), 2 * setting[0] + setting[1]])


def test_a_world_measures_and_tells_its_knobs(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(
        'budget = 9\nplayer = "random"\n'
        '[measure]\nfailures = 9\nworld = "test_campaign_ways:Hill"\n'
    )
    noise = []
    for folder in ("one", "two"):
        with play.Campaign(play.read_plan(file), tmp_path / folder) as campaign:
            play.run_campaign(campaign)
            check_runs(campaign, 9)
            noise.append([each.readings[0] for each in campaign.runs])
    first, second = np.array(noise)
    assert np.array_equal(first, second, equal_nan=True)  # made again, with the same noise
    assert len(set(first[np.isfinite(first)])) == np.isfinite(first).sum() > 1


def test_knobs_that_a_world_lacks_are_named(tmp_path):
    file = written(tmp_path, '[measure]\nworld = "test_campaign_ways:Hill"\n',
                   more="[knobs.w]\nlow = 0\nhigh = 1\n")  # fmt: skip
    with (
        play.Campaign(file) as campaign,
        pytest.raises(UserError, match="knobs: got 'w'; test_campaign_ways:Hill has knobs x, kind"),
    ):
        play.run_campaign(campaign)


# -- a person -------------------------------------------------------------------------------------


def by_hand(campaign, typed):
    shown, answers = [], iter(typed)

    def ask(text):
        shown.append(text)
        try:
            return next(answers)
        except StopIteration:
            raise EOFError from None

    why = play.run_by_hand(campaign, ask, shown.append)
    return why, "\n".join(shown)


def test_a_person_types_values_failures_skips_and_what_was_set(tmp_path):
    file = written(tmp_path)
    with play.Campaign(file) as campaign:
        typed = ["1,5", "x", "2", "failed the seal broke", "", "", "skip", "set x = 3", "", "4",
                 "stop"]  # fmt: skip
        why, shown = by_hand(campaign, typed)
        assert why == "you stopped it"
        states = [each.state for each in campaign.runs]
        assert states == ["done", "failed", "skipped", "done", "waits"]
        assert campaign.runs[0].readings.tolist() == [1.5, 2]
        assert campaign.runs[1].why == "the seal broke"
        assert campaign.setting(campaign.runs[3])["x"] == 3
        assert np.isnan(campaign.runs[3].readings[0])
        assert "'x' is no number" in shown
        assert "nothing was read: type failed or skip, or a value" in shown
    with play.Campaign(file) as campaign:
        why, _ = by_hand(campaign, ["", "5", "", "6"])
        assert "used up" in why
        assert campaign.made == 4


def test_a_person_is_asked_again_about_an_odd_value(tmp_path):
    file = written(tmp_path, budget=2, more="[readings.w]\nlow = 0\nhigh = 5\n")
    with play.Campaign(file) as campaign:
        _, shown = by_hand(campaign, ["", "70", "7", "7", "1", "", "4", "2"])
        at = campaign.plan.names.index("w")
        assert [each.readings[at] for each in campaign.runs] == [7, 4]
    assert shown.count("type it again if it is right") == 2


@pytest.mark.slow
def test_the_first_proposal_takes_under_five_seconds_and_the_next_under_one(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(play.EXAMPLE.replace("budget = 20", "budget = 40"))
    begun = time.monotonic()
    process = subprocess.run(
        [sys.executable, "-m", "seedo", "experiment", str(file), "--propose"], check=True,
        capture_output=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert process.stdout.startswith(b"run,temperature")
    assert time.monotonic() - begun < 5
    with play.Campaign(file) as campaign:
        for number in range(40):
            began = time.monotonic()
            (proposal,) = campaign.ask()
            assert time.monotonic() - began < 1
            campaign.tell(number, {"yield": proposal.setting["temperature"] + number % 3})


@pytest.mark.slow
def test_at_a_terminal(tmp_path):
    """The command itself, at a terminal of its own."""
    file = written(tmp_path, budget=2)
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "seedo", "experiment", str(file)],
        stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    os.close(follower)
    os.write(leader, b"1\n2\nfailed\n")
    out, said = process.communicate(timeout=60)
    os.close(leader)
    assert process.returncode == 0, said.decode()
    assert "run 0: x = " in said.decode()
    assert "to keep" in out.decode()
    results = (tmp_path / "trial" / "journal.jsonl").read_text().count('"kind": "result"')
    assert results == 2


# -- the command line -----------------------------------------------------------------------------


def test_a_dry_run_writes_and_measures_nothing(tmp_path, capsys):
    (tmp_path / "e.csv").write_text("x,kind,y\n1,a,2\n")
    file = written(tmp_path, '[measure]\ncommand = "/no/such/thing"\n', more="")
    never = '[[constraints]]\nforbid = {kind = "a", x = "> 9"}\n'
    file.write_text('start = ["e.csv"]\nbatch = 2\n' + file.read_text() + never)
    code, out, _ = run(capsys, "experiment", str(file), "--dry-run")
    assert code == 0
    assert "constraint: never kind = a, x > 9\n" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.toml", "e.csv"]
    for said in ("knob x: real, from 0 to 10", "goal: maximize y", "measured by command",
                 "1 row of earlier runs", "next:"):  # fmt: skip
        assert said in out
    code, out, _ = run(capsys, "experiment", str(file), "--dry-run", "--json")
    shown = json.loads(out)
    with play.Campaign(file) as campaign:
        assert [p.setting for p in campaign.ask()] == shown["next"]
    assert len(shown["next"]) == 2


def test_proposals_and_results_as_tables(tmp_path, capsys):
    file = written(tmp_path, budget=3)
    file.write_text("batch = 2\n" + file.read_text())
    code, out, said = run(capsys, "experiment", str(file), "--propose")
    assert code == 0
    assert "--record" in said
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["run"] for row in rows] == ["0", "1"]
    rows[0]["y"], rows[0]["x"] = "5", "10.5"
    rows[1]["state"] = "failed no power"
    filled = tmp_path / "filled.csv"
    with filled.open("w", newline="") as text:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    code, _, said = run(capsys, "experiment", str(file), "--record", str(filled))
    assert code == 0, said
    assert "run 0: recorded" in said
    assert "is not among what can be set: kept as data" in said
    code, _, said = run(capsys, "experiment", str(file), "--record", str(filled))
    assert (code, said.count("has this result already")) == (0, 2)
    filled.write_text(filled.read_text().replace("failed no power", "").replace(",5,", ",6,"))
    code, _, said = run(capsys, "experiment", str(file), "--record", str(filled))
    assert code == 2
    assert "it has another result already, which stays as it is" in said
    code, out, said = run(capsys, "experiment", str(file), "--propose", "--json")
    (third,) = json.loads(out)["runs"]
    assert (third["run"], third["again"]) == (2, False)
    code, out, said = run(capsys, "experiment", str(file), "--propose")
    assert "run 2 was handed out before and has no result: asked for again" in said
    third["readings"] = {"y": 7, "z": None}
    (tmp_path / "filled.json").write_text(json.dumps([third]))
    code, _, said = run(capsys, "experiment", str(file), "--record", str(tmp_path / "filled.json"))
    assert code == 0, said
    assert "the budget of 3 runs is used up" in said
    with play.Campaign(file) as campaign:
        assert [each.state for each in campaign.runs] == ["done", "failed", "done"]
        assert campaign.setting(campaign.runs[0])["x"] == 10.5
        assert campaign.runs[1].why == "no power"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("run,y\n9,1\n", "run: got 9; it was never proposed"),
        ("run,y\nfirst,1\n", "column run: got 'first'"),
        ("run,y\n0,many\n", "column y: got 'many'; give a number"),
        ("run,q\n0,1\n", "give columns z, y"),
        ("number,y\n0,1\n", "column: got 'run'"),
        ("run,y,state\n0,1,broken\n", "column state: got 'broken'"),
        ('{"runs": 3}', 'give {"runs": ['),
        ("[{}]", "run: give the number that was proposed"),
        ("[", "it is no JSON"),
    ],
)
def test_results_that_cannot_be_read_change_nothing(tmp_path, capsys, text, said):
    file = written(tmp_path)
    assert run(capsys, "experiment", str(file), "--propose")[0] == 0
    before = (tmp_path / "trial" / "journal.jsonl").read_bytes()
    results = tmp_path / ("r.json" if text[0] in "{[" else "r.csv")
    results.write_text(text)
    code, _, told = run(capsys, "experiment", str(file), "--record", str(results))
    assert code == 2
    assert said in told
    assert told.count("\n") == 1
    assert (tmp_path / "trial" / "journal.jsonl").read_bytes() == before


def test_without_a_terminal_the_next_runs_are_printed(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    code, out, said = run(capsys, "experiment", str(written(tmp_path)))
    assert code == 0
    assert out.startswith("run,x,kind,z,y,state\n0,")
    assert "no terminal to ask on" in said


def test_example_and_bad_uses(tmp_path, capsys):
    code, out, _ = run(capsys, "experiment", "--example")
    assert code == 0
    assert out == play.EXAMPLE
    code, _, said = run(capsys, "experiment")
    assert code == 2
    assert "CAMPAIGN: missing" in said
    file = written(tmp_path)
    code, _, said = run(capsys, "experiment", str(file), "--propose", "--dry-run")
    assert (code, "give one of them" in said) == (2, True)
    code, _, said = run(capsys, "experiment", str(file), "--player", "nobody")
    assert code == 2
    assert said.count("\n") == 1
    code, _, said = run(capsys, "experiment", str(tmp_path / "no.toml"))
    assert (code, said.count("\n")) == (2, 1)


def test_runs_that_fail_in_a_row_end_the_command_with_an_exit_code(tmp_path, capsys):
    (tmp_path / "rig.py").write_text("raise SystemExit('dry')")
    command = shlex.join([sys.executable, "-S", str(tmp_path / "rig.py")])
    file = written(tmp_path, f"[measure]\ncommand = '{command}'\nfailures = 2\n")
    code, _, said = run(capsys, "experiment", str(file))
    assert code == 1
    assert "2 runs in a row failed, the last one because: " in said
    assert "2 of 4 runs made; this goes on: seedo experiment" in said


@pytest.mark.parametrize(
    ("measure", "why"),
    [
        ('command = "/no/such/rig"', "/no/such/rig: it cannot be started: No such file"),
        ('python = "no_such_module:run"', "python:no_such_module:run: "),
        ('http = "http://127.0.0.1:9/run"', "http://127.0.0.1:9/run: nobody listens there"),
    ],
)
def test_a_device_that_is_off_costs_no_run(tmp_path, capsys, measure, why):
    file = written(tmp_path, f"[measure]\n{measure}\nrepeat = false\n")
    for _ in range(2):
        code, _, said = run(capsys, "experiment", str(file))
        assert code == 1
        assert f"no run can be made: {why}" in said
        assert "0 of 4 runs made; this goes on: seedo experiment" in said
        assert "asked for again" not in said
    with play.Campaign(play.read_plan(file)) as campaign:
        assert [(each.number, each.asked) for each in campaign.waiting] == [(0, 0)]


def test_ctrl_c_waits_for_what_is_measured_and_says_how_it_goes_on(tmp_path):
    (tmp_path / "rig.py").write_text("import time\ntime.sleep(1)\n" + RIG)
    command = shlex.join([sys.executable, "-S", str(tmp_path / "rig.py")])
    file = written(tmp_path, f"[measure]\ncommand = '{command}'\n", 50)
    process = subprocess.Popen(
        [sys.executable, "-m", "seedo", "experiment", str(file), "--workers", "2"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    journal = tmp_path / "trial" / "journal.jsonl"
    until = time.monotonic() + 60
    while time.monotonic() < until and not (
        journal.exists() and '"kind": "asked"' in journal.read_text()
    ):
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"the same command goes on: seedo experiment {file} --workers 2" in said.decode()
    assert "Ctrl-C again leaves without" in said.decode()
    kinds = [json.loads(line)["kind"] for line in journal.read_text().splitlines()]
    assert kinds.count("asked") == kinds.count("result") == 2


# -- what is found --------------------------------------------------------------------------------


def noisy(rng):
    def measure(setting: Mapping):
        x = setting["x"]
        return {"y": 3 * x - 0.2 * x**2 + 5 * (setting["kind"] == "b") + rng.normal(),
                "z": 0.5 * x + 0.1 * rng.normal()}  # fmt: skip

    return measure


def test_what_was_found(tmp_path):
    file = written(tmp_path, budget=40)
    with play.Campaign(file) as campaign:
        play.run_campaign(campaign, noisy(np.random.default_rng(0)))
        told = evaluation.found(campaign, "done")
    values = [each.readings[1] for each in campaign.runs]
    assert [row["best"] for row in told.curve] == list(np.maximum.accumulate(values))
    assert told.best.setting["kind"] == "b"
    (expected,) = told.best.expected
    x = told.best.setting["x"]
    assert expected.low <= 3 * x - 0.2 * x**2 + 5 <= expected.high
    effects = {(e.knob, e.reading): e for e in told.effects}
    assert effects["x", "y"].probability > 0.95
    assert effects["x", "z"].probability > 0.95
    step = effects["kind", "y"].steps
    found = (
        step[0]["effect"]
        if step
        else float(re.findall(r"by (\S+) \[", effects["kind", "y"].answer)[0])
    )
    assert found == pytest.approx(5, abs=1.5)
    assert effects["kind", "z"].probability < 0.95
    assert told.between == (
        "x moves y and also z: its effect may run through it; runs in which that is held still by "
        "another knob would tell",
    )
    assert json.loads(json.dumps(told.to_dict(), allow_nan=False))["counts"]["done"] == 40


def test_repeats_tell_the_interval(tmp_path):
    """By hand: the mean of the repeats, t over their scatter."""
    file = written(tmp_path, budget=8)
    with play.Campaign(file) as campaign:
        values = [1.0, 2.0, 3.0, 10.0, 12.0, 14.0, 4.0, 0.0]
        for value, x in zip(values, (1, 1, 1, 5, 5, 5, 7, 8), strict=True):
            (proposal,) = campaign.ask()
            campaign.tell(proposal.run, {"y": value}, setting={"x": x, "kind": "a"})
        (expected,) = evaluation.found(campaign).best.expected
    scatter = np.sqrt((1 + 1 + 4 + 4) / 4)
    half = 2.7764451 * scatter / np.sqrt(3)
    assert expected.value == 12
    assert (expected.low, expected.high) == pytest.approx((12 - half, 12 + half))


@pytest.mark.slow
def test_the_interval_covers_the_best_of_many(tmp_path):
    """The mean at the setting that measured best lies in its interval in 95 % of campaigns."""
    from seedo.evaluation._smooth import smooth_mean

    rng, held = np.random.default_rng(3), 0
    for number in range(40):
        slope, bend = rng.normal(size=2), rng.uniform(0.5, 4)
        x = rng.random((14, 2))
        mean = x @ slope + np.sin(bend * x[:, 0] + number)
        y = mean + 0.2 * rng.normal(size=14)
        top = int(np.argmax(y))
        _, low, high = smooth_mean(x, y, x[top])
        held += low <= mean[top] <= high
    assert held >= 34  # of 40; at 95 % fewer happens once in 300 times


def test_the_front_of_two_goals(tmp_path):
    file = written(tmp_path, budget=15, more="[goals.z]\naim = 'minimize'\n")
    file.write_text("pareto = true\n" + file.read_text().replace("[readings.z]\n", ""))
    with play.Campaign(file) as campaign:
        play.run_campaign(campaign, lambda s: {"y": s["x"], "z": s["x"] + 2 * (s["kind"] == "b")})
        told = evaluation.found(campaign)
        points = [each.readings for each in campaign.runs]
    names = campaign.plan.names
    y, z = (np.array([p[names.index(n)] for p in points]) for n in ("y", "z"))
    wanted = [i for i in range(15)
              if not any((y >= y[i]) & (z <= z[i]) & ((y > y[i]) | (z < z[i])))]  # fmt: skip
    assert list(told.front) == wanted
    assert len(told.best.expected) == 2
    assert sorted(i for one in told.choices for i in one.runs) == wanted


def test_a_front_is_one_of_earlier_rows_too_and_says_what_runs_give_on_average(tmp_path, capsys):
    """Readings that scatter: intervals of the mean, and none on the front that a table beats."""
    (tmp_path / "old.csv").write_text("x,kind,y,z\n9,a,50,-50\n")
    file = written(tmp_path, budget=24, more="[goals.z]\naim = 'minimize'\n")
    text = file.read_text().replace("[readings.z]\n", "")
    file.write_text("pareto = true\nfirst = 24\n" + text)
    rng = np.random.default_rng(3)
    with play.Campaign(file) as campaign:
        play.run_campaign(campaign, lambda s: {"y": s["x"] + rng.normal(),
                                               "z": (s["x"] - 4) ** 2 + rng.normal()})  # fmt: skip
        told = evaluation.found(campaign)
    assert 0 < len(told.choices) <= len(told.front)
    held = total = 0
    for one in told.choices:
        x = one.setting["x"]
        for expected, mean in zip(one.expected, (x, (x - 4) ** 2), strict=True):
            held += expected.low <= mean <= expected.high
            total += 1
    assert held >= 0.7 * total
    assert run(capsys, "experiment", str(file), "--export")[0] == 0
    assert "The front" in (tmp_path / "trial" / "report.html").read_text()
    file.write_text('start = ["old.csv"]\n' + file.read_text())
    with play.Campaign(file) as campaign:
        assert evaluation.found(campaign).front == ()


def test_names_of_any_kind_and_nothing_found_yet(tmp_path, capsys):
    file = tmp_path / "c.toml"
    file.write_text(
        'name = "odd"\nbudget = 9\nplayer = "random"\n'
        '[knobs."flow rate (mL/min)"]\nlow = 0\nhigh = 1\n[knobs.do]\nlow = 0\nhigh = 1\n'
        '[goals.\'the "yield" of <b>, %\']\naim = "maximize"\n'
    )
    assert run(capsys, "experiment", str(file), "--export")[0] == 0
    assert "No run has a result yet" in (tmp_path / "odd" / "report.html").read_text()
    name = 'the "yield" of <b>, %'
    with play.Campaign(file) as campaign:
        play.run_campaign(campaign, lambda s: s["flow rate (mL/min)"] * 10 + 0.01 * s["do"])
        found = evaluation.found(campaign)
    effects = {e.knob: e for e in found.effects}
    assert effects["flow rate (mL/min)"].reading == name
    assert effects["flow rate (mL/min)"].probability > 0.95
    code, out, said = run(capsys, "experiment", str(file), "--json")
    assert code == 0, said
    assert json.loads(out)["goals"][0]["reading"] == name
    page = (tmp_path / "odd" / "report.html").read_text()
    assert "<b>," not in page


def test_knobs_and_readings_may_be_called_as_other_columns_are(tmp_path, capsys):
    file = tmp_path / "c.toml"
    file.write_text('name = "odd"\nbudget = 1\nplayer = "random"\n'
                    "[knobs.run]\nlow = 0\nhigh = 1\n[knobs.state]\nlevels = ['a', 'b']\n"
                    "[goals.cost]\naim = 'minimize'\n")  # fmt: skip
    code, out, _ = run(capsys, "experiment", str(file), "--propose")
    (row,) = csv.DictReader(io.StringIO(out))
    assert list(row) == ["run_", "run", "state", "cost", "state_"]
    (tmp_path / "r.csv").write_text(out.replace(",,", ",3.5,"))
    code, _, said = run(capsys, "experiment", str(file), "--record", str(tmp_path / "r.csv"))
    assert code == 0, said
    assert "run 0: recorded" in said
    header = (tmp_path / "odd" / "runs.csv").read_text().splitlines()[0]
    assert header == "run_,run,state,cost,state_,cost_,why"


def test_what_a_player_recommends_is_not_trusted(tmp_path):
    with play.Campaign(written(tmp_path)) as campaign:
        play.run_campaign(campaign, lambda s: {"y": truth(s)})
        for kept in (np.array([99.0, 0.0]), np.zeros(3), "nothing"):
            campaign.chooser.player.recommend = lambda spec, runs, rng, kept=kept: kept
            found = evaluation.found(campaign)
            assert "it recommends" in found.notes[0]
            assert found.best.expected[0].value == max(each.readings[1] for each in campaign.runs)


def test_the_folder_at_the_end(tmp_path, capsys, monkeypatch):
    """Report, table and log, and that others read them."""
    (tmp_path / "rig_at_end.py").write_text(
        "import random\ndef run(setting, seed=None):\n"
        "    if setting['x'] > 9.5: raise ValueError('too hot')\n"
        "    noise = random.Random(seed).gauss(0, 1)\n"
        "    return {'y': 2 * setting['x'] + noise, 'z': 0.5 * setting['x'] - noise}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    file = written(tmp_path, '[measure]\npython = "rig_at_end:run"\n', 30)
    code, out, said = run(capsys, "experiment", str(file), "--json")
    assert code == 0, said
    found = json.loads(out)
    assert found["why"] == "the budget of 30 runs is used up"
    folder = tmp_path / "trial"
    page = (folder / "report.html").read_text()
    assert "What is known about causes" in page
    assert page.count("<svg") == 1
    log = Dataset(folder / "log").read()
    assert log.setting.shape == (1, 30, 4)
    assert log.origin.variables == ("x", "kind", "z", "y")
    journal = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    settings = [r["setting"]["x"] for e in journal if e["kind"] == "proposed" for r in e["runs"]]
    assert log.setting[0, :, 0] == pytest.approx(settings)
    results = [e for e in journal if e["kind"] == "result"]
    for step, result in enumerate(results):
        if result["state"] == "failed":
            assert np.isnan(log.outcome[0, step, 2:]).all()
        else:
            assert log.outcome[0, step, 3] == pytest.approx(result["readings"]["y"])
    code, out, said = run(capsys, "ask", str(folder / "runs.csv"), "effect of x on y", "--json")
    assert code == 0, said
    answer = json.loads(out)
    assert answer["low"] <= 2 <= answer["high"]
    assert run(capsys, "inspect", str(folder / "log"))[0] == 0
    code, out, said = run(capsys, "ask", str(folder / "log"), "effect of x on y", "--json")
    assert code == 0, said
    assert json.loads(out)["value"] == pytest.approx(2, abs=0.3)
    # Once more: nothing is measured, and the files are written again.
    before = (folder / "journal.jsonl").read_bytes()
    assert run(capsys, "experiment", str(file), "--json")[0] == 0
    assert (folder / "journal.jsonl").read_bytes() == before
    assert inference.log_rows(folder / "log").table.rows == 30
