"""Your data: a table is brought, corrected, asked; experiments are advised and entered."""

import json
import os
import re
import shlex
import threading
import time
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from starlette.testclient import TestClient

import access
import hostile_tables
from command import run
from lab_client import csrf, visitor
from lab_server import running
from seedo.errors import UserError
from seedo.lab._background import Background
from seedo.lab._security import CSRF_HEADER
from seedo.lab.data._working import Working

TABLES = "/api/data/tables"


def rows(count=120) -> str:
    """dose -> response <- age, and rows of a trial in which dose was set."""
    rng = np.random.default_rng(0)
    age = rng.normal(50, 10, count)
    dose = rng.normal(5, 1, count)
    done = ["dose" if i % 3 == 0 else "" for i in range(count)]
    response = 2 * dose + 0.1 * age + rng.normal(0, 1, count)
    lines = zip(dose, age, response, done, strict=True)
    return "dose,age,response,did\n" + "".join(
        f"{a:.3f},{b:.2f},{c:.3f},{d}\n" for a, b, c, d in lines
    )


def brought(browser, name, text):
    body = text if isinstance(text, bytes) else text.encode()
    return browser.post(f"{TABLES}?name={quote(name)}", content=body)


def said(view, **changes):
    return {**view["said"], **changes}


def worked(browser, key, path, body=None):
    """What comes of a job."""
    started = browser.post(f"{TABLES}/{key}/{path}", json=body or {})
    assert started.status_code == 202, started.text
    return finished(browser, started.json()["job"])


def finished(browser, job, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        state = browser.get(f"/api/data/work/{job}").json()
        if state["over"]:
            return state
        time.sleep(0.02)
    raise AssertionError("it never ended")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return visitor(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def trial(lab):
    """A table of which column did says what was done."""
    view = brought(lab, "trial.csv", rows()).json()
    return lab.put(f"{TABLES}/{view['key']}", json=said(view, targets="did")).json()


# A table is brought

HOSTILE = hostile_tables.files()
SOON = list(HOSTILE)[::8]


@pytest.mark.parametrize(
    "name",
    [name if name in SOON else pytest.param(name, marks=pytest.mark.slow) for name in HOSTILE],
)
def test_whatever_is_dropped_is_read_or_refused_in_one_line(lab, name):
    answer = brought(lab, name, HOSTILE[name])
    told = answer.json()
    line = told["error"]
    assert answer.status_code in (201, 413, 422), told
    if answer.status_code == 201:
        assert line or len(told["variables"]) >= 2
        assert lab.delete(f"{TABLES}/{told['key']}").status_code == 200
    if line:  # it names what is wrong, and says what to do
        assert len(line.splitlines()) == 1
        assert 25 < len(line) < 1_000
        assert re.search(r"[:;]", line)
    assert not re.search(r"Traceback|/tmp|/tables/|--\w", line), line
    assert lab.get("/data").status_code == 200


def test_at_least_sixty_hostile_files_were_thought_of():
    assert len(HOSTILE) >= 60


def test_a_table_is_shown_as_it_is_read(lab, trial):
    by_name = {column["name"]: column for column in trial["columns"]}
    assert trial["rows"] == 120
    assert trial["variables"] == ["dose", "age", "response"]
    assert (by_name["age"]["type"], by_name["age"]["role"]) == ("real", "measured")
    assert by_name["did"]["role"] == "targets"
    assert trial["set"] == [{"what": "observed", "rows": 80}, {"what": "do(dose)", "rows": 40}]


def test_what_is_said_of_columns_is_how_they_are_read_and_can_be_taken_back(lab):
    text = "arm,y,site\n" + "".join(f"{i % 2},{i * 7 % 10},{i % 3}\n" for i in range(60))
    view = brought(lab, "arms.csv", text).json()
    told = [
        {"name": "arm", "role": "factor"},
        {"name": "site", "type": "categorical", "role": "unit"},
    ]
    view = lab.put(f"{TABLES}/{view['key']}", json=said(view, columns=told)).json()
    by_name = {column["name"]: column for column in view["columns"]}
    assert by_name["arm"]["role"] == "factor"
    assert by_name["site"]["role"] == "unit"
    assert view["variables"] == ["arm", "y"]
    view = lab.put(f"{TABLES}/{view['key']}", json=said(view, columns=[])).json()
    assert view["variables"] == ["arm", "y", "site"]


def test_too_many_variables_are_ignored_by_role(lab):
    view = brought(lab, "sixty.csv", HOSTILE["sixty columns.csv"]).json()
    assert "50" in view["error"]
    told = [{"name": f"c{i}", "role": "ignored"} for i in range(5, 60)]
    view = lab.put(f"{TABLES}/{view['key']}", json=said(view, columns=told)).json()
    assert (view["error"], len(view["variables"])) == ("", 5)


def test_a_wrong_word_about_a_column_is_said_and_can_be_mended(lab, trial):
    told = said(trial, columns=[{"name": "age", "type": "colour"}])
    view = lab.put(f"{TABLES}/{trial['key']}", json=told).json()
    assert "colour" in view["error"]
    assert "age" in [column["name"] for column in view["columns"]]
    assert lab.put(f"{TABLES}/{trial['key']}", json=said(trial, columns=[])).json()["error"] == ""


@pytest.mark.parametrize(
    "wrong",
    [{"targets": "/etc/passwd"}, {"targets": "../about.json"}, {"columns": [{"name": "doze"}]}],
)
def test_what_is_no_column_is_not_looked_for_elsewhere(lab, trial, wrong):
    answer = lab.put(f"{TABLES}/{trial['key']}", json=said(trial, **wrong))
    assert answer.status_code == 422
    assert "use one of dose, age, response, did" in answer.json()["error"]


def test_a_body_above_the_limit_is_refused_before_it_is_read(lab):
    headers = {"Content-Length": str((64 << 20) + 1)}
    answer = lab.post(f"{TABLES}?name=a.csv", content=b"x", headers=headers)
    assert answer.status_code == 413
    assert "67,108,864" in answer.json()["error"]


def test_nobody_sees_the_tables_of_others(tmp_path):
    one = visitor(tmp_path)
    key = brought(one, "mine.csv", rows()).json()["key"]
    other = TestClient(one.app, base_url="http://localhost")
    other.headers[CSRF_HEADER] = csrf(other.get("/").text)
    assert other.get(TABLES).json() == {"tables": []}
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/history"), ("POST", "/graph")):
        assert other.request(method, f"{TABLES}/{key}{path}").status_code == 422
    assert len(one.get(TABLES).json()["tables"]) == 1


def test_deleted_is_deleted(tmp_path):
    one = visitor(tmp_path)
    view = brought(one, "mine.csv", rows()).json()
    assert "dose" in (Path(view["folder"]) / "mine.csv").read_text()
    assert one.delete(f"{TABLES}/{view['key']}").status_code == 200
    assert not [path for path in (tmp_path / "tables").rglob("*") if path.is_file()]


def test_what_nobody_opened_for_long_is_deleted_when_the_lab_starts(tmp_path):
    one = visitor(tmp_path)
    old, new = (brought(one, "mine.csv", rows()).json() for _ in range(2))
    month_ago = time.time() - 31 * 86_400
    os.utime(Path(old["folder"]).parent, (month_ago, month_ago))
    visitor(tmp_path)
    assert not Path(old["folder"]).exists()
    assert Path(new["folder"]).exists()


def test_so_many_are_kept_and_no_more(tmp_path):
    one = visitor(tmp_path)
    for _ in range(8):
        assert brought(one, "mine.csv", "x,y\n1,2\n2,4\n3,5\n4,9\n").status_code == 201
    assert "delete one" in brought(one, "mine.csv", rows()).json()["error"]


# It is asked


def test_an_answer_is_the_command_lines_to_the_letter(lab, trial, capsys):
    entry = worked(lab, trial["key"], "ask", {"question": "effect of dose on response"})["result"]
    shown = lab.get(f"{TABLES}/{trial['key']}/history/{entry['number']}").text
    _, *words = shlex.split(entry["command"])
    code, out, _ = run(capsys, *words, "--json")
    assert code == 0
    assert shown == out.strip()
    assert json.loads(shown)["low"] < 2 < json.loads(shown)["high"]


@pytest.mark.parametrize(
    "assumed",
    [
        {"graph": "age -> response\ndose -> response"},
        {"require": ["age->response"], "forbid": ["dose->age"]},
        {"form": "linear", "max_parents": 2, "seed": 3},
    ],
)
def test_what_is_taken_for_granted_is_so_on_the_command_line_too(lab, trial, capsys, assumed):
    told = said(trial, assumed={**trial["said"]["assumed"], **assumed})
    lab.put(f"{TABLES}/{trial['key']}", json=told)
    entry = worked(lab, trial["key"], "ask", {"question": "effect of age on response"})["result"]
    _, *words = shlex.split(entry["command"])
    code, out, _ = run(capsys, *words, "--json")
    lab.put(f"{TABLES}/{trial['key']}", json=said(trial))
    assert code == 0
    shown = lab.get(f"{TABLES}/{trial['key']}/history/{entry['number']}").text
    assert shown == out.strip()


def test_a_question_that_cannot_be_read_is_one_line(lab, trial):
    state = worked(lab, trial["key"], "ask", {"question": "effect of doze on response"})
    assert state["result"] is None
    assert "dose" in state["error"]


def test_the_history_is_kept_with_the_table(lab, trial):
    worked(lab, trial["key"], "ask", {"question": "E[response]"})
    entries = lab.get(f"{TABLES}/{trial['key']}").json()["history"]
    exported = lab.get(f"{TABLES}/{trial['key']}/history").json()
    assert [entry["number"] for entry in entries] == list(range(len(entries)))
    assert exported["table"] == "trial.csv"
    assert exported["answers"][-1]["asked"] == "E[response]"
    number = exported["answers"][-1]["number"]
    one = lab.get(f"{TABLES}/{trial['key']}/history/{number}").json()
    assert exported["answers"][-1]["result"] == one


def test_what_is_worked_out_can_be_stopped_and_others_have_no_part_in_it(lab, trial):
    started = lab.post(f"{TABLES}/{trial['key']}/graph").json()["job"]
    assert lab.delete(f"/api/data/work/{started}").status_code == 200
    again = worked(lab, trial["key"], "ask", {"question": "E[response]"})
    assert again["result"]["result"]["answer"]
    assert lab.get("/api/data/work/0123456789abcdef").status_code == 404


def test_what_was_stopped_holds_nobody_up():
    working, held = Working(Background()), threading.Event()
    first = working.start("me", lambda job: held.wait(60))
    with pytest.raises(UserError, match="already"):
        working.start("me", lambda job: None)
    working.stop("me", first)
    second = working.start("me", lambda job: "done")
    assert working.job("me", second).wait(30) == "done"
    held.set()


def test_the_graph_has_the_edges_that_made_the_rows(lab, trial):
    found = worked(lab, trial["key"], "graph")["result"]
    pairs = {(pair["a"], pair["b"]): pair for pair in found["pairs"]}
    assert pairs["dose", "response"]["forward"] > 0.95
    assert pairs["dose", "response"]["told"]
    assert pairs["age", "response"]["probability"] > 0.9


def test_levers_are_ranked_and_what_is_open_comes_with_what_would_settle_it(lab, trial):
    entry = worked(lab, trial["key"], "levers", {"outcome": "response"})["result"]
    by_name = {lever["name"]: lever for lever in entry["levers"]}
    assert entry["levers"][0]["name"] == "dose"
    assert by_name["dose"]["known"]
    assert by_name["dose"]["low"] < by_name["dose"]["effect"] < by_name["dose"]["high"]
    age = by_name["age"]
    assert age["known"] or re.search(
        r"set age to .* in \d+ runs and to .* others, by lot", age["experiment"]
    )
    assert entry["result"]["answer"].startswith("causes of response")


# Experiments are advised, and what came out is entered


def test_advice_is_the_command_lines_and_goes_on_with_what_was_entered(lab, capsys, tmp_path):
    text = rows().replace(",did\n", "\n").replace(",dose\n", "\n").replace(",\n", "\n")
    key = brought(lab, "seen.csv", text).json()["key"]
    wanted = {"goal": "maximize response", "can_set": "dose,age"}
    entry = worked(lab, key, "advise", wanted)["result"]
    for number in range(2):
        _, *words = shlex.split(entry["command"])
        code, out, _ = run(capsys, *words, "--json", "--out", str(tmp_path / "advice.html"))
        assert code == 0
        assert lab.get(f"{TABLES}/{key}/history/{entry['number']}").text == out.strip()
        if number == 0:
            assert entry["to_set"]
            done = {"set": {"dose": 9.5}, "values": {"age": 50, "response": "24.5"}}
            view = lab.post(f"{TABLES}/{key}/runs", json=done).json()
            assert view["set"][1] == {"what": "do(dose)", "rows": 1}
            assert view["runs"] == [
                {"set": ["dose"], "values": {"dose": "9.5", "age": "50", "response": "24.5"}}
            ]
            entry = worked(lab, key, "advise", wanted)["result"]
    assert "1 interventional (do(dose): 1)" in entry["result"]["data"]
    view = lab.delete(f"{TABLES}/{key}/runs/last").json()
    assert (view["rows"], view["runs"]) == (120, [])
    assert lab.delete(f"{TABLES}/{key}/runs/last").status_code == 422


def test_what_was_set_goes_into_the_column_that_says_so(lab, trial):
    done = {"set": {"dose": 1, "age": 40}, "values": {"response": 6}}
    view = lab.post(f"{TABLES}/{trial['key']}/runs", json=done).json()
    assert view["runs"][0]["set"] == ["dose", "age"]
    assert view["runs"][0]["values"]["did"] == "dose;age"
    assert {"what": "do(age, dose)", "rows": 1} in view["set"]
    assert lab.delete(f"{TABLES}/{trial['key']}/runs/last").json()["rows"] == 120


@pytest.mark.parametrize(
    ("done", "line"),
    [
        ({"set": {"dose": 1}, "values": {}}, "nothing was read"),
        ({"set": {"doze": 1}, "values": {"response": 1}}, "did you mean 'dose'"),
        ({"set": {"dose": "much"}, "values": {"response": 1}}, "much"),
        ({"set": {"dose": 1}, "values": {"response": "1e300"}}, "1e300"),
        ({"set": {"dose": ""}, "values": {"response": "1"}}, "dose"),
    ],
)
def test_a_row_that_cannot_be_read_leaves_everything_as_it_was(lab, trial, done, line):
    answer = lab.post(f"{TABLES}/{trial['key']}/runs", json=done)
    assert answer.status_code == 422
    assert line in answer.json()["error"]
    assert lab.get(f"{TABLES}/{trial['key']}").json()["runs"] == []


def test_decimal_commas_are_entered_as_points_and_levels_by_name(lab):
    rng = np.random.default_rng(1)
    x = rng.normal(size=40)
    lines = (f"{v:.3f};{'A' if v > 0 else 'B'};{2 * v + rng.normal():.3f}\n" for v in x)
    text = "x;kind;y\n" + "".join(lines).replace(".", ",")
    key = brought(lab, "german.csv", text).json()["key"]
    good = {"set": {"x": 1.125}, "values": {"kind": "A", "y": 2.25}}
    assert lab.post(f"{TABLES}/{key}/runs", json=good).json()["rows"] == 41
    bad = {"set": {"x": 1}, "values": {"kind": "C", "y": 2}}
    assert "use one of A, B" in lab.post(f"{TABLES}/{key}/runs", json=bad).json()["error"]
    view = lab.get(f"{TABLES}/{key}").json()
    assert (view["rows"], view["runs"][0]["values"]["y"]) == (41, "2,25")


# A campaign


def test_a_campaign_is_begun_told_and_gone_on_with_on_the_command_line(lab, capsys):
    key = brought(lab, "rig.csv", rows()).json()["key"]
    wanted = {"knobs": ["dose", "age"], "outcome": "response", "aim": "maximize", "budget": 4}
    begun = lab.post(f"{TABLES}/{key}/campaign", json=wanted).json()
    assert (begun["made"], begun["budget"], begun["runs"]) == (0, 4, [])
    assert begun["earlier"] == ["rig.csv: 0 rows of earlier runs, 120 observations"]
    for number in range(2):
        run_ = worked(lab, key, "campaign/next")["result"]["runs"][-1]
        assert run_["state"] == "waits"
        assert 1.8 < run_["setting"]["dose"] < 8.1
        told = {"run": number, "readings": {"response": 2 * run_["setting"]["dose"]}}
        assert lab.post(f"{TABLES}/{key}/campaign/runs", json=told).json()["made"] == number + 1
    # What is on the page and what the command line proposes are one campaign.
    file = Path(lab.get(f"{TABLES}/{key}").json()["folder"]) / "campaign.toml"
    code, out, _ = run(capsys, "experiment", str(file), "--propose", "--json")
    assert code == 0
    (proposed,) = json.loads(out)["runs"]
    shown = lab.get(f"{TABLES}/{key}").json()["campaign"]
    assert shown["runs"][2]["setting"] == pytest.approx(proposed["setting"])
    lab.post(f"{TABLES}/{key}/campaign/runs", json={"run": 2, "state": "failed"})
    found = worked(lab, key, "campaign/found")["result"]
    code, out, _ = run(capsys, "experiment", str(file), "--export", "--json")
    assert json.loads(out)["best"]["setting"] == pytest.approx(found["best"]["setting"], rel=1e-5)
    assert found["counts"]["failed"] == 1
    assert lab.delete(f"{TABLES}/{key}/campaign").status_code == 200
    assert lab.get(f"{TABLES}/{key}").json()["campaign"] is None


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        ({"knobs": ["doze"], "outcome": "response"}, "did you mean 'dose'"),
        ({"knobs": ["response"], "outcome": "response"}, "it is a knob"),
        ({"knobs": ["dose"], "outcome": "did"}, "use one of dose, age, response"),
    ],
)
def test_a_campaign_that_cannot_be_is_one_line_and_leaves_nothing(lab, trial, wanted, line):
    answer = lab.post(f"{TABLES}/{trial['key']}/campaign", json={"aim": "minimize", **wanted})
    assert answer.status_code == 422
    assert line in answer.json()["error"]
    assert lab.get(f"{TABLES}/{trial['key']}").json()["campaign"] is None


def test_a_result_of_no_run_changes_nothing(lab, trial):
    assert lab.post(f"{TABLES}/{trial['key']}/campaign/runs", json={"run": 0}).status_code == 422
    wanted = {"knobs": ["dose"], "outcome": "response", "aim": "minimize"}
    assert lab.post(f"{TABLES}/{trial['key']}/campaign", json=wanted).status_code == 201
    told = {"run": 7, "readings": {"response": 1}}
    assert lab.post(f"{TABLES}/{trial['key']}/campaign/runs", json=told).status_code == 422
    assert "go on with it" in lab.post(f"{TABLES}/{trial['key']}/campaign", json=wanted).text
    lab.delete(f"{TABLES}/{trial['key']}/campaign")


# In the browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with running(tmp_path_factory.mktemp("served")) as address:
        yield address


@pytest.fixture
def page(address, visit, tmp_path):
    """The page with a table on it, and whatever it asked for elsewhere."""
    path = tmp_path / "trial.csv"
    path.write_text(rows())
    page = visit(f"{address}/data")
    page.foreign = []
    page.on("request", lambda sent: sent.url.startswith(address) or page.foreign.append(sent.url))
    page.set_input_files("#file", path)
    page.locator("#table").wait_for()
    page.select_option("#reading [name=targets]", "did")
    page.click("#reading .primary")
    page.get_by_text("do(dose): 40").wait_for()
    return page


def test_a_column_that_may_say_what_was_done_is_pointed_at_until_it_is_chosen(page):
    assert "did holds" not in page.inner_text("#notes")
    page.select_option("#reading [name=targets]", "")
    page.click("#reading .primary")
    page.get_by_text("did holds names of other columns").wait_for()


def test_a_table_is_dropped_asked_ranked_advised_and_stays_on_this_machine(page, figure):
    page.select_option("#simple [name=cause]", "dose")
    page.select_option("#simple [name=outcome]", "response")
    page.click("#simple .primary")
    page.locator("#answer .said-line").wait_for(timeout=120_000)
    assert "changes response by" in page.inner_text("#answer .said-line")
    page.select_option("#rank [name=outcome]", "response")
    page.click("#rank .primary")
    page.locator("#levers svg").first.wait_for(timeout=120_000)
    assert "dose" in page.inner_text("#levers tbody tr:first-child")
    page.click("#weigh")
    page.locator("#belief .edge").first.wait_for(timeout=120_000)
    figure(page, "data")
    page.select_option("#advise [name=aim]", "maximize")
    page.select_option("#advise [name=outcome]", "response")
    page.locator("#advise summary").click()
    page.fill("#advise [name=can_set]", "dose,age")
    page.click("#advise .primary")
    page.locator("#advice p").first.wait_for(timeout=120_000)
    page.locator("#entered summary").click()
    for name, value in (("dose", "9"), ("age", "50"), ("response", "23")):
        page.fill(f"#entered [data-value={name}]", value)
    page.check("#entered [data-set=dose]")
    page.click("#entered .primary")
    page.get_by_text("1 entered").wait_for(timeout=120_000)
    page.locator("#advice").get_by_text("do(dose): 41").first.wait_for(timeout=120_000)
    page.reload()
    page.get_by_text("1 entered").wait_for()
    assert page.locator("#history > li").count() == 4
    page.check("#knobs input[value=dose]")
    page.select_option("#begin [name=outcome]", "response")
    page.click("#begin .primary")
    page.fill("#campaign [data-reading=response]", "12")
    page.click("#campaign .proposal .primary")
    page.get_by_text("1 of 20 runs made").wait_for(timeout=60_000)
    page.get_by_text("Run 2: set dose").wait_for(timeout=60_000)
    assert page.foreign == []


def test_the_page_is_usable_in_every_way(page):
    page.click("#simple .primary")
    page.locator("#answer .said-line").wait_for(timeout=120_000)
    page.click("#rank .primary")
    page.locator("#levers svg").first.wait_for(timeout=120_000)
    page.click("#weigh")
    page.locator("#belief .edge").first.wait_for(timeout=120_000)
    page.check("#knobs input[value=dose]")
    page.click("#begin .primary")
    page.locator("#campaign .proposal").wait_for(timeout=60_000)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    wrong = access.complaints(page, "structure", "contrast", "targets", "width")
    wrong += access.nameless(page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.wait_for_timeout(300)
        wrong += [f"{scheme}: {one['id']}: {one['nodes'][0]['html'][:200]}"
                  for one in Axe().run(page).response["violations"]]  # fmt: skip
        wrong += [f"{scheme}: {line}" for line in access.complaints(page, "contrast", "motion")]
    for width in (360, 768, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        wrong += [f"{width}: {line}" for line in access.complaints(page, "width", "targets")]
    assert not wrong, "\n".join(wrong)
