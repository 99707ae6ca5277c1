"""Studies that are recruited for: whose place is whose, what is paid, and what nobody may find."""

import contextlib
import csv
import io
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.testclient import TestClient

from command import run
from seedo.errors import UserError
from seedo.lab import LabSettings, create_app
from seedo.lab.study import Session, StudyConfig, kept, kept_pay

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
        text = STUDY.replace(*change) if change[0] else STUDY
        assert change[0] in STUDY
        self.file.write_text(text.format(places=places, platform=platform))
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

    def browser(self, link=None, address="198.51.100.1", headers=None):
        return Browser(self.app, link or {}, address, headers)

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

    def __init__(self, app, link, address, headers=None):
        self.http = TestClient(
            app, base_url="http://localhost", client=(address, 4000), headers=headers
        )
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
    study = Recruited(tmp_path, places=1, change=(STUDY[STUDY.index("[recruit]") :], ""))
    first = study.browser()
    first.join()
    study.wait(60 * 24 * 30)
    assert study.browser(address="198.51.100.2").view() == {"screen": "full"}
    assert first.go_on()["screen"] == "end"


def test_a_flood_of_one_visitor_takes_at_most_three_places(tmp_path):
    study = Recruited(tmp_path, places=50, platform="open")
    answers = [study.browser(address="203.0.113.9").join().status_code for _ in range(400)]
    assert Counter(answers) == {200: 3, 409: 397}
    assert study.browser(address="203.0.113.10").join().status_code == 200
    assert len(study.store.participants()) == 4
    # Nor do invented ids, or addresses of one network, help.
    (tmp_path / "other").mkdir()
    other = Recruited(tmp_path / "other", places=50)
    answers = [other.browser(prolific(i), f"2001:db8::{i:x}").join().status_code for i in range(40)]
    assert Counter(answers) == {200: 3, 409: 37}


def test_a_proxy_that_does_not_say_who_visits_is_no_visitor(tmp_path):
    study = Recruited(tmp_path, platform="open", public="https://lab.example", token="t" * 16)
    joined = [study.browser(address="127.0.0.1").join().status_code for _ in range(5)]
    assert joined == [200] * 5


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_places_hold_however_many_ask_at_once(tmp_path, request, database):
    own = {"database": request.getfixturevalue("postgres")} if database == "postgresql" else {}
    study = Recruited(tmp_path, places=6, **own)
    browsers = [study.browser(prolific(k), f"198.51.100.{k // 4}") for k in range(16)]
    with ThreadPoolExecutor(16) as pool:
        answers = [done.status_code for done in pool.map(Browser.join, browsers)]
    assert Counter(answers) == {200: 6, 409: 10}
    people = study.store.participants()
    assert len({person.number for person in people}) == 6
    cells = Counter(person.condition for person in people)
    assert max(cells.values()) - min(cells.values()) <= 1
    networks = Counter(person.network_hash for person in people)
    assert max(networks.values()) <= 3


BEHIND = {"platform": "open", "public": "https://lab.example", "token": "t" * 16}


def joined(study, peer, said, header="X-Forwarded-For"):
    """What those are answered who come from one machine, whose header says this of each."""
    answers = [study.browser(address=peer, headers={header: each}).join() for each in said]
    return [answer.status_code for answer in answers]


def test_behind_a_proxy_that_is_named_visitors_are_told_apart_by_its_header(tmp_path):
    study = Recruited(tmp_path, places=50, proxy=("10.0.0.0/8", "127.0.0.1"), **BEHIND)
    # What a visitor made up stands before what the proxies add; a port may follow.
    said = ["203.0.113.9", "8.8.8.8, 203.0.113.9", "1.1.1.1, 203.0.113.9:4711, 10.1.2.3"]
    assert joined(study, "10.0.0.7", said) == [200] * 3
    assert joined(study, "127.0.0.1", ["203.0.113.9", "9.9.9.9, 203.0.113.9"]) == [409] * 2
    assert (
        joined(study, "10.0.0.7", ["203.0.113.10", "2001:db8::1", "[2001:db8::2]:80"]) == [200] * 3
    )
    assert joined(study, "10.0.0.7", ["2001:db8::3", "2001:db8::4"]) == [200, 409]
    # Who cannot be read is nobody in particular.
    assert joined(study, "10.0.0.7", ["unknown"] * 5) == [200] * 5


def test_nobody_else_is_believed_and_that_is_said_once(tmp_path, caplog):
    study = Recruited(tmp_path, places=50, proxy=("10.0.0.1",), **BEHIND)
    made_up = [f"203.0.113.{k}" for k in range(9)]
    assert joined(study, "198.51.100.1", made_up) == [200] * 3 + [409] * 6
    said = [record.getMessage() for record in caplog.records if "--proxy" in record.getMessage()]
    assert len(said) == 1
    assert "198.51.100.1" not in said[0]
    (tmp_path / "other").mkdir()
    none = Recruited(tmp_path / "other", places=50, **BEHIND)  # no proxy is named
    assert joined(none, "198.51.100.1", made_up) == [200] * 3 + [409] * 6


def test_another_header_can_be_the_one_that_is_believed(tmp_path):
    study = Recruited(tmp_path, proxy=("10.0.0.1",), proxy_header="CF-Connecting-IP", places=50,
                      **BEHIND)  # fmt: skip
    assert joined(study, "10.0.0.1", ["203.0.113.9"] * 4, "cf-connecting-ip") == [200] * 3 + [409]
    assert joined(study, "10.0.0.1", ["203.0.113.9"] * 4) == [200] * 4


def test_cookies_are_for_encrypted_pages_alone_where_the_proxy_speaks_https(tmp_path):
    study = Recruited(tmp_path, **BEHIND)
    for base, secure in (("http://lab.example", True), ("http://localhost", False)):
        cookie = TestClient(study.app, base_url=base).get("/take/paid").headers["set-cookie"]
        assert cookie.endswith("; Secure") == secure


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--proxy", "lab.example"), "proxy: got 'lab.example'; use a proxy's address or network"),
        (("--proxy", "0.0.0.0/0"), "proxy: got '0.0.0.0/0'; everybody would be believed"),
        (("--proxy", "10.0.0.1/8"), "use 10.0.0.1 for one proxy, 10.0.0.0/8 for all in there"),
        (("--proxy-header", "X Real"), "proxy_header: got 'X Real'; use a name like X-Real-IP"),
        (("--proxy-header", "X-Real-IP"), "proxy_header: got 'X-Real-IP'; nobody's header is"),
    ],
)
def test_a_proxy_that_cannot_be_is_refused(tmp_path, capsys, words, line):
    code, _, err = run(capsys, "lab", "--data", str(tmp_path / "lab"), *words)
    assert (code, line in " ".join(err.split())) == (2, True)


# -- links ---------------------------------------------------------------------------------------


def test_a_person_has_one_place_and_goes_on_where_they_come_again_in_the_same_session(tmp_path):
    study = Recruited(tmp_path)
    first = study.browser(prolific(1))
    assert first.join().status_code == 200
    view = first.go_on(until="check")
    other_browser = study.browser(prolific(1))
    assert other_browser.join().json() == view
    assert first.view()["screen"] == "consent"
    other_session = study.browser(prolific(1, session="f" * 24))
    assert other_session.join().status_code == 409
    assert other_browser.post("consent", {"agree": True, "link": prolific(2)}).status_code == 409
    assert len(study.store.participants()) == 1


@pytest.mark.parametrize(
    ("platform", "link", "lets_in"),
    [
        ("prolific", prolific(1), True),
        ("prolific", {}, False),
        ("prolific", {"PROLIFIC_PID": "{{%PROLIFIC_PID%}}", "SESSION_ID": "a"}, False),
        ("prolific", {"PROLIFIC_PID": "a" * 101}, False),
        ("mturk", {"workerId": "A1", "assignmentId": "3X", "hitId": "H"}, True),
        ("mturk", {"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE", "hitId": "H"}, False),
        ("mturk", {"workerId": "A1", "assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE"}, False),
        ("sona", {"survey_code": "12345"}, True),
        ("sona", {"id": "12345"}, True),
        ("sona", {"PROLIFIC_PID": "12345"}, False),
        ("links", {"link": "7-000000000000000000000000"}, False),
        ("links", {"link": "x"}, False),
    ],
)
def test_who_comes_without_saying_who_they_are_is_told_before_consent(
    tmp_path, platform, link, lets_in
):
    study = Recruited(tmp_path, platform=platform)
    browser = study.browser(link)
    assert ("does not say who you are" in browser.page) != lets_in
    assert browser.join().status_code == (200 if lets_in else 403)
    assert len(study.store.participants()) == lets_in


def test_a_one_time_link_lets_one_person_in(tmp_path, capsys):
    study = Recruited(tmp_path, platform="links")
    out = tmp_path / "links.csv"
    code, _, _ = run(
        capsys, "lab", "links", str(study.file), "--out", str(out), "--number", "3",
        "--address", "https://lab.example/", "--data", str(tmp_path / "lab"),
    )  # fmt: skip
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["number"] for row in rows] == ["1", "2", "3"]
    page = study.researcher().get("/api/study/links", params={"number": 2, "first": 2}).text
    listed = list(csv.DictReader(io.StringIO(page)))
    tokens = [row["link"].removeprefix("https://lab.example/take/paid?link=") for row in rows]
    assert [row["link"].partition("=")[2] for row in listed] == tokens[1:]
    first = study.browser({"link": tokens[0]})
    assert first.join().status_code == 200
    assert first.go_on()["screen"] == "end"
    again = study.browser({"link": tokens[0]})
    assert again.join().json()["screen"] == "end"  # theirs, and nobody else's
    assert len(study.store.participants()) == 1
    assert study.browser({"link": tokens[1]}).join().status_code == 200


def test_the_link_for_others_is_one_that_they_can_open(tmp_path):
    study = Recruited(tmp_path, host="0.0.0.0", token="t" * 16)
    client = TestClient(study.app, base_url="http://localhost:8787")
    page = client.get("/study", params={"token": "t" * 16}).text
    link = re.search(r'id="invitation"[^>]*value="([^"]+)"', page)[1]
    host = re.fullmatch(r"http://([^/]+):8787/take/paid\?PROLIFIC_PID=.*", link)[1]
    assert host not in ("localhost", "127.0.0.1", "0.0.0.0")
    opened = TestClient(study.app, base_url=f"http://{host}:8787").get("/take/paid")
    assert opened.status_code == 200


# -- the end, and money --------------------------------------------------------------------------


def test_codes_scores_and_bonuses_go_to_who_earned_them(tmp_path, capsys):
    study = Recruited(tmp_path)
    ends = []
    for number, attentive in ((1, True), (2, False), (3, True)):
        browser = study.browser(prolific(number))
        browser.join()
        ends.append(browser.go_on(attentive, until="end" if number < 3 else "questions"))
    assert [end.get("code") for end in ends] == ["GOOD1", "BAD22", None]
    assert ends[0]["back"] == "https://app.prolific.com/submissions/complete?cc=GOOD1"
    out, bonus = tmp_path / "pay.csv", tmp_path / "bonus.csv"
    code, _, _ = run(
        capsys, "lab", "pay", str(study.file), "--out", str(out), "--bonus", str(bonus),
        "--data", str(tmp_path / "lab"),
    )  # fmt: skip
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["person"] for row in rows] == [pid(1), pid(2), pid(3)]
    assert [row["code"] for row in rows] == ["GOOD1", "BAD22", ""]
    assert [row["attention"] for row in rows] == ["passed", "failed", "passed"]
    assert out.stat().st_mode & 0o077 == 0
    researcher = study.researcher()
    assert researcher.get("/api/study/pay").text == out.read_text()
    assert researcher.get("/api/study/bonus").text == bonus.read_text()

    # Against the system itself: what the choice brings, by what the best one would.
    person = study.store.participants()[0]
    config = StudyConfig.load(study.file)
    episode = config.scenario(person.condition, person.number, 0).begin()
    for row in study.store.steps(person.id):
        episode.act(row.target, row.value)
    share = episode.returns / episode.oracle_return
    assert float(rows[0]["score"]) == pytest.approx(share, abs=1e-4)
    assert float(rows[0]["bonus"]) == pytest.approx(2 * max(share, 0), abs=0.005)
    assert (rows[1]["bonus"], rows[2]["bonus"]) == ("0.00", "0.00")
    paid = {row[0]: row[1] for row in csv.reader(io.StringIO(bonus.read_text()))}
    assert paid == {row["person"]: row["bonus"] for row in rows if row["bonus"] != "0.00"}


def test_the_page_has_codes_means_and_who_left_where(tmp_path):
    study = Recruited(tmp_path, places=4)
    for number in (1, 2, 3, 4):
        browser = study.browser(prolific(number), f"198.51.100.{number}")
        browser.join()
        browser.go_on(until=("end", "end", "task", "questions")[number - 1])
    study.wait(31)
    state = study.researcher().get("/api/study").json()
    assert (state["places"], state["held"]) == (4, 2)
    assert [p["code"] for p in state["participants"]] == ["GOOD1", "GOOD1", "", ""]
    assert [p["late"] for p in state["participants"]] == [False, False, True, True]
    left = Counter()
    for condition in state["conditions"]:
        left.update(condition["left_at"])
        own = [p["score"] for p in state["participants"]
               if p["condition"] == condition["label"] and p["score"] is not None]  # fmt: skip
        assert condition["score"]["n"] == len(own)
        assert condition["score"]["value"] == (pytest.approx(sum(own)) if own else None)
    assert left == {"tasks": 1, "questions": 1}


# -- privacy -------------------------------------------------------------------------------------


def test_no_raw_id_is_anywhere_but_in_the_pay_list_and_nothing_is_left_of_who_is_deleted(
    tmp_path, caplog, capfd
):
    caplog.set_level(0)
    study = Recruited(tmp_path)
    browsers = []
    for number in (1, 2, 3):
        browser = study.browser(prolific(number), f"203.0.113.{number}")
        browser.join()
        browser.go_on(until="end" if number < 3 else "questions")
        browsers.append(browser)
    secrets = [value.encode() for n in (1, 2, 3) for value in prolific(n).values()]
    secrets += [f"203.0.113.{n}".encode() for n in (1, 2, 3)]
    researcher = study.researcher()
    shown = researcher.get("/study").content + researcher.get("/api/study").content
    archive = zipfile.ZipFile(io.BytesIO(researcher.get("/api/study/export").content))
    exported = b"".join(archive.read(name) for name in archive.namelist())
    # The test client logs the addresses that it opens; the lab must log nothing.
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    said = "".join([*ours, *capfd.readouterr()]).encode()
    kept_there = b"".join(
        text for name, text in study.files().items() if not name.startswith("pay-")
    )
    key = (tmp_path / "lab" / "secret").read_bytes()
    for where in (shown, exported, kept_there, said, browsers[0].page.encode()):
        assert not [secret for secret in secrets if secret in where]
    assert key not in exported
    pay = b"".join(text for name, text in study.files().items() if name.startswith("pay-"))
    assert secrets[0] in pay

    hashes = [p.person_hash for p in study.store.participants()]
    hashes += [p.visitor_hash for p in study.store.participants()]
    assert all(each.encode() in kept_there for each in hashes)
    assert browsers[0].http.delete("/api/take/paid").json() == {"deleted": True}
    ids = [p.id for p in study.store.participants()]
    assert researcher.post("/api/study/delete", json={"participants": ids}).json() == {"deleted": 2}
    left = b"".join(study.files().values())
    assert not [secret for secret in secrets if secret in left]
    assert not [each for each in hashes if each.encode() in left]


def test_finished_and_unfinished_are_exported_apart(tmp_path):
    study = Recruited(tmp_path)
    for number, until in ((1, "end"), (2, "questions")):
        browser = study.browser(prolific(number))
        browser.join()
        browser.go_on(until=until)
    found = {}
    for only in ("everybody", "finished", "unfinished"):
        answer = study.researcher().get("/api/study/export", params={"only": only})
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        rows = csv.DictReader(io.TextIOWrapper(archive.open("paid/participants.csv")))
        found[only] = [row["participant"] for row in rows]
        assert b"GOOD1" not in b"".join(map(archive.read, archive.namelist()))
    assert found == {"everybody": ["p001", "p002"], "finished": ["p001"], "unfinished": ["p002"]}


# -- killed --------------------------------------------------------------------------------------

SERVER = """
import sys
from pathlib import Path
from seedo.lab import LabSettings, serve
serve(LabSettings(data=Path(sys.argv[1]), study=Path(sys.argv[2]), logs=(Path(sys.argv[3]),),
                  port=int(sys.argv[4]), warm=False), browse=False)
"""


@pytest.mark.slow
def test_kill_9_at_ten_moments_loses_nothing(tmp_path):
    study = Recruited(tmp_path, places=60, change=('passed = "GOOD1"', "per_address = 0"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-c", SERVER, str(tmp_path / "lab"), str(study.file), str(tmp_path)]
    address, told = f"http://127.0.0.1:{port}", {}
    for moment in range(10):
        with subprocess.Popen([*words, str(port)], stderr=subprocess.DEVNULL) as lab:
            _wait_for(address)
            people = [_Far(address, 6 * moment + k, told) for k in range(6)]
            threads = [threading.Thread(target=person.go_on) for person in people]
            for thread in threads:
                thread.start()
            # From the first consent on, another moment each time.
            while not any(person.told for person in people):
                time.sleep(0.005)
            time.sleep(0.04 * moment)
            lab.kill()
            for thread in threads:
                thread.join()
        store, _ = kept(study.file, tmp_path / "lab")
        pay = kept_pay(study.file, tmp_path / "lab")
        there = {pay.named(p.person_hash).person: p for p in store.participants()}
        for number, done in told.items():
            steps = {(row.step, row.target) for row in store.steps(there[pid(number)].id)}
            assert done <= steps
            assert len(steps) <= len(done) + 1  # kept, and killed before it could be said
        with sqlite3.connect(tmp_path / "lab" / "study-paid.sqlite") as database:
            assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    assert sum(map(len, told.values())) > 20


def _wait_for(address):
    for _ in range(1200):
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{address}/take/paid", timeout=20)
            return
        time.sleep(0.1)
    pytest.fail("the lab did not start")


class _Far:
    """A browser elsewhere, up to when the lab is gone; `told` has what was acknowledged."""

    def __init__(self, address, number, told):
        self.http, self.link = httpx.Client(base_url=address, timeout=30), prolific(number)
        self.number, self.all, self.told = number, told, None

    def go_on(self):
        with contextlib.suppress(httpx.TransportError):
            page = self.http.get("/take/paid", params=self.link).text
            csrf = re.search(r'name="csrf" content="([0-9a-f]+)"', page)[1]
            self.http.headers["x-csrf-token"] = csrf
            self.post("consent", {"agree": True, "link": self.link})
            self.told = self.all[self.number] = set()
            view = self.post("ready", None)
            while view["screen"] in ("task", "check"):
                target = 0 if view.get("goal") != 0 else 1
                body = {"item": view["item"], "target": target, "value": view["values"][target][0]}
                if view["screen"] == "check":
                    view = self.post("check", body)["view"]
                    continue
                step = view["step"]
                view = self.post("step", body | {"step": step, "milliseconds": 5})["view"]
                self.told.add((step, target))

    def post(self, what, body):
        answer = self.http.post(f"/api/take/paid/{what}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


# -- the file ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('platform = "{platform}"', 'platform = "craigslist"', "recruit.platform: got"),
        ("minutes = 30", "minutes = -1", "recruit.minutes: got -1"),
        ("minutes = 30", 'minutes = "long"', "recruit.minutes: got 'long'"),
        ("minutes = 30", "per_address = 1.5", "recruit.per_address: got 1.5"),
        ("minutes = 30", "places = 5", "recruit: unknown key: got 'places'"),
        ('passed = "GOOD1"', 'passed = "BAD22"', "give failed and full other codes"),
        ('passed = "GOOD1"', 'passed = "two words"', "recruit.passed: got 'two words'"),
        ("minutes = 30", 'return_url = "ftp://x"', "recruit.return_url: got 'ftp://x'"),
        ("minutes = 30", 'return_url = "https://x.org/[name]"', "only {code} and {person}"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_one_line(tmp_path, old, new, said):
    path = tmp_path / "paid.toml"
    text = STUDY.replace(old, new).format(places=8, platform="prolific")
    path.write_text(text.replace("[name]", "{name}"))
    with pytest.raises(UserError, match=re.escape(said)) as refused:
        StudyConfig.load(path)
    assert "\n" not in str(refused.value)


def test_recruiting_may_change_while_the_study_runs(tmp_path):
    study = Recruited(tmp_path)
    study.browser(prolific(1)).join()
    study.file.write_text(study.file.read_text().replace("GOOD1", "BETTER"))
    study.open()
    assert study.browser(prolific(1)).join().status_code == 200
