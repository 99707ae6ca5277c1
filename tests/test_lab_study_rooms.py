"""Odd-one-out rooms as tasks for people, beside agents in the same rooms."""

import re
import shlex

import numpy as np
import pytest

from command import run
from lab_design import STUDY, Design
from lab_server import running
from lab_taking import after
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.lab.study import StudyConfig, pilot, prepare
from seedo.play import Choice, LiveRooms
from seedo.worlds.rooms import action_setting, logged_actions

HEAD = STUDY[: STUDY.index("[world]")].replace("tasks = 1", "tasks = 2")
ROOMS = HEAD + '[world]\nkind = "rooms"\nexperiments = 1\nlimit = 15\n'


def rehearsed(scenario, things):
    """The actions of somebody who takes these objects, one in each room."""
    live = LiveRooms(scenario.stage(), scenario.seed, "perform", scenario.index)
    for thing in things:
        live.choose(Choice(thing))
    settings = (action_setting(row.action) for row in live.rows)
    return [(int(target), float(value)) for target, value in settings], live


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    made = Design(tmp_path_factory.mktemp("rooms"), ROOMS)
    browser = made.browser()
    view = browser.start()
    (person,) = made.store.participants()
    seen, told, lives = [view], [], {}
    for task in person.task_order:
        scenario = made.config.scenario("all", 1, task)
        odd = int(scenario.begin().task.concept)  # which dimension decides
        assert odd in (0, 1, 2)
        actions, lives[task] = rehearsed(scenario, (0, 1))
        for target, value in actions:
            answer = browser.choose(view, target, value).json()
            view = answer["view"]
            seen.append(view)
            told += [answer["after"]] if answer["after"] else []
    out = made.folder / "out"
    made.export().extractall(out)
    return made, seen, told, lives, out / "design"


def test_an_episode_ends_when_the_last_object_is_taken_and_earns_what_the_world_says(taken):
    made, seen, told, lives, _ = taken
    assert seen[-1]["screen"] == "end"
    order = made.store.participants()[0].task_order
    assert [after["returns"] for after in told] == [lives[task].returns for task in order]
    steps = sum(len(live.rows) for live in lives.values())
    assert len(made.store.steps(1)) == steps < 2 * 34  # none had to wait for the limit
    for view in (v for v in seen if v["screen"] == "task"):
        assert view["picture"].startswith("data:image/png;base64,")
        assert not {"concept", "objects", "cells"} & set(view)
    assert {v["trial"] for v in seen if v["screen"] == "task"} == {1, 2}
    assert any(v.get("taken") is not None for v in seen)
    assert made.store.participants()[0].score == np.mean([a["returns"] for a in told])


def test_the_log_has_the_steps_and_the_tables_know_which_room_counted(taken):
    made, _, _, lives, folder = taken
    batch = Dataset(folder / "runs" / "all").read()
    for row, episode in enumerate(batch.episode_id.tolist()):
        live = lives[episode]
        own = logged_actions(batch)[row][: len(live.rows)]
        assert own.tolist() == [int(r.action) for r in live.rows]
        assert batch.returns[row] == live.returns
    steps = made.rows("steps.csv")
    assert {row["variable"] for row in steps} <= {"move", "colour", "texture", "shape", ""}
    last = [row["phase"] for row in steps if row["task"] == "0"][-1]
    assert last == "exploit"
    assert steps[0]["phase"] == "explore"


def test_people_stand_beside_agents_in_a_review(taken, tmp_path, capsys):
    made, _, _, _, folder = taken
    _, said, _ = run(capsys, "lab", "check-study", str(made.file))
    words = shlex.split(next(line for line in said.splitlines() if "perform" in line))[1:]
    words[words.index("--out") + 1] = str(tmp_path / "agent")
    assert run(capsys, *words)[0] == 0
    people, agent = Dataset(folder / "runs" / "all").read(), Dataset(tmp_path / "agent").read()
    assert set(people.episode_id.tolist()) <= set(agent.episode_id.tolist())
    assert people.origin.world_config == agent.origin.world_config
    out = tmp_path / "people.html"
    words = ["review", str(folder / "runs" / "all"), str(tmp_path / "agent"), "--out", str(out)]
    assert run(capsys, *words)[0] == 0
    assert "last-rewarded" in out.read_text()


def test_a_reload_or_a_restart_is_where_one_was_and_nothing_goes_on_after_the_end(tmp_path):
    made = Design(tmp_path, ROOMS)
    browser = made.browser()
    view = browser.start()
    for target, value in ((0, 2.0), (0, 2.0), (2, 1.0), (-1, 0.0)):
        view = browser.choose(view, target, value).json()["view"]
    assert browser.view() == view
    made.open()
    assert browser.view() == view
    for target, value in ((0, 8.0), (0, 0.5), (1, 2.0), (4, 1.0)):
        assert browser.choose(view, target, value).status_code == 422
    while view["item"] == 0:
        last, view = view, browser.choose(view, -1, 0.0).json()["view"]
    assert browser.choose({**last, "step": last["step"] + 1}, -1, 0.0).status_code == 409


def test_who_guesses_in_the_pilot_is_right_in_a_quarter_of_the_rooms():
    config = StudyConfig.from_text(ROOMS)
    rng = np.random.default_rng(0)
    for index in range(2):
        task = prepare(config.scenario("all", 1, index))
        guesses = {tuple(task.scripted(1.0, rng)) for _ in range(60)}
        # One of four objects is the odd one out, and each is taken sometimes.
        assert sorted(task.returns(done) for done in guesses) == [0, 0, 0, 1]
    assert 0 <= pilot(config).means["all"].value <= 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("limit = 15", "limit = 400", "steps (all): got 804"),
        ("limit = 15", "cue = true", "cue (all)"),
        ("limit = 15", '[[wording]]\nid = "w"\n[[wording.variable]]\nname = "x"', "name 0"),
        ("limit = 15", '[attention]\nchecks = 1\nwords = "story"', "attention.words"),
    ],
)
def test_what_rooms_cannot_be_is_refused_in_one_line(old, new, said):
    with pytest.raises(UserError) as caught:
        StudyConfig.from_text(ROOMS.replace(old, new))
    assert said in str(caught.value)


def test_somebody_walks_by_buttons_and_keys(tmp_path, visit):
    (tmp_path / "design.toml").write_text(ROOMS.replace("limit = 15", "limit = 4"))
    with running(tmp_path / "lab", study=tmp_path / "design.toml") as address:
        page = visit(f"{address}/take/design")
        page.get_by_role("button", name="I agree and take part").click()
        page.get_by_role("button", name="Start").click()
        page.get_by_text("Steps left: 4").wait_for()
        picture = page.get_by_role("img", name="The room from above")
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 99
        page.get_by_role("button", name="Right", exact=True).click()
        page.get_by_text("Steps left: 3").wait_for()
        page.keyboard.press("ArrowLeft")
        page.get_by_text("Steps left: 2").wait_for()
        page.keyboard.press("c")
        page.get_by_text("Steps left: 1").wait_for()


def test_a_verdict_is_read_once_and_then_the_next_room_comes(tmp_path, visit):
    """Whoever takes an object presses one button, however many steps its verdict lasts."""
    text = ROOMS.replace("tasks = 2", "tasks = 1").replace("limit = 15", "limit = 15\nlinger = 4")
    made = Design(tmp_path, text)
    actions, _ = rehearsed(made.config.scenario("all", 1, 0), (0, 1))
    keys = dict(enumerate("89632147"))
    with running(tmp_path / "lab2", study=tmp_path / "design.toml") as address:
        page = visit(f"{address}/take/design")
        page.get_by_role("button", name="I agree and take part").click()
        page.get_by_role("button", name="Start").click()
        ends = ("Room 1 of 2", "Room 2 of 2")
        for target, value in actions:
            if target < 0:
                continue
            while page.get_by_role("button", name="Next").count():
                page.get_by_role("button", name="Next").click()
                page.get_by_text(ends[1]).wait_for()
            page.get_by_role("status").get_by_text(re.compile("Steps left")).wait_for()
            after(page, lambda value=value: page.keyboard.press(keys[int(value)]))
        page.get_by_role("button", name="Next").click()
        page.get_by_text(re.compile("You (took|did not take) the odd one out")).wait_for()
