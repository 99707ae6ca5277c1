"""Attention checks that act, a quiz on the instructions, questions before and between tasks."""

import csv
import io
import json
import re
import zipfile

import pytest

from command import run
from seedo.errors import UserError
from seedo.lab.study import StudyConfig
from test_lab_recruit import STUDY as RECRUITED
from test_lab_recruit import Recruited, prolific

QUIZ = """
[comprehension]
tries = 2
end = true

[[comprehension.question]]
text = "What does setting a quantity do?"
options = ["It cuts it off from its causes.", "Nothing."]
right = "It cuts it off from its causes."
"""
CONFIDENCE = """
[[question]]
id = "sure"
text = "How sure are you?"
kind = "slider"
options = ["not at all", "completely"]
when = "task"

[[question]]
id = "age"
text = "How old are you?"
kind = "number"
optional = true
when = "before"
"""
RIGHT, WRONG = "It cuts it off from its causes.", "Nothing."


def study(folder, extra="", **changes):
    """The recruited study with more in its file."""
    text = RECRUITED
    for old, new in changes.items():
        assert f"{old} = " in text
        text = re.sub(rf"^{old} = .*$", new, text, flags=re.MULTILINE)
    return Recruited(folder, change=(RECRUITED, text + extra))


def joined(made, number=1):
    browser = made.browser(prolific(number), f"198.51.100.{number}")
    assert browser.join().status_code == 200
    return browser


# -- attention -----------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["note", "warn", "end"])
def test_a_check_that_is_not_passed_is_noted_warned_of_or_the_end(tmp_path, action):
    made = study(tmp_path, checks=f'checks = 2\npass = 1\naction = "{action}"', tasks="tasks = 2")
    browser = joined(made)
    answers = []
    view = browser.go_on(until="check")
    while view["screen"] not in ("end", "screened"):
        if view["screen"] == "check":
            asked = re.search(r"variable (\S+) to its (low|high)", view["asked"])
            target = view["names"].index(asked[1])
            value = view["values"][target][0 if asked[2] == "high" else -1]
            body = {"item": view["item"], "target": target, "value": value}
            answers.append(browser.post("check", body).json())
            assert browser.post("check", body).status_code in (200, 409)
            view = browser.view()
        else:
            view = browser.next(view)
    warned = [answer.get("warned", False) for answer in answers]
    person = made.store.participants()[0]
    if action == "end":
        assert (view["screen"], view["code"], warned) == ("screened", "BAD22", [True, False])
        assert view["back"].endswith("cc=BAD22")
        assert person.state == "screened"
        assert browser.post("answers", {"answers": {"hand": "left"}}).status_code == 409
    else:
        assert (view["screen"], view["code"]) == ("end", "BAD22")
        assert warned == [action == "warn"] * 2
    assert person.attention_passed == 0


@pytest.mark.parametrize("action", ["note", "warn"])
def test_who_fails_but_is_let_finish_keeps_the_place(tmp_path, action):
    """They are finishers like any others: the study is full with them, and they are in the data."""
    made = study(
        tmp_path, checks=f'checks = 1\naction = "{action}"', max_participants="max_participants = 1"
    )
    browser = joined(made)
    assert made.browser(prolific(2), "198.51.100.2").view()["screen"] == "full"
    view = browser.go_on(attentive=False)
    assert (view["screen"], view["code"]) == ("end", "BAD22")
    (person,) = made.store.participants()
    assert (person.state, person.attention_passed) == ("finished", 0)
    late = made.browser(prolific(2), "198.51.100.2")
    assert late.view()["screen"] == "full"
    assert late.join().status_code == 409


def test_the_place_of_who_is_sent_away_is_filled_again(tmp_path):
    made = study(
        tmp_path, checks='checks = 1\naction = "end"', max_participants="max_participants = 1"
    )
    assert joined(made, 1).go_on(attentive=False)["screen"] == "screened"
    assert joined(made, 2).go_on()["screen"] == "end"
    assert made.browser(prolific(3)).view()["screen"] == "full"


def test_a_check_in_words_of_the_story_names_what_the_next_task_names(tmp_path):
    made = study(tmp_path, checks='checks = 1\nwords = "story"')
    text = made.file.read_text().replace('"letters", "nonsense"', '"familiar", "contrary"')
    made.file.write_text(text)
    made.open()
    for number in (1, 2):
        browser = joined(made, number)
        check = browser.go_on(until="check")
        name, end = re.fullmatch(
            r"set variable (.+) to its (low|high) value", check["asked"]
        ).groups()
        target = check["names"].index(name)
        assert len(name) > 1
        value = check["values"][target][0 if end == "low" else -1]
        body = {"item": check["item"], "target": target, "value": value}
        task = browser.post("check", body).json()["view"]
        assert (task["names"], task["values"]) == (check["names"], check["values"])
        assert made.store.participants()[-1].attention_passed == 1


# -- comprehension -------------------------------------------------------------------------------


def answer_quiz(browser, answer):
    view = browser.view()
    if view["screen"] == "instructions":
        view = browser.post("ready").json()
    assert view["screen"] == "quiz"
    assert "right" not in str(view["questions"][0].keys())
    body = {"number": view["try"], "answers": {"quiz-1": answer}}
    said = browser.post("quiz", body).json()
    assert browser.post("quiz", body).json() == said  # the same try again is no other try
    return said["view"]


def test_who_is_wrong_reads_again_and_who_is_right_begins(tmp_path):
    made = study(tmp_path, QUIZ)
    browser = joined(made)
    assert browser.post("quiz", {"number": 1, "answers": {"quiz-1": RIGHT}}).status_code == 409
    view = answer_quiz(browser, WRONG)
    assert (view["screen"], view["again"]) == ("instructions", True)
    assert answer_quiz(browser, RIGHT)["screen"] == "check"
    assert browser.go_on()["screen"] == "end"
    assert browser.post("quiz", {"number": 3, "answers": {"quiz-1": RIGHT}}).status_code == 409
    rows = exported(made, "participants.csv")
    assert (rows[0]["quiz-1"], rows[0]["quiz-2"]) == ("wrong", "right")


@pytest.mark.parametrize("end", [True, False])
def test_who_is_wrong_at_the_last_try_is_sent_away_if_the_study_says_so(tmp_path, end):
    made = study(tmp_path, QUIZ.replace("end = true", f"end = {str(end).lower()}"))
    browser = joined(made)
    answer_quiz(browser, WRONG)
    view = answer_quiz(browser, WRONG)
    assert view["screen"] == ("screened" if end else "check")
    if end:
        assert view["code"] == "BAD22"
        assert browser.post("ready").json()["screen"] == "screened"


def test_an_answer_that_is_missing_is_no_try(tmp_path):
    made = study(tmp_path, QUIZ)
    browser = joined(made)
    browser.post("ready")
    for answers in ({}, {"quiz-1": "Perhaps."}, {"quiz-2": RIGHT}):
        assert browser.post("quiz", {"number": 1, "answers": answers}).status_code == 422
    assert browser.view()["try"] == 1


# -- questions -----------------------------------------------------------------------------------


def test_questions_come_before_after_each_task_and_at_the_end(tmp_path):
    made = study(tmp_path, CONFIDENCE, tasks="tasks = 2")
    browser = joined(made)
    browser.post("ready")
    view, screens, told = browser.view(), [], []
    while view["screen"] != "end":
        if view["screen"] == "ask":
            ids = [question["id"] for question in view["questions"]]
            answers = {"age": "31"} if ids == ["age"] else {"sure": str(40 + len(told))}
            told.append(answers)
            body = {"item": view["item"], "answers": answers}
            assert (
                browser.post("ask", {"item": view["item"] + 1, "answers": answers}).status_code
                == 409
            )
            view = browser.post("ask", body).json()["view"]
            assert browser.post("ask", body).status_code == 200
            other = {name: "7" for name in answers}
            assert browser.post("ask", {**body, "answers": other}).status_code == 409
            screens.append("ask")
        else:
            screens.append(view["screen"])
            view = browser.next(view)
    assert screens == ["ask", "check", "task", "task", "ask", "task", "task", "ask", "questions"]
    person = made.store.participants()[0]
    kept = made.store.answers(person.id)
    assert [kept[f"sure@{task}"] for task in person.task_order] == ["41", "42"]
    assert (kept["age"], kept["hand"]) == ("31", "left")
    assert exported(made, "participants.csv")[0]["age"] == "31"
    sure = {row["task"]: row["sure"] for row in exported(made, "tasks.csv")}
    assert sure == {str(person.task_order[0]): "41", str(person.task_order[1]): "42"}


@pytest.mark.parametrize("answer", ["", "101", "-1", "50.5", "high", "5٠"])
def test_a_slider_has_a_whole_number_from_0_to_100(tmp_path, answer):
    config = StudyConfig.load(study(tmp_path, CONFIDENCE).file)
    (question,) = config.asked("task")
    assert question.read("100") == "100"
    with pytest.raises(UserError, match="sure"):
        question.read(answer)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('options = ["not at all", "completely"]', "", "question sure: options"),
        ('when = "task"', 'when = "later"', "question sure: when: got 'later'"),
        ("tries = 2", "tries = 0", "comprehension.tries: got 0"),
        ('right = "It cuts', 'right = "It cures', "comprehension.question 1: right"),
        ("end = true", "end = 1", "comprehension.end: got 1"),
        ("checks = 1", 'checks = 1\naction = "shout"', "attention.action: got 'shout'"),
        ("checks = 1", 'checks = 1\nwords = "song"', "attention.words: got 'song'"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(tmp_path, old, new, said):
    text = (RECRUITED + QUIZ + CONFIDENCE).format(places=4, platform="open")
    assert old in text
    (tmp_path / "x.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=re.escape(said)):
        StudyConfig.load(tmp_path / "x.toml")


def test_all_of_it_survives_json_and_what_is_not_used_changes_no_older_study(tmp_path):
    made = study(tmp_path, QUIZ + CONFIDENCE, checks='checks = 1\naction = "end"')
    config = StudyConfig.load(made.file)
    again = StudyConfig.from_json(config.to_json())
    assert (again, again.sha256) == (config, config.sha256)
    plain = RECRUITED[: RECRUITED.index("[recruit]")].format(places=8, platform="")
    (tmp_path / "plain.toml").write_text(plain)
    older = StudyConfig.load(tmp_path / "plain.toml").to_json()
    assert not {"recruit", "comprehension"} & set(older)
    assert set(older["attention"]) == {"checks", "pass"}
    assert set(older["question"][0]) == {"id", "text", "kind", "optional", "options"}


def test_time_on_pages_and_away_from_them_is_exported(tmp_path):
    made = study(tmp_path, QUIZ + CONFIDENCE)
    browser = joined(made)
    time = {"milliseconds": 9000, "away": 2500}
    browser.post("ready", {"spent": time})
    quiz = {"number": 1, "answers": {"quiz-1": RIGHT}, "spent": {**time, "milliseconds": 5000}}
    view = browser.post("quiz", quiz).json()["view"]
    browser.post("quiz", {**quiz, "spent": {"milliseconds": 1, "away": 0}})  # sent again
    browser.post("ask", {"item": view["item"], "answers": {}, "spent": time})
    view = browser.go_on(until="task")
    step = {"item": view["item"], "step": 0, "target": 0, "value": view["values"][0][0]}
    browser.post("step", {**step, "milliseconds": 800, "spent": {"milliseconds": 800, "away": 3}})
    rows = {row["page"]: row for row in exported(made, "pages.csv")}
    assert list(rows) == ["before", "instructions-1", "quiz-1", "task-0-step-0"]
    assert rows["quiz-1"]["milliseconds"] == "5000"
    assert rows["instructions-1"]["away_milliseconds"] == "2500"
    assert rows["task-0-step-0"]["away_milliseconds"] == "3"
    for spent in ({"milliseconds": -1, "away": 0}, {"milliseconds": 1}):
        assert browser.post("ready", {"spent": spent}).status_code == 422


def test_psych_ds_has_its_names_and_a_dictionary_of_every_column(tmp_path, capsys):
    made = study(tmp_path, QUIZ + CONFIDENCE.replace('id = "age"', 'id = "score"'))
    browser = joined(made)
    browser.post("ready", {"spent": {"milliseconds": 1, "away": 0}})
    browser.post("quiz", {"number": 1, "answers": {"quiz-1": RIGHT}})
    browser.post("ask", {"item": browser.view()["item"], "answers": {}})
    view = browser.go_on(until="ask")
    browser.post("ask", {"item": view["item"], "answers": {"sure": "12"}})
    browser.go_on()
    out = tmp_path / "out"
    words = ["lab", "export", str(made.file), "--data", str(tmp_path / "lab"), "--out", str(out)]
    assert run(capsys, *words, "--psych-ds")[0] == 0
    about = json.loads((out / "dataset_description.json").read_text())
    assert (about["@context"], about["@type"]) == ("https://schema.org", "Dataset")
    assert about["name"]
    assert about["description"]
    measured = {each["name"]: each["description"] for each in about["variableMeasured"]}
    seen, files = set(), list((out / "data").iterdir())
    assert len(files) == 4
    for path in files:  # the standard's rule for names
        assert re.fullmatch(r"([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data\.csv", path.name)
        with path.open(newline="") as file:
            seen |= set(next(csv.reader(file)))
    assert set(measured) == seen
    assert all(measured.values())
    assert "How sure are you?" in measured["sure"]
    assert "How old are you?" in measured["answer-score"]  # the table has a score of its own
    assert "returns" in measured["score"]


def exported(made, name):
    answer = made.researcher().get("/api/study/export")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    return list(csv.DictReader(io.TextIOWrapper(archive.open(f"paid/{name}"))))
