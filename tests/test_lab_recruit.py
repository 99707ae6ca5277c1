"""Studies that are recruited for: whose place is whose, what is paid, and what nobody may find."""

import csv
import io
import re
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from seedo.errors import UserError
from seedo.lab import LabSettings, create_app
from seedo.lab.study import Session, StudyConfig

STUDY = """
name = "paid"
title = "A paid study"
consent = "Do you agree?"
instructions = "Find out."
tasks = 1
practice = 0
seed = 3
max_participants = {places}

[world]
n = 3
experiments = 1

[[factor]]
name = "names"
levels = ["letters", "nonsense"]

[[factor]]
name = "noise_variance"
levels = [0.5, 1.0]

[attention]
checks = 1

[[question]]
id = "hand"
text = "With which hand do you write?"
kind = "choice"
options = ["left", "right"]

[recruit]
platform = "{platform}"
minutes = 30
passed = "GOOD1"
failed = "BAD22"
full = "FULL3"
bonus = 2.0
"""


def pid(number):
    """A participant's id as Prolific writes them."""
    return f"{0x5F00000000000000000000AA + 977 * number:024x}"


def prolific(number, session=None):
    return {
        "PROLIFIC_PID": pid(number),
        "STUDY_ID": "64b0c0ffee0000000000beef",
        "SESSION_ID": session or f"{0x64C0 + number:024x}",
    }


class Recruited:
    """A study that recruits, whose clock the test moves."""

    def __init__(self, folder, places=8, platform="prolific", change=("", ""), **settings):
        self.folder, self.file = folder, folder / "paid.toml"
        text = STUDY.format(places=places, platform=platform)
        assert change[0] in text
        self.file.write_text(text.replace(*change) if change[0] else text)
        self.settings = LabSettings(
            data=folder / "lab", study=self.file, warm=False, logs=(folder,), **settings
        )
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.open()

    def open(self):
        self.app = create_app(self.settings)
        self.session = self.app.state.lab.services[Session]
        self.session.joining.clock = lambda: self.now
        self.store = self.session.store

    def wait(self, minutes):
        self.now += timedelta(minutes=minutes)

    def browser(self, link=None, address="198.51.100.1"):
        return Browser(self.app, link or {}, address)

    def researcher(self):
        client = TestClient(self.app, base_url="http://localhost")
        page = client.get("/study").text
        client.headers["x-csrf-token"] = re.search(r'name="csrf" content="([0-9a-f]+)"', page)[1]
        return client

    def files(self):
        """Everything that the lab has written, by name."""
        return {p.name: p.read_bytes() for p in (self.folder / "lab").rglob("*") if p.is_file()}


class Browser:
    """What comes through a link, without a browser."""

    def __init__(self, app, link, address):
        self.http = TestClient(app, base_url="http://localhost", client=(address, 4000))
        page = self.http.get("/take/paid", params=link)
        self.page, self.link = page.text, link
        csrf = re.search(r'name="csrf" content="([0-9a-f]+)"', self.page)
        self.http.headers["x-csrf-token"] = csrf[1]

    def view(self):
        return self.http.get("/api/take/paid").json()

    def post(self, what, body=None):
        return self.http.post(f"/api/take/paid/{what}", json=body)

    def join(self):
        return self.post("consent", {"agree": True, "link": self.link})

    def go_on(self, attentive=True, until="end"):
        """From wherever one is to a screen; the screen."""
        view = self.view()
        while view["screen"] not in (until, "end", "late", "full", "consent", "screened"):
            view = self.next(view, attentive)
        return view

    def next(self, view, attentive=True):
        """The screen after this one."""
        if view["screen"] == "instructions":
            return self.post("ready").json()
        if view["screen"] == "check":
            name, end = re.findall(r"variable (\S+) to its (low|high)", view["asked"])[0]
            target = view["names"].index(name)
            value = view["values"][target][0 if (end == "low") == attentive else -1]
            answer = self.post("check", {"item": view["item"], "target": target, "value": value})
        elif view["screen"] == "questions":
            answer = self.post("answers", {"answers": {"hand": "left"}})
        else:
            target = 0 if view["goal"] != 0 else 1
            value = view["values"][target][-1]
            body = {"item": view["item"], "step": view["step"], "target": target, "value": value}
            answer = self.post("step", body | {"milliseconds": 700})
        assert answer.status_code in (200, 409), answer.text
        return answer.json()["view"] if answer.status_code == 200 else self.view()


# -- places --------------------------------------------------------------------------------------


def recruit(study, finishers, starters, stay=lambda number: number % 13 not in (3, 7, 11)):
    """Scripted people come in waves; some leave. Ends when nobody else can join."""
    leavers, ends = [], Counter()
    number = 0
    while number < starters:
        number += 1
        browser = study.browser(prolific(number), f"198.51.{number // 250}.{number % 250}")
        if browser.view()["screen"] == "full":
            study.wait(31)  # the platform sends people as places return
            number -= 1
            if ends["end"] == finishers:
                break
            continue
        assert browser.join().status_code == 200
        if stay(number):
            ends[browser.go_on()["screen"]] += 1
        else:
            browser.go_on(until=("instructions", "task", "questions")[number % 3])
            leavers.append(browser)
        study.wait(0.5)
    return leavers, ends, number


def check_full(study, finishers):
    people = study.store.participants()
    finished = [p for p in people if p.state == "finished"]
    assert len(finished) == finishers
    cells = Counter(p.condition for p in finished)
    assert len(cells) == 4
    assert max(cells.values()) - min(cells.values()) <= 1


def test_places_are_for_finishers_and_those_of_who_leaves_are_filled_again(tmp_path):
    study = Recruited(tmp_path, places=10)
    leavers, ends, starters = recruit(study, 10, 20)
    assert leavers
    assert (ends, starters) == ({"end": 10}, 10 + len(leavers))
    check_full(study, 10)
    # Who comes back to a place that is another's is told so, and cannot make the study fuller.
    for browser in leavers:
        view = browser.view()
        assert (view["screen"], view["code"]) == ("late", "FULL3")
        assert view["back"] == "https://app.prolific.com/submissions/complete?cc=FULL3"
        assert browser.go_on()["screen"] == "late"
        assert browser.post("ready").status_code == 409
    check_full(study, 10)
    late = study.browser(prolific(99))
    assert late.view() == {
        "screen": "full",
        "code": "FULL3",
        "back": "https://app.prolific.com/submissions/complete?cc=FULL3",
    }
    assert late.join().status_code == 409
    assert pid(99).encode() not in b"".join(study.files().values())


@pytest.mark.slow
def test_200_finish_of_260_who_start(tmp_path):
    study = Recruited(tmp_path, places=200)
    leavers, ends, starters = recruit(study, 200, 400)
    assert (ends["end"], starters) == (200, 200 + len(leavers))
    assert starters >= 255
    check_full(study, 200)


def test_who_is_slow_but_there_keeps_the_place_and_who_returns_in_time_gets_it_back(tmp_path):
    study = Recruited(tmp_path, places=1)
    slow = study.browser(prolific(1))
    slow.join()
    view = slow.view()
    for _ in range(3):
        study.wait(29)
        assert study.browser(prolific(2)).view()["screen"] == "full"
        view = slow.next(view)
    study.wait(31)  # away, but nobody else has come
    assert study.browser(prolific(2)).view()["screen"] == "consent"
    assert slow.next(view)["screen"] != "late"
    assert study.browser(prolific(2)).view()["screen"] == "full"
    assert slow.go_on()["screen"] == "end"


def test_places_never_time_out_in_a_study_that_does_not_recruit(tmp_path):
    study = Recruited(tmp_path, places=1, change=(STUDY[STUDY.index("[recruit]") :], ""), )
    study = study


def test_a_flood_of_one_visitor_takes_at_most_three_places(tmp_path):
    study = Recruited(tmp_path, places=50, platform="open")
    answers = [study.browser(address="203.0.113.9").join().status_code for _ in range(400)]
    assert Counter(answers) == {200: 3, 409: 397}
    assert study.browser(address="203.0.113.10").join().status_code == 200
    assert len(study.store.participants()) == 4
    # Nor do invented ids, or addresses of one network, help.
    other = Recruited(tmp_path / "b", places=50) if (tmp_path / "b").mkdir() is None else None
    answers = [other.browser(prolific(i), f"2001:db8::{i:x}").join().status_code for i in range(40)]
    assert Counter(answers) == {200: 3, 409: 37}
