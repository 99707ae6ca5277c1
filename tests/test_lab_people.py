"""What people did in a study comes out as episodes, whole, and nothing else comes out."""

from __future__ import annotations

import csv
import functools
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from command import run
from seedo.cli import WorldOptions
from seedo.episodes import Dataset, write_batch
from seedo.errors import UserError
from seedo.evaluation import review
from seedo.experimenters import scripted
from seedo.lab import LabSettings, create_app
from seedo.lab.study import StudyConfig, StudyStore, export, kept, prepare
from seedo.play import episodes

TASKS = 2
STUDY = """
name = "tiny"
title = "A tiny study"
consent = "Do you agree?"
instructions = "Find out."
tasks = 2
practice = 1
seed = 5
systems = "{systems}"
order = "{order}"

[world]
n = 3
experiments = 2

[[factor]]
name = "names"
levels = ["letters", "contrary"]

[attention]
checks = 1

[[question]]
id = "how"
text = "How did it go?"

[[question]]
id = "age"
text = "How old are you?"
kind = "number"
"""


def study_file(folder: Path, systems: str = "shared", order: str = "fixed") -> Path:
    path = folder / "tiny.toml"
    path.write_text(STUDY.format(systems=systems, order=order))
    return path


class Participant:
    """A browser that takes part; it copies `action(task, step)` as far as told."""

    def __init__(self, app, config: StudyConfig) -> None:
        self.config = config
        self.http = TestClient(app, base_url="http://localhost")
        page = self.http.get("/take/tiny").text
        token = re.search(r'<meta name="csrf" content="([0-9a-f]+)">', page)
        assert token is not None
        self.http.headers["x-csrf-token"] = token[1]
        self.seen: dict[tuple[int, int], list] = {}
        self.view = self.post("consent", {"agree": True})

    def post(self, what: str, body=None):
        answer = self.http.post(f"/api/take/tiny/{what}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def take_part(self, person, action, until: int = TASKS, how: str = "=1+1") -> None:
        """Up to the end of task number `until` (in the order met), then the questions."""
        while self.view["screen"] != "end":
            view = self.view
            if view["screen"] == "instructions":
                self.view = self.post("ready")
            elif view["screen"] == "check":
                name, end = re.findall(r"variable (\S+) to its (low|high)", view["asked"])[0]
                target = view["names"].index(name)
                value = view["values"][target][0 if end == "low" else -1]
                body = {"item": view["item"], "target": target, "value": value}
                self.view = self.post("check", body)["view"]
            elif view["screen"] == "questions":
                self.view = self.post("answers", {"answers": {"how": how, "age": "-5"}})["view"]
            elif not view["practice"] and view["number"] > until:
                return
            else:
                self._choose(person, action, view)

    def _choose(self, person, action, view) -> None:
        met = -1 if view["practice"] else person().task_order[view["number"] - 1]
        target, value = (0 if view["goal"] != 0 else 1), self.config_values()[0]
        if met >= 0:
            target, value = action(met, view["step"])
        naming = prepare(self.config.scenario(person().condition, person().number, met)).naming
        body = {
            "item": view["item"],
            "step": view["step"],
            "target": target,
            "value": naming.shown_value(target, value),
            "milliseconds": 100 + view["step"],
        }
        self.view = self.post("step", body)["view"]
        if self.view.get("item") == view["item"]:
            self.seen[met, view["step"]] = self.view["rows"][-1]["outcome"]

    def config_values(self):
        return self.config.scenario("names=letters", 1, 0).config.do_values


class Study:
    """A study with its participants; person k copies what `copied` did on the same system."""

    def __init__(self, folder: Path, database: str | None = None, **options: str) -> None:
        self.folder = folder
        self.file = study_file(folder, **options)
        self.config = StudyConfig.load(self.file)
        self.settings = LabSettings(
            data=folder / "lab", study=self.file, warm=False, logs=(folder,), database=database
        )
        self.app = create_app(self.settings)
        self.store, _ = kept(self.file, folder / "lab", database)
        self.browsers: list[Participant] = []

    def add(self, copied, until: int = TASKS) -> Participant:
        browser = Participant(self.app, self.config)
        known = {person.number for person in self.store.participants()[:-1]}
        (number,) = {p.number for p in self.store.participants()} - known

        def person():
            return next(p for p in self.store.participants() if p.number == number)

        first = (number - 1) * TASKS if self.config.systems == "own" else 0

        def action(task, step):
            row = first + task
            target = int(copied.target[row, step])
            return target, 0.0 if target < 0 else float(copied.value[row, step])

        browser.take_part(person, action, until)
        self.browsers.append(browser)
        return browser


@functools.cache
def _logged(seed: int, world):
    agent = scripted("largest-effect")
    return episodes(world, agent, seed, "perform", 0, 2 * TASKS, systems=True)


def agent(config: StudyConfig, count: int = TASKS):
    """The log of an agent on the systems of the study."""
    world = config.scenario("names=letters", 1, 0).stage()
    return _logged(config.seed, world).take(slice(0, count))


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Four participants who copy an agent; a fifth who stops after one task."""
    study = Study(tmp_path_factory.mktemp("study"))
    copied = agent(study.config)
    for until in (TASKS, TASKS, TASKS, TASKS, 1):
        study.add(copied, until)
    study.copied = copied
    out = study.folder / "export"
    study.runs = export(study.store, study.config, out)
    study.out = out
    return study


@pytest.mark.slow
def test_who_copies_an_agent_leaves_the_agents_episodes(filled):
    assert sorted(path.name for path in filled.runs) == ["names-contrary", "names-letters"]
    for path in filled.runs:
        batch = Dataset(path).read()
        theirs = filled.copied.take(batch.episode_id)
        for name in ("phase", "target", "goal", "mask", "episode_id"):
            assert (getattr(batch, name) == getattr(theirs, name)).all(), name
        for name in ("value", "outcome", "returns", "oracle_return", "random_return"):
            np.testing.assert_allclose(getattr(batch, name), getattr(theirs, name), atol=1e-5)
        assert [json.loads(s)["weights"] for s in batch.system] == [
            json.loads(s)["weights"] for s in theirs.system
        ]
        assert batch.origin.world_config == theirs.origin.world_config


@pytest.mark.slow
def test_people_and_the_agent_they_copy_are_equals_in_a_review(filled, tmp_path):
    write_batch(tmp_path / "agent", filled.copied)
    (group,) = review([*filled.runs, tmp_path / "agent"]).groups
    assert len(group.runs) == 3
    assert [pair.difference.value for pair in group.beside] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert {pair.systems for pair in group.beside} == {TASKS}
    assert sum(run.participants or 0 for run in group.runs) == 5


def test_participants_saw_what_the_log_says(filled):
    batches = {path.name: Dataset(path).read() for path in filled.runs}
    people = {p.number: p for p in filled.store.participants()}
    compared = 0
    for number, browser in enumerate(filled.browsers, 1):
        person = people[number]
        batch = batches[person.condition.replace("=", "-")]
        for (task, step), shown in browser.seen.items():
            if task < 0:
                continue
            row = next(
                i
                for i, name in enumerate(batch.participant)
                if name == f"p{number:03d}" and batch.episode_id[i] == task
            )
            signs = np.array(
                prepare(filled.config.scenario(person.condition, number, task)).naming.signs
            )
            np.testing.assert_allclose(batch.outcome[row, step] * signs, shown, atol=1e-4)
            compared += 1
    assert compared == 9 * 2  # the outcome of a last choice is on another page


def test_only_finished_tasks_become_episodes(filled):
    logged = [name for path in filled.runs for name in Dataset(path).read().participant]
    assert sorted(logged) == ["p001"] * 2 + ["p002"] * 2 + ["p003"] * 2 + ["p004"] * 2 + ["p005"]
    job = Dataset(filled.runs[0]).job
    assert all(order == [0, 1] for order in job["task_order"].values())
    assert job["stream"] == "perform"
    assert Dataset(filled.runs[0]).origin.experimenter.startswith("person")
    assert Dataset(filled.runs[0]).origin.created is not None


def test_tables_have_a_line_a_participant_task_and_response(filled):
    people = rows_of(filled.out / "participants.csv")
    assert [row["participant"] for row in people] == [f"p{i:03d}" for i in range(1, 6)]
    assert [row["state"] for row in people] == ["finished"] * 4 + ["tasks"]
    assert people[0]["attention_passed"] == "1"
    assert people[0]["attention-1"] == "right"
    assert people[0]["how"] == "'=1+1"  # no spreadsheet takes it for a formula
    assert people[0]["age"] == "-5"
    assert [row["tasks_finished"] for row in people] == ["2", "2", "2", "2", "1"]
    assert float(people[0]["minutes"]) >= 0
    assert people[4]["minutes"] == ""
    tasks = rows_of(filled.out / "tasks.csv")
    assert len(tasks) == 9
    assert {float(row["seconds"]) for row in tasks} == {0.1 + 0.101 + 0.102}
    steps = rows_of(filled.out / "steps.csv")
    assert len(steps) == 27
    assert {row["milliseconds"] for row in steps} == {"100", "101", "102"}
    assert [row["phase"] for row in steps[:3]] == ["explore", "explore", "exploit"]
    mean = {row["participant"]: 0.0 for row in tasks}
    for row in tasks:
        mean[row["participant"]] += float(row["returns"]) / 2
    assert mean["p001"] == pytest.approx(filled.copied.returns.mean(), abs=1e-5)


def test_nothing_exported_leads_to_a_browser(filled):
    secrets = {value for p in filled.store.participants() for value in (
        p.visitor_hash, p.resume_hash, p.end_code)}  # fmt: skip
    secrets |= {browser.http.cookies["seedo_visitor"] for browser in filled.browsers}
    for path in filled.out.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [s for s in secrets if s.encode() in data], path


def test_the_same_responses_export_to_the_same_bytes(filled, tmp_path):
    export(filled.store, filled.config, tmp_path / "again")
    for path in filled.out.rglob("*"):
        if path.is_file():
            twin = tmp_path / "again" / path.relative_to(filled.out)
            assert twin.read_bytes() == path.read_bytes(), path


def test_practice_is_exported_apart_and_only_if_asked_for(filled, tmp_path):
    runs = export(filled.store, filled.config, tmp_path / "all", practice=True)
    names = {path.name for path in runs}
    assert {"names-letters-practice", "names-contrary-practice"} <= names
    practised = [n for path in runs if "practice" in path.name for n in Dataset(path).read().
                 participant]  # fmt: skip
    assert sorted(practised) == [f"p{i:03d}" for i in range(1, 6)]
    assert not any(row["task"].startswith("-") for row in rows_of(filled.out / "steps.csv"))


def test_an_export_never_overwrites(filled):
    with pytest.raises(UserError, match="already there"):
        export(filled.store, filled.config, filled.out)


def test_an_export_that_fails_leaves_nothing(filled, tmp_path, monkeypatch):
    from seedo.lab.study import _export

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_export, "write_atomic", full)
    with pytest.raises(UserError, match="disk is full"):
        export(filled.store, filled.config, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_study_that_nobody_took_part_in_has_nothing_to_export(tmp_path):
    empty = Study(tmp_path)
    with pytest.raises(UserError, match="nobody"):
        export(empty.store, empty.config, tmp_path / "out")


def test_participants_with_systems_of_their_own_meet_those_of_a_longer_run(tmp_path):
    study = Study(tmp_path, systems="own", order="random")
    copied = agent(study.config, 2 * TASKS)
    study.add(copied)
    study.add(copied)
    for path in export(study.store, study.config, tmp_path / "out"):
        batch = Dataset(path).read()
        first = {f"p{p.number:03d}": (p.number - 1) * TASKS for p in study.store.participants()}
        for name, index in zip(batch.participant, batch.episode_id, strict=True):
            assert first[name] <= index < first[name] + TASKS
        theirs = copied.take(batch.episode_id)
        np.testing.assert_allclose(batch.returns, theirs.returns, atol=1e-5)


# -- the researcher's page -----------------------------------------------------------------------


def test_the_researcher_downloads_what_export_writes(filled):
    browser = TestClient(filled.app, base_url="http://localhost")
    answer = browser.get("/api/study/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="tiny.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        for path in filled.out.rglob("*"):
            if path.is_file():
                name = f"tiny/{path.relative_to(filled.out)}"
                assert archive.read(name) == path.read_bytes()


def test_participants_cannot_download(tmp_path):
    settings = LabSettings(
        data=tmp_path / "lab", study=study_file(tmp_path), warm=False, token="t" * 20
    )
    browser = TestClient(create_app(settings), base_url="http://localhost")
    assert browser.get("/take/tiny").status_code == 200
    assert browser.get("/api/study/export").status_code == 401


def test_without_a_study_or_participants_there_is_nothing_to_download(tmp_path):
    bare = TestClient(
        create_app(LabSettings(data=tmp_path / "bare", warm=False)), base_url="http://localhost"
    )
    assert bare.get("/api/study/export").status_code == 404
    empty = TestClient(Study(tmp_path).app, base_url="http://localhost")
    assert empty.get("/api/study/export").status_code == 422


# -- the command line ----------------------------------------------------------------------------


def test_a_new_study_can_be_checked_and_is_not_overwritten(tmp_path, capsys):
    path = tmp_path / "my study.toml"
    assert run(capsys, "lab", "new-study", str(path))[0] == 0
    assert StudyConfig.load(path).name == "my-study"
    code, _, err = run(capsys, "lab", "new-study", str(path))
    assert (code, "already there" in err, err.count("\n")) == (2, True, 1)


def test_check_study_tells_how_agents_meet_the_same_systems(tmp_path, capsys):
    code, out, _ = run(capsys, "lab", "check-study", str(study_file(tmp_path)), "--json")
    assert code == 0
    found = json.loads(out)
    assert found["conditions"] == {"names=letters": 3, "names=contrary": 3}
    (line,) = found["agents"]
    words = line.split()
    assert words[:3] == ["seedo", "perform", "scripted:largest-effect"]
    given = list(zip(words[3::2], words[4::2], strict=True))
    plain = dict(given)
    settings = [value for option, value in given if option == "--set"]
    asked = WorldOptions("dag", plain["--preset"], plain["--split"], int(plain["--n"]), settings)
    world = asked.make()
    config = StudyConfig.load(tmp_path / "tiny.toml")
    assert world.config() == config.scenario("names=contrary", 1, 0).stage().config()
    assert (plain["--episodes"], plain["--seed"]) == (str(TASKS), str(config.seed))


@pytest.mark.parametrize(("line", "field"), [("tasks = 0", "tasks"), ("tusks = 2", "tusks")])
def test_check_study_names_what_is_wrong(tmp_path, capsys, line, field):
    path = study_file(tmp_path)
    path.write_text(path.read_text().replace("tasks = 2", line))
    code, _, err = run(capsys, "lab", "check-study", str(path))
    assert (code, field in err, err.count("\n")) == (2, True, 1)


def test_participants_are_listed_exported_and_deleted_from_the_command_line(tmp_path, capsys):
    study = Study(tmp_path)
    copied = agent(study.config)
    for _ in range(3):
        study.add(copied)
    where = [str(study.file), "--data", str(tmp_path / "lab")]

    code, out, _ = run(capsys, "lab", "participants", *where, "--json")
    listed = json.loads(out)["participants"]
    assert (code, [row["number"] for row in listed]) == (0, [1, 2, 3])
    assert listed[0]["end_code"]
    assert run(capsys, "lab", "participants", *where)[0] == 0

    out_folder = str(tmp_path / "out")
    code, out, _ = run(capsys, "lab", "export", *where, "--out", out_folder, "--json")
    assert code == 0
    assert sum(json.loads(out)["runs"].values()) == 3 * TASKS
    code, _, err = run(capsys, "lab", "export", *where, "--out", out_folder)
    assert (code, "already there" in err, err.count("\n")) == (2, True, 1)

    assert run(capsys, "lab", "delete", *where, "--participant", "2")[0] == 2  # not without --yes
    assert run(capsys, "lab", "delete", *where, "--participant", "9", "--yes")[0] == 2
    assert run(capsys, "lab", "delete", *where, "--yes")[0] == 2
    code, out, _ = run(capsys, "lab", "delete", *where, "--participant", "2", "--yes", "--json")
    assert (code, json.loads(out)) == (0, {"deleted": [2]})
    assert [p.number for p in study.store.participants()] == [1, 3]
    assert run(capsys, "lab", "delete", *where, "--all", "--yes")[0] == 0
    assert study.store.participants() == []


def test_commands_on_responses_that_are_not_there_are_one_line(tmp_path, capsys):
    path = study_file(tmp_path)
    for command in ("participants", "export"):
        extra = ["--out", str(tmp_path / "out")] if command == "export" else []
        where = [str(path), "--data", str(tmp_path / "nowhere")]
        code, _, err = run(capsys, "lab", command, *where, *extra)
        assert (code, err.count("\n"), "--data" in err) == (2, 1, True)
    assert not (tmp_path / "nowhere").exists()


# -- load ----------------------------------------------------------------------------------------

LOAD = Path(__file__).parents[1] / "benchmarks" / "lab_load.py"


def under_load(*options: str) -> dict:
    words = [sys.executable, str(LOAD), "--json", *options]
    done = subprocess.run(words, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_no_response_of_many_participants_at_once_is_lost():
    found = under_load("--people", "12", "--tasks", "2", "--systems", "own")
    assert found["finished"] == found["answers"] == found["participants"] == 12
    assert found["acknowledged"] == found["stored"] == 12 * 3 * 6
    assert (found["lost"], found["altered"], found["unasked"], found["wrong"]) == (0, 0, 0, [])


@pytest.mark.slow
def test_a_lab_that_is_killed_has_every_response_and_participants_go_on():
    options = ["--people", "8", "--tasks", "2", "--think", "0.1", "0.3", "--kills", "2"]
    found = under_load(*options)
    assert found["times_loaded_again"] > 0
    assert found["finished"] == found["answers"] == found["participants"] == 8
    assert found["stored"] == 8 * 3 * 6
    assert (found["lost"], found["altered"], found["unasked"], found["wrong"]) == (0, 0, 0, [])


def test_a_study_on_postgresql_is_as_one_on_sqlite(postgres, filled, tmp_path):
    study = Study(tmp_path, database=postgres)
    for until in (TASKS, TASKS, TASKS, TASKS, 1):
        study.add(filled.copied, until)
    runs = export(study.store, study.config, tmp_path / "out")
    for path in runs:
        ours, theirs = Dataset(path).read(), Dataset(filled.out / "runs" / path.name).read()
        assert (ours.outcome == theirs.outcome).all()
        assert ours.participant == theirs.participant
    assert [p.name for p in runs] == [p.name for p in filled.runs]
    (first, *_) = study.store.participants()
    assert study.store.delete(first.id)
    assert study.store.steps(first.id) == []
    assert isinstance(study.store, StudyStore)


@pytest.mark.slow
def test_no_response_is_lost_on_postgresql(postgres):
    options = ["--people", "8", "--tasks", "2", "--think", "0.1", "0.3", "--kills", "1"]
    found = under_load(*options, "--database", postgres)
    assert found["finished"] == found["participants"] == 8
    assert (found["lost"], found["altered"], found["unasked"], found["wrong"]) == (0, 0, 0, [])
