"""Study mode: from consent to the end code, and what nobody may see."""

import itertools
import json
import re
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from lab_server import running
from seedo.errors import UserError
from seedo.lab import LabSettings, Scenario, create_app
from seedo.lab.study._assignment import Full, assign, balanced_orders
from seedo.lab.study._config import StudyConfig
from seedo.lab.study._pages import EXAMPLE
from seedo.lab.study._session import items
from seedo.lab.study._store import STUDY_METADATA, Conflict, Gone, StudyStore
from seedo.play import Live, outcome_table
from seedo.worlds import DagWorld, System, configure

STUDY = """
name = "small"
title = "A small study"
consent = "Do take part."
instructions = "Set things."
tasks = 2
practice = 1
seed = 7
max_participants = {places}

[world]
n = 3
experiments = 2

[[factor]]
name = "names"
levels = ["letters", "contrary"]

[attention]
checks = 1

[[question]]
id = "age"
text = "How old are you?"
kind = "number"
optional = true

[[question]]
id = "hand"
text = "With which hand do you write?"
kind = "choice"
options = ["left", "right"]

[end]
code = "{code}"
"""


def write_study(folder, places=200, code="random", extra=""):
    path = folder / "study.toml"
    path.write_text(STUDY.format(places=places, code=code) + extra)
    return path


@pytest.fixture
def study(tmp_path):
    """An application with a study, on which any number of browsers can be opened."""
    path = write_study(tmp_path)
    app = create_app(LabSettings(data=tmp_path / "lab", study=path, warm=False))
    return app, path


class Browser:
    """A participant's browser, without the browser."""

    def __init__(self, app, study="small"):
        self.client = TestClient(app, base_url="http://localhost")
        self.api = f"/api/take/{study}"
        page = self.client.get(f"/take/{study}")
        assert page.status_code == 200
        self.page = page.text
        csrf = re.search(r'name="csrf" content="([0-9a-f]+)"', page.text)[1]
        self.client.headers["x-csrf-token"] = csrf

    def view(self):
        return self.client.get(self.api).json()

    def post(self, path, body=None):
        return self.client.post(self.api + path, json=body)

    def start(self):
        assert self.post("/consent", {"agree": True}).json()["screen"] == "instructions"
        return self.post("/ready").json()

    def choose(self, view, target=None, value=None):
        """Any legal choice unless one is given."""
        if target is None:
            target = next(i for i in range(len(view["names"])) if i != view.get("goal"))
            value = view["values"][target][-1]
        body = {"item": view["item"], "target": target, "value": value}
        if view["screen"] == "check":
            return self.post("/check", body)
        return self.post("/step", body | {"step": view["step"], "milliseconds": 900})

    def play_on(self, view, until):
        """The screen reached, and everything that was seen on the way."""
        seen = [view]
        while view["screen"] != until:
            answer = self.choose(view).json()
            seen.append(answer)
            view = answer["view"]
        return view, seen


# -- the whole way --------------------------------------------------------------------------------


def test_a_participation_goes_from_consent_to_a_code_and_is_stored_as_it_was(study):
    app, path = study
    browser = Browser(app)
    assert browser.view() == {"screen": "consent"}
    view, seen = browser.play_on(browser.start(), "questions")
    assert [q["id"] for q in view["questions"]] == ["age", "hand"]
    ended = browser.post("/answers", {"answers": {"age": "31", "hand": "left"}}).json()["view"]
    assert ended["screen"] == "end"
    assert re.fullmatch("[A-Z2-9]{10}", ended["code"])

    store = _store(app)
    (participant,) = store.participants()
    assert participant.state == "finished"
    assert participant.end_code == ended["code"]
    assert participant.finished_at > participant.consented_at
    answers = store.answers(participant.id)
    assert answers == {"age": "31", "hand": "left", "attention-1": answers["attention-1"]}
    assert participant.attention_passed == (answers["attention-1"] == "right")
    rows = store.steps(participant.id)
    assert [(r.task, r.step) for r in rows] == [(t, s) for t in (-1, 0, 1) for s in range(3)]
    assert all(row.milliseconds == 900 for row in rows)

    # What they saw is what the system does: an episode played by hand tells.
    config = StudyConfig.load(path)
    tasks = [v["view"] for v in seen[1:] if v["view"]["screen"] == "task"]
    for task in (0, 1):
        scenario = config.scenario(participant.condition, participant.number, task)
        assert (scenario.seed, scenario.index) == (7, task)  # shared: what `perform` meets
        episode = scenario.begin()
        outcomes = [episode.act(r.target, r.value).outcome for r in rows if r.task == task]
        item = items(config, participant.task_order).index(("task", task))
        shown = next(v for v in tasks if v["item"] == item and len(v["rows"]) == 2)["rows"]
        # Names may show a variable's negative, always the same one.
        got, true = np.array([r["outcome"] for r in shown]), np.stack(outcomes[:2])
        np.testing.assert_allclose(abs(got), abs(true), atol=1e-4)
        signs = np.sign(got * true)
        assert (signs == signs[0]).all()
        after = [v["after"] for v in seen[1:] if v.get("after")]
        assert any(np.isclose(a["returns"], episode.returns, atol=1e-3) for a in after)


def test_names_of_another_sign_show_and_take_the_negative_of_the_systems_values(study):
    app, _ = study
    for _ in range(2):
        browser = Browser(app)
        view = browser.start()
        for target in range(3):
            # Whatever is shown of what was set is what was asked for.
            fresh = browser.view()
            if fresh.get("exploiting"):
                break
            row = browser.choose(view, target, 2.0).json()["view"]["rows"][-1]
            assert (row["target"], row["value"], row["outcome"][target]) == (target, 2.0, 2.0)
            view = browser.view()
    store, config = _store(app), StudyConfig.load(study[1])
    flipped = 0
    for participant in store.participants():
        task = config.scenario(participant.condition, participant.number, -1)
        from seedo.lab._naming import Naming

        signs = Naming.of(task, task.begin()).signs
        for row in store.steps(participant.id):
            assert row.value == 2.0 * signs[row.target]
            flipped += row.value < 0
    assert {p.condition for p in store.participants()} == {"names=letters", "names=contrary"}


def test_who_declines_leaves_nothing(study, tmp_path):
    app, _ = study
    browser = Browser(app)
    assert browser.post("/consent", {"agree": False}).status_code == 409
    assert browser.post("/ready").status_code == 404
    assert browser.view() == {"screen": "consent"}
    with sqlite3.connect(tmp_path / "lab" / "study-small.sqlite") as database:
        for table in ("participants", "steps", "answers"):
            assert database.execute(f"select count(*) from {table}").fetchone() == (0,)


def test_withdrawing_deletes_everything_at_any_time_and_frees_the_place(study, tmp_path):
    app, _ = study
    for until in ("task", "check", "questions", "end"):
        browser = Browser(app)
        view = browser.start()
        if until != "task":
            view, _ = browser.play_on(view, "questions" if until == "end" else until)
        if until == "end":
            browser.post("/answers", {"answers": {"age": "77123", "hand": "left"}})
        assert browser.client.delete(browser.api).json() == {"deleted": True}
        assert browser.client.delete(browser.api).json() == {"deleted": False}
        assert browser.view() == {"screen": "consent"}
    store = _store(app)
    assert store.participants() == []
    with sqlite3.connect(tmp_path / "lab" / "study-small.sqlite") as database:
        for table in ("participants", "steps", "answers"):
            assert database.execute(f"select count(*) from {table}").fetchone() == (0,)
    # Not even between the rows of the file.
    store.engine.dispose()
    for path in (tmp_path / "lab").glob("study-small.sqlite*"):
        assert b"77123" not in path.read_bytes()


# -- order ----------------------------------------------------------------------------------------


def test_the_same_response_twice_is_answered_alike_and_another_is_a_conflict(study):
    app, _ = study
    browser = Browser(app)
    view = browser.start()
    first = browser.choose(view, 0, 2.0)
    assert browser.choose(view, 0, 2.0).json() == first.json()
    assert browser.choose(view, 0, -2.0).status_code == 409
    assert browser.choose(view, -1, 0.0).status_code == 409
    assert len(_store(app).steps(1)) == 1
    # Also once the task is over: the answer tells what followed, as it did the first time.
    view = browser.choose(first.json()["view"], 1, 2.0).json()["view"]
    assert view["exploiting"]
    last = browser.choose(view)
    assert last.json()["after"]["returns"] is not None
    assert browser.choose(view).json() == last.json()


def test_nothing_can_be_skipped_or_done_before_its_time(study):
    app, _ = study
    browser = Browser(app)
    step = {"item": 0, "step": 0, "target": 0, "value": 2.0, "milliseconds": 1}
    assert browser.post("/step", step).status_code == 404
    browser.post("/consent", {"agree": True})
    assert browser.post("/step", step).status_code == 409  # still at the instructions
    browser.post("/ready")
    for early in ({"step": 1}, {"step": 2}, {"item": 2}, {"item": 1}, {"item": 9}):
        assert browser.post("/step", step | early).status_code == 409, early
    check = {"item": 1, "target": 0, "value": 2.0}
    assert browser.post("/check", check).status_code == 409
    assert browser.post("/answers", {"answers": {"hand": "left"}}).status_code == 409
    assert _store(app).steps(1) == []
    assert _store(app).answers(1) == {}


def test_what_is_not_on_offer_is_refused_with_one_line(study):
    app, _ = study
    browser = Browser(app)
    view = browser.start()
    for target, value in ((0, 1.0), (7, 2.0), (0, 1e8)):
        answer = browser.choose(view, target, value)
        assert answer.status_code == 422
        assert "\n" not in answer.json()["error"]
    view = browser.choose(view, -1, 0.0).json()["view"]  # looking is allowed, until it counts
    view = browser.choose(view).json()["view"]
    assert view["exploiting"]
    assert browser.choose(view, -1, 0.0).status_code == 422
    assert browser.choose(view, view["goal"], 2.0).status_code == 422
    view, _ = browser.play_on(view, "questions")
    for answers, field in (
        ({}, "hand"),
        ({"hand": "both"}, "hand"),
        ({"hand": "left", "age": "old"}, "age"),
        ({"hand": "left", "age": "1e999"}, "age"),
        ({"hand": "left", "name": "Ada"}, "question"),
    ):
        refused = browser.post("/answers", {"answers": answers})
        assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert browser.post("/answers", {"answers": {"hand": "left"}}).status_code == 200
    assert browser.post("/answers", {"answers": {"hand": "left"}}).status_code == 200
    assert browser.post("/answers", {"answers": {"hand": "right"}}).status_code == 409


def test_attention_is_passed_by_doing_what_is_asked(study):
    app, _ = study
    for obeys in (True, False):
        browser = Browser(app)
        view, _ = browser.play_on(browser.start(), "check")
        asked = re.fullmatch("set variable ([A-C]) to its (low|high) value", view["asked"])
        target = view["names"].index(asked[1])
        low, high = view["values"][target]
        value = low if (asked[2] == "low") == obeys else high
        view = browser.choose(view, target, value).json()["view"]
        assert view["screen"] == "task"
        assert _store(app).participants()[-1].attention_passed == int(obeys)


# -- coming back ----------------------------------------------------------------------------------


def test_after_a_restart_everybody_is_where_they_were(study, tmp_path):
    app, path = study
    browser = Browser(app)
    view, _ = browser.play_on(browser.start(), "check")
    view = browser.choose(view).json()["view"]
    before = browser.choose(view, 1, 2.0).json()["view"]
    fresh = create_app(LabSettings(data=tmp_path / "lab", study=path, warm=False))
    again = TestClient(fresh, base_url="http://localhost", cookies=dict(browser.client.cookies))
    assert again.get(browser.api).json() == before


def test_the_personal_link_moves_a_participation_to_another_browser(study):
    app, _ = study
    old, new, third = Browser(app), Browser(app), Browser(app)
    view = old.choose(old.start(), 0, 2.0).json()["view"]
    token = view["resume"]
    assert new.client.get(f"/take/small/resume/{token}").status_code == 200
    assert new.view() == {"screen": "consent"}  # a link that is only looked at does nothing
    assert new.post("/resume", {"token": token[:-1] + "x"}).status_code == 404
    assert new.post("/resume", {"token": token}).json() == view
    assert old.view() == {"screen": "consent"}
    assert old.post("/resume", {"token": token}).json() == view  # and back
    third.start()
    assert third.post("/resume", {"token": token}).status_code == 409
    assert old.view() == view


# -- what stays hidden ----------------------------------------------------------------------------


def test_participants_never_get_the_system_conditions_seeds_or_one_another(study, tmp_path):
    app, path = study
    config = StudyConfig.load(path)
    told = []
    for _ in range(4):
        browser = Browser(app)
        view, seen = browser.play_on(browser.start(), "questions")
        end = browser.post("/answers", {"answers": {"hand": "left"}})
        told.append((browser, json.dumps(seen) + end.text + browser.page))
    store = _store(app)
    tokens = [browser.view()["resume"] for browser, _ in told]
    for at, ((_, text), participant) in enumerate(zip(told, store.participants(), strict=True)):
        for word in ("names=", '"seed', '"index', '"weight', "oracle", "task_order", "sha256"):
            assert word not in text, word
        for secret in (participant.visitor_hash, participant.resume_hash):
            assert secret not in text
        for other in store.participants():
            if other != participant:
                assert other.end_code not in text
        assert all(token not in text for i, token in enumerate(tokens) if i != at)
        scenario = config.scenario(participant.condition, participant.number, 0)
        weights = np.asarray(scenario.begin().task.system.weights)
        for weight in weights[weights != 0]:
            assert f"{abs(weight):.4f}" not in text
    # Before the last step of a task, neither its goal nor what is still to come.
    browser = Browser(app)
    view = browser.start()
    assert view["goal"] is None
    assert view["rows"] == []
    assert set(view) == {"screen", "item", "practice", "number", "of", "shape", "names",
                         "values", "relevant", "step", "exploiting", "left", "goal", "rows",
                         "resume"}  # fmt: skip


def test_with_a_token_participants_reach_their_study_and_nothing_else(tmp_path):
    settings = LabSettings(
        data=tmp_path / "lab", study=write_study(tmp_path), token="t" * 16, warm=False
    )
    app = create_app(settings)
    browser = Browser(app)
    view, _ = browser.play_on(browser.start(), "questions")
    assert view["screen"] == "questions"
    for path in ("/", "/study", "/study/example.toml", "/api/study", "/openapi.json", "/look"):
        assert browser.client.get(path).status_code == 401, path
    assert browser.client.delete("/api/study/participants/1").status_code == 401
    assert browser.client.get("/study", params={"token": "t" * 16}).status_code == 200
    assert browser.client.get("/api/study").json()["participants"][0]["number"] == 1


def test_without_a_study_or_under_another_name_there_is_none(study, tmp_path):
    app, _ = study
    client = TestClient(app, base_url="http://localhost")
    assert client.get("/take/other").status_code == 404
    assert client.get("/api/take/other").status_code == 404
    empty = create_app(LabSettings(data=tmp_path / "empty", warm=False))
    client = TestClient(empty, base_url="http://localhost")
    assert client.get("/take/small").status_code == 404
    assert client.get("/api/study").status_code == 404
    assert "seedo lab --study" in client.get("/study").text
    assert client.get("/study/example.toml").content == EXAMPLE.read_bytes()


# -- assignment -----------------------------------------------------------------------------------


@pytest.mark.parametrize("tasks", [1, 2, 3, 4, 5, 10])
def test_balanced_orders_are_latin_squares_balanced_for_what_comes_before(tasks):
    orders = balanced_orders(tasks)
    often = len(orders) // tasks
    assert all(sorted(order) == list(range(tasks)) for order in orders)
    for place in range(tasks):
        assert set(Counter(order[place] for order in orders).values()) == {often}
    pairs = Counter(pair for order in orders for pair in itertools.pairwise(order))
    every = set(itertools.permutations(range(tasks), 2))
    assert set(pairs) == every
    assert len(set(pairs.values())) <= 1


def _four_conditions(**changes):
    plain = {"name": "x", "title": "t", "consent": "c", "instructions": "i", "tasks": 3,
             "world": {"n": 3},
             "factor": [{"name": "names", "levels": ["letters", "nonsense"]},
                        {"name": "noise_variance", "levels": [0.5, 1.0]}]}  # fmt: skip
    return StudyConfig.from_json(plain | changes)


def test_24_simultaneous_participants_fill_4_conditions_and_their_orders_evenly(tmp_path):
    config = _four_conditions()
    store = StudyStore.open(LabSettings(data=tmp_path), config)

    def join(i):
        return store.enrol(f"visitor {i}", lambda o: assign(config, o, lambda *of: f"{of}"))

    with ThreadPoolExecutor(24) as pool:
        joined = list(pool.map(join, range(24)))
    assert sorted(p.number for p in joined) == list(range(1, 25))
    assert Counter(p.condition for p in joined) == {label: 6 for label, _ in config.conditions()}
    for label, _ in config.conditions():
        orders = [p.task_order for p in joined if p.condition == label]
        assert sorted(orders) == sorted(balanced_orders(3))
    # The place of one who leaves is the next to be filled.
    left = joined[7]
    assert store.delete(left.id)
    new = join(99)
    assert (new.condition, new.task_order) == (left.condition, left.task_order)
    assert new.id not in {p.id for p in joined}


def test_no_more_join_than_there_are_places(tmp_path):
    app = create_app(
        LabSettings(data=tmp_path / "lab", study=write_study(tmp_path, places=1), warm=False)
    )
    first, second = Browser(app), Browser(app)
    first.start()
    assert second.view() == {"screen": "full"}
    assert second.post("/consent", {"agree": True}).status_code == 409
    assert first.view()["screen"] == "task"
    with pytest.raises(Full):
        assign(StudyConfig.load(tmp_path / "study.toml"), _store(app).participants(), str)


def test_own_systems_are_never_shared_and_practice_always_is():
    config = _four_conditions(systems="own", practice=2)
    label = config.conditions()[0][0]
    own = [config.scenario(label, p, t).index for p in (1, 2, 3) for t in range(3)]
    assert own == list(range(9))
    practice = {config.scenario(label, p, t).index for p in (1, 2) for t in (-1, -2)}
    assert len(practice) == 2
    assert not practice & set(own)


# -- store ----------------------------------------------------------------------------------------


def test_a_study_that_changed_after_somebody_joined_is_refused(tmp_path):
    settings = LabSettings(data=tmp_path)
    config = _four_conditions()
    store = StudyStore.open(settings, config)
    changed = _four_conditions(tasks=4)
    StudyStore.open(settings, changed)  # nobody is there yet
    StudyStore.open(settings, config)
    store.enrol("v", lambda others: assign(config, others, lambda *of: f"{of}"))
    with pytest.raises(UserError, match="give the changed study another name"):
        StudyStore.open(settings, changed)
    more = StudyStore.open(settings, _four_conditions(max_participants=5000))
    assert more.config().max_participants == 5000
    assert StudyStore(store.engine, "x").config().sha256 == config.sha256


def test_nothing_is_kept_of_who_has_left(tmp_path):
    config = _four_conditions()
    store = StudyStore.open(LabSettings(data=tmp_path), config)
    p = store.enrol("v", lambda others: assign(config, others, lambda *of: f"{of}"))
    assert store.add_step(p.id, 0, 0, 1, 2.0, 10)
    assert not store.add_step(p.id, 0, 0, 1, 2.0, 99)
    with pytest.raises(Conflict):
        store.add_step(p.id, 0, 0, 1, -2.0, 10)
    assert store.progress() == {p.id: 1}
    assert store.delete(p.id)
    for write in (
        lambda: store.add_step(p.id, 0, 1, 1, 2.0, 10),
        lambda: store.add_answers(p.id, {"a": "b"}),
        lambda: store.set_state(p.id, "tasks", "instructions"),
    ):
        with pytest.raises(Gone):
            write()
    assert store.steps(p.id) == []
    assert not store.delete(p.id)


def test_no_table_has_room_for_addresses_or_names():
    columns = {f"{t.name}.{c.name}" for t in STUDY_METADATA.sorted_tables for c in t.columns}
    assert {c for c in columns if c.startswith("participants.")} == {
        f"participants.{name}"
        for name in ("id", "study", "visitor_hash", "resume_hash", "number", "condition",
                     "task_order", "state", "consented_at", "finished_at", "end_code",
                     "attention_passed")
    }  # fmt: skip
    assert not [c for c in columns if re.search("ip|address|agent|email|host", c.split(".")[1])
                and not c.endswith("participant_id")]  # fmt: skip


# -- the file -------------------------------------------------------------------------------------


def test_the_example_is_the_one_in_the_docs_and_survives_json():
    config = StudyConfig.load(EXAMPLE)
    docs = Path(__file__).parents[1] / "docs" / "lab" / "study-example.toml"
    assert docs.read_bytes() == EXAMPLE.read_bytes()
    again = StudyConfig.from_json(json.loads(json.dumps(config.to_json())))
    assert again == config
    assert again.sha256 == config.sha256
    assert [label for label, _ in config.conditions()] == [
        "names=letters, instruction=1",
        "names=letters, instruction=2",
        "names=familiar, instruction=1",
        "names=familiar, instruction=2",
    ]
    assert config.instruction("names=familiar, instruction=1") == "Take your time."


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("tasks = 2", "tasks = 0", "tasks: got 0"),
        ("tasks = 2", 'taks = 2\ntasks = 2', "unknown key: got 'taks'"),
        ("tasks = 2", "", "tasks: missing"),
        ("practice = 1", "practice = 4", "practice: got 4"),
        ('name = "small"', 'name = "Small study"', "name: got 'Small study'"),
        ('consent = "Do take part."', 'consent = " "', "consent: write a text"),
        ("n = 3", "n = 99", "n"),
        ("n = 3", "nn = 3", "world: unknown key: got 'nn'"),
        ('levels = ["letters", "contrary"]', 'levels = ["letters"]', "levels of names"),
        ('levels = ["letters", "contrary"]', 'levels = ["letters", "odd"]', "levels of names"),
        ('levels = ["letters", "contrary"]', 'levels = ["letters", "letters"]', "every level once"),
        ('name = "names"', 'name = "colour"', "factor.name: got 'colour'"),
        ("n = 3", "n = 3\ndo_values = [-1.0, 2.0]", "symmetric about 0"),
        ("n = 3", "n = 12", "at most 11"),
        ("checks = 1", "checks = 1\npass = 2", "attention.pass: got 2"),
        ('id = "age"', 'id = "hand"', "question.id: got 'hand'"),
        ('id = "age"', 'id = "attention-1"', "question.id"),
        ('options = ["left", "right"]', "", "question hand: options"),
        ('kind = "number"', 'kind = "email"', "question age: kind"),
        ("[end]", "[end]\ncolour = 1", "end: unknown key: got 'colour'"),
        ("seed = 7", "seed = ", "not TOML"),
    ],
)  # fmt: skip
def test_a_study_file_that_cannot_be_used_is_refused_in_one_line(tmp_path, old, new, said):
    text = STUDY.format(places=9, code="x")
    assert old in text
    path = tmp_path / "study.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=re.escape(said)) as refused:
        StudyConfig.load(path)
    assert "\n" not in str(refused.value)


# -- everything that could follow -----------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"n": 3, "experiments": 2, "exploits": 2, "observations": 1},
        {"n": 4, "experiments": 2, "relevant": 3, "confounders": 1, "noise_family": "laplace"},
    ],
)
def test_the_table_of_outcomes_is_what_a_live_episode_does_whatever_went_before(options):
    world = DagWorld(configure(**options))
    spec = world.spec
    table = outcome_table(Live(world, 3, "perform", 5))
    rng = np.random.default_rng(0)
    for _ in range(4):
        episode = Live(world, 3, "perform", 5)
        worth = []
        for step in range(spec.steps):
            action = int(rng.integers(0, 1 + spec.actions))
            target, value = divmod(action - 1, len(spec.do_values)) if action else (-1, 0)
            outcome = episode.act(target, spec.do_values[value] if action else 0.0).outcome
            # Two programs for the same sums: equal but for the last bit.
            np.testing.assert_allclose(outcome, table.outcome[step, action], rtol=1e-5, atol=1e-6)
            worth.append(table.worth[step, action])
        assert np.isclose(np.sum(worth) / options.get("exploits", 1), episode.returns, atol=1e-6)


def test_the_table_of_a_given_system_is_of_that_system():
    world = DagWorld(configure(n=2, experiments=1, split="drawn"))
    system = System(np.array([[0, 5], [0, 0]], np.float32), np.full(2, 1e-3, np.float32))
    table = outcome_table(Live(world, 0, "perform", 0, world.given(system, 1)))
    assert np.isclose(table.outcome[0, 2, 1], 10, atol=0.1)
    np.testing.assert_allclose(table.worth[1], [0, -10, 10, 0, 0], atol=1e-4)


# -- in a browser ---------------------------------------------------------------------------------


def test_a_person_takes_part_leaves_comes_back_and_gets_the_code(tmp_path, visit, figure):
    settings = {"study": write_study(tmp_path, code="THANKS-42")}
    with running(tmp_path / "lab", **settings) as address:
        researcher = visit(f"{address}/study")
        assert researcher.get_by_label("Link for participants").input_value() == (
            f"{address}/take/small"
        )
        page = visit(f"{address}/take/small", width=360, height=740)
        page.get_by_role("button", name="I agree and take part").click()
        page.get_by_role("button", name="Start").click()
        page.get_by_role("heading", name="Practice").wait_for()
        _play_task(page)  # practice
        page.get_by_role("button", name="Next").click()
        page.get_by_role("heading", name="Are you still reading?").wait_for()
        asked = re.search(r"set variable (\w) to its (low|high)", page.inner_text("#screen"))
        value = "−2" if asked[2] == "low" else "2"
        page.get_by_label(f"set {asked[1]} to {value}", exact=True).check()
        page.get_by_role("button", name=f"Set {asked[1]} to {value}").click()
        page.get_by_role("heading", name="Task 1 of 2").wait_for()
        _choose(page)
        page.get_by_text("1 experiment left").wait_for()
        figure(page, "take")
        link = page.locator("#resume").input_value()
        page.close()  # with one experiment done

        researcher.get_by_text("in the tasks").first.wait_for()
        other = visit(link, width=360, height=740, scheme="dark")
        other.get_by_role("button", name="Continue on this device").click()
        other.get_by_text("1 experiment left").wait_for()
        assert other.locator(".results td.set").count() == 1
        assert other.url == f"{address}/take/small"
        assert other.evaluate("document.documentElement.scrollWidth") <= 360
        # From here on with the keyboard alone.
        _choose(other, keyboard=True)
        other.get_by_text("Your goal").wait_for()
        _choose(other, keyboard=True)
        other.get_by_role("heading", name="Task 1 of 2: done").wait_for()
        other.reload()
        other.get_by_role("heading", name="Task 2 of 2").wait_for()
        _play_task(other)
        other.get_by_role("button", name="Next").click()
        other.get_by_role("button", name="Finish").click()
        other.get_by_text("Please answer: With which hand").wait_for()
        other.get_by_label("left").check()
        other.get_by_role("button", name="Finish").click()
        other.get_by_text("THANKS-42").wait_for()
        researcher.get_by_role("cell", name="6 of 6").wait_for()
        researcher.get_by_role("cell", name="passed").wait_for()
        figure(researcher, "study")

        other.get_by_role("button", name="Withdraw from the study").click()
        other.get_by_role("button", name="Yes, delete everything").click()
        other.get_by_role("heading", name="You have withdrawn").wait_for()
        researcher.get_by_text("Nobody yet").wait_for()


def test_who_does_not_agree_is_thanked_and_the_researcher_can_delete(tmp_path, visit):
    with running(tmp_path / "lab", study=write_study(tmp_path)) as address:
        page = visit(f"{address}/take/small")
        page.get_by_role("button", name="I do not agree").click()
        page.get_by_text("nothing was stored").wait_for()
        researcher = visit(f"{address}/study")
        researcher.get_by_text("Nobody yet").wait_for()
        page.reload()
        page.get_by_role("button", name="I agree and take part").click()
        researcher.get_by_role("button", name="Delete participant 1").click()
        researcher.get_by_role("button", name="Delete everything").click()
        researcher.get_by_text("Nobody yet").wait_for()


def _play_task(page):
    for left in ("2 experiments left", "1 experiment left", "Your goal"):
        page.get_by_text(left).wait_for()
        _choose(page)


def _choose(page, keyboard=False):
    if keyboard:
        page.locator("#screen h2").focus()
        page.keyboard.press("Tab")
        while page.evaluate("document.activeElement.type") != "radio":
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
    else:
        page.locator("input[type=radio]").first.check()
        page.locator("form button[type=submit]").click()


def _store(app):
    settings = app.state.lab.settings
    return StudyStore.open(settings, StudyConfig.load(settings.study))


def test_a_scenario_of_a_study_is_one_that_every_page_can_open():
    config = StudyConfig.load(EXAMPLE)
    for label, _ in config.conditions():
        scenario = config.scenario(label, 1, 9)
        assert Scenario.from_json(scenario.to_json()) == scenario
