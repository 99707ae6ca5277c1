"""Names, units, pictures and stories of a study's own, by level."""

import io
import json
import re

import pytest
from PIL import Image
from starlette.testclient import TestClient

from lab_design import STUDY, Design, picture
from lab_server import running
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.lab import LabSettings, create_app
from seedo.lab.study import StudyConfig, pilot

LAKE = """
[[wording]]
id = "lake"
story = "You look after a lake."
image = "lake.png"
alt = "A lake between hills"

[[wording.variable]]
name = "rain"
unit = "mm"
image = "rain.webp"

[[wording.variable]]
name = "Zürich's fish"

[[wording.variable]]
name = "algae"
unit = "%"
"""
FACTOR = """
[[wording]]
id = "plain"

[[factor]]
name = "wording"
levels = ["lake", "plain"]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "lake.png").write_bytes(picture())
    (tmp_path / "rain.webp").write_bytes(picture("WEBP"))
    return tmp_path


def test_people_of_a_level_see_its_story_names_units_and_pictures_and_others_do_not(folder):
    made = Design(folder, STUDY + LAKE + FACTOR)
    seen = {}
    for _ in range(2):
        browser = made.browser()
        told, view = browser.join(), browser.post("ready").json()
        seen[made.store.participants()[-1].condition] = browser, told, view
    browser, told, view = seen["wording=lake"]
    assert (told["story"], told["alt"]) == ("You look after a lake.", "A lake between hills")
    assert view["names"] == ["rain", "Zürich's fish", "algae"]
    assert view["units"] == ["mm", "", "%"]
    got = browser.http.get(f"/take/design/image/{told['image']}")
    assert got.content == picture()
    assert got.headers["content-type"] == "image/png"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "img-src 'self'" in got.headers["content-security-policy"]
    assert view["images"][1:] == ["", ""]
    assert browser.http.get(f"/take/design/image/{view['images'][0]}").content == picture("WEBP")
    assert browser.http.get("/take/design/image/lake.png").status_code == 404

    browser.choose(view, 0, 2.0)
    browser.choose(browser.view(), 2, -2.0)
    after = browser.choose(browser.view()).json()["after"]
    assert (after["names"], after["units"]) == (view["names"], view["units"])
    _, told, view = seen["wording=plain"]
    assert not {"story", "image"} & set(told)
    assert view["names"] == ["A", "B", "C"]
    assert not {"units", "images"} & set(view)


def test_the_data_say_which_wording_was_seen_and_what_it_called_things(folder):
    made = Design(folder, STUDY + LAKE + FACTOR)
    for _ in range(2):
        browser = made.browser()
        view = browser.start()
        while view["screen"] == "task":
            view = browser.choose(view, None if view["exploiting"] else 0, 2.0).json()["view"]
    steps = [row for row in made.rows("steps.csv") if row["phase"] == "explore"]
    saw = {(row["condition"], row["variable"], row["shown_variable"], row["shown_unit"])
           for row in steps}  # fmt: skip
    assert saw == {("wording=lake", "A", "rain", "mm"), ("wording=plain", "A", "A", "")}
    people = {row["condition"]: row["wording"] for row in made.rows("participants.csv")}
    assert people == {"wording=lake": "lake", "wording=plain": "plain"}
    out = folder / "out"
    made.export(psych_ds=True).extractall(out)
    about = json.loads((out / "design" / "dataset_description.json").read_text())
    said = {each["name"]: each["description"] for each in about["variableMeasured"]}
    assert "wording lake: A rain (mm), B Zürich's fish, C algae (%)" in said["shown_variable"]
    assert said["shown_unit"]
    # Agents that perform with this seed meet the same: names are not in the systems.
    logs = [Dataset(out / "design" / "runs" / f"wording-{name}") for name in ("lake", "plain")]
    lake, plain = (log.read() for log in logs)
    assert (lake.oracle_return == plain.oracle_return).all()
    assert logs[0].job["wording"]["variable"][0]["name"] == "rain"


def test_a_study_with_another_picture_is_another_study(folder):
    first = StudyConfig.load(Design(folder, STUDY + LAKE).file)
    assert StudyConfig.from_json(first.to_json()).sha256 == first.sha256
    (folder / "lake.png").write_bytes(picture(size=(9, 6)))
    changed = StudyConfig.load(folder / "design.toml")
    assert changed.sha256 != first.sha256
    assert StudyConfig.from_text(STUDY).to_json().keys().isdisjoint({"wording", "images"})


def test_words_are_nothing_to_scripted_participants(folder):
    (folder / "design.toml").write_text(STUDY + LAKE)
    named = pilot(StudyConfig.load(folder / "design.toml"))
    assert named.means == pilot(StudyConfig.from_text(STUDY)).means


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "rain"', 'name = "<b>rain</b>"', "variable 1: name: got '<b>rain</b>'"),
        ('name = "rain"', 'name = "ALGAE"', "name: got 'algae'"),
        ('name = "rain"', 'name = " rain"', "leave out the space"),
        ('name = "rain"', 'name = "=rain()"', "formula"),
        ('name = "rain"', f'name = "{"r" * 31}"', "got '31 characters'"),
        ('name = "rain"', 'name = "ra\\u202ein"', "got 'U+202E'"),
        ('name = "rain"', 'name = "ra\\nin"', "got 'U+000A'"),
        ('name = "rain"', 'name = "algae (%)"', "name of its own"),
        ('name = "rain"', "name = 3", "variable 1: name"),
        ('unit = "mm"', 'unit = "millimetres a day"', "unit: got '17 characters'"),
        ("look after a lake", "look \\u0007", "story: got 'U+0007'"),
        ('alt = "A lake between hills"', "", "lake: alt"),
        ('id = "lake"', 'id = "The lake"', "wording.id: got 'The lake'"),
        ('"lake.png"', '"../lab/secret"', "image: got '../lab/secret'"),
        ('"lake.png"', '"sea.png"', "image: got 'sea.png'"),
        ('"lake.png"', '"drawing.svg"', "no PNG, JPEG or WebP"),
        ('"lake.png"', '"large.png"', "larger than 1,000,000 bytes"),
        ('"lake.png"', '"wide.png"', "pixels"),
        ('"lake.png"', '"moving.webp"', "it moves"),
        ('"lake.png"', '"cut.png"', "no PNG, JPEG or WebP"),
        ('\n[[wording.variable]]\nname = "Zürich\'s fish"\n', "", "name 3: A, B, C"),
        ('levels = ["lake", "plain"]', 'levels = ["lake", "sea"]', "levels of wording: got 'sea'"),
        ('[[factor]]\nname = "wording"\nlevels = ["lake", "plain"]', "", "lake, plain"),
        ('name = "wording"\nlevels = ["lake", "plain"]',
         'name = "names"\nlevels = ["letters", "nonsense"]', "wording"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused_in_one_line(folder, old, new, said):
    (folder / "drawing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (folder / "large.png").write_bytes(picture() + bytes(1_000_000))
    (folder / "wide.png").write_bytes(picture(size=(5000, 1)))
    (folder / "cut.png").write_bytes(picture(size=(64, 64))[:80])
    frames = [Image.new("RGB", (4, 4), shade) for shade in ("red", "blue")]
    data = io.BytesIO()
    frames[0].save(data, "WEBP", save_all=True, append_images=frames[1:])
    (folder / "moving.webp").write_bytes(data.getvalue())
    text = STUDY + LAKE + FACTOR
    assert old in text
    (folder / "design.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(UserError) as caught:
        StudyConfig.load(folder / "design.toml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_picture_is_added_on_the_page_and_nothing_else_is(tmp_path):
    app = create_app(LabSettings(data=tmp_path / "lab", warm=False))
    page = TestClient(app, base_url="http://localhost")
    token = re.search(r'name="csrf" content="([0-9a-f]+)"', page.get("/study").text)[1]
    page.headers["x-csrf-token"] = token
    text = STUDY + LAKE

    def checked():
        return page.post("/api/study/check", json={"text": text}).json()

    assert "got 'lake.png'" in checked()["error"]
    for name, data, status in (
        ("lake.png", picture(), 204),
        ("rain.webp", picture("WEBP"), 204),
        ("lake.png", b"#!/bin/sh", 422),
        ("..secret", picture(), 422),
    ):
        assert page.put(f"/api/study/images/{name}", content=data).status_code == status
    assert "lines" in checked()
    assert page.post("/api/study/open", json={"text": text}).json() == {"open": True}
    again = TestClient(create_app(LabSettings(data=tmp_path / "lab", warm=False)),
                       base_url="http://localhost")  # fmt: skip
    assert again.get("/take/design").status_code == 200
    assert not (tmp_path / "lab" / "lake.png").exists()


def test_the_page_shows_the_words_with_units_and_pictures(folder, visit):
    (folder / "design.toml").write_text(STUDY + LAKE)
    with running(folder / "lab", study=folder / "design.toml") as address:
        page = visit(f"{address}/take/design")
        page.get_by_role("button", name="I agree and take part").click()
        page.get_by_text("You look after a lake.").wait_for()
        shown = page.get_by_role("img", name="A lake between hills")
        assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 8
        page.get_by_role("button", name="Start").click()
        page.get_by_role("radio", name="set rain to 2 mm").check(force=True)
        page.get_by_role("button", name="Set rain to 2 mm").click()
        page.get_by_role("rowheader", name="rain (mm)").wait_for()
        assert page.get_by_role("rowheader", name="algae (%)").count() == 1
        sign = page.locator("th img.sign")
        assert sign.evaluate("image => image.decode().then(() => image.naturalWidth)") == 8
