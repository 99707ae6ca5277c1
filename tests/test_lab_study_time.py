"""Limits of time: counted by the lab, whatever a browser says, is closed or reloaded."""

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from lab_design import STUDY, Design
from lab_server import running
from lab_taking import after
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.lab.study import StudyConfig

TWO = STUDY.replace("tasks = 1", "tasks = 2")
CHOICE = TWO + '[time]\nchoice_seconds = 10\nat_end = "choice"\n'
TASK = TWO + "[time]\ntask_seconds = 30\n"
LATE = TWO + '[time]\nchoice_seconds = 10\nat_end = "late"\n'


def begin(browser, view):
    assert view["screen"] == "ready"
    return browser.post("begin", {"item": view["item"]}).json()["view"]


def rows(made, task):
    return [(r.step, r.target) for r in made.store.steps(1) if r.task == task]


def test_nothing_of_a_task_is_shown_before_somebody_is_ready(tmp_path):
    made = Design(tmp_path, CHOICE)
    browser = made.browser()
    view = browser.start()
    assert (view["screen"], view["choice_seconds"]) == ("ready", 10)
    assert not {"names", "values", "rows"} & set(view)
    step = {"item": 0, "step": 0, "target": 0, "value": 2.0, "milliseconds": 1}
    assert browser.post("step", step).status_code == 409
    made.wait(1000)  # reading takes as long as it takes
    assert begin(browser, view)["clocks"] == {"choice": 10_000}
    assert browser.post("begin", {"item": 1}).status_code == 409


def test_a_choice_that_nobody_made_in_time_is_lost_and_the_next_one_has_its_own_time(tmp_path):
    made = Design(tmp_path, CHOICE)
    browser = made.browser()
    view = begin(browser, browser.start())
    made.wait(11.9)  # on the way to the lab a choice may take two seconds
    view = browser.choose(view, 0, 2.0).json()["view"]
    made.wait(12.1)
    late = browser.choose(view, 1, 2.0)
    assert (late.status_code, late.json()["field"]) == (409, "error-time")
    view = browser.view()
    assert view["step"] == 2
    assert view["clocks"]["choice"] == 7900  # the time of this one began when that one's ended
    assert [row["target"] for row in view["rows"]] == [0, -1]
    made.wait(3)
    assert browser.choose(view).status_code == 200
    assert browser.view()["screen"] == "ready"


def test_a_reload_and_a_restart_buy_no_time(tmp_path):
    made = Design(tmp_path, TASK)
    browser = made.browser()
    view = begin(browser, browser.start())
    browser.choose(view, 0, 2.0)
    made.wait(20)
    made.open()
    assert browser.view()["clocks"] == {"task": 10_000}
    browser.post("begin", {"item": 0})  # once more
    assert browser.view()["clocks"] == {"task": 10_000}
    made.wait(12.5)
    assert browser.view()["screen"] == "ready"  # of the next task
    assert rows(made, made.store.participants()[0].task_order[0]) == [(0, 0), (1, -1), (2, -1)]
    made.open()
    assert browser.view()["item"] == 1


def test_who_has_gone_misses_what_was_due_and_no_task_that_was_not_begun(tmp_path):
    made = Design(tmp_path, CHOICE)
    browser = made.browser()
    begin(browser, browser.start())
    made.wait(10_000)
    view = browser.view()
    assert (view["screen"], view["item"]) == ("ready", 1)
    first, second = made.store.participants()[0].task_order
    assert rows(made, first) == [(0, -1), (1, -1), (2, -1)]
    assert rows(made, second) == []


def test_lost_choices_are_nothing_earned_and_whole_episodes_in_the_data(tmp_path):
    made = Design(tmp_path, CHOICE)
    browser = made.browser()
    view = begin(browser, browser.start())
    browser.choose(view, 0, 2.0)
    made.wait(100)
    view = begin(browser, browser.view())
    while view["screen"] == "task":
        view = browser.choose(view).json()["view"]
    assert view["screen"] == "end"
    steps = made.rows("steps.csv")
    assert [row["time"] for row in steps] == ["in time", "missed", "missed", *["in time"] * 3]
    assert [row["variable"] for row in steps][1:3] == ["", ""]
    tasks = made.rows("tasks.csv")
    assert float(tasks[0]["returns"]) == 0
    # The score has the lost task in its denominator: time that runs out is no way to a bonus.
    best = [float(task["oracle_return"]) for task in tasks]
    score = float(made.rows("participants.csv")[0]["score"])
    assert score == pytest.approx(float(tasks[1]["returns"]) / sum(best), abs=1e-4)
    made.export().extractall(tmp_path / "out")
    batch = Dataset(tmp_path / "out" / "design" / "runs" / "all").read()
    assert batch.target[0].tolist()[1:] == [-1, -1]


def test_late_choices_count_and_are_marked(tmp_path):
    made = Design(tmp_path, LATE)
    browser = made.browser()
    view = begin(browser, browser.start())
    made.wait(60)
    assert browser.view()["clocks"] == {"choice": -50_000}
    view = browser.choose(view, 0, 2.0).json()["view"]
    assert browser.choose({**view, "step": 0}, 0, 2.0).status_code == 200  # the same again
    browser.choose(view, 1, 2.0)
    assert [row["time"] for row in made.rows("steps.csv")] == ["late", "in time"]


def test_limits_may_differ_between_conditions_and_none_is_a_level(tmp_path):
    factor = '[[factor]]\nname = "choice_seconds"\nlevels = [0, 5]\n'
    made = Design(tmp_path, STUDY + factor)
    screens = {}
    for _ in range(2):
        view = made.browser().start()
        screens[made.store.participants()[-1].condition] = view["screen"]
    assert screens == {"choice_seconds=0": "task", "choice_seconds=5": "ready"}
    config = StudyConfig.load(made.file)
    assert StudyConfig.from_json(config.to_json()) == config
    assert "time" not in StudyConfig.from_text(STUDY).to_json()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[time]\nchoice_seconds = -1", "time.choice_seconds: got -1"),
        ("[time]\nchoice_seconds = 0.5", "time.choice_seconds: got 0.5"),
        ("[time]\ntask_seconds = true", "time.task_seconds: got True"),
        ('[time]\nat_end = "never"', "time.at_end: got 'never'"),
        ("[time]\nminutes = 1", "time: unknown key: got 'minutes'"),
        ('[[factor]]\nname = "task_seconds"\nlevels = [0, "x"]', "levels of task_seconds"),
    ],
)
def test_what_is_no_limit_is_refused_in_one_line(written, said):
    with pytest.raises(UserError, match=re.escape(said)):
        StudyConfig.from_text(STUDY + written)


@pytest.mark.slow
def test_a_lab_that_is_killed_goes_on_counting(tmp_path):
    file = tmp_path / "design.toml"
    file.write_text(TWO + "[time]\ntask_seconds = 3\n")
    command = [sys.executable, "-m", "seedo", "lab", "--study", str(file), "--no-browse",
               "--data", str(tmp_path / "lab"), "--port", "0"]  # fmt: skip

    def start():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, env=os.environ)  # fmt: skip
        for line in process.stdout:
            if found := re.search(r"http://[^\s/]+", line):
                return process, found[0]
        raise AssertionError("the lab did not start")

    process, address = start()
    http = httpx.Client(timeout=60)
    page = http.get(f"{address}/take/design").text
    csrf = {"x-csrf-token": re.search(r'name="csrf" content="([0-9a-f]+)"', page)[1]}
    for path, body in (("consent", {"agree": True}), ("ready", None), ("begin", {"item": 0})):
        http.post(f"{address}/api/take/design/{path}", json=body, headers=csrf).raise_for_status()
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(5.1)
    process, address = start()
    try:
        view = http.get(f"{address}/api/take/design").json()
        assert (view["screen"], view["item"]) == ("ready", 1)
    finally:
        process.terminate()
        process.wait()


def test_the_page_counts_down_aloud_and_goes_on_when_the_time_is_over(tmp_path, visit):
    (tmp_path / "design.toml").write_text(TWO + "[time]\ntask_seconds = 9\n")
    with running(tmp_path / "lab", study=tmp_path / "design.toml") as address:
        page = visit(f"{address}/take/design")
        page.get_by_role("button", name="I agree and take part").click()
        after(page, page.get_by_role("button", name="Start").click)
        page.get_by_text("You have 9 seconds for the whole task.").wait_for()
        after(page, page.get_by_role("button", name="Begin").click)
        page.get_by_role("timer").get_by_text(re.compile("For the task: 0:0[6-9]")).wait_for()
        page.locator("[role=status]").get_by_text("5 seconds left").wait_for()
        page.reload()
        page.get_by_role("timer").get_by_text(re.compile("0:0[0-4]")).wait_for()
        page.get_by_text("Task 2 of 2").first.wait_for(timeout=15_000)
        page.get_by_text("The time is over.").wait_for()
        page.get_by_role("button", name="Begin").wait_for()


def test_two_tabs_at_the_end_of_the_time_agree(tmp_path):
    made = Design(tmp_path, CHOICE)
    browser = made.browser()
    view = begin(browser, browser.start())
    made.wait(100)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(browser.view) for _ in range(8)]
        sent = pool.submit(browser.choose, view, 0, 2.0)
        assert {task.result()["screen"] for task in asked} == {"ready"}
        assert sent.result().status_code == 409
    task = made.store.participants()[0].task_order[0]
    assert rows(made, task) == [(0, -1), (1, -1), (2, -1)]
