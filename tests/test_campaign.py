"""Campaigns: what is on the disk when a process dies, and who measures, against journals that are
read by hand and a rig that keeps a book of its own."""

import itertools
import json
import math
import os
import random
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from seedo.errors import UserError
from seedo.experimenters import Proposer
from seedo.play import campaign as play

FIELDS = {
    "name": "trial",
    "player": "random",
    "budget": 12,
    "knobs": {"x": {"low": 0, "high": 10}, "kind": {"levels": ["a", "b"]}},
    "readings": {"z": {"unit": "bar", "low": 0, "high": 30}},
    "goals": {"y": {"aim": "maximize"}},
}


def plan(**changes):
    return play.plan_of(FIELDS | changes)


def rig(setting):
    """What every run gives, without noise."""
    return {"y": -((setting["x"] - 6) ** 2) + 2 * (setting["kind"] == "b"), "z": setting["x"] * 2}


def lines(folder):
    """The journal, read by hand."""
    text = (Path(folder) / "journal.jsonl").read_bytes().decode()
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def of_kind(folder, kind):
    return [entry for entry in lines(folder) if entry["kind"] == kind]


def proposed(folder):
    return [run["setting"] for entry in of_kind(folder, "proposed") for run in entry["runs"]]


# -- what a run leaves ----------------------------------------------------------------------------


def test_all_runs_are_in_the_journal_in_order(tmp_path):
    with play.Campaign(plan(), tmp_path) as campaign:
        why = play.run_campaign(campaign, rig)
    assert why == "the budget of 12 runs is used up"
    kinds = [entry["kind"] for entry in lines(tmp_path)]
    assert kinds == ["plan"] + ["proposed", "asked", "result"] * 12
    for setting, result in zip(proposed(tmp_path), of_kind(tmp_path, "result"), strict=True):
        assert result["readings"] == rig(setting)
        assert result["state"] == "done"


def test_every_proposal_is_on_the_disk_before_it_is_measured(tmp_path):
    seen = []

    def watching(setting):
        last = lines(tmp_path)[-2:]
        seen.append(last[0]["runs"][0]["setting"] == setting and last[1]["kind"] == "asked")
        return rig(setting)

    with play.Campaign(plan(budget=4), tmp_path) as campaign:
        play.run_campaign(campaign, watching)
    assert seen == [True] * 4


@pytest.mark.parametrize("player", ["random", "sobol", "one-factor", "grid"])
@pytest.mark.parametrize("batch", [1, 3])
def test_cut_off_anywhere_it_proposes_the_same(tmp_path, player, batch):
    """A journal that ends at any byte is what a kill leaves: going on gives the same proposals."""
    wanted = plan(player=player, batch=batch, budget=7)
    with play.Campaign(wanted, tmp_path / "whole") as campaign:
        play.run_campaign(campaign, rig)
    whole = (tmp_path / "whole" / "journal.jsonl").read_bytes()
    draw = random.Random(batch)
    for number, size in enumerate(sorted(draw.sample(range(len(whole)), 12))):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "journal.jsonl").write_bytes(whole[:size])
        said = []
        with play.Campaign(wanted, folder, say=said.append) as campaign:
            play.run_campaign(campaign, rig)
        assert proposed(folder) == proposed(tmp_path / "whole")
        results = [e["run"] for e in of_kind(folder, "result")]
        assert results == list(range(7))
        asked = [e["run"] for e in of_kind(folder, "asked")]
        twice = {run for run in asked if asked.count(run) > 1}
        assert twice == {e["run"] for e in of_kind(folder, "asked") if e["again"]}
        assert len([line for line in said if "asked for again" in line]) == len(twice)
        cut = whole[:size].rpartition(b"\n")[2].decode(errors="replace")
        try:
            assert isinstance(json.loads(cut or "{}"), dict)
        except ValueError:
            assert [e["text"] for e in of_kind(folder, "torn")] == [cut]


def test_a_broken_line_in_the_middle_is_named(tmp_path):
    with play.Campaign(plan(budget=2), tmp_path) as campaign:
        play.run_campaign(campaign, rig)
    path = tmp_path / "journal.jsonl"
    path.write_text(path.read_text().replace('{"kind": "asked"', '{"kind" "asked"', 1))
    with pytest.raises(UserError, match="line 3 is no entry"):
        play.Campaign(plan(budget=2), tmp_path)


@pytest.mark.parametrize(
    ("line", "entry", "said"),
    [
        (0, {"kind": "plan", "plan": 3}, "a plan in its journal has no knobs"),
        (0, {"kind": "stop"}, "its journal does not begin with a plan"),
        (1, {"kind": "proposed", "runs": "many"}, "journal entry 2: cannot be read"),
        (2, {"kind": "asked", "run": 9}, "journal entry 3"),
        (3, {"kind": "result", "run": 0, "state": "good"}, "journal entry 4"),
        (3, {"kind": "result", "run": 0, "state": "done", "readings": 1.0}, "journal entry 4"),
    ],
)
def test_an_entry_that_says_nothing_is_named(tmp_path, line, entry, said):
    with play.Campaign(plan(budget=2), tmp_path) as campaign:
        play.run_campaign(campaign, rig)
    path = tmp_path / "journal.jsonl"
    written = path.read_text().splitlines()
    written[line] = json.dumps(entry)
    path.write_text("\n".join(written) + "\n")
    with pytest.raises(UserError, match=said):
        play.Campaign(plan(budget=2), tmp_path)


def test_one_process_at_a_time(tmp_path):
    with (
        play.Campaign(plan(), tmp_path),
        pytest.raises(UserError, match="another job is writing"),
    ):
        play.Campaign(plan(), tmp_path)
    play.Campaign(plan(), tmp_path).close()


def test_a_folder_of_other_knobs_is_refused_and_changes_are_said(tmp_path):
    play.Campaign(plan(), tmp_path).close()
    other = {"knobs": {"x": {"low": 0, "high": 10}}}
    with pytest.raises(UserError, match="other knobs"):
        play.Campaign(plan(**other), tmp_path)
    said = []
    with play.Campaign(plan(budget=30, player="sobol"), tmp_path, say=said.append) as campaign:
        assert campaign.left == 30
    assert said == ["changed since the last time: player, budget"]


# -- kill -9 --------------------------------------------------------------------------------------

RIG = """
import json, os, sys, time
setting = json.load(sys.stdin)
time.sleep(0.02)
value = setting["x"] * 3 - (setting["kind"] == "b")
with open(sys.argv[1], "a") as book:
    book.write(json.dumps([setting, value]) + "\\n")
print(json.dumps({"y": value, "z": 1.0}))
"""

DRIVER = """
import sys
from pathlib import Path
from seedo.play import campaign as play
with play.Campaign(Path(sys.argv[1])) as campaign:
    play.run_campaign(campaign)
"""


def killed_campaign(folder, kills, budget, workers, seed=0):
    """Runs a campaign whose process is killed so many times; gives the rig's book, and the journals
    that stood there after every kill."""
    book, rig_file = folder / "book.jsonl", folder / "rig.py"
    rig_file.write_text(RIG)
    command = shlex.join([sys.executable, "-S", str(rig_file), str(book)])
    file = folder / "campaign.toml"
    file.write_text(
        f'name = "killed"\nplayer = "random"\nbudget = {budget}\nworkers = {workers}\n'
        "[knobs.x]\nlow = 0\nhigh = 10\n[knobs.kind]\nlevels = ['a', 'b']\n"
        f'[readings.z]\n[goals.y]\n[measure]\ncommand = "{command}"\n'
    )
    journal = folder / "killed" / "journal.jsonl"
    draw = random.Random(seed)
    kept = []
    for part in range(kills):
        before = journal.stat().st_size if journal.exists() else 0
        process = subprocess.Popen([sys.executable, "-c", DRIVER, str(file)])
        until = time.monotonic() + 60
        aim = before + draw.randint(1, 2000)
        while time.monotonic() < until and process.poll() is None:
            if journal.exists() and journal.stat().st_size >= aim:
                break
            time.sleep(0.001)
        time.sleep(draw.random() * 0.03)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert part < kills
        kept.append(journal.read_bytes())
    subprocess.run([sys.executable, "-c", DRIVER, str(file)], check=True, timeout=120)
    return [json.loads(line) for line in book.read_text().splitlines()], kept


def check_killed(folder, kills, budget, workers):
    book, kept = killed_campaign(folder, kills, budget, workers)
    end = (folder / "killed" / "journal.jsonl").read_bytes()
    for journal in kept:  # nothing that was on the disk is ever changed, half lines apart
        assert end.startswith(journal[: journal.rfind(b"\n") + 1])
    settings = proposed(folder / "killed")
    results = {e["run"]: e["readings"]["y"] for e in of_kind(folder / "killed", "result")}
    assert len(of_kind(folder / "killed", "result")) == len(results) == len(settings) == budget
    asked = of_kind(folder / "killed", "asked")
    for run, setting in enumerate(settings):
        values = [value for made, value in book if made == setting]
        own = [e["again"] for e in asked if e["run"] == run]
        assert results[run] in values  # what stands in the journal was measured
        alike = [number for number, other in enumerate(settings) if other == setting]
        handed = sum(e["run"] in alike for e in asked)
        assert len(values) <= handed  # nothing was measured without having been asked for,
        assert own == [False] + [True] * (len(own) - 1)  # nor asked for again without a word
    known = [e for e in asked if e["again"]]
    return settings, known


@pytest.mark.slow
def test_killed_three_times_with_three_workers(tmp_path):
    check_killed(tmp_path, kills=3, budget=14, workers=3)


@pytest.mark.slow
def test_killed_twenty_times_with_three_workers(tmp_path):
    settings, again = check_killed(tmp_path, kills=20, budget=60, workers=3)
    assert len(settings) == 60
    assert again  # some kills do come between asking and the result


@pytest.mark.slow
def test_killed_with_one_worker_it_proposes_as_if_it_never_was(tmp_path):
    (tmp_path / "killed").mkdir()
    (tmp_path / "calm").mkdir()
    settings, _ = check_killed(tmp_path / "killed", kills=10, budget=30, workers=1)
    calm, _ = check_killed(tmp_path / "calm", kills=0, budget=30, workers=1)
    assert settings == calm


# -- several at once ------------------------------------------------------------------------------


def test_three_workers_measure_at_once_and_players_see_what_is_pending(tmp_path):
    together = threading.Barrier(3, timeout=10)
    seen = []

    class Watching(Proposer):
        name = "watching"

        def propose(self, spec, runs, pending, left, rng):
            seen.append((len(runs), len(pending), left))
            return spec.space.sample(1, rng)[0]

    def at_once(setting):
        together.wait()  # passes only if three are made at once
        return rig(setting)

    with play.Campaign(plan(budget=9, workers=3), tmp_path) as campaign:
        campaign.chooser.player = Watching()
        play.run_campaign(campaign, at_once)
    assert seen[:3] == [(0, 0, 9), (0, 1, 8), (0, 2, 7)]
    assert all(known + pending + left == 9 for known, pending, left in seen)
    assert len(of_kind(tmp_path, "result")) == 9


def test_a_batch_is_proposed_at_once_and_measured_before_the_next(tmp_path):
    with play.Campaign(plan(budget=8, batch=3), tmp_path) as campaign:
        play.run_campaign(campaign, rig)
    entries = lines(tmp_path)
    assert [len(e["runs"]) for e in entries if e["kind"] == "proposed"] == [3, 3, 2]
    kinds = [e["kind"] for e in entries[1:]]
    assert kinds[:8] == ["proposed"] + ["asked", "result"] * 3 + ["proposed"]


# -- failed, missing, odd -------------------------------------------------------------------------


def test_failed_and_missing_runs_are_results(tmp_path):
    def sometimes(setting):
        if setting["kind"] == "a":
            raise ValueError("the pump\nstopped")
        return {"y": 1.0, "z": None if setting["x"] < 5 else 50.0}

    said = []
    with play.Campaign(plan(measure={"failures": 99}), tmp_path, say=said.append) as campaign:
        play.run_campaign(campaign, sometimes)
        known = campaign.known
    states = [run.state for run in campaign.runs]
    for run, setting in zip(campaign.runs, proposed(tmp_path), strict=True):
        assert run.state == ("failed" if setting["kind"] == "a" else "done")
        if run.state == "failed":
            assert run.why == "ValueError: the pump stopped"
        odd = run.state == "done" and setting["x"] >= 5
        line = f"run {run.number}: z = 50 lies above 30, the most that is plausible"
        assert (line in said) == odd
    assert 0 < states.count("failed") < 12
    assert len(known) == 12
    failed = np.array([state == "failed" for state in states])
    assert (np.isnan(known.readings).all(axis=1) == failed).all()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (math.nan, "nothing was read"),
        ({"y": "high"}, "y: got 'high'; give a finite number"),
        ({"y": math.inf}, "y: got inf"),
        ({"y": True}, "y: got True"),
        ({"w": 1.0}, "reading: got 'w'; use z, y"),
        ("much", "it gave 'much': give readings by name"),
    ],
)
def test_what_is_no_result_is_a_failed_run(tmp_path, given, why):
    found = {"y": given} if isinstance(given, float) else given
    with play.Campaign(plan(budget=1), tmp_path) as campaign:
        play.run_campaign(campaign, lambda setting: found)
    assert campaign.runs[0].state == "failed"
    assert campaign.runs[0].why.startswith(why)


def test_failures_in_a_row_stop_it_and_it_goes_on(tmp_path):
    broken = True

    def run(setting):
        if broken:
            raise OSError("no device")
        return rig(setting)

    with play.Campaign(plan(), tmp_path) as campaign:
        why = play.run_campaign(campaign, run)
        assert why == "5 runs in a row failed, the last one because: OSError: no device"
    broken = False
    with play.Campaign(plan(), tmp_path) as campaign:
        assert "used up" in play.run_campaign(campaign, run)
    assert [run.state for run in campaign.runs] == ["failed"] * 5 + ["done"] * 7


def test_a_lost_run_that_must_not_be_repeated_counts_as_failed(tmp_path):
    once = plan(budget=3, measure={"repeat": False})
    with play.Campaign(once, tmp_path) as campaign:
        campaign.ask()  # handed out, and then nothing
    seen = []
    with play.Campaign(once, tmp_path) as campaign:
        play.run_campaign(campaign, lambda s: seen.append(s) or rig(s))
    assert [run.state for run in campaign.runs] == ["failed", "done", "done"]
    assert seen == proposed(tmp_path)[1:]


def test_a_player_that_breaks_is_named_and_nothing_is_lost(tmp_path):
    class Bad(Proposer):
        name = "bad"

        def propose(self, spec, runs, pending, left, rng):
            if len(runs) == 2:
                raise ZeroDivisionError("of its own")
            return np.array([99.0, 0.0]) if len(runs) == 3 else np.array([1.0, 0.0])

    with play.Campaign(plan(), tmp_path) as campaign:
        campaign.chooser.player = Bad()
        with pytest.raises(UserError, match=r"player random, run 2: ZeroDivisionError: of its own"):
            play.run_campaign(campaign, rig)
        assert campaign.made == 2
        campaign.runs.append(campaign.runs[0])
        with pytest.raises(UserError, match="it proposes what cannot be set: x: got 99"):
            campaign.propose()


# -- budgets --------------------------------------------------------------------------------------


def test_a_budget_of_cost_ends_it(tmp_path):
    cost = {"run": 2.0, "budget": 9.0}
    with play.Campaign(plan(cost=cost), tmp_path) as campaign:
        why = play.run_campaign(campaign, rig)
    assert campaign.made == 4
    assert campaign.spent == 8.0
    assert why == "what is left of the budget of 9 pays no further run"


def test_moving_a_knob_costs(tmp_path):
    knobs = FIELDS["knobs"] | {"kind": {"levels": ["a", "b"], "cost": 3.0}}
    with play.Campaign(plan(knobs=knobs, cost={"run": 1.0, "budget": 14.0}), tmp_path) as campaign:
        play.run_campaign(campaign, rig)
    kinds = [setting["kind"] for setting in proposed(tmp_path)]
    moved = [a != b for a, b in itertools.pairwise(kinds)]
    assert [run.cost for run in campaign.runs] == [1.0, *(1.0 + 3.0 * m for m in moved)]
    assert campaign.spent <= 14.0
    assert any(moved)


def test_skipped_runs_cost_nothing_and_do_not_count(tmp_path):
    with play.Campaign(plan(budget=2, cost={"run": 1.0}), tmp_path) as campaign:
        first = campaign.ask()[0]
        campaign.tell(first.run, skipped="no reagent")
        play.run_campaign(campaign, rig)
    assert [run.state for run in campaign.runs] == ["skipped", "done", "done"]
    assert campaign.spent == 2.0


def test_space_filling_runs_come_first(tmp_path):
    with play.Campaign(plan(player="random", first=4, budget=6), tmp_path / "a") as campaign:
        play.run_campaign(campaign, rig)
    with play.Campaign(plan(player="sobol", budget=6), tmp_path / "b") as campaign:
        play.run_campaign(campaign, rig)
    assert proposed(tmp_path / "a")[:4] == proposed(tmp_path / "b")[:4]
    assert proposed(tmp_path / "a")[4:] != proposed(tmp_path / "b")[4:]


# -- asking and telling ---------------------------------------------------------------------------


def test_ask_and_tell(tmp_path):
    with play.Campaign(plan(budget=2, batch=2), tmp_path) as campaign:
        asked = campaign.ask()
        assert [(p.run, p.again) for p in asked] == [(0, False), (1, False)]
        campaign.tell(1, {"y": 2.0})
        again = campaign.ask()
        assert [(p.run, p.again, p.setting) for p in again] == [(0, True, asked[0].setting)]
        with pytest.raises(UserError, match="it has a result: nothing was changed"):
            campaign.tell(1, {"y": 3.0})
        with pytest.raises(UserError, match="there are runs 0 to 1"):
            campaign.tell(7, {"y": 3.0})
        campaign.tell(0, {"y": 1.0}, setting={"x": 11.5})
        assert campaign.ask() == []
    assert campaign.setting(campaign.runs[0])["x"] == 11.5
    assert campaign.runs[1].readings[1] == 2.0


def test_earlier_rows(tmp_path):
    (tmp_path / "e.csv").write_text(
        "x,kind,y,z,seen\n1,a,5,2,no\n11,b,6,3,no\n2,c,7,4,no\n,,8,5,no\n4,b,9,6,yes\n3,,1,1,no\n"
    )
    start = [{"file": str(tmp_path / "e.csv"), "observed": "seen"}]
    with play.Campaign(plan(start=start), tmp_path / "c") as campaign:
        known = campaign.known
        told = "\n".join(campaign.earlier.told)
    assert known.settings[~known.seen].tolist() == [[1, 0], [11, 1]]
    assert known.readings[~known.seen].tolist() == [[2, 5], [3, 6]]
    assert known.readings[known.seen].tolist() == [[5, 8], [6, 9]]
    assert np.isnan(known.settings[known.seen][0]).all()
    assert known.settings[known.seen][1].tolist() == [4, 1]
    assert "1 row outside of what can be set now: kept as data, never proposed" in told
    assert "kind has no level 'c'" in told
    assert "2 rows of earlier runs, 2 observations" in told
    assert "2 rows without a usable value of every knob: left out" in told


def test_an_earlier_optimum_outside_is_never_kept(tmp_path):
    (tmp_path / "e.csv").write_text("x,kind,y,z\n99,a,1000,2\n5,b,6,3\n")
    start = [str(tmp_path / "e.csv")]
    with play.Campaign(plan(start=start, budget=1), tmp_path / "c") as campaign:
        assert campaign.chooser.recommend(campaign.known, 0).tolist() == [5, 1]


@pytest.mark.parametrize("player", ["one-factor", "response-surface", "bayes:mechanisms"])
def test_players_take_any_earlier_rows_and_propose_only_what_can_be_set(tmp_path, player):
    draw = np.random.default_rng(1)
    places = draw.uniform(-20, 40, size=18)
    rows = [
        f"{x:.3f},{'ab'[i % 2]},{i},{i % 5},{'yes' * (i % 3 > 0)}" for i, x in enumerate(places)
    ]
    (tmp_path / "e.csv").write_text("\n".join(["x,kind,y,z,seen", *rows, ",,3,2,yes"]) + "\n")
    start = [{"file": str(tmp_path / "e.csv"), "observed": "seen"}]
    with play.Campaign(plan(player=player, start=start, budget=8), tmp_path / "c") as campaign:
        play.run_campaign(campaign, rig)
        assert campaign.made == 8
        assert campaign.plan.space.allows(np.array([run.setting for run in campaign.runs])).all()
