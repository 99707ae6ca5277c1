"""Blicket machines as tasks for people, beside agents on the same systems."""

import json
import re
import shlex

import numpy as np
import pytest

from command import run
from lab_design import STUDY, Design
from lab_server import running
from lab_taking import go_on
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.lab.study import StudyConfig, pilot, preregistration

HEAD = STUDY[: STUDY.index("[world]")].replace("tasks = 1", "tasks = 3")
MACHINE = HEAD + '[world]\nkind = "blicket"\nn = 3\nexperiments = 4\nflip = 0.2\n'


def play(browser, view, rng):
    """Any choices to the end; all views and what was told after the tasks."""
    seen, told = [view], []
    while view["screen"] == "task":
        target = view["goal"] if view["exploiting"] else int(rng.integers(-1, 3))
        value = int(rng.integers(2)) if target >= 0 else 0
        answer = browser.choose(view, target, value).json()
        told += [answer["after"]] if answer["after"] else []
        view = answer["view"]
        seen.append(view)
    return seen, told


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    made = Design(tmp_path_factory.mktemp("machine"), MACHINE)
    rng, ways = np.random.default_rng(0), []
    for _ in range(3):
        browser = made.browser()
        ways.append(play(browser, browser.start(), rng))
    out = made.folder / "out"
    made.export().extractall(out)
    return made, ways, out / "design"


def test_what_people_see_and_earn_is_what_the_world_does(taken):
    made, ways, _ = taken
    for person, (seen, told) in zip(made.store.participants(), ways, strict=True):
        assert seen[-1]["screen"] == "end"
        earned = []
        for place, task in enumerate(person.task_order):
            episode = made.config.scenario(person.condition, person.number, task).begin()
            views = [v for v in seen if v.get("number") == place + 1]
            assert [v["exploiting"] for v in views] == [False] * 4 + [True] * 3
            for view in views:
                assert view["names"] == ["A", "B", "C", "machine"]
                row = next(
                    r for r in made.store.steps(person.id)
                    if (r.task, r.step) == (task, view["step"])
                )  # fmt: skip
                outcome = episode.act(row.target, row.value).outcome
                if view["step"] < 4:
                    after = seen[seen.index(view) + 1]["rows"][view["step"]]
                    assert after["on"] == (outcome[:-1] == 1).tolist()
                    assert after["light"] == bool(outcome[-1])
            assert told[place]["returns"] == pytest.approx(episode.returns, abs=1e-4)
            assert np.mean(told[place]["right"]) == pytest.approx(episode.returns)
            earned.append(episode.returns)
        assert made.store.participants()[person.number - 1].score == pytest.approx(np.mean(earned))


def test_nothing_hidden_is_in_what_a_browser_gets(taken):
    _, ways, _ = taken
    views = [view for seen, _ in ways for view in seen]
    assert not re.search("blickets|conjunctive|bright|flips", json.dumps(views))


def test_people_stand_beside_agents_on_the_same_machines_in_a_review(taken, tmp_path, capsys):
    made, _, folder = taken
    people = Dataset(folder / "runs" / "all").read()
    assert set(people.participant) == {"p001", "p002", "p003"}
    _, said, _ = run(capsys, "lab", "check-study", str(made.file))
    line = next(line for line in said.splitlines() if "perform" in line)
    words = shlex.split(line)[1:]
    words[words.index("--out") + 1] = str(tmp_path / "agent")
    assert run(capsys, *words)[0] == 0
    agent = Dataset(tmp_path / "agent").read()
    systems = dict(zip(agent.episode_id.tolist(), agent.system, strict=True))
    for episode, system in zip(people.episode_id.tolist(), people.system, strict=True):
        assert systems[episode] == system
    out = tmp_path / "people.html"
    code, _, _ = run(
        capsys, "review", str(folder / "runs" / "all"), str(tmp_path / "agent"), "--out", str(out)
    )
    assert code == 0
    assert "one-at-a-time" in out.read_text()


def test_steps_outside_an_experiment_or_a_question_are_refused(tmp_path):
    made = Design(tmp_path, MACHINE)
    browser = made.browser()
    view = browser.start()
    for target, value in ((3, 1.0), (0, 0.5), (9, 1.0)):
        assert browser.choose(view, target, value).status_code == 422
    while not view["exploiting"]:
        view = browser.choose(view, -1, 0.0).json()["view"]
    for target, value in ((-1, 0.0), (1, 1.0), (0, 2.0)):
        assert browser.choose(view, target, value).status_code == 422
    assert browser.choose(view, 0, 1.0).status_code == 200


def test_time_names_and_factors_go_with_machines(tmp_path):
    things = "".join(f'[[wording.variable]]\nname = "{n}"\n' for n in ("cup", "key", "pin", "box"))
    factor = '[[factor]]\nname = "rule"\nlevels = ["or", "and"]\n'
    text = MACHINE + f'[time]\ntask_seconds = 60\n[[wording]]\nid = "things"\n{things}{factor}'
    made = Design(tmp_path, text)
    browser = made.browser()
    view = browser.post("begin", {"item": browser.start()["item"]}).json()["view"]
    assert view["names"] == ["cup", "key", "pin", "box"]
    browser.choose(view, 1, 1)
    made.wait(100)
    assert browser.view()["screen"] == "ready"
    row = made.rows("steps.csv")[0]
    assert (row["variable"], row["shown_variable"], row["time"]) == ("B", "key", "in time")
    task = made.rows("tasks.csv")[0]
    assert (task["returns"], task["oracle_return"]) == ("0.0", "1.0")
    assert {c for c, _ in made.config.conditions()} == {"rule=or", "rule=and"}
    assert "about a half: as somebody who guesses" in preregistration(
        made.config, pilot(made.config)
    )


def test_scripted_people_do_better_than_chance_where_single_objects_tell():
    plain = MACHINE.replace("flip = 0.2", 'rule = "or"').replace("experiments = 4", "")
    tried = pilot(StudyConfig.from_text(plain))
    assert 0.75 < tried.means["all"].value < 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "blicket"', 'kind = "chess"', "world.kind: got 'chess'"),
        ("n = 3", "n = 9", "world.n: got 9"),
        ("flip = 0.2", "noise_variance = 1", "world: unknown key: got 'noise_variance'"),
        ("experiments = 4", "experiments = 700", "steps (all): got 703"),
        ("n = 3", 'n = 3\n[[factor]]\nname = "names"\nlevels = ["letters", "familiar"]\n',
         "names (names=familiar): got 'familiar'"),
    ],
)  # fmt: skip
def test_what_a_machine_cannot_be_is_refused_in_one_line(old, new, said):
    text = MACHINE if "factor" not in new else HEAD + '[world]\nkind = "blicket"\nn = 3\n'
    with pytest.raises(UserError) as caught:
        StudyConfig.from_text(text.replace(old, new, 1))
    assert said in str(caught.value)


def test_somebody_takes_part_on_the_page(tmp_path, visit):
    (tmp_path / "design.toml").write_text(MACHINE.replace("tasks = 3", "tasks = 1"))
    with running(tmp_path / "lab", study=tmp_path / "design.toml") as address:
        page = visit(f"{address}/take/design")
        page.get_by_role("button", name="I agree and take part").click()
        page.get_by_role("button", name="Start").click()
        page.get_by_text("Nothing is on the machine.").wait_for()
        page.get_by_role("radio", name="Put B on the machine").check(force=True)
        page.get_by_role("button", name="Put B on the machine").click()
        page.get_by_text(
            re.compile("On the machine: B. The machine (lights up|stays dark).")
        ).wait_for()
        assert page.get_by_role("rowheader", name="machine").count() == 1
        go_on(page, "Is A a blicket?")
        page.get_by_role("radio", name="Yes").check(force=True)
        go_on(page, "You were right about")
        go_on(page, "You are done")
