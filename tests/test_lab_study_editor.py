"""A study set up, checked, run and exported from its page alone."""

import csv
import io
import re
import time
import zipfile

import numpy as np
import pytest
from playwright.sync_api import expect
from scipy import stats
from starlette.testclient import TestClient

from command import run
from lab_server import running
from lab_taking import go_on
from seedo.lab import LabSettings, create_app
from seedo.lab.study import StudyConfig
from test_lab_recruit import STUDY, Browser

WRITTEN = STUDY.format(places=4, platform="open")


@pytest.fixture
def lab(tmp_path):
    """An application without a study, and a researcher's browser."""
    return Lab(tmp_path)


class Lab:
    def __init__(self, folder, **settings):
        self.folder = folder
        self.app = create_app(LabSettings(data=folder / "lab", warm=False, **settings))
        self.http = TestClient(self.app, base_url="http://localhost")
        page = self.http.get("/study").text
        csrf = re.search(r'name="csrf" content="([0-9a-f]+)"', page)[1]
        self.http.headers["x-csrf-token"] = csrf

    def post(self, what, text):
        return self.http.post(f"/api/study/{what}", json={"text": text})


def test_a_study_is_checked_as_it_is_written_within_a_second(lab):
    lines = lab.post("check", WRITTEN).json()["lines"]
    assert "condition names=letters, noise_variance=0.5: 2 choices a task" in lines
    assert "balanced after every 4 participants" in lines
    for old, new, field in (
        ("tasks = 1", "tasks = 0", "tasks"),
        ("tasks = 1", "tasks = ", "study"),
        ("minutes = 30", "minutes = -1", "recruit.minutes"),
    ):
        found = lab.post("check", WRITTEN.replace(old, new)).json()
        assert found["field"] == field
        assert "\n" not in found["error"]
    started = time.perf_counter()
    lab.post("check", WRITTEN.replace("seed = 3", "seed = 4"))
    assert time.perf_counter() - started < 1


def test_what_is_written_on_the_page_is_opened_run_exported_and_there_after_a_restart(lab):
    assert lab.post("open", WRITTEN.replace("tasks = 1", "tasks = 0")).status_code == 422
    assert lab.http.get("/api/study").status_code == 404
    assert lab.post("open", WRITTEN).json() == {"open": True}
    for number in range(4):
        browser = Browser(lab.app, {}, f"198.51.100.{number}")
        assert browser.join().status_code == 200
        assert browser.go_on()["screen"] == "end"
    archive = zipfile.ZipFile(io.BytesIO(lab.http.get("/api/study/export").content))
    rows = list(csv.DictReader(io.TextIOWrapper(archive.open("paid/participants.csv"))))
    assert len({row["condition"] for row in rows}) == len(rows) == 4

    again = Lab(lab.folder)
    assert len(again.http.get("/api/study").json()["participants"]) == 4
    changed = again.post("open", WRITTEN.replace("Find out.", "Find out more."))
    assert (changed.status_code, "another name" in changed.json()["error"]) == (422, True)
    assert again.post("open", WRITTEN.replace("GOOD1", "BEST1")).status_code == 200
    assert again.post("open", WRITTEN.replace('"paid"', '"other"')).status_code == 200
    assert again.http.get("/api/study").json()["participants"] == []
    assert again.post("open", WRITTEN).status_code == 200
    assert len(again.http.get("/api/study").json()["participants"]) == 4


def test_a_study_of_a_file_is_changed_in_the_file(tmp_path):
    (tmp_path / "paid.toml").write_text(WRITTEN)
    made = Lab(tmp_path, study=tmp_path / "paid.toml")
    assert made.post("open", WRITTEN).status_code == 422
    assert "written" not in made.http.get("/study").text


def test_only_the_researcher_opens_a_study(tmp_path):
    app = create_app(LabSettings(data=tmp_path / "lab", warm=False, token="t" * 16))
    stranger = TestClient(app, base_url="http://localhost")
    for what in ("check", "open"):
        assert stranger.post(f"/api/study/{what}", json={"text": WRITTEN}).status_code in (401, 403)


PLAN = """
[plan]
factor = "experiments"
difference = 0.15
"""


def test_a_pilot_finds_what_helps_and_says_how_many_people_a_difference_needs(lab):
    text = WRITTEN.replace(
        '"noise_variance"\nlevels = [0.5, 1.0]', '"experiments"\nlevels = [1, 6]'
    )
    text = text.replace("experiments = 1\n", "").replace("tasks = 1", "tasks = 4") + PLAN
    found = lab.post("pilot", text).json()
    assert found["levels"] == ["experiments=1", "experiments=6"]
    assert found["difference"]["high"] < 0  # six experiments teach more than one
    assert found["people"] == 100
    assert (found["planned"], found["finishers_a_level"]) == (0.15, 2)
    assert any("0.15 needs" in line for line in found["lines"])
    # Independent of any formula: draw that many, test, and count how often it is found.
    rng, n, sd = np.random.default_rng(1), found["needed_a_level"], found["sd"]
    first, second = rng.normal(0, sd, (4000, n)), rng.normal(0.15, sd, (4000, n))
    share = (stats.ttest_ind(first, second, axis=1).pvalue < 0.05).mean()
    assert share == pytest.approx(0.8, abs=0.03)
    assert lab.http.get("/api/study").status_code == 404  # nothing was opened, nothing stored
    assert lab.post("pilot", text).json() == found


def test_a_preregistration_says_what_the_design_decides_and_asks_for_the_rest(
    lab, tmp_path, capsys
):
    text = WRITTEN + PLAN.replace("experiments", "names")
    said = lab.post("preregistration", text).json()["text"]
    found = lab.post("pilot", text).json()
    for part in (
        "names=letters; names=nonsense", "4 places in 4 conditions", "30 minutes",
        "fewer than 1 of 1 attention checks", "Bonus: 2 times the score",
        f"0.15 needs {found['needed_a_level']:,}", "With which hand do you write?",
        StudyConfig.from_text(text).sha256, "[",
    ):  # fmt: skip
        assert part in said, part
    (tmp_path / "paid.toml").write_text(text)
    out = tmp_path / "plan.md"
    words = ["lab", "preregister", str(tmp_path / "paid.toml"), "--out", str(out)]
    assert run(capsys, *words)[0] == 0
    assert out.read_text() == said
    assert run(capsys, *words)[0] == 2  # never over another one


def test_a_plan_names_a_factor_of_the_study(lab):
    for plan, field in (
        (PLAN, "plan.factor"),
        (PLAN.replace("experiments", "names").replace("0.15", "0"), "plan.difference"),
    ):
        assert lab.post("check", WRITTEN + plan).json()["field"] == field


def test_a_stranger_sets_up_a_study_pilots_it_has_it_taken_and_gets_the_data(tmp_path, visit):
    """On pages alone: nothing is typed but into them, nothing read but what they show or give."""
    with running(tmp_path / "lab") as address:
        page = visit(f"{address}/study")
        page.get_by_text("balanced after every 40 participants").wait_for()
        editor = page.get_by_label("An example, yours to change")
        text = editor.input_value()
        editor.fill(text.replace("tasks = 10", "tasks = 0"))
        page.get_by_text("tasks: got 0").wait_for()
        assert page.get_by_role("button", name="Open this study").is_disabled()
        second = text[text.index('[[factor]]\nname = "instruction"') : text.index("# Limits of")]
        text = text.replace(second, "").replace("tasks = 10", "tasks = 2")
        text = text.replace("max_participants = 200", "max_participants = 60")
        editor.fill(text)
        page.get_by_text("balanced after every 4 participants").wait_for()

        page.get_by_role("button", name="Pilot with scripted participants").click()
        power = page.get_by_text("is found 80 % of the time")
        power.wait_for(timeout=120_000)
        found = re.search(
            r"With (\d+) finishers at each level \(standard deviation of a score ([\d.]+)\), "
            r"a difference of ([\d.]+) is found",
            power.inner_text(),
        )
        n, sd, detectable = int(found[1]), float(found[2]), float(found[3])
        assert n == 30
        # Drawn, tested and counted: what the page promises is what happens.
        rng = np.random.default_rng(0)
        first, other = rng.normal(0, sd, (4000, n)), rng.normal(detectable, sd, (4000, n))
        share = (stats.ttest_ind(first, other, axis=1).pvalue < 0.05).mean()
        assert share == pytest.approx(0.8, abs=0.05)  # both are rounded on the page

        page.get_by_role("button", name="Open this study").click()
        link = page.get_by_label("Link for participants")
        link.wait_for()
        page.get_by_text("Nobody yet").wait_for()
        tried = visit(link.input_value())
        tried.get_by_role("button", name="I agree and take part").click()
        page.get_by_role("button", name="Delete participant 1").wait_for()
        page.get_by_label("Choose participant 1").check()
        page.get_by_role("button", name="Delete the chosen 1").click()
        page.get_by_role("button", name="Delete everything").click()
        page.get_by_text("Nobody yet").wait_for()

        codes = []
        for _ in range(2):
            person = visit(link.input_value())
            go_on(person, "You are done")
            codes.append(person.locator("#code").inner_text())
        for code in codes:
            page.get_by_role("cell", name=code).wait_for()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download all responses").click()
        archive = zipfile.ZipFile(download.value.path())

    def table(name):
        return list(csv.DictReader(io.TextIOWrapper(archive.open(f"causes-example/{name}.csv"))))

    people, tasks, steps = table("participants"), table("tasks"), table("steps")
    assert sorted(row["condition"] for row in people) == ["names=familiar", "names=letters"]
    assert [row["state"] for row in people] == ["finished"] * 2
    assert [row["tasks_finished"] for row in people] == ["2", "2"]
    for row in people:
        own = [task for task in tasks if task["participant"] == row["participant"]]
        assert sorted(task["position"] for task in own) == ["1", "2"]
        earned, best = (sum(float(t[c]) for t in own) for c in ("returns", "oracle_return"))
        assert float(row["score"]) == pytest.approx(earned / best, abs=1e-4)
        assert all(0 <= int(task["sure"]) <= 100 for task in own)
        assert row["statistics"] == "I would rather not say"
    # Five experiments and one choice that counts, in each of two tasks, of each of two people.
    phases = [row["phase"] for row in steps]
    assert (phases.count("explore"), phases.count("exploit")) == (20, 4)
    letters = {row["shown_variable"] for row in steps if row["condition"] == "names=letters"}
    assert letters <= {"A", "B", "C", "D", ""}


@pytest.mark.parametrize("kind", ["dag", "blicket", "rooms"])
def test_every_example_is_a_study_on_the_command_line_and_in_the_lab(kind, lab, tmp_path, capsys):
    file = tmp_path / "Sea Study.toml"
    assert run(capsys, "lab", "new-study", str(file), "--kind", kind)[0] == 0
    config = StudyConfig.load(file)
    assert (config.name, config.kind) == ("sea-study", kind)
    served = lab.http.get("/study/example.toml", params={"kind": kind}).text
    assert StudyConfig.from_text(served).kind == kind
    assert "lines" in lab.post("check", served).json()
    assert lab.http.get("/study/example.toml", params={"kind": "chess"}).status_code == 404


def test_a_stranger_starts_from_the_example_of_a_machine(tmp_path, visit):
    with running(tmp_path / "lab") as address:
        page = visit(f"{address}/study")
        page.get_by_text("balanced after every 40 participants").wait_for()
        page.get_by_label("Start from").select_option(
            label="a machine that lights up for some objects"
        )
        page.get_by_text("condition split=train: 14 choices a task").wait_for()
        editor = page.get_by_label("An example, yours to change")
        text = editor.input_value().replace("tasks = 6", "tasks = 1")
        editor.fill(text.replace("practice = 1", "practice = 0"))
        page.get_by_text("1 tasks").wait_for()
        page.get_by_role("button", name="Open this study").click()
        people = visit(page.get_by_label("Link for participants").input_value())
        go_on(people, "You are done")
        page.get_by_role("cell", name=people.locator("#code").inner_text()).wait_for()


def test_an_open_study_is_put_aside_for_another_example_and_is_there_again(tmp_path, visit):
    with running(tmp_path / "lab") as address:
        page = visit(f"{address}/study")
        mine = page.locator("#written").input_value().replace("causes-example", "mine")
        page.locator("#written").fill(mine)
        page.locator("#open:enabled").click()
        page.get_by_text("Change the study, or set up another").click()
        page.locator("#kind").select_option("blicket")
        expect(page.locator("#written")).to_have_value(re.compile("machines-ex"))
        page.locator("#open:enabled").wait_for()
        page.locator("#kind").select_option("")
        expect(page.locator("#written")).to_have_value(re.compile('"mine"'))
        assert page.locator("#written").input_value().strip() == mine.strip()
